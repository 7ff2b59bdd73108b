//! What a header says, found by walking the container: sizes, orientation, frames, where the
//! picture ends.
//!
//! A walk reads lengths and skips; it decodes nothing, allocates nothing that the file asks for and
//! looks at each byte at most once. What cannot be found stays `None`; deciding what that means is
//! left to the caller.

mod bmff;
mod bmp;
pub(crate) mod gif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod tiff;
pub(crate) mod webp;

use std::time::Duration;

use image::metadata::Orientation;

use crate::Kind;
use crate::bytes::{has, index, le32};

/// What one walk found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Walk {
    /// Width and height as stored, before orientation; neither is 0.
    pub(crate) size: Option<(u32, u32)>,
    /// How the stored picture has to be turned.
    pub(crate) orientation: Orientation,
    /// Frames declared or counted, whichever is larger; 0 when nothing says so.
    pub(crate) frames: u32,
    /// Sum of the frame delays; only for animations.
    pub(crate) duration: Option<Duration>,
    /// Index of the first byte after the picture; `None` when its end was not found.
    pub(crate) end: Option<usize>,
}

impl Walk {
    /// Nothing found yet.
    fn new() -> Self {
        Self {
            size: None,
            orientation: Orientation::NoTransforms,
            frames: 0,
            duration: None,
            end: None,
        }
    }

    /// Takes a size that a header states; one of 0 pixels is no size.
    fn state_size(&mut self, width: u32, height: u32) {
        self.size = (width > 0 && height > 0).then_some((width, height));
    }

    /// Takes the sum of delays; a file with one frame has no duration.
    fn state_duration(&mut self, milliseconds: u64) {
        self.duration = (self.frames > 1).then(|| Duration::from_millis(milliseconds));
    }
}

/// Walks `bytes` as `kind`.
pub(crate) fn walk(kind: Kind, bytes: &[u8]) -> Walk {
    match kind {
        Kind::Jpeg => jpeg::walk(bytes),
        Kind::Png => png::walk(bytes),
        Kind::WebP => webp::walk(bytes),
        Kind::Gif => gif::walk(bytes),
        Kind::Tiff => tiff::walk(bytes),
        Kind::Bmp => bmp::walk(bytes),
        Kind::Avif | Kind::Heic | Kind::Heif | Kind::Mp4 | Kind::QuickTime | Kind::M4a => {
            bmff::walk(bytes)
        }
        Kind::Avi | Kind::Wav => riff(bytes),
        Kind::Dng
        | Kind::Jxl
        | Kind::Svg
        | Kind::Mp3
        | Kind::Flac
        | Kind::Pdf
        | Kind::C2pa
        | Kind::Unknown => Walk::new(),
    }
}

/// Only the end: these are not decoded.
fn riff(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    found.end = riff_end(bytes);
    found
}

/// End of a RIFF file by its own length; `None` when the file is shorter than it says.
fn riff_end(bytes: &[u8]) -> Option<usize> {
    // RF64 keeps its true length elsewhere and has this one set to the largest number.
    if !has(bytes, 0, b"RIFF") {
        return None;
    }
    let length = index(le32(bytes, 4)?);
    let end = length.checked_add(8)?.checked_add(length & 1)?;
    // A missing pad byte at the very end of the file is common.
    (end <= bytes.len().saturating_add(1)).then_some(end)
}

/// Orientation out of an EXIF block, with or without the prefix that JPEG puts before it.
fn exif_orientation(block: &[u8]) -> Option<Orientation> {
    let tiff = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    Orientation::from_exif_chunk(tiff)
}
