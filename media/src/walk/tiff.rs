//! The first directory of a TIFF file (TIFF 6.0, section 2), classic or BigTIFF.

use image::metadata::Orientation;

use super::Walk;
use crate::bytes::{array, index, slice};

const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const ORIENTATION: u16 = 274;
const DNG_VERSION: u16 = 50_706;
/// Entries looked at; a directory can claim 65,535 and BigTIFF 2^64, real ones have about 100.
const MAX_ENTRIES: usize = 1024;

/// The first directory, not read yet.
pub(crate) struct Directory<'a> {
    bytes: &'a [u8],
    little: bool,
    big_tiff: bool,
    entries: usize,
    count: usize,
}

impl<'a> Directory<'a> {
    /// Finds it; `None` when the bytes do not begin as TIFF does. One that lies outside the file is
    /// empty.
    pub(crate) fn first(bytes: &'a [u8]) -> Option<Self> {
        let (little, big_tiff) = match bytes.first_chunk::<4>()? {
            b"II*\0" => (true, false),
            b"MM\0*" => (false, false),
            b"II+\0" => (true, true),
            b"MM\0+" => (false, true),
            _ => return None,
        };
        let mut found = Self {
            bytes,
            little,
            big_tiff,
            entries: 0,
            count: 0,
        };
        found.locate();
        Some(found)
    }

    fn locate(&mut self) -> Option<()> {
        let (offset, head) = if self.big_tiff {
            (index(self.u64(8)?), 8)
        } else {
            (index(self.u32(4)?), 2)
        };
        let count = if self.big_tiff {
            index(self.u64(offset)?)
        } else {
            usize::from(self.u16(offset)?)
        };
        self.entries = offset.checked_add(head)?;
        self.count = count.min(MAX_ENTRIES);
        Some(())
    }

    /// Whether it carries the tag that makes a TIFF file a DNG.
    pub(crate) fn is_dng(&self) -> bool {
        self.entry(DNG_VERSION).is_some()
    }

    /// The value of a tag that holds one short or long.
    fn number(&self, tag: u16) -> Option<u32> {
        let at = self.entry(tag)?;
        let value = at + if self.big_tiff { 12 } else { 8 };
        match self.u16(at + 2)? {
            3 => self.u16(value).map(u32::from),
            4 => self.u32(value),
            16 => self.u64(value).and_then(|wide| u32::try_from(wide).ok()),
            _ => None,
        }
    }

    fn entry(&self, tag: u16) -> Option<usize> {
        let length = if self.big_tiff { 20 } else { 12 };
        (0..self.count)
            .map_while(|entry| self.entries.checked_add(entry * length))
            .take_while(|at| slice(self.bytes, *at, length).is_some())
            .find(|at| self.u16(*at) == Some(tag))
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = array(self.bytes, at)?;
        Some(if self.little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = array(self.bytes, at)?;
        Some(if self.little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn u64(&self, at: usize) -> Option<u64> {
        let bytes = array(self.bytes, at)?;
        Some(if self.little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }
}

/// Reads size and orientation. Where a TIFF file ends is not known without reading all of it.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    let Some(directory) = Directory::first(bytes) else {
        return found;
    };
    if let (Some(width), Some(height)) = (
        directory.number(IMAGE_WIDTH),
        directory.number(IMAGE_LENGTH),
    ) {
        found.state_size(width, height);
    }
    if let Some(orientation) = directory
        .number(ORIENTATION)
        .and_then(|value| u8::try_from(value).ok())
        .and_then(Orientation::from_exif)
    {
        found.orientation = orientation;
    }
    found
}
