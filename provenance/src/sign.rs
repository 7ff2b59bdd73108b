//! Writes a C2PA manifest: bytes in, bytes out. Small on purpose: no thumbnail, no room to spare.
//!
//! This file, its folder and `read.rs` alone name the c2pa crate. Nothing here opens a file or a socket:
//! keys and time stamps come through the traits of `signer.rs`.

mod history;
mod later;
mod manifest;
pub(crate) mod metadata;
mod pen;
mod unsigned;

use std::io::Cursor;

use c2pa::Builder;
use media::{Kind, Limits, Media, Name};

use crate::{
    error::SignError,
    finding::{Content, Provenance, Signature},
    judge::Judge,
    labels::items::are_same,
    profile::{Assertion, Profile},
    signer::{Signer, TimeStamper},
    time::Timestamp,
};
pub use later::stamp_later;
use pen::Pen;
pub use unsigned::UnsignedLabels;

/// What to sign and what to say about it. [`SignRequest::new`] asks for nothing but the profile.
#[derive(Clone, Copy)]
pub struct SignRequest<'a> {
    /// How the file came to be, and what its owner always says.
    pub profile: &'a Profile,
    /// Its title; else the profile's.
    pub title: Option<&'a str>,
    /// Who made it, as `dc:creator` of `cawg.metadata`; else the profile's.
    pub author: Option<&'a str>,
    /// Whether training and data mining are forbidden (`cawg.training-mining`). The profile may say so too.
    pub no_train: bool,
    /// Assertions of the signer's own, after the profile's.
    pub assertions: &'a [Assertion],
    /// The file it was made from. With a profile that has a parent and none given, the file itself, as it
    /// was before signing, becomes the parent.
    pub parent: Option<&'a Media>,
    /// Whether the manifest goes into a file of its own instead of into the media.
    pub sidecar: bool,
    /// What to do about a history that does not hold.
    pub broken_history: BrokenHistory,
    /// The time stated for the action. Unverified by readers.
    pub now: Timestamp,
}

impl<'a> SignRequest<'a> {
    /// Says what `profile` says, at `now`, and nothing more.
    pub fn new(profile: &'a Profile, now: Timestamp) -> Self {
        Self {
            profile,
            title: None,
            author: None,
            no_train: false,
            assertions: &[],
            parent: None,
            sidecar: false,
            broken_history: BrokenHistory::Refuse,
            now,
        }
    }
}

/// What to do with a file whose own credential, or that of its parent, does not hold: altered content, a
/// broken signature, defects further back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenHistory {
    /// Sign nothing.
    Refuse,
    /// Sign over it. The history stays as it is, and readers see that it does not hold.
    DangerousAccept,
}

/// A signed file that has been read back.
#[derive(Debug)]
pub struct Signed {
    /// The file with its manifest, or as it was when a sidecar was asked for.
    pub media: Media,
    /// The manifest store.
    pub manifest: Vec<u8>,
    /// What the file now says, as judged by somebody who trusts no signer.
    pub provenance: Provenance,
    /// Whether it carries the unsigned labels that the profile asks for.
    pub unsigned_labels: UnsignedLabels,
}

/// Signs `media`, with a time stamp if there is a `stamper`, and checks the result with our own judge.
///
/// A credential that the file carries becomes the parent of the new one; nothing of it is dropped. Costs
/// about twice the hashing of the file, and is safe to call from many threads at once.
///
/// # Errors
///
/// [`SignError`]; nothing is written anywhere in that case.
pub fn sign(
    media: &Media,
    request: &SignRequest<'_>,
    signer: &dyn Signer,
    stamper: Option<&dyn TimeStamper>,
) -> Result<Signed, SignError> {
    if !can_carry(media.kind) {
        let mime = media.kind.mime();
        return Err(SignError::UnsupportedKind { mime });
    }
    let judge = manifest::judge()?;
    let before = history::check(judge, media, request)?;
    let labelled = labelled(media, request)?;
    let source = labelled.as_deref().unwrap_or(media.bytes());
    let builder = manifest::builder(media, request, before)?;
    let pen = Pen::new(signer, stamper, request.now);
    let (asset, manifest) = write(builder, media.kind, source, pen)?;
    let asset = if request.sidecar {
        media.bytes().to_vec()
    } else {
        asset
    };
    let unsigned_labels = match (request.profile.unsigned_labels, &labelled) {
        (false, _) => UnsignedLabels::NotAsked,
        (true, Some(_)) => UnsignedLabels::Written,
        (true, None) => UnsignedLabels::NoPlace,
    };
    let sidecar = request.sidecar.then_some(manifest.as_slice());
    let (media, provenance) = verify(judge, media, asset, sidecar, request.now)?;
    Ok(Signed {
        media,
        manifest,
        provenance,
        unsigned_labels,
    })
}

