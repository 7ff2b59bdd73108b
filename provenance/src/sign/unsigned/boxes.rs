//! XMP in files made of boxes: `uuid` in films and sound (ISO 16684-3, section 1.2.4), `xml ` in JPEG XL.
//! The packet goes to the end of the file, so that nothing that is addressed by its offset moves.

use super::Refusal;

/// Puts the packet of a film or a sound at the end; an older one becomes free space.
pub(super) fn write_movie(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    write(bytes, b"uuid", &XMP_UUID, packet)
}

/// The same for the container of JPEG XL; a bare code stream has no place.
pub(super) fn write_jxl(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    write(bytes, b"xml ", b"", packet)
}

fn write(
    bytes: &[u8],
    kind: &[u8; 4],
    name: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let old = boxes(bytes)?
        .into_iter()
        .find(|found| found.kind == kind && found.content.starts_with(name));
    let packet = packet(old.as_ref().and_then(|old| old.content.strip_prefix(name)))?;
    let mut written = bytes.to_vec();
    if let Some(place) = old.and_then(|old| written.get_mut(old.kind_at..old.kind_at + 4)) {
        place.copy_from_slice(b"free");
    }
    let length = packet.len().saturating_add(name.len()).saturating_add(8);
    let length = u32::try_from(length).map_err(|_| Refusal::NoPlace)?;
    written.extend_from_slice(&length.to_be_bytes());
    written.extend_from_slice(kind);
    written.extend_from_slice(name);
    written.extend_from_slice(&packet);
    Ok(written)
}

/// One box.
pub(super) struct Found<'a> {
    pub(super) kind: &'a [u8],
    /// Where its kind stands, four bytes behind its beginning.
    pub(super) kind_at: usize,
    pub(super) content: &'a [u8],
    pub(super) end: usize,
}

/// The boxes of the file, one after another up to its end; `NoPlace` when they do not fill it, or the last
/// one takes whatever follows.
pub(super) fn boxes(bytes: &[u8]) -> Result<Vec<Found<'_>>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0_usize;
    while at < bytes.len() {
        let one = box_at(bytes, at).ok_or(Refusal::NoPlace)?;
        at = one.end;
        found.push(one);
        if found.len() > MAX_BOXES {
            return Err(Refusal::NoPlace);
        }
    }
    Ok(found)
}

fn box_at(bytes: &[u8], at: usize) -> Option<Found<'_>> {
    let kind_at = at.checked_add(4)?;
    let kind_end = at.checked_add(8)?;
    let kind = bytes.get(kind_at..kind_end)?;
    let short = u32::from_be_bytes(bytes.get(at..kind_at)?.try_into().ok()?);
    let (head, length) = match short {
        0 => return None,
        1 => {
            let long = bytes.get(kind_end..kind_end.checked_add(8)?)?;
            (16, u64::from_be_bytes(long.try_into().ok()?))
        }
        short => (8, u64::from(short)),
    };
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let content = bytes.get(at.checked_add(head)?..end)?;
    Some(Found {
        kind,
        kind_at,
        content,
        end,
    })
}

const XMP_UUID: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];
/// A film in fragments has thousands.
const MAX_BOXES: usize = 100_000;
