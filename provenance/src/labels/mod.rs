//! Unsigned labels: what the file says outside any manifest. Claims of whoever wrote it last.
//!
//! Reading is lenient, reporting strict: a label's `ai` is set only where the field itself says that AI
//! made or changed the picture, or is the record of a generator's run. A tool that is merely named is a
//! trace. Every block is bounded before it is read and one that is too large, damaged or suspicious is
//! not read at all; a missing label counts for nothing, so that hides nothing.
//!
//! Pixels are not decoded. The one exception looks at the lowest bit of the alpha channel alone, where
//! NovelAI hides its text. XMP in UTF-16 is not read.

mod aigc;
mod bmff;
mod carried;
mod container;
mod exif;
pub(crate) mod id3;
mod ifd;
pub(crate) mod items;
mod png_text;
mod record;
mod stealth;
mod tools;
mod xmp;
mod xmp_fields;

pub(crate) use carried::{CARRIED_EXIF, Wanted, exif as carried_exif, xmp as carried_xmp};
pub(crate) use container::{MAX_XMP as MAX_XMP_BYTES, gif_xmp, svg_xmp};
use media::{Kind, Media};

use crate::{
    display::clean,
    finding::{AiStatus, LabelKind, UnsignedLabel},
};
use container::Block;

/// Every label of `media`, each once, in the order of their blocks; PNG text comes last, hidden text
/// behind it.
pub(crate) fn read(media: &Media) -> Vec<UnsignedLabel> {
    let mut labels = Labels::default();
    let mut texts = Vec::new();
    for block in container::blocks(media.kind, media.bytes()) {
        match block {
            Block::Xmp(packet) => xmp::read(&packet, &mut labels),
            Block::Exif(tiff) => exif::read(tiff, &mut labels),
            Block::PngText(chunk) => texts.push(chunk),
            Block::Aigc { place, text } => labels.push(aigc::named(place, &decode(text))),
            Block::Comment(text) => labels.push(aigc::anywhere("jpeg:COM", &decode(text))),
            Block::SamsungEdit(text) => labels.push(exif::samsung_edit(&decode(text))),
        }
    }
    png_text::read(&texts, &mut labels);
    if media.kind == Kind::Png {
        labels.push(stealth::read(media.bytes()));
    }
    labels.found
}

/// The XMP packet in a chunk of a PNG: `None` when the chunk is none, `Some(None)` when it does not unpack.
pub(crate) fn png_xmp(kind: &[u8], data: &[u8]) -> Option<Option<Vec<u8>>> {
    let chunk = png_text::TextChunk::parse(kind, data).filter(png_text::TextChunk::is_xmp)?;
    let packet = chunk.unpacked(MAX_XMP_BYTES);
    Some(packet.map(std::borrow::Cow::into_owned))
}

/// The labels found so far.
#[derive(Default)]
struct Labels {
    found: Vec<UnsignedLabel>,
}

impl Labels {
    /// Adds a label unless there are [`MAX_LABELS`] or it is there already.
    fn push(&mut self, label: impl IntoIterator<Item = UnsignedLabel>) {
        for label in label {
            if self.found.len() < MAX_LABELS && !self.found.contains(&label) {
                self.found.push(label);
            }
        }
    }
}

/// A label that names no tool, no source type and says nothing about AI yet.
fn label(kind: LabelKind, place: &str, text: &str) -> UnsignedLabel {
    UnsignedLabel {
        kind,
        place: place.to_owned(),
        generator: None,
        text: clean(text),
        ai: None,
        digital_source_type: None,
    }
}

impl UnsignedLabel {
    fn made_by(mut self, generator: Option<&str>) -> Self {
        self.generator = crate::display::clean_option(generator);
        self
    }

    fn saying(mut self, ai: Option<AiStatus>) -> Self {
        self.ai = ai;
        self
    }
}

/// Text as its writer most likely meant it: UTF-8 where it is that, else Latin-1.
fn decode(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

/// Labels kept of one file. Real files carry fewer than ten.
const MAX_LABELS: usize = 64;
