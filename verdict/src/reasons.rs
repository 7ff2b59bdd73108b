//! Why: whole plain sentences a moderator reads, each with a stable code.
//!
//! The sentence that decides comes first. Absence of a manifest is said and counts for nothing.

use detector::Detection;
use provenance::{
    Ai, AiStatus, Content, IdentityStatus, ManifestState, Origin, Place, Proof, Provenance,
};

use crate::{
    decide::Case,
    evidence::{Known, KnownKind, KnownMatch, Subject},
    pixels::{pixels, watermark},
    report::{Code, Reason, ReasonCode, Source},
    words::{self, in_brackets, is_read, issues, list_name, shown},
};

/// The reasons for `code`, the deciding one first.
pub(crate) fn reasons(code: Code, case: &Case<'_>) -> Vec<Reason> {
    let evidence = case.evidence;
    let subject = evidence.subject;
    let mut reasons = Vec::new();
    reasons.extend(known(&evidence.known, KnownKind::Fake, subject));
    reasons.extend(altered(&evidence.provenance, subject));
    reasons.extend(contradiction(code));
    reasons.extend(declaration(&evidence.provenance, subject));
    reasons.extend(claim(case));
    reasons.extend(credential(case));
    reasons.extend(manifest(&evidence.provenance.manifest));
    reasons.extend(identities(&evidence.provenance));
    reasons.push(pixels(case));
    reasons.extend(evidence.watermarks.iter().map(watermark));
    reasons.extend(known(&evidence.known, KnownKind::Trusted, subject));
    reasons.extend(medium(case));
    if pixels_decide(code) {
        // A stable sort: the pixels' sentence moves to the front, the rest keeps its order.
        reasons.sort_by_key(|reason| reason.source != Source::Detection);
    }
    reasons
}

fn pixels_decide(code: Code) -> bool {
    match code {
        Code::LikelyManipulated
        | Code::LikelyAi
        | Code::NoEvidenceFound
        | Code::Inconclusive
        | Code::NotAnalysed => true,
        Code::KnownFake
        | Code::Altered
        | Code::Conflict
        | Code::DeclaredAi
        | Code::DeclaredAiEdit
        | Code::VerifiedOrigin => false,
    }
}

fn said(code: ReasonCode, text: String) -> Reason {
    Reason {
        code,
        text,
        source: Source::Provenance,
    }
}

fn known(all: &[Known], kind: KnownKind, subject: Subject) -> Vec<Reason> {
    let matching = all.iter().filter(|known| known.kind == kind);
    matching.map(|known| known_match(known, subject)).collect()
}

fn known_match(known: &Known, subject: Subject) -> Reason {
    let noun = subject.noun();
    let list = shown(&known.list);
    let label = known
        .label
        .as_deref()
        .map_or_else(String::new, |label| format!(", entry \"{}\"", shown(label)));
    let how = match known.matched {
        KnownMatch::Sha256 => "the bytes are the same".to_owned(),
        KnownMatch::Pdq { distance } => {
            format!("it looks alike, {distance} of 256 bits of its fingerprint differ")
        }
    };
    let (code, text) = match known.kind {
        KnownKind::Fake => (
            ReasonCode::KnownFakeMatch,
            format!("The {noun} matches the list \"{list}\" of known forgeries{label}: {how}."),
        ),
        KnownKind::Trusted => (
            ReasonCode::KnownTrustedMatch,
            format!(
                "The {noun} matches the list \"{list}\" of files somebody vouches for{label}: {how}; that clears nothing."
            ),
        ),
    };
    Reason {
        code,
        text,
        source: Source::Known,
    }
}

fn altered(provenance: &Provenance, subject: Subject) -> Option<Reason> {
    match &provenance.content {
        Content::Altered(codes) => Some(said(
            ReasonCode::ContentAltered,
            format!(
                "The {} was changed after it was signed: its content no longer matches the signed hash{}.",
                subject.noun(),
                in_brackets(codes)
            ),
        )),
        Content::Intact | Content::Unbound | Content::Unknown => None,
    }
}

