//! With the models that ship and the ONNX Runtime that set-up installs: pixels take part in the verdict.
//!
//! The model will change, so nothing here rests on what it thinks of a picture.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use detector::{Batching, Detector, Provider, Settings};
use media::{Limits, Media, Name};
use provenance::{Judge, Statement, TrustStore};
use verdict::{
    Code, DetectorSlot, Examiner, Options, Policy, Report,
    report::{DetectionReason, DetectionStatus},
};

use crate::{
    files::{chain, checked, jpeg, jpeg_of, sign_as},
    support::NOW,
};

static EXAMINER: LazyLock<Examiner> = LazyLock::new(|| examiner(Limits::default()));

fn examiner(limits: Limits) -> Examiner {
    let mut store = TrustStore::empty();
    store
        .add_anchors_pem("test root", chain().ca_cert_pem.as_bytes())
        .unwrap();
    let settings = Settings {
        models_dir: root().join("models"),
        runtime: Some(runtime()),
        provider: Provider::Cpu,
        workers: 1,
        batching: Batching::NONE,
    };
    let detector = DetectorSlot::Ready(Detector::load(&settings).unwrap());
    Examiner::new(
        Judge::new(store).unwrap(),
        detector,
        Policy::default(),
        limits,
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Panics when there is none: a skipped test would look like a passed one.
#[expect(
    clippy::disallowed_methods,
    reason = "a test resolves its own set-up, as a program's start does"
)]
fn runtime() -> PathBuf {
    if let Ok(path) = std::env::var("ORT_DYLIB_PATH") {
        return path.into();
    }
    let folder = root().join("target/onnxruntime");
    let files = fs::read_dir(folder).into_iter().flatten();
    files
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libonnxruntime.")
        })
        .expect("no ONNX Runtime: run `cargo xtask setup` or set ORT_DYLIB_PATH")
}

fn examine(name: &str, bytes: Vec<u8>) -> Report {
    let media = Media::from_bytes(Name::from_text(name), None, bytes, &Limits::default()).unwrap();
    checked(EXAMINER.examine(&media, &Options::at(NOW)))
}

fn error_code(report: &Report) -> Option<&str> {
    report.error.as_ref().map(|error| error.code.as_str())
}

#[test]
fn it_is_ready() {
    EXAMINER.check().unwrap();
}

#[test]
fn a_scored_picture_has_its_numbers_its_model_and_its_timings() {
    let report = examine("a.jpg", jpeg_of(512));
    let detection = &report.detection;
    let scored = [
        DetectionStatus::LikelySynthetic,
        DetectionStatus::Suspicious,
        DetectionStatus::Inconclusive,
        DetectionStatus::NoEvidence,
    ];
    assert!(scored.contains(&detection.status), "{report:#?}");
    assert_eq!(detection.reason, None);
    let probability = detection.probability.unwrap();
    let from_llr = 1.0 / (1.0 + (-detection.llr.unwrap()).exp());
    assert!(
        (probability - from_llr).abs() < 2e-4,
        "{probability} {from_llr}"
    );
    let model = &detection.models[0];
    assert_eq!(
        report.engine.models[0],
        format!("{}@{}", model.name, model.version)
    );
    let timing = report.timing_ms;
    let stages = [timing.provenance, timing.decode, timing.inference];
    let sum: f64 = stages.iter().map(|stage| stage.unwrap()).sum();
    assert!(sum > 0.0 && sum <= timing.total + 0.01, "{timing:?}");
    assert_eq!(report.error, None);
}

#[test]
fn the_same_pixels_give_the_same_score() {
    let once = || examine("a.jpg", jpeg_of(300)).detection;
    assert_eq!(once(), once());
}

#[test]
fn a_picture_too_small_for_the_models_is_inconclusive_and_no_error() {
    let report = examine("a.jpg", jpeg());
    assert_eq!(report.detection.status, DetectionStatus::NotApplicable);
    assert_eq!(report.detection.reason, Some(DetectionReason::TooSmall));
    assert_eq!(report.verdict.code, Code::Inconclusive);
    assert_eq!(report.error, None);
}

#[test]
fn a_damaged_picture_is_not_analysed() {
    let mut bytes = jpeg_of(512);
    bytes.truncate(400);
    let report = examine("a.jpg", bytes);
    assert_eq!(report.verdict.code, Code::NotAnalysed);
    assert_eq!(report.detection.status, DetectionStatus::Failed);
    assert_eq!(error_code(&report), Some("damaged"));
    assert_eq!(report.timing_ms.inference, None);
}

#[test]
fn a_kind_without_pixels_is_an_error_only_where_nothing_else_decides() {
    let mut film = vec![0, 0, 0, 20];
    film.extend(b"ftypmp42\0\0\0\0mp42");
    let report = examine("a.mp4", film);
    assert_eq!(report.media.kind.as_deref(), Some("video/mp4"));
    assert_eq!(report.verdict.code, Code::NotAnalysed);
    assert_eq!(report.detection.status, DetectionStatus::NotApplicable);
    assert_eq!(error_code(&report), Some("unsupported_kind"));
    assert!(report.verdict.summary.starts_with("This file "));
}

#[test]
fn a_limit_keeps_what_the_file_says_and_names_itself() {
    let narrow = examiner(Limits {
        max_pixels: 100,
        ..Limits::default()
    });
    let examine = |bytes| {
        let media = Media::from_bytes(Name::from_text("a.jpg"), None, bytes, &Limits::default());
        checked(narrow.examine(&media.unwrap(), &Options::at(NOW)))
    };
    let unsigned = examine(jpeg());
    assert_eq!(unsigned.verdict.code, Code::NotAnalysed);
    assert_eq!(error_code(&unsigned), Some("limit_exceeded:pixels"));
    let declared = examine(sign_as(Statement::Ai, jpeg(), false).media.into_bytes());
    assert_eq!(declared.verdict.code, Code::DeclaredAi);
    assert_eq!(
        declared.detection.reason,
        Some(DetectionReason::LimitExceeded)
    );
    assert_eq!(error_code(&declared), Some("limit_exceeded:pixels"));
}

/// Provenance and pixels meet: a trusted photo is verified or in conflict, by the pixels alone.
#[test]
fn a_trusted_photo_is_still_looked_at() {
    let report = examine(
        "a.jpg",
        sign_as(Statement::Capture, jpeg_of(512), false)
            .media
            .into_bytes(),
    );
    let alarmed = report.detection.status == DetectionStatus::LikelySynthetic;
    let expected = if alarmed {
        Code::Conflict
    } else {
        Code::VerifiedOrigin
    };
    assert_eq!(report.verdict.code, expected);
    assert!(report.timing_ms.inference.is_some());
}
