//! Decides the kind of a file by its magic bytes alone, never by its name.
//!
//! Strict where a mark is short (MP3, BMP, QuickTime without a brand), so that other data is not
//! taken for media; bounded everywhere.

use crate::Kind;
use crate::bytes::{be32, be64, count, has, index, le32, slice};
use crate::walk::tiff;

/// An SVG's root element has to begin within this many bytes.
const SVG_WINDOW: usize = 1024;
/// Compatible brands looked at in a file-type box; real files name fewer than twenty.
const MAX_BRANDS: usize = 64;
/// First 16 bytes of the description box of a C2PA manifest store (C2PA 2.2, section 11.1.4.2).
const C2PA_STORE_UUID: &[u8] = b"c2pa\x00\x11\x00\x10\x80\x00\x00\xAA\x00\x38\x9B\x71";

/// The kind of `bytes`; [`Kind::Unknown`] when no mark fits.
pub(crate) fn sniff(bytes: &[u8]) -> Kind {
    still(bytes)
        .or_else(|| boxes(bytes))
        .or_else(|| riff(bytes))
        .or_else(|| audio(bytes))
        .or_else(|| document(bytes))
        .unwrap_or(Kind::Unknown)
}

fn still(bytes: &[u8]) -> Option<Kind> {
    const JXL_CONTAINER: &[u8] = b"\x00\x00\x00\x0CJXL \r\n\x87\n";
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        return Some(Kind::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        return Some(Kind::Png);
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some(Kind::Gif);
    }
    if bytes.starts_with(b"\xFF\x0A") || bytes.starts_with(JXL_CONTAINER) {
        return Some(Kind::Jxl);
    }
    if is_bmp(bytes) {
        return Some(Kind::Bmp);
    }
    tiff::Directory::first(bytes).map(|directory| {
        if directory.is_dng() {
            Kind::Dng
        } else {
            Kind::Tiff
        }
    })
}

/// "BM" alone is a common pair of letters: the length of the second header has to be one in use.
fn is_bmp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM")
        && matches!(
            le32(bytes, 14),
            Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
        )
}

/// ISO base media files and JUMBF: a 32-bit length, then four letters.
fn boxes(bytes: &[u8]) -> Option<Kind> {
    match slice(bytes, 4, 4)? {
        b"ftyp" => Some(by_brand(bytes)),
        b"jumb" if has(bytes, 12, b"jumd") && has(bytes, 16, C2PA_STORE_UUID) => Some(Kind::C2pa),
        // QuickTime files older than the file-type box begin with one of these.
        b"moov" | b"mdat" | b"wide" if has_box_length(bytes) => Some(Kind::QuickTime),
        _ => None,
    }
}

fn has_box_length(bytes: &[u8]) -> bool {
    match be32(bytes, 0) {
        Some(0) => true,
        Some(1) => be64(bytes, 8).is_some_and(|length| length >= 16),
        Some(length) => length >= 8 && u64::from(length) <= count(bytes.len()),
        None => false,
    }
}

/// The major brand decides, except that a general one gives way to a precise compatible one.
fn by_brand(bytes: &[u8]) -> Kind {
    let length = be32(bytes, 0).map_or(0, index);
    let listed = (16..length.min(bytes.len()))
        .step_by(4)
        .take(MAX_BRANDS)
        .filter_map(|at| slice(bytes, at, 4));
    let mut general = None;
    for brand in slice(bytes, 8, 4).into_iter().chain(listed) {
        match brand_kind(brand) {
            Some(kind @ (Kind::Heif | Kind::Mp4)) => general = general.or(Some(kind)),
            // A picture or sound brand in the compatible list does not turn a movie into one.
            Some(kind) if general != Some(Kind::Mp4) => return kind,
            Some(_) | None => {}
        }
    }
    general.unwrap_or(Kind::Unknown)
}

fn brand_kind(brand: &[u8]) -> Option<Kind> {
    match brand {
        b"avif" | b"avis" => Some(Kind::Avif),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some(Kind::Heic)
        }
        b"mif1" | b"mif2" | b"msf1" => Some(Kind::Heif),
        b"qt  " => Some(Kind::QuickTime),
        b"M4A " | b"M4B " | b"M4P " => Some(Kind::M4a),
        b"mp41" | b"mp42" | b"avc1" | b"dash" | b"M4V " | b"M4VH" | b"M4VP" | b"MSNV" | b"f4v "
        | b"cmfc" | b"cmf2" | b"msdh" | b"mp71" => Some(Kind::Mp4),
        [b'i', b's', b'o', b'm' | b'2'..=b'9' | b'a'..=b'c'] => Some(Kind::Mp4),
        [b'3', b'g', b'p' | b'g' | b'r' | b's' | b'2', _] => Some(Kind::Mp4),
        _ => None,
    }
}

