//! Bytes in, report out, with the real judge and certificates made in the test.

use std::{io, time::Duration};

use media::{Kind, LimitKind, Limits, MediaError, Name};
use provenance::{Judge, Statement, TrustStore};
use serde_json::Value;
use verdict::{
    CheckError, Code, DetectorSlot, Examiner, Options, Policy, ReasonCode, Report, Scope,
    report::{
        ContentState, DetectionReason, DetectionStatus, ManifestState, SignatureState, SignerStatus,
    },
};

use crate::{
    files::{chain, checked, jpeg, media, sign_as, signed},
    support::NOW,
};

fn examiner(store: TrustStore) -> Examiner {
    Examiner::new(
        Judge::new(store).unwrap(),
        DetectorSlot::NoModel,
        Policy::default(),
        Limits::default(),
    )
}

fn trusting() -> Examiner {
    let mut store = TrustStore::empty();
    store
        .add_anchors_pem("test root", chain().ca_cert_pem.as_bytes())
        .unwrap();
    examiner(store)
}

fn scoped(scope: Scope) -> Options<'static> {
    Options {
        scope,
        ..Options::at(NOW)
    }
}

fn examine(examiner: &Examiner, bytes: Vec<u8>, scope: Scope) -> Report {
    checked(examiner.examine(&media("a.jpg", bytes), &scoped(scope)))
}

fn error_code(report: &Report) -> Option<&str> {
    report.error.as_ref().map(|error| error.code.as_str())
}

#[test]
fn a_trusted_photo_is_verified_and_an_unknown_signer_proves_nothing() {
    let trusted = examine(&trusting(), signed(Statement::Capture), Scope::Provenance);
    assert_eq!(trusted.verdict.code, Code::VerifiedOrigin, "{trusted:#?}");
    assert_eq!(trusted.provenance.signer.status, SignerStatus::Local);
    assert_eq!(trusted.error, None);
    let unknown = examine(
        &examiner(TrustStore::empty()),
        signed(Statement::Capture),
        Scope::Provenance,
    );
    assert_eq!(unknown.verdict.code, Code::Inconclusive);
    assert_eq!(unknown.provenance.signature, SignatureState::Ok);
    let first = &unknown.verdict.reasons[0];
    assert_eq!(first.code, ReasonCode::PixelsNotExamined);
    assert!(
        unknown
            .verdict
            .reasons
            .iter()
            .any(|reason| reason.code == ReasonCode::OriginNotProven)
    );
}

#[test]
fn an_admission_is_believed_from_anyone() {
    for profile in [Statement::Ai, Statement::AiEdit] {
        let expected = if profile == Statement::Ai {
            Code::DeclaredAi
        } else {
            Code::DeclaredAiEdit
        };
        let report = examine(
            &examiner(TrustStore::empty()),
            signed(profile),
            Scope::Provenance,
        );
        assert_eq!(report.verdict.code, expected, "{report:#?}");
    }
}

#[test]
fn one_changed_pixel_byte_is_altered() {
    let mut bytes = signed(Statement::Capture);
    let at = bytes.len() - 3;
    bytes[at] ^= 1;
    let report = examine(&trusting(), bytes, Scope::Provenance);
    assert_eq!(report.verdict.code, Code::Altered);
    assert_eq!(report.provenance.content, ContentState::Altered);
    assert!(report.verdict.review);
}

#[test]
fn an_unsigned_file_whose_pixels_nobody_asked_for_is_inconclusive() {
    let report = examine(&trusting(), jpeg(), Scope::Provenance);
    assert_eq!(report.verdict.code, Code::Inconclusive);
    assert_eq!(report.detection.status, DetectionStatus::NotRun);
    assert_eq!(report.detection.reason, Some(DetectionReason::NotRequested));
    assert_eq!(report.error, None);
    assert!(report.timing_ms.provenance.is_some());
    assert_eq!(
        (report.timing_ms.decode, report.timing_ms.inference),
        (None, None)
    );
}

#[test]
fn without_a_model_provenance_still_decides_and_the_rest_is_an_error() {
    for (slot, code, reason) in [
        (DetectorSlot::NoModel, "no_model", DetectionReason::NoModel),
        (
            DetectorSlot::NoRuntime,
            "no_runtime",
            DetectionReason::NoRuntime,
        ),
    ] {
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let examiner = Examiner::new(judge, slot, Policy::default(), Limits::default());
        let unsigned = examine(&examiner, jpeg(), Scope::Both);
        assert_eq!(unsigned.verdict.code, Code::NotAnalysed);
        assert_eq!(error_code(&unsigned), Some(code));
        let declared = examine(&examiner, signed(Statement::Ai), Scope::Both);
        assert_eq!(declared.verdict.code, Code::DeclaredAi);
        assert_eq!(declared.detection.reason, Some(reason));
        assert_eq!(declared.error, None);
    }
}

