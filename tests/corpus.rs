//! Real files with C2PA manifests, from cameras, generators and editors, against their expected states.
//! They lie outside the repository; without them this test says that it was skipped.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

use crate::support::{AT, assert_valid, code, root, run, schema, short_name, text};

fn corpus() -> Option<PathBuf> {
    let folder = root().join("../shared/corpus/c2pa");
    folder.is_dir().then_some(folder)
}

#[test]
fn every_file_gets_one_valid_report_with_the_expected_state() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED corpus: ../shared/corpus/c2pa is not there");
        return;
    };
    let files = corpus.join("files");
    let run = run(["scan", "--format", "jsonl", "--at", AT, text(&files)]);
    let reports: BTreeMap<String, Value> = run
        .reports()
        .into_iter()
        .map(|report| (short_name(&report), report))
        .collect();
    assert_eq!(
        reports.len(),
        fs::read_dir(&files).unwrap().count(),
        "one report per file"
    );
    let schema = schema();
    for report in reports.values() {
        assert_valid(&schema, report);
        assert_ne!(
            report["error"]["code"], "internal",
            "{}",
            report["media"]["name"]
        );
    }
    check_states(&corpus, &reports);
    check_times(&reports);
}

/// At least 90 % of the rows that may be demanded, and no file trusted that must not be.
fn check_states(corpus: &std::path::Path, reports: &BTreeMap<String, Value>) {
    let table = fs::read_to_string(corpus.join("cases.tsv")).unwrap();
    let mut lines = table.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let column = |name| columns.iter().position(|column| *column == name).unwrap();
    let (mut demanded, mut missed) = (0, Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let cell = |name| cells[column(name)];
        let report = &reports[cell("file").rsplit('/').next().unwrap()];
        let found = &report["provenance"];
        let state = found["validation_state"].as_str().unwrap_or("none");
        let gate = cell("gate") == "yes";
        if cell("expected_state") == "Invalid" && gate {
            assert_ne!(state, "Trusted", "{}", cell("file"));
            assert_ne!(code(report), "verified_origin", "{}", cell("file"));
        }
        demanded += usize::from(gate);
        let expected = (cell("expected_manifest"), cell("expected_state"));
        if gate && expected != (found["manifest"].as_str().unwrap(), state) {
            missed.push(format!(
                "{}: {expected:?} came out as {state}",
                cell("file")
            ));
        }
    }
    eprintln!(
        "corpus: {} of {demanded} rows as expected",
        demanded - missed.len()
    );
    assert!(demanded > 100, "the table was not understood");
    assert!(missed.len() * 10 <= demanded, "{missed:#?}");
}

/// No file takes over 2 s. Other tests keep the cores busy, so a slow file gets two more tries alone.
fn check_times(reports: &BTreeMap<String, Value>) {
    let total = |report: &Value| report["timing_ms"]["total"].as_f64().unwrap();
    for report in reports.values().filter(|report| total(report) > MAX_MS) {
        let name = report["media"]["name"].as_str().unwrap();
        let again = (0..2).map(|_| total(&run(["scan", "--jobs", "1", name]).reports()[0]));
        let best = again.fold(total(report), f64::min);
        assert!(best <= MAX_MS, "{name} takes {best} ms");
    }
}

/// The bar of the main job on a machine with two cores.
const MAX_MS: f64 = 2_000.0;
