//! Metadata blocks in files made of boxes (ISO/IEC 14496-12): XMP, EXIF and the key `AIGC`.

use std::borrow::Cow;

use super::{
    container::{Block, be32},
    items,
};

/// The blocks of `bytes`, in file order.
pub(super) fn blocks(bytes: &[u8]) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    for (kind, content) in boxes(bytes) {
        match kind {
            // JPEG XL (ISO/IEC 18181-2) has both as boxes; four bytes before EXIF say where it begins.
            b"xml " => found.push(xmp(content)),
            b"Exif" => found.extend(content.get(4..).map(Block::Exif)),
            b"uuid" => found.extend(content.strip_prefix(&XMP_UUID).map(xmp)),
            b"meta" => found.extend(items::blocks(bytes, content)),
            b"moov" => {
                for (kind, content) in boxes(content) {
                    match kind {
                        b"meta" => found.extend(aigc(content)),
                        b"udta" => user_data(content, &mut found),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

fn user_data<'a>(content: &'a [u8], found: &mut Vec<Block<'a>>) {
    for (kind, content) in boxes(content) {
        match kind {
            b"XMP_" => found.push(xmp(content)),
            b"meta" => found.extend(aigc(content)),
            _ => {}
        }
    }
}

fn xmp(packet: &[u8]) -> Block<'_> {
    Block::Xmp(Cow::Borrowed(packet))
}

/// The value of the key `AIGC`: `keys` lists names, `ilst` holds values under their numbers from 1.
fn aigc(meta: &[u8]) -> Option<Block<'_>> {
    // QuickTime's box has no version field.
    let has_version = meta.get(4..8) != Some(b"hdlr".as_slice());
    let meta = if has_version { meta.get(4..)? } else { meta };
    let inner = |wanted| boxes(meta).find(|(kind, _)| *kind == wanted);
    let number = key_number(inner(b"keys")?.1)?;
    let (_, item) = boxes(inner(b"ilst")?.1).find(|(kind, _)| **kind == number)?;
    let (_, data) = boxes(item).find(|(kind, _)| *kind == b"data")?;
    Some(Block::Aigc {
        place: "mp4:AIGC",
        text: data.get(8..)?,
    })
}

fn key_number(keys: &[u8]) -> Option<[u8; 4]> {
    let named = boxes_of(keys.get(8..)?, |_, name| name);
    let position = named.take(MAX_KEYS).position(|name| name == b"AIGC")?;
    let number = u32::try_from(position).ok()?.checked_add(1)?;
    Some(number.to_be_bytes())
}

/// Kind and content of each box, one after another.
pub(super) fn boxes(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    boxes_of(bytes, |kind, content| (kind, content)).take(MAX_BOXES)
}

fn boxes_of<'a, T>(
    bytes: &'a [u8],
    make: impl Fn(&'a [u8; 4], &'a [u8]) -> T,
) -> impl Iterator<Item = T> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let kind: &[u8; 4] = rest.get(4..8)?.try_into().ok()?;
        let (head, length) = match be32(rest, 0)? {
            0 => (8, rest.len()),
            // A length of 64 bits; no file here is longer than 32 bits say.
            1 if be32(rest, 8)? == 0 => (16, be32(rest, 12)?),
            length => (8, length),
        };
        let content = rest.get(head..length)?;
        rest = rest.get(length..)?;
        Some(make(kind, content))
    })
}

const XMP_UUID: [u8; 16] = [
    0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8, 0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac,
];
/// Boxes looked at on one level; a film in fragments has thousands.
const MAX_BOXES: usize = 100_000;
/// Names looked at in one list of keys.
const MAX_KEYS: usize = 1_024;
