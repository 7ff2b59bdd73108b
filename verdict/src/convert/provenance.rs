//! `provenance`'s findings become the `provenance` part of the report.

use provenance as found;

use crate::report as wire;

/// What the file says.
pub(crate) fn provenance(found: &found::Provenance) -> wire::Provenance {
    wire::Provenance {
        manifest: manifest_state(&found.manifest),
        content: content(&found.content),
        signature: signature(&found.signature),
        time: time(found.time),
        signer: signer(&found.signer),
        history: history(found),
        ai: ai(&found.ai),
        identity: found.identity.iter().map(identity).collect(),
        signals: found.signals.clone(),
        validation_state: found.validation_state.map(validation_state),
        codes: wire::Codes {
            success: codes(&found.codes.success),
            informational: codes(&found.codes.informational),
            failure: codes(&found.codes.failure),
        },
        uncovered: found.uncovered.iter().copied().map(uncovered).collect(),
        labels: found.labels.iter().map(label).collect(),
        manifests: found.manifests.iter().map(manifest).collect(),
        checked_at: found.checked_at.to_rfc3339(),
    }
}

fn manifest_state(state: &found::ManifestState) -> wire::ManifestState {
    match state {
        found::ManifestState::None => wire::ManifestState::None,
        found::ManifestState::Embedded => wire::ManifestState::Embedded,
        found::ManifestState::Sidecar => wire::ManifestState::Sidecar,
        found::ManifestState::RemoteNotFetched { .. } => wire::ManifestState::RemoteNotFetched,
        found::ManifestState::Malformed { .. } => wire::ManifestState::Malformed,
        found::ManifestState::Unsupported => wire::ManifestState::Unsupported,
        found::ManifestState::NotChecked => wire::ManifestState::NotChecked,
    }
}

fn content(content: &found::Content) -> wire::ContentState {
    match content {
        found::Content::Intact => wire::ContentState::Intact,
        found::Content::Altered(_) => wire::ContentState::Altered,
        found::Content::Unbound => wire::ContentState::Unbound,
        found::Content::Unknown => wire::ContentState::Unknown,
    }
}

fn signature(signature: &found::Signature) -> wire::SignatureState {
    match signature {
        found::Signature::Ok => wire::SignatureState::Ok,
        found::Signature::Broken(_) => wire::SignatureState::Broken,
        found::Signature::Unknown => wire::SignatureState::Unknown,
    }
}

fn time(time: found::Time) -> wire::TimeState {
    match time {
        found::Time::TrustedStamp(_) => wire::TimeState::TrustedStamp,
        found::Time::UntrustedStamp(_) => wire::TimeState::UntrustedStamp,
        found::Time::InsideValidity => wire::TimeState::InsideValidity,
        found::Time::ExpiredNoStamp { .. } => wire::TimeState::ExpiredNoStamp,
        found::Time::NotYetValid { .. } => wire::TimeState::NotYetValid,
        found::Time::Unknown => wire::TimeState::Unknown,
    }
}

fn signer(signer: &found::Signer) -> wire::Signer {
    wire::Signer {
        status: match signer.status {
            found::SignerStatus::C2paList => wire::SignerStatus::C2paList,
            found::SignerStatus::InterimList => wire::SignerStatus::InterimList,
            found::SignerStatus::AllowList => wire::SignerStatus::AllowList,
            found::SignerStatus::Local => wire::SignerStatus::Local,
            found::SignerStatus::Unknown => wire::SignerStatus::Unknown,
            found::SignerStatus::Revoked => wire::SignerStatus::Revoked,
            found::SignerStatus::None => wire::SignerStatus::None,
        },
        name: signer.name.clone(),
        organisation: signer.organisation.clone(),
        product: signer.product.clone(),
        assurance_level: signer.assurance_level,
        list_date: signer.list_date.clone(),
    }
}

fn history(found: &found::Provenance) -> wire::History {
    let (status, manifests, defects) = match &found.history {
        found::History::None => (wire::HistoryStatus::None, stored(found), Vec::new()),
        found::History::Ok { manifests } => (
            wire::HistoryStatus::Ok,
            u64::try_from(*manifests).ok(),
            Vec::new(),
        ),
        found::History::Defects { manifests, defects } => (
            wire::HistoryStatus::Defects,
            u64::try_from(*manifests).ok(),
            defects.iter().map(defect).collect(),
        ),
    };
    wire::History {
        status,
        manifests,
        defects,
    }
}

