//! Why: whole plain sentences a moderator reads, each with a stable code.
//!
//! The sentence that decides comes first. Absence of a manifest is said and counts for nothing.

use detector::{Applicability, Detection, Failure, Inapplicable, Score, Skipped};
use provenance::{AiStatus, Content, IdentityStatus, ManifestState, Origin, Place, Proof, Provenance};

use crate::{
    decide::Case,
    evidence::{Known, KnownKind, KnownMatch, Subject},
    policy::Leaning,
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
    Reason { code, text, source: Source::Provenance }
}

fn known(all: &[Known], kind: KnownKind, subject: Subject) -> Vec<Reason> {
    let matching = all.iter().filter(|known| known.kind == kind);
    matching.map(|known| known_match(known, subject)).collect()
}

fn known_match(known: &Known, subject: Subject) -> Reason {
    let noun = subject.noun();
    let list = shown(&known.list);
    let label = known.label.as_deref().map_or_else(String::new, |label| format!(", entry \"{}\"", shown(label)));
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
            format!("The {noun} matches the list \"{list}\" of files somebody vouches for{label}: {how}; that clears nothing."),
        ),
    };
    Reason { code, text, source: Source::Known }
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
    let noun = subject.noun();
    let (what, codes) = match provenance.ai.status {
        AiStatus::NoneDeclared | AiStatus::CaptureDeclared => return None,
        AiStatus::DeclaredFull => (
            format!("the {noun} was made with AI"),
            [
                ReasonCode::AiDeclaredInManifest,
                ReasonCode::AiDeclaredInHistory,
                ReasonCode::AiDeclaredByLabel,
            ],
        ),
        AiStatus::DeclaredPart => (
            format!("AI changed part of the {noun}"),
            [
                ReasonCode::AiEditDeclaredInManifest,
                ReasonCode::AiEditDeclaredInHistory,
                ReasonCode::AiEditDeclaredByLabel,
            ],
        ),
    };
    let by = words::declarer(provenance).map_or_else(String::new, |name| format!(" ({name})"));
    let [in_manifest, in_history, by_label] = codes;
    let (code, text) = match provenance.ai.place {
        Some(Place::Active) | None => (
            in_manifest,
            format!("The file's own credential{by} says that {what}; such an admission is believed whoever signed it."),
        ),
        Some(Place::History) => (
            in_history,
            format!("A credential in the file's edit history{by} says that {what}; such an admission is believed whoever signed it."),
        ),
        Some(Place::UnsignedLabel) => {
            let place = words::label_place(provenance).map_or_else(String::new, |place| format!(" at {place}"));
            (
                by_label,
                format!("An unsigned label{place}{by} says that {what}; it is believed as an admission, though anyone can write or remove it."),
            )
        }
    };
    Some(said(code, text))
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
    let mut why: Vec<String> = issues(provenance).into_iter().map(|issue| issue.clause).collect();
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
        .map(|issue| said(issue.code, format!("The file carries a credential, but {}.", issue.clause)))
        .collect()
}

fn manifest(state: &ManifestState) -> Option<Reason> {
    let (code, text) = match state {
        ManifestState::Embedded | ManifestState::Sidecar => return None,
        ManifestState::None => (
            ReasonCode::ManifestAbsent,
            "The file carries no C2PA credential; that counts for nothing in either direction.".to_owned(),
        ),
        ManifestState::RemoteNotFetched { url } => (
            ReasonCode::ManifestRemoteNotFetched,
            format!("The file names a credential at another address ({}); it was not fetched, so it counts for nothing.", shown(url)),
        ),
        ManifestState::Malformed { detail } => (
            ReasonCode::ManifestMalformed,
            format!("The file carries a C2PA credential that cannot be read ({}), so it gives no claim of origin.", shown(detail)),
        ),
        ManifestState::Unsupported => (
            ReasonCode::ManifestUnsupported,
            "This build reads no C2PA credential in this kind of file.".to_owned(),
        ),
        ManifestState::NotChecked => (
            ReasonCode::ProvenanceNotRequested,
            "What the file says was not looked at, because only the pixels were asked for.".to_owned(),
        ),
    };
    Some(said(code, text))
}

fn identities(provenance: &Provenance) -> Option<Reason> {
    let invalid = |status| match status {
        IdentityStatus::Invalid => true,
        IdentityStatus::Trusted | IdentityStatus::Untrusted => false,
    };
    let broken = provenance.identity.iter().find(|identity| invalid(identity.status))?;
    let name = broken.name.as_deref().map_or_else(String::new, |name| format!(" (\"{}\")", shown(name)));
    Some(said(
        ReasonCode::IdentityInvalid,
        format!("A named author{name} is attached to the file, but that identity fails its own checks."),
    ))
}

fn pixels(case: &Case<'_>) -> Reason {
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
    Reason { code, text: sentence(&pixel_clause(case)), source: Source::Detection }
}

/// What the pixels show, or why they show nothing; a clause that can follow a colon.
pub(crate) fn pixel_clause(case: &Case<'_>) -> String {
    match &case.evidence.detection {
        Detection::Scored(score) => scored(score, case.leaning),
        Detection::NotApplicable(Inapplicable::Domain(domain)) => out_of_domain(*domain).to_owned(),
        Detection::NotApplicable(Inapplicable::UnsupportedKind) => {
            format!("this build examines no pixels of {} files", case.evidence.subject.kind.mime())
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
        Applicability::ExtremeAspect => "the picture is too long and narrow for the models to judge",
        Applicability::InDomain => "the picture lies outside what the models can judge",
    }
}

fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::Damaged => "the pixels cannot be decoded, the file is damaged",
        Failure::LimitExceeded => "the pixels were not decoded, because the file is over a limit",
        Failure::Inference => "the examination of the pixels failed on our side, which says nothing about the file",
        Failure::NotFinite => "a model gave no usable number, which says nothing about the file",
    }
}

fn not_run(skipped: Skipped) -> &'static str {
    match skipped {
        Skipped::NotRequested => "the pixels were not examined, because only the provenance was asked for",
        Skipped::NoModel => "the pixels were not examined, because no model is installed",
        Skipped::NoRuntime => "the pixels were not examined, because ONNX Runtime is not installed",
    }
}

fn medium(case: &Case<'_>) -> Vec<Reason> {
    let subject = case.evidence.subject;
    let mut reasons = Vec::new();
    let mut note = |code, text| reasons.push(Reason { code, text, source: Source::Media });
    if subject.frames > 1 && matches!(case.evidence.detection, Detection::Scored(_)) {
        note(
            ReasonCode::OnlyFirstFrame,
            format!("Only the first of {} frames was examined.", subject.frames),
        );
    }
    if let Some(declared) = subject.declared_kind {
        note(
            ReasonCode::KindDisagrees,
            format!("The name or the sender says {}, but the bytes are {}.", declared.mime(), subject.kind.mime()),
        );
    }
    if subject.trailing_bytes > 0 {
        note(
            ReasonCode::TrailingBytes,
            format!("{} bytes follow the end of the {}.", subject.trailing_bytes, subject.noun()),
        );
    }
    reasons
}

/// `clause` with a capital letter and a full stop.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// A rate as per cent with two significant digits below one, else one decimal.
fn percent(rate: f32) -> String {
    let percent = f64::from(rate) * 100.0;
    if percent < 1.0 { format!("{percent:.2}") } else { format!("{percent:.1}") }
}
