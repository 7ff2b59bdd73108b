//! What scan meets on a disk: links, loops, pipes, odd names, folders that are closed to it.

#![cfg(unix)]

use std::{
    ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, os::unix::fs::PermissionsExt as _,
    os::unix::fs::symlink,
};

use crate::support::{Run, command, finish, fixture, folder, run, system, text};

fn scan(args: &[&str]) -> Run {
    let common = ["scan", "--only", "provenance", "--format", "jsonl"];
    run(common.iter().chain(args))
}

#[test]
fn links_are_followed_only_when_asked_and_loops_end() {
    let folder = folder();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap();
    fs::copy(fixture("unsigned.jpg"), inside.join("a.jpg")).unwrap();
    symlink("a.jpg", inside.join("b.jpg")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    symlink("self", inside.join("self")).unwrap();

    let careful = scan(&[text(folder.path())]);
    assert_eq!(careful.code, Some(0), "{careful:?}");
    assert_eq!(careful.reports().len(), 1);
    assert!(
        careful.err.contains("b.jpg: a symbolic link"),
        "{careful:?}"
    );

    let following = scan(&["--follow-links", text(folder.path())]);
    let reports = following.by_name();
    assert_eq!(
        reports["b.jpg"]["media"]["sha256"],
        reports["a.jpg"]["media"]["sha256"]
    );
    assert!(following.err.contains("leads back"), "{following:?}");
    assert_eq!(
        reports["self"]["error"]["code"], "unreadable",
        "a link to itself"
    );
    assert_eq!(following.code, Some(3));
}

#[test]
fn a_pipe_is_skipped_inside_a_folder_and_refused_by_name() {
    let folder = folder();
    let pipe = folder.path().join("pipe.jpg");
    assert!(system("mkfifo", &[text(&pipe)]));
    fs::copy(fixture("unsigned.jpg"), folder.path().join("a.jpg")).unwrap();
    let run = scan(&[text(folder.path())]);
    assert_eq!((run.code, run.reports().len()), (Some(0), 1), "{run:?}");
    assert!(run.err.contains("pipe.jpg: not a regular file"), "{run:?}");

    let run = scan(&[text(&pipe)]);
    assert_eq!(run.code, Some(3));
    assert_eq!(run.reports()[0]["error"]["code"], "not_a_file");
    let run = scan(&["/dev/zero"]);
    assert_eq!(run.reports()[0]["error"]["code"], "not_a_file");
}

#[test]
fn a_name_that_is_not_utf8_comes_back_in_hex() {
    let folder = folder();
    let name = OsStr::from_bytes(b"caf\xe9.jpg");
    fs::copy(fixture("unsigned.jpg"), folder.path().join(name)).unwrap();
    let run = scan(&[text(folder.path())]);
    let media = &run.reports()[0]["media"];
    assert!(media["name"].as_str().unwrap().ends_with("caf\u{fffd}.jpg"));
    assert!(
        media["name_hex"]
            .as_str()
            .unwrap()
            .ends_with("636166e92e6a7067"),
        "caf\\xe9.jpg"
    );
    assert_eq!(run.code, Some(0));
}

#[test]
fn one_bad_file_does_not_stop_the_scan() {
    let good = fixture("unsigned.jpg");
    let long = "x".repeat(300);
    let run = scan(&["nowhere.jpg", &long, text(&good)]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let reports = run.by_name();
    assert_eq!(reports.len(), 3);
    assert_eq!(reports["nowhere.jpg"]["error"]["code"], "unreadable");
    assert_eq!(reports["nowhere.jpg"]["verdict"]["code"], "not_analysed");
    assert_eq!(reports[&long]["error"]["code"], "unreadable");
    assert!(reports["unsigned.jpg"]["error"].is_null());
}

#[test]
fn a_folder_without_rights_is_one_line_and_exit_code_3() {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::copy(fixture("unsigned.jpg"), folder.path().join("open.jpg")).unwrap();
    fs::copy(fixture("unsigned.jpg"), closed.join("hidden.jpg")).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let Some(run) = as_somebody_else(text(folder.path())) else {
        eprintln!(
            "SKIPPED a_folder_without_rights: rights do not bind root, and no other user can run the program"
        );
        return;
    };
    let reports = run.by_name();
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(reports.len(), 2, "{run:?}");
    assert_eq!(reports["closed"]["error"]["code"], "unreadable");
    assert!(reports["open.jpg"]["error"].is_null());
}

/// Scans as a user whom rights bind; `None` where that cannot be had.
fn as_somebody_else(path: &str) -> Option<Run> {
    let binary = env!("CARGO_BIN_EXE_bonafide");
    let args = ["scan", "--only", "provenance", "--format", "jsonl", path];
    if !system("sh", &["-c", "test $(id -u) -eq 0"]) {
        return Some(finish(command().args(args)));
    }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", binary];
    let tried = [&nobody[..], &["--version"]].concat();
    if !system("setpriv", &tried) {
        return None;
    }
    let mut command = std::process::Command::new("setpriv");
    Some(finish(command.args(nobody).args(args)))
}
