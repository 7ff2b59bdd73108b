//! EXIF fields (CIPA DC-008): what a generator wrote as if it were a camera.

use serde_json::Value;

use super::{
    Labels, aigc, decode,
    ifd::{self, Field},
    label, record, tools,
};
use crate::finding::{AiStatus, LabelKind, UnsignedLabel};

/// What the fields of `tiff` say. XMP inside TIFF is left to others.
pub(super) fn read(tiff: &[u8], labels: &mut Labels) {
    let fields = ifd::fields(tiff);
    let big_endian = ifd::is_big_endian(tiff);
    for field in &fields {
        let Some(name) = name(field.tag) else {
            continue;
        };
        let place = format!("exif:{name}");
        let text = if field.tag == ifd::USER_COMMENT {
            user_comment(field.value, big_endian)
        } else {
            decode(field.value)
        };
        let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
        labels.push(read_one(field.tag, &place, text));
    }
    labels.push(grok_signature(&fields));
}

/// Samsung's editor records each edit; `genAIType` other than 0 is one by a generator.
pub(super) fn samsung_edit(text: &str) -> Option<UnsignedLabel> {
    let edit: Value = serde_json::from_str(text.trim_matches('\0')).ok()?;
    let kind = edit.get("genAIType")?;
    let number = kind.as_i64().or_else(|| kind.as_str()?.parse().ok())?;
    let words = format!("genAIType {number}");
    (number != 0).then(|| {
        label(LabelKind::Exif, "samsung:PhotoEditor_Re_Edit_Data", &words)
            .made_by(Some("Galaxy AI"))
            .saying(Some(AiStatus::DeclaredPart))
    })
}

fn read_one(tag: u16, place: &str, text: &str) -> Option<UnsignedLabel> {
    let found = |generator, ai| {
        let label = label(LabelKind::Exif, place, text);
        Some(label.made_by(generator).saying(ai))
    };
    match tag {
        ifd::USER_COMMENT | ifd::IMAGE_DESCRIPTION => free_text(place, text),
        ifd::SOFTWARE if tools::says_generated(text) => {
            let flux = text.split(';').any(|word| word.starts_with("flux"));
            let generator = if flux {
                Some("FLUX")
            } else {
                tools::named(text)
            };
            found(generator, Some(AiStatus::DeclaredFull))
        }
        // Companies that build nothing which takes pictures: the maker is the statement.
        ifd::MAKE if text == "Black Forest Labs" || text == "Ideogram AI" => {
            found(tools::named(text), Some(AiStatus::DeclaredFull))
        }
        ifd::MAKE | ifd::MODEL | ifd::SOFTWARE => found(Some(tools::named(text)?), None),
        _ => None,
    }
}

/// A field that may hold anything.
fn free_text(place: &str, text: &str) -> Option<UnsignedLabel> {
    if let Some(aigc) = aigc::anywhere(place, text) {
        return Some(aigc);
    }
    let label = label(LabelKind::Exif, place, text);
    if let Some(record) = record::in_text(text) {
        return Some(label.made_by(Some(record.generator)).saying(record.ai));
    }
    let full = Some(AiStatus::DeclaredFull);
    if let Some(product) = bytedance(text) {
        return Some(label.made_by(Some(&product)).saying(full));
    }
    tools::says_generated(text).then(|| label.made_by(tools::named(text)).saying(full))
}

/// The product named in the JSON of ByteDance's apps when its label type is not 0.
fn bytedance(text: &str) -> Option<String> {
    if !text.starts_with('{') || !text.contains("\"aigc_label_type\"") {
        return None;
    }
    let found: Value = serde_json::from_str(text).ok()?;
    let holder = [Some(&found), found.get("aigc_info"), found.get("data")];
    let kind = holder
        .into_iter()
        .flatten()
        .find_map(|object| object.get("aigc_label_type"))?;
    let number = kind.as_i64().or_else(|| kind.as_str()?.parse().ok())?;
    let product = found.get("product").and_then(Value::as_str);
    (number != 0).then(|| product.unwrap_or("Dreamina").to_owned())
}

/// xAI signs its pictures with a description and an artist that only make sense together. Nothing in them
/// says AI in words, and the signature cannot be checked: a trace.
fn grok_signature(fields: &[Field<'_>]) -> Option<UnsignedLabel> {
    let text = |tag| {
        let field = fields.iter().find(|field| field.tag == tag)?;
        std::str::from_utf8(field.value)
            .ok()
            .map(|text| text.trim_matches(['\0', ' ']))
    };
    let signature = text(ifd::IMAGE_DESCRIPTION)?.strip_prefix("Signature: ")?;
    let is_base64 = signature.len() >= 64
        && signature
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte));
    (is_base64 && is_uuid(text(ifd::ARTIST)?))
        .then(|| label(LabelKind::Exif, "exif:ImageDescription", signature).made_by(Some("Grok")))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The text behind the eight bytes that name its encoding.
fn user_comment(value: &[u8], big_endian: bool) -> String {
    match value.split_at_checked(8) {
        Some((b"UNICODE\0", text)) => utf16_or_8(text, big_endian),
        Some((b"ASCII\0\0\0" | b"\0\0\0\0\0\0\0\0" | b"JIS\0\0\0\0\0", text)) => decode(text),
        Some(_) | None => decode(value),
    }
}

/// Writers disagree on the byte order here, and some write UTF-8. In ASCII, which every record of a run
/// contains, the zero bytes tell.
fn utf16_or_8(text: &[u8], big_endian: bool) -> String {
    let head = text.chunks_exact(2).take(512);
    let (high_first, high_last) = head.fold((0_u32, 0_u32), |(first, last), pair| {
        let zero = |at: usize| u32::from(pair.get(at) == Some(&0));
        (first + zero(0), last + zero(1))
    });
    let big_endian = match high_first.cmp(&high_last) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal if std::str::from_utf8(text).is_ok() => return decode(text),
        std::cmp::Ordering::Equal => big_endian,
    };
    let units = text.chunks_exact(2).filter_map(|pair| {
        let pair = pair.try_into().ok()?;
        Some(if big_endian {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        })
    });
    char::decode_utf16(units)
        .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn name(tag: u16) -> Option<&'static str> {
    Some(match tag {
        ifd::IMAGE_DESCRIPTION => "ImageDescription",
        ifd::MAKE => "Make",
        ifd::MODEL => "Model",
        ifd::SOFTWARE => "Software",
        ifd::USER_COMMENT => "UserComment",
        _ => return None,
    })
}
