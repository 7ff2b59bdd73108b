//! The report's enum words as text, and the few short words that tables use.

use serde::Serialize;
use verdict::report::{
    ContentState, HistoryStatus, ManifestState, Provenance, SignatureState, SignerStatus, TimeState,
};

/// The word that JSON has for `value`; empty for `null`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}

/// What the credential of a file is worth, in one or two words. The worst thing about it decides.
pub(crate) fn credential(provenance: &Provenance) -> &'static str {
    match provenance.manifest {
        ManifestState::None => "none",
        ManifestState::NotChecked => "not checked",
        ManifestState::Unsupported => "unsupported",
        ManifestState::Malformed => "unreadable",
        ManifestState::RemoteNotFetched => "elsewhere",
        ManifestState::Embedded | ManifestState::Sidecar => present(provenance),
    }
}

fn present(provenance: &Provenance) -> &'static str {
    match (provenance.content, provenance.signature, provenance.time) {
        (ContentState::Altered, _, _) => "altered",
        (_, SignatureState::Broken, _) => "broken",
        (ContentState::Unbound, _, _) => "binds nothing",
        (ContentState::Unknown, _, _) | (_, SignatureState::Unknown, _) => "unclear",
        (_, _, TimeState::NotYetValid) => "not yet valid",
        (_, _, TimeState::ExpiredNoStamp) => "expired",
        (
            ContentState::Intact,
            SignatureState::Ok,
            TimeState::TrustedStamp
            | TimeState::UntrustedStamp
            | TimeState::InsideValidity
            | TimeState::Unknown,
        ) => match provenance.history.status {
            HistoryStatus::Defects => "broken history",
            HistoryStatus::None | HistoryStatus::Ok => signer(provenance.signer.status),
        },
    }
}

fn signer(status: SignerStatus) -> &'static str {
    match status {
        SignerStatus::C2paList => "trusted",
        SignerStatus::InterimList => "interim list",
        SignerStatus::AllowList => "allow list",
        SignerStatus::Local => "local anchor",
        SignerStatus::Unknown => "unknown signer",
        SignerStatus::Revoked => "revoked",
        SignerStatus::None => "unsigned",
    }
}
