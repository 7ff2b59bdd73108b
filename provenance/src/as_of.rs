//! Carries the library's word to another moment. The library reads the clock; `--at` must not.
//!
//! Of all its checks only those of manifests without an accepted time stamp depend on the clock: the
//! validity of the signing certificate and, through it, the chain. Those codes are replaced by what our
//! own checks say for the other moment; everything else stays verbatim. What the library skips for an
//! ended certificate (the finer rules of the certificate profile) stays unchecked when the moment lies
//! inside its validity.

use crate::{
    certificate::Certificate,
    codes,
    finding::{StatusCode, ValidationState},
    read::{Outcome, Reading, SignedManifest, StampCheck, Status, StoreReader},
    time::Timestamp,
};

/// How far the library's clock and the moment asked for may lie apart and still be the same moment.
const SAME_MOMENT_S: u64 = 120;

/// Whether the library judged for `now` anyway.
pub(crate) fn is_same_moment(reading: &Reading, now: Timestamp) -> bool {
    reading
        .checked_at
        .is_some_and(|time| time.0.abs_diff(now.0) <= SAME_MOMENT_S)
}

/// Rewrites codes and state of `reading` for `now`.
pub(crate) fn restate(
    reading: &mut Reading,
    manifests: &[SignedManifest<'_>],
    reader: &StoreReader,
    now: Timestamp,
) {
    let Some(then) = reading.checked_at else {
        return;
    };
    for manifest in manifests {
        let leaf = manifest.cose.chain.first();
        let leaf = leaf.and_then(|der| Certificate::parse(der));
        let (Some(leaf), Some(signature), Some(claim)) =
            (leaf, manifest.boxes.signature, manifest.boxes.claim)
        else {
            continue;
        };
        let (was, is) = (leaf.validity.contains(then), leaf.validity.contains(now));
        if was != is && !library_accepts_stamp(reading, manifest, reader) {
            let trusted = reader.vouching_list(&manifest.cose.chain, now).is_some();
            let holds = reader.signature_holds(signature, claim);
            replace(reading, manifest.boxes.label, codes_at(is, trusted, holds));
        }
    }
    reading.state = state(reading);
}

/// The library takes any sound stamp on a version 1 claim and a trusted one on later claims.
fn library_accepts_stamp(
    reading: &Reading,
    manifest: &SignedManifest<'_>,
    reader: &StoreReader,
) -> bool {
    let version = reading
        .manifests
        .iter()
        .find(|raw| raw.label == manifest.boxes.label)
        .and_then(|raw| raw.claim_version);
    let check = manifest
        .cose
        .stamp
        .as_ref()
        .map_or(StampCheck::Invalid, |stamp| {
            reader.check_stamp(stamp, codes::library_stamp(reading, manifest.boxes.label))
        });
    match check {
        StampCheck::Trusted(_) => true,
        StampCheck::Untrusted(_) => version == Some(1),
        StampCheck::Invalid => false,
    }
}

fn codes_at(inside: bool, trusted: bool, holds: bool) -> Vec<(&'static str, Outcome)> {
    let mut codes = Vec::new();
    if inside && holds {
        codes.push(("claimSignature.insideValidity", Outcome::Success));
        codes.push(("claimSignature.validated", Outcome::Success));
    }
    if !inside {
        codes.push(("signingCredential.expired", Outcome::Failure));
    }
    codes.push(if trusted && inside {
        ("signingCredential.trusted", Outcome::Success)
    } else {
        ("signingCredential.untrusted", Outcome::Failure)
    });
    codes
}

const OF_THE_CLOCK: [&str; 6] = [
    "claimSignature.insideValidity",
    "claimSignature.outsideValidity",
    "claimSignature.validated",
    "signingCredential.expired",
    "signingCredential.trusted",
    "signingCredential.untrusted",
];

fn replace(reading: &mut Reading, label: &str, new: Vec<(&'static str, Outcome)>) {
    let is_active = reading
        .manifests
        .iter()
        .any(|manifest| manifest.active && manifest.label == label);
    let ingredient = (!is_active).then(|| format!("self#jumbf=/c2pa/{label}"));
    let url = format!("self#jumbf=/c2pa/{label}/c2pa.signature");
    reading.statuses.retain(|status| {
        codes::manifest_label(&status.url) != Some(label)
            || !OF_THE_CLOCK.contains(&status.code.0.as_str())
    });
    for (code, outcome) in new {
        if is_active || !is_recorded(reading, label, code) {
            reading.statuses.push(Status {
                code: StatusCode(code.to_owned()),
                outcome,
                url: url.clone(),
                ingredient: ingredient.clone(),
                list: None,
            });
        }
    }
}

/// Whether the manifest that took this ingredient in has already written the code down. The library
/// does not report it again, nor an end of validity after a recorded validity.
fn is_recorded(reading: &Reading, label: &str, code: &str) -> bool {
    reading
        .manifests
        .iter()
        .flat_map(|manifest| &manifest.ingredients)
        .filter(|ingredient| ingredient.manifest.as_deref() == Some(label))
        .any(|ingredient| {
            let has = |code: &str| ingredient.recorded.iter().any(|known| known.0 == code);
            has(code)
                || (code == "signingCredential.expired" && has("claimSignature.insideValidity"))
        })
}

/// The library's rule (its `validation_state`; C2PA 2.2, section 14.3).
pub(crate) fn state(reading: &Reading) -> ValidationState {
    let tolerated = |status: &Status| {
        let code = status.code.0.as_str();
        code == "signingCredential.untrusted"
            || code.starts_with("cawg.x509.")
            || code.starts_with("cawg.identity.")
    };
    let mut failures = reading
        .statuses
        .iter()
        .filter(|status| status.outcome == Outcome::Failure);
    let succeeded = |code| codes::has(reading, Outcome::Success, code);
    let valid = succeeded("claimSignature.validated")
        && succeeded("claimSignature.insideValidity")
        && failures.clone().all(tolerated);
    if !valid {
        ValidationState::Invalid
    } else if succeeded("signingCredential.trusted") && failures.next().is_none() {
        ValidationState::Trusted
    } else {
        ValidationState::Valid
    }
}