/// The file with its unsigned labels, where it gets any.
fn labelled(media: &Media, request: &SignRequest<'_>) -> Result<Option<Vec<u8>>, SignError> {
    if !request.profile.unsigned_labels || request.sidecar {
        return Ok(None);
    }
    unsigned::label(media, request.profile)
}

/// Whether the library writes manifests into this kind of file. It only reads PDF, and a bare manifest
/// store is nothing that could be signed.
pub(crate) fn can_carry(kind: Kind) -> bool {
    match kind {
        Kind::Jpeg
        | Kind::Png
        | Kind::WebP
        | Kind::Gif
        | Kind::Tiff
        | Kind::Dng
        | Kind::Avif
        | Kind::Heic
        | Kind::Heif
        | Kind::Jxl
        | Kind::Svg
        | Kind::Mp4
        | Kind::QuickTime
        | Kind::M4a
        | Kind::Avi
        | Kind::Mp3
        | Kind::Wav
        | Kind::Flac => true,
        Kind::Bmp | Kind::Pdf | Kind::C2pa | Kind::Unknown => false,
    }
}

/// The file and its manifest store, as the library writes them.
fn write(
    mut builder: Builder,
    kind: Kind,
    source: &[u8],
    pen: Pen<'_>,
) -> Result<(Vec<u8>, Vec<u8>), SignError> {
    let room = source.len().saturating_add(ROOM_BYTES);
    let mut asset = Cursor::new(Vec::with_capacity(room));
    let mut source = Cursor::new(source);
    let written = builder.sign(&pen, kind.mime(), &mut source, &mut asset);
    let manifest = written.map_err(|error| pen.failure(error))?;
    let asset = asset.into_inner();
    // The library moves what such a file lists and, in one of the list's forms, loses count (c2pa 0.91.9). Hash and
    // signature would hold over the damage.
    if matches!(kind, Kind::Avif | Kind::Heic | Kind::Heif) && !are_same(source.get_ref(), &asset) {
        let detail = "its list of pictures would lead to other bytes".to_owned();
        return Err(SignError::NotVerified(detail));
    }
    Ok((asset, manifest))
}

/// The new file must be intact and its signature sound by our own reading.
fn verify(
    judge: &Judge,
    media: &Media,
    asset: Vec<u8>,
    sidecar: Option<&[u8]>,
    now: Timestamp,
) -> Result<(Media, Provenance), SignError> {
    let limits = Limits {
        max_bytes: u64::MAX,
        ..Limits::default()
    };
    let name = Name::from_text(&media.name.display);
    let written = Media::from_bytes(name, media.declared_kind, asset, &limits).map_err(library)?;
    let found = judge.judge(&written, sidecar, now);
    if found.content == Content::Intact && found.signature == Signature::Ok {
        return Ok((written, found));
    }
    let codes: Vec<&str> = found
        .codes
        .failure
        .iter()
        .map(|code| code.0.as_str())
        .collect();
    Err(SignError::NotVerified(codes.join(", ")))
}

fn library(error: impl std::fmt::Display) -> SignError {
    SignError::Library(error.to_string())
}

/// Space for a manifest, so that the output is allocated once.
const ROOM_BYTES: usize = 16 << 10;
