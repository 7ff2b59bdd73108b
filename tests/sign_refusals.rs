//! What cannot be signed, and where nothing can be written: one clear line each, the exit code of the
//! contract, and nothing lost.

use std::{fs, path::Path, process::Command};

use provenance::{
    Algorithm, Timestamp, Validity,
    keys::{ChainRequest, Secrets, development_chain},
};

use crate::support::{
    Run, finish, system, text,
    workshop::{Workshop, files, holds},
};

const PHOTO: [&str; 2] = ["--profile", "photo"];

fn sign(workshop: &Workshop, args: &[&str]) -> Run {
    workshop.sign(&[&PHOTO, args].concat())
}

/// Asserts exit code 3 with exactly one line and one report about `name`, with that code.
#[track_caller]
fn assert_one_refusal(run: &Run, name: &str, code: &str) {
    assert_eq!(run.code, Some(3), "{run:?}");
    let lines: Vec<&str> = run
        .err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 1, "{run:?}");
    assert!(lines[0].contains(name), "{run:?}");
    let report = &run.by_name()[Path::new(name).file_name().unwrap().to_str().unwrap()];
    assert_eq!(report["error"]["code"], code, "{run:?}");
    let message = report["error"]["message"].as_str().unwrap();
    assert!(lines[0].ends_with(message), "the same words: {run:?}");
}

#[test]
fn files_of_other_kinds_are_one_line_and_the_rest_go_on() {
    let workshop = Workshop::new();
    for (file, name) in [
        ("unsigned.jpg", "photos/good.jpg"),
        ("empty.jpg", "photos/empty.jpg"),
    ] {
        workshop.copy(file, name);
    }
    let run = sign(&workshop, &["--out", "out", "photos"]);
    assert_one_refusal(&run, "photos/empty.jpg", "unsupported_kind");
    assert_eq!(files(&workshop.path("out")), ["good.jpg"]);

    // Named, it is an error; in a folder, text is left out.
    fs::write(workshop.path("notes.txt"), "no picture").unwrap();
    let run = sign(&workshop, &["--out", "other", "notes.txt"]);
    assert_one_refusal(&run, "notes.txt", "unsupported_kind");
    fs::write(workshop.path("report.pdf"), "%PDF-1.7\n%%EOF\n").unwrap();
    let run = sign(&workshop, &["--out", "other", "report.pdf"]);
    assert_one_refusal(&run, "report.pdf", "unsupported_kind");
    let run = sign(&workshop, &["--out", "other", "missing.jpg"]);
    assert_one_refusal(&run, "missing.jpg", "unreadable");
    let run = sign(
        &workshop,
        &["--max-bytes", "100", "--out", "other", "a.jpg"],
    );
    assert_one_refusal(&run, "a.jpg", "limit_exceeded:bytes");
    assert!(files(&workshop.path("other")).is_empty());
}

