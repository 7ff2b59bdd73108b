//! XMP in a JPEG: one APP1 segment (ISO 16684-3, section 1.1.3).

use super::Refusal;
use crate::jpeg::{Segment, segments};

/// Replaces the packet, or puts one behind the headers that have to come first.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let old = segments(bytes)
        .find(|segment| segment.marker == 0xe1 && segment.payload(bytes).starts_with(NAME));
    let (range, packet) = match old {
        Some(segment) => {
            let text = segment.payload(bytes).strip_prefix(NAME);
            ((segment.start, segment.end), packet(text)?)
        }
        None => {
            let at = after_headers(bytes)?;
            ((at, at), packet(None)?)
        }
    };
    let length = packet.len().saturating_add(NAME.len()).saturating_add(2);
    let length = u16::try_from(length)
        .map_err(|_| Refusal::Xmp("its XMP fills the segment that holds it (64 KiB)"))?;
    let index = |at: u64| usize::try_from(at).map_err(|_| Refusal::NoPlace);
    let head = bytes.get(..index(range.0)?).ok_or(Refusal::NoPlace)?;
    let tail = bytes.get(index(range.1)?..).ok_or(Refusal::NoPlace)?;
    Ok([
        head,
        b"\xff\xe1",
        &length.to_be_bytes(),
        NAME,
        &packet,
        tail,
    ]
    .concat())
}

/// JFIF and EXIF stand first, by their own standards.
fn after_headers(bytes: &[u8]) -> Result<u64, Refusal> {
    let is_header = |segment: &Segment| {
        let payload = segment.payload(bytes);
        match segment.marker {
            0xd8 | 0xe0 => true,
            0xe1 => payload.starts_with(b"Exif\0"),
            _ => false,
        }
    };
    segments(bytes)
        .take_while(is_header)
        .last()
        .map(|segment| segment.end)
        .ok_or(Refusal::NoPlace)
}

const NAME: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
