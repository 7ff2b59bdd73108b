//! Keys are made safely, and signing never loses a file nor leaves a bad one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::{Run, fixture, folder, run, text};

/// A folder with fresh keys in `keys/` and an unsigned picture.
fn workshop() -> tempfile::TempDir {
    let folder = folder();
    let keys = folder.path().join("keys");
    let made = run([
        "keys",
        "new",
        "--out",
        text(&keys),
        "--organisation",
        "Test Press",
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    fs::copy(fixture("unsigned.jpg"), folder.path().join("a.jpg")).unwrap();
    folder
}

fn sign(folder: &Path, args: &[&str]) -> Run {
    let key = folder.join("keys/signer-key.pem");
    let chain = folder.join("keys/signer-chain.pem");
    let file = folder.join("a.jpg");
    let common = [
        "sign",
        "--key",
        text(&key),
        "--chain",
        text(&chain),
        text(&file),
    ];
    run(common.iter().chain(args))
}

/// What our own judge says of a file, with the workshop's CA as an anchor.
fn verify(folder: &Path, file: &Path, extra: &[&str]) -> Value {
    let anchor = folder.join("keys/ca-cert.pem");
    let common = ["verify", "--json", "--trust", text(&anchor), text(file)];
    let run = run(common.iter().chain(extra));
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(&run.out).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn keys_are_the_four_files_of_the_contract_and_are_never_replaced() {
    let folder = workshop();
    let keys = folder.path().join("keys");
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
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("signer-chain.pem"), "mine").unwrap();
    run(["keys", "new", "--out", text(&other)]).assert_refused(2, "signer-chain.pem");
    assert_eq!(files(&other), ["signer-chain.pem"]);
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = workshop();
    for (name, mode) in [
        ("ca-key.pem", 0o600),
        ("signer-key.pem", 0o600),
        ("ca-cert.pem", 0o644),
    ] {
        let path = folder.path().join("keys").join(name);
        let found = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let key = folder.path().join("keys/signer-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let out = folder.path().join("out");
    sign(folder.path(), &["--profile", "photo", "--out", text(&out)])
        .assert_refused(2, "read by others");
    assert!(!out.exists());
}

#[test]
fn a_signed_file_is_trusted_under_its_own_anchor_and_nowhere_else() {
    let folder = workshop();
    let (source, out) = (folder.path().join("a.jpg"), folder.path().join("out"));
    let before = fs::read(&source).unwrap();
    let args = [
        "--profile",
        "photo",
        "--out",
        text(&out),
        "--title",
        "A test",
        "--author",
        "Nobody",
        "--no-train",
    ];
    let run = sign(folder.path(), &args);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.reports().len(), 1, "one report line");
    assert_eq!(
        fs::read(&source).unwrap(),
        before,
        "the original is as it was"
    );
    assert_eq!(files(&out), ["a.jpg"], "and nothing else is left");

    let found = verify(folder.path(), &out.join("a.jpg"), &[]);
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
    let folder = workshop();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("a.jpg"), "mine").unwrap();
    let args = ["--profile", "ai", "--out", text(&out)];
    sign(folder.path(), &args).assert_refused(2, "exists already");
    assert_eq!(fs::read(out.join("a.jpg")).unwrap(), b"mine");
    let forced = sign(folder.path(), &[&args[..], &["--force"]].concat());
    assert_eq!(forced.code, Some(0), "{forced:?}");
    let found = verify(folder.path(), &out.join("a.jpg"), &[]);
    assert_eq!(found["ai"]["status"], "declared_full");

    // Its own folder is no place for the output: that would replace the original.
    let own = ["--profile", "ai", "--force", "--out", text(folder.path())];
    sign(folder.path(), &own).assert_refused(2, "--in-place");
}

#[test]
fn in_place_replaces_the_file_by_its_verified_successor() {
    let folder = workshop();
    let file = folder.path().join("a.jpg");
    let unsigned = verify(folder.path(), &file, &[]);
    assert_eq!(unsigned["manifest"], "none");
    let dry = sign(
        folder.path(),
        &["--profile", "edit", "--in-place", "--dry-run"],
    );
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert_eq!(dry.reports()[0]["provenance"]["content"], "intact");
    assert_eq!(
        verify(folder.path(), &file, &[])["manifest"],
        "none",
        "a dry run writes nothing"
    );
    let run = sign(folder.path(), &["--profile", "edit", "--in-place"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let signed = verify(folder.path(), &file, &[]);
    assert_eq!(
        (&signed["content"], &signed["signature"]),
        (&"intact".into(), &"ok".into())
    );
    assert_eq!(files(folder.path()), ["a.jpg", "keys"]);
}

#[test]
fn a_sidecar_leaves_the_file_as_it_is() {
    let folder = workshop();
    let file = folder.path().join("a.jpg");
    let before = fs::read(&file).unwrap();
    let run = sign(folder.path(), &["--profile", "photo", "--sidecar"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
    let sidecar: PathBuf = folder.path().join("a.c2pa");
    let moved = folder.path().join("elsewhere.c2pa");
    fs::rename(&sidecar, &moved).unwrap();
    let alone = verify(folder.path(), &file, &[]);
    assert_eq!(alone["manifest"], "none");
    let with = verify(folder.path(), &file, &["--sidecar", text(&moved)]);
    assert_eq!(
        (&with["manifest"], &with["content"]),
        (&"sidecar".into(), &"intact".into())
    );
}

#[test]
fn damaged_keys_and_wrong_chains_are_named_and_nothing_is_written() {
    let folder = workshop();
    let out = folder.path().join("out");
    let key = folder.path().join("keys/signer-key.pem");
    let good = fs::read_to_string(&key).unwrap();
    let args = ["--profile", "photo", "--out", text(&out)];

    // Rewriting in place keeps the mode 0600.
    fs::write(&key, good.replace("PRIVATE KEY", "PRIVATE KLY")).unwrap();
    sign(folder.path(), &args).assert_refused(2, "signing key is damaged");
    fs::write(&key, "").unwrap();
    sign(folder.path(), &args).assert_refused(2, "signing key is damaged");
    fs::write(
        &key,
        fs::read_to_string(folder.path().join("keys/ca-key.pem")).unwrap(),
    )
    .unwrap();
    sign(folder.path(), &args).assert_refused(2, "belongs to another key");
    fs::remove_file(&key).unwrap();
    sign(folder.path(), &args).assert_refused(2, "signer-key.pem cannot be read");
    assert!(!out.exists());

    fs::write(&key, good).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(sign(folder.path(), &args).code, Some(0));
}

#[test]
fn what_cannot_be_signed_is_exit_code_3_and_folders_are_wrong_usage() {
    let folder = workshop();
    let out = folder.path().join("out");
    fs::write(folder.path().join("a.jpg"), "no picture").unwrap();
    let args = ["--profile", "photo", "--out", text(&out)];
    sign(folder.path(), &args).assert_refused(3, "cannot be signed");
    fs::remove_file(folder.path().join("a.jpg")).unwrap();
    sign(folder.path(), &args).assert_refused(3, "a.jpg: the file cannot be read");
    fs::create_dir(folder.path().join("a.jpg")).unwrap();
    sign(folder.path(), &args).assert_refused(2, "one file at a time");
    let nowhere = sign(folder.path(), &["--profile", "photo"]);
    assert_eq!(
        nowhere.code,
        Some(2),
        "a place has to be named: {nowhere:?}"
    );
}