/// Manifests in the store where no ingredient has one; `None` when no store was read.
fn stored(found: &found::Provenance) -> Option<u64> {
    match found.manifest {
        found::ManifestState::None
        | found::ManifestState::Embedded
        | found::ManifestState::Sidecar => u64::try_from(found.manifests.len()).ok(),
        found::ManifestState::RemoteNotFetched { .. }
        | found::ManifestState::Malformed { .. }
        | found::ManifestState::Unsupported
        | found::ManifestState::NotChecked => None,
    }
}

fn defect(defect: &found::Defect) -> wire::Defect {
    wire::Defect {
        manifest: defect.manifest.clone(),
        code: defect.code.0.clone(),
    }
}

fn ai(ai: &found::Ai) -> wire::Ai {
    wire::Ai {
        status: match ai.status {
            found::AiStatus::NoneDeclared => wire::AiStatus::NoneDeclared,
            found::AiStatus::DeclaredFull => wire::AiStatus::DeclaredFull,
            found::AiStatus::DeclaredPart => wire::AiStatus::DeclaredPart,
            found::AiStatus::CaptureDeclared => wire::AiStatus::CaptureDeclared,
        },
        r#where: ai.place.map(|place| match place {
            found::Place::Active => wire::Place::Active,
            found::Place::History => wire::Place::History,
            found::Place::UnsignedLabel => wire::Place::UnsignedLabel,
        }),
        digital_source_type: ai.digital_source_type.clone(),
        generator: ai.generator.clone(),
    }
}

fn identity(identity: &found::Identity) -> wire::Identity {
    wire::Identity {
        kind: wire::IdentityKind::Cawg,
        status: match identity.status {
            found::IdentityStatus::Trusted => wire::IdentityStatus::Trusted,
            found::IdentityStatus::Untrusted => wire::IdentityStatus::Untrusted,
            found::IdentityStatus::Invalid => wire::IdentityStatus::Invalid,
        },
        name: identity.name.clone(),
    }
}

fn validation_state(state: found::ValidationState) -> wire::ValidationState {
    match state {
        found::ValidationState::Trusted => wire::ValidationState::Trusted,
        found::ValidationState::Valid => wire::ValidationState::Valid,
        found::ValidationState::Invalid => wire::ValidationState::Invalid,
    }
}

fn codes(codes: &[found::StatusCode]) -> Vec<String> {
    codes.iter().map(|code| code.0.clone()).collect()
}

fn uncovered(uncovered: found::Uncovered) -> wire::Uncovered {
    wire::Uncovered {
        range: [uncovered.start, uncovered.end],
        what: match uncovered.what {
            found::UncoveredKind::Exclusion => wire::UncoveredKind::Exclusion,
            found::UncoveredKind::Padding => wire::UncoveredKind::Padding,
            found::UncoveredKind::Trailing => wire::UncoveredKind::Trailing,
        },
    }
}

fn label(label: &found::UnsignedLabel) -> wire::Label {
    wire::Label {
        kind: match label.kind {
            found::LabelKind::Iptc => wire::LabelKind::Iptc,
            found::LabelKind::Xmp => wire::LabelKind::Xmp,
            found::LabelKind::Exif => wire::LabelKind::Exif,
            found::LabelKind::PngText => wire::LabelKind::PngText,
            found::LabelKind::Aigc => wire::LabelKind::Aigc,
        },
        r#where: label.place.clone(),
        generator: label.generator.clone(),
        text: label.text.clone(),
    }
}

fn manifest(manifest: &found::Manifest) -> wire::Manifest {
    wire::Manifest {
        label: manifest.label.clone(),
        active: manifest.active,
        title: manifest.title.clone(),
        claim_generator: manifest.claim_generator.clone(),
        claim_version: manifest.claim_version,
        issuer: manifest.issuer.clone(),
        signed_at: manifest.signed_at.clone(),
        actions: manifest.actions.iter().map(action).collect(),
        ingredients: manifest.ingredients.iter().map(ingredient).collect(),
    }
}

fn action(action: &found::Action) -> wire::Action {
    wire::Action {
        action: action.action.clone(),
        digital_source_type: action.digital_source_type.clone(),
    }
}

fn ingredient(ingredient: &found::Ingredient) -> wire::Ingredient {
    wire::Ingredient {
        relationship: ingredient.relationship.clone(),
        title: ingredient.title.clone(),
        manifest: ingredient.manifest.clone(),
    }
}
