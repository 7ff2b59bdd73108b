//! The program itself signs every format, and the plain c2pa reader trusts what it wrote. `tests/sign_formats.rs` asks the
//! program the same of its own reader; this is the one place where both can be asked.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use media::{Limits, Media};
use provenance::Timestamp;

use crate::{signing_files, signing_formats::Readers};

#[test]
fn the_plain_reader_trusts_what_the_program_writes() {
    let Some(program) = program() else {
        println!(
            "SKIPPED: the_plain_reader_trusts: the program is not built; test with --workspace"
        );
        return;
    };
    let folder = Folder::new();
    let run = |args: &[&str]| {
        let run = Command::new(&program)
            .args(args)
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(run.status.success(), "{args:?}: {run:?}");
    };
    for who in ["creator", "publisher"] {
        run(&["keys", "new", "--organisation", who, "--out", who]);
    }
    fs::create_dir(folder.0.join("media")).unwrap();
    for (name, bytes) in signing_files::all() {
        fs::write(folder.0.join("media").join(name), bytes).unwrap();
    }
    let sign = |who: &str, profile: &str, from: &str, to: &str| {
        let (key, chain) = (
            format!("{who}/signer-key.pem"),
            format!("{who}/signer-chain.pem"),
        );
        let by = ["sign", "--key", &key, "--chain", &chain];
        run(&[&by[..], &["--profile", profile, "--out", to, from]].concat());
    };
    sign("creator", "photo", "media", "made");
    sign("publisher", "publish", "made", "published");

    let root = |who: &str| fs::read_to_string(folder.0.join(who).join("ca-cert.pem")).unwrap();
    let readers = Readers::trusting([&root("creator"), &root("publisher")]);
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    for (name, _) in signing_files::all() {
        for (place, manifests) in [("made", 1), ("published", 2)] {
            let path = folder.0.join(place).join(name);
            let written = Media::open(&path, &Limits::default()).unwrap();
            readers.check(&written, manifests, Timestamp(seconds as i64));
        }
    }
}

/// The program as it was last built: Cargo puts it one folder above its tests.
fn program() -> Option<PathBuf> {
    let tests = env::current_exe().unwrap();
    let name = format!("bonafide{}", env::consts::EXE_SUFFIX);
    let path = tests.parent()?.parent()?.join(name);
    path.is_file().then_some(path)
}

/// A folder that vanishes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = env::temp_dir().join(format!("bonafide-formats-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(Path::new(&self.0));
    }
}