fn riff(bytes: &[u8]) -> Option<Kind> {
    let form = slice(bytes, 8, 4)?;
    match (slice(bytes, 0, 4)?, form) {
        (b"RIFF", b"WEBP") => Some(Kind::WebP),
        (b"RIFF", b"AVI ") => Some(Kind::Avi),
        (b"RIFF" | b"RF64" | b"BW64", b"WAVE") => Some(Kind::Wav),
        _ => None,
    }
}

fn audio(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"fLaC") {
        return Some(Kind::Flac);
    }
    let Some(tag) = id3_length(bytes) else {
        // A sync is eleven bits: two frames in a row have to agree.
        let second = mp3_frame_length(bytes, 0)?;
        return mp3_frame_length(bytes, second).map(|_| Kind::Mp3);
    };
    if has(bytes, tag, b"fLaC") {
        return Some(Kind::Flac);
    }
    let after = bytes.get(tag..).unwrap_or_default();
    let audio = after.iter().position(|byte| *byte != 0)?;
    mp3_frame_length(after, audio).map(|_| Kind::Mp3)
}

/// Length of a leading ID3v2 tag, header included.
fn id3_length(bytes: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', major, minor, flags, length @ ..] = bytes.first_chunk::<10>()? else {
        return None;
    };
    if !(2..=4).contains(major) || *minor == 0xFF || flags & 0x0F != 0 {
        return None;
    }
    let body = length.iter().try_fold(0_usize, |sum, byte| {
        (*byte < 0x80).then(|| (sum << 7) | usize::from(*byte))
    })?;
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    Some(10 + body + footer)
}

