//! Signing with a key that is elsewhere: behind a command, behind a service, in a device. What comes back is
//! believed only after it was verified; `sign_memory.rs` sees to it that no copy of the key is here.

use std::{
    fs,
    process::Command,
    sync::Mutex,
    time::{Duration, Instant},
};

use provenance::{Credential, signer::Signer as _};

use crate::support::{
    Run, command, finish, run,
    service::{Reply, Service},
    system, text,
    workshop::{Workshop, holds},
};

/// `bonafide sign` without a key, in the workshop's folder.
pub(crate) fn sign_with(workshop: &Workshop, signer: &[&str]) -> Command {
    let mut command = command();
    command
        .current_dir(workshop.path(""))
        .args([
            "sign",
            "--chain",
            "keys/signer-chain.pem",
            "--profile",
            "photo",
        ])
        .args(["--out", "out", "a.jpg"])
        .args(signer);
    command
}

pub(crate) fn credential(workshop: &Workshop) -> Credential {
    let keys = workshop.path("keys");
    Credential::load(&keys.join("signer-key.pem"), &keys.join("signer-chain.pem")).unwrap()
}

/// The flags that name a program and its arguments.
pub(crate) fn signer_command<'a>(program: &[&'a str]) -> Vec<&'a str> {
    let mut flags = vec!["--signer-command", program[0]];
    for argument in &program[1..] {
        flags.extend(["--signer-arg", argument]);
    }
    flags
}

pub(crate) const ED25519_SCRIPT: &str =
    "cat > message && openssl pkeyutl -sign -rawin -in message -inkey keys/signer-key.pem";

#[track_caller]
pub(crate) fn assert_signed(workshop: &Workshop, run: &Run) {
    assert_eq!(run.code, Some(0), "{run:?}");
    let found = workshop.verify(&workshop.path("out/a.jpg"), &[]);
    assert!(holds(&found), "{found}");
    assert_eq!(found["signer"]["status"], "local");
}

#[track_caller]
fn assert_not_signed(workshop: &Workshop, run: &Run, word: &str) {
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains(word), "no \"{word}\" in {run:?}");
    let out = workshop.path("out");
    assert!(!out.exists() || fs::read_dir(out).unwrap().next().is_none());
}

#[test]
fn a_service_signs_and_sees_its_token() {
    let workshop = Workshop::new();
    fs::write(workshop.path("token"), "let me in\n").unwrap();
    only_for_me(&workshop, "token");
    let key = credential(&workshop);
    let service = Service::start(move |request| {
        let head = request.head.to_ascii_lowercase();
        if !head.contains("authorization: bearer let me in") {
            return Reply::status("401 Unauthorized");
        }
        Reply::ok(key.sign(&request.body).unwrap())
    });
    let with_token = ["--signer-url", &service.url, "--signer-token", "token"];
    let run = finish(&mut sign_with(&workshop, &with_token));
    assert_signed(&workshop, &run);
    assert_eq!(service.calls(), 1);
    assert!(!run.out.contains("let me in") && !run.err.contains("let me in"));

    let workshop = Workshop::new();
    let run = finish(&mut sign_with(&workshop, &["--signer-url", &service.url]));
    assert_not_signed(&workshop, &run, "it answered 401");
}

#[test]
fn a_service_that_stumbles_is_asked_again() {
    let workshop = Workshop::new();
    let key = credential(&workshop);
    let stumbles = Mutex::new(2);
    let service = Service::start(move |request| {
        let mut left = stumbles.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return Reply::status("503 Service Unavailable");
        }
        Reply::ok(key.sign(&request.body).unwrap())
    });
    let run = finish(&mut sign_with(&workshop, &["--signer-url", &service.url]));
    assert_signed(&workshop, &run);
    assert_eq!(service.calls(), 3);
}

#[test]
fn a_service_that_answers_nonsense_signs_nothing() {
    let elsewhere = Service::start(|_| Reply::ok(vec![1; 64]));
    let redirect = format!("302 Found\r\nLocation: {}", elsewhere.url);
    type Answer = Box<dyn Fn() -> Reply + Send + Sync>;
    let cases: [(Answer, &str, usize); 6] = [
        (Box::new(|| Reply::ok(vec![0; 64])), "does not verify", 1),
        (Box::new(|| Reply::ok(Vec::new())), "does not verify", 1),
        (Box::new(|| Reply::ok(vec![0; 100_000])), "longer than", 1),
        (Box::new(move || Reply::status(&redirect)), "302", 1),
        (Box::new(|| Reply::status("404 Not Found")), "404", 1),
        (Box::new(|| Reply::status("500 Oh")), "500, 3 times", 3),
    ];
    for (answer, word, calls) in cases {
        let workshop = Workshop::new();
        let service = Service::start(move |_| answer());
        let run = finish(&mut sign_with(&workshop, &["--signer-url", &service.url]));
        assert_not_signed(&workshop, &run, word);
        assert_eq!(service.calls(), calls, "{word}");
    }
    assert_eq!(elsewhere.calls(), 0, "redirects are not followed");
    // A sound signature by another key.
    let workshop = Workshop::new();
    let chain = another_signer(&workshop);
    let service = Service::start(move |request| Reply::ok(chain.sign(&request.body).unwrap()));
    let run = finish(&mut sign_with(&workshop, &["--signer-url", &service.url]));
    assert_not_signed(&workshop, &run, "does not verify");
}

