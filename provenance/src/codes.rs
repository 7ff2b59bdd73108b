//! C2PA status codes, sorted into the axes they speak of (C2PA 2.2, section 15.2).

use crate::{
    finding::{Codes, Signature, StatusCode},
    read::{LibraryStamp, Outcome, Reading, Status},
    time::Timestamp,
};

/// Every code once, verbatim.
pub(crate) fn all(reading: &Reading) -> Codes {
    Codes {
        success: of(reading, Outcome::Success),
        informational: of(reading, Outcome::Informational),
        failure: of(reading, Outcome::Failure),
    }
}

fn of(reading: &Reading, outcome: Outcome) -> Vec<StatusCode> {
    let mut codes: Vec<StatusCode> = reading
        .statuses
        .iter()
        .filter(|status| status.outcome == outcome)
        .map(|status| status.code.clone())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

/// The statuses of the active manifest, not those found through its ingredients.
pub(crate) fn active(reading: &Reading) -> impl Iterator<Item = &Status> {
    reading
        .statuses
        .iter()
        .filter(|status| status.ingredient.is_none())
}

/// Whether the active manifest has `code` with this outcome.
pub(crate) fn has(reading: &Reading, outcome: Outcome, code: &str) -> bool {
    active(reading).any(|status| status.outcome == outcome && status.code.0 == code)
}

/// The signature axis: the claim signature itself and the hashes of the assertions it covers. `holds`
/// is our own check of the signature alone, where [`settles_signature`] is false.
pub(crate) fn signature(reading: &Reading, holds: Option<bool>) -> Signature {
    let mut broken: Vec<StatusCode> = active(reading)
        .filter(|status| status.outcome == Outcome::Failure)
        .map(|status| status.code.clone())
        .filter(|code| BREAKS_SIGNATURE.contains(&code.0.as_str()))
        .collect();
    broken.sort();
    broken.dedup();
    let validated = has(reading, Outcome::Success, "claimSignature.validated");
    match (broken.is_empty(), holds) {
        (false, _) => Signature::Broken(broken),
        (true, Some(false)) => {
            Signature::Broken(vec![StatusCode("claimSignature.mismatch".to_owned())])
        }
        (true, Some(true)) => Signature::Ok,
        (true, None) if validated => Signature::Ok,
        (true, None) => Signature::Unknown,
    }
}

/// Whether what the library says settles the signature axis. It says nothing of the claim signature when
/// it refuses the certificate.
pub(crate) fn settles_signature(reading: &Reading) -> bool {
    has(reading, Outcome::Success, "claimSignature.validated")
        || BREAKS_SIGNATURE
            .iter()
            .any(|code| has(reading, Outcome::Failure, code))
}

/// What the library says of the time stamp of the manifest `label`.
pub(crate) fn library_stamp(reading: &Reading, label: &str) -> LibraryStamp {
    let raw = reading.manifests.iter().find(|raw| raw.label == label);
    let time = raw
        .and_then(|raw| raw.signed_at.as_deref())
        .and_then(Timestamp::parse_rfc3339);
    let has = |code: &str| says_of_signature(reading, label, &[code]);
    let first_version = raw.is_some_and(|raw| raw.claim_version == Some(1));
    let is_trusted = has("timeStamp.validated") && has("timeStamp.trusted") && !first_version;
    match time {
        _ if has("timeStamp.mismatch") || has("timeStamp.malformed") => LibraryStamp::Refused,
        Some(time) if is_trusted => LibraryStamp::Trusted(time),
        // It shows a time only where the token is sound.
        Some(time) => LibraryStamp::Sound(time),
        None => LibraryStamp::Unsaid,
    }
}

/// Whether the library says one of `codes` of the claim signature of the manifest `label`. Identities have
/// signatures and time stamps of their own.
pub(crate) fn says_of_signature(reading: &Reading, label: &str, codes: &[&str]) -> bool {
    reading.statuses.iter().any(|status| {
        codes.contains(&status.code.0.as_str())
            && manifest_label(&status.url) == Some(label)
            && status.url.ends_with("/c2pa.signature")
    })
}

/// Whether an OCSP answer in the file says that the signer's certificate was revoked.
pub(crate) fn is_revoked(reading: &Reading) -> bool {
    has(reading, Outcome::Failure, "signingCredential.ocsp.revoked")
        || has(reading, Outcome::Failure, "signingCredential.revoked")
}

/// Failures that speak of a signer's standing or of time, not of a broken manifest: other axes say so.
pub(crate) fn is_about_trust_or_time(code: &str) -> bool {
    matches!(
        code,
        "signingCredential.untrusted"
            | "signingCredential.expired"
            | "claimSignature.outsideValidity"
            | "signingCredential.ocsp.skipped"
            | "signingCredential.ocsp.inaccessible"
            | "signingCredential.ocsp.unknown"
    ) || code.starts_with("timeStamp.")
        || code.starts_with("cawg.")
}

/// The manifest label in a JUMBF URI such as `self#jumbf=/c2pa/urn:…/c2pa.signature`.
pub(crate) fn manifest_label(uri: &str) -> Option<&str> {
    uri.split_once("/c2pa/")?.1.split('/').next()
}

const BREAKS_SIGNATURE: [&str; 4] = [
    "claimSignature.mismatch",
    "claimSignature.missing",
    "assertion.hashedURI.mismatch",
    "assertion.missing",
];
