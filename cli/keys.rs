//! `bonafide keys`: certificates for trying things out. Nobody trusts them until somebody says so.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use provenance::{
    Timestamp, Validity,
    keys::{ChainRequest, Secrets, development_chain},
};

use crate::{
    args::{KeysArgs, KeysCommand, KeysNewArgs},
    clock,
    exit::{Exit, Failure},
    output::{self, say, shown},
};

/// Runs the command.
pub(crate) fn run(args: &KeysArgs) -> Result<Exit, Failure> {
    match &args.command {
        KeysCommand::New(args) => new(args),
    }
}

fn new(args: &KeysNewArgs) -> Result<Exit, Failure> {
    let request = ChainRequest {
        name: &args.name,
        organisation: &args.organisation,
        validity: validity(clock::now(), args.days),
    };
    let chain = development_chain(&request, &Secrets::random()?)?;
    make_folder(&args.out).map_err(|error| output::cannot_write(&args.out, &error))?;
    let files = [
        ("ca-cert.pem", chain.ca_cert_pem.as_str(), PUBLIC),
        ("ca-key.pem", chain.ca_key_pem.as_str(), SECRET),
        ("signer-key.pem", chain.signer_key_pem.as_str(), SECRET),
        ("signer-chain.pem", chain.signer_chain_pem.as_str(), PUBLIC),
    ];
    let paths = files.map(|(name, _, _)| args.out.join(name));
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(exists(path));
    }
    write_all(&files, &paths)?;
    let mut out = io::stdout().lock();
    for path in &paths {
        writeln!(out, "{}", shown(&path.to_string_lossy()))?;
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

/// All four files or none: half a key pair is of no use.
fn write_all(files: &[(&str, &str, u32); 4], paths: &[PathBuf; 4]) -> Result<(), Failure> {
    for (written, ((_, text, mode), path)) in files.iter().zip(paths).enumerate() {
        if let Err(error) = write_new(path, text, *mode) {
            // The file that is in the way is not ours; one that was made and not filled is.
            let is_in_the_way = error.kind() == io::ErrorKind::AlreadyExists;
            for path in paths.iter().take(written + usize::from(!is_in_the_way)) {
                let _ = fs::remove_file(path);
            }
            return Err(match is_in_the_way {
                true => exists(path),
                false => output::cannot_write(path, &error),
            });
        }
    }
    Ok(())
}

fn exists(path: &Path) -> Failure {
    Failure::usage(
        format!(
            "{} exists already, and keys are never replaced",
            path.display()
        ),
        "give --out another folder",
    )
}

/// The mode is set when the file is made: a key is at no moment readable by others.
fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = create(path, mode)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

const PUBLIC: u32 = 0o644;
const SECRET: u32 = 0o600;
