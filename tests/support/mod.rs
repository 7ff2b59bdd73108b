//! What the tests share: running the binary, starting its service, reading what they say.

pub(crate) mod browser;
pub(crate) mod http;
pub(crate) mod issuer;
#[cfg(target_os = "linux")]
pub(crate) mod memory;
pub(crate) mod server;
pub(crate) mod service;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;
pub(crate) mod workshop;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// A moment at which every certificate of the fixtures but the expired one is valid.
pub(crate) const AT: &str = "2026-11-23T00:00:00Z";

/// One finished run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary, in the root of the repository, without a setting from outside.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BONAFIDE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs the binary to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    finish(command().args(args))
}

/// Runs a prepared command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let run = Run {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!run.err.contains("panicked"), "{run:?}");
    run
}

impl Run {
    /// Every line of standard output as JSON.
    pub(crate) fn reports(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The reports by the last part of their names.
    pub(crate) fn by_name(&self) -> BTreeMap<String, Value> {
        self.reports()
            .into_iter()
            .map(|report| (short_name(&report), report))
            .collect()
    }

    /// Asserts one error sentence with one hint, that exit code and no data.
    #[track_caller]
    pub(crate) fn assert_refused(&self, code: i32, word: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let lines: Vec<&str> = self.err.lines().collect();
        assert_eq!(lines.len(), 2, "{self:?}");
        assert!(lines[0].starts_with("error: "), "{self:?}");
        assert!(lines[1].starts_with("hint: "), "{self:?}");
        assert!(self.err.contains(word), "no \"{word}\" in {self:?}");
    }
}

/// The last part of a report's name.
pub(crate) fn short_name(report: &Value) -> String {
    let name = report["media"]["name"].as_str().unwrap();
    name.rsplit('/').next().unwrap().to_owned()
}

/// The verdict word of a report.
pub(crate) fn code(report: &Value) -> &str {
    report["verdict"]["code"].as_str().unwrap()
}

/// A report without what differs between two examinations of the same bytes.
pub(crate) fn comparable(report: &Value) -> Value {
    let mut report = report.clone();
    report["timing_ms"].take();
    report["provenance"]["checked_at"].take();
    report["media"]["name"].take();
    report
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A committed fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = root().join("fixtures/media").join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

/// The anchor of the trusted fixtures.
pub(crate) fn test_root() -> PathBuf {
    root().join("fixtures/keys/test-root.pem")
}

/// A folder that vanishes with the test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A text argument of a path that is UTF-8.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs `name` of the system; false where it is missing or fails.
pub(crate) fn system(name: &str, args: &[&str]) -> bool {
    Command::new(name)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The JSON Schema of reports, as committed.
pub(crate) fn schema() -> jsonschema::Validator {
    let text = std::fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Asserts that a report fits the schema.
#[track_caller]
pub(crate) fn assert_valid(schema: &jsonschema::Validator, report: &Value) {
    let errors: Vec<String> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}: {errors:?}", report["media"]["name"]);
}
