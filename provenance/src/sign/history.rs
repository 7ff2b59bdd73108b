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
    let own = check_one(judge, media, request)?;
    if own == Before::Credential && request.profile.statement.creates() {
        return Err(SignError::AlreadySigned);
    }
    match request.parent {
        Some(parent) => check_one(judge, parent, request),
        None => Ok(own),
    }
}

fn check_one(judge: &Judge, media: &Media, request: &SignRequest<'_>) -> Result<Before, SignError> {
    let found = judge.judge(media, None, request.now);
    let before = match found.manifest {
        ManifestState::None | ManifestState::Unsupported | ManifestState::NotChecked => {
            Before::Nothing
        }
        ManifestState::Embedded
        | ManifestState::Sidecar
        | ManifestState::RemoteNotFetched { .. }
        | ManifestState::Malformed { .. } => Before::Credential,
    };
    match (fault(&found), request.broken_history) {
        (Some(fault), BrokenHistory::Refuse) => Err(SignError::BrokenHistory(fault)),
        (_, BrokenHistory::DangerousAccept) | (None, BrokenHistory::Refuse) => Ok(before),
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