fn contradiction(code: Code) -> Option<Reason> {
    (code == Code::Conflict).then(|| {
        said(
            ReasonCode::OriginAgainstPixels,
            "A trusted claim of origin and a clear alarm from the pixels contradict each other; neither is \
             put aside for the other, so a person has to decide."
                .to_owned(),
        )
    })
}

fn declaration(provenance: &Provenance, subject: Subject) -> Option<Reason> {
    let code = declaration_code(&provenance.ai)?;
    let noun = subject.noun();
    let what = if provenance.ai.status == AiStatus::DeclaredFull {
        format!("the {noun} was made with AI")
    } else {
        format!("AI changed part of the {noun}")
    };
    let by = words::declarer(provenance).map_or_else(String::new, |name| format!(" ({name})"));
    let text = match provenance.ai.place {
        Some(Place::Active) | None => format!(
            "The file's own credential{by} says that {what}; such an admission is believed whoever signed it."
        ),
        Some(Place::History) => format!(
            "A credential in the file's edit history{by} says that {what}; such an admission is believed whoever signed it."
        ),
        Some(Place::UnsignedLabel) => {
            let place = words::label_place(provenance)
                .map_or_else(String::new, |place| format!(" at {place}"));
            format!(
                "An unsigned label{place}{by} says that {what}; it is believed as an admission, though anyone can write or remove it."
            )
        }
    };
    Some(said(code, text))
}

fn declaration_code(ai: &Ai) -> Option<ReasonCode> {
    match (ai.status, ai.place) {
        (AiStatus::NoneDeclared | AiStatus::CaptureDeclared, _) => None,
        (AiStatus::DeclaredFull, Some(Place::Active) | None) => {
            Some(ReasonCode::AiDeclaredInManifest)
        }
        (AiStatus::DeclaredFull, Some(Place::History)) => Some(ReasonCode::AiDeclaredInHistory),
        (AiStatus::DeclaredFull, Some(Place::UnsignedLabel)) => Some(ReasonCode::AiDeclaredByLabel),
        (AiStatus::DeclaredPart, Some(Place::Active) | None) => {
            Some(ReasonCode::AiEditDeclaredInManifest)
        }
        (AiStatus::DeclaredPart, Some(Place::History)) => Some(ReasonCode::AiEditDeclaredInHistory),
        (AiStatus::DeclaredPart, Some(Place::UnsignedLabel)) => {
            Some(ReasonCode::AiEditDeclaredByLabel)
        }
    }
}

fn claim(case: &Case<'_>) -> Option<Reason> {
    match &case.origin {
        Origin::MadeWithAi | Origin::EditedWithAi | Origin::Unstated => None,
        Origin::Claimed(Some(proof)) => Some(proven(proof, case.evidence.subject)),
        Origin::Claimed(None) => Some(unproven(&case.evidence.provenance, case.evidence.subject)),
    }
}

fn proven(proof: &Proof, subject: Subject) -> Reason {
    let noun = subject.noun();
    let claim = if proof.is_capture() {
        format!("a camera took the {noun}")
    } else {
        format!("it created the {noun}")
    };
    said(
        ReasonCode::OriginProven,
        format!(
            "{} signed that {claim}, {} vouches for the signer, and the content is unchanged since.",
            shown(proof.signer()),
            list_name(proof.list())
        ),
    )
}

