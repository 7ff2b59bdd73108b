//! Fields of the file that a signer may carry over into a manifest, as texts by prefixed name. What they
//! are worth is not asked: the signature says who repeated them, not that they are true.

mod xmp;

use std::collections::BTreeMap;

use media::Media;

use super::{container::Block, decode, ifd};

/// A property of XMP that may be carried over: its name with the usual prefix, and its vocabulary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// As in `dc:title`.
    pub(crate) name: &'a str,
    /// The URI that the prefix stands for.
    pub(crate) vocabulary: &'a str,
}

/// The texts of the `wanted` properties in the XMP of `media`: one, or the entries of a list. Of a text in
/// several languages only the first, the default.
pub(crate) fn xmp(media: &Media, wanted: &[Wanted<'_>]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for block in super::container::blocks(media.kind, media.bytes()) {
        let Block::Xmp(packet) = block else { continue };
        let Ok(text) = std::str::from_utf8(&packet) else {
            continue;
        };
        let text = text.trim_matches(['\0', '\u{feff}']);
        for (name, texts) in xmp::texts(text, wanted).unwrap_or_default() {
            found.entry(name).or_insert(texts);
        }
    }
    found
}

/// The EXIF texts of `media` under their names in XMP.
pub(crate) fn exif(media: &Media) -> BTreeMap<String, Vec<String>> {
    let tags: Vec<u16> = CARRIED_EXIF.iter().map(|(_, tag)| *tag).collect();
    let mut found = BTreeMap::new();
    for block in super::container::blocks(media.kind, media.bytes()) {
        let Block::Exif(tiff) = block else { continue };
        for field in ifd::fields_of(tiff, &tags) {
            let text = decode(field.value);
            let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
            let name = CARRIED_EXIF.iter().find(|(_, tag)| *tag == field.tag);
            if let (Some((name, _)), false) = (name, text.is_empty()) {
                found
                    .entry((*name).to_owned())
                    .or_insert_with(|| vec![text.to_owned()]);
            }
        }
    }
    found
}

/// Names in XMP and their tags (CIPA DC-008, section 4.6; DC-010, the names in XMP): texts alone, and
/// neither serial numbers nor places.
pub(crate) const CARRIED_EXIF: [(&str, u16); 12] = [
    ("tiff:ImageDescription", 0x010e),
    ("tiff:Make", 0x010f),
    ("tiff:Model", 0x0110),
    ("tiff:Software", 0x0131),
    ("tiff:DateTime", 0x0132),
    ("tiff:Artist", 0x013b),
    ("tiff:Copyright", 0x8298),
    ("exif:DateTimeOriginal", 0x9003),
    ("exif:DateTimeDigitized", 0x9004),
    ("exif:OffsetTimeOriginal", 0x9011),
    ("exifEX:LensMake", 0xa433),
    ("exifEX:LensModel", 0xa434),
];
