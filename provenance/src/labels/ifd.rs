//! The few TIFF fields that labels stand in (TIFF 6.0, section 2), as slices of the file.
//!
//! Reads the first directory and the EXIF directory that it points to, and follows no other offset: there
//! is no loop to fall into and no directory is read twice.

/// One field: its tag and its raw value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) tag: u16,
    pub(super) value: &'a [u8],
}

pub(super) const IMAGE_DESCRIPTION: u16 = 0x010e;
pub(super) const MAKE: u16 = 0x010f;
pub(super) const MODEL: u16 = 0x0110;
pub(super) const SOFTWARE: u16 = 0x0131;
pub(super) const ARTIST: u16 = 0x013b;
pub(super) const XMP: u16 = 0x02bc;
pub(super) const USER_COMMENT: u16 = 0x9286;

/// The fields of `tiff` that labels stand in, the first of each tag, in file order.
pub(super) fn fields(tiff: &[u8]) -> Vec<Field<'_>> {
    fields_of(tiff, &WANTED)
}

/// The fields of `tiff` with the tags `wanted`, the first of each tag, in file order.
pub(super) fn fields_of<'a>(tiff: &'a [u8], wanted: &[u16]) -> Vec<Field<'a>> {
    let mut found = Vec::new();
    if let Some(order) = order(tiff) {
        let exif = directory(tiff, order, order.u32(tiff, 4), wanted, &mut found);
        directory(tiff, order, exif, wanted, &mut found);
    }
    found
}

/// Whether numbers begin with their largest byte.
pub(super) fn is_big_endian(tiff: &[u8]) -> bool {
    tiff.starts_with(b"MM")
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let field = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(field),
            Self::Big => u16::from_be_bytes(field),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<usize> {
        let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
        .ok()
    }
}

fn order(tiff: &[u8]) -> Option<Order> {
    match tiff.get(..4)? {
        b"II\x2a\0" => Some(Order::Little),
        b"MM\0\x2a" => Some(Order::Big),
        _ => None,
    }
}

/// Adds the fields of the directory at `at`; where the EXIF directory is, if this one says so.
fn directory<'a>(
    tiff: &'a [u8],
    order: Order,
    at: Option<usize>,
    wanted: &[u16],
    found: &mut Vec<Field<'a>>,
) -> Option<usize> {
    let start = at?.checked_add(2)?;
    let count = usize::from(order.u16(tiff, at?)?).min(MAX_ENTRIES);
    let mut exif = None;
    for entry in tiff.get(start..)?.chunks_exact(12).take(count) {
        let Some(tag) = order.u16(entry, 0) else {
            continue;
        };
        if tag == EXIF_DIRECTORY {
            exif = order.u32(entry, 8);
        } else if wanted.contains(&tag) && !found.iter().any(|field| field.tag == tag) {
            let value = value(tiff, order, entry);
            found.extend(value.map(|value| Field { tag, value }));
        }
    }
    exif
}

/// A value of up to four bytes stands in the entry itself.
fn value<'a>(tiff: &'a [u8], order: Order, entry: &'a [u8]) -> Option<&'a [u8]> {
    let kind = order.u16(entry, 2)?;
    // BYTE, ASCII, UNDEFINED and UTF-8; a text in any other type is none.
    if !matches!(kind, 1 | 2 | 7 | 129) {
        return None;
    }
    let length = order.u32(entry, 4)?;
    if length > MAX_VALUE {
        return None;
    }
    if length <= 4 {
        return entry.get(8..8_usize.checked_add(length)?);
    }
    let at = order.u32(entry, 8)?;
    tiff.get(at..at.checked_add(length)?)
}

const EXIF_DIRECTORY: u16 = 0x8769;
const WANTED: [u16; 7] = [
    IMAGE_DESCRIPTION,
    MAKE,
    MODEL,
    SOFTWARE,
    ARTIST,
    XMP,
    USER_COMMENT,
];
/// Entries read of one directory; cameras write fewer than a hundred.
const MAX_ENTRIES: usize = 1_024;
/// Longest value: that of an XMP packet.
const MAX_VALUE: usize = super::container::MAX_XMP;
