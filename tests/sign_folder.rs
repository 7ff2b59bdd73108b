//! Signing many files: trees, the journal, what is left out, and what stops a run before it begins.

use std::{fs, path::Path};

use crate::support::{
    Run, text,
    workshop::{Workshop, files, holds},
};

const PHOTO: [&str; 2] = ["--profile", "photo"];

/// A run that says `photo` with these arguments.
fn sign(workshop: &Workshop, args: &[&str]) -> Run {
    workshop.sign(&[&PHOTO, args].concat())
}

#[test]
fn a_tree_is_mirrored_and_what_is_no_medium_is_left_out_aloud() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    workshop.picture("photos/sub/deep/a.jpg");
    workshop.copy("signed_trusted.png", "photos/sub/b.png");
    fs::write(workshop.path("photos/notes.txt"), "not a picture").unwrap();
    let run = sign(&workshop, &["--out", "out", "photos"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.reports().len(), 3, "{run:?}");
    assert!(run.err.contains("left out photos/notes.txt"), "{run:?}");
    assert!(
        run.err.contains("4 files: 3 signed") && run.err.contains("1 left out"),
        "{run:?}"
    );
    assert_eq!(files(&workshop.path("out")), ["a.jpg", "sub"]);
    let found = workshop.verify_all("out");
    assert_eq!(found.len(), 3);
    assert!(found.values().all(holds), "{found:?}");
    assert_eq!(
        found[&workshop.path("out/sub/b.png")]["manifests"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "the credential that was there stays as the parent"
    );
    let sources = workshop.verify_all("photos");
    assert_eq!(sources[&workshop.path("photos/a.jpg")]["manifest"], "none");
}

#[test]
fn pictures_animations_and_films_are_signed_in_one_run() {
    let workshop = Workshop::new();
    let kinds = [
        ("unsigned.jpg", "a.jpg"),
        ("stable_diffusion_text.png", "b.png"),
        ("animated.gif", "c.gif"),
        ("animated.webp", "d.webp"),
        ("film.mp4", "e.mp4"),
        ("wrong_extension.png", "f.png"),
    ];
    for (fixture, name) in kinds {
        workshop.copy(fixture, &format!("media/{name}"));
    }
    let run = sign(&workshop, &["--in-place", "media"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = workshop.verify_all("media");
    assert_eq!(found.len(), kinds.len());
    for (path, provenance) in &found {
        assert!(holds(provenance), "{path:?}: {provenance}");
        assert_eq!(provenance["signer"]["status"], "local", "{path:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_one_line_in_words_with_every_axis() {
    let workshop = Workshop::new();
    let bonafide = text(std::path::Path::new(env!("CARGO_BIN_EXE_bonafide"))).to_owned();
    let line = format!(
        "{bonafide} sign --key keys/signer-key.pem --chain keys/signer-chain.pem \
         --trust keys/ca-cert.pem --profile photo --out out a.jpg"
    );
    let mut command = std::process::Command::new("script");
    command
        .current_dir(workshop.path(""))
        .args(["-qec", &line, "/dev/null"])
        .stdin(std::process::Stdio::null());
    let Ok(output) = command.output() else {
        eprintln!("SKIPPED: a_terminal_gets_one_line: there is no `script` to make a terminal");
        return;
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("signed a.jpg -> out/a.jpg ("), "{shown}");
    assert!(
        shown.contains("content intact, signature ok, time inside_validity, signer local"),
        "{shown}"
    );
    assert!(!shown.contains("bonafide.report"), "no JSON: {shown}");
}

#[test]
fn two_files_for_one_name_stop_the_run_before_anything_is_written() {
    let workshop = Workshop::new();
    for name in ["one/a.jpg", "two/a.jpg"] {
        workshop.picture(name);
    }
    let both = ["--out", "out", "one", "two"];
    sign(&workshop, &both).assert_refused(2, "one/a.jpg and two/a.jpg would both become out/a.jpg");
    // No flag makes one of them overwrite the other.
    sign(&workshop, &[&both[..], &["--force"]].concat()).assert_refused(2, "would both become");
    assert!(!workshop.path("out").exists());

    workshop.copy("signed_trusted.png", "one/a.png");
    sign(&workshop, &["--sidecar", "one"]).assert_refused(2, "would both become one/a.c2pa");
    assert_eq!(files(&workshop.path("one")), ["a.jpg", "a.png"]);
}

#[test]
fn one_output_in_the_way_stops_the_run_before_anything_is_written() {
    let workshop = Workshop::new();
    for name in ["photos/a.jpg", "photos/b.jpg", "out/b.jpg"] {
        workshop.picture(name);
    }
    sign(&workshop, &["--out", "out", "photos"]).assert_refused(2, "out/b.jpg exists already");
    assert_eq!(files(&workshop.path("out")), ["b.jpg"]);
    let run = sign(&workshop, &["--out", "out", "--force", "photos"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(workshop.verify_all("out").values().all(holds));
}

#[test]
fn a_file_named_twice_is_signed_once() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    let twice = [
        "--in-place",
        "photos",
        "photos/a.jpg",
        "photos/../photos/a.jpg",
    ];
    let run = sign(&workshop, &twice);
    assert_eq!((run.code, run.reports().len()), (Some(0), 1), "{run:?}");
    let found = workshop.verify(&workshop.path("photos/a.jpg"), &[]);
    assert_eq!(found["manifests"].as_array().unwrap().len(), 1);
}

#[test]
fn the_output_folder_is_no_input() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    let args = ["--out", "photos/signed", "--resume", "journal", "photos"];
    assert_eq!(sign(&workshop, &args).code, Some(0));
    let again = sign(&workshop, &args);
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "{again:?}");
    assert_eq!(files(&workshop.path("photos/signed")), ["a.jpg"]);
    sign(&workshop, &["--out", "photos", "photos"]).assert_refused(2, "its own output");
}

#[test]
fn a_second_run_with_the_journal_signs_only_what_is_left() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    for place in [&["--sidecar"][..], &["--out", "out"], &["--in-place"]] {
        let journal = format!("journal{}", place[0]);
        let args = [place, &["--resume", &journal, "photos"]].concat();
        let first = sign(&workshop, &args);
        assert_eq!(
            (first.code, first.reports().len()),
            (Some(0), 1),
            "{first:?}"
        );
        let second = sign(&workshop, &args);
        assert_eq!(
            (second.code, second.out.as_str()),
            (Some(0), ""),
            "{second:?}"
        );
        let new = workshop.picture("photos/new.jpg");
        let third = sign(&workshop, &args);
        assert_eq!(
            (third.code, third.reports().len()),
            (Some(0), 1),
            "{third:?}"
        );
        assert!(third.err.contains("1 done before"), "{third:?}");
        fs::remove_file(new).unwrap();
    }
    // The same journal does not speak for another profile.
    let other = [
        "--profile",
        "edit",
        "--in-place",
        "--resume",
        "journal--in-place",
        "photos",
    ];
    let other = workshop.sign(&other);
    assert_eq!(other.reports().len(), 1, "{other:?}");
}

#[test]
fn a_journal_line_without_its_file_proves_nothing() {
    let workshop = Workshop::new();
    let args = ["--out", "out", "--resume", "journal", "a.jpg"];
    assert_eq!(sign(&workshop, &args).code, Some(0));
    fs::remove_file(workshop.path("out/a.jpg")).unwrap();
    let again = sign(&workshop, &args);
    assert_eq!(again.reports().len(), 1, "{again:?}");
    // What is there and is not the result of the run is left alone.
    fs::write(workshop.path("out/a.jpg"), "mine").unwrap();
    let third = sign(&workshop, &args);
    assert_eq!(third.code, Some(3), "{third:?}");
    assert!(third.err.contains("exists already"), "{third:?}");
    assert_eq!(fs::read(workshop.path("out/a.jpg")).unwrap(), b"mine");
}

#[test]
fn a_file_that_is_no_journal_is_left_as_it_is() {
    let workshop = Workshop::new();
    let before = fs::read(workshop.path("a.jpg")).unwrap();
    sign(&workshop, &["--out", "out", "--resume", "a.jpg", "a.jpg"])
        .assert_refused(2, "no journal of sign");
    assert_eq!(fs::read(workshop.path("a.jpg")).unwrap(), before);
}

#[test]
fn a_parent_belongs_to_one_file() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    workshop.picture("photos/b.jpg");
    let args = ["--profile", "edit", "--out", "out", "--parent", "a.jpg"];
    workshop
        .sign(&[&args[..], &["photos"]].concat())
        .assert_refused(2, "--parent is for one file");
    let run = workshop.sign(&[&args[..], &["photos/a.jpg"]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let manifests = &run.reports()[0]["provenance"]["manifests"];
    assert_eq!(manifests[0]["ingredients"][0]["title"], "a.jpg");
}

#[test]
fn a_dry_run_says_what_it_would_write_and_writes_nothing() {
    let workshop = Workshop::new();
    workshop.picture("photos/a.jpg");
    workshop.picture("photos/b.jpg");
    let names = files(&workshop.path(""));
    let run = sign(
        &workshop,
        &["--dry-run", "--out", "out", "--resume", "journal", "photos"],
    );
    assert_eq!(run.code, Some(0), "{run:?}");
    let sizes: u64 = run
        .reports()
        .iter()
        .map(|report| report["media"]["bytes"].as_u64().unwrap())
        .sum();
    let said = format!("2 files: 2 would be signed ({sizes} bytes");
    assert!(run.err.contains(&said), "{run:?}");
    assert_eq!(files(&workshop.path("")), names);
    let real = sign(&workshop, &["--out", "out", "photos"]);
    assert_eq!(real.code, Some(0));
    let written: u64 = ["out/a.jpg", "out/b.jpg"]
        .iter()
        .map(|name| fs::metadata(workshop.path(name)).unwrap().len())
        .sum();
    assert_eq!(
        written, sizes,
        "the size that was said is the size on the disk"
    );
}

#[test]
fn a_profile_file_says_what_its_owner_wrote() {
    let workshop = Workshop::new();
    fs::write(
        workshop.path("ours.toml"),
        "statement = \"photo\"\ncapture = true\ntitle = \"From our camera\"\n",
    )
    .unwrap();
    let run = workshop.sign(&["--profile", "ours.toml", "--out", "out", "a.jpg"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let provenance = &run.reports()[0]["provenance"];
    assert_eq!(provenance["ai"]["status"], "capture_declared");
    assert_eq!(provenance["manifests"][0]["title"], "From our camera");
    for (name, word) in [("holiday", "holiday"), ("missing.toml", "missing.toml")] {
        let args = ["--profile", name, "--out", "never", "a.jpg"];
        workshop.sign(&args).assert_refused(2, word);
    }
    assert!(!Path::new(&workshop.path("never")).exists());
}
