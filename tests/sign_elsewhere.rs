//! Signing with a key that is elsewhere: behind a command, behind a service, in a device. What comes back is
//! believed only after it was verified, and no copy of the key is ever here.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
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
fn sign_with(workshop: &Workshop, signer: &[&str]) -> Command {
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

fn credential(workshop: &Workshop) -> Credential {
    let keys = workshop.path("keys");
    Credential::load(&keys.join("signer-key.pem"), &keys.join("signer-chain.pem")).unwrap()
}

/// The flags that name a program and its arguments.
fn signer_command<'a>(program: &[&'a str]) -> Vec<&'a str> {
    let mut flags = vec!["--signer-command", program[0]];
    for argument in &program[1..] {
        flags.extend(["--signer-arg", argument]);
    }
    flags
}

const ED25519_SCRIPT: &str =
    "cat > message && openssl pkeyutl -sign -rawin -in message -inkey keys/signer-key.pem";

#[track_caller]
fn assert_signed(workshop: &Workshop, run: &Run) {
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
        let workshop = Workshop::new();
        if !system("openssl", &["version"]) {
            eprintln!("SKIPPED: a_command_signs: there is no openssl");
            return;
        }
        fs::remove_dir_all(workshop.path("keys")).unwrap();
        let keys = workshop.path("keys");
        let made = run([
            "keys",
            "new",
            "--algorithm",
            algorithm,
            "--out",
            text(&keys),
        ]);
        assert_eq!(made.code, Some(0), "{made:?}");
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

/// A run that waits for a service of the test.
#[cfg(target_os = "linux")]
struct Waiting {
    child: Child,
    asked: mpsc::Receiver<Vec<u8>>,
    answer: mpsc::Sender<Reply>,
}

#[cfg(target_os = "linux")]
impl Waiting {
    /// Starts it; `flag` names the service, which answers when it is told to.
    fn start(mut command: Command, flag: &str) -> Self {
        let (ask, asked) = mpsc::channel();
        let (answer, answers) = mpsc::channel::<Reply>();
        let (ask, answers) = (Mutex::new(ask), Mutex::new(answers));
        let service = Service::start(move |request| {
            ask.lock().unwrap().send(request.body).unwrap();
            answers.lock().unwrap().recv().unwrap()
        });
        let child = command
            .args([flag, &service.url])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            child,
            asked,
            answer,
        }
    }

    /// What it wants to have done, once it asks.
    fn question(&self) -> Vec<u8> {
        self.asked.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn finish(self, reply: Reply) -> Run {
        self.answer.send(reply).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Run {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The secret of an Ed25519 key, the last 32 bytes of its 48 of PKCS#8, and part of its certificate, which a
/// signer must hold: a search that does not find that finds nothing.
#[cfg(target_os = "linux")]
fn needles(workshop: &Workshop) -> (Vec<u8>, Vec<u8>) {
    let der = |name: &str| {
        let pem = fs::read(workshop.path("keys").join(name)).unwrap();
        pem::parse(pem).unwrap().into_contents()
    };
    let key = der("signer-key.pem");
    let at = key
        .windows(4)
        .position(|part| part == [4, 34, 4, 32])
        .unwrap();
    let certificate = der("signer-chain.pem");
    (key[at + 4..at + 36].to_vec(), certificate[40..120].to_vec())
}

#[cfg(target_os = "linux")]
#[test]
fn an_idle_signer_holds_no_copy_of_a_key_that_is_elsewhere() {
    use crate::support::memory::copies;
    let workshop = Workshop::new();
    let (key, certificate) = needles(&workshop);

    // Waiting for the service that holds the key.
    let waiting = Waiting::start(sign_with(&workshop, &[]), "--signer-url");
    let question = waiting.question();
    let found = copies(waiting.child.id(), [&key, &certificate]);
    let signature = credential(&workshop).sign(&question).unwrap();
    assert_signed(&workshop, &waiting.finish(Reply::ok(signature)));
    let Some([keys, certificates]) = found else {
        eprintln!("SKIPPED: an_idle_signer: this system shows no memory of other processes");
        return;
    };
    assert!(
        certificates > 0,
        "the search must be able to find something"
    );
    assert_eq!(keys, 0, "copies of the key");

    // The same search finds a key that is here: waiting for a time stamp with a key out of a file.
    let with_key = ["--key", "keys/signer-key.pem", "--force"];
    let waiting = Waiting::start(sign_with(&workshop, &with_key), "--timestamp");
    waiting.question();
    let [keys, _] = copies(waiting.child.id(), [&key, &certificate]).unwrap();
    let run = waiting.finish(Reply::status("404 Not Found"));
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(keys > 0, "a key that signs is somewhere");
}

/// A SoftHSM token of its own with the workshop's key under the label `signer`.
#[cfg(all(target_os = "linux", feature = "pkcs11"))]
fn token(workshop: &Workshop) -> Option<(&'static str, std::path::PathBuf)> {
    const MODULES: [&str; 3] = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    let module = MODULES.into_iter().find(|path| fs::exists(path).unwrap())?;
    let tokens = workshop.path("tokens");
    fs::create_dir(&tokens).unwrap();
    let config = workshop.path("softhsm2.conf");
    let text_of = format!(
        "directories.tokendir = {}\nlog.level = ERROR\n",
        text(&tokens)
    );
    fs::write(&config, text_of).unwrap();
    let tool = |args: &[&str]| {
        let mut command = Command::new("softhsm2-util");
        let output = command.args(args).env("SOFTHSM2_CONF", &config).output();
        output.is_ok_and(|output| output.status.success())
    };
    let pins = ["--pin", "123456"];
    let made = tool(
        &[
            &[
                "--init-token",
                "--free",
                "--label",
                "press",
                "--so-pin",
                "654321",
            ],
            &pins[..],
        ]
        .concat(),
    );
    let key = workshop.path("keys/signer-key.pem");
    let key = [
        "--import",
        text(&key),
        "--token",
        "press",
        "--label",
        "signer",
        "--id",
        "01",
    ];
    (made && tool(&[&key, &pins[..]].concat())).then_some((module, config))
}

#[cfg(all(target_os = "linux", feature = "pkcs11"))]
#[test]
fn a_device_signs_and_its_key_is_in_no_idle_memory() {
    use crate::support::memory::copies;
    let workshop = Workshop::new();
    fs::remove_dir_all(workshop.path("keys")).unwrap();
    let made = run([
        "keys",
        "new",
        "--algorithm",
        "es256",
        "--out",
        text(&workshop.path("keys")),
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let Some((module, config)) = token(&workshop) else {
        eprintln!("SKIPPED: a_device_signs: there is no SoftHSM");
        return;
    };
    fs::write(workshop.path("pin"), "123456\n").unwrap();
    fs::write(workshop.path("wrong"), "999999\n").unwrap();
    only_for_me(&workshop, "pin");
    only_for_me(&workshop, "wrong");
    let device = |key: &'static str, pin: &'static str| {
        let mut command = sign_with(&workshop, &["--pkcs11-module", module]);
        command
            .env("SOFTHSM2_CONF", &config)
            .args(["--pkcs11-token", "press", "--pkcs11-key", key])
            .args(["--passphrase-file", pin]);
        command
    };
    finish(&mut device("signer", "wrong")).assert_refused(2, "refuses the PIN");
    finish(&mut device("nobody", "pin")).assert_refused(2, "no key of that label");
    assert_signed(&workshop, &finish(&mut device("signer", "pin")));

    // It has signed and waits for its time stamp.
    let der = pem::parse(fs::read(workshop.path("keys/signer-key.pem")).unwrap()).unwrap();
    let der = der.into_contents();
    let at = der
        .windows(3)
        .position(|part| part == [2, 1, 1])
        .map(|at| at + 5);
    let key = der[at.unwrap()..][..32].to_vec();
    let reversed: Vec<u8> = key.iter().rev().copied().collect();
    let certificate =
        pem::parse(fs::read(workshop.path("keys/signer-chain.pem")).unwrap()).unwrap();
    let mut command = device("signer", "pin");
    command.arg("--force");
    let waiting = Waiting::start(command, "--timestamp");
    waiting.question();
    let needles = [&key[..], &reversed, &certificate.contents()[40..120]];
    let found = copies(waiting.child.id(), needles);
    let run = waiting.finish(Reply::status("404 Not Found"));
    assert_eq!(run.code, Some(2), "{run:?}");
    let Some([keys, reversed, certificates]) = found else {
        eprintln!("SKIPPED: a_device_signs: this system shows no memory of other processes");
        return;
    };
    assert!(
        certificates > 0,
        "the search must be able to find something"
    );
    assert_eq!((keys, reversed), (0, 0), "copies of the key");
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
fn only_for_me(workshop: &Workshop, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(workshop.path(name), fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn only_for_me(_: &Workshop, _: &str) {}
