//! The command line: arguments in, exit code out. It knows commands, terminals and files; what a file
//! shows or says is found by the crates below, and this one never looks at pixels or manifests itself.

mod admin;
mod args;
mod clock;
mod config;

mod doctor;
mod engine;
mod exit;
mod heatmap;
mod history;
mod http;
mod journal;
mod jsonl;
mod keys;
mod log;
mod models;
mod output;
mod profile;
mod progress;
mod reload;
mod reports;
mod scan;
mod secret;
mod serve;
mod settings;
mod sheet;
mod sidecar;
mod sign;
mod table;
mod tally;
#[cfg(feature = "otel")]
mod traces;
mod verify;
mod walk;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::{Args, Command},
    exit::{Exit, Failure},
    settings::Settings,
};

fn main() -> ExitCode {
    let args = Args::parse();
    exit::code(exit::guarded(|| run(&args)))
}

fn run(args: &Args) -> Result<Exit, Failure> {
    let settings = Settings::load(args.config.as_deref())?;
    let _log = log::start(args, &settings)?;
    match &args.command {
        Command::Scan(args) => scan::run(args, &settings),
        Command::Verify(args) => verify::run(args, &settings),
        Command::Sign(args) => sign::run(args, &settings),
        Command::Keys(args) => keys::run(args, &settings),
        Command::Serve(args) => serve::run(args, &settings),
        Command::Admin(args) => admin::run(args, &settings),
        Command::Models(args) => models::run(args, &settings),
        Command::Doctor(args) => doctor::run(args, &settings),
    }
}
