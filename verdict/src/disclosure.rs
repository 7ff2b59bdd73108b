//! What three disclosure laws ask a platform to show, out of the evidence and the verdict.
//!
//! Help for a person who has to comply, no legal advice. What is not known is said to be unknown; an
//! estimate from pixels puts no label on a picture.

use std::collections::{BTreeMap, BTreeSet};

use provenance::{
    Ai, AiStatus, LabelKind, ManifestState, Origin, Place, Provenance, Signature, UnsignedLabel,
};

use crate::{
    evidence::Evidence,
    policy::{MetadataClass, Policy},
    report::{
        CaliforniaAb853, ChinaClass, ChinaGb45438, Code, Disclosure, EuArt50, EuBasis, EuOrigin,
        Marking, OriginKind, TC260_KEYS,
    },
    words::{declarer, shown},
};

/// The disclosure blocks for a file whose verdict is `code`.
pub fn disclose(evidence: &Evidence, code: Code, policy: &Policy) -> Disclosure {
    Disclosure {
        eu_art50: europe(&evidence.provenance, code),
        ca_ab853: california(&evidence.provenance, code),
        cn_gb45438: china(&evidence.provenance, code, policy.china_metadata()),
    }
}

/// The blocks for a file that could not be examined: nothing is known.
pub(crate) fn unknown() -> Disclosure {
    Disclosure {
        eu_art50: EuArt50 {
            origin: EuOrigin::Unknown,
            basis: EuBasis::None,
            marking_found: Vec::new(),
            label: None,
        },
        ca_ab853: CaliforniaAb853 {
            provenance_data_available: None,
            origin_kind: OriginKind::Unknown,
            origin_name: None,
            digital_signature_available: None,
            reliable: false,
        },
        cn_gb45438: ChinaGb45438 {
            class: ChinaClass::None,
            notice_zh: None,
            found: BTreeMap::new(),
        },
    }
}

fn europe(provenance: &Provenance, code: Code) -> EuArt50 {
    let (origin, basis, label) = match provenance.origin() {
        Origin::MadeWithAi => (EuOrigin::Generated, EuBasis::Declared, Some("AI GENERATED")),
        Origin::EditedWithAi => (EuOrigin::Modified, EuBasis::Declared, Some("AI MODIFIED")),
        Origin::Claimed(_) | Origin::Unstated => undeclared(code),
    };
    EuArt50 {
        origin,
        basis,
        marking_found: markings(provenance).into_iter().collect(),
        label: label.map(str::to_owned),
    }
}

/// What is known of a file that declares nothing about AI. A conflict waits for a person.
fn undeclared(code: Code) -> (EuOrigin, EuBasis, Option<&'static str>) {
    match code {
        Code::LikelyAi => (EuOrigin::Generated, EuBasis::Detected, None),
        Code::LikelyManipulated => (EuOrigin::Modified, EuBasis::Detected, None),
        Code::VerifiedOrigin => (EuOrigin::None, EuBasis::Declared, None),
        Code::KnownFake
        | Code::Altered
        | Code::Conflict
        | Code::DeclaredAi
        | Code::DeclaredAiEdit
        | Code::NoEvidenceFound
        | Code::Inconclusive
        | Code::NotAnalysed => (EuOrigin::Unknown, EuBasis::None, None),
    }
}

/// The markings in the file that declare AI, each once.
fn markings(provenance: &Provenance) -> BTreeSet<Marking> {
    let labels = provenance
        .labels
        .iter()
        .filter(|label| declares_ai(label.ai));
    let mut found: BTreeSet<Marking> = labels.map(|label| marking(label.kind)).collect();
    if declared_in_manifest(&provenance.ai) {
        found.insert(Marking::C2pa);
    }
    found
}

fn marking(kind: LabelKind) -> Marking {
    match kind {
        LabelKind::Iptc => Marking::Iptc,
        LabelKind::Xmp => Marking::Xmp,
        LabelKind::Exif => Marking::Exif,
        LabelKind::PngText => Marking::PngText,
        LabelKind::Aigc => Marking::Tc260,
    }
}

fn declares_ai(status: Option<AiStatus>) -> bool {
    match status {
        Some(AiStatus::DeclaredFull | AiStatus::DeclaredPart) => true,
        Some(AiStatus::NoneDeclared | AiStatus::CaptureDeclared) | None => false,
    }
}

fn declared_in_manifest(ai: &Ai) -> bool {
    let in_manifest = match ai.place {
        Some(Place::Active | Place::History) => true,
        Some(Place::UnsignedLabel) | None => false,
    };
    in_manifest && declares_ai(Some(ai.status))
}

fn california(provenance: &Provenance, code: Code) -> CaliforniaAb853 {
    let origin = provenance.origin();
    let (origin_kind, origin_name) = match &origin {
        Origin::MadeWithAi | Origin::EditedWithAi => {
            (OriginKind::GenaiSystem, declarer(provenance))
        }
        Origin::Claimed(Some(proof)) if proof.is_capture() => {
            let product = provenance.signer.product.as_deref();
            (
                OriginKind::CaptureDevice,
                Some(shown(product.unwrap_or(proof.signer()))),
            )
        }
        Origin::Claimed(_) | Origin::Unstated => (OriginKind::Unknown, None),
    };
    let stated_in_manifest = provenance.ai.place != Some(Place::UnsignedLabel);
    CaliforniaAb853 {
        provenance_data_available: provenance_data(provenance),
        origin_kind,
        origin_name,
        digital_signature_available: signature_available(provenance),
        reliable: origin_kind != OriginKind::Unknown
            && provenance.is_proven()
            && stated_in_manifest
            && code != Code::Conflict,
    }
}

