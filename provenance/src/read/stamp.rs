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

/// What the time-stamp lists say of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    /// It chains to a list, and all of its certificates are valid in this span.
    Trusted(Validity),
    /// It does not, at any time.
    Untrusted,
}

/// The authorities met so far. The key covers the certificates of a token and the name of the signer
/// among them: certificates could be added to a genuine token, but then it is another key.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<Digest, Authority>>);

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
            (LibraryStamp::Sound(time), Some(_)) => match self.recall(stamp) {
                Some(Authority::Trusted(span)) if span.contains(time) => StampCheck::Trusted(time),
                Some(Authority::Untrusted) => StampCheck::Untrusted(time),
                Some(Authority::Trusted(_)) | None => self.check_whole(stamp, anchors.as_ref()),
            },
            (LibraryStamp::Trusted(_) | LibraryStamp::Unsaid, _) => {
                self.check_whole(stamp, anchors.as_ref())
            }
        }
    }

    /// What the lists say of the authority of this token; `None` when the token does not let us ask.
    pub(super) fn authority(&self, stamp: &Stamp) -> Option<Authority> {
        if let Some(known) = self.recall(stamp) {
            return Some(known);
        }
        let Some(anchors) = self.stamp_anchors(stamp) else {
            return Some(Authority::Untrusted);
        };
        self.check_whole(stamp, Some(&anchors));
        self.recall(stamp)
    }

    fn recall(&self, stamp: &Stamp) -> Option<Authority> {
        let memory = self.authorities.0.lock();
        let memory = memory.unwrap_or_else(PoisonError::into_inner);
        memory.get(&authority_key(stamp)?).copied()
    }

    /// The token and its chain, without regard to what the library said. Remembers what that says of
    /// the authority.
    fn check_whole(&self, stamp: &Stamp, anchors: Option<&CertificateTrustPolicy>) -> StampCheck {
        let trusted = anchors.and_then(|anchors| check_token(stamp, anchors, true));
        let sound = || check_token(stamp, &CertificateTrustPolicy::new(), false);
        let Some(time) = trusted.or_else(sound) else {
            return StampCheck::Invalid;
        };
        let certificates = cms::certificates(&stamp.token).unwrap_or_default();
        let span = standing::common_validity(&certificates).filter(|span| span.contains(time));
        // A sound token whose certificates were all valid fails for want of an anchor alone.
        let authority = span.map(|span| match trusted {
            Some(_) => Authority::Trusted(span),
            None => Authority::Untrusted,
        });
        if let (Some(key), Some(authority)) = (authority_key(stamp), authority) {
            let memory = self.authorities.0.lock();
            let mut memory = memory.unwrap_or_else(PoisonError::into_inner);
            if memory.len() >= MAX_AUTHORITIES {
                memory.clear();
            }
            memory.insert(key, authority);
        }
        trusted.map_or(StampCheck::Untrusted(time), StampCheck::Trusted)
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

/// Whether the token is sound, whoever its authority is.
pub(super) fn is_sound(stamp: &Stamp) -> bool {
    check_token(stamp, &CertificateTrustPolicy::new(), false).is_some()
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
