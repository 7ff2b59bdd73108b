//! Time stamps in manifests: at signing, and afterwards by an update manifest. The authority is OpenSSL's,
//! with certificates made for the test; nothing is sent over a network.

use std::{
    fs,
    io::Cursor,
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock, PoisonError},
};

use media::Media;
use provenance::{
    Content, History, Judge, Profile, SignError, SignRequest, Signature, Signed, StampRequest,
    Statement, Time, TimeStamper, TrustStore, sign, stamp_later,
};

use crate::{
    signing::{chain, credential, media, now},
    signing_files,
};

/// A time-stamping authority in a folder of its own.
struct Authority {
    folder: PathBuf,
    /// OpenSSL keeps the number of the last stamp in a file and locks nothing.
    turn: Mutex<()>,
}

impl Authority {
    /// The one authority of this process; `None` where OpenSSL is not installed.
    fn get() -> Option<&'static Self> {
        static ONE: OnceLock<Option<Authority>> = OnceLock::new();
        let one = ONE.get_or_init(Self::make).as_ref();
        if one.is_none() {
            println!("SKIPPED: openssl is not installed");
        }
        one
    }

    fn make() -> Option<Self> {
        Command::new("openssl").arg("version").output().ok()?;
        let folder = std::env::temp_dir().join(format!("bonafide-tsa-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("tsa.cnf"), CONFIGURATION).unwrap();
        fs::write(folder.join("serial"), "01\n").unwrap();
        let authority = Self {
            folder,
            turn: Mutex::new(()),
        };
        for arguments in CERTIFICATES {
            authority.openssl(&arguments.split(' ').collect::<Vec<_>>());
        }
        Some(authority)
    }

    fn openssl(&self, arguments: &[&str]) {
        let run = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{arguments:?}: {said}");
    }

    fn root(&self) -> Vec<u8> {
        fs::read(self.folder.join("ca.pem")).unwrap()
    }
}

impl TimeStamper for Authority {
    fn stamp(&self, request: &StampRequest<'_>) -> Result<Vec<u8>, SignError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        fs::write(self.folder.join("query"), request.der()).unwrap();
        let head = ["ts", "-reply", "-config", "tsa.cnf", "-section", "tsa"];
        let rest = ["-queryfile", "query", "-out", "reply"];
        self.openssl(&[&head[..], &rest].concat());
        Ok(fs::read(self.folder.join("reply")).unwrap())
    }
}

/// Answers with the stamp of something else.
struct Liar(&'static Authority);

impl TimeStamper for Liar {
    fn stamp(&self, request: &StampRequest<'_>) -> Result<Vec<u8>, SignError> {
        let _ = request;
        self.0.stamp(&StampRequest::new(b"something else", now())?)
    }
}

/// Trusts the test's signer and the test's authority.
fn judge(authority: &Authority) -> Judge {
    let folder = authority
        .folder
        .join(format!("lists-{:?}", std::thread::current().id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("c2pa-trust-list.pem"), &chain(1).ca_cert_pem).unwrap();
    fs::write(folder.join("c2pa-tsa-trust-list.pem"), authority.root()).unwrap();
    Judge::new(TrustStore::from_folder(&folder).unwrap()).unwrap()
}

fn signed(source: &Media, stamper: Option<&dyn TimeStamper>) -> Result<Signed, SignError> {
    let profile = Profile::of(Statement::Capture);
    let request = SignRequest::new(&profile, now());
    sign(source, &request, &credential(&chain(1)), stamper)
}

#[test]
fn a_stamp_is_embedded_and_trusted_by_its_own_list() {
    let Some(authority) = Authority::get() else {
        return;
    };
    let source = media("a.jpg", signing_files::jpeg(64));
    let stamped = signed(&source, Some(authority)).unwrap();
    let found = judge(authority).judge(&stamped.media, None, now());
    assert!(matches!(found.time, Time::TrustedStamp(at) if at.0.abs_diff(now().0) < 60));
    assert!(matches!(stamped.provenance.time, Time::UntrustedStamp(_)));
    println!("manifest with a stamp: {} bytes", stamped.manifest.len());
}

#[test]
fn a_stamp_of_something_else_is_never_embedded() {
    let Some(authority) = Authority::get() else {
        return;
    };
    let source = media("a.jpg", signing_files::jpeg(64));
    let error = signed(&source, Some(&Liar(authority))).unwrap_err();
    assert!(matches!(error, SignError::TimeStamp(_)), "{error}");
    let plain = signed(&source, None).unwrap();
    let credential = credential(&chain(1));
    let error = stamp_later(&plain.media, now(), &credential, &Liar(authority)).unwrap_err();
    assert!(matches!(error, SignError::TimeStamp(_)), "{error}");
}

/// In every format; the plain reader must agree.
#[test]
fn a_later_stamp_leaves_content_and_history_whole() {
    let Some(authority) = Authority::get() else {
        return;
    };
    let judge = judge(authority);
    let credential = credential(&chain(1));
    for (name, bytes) in signing_files::all() {
        let plain = signed(&media(name, bytes), None).unwrap();
        assert_eq!(plain.provenance.time, Time::InsideValidity);
        let stamped = stamp_later(&plain.media, now(), &credential, authority);
        let stamped = stamped.unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = judge.judge(&stamped.media, None, now());
        assert_eq!(found.content, Content::Intact, "{name}");
        assert_eq!(found.signature, Signature::Ok, "{name}");
        assert_eq!(found.history, History::Ok { manifests: 2 }, "{name}");
        assert!(matches!(found.time, Time::TrustedStamp(_)), "{name}");
        let reader = c2pa::Reader::default()
            .with_stream(
                stamped.media.kind.mime(),
                Cursor::new(stamped.media.bytes()),
            )
            .unwrap();
        assert_ne!(
            reader.validation_state(),
            c2pa::ValidationState::Invalid,
            "{name}: {reader}"
        );
        assert!(reader.json().contains("c2pa.time-stamp"), "{name}");
        // An update binds nothing of its own: a changed byte is still found.
        let mut bytes = stamped.media.into_bytes();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let found = judge.judge(&media(name, bytes), None, now());
        assert_ne!(
            (found.content, found.signature),
            (Content::Intact, Signature::Ok),
            "{name}"
        );
    }
}

#[test]
fn only_what_is_signed_and_sound_is_stamped_later() {
    let Some(authority) = Authority::get() else {
        return;
    };
    let credential = credential(&chain(1));
    let source = media("a.jpg", signing_files::jpeg(64));
    let error = stamp_later(&source, now(), &credential, authority).unwrap_err();
    assert!(matches!(error, SignError::NothingToStamp), "{error}");
    let mut bytes = signed(&source, None).unwrap().media.into_bytes();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    let error = stamp_later(&media("a.jpg", bytes), now(), &credential, authority).unwrap_err();
    assert!(matches!(error, SignError::BrokenHistory(_)), "{error}");
}

const CERTIFICATES: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
     -days 30 -config tsa.cnf -extensions root -subj /CN=Test-TSA-root",
    "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tsa.key -out tsa.csr \
     -config tsa.cnf -subj /O=Test/CN=Test-TSA",
    "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out tsa.pem -days 20 \
     -extfile tsa.cnf -extensions leaf",
];

const CONFIGURATION: &str = "
[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
";
