//! How far reading provenance reaches: to the sidecar beside a file, to the lists of a folder, and to no
//! socket at all.

use std::{fs, process::Command};

use crate::support::{AT, command, fixture, folder, root, run, test_root, text};

#[test]
fn a_sidecar_beside_a_picture_is_read() {
    let place = folder();
    let picture = place.path().join("photo.jpg");
    fs::copy(fixture("unsigned.jpg"), &picture).unwrap();
    let chain = place.path().join("keys");
    let made = run(["keys", "new", "--out", text(&chain)]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let (key, certificates) = (chain.join("signer-key.pem"), chain.join("signer-chain.pem"));
    let keys = ["--key", text(&key), "--chain", text(&certificates)];
    let signed = run(["sign", "--sidecar", "--profile", "photo", text(&picture)]
        .iter()
        .chain(&keys));
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let found = run(["scan", "--only", "provenance", text(&picture)]).reports();
    assert_eq!(found[0]["provenance"]["manifest"], "sidecar");
    assert_eq!(found[0]["provenance"]["content"], "intact");
    let json = run(["verify", "--json", text(&picture)]).reports();
    assert_eq!(json[0]["manifest"], "sidecar");
}

#[test]
fn a_folder_of_lists_replaces_the_built_in_ones_and_denies() {
    let place = folder();
    fs::copy(test_root(), place.path().join("c2pa-trust-list.pem")).unwrap();
    let file = fixture("signed_trusted.jpg");
    let signer = || {
        let run = run([
            "verify",
            "--json",
            "--at",
            AT,
            "--trust",
            text(place.path()),
            text(&file),
        ]);
        run.reports()[0]["signer"]["status"].clone()
    };
    assert_eq!(signer(), "c2pa_list");
    let chain = fs::read(root().join("fixtures/keys/test-signer-chain.pem")).unwrap();
    let digest = media::Digest::of(pem::parse(chain).unwrap().contents());
    fs::write(place.path().join("deny.txt"), digest.to_string()).unwrap();
    assert_eq!(signer(), "revoked");
    fs::write(place.path().join("deny.txt"), "not a digest").unwrap();
    let refused = run(["verify", "--trust", text(place.path()), text(&file)]);
    refused.assert_refused(2, "deny.txt");
}

#[test]
fn no_socket_is_opened() {
    if Command::new("strace").arg("--version").output().is_err() {
        eprintln!("SKIPPED: strace is not here");
        return;
    }
    let log = folder();
    let log = log.path().join("calls");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=network", "-o", text(&log)]);
    strace.arg(command().get_program());
    strace.args([
        "scan",
        "--only",
        "provenance",
        "--format",
        "jsonl",
        "fixtures/media",
    ]);
    let corpus = root().join("../shared/corpus/c2pa/files");
    if corpus.is_dir() {
        strace.arg(&corpus);
    } else {
        eprintln!("SKIPPED in part: ../shared/corpus is not here");
    }
    let output = strace.current_dir(root()).output().unwrap();
    assert!(!output.stdout.is_empty(), "{output:?}");
    let calls = fs::read_to_string(&log).unwrap();
    assert!(!calls.contains("socket("), "{calls}");
    assert!(!calls.contains("connect("), "{calls}");
}
