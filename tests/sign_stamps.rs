//! Time stamps from a real responder, OpenSSL's, behind a service on this machine; and from responders that
//! lie. Whatever is wrong with an answer, nothing is signed with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use provenance::{StampRequest, Timestamp};

use crate::support::{
    Run, folder,
    service::{Reply, Service},
    text,
    workshop::{Workshop, files, holds},
};

/// A time-stamping authority in a folder of its own.
struct Authority {
    folder: tempfile::TempDir,
    answered: AtomicUsize,
}

impl Authority {
    /// `None`, said aloud, where there is no OpenSSL.
    fn new() -> Option<Arc<Self>> {
        let authority = Self {
            folder: folder(),
            answered: AtomicUsize::new(0),
        };
        fs::write(authority.path("ts.cnf"), CONFIG).unwrap();
        fs::write(authority.path("serial"), "01\n").unwrap();
        let new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -config ts.cnf";
        let made = authority.openssl(&format!(
            "req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=Stamp_CA -extensions ca"
        )) && authority.openssl(&format!(
            "req -x509 {new} -keyout tsa.key -out tsa.pem -subj /CN=Stamps -extensions tsa -CA ca.pem -CAkey ca.key"
        ));
        if !made {
            eprintln!("SKIPPED: time stamps: there is no openssl 3 that can make an authority");
            return None;
        }
        Some(Arc::new(authority))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) -> bool {
        let mut command = Command::new("openssl");
        command
            .args(arguments.split(' '))
            .current_dir(self.folder.path());
        command.output().is_ok_and(|output| output.status.success())
    }

    /// The answer to a request.
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let number = self.answered.fetch_add(1, Ordering::SeqCst);
        let (query, reply) = (format!("{number}.tsq"), format!("{number}.tsr"));
        // A serial number of its own, for answers may be made at the same time.
        let config = CONFIG.replace("serial = serial", &format!("serial = serial{number}"));
        fs::write(self.path(&format!("{number}.cnf")), config).unwrap();
        fs::write(self.path(&format!("serial{number}")), "01\n").unwrap();
        fs::write(self.path(&query), request).unwrap();
        let arguments = format!(
            "ts -reply -config {number}.cnf -section tsa_config -queryfile {query} -out {reply}"
        );
        assert!(self.openssl(&arguments), "openssl {arguments}");
        fs::read(self.path(&reply)).unwrap()
    }

    fn serve(self: &Arc<Self>) -> Service {
        let authority = Arc::clone(self);
        Service::start(move |request| {
            assert!(request.head.contains("application/timestamp-query"));
            Reply::ok(authority.answer(&request.body))
        })
    }
}

const CONFIG: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa_config]
dir = .
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
";

fn sign(workshop: &Workshop, urls: &[&str]) -> Run {
    let mut args = vec![
        "--profile",
        "photo",
        "--out",
        "out",
        "--timestamp-timeout-s",
        "3",
    ];
    for url in urls {
        args.extend(["--timestamp", url]);
    }
    args.push("a.jpg");
    workshop.sign(&args)
}

#[track_caller]
fn assert_not_signed(workshop: &Workshop, run: &Run, word: &str) {
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains(word), "no \"{word}\" in {run:?}");
    let out = workshop.path("out");
    assert!(!out.exists() || files(&out).is_empty(), "{run:?}");
}

/// The time that the file's stamp states.
fn stamped(workshop: &Workshop, file: &Path) -> Option<Timestamp> {
    let found = workshop.verify(file, &[]);
    assert!(holds(&found), "{found}");
    let signed_at = found["signed_at"].as_str()?;
    Timestamp::parse_rfc3339(signed_at)
}

