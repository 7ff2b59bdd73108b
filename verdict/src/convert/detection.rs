//! `detector`'s findings become the `detection` part of the report.

use detector::{
    Applicability, Detection, Failure, Inapplicable, ModelReading, Skipped, View, Watermark,
};

use crate::{policy::Leaning, report as wire};

/// What the pixels show, read as `leaning`.
pub(crate) fn detection(
    found: &Detection,
    watermarks: &[Watermark],
    leaning: Leaning,
) -> wire::Detection {
    let mut part = unread_detection(status(leaning, found), reason(found));
    part.watermarks = watermarks.iter().map(watermark).collect();
    match found {
        Detection::Scored(score) => {
            part.probability = Some(rounded(score.probability.value()));
            part.llr = Some(rounded(score.llr.value()));
            part.models = score.models.iter().map(model).collect();
        }
        Detection::NotApplicable(_) | Detection::Failed(_) | Detection::NotRun(_) => {}
    }
    part
}

/// A part without any reading.
pub(crate) fn unread_detection(
    status: wire::DetectionStatus,
    reason: Option<wire::DetectionReason>,
) -> wire::Detection {
    wire::Detection {
        status,
        reason,
        probability: None,
        llr: None,
        models: Vec::new(),
        watermarks: Vec::new(),
        map: None,
    }
}

fn status(leaning: Leaning, found: &Detection) -> wire::DetectionStatus {
    match found {
        Detection::NotApplicable(_) => wire::DetectionStatus::NotApplicable,
        Detection::Failed(_) => wire::DetectionStatus::Failed,
        Detection::NotRun(_) => wire::DetectionStatus::NotRun,
        Detection::Scored(_) => match leaning {
            Leaning::Synthetic | Leaning::Manipulated => wire::DetectionStatus::LikelySynthetic,
            Leaning::Suspicious => wire::DetectionStatus::Suspicious,
            Leaning::Quiet => wire::DetectionStatus::NoEvidence,
            Leaning::Unclear | Leaning::OutOfDomain | Leaning::Unexaminable | Leaning::NotAsked => {
                wire::DetectionStatus::Inconclusive
            }
        },
    }
}

fn reason(found: &Detection) -> Option<wire::DetectionReason> {
    use wire::DetectionReason as Reason;
    let reason = match found {
        Detection::Scored(_) => return None,
        Detection::NotApplicable(Inapplicable::UnsupportedKind) => Reason::UnsupportedKind,
        Detection::NotApplicable(Inapplicable::Domain(domain)) => match domain {
            Applicability::Tiny => Reason::TooSmall,
            Applicability::Flat => Reason::Flat,
            Applicability::ExtremeAspect => Reason::ExtremeAspect,
            Applicability::InDomain => Reason::OutOfDomain,
        },
        Detection::Failed(failure) => match failure {
            Failure::Damaged => Reason::Damaged,
            Failure::LimitExceeded => Reason::LimitExceeded,
            Failure::Inference => Reason::InferenceFailed,
            Failure::NotFinite => Reason::NotFinite,
        },
        Detection::NotRun(skipped) => match skipped {
            Skipped::NotRequested => Reason::NotRequested,
            Skipped::NoModel => Reason::NoModel,
            Skipped::NoRuntime => Reason::NoRuntime,
        },
    };
    Some(reason)
}

fn model(reading: &ModelReading) -> wire::Model {
    wire::Model {
        name: reading.name.clone(),
        version: reading.version.clone(),
        sha256: reading.digest.to_string(),
        provider: reading.provider.to_string(),
        probability: reading.llr.map(|llr| rounded(llr.probability().value())),
        llr: reading.llr.map(|llr| rounded(llr.value())),
        views: reading.views.iter().map(view).collect(),
        applicability: match reading.applicability {
            Applicability::InDomain => wire::Applicability::InDomain,
            Applicability::Tiny => wire::Applicability::Tiny,
            Applicability::Flat => wire::Applicability::Flat,
            Applicability::ExtremeAspect => wire::Applicability::ExtremeAspect,
        },
    }
}

fn watermark(found: &Watermark) -> wire::Watermark {
    wire::Watermark {
        key: found.key.word().to_owned(),
        z: rounded(found.z),
    }
}

fn view(view: &View) -> wire::View {
    wire::View {
        name: view.name.to_owned(),
        logit: rounded(view.logit.value()),
    }
}

/// Four decimals: finer differences come from the processor, not from the picture.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}
