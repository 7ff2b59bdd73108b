//! Who vouches for a chain of certificates, worked out by the library once per chain.
//!
//! The answer is a function of the chain's bytes, the lists and the moment. Lists do not change while a
//! reader lives, and of the moment only one thing counts: whether every certificate of the chain is
//! within its validity. So the answer for such moments is remembered under the digest of the chain, and
//! for any other moment nobody vouches.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use c2pa::crypto::cose::{CertificateTrustPolicy, TrustAnchorType};
use media::Digest;

use super::{StoreReader, context::believe};
use crate::{
    certificate::Certificate,
    time::{Timestamp, Validity},
    trust::{INTERIM_EKUS, Role, TrustList},
};

/// Chains remembered; a day's traffic has a few hundred, but for cameras with a certificate per picture.
const MAX_CHAINS: usize = 4_096;

/// What the lists say of a chain while all of it is within its validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Number of the list that the library names. It asks every list, time-stamp lists included.
    pub(super) library: Option<usize>,
    /// Number of the list that may vouch for a signer.
    pub(super) signer: Option<usize>,
    /// When the leaf is valid.
    pub(super) leaf: Validity,
    /// When the standing holds; `None` for always, because the signer itself is on the list.
    pub(super) validity: Option<Validity>,
}

impl Standing {
    pub(super) fn holds_at(&self, time: Timestamp) -> bool {
        self.validity.is_none_or(|span| span.contains(time))
    }
}

/// The chains seen so far.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<Digest, Option<Standing>>>);

impl StoreReader {
    /// The list that vouches for the signer at time `at`, by the library's check of the chain (leaf
    /// first).
    pub(crate) fn vouching_list(&self, chain: &[Vec<u8>], at: Timestamp) -> Option<&TrustList> {
        let standing = self.standing(chain)?;
        let list = standing.signer.filter(|_| standing.holds_at(at))?;
        self.lists.get(list)
    }

    /// `None` when there is no moment at which all of the chain is within its validity, or when it does
    /// not parse.
    pub(super) fn standing(&self, chain: &[Vec<u8>]) -> Option<Standing> {
        let key = digest_of(chain);
        let lock = || {
            self.standings
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lock().get(&key) {
            return *known;
        }
        let standing = self.work_out(chain);
        let mut memory = lock();
        if memory.len() >= MAX_CHAINS {
            memory.clear();
        }
        memory.insert(key, standing);
        standing
    }

    fn work_out(&self, chain: &[Vec<u8>]) -> Option<Standing> {
        let leaf = Certificate::parse(chain.first()?)?.validity;
        let validity = common_validity(chain)?;
        let ask = |with_stamp_anchors| self.check(chain, validity.not_after, with_stamp_anchors);
        let library = ask(true);
        let is_stamp_list =
            library.is_some_and(|(list, _)| self.role(list) == Some(Role::StampAnchor));
        let signer = if is_stamp_list { ask(false) } else { library };
        let by_itself = library.is_some_and(|(_, by_itself)| by_itself);
        Some(Standing {
            library: library.map(|(list, _)| list),
            signer: signer.map(|(list, _)| list),
            leaf,
            validity: (!by_itself).then_some(validity),
        })
    }

    fn role(&self, list: usize) -> Option<Role> {
        self.lists.get(list).map(|list| list.role)
    }

    /// The library's own check, with the anchors that the chain names: number of the list, and whether
    /// the signer stands on it itself.
    fn check(
        &self,
        chain: &[Vec<u8>],
        at: Timestamp,
        with_stamp_anchors: bool,
    ) -> Option<(usize, bool)> {
        let (leaf, issuers) = chain.split_first()?;
        let selection = self.named_in(chain.iter().map(Vec::as_slice));
        let mut policy = CertificateTrustPolicy::new();
        policy.add_valid_ekus(INTERIM_EKUS.as_bytes());
        for (number, list) in self.lists.iter().enumerate() {
            let anchors = selection.of_list(number);
            if !anchors.is_empty() && (with_stamp_anchors || list.role != Role::StampAnchor) {
                believe(&mut policy, list, &anchors);
            }
        }
        let (kind, name) = policy
            .check_certificate_trust(issuers, leaf, Some(at.0))
            .ok()?;
        let by_itself = kind == TrustAnchorType::EndEntity;
        let list = self.lists.iter().position(|list| {
            if by_itself {
                list.role == Role::AllowedSigner
                    && list.anchors.iter().any(|anchor| anchor.der == *leaf)
            } else {
                list.info.name == name
            }
        })?;
        Some((list, by_itself))
    }
}

/// The span in which every certificate is valid; `None` when there is none.
pub(super) fn common_validity(certificates: &[Vec<u8>]) -> Option<Validity> {
    let mut spans = certificates
        .iter()
        .map(|der| Certificate::parse(der).map(|certificate| certificate.validity));
    let first = spans.next()??;
    let common = spans.try_fold(first, |common, span| {
        let span = span?;
        Some(Validity {
            not_before: common.not_before.max(span.not_before),
            not_after: common.not_after.min(span.not_after),
        })
    })?;
    (common.not_before <= common.not_after).then_some(common)
}

/// A digest that no two different chains share.
pub(super) fn digest_of(parts: &[Vec<u8>]) -> Digest {
    let mut joined =
        Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
    for part in parts {
        joined.extend_from_slice(&part.len().to_be_bytes());
        joined.extend_from_slice(part);
    }
    Digest::of(&joined)
}
