//! No file is lost: whenever a run is killed, stopped or refused, every file is the untouched original or a
//! verified signed file, and nothing else stays behind.

#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    io::{BufRead as _, BufReader},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use crate::support::{
    finish, run, system, text,
    workshop::{Workshop, files, holds},
};

const IN_PLACE: [&str; 5] = ["--profile", "photo", "--in-place", "--jobs", "2"];

/// Kills, and files to sign meanwhile, in the ordinary run of the tests.
const KILLS: usize = 8;
/// How many files there are to a kill.
const FILES_PER_KILL: usize = 10;

#[test]
fn a_killed_run_leaves_originals_and_verified_files_and_the_next_one_sweeps_up() {
    // The long form is 50 kills over 500 files.
    let kills = std::env::var("BONAFIDE_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS);
    let workshop = Workshop::new();
    let originals = workshop.pictures("photos", kills * FILES_PER_KILL);
    let args = [&IN_PLACE[..], &["--resume", "journal", "photos"]].concat();
    let mut random = Random(0x5eed);
    let mut cut_short = 0;
    for kill in 0..kills {
        // Some runs are killed while they start, most while they work, some after more files than their share.
        let lines = random.below(14);
        let pause = Duration::from_micros(random.below(if lines == 0 { 60_000 } else { 6_000 }));
        let mut child = workshop
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        read_lines(&mut child, lines);
        thread::sleep(pause);
        child.kill().unwrap();
        cut_short += usize::from(!child.wait().unwrap().success());
        assert_whole(&workshop, &originals, kill);
    }
    assert!(cut_short > kills / 2, "only {cut_short} runs were killed");

    let last = workshop.sign(&args);
    assert_eq!(last.code, Some(0), "{last:?}");
    assert_eq!(files(&workshop.path("photos")), names(&originals));
    let found = workshop.verify_all("photos");
    assert_eq!(found.len(), originals.len());
    for (path, provenance) in found {
        assert!(holds(&provenance), "{path:?}: {provenance}");
        let manifests = provenance["manifests"].as_array().unwrap().len();
        assert_eq!(manifests, 1, "{path:?} was signed once");
    }
}

/// Every file is as it was or verifies, and whatever else lies there is a temporary by its name.
fn assert_whole(workshop: &Workshop, originals: &BTreeMap<PathBuf, Vec<u8>>, kill: usize) {
    let provenance = workshop.verify_all("photos");
    for (path, original) in originals {
        let is_untouched = fs::read(path).unwrap() == *original;
        assert!(
            is_untouched || holds(&provenance[path]),
            "kill {kill}: {path:?}: {}",
            provenance[path]
        );
    }
    let known = names(originals);
    for name in files(&workshop.path("photos")) {
        let is_temporary = name.starts_with(".bonafide-sign-") && name.ends_with(".tmp");
        assert!(known.contains(&name) || is_temporary, "kill {kill}: {name}");
    }
}

fn names(originals: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    originals.keys().map(name).collect()
}

/// Waits for that many lines of standard output, or its end.
fn read_lines(child: &mut Child, count: u64) {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    for _ in 0..count {
        if lines.next().is_none() {
            return;
        }
    }
}

/// xorshift64*: the same pauses in every run of the test.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }
}

#[test]
fn the_first_signal_stops_between_two_files() {
    let workshop = Workshop::new();
    let originals = workshop.pictures("photos", 300);
    let args = [&IN_PLACE[..], &["--resume", "journal", "photos"]].concat();
    let mut child = workshop
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    read_lines(&mut child, 3);
    assert!(system("kill", &["-INT", &child.id().to_string()]));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("not looked at, because the run was stopped"),
        "{said}"
    );
    assert_eq!(
        files(&workshop.path("photos")),
        names(&originals),
        "no temporary stays behind"
    );
    assert_whole(&workshop, &originals, 0);
    let rest = workshop.sign(&args);
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert!(workshop.verify_all("photos").values().all(holds));
}

