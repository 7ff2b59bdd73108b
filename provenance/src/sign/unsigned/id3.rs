//! XMP in front of MP3 and FLAC, in a private frame of an ID3v2 tag (ISO 16684-3, section 1.2.6). The library puts its own
//! frame into the same tag, and reads XMP there in both formats.

use super::Refusal;
use crate::labels::id3::{OWNER, Tag};

/// Replaces or adds the packet. A tag that is not plain has no place, and neither has one of an older version.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let tag = match Tag::read(bytes) {
        Some(tag) => tag,
        None if bytes.starts_with(b"ID3") => return Err(Refusal::NoPlace),
        None => Tag {
            version: 4,
            frames: Vec::new(),
            end: 0,
        },
    };
    let packet = packet(tag.xmp())?;
    let kept = tag.frames.iter().filter(|frame| frame.xmp.is_none());
    let kept: Vec<&[u8]> = kept.map(|frame| frame.whole).collect();
    let content = [OWNER, &packet].concat();
    let length = match tag.version {
        3 => u32::try_from(content.len()).ok().map(u32::to_be_bytes),
        _ => seven_bits(content.len()),
    };
    let length = length.ok_or(Refusal::NoPlace)?;
    let body = [&kept.concat()[..], b"PRIV", &length, &[0; 2], &content].concat();
    let length = seven_bits(body.len()).ok_or(Refusal::NoPlace)?;
    let rest = bytes.get(tag.end..).ok_or(Refusal::NoPlace)?;
    Ok([b"ID3", &[tag.version, 0, 0], &length[..], &body, rest].concat())
}

/// Four bytes of seven bits each.
fn seven_bits(length: usize) -> Option<[u8; 4]> {
    let length = u32::try_from(length)
        .ok()
        .filter(|length| *length < 1 << 28)?;
    let part = |shift: u32| u8::try_from(length >> shift & 0x7f).ok();
    Some([part(21)?, part(14)?, part(7)?, part(0)?])
}
