//! Where the metadata blocks of a file lie. Knows containers, not what the blocks mean.
//!
//! Each walk reads lengths and skips; nothing is copied but split XMP. The limits are those of the
//! metadata budget: 8 MB of text, 2 MB of XMP, 1 MB of EXIF.

use std::{borrow::Cow, ops::Range};

use media::Kind;

use super::{bmff, id3::Tag, ifd, png_text::TextChunk};
use crate::jpeg;

/// One block of metadata.
pub(super) enum Block<'a> {
    /// An XMP packet (ISO 16684-1).
    Xmp(Cow<'a, [u8]>),
    /// A TIFF structure with EXIF tags.
    Exif(&'a [u8]),
    /// A text chunk of a PNG.
    PngText(TextChunk<'a>),
    /// What stands under a key named `AIGC`.
    Aigc {
        /// Where it stood.
        place: &'static str,
        /// The value, in an unknown encoding.
        text: &'a [u8],
    },
    /// A comment segment of a JPEG.
    Comment(&'a [u8]),
    /// What Samsung's editor leaves behind the picture.
    SamsungEdit(&'a [u8]),
}

/// The metadata blocks of `bytes`, in file order.
pub(super) fn blocks(kind: Kind, bytes: &[u8]) -> Vec<Block<'_>> {
    let mut budget = Budget::default();
    match kind {
        Kind::Jpeg => jpeg_blocks(bytes, &mut budget),
        Kind::Png => png_blocks(bytes, &mut budget),
        Kind::WebP | Kind::Avi | Kind::Wav => riff_blocks(bytes, &mut budget),
        Kind::Gif => {
            let packet = gif_xmp(bytes).and_then(|range| bytes.get(range));
            budget.xmp(packet.map(Cow::Borrowed));
        }
        Kind::Tiff | Kind::Dng => tiff_blocks(bytes, &mut budget),
        Kind::Mp4
        | Kind::QuickTime
        | Kind::M4a
        | Kind::Avif
        | Kind::Heic
        | Kind::Heif
        | Kind::Jxl => {
            for block in bmff::blocks(bytes) {
                budget.any(block);
            }
        }
        Kind::Svg => {
            let packet = svg_xmp(bytes).and_then(|range| bytes.get(range));
            budget.xmp(packet.map(Cow::Borrowed));
        }
        Kind::Mp3 | Kind::Flac => {
            let packet = Tag::read(bytes).and_then(|tag| tag.xmp());
            budget.xmp(packet.map(Cow::Borrowed));
        }
        Kind::Bmp | Kind::Pdf | Kind::C2pa | Kind::Unknown => {}
    }
    budget.blocks
}

/// What may still be taken from this file.
#[derive(Default)]
struct Budget<'a> {
    blocks: Vec<Block<'a>>,
    bytes: usize,
    xmp_bytes: usize,
}

impl<'a> Budget<'a> {
    fn any(&mut self, block: Block<'a>) {
        match block {
            Block::Xmp(packet) => self.xmp(Some(packet)),
            Block::Exif(tiff) => self.exif(Some(tiff)),
            Block::PngText(_) | Block::Aigc { .. } | Block::Comment(_) | Block::SamsungEdit(_) => {
                self.text(block)
            }
        }
    }

    fn xmp(&mut self, packet: Option<Cow<'a, [u8]>>) {
        let Some(packet) = packet else { return };
        let total = self.xmp_bytes.saturating_add(packet.len());
        if total <= MAX_XMP {
            self.xmp_bytes = total;
            self.take(packet.len(), Block::Xmp(packet));
        }
    }

    fn png_xmp(&mut self, chunk: &TextChunk<'a>) {
        let left = MAX_XMP.saturating_sub(self.xmp_bytes);
        if left == 0 {
            return;
        }
        match chunk.unpacked(left) {
            Some(packet) => self.xmp(Some(packet)),
            // What does not unpack is charged as if it had: finding out cost as much.
            None => self.xmp_bytes = MAX_XMP,
        }
    }

    fn exif(&mut self, tiff: Option<&'a [u8]>) {
        if let Some(tiff) = tiff.filter(|tiff| tiff.len() <= MAX_EXIF) {
            self.take(tiff.len(), Block::Exif(tiff));
        }
    }

    fn text(&mut self, block: Block<'a>) {
        let length = match &block {
            Block::PngText(chunk) => chunk.len(),
            Block::Aigc { text, .. } | Block::Comment(text) | Block::SamsungEdit(text) => {
                text.len()
            }
            Block::Xmp(_) | Block::Exif(_) => return,
        };
        if length <= MAX_TEXT {
            self.take(length, block);
        }
    }

    fn take(&mut self, length: usize, block: Block<'a>) {
        let total = self.bytes.saturating_add(length);
        if total <= MAX_TOTAL && self.blocks.len() < MAX_BLOCKS {
            self.bytes = total;
            self.blocks.push(block);
        }
    }
}

fn jpeg_blocks<'a>(bytes: &'a [u8], budget: &mut Budget<'a>) {
    let mut extended = Extended::default();
    for segment in jpeg::segments(bytes) {
        let payload = segment.payload(bytes);
        match segment.marker {
            0xe1 => {
                if let Some(tiff) = payload.strip_prefix(b"Exif\0\0") {
                    budget.exif(Some(tiff));
                } else if let Some(packet) = payload.strip_prefix(JPEG_XMP) {
                    budget.xmp(Some(Cow::Borrowed(packet)));
                } else if let Some(part) = payload.strip_prefix(JPEG_EXTENDED_XMP) {
                    extended.add(part);
                }
            }
            0xfe => budget.text(Block::Comment(payload)),
            _ => {}
        }
    }
    budget.xmp(extended.whole().map(Cow::Owned));
    if let Some(text) = samsung_edit(bytes) {
        budget.text(Block::SamsungEdit(text));
    }
}

/// XMP that did not fit one segment (ISO 16684-3, section 1.1.3.1): 32 letters that name the packet,
/// its length, where this part begins.
#[derive(Default)]
struct Extended<'a> {
    name: &'a [u8],
    length: usize,
    parts: Vec<(usize, &'a [u8])>,
}

impl<'a> Extended<'a> {
    fn add(&mut self, part: &'a [u8]) {
        let Some((name, rest)) = part.split_at_checked(32) else {
            return;
        };
        let (Some(length), Some(at)) = (be32(rest, 0), be32(rest, 4)) else {
            return;
        };
        if self.parts.is_empty() {
            (self.name, self.length) = (name, length);
        }
        if self.name == name && self.length == length && self.parts.len() < MAX_BLOCKS {
            self.parts.push((at, rest.get(8..).unwrap_or_default()));
        }
    }

    /// The packet, when its parts lie end to end.
    fn whole(mut self) -> Option<Vec<u8>> {
        if self.parts.is_empty() || self.length > MAX_XMP {
            return None;
        }
        self.parts.sort_unstable_by_key(|(at, _)| *at);
        let mut packet = Vec::new();
        for (at, part) in self.parts {
            if at != packet.len() || packet.len().checked_add(part.len())? > self.length {
                return None;
            }
            packet.extend_from_slice(part);
        }
        (packet.len() == self.length).then_some(packet)
    }
}

/// Samsung's trailer ends in the length of its directory and `SEFT`; each entry of the directory says how
/// far before it a record lies. A record is 4 bytes, the length of its name, the name, the text.
fn samsung_edit(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.strip_suffix(b"SEFT")?.len().checked_sub(4)?;
    let start = end.checked_sub(le32(bytes, end)?)?;
    let directory = bytes.get(start..end)?.strip_prefix(b"SEFH")?;
    let count = le32(directory, 4)?.min(MAX_BLOCKS);
    let entries = directory.get(8..)?.chunks_exact(12).take(count);
    entries
        .filter_map(|entry| {
            let at = start.checked_sub(le32(entry, 4)?)?;
            let record = bytes.get(at..at.checked_add(le32(entry, 8)?)?)?;
            let (name, text) = record.get(8..)?.split_at_checked(le32(record, 4)?)?;
            (name == b"PhotoEditor_Re_Edit_Data").then_some(text)
        })
        .next()
}

fn png_blocks<'a>(bytes: &'a [u8], budget: &mut Budget<'a>) {
    for (kind, data) in png_chunks(bytes) {
        match kind {
            b"tEXt" | b"zTXt" | b"iTXt" => {
                if let Some(chunk) = TextChunk::parse(kind, data) {
                    if chunk.is_xmp() {
                        budget.png_xmp(&chunk);
                    } else if chunk.is_wanted() {
                        budget.text(Block::PngText(chunk));
                    }
                }
            }
            b"eXIf" => budget.exif(Some(data)),
            _ => {}
        }
    }
}

