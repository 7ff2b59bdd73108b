//! Evidence built field by field, each builder named for the one thing it says.

use detector::{Applicability, Detection, Llr, Logit, ModelReading, Provider, Score, View};
use media::{Digest, Kind};
use provenance::{
    Action, Ai, AiStatus, Content, History, Manifest, ManifestState, Origin, Place, Provenance,
    Signature, SignerStatus, StatusCode, Time, Timestamp,
};
use verdict::{Code, Evidence, Policy, Subject, Verdict, decide};

/// 2026-11-25T00:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_795_564_800);

pub(crate) fn code(text: &str) -> StatusCode {
    StatusCode(text.to_owned())
}

pub(crate) fn unsigned() -> Provenance {
    Provenance {
        manifest: ManifestState::None,
        ..Provenance::not_checked(NOW)
    }
}

/// Intact and signed by a listed signer at a trusted time; claims nothing about its origin.
pub(crate) fn signed() -> Provenance {
    let mut provenance = unsigned();
    provenance.manifest = ManifestState::Embedded;
    provenance.content = Content::Intact;
    provenance.signature = Signature::Ok;
    provenance.time = Time::TrustedStamp(NOW);
    provenance.signer.status = SignerStatus::C2paList;
    provenance.signer.name = Some("Signer 7".to_owned());
    provenance.signer.organisation = Some("Example Cameras".to_owned());
    provenance.history = History::None;
    provenance.manifests = vec![Manifest {
        label: "urn:c2pa:1".to_owned(),
        active: true,
        title: None,
        claim_generator: None,
        claim_version: Some(2),
        issuer: Some("Example Cameras".to_owned()),
        signed_at: None,
        actions: Vec::new(),
        ingredients: Vec::new(),
    }];
    provenance
}

/// A proven claim of camera capture.
pub(crate) fn capture() -> Provenance {
    let mut provenance = signed();
    provenance.ai = ai(AiStatus::CaptureDeclared, Place::Active);
    assert!(matches!(provenance.origin(), Origin::Claimed(Some(_))));
    provenance
}

/// A proven claim of creation by a tool.
pub(crate) fn creation() -> Provenance {
    let mut provenance = signed();
    provenance.manifests[0].actions.push(Action {
        action: "c2pa.created".to_owned(),
        digital_source_type: None,
        software_agent: None,
        when: None,
        description: None,
    });
    assert!(matches!(provenance.origin(), Origin::Claimed(Some(_))));
    provenance
}

/// A claim of camera capture that nobody vouches for.
pub(crate) fn unproven_capture() -> Provenance {
    let mut provenance = capture();
    provenance.signer.status = SignerStatus::Unknown;
    assert_eq!(provenance.origin(), Origin::Claimed(None));
    provenance
}

pub(crate) fn ai(status: AiStatus, place: Place) -> Ai {
    Ai {
        status,
        place: Some(place),
        digital_source_type: None,
        generator: None,
    }
}

pub(crate) fn ai_made() -> Provenance {
    let mut provenance = signed();
    provenance.ai = ai(AiStatus::DeclaredFull, Place::Active);
    provenance
}

pub(crate) fn ai_edited() -> Provenance {
    let mut provenance = signed();
    provenance.ai = ai(AiStatus::DeclaredPart, Place::Active);
    provenance
}

/// A score of one model inside its domain.
pub(crate) fn scored(llr: f32, false_alarm_rate: Option<f32>) -> Detection {
    let llr = Llr::new(llr).unwrap();
    Detection::Scored(Score {
        llr,
        probability: llr.probability(),
        false_alarm_rate,
        models: vec![ModelReading {
            name: "synth".to_owned(),
            version: "1.0.0".to_owned(),
            digest: Digest::of(b"model"),
            provider: Provider::Cpu,
            llr: Some(llr),
            false_alarm_rate,
            views: vec![View {
                name: "native",
                logit: Logit::new(2.25).unwrap(),
                windows: 1,
            }],
            applicability: Applicability::InDomain,
        }],
    })
}

pub(crate) fn alarm() -> Detection {
    scored(3.0, Some(0.005))
}

pub(crate) fn suspicious() -> Detection {
    scored(1.0, Some(0.04))
}

pub(crate) fn unclear() -> Detection {
    scored(0.2, Some(0.3))
}

pub(crate) fn quiet() -> Detection {
    scored(-2.0, Some(0.9))
}

pub(crate) fn evidence(provenance: Provenance, detection: Detection) -> Evidence {
    Evidence {
        subject: Subject {
            kind: Kind::Jpeg,
            declared_kind: None,
            frames: 1,
            trailing_bytes: 0,
        },
        provenance,
        detection,
        watermarks: Vec::new(),
        known: Vec::new(),
    }
}

pub(crate) fn judged(evidence: &Evidence) -> Verdict {
    decide(evidence, &Policy::default())
}

pub(crate) fn check(provenance: Provenance, detection: Detection, expected: Code) -> Verdict {
    let verdict = judged(&evidence(provenance, detection));
    assert_eq!(verdict.code, expected, "{verdict:#?}");
    verdict
}
