//! Keys are made safely, and signing one file never loses it nor leaves a bad one.

use std::fs;

use serde_json::Value;

use crate::support::{
    run, text,
    workshop::{Workshop, files},
};

#[test]
fn keys_are_the_four_files_of_the_contract_and_are_never_replaced() {
    let workshop = Workshop::new();
    let keys = workshop.path("keys");
    assert_eq!(
        files(&keys),
        [
            "ca-cert.pem",
            "ca-key.pem",
            "signer-chain.pem",
            "signer-key.pem"
        ]
    );
    let before = fs::read(keys.join("signer-key.pem")).unwrap();
    let again = run(["keys", "new", "--out", text(&keys)]);
    again.assert_refused(2, "exists already");
    assert_eq!(fs::read(keys.join("signer-key.pem")).unwrap(), before);

    // One file in the way is enough, and the other three are not made.
    let other = workshop.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("signer-chain.pem"), "mine").unwrap();
    run(["keys", "new", "--out", text(&other)]).assert_refused(2, "signer-chain.pem");
    assert_eq!(files(&other), ["signer-chain.pem"]);
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let workshop = Workshop::new();
    for (name, mode) in [
        ("ca-key.pem", 0o600),
        ("signer-key.pem", 0o600),
        ("ca-cert.pem", 0o644),
    ] {
        let path = workshop.path("keys").join(name);
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let key = workshop.path("keys/signer-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    workshop
        .sign(&["--profile", "photo", "--out", "out", "a.jpg"])
        .assert_refused(2, "read by others");
    assert!(!workshop.path("out").exists());
}

#[test]
fn a_signed_file_is_trusted_under_its_own_anchor_and_nowhere_else() {
    let workshop = Workshop::new();
    let (source, out) = (workshop.path("a.jpg"), workshop.path("out"));
    let before = fs::read(&source).unwrap();
    let said = ["--title", "A test", "--author", "Nobody", "--no-train"];
    let args = ["--profile", "photo", "--out", "out", "a.jpg"];
    let run = workshop.sign(&[&args[..], &said].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.reports().len(), 1, "one report line");
    assert_eq!(run.err, "", "and nothing to say about a single file");
    assert_eq!(
        fs::read(&source).unwrap(),
        before,
        "the original is as it was"
    );
    assert_eq!(files(&out), ["a.jpg"], "and nothing else is left");

    let found = workshop.verify(&out.join("a.jpg"), &[]);
    assert_eq!(found["content"], "intact");
    assert_eq!(found["signature"], "ok");
    assert_eq!(found["signer"]["status"], "local");
    assert_eq!(found["signer"]["organisation"], "Test Press");
    assert_eq!(found["manifests"][0]["title"], "A test");
    let elsewhere = run_json(&["verify", "--json", text(&out.join("a.jpg"))]);
    assert_eq!(elsewhere["signer"]["status"], "unknown");
}

fn run_json(args: &[&str]) -> Value {
    serde_json::from_str(&run(args).out).unwrap()
}

#[test]
fn an_existing_output_stays_unless_forced() {
    let workshop = Workshop::new();
    let out = workshop.path("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.jpg"), "mine").unwrap();
    let args = ["--profile", "ai", "--out", "out", "a.jpg"];
    workshop.sign(&args).assert_refused(2, "exists already");
    assert_eq!(fs::read(out.join("a.jpg")).unwrap(), b"mine");
    let forced = workshop.sign(&[&args[..], &["--force"]].concat());
    assert_eq!(forced.code, Some(0), "{forced:?}");
    let found = workshop.verify(&out.join("a.jpg"), &[]);
    assert_eq!(found["ai"]["status"], "declared_full");

    // Its own folder is no place for the output: that would replace the original.
    workshop
        .sign(&["--profile", "ai", "--force", "--out", ".", "a.jpg"])
        .assert_refused(2, "--in-place");
}

#[test]
fn in_place_replaces_the_file_by_its_verified_successor() {
    let workshop = Workshop::new();
    let file = workshop.path("a.jpg");
    assert_eq!(workshop.verify(&file, &[])["manifest"], "none");
    let dry = workshop.sign(&["--profile", "edit", "--in-place", "--dry-run", "a.jpg"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert_eq!(dry.reports()[0]["provenance"]["content"], "intact");
    assert_eq!(
        workshop.verify(&file, &[])["manifest"],
        "none",
        "a dry run writes nothing"
    );
    let run = workshop.sign(&["--profile", "edit", "--in-place", "a.jpg"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let signed = workshop.verify(&file, &[]);
    assert_eq!(
        (&signed["content"], &signed["signature"]),
        (&"intact".into(), &"ok".into())
    );
    assert_eq!(files(file.parent().unwrap()), ["a.jpg", "keys"]);
}

#[test]
fn a_sidecar_leaves_the_file_as_it_is() {
    let workshop = Workshop::new();
    let file = workshop.path("a.jpg");
    let before = fs::read(&file).unwrap();
    let run = workshop.sign(&["--profile", "photo", "--sidecar", "a.jpg"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
    let moved = workshop.path("elsewhere.c2pa");
    fs::rename(workshop.path("a.c2pa"), &moved).unwrap();
    assert_eq!(workshop.verify(&file, &[])["manifest"], "none");
    let with = workshop.verify(&file, &["--sidecar", text(&moved)]);
    assert_eq!(
        (&with["manifest"], &with["content"]),
        (&"sidecar".into(), &"intact".into())
    );
}

#[test]
fn damaged_keys_and_wrong_chains_are_named_and_nothing_is_written() {
    let workshop = Workshop::new();
    let key = workshop.path("keys/signer-key.pem");
    let good = fs::read_to_string(&key).unwrap();
    let args = ["--profile", "photo", "--out", "out", "a.jpg"];

    // Rewriting in place keeps the mode 0600.
    fs::write(&key, good.replace("PRIVATE KEY", "PRIVATE KLY")).unwrap();
    workshop
        .sign(&args)
        .assert_refused(2, "signing key is damaged");
    fs::write(&key, "").unwrap();
    workshop
        .sign(&args)
        .assert_refused(2, "signing key is damaged");
    fs::write(
        &key,
        fs::read_to_string(workshop.path("keys/ca-key.pem")).unwrap(),
    )
    .unwrap();
    workshop
        .sign(&args)
        .assert_refused(2, "belongs to another key");
    fs::remove_file(&key).unwrap();
    workshop
        .sign(&args)
        .assert_refused(2, "signer-key.pem cannot be read");
    assert!(!workshop.path("out").exists());

    fs::write(&key, good).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(workshop.sign(&args).code, Some(0));
}