/// Kind and content of each chunk of a PNG up to its end.
pub(super) fn png_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let (kind, data) = png_chunk(bytes, at)?;
        at = at.saturating_add(12).saturating_add(data.len());
        (kind != b"IEND").then_some((kind, data))
    })
}

fn png_chunk(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let kind = bytes.get(at.checked_add(4)?..at.checked_add(8)?)?;
    let start = at.checked_add(8)?;
    let data = bytes.get(start..start.checked_add(be32(bytes, at)?)?)?;
    Some((kind, data))
}

fn riff_blocks<'a>(bytes: &'a [u8], budget: &mut Budget<'a>) {
    for (kind, data) in riff_chunks(bytes.get(12..).unwrap_or_default()) {
        match kind {
            b"XMP " | b"_PMX" => budget.xmp(Some(Cow::Borrowed(data))),
            b"EXIF" => budget.exif(Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data))),
            b"LIST" => {
                let Some(list) = data.strip_prefix(b"INFO") else {
                    continue;
                };
                if let Some((_, text)) = riff_chunks(list).find(|(kind, _)| kind == b"AIGC") {
                    let place = "riff:AIGC";
                    budget.text(Block::Aigc { place, text });
                }
            }
            _ => {}
        }
    }
}

fn riff_chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let kind = bytes.get(at..at.checked_add(4)?)?;
        let start = at.checked_add(8)?;
        let end = start.checked_add(le32(bytes, at.checked_add(4)?)?)?;
        let data = bytes.get(start..end)?;
        // Chunks begin at even places.
        at = end.checked_add(end & 1)?;
        Some((kind, data))
    })
}

