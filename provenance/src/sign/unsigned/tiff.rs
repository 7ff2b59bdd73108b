//! XMP in a TIFF or DNG: tag 700 of the first directory (ISO 16684-3, section 1.1.7). The directory is written
//! again at the end of the file, so that nothing that is addressed by its offset moves.

use super::Refusal;

/// Replaces or adds the packet.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let directory = Directory::first(bytes).ok_or(Refusal::NoPlace)?;
    let packet = packet(directory.packet(bytes))?;
    let written = directory.append(bytes, &packet);
    written.ok_or(Refusal::NoPlace)
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

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let field = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(field),
            Self::Big => u32::from_be_bytes(field),
        })
    }

    fn two(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn four(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }
}

/// The first directory of a file with offsets of 32 bits.
struct Directory<'a> {
    order: Order,
    /// Twelve bytes each: tag, type, count, value or offset.
    entries: Vec<&'a [u8]>,
    /// Where the next directory is, as it stands in the file.
    next: &'a [u8],
}

impl<'a> Directory<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let order = match bytes.get(..4)? {
            b"II\x2a\0" => Order::Little,
            b"MM\0\x2a" => Order::Big,
            _ => return None,
        };
        let start = usize::try_from(order.u32(bytes, 4)?).ok()?;
        let count = usize::from(order.u16(bytes, start)?);
        let first = start.checked_add(2)?;
        let end = first.checked_add(count.checked_mul(ENTRY_BYTES)?)?;
        Some(Self {
            order,
            entries: bytes.get(first..end)?.chunks_exact(ENTRY_BYTES).collect(),
            next: bytes.get(end..end.checked_add(4)?)?,
        })
    }

    /// The packet that stands in the file.
    fn packet(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let entry = self.entries.iter().find(|entry| self.is_xmp(entry))?;
        let length = usize::try_from(self.order.u32(entry, 4)?).ok()?;
        if length <= 4 {
            return entry.get(8..8_usize.checked_add(length)?);
        }
        let at = usize::try_from(self.order.u32(entry, 8)?).ok()?;
        bytes.get(at..at.checked_add(length)?)
    }

    fn is_xmp(&self, entry: &[u8]) -> bool {
        self.order.u16(entry, 0) == Some(XMP)
    }

    /// The file with the packet and this directory behind it; `None` past 4 GiB.
    fn append(&self, bytes: &[u8], packet: &[u8]) -> Option<Vec<u8>> {
        let mut written = bytes.to_vec();
        let packet_at = aligned(&mut written)?;
        written.extend_from_slice(packet);
        let start = aligned(&mut written)?;
        let length = self.order.four(u32::try_from(packet.len()).ok()?);
        let entry = [
            &self.order.two(XMP)[..],
            &self.order.two(BYTE),
            &length,
            &self.order.four(packet_at),
        ]
        .concat();
        let (before, after): (Vec<&[u8]>, Vec<&[u8]>) = self
            .entries
            .iter()
            .copied()
            .filter(|entry| !self.is_xmp(entry))
            .partition(|entry| self.order.u16(entry, 0) < Some(XMP));
        let count = before.len().checked_add(after.len())?.checked_add(1)?;
        written.extend_from_slice(&self.order.two(u16::try_from(count).ok()?));
        for entry in before.into_iter().chain([&entry[..]]).chain(after) {
            written.extend_from_slice(entry);
        }
        written.extend_from_slice(self.next);
        written
            .get_mut(4..8)?
            .copy_from_slice(&self.order.four(start));
        Some(written)
    }
}

/// Pads to an even place, as directories need, and says which it is.
fn aligned(written: &mut Vec<u8>) -> Option<u32> {
    if !written.len().is_multiple_of(2) {
        written.push(0);
    }
    u32::try_from(written.len()).ok()
}

const ENTRY_BYTES: usize = 12;
const XMP: u16 = 0x02bc;
/// The type of the field: bytes.
const BYTE: u16 = 1;
