//! XMP in a GIF (ISO 16684-3, section 1.1.2): an application extension whose data is the packet itself,
//! followed by a ramp of bytes that leads any reader of sub-blocks to its end.

use super::Refusal;
use crate::labels::gif_xmp;

/// Replaces the packet, or puts one behind the header. Extensions need version 89a.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let flags = *bytes.get(10).ok_or(Refusal::NoPlace)?;
    let table = match flags & 0x80 {
        0 => 0,
        _ => 3 << (usize::from(flags & 7) + 1),
    };
    let after_header = HEADER_BYTES + table;
    let (head_end, tail_start, packet) = match gif_xmp(bytes) {
        Some(old) => {
            let start = old.start.checked_sub(HEAD.len()).ok_or(Refusal::NoPlace)?;
            let end = old.end.saturating_add(RAMP_BYTES);
            let text = bytes.get(old).ok_or(Refusal::NoPlace)?;
            (start, end, packet(Some(text))?)
        }
        None => (after_header, after_header, packet(None)?),
    };
    let head = bytes.get(6..head_end).ok_or(Refusal::NoPlace)?;
    let tail = bytes.get(tail_start..).ok_or(Refusal::NoPlace)?;
    Ok([b"GIF89a", head, HEAD, &packet, &ramp(), tail].concat())
}

/// 1, then 255 down to 0, then the empty sub-block.
fn ramp() -> Vec<u8> {
    let mut ramp = vec![1];
    ramp.extend((0..=u8::MAX).rev());
    ramp.push(0);
    ramp
}

const HEADER_BYTES: usize = 13;
const HEAD: &[u8] = b"\x21\xff\x0bXMP DataXMP";
const RAMP_BYTES: usize = 258;
