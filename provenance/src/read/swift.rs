//! The short way through the library: it is told the outcome of what we have worked out before.
//!
//! The library checks every chain of certificates of every file anew, up to four RSA verifications for a
//! signer and as many for a time stamp. Both answers are remembered here, so it is given the signers
//! whose chains were found good, and no anchors. It still checks every signature and every token.
//! Whether it then says what it would have said with the anchors is looked at afterwards; where not, or
//! where something stands in the store that asks the lists in another way, the long way is gone.

use memchr::memmem;

use super::{Reading, SignedManifest, StoreReader, standing::Standing};
use crate::{
    codes, jumbf,
    time::{Timestamp, Validity},
};

/// What the library has to find.
pub(super) struct Plan<'a> {
    /// Signers to believe, in DER, sorted, each once.
    pub(super) signers: Vec<&'a [u8]>,
    expected: Vec<Expected<'a>>,
}

/// What holds for one manifest.
struct Expected<'a> {
    label: &'a str,
    is_first_version: bool,
    standing: Standing,
    /// When its time stamp's authority is to be trusted; `None` where no list is asked.
    authority: Option<Validity>,
}

impl StoreReader {
    /// `None` where the long way has to be gone.
    pub(super) fn plan<'a>(
        &self,
        store: &[u8],
        manifests: &'a [SignedManifest<'a>],
    ) -> Option<Plan<'a>> {
        if manifests.is_empty() || jumbf::is_compressed(store) {
            return None;
        }
        let mut expected: Vec<Expected<'a>> = Vec::with_capacity(manifests.len());
        let mut signers: Vec<&[u8]> = Vec::new();
        let mut strangers: Vec<&[u8]> = Vec::new();
        for manifest in manifests {
            let one = self.expect(manifest)?;
            if expected.iter().any(|other| other.label == one.label) {
                return None;
            }
            let leaf = manifest.cose.chain.first()?.as_slice();
            match one.standing.library {
                Some(_) => signers.push(leaf),
                None => strangers.push(leaf),
            }
            expected.push(one);
        }
        // The library is told of certificates, not of chains: one leaf with two chains has two standings.
        if signers.iter().any(|signer| strangers.contains(signer)) {
            return None;
        }
        signers.sort_unstable();
        signers.dedup();
        Some(Plan { signers, expected })
    }

    fn expect<'a>(&self, manifest: &'a SignedManifest<'a>) -> Option<Expected<'a>> {
        let boxes = &manifest.boxes;
        let signature = boxes.signature?;
        if boxes.is_ambiguous || boxes.claim.is_none() || asks_otherwise(manifest, signature) {
            return None;
        }
        let authority = match &manifest.cose.stamp {
            Some(stamp) if !boxes.is_first_version => Some(self.authority(stamp)?),
            Some(_) => None,
            None if memmem::find(signature, b"sigTst").is_some() => return None,
            None => None,
        };
        Some(Expected {
            label: boxes.label,
            is_first_version: boxes.is_first_version,
            standing: self.standing(&manifest.cose.chain)?,
            authority,
        })
    }

    /// Whether the library, knowing the anchors, would have said the same.
    pub(super) fn is_as_planned(&self, plan: &Plan<'_>, reading: &Reading) -> bool {
        let Some(clock) = reading.checked_at else {
            return false;
        };
        plan.expected.len() == reading.manifests.len()
            && plan.expected.iter().all(|one| one.is_met(reading, clock))
    }

    /// Puts the names of the lists where the library would have.
    pub(super) fn name_lists(&self, plan: &Plan<'_>, reading: &mut Reading) {
        for status in &mut reading.statuses {
            let label = codes::manifest_label(&status.url);
            let one = plan.expected.iter().find(|one| Some(one.label) == label);
            if let (Some(one), "signingCredential.trusted") = (one, status.code.0.as_str()) {
                let list = one.standing.library.and_then(|list| self.lists.get(list));
                let by_itself = one.standing.validity.is_none();
                status.list = list
                    .filter(|_| !by_itself)
                    .map(|list| list.info.name.clone());
            }
        }
    }
}

/// Whether something in the manifest is judged by the lists in a way that is not foreseen here: a
/// stapled answer about revocation, a late time stamp, an identity.
fn asks_otherwise(manifest: &SignedManifest<'_>, signature: &[u8]) -> bool {
    const OTHERS: [&str; 3] = [
        "c2pa.certificate-status",
        "c2pa.time-stamp",
        "cawg.identity",
    ];
    let assertions = &manifest.boxes.assertions;
    memmem::find(signature, b"rVals").is_some()
        || assertions
            .iter()
            .any(|(label, _)| OTHERS.iter().any(|other| label.starts_with(other)))
}

impl Expected<'_> {
    fn is_met(&self, reading: &Reading, clock: Timestamp) -> bool {
        let Some(raw) = reading.manifests.iter().find(|raw| raw.label == self.label) else {
            return false;
        };
        // The box has a version in its name, but the library goes by what stands in the claim.
        if (raw.claim_version == Some(1)) != self.is_first_version {
            return false;
        }
        let stamped = match raw.signed_at.as_deref().map(Timestamp::parse_rfc3339) {
            Some(None) => return false,
            Some(time) => time,
            None => None,
        };
        let is_trusted_time = match (stamped, self.authority) {
            (Some(time), Some(span)) => span.contains(time),
            (Some(_), None) | (None, _) => true,
        };
        // The library judged the chain for the time of a sound stamp, else for its clock's.
        let holds = self.standing.holds_at(stamped.unwrap_or(clock));
        is_trusted_time && (self.standing.library.is_none() || holds)
    }
}
