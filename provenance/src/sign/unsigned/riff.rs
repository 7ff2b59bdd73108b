//! XMP in RIFF files: the chunk `XMP ` of WebP (its container specification, section "Metadata") and
//! `_PMX` of WAV and AVI (ISO 16684-3, section 1.2.7).

use std::borrow::Cow;

use media::Media;

use super::Refusal;

/// Replaces or adds the packet, and makes a simple WebP an extended one, which alone may hold metadata.
pub(super) fn write_webp(
    bytes: &[u8],
    media: &Media,
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut chunks = chunks(bytes)?;
    let (kind, head) = chunks.first_mut().ok_or(Refusal::NoPlace)?;
    if *kind == b"VP8X" {
        *head.to_mut().first_mut().ok_or(Refusal::NoPlace)? |= HAS_XMP;
    } else {
        let extended = extended_header(kind, head, media).ok_or(Refusal::NoPlace)?;
        chunks.insert(0, (b"VP8X", extended.into()));
    }
    replace_or_add(&mut chunks, b"XMP ", packet)?;
    join(b"WEBP", &chunks)
}

/// Replaces or adds the packet of a WAV or an AVI.
pub(super) fn write(
    form: &[u8; 4],
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let mut chunks = chunks(bytes)?;
    replace_or_add(&mut chunks, b"_PMX", packet)?;
    join(form, &chunks)
}

/// Kind and data.
type Chunk<'a> = (&'a [u8], Cow<'a, [u8]>);

/// All chunks of the form; `NoPlace` when there is anything that is none, in it or behind it.
fn chunks(bytes: &[u8]) -> Result<Vec<Chunk<'_>>, Refusal> {
    let body = bytes
        .strip_prefix(b"RIFF")
        .and_then(|rest| rest.split_first_chunk::<4>())
        .and_then(|(length, rest)| {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            // Long films go on in a second form, which would be lost.
            let is_whole = rest.len() <= length.saturating_add(length & 1);
            rest.get(4..length).filter(|_| is_whole)
        });
    let mut rest = body.ok_or(Refusal::NoPlace)?;
    let mut found = Vec::new();
    while let Some((kind, after)) = rest.split_at_checked(4) {
        let (length, after) = after.split_first_chunk::<4>().ok_or(Refusal::NoPlace)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Refusal::NoPlace)?;
        let data = after.get(..length).ok_or(Refusal::NoPlace)?;
        found.push((kind, Cow::Borrowed(data)));
        // Chunks begin at even places; the last pad byte may be missing.
        let next = length.saturating_add(length & 1).min(after.len());
        rest = after.get(next..).unwrap_or_default();
        if found.len() > MAX_CHUNKS {
            return Err(Refusal::NoPlace);
        }
    }
    Ok(found)
}

fn replace_or_add(
    chunks: &mut Vec<Chunk<'_>>,
    kind: &'static [u8; 4],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<(), Refusal> {
    match chunks.iter_mut().find(|chunk| chunk.0 == kind) {
        Some((_, data)) => *data = packet(Some(data))?.into(),
        None => chunks.push((kind, packet(None)?.into())),
    }
    Ok(())
}

fn join(form: &[u8; 4], chunks: &[Chunk<'_>]) -> Result<Vec<u8>, Refusal> {
    let mut body = form.to_vec();
    for (kind, data) in chunks {
        body.extend_from_slice(kind);
        body.extend_from_slice(&length_of(data)?);
        body.extend_from_slice(data);
        body.extend_from_slice(&b"\0"[..data.len() & 1]);
    }
    Ok([b"RIFF", &length_of(&body)?[..], &body].concat())
}

fn length_of(data: &[u8]) -> Result<[u8; 4], Refusal> {
    u32::try_from(data.len())
        .map(u32::to_le_bytes)
        .map_err(|_| Refusal::NoPlace)
}

/// Flags, three reserved bytes, and the size less one in three bytes each.
fn extended_header(kind: &[u8], data: &[u8], media: &Media) -> Option<Vec<u8>> {
    let alpha = match kind {
        b"VP8 " => 0,
        // The bit after two sizes of 14 bits.
        b"VP8L" => match data.get(4)? & 0x10 {
            0 => 0,
            _ => HAS_ALPHA,
        },
        _ => return None,
    };
    let size = |side: Option<u32>| Some(side?.checked_sub(1)?.to_le_bytes());
    let (width, height) = (size(media.header.width)?, size(media.header.height)?);
    Some(
        [
            &[HAS_XMP | alpha, 0, 0, 0],
            width.get(..3)?,
            height.get(..3)?,
        ]
        .concat(),
    )
}

const HAS_XMP: u8 = 0x04;
const HAS_ALPHA: u8 = 0x10;
/// A WebP animation has a chunk a frame.
const MAX_CHUNKS: usize = 100_000;
