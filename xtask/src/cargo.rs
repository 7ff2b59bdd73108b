//! Every cargo command of the tasks: in the repository's root, with the committed lock file, and without
//! the Rust version check that c2pa would fail for no reason (see `.cargo/config.toml`).

use std::path::Path;
use std::process::Command;

use crate::environment;

/// A cargo subcommand that compiles or resolves: `cargo <subcommand> --ignore-rust-version --locked`.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = plain(subcommand);
    command.args(["--ignore-rust-version", "--locked"]);
    command
}

/// A cargo subcommand without those flags, for the few that do not know them.
pub(crate) fn plain(subcommand: &str) -> Command {
    let mut command = Command::new(environment::cargo_program());
    command.arg(subcommand).current_dir(environment::root());
    command
}

/// The same as [`cargo`], for what loads models: with `ORT_DYLIB_PATH` set to `runtime`.
pub(crate) fn cargo_with_runtime(subcommand: &str, runtime: &Path) -> Command {
    let mut command = cargo(subcommand);
    command.env("ORT_DYLIB_PATH", runtime);
    command
}