fn unproven(provenance: &Provenance, subject: Subject) -> Reason {
    let noun = subject.noun();
    let claim = match provenance.ai.status {
        AiStatus::CaptureDeclared => format!("a camera took the {noun}"),
        AiStatus::NoneDeclared | AiStatus::DeclaredFull | AiStatus::DeclaredPart => {
            format!("a certain tool created the {noun}")
        }
    };
    let mut why: Vec<String> = issues(provenance)
        .into_iter()
        .map(|issue| issue.clause)
        .collect();
    match &provenance.content {
        Content::Altered(_) => why.push("its content was changed after it was signed".to_owned()),
        Content::Intact | Content::Unbound | Content::Unknown => {}
    }
    if !is_read(&provenance.manifest) {
        why.push("no signature protects it".to_owned());
    } else if why.is_empty() {
        why.push("its signer has no name".to_owned());
    }
    said(
        ReasonCode::OriginNotProven,
        format!(
            "The file claims that {claim}; the claim is not believed because {}.",
            why.join(", and because ")
        ),
    )
}

/// What takes from the credential's weight, unless the sentence on an unproven claim has said it.
fn credential(case: &Case<'_>) -> Vec<Reason> {
    if case.origin == Origin::Claimed(None) {
        return Vec::new();
    }
    issues(&case.evidence.provenance)
        .into_iter()
        .map(|issue| {
            said(
                issue.code,
                format!("The file carries a credential, but {}.", issue.clause),
            )
        })
        .collect()
}

fn manifest(state: &ManifestState) -> Option<Reason> {
    let (code, text) = match state {
        ManifestState::Embedded | ManifestState::Sidecar => return None,
        ManifestState::None => (
            ReasonCode::ManifestAbsent,
            "The file carries no C2PA credential; that counts for nothing in either direction."
                .to_owned(),
        ),
        ManifestState::RemoteNotFetched { url } => (
            ReasonCode::ManifestRemoteNotFetched,
            format!(
                "The file names a credential at another address ({}); it was not fetched, so it counts for nothing.",
                shown(url)
            ),
        ),
        ManifestState::Malformed { detail } => (
            ReasonCode::ManifestMalformed,
            format!(
                "The file carries a C2PA credential that cannot be read ({}), so it gives no claim of origin.",
                shown(detail)
            ),
        ),
        ManifestState::Unsupported => (
            ReasonCode::ManifestUnsupported,
            "This build reads no C2PA credential in this kind of file.".to_owned(),
        ),
        ManifestState::NotChecked => (
            ReasonCode::ProvenanceNotRequested,
            "What the file says was not looked at, because only the pixels were asked for."
                .to_owned(),
        ),
    };
    Some(said(code, text))
}

fn identities(provenance: &Provenance) -> Option<Reason> {
    let invalid = |status| match status {
        IdentityStatus::Invalid => true,
        IdentityStatus::Trusted | IdentityStatus::Untrusted => false,
    };
    let broken = provenance
        .identity
        .iter()
        .find(|identity| invalid(identity.status))?;
    let name = broken
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!(" (\"{}\")", shown(name)));
    Some(said(
        ReasonCode::IdentityInvalid,
        format!(
            "A named author{name} is attached to the file, but that identity fails its own checks."
        ),
    ))
}

fn medium(case: &Case<'_>) -> Vec<Reason> {
    let subject = case.evidence.subject;
    let mut reasons = Vec::new();
    let mut note = |code, text| {
        reasons.push(Reason {
            code,
            text,
            source: Source::Media,
        })
    };
    if subject.frames > 1 && matches!(case.evidence.detection, Detection::Scored(_)) {
        note(
            ReasonCode::OnlyFirstFrame,
            format!("Only the first of {} frames was examined.", subject.frames),
        );
    }
    if let Some(declared) = subject.declared_kind {
        note(
            ReasonCode::KindDisagrees,
            format!(
                "The name or the sender says {}, but the bytes are {}.",
                declared.mime(),
                subject.kind.mime()
            ),
        );
    }
    if subject.trailing_bytes > 0 {
        note(
            ReasonCode::TrailingBytes,
            format!(
                "{} bytes follow the end of the {}.",
                subject.trailing_bytes,
                subject.noun()
            ),
        );
    }
    reasons
}
