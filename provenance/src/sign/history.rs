//! What the file and its parent said before they were signed, and whether that may be signed over. A file
//! with a history may only be signed in a way that keeps it.

use media::Media;

use super::{BrokenHistory, SignRequest};
use crate::{
    error::SignError,
    finding::{Content, History, ManifestState, Provenance, Signature},
    judge::Judge,
};

/// Whether the parent of the new manifest brings a manifest of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It has none: a parent is named and no more.
    Nothing,
    /// It has one, or may have: the library reads it and keeps it.
    Credential,
}

pub(super) fn check(
    judge: &Judge,
    media: &Media,
    request: &SignRequest<'_>,
) -> Result<Before, SignError> {
    let own = judge.judge(media, None, request.now);
    let inside = matches!(
        own.manifest,
        ManifestState::Embedded | ManifestState::Malformed { .. }
    );
    if request.sidecar && inside {
        return Err(SignError::CredentialInside);
    }
    let creates = request.profile.statement.creates();
    let Some(parent) = request.parent else {
        let before = check_one(&own, request)?;
        return match (before, creates) {
            (Before::Credential, true) => Err(SignError::AlreadySigned),
            (Before::Credential | Before::Nothing, _) => Ok(before),
        };
    };
    if creates {
        return Err(SignError::NoParent);
    }
    let given = judge.judge(parent, None, request.now);
    // An editor may have left the parent's credential in the file: that is kept with the parent.
    if before(&own) == Before::Credential && !given.holds(&own) {
        return Err(SignError::TwoParents);
    }
    check_one(&given, request)
}

impl Provenance {
    /// Whether the active manifest of `other` is among those found here.
    fn holds(&self, other: &Self) -> bool {
        let active = other.manifests.iter().find(|manifest| manifest.active);
        active.is_some_and(|active| self.manifests.iter().any(|one| one.label == active.label))
    }
}

fn check_one(found: &Provenance, request: &SignRequest<'_>) -> Result<Before, SignError> {
    match (fault(found), request.broken_history) {
        (Some(fault), BrokenHistory::Refuse) => Err(SignError::BrokenHistory(fault)),
        (_, BrokenHistory::DangerousAccept) | (None, BrokenHistory::Refuse) => Ok(before(found)),
    }
}

fn before(found: &Provenance) -> Before {
    match found.manifest {
        ManifestState::None | ManifestState::Unsupported | ManifestState::NotChecked => {
            Before::Nothing
        }
        ManifestState::Embedded
        | ManifestState::Sidecar
        | ManifestState::RemoteNotFetched { .. }
        | ManifestState::Malformed { .. } => Before::Credential,
    }
}

/// What does not hold, in words. Who signed, and whether that certificate has ended since, is no fault.
pub(super) fn fault(found: &Provenance) -> Option<String> {
    if let ManifestState::Malformed { detail } = &found.manifest {
        return Some(detail.clone());
    }
    if let Content::Altered(codes) = &found.content {
        let codes: Vec<&str> = codes.iter().map(|code| code.0.as_str()).collect();
        return Some(format!("changed after it was signed: {}", codes.join(", ")));
    }
    if let Signature::Broken(codes) = &found.signature {
        let codes: Vec<&str> = codes.iter().map(|code| code.0.as_str()).collect();
        return Some(format!("its signature is broken: {}", codes.join(", ")));
    }
    match &found.history {
        History::Defects { defects, .. } => {
            let first = defects.first().map_or("", |defect| defect.code.0.as_str());
            Some(format!("its history has defects: {first}"))
        }
        History::None | History::Ok { .. } => None,
    }
}
