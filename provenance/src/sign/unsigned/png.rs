//! XMP in a PNG: one `iTXt` chunk (ISO 16684-3, section 1.1.5), uncompressed.

use super::Refusal;
use crate::labels::png_xmp;

/// Replaces the packet, or puts one behind the header.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut at = SIGNATURE_BYTES;
    let mut header_end = None;
    while let Some((kind, data, end)) = chunk(bytes, at) {
        if header_end.is_none() {
            header_end = (kind == b"IHDR").then_some(end);
        }
        match png_xmp(kind, data) {
            Some(Some(old)) => return splice(bytes, at, end, &packet(Some(&old))?),
            Some(None) => return Err(Refusal::Xmp("its XMP cannot be unpacked")),
            None => at = end,
        }
    }
    let at = header_end.ok_or(Refusal::NoPlace)?;
    splice(bytes, at, at, &packet(None)?)
}

fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let start = at.checked_add(8)?;
    let (length, kind) = bytes.get(at..start)?.split_at(4);
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let data_end = start.checked_add(usize::try_from(length).ok()?)?;
    let end = data_end.checked_add(4).filter(|end| *end <= bytes.len())?;
    Some((kind, bytes.get(start..data_end)?, end))
}

fn splice(bytes: &[u8], from: usize, to: usize, packet: &[u8]) -> Result<Vec<u8>, Refusal> {
    // No compression, no language, no translated keyword.
    let body = [b"iTXt".as_slice(), b"XML:com.adobe.xmp\0\0\0\0\0", packet].concat();
    let length = u32::try_from(body.len().saturating_sub(4)).map_err(|_| Refusal::NoPlace)?;
    let mut crc = flate2::Crc::new();
    crc.update(&body);
    let head = bytes.get(..from).ok_or(Refusal::NoPlace)?;
    let tail = bytes.get(to..).ok_or(Refusal::NoPlace)?;
    Ok([
        head,
        &length.to_be_bytes(),
        &body,
        &crc.sum().to_be_bytes(),
        tail,
    ]
    .concat())
}

const SIGNATURE_BYTES: usize = 8;
