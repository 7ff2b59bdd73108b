//! What a hostile file can do to whoever reads its provenance: cost time, cost memory, write to the
//! terminal.

use std::{
    fs::{self, File},
    path::Path,
    time::Duration,
};

use serde_json::Value;

use crate::support::{command, fixture, folder, root, run, text};

/// Longest that one file may take, in milliseconds. One thread reads, so its CPU time is less.
const MAX_MS: f64 = 2_000.0;
/// Most memory that may be in use while files of up to 20 MB are read one after another, in KiB.
const MAX_RESIDENT_KIB: u64 = 256 << 10;

#[test]
fn no_file_costs_more_than_its_share() {
    let mut folders = vec![root().join("fixtures/media")];
    let corpus = root().join("../shared/corpus");
    if corpus.is_dir() {
        folders.push(corpus);
    } else {
        eprintln!("SKIPPED in part: ../shared/corpus is not here");
    }
    let place = folder();
    let out = place.path().join("reports.jsonl");
    let mut scan = command();
    scan.args([
        "scan",
        "--only",
        "provenance",
        "--format",
        "jsonl",
        "--jobs",
        "1",
    ]);
    scan.args(&folders).stdout(File::create(&out).unwrap());
    let mut child = scan.spawn().unwrap();
    let mut peak = None;
    while child.try_wait().unwrap().is_none() {
        peak = peak_resident(child.id()).max(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    let reports = fs::read_to_string(&out).unwrap();
    assert!(reports.lines().count() >= 10, "{reports}");
    for line in reports.lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        let took = report["timing_ms"]["provenance"].as_f64().unwrap_or(0.0);
        assert!(took < MAX_MS, "{} took {took} ms", report["media"]["name"]);
    }
    match peak {
        None => eprintln!("SKIPPED in part: this system does not tell how much memory was in use"),
        Some(peak) => assert!(peak < MAX_RESIDENT_KIB, "{peak} KiB in use"),
    }
}

/// The most memory that a process had in use so far, in KiB.
fn peak_resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// What no terminal may get out of a file. `Zq` shows that the text got there at all.
const ATTACKS: [&str; 9] = [
    "Zq\u{1b}[2J\u{1b}[H",
    "Zq\u{1b}]0;a\u{7}",
    "Zq\u{1b}]8;;x\u{1b}\\",
    "Zq\u{9b}2J\u{90}x\u{9c}",
    "Zq\r\u{8}\u{8}\u{c}",
    "Zq\u{202e}lla\u{2066}",
    "Zq\u{200b}\u{feff}\u{200d}",
    "Zq\u{e0041}\u{e007f}",
    "Zq\0\u{1}\u{7f}\u{85}",
];

/// Texts of the signed fixture that `verify` shows: a title, a tool, a signer, an action, a kind of source.
const TEXTS: [&str; 5] = [
    "Hills and painted balls",
    "bonafide test fixtures",
    "bonafide test signer",
    "c2pa.created",
    "digitalCapture",
];

#[test]
fn texts_of_manifests_do_nothing_to_a_terminal() {
    let original = fs::read(fixture("signed_trusted.jpg")).unwrap();
    let place = folder();
    let path = place.path().join("hostile.jpg");
    let mut shown = 0;
    for attack in ATTACKS {
        let mut bytes = original.clone();
        let replaced = TEXTS
            .iter()
            .filter(|words| replace(&mut bytes, words, attack))
            .count();
        assert_eq!(
            replaced,
            TEXTS.len(),
            "{attack:?}: a text is not in the fixture"
        );
        fs::write(&path, bytes).unwrap();
        let found = harmless(&path);
        shown += usize::from(found.matches("Zq").count() >= 3);
    }
    assert_eq!(shown, ATTACKS.len(), "some texts were not shown at all");
}

#[test]
fn texts_of_labels_do_nothing_to_a_terminal() {
    let place = folder();
    let path = place.path().join("hostile.png");
    let original = fs::read(fixture("stable_diffusion_text.png")).unwrap();
    let words = "Steps: ";
    for attack in ATTACKS {
        let mut bytes = original.clone();
        // Behind the first text chunk's words, which stay; checksums are not looked at.
        let at = find(&bytes, words).expect("the fixture has settings of a generator");
        bytes[at - attack.len()..at].copy_from_slice(attack.as_bytes());
        fs::write(&path, bytes).unwrap();
        assert!(harmless(&path).contains("Label"), "{attack:?}");
    }
}

/// What `verify` prints of a file, after a look at every letter of it.
fn harmless(path: &Path) -> String {
    let run = run(["verify", text(path)]);
    for letter in run.out.chars().filter(|letter| *letter != '\n') {
        assert!(provenance::is_shown(letter), "{letter:?} in {:?}", run.out);
        assert!(!letter.is_control(), "{letter:?} in {:?}", run.out);
    }
    let longest = run.out.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(2_000), "{:?}", run.out);
    run.out
}

/// Puts `attack`, filled up with `x`, in the place of every `words`.
fn replace(bytes: &mut [u8], words: &str, attack: &str) -> bool {
    let mut new = attack.as_bytes().to_vec();
    // Cut short or filled up, always whole letters.
    while new.len() > words.len() {
        let mut shorter = String::from_utf8(new).unwrap();
        shorter.pop();
        new = shorter.into_bytes();
    }
    new.resize(words.len(), b'x');
    let mut any = false;
    while let Some(at) = find(bytes, words) {
        bytes[at..at + words.len()].copy_from_slice(&new);
        any = true;
    }
    any
}

fn find(bytes: &[u8], words: &str) -> Option<usize> {
    bytes
        .windows(words.len())
        .position(|window| window == words.as_bytes())
}
