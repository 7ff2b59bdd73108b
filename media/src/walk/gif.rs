//! The blocks of a GIF file (GIF89a specification, sections 18 to 27).

use super::Walk;
use crate::bytes::{has, le16};

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const TRAILER: u8 = 0x3B;

/// Walks to the trailer. The size is the larger of the canvas and the first frame, since a decoder
/// allocates both.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    let mut milliseconds = 0_u64;
    let Some(mut at) = screen(bytes, &mut found) else {
        return found;
    };
    while let Some(label) = bytes.get(at) {
        let next = match *label {
            TRAILER => {
                found.end = Some(at + 1);
                break;
            }
            EXTENSION => {
                if has(bytes, at + 1, b"\xF9\x04") {
                    milliseconds += u64::from(le16(bytes, at + 4).unwrap_or(0)) * 10;
                }
                skip_sub_blocks(bytes, at + 2)
            }
            IMAGE => {
                found.frames = found.frames.saturating_add(1);
                image_end(bytes, at)
            }
            _ => None,
        };
        let Some(next) = next else { break };
        at = next;
    }
    found.state_duration(milliseconds);
    found
}

/// Reads the logical screen; the index after it and its colour table.
fn screen(bytes: &[u8], found: &mut Walk) -> Option<usize> {
    found.state_size(u32::from(le16(bytes, 6)?), u32::from(le16(bytes, 8)?));
    Some(13 + colour_table_length(*bytes.get(10)?))
}

fn image_end(bytes: &[u8], at: usize) -> Option<usize> {
    let table = colour_table_length(*bytes.get(at + 9)?);
    // Ten bytes of descriptor, the table and one byte of LZW code size.
    skip_sub_blocks(bytes, at + 11 + table)
}

fn colour_table_length(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << (usize::from(flags & 7) + 1)
    }
}

fn skip_sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// Width and height of the first frame, which may be larger than the canvas.
pub(crate) fn first_frame_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = screen(bytes, &mut Walk::new())?;
    loop {
        match *bytes.get(at)? {
            EXTENSION => at = skip_sub_blocks(bytes, at + 2)?,
            IMAGE => {
                let side = |at| le16(bytes, at).map(u32::from);
                return Some((side(at + 5)?, side(at + 7)?));
            }
            _ => return None,
        }
    }
}
