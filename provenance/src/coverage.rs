//! Which bytes the hard binding leaves unprotected, and whether the bound ones are intact.
//!
//! The library answers "mismatch" both for changed content and for an exclusion that is wider than the
//! manifest, and says nothing of padding and of bytes behind a box hash. Here the two are told apart.

use ciborium::Value;
use media::{Kind, Media};
use memchr::memmem;

use crate::{
    codes,
    cose::CoseSign1,
    finding::{Content, StatusCode, Uncovered, UncoveredKind},
    jpeg,
    jumbf::ManifestBoxes,
    read::{Outcome, Reading},
};

/// The content axis and what it does not speak of.
pub(crate) struct Coverage {
    pub(crate) content: Content,
    pub(crate) uncovered: Vec<Uncovered>,
}

/// Judges the hard binding of the active manifest. `loose` are certificates of the unprotected header
/// that nobody vouches for.
pub(crate) fn examine(
    media: &Media,
    store: &[u8],
    active: Option<&ManifestBoxes<'_>>,
    cose: &CoseSign1,
    loose: &[&Vec<u8>],
    reading: &Reading,
) -> Coverage {
    let excluded = active.map(exclusions).unwrap_or_default();
    let open = uncovered_exclusions(media, store, &excluded);
    let content = content(media, reading, &open);
    let mut uncovered: Vec<Uncovered> = match content {
        Content::Intact => open,
        Content::Altered(_) | Content::Unbound | Content::Unknown => Vec::new(),
    };
    uncovered.extend(cose.padding.iter().filter_map(|pad| padding(media, pad)));
    uncovered.extend(loose.iter().filter_map(|der| place(media, der)));
    uncovered.extend(trailing(media, reading));
    Coverage { content, uncovered }
}

/// Whether the file seems to name a manifest elsewhere (`dcterms:provenance` in XMP); the library
/// gives the address itself.
pub(crate) fn may_name_remote(media: &Media) -> bool {
    memmem::find(media.bytes(), b"provenance").is_some()
}

fn content(media: &Media, reading: &Reading, open: &[Uncovered]) -> Content {
    // A store on its own has no content to compare with.
    if media.kind == Kind::C2pa {
        return Content::Unknown;
    }
    let of = |outcome, suffix: &str| -> Vec<StatusCode> {
        let mut codes: Vec<StatusCode> = codes::active(reading)
            .filter(|status| status.outcome == outcome && is_binding(&status.code.0, suffix))
            .map(|status| status.code.clone())
            .collect();
        codes.dedup();
        codes
    };
    let mismatches = of(Outcome::Failure, ".mismatch");
    let matches = !of(Outcome::Success, ".match").is_empty();
    let only_the_hole_is_wrong = matches && !open.is_empty() && lies_in_metadata(media, open);
    if mismatches.is_empty() && matches || only_the_hole_is_wrong {
        Content::Intact
    } else if !mismatches.is_empty() {
        Content::Altered(mismatches)
    } else if codes::has(reading, Outcome::Failure, "claim.hardBindings.missing") {
        Content::Unbound
    } else {
        Content::Unknown
    }
}

fn is_binding(code: &str, suffix: &str) -> bool {
    const BINDINGS: [&str; 5] = [
        "assertion.dataHash",
        "assertion.bmffHash",
        "assertion.boxesHash",
        "assertion.collectionHash",
        "assertion.multiAssetHash",
    ];
    code.strip_suffix(suffix)
        .is_some_and(|family| BINDINGS.contains(&family))
}

/// A byte range, end excluded.
type Span = (u64, u64);

/// The exclusions of a `c2pa.hash.data` assertion (C2PA 2.2, section 18.5).
fn exclusions(active: &ManifestBoxes<'_>) -> Vec<Span> {
    let hash = active
        .cbor()
        .find(|(label, _)| label.starts_with("c2pa.hash.data"));
    hash.and_then(|(_, cbor)| parse_exclusions(cbor))
        .unwrap_or_default()
}

fn parse_exclusions(cbor: &[u8]) -> Option<Vec<Span>> {
    let value: Value = ciborium::de::from_reader_with_recursion_limit(cbor, 8).ok()?;
    let list = field(&value, "exclusions")?.as_array()?;
    list.iter()
        .take(MAX_EXCLUSIONS)
        .map(|one| {
            let start = integer(field(one, "start")?)?;
            Some((start, start.saturating_add(integer(field(one, "length")?)?)))
        })
        .collect()
}

fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let entry = value
        .as_map()?
        .iter()
        .find(|(key, _)| key.as_text() == Some(name));
    entry.map(|(_, value)| value)
}

fn integer(value: &Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}

/// What the exclusions leave open beyond the manifest itself.
fn uncovered_exclusions(media: &Media, store: &[u8], excluded: &[Span]) -> Vec<Uncovered> {
    let manifest = manifest_spans(media, store, excluded);
    let mut open: Vec<Span> = excluded.to_vec();
    for span in manifest {
        open = open
            .into_iter()
            .flat_map(|one| subtract(one, span))
            .collect();
    }
    let length = u64::try_from(media.bytes().len()).unwrap_or(u64::MAX);
    open.into_iter()
        .map(|(start, end)| (start, end.min(length)))
        .filter(|span| span.0 < span.1 && !is_tiff_pointer(media, *span))
        .map(|(start, end)| Uncovered {
            start,
            end,
            what: UncoveredKind::Exclusion,
        })
        .collect()
}

