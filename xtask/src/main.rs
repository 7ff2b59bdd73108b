//! The project's own tasks behind `cargo xtask`: set-up, demonstration, tests and everything CI runs.
//!
//! It drives the tools a stranger already has (cargo, Python with pip) and depends on nothing but `sha2`,
//! so that the first task starts seconds after a clone. It knows no crate of the product: what needs one
//! is run through cargo.

mod cargo;
mod deny;
mod environment;
mod error;
mod pins;
mod python;
mod runtime;
mod steps;
mod tasks;

use std::process::ExitCode;

use error::TaskError;
use steps::say;

/// What `cargo xtask` prints when it is not told what to do.
const USAGE: &str = "\
usage: cargo xtask TASK

  setup     put the pinned ONNX Runtime under target/onnxruntime and print its path
  demo      set up, build, and scan fixtures/media into a table of verdicts
  test      set up and run every test of the workspace
  ci        everything CI runs: format, lints, documentation, tests, demo, benches, dependencies
  bench     measure every stage, optimised; the first build takes a while
  deny      check licences, bans, sources and advisories of all dependencies
  fixtures  make the files under fixtures/ again
  schema    write docs/report.schema.json again from the report's Rust source
  openapi   write docs/openapi.json again from the service's Rust source
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error}"));
            if let Some(hint) = error.hint() {
                say(&format!("hint: {hint}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(arguments: &[String]) -> Result<(), TaskError> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["setup"] => tasks::setup(),
        ["demo"] => tasks::demo(),
        ["test"] => tasks::test(),
        ["ci"] => tasks::ci(),
        ["bench"] => tasks::bench(),
        ["deny"] => tasks::deny(),
        ["fixtures"] => tasks::fixtures(),
        ["schema"] => tasks::schema(),
        ["openapi"] => tasks::openapi(),
        [] | ["help" | "--help" | "-h"] => tasks::put(USAGE.as_bytes()),
        _ => Err(TaskError::Usage {
            given: arguments.join(" "),
        }),
    }
}
