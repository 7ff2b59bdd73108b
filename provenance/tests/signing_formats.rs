//! Every format that can be signed: what is written is read back by our judge and by the plain c2pa
//! reader, and a publisher's signature over a creator's keeps both in the history.

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use media::{Kind, Limits, Media};
use provenance::{
    BrokenHistory, Content, History, Judge, ManifestState, Profile, SignError, SignRequest,
    Signature, SignerStatus, Statement, Timestamp, TrustStore, keys::DevelopmentChain, sign,
};

use crate::{
    signing::{chain, credential, media, now, picture},
    signing_files,
};

/// A creator, a publisher, and everybody who trusts both.
struct World {
    creator: DevelopmentChain,
    publisher: DevelopmentChain,
    readers: Readers,
}

/// Our judge and the plain c2pa reader, trusting the same roots.
pub(crate) struct Readers {
    judge: Judge,
    reader: Arc<c2pa::Context>,
}

impl Readers {
    /// Readers who trust the roots of these PEM texts and no others.
    pub(crate) fn trusting(roots: [&str; 2]) -> Self {
        let mut store = TrustStore::empty();
        let mut anchors = Vec::new();
        for pem in roots {
            store.add_anchors_pem("root.pem", pem.as_bytes()).unwrap();
            anchors.push(serde_json::json!({
                "trust_anchors": pem, "trust_uri": "root", "trust_kind": "manifest",
            }));
        }
        let settings = serde_json::json!({
            "trust": { "anchors": anchors },
            "verify": { "remote_manifest_fetch": false },
        });
        let reader = c2pa::Context::new()
            .with_settings(settings.to_string().as_str())
            .unwrap();
        Self {
            judge: Judge::new(store).unwrap(),
            reader: Arc::new(reader),
        }
    }

    /// Intact, sound, trusted by its root, for us and for the plain reader.
    pub(crate) fn check(&self, written: &Media, manifests: usize, at: Timestamp) {
        let name = &written.name.display;
        let found = self.judge.judge(written, None, at);
        assert_eq!(found.manifest, ManifestState::Embedded, "{name}");
        assert_eq!(found.content, Content::Intact, "{name}");
        assert_eq!(found.signature, Signature::Ok, "{name}");
        assert_eq!(found.signer.status, SignerStatus::Local, "{name}");
        let history = match manifests {
            1 => History::None,
            _ => History::Ok { manifests },
        };
        assert_eq!(found.history, history, "{name}");
        assert_eq!(found.manifests.len(), manifests, "{name}");
        let reader = c2pa::Reader::from_shared_context(&self.reader)
            .with_stream(written.kind.mime(), Cursor::new(written.bytes()))
            .unwrap();
        let state = reader.validation_state();
        assert_eq!(state, c2pa::ValidationState::Trusted, "{name}: {reader}");
        assert_eq!(reader.manifests().len(), manifests, "{name}");
    }
}

impl World {
    fn new() -> Self {
        let (creator, publisher) = (chain(21), chain(31));
        Self {
            readers: Readers::trusting([&creator.ca_cert_pem, &publisher.ca_cert_pem]),
            creator,
            publisher,
        }
    }

    /// Signs as the creator, then as the publisher, and reads back both.
    fn sign_twice(&self, source: &Media) {
        let capture = Profile::of(Statement::Capture);
        let made = sign(
            source,
            &SignRequest::new(&capture, now()),
            &credential(&self.creator),
            None,
        )
        .unwrap();
        self.readers.check(&made.media, 1, now());
        let publish = Profile::shipped("publish").unwrap();
        let published = sign(
            &made.media,
            &SignRequest::new(&publish, now()),
            &credential(&self.publisher),
            None,
        )
        .unwrap();
        self.readers.check(&published.media, 2, now());
    }
}

#[test]
fn every_format_is_signed_twice_and_keeps_both() {
    let world = World::new();
    let kinds: Vec<Kind> = signing_files::all()
        .into_iter()
        .map(|(name, bytes)| {
            let source = media(name, bytes);
            let declared = Kind::from_extension(name.split_once('.').unwrap().1);
            assert_eq!(Some(source.kind), declared, "{name} is what it says");
            world.sign_twice(&source);
            source.kind
        })
        .collect();
    let library = c2pa::Builder::supported_mime_types();
    for kind in EVERY {
        // The library lists the formats that it only reads as well.
        let read_only = matches!(kind, Kind::Pdf | Kind::C2pa);
        let writable = library.iter().any(|format| format == kind.mime()) && !read_only;
        assert_eq!(kinds.contains(&kind), writable, "{kind:?}");
    }
}

#[test]
fn what_cannot_carry_a_manifest_is_refused() {
    let world = World::new();
    let publish = Profile::shipped("publish").unwrap();
    for (name, bytes) in [
        ("a.bmp", picture(image::ImageFormat::Bmp)),
        ("a.pdf", b"%PDF-1.4\n%%EOF\n".to_vec()),
        ("a.txt", b"text".to_vec()),
        ("empty", Vec::new()),
    ] {
        let source = media(name, bytes);
        let request = SignRequest::new(&publish, now());
        let error = sign(&source, &request, &credential(&world.publisher), None).unwrap_err();
        assert!(
            matches!(error, SignError::UnsupportedKind { .. }),
            "{name}: {error}"
        );
    }
}

