//! The segments of a JPEG file (ITU-T T.81, annex B), up to the first picture's own end.
//!
//! Segments are skipped by their length, so a thumbnail inside one is never taken for the picture;
//! what follows the end marker, such as the further pictures of an MPO file, is left alone.

use image::metadata::Orientation;

use super::{Walk, exif_orientation};
use crate::bytes::{be16, has, index, slice};

/// Walks from the start of the file to the end marker.
pub(super) fn walk(bytes: &[u8]) -> Walk {
    let mut found = Walk::new();
    found.frames = 1;
    let mut exif = None;
    let mut at = 2;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            0xD9 => {
                found.end = Some(after);
                break;
            }
            _ if stands_alone(marker) => after,
            _ => {
                let Some(length) = be16(bytes, after).filter(|length| *length >= 2) else {
                    break;
                };
                let body = slice(bytes, after + 2, index(length - 2)).unwrap_or_default();
                read_segment(marker, body, &mut found, &mut exif);
                after + index(length)
            }
        };
    }
    found.orientation = exif.unwrap_or(Orientation::NoTransforms);
    found
}

/// How a picture is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row by row, all components together: a decoder needs room for a few rows.
    Rows,
    /// In several scans over the whole picture: a decoder holds the coefficients of all components,
    /// this many, until the last scan.
    Scans(u8),
}

/// The layout, from the first frame header and the first scan header.
pub(crate) fn layout(bytes: &[u8]) -> Layout {
    let mut components = 0;
    let mut at = 2;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            0xC2 | 0xC6 | 0xCA | 0xCE => {
                return Layout::Scans(bytes.get(after + 7).copied().unwrap_or(u8::MAX));
            }
            0xDA => {
                let first_scan = bytes.get(after + 2).copied().unwrap_or(0);
                if first_scan < components {
                    return Layout::Scans(components);
                }
                break;
            }
            _ if stands_alone(marker) => after,
            _ => {
                if is_frame_header(marker) {
                    components = bytes.get(after + 7).copied().unwrap_or(u8::MAX);
                }
                after + be16(bytes, after).map_or(usize::MAX / 2, index)
            }
        };
    }
    Layout::Rows
}

/// Markers without a segment: a second start, restarts and the one for temporary use.
fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0xD8 | 0x01 | 0xD0..=0xD7)
}

/// SOF0 to SOF15 but DHT, JPG and DAC, which share the range.
fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// The next marker code from `at` on and the index after it. Skips fill bytes, stray bytes between
/// segments and the entropy-coded data of a scan, where a stuffed 0 follows every 0xFF.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)?;
        match bytes.get(at + 1)? {
            0x00 => at += 2,
            0xFF => at += 1,
            code => return Some((*code, at + 2)),
        }
    }
}

fn read_segment(marker: u8, body: &[u8], found: &mut Walk, exif: &mut Option<Orientation>) {
    match marker {
        _ if is_frame_header(marker) && found.size.is_none() => {
            if let (Some(height), Some(width)) = (be16(body, 1), be16(body, 3)) {
                found.state_size(u32::from(width), u32::from(height));
            }
        }
        0xE1 if exif.is_none() && has(body, 0, b"Exif\0\0") => *exif = exif_orientation(body),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, layout, walk};

    /// A frame of three components and a scan of as many as said.
    fn file(frame_marker: u8, in_first_scan: u8) -> Vec<u8> {
        let mut file = b"\xFF\xD8\xFF\xE0\0\x04\xFF\xC2\xFF".to_vec();
        file.push(frame_marker);
        file.extend_from_slice(b"\0\x11\x08\0\x02\0\x03\x03\x01\x11\0\x02\x11\0\x03\x11\0");
        file.extend_from_slice(b"\xFF\xDA\0\x08");
        file.push(in_first_scan);
        file.extend_from_slice(b"\x01\0\0\x3F\0\x12\xFF\0\x34\xFF\xD0\x56\xFF\xD9tail");
        file
    }

    #[test]
    fn layouts() {
        assert_eq!(layout(&file(0xC0, 3)), Layout::Rows);
        assert_eq!(layout(&file(0xC0, 1)), Layout::Scans(3));
        assert_eq!(layout(&file(0xC2, 3)), Layout::Scans(3));
        assert_eq!(layout(b"\xFF\xD8\xFF\xD9"), Layout::Rows);
        assert_eq!(layout(b"\xFF\xD8\xFF\xC2"), Layout::Scans(u8::MAX));
    }

    #[test]
    fn stuffed_bytes_and_restarts_do_not_end_a_scan() {
        let found = walk(&file(0xC0, 3));
        assert_eq!(found.size, Some((3, 2)));
        assert_eq!(found.end, Some(file(0xC0, 3).len() - 4));
    }
}
