//! The tasks themselves, each a list of steps.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo::{cargo, cargo_with_runtime, plain};
use crate::error::TaskError;
use crate::steps::{Steps, describe, run, say, start_error};
use crate::{deny, environment, runtime};

/// Exit codes of `scan` that mean it did its work: done, found something, could not examine a file. The
/// fixtures hold altered and damaged files, so 0 alone would be wrong.
const SCAN_DID_ITS_WORK: [i32; 3] = [0, 1, 3];

/// Puts ONNX Runtime in place and prints its path to standard output.
pub(crate) fn setup() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    put(library.as_os_str().as_encoded_bytes())?;
    put(b"\n")
}

/// Scans the fixtures and prints the table of verdicts.
pub(crate) fn demo() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    demo_steps(&mut steps)?;
    steps.report();
    Ok(())
}

/// Runs every test of the workspace.
pub(crate) fn test() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    test_steps(&mut steps)?;
    steps.report();
    Ok(())
}

/// Runs what CI runs. The cheap steps come first; lints and documentation share what they compile.
pub(crate) fn ci() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    let outcome = ci_steps(&mut steps);
    steps.report();
    outcome
}

/// Measures every stage in the optimised profile.
pub(crate) fn bench() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    steps.step("benches", || {
        run(cargo_with_runtime("bench", &library).args(["--workspace", "--bench", "*"]))
    })?;
    steps.report();
    Ok(())
}

/// Checks the dependencies.
pub(crate) fn deny() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    deny::check(&mut steps)?;
    steps.report();
    Ok(())
}

/// Makes the fixtures again.
pub(crate) fn fixtures() -> Result<(), TaskError> {
    let mut steps = Steps::default();
    steps.step("make the fixtures", || {
        run(cargo("run").args(["--package", "fixtures"]))
    })
}

/// Writes the report's JSON Schema again.
pub(crate) fn schema() -> Result<(), TaskError> {
    write_again(
        "write docs/report.schema.json",
        "verdict",
        "schema",
        "docs/report.schema.json",
    )
}

/// Writes the description of the API again.
pub(crate) fn openapi() -> Result<(), TaskError> {
    write_again(
        "write docs/openapi.json",
        "server",
        "openapi",
        "docs/openapi.json",
    )
}

/// Puts what an example prints into the file that is committed.
fn write_again(
    title: &'static str,
    package: &str,
    example: &str,
    path: &str,
) -> Result<(), TaskError> {
    let mut steps = Steps::default();
    steps.step(title, || {
        let mut command = cargo("run");
        command.args(["--quiet", "--package", package, "--example", example]);
        let (code, text) = output(&mut command)?;
        if code != Some(0) {
            return Err(TaskError::Failed {
                command: describe(&command),
                code,
            });
        }
        replace(&environment::root().join(path), &text)
    })
}

fn ci_steps(steps: &mut Steps) -> Result<(), TaskError> {
    steps.step("format", || run(plain("fmt").args(["--all", "--check"])))?;
    steps.step("lints", || {
        run(cargo("clippy").args(["--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    steps.step("documentation", || {
        run(cargo("doc")
            .args(["--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    test_steps(steps)?;
    demo_steps(steps)?;
    bench_steps(steps)?;
    feature_steps(steps)?;
    deny::check(steps)
}

/// What is not in the default build: it has to compile without a warning, and what needs no device is tried. Last,
/// because features of dependencies add up, and half the tree is compiled again.
fn feature_steps(steps: &mut Steps) -> Result<(), TaskError> {
    let all = ["--workspace", "--all-features"];
    steps.step("lints of the optional features", || {
        run(cargo("clippy")
            .args(all)
            .args(["--all-targets", "--", "--deny", "warnings"]))
    })?;
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    steps.step("tests of the optional features", || {
        let mut command = cargo_with_runtime("test", &library);
        run(command
            .args(all)
            .args(["--test", "bonafide", "--", "serve_traces"]))
    })
}

fn test_steps(steps: &mut Steps) -> Result<(), TaskError> {
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    steps.step("build the tests", || {
        run(cargo_with_runtime("test", &library).args(["--workspace", "--no-run"]))
    })?;
    steps.step("tests", || {
        run(cargo_with_runtime("test", &library).arg("--workspace"))
    })
}

fn demo_steps(steps: &mut Steps) -> Result<(), TaskError> {
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    steps.step("build bonafide", || {
        run(cargo("build").args(["--bin", "bonafide"]))
    })?;
    steps.step("scan fixtures/media", || scan(&library))
}

/// Every bench once, in the profile of the tests: nothing is measured, it only has to run.
fn bench_steps(steps: &mut Steps) -> Result<(), TaskError> {
    let library = steps.step("set up ONNX Runtime", runtime::ensure)?;
    steps.step("smoke run of the benches", || {
        let mut command = cargo_with_runtime("bench", &library);
        run(command.args([
            "--workspace",
            "--profile",
            "dev",
            "--bench",
            "*",
            "--",
            "--smoke",
        ]))
    })
}

fn scan(library: &Path) -> Result<(), TaskError> {
    let mut command = cargo_with_runtime("run", library);
    command.args([
        "--quiet", "--bin", "bonafide", "--", "scan", "--format", "table",
    ]);
    command.args(["--trust", "fixtures/keys/test-root.pem", "fixtures/media"]);
    say("bonafide scan --format table --trust fixtures/keys/test-root.pem fixtures/media");
    let (code, table) = output(&mut command)?;
    put(&table)?;
    if !code.is_some_and(|code| SCAN_DID_ITS_WORK.contains(&code)) {
        return Err(TaskError::Failed {
            command: describe(&command),
            code,
        });
    }
    let lines = table
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .count();
    let files = count_files(&environment::root().join("fixtures/media"))?;
    if lines < files || files == 0 {
        return Err(TaskError::TableShort { lines, files });
    }
    Ok(())
}

/// Exit code and standard output of a program; its standard error goes to ours as it comes.
fn output(command: &mut Command) -> Result<(Option<i32>, Vec<u8>), TaskError> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn();
    let child = child.map_err(|source| start_error(command, source))?;
    let output = child
        .wait_with_output()
        .map_err(|source| start_error(command, source))?;
    Ok((output.status.code(), output.stdout))
}

fn count_files(folder: &Path) -> Result<usize, TaskError> {
    let io = |source| TaskError::Io {
        path: folder.to_path_buf(),
        source,
    };
    let mut files = 0;
    for entry in fs::read_dir(folder).map_err(io)? {
        if entry
            .and_then(|entry| entry.file_type())
            .map_err(io)?
            .is_file()
        {
            files += 1;
        }
    }
    Ok(files)
}

/// Writes data to standard output.
pub(crate) fn put(bytes: &[u8]) -> Result<(), TaskError> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)
        .and_then(|()| out.flush())
        .map_err(|source| TaskError::Io {
            path: "standard output".into(),
            source,
        })
}

/// Replaces a file by a rename, so that nobody reads half of it.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), TaskError> {
    let new = path.with_extension("new");
    fs::write(&new, bytes).map_err(|source| TaskError::Io {
        path: new.clone(),
        source,
    })?;
    fs::rename(&new, path).map_err(|source| TaskError::Io {
        path: path.to_path_buf(),
        source,
    })
}
