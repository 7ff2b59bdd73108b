//! The chunks of a PNG file (W3C PNG, third edition, section 5.3).

use super::{Walk, exif_orientation};
use crate::bytes::{be16, be32, index, slice};

const SIGNATURE_LENGTH: usize = 8;

/// One chunk: its type, its data and the whole of it with length and checksum.
pub(crate) struct Chunk<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) data: &'a [u8],
    pub(crate) whole: &'a [u8],
    end: usize,
}

/// The chunks in order, until the file or its sense ends.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = SIGNATURE_LENGTH;
    std::iter::from_fn(move || {
        let length = index(be32(bytes, at)?);
        let whole = slice(bytes, at, length.checked_add(12)?)?;
        at += whole.len();
        Some(Chunk {
            name: slice(whole, 4, 4)?,
            data: slice(whole, 8, length)?,
            whole,
            end: at,
        })
    })
}

/// Walks to the end chunk.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    let mut counted = 0_u32;
    let mut milliseconds = 0_u64;
    for chunk in chunks(bytes) {
        match chunk.name {
            b"IHDR" if found.size.is_none() => read_size(chunk.data, &mut found),
            b"acTL" => found.frames = found.frames.max(be32(chunk.data, 0).unwrap_or(0)),
            b"fcTL" => {
                counted = counted.saturating_add(1);
                milliseconds = milliseconds.saturating_add(delay(chunk.data));
            }
            b"eXIf" => {
                if let Some(orientation) = exif_orientation(chunk.data) {
                    found.orientation = orientation;
                }
            }
            b"IEND" => {
                found.end = Some(chunk.end);
                break;
            }
            _ => {}
        }
    }
    // Frame control without animation control is ignored by every reader.
    if found.frames > 0 {
        found.frames = found.frames.max(counted);
    }
    found.state_duration(milliseconds);
    found
}

/// A PNG file with the chunks that make the default picture, and nothing else.
///
/// The decoder inflates colour profiles before it looks at limits, and keeps texts; neither
/// reaches it this way.
pub(crate) fn picture_only(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(bytes.len());
    file.extend_from_slice(bytes.get(..SIGNATURE_LENGTH).unwrap_or_default());
    for chunk in chunks(bytes) {
        if let b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" | b"IEND" = chunk.name {
            file.extend_from_slice(chunk.whole);
        }
        if chunk.name == b"IEND" {
            break;
        }
    }
    file
}

fn read_size(data: &[u8], found: &mut Walk) {
    if let (Some(width), Some(height)) = (be32(data, 0), be32(data, 4)) {
        found.state_size(width, height);
    }
}

/// Delay of one frame in milliseconds; a denominator of 0 stands for 100.
fn delay(data: &[u8]) -> u64 {
    let numerator = u64::from(be16(data, 20).unwrap_or(0));
    let denominator = match be16(data, 22).unwrap_or(0) {
        0 => 100,
        denominator => u64::from(denominator),
    };
    numerator * 1000 / denominator
}