/// Provenance data of a standards body: a manifest, or an IPTC or AIGC label.
fn provenance_data(provenance: &Provenance) -> Option<bool> {
    let labelled = provenance.labels.iter().any(|label| match label.kind {
        LabelKind::Iptc | LabelKind::Aigc => true,
        LabelKind::Xmp | LabelKind::Exif | LabelKind::PngText => false,
    });
    match provenance.manifest {
        ManifestState::Embedded | ManifestState::Sidecar => Some(true),
        ManifestState::None => Some(labelled),
        ManifestState::RemoteNotFetched { .. }
        | ManifestState::Malformed { .. }
        | ManifestState::Unsupported
        | ManifestState::NotChecked => labelled.then_some(true),
    }
}

fn signature_available(provenance: &Provenance) -> Option<bool> {
    match provenance.signature {
        Signature::Ok => Some(true),
        Signature::Broken(_) => Some(false),
        Signature::Unknown if provenance.manifest == ManifestState::None => Some(false),
        Signature::Unknown => None,
    }
}

fn china(provenance: &Provenance, code: Code, metadata: MetadataClass) -> ChinaGb45438 {
    let found = aigc_fields(&provenance.labels);
    let class = strongest([
        aigc_class(&provenance.labels, &found),
        metadata_class(provenance, metadata),
        trace_class(provenance, code),
    ]);
    ChinaGb45438 {
        class,
        notice_zh: notice(class).map(str::to_owned),
        found,
    }
}

/// The implicit label speaks for itself. Real files break the standard's three values: a label that
/// `provenance` understood as a declaration counts as one.
fn aigc_class(labels: &[UnsignedLabel], found: &BTreeMap<String, String>) -> ChinaClass {
    match found.get("Label").map(String::as_str) {
        Some("1") => ChinaClass::Confirmed,
        Some("2") => ChinaClass::Possible,
        Some("3") => ChinaClass::Suspected,
        Some(_) | None => {
            let mut aigc = labels.iter().filter(|label| label.kind == LabelKind::Aigc);
            if aigc.any(|label| declares_ai(label.ai)) {
                ChinaClass::Confirmed
            } else {
                ChinaClass::None
            }
        }
    }
}

/// Declarations in other metadata that say plainly what they say: C2PA, IPTC and XMP.
fn metadata_class(provenance: &Provenance, class: MetadataClass) -> ChinaClass {
    let plain = markings(provenance)
        .into_iter()
        .any(|marking| match marking {
            Marking::C2pa | Marking::Iptc | Marking::Xmp => true,
            Marking::Tc260 | Marking::Exif | Marking::PngText => false,
        });
    match (plain, class) {
        (true, MetadataClass::Confirmed) => ChinaClass::Confirmed,
        (true, MetadataClass::Suspected) => ChinaClass::Suspected,
        (false, _) => ChinaClass::None,
    }
}

/// Traces: a tool's own text, or an alarm from the pixels that nothing contradicts.
fn trace_class(provenance: &Provenance, code: Code) -> ChinaClass {
    let text = markings(provenance)
        .into_iter()
        .any(|marking| match marking {
            Marking::Exif | Marking::PngText => true,
            Marking::C2pa | Marking::Tc260 | Marking::Iptc | Marking::Xmp => false,
        });
    let alarm = match code {
        Code::LikelyAi | Code::LikelyManipulated => true,
        Code::KnownFake
        | Code::Altered
        | Code::Conflict
        | Code::DeclaredAi
        | Code::DeclaredAiEdit
        | Code::VerifiedOrigin
        | Code::NoEvidenceFound
        | Code::Inconclusive
        | Code::NotAnalysed => false,
    };
    if text || alarm {
        ChinaClass::Suspected
    } else {
        ChinaClass::None
    }
}

fn strongest<const N: usize>(classes: [ChinaClass; N]) -> ChinaClass {
    let rank = |class: &ChinaClass| match class {
        ChinaClass::Confirmed => 3,
        ChinaClass::Possible => 2,
        ChinaClass::Suspected => 1,
        ChinaClass::None => 0,
    };
    classes
        .into_iter()
        .max_by_key(rank)
        .unwrap_or(ChinaClass::None)
}

/// The wording is ours; a lawyer has to confirm it before it is shown.
fn notice(class: ChinaClass) -> Option<&'static str> {
    match class {
        ChinaClass::Confirmed => Some("该内容由人工智能生成合成"),
        ChinaClass::Possible => Some("该内容可能由人工智能生成合成"),
        ChinaClass::Suspected => Some("该内容疑似由人工智能生成合成"),
        ChinaClass::None => None,
    }
}

/// The fields of the first AIGC label. Its text is bounded by `provenance` and may end inside a value, so
/// it is searched rather than parsed; a value without its closing quote is left out.
fn aigc_fields(labels: &[UnsignedLabel]) -> BTreeMap<String, String> {
    let Some(label) = labels.iter().find(|label| label.kind == LabelKind::Aigc) else {
        return BTreeMap::new();
    };
    TC260_KEYS
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), field(&label.text, key)?)))
        .collect()
}

/// The string after `"key":`. GB 45438-2025 allows no escapes: a value that holds one is left out.
fn field(text: &str, key: &str) -> Option<String> {
    let (_, after_key) = text.split_once(&format!("\"{key}\""))?;
    let after_colon = after_key.trim_start().strip_prefix(':')?;
    let value = after_colon.trim_start().strip_prefix('"')?;
    let (value, _) = value.split_once('"')?;
    (!value.contains('\\')).then(|| value.to_owned())
}