/// Files of other people's making, where the corpus is at hand.
#[test]
fn real_files_are_signed_twice_and_keep_both() {
    let Some(folder) = corpus() else { return };
    let world = World::new();
    let mut tried = 0;
    let table = fs::read_to_string(folder.join("cases.tsv")).unwrap();
    for line in table.lines().skip(1) {
        let mut columns = line.split('\t');
        let (file, _, manifest) = (columns.next(), columns.next(), columns.next());
        if manifest != Some("none") {
            continue;
        }
        let source = Media::open(&folder.join(file.unwrap()), &Limits::default()).unwrap();
        if matches!(source.kind, Kind::Pdf | Kind::Unknown) || BROKEN.contains(&file.unwrap()) {
            continue;
        }
        world.sign_twice(&source);
        tried += 1;
    }
    assert!(tried >= 20, "{tried}");
}

/// A publisher signs over what others have signed: what held is kept, what does not hold is refused.
#[test]
fn signing_over_the_corpus_keeps_what_holds_and_refuses_what_does_not() {
    let Some(folder) = corpus() else { return };
    let world = World::new();
    let publish = Profile::shipped("publish").unwrap();
    let (mut kept, mut refused) = (0, 0);
    for entry in fs::read_dir(folder.join("files")).unwrap() {
        let source = Media::open(&entry.unwrap().path(), &Limits::default()).unwrap();
        let before = world.readers.judge.judge(&source, None, now());
        if before.manifest != ManifestState::Embedded || source.bytes().len() > 1 << 20 {
            continue;
        }
        let request = SignRequest::new(&publish, now());
        match sign(&source, &request, &credential(&world.publisher), None) {
            Ok(signed) => {
                let after = &signed.provenance;
                assert_eq!(after.manifests.len(), before.manifests.len() + 1);
                assert_eq!(before.content, Content::Intact);
                kept += 1;
            }
            Err(SignError::BrokenHistory(_)) => {
                let sound = before.content == Content::Intact
                    && before.signature == Signature::Ok
                    && matches!(before.history, History::Ok { .. });
                assert!(!sound, "{}", source.name.display);
                refused += 1;
            }
            Err(SignError::UnsupportedKind { .. }) => {}
            Err(other) => panic!("{}: {other}", source.name.display),
        }
    }
    println!("kept {kept}, refused {refused}");
    assert!(kept >= 20 && refused >= 5);
}

#[test]
fn a_broken_history_is_refused_unless_asked_for() {
    let world = World::new();
    let publish = Profile::shipped("publish").unwrap();
    let capture = Profile::of(Statement::Capture);
    let request = SignRequest::new(&capture, now());
    let source = media("a.jpg", signing_files::jpeg(64));
    let made = sign(&source, &request, &credential(&world.creator), None).unwrap();
    let request = SignRequest::new(&publish, now());
    assert!(sign(&made.media, &request, &credential(&world.publisher), None).is_ok());
    let mut bytes = made.media.into_bytes();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    let altered = media("a.jpg", bytes);
    let error = sign(&altered, &request, &credential(&world.publisher), None).unwrap_err();
    assert!(matches!(error, SignError::BrokenHistory(_)), "{error}");
    assert!(error.to_string().contains("dataHash"), "{error}");
    let asked = SignRequest {
        broken_history: BrokenHistory::DangerousAccept,
        ..request
    };
    let signed = sign(&altered, &asked, &credential(&world.publisher), None).unwrap();
    let found = world.readers.judge.judge(&signed.media, None, now());
    assert_eq!(found.content, Content::Intact);
    assert!(
        matches!(found.history, History::Defects { .. }),
        "{found:?}"
    );
    // The same for a parent that is given.
    let edit = Profile::of(Statement::Edit);
    let request = SignRequest {
        parent: Some(&altered),
        ..SignRequest::new(&edit, now())
    };
    let error = sign(&source, &request, &credential(&world.publisher), None).unwrap_err();
    assert!(matches!(error, SignError::BrokenHistory(_)), "{error}");
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/c2pa");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: ../shared/corpus is not here");
    None
}

/// Files of the corpus that no writer takes: an MP3 whose tag is damaged on purpose.
const BROKEN: [&str; 1] = ["files/e7d9bfb1b445-id3v23_compression_underflow.mp3"];

const EVERY: [Kind; 22] = [
    Kind::Jpeg,
    Kind::Png,
    Kind::WebP,
    Kind::Gif,
    Kind::Tiff,
    Kind::Dng,
    Kind::Bmp,
    Kind::Avif,
    Kind::Heic,
    Kind::Heif,
    Kind::Jxl,
    Kind::Svg,
    Kind::Mp4,
    Kind::QuickTime,
    Kind::M4a,
    Kind::Avi,
    Kind::Mp3,
    Kind::Wav,
    Kind::Flac,
    Kind::Pdf,
    Kind::C2pa,
    Kind::Unknown,
];
