//! What verify says in words, and that its JSON is the report's `provenance` object.

use crate::support::{AT, fixture, folder, run, test_root, text};

fn verify(name: &str, extra: &[&str]) -> crate::support::Run {
    let (anchor, file) = (test_root(), fixture(name));
    let common = ["verify", "--at", AT, "--trust", text(&anchor), text(&file)];
    run(common.iter().chain(extra))
}

#[test]
fn json_is_the_provenance_object_of_the_report() {
    let (anchor, file) = (test_root(), fixture("ai_declared_in_ingredient.jpg"));
    let scan = run([
        "scan",
        "--only",
        "provenance",
        "--at",
        AT,
        "--trust",
        text(&anchor),
        text(&file),
    ]);
    let json = verify("ai_declared_in_ingredient.jpg", &["--json"]).reports();
    assert_eq!(json, [scan.reports()[0]["provenance"].clone()]);
}

#[test]
fn words_name_the_signer_and_every_axis() {
    let run = verify("signed_trusted.jpg", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    for words in [
        "Credential  It is inside the file.",
        "Content     Every protected byte is as it was signed.",
        "Signature   It fits the credential.",
        "vouched for by an anchor that you gave.",
        "AI          The file says that a camera took it.",
    ] {
        assert!(run.out.contains(words), "no {words:?} in {}", run.out);
    }
}

#[test]
fn an_altered_file_is_called_so_and_is_exit_code_1() {
    let run = verify("altered_after_signing.jpg", &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.out.contains("It was changed after it was signed."),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("assertion.dataHash.mismatch"),
        "{}",
        run.out
    );
}

#[test]
fn the_tree_shows_each_ancestor_and_what_is_wrong_with_it() {
    let run = verify("ai_declared_in_ingredient.jpg", &[]);
    let tree = run.out.split("\n\n").last().unwrap();
    assert!(tree.contains("─ made from \""), "{tree}");
    assert!(tree.contains("(trainedAlgorithmicMedia)"), "{tree}");
    let run = verify("broken_ingredient.jpg", &[]);
    let tree = run.out.split("\n\n").last().unwrap();
    assert!(tree.contains("WRONG assertion.dataHash.mismatch"), "{tree}");
}

#[test]
fn an_unsigned_file_is_not_suspected_for_it() {
    let run = verify("unsigned.jpg", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("counts for nothing"), "{}", run.out);
    assert!(!run.out.contains("Signer"), "{}", run.out);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let folder = folder();
    let path = folder.path().join("a\u{1b}[2Jb\u{202e}.png");
    std::fs::copy(fixture("stable_diffusion_text.png"), &path).unwrap();
    let run = run(["verify", text(&path)]);
    assert!(run.out.contains("Label"), "{}", run.out);
    assert!(!run.out.contains(['\u{1b}', '\u{202e}']), "{:?}", run.out);
}

#[test]
fn a_file_that_is_not_there_is_exit_code_3() {
    run(["verify", "nowhere.jpg"]).assert_refused(3, "nowhere.jpg: the file cannot be read");
    run(["verify", "fixtures"]).assert_refused(3, "not a regular file");
}