fn tiff_blocks<'a>(bytes: &'a [u8], budget: &mut Budget<'a>) {
    // The values are bounded one by one; pixels lie between them.
    budget.take(0, Block::Exif(bytes));
    let packet = ifd::fields(bytes)
        .into_iter()
        .find(|field| field.tag == ifd::XMP);
    budget.xmp(packet.map(|field| Cow::Borrowed(field.value)));
}

/// Where the XMP packet of a GIF lies (ISO 16684-3, section 1.1.2): it stands raw behind its application
/// extension and a ramp of lengths leads any reader over it.
pub(crate) fn gif_xmp(bytes: &[u8]) -> Option<Range<usize>> {
    let mut at = 13_usize.checked_add(colour_table(*bytes.get(10)?))?;
    loop {
        match bytes.get(at..)? {
            [0x21, 0xff, 11, rest @ ..] if rest.starts_with(b"XMP DataXMP") => {
                let packet = rest.get(11..)?;
                let window = packet.get(..packet.len().min(MAX_XMP))?;
                let length = memchr::memmem::find(window, b"\x01\xff\xfe\xfd")?;
                let start = at.checked_add(14)?;
                return Some(start..start.checked_add(length)?);
            }
            [0x21, _, ..] => at = after_sub_blocks(bytes, at.checked_add(2)?)?,
            [0x2c, ..] => {
                let flags = *bytes.get(at.checked_add(9)?)?;
                let data = at.checked_add(11)?.checked_add(colour_table(flags))?;
                at = after_sub_blocks(bytes, data)?;
            }
            _ => return None,
        }
    }
}

/// Where the XMP packet of an SVG lies, by the marks at its ends (ISO 16684-1, section 7.3.2).
pub(crate) fn svg_xmp(bytes: &[u8]) -> Option<Range<usize>> {
    let start = memchr::memmem::find(bytes, b"<?xpacket begin=")?;
    let rest = bytes.get(start..)?;
    let window = rest.get(..rest.len().min(MAX_XMP))?;
    let last = memchr::memmem::find(window, b"<?xpacket end=")?;
    let close = memchr::memmem::find(window.get(last..)?, b"?>")?;
    Some(
        start
            ..start
                .checked_add(last)?
                .checked_add(close)?
                .checked_add(2)?,
    )
}

/// Bytes of the colour table that `flags` announces.
fn colour_table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << (usize::from(flags & 7) + 1)
    }
}

fn after_sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at = at.checked_add(length)?.checked_add(1)?;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Four bytes at `at`, largest first.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(field)).ok()
}

fn le32(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(field)).ok()
}

const JPEG_XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const JPEG_EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
/// Blocks taken of one file.
const MAX_BLOCKS: usize = 256;
/// XMP in all, decompressed.
pub(crate) const MAX_XMP: usize = 2 << 20;
/// One EXIF block outside TIFF.
const MAX_EXIF: usize = 1 << 20;
/// One text, as it lies in the file.
const MAX_TEXT: usize = 1 << 20;
/// All blocks, as they lie in the file.
const MAX_TOTAL: usize = 8 << 20;
