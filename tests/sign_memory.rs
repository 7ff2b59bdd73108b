//! What a core dump of a signer would hold: the memory of one that has signed and waits is searched for the key. Each search
//! must find the certificate, or it proves nothing.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, mpsc},
    time::Duration,
};

use provenance::signer::Signer as _;

#[cfg(feature = "pkcs11")]
use crate::support::{finish, text};
use crate::{
    sign_elsewhere::{
        ED25519_SCRIPT, assert_signed, credential, only_for_me, sign_with, signer_command,
    },
    support::{
        Run,
        memory::copies,
        service::{Reply, Service},
        system,
        workshop::Workshop,
    },
};

/// A run that waits for a service of the test.
struct Waiting {
    child: Child,
    asked: mpsc::Receiver<Vec<u8>>,
    answer: mpsc::Sender<Reply>,
}

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

/// What is searched for.
pub(crate) struct Needles {
    /// The 32 secret bytes of a key.
    key: Vec<u8>,
    /// The same as libraries keep long numbers.
    reversed: Vec<u8>,
    /// Part of the key in the base64 of its file.
    text: Vec<u8>,
    /// Part of the certificate.
    certificate: Vec<u8>,
}

impl Needles {
    /// Those of the key and chain in `folder`.
    pub(crate) fn of(folder: &Path) -> Self {
        let pem = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let der = |text: &str| pem::parse(text).unwrap().into_contents();
        let key_pem = pem("signer-key.pem");
        let key = secret(&der(&key_pem));
        Self {
            reversed: key.iter().rev().copied().collect(),
            key,
            text: key_pem.lines().nth(1).unwrap().as_bytes()[24..].to_vec(),
            certificate: der(&pem("signer-chain.pem"))[40..120].to_vec(),
        }
    }

    /// Copies of the key, raw and as text, in a process that is known to hold the certificate; `None`, aloud, where this
    /// system shows no memory of other processes.
    pub(crate) fn copies(&self, process: u32) -> Option<[usize; 2]> {
        let all = [&self.key, &self.reversed, &self.text, &self.certificate];
        let Some([key, reversed, text, certificates]) = copies(process, all.map(Vec::as_slice))
        else {
            eprintln!("SKIPPED: sign_memory: this system shows no memory of other processes");
            return None;
        };
        assert!(
            certificates > 0,
            "the search must be able to find something"
        );
        Some([key + reversed, text])
    }
}

/// The secret in the PKCS#8 of an Ed25519 (RFC 8410) or P-256 key (RFC 5915).
fn secret(der: &[u8]) -> Vec<u8> {
    let behind = |mark: &[u8]| {
        let at = der.windows(mark.len()).position(|part| part == mark)?;
        Some(der[at + mark.len()..][..32].to_vec())
    };
    behind(&[4, 34, 4, 32])
        .or_else(|| behind(&[2, 1, 1, 4, 32]))
        .unwrap()
}

/// Lets it go on without a time stamp: the run fails after it has signed.
fn end_without_stamp(waiting: Waiting) {
    let run = waiting.finish(Reply::status("404 Not Found"));
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn a_signer_that_waits_for_its_service_holds_no_copy_of_the_key() {
    let workshop = Workshop::new();
    let waiting = Waiting::start(sign_with(&workshop, &[]), "--signer-url");
    let question = waiting.question();
    let found = Needles::of(&workshop.path("keys")).copies(waiting.child.id());
    let signature = credential(&workshop).sign(&question).unwrap();
    assert_signed(&workshop, &waiting.finish(Reply::ok(signature)));
    assert!(found.is_none_or(|found| found == [0, 0]), "{found:?}");
}

#[test]
fn a_signer_that_has_signed_elsewhere_holds_no_copy_of_the_key() {
    let workshop = Workshop::new();
    let needles = Needles::of(&workshop.path("keys"));
    let key = credential(&workshop);
    let service = Service::start(move |request| Reply::ok(key.sign(&request.body).unwrap()));
    let mut signers = vec![vec!["--signer-url", &service.url]];
    match system("openssl", &["version"]) {
        true => signers.push(signer_command(&["sh", "-c", ED25519_SCRIPT])),
        false => {
            eprintln!("SKIPPED: a_signer_that_has_signed: there is no openssl to be a command")
        }
    }
    for signer in signers {
        let waiting = Waiting::start(sign_with(&workshop, &signer), "--timestamp");
        waiting.question();
        let found = needles.copies(waiting.child.id());
        end_without_stamp(waiting);
        assert!(
            found.is_none_or(|found| found == [0, 0]),
            "{signer:?}: {found:?}"
        );
    }
}

/// A key out of a file has to be in memory, and is there once. Its file, its passphrase and what was decrypted on the way
/// are wiped.
#[test]
fn a_key_out_of_a_file_leaves_nothing_on_its_way() {
    let workshop = Workshop::new();
    let needles = Needles::of(&workshop.path("keys"));
    let waiting = Waiting::start(
        sign_with(&workshop, &["--key", "keys/signer-key.pem"]),
        "--timestamp",
    );
    waiting.question();
    let found = needles.copies(waiting.child.id());
    end_without_stamp(waiting);
    assert!(found.is_none_or(|found| found == [1, 0]), "{found:?}");

    let pem = fs::read_to_string(workshop.path("keys/signer-key.pem")).unwrap();
    let passphrase = "a horse of another colour";
    let key = provenance::PrivateKey::from_pem(pem.as_bytes(), None).unwrap();
    let locked = key.to_pem(Some(passphrase.as_bytes())).unwrap();
    fs::write(workshop.path("locked.pem"), locked.as_bytes()).unwrap();
    fs::write(workshop.path("passphrase"), passphrase).unwrap();
    only_for_me(&workshop, "locked.pem");
    only_for_me(&workshop, "passphrase");
    let signer = ["--key", "locked.pem", "--passphrase-file", "passphrase"];
    let waiting = Waiting::start(sign_with(&workshop, &signer), "--timestamp");
    waiting.question();
    let id = waiting.child.id();
    let found = needles.copies(id);
    let words = copies(id, [passphrase.as_bytes()]);
    end_without_stamp(waiting);
    assert!(found.is_none_or(|found| found == [1, 0]), "{found:?}");
    assert!(words.is_none_or(|words| words == [0]), "{words:?}");
}

/// A SoftHSM token of its own with the workshop's key under the label `signer`.
#[cfg(feature = "pkcs11")]
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

#[cfg(feature = "pkcs11")]
#[test]
fn a_device_signs_and_its_key_is_in_no_idle_memory() {
    for algorithm in ["es256", "ed25519"] {
        let workshop = Workshop::of(algorithm);
        let Some((module, config)) = token(&workshop) else {
            eprintln!("SKIPPED: a_device_signs: there is no SoftHSM that takes {algorithm}");
            continue;
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

        let mut again = device("signer", "pin");
        again.arg("--force");
        let waiting = Waiting::start(again, "--timestamp");
        waiting.question();
        let found = Needles::of(&workshop.path("keys")).copies(waiting.child.id());
        end_without_stamp(waiting);
        assert!(
            found.is_none_or(|found| found == [0, 0]),
            "{algorithm}: {found:?}"
        );
    }
}
