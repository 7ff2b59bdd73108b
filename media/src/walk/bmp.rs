//! The headers of a BMP file.

use super::Walk;
use crate::bytes::{array, index, le16, le32};

/// Reads size and, where it is plausible, the file length.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    if le32(bytes, 14) == Some(12) {
        if let (Some(width), Some(height)) = (le16(bytes, 18), le16(bytes, 20)) {
            found.state_size(u32::from(width), u32::from(height));
        }
    } else if let (Some(width), Some(height)) = (signed(bytes, 18), signed(bytes, 22)) {
        // A negative height stands for rows from the top; a negative width for nothing.
        if let Ok(width) = u32::try_from(width) {
            found.state_size(width, height.unsigned_abs());
        }
    }
    // Many writers leave the length at 0 or state that of the pixels alone.
    let pixels = le32(bytes, 10).map_or(usize::MAX, index);
    found.end = le32(bytes, 2)
        .map(index)
        .filter(|length| *length > pixels && *length <= bytes.len());
    found
}

fn signed(bytes: &[u8], at: usize) -> Option<i32> {
    array(bytes, at).map(i32::from_le_bytes)
}
