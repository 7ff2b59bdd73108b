//! CAWG identity assertions, judged apart: they never lift or lower the C2PA signer's standing.

use serde_json::Value;

use crate::{
    display::clean_option,
    finding::{Identity, IdentityStatus},
    read::{Outcome, RawManifest, Reading, Status},
};

const LABEL: &str = "cawg.identity";

/// Every identity assertion of the active manifest.
pub(crate) fn judge(reading: &Reading) -> Vec<Identity> {
    reading
        .manifests
        .iter()
        .filter(|manifest| manifest.active)
        .flat_map(|manifest| identities(manifest, reading))
        .collect()
}

fn identities(manifest: &RawManifest, reading: &Reading) -> Vec<Identity> {
    manifest
        .assertions
        .iter()
        .filter(|(label, _)| label.starts_with(LABEL))
        .map(|(_, value)| Identity {
            status: status(reading),
            name: name(value),
        })
        .collect()
}

/// The codes do not always name their assertion, so the weakest answer counts for all of them.
fn status(reading: &Reading) -> IdentityStatus {
    let cawg: Vec<&Status> = reading
        .statuses
        .iter()
        .filter(|status| status.code.0.starts_with("cawg."))
        .collect();
    let untrusted = |status: &&Status| {
        matches!(
            status.code.0.as_str(),
            "cawg.x509.credential.untrusted" | "cawg.ica.untrusted_issuer"
        )
    };
    let failed = |status: &&&Status| status.outcome == Outcome::Failure && !untrusted(status);
    if cawg.iter().any(|status| failed(&status)) {
        IdentityStatus::Invalid
    } else if cawg.is_empty() || cawg.iter().any(untrusted) {
        IdentityStatus::Untrusted
    } else {
        IdentityStatus::Trusted
    }
}

/// A name in the assertion: the certificate's, or the first verified identity's.
fn name(value: &Value) -> Option<String> {
    let verified = value.pointer("/verifiedIdentities/0/name");
    let certificate = value.pointer("/signature_info/issuer");
    clean_option(verified.or(certificate).and_then(Value::as_str))
}
