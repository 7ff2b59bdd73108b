//! Every fixture gets the verdict that its table promises, from every door of the program.

use fixtures::{CASES, Expected};
use serde_json::Value;

use crate::support::{AT, assert_valid, code, run, schema, test_root, text};

fn scan(extra: &[&str]) -> crate::support::Run {
    let root = test_root();
    let common = [
        "scan",
        "--format",
        "jsonl",
        "--at",
        AT,
        "--trust",
        text(&root),
    ];
    run(common.iter().chain(extra).chain(&["fixtures/media"]))
}

#[test]
fn what_the_files_say_gives_the_expected_verdicts() {
    let reports = scan(&["--only", "provenance"]).by_name();
    assert_eq!(reports.len(), CASES.len());
    for case in CASES {
        let expected = match case.expected {
            Expected::Settled(code) | Expected::UnlessPixelsObject(code) => code,
            Expected::Pixels | Expected::Unreadable(_) => "inconclusive",
        };
        let report = &reports[case.file];
        assert_eq!(code(report), expected, "{}: {}", case.file, case.fact);
        assert_eq!(report["detection"]["status"], "not_run");
        assert_eq!(report["detection"]["reason"], "not_requested");
    }
}

#[test]
fn with_the_pixels_the_verdicts_are_as_expected_and_fit_the_schema() {
    let run = scan(&[]);
    assert_eq!(
        run.code,
        Some(3),
        "some fixtures cannot be examined: {}",
        run.err
    );
    let (reports, schema) = (run.by_name(), schema());
    assert_eq!(reports.len(), CASES.len());
    for case in CASES {
        let report = &reports[case.file];
        assert_valid(&schema, report);
        let found = code(report);
        let fits = match case.expected {
            Expected::Settled(code) => found == code,
            Expected::UnlessPixelsObject(code) => found == code || found == "conflict",
            Expected::Pixels => is_of_pixels(report),
            Expected::Unreadable(error) => {
                found == "not_analysed" && report["error"]["code"] == error
            }
        };
        assert!(fits, "{}: {} gave {found}", case.file, case.fact);
    }
}

/// A score with one of its verdicts, or a picture that no model judges.
fn is_of_pixels(report: &Value) -> bool {
    let detection = &report["detection"];
    match detection["status"].as_str() {
        Some("not_applicable") => code(report) == "inconclusive" && detection["reason"].is_string(),
        _ => {
            let words = ["likely_ai", "no_evidence_found", "inconclusive"];
            detection["probability"].is_number() && words.contains(&code(report))
        }
    }
}
