//! Real C2PA files with expected outcomes, when `../shared` is there.

use std::{collections::HashMap, fs, path::PathBuf};

use media::{Limits, Media};
use provenance::{
    Judge, ManifestState, Origin, Provenance, Timestamp, TrustStore, ValidationState,
};

/// Rows of a tab-separated table, by column name.
pub(crate) fn table(path: &str) -> Option<Vec<HashMap<String, String>>> {
    let root = corpus()?;
    let text = fs::read_to_string(root.join(path)).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    Some(
        lines
            .map(|line| {
                let cells = line.split('\t').map(str::to_owned);
                names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .zip(cells)
                    .collect()
            })
            .collect(),
    )
}

pub(crate) fn corpus() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/c2pa");
    if root.is_dir() {
        return Some(root);
    }
    println!("SKIPPED: ../shared/corpus/c2pa is not here");
    None
}

pub(crate) fn open(path: &str) -> Media {
    let limits = Limits::default();
    Media::open(&corpus().unwrap().join(path), &limits).unwrap()
}

pub(crate) fn judge() -> Judge {
    Judge::new(TrustStore::bundled().unwrap()).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn state(provenance: &Provenance) -> &'static str {
    match provenance.validation_state {
        Some(ValidationState::Trusted) => "Trusted",
        Some(ValidationState::Valid) => "Valid",
        Some(ValidationState::Invalid) => "Invalid",
        None => "none",
    }
}

fn manifest(provenance: &Provenance) -> &'static str {
    match provenance.manifest {
        ManifestState::None => "none",
        ManifestState::Embedded => "embedded",
        ManifestState::Sidecar => "sidecar",
        ManifestState::RemoteNotFetched { .. } => "remote_not_fetched",
        ManifestState::Malformed { .. } => "malformed",
        ManifestState::Unsupported => "unsupported",
        ManifestState::NotChecked => "not_checked",
    }
}

#[test]
fn expected_states_hold() {
    let Some(rows) = table("cases.tsv") else {
        return;
    };
    let judge = judge();
    let now = at("2026-11-23T12:00:00Z");
    let (mut gated, mut missed) = (0, Vec::new());
    for row in &rows {
        let found = judge.judge(&open(&row["file"]), None, now);
        let expected = (
            row["expected_manifest"].as_str(),
            row["expected_state"].as_str(),
        );
        let got = (manifest(&found), state(&found));
        let gate = row["gate"] == "yes";
        gated += u32::from(gate);
        if expected != got {
            println!(
                "gate={} {} expected {expected:?} got {got:?} {:?}",
                row["gate"], row["file"], found.manifest
            );
            if gate {
                missed.push(row["file"].clone());
            }
        }
        assert!(
            expected.1 != "Invalid" || got.1 != "Trusted" || !gate,
            "{} must not be trusted",
            row["file"]
        );
    }
    println!("{gated} gated rows, {} missed", missed.len());
    assert!(missed.is_empty(), "{missed:?}");
}

/// The bundled lists and the public test roots, so that as many mutated files as possible could pass.
fn credulous() -> Judge {
    let mut store = TrustStore::bundled().unwrap();
    for name in ["test-roots.pem", "test-cards-anchors.pem"] {
        let pem = fs::read(corpus().unwrap().join("../../trust").join(name)).unwrap();
        store.add_anchors_pem(name, &pem).unwrap();
    }
    Judge::new(store).unwrap()
}

#[test]
fn no_altered_file_is_trusted_without_a_note() {
    let Some(rows) = table("mutated/mutated.tsv") else {
        return;
    };
    let judge = credulous();
    let now = at("2026-11-23T12:00:00Z");
    for row in &rows {
        let media = open(&format!("mutated/{}", row["file"]));
        let found = judge.judge(&media, None, now);
        let noted = !found.uncovered.is_empty();
        println!(
            "{} {} {} {:?} {:?} {:?}",
            row["file"],
            row["expected"],
            state(&found),
            found.content,
            found.uncovered,
            found.time
        );
        match row["expected"].as_str() {
            "never Valid or Trusted" | "Invalid or malformed" => {
                assert!(
                    matches!(state(&found), "Invalid" | "none"),
                    "{}",
                    row["file"]
                );
            }
            _ => assert!(state(&found) != "Trusted" || noted, "{}", row["file"]),
        }
        assert!(
            noted || !matches!(found.origin(), Origin::Claimed(Some(_))),
            "{}",
            row["file"]
        );
    }
}

/// Within two minutes of its clock the library's answers are taken; further off our own checks decide.
#[test]
fn our_own_checks_agree_with_the_librarys() {
    let Some(rows) = table("cases.tsv") else {
        return;
    };
    let judge = judge();
    let near = crate::signing::now();
    let far = Timestamp(near.0 + 3_600);
    for row in &rows {
        let media = open(&row["file"]);
        let (mut ours, theirs) = (
            judge.judge(&media, None, far),
            judge.judge(&media, None, near),
        );
        ours.checked_at = theirs.checked_at;
        assert_eq!(ours, theirs, "{}", row["file"]);
    }
}
