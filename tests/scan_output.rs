//! How scan answers: formats, exit codes, files that are whole or not there, journals.

use std::{
    fs,
    io::Read as _,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::support::{
    AT, assert_valid, code, command, comparable, finish, fixture, folder, run, schema, test_root,
    text,
};

const PROVENANCE: [&str; 6] = ["scan", "--only", "provenance", "--at", AT, "--format"];

#[test]
fn the_same_bytes_give_the_same_report_twice_and_on_many_threads() {
    let folder = folder();
    for name in ["unsigned.jpg", "signed_trusted.png", "animated.gif"] {
        fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    let scan = |jobs| {
        let args = ["scan", "--format", "jsonl", "--at", AT, "--jobs", jobs];
        run(args.iter().chain(&[text(folder.path())])).by_name()
    };
    let (once, again) = (scan("1"), scan("4"));
    assert_eq!(once.len(), 3);
    for (name, report) in &once {
        assert_eq!(comparable(report), comparable(&again[name]), "{name}");
    }
}

#[test]
fn exit_codes_follow_fail_on() {
    let ai = fixture("ai_declared_active.jpg");
    let of = |extra: &[&str]| {
        run(PROVENANCE
            .iter()
            .chain(&["jsonl"])
            .chain(extra)
            .chain(&[text(&ai)]))
        .code
    };
    assert_eq!(of(&[]), Some(0), "declared_ai is not in the default list");
    assert_eq!(of(&["--fail-on", "declared_ai"]), Some(1));
    assert_eq!(of(&["--fail-on", "altered,declared_ai"]), Some(1));
    assert_eq!(of(&["--fail-on", "altered"]), Some(0));
    let altered = fixture("altered_after_signing.jpg");
    let of = |extra: &[&str]| {
        run(PROVENANCE
            .iter()
            .chain(&["jsonl"])
            .chain(extra)
            .chain(&[text(&altered)]))
        .code
    };
    assert_eq!(of(&[]), Some(1), "altered is in the default list");
    assert_eq!(of(&["--fail-on", "none"]), Some(0));
}

#[test]
fn the_time_of_validation_decides_over_certificates() {
    let (file, anchor) = (fixture("signed_trusted.jpg"), test_root());
    let of = |at| {
        let args = [
            "scan",
            "--only",
            "provenance",
            "--format",
            "jsonl",
            "--at",
            at,
            "--trust",
        ];
        let run = run(args.iter().chain(&[text(&anchor), text(&file)]));
        let report = &run.reports()[0];
        let time = report["provenance"]["time"].as_str().unwrap().to_owned();
        assert_eq!(report["provenance"]["checked_at"], at);
        (code(report).to_owned(), time)
    };
    let owned = |code: &str, time: &str| (code.to_owned(), time.to_owned());
    assert_eq!(of(AT), owned("verified_origin", "inside_validity"));
    assert_eq!(
        of("2099-01-01T00:00:00Z"),
        owned("inconclusive", "expired_no_stamp")
    );
    assert_eq!(
        of("2020-01-01T00:00:00Z"),
        owned("inconclusive", "not_yet_valid")
    );
}

#[test]
fn an_anchor_counts_only_when_it_is_given() {
    let (file, anchor) = (fixture("signed_trusted.jpg"), test_root());
    let of = |extra: &[&str]| {
        let run = run(PROVENANCE
            .iter()
            .chain(&["jsonl"])
            .chain(extra)
            .chain(&[text(&file)]));
        let report = &run.reports()[0];
        let lists = report["engine"]["trust_lists"].as_array().unwrap().len();
        let signer = report["provenance"]["signer"]["status"].as_str().unwrap();
        (signer.to_owned(), lists)
    };
    assert_eq!(of(&["--trust", text(&anchor)]), ("local".to_owned(), 5));
    assert_eq!(of(&[]), ("unknown".to_owned(), 4));
    assert_eq!(of(&["--no-bundled-trust"]), ("unknown".to_owned(), 0));
}

#[test]
fn a_closed_pipe_ends_the_scan_quietly() {
    let mut child = command()
        .args(PROVENANCE)
        .args([
            "jsonl",
            "fixtures/media",
            "fixtures/media",
            "fixtures/media",
        ])
        .args(["fixtures/media"; 40])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 1];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    drop(child.stdout.take());
    let started = Instant::now();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(
        matches!(output.status.code(), Some(0 | 1 | 3)),
        "{:?}",
        output.status
    );
    assert_eq!(err, "");
}

#[test]
fn the_table_shows_names_without_their_escape_sequences() {
    let folder = folder();
    let name = "a\u{1b}]0;owned\u{7}\u{202e}gpj.png";
    fs::copy(fixture("unsigned.jpg"), folder.path().join(name)).unwrap();
    let table = run(PROVENANCE.iter().chain(&["table", text(folder.path())]));
    assert!(table.out.contains("owned"), "{table:?}");
    for letter in ['\u{1b}', '\u{7}', '\u{202e}'] {
        assert!(!table.out.contains(letter), "{table:?}");
    }
    let exact = run(PROVENANCE.iter().chain(&["jsonl", text(folder.path())]));
    assert!(
        exact.reports()[0]["media"]["name"]
            .as_str()
            .unwrap()
            .ends_with(name)
    );
    assert!(
        !exact.out.contains('\u{1b}'),
        "JSON escapes control characters"
    );
}

#[test]
fn csv_has_one_row_per_file_in_the_order_of_the_walk() {
    let run = run(PROVENANCE
        .iter()
        .chain(&["csv", "--jobs", "4", "fixtures/media"]));
    let names: Vec<&str> = run
        .out
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(names[0], "name");
    assert_eq!(names.len(), 1 + fixtures::CASES.len());
    assert!(names[1..].is_sorted(), "{names:?}");
}

#[test]
fn an_output_file_appears_whole_and_replaces_the_old_one() {
    let folder = folder();
    let output = folder.path().join("reports.jsonl");
    fs::write(&output, "old").unwrap();
    let args = ["jsonl", "--output", text(&output), "fixtures/media"];
    let run = run(PROVENANCE.iter().chain(&args));
    assert_eq!(run.out, "");
    let written = fs::read_to_string(&output).unwrap();
    assert_eq!(written.lines().count(), fixtures::CASES.len());
    let schema = schema();
    for line in written.lines() {
        assert_valid(&schema, &serde_json::from_str(line).unwrap());
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no leftovers"
    );
}

#[test]
fn a_journal_skips_what_is_finished_and_survives_a_torn_line() {
    let folder = folder();
    let (input, journal) = (folder.path().join("in"), folder.path().join("journal"));
    let output = folder.path().join("reports.jsonl");
    fs::create_dir(&input).unwrap();
    for name in ["unsigned.jpg", "altered_after_signing.jpg"] {
        fs::copy(fixture(name), input.join(name)).unwrap();
    }
    let scan = || {
        let args = [
            "jsonl",
            "--resume",
            text(&journal),
            "--output",
            text(&output),
            text(&input),
        ];
        run(PROVENANCE.iter().chain(&args))
    };
    assert_eq!(scan().code, Some(1));
    let lines = |path| fs::read_to_string(path).unwrap().lines().count();
    assert_eq!((lines(&journal), lines(&output)), (2, 2));

    // A second run examines nothing and still knows that one file is altered.
    assert_eq!(scan().code, Some(1));
    assert_eq!((lines(&journal), lines(&output)), (2, 2));

    // A crash tore the last line of both; a new file and a changed one came.
    for path in [&journal, &output] {
        let whole = fs::read_to_string(path).unwrap();
        fs::write(path, &whole[..whole.len() - 9]).unwrap();
    }
    fs::copy(fixture("signed_trusted.png"), input.join("new.png")).unwrap();
    assert_eq!(scan().code, Some(1));
    assert_eq!((lines(&journal), lines(&output)), (3, 3));
    for line in fs::read_to_string(&output).unwrap().lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }

    // Other bytes under a finished name are a new file.
    fs::copy(
        fixture("ai_declared_active.jpg"),
        input.join("unsigned.jpg"),
    )
    .unwrap();
    scan();
    assert_eq!((lines(&journal), lines(&output)), (4, 4));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::path::Path::new("/dev/full");
    if !full.exists() {
        eprintln!("SKIPPED a_full_disk_is_told: there is no /dev/full");
        return;
    }
    let stdout = fs::OpenOptions::new().write(true).open(full).unwrap();
    let mut command = command();
    command
        .args(PROVENANCE)
        .args(["jsonl", "fixtures/media"])
        .stdout(stdout);
    let run = finish(command.stderr(Stdio::piped()));
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.err.contains("cannot be written"), "{run:?}");
}

#[test]
fn the_table_names_the_worst_thing_about_a_credential() {
    let anchor = test_root();
    let args = ["table", "--trust", text(&anchor), "fixtures/media"];
    let table = run(PROVENANCE.iter().chain(&args)).out;
    for (file, words) in [
        ("signed_trusted.jpg", "local anchor"),
        ("signed_unknown_ca.jpg", "unknown signer"),
        ("altered_after_signing.jpg", "altered"),
        ("expired.jpg", "expired"),
        ("broken_ingredient.jpg", "broken history"),
        ("unsigned.jpg", "none"),
    ] {
        let row = table.lines().find(|row| row.ends_with(&format!("/{file}")));
        let row = row.unwrap_or_else(|| panic!("no {file} in {table}"));
        assert_eq!(row[31..45].trim_end(), words, "{row}");
    }
}
