//! What the pixels show, in words, and why they show nothing where they do not.

use detector::{Applicability, Detection, Failure, Inapplicable, Score, Skipped, Watermark};

use crate::{
    decide::Case,
    policy::Leaning,
    report::{Reason, ReasonCode, Source},
};

/// The reason that comes from the models.
pub(crate) fn pixels(case: &Case<'_>) -> Reason {
    let code = match case.leaning {
        Leaning::Synthetic => ReasonCode::PixelsSynthetic,
        Leaning::Manipulated => ReasonCode::PixelsManipulated,
        Leaning::Suspicious => ReasonCode::PixelsSuspicious,
        Leaning::Unclear => ReasonCode::PixelsUnclear,
        Leaning::Quiet => ReasonCode::PixelsQuiet,
        Leaning::OutOfDomain => ReasonCode::PixelsOutOfDomain,
        Leaning::Unexaminable => ReasonCode::PixelsNotExaminable,
        Leaning::NotAsked => ReasonCode::PixelsNotExamined,
    };
    Reason {
        code,
        text: sentence(&pixel_clause(case)),
        source: Source::Detection,
    }
}

/// A public watermark. It is said and decides nothing.
pub(crate) fn watermark(found: &Watermark) -> Reason {
    Reason {
        code: ReasonCode::PublicWatermark,
        text: format!(
            "The pixels carry the invisible watermark that {} writes; its key is public, so this is a hint that anyone \
             can plant.",
            found.key.program()
        ),
        source: Source::Detection,
    }
}

/// What the pixels show, or why they show nothing; a clause that can follow a colon.
pub(crate) fn pixel_clause(case: &Case<'_>) -> String {
    match &case.evidence.detection {
        Detection::Scored(score) => scored(score, case.leaning),
        Detection::NotApplicable(Inapplicable::Domain(domain)) => out_of_domain(*domain).to_owned(),
        Detection::NotApplicable(Inapplicable::UnsupportedKind) => {
            format!(
                "this build examines no pixels of {} files",
                case.evidence.subject.kind.mime()
            )
        }
        Detection::Failed(failure) => failed(*failure).to_owned(),
        Detection::NotRun(skipped) => not_run(*skipped).to_owned(),
    }
}

fn scored(score: &Score, leaning: Leaning) -> String {
    let rate = score.false_alarm_rate.map(percent);
    let often = rate.as_deref().map_or_else(String::new, |rate| {
        format!("; at most {rate} % of pictures not made by AI score this high")
    });
    match leaning {
        Leaning::Synthetic => format!("the pixels speak clearly for AI generation{often}"),
        Leaning::Manipulated => format!("the pixels speak clearly for a local manipulation{often}"),
        Leaning::Suspicious => format!("the pixels lean to AI generation, but not clearly{often}"),
        Leaning::Quiet => "the pixels show no sign of AI generation that the models know".to_owned(),
        Leaning::Unclear | Leaning::OutOfDomain | Leaning::Unexaminable | Leaning::NotAsked => {
            match rate {
                Some(_) => "the pixels give no clear answer".to_owned(),
                None => "the pixels give no clear answer, because it was never measured how often such a \
                         score is a false alarm"
                    .to_owned(),
            }
        }
    }
}

fn out_of_domain(domain: Applicability) -> &'static str {
    match domain {
        Applicability::Tiny => "the picture is too small for the models to judge",
        Applicability::Flat => "the picture has too little texture for the models to judge",
        Applicability::ExtremeAspect => {
            "the picture is too long and narrow for the models to judge"
        }
        Applicability::InDomain => "the picture lies outside what the models can judge",
    }
}

fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Damaged => "the pixels cannot be decoded, the file is damaged",
        Failure::LimitExceeded => "the pixels were not decoded, because the file is over a limit",
        Failure::Inference => {
            "the examination of the pixels failed on our side, which says nothing about the file"
        }
        Failure::NotFinite => "a model gave no usable number, which says nothing about the file",
    }
}

fn not_run(skipped: Skipped) -> &'static str {
    match skipped {
        Skipped::NotRequested => {
            "only the provenance was asked for, so the pixels were not examined"
        }
        Skipped::NoModel => "no model is installed, so the pixels were not examined",
        Skipped::NoRuntime => "ONNX Runtime is not installed, so the pixels were not examined",
    }
}

/// `clause` with a capital letter and a full stop.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}

/// A rate as per cent with two significant digits below one, else one decimal.
fn percent(rate: f32) -> String {
    let percent = f64::from(rate) * 100.0;
    if percent < 1.0 {
        format!("{percent:.2}")
    } else {
        format!("{percent:.1}")
    }
}
