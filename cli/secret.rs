//! Passphrases, PINs and tokens: from a prompt, a file or a variable, never from an argument; and a process
//! that leaves no picture of its memory behind.

use std::io::{self, IsTerminal as _};

use provenance::{PrivateKey, SignError, read_secret};
use zeroize::Zeroizing;

use crate::{args::PassphraseArgs, exit::Failure, output::say};

/// A secret text without the line end that editors and `echo` leave.
pub(crate) type Secret = Zeroizing<Vec<u8>>;

/// From here on a crash writes no core file, and no other process of the same user can read this one's
/// memory. Where the system has no such switch, nothing is lost but the precaution.
pub(crate) fn no_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// The passphrase or PIN of `what`.
pub(crate) fn passphrase(args: &PassphraseArgs, what: &str) -> Result<Secret, Failure> {
    match given(args)? {
        Some(secret) => Ok(secret),
        None => prompt(&format!("Passphrase of {what}: "), what),
    }
}

/// A passphrase for a key that is about to be made; a prompt asks twice.
pub(crate) fn new_passphrase(args: &PassphraseArgs) -> Result<Secret, Failure> {
    let secret = match given(args)? {
        Some(secret) => secret,
        None => {
            let first = prompt("Passphrase for the new keys: ", "the new keys")?;
            if first != prompt("The same again: ", "the new keys")? {
                return Err(Failure::usage("the two passphrases differ", "try again"));
            }
            first
        }
    };
    if secret.len() < MIN_NEW_BYTES {
        return Err(Failure::usage(
            format!("the passphrase has fewer than {MIN_NEW_BYTES} characters"),
            "take a longer one; whoever copies the file has all the time in the world",
        ));
    }
    Ok(secret)
}

/// A key out of a file, and its passphrase only where it needs one.
pub(crate) fn load_key(
    path: &std::path::Path,
    args: &PassphraseArgs,
) -> Result<PrivateKey, Failure> {
    no_core_dumps();
    match PrivateKey::load(path, None) {
        Err(SignError::KeyEncrypted) => {
            let secret = passphrase(args, &path.display().to_string())?;
            Ok(PrivateKey::load(path, Some(&secret))?)
        }
        other => Ok(other?),
    }
}

/// The token or passphrase in a file.
pub(crate) fn in_file(path: &std::path::Path) -> Result<Secret, Failure> {
    let mut secret = read_secret(path)?;
    let kept = secret.trim_ascii_end().len();
    secret.truncate(kept);
    if secret.is_empty() {
        return Err(Failure::usage(
            format!("{} is empty", path.display()),
            "put the secret into it, on one line",
        ));
    }
    Ok(secret)
}

fn given(args: &PassphraseArgs) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &args.passphrase_file {
        return in_file(path).map(Some);
    }
    let Some(name) = &args.passphrase_env else {
        return Ok(None);
    };
    // The caller names the variable, so it can be read nowhere else.
    let Some(value) = std::env::var_os(name) else {
        return Err(Failure::usage(
            format!("the variable {name} is not set"),
            "set it to the passphrase, or name another one with --passphrase-env",
        ));
    };
    Ok(Some(Zeroizing::new(value.into_encoded_bytes())))
}

/// Asks on the terminal, where what is typed is not shown.
fn prompt(text: &str, what: &str) -> Result<Secret, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(
            format!("{what} needs a passphrase, and there is no terminal to ask on"),
            "give --passphrase-file or --passphrase-env",
        ));
    }
    match rpassword::prompt_password(text) {
        Ok(secret) => Ok(Zeroizing::new(secret.into_bytes())),
        Err(error) => {
            say(&format!("the terminal gave no passphrase: {error}"));
            Err(Failure::usage(
                format!("{what} needs a passphrase"),
                "give --passphrase-file or --passphrase-env",
            ))
        }
    }
}

/// NIST SP 800-63B, section 3.1.1.2, asks for 8 at least.
const MIN_NEW_BYTES: usize = 8;
