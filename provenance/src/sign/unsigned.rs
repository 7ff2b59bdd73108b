//! The unsigned labels that the law asks of AI media, written into the file before it is signed, so that
//! the signature covers them. They stand in XMP, where programs that know no manifests look for them.
//!
//! Knows containers and nothing of manifests: what is written here is read back by `labels`.

mod boxes;
mod gif;
mod id3;
mod items;
mod jpeg;
mod png;
mod riff;
mod svg;
mod tiff;
mod xmp;

use media::{Kind, Media};
use serde_json::json;

use crate::{
    error::SignError,
    profile::{Aigc, Profile, Statement},
};

/// What became of the unsigned labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedLabels {
    /// The profile asks for none.
    NotAsked,
    /// They stand in the file.
    Written,
    /// This build knows no place for them in files of this kind, or the file was to stay as it is. The
    /// manifest says the same, signed.
    NoPlace,
}

/// The file with the labels that `profile` asks for; `None` where it has no place for them.
pub(super) fn label(media: &Media, profile: &Profile) -> Result<Option<Vec<u8>>, SignError> {
    let properties = properties(profile);
    let write = |packet: Option<&[u8]>| xmp::with(packet, &properties);
    let bytes = media.bytes();
    let written = match media.kind {
        Kind::Jpeg => jpeg::write(bytes, write),
        Kind::Png => png::write(bytes, write),
        Kind::WebP => riff::write_webp(bytes, media, write),
        Kind::Wav => riff::write(b"WAVE", bytes, write),
        Kind::Avi => riff::write(b"AVI ", bytes, write),
        Kind::Mp3 | Kind::Flac => id3::write(bytes, write),
        Kind::Svg => svg::write(bytes, write),
        Kind::Gif => gif::write(bytes, write),
        Kind::Mp4 | Kind::M4a | Kind::QuickTime => boxes::write_movie(bytes, write),
        Kind::Avif | Kind::Heic | Kind::Heif => items::write(bytes, write),
        Kind::Jxl => boxes::write_jxl(bytes, write),
        Kind::Tiff | Kind::Dng => tiff::write(bytes, write),
        Kind::Bmp | Kind::Pdf | Kind::C2pa | Kind::Unknown => return Ok(None),
    };
    match written {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Refusal::NoPlace) => Ok(None),
        Err(Refusal::Xmp(detail)) => Err(SignError::Labels(detail)),
    }
}

/// Why a container could not be labelled.
#[derive(Debug)]
enum Refusal {
    /// It has no place, or is not built as expected.
    NoPlace,
    /// The packet that stands there cannot be added to.
    Xmp(&'static str),
}

/// A property of the file: vocabulary, prefix, name and text.
struct Property {
    uri: &'static str,
    prefix: &'static str,
    name: &'static str,
    value: String,
}

fn properties(profile: &Profile) -> Vec<Property> {
    let iptc = |name, value: &str| Property {
        uri: IPTC,
        prefix: "Iptc4xmpExt",
        name,
        value: value.to_owned(),
    };
    let mut properties = Vec::new();
    if let Some(word) = source_type(profile.statement) {
        properties.push(iptc("DigitalSourceType", &format!("{SOURCE_TYPES}{word}")));
    }
    if let Some(generator) = &profile.generator {
        properties.push(iptc("AISystemUsed", &generator.name));
        if let Some(version) = &generator.version {
            properties.push(iptc("AISystemVersionUsed", version));
        }
    }
    if let Some(aigc) = &profile.aigc {
        properties.push(Property {
            uri: TC260,
            prefix: "TC260",
            name: "AIGC",
            value: aigc_text(aigc),
        });
    }
    properties
}

fn source_type(statement: Statement) -> Option<&'static str> {
    match statement {
        Statement::Ai => Some("trainedAlgorithmicMedia"),
        Statement::AiEdit => Some("compositeWithTrainedAlgorithmicMedia"),
        Statement::Photo | Statement::Capture | Statement::Edit | Statement::Publish => None,
    }
}

/// All seven fields of GB 45438-2025; `Label` 1 says that the content is generated.
fn aigc_text(aigc: &Aigc) -> String {
    json!({ "AIGC": {
        "Label": "1",
        "ContentProducer": aigc.content_producer,
        "ProduceID": aigc.produce_id,
        "ReservedCode1": "",
        "ContentPropagator": aigc.content_propagator,
        "PropagateID": aigc.propagate_id,
        "ReservedCode2": "",
    } })
    .to_string()
}

/// IPTC Photo Metadata Standard 2025.1, extension schema.
const IPTC: &str = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/";
/// IPTC NewsCodes, digital source type.
const SOURCE_TYPES: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";
/// TC260's namespace for the label in XMP.
const TC260: &str = "http://www.tc260.org.cn/ns/AIGC/1.0/";
