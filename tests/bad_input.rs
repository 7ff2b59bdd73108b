//! Bad input and bad set-ups: one clear sentence, the exit code of the contract, never a panic.

use std::{fs, path::Path};

use crate::support::{
    Run, assert_valid, command, finish, fixture, folder, root, run, schema, text,
};

/// A copy of the installed models, to be damaged.
fn models() -> tempfile::TempDir {
    let folder = folder();
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

fn model_file(folder: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.extension().is_some_and(|end| end == "onnx"))
        .unwrap()
}

fn scan_with(models: &Path) -> Run {
    let file = fixture("unsigned.jpg");
    run(["scan", "--models", text(models), text(&file)])
}

#[test]
fn an_empty_file_is_one_line_with_an_error() {
    let empty = fixture("empty.jpg");
    let run = run(["scan", text(&empty)]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let report = &run.reports()[0];
    assert_valid(&schema(), report);
    assert_eq!(report["verdict"]["code"], "not_analysed");
    assert!(
        report["error"]["message"]
            .as_str()
            .unwrap()
            .contains("empty")
    );
}

#[test]
fn sound_models_are_accepted() {
    let models = models();
    let run = scan_with(models.path());
    assert!(matches!(run.code, Some(0 | 1)), "{run:?}");
    assert!(run.reports()[0]["detection"]["probability"].is_number());
}

#[test]
fn a_missing_model_file_stops_the_scan() {
    let models = models();
    fs::remove_file(model_file(models.path())).unwrap();
    scan_with(models.path()).assert_refused(2, "cannot be read");
}

#[test]
fn a_damaged_model_stops_the_scan() {
    let models = models();
    let file = model_file(models.path());
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    scan_with(models.path()).assert_refused(2, "SHA-256");
    let check = run(["models", "check", "--models", text(models.path())]);
    assert_eq!(check.code, Some(2), "{check:?}");
    assert!(check.out.starts_with("damaged"), "{check:?}");
}

#[test]
fn a_named_models_folder_that_is_not_there_stops_the_scan() {
    scan_with(Path::new("no/such/folder")).assert_refused(2, "no/such/folder");
    let empty = folder();
    scan_with(empty.path()).assert_refused(2, "no model is installed");
}

/// Started where neither models nor ONNX Runtime are found by default.
fn bare(args: &[&str]) -> Run {
    let elsewhere = folder();
    finish(
        command()
            .current_dir(elsewhere.path())
            .env_remove("ORT_DYLIB_PATH")
            .args(args),
    )
}

#[test]
fn without_onnx_runtime_the_file_is_still_read_and_one_line_says_so() {
    let (file, models) = (fixture("ai_declared_active.jpg"), root().join("models"));
    let twice = ["scan", "--models", text(&models), text(&file), text(&file)];
    let run = bare(&twice);
    assert_eq!(run.code, Some(0), "{run:?}");
    let reports = run.reports();
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[0]["verdict"]["code"], "declared_ai");
    assert_eq!(reports[0]["detection"]["status"], "not_run");
    assert_eq!(reports[0]["detection"]["reason"], "no_runtime");
    assert_eq!(
        run.err.matches("ONNX Runtime is missing").count(),
        1,
        "{run:?}"
    );
    assert_eq!(run.err.matches("warning: ").count(), 1, "{run:?}");
    assert_eq!(run.err.matches("hint: ").count(), 1, "{run:?}");
    assert!(run.err.contains("xtask setup"), "{run:?}");
}

#[test]
fn what_needs_onnx_runtime_does_not_start_without_it() {
    let (file, models) = (fixture("unsigned.jpg"), root().join("models"));
    for extra in [["--only", "detection"], ["--provider", "cuda"]] {
        let args = [
            "scan",
            "--models",
            text(&models),
            extra[0],
            extra[1],
            text(&file),
        ];
        bare(&args).assert_refused(2, "ONNX Runtime is missing");
    }
    let named = [
        "scan",
        "--models",
        text(&models),
        "--runtime",
        "no/library.so",
        text(&file),
    ];
    bare(&named).assert_refused(2, "no/library.so");
}

#[test]
fn a_provider_that_cannot_start_is_not_replaced_by_another() {
    let file = fixture("unsigned.jpg");
    let run = run(["scan", "--provider", "cuda", text(&file)]);
    if run.code == Some(0) || run.code == Some(1) {
        let provider = &run.reports()[0]["detection"]["models"][0]["provider"];
        assert_eq!(provider, "cuda:0", "there is a GPU, so it has to be used");
        return;
    }
    run.assert_refused(2, "cuda");
}

#[test]
fn doctor_says_what_is_missing() {
    let run = bare(&["doctor"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.out.contains("ONNX Runtime is missing"), "{run:?}");
    assert!(run.out.contains("trust list   c2pa, date 20"), "{run:?}");
    assert!(run.out.contains("sandbox      not built yet"), "{run:?}");
}

#[test]
fn doctor_says_that_all_is_well() {
    let run = run(["doctor"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("works, sha256"), "{run:?}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let file = fixture("unsigned.jpg");
    let with = |extra: &[&str]| run(["scan", text(&file)].iter().chain(extra));
    with(&["--format", "html"]).assert_refused(2, "html");
    with(&["--fail-on", "authentic"]).assert_refused(2, "authentic");
    with(&["--trust", "no-such.pem"]).assert_refused(2, "no-such.pem");
    with(&["--trust", text(&file)]).assert_refused(2, "trust list");
    with(&["--output", "no/such/folder/x"]).assert_refused(2, "no/such/folder/x");
    for extra in [
        ["--at", "yesterday"],
        ["--jobs", "0"],
        ["--format", "xml"],
        ["--only", "vibes"],
    ] {
        let run = with(&extra);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{run:?}");
        assert!(run.err.contains(extra[0]), "{run:?}");
    }
    for args in [
        &["scan"][..],
        &["admin"],
        &["models", "eval"],
        &["frobnicate"],
    ] {
        assert_eq!(run(args).code, Some(2), "{args:?}");
    }
}

#[test]
fn a_file_that_is_no_journal_and_no_report_is_left_as_it_is() {
    let folder = folder();
    let (file, journal) = (folder.path().join("a.jpg"), folder.path().join("journal"));
    let before = fs::read(fixture("unsigned.jpg")).unwrap();
    fs::write(&file, &before).unwrap();
    let scan = |extra: &[&str]| {
        let common = ["scan", "--only", "provenance", "fixtures/media/empty.jpg"];
        run(common.iter().chain(extra))
    };
    scan(&["--resume", text(&file)]).assert_refused(2, "no journal");
    let growing = ["--resume", text(&journal), "--output", text(&file)];
    scan(&growing).assert_refused(2, "left as it is");
    assert!(fs::read(&file).unwrap() == before);
}
