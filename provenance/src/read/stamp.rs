//! Time stamps, judged by the time-stamp lists alone, whatever the claim's version.
//!
//! Checking a token costs several RSA verifications, the dearest part of a whole reading. The library
//! has checked the token itself whenever it calls it validated; what is left is whether its authority
//! chains to a list, and authorities repeat from file to file, so that is worked out once for each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use c2pa::{
    crypto::{cose::CertificateTrustPolicy, time_stamp::verify_time_stamp},
    status_tracker::StatusTracker,
};
use media::Digest;

use super::{StoreReader, context::believe, standing};
use crate::{
    cms,
    cose::Stamp,
    time::{Timestamp, Validity},
    trust::Role,
};

/// Authorities remembered; there are a few dozen in the world.
const MAX_AUTHORITIES: usize = 1_024;

/// How a time stamp's checks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampCheck {
    Trusted(Timestamp),
    Untrusted(Timestamp),
    Invalid,
}

/// What the library says of a manifest's time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LibraryStamp {
    /// Sound, and its authority is on a list (it looks only on version 2 claims).
    Trusted(Timestamp),
    /// Sound; the lists were not asked.
    Sound(Timestamp),
    /// Not sound.
    Refused,
    /// Nothing that settles the matter.
    Unsaid,
}

/// Authorities that chain to a time-stamp list, and when all of their certificates are valid. The key
/// covers the certificates and the name of the signer among them: other certificates could be added to
/// a genuine token, but then it is another key.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<Digest, Validity>>);

impl StoreReader {
    /// Checks a time stamp against the time-stamp lists. The library's answer is taken where it
    /// suffices: on version 2 claims it has asked the lists, and a token that names no anchor of ours
    /// cannot be trusted.
    pub(crate) fn check_stamp(&self, stamp: &Stamp, library: LibraryStamp) -> StampCheck {
        let anchors = self.stamp_anchors(stamp);
        match (library, &anchors) {
            (LibraryStamp::Refused, _) => StampCheck::Invalid,
            (LibraryStamp::Trusted(time), Some(_)) => StampCheck::Trusted(time),
            (LibraryStamp::Sound(time), None) => StampCheck::Untrusted(time),
            (LibraryStamp::Sound(time), Some(_)) if self.is_known_authority(stamp, time) => {
                StampCheck::Trusted(time)
            }
            (LibraryStamp::Trusted(_) | LibraryStamp::Sound(_) | LibraryStamp::Unsaid, _) => {
                self.check_whole(stamp, anchors.as_ref())
            }
        }
    }

    /// When stamps of this token's authority are to be trusted, if the token itself is sound.
    pub(super) fn authority(&self, stamp: &Stamp) -> Option<Validity> {
        let key = authority_key(stamp)?;
        if let Some(known) = self.recall(&key) {
            return Some(known);
        }
        let anchors = self.stamp_anchors(stamp)?;
        self.check_whole(stamp, Some(&anchors));
        self.recall(&key)
    }

    fn is_known_authority(&self, stamp: &Stamp, time: Timestamp) -> bool {
        authority_key(stamp)
            .and_then(|key| self.recall(&key))
            .is_some_and(|validity| validity.contains(time))
    }

    fn recall(&self, key: &Digest) -> Option<Validity> {
        let memory = self
            .authorities
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        memory.get(key).copied()
    }

    /// The token and its chain, without regard to what the library said. Remembers an authority that
    /// it finds trusted.
    fn check_whole(&self, stamp: &Stamp, anchors: Option<&CertificateTrustPolicy>) -> StampCheck {
        let trusted = anchors.and_then(|anchors| check_token(stamp, anchors, true));
        let Some(time) = trusted else {
            return check_token(stamp, &CertificateTrustPolicy::new(), false)
                .map_or(StampCheck::Invalid, StampCheck::Untrusted);
        };
        let validity = cms::certificates(&stamp.token)
            .and_then(|certificates| standing::common_validity(&certificates));
        if let (Some(key), Some(validity)) = (authority_key(stamp), validity) {
            let mut memory = self
                .authorities
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if memory.len() >= MAX_AUTHORITIES {
                memory.clear();
            }
            memory.insert(key, validity);
        }
        StampCheck::Trusted(time)
    }

    /// The time-stamp anchors that the token names, if any.
    fn stamp_anchors(&self, stamp: &Stamp) -> Option<CertificateTrustPolicy> {
        let selection = self.named_in(std::iter::once(stamp.token.as_slice()));
        let mut anchored = None;
        for (number, list) in self.lists.iter().enumerate() {
            let anchors = selection.of_list(number);
            if list.role == Role::StampAnchor && !anchors.is_empty() {
                let policy = anchored.get_or_insert_with(CertificateTrustPolicy::new);
                believe(policy, list, &anchors);
            }
        }
        anchored
    }
}

fn authority_key(stamp: &Stamp) -> Option<Digest> {
    let mut parts = cms::certificates(&stamp.token)?;
    parts.push(cms::signer(&stamp.token)?);
    Some(standing::digest_of(&parts))
}

/// The time of a sound token; with `verify_trust` only when its authority chains to an anchor.
fn check_token(
    stamp: &Stamp,
    anchors: &CertificateTrustPolicy,
    verify_trust: bool,
) -> Option<Timestamp> {
    let mut log = StatusTracker::default();
    let (token, stamped) = (&stamp.token, &stamp.stamped);
    let info = verify_time_stamp(token, stamped, anchors, &mut log, verify_trust).ok()?;
    let time: chrono::DateTime<chrono::Utc> = info.gen_time.into();
    Some(Timestamp(time.timestamp()))
}
