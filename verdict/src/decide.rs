//! The rule: which word follows from the evidence. A pure, total match; no clock, bytes or files.
//!
//! Trust is asymmetric. An admission of AI costs its author and is believed at any trust level; a claim of
//! origin helps its author and is believed only with proof. A check that failed counts for nothing.

use detector::Detection;
use provenance::{Content, Origin};

use crate::{
    evidence::Evidence,
    policy::{Leaning, Policy},
    reasons,
    report::{Code, Reason, ReasonCode, Source, Verdict},
    summary,
};

/// What follows from the evidence under a policy.
pub fn decide(evidence: &Evidence, policy: &Policy) -> Verdict {
    let case = Case {
        evidence,
        origin: evidence.provenance.origin(),
        leaning: policy.lean(&evidence.detection),
    };
    let code = conclude(
        KnownFake::of(evidence),
        &evidence.provenance.content,
        &case.origin,
        case.leaning,
    );
    Verdict {
        code,
        summary: summary::summary(code, &case),
        reasons: reasons::reasons(code, &case),
        review: policy.reviews(code, case.leaning),
        priority: priority(code, &evidence.detection, policy),
    }
}

/// The verdict on a file that could not be examined at all. `why` is a clause that can follow a colon.
pub(crate) fn not_analysed(why: &str, policy: &Policy) -> Verdict {
    let text = format!("This file could not be examined: {why}.");
    Verdict {
        code: Code::NotAnalysed,
        summary: text.clone(),
        reasons: vec![Reason {
            code: ReasonCode::FileNotExamined,
            text,
            source: Source::Media,
        }],
        review: policy.reviews(Code::NotAnalysed, Leaning::Unexaminable),
        priority: weigh(policy.cost(Code::NotAnalysed), EVEN_ODDS),
    }
}

/// The evidence with what was read out of it: what every sentence is made from.
pub(crate) struct Case<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) origin: Origin,
    pub(crate) leaning: Leaning,
}

/// Whether the file is on a list of known forgeries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFake {
    /// It is.
    Listed,
    /// It is not, or no list was asked.
    Unlisted,
}

impl KnownFake {
    fn of(evidence: &Evidence) -> Self {
        match evidence.known_fake() {
            Some(_) => Self::Listed,
            None => Self::Unlisted,
        }
    }
}

/// The word, by the precedence of the contract: first a known forgery, then a broken content hash, then
/// what origin and pixels say together.
pub fn conclude(known: KnownFake, content: &Content, origin: &Origin, leaning: Leaning) -> Code {
    match (known, content) {
        (KnownFake::Listed, _) => Code::KnownFake,
        (KnownFake::Unlisted, Content::Altered(_)) => Code::Altered,
        (KnownFake::Unlisted, Content::Intact | Content::Unbound | Content::Unknown) => {
            join(origin, leaning)
        }
    }
}

/// Joins what the file says and what the pixels lean to.
fn join(origin: &Origin, leaning: Leaning) -> Code {
    match (origin, leaning) {
        (Origin::Claimed(Some(_)), Leaning::Synthetic | Leaning::Manipulated) => Code::Conflict,
        (Origin::MadeWithAi, _) => Code::DeclaredAi,
        (Origin::EditedWithAi, _) => Code::DeclaredAiEdit,
        (
            Origin::Claimed(Some(_)),
            Leaning::Suspicious
            | Leaning::Unclear
            | Leaning::Quiet
            | Leaning::OutOfDomain
            | Leaning::Unexaminable
            | Leaning::NotAsked,
        ) => Code::VerifiedOrigin,
        (Origin::Claimed(None) | Origin::Unstated, leaning) => pixels_alone(leaning),
    }
}

fn pixels_alone(leaning: Leaning) -> Code {
    match leaning {
        Leaning::Manipulated => Code::LikelyManipulated,
        Leaning::Synthetic => Code::LikelyAi,
        Leaning::Quiet => Code::NoEvidenceFound,
        Leaning::Suspicious | Leaning::Unclear | Leaning::OutOfDomain | Leaning::NotAsked => {
            Code::Inconclusive
        }
        Leaning::Unexaminable => Code::NotAnalysed,
    }
}

/// Expected cost of not looking: the policy's cost of the verdict times the chance that it is needed.
///
/// The chance is 1 where the file or a list settles it, the calibrated probability where the pixels do, and
/// one half where nobody could look.
fn priority(code: Code, detection: &Detection, policy: &Policy) -> u8 {
    let chance = match code {
        Code::KnownFake
        | Code::Altered
        | Code::Conflict
        | Code::DeclaredAi
        | Code::DeclaredAiEdit => 1.0,
        Code::LikelyManipulated
        | Code::LikelyAi
        | Code::VerifiedOrigin
        | Code::NoEvidenceFound
        | Code::Inconclusive
        | Code::NotAnalysed => match detection {
            Detection::Scored(score) => score.probability.value(),
            Detection::NotApplicable(_) | Detection::Failed(_) | Detection::NotRun(_) => EVEN_ODDS,
        },
    };
    weigh(policy.cost(code), chance)
}

/// `cost` times `chance`, rounded. `chance` outside 0 to 1 counts as the nearer end.
#[expect(
    clippy::as_conversions,
    reason = "floats have no TryFrom; the product lies in 0..=255, and the cast saturates"
)]
fn weigh(cost: u8, chance: f32) -> u8 {
    (f32::from(cost) * chance.clamp(0.0, 1.0)).round() as u8
}

/// The chance where nothing is known.
const EVEN_ODDS: f32 = 0.5;
