//! `bonafide keys check`: the certificate doctor's findings, one line each.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
};

use provenance::{
    SignerStatus,
    keys::{Anchored, ChainCheck, Outcome, check_chain},
};

use crate::{
    args::KeysCheckArgs,
    clock,
    exit::{Exit, Failure},
    secret,
    settings::Settings,
};

pub(super) fn run(args: &KeysCheckArgs, settings: &Settings) -> Result<Exit, Failure> {
    let pem = read(&args.chain).map_err(|error| {
        Failure::usage(
            format!("{} cannot be read: {error}", args.chain.display()),
            "give the certificates as PEM, the signing certificate first",
        )
    })?;
    let key = match &args.key {
        Some(path) => Some(secret::load_key(path, &args.passphrase)?),
        None => None,
    };
    let trust = settings.trust(&args.trust.anchors)?;
    let at = args.trust.at.unwrap_or_else(clock::now);
    let check = check_chain(&pem, key.as_ref(), trust, at)?;
    tell(&check)?;
    Ok(match check.holds() {
        true => Exit::Done,
        false => Exit::Found,
    })
}

/// The file, if it is no longer than a chain can be.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_CHAIN_BYTES + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_CHAIN_BYTES) {
        true => Ok(bytes),
        false => Err(io::Error::other("it is too long")),
    }
}

fn tell(check: &ChainCheck) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "certificate of {}", check.owner)?;
    writeln!(out, "issued by      {}", check.issuer)?;
    writeln!(
        out,
        "{} key, valid from {} to {}",
        check.key, check.validity.not_before, check.validity.not_after
    )?;
    for finding in &check.findings {
        let (word, more) = match &finding.outcome {
            Outcome::Holds => ("ok  ", String::new()),
            Outcome::Unadvised { found, ask } => ("note", format!(" ({found}): {ask}")),
            Outcome::Broken { found, ask } => ("FAIL", format!(" ({found}): {ask}")),
        };
        writeln!(out, "{word} {}: {}{more}", finding.code, finding.rule)?;
    }
    match &check.anchored {
        Some(anchored) => writeln!(out, "{}", words(anchored)),
        None => writeln!(out, "readers will say that the signer is unknown"),
    }
}

fn words(anchored: &Anchored) -> String {
    let list = &anchored.list;
    match anchored.status {
        SignerStatus::C2paList => "readers with the official C2PA list will trust it".to_owned(),
        SignerStatus::InterimList => {
            "only readers with the frozen interim list will trust it; move to a CA of the C2PA list"
                .to_owned()
        }
        SignerStatus::AllowList => {
            format!("only readers that allow this very certificate will trust it ({list})")
        }
        SignerStatus::Local => format!("only readers with {list} will trust it"),
        SignerStatus::Unknown | SignerStatus::Revoked | SignerStatus::None => {
            "readers will say that the signer is unknown".to_owned()
        }
    }
}

/// Sixteen certificates of 4 KB as PEM, twice over.
const MAX_CHAIN_BYTES: u64 = 262_144;
