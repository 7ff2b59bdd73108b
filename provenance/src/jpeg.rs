//! The marker segments of a JPEG (ITU-T T.81, annex B) up to the first scan.

/// One marker segment, marker included, as a byte range of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Second byte of the marker.
    pub(crate) marker: u8,
    /// First byte of the marker.
    pub(crate) start: u64,
    /// One past the last byte of the segment.
    pub(crate) end: u64,
}

impl Segment {
    /// The bytes after the length field.
    pub(crate) fn payload<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.start.saturating_add(4)).unwrap_or(usize::MAX);
        let end = usize::try_from(self.end).unwrap_or(usize::MAX);
        bytes.get(start..end).unwrap_or_default()
    }

    /// APP11 with a JUMBF part (ISO 19566-5, annex B: it begins with `JP`).
    pub(crate) fn is_manifest(&self, bytes: &[u8]) -> bool {
        self.marker == 0xeb && self.payload(bytes).starts_with(b"JP")
    }

    /// Start of image, application data or comment: nothing of it becomes a pixel.
    pub(crate) fn is_metadata(&self) -> bool {
        matches!(self.marker, 0xd8 | 0xe0..=0xef | 0xfe)
    }
}

/// Every segment before the first scan, in order; empty when `bytes` is no JPEG.
pub(crate) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let segment = segment_at(bytes, at)?;
        at = usize::try_from(segment.end).ok()?;
        Some(segment)
    })
}

fn segment_at(bytes: &[u8], at: usize) -> Option<Segment> {
    let head = bytes.get(at..at.checked_add(2)?)?;
    let marker = match head {
        [0xff, 0xd8] if at == 0 => 0xd8,
        [0xff, marker @ (0xc0..=0xcf | 0xdb..=0xef | 0xfe)] if at > 0 && *marker != 0xda => *marker,
        _ => return None,
    };
    let length = if marker == 0xd8 {
        2
    } else {
        let field = bytes.get(at.checked_add(2)?..at.checked_add(4)?)?;
        let length = u16::from_be_bytes(field.try_into().ok()?);
        usize::from(length)
            .checked_add(2)
            .filter(|length| *length >= 4)?
    };
    let end = at.checked_add(length).filter(|end| *end <= bytes.len())?;
    Some(Segment {
        marker,
        start: u64::try_from(at).ok()?,
        end: u64::try_from(end).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn segments_end_at_the_scan_and_at_damage() {
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xfe\x00\x03c\xff\xda\x00\x02...";
        let found: Vec<_> = segments(jpeg)
            .map(|one| (one.marker, one.start, one.end))
            .collect();
        assert_eq!(found, [(0xd8, 0, 2), (0xe0, 2, 8), (0xfe, 8, 13)]);
        assert_eq!(segments(b"\xff\xd8\xff\xe0\xff\xffab").count(), 1);
        assert_eq!(segments(b"PNG").count(), 0);
    }
}
