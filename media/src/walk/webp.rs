//! The chunks of a WebP file (RFC 9649, section 2).
//!
//! Also cuts out the first picture as a still file of its own. The decoder then never sees an
//! animation, whose canvases it would allocate without regard to limits, nor any metadata.

use super::{Walk, exif_orientation, riff_end};
use crate::bytes::{has, index, le16, le24, le32, slice};

const HEADER_LENGTH: usize = 12;
const ALPHA: u8 = 0x10;

/// One chunk. A last one that is cut short has what is there of its data.
struct Chunk<'a> {
    name: &'a [u8],
    data: &'a [u8],
}

fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let name = slice(bytes, at, 4)?;
        let length = index(le32(bytes, at + 4)?);
        let rest = bytes.get(at + 8..)?;
        // Chunks begin at even places; beyond the file there is nothing to find.
        at = at
            .saturating_add(8)
            .saturating_add(length)
            .saturating_add(length & 1);
        Some(Chunk {
            name,
            data: rest.get(..length).unwrap_or(rest),
        })
    })
}

/// The chunks after the file header, trailing bytes left out.
fn body(bytes: &[u8]) -> &[u8] {
    let end = riff_end(bytes).unwrap_or(bytes.len()).min(bytes.len());
    bytes.get(HEADER_LENGTH..end).unwrap_or_default()
}

/// Walks all chunks.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    found.end = riff_end(bytes);
    let mut milliseconds = 0_u64;
    for chunk in chunks(body(bytes)) {
        match chunk.name {
            b"VP8X" if found.size.is_none() => {
                if let (Some(width), Some(height)) = (le24(chunk.data, 4), le24(chunk.data, 7)) {
                    found.state_size(width + 1, height + 1);
                }
            }
            b"VP8 " | b"VP8L" if found.size.is_none() => {
                if let Some((width, height)) = bitstream_size(chunk.name, chunk.data) {
                    found.state_size(width, height);
                }
            }
            b"ANMF" => {
                found.frames = found.frames.saturating_add(1);
                milliseconds += u64::from(le24(chunk.data, 12).unwrap_or(0));
            }
            b"EXIF" => {
                if let Some(orientation) = exif_orientation(chunk.data) {
                    found.orientation = orientation;
                }
            }
            _ => {}
        }
    }
    found.state_duration(milliseconds);
    found
}

/// Width and height that a bitstream states for itself.
fn bitstream_size(name: &[u8], data: &[u8]) -> Option<(u32, u32)> {
    if name == b"VP8L" {
        let sides = le32(data, 1).filter(|_| has(data, 0, b"\x2F"))?;
        return Some(((sides & 0x3FFF) + 1, ((sides >> 14) & 0x3FFF) + 1));
    }
    let width = le16(data, 6).filter(|_| has(data, 3, b"\x9D\x01\x2A"))?;
    Some((
        u32::from(width & 0x3FFF),
        u32::from(le16(data, 8)? & 0x3FFF),
    ))
}

/// The first picture of a file, ready for a decoder.
pub(crate) struct Still {
    /// A WebP file with nothing but this picture.
    pub(crate) file: Vec<u8>,
    /// Its own width and height, agreed by frame and bitstream.
    pub(crate) size: (u32, u32),
    /// Its left upper corner on the canvas.
    pub(crate) offset: (u32, u32),
}

/// Cuts out the first picture; `None` when the chunks make no sense.
pub(crate) fn first_still(bytes: &[u8]) -> Option<Still> {
    let mut alpha = None;
    for chunk in chunks(body(bytes)) {
        match chunk.name {
            b"ANMF" => return frame(chunk.data),
            b"ALPH" => alpha = alpha.or(Some(chunk.data)),
            b"VP8 " | b"VP8L" => return still(&chunk, alpha),
            _ => {}
        }
    }
    None
}

fn frame(data: &[u8]) -> Option<Still> {
    let offset = (le24(data, 0)? * 2, le24(data, 3)? * 2);
    let size = (le24(data, 6)? + 1, le24(data, 9)? + 1);
    let mut alpha = None;
    for chunk in chunks(data.get(16..)?) {
        match chunk.name {
            b"ALPH" => alpha = alpha.or(Some(chunk.data)),
            b"VP8 " | b"VP8L" => {
                let found = still(&chunk, alpha)?;
                return (found.size == size).then_some(Still { offset, ..found });
            }
            _ => {}
        }
    }
    None
}

fn still(bitstream: &Chunk<'_>, alpha: Option<&[u8]>) -> Option<Still> {
    let size = bitstream_size(bitstream.name, bitstream.data)?;
    // Only lossy pictures keep their transparency in a chunk of its own.
    let alpha = alpha.filter(|_| bitstream.name == b"VP8 ");
    let mut file = Vec::with_capacity(bitstream.data.len() + alpha.map_or(0, <[u8]>::len) + 64);
    file.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    if let Some(alpha) = alpha {
        let mut canvas = [ALPHA, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        canvas
            .get_mut(4..7)?
            .copy_from_slice(size.0.checked_sub(1)?.to_le_bytes().get(..3)?);
        canvas
            .get_mut(7..10)?
            .copy_from_slice(size.1.checked_sub(1)?.to_le_bytes().get(..3)?);
        push_chunk(&mut file, b"VP8X", &canvas)?;
        push_chunk(&mut file, b"ALPH", alpha)?;
    }
    push_chunk(&mut file, bitstream.name, bitstream.data)?;
    let length = u32::try_from(file.len() - 8).ok()?;
    file.get_mut(4..8)?.copy_from_slice(&length.to_le_bytes());
    Some(Still {
        file,
        size,
        offset: (0, 0),
    })
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8], data: &[u8]) -> Option<()> {
    file.extend_from_slice(name);
    file.extend_from_slice(&u32::try_from(data.len()).ok()?.to_le_bytes());
    file.extend_from_slice(data);
    if data.len() % 2 == 1 {
        file.push(0);
    }
    Some(())
}
