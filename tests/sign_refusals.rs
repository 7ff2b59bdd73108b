//! What cannot be signed, and where nothing can be written: one clear line each, the exit code of the
//! contract, and nothing lost.

use std::{fs, path::Path, process::Command};

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
