//! Every format that can be signed, by the command and in one run: a creator's folder, then a publisher's over it. Each
//! result is read back intact and trusted, by our judge and by the library under it, with both in the history.
//! `provenance/tests/signing_program.rs` has the plain c2pa reader look at the same.

use std::{collections::BTreeMap, fs};

use media::Kind;
use serde_json::Value;

use crate::{
    signing_files,
    support::{
        run, short_name, text,
        workshop::{Workshop, holds},
    },
};

/// The provenance of every file of a folder by its name, for whoever trusts the creator and the publisher.
fn read(workshop: &Workshop, folder: &str) -> BTreeMap<String, Value> {
    let anchors = ["keys", "publisher"].map(|who| workshop.path(who).join("ca-cert.pem"));
    let [creator, publisher] = anchors.each_ref().map(|path| text(path));
    let folder = workshop.path(folder);
    let scan = ["scan", "--format", "jsonl", "--only", "provenance"];
    let trust = [
        "--fail-on",
        "none",
        "--trust",
        creator,
        "--trust",
        publisher,
    ];
    let run = run([&scan[..], &trust, &[text(&folder)]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let reports = run.reports().into_iter();
    reports
        .map(|report| (short_name(&report), report))
        .collect()
}

#[track_caller]
fn check(report: &Value, name: &str, organisation: &str, history: Value) {
    let found = &report["provenance"];
    let (_, extension) = name.rsplit_once('.').unwrap();
    let kind = Kind::from_extension(extension).unwrap();
    assert_eq!(report["media"]["kind"], kind.mime(), "{name}");
    assert_eq!(found["manifest"], "embedded", "{name}");
    assert!(holds(found), "{name}: {found}");
    assert_eq!(found["signer"]["status"], "local", "{name}");
    assert_eq!(found["signer"]["organisation"], organisation, "{name}");
    assert_eq!(found["validation_state"], "Trusted", "{name}: {found}");
    assert_eq!(found["history"]["status"], history, "{name}: {found}");
}

#[test]
fn every_format_is_signed_by_a_creator_and_then_by_a_publisher() {
    let workshop = Workshop::new();
    let publisher = workshop.path("publisher");
    let made = run([
        "keys",
        "new",
        "--organisation",
        "A publisher",
        "--out",
        text(&publisher),
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    fs::create_dir(workshop.path("media")).unwrap();
    let files = signing_files::all();
    for (name, bytes) in &files {
        fs::write(workshop.path("media").join(name), bytes).unwrap();
    }

    let run = workshop.sign(&["--profile", "photo", "--out", "made", "media"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = read(&workshop, "made");
    assert_eq!(found.len(), files.len());
    for (name, _) in &files {
        check(&found[*name], name, "Test Press", "none".into());
    }

    let by = [
        "--key",
        "publisher/signer-key.pem",
        "--chain",
        "publisher/signer-chain.pem",
    ];
    let publish = ["--profile", "publish", "--out", "published", "made"];
    let run = crate::support::finish(&mut workshop.command_by(&by, &publish));
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = read(&workshop, "published");
    assert_eq!(found.len(), files.len());
    for (name, _) in &files {
        check(&found[*name], name, "A publisher", "ok".into());
        let history = &found[*name]["provenance"]["history"];
        assert_eq!(history["manifests"], 2, "{name}");
    }
}
