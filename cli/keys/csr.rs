//! `bonafide keys csr`: a request for a CA, from a key that is there or from a new one.

use std::io::{self, Write as _};

use provenance::{PrivateKey, keys::certificate_request};

use super::files::{NewFile, PUBLIC, SECRET, write_all};
use crate::{
    args::KeysCsrArgs,
    exit::{Exit, Failure},
    output::{say, shown},
    secret,
};

pub(super) fn run(args: &KeysCsrArgs) -> Result<Exit, Failure> {
    let mut new_pem = None;
    let key = match &args.key {
        Some(path) => secret::load_key(path, &args.fresh.passphrase)?,
        None => {
            let passphrase = super::new_passphrase(&args.fresh)?;
            let key = PrivateKey::random(args.fresh.algorithm.into())?;
            new_pem = Some(key.to_pem(passphrase.as_ref().map(|phrase| phrase.as_slice()))?);
            key
        }
    };
    let request = certificate_request(&args.name, &args.organisation, &key)?;
    let mut files = Vec::new();
    if let (Some(path), Some(pem)) = (&args.new_key, &new_pem) {
        files.push(NewFile {
            path: path.clone(),
            text: pem,
            mode: SECRET,
        });
    }
    if let Some(path) = &args.out {
        files.push(NewFile {
            path: path.clone(),
            text: &request,
            mode: PUBLIC,
        });
    }
    write_all(&files)?;
    let mut out = io::stdout().lock();
    for file in &files {
        writeln!(out, "{}", shown(&file.path.to_string_lossy()))?;
    }
    if args.out.is_none() {
        out.write_all(request.as_bytes())?;
    }
    say(
        "Send the request, never the key, to a CA of the C2PA trust list; look at its answer with `bonafide keys check`.",
    );
    Ok(Exit::Done)
}