/// Whether the span is the count or the value of the directory entry that points to the manifest in a
/// TIFF (C2PA 2.2, appendix A.3.6: tag 0xCD41). It is part of the embedding and becomes no pixel.
fn is_tiff_pointer(media: &Media, (start, end): Span) -> bool {
    let of_entry = |offset: u64| {
        let entry = usize::try_from(start.checked_sub(offset)?).ok()?;
        media.bytes().get(entry..entry.checked_add(2)?)
    };
    let points = |tag: Option<&[u8]>| tag == Some(b"\x41\xcd") || tag == Some(b"\xcd\x41");
    matches!(media.kind, Kind::Tiff | Kind::Dng)
        && end.saturating_sub(start) <= 8
        && (points(of_entry(4)) || points(of_entry(8)))
}

/// Where the manifest itself lies. In a JPEG those are its APP11 segments; elsewhere the library has
/// compared one exclusion with the manifest's place, and it is the one in which the store begins, or
/// the longest where the container encodes the store.
fn manifest_spans(media: &Media, store: &[u8], excluded: &[Span]) -> Vec<Span> {
    if media.kind == Kind::Jpeg {
        return jpeg::segments(media.bytes())
            .filter(|segment| segment.is_manifest(media.bytes()))
            .map(|segment| (segment.start, segment.end))
            .collect();
    }
    let head = store.get(..24).unwrap_or(store);
    let place = memmem::find(media.bytes(), head).and_then(|place| u64::try_from(place).ok());
    let around = place.and_then(|place| {
        excluded
            .iter()
            .find(|(start, end)| (*start..*end).contains(&place))
    });
    let longest = || {
        excluded
            .iter()
            .max_by_key(|(start, end)| end.saturating_sub(*start))
    };
    around.or_else(longest).copied().into_iter().collect()
}

fn subtract((start, end): Span, (from, to): Span) -> Vec<Span> {
    [(start, end.min(from)), (start.max(to), end)]
        .into_iter()
        .filter(|(start, end)| start < end)
        .collect()
}

/// Whether every open range lies in metadata segments of a JPEG, where no pixel can change.
fn lies_in_metadata(media: &Media, open: &[Uncovered]) -> bool {
    if media.kind != Kind::Jpeg {
        return false;
    }
    let metadata: Vec<Span> = jpeg::segments(media.bytes())
        .filter(|segment| segment.is_metadata())
        .map(|segment| (segment.start, segment.end))
        .collect();
    open.iter().all(|range| {
        let mut rest = vec![(range.start, range.end)];
        for span in &metadata {
            rest = rest
                .into_iter()
                .flat_map(|one| subtract(one, *span))
                .collect();
        }
        rest.is_empty()
    })
}

/// Bytes in the place of padding, found in the file by their neighbours; zeros at the ends are left out.
fn padding(media: &Media, pad: &[u8]) -> Option<Uncovered> {
    const NEIGHBOURS: usize = 8;
    let first = pad.iter().position(|byte| *byte != 0).unwrap_or(0);
    let last = pad.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    let from = first.saturating_sub(NEIGHBOURS);
    let mut found = place(media, pad.get(from..=last)?)?;
    let skipped = u64::try_from(first.saturating_sub(from)).unwrap_or(0);
    if found.start > 0 {
        found.start = found.start.saturating_add(skipped);
    }
    Some(found)
}

/// Where bytes of the signature's unprotected header lie in the file; the whole file when the container
/// cuts or encodes the store, since then the place is not known byte for byte.
fn place(media: &Media, bytes: &[u8]) -> Option<Uncovered> {
    let place = memmem::find(media.bytes(), bytes);
    let (start, end) = place.map_or((0, media.bytes().len()), |start| {
        (start, start.saturating_add(bytes.len()))
    });
    Some(Uncovered {
        start: u64::try_from(start).ok()?,
        end: u64::try_from(end).ok()?,
        what: UncoveredKind::Padding,
    })
}

/// Bytes after the picture, when the binding is a box hash: that one stops at the last box.
fn trailing(media: &Media, reading: &Reading) -> Option<Uncovered> {
    let length = u64::try_from(media.bytes().len()).ok()?;
    let trailing = media.header.trailing_bytes;
    let by_boxes = codes::has(reading, Outcome::Success, "assertion.boxesHash.match");
    (by_boxes && trailing > 0).then(|| Uncovered {
        start: length.saturating_sub(trailing),
        end: length,
        what: UncoveredKind::Trailing,
    })
}

/// Exclusions looked at; real claims have one to three.
const MAX_EXCLUSIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::subtract;

    #[test]
    fn spans_subtract() {
        assert_eq!(subtract((0, 10), (3, 5)), [(0, 3), (5, 10)]);
        assert_eq!(subtract((0, 10), (0, 10)), []);
        assert_eq!(subtract((0, 10), (20, 30)), [(0, 10)]);
        assert_eq!(subtract((5, 10), (0, 7)), [(7, 10)]);
    }
}
