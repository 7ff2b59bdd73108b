//! The outermost boxes of an ISO base media file (ISO/IEC 14496-12, section 4.2): only where they
//! end, since these kinds are not decoded.

use super::Walk;
use crate::bytes::{be32, be64, index, slice};

/// Outermost boxes walked; a fragmented film has two per fragment.
const MAX_BOXES: usize = 100_000;

/// Finds the end of the last box that makes sense.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        if at == bytes.len() {
            found.end = Some(at);
            break;
        }
        let Some(next) = box_end(bytes, at) else {
            // Bytes that are no box follow the last one, or that one is cut short.
            found.end = (!cut_short(bytes, at)).then_some(at);
            break;
        };
        at = next;
    }
    found
}

fn box_end(bytes: &[u8], at: usize) -> Option<usize> {
    if !is_box_name(slice(bytes, at + 4, 4)?) {
        return None;
    }
    let end = match be32(bytes, at)? {
        0 => bytes.len(),
        1 => at.checked_add(index(be64(bytes, at + 8).filter(|length| *length >= 16)?))?,
        2..8 => return None,
        length => at.checked_add(index(length))?,
    };
    (end <= bytes.len()).then_some(end)
}

fn cut_short(bytes: &[u8], at: usize) -> bool {
    slice(bytes, at + 4, 4).is_none_or(is_box_name)
}

fn is_box_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (0x20..0x7F).contains(byte))
}
