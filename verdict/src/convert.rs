//! Findings of the other rooms become parts of the report, by total matches: a new state breaks them.

mod detection;
mod provenance;

use ::provenance::TrustListInfo;
use media::{Digest, Kind, LimitKind, Media, MediaError, Name};

use crate::{
    evidence::{Known, KnownKind, KnownMatch},
    report as wire,
};

pub(crate) use detection::{detection, unread_detection};
pub(crate) use provenance::provenance;

/// What arrived.
pub(crate) fn media(media: &Media) -> wire::Media {
    wire::Media {
        name: media.name.display.clone(),
        name_hex: media.name.hex.clone(),
        sha256: Some(media.digest.to_string()),
        bytes: u64::try_from(media.bytes().len()).ok(),
        kind: Some(media.kind.mime().to_owned()),
        declared_kind: media.declared_kind.map(Kind::mime).map(str::to_owned),
        width: media.header.width,
        height: media.header.height,
        frames: Some(media.header.frames),
        duration_s: media.header.duration_s,
        trailing_bytes: Some(media.header.trailing_bytes),
    }
}

/// What is known of a file that could not be opened: its name, and its length when that was the reason.
pub(crate) fn unread_media(name: &Name, error: &MediaError) -> wire::Media {
    let bytes = match error {
        MediaError::LimitExceeded {
            which: LimitKind::Bytes,
            found,
            ..
        } if *found > 0 => Some(*found),
        MediaError::LimitExceeded { .. }
        | MediaError::UnsupportedKind { .. }
        | MediaError::UnsupportedFlavour { .. }
        | MediaError::Damaged { .. }
        | MediaError::Io(_)
        | MediaError::NotAFile => None,
    };
    wire::Media {
        name: name.display.clone(),
        name_hex: name.hex.clone(),
        sha256: None,
        bytes,
        kind: None,
        declared_kind: None,
        width: None,
        height: None,
        frames: None,
        duration_s: None,
        trailing_bytes: None,
    }
}

/// A medium of which only the name and the digest are known.
pub(crate) fn unexamined_media(name: &Name, digest: Digest, bytes: u64) -> wire::Media {
    wire::Media {
        sha256: Some(digest.to_string()),
        bytes: Some(bytes),
        ..unread_media(name, &MediaError::NotAFile)
    }
}

/// A match in a list of known files.
pub(crate) fn known(known: &Known) -> wire::Known {
    let (r#match, distance) = match known.matched {
        KnownMatch::Sha256 => (wire::KnownMatch::Sha256, 0),
        KnownMatch::Pdq { distance } => (wire::KnownMatch::Pdq, u32::from(distance)),
    };
    wire::Known {
        list: known.list.clone(),
        kind: match known.kind {
            KnownKind::Fake => wire::KnownKind::Fake,
            KnownKind::Trusted => wire::KnownKind::Trusted,
        },
        r#match,
        distance,
        label: known.label.clone(),
    }
}

/// A trust list that took part.
pub(crate) fn trust_list(info: &TrustListInfo) -> wire::TrustList {
    wire::TrustList {
        name: info.name.clone(),
        date: info.date.clone(),
        sha256: info.sha256.to_string(),
    }
}
