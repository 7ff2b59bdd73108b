//! The configuration file, variables and flags, the later winning.

use std::fs;

use crate::support::{Run, command, finish, fixture, folder, run, text};

/// Scans an AI-declared file, which is exit code 0 by default.
fn scan(config: Option<&str>, variable: Option<&str>, flag: Option<&str>) -> Run {
    let folder = folder();
    let path = folder.path().join("bonafide.toml");
    let mut command = command();
    command.args(["scan", "--only", "provenance"]);
    if let Some(config) = config {
        fs::write(&path, config).unwrap();
        command.args(["--config", text(&path)]);
    }
    if let Some(codes) = variable {
        command.env("BONAFIDE_FAIL_ON", codes);
    }
    if let Some(codes) = flag {
        command.args(["--fail-on", codes]);
    }
    finish(command.arg(fixture("ai_declared_active.jpg")))
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = Some("fail_on = [\"declared_ai\"]");
    assert_eq!(scan(None, None, None).code, Some(0));
    assert_eq!(scan(file, None, None).code, Some(1));
    assert_eq!(scan(file, Some("altered"), None).code, Some(0));
    assert_eq!(
        scan(file, Some("altered"), Some("declared_ai")).code,
        Some(1)
    );
}

#[test]
fn paths_in_the_file_start_at_its_own_folder() {
    let folder = folder();
    fs::copy(
        crate::support::test_root(),
        folder.path().join("anchor.pem"),
    )
    .unwrap();
    let path = folder.path().join("bonafide.toml");
    fs::write(&path, "trust = [\"anchor.pem\"]\nbundled_trust = false").unwrap();
    let run = finish(
        command()
            .args(["scan", "--only", "provenance", "--config", text(&path)])
            .arg(fixture("signed_trusted.jpg")),
    );
    let report = &run.reports()[0];
    assert_eq!(report["provenance"]["signer"]["status"], "local", "{run:?}");
    assert_eq!(report["engine"]["trust_lists"][0]["name"], "anchor.pem");
}

#[test]
fn mistakes_in_the_file_are_named_with_their_line() {
    scan(Some("jobs = 2\nmax_byte = 10"), None, None).assert_refused(2, "line 2");
    scan(Some("jobs = \"two\""), None, None).assert_refused(2, "line 1");
    let missing = finish(command().args(["--config", "no-such.toml", "doctor"]));
    missing.assert_refused(2, "no-such.toml");
}

#[test]
fn limits_come_from_the_file_and_from_flags() {
    let of = |config, extra: &[&str]| {
        let folder = folder();
        let path = folder.path().join("bonafide.toml");
        fs::write(&path, config).unwrap();
        let run = finish(
            command()
                .args(["scan", "--config", text(&path)])
                .args(extra)
                .arg(fixture("unsigned.jpg")),
        );
        run.reports()[0]["error"]["code"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(
        of("max_bytes = 100", &[]).as_deref(),
        Some("limit_exceeded:bytes")
    );
    assert_eq!(of("max_bytes = 100", &["--max-bytes", "9999999"]), None);
    assert_eq!(
        of("max_pixels = 100", &[]).as_deref(),
        Some("limit_exceeded:pixels")
    );
}

#[test]
fn a_policy_file_decides_and_a_broken_one_is_refused() {
    let place = folder();
    let policy = place.path().join("policy.toml");
    let file = fixture("unsigned.jpg");
    fs::write(
        &policy,
        "name = \"ours\"\n[review]\ncodes = [\"inconclusive\"]\n",
    )
    .unwrap();
    let scan = |policy: &str| {
        run([
            "scan",
            "--only",
            "provenance",
            "--policy",
            policy,
            text(&file),
        ])
    };
    let report = scan(text(&policy)).reports().remove(0);
    assert_eq!(report["verdict"]["review"], true);
    assert!(
        report["engine"]["policy"]
            .as_str()
            .unwrap()
            .starts_with("ours@1")
    );
    fs::write(&policy, "[pixels]\nalarm_rate = 2.0\n").unwrap();
    scan(text(&policy)).assert_refused(2, "alarm_rate");
    scan("nowhere.toml").assert_refused(2, "nowhere.toml");
}
