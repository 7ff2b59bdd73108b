//! A time stamp for a file that was signed without one: an update manifest (C2PA 2.2, section 11.2.2) that
//! carries it. The file's content and its own manifest stay as they are; the stamp proves that the older
//! signature was there at its time, and the update's own signature is stamped as well.
//!
//! Where a longer manifest changes bytes that the older one hashes, such as the length in a RIFF header, no
//! update can hold. There a manifest of its own carries the stamp, with the older one as its parent.

use c2pa::{Builder, BuilderIntent, assertions::TimeStamp, jumbf_io};
use media::{Kind, Media};
use serde_json::json;
use x509_parser::asn1_rs::{Any, FromDer as _};

use super::{Pen, Signed, UnsignedLabels, can_carry, history, library, manifest, verify, write};
use crate::{
    cose,
    error::SignError,
    finding::ManifestState,
    jumbf,
    signer::{Signer, TimeStamper},
    stamp::StampRequest,
    time::Timestamp,
};

/// Adds a time stamp to the signed `media` and checks the result with our own judge.
///
/// # Errors
///
/// [`SignError::NothingToStamp`] when it carries no credential, [`SignError::BrokenHistory`] when that
/// does not hold, [`SignError::TimeStamp`] when no authority answers, and those of [`sign`](super::sign).
pub fn stamp_later(
    media: &Media,
    now: Timestamp,
    signer: &dyn Signer,
    stamper: &dyn TimeStamper,
) -> Result<Signed, SignError> {
    if !can_carry(media.kind) {
        let mime = media.kind.mime();
        return Err(SignError::UnsupportedKind { mime });
    }
    let judge = manifest::judge()?;
    let found = judge.judge(media, None, now);
    if let Some(fault) = history::fault(&found) {
        return Err(SignError::BrokenHistory(fault));
    }
    if found.manifest != ManifestState::Embedded {
        return Err(SignError::NothingToStamp);
    }
    let (label, signature) = signature(media).ok_or(SignError::NothingToStamp)?;
    let mut stamps = TimeStamp::new();
    stamps.add_timestamp(&label, &token(stamper, &signature, now)?);
    let builder = builder(media.kind, &stamps)?;
    let pen = Pen::new(signer, Some(stamper), now);
    let (asset, manifest) = write(builder, media.kind, media.bytes(), pen)?;
    let (media, provenance) = verify(judge, media, asset, None, now)?;
    Ok(Signed {
        media,
        manifest,
        provenance,
        unsigned_labels: UnsignedLabels::NotAsked,
    })
}

/// The library takes the file itself as the parent.
fn builder(kind: Kind, stamps: &TimeStamp) -> Result<Builder, SignError> {
    let mut builder = Builder::from_shared_context(manifest::context()?)
        .with_definition(json!({ "claim_generator_info": [manifest::own_name()] }))
        .map_err(library)?;
    builder.set_intent(intent(kind));
    builder
        .add_assertion(TimeStamp::LABEL, stamps)
        .map_err(library)?;
    Ok(builder)
}

fn intent(kind: Kind) -> BuilderIntent {
    match kind {
        Kind::Jpeg
        | Kind::Png
        | Kind::Gif
        | Kind::Svg
        | Kind::Jxl
        | Kind::Avif
        | Kind::Heic
        | Kind::Heif
        | Kind::Mp4
        | Kind::QuickTime
        | Kind::M4a => BuilderIntent::Update,
        Kind::WebP
        | Kind::Tiff
        | Kind::Dng
        | Kind::Avi
        | Kind::Mp3
        | Kind::Wav
        | Kind::Flac
        | Kind::Bmp
        | Kind::Pdf
        | Kind::C2pa
        | Kind::Unknown => BuilderIntent::Edit,
    }
}

/// Label and signature value of the active manifest, which is the last of its store.
fn signature(media: &Media) -> Option<(String, Vec<u8>)> {
    let store = jumbf_io::load_jumbf_from_memory(media.kind.mime(), media.bytes()).ok()?;
    let manifests = jumbf::manifests(&store);
    let active = manifests.last()?;
    let signature = cose::parse(active.signature?, active.claim?).signature;
    (!signature.is_empty()).then(|| (active.label.to_owned(), signature))
}

/// A checked `TimeStampToken` over `signature` (C2PA 2.2, section 18.21).
fn token(
    stamper: &dyn TimeStamper,
    signature: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, SignError> {
    let request = StampRequest::new(signature, now)?;
    let response = stamper.stamp(&request)?;
    request.check(&response)?;
    token_of(&response).ok_or_else(|| SignError::TimeStamp("the answer holds no token".to_owned()))
}

/// `TimeStampResp` is a sequence of the status and the token (RFC 3161, section 2.4.2).
fn token_of(response: &[u8]) -> Option<Vec<u8>> {
    let (_, outer) = Any::from_der(response).ok()?;
    let (token, _status) = Any::from_der(outer.data).ok()?;
    let (rest, _token) = Any::from_der(token).ok()?;
    rest.is_empty().then(|| token.to_vec())
}
