//! `bonafide keys`: certificates for trying things out, requests to real CAs, and what is wrong with a chain.

mod check;
mod csr;
mod files;
mod new;

use zeroize::Zeroizing;

use crate::{
    args::{KeysArgs, KeysCommand, NewKeyArgs},
    exit::{Exit, Failure},
    secret,
    settings::Settings,
};

/// Runs the command.
pub(crate) fn run(args: &KeysArgs, settings: &Settings) -> Result<Exit, Failure> {
    match &args.command {
        KeysCommand::New(args) => {
            secret::no_core_dumps();
            new::run(args)
        }
        KeysCommand::Csr(args) => {
            secret::no_core_dumps();
            csr::run(args)
        }
        KeysCommand::Check(args) => check::run(args, settings),
    }
}

/// The passphrase that new keys are written with: where one is given, or asked for by `--encrypt`.
fn new_passphrase(args: &NewKeyArgs) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let given = &args.passphrase;
    let wanted = args.encrypt || given.passphrase_file.is_some() || given.passphrase_env.is_some();
    wanted.then(|| secret::new_passphrase(given)).transpose()
}
