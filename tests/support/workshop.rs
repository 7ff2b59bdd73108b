//! A creator's folder: fresh keys, pictures to sign, and the commands that a creator gives.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use super::{Run, command, finish, fixture, folder, run, text};

/// A folder with keys in `keys/`. It vanishes with the test.
pub(crate) struct Workshop {
    folder: tempfile::TempDir,
}

impl Workshop {
    /// Fresh Ed25519 keys, and one unsigned picture, `a.jpg`.
    pub(crate) fn new() -> Self {
        Self::of("ed25519")
    }

    /// The same with keys of that algorithm.
    pub(crate) fn of(algorithm: &str) -> Self {
        let workshop = Self { folder: folder() };
        let keys = workshop.path("keys");
        let made = run([
            "keys",
            "new",
            "--organisation",
            "Test Press",
            "--algorithm",
            algorithm,
            "--out",
            text(&keys),
        ]);
        assert_eq!(made.code, Some(0), "{made:?}");
        workshop.picture("a.jpg");
        workshop
    }

    /// A place in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes an unsigned JPEG of that name, and the folders above it.
    pub(crate) fn picture(&self, name: &str) -> PathBuf {
        self.copy("unsigned.jpg", name)
    }

    /// Copies a fixture to that name, and makes the folders above it.
    pub(crate) fn copy(&self, fixture_name: &str, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(fixture(fixture_name), &path).unwrap();
        path
    }

    /// Makes `count` pictures that differ in every byte string a reader could confuse.
    pub(crate) fn pictures(&self, folder: &str, count: usize) -> BTreeMap<PathBuf, Vec<u8>> {
        let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
        fs::create_dir_all(self.path(folder)).unwrap();
        (0..count)
            .map(|number| {
                let path = self.path(&format!("{folder}/{number:04}.jpg"));
                let bytes = with_comment(&bytes, &format!("picture {number}"));
                fs::write(&path, &bytes).unwrap();
                (path, bytes)
            })
            .collect()
    }

    /// `bonafide sign` with this workshop's key, in its folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let chain = "keys/signer-chain.pem";
        self.command_by(&["--key", "keys/signer-key.pem", "--chain", chain], args)
    }

    /// `bonafide sign` by another signer.
    pub(crate) fn command_by(&self, signer: &[&str], args: &[&str]) -> Command {
        let mut command = command();
        command
            .current_dir(self.folder.path())
            .arg("sign")
            .args(signer)
            .args(args);
        command
    }

    /// Writes a program that a shell runs.
    #[cfg(unix)]
    pub(crate) fn script(&self, name: &str, body: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Runs it to its end.
    pub(crate) fn sign(&self, args: &[&str]) -> Run {
        finish(&mut self.command(args))
    }

    /// What our own judge says of a file, with the workshop's CA as an anchor.
    pub(crate) fn verify(&self, file: &Path, extra: &[&str]) -> Value {
        let anchor = self.path("keys/ca-cert.pem");
        let common = ["verify", "--json", "--trust", text(&anchor), text(file)];
        let run = run(common.iter().chain(extra));
        assert_eq!(run.code, Some(0), "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    }

    /// The provenance of every file of a folder by its path, with the workshop's CA as an anchor.
    pub(crate) fn verify_all(&self, folder: &str) -> BTreeMap<PathBuf, Value> {
        let (anchor, folder) = (self.path("keys/ca-cert.pem"), self.path(folder));
        let common = [
            "scan",
            "--format",
            "jsonl",
            "--only",
            "provenance",
            "--fail-on",
            "none",
        ];
        let run = run(common
            .iter()
            .chain(&["--trust", text(&anchor), text(&folder)]));
        run.reports()
            .into_iter()
            .map(|report| {
                let name = report["media"]["name"].as_str().unwrap();
                (PathBuf::from(name), report["provenance"].clone())
            })
            .collect()
    }
}

/// Whether every bound byte is as it was signed, and the signature holds.
pub(crate) fn holds(provenance: &Value) -> bool {
    provenance["content"] == "intact" && provenance["signature"] == "ok"
}

/// Names in a folder, in order.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The JPEG with a comment segment behind its start marker.
fn with_comment(jpeg: &[u8], comment: &str) -> Vec<u8> {
    let length = u16::try_from(comment.len() + 2).unwrap().to_be_bytes();
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, 0xfe]);
    bytes.extend(length);
    bytes.extend(comment.as_bytes());
    bytes.extend(&jpeg[2..]);
    bytes
}