#[test]
fn a_stamp_is_embedded_and_found_again() {
    let Some(authority) = Authority::new() else {
        return;
    };
    let service = authority.serve();
    let workshop = Workshop::new();
    let plain = workshop.sign(&["--profile", "photo", "--out", "plain", "a.jpg"]);
    assert_eq!(plain.code, Some(0), "{plain:?}");
    let run = sign(&workshop, &[&service.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(service.calls(), 1);
    let file = workshop.path("out/a.jpg");
    let found = workshop.verify(&file, &[]);
    assert!(holds(&found), "{found}");
    let codes = found["codes"].to_string();
    assert!(codes.contains("timeStamp.validated"), "{found}");
    let none = workshop.verify(&workshop.path("plain/a.jpg"), &[]);
    assert!(!none["codes"].to_string().contains("timeStamp."), "{none}");
    let _ = stamped(&workshop, &file);
}

#[test]
fn the_next_authority_is_asked_when_one_fails() {
    let Some(authority) = Authority::new() else {
        return;
    };
    let good = authority.serve();
    let refuses = Service::start(|_| Reply::ok(REJECTION.to_vec()));
    let gone = Service::start(|_| Reply::status("404 Not Found"));
    let workshop = Workshop::new();
    let run = sign(&workshop, &[&gone.url, &refuses.url, &good.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((gone.calls(), refuses.calls(), good.calls()), (1, 1, 1));
    // One is enough: the good one is asked first and the others not at all.
    let workshop = Workshop::new();
    let run = sign(&workshop, &[&good.url, &gone.url]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!((gone.calls(), good.calls()), (1, 2));
    let workshop = Workshop::new();
    let run = sign(&workshop, &[&gone.url, &refuses.url]);
    assert_not_signed(&workshop, &run, "404, then ");
    assert!(run.err.contains("the authority refused"), "{run:?}");
}

/// `PKIStatus` rejection.
const REJECTION: [u8; 7] = [0x30, 5, 0x30, 3, 2, 1, 2];

#[test]
fn a_stamp_that_is_not_ours_is_never_embedded() {
    let Some(authority) = Authority::new() else {
        return;
    };
    let replay = Mutex::new(None::<Vec<u8>>);
    type Lie = Box<dyn Fn(&Authority, &[u8]) -> Vec<u8> + Send + Sync>;
    let lies: [(Lie, &str); 7] = [
        (Box::new(|_, _| b"hello".to_vec()), "no time-stamp response"),
        (Box::new(|_, _| Vec::new()), "no time-stamp response"),
        (Box::new(|_, _| vec![0x30; 70_000]), "longer than"),
        (
            Box::new(|_, _| vec![0x30, 5, 0x30, 3, 2, 1, 0]),
            "holds no time stamp",
        ),
        (
            // The same digest and another nonce.
            Box::new(|authority, request| {
                let mut other = request.to_vec();
                other[60] ^= 1;
                authority.answer(&other)
            }),
            "another question",
        ),
        (
            // The same nonce and another digest.
            Box::new(|authority, request| {
                let mut other = request.to_vec();
                other[30] ^= 1;
                authority.answer(&other)
            }),
            "another message",
        ),
        (
            // Everything as asked for, and the signature broken.
            Box::new(|authority, request| {
                let mut answer = authority.answer(request);
                let last = answer.len() - 3;
                answer[last] ^= 1;
                answer
            }),
            "signature does not hold",
        ),
    ];
    for (lie, word) in lies {
        let (workshop, liar) = (Workshop::new(), Arc::clone(&authority));
        let service = Service::start(move |request| Reply::ok(lie(&liar, &request.body)));
        let run = sign(&workshop, &[&service.url]);
        assert_not_signed(&workshop, &run, word);
    }
    // Yesterday's answer.
    let (workshop, honest) = (Workshop::new(), Arc::clone(&authority));
    let service = Service::start(move |request| {
        let mut kept = replay.lock().unwrap();
        let answer = kept.get_or_insert_with(|| honest.answer(&request.body));
        Reply::ok(answer.clone())
    });
    let first = sign(&workshop, &[&service.url]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let workshop = Workshop::new();
    assert_not_signed(
        &workshop,
        &sign(&workshop, &[&service.url]),
        "another question",
    );
}

#[test]
fn an_authority_that_is_slow_moved_or_down_is_given_up() {
    let target = Service::start(|_| Reply::status("500 Never asked"));
    let moved = format!("302 Found\r\nLocation: {}", target.url);
    let workshop = Workshop::new();
    let service = Service::start(move |_| Reply::status(&moved));
    assert_not_signed(&workshop, &sign(&workshop, &[&service.url]), "302");
    assert_eq!((service.calls(), target.calls()), (1, 0));
    let service = Service::start(|_| Reply::status("503 Busy"));
    assert_not_signed(&workshop, &sign(&workshop, &[&service.url]), "503, 3 times");
    assert_eq!(service.calls(), 3);
    let service = Service::start(|_| {
        std::thread::sleep(Duration::from_secs(30));
        Reply::status("500 Late")
    });
    let started = Instant::now();
    assert_not_signed(&workshop, &sign(&workshop, &[&service.url]), "3 times");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_clocks_must_agree_and_what_was_asked_is_what_openssl_reads() {
    let Some(authority) = Authority::new() else {
        return;
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_secs()).unwrap();
    for (difference, accepted) in [
        (0, true),
        (500, true),
        (-80_000, true),
        (700, false),
        (-90_000, false),
    ] {
        let request = StampRequest::new(b"a message", Timestamp(now + difference)).unwrap();
        let answer = authority.answer(&request.der());
        match request.check(&answer) {
            Ok(time) => assert!(
                accepted && time.0.abs_diff(now) < 60,
                "{difference}: {time}"
            ),
            Err(error) => {
                assert!(!accepted, "{difference}: {error}");
                assert!(error.to_string().contains("this machine"), "{error}");
            }
        }
    }
    let request = StampRequest::new(b"a message", Timestamp(now)).unwrap();
    let file = authority.path("q.tsq");
    fs::write(&file, request.der()).unwrap();
    let output = Command::new("openssl")
        .args(["ts", "-query", "-text", "-in", text(&file)])
        .output()
        .unwrap();
    let read = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in [
        "Version: 1",
        "Hash Algorithm: sha256",
        "Certificate required: yes",
        "Nonce: 0x",
    ] {
        assert!(read.contains(expected), "no {expected} in {read}");
    }
}