/// A signer with a key of the same kind that is not the chain's.
fn another_signer(workshop: &Workshop) -> Credential {
    let made = run(["keys", "new", "--out", text(&workshop.path("other"))]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let keys = workshop.path("other");
    Credential::load(&keys.join("signer-key.pem"), &keys.join("signer-chain.pem")).unwrap()
}

#[test]
fn a_service_that_is_slow_or_gone_is_given_up() {
    let workshop = Workshop::new();
    let service = Service::start(|_| {
        std::thread::sleep(Duration::from_secs(20));
        Reply::status("500 Late")
    });
    let started = Instant::now();
    let slow = ["--signer-url", &service.url, "--signer-timeout-s", "1"];
    let run = finish(&mut sign_with(&workshop, &slow));
    assert_not_signed(&workshop, &run, "3 times");
    assert!(
        started.elapsed() < Duration::from_secs(12),
        "{:?}",
        started.elapsed()
    );
    let run = finish(&mut sign_with(
        &workshop,
        &["--signer-url", "http://signer.example/"],
    ));
    run.assert_refused(2, "use https");
    let run = finish(&mut sign_with(
        &workshop,
        &["--signer-url", "https://me:secret@signer.example/"],
    ));
    run.assert_refused(2, "without a user name");
    assert!(!run.err.contains("secret"), "{run:?}");
}

#[test]
fn a_command_signs_with_both_kinds_of_key() {
    for algorithm in ["ed25519", "es256"] {
        let workshop = Workshop::of(algorithm);
        if !system("openssl", &["version"]) {
            eprintln!("SKIPPED: a_command_signs: there is no openssl");
            return;
        }
        let program: &[&str] = match algorithm {
            // OpenSSL wants to know the length of what Ed25519 signs, and a pipe has none.
            "ed25519" => &["sh", "-c", ED25519_SCRIPT],
            _ => &["openssl", "dgst", "-sha256", "-sign", "keys/signer-key.pem"],
        };
        let run = finish(&mut sign_with(&workshop, &signer_command(program)));
        assert_signed(&workshop, &run);
    }
}

#[cfg(unix)]
#[test]
fn a_command_that_fails_is_one_line_and_signs_nothing() {
    let cases: [(&[&str], &str); 6] = [
        (&["/nowhere/signer"], "cannot be started"),
        (&["false"], "exit status: 1"),
        (&["true"], "does not verify"),
        (&["cat"], "does not verify"),
        (&["yes"], "yes: "),
        (
            &["sh", "-c", "echo no such key >&2; exit 3"],
            "exit status: 3: no such key",
        ),
    ];
    for (program, word) in cases {
        let workshop = Workshop::new();
        let run = finish(&mut sign_with(&workshop, &signer_command(program)));
        assert_not_signed(&workshop, &run, word);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_hangs_is_ended_with_what_it_started() {
    let workshop = Workshop::new();
    let mark = workshop.path("child");
    let script = format!("sleep 300 & echo $! > {}; wait", text(&mark));
    let mut signer = signer_command(&["sh", "-c", &script]);
    signer.extend(["--signer-timeout-s", "1"]);
    let run = finish(&mut sign_with(&workshop, &signer));
    assert_not_signed(&workshop, &run, "longer than 1 s");
    let child = fs::read_to_string(mark).unwrap();
    let started = Instant::now();
    while is_running(child.trim()) {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{child} still runs"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is there and no zombie.
#[cfg(target_os = "linux")]
fn is_running(id: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !status.is_empty() && !status.contains(") Z ")
}

#[test]
fn a_signer_has_to_be_named_once() {
    let workshop = Workshop::new();
    let nobody = finish(&mut sign_with(&workshop, &[]));
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    let two = ["--key", "keys/signer-key.pem", "--signer-command", "true"];
    let both = finish(&mut sign_with(&workshop, &two));
    assert_eq!(both.code, Some(2), "{both:?}");
    assert!(both.err.contains("cannot be used with"), "{both:?}");
}

#[cfg(not(feature = "pkcs11"))]
#[test]
fn a_build_without_pkcs11_says_so() {
    let workshop = Workshop::new();
    let device = ["--pkcs11-module", "x.so", "--pkcs11-key", "signer"];
    finish(&mut sign_with(&workshop, &device)).assert_refused(2, "no PKCS#11");
    eprintln!("SKIPPED: a_device_signs: build with --features pkcs11");
}

#[cfg(unix)]
pub(crate) fn only_for_me(workshop: &Workshop, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(workshop.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
pub(crate) fn only_for_me(_: &Workshop, _: &str) {}