/// Length of the MPEG Layer III frame at `at`; `None` when no valid header stands there.
fn mp3_frame_length(bytes: &[u8], at: usize) -> Option<usize> {
    const MPEG1_KBPS: [usize; 14] = [
        32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const MPEG2_KBPS: [usize; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const MPEG1_HZ: [usize; 3] = [44_100, 48_000, 32_000];

    let header = be32(bytes, at)?;
    let version = (header >> 19) & 3;
    let layer = (header >> 17) & 3;
    let emphasis = header & 3;
    if header >> 21 != 0x7FF || version == 1 || layer != 1 || emphasis == 2 {
        return None;
    }
    let rate_index = index((header >> 12) & 15).checked_sub(1)?;
    let hz = *MPEG1_HZ.get(index((header >> 10) & 3))?;
    let padding = index((header >> 9) & 1);
    // Version 3 is MPEG-1, 2 is MPEG-2 with half its sampling rates, 0 is MPEG-2.5 with a quarter.
    let (kbps, hz, factor) = match version {
        3 => (*MPEG1_KBPS.get(rate_index)?, hz, 144_000),
        2 => (*MPEG2_KBPS.get(rate_index)?, hz / 2, 72_000),
        _ => (*MPEG2_KBPS.get(rate_index)?, hz / 4, 72_000),
    };
    at.checked_add(factor * kbps / hz + padding)
}

fn document(bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(b"%PDF-") {
        return Some(Kind::Pdf);
    }
    let start = bytes.get(..bytes.len().min(SVG_WINDOW))?;
    is_svg(&String::from_utf8_lossy(start)).then_some(Kind::Svg)
}

/// Skips what may stand before a root element and asks for `svg`, with or without a prefix. HTML
/// with a drawing inside is not SVG.
fn is_svg(start: &str) -> bool {
    let mut rest = start.trim_start_matches('\u{FEFF}').trim_start();
    while let Some(end) = prolog_end(rest) {
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    let Some(root) = rest.strip_prefix('<') else {
        return false;
    };
    let name = root
        .split(|letter: char| letter.is_whitespace() || letter == '>' || letter == '/')
        .next()
        .unwrap_or_default();
    name == "svg" || name.ends_with(":svg")
}

/// Where a declaration, comment or document type at the start of `text` ends.
fn prolog_end(text: &str) -> Option<usize> {
    let end_of = |mark: &str| text.find(mark).map(|at| at + mark.len());
    if text.starts_with("<?") {
        return end_of("?>");
    }
    if text.starts_with("<!--") {
        return end_of("-->");
    }
    if !text.starts_with("<!") {
        return None;
    }
    // An internal subset has tags of its own between its brackets.
    match (text.find('['), text.find('>')) {
        (Some(open), Some(close)) if open < close => end_of("]>"),
        _ => end_of(">"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a failed build of test bytes fails the test"
    )]

    use super::sniff;
    use crate::Kind;

    fn check(bytes: &[u8], expected: Kind) {
        assert_eq!(
            sniff(bytes),
            expected,
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }

    #[test]
    fn still_pictures() {
        check(b"\xFF\xD8\xFF\xE0", Kind::Jpeg);
        check(b"\x89PNG\r\n\x1A\n", Kind::Png);
        check(b"\x89PNG\n\n\x1A\n", Kind::Unknown);
        check(b"GIF89a", Kind::Gif);
        check(b"GIF88a", Kind::Unknown);
        check(b"\xFF\x0A", Kind::Jxl);
        check(b"\x00\x00\x00\x0CJXL \r\n\x87\n", Kind::Jxl);
        check(b"BM\x3A\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Kind::Bmp);
        check(b"BMW is a car and no picture", Kind::Unknown);
    }

    #[test]
    fn tiff_and_dng_differ_by_a_tag() {
        check(b"II*\0\x08\0\0\0\0\0", Kind::Tiff);
        check(b"MM\0*\0\0\0\x08\0\0", Kind::Tiff);
        check(b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0", Kind::Tiff);
        check(
            b"II*\0\x08\0\0\0\x01\0\x12\xC6\x01\0\x04\0\0\0\x01\x04\0\0\0\0\0\0",
            Kind::Dng,
        );
    }

    #[test]
    fn brands() {
        let file = |brands: &[&[u8]]| {
            let body = brands.concat();
            let length = u32::try_from(body.len() + 8).unwrap();
            [&length.to_be_bytes()[..], b"ftyp", &body].concat()
        };
        check(&file(&[b"avif", b"\0\0\0\0", b"mif1", b"miaf"]), Kind::Avif);
        check(&file(&[b"mif1", b"\0\0\0\0", b"mif1", b"avif"]), Kind::Avif);
        check(&file(&[b"heic", b"\0\0\0\0", b"mif1"]), Kind::Heic);
        check(&file(&[b"mif1", b"\0\0\0\0", b"heic"]), Kind::Heic);
        check(&file(&[b"mif1", b"\0\0\0\0", b"miaf"]), Kind::Heif);
        check(&file(&[b"isom", b"\0\0\0\0", b"iso2", b"avc1"]), Kind::Mp4);
        check(&file(&[b"mp42", b"\0\0\0\0", b"M4A "]), Kind::Mp4);
        check(&file(&[b"M4A ", b"\0\0\0\0", b"mp42"]), Kind::M4a);
        check(&file(&[b"qt  ", b"\0\0\0\0", b"qt  "]), Kind::QuickTime);
        check(&file(&[b"crx ", b"\0\0\0\0", b"crx "]), Kind::Unknown);
        check(b"\0\0\0\x10moov\0\0\0\x08free", Kind::QuickTime);
        check(b"keepmoovies of mine", Kind::Unknown);
    }

    #[test]
    fn riff_forms_and_audio() {
        check(b"RIFF\x04\0\0\0WEBP", Kind::WebP);
        check(b"RIFF\x04\0\0\0AVI ", Kind::Avi);
        check(b"RIFF\x04\0\0\0WAVE", Kind::Wav);
        check(b"RIFF\x04\0\0\0ACON", Kind::Unknown);
        check(b"fLaC\0\0\0\x22", Kind::Flac);
        check(b"ID3\x04\0\0\0\0\0\x02\0\0fLaC", Kind::Flac);
    }

    #[test]
    fn mp3_needs_frames_that_agree() {
        // MPEG-1 Layer III, 128 kbit/s, 44,100 Hz: 417 bytes a frame.
        let frame = [&b"\xFF\xFB\x90\x00"[..], &[0; 413]].concat();
        check(&frame, Kind::Unknown);
        check(&[&frame[..], &frame].concat(), Kind::Mp3);
        check(
            &[b"ID3\x04\0\0\0\0\0\x02\0\0", &frame[..]].concat(),
            Kind::Mp3,
        );
        check(b"ID3\x04\0\0\0\0\0\x02\0\0 a text", Kind::Unknown);
        check(b"ID3 is a tag", Kind::Unknown);
        check(&[0xFF; 900], Kind::Unknown);
    }

    #[test]
    fn documents() {
        check(b"%PDF-1.7\n", Kind::Pdf);
        check(b"<svg xmlns='http://www.w3.org/2000/svg'/>", Kind::Svg);
        check(
            b"\xEF\xBB\xBF <?xml version='1.0'?>\n<!-- a > b -->\n<svg>",
            Kind::Svg,
        );
        check(b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg:svg>", Kind::Svg);
        check(b"<!DOCTYPE html><html><svg></svg></html>", Kind::Unknown);
        check(b"<svgx>", Kind::Unknown);
        check(b"", Kind::Unknown);
    }

    #[test]
    fn a_bare_manifest_store() {
        let store =
            b"\0\0\0\x26jumb\0\0\0\x1Ejumdc2pa\0\x11\0\x10\x80\0\0\xAA\0\x38\x9B\x71\x03c2pa\0";
        check(store, Kind::C2pa);
        check(
            b"\0\0\0\x26jumb\0\0\0\x1Ejumdjson\0\x11\0\x10\x80\0\0\xAA\0\x38\x9B\x71",
            Kind::Unknown,
        );
    }
}
