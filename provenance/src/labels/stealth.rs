//! Text that NovelAI and others hide in a PNG's transparency: one bit per pixel, the lowest of the alpha
//! channel, column by column.
//!
//! Those bits are all that is looked at; no colour is decoded and no picture is made. The first bits of an
//! ordinary picture differ from the signature in its first rows, and then nothing more is unpacked.
//!
//! Source: the format as NovelAI's own reader takes it; there is no specification.

use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};
use serde_json::Value;

use super::{container::png_chunks, decode, label, record, tools};
use crate::finding::{AiStatus, LabelKind, UnsignedLabel};

/// The label that the hidden text of `png` is, if there is one.
pub(super) fn read(png: &[u8]) -> Option<UnsignedLabel> {
    let text = decode(&hidden(png)?);
    // Settings stand as text inside the text.
    let fields: Option<Value> = serde_json::from_str(&text).ok();
    let comment = fields
        .as_ref()
        .and_then(|fields| fields.get("Comment")?.as_str());
    let record = comment
        .and_then(record::in_text)
        .or_else(|| record::in_text(&text));
    let found = label(LabelKind::PngText, "png:alpha", comment.unwrap_or(&text));
    Some(match record {
        Some(record) => found.made_by(Some(record.generator)).saying(record.ai),
        None => found
            .made_by(tools::named(&text))
            .saying(tools::says_generated(&text).then_some(AiStatus::DeclaredFull)),
    })
}

fn hidden(png: &[u8]) -> Option<Vec<u8>> {
    let bits = Picture::of(png)?.bits(png)?;
    let rest = bits.strip_prefix(SIGNATURE)?;
    let (kind, rest) = rest.split_at_checked(4)?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let bytes = usize::try_from(u32::from_be_bytes(*length))
        .ok()?
        .checked_div(8)?;
    let text = rest.get(..bytes).filter(|text| text.len() <= MAX_TEXT)?;
    match kind {
        b"info" => Some(text.to_vec()),
        b"comp" => {
            let mut unpacked = Vec::new();
            let most = u64::try_from(MAX_TEXT).ok()?;
            GzDecoder::new(text)
                .take(most)
                .read_to_end(&mut unpacked)
                .ok()?;
            Some(unpacked)
        }
        _ => None,
    }
}

/// An RGBA picture of eight bits, rows in order; others cannot carry the text.
struct Picture {
    width: usize,
    height: usize,
}

impl Picture {
    fn of(png: &[u8]) -> Option<Self> {
        let (kind, header) = png_chunks(png).next()?;
        let (width, rest) = header.split_first_chunk::<4>()?;
        let (height, rest) = rest.split_first_chunk::<4>()?;
        let side = |bytes: &[u8; 4]| usize::try_from(u32::from_be_bytes(*bytes)).ok();
        let found = Self {
            width: side(width)?,
            height: side(height)?,
        };
        let pixels = found.width.checked_mul(found.height)?;
        let fits = (1..=MAX_PIXELS).contains(&pixels) && found.width <= MAX_WIDTH;
        (kind == b"IHDR" && rest == RGBA_8_PLAIN && fits).then_some(found)
    }

    /// The lowest bit of every alpha value, in columns, eight to a byte; `None` as soon as they do not
    /// begin as hidden text does.
    fn bits(&self, png: &[u8]) -> Option<Vec<u8>> {
        let data = png_chunks(png)
            .filter(|(kind, _)| *kind == b"IDAT")
            .map(|(_, data)| data);
        let mut rows = ZlibDecoder::new(Joined { data, rest: &[] });
        let length = self.width.checked_mul(4)?;
        let (mut above, mut row) = (vec![0; length], vec![0; length]);
        let mut bits = vec![0; self.width.checked_mul(self.height)?.div_ceil(8)];
        for y in 0..self.height {
            let mut filter = [0];
            rows.read_exact(&mut filter).ok()?;
            rows.read_exact(&mut row).ok()?;
            unfilter(filter[0], &above, &mut row)?;
            for (x, pixel) in row.chunks_exact(4).enumerate() {
                let at = x.checked_mul(self.height)?.checked_add(y)?;
                let (byte, mask) = (bits.get_mut(at / 8)?, 0x80_u8 >> (at % 8));
                if pixel.get(3)? & 1 == 1 {
                    *byte |= mask;
                }
                let expected = SIGNATURE.get(at / 8);
                if expected.is_some_and(|expected| (expected ^ *byte) & mask != 0) {
                    return None;
                }
            }
            std::mem::swap(&mut above, &mut row);
        }
        Some(bits)
    }
}

/// Undoes the filter of a row (ISO/IEC 15948, section 9.2) of four bytes a pixel.
fn unfilter(filter: u8, above: &[u8], row: &mut [u8]) -> Option<()> {
    for at in 0..row.len() {
        let before = |from: &[u8]| at.checked_sub(4).and_then(|at| from.get(at).copied());
        let left = before(row).unwrap_or(0);
        let up = *above.get(at)?;
        let guess = match filter {
            0 => 0,
            1 => left,
            2 => up,
            3 => u8::try_from(u16::from(left).checked_add(u16::from(up))? / 2).ok()?,
            4 => paeth(left, up, before(above).unwrap_or(0)),
            _ => return None,
        };
        let byte = row.get_mut(at)?;
        *byte = byte.wrapping_add(guess);
    }
    Some(())
}

/// Whichever of the three is nearest to `left + up - corner`, the first of equals.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let goal = i16::from(left) + i16::from(up) - i16::from(corner);
    let distance = |value: u8| goal.abs_diff(i16::from(value));
    if distance(left) <= distance(up) && distance(left) <= distance(corner) {
        left
    } else if distance(up) <= distance(corner) {
        up
    } else {
        corner
    }
}

/// Pieces of data read as one.
struct Joined<'a, I> {
    data: I,
    rest: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Joined<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.rest.is_empty() {
            let Some(next) = self.data.next() else {
                return Ok(0);
            };
            self.rest = next;
        }
        self.rest.read(buffer)
    }
}

/// How every such text begins; `info` or `comp` follows, and the length in bits.
const SIGNATURE: &[u8] = b"stealth_png";
/// Depth, colour type, compression, filter and interlace of a header.
const RGBA_8_PLAIN: &[u8] = &[8, 6, 0, 0, 0];
/// Largest picture looked at; generators make a third of it.
const MAX_PIXELS: usize = 8 << 20;
/// Widest picture looked at: two of its rows are held.
const MAX_WIDTH: usize = 16_384;
/// Longest text, packed and unpacked.
const MAX_TEXT: usize = 1 << 20;
