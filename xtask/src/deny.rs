//! Licences, bans, sources and advisories of every dependency, through cargo-deny (`deny.toml`).
//!
//! Licences, bans and sources need no network and always decide. Advisories need a database that not every
//! machine can reach; then an older copy serves, and without one that check alone is left out, loudly.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo::plain;
use crate::environment;
use crate::error::TaskError;
use crate::steps::{Steps, run, say};

/// The cargo-deny that CI runs. A newer one may know new lints, so it is pinned.
const VERSION: &str = "0.20.2";

/// Installs cargo-deny where it is missing, then checks.
pub(crate) fn check(steps: &mut Steps) -> Result<(), TaskError> {
    let program = steps.step("find or install cargo-deny", ensure)?;
    steps.step("licences, bans and sources", || {
        run(deny(&program).args(["check", "licenses", "bans", "sources"]))
    })?;
    steps.step("advisories", || advisories(&program))
}

/// The pinned cargo-deny of the machine, else the one under `target/tools`, installed at need.
fn ensure() -> Result<PathBuf, TaskError> {
    let own = environment::root().join("target/tools");
    let installed = own.join("bin/cargo-deny");
    for candidate in [PathBuf::from("cargo-deny"), installed.clone()] {
        if is_pinned(&candidate) {
            return Ok(candidate);
        }
    }
    say(&format!(
        "installing cargo-deny {VERSION} into target/tools; it is kept for the next run"
    ));
    let mut command = plain("install");
    command
        .args(["cargo-deny", "--version", VERSION, "--locked", "--root"])
        .arg(own);
    // It runs for a second, so a cheap build beats a fast program.
    command
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off");
    command
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    run(&mut command)?;
    Ok(installed)
}

fn is_pinned(program: &PathBuf) -> bool {
    let answer = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    answer.is_ok_and(|answer| {
        String::from_utf8_lossy(&answer.stdout).trim() == format!("cargo-deny {VERSION}")
    })
}

fn deny(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.current_dir(environment::root()).arg("--locked");
    command
}

fn advisories(program: &PathBuf) -> Result<(), TaskError> {
    let fetched = run(deny(program).args(["fetch", "db"])).is_ok();
    if !fetched && !has_database() {
        say(
            "!! ADVISORIES WERE NOT CHECKED: the advisory database cannot be fetched and no copy is here.",
        );
        say("!! Run `cargo xtask deny` once on a machine that reaches it before you release.");
        return Ok(());
    }
    if !fetched {
        say(
            "!! The advisory database cannot be fetched; the copy in target/advisory-dbs is checked instead.",
        );
    }
    run(deny(program).args(["check", "--disable-fetch", "advisories"]))
}

/// Whether an earlier run left a copy of the database (`db-path` in deny.toml).
fn has_database() -> bool {
    fs::read_dir(environment::root().join("target/advisory-dbs")).is_ok_and(|mut entries| {
        entries.any(|entry| entry.is_ok_and(|entry| entry.path().is_dir()))
    })
}
