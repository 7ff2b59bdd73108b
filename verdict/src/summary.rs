//! The verdict in one plain sentence. It calls nothing authentic, and no score a proof.

use provenance::{ManifestState, Origin, Place, Proof, Provenance};

use crate::{
    decide::Case,
    pixels::pixel_clause,
    policy::Leaning,
    report::Code,
    words::{self, issues, list_name, shown},
};

/// One sentence for the verdict `code` on `case`.
pub(crate) fn summary(code: Code, case: &Case<'_>) -> String {
    let noun = case.evidence.subject.noun();
    match code {
        Code::KnownFake => known_fake(noun, case),
        Code::Altered => altered(noun, &case.evidence.provenance),
        Code::Conflict => conflict(noun, case),
        Code::DeclaredAi => declared(noun, "it was made with AI", &case.evidence.provenance),
        Code::DeclaredAiEdit => declared(noun, "AI changed part of it", &case.evidence.provenance),
        Code::LikelyManipulated => format!(
            "{}, but its pixels speak clearly for a local manipulation.",
            nothing_said(noun, case)
        ),
        Code::LikelyAi => format!(
            "{}, but its pixels speak clearly for AI generation.",
            nothing_said(noun, case)
        ),
        Code::VerifiedOrigin => verified(noun, case),
        Code::NoEvidenceFound => format!(
            "{}, and its pixels show no sign of AI generation; that is no proof of where it came from.",
            nothing_said(noun, case)
        ),
        Code::Inconclusive => format!(
            "Nothing certain can be said about this {noun}: {}.",
            pixel_clause(case)
        ),
        Code::NotAnalysed => format!("This {noun} could not be examined: {}.", pixel_clause(case)),
    }
}

/// That no declaration was found, and no more than that.
fn nothing_said(noun: &str, case: &Case<'_>) -> String {
    match case.evidence.provenance.manifest {
        ManifestState::NotChecked => format!("What this {noun} says was not looked at"),
        ManifestState::Malformed { .. } | ManifestState::RemoteNotFetched { .. } => {
            format!("Nothing that can be read in this {noun} declares AI")
        }
        ManifestState::None
        | ManifestState::Embedded
        | ManifestState::Sidecar
        | ManifestState::Unsupported => format!("This {noun} declares nothing about AI"),
    }
}

fn known_fake(noun: &str, case: &Case<'_>) -> String {
    let list = case
        .evidence
        .known_fake()
        .map_or("", |known| known.list.as_str());
    format!(
        "This {noun} matches the list \"{}\" of known forgeries.",
        shown(list)
    )
}

fn altered(noun: &str, provenance: &Provenance) -> String {
    let by = words::signer_name(&provenance.signer)
        .map_or_else(String::new, |name| format!(" in the name of {name}"));
    format!("This {noun} was changed after it was signed{by}.")
}

fn conflict(noun: &str, case: &Case<'_>) -> String {
    let shows = match case.leaning {
        Leaning::Manipulated => "a local manipulation",
        Leaning::Synthetic
        | Leaning::Suspicious
        | Leaning::Unclear
        | Leaning::Quiet
        | Leaning::OutOfDomain
        | Leaning::Unexaminable
        | Leaning::NotAsked => "AI generation",
    };
    let signer = proof(&case.origin)
        .map_or_else(String::new, |proof| format!(" ({})", shown(proof.signer())));
    format!(
        "A trusted signature{signer} vouches for the origin of this {noun}, but its pixels speak clearly for {shows}: a person has to decide."
    )
}

/// For example: "This picture says it was made with AI (OpenAI, signed, credential expired)."
fn declared(noun: &str, what: &str, provenance: &Provenance) -> String {
    let mut notes: Vec<String> = words::declarer(provenance).into_iter().collect();
    match provenance.ai.place {
        Some(Place::UnsignedLabel) => notes.push("unsigned label".to_owned()),
        Some(Place::Active) => notes.push("signed".to_owned()),
        Some(Place::History) => notes.push("signed, in its edit history".to_owned()),
        None => {}
    }
    if provenance.ai.place != Some(Place::UnsignedLabel) {
        notes.extend(
            issues(provenance)
                .iter()
                .map(|issue| issue.short.to_owned()),
        );
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join(", "))
    };
    format!("This {noun} says {what}{notes}.")
}

fn verified(noun: &str, case: &Case<'_>) -> String {
    let Some(proof) = proof(&case.origin) else {
        return format!("A trusted signature vouches for the origin of this {noun}.");
    };
    let claim = if proof.is_capture() {
        "a camera took"
    } else {
        "it created"
    };
    let pixels = match case.leaning {
        Leaning::Suspicious => "its pixels lean to AI generation, but not clearly",
        Leaning::Synthetic | Leaning::Manipulated | Leaning::Unclear | Leaning::Quiet => {
            "nothing in its pixels speaks clearly against that"
        }
        Leaning::OutOfDomain | Leaning::Unexaminable | Leaning::NotAsked => {
            "its pixels were not examined"
        }
    };
    format!(
        "{} signed that {claim} this {noun}, {} vouches for the signer, and nothing was changed since; {pixels}.",
        shown(proof.signer()),
        list_name(proof.list()),
    )
}

fn proof(origin: &Origin) -> Option<&Proof> {
    match origin {
        Origin::Claimed(proof) => proof.as_ref(),
        Origin::MadeWithAi | Origin::EditedWithAi | Origin::Unstated => None,
    }
}