#[test]
fn what_another_run_is_writing_is_not_swept() {
    let workshop = Workshop::new();
    let stale = workshop.path(".bonafide-sign-stale1.tmp");
    let live = workshop.path(".bonafide-sign-alive1.tmp");
    let other = workshop.path(".bonafide-sign-notours.jpg");
    for path in [&stale, &live, &other] {
        fs::write(path, "x").unwrap();
    }
    let held = fs::File::open(&live).unwrap();
    held.lock().unwrap();
    let run = workshop.sign(&[&IN_PLACE[..], &["a.jpg"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(!stale.exists() && live.exists() && other.exists());
}

#[test]
fn rights_stay_and_nothing_becomes_readable_to_more_people() {
    let workshop = Workshop::new();
    let picture = workshop.path("a.jpg");
    for mode in [0o600, 0o640, 0o664] {
        fs::set_permissions(&picture, Permissions::from_mode(mode)).unwrap();
        let run = workshop.sign(&[&IN_PLACE[..], &["a.jpg"]].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(fs::metadata(&picture).unwrap().mode() & 0o777, mode);
        let out = format!("out{mode}");
        let run = workshop.sign(&["--profile", "photo", "--out", &out, "a.jpg"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let copy = workshop.path(&out).join("a.jpg");
        assert_eq!(fs::metadata(copy).unwrap().mode() & 0o777, mode);
    }
}

#[test]
fn the_owner_stays_where_the_system_allows_it() {
    let workshop = Workshop::new();
    let picture = workshop.path("a.jpg");
    if std::os::unix::fs::chown(&picture, Some(12_345), Some(23_456)).is_err() {
        eprintln!("SKIPPED: the_owner_stays: only root may give files away");
        return;
    }
    let run = workshop.sign(&[&IN_PLACE[..], &["a.jpg"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = fs::metadata(&picture).unwrap();
    assert_eq!((found.uid(), found.gid()), (12_345, 23_456));
}

#[test]
fn a_file_with_two_names_and_a_read_only_file_are_not_replaced() {
    let workshop = Workshop::new();
    let before = fs::read(workshop.path("a.jpg")).unwrap();
    fs::hard_link(workshop.path("a.jpg"), workshop.path("b.jpg")).unwrap();
    let refused = |word: &str| {
        let run = workshop.sign(&[&IN_PLACE[..], &["a.jpg"]].concat());
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.err.contains(word), "{run:?}");
        assert_eq!(fs::read(workshop.path("a.jpg")).unwrap(), before);
        run.reports()[0]["error"]["code"].clone()
    };
    assert_eq!(refused("2 names"), "hard_links");
    let run = workshop.sign(&["--profile", "photo", "--out", "out", "a.jpg"]);
    assert_eq!(run.code, Some(0), "a copy takes nothing away: {run:?}");
    fs::remove_file(workshop.path("b.jpg")).unwrap();
    fs::set_permissions(workshop.path("a.jpg"), Permissions::from_mode(0o444)).unwrap();
    assert_eq!(refused("read-only"), "read_only");
}

#[test]
fn a_file_that_changes_meanwhile_stays_as_it_is() {
    let workshop = Workshop::new();
    if !system("openssl", &["version"]) {
        eprintln!("SKIPPED: a_file_that_changes_meanwhile: there is no openssl to sign with");
        return;
    }
    let keys = workshop.path("p256");
    let made = run(["keys", "new", "--algorithm", "es256", "--out", text(&keys)]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let sign = "openssl dgst -sha256 -sign p256/signer-key.pem";
    let slow_editor = workshop.script("editor", &format!("printf more >> a.jpg\n{sign}"));
    let honest = workshop.script("honest", sign);
    let sign_by = |program: &Path, place| {
        let signer = [
            "--signer-command",
            text(program),
            "--chain",
            "p256/signer-chain.pem",
        ];
        finish(&mut workshop.command_by(&signer, &["--profile", "photo", place, "a.jpg"]))
    };
    for place in ["--in-place", "--sidecar"] {
        let mut edited = fs::read(workshop.path("a.jpg")).unwrap();
        edited.extend(b"more");
        let refused = sign_by(&slow_editor, place);
        assert_eq!(refused.code, Some(3), "{refused:?}");
        assert_eq!(refused.reports()[0]["error"]["code"], "changed");
        assert_eq!(fs::read(workshop.path("a.jpg")).unwrap(), edited);
        assert!(!workshop.path("a.c2pa").exists());
    }
    let signed = sign_by(&honest, "--in-place");
    assert_eq!(signed.code, Some(0), "{signed:?}");
}

#[test]
fn signing_goes_on_when_nobody_reads_the_lines() {
    let workshop = Workshop::new();
    workshop.pictures("photos", 12);
    let mut child = workshop
        .command(&[&IN_PLACE[..], &["photos"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("12 files: 12 signed"), "{said}");
    assert!(workshop.verify_all("photos").values().all(holds));
}

#[test]
fn links_are_never_followed() {
    let workshop = Workshop::new();
    let before = fs::read(workshop.path("a.jpg")).unwrap();
    workshop.picture("photos/b.jpg");
    symlink("../a.jpg", workshop.path("photos/link.jpg")).unwrap();
    let run = workshop.sign(&[&IN_PLACE[..], &["photos"]].concat());
    assert_eq!((run.code, run.reports().len()), (Some(0), 1), "{run:?}");
    assert!(run.err.contains("link.jpg: a symbolic link"), "{run:?}");
    let named = workshop.sign(&[&IN_PLACE[..], &["photos/link.jpg"]].concat());
    assert_eq!(named.code, Some(3), "{named:?}");
    assert_eq!(named.reports()[0]["error"]["code"], "not_a_file");
    assert_eq!(fs::read(workshop.path("a.jpg")).unwrap(), before);
    assert!(is_link(&workshop.path("photos/link.jpg")));
}

fn is_link(path: &Path) -> bool {
    path.symlink_metadata().unwrap().is_symlink()
}

#[test]
fn a_credential_inside_a_file_is_not_hidden_behind_a_sidecar() {
    let workshop = Workshop::new();
    workshop.copy("signed_trusted.jpg", "signed.jpg");
    let run = workshop.sign(&["--profile", "photo", "--sidecar", "signed.jpg"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.err.contains("carries a credential"), "{run:?}");
    assert!(
        !workshop.path("signed.c2pa").exists(),
        "{}",
        text(&workshop.path(""))
    );
}