#[test]
fn a_broken_history_is_refused_unless_it_is_accepted() {
    let workshop = Workshop::new();
    let file = workshop.copy("altered_after_signing.jpg", "altered.jpg");
    let before = fs::read(&file).unwrap();
    let args = ["--profile", "edit", "--in-place", "altered.jpg"];
    assert_one_refusal(&workshop.sign(&args), "altered.jpg", "broken_history");
    assert_eq!(fs::read(&file).unwrap(), before);
    let run = workshop.sign(&[&args[..], &["--accept-broken-history"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = workshop.verify(&file, &[]);
    assert!(holds(&found), "{found}");
    assert_eq!(found["history"]["status"], "defects", "readers see it");
}

#[test]
fn a_wrong_passphrase_is_refused_before_anything_is_written() {
    let workshop = Workshop::new();
    for (name, text) in [("right", "correct horse"), ("wrong", "battery staple")] {
        write_secret(&workshop.path(name), text);
    }
    let locked = text(&workshop.path("locked")).to_owned();
    let right = text(&workshop.path("right")).to_owned();
    let made = [
        "keys",
        "new",
        "--encrypt",
        "--passphrase-file",
        &right,
        "--out",
        &locked,
    ];
    let made = crate::support::run(made);
    assert_eq!(made.code, Some(0), "{made:?}");
    let with = |passphrase| {
        let signer = [
            "--key",
            "locked/signer-key.pem",
            "--chain",
            "locked/signer-chain.pem",
            "--passphrase-file",
            passphrase,
        ];
        let args = ["--profile", "photo", "--out", "out", "a.jpg"];
        finish(&mut workshop.command_by(&signer, &args))
    };
    with("wrong").assert_refused(2, "passphrase");
    assert!(!workshop.path("out").exists());
    let run = with("right");
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// A file for its owner alone.
fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_certificate_that_has_ended_or_not_begun_is_refused_before_anything_is_written() {
    let workshop = Workshop::new();
    for (first, last, word) in [
        ("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z", "2025-01-01"),
        ("2124-01-01T00:00:00Z", "2125-01-01T00:00:00Z", "2124-01-01"),
    ] {
        let time = |text| Timestamp::parse_rfc3339(text).unwrap();
        let request = ChainRequest {
            name: "Signer",
            organisation: "Test Press",
            validity: Validity {
                not_before: time(first),
                not_after: time(last),
            },
        };
        let secrets = Secrets::random(Algorithm::Ed25519).unwrap();
        let chain = development_chain(&request, &secrets).unwrap();
        write_secret(&workshop.path("key.pem"), &chain.signer_key_pem);
        fs::write(workshop.path("chain.pem"), &chain.signer_chain_pem).unwrap();
        let signer = ["--key", "key.pem", "--chain", "chain.pem"];
        let args = ["--profile", "photo", "--out", "out", "a.jpg"];
        finish(&mut workshop.command_by(&signer, &args)).assert_refused(2, word);
        assert!(!workshop.path("out").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_signer_that_fails_stops_the_run_at_once() {
    let workshop = Workshop::new();
    let originals = workshop.pictures("photos", 20);
    let program = workshop.script("broken", "echo no token >&2; exit 1");
    let signer = [
        "--signer-command",
        text(&program),
        "--chain",
        "keys/signer-chain.pem",
    ];
    let args = ["--profile", "photo", "--jobs", "1", "--in-place", "photos"];
    let run = finish(&mut workshop.command_by(&signer, &args));
    assert_eq!(run.code, Some(2), "nothing was signed: {run:?}");
    assert!(run.err.contains("no token"), "{run:?}");
    assert!(
        run.err
            .contains("not looked at, because the run was stopped"),
        "{run:?}"
    );
    let calls = run.err.matches("error: ").count();
    assert!(calls < 10, "{calls} files were tried: {run:?}");
    for (path, original) in &originals {
        assert_eq!(fs::read(path).unwrap(), *original, "{path:?}");
    }
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.path("file"), "in the way").unwrap();
    sign(&workshop, &["--out", "file/out", "a.jpg"])
        .assert_refused(2, "file/out cannot be written");
    sign(
        &workshop,
        &["--out", "out", "--resume", "missing/journal", "a.jpg"],
    )
    .assert_refused(2, "missing/journal cannot be written");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_every_original() {
    let workshop = Workshop::new();
    let disk = workshop.path("disk");
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        system(
            "mount",
            &["-t", "tmpfs", "-o", options, "tmpfs", text(&disk)],
        )
    };
    // Room for the originals and half a file more.
    let pages = fs::metadata(workshop.path("a.jpg"))
        .unwrap()
        .len()
        .div_ceil(4096)
        + 1;
    if !mount(&format!("size={}k", 4 * (4 * pages + pages / 2))) {
        eprintln!("SKIPPED: a_full_disk: only root may mount a small file system");
        return;
    }
    let unmount = Unmount(&disk);
    let originals = workshop.pictures("disk", 4);
    let run = sign(&workshop, &["--jobs", "1", "--in-place", "disk"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(
        run.err.matches("cannot be written: No space left").count(),
        4,
        "{run:?}"
    );
    assert!(
        run.err.contains("4 files: 0 signed; 4 could not be signed"),
        "{run:?}"
    );
    for (path, original) in &originals {
        assert_eq!(fs::read(path).unwrap(), *original, "{path:?}");
    }
    assert_eq!(files(&disk).len(), 4, "no temporary stays behind");

    assert!(mount("remount,size=10m"));
    let again = sign(&workshop, &["--in-place", "disk"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(workshop.verify_all("disk").values().all(holds));
    drop(unmount);
}

/// Unmounts also when the test fails, or its folder could not vanish.
struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        system("umount", &[text(self.0)]);
    }
}

#[cfg(unix)]
#[test]
fn rights_that_are_missing_are_one_line_each() {
    use std::os::unix::fs::PermissionsExt as _;
    let workshop = Workshop::new();
    workshop.picture("photos/open/a.jpg");
    workshop.picture("photos/closed/a.jpg");
    workshop.picture("photos/fixed/a.jpg");
    for (name, mode) in [("photos/closed", 0o000), ("photos/fixed", 0o555)] {
        fs::set_permissions(workshop.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let Some(run) = as_somebody_else(&workshop, &["--in-place", "photos"]) else {
        eprintln!("SKIPPED: rights_that_are_missing: rights do not bind root");
        return;
    };
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.err.contains("error: photos/closed: "), "{run:?}");
    assert!(
        run.err
            .contains("error: photos/fixed/a.jpg: photos/fixed/a.jpg cannot be written"),
        "{run:?}"
    );
    assert!(run.err.contains("3 files: 1 signed"), "{run:?}");
    for name in ["photos/closed", "photos/fixed"] {
        fs::set_permissions(workshop.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        let untouched = workshop.verify(&workshop.path(name).join("a.jpg"), &[]);
        assert_eq!(untouched["manifest"], "none");
        assert_eq!(files(&workshop.path(name)), ["a.jpg"]);
    }
}

/// Signs as a user whom rights bind; `None` where that cannot be had.
#[cfg(unix)]
fn as_somebody_else(workshop: &Workshop, args: &[&str]) -> Option<Run> {
    if !system("sh", &["-c", "test $(id -u) -eq 0"]) {
        return Some(sign(workshop, args));
    }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let binary = env!("CARGO_BIN_EXE_bonafide");
    let given = system("chown", &["-R", "65534:65534", text(&workshop.path(""))]);
    if !given || !system("setpriv", &[&nobody[..], &[binary, "--version"]].concat()) {
        return None;
    }
    let command = workshop.command(&[&PHOTO, args].concat());
    let mut other = Command::new("setpriv");
    other
        .current_dir(workshop.path(""))
        .args(nobody)
        .arg(command.get_program())
        .args(command.get_args());
    Some(finish(&mut other))
}