#[test]
fn asking_for_pixels_alone_leaves_provenance_unchecked() {
    let report = examine(&trusting(), signed(Statement::Ai), Scope::Detection);
    assert_eq!(report.provenance.manifest, ManifestState::NotChecked);
    assert_eq!(report.provenance.history.manifests, None);
    assert_eq!(report.verdict.code, Code::NotAnalysed);
    assert_eq!(report.timing_ms.provenance, None);
}

#[test]
fn the_time_of_reading_is_part_of_the_total() {
    let read = Some(Duration::from_millis(1_500));
    let options = Options {
        read,
        ..scoped(Scope::Provenance)
    };
    let timing = trusting()
        .examine(&media("a.jpg", jpeg()), &options)
        .timing_ms;
    assert_eq!(timing.read, Some(1_500.0));
    assert!(timing.total >= 1_500.0 + timing.provenance.unwrap());
}

#[test]
fn a_sidecar_given_beside_the_file_is_judged() {
    let signed = sign_as(Statement::Capture, jpeg(), true);
    let options = Options {
        sidecar: Some(&signed.manifest),
        ..scoped(Scope::Provenance)
    };
    let report = checked(trusting().examine(&media("a.jpg", signed.media.into_bytes()), &options));
    assert_eq!(report.provenance.manifest, ManifestState::Sidecar);
    assert_eq!(report.verdict.code, Code::VerifiedOrigin, "{report:#?}");
}

#[test]
fn a_file_that_cannot_be_opened_gets_its_report() {
    let examiner = trusting();
    let refuse =
        |error: MediaError| checked(examiner.refuse(&Name::from_text("b.jpg"), &error, NOW));
    let denied = refuse(MediaError::Io(io::Error::from(
        io::ErrorKind::PermissionDenied,
    )));
    assert_eq!(denied.verdict.code, Code::NotAnalysed);
    assert_eq!(error_code(&denied), Some("unreadable"));
    assert_eq!(denied.media.sha256, None);
    assert_eq!(denied.provenance.manifest, ManifestState::NotChecked);
    let large = refuse(MediaError::LimitExceeded {
        which: LimitKind::Bytes,
        found: 99,
        limit: 9,
    });
    assert_eq!(error_code(&large), Some("limit_exceeded:bytes"));
    assert_eq!(large.media.bytes, Some(99));
    assert_eq!(large.detection.reason, Some(DetectionReason::LimitExceeded));
    assert_eq!(
        error_code(&refuse(MediaError::NotAFile)),
        Some("not_a_file")
    );
    let many = refuse(MediaError::UnsupportedKind { kind: Kind::Mp4 });
    assert_eq!(error_code(&many), Some("unsupported_kind"));
}

#[test]
fn hostile_bytes_always_give_a_report() {
    let examiner = trusting();
    let whole = signed(Statement::Capture);
    let mut cases = vec![Vec::new(), vec![0; 64], b"\xff\xd8\xff".to_vec()];
    cases.extend(
        (0..whole.len())
            .step_by(97)
            .map(|end| whole[..end].to_vec()),
    );
    for bytes in cases {
        let report = examine(&examiner, bytes, Scope::Both);
        assert_ne!(report.verdict.code, Code::VerifiedOrigin);
    }
}

#[test]
fn the_same_bytes_give_the_same_report() {
    let examiner = trusting();
    let bytes = signed(Statement::Capture);
    let once = || {
        let mut report = examine(&examiner, bytes.clone(), Scope::Both);
        report.timing_ms = verdict::report::Timing::default();
        report
    };
    assert_eq!(once(), once());
}

/// Everything `examine` says about one fixed file, timings aside.
#[test]
fn a_whole_report_is_as_committed() {
    let bytes = include_bytes!("../src/readiness.jpg").to_vec();
    let mut report = examine(&examiner(TrustStore::empty()), bytes, Scope::Both);
    report.timing_ms = verdict::report::Timing::default();
    report.engine.version = "0.0.0".to_owned();
    let expected: Value = serde_json::from_str(include_str!("samples/readiness.json")).unwrap();
    let found = serde_json::to_value(report).unwrap();
    assert_eq!(found, expected, "{found:#}");
}

#[test]
fn readiness_names_what_is_missing() {
    let check = |slot| {
        let judge = Judge::new(TrustStore::empty()).unwrap();
        Examiner::new(judge, slot, Policy::default(), Limits::default())
            .check()
            .unwrap_err()
    };
    assert!(matches!(check(DetectorSlot::NoModel), CheckError::NoModel));
    assert!(matches!(
        check(DetectorSlot::NoRuntime),
        CheckError::NoRuntime
    ));
    let limits = Limits {
        max_bytes: 10,
        ..Limits::default()
    };
    let judge = Judge::new(TrustStore::empty()).unwrap();
    let narrow = Examiner::new(judge, DetectorSlot::NoModel, Policy::default(), limits);
    assert!(matches!(narrow.check(), Err(CheckError::Limits(_))));
}
