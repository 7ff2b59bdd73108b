//! `bonafide keys new`: a development CA and a signing certificate. Nobody trusts them until somebody says so.

use std::io::{self, Write as _};

use provenance::{
    Timestamp, Validity,
    keys::{ChainRequest, Secrets, development_chain},
};

use super::files::{NewFile, PUBLIC, SECRET, make_folder, write_all};
use crate::{
    args::KeysNewArgs,
    clock,
    exit::{Exit, Failure},
    output::{self, say, shown},
};

pub(super) fn run(args: &KeysNewArgs) -> Result<Exit, Failure> {
    let request = ChainRequest {
        name: &args.name,
        organisation: &args.organisation,
        validity: validity(clock::now(), args.days),
    };
    let mut secrets = Secrets::random(args.key.algorithm.into())?;
    if let Some(passphrase) = super::new_passphrase(&args.key)? {
        secrets = secrets.encrypted(passphrase);
    }
    let chain = development_chain(&request, &secrets)?;
    make_folder(&args.out).map_err(|error| output::cannot_write(&args.out, &error))?;
    let file = |name, text, mode| NewFile {
        path: args.out.join(name),
        text,
        mode,
    };
    let files = [
        file("ca-cert.pem", &chain.ca_cert_pem, PUBLIC),
        file("ca-key.pem", &chain.ca_key_pem, SECRET),
        file("signer-key.pem", &chain.signer_key_pem, SECRET),
        file("signer-chain.pem", &chain.signer_chain_pem, PUBLIC),
    ];
    write_all(&files)?;
    let mut out = io::stdout().lock();
    for file in &files {
        writeln!(out, "{}", shown(&file.path.to_string_lossy()))?;
    }
    say(
        "Nobody trusts these certificates; `bonafide verify --trust ca-cert.pem` does when told to.",
    );
    Ok(Exit::Done)
}

/// From an hour ago, for clocks that run behind.
fn validity(now: Timestamp, days: u16) -> Validity {
    Validity {
        not_before: Timestamp(now.0 - 3_600),
        not_after: Timestamp(now.0 + i64::from(days) * 86_400),
    }
}
