//! The `cawg.metadata` assertion: fields that the profile states and fields carried over from the file's
//! own EXIF and XMP, so that the signature covers them. Knows names and texts, not manifests.
//!
//! Nothing is carried that the profile does not name, and no place: where a picture was taken is for its
//! owner to write down in words.

use std::collections::{BTreeMap, BTreeSet};

use media::Media;
use serde_json::{Map, Value, json};

use crate::{
    labels::{CARRIED_EXIF, Wanted, carried_exif, carried_xmp},
    profile::Profile,
};

/// Fields by prefixed name.
type Fields = BTreeMap<String, Vec<String>>;

/// Whether every name stands in a vocabulary that is known here, and every carried one is to be had.
pub(crate) fn check(metadata: &Fields, carry: &[String]) -> Result<(), String> {
    for name in metadata.keys() {
        vocabulary(name)?;
    }
    let texts = metadata.values().flatten();
    if metadata.len() > MAX_FIELDS || texts.clone().count() > MAX_FIELDS {
        return Err(format!(
            "it states more than {MAX_FIELDS} fields of metadata"
        ));
    }
    if texts.map(String::len).any(|length| length > MAX_TEXT_BYTES) {
        return Err(format!("a field is longer than {MAX_TEXT_BYTES} bytes"));
    }
    for name in carry {
        vocabulary(name)?;
        if !is_carried(name) {
            let name = crate::display::clean(name);
            return Err(format!("\"{name}\" cannot be carried over from the file"));
        }
    }
    Ok(())
}

/// The assertion's JSON-LD; `None` when there is nothing to say.
pub(super) fn assertion(profile: &Profile, author: Option<&str>, media: &Media) -> Option<Value> {
    let mut fields = carried(profile, media);
    fields.extend(profile.metadata.clone());
    let rights = profile.rights.as_deref();
    for (name, text) in [("dc:creator", author), ("dc:rights", rights)] {
        if let Some(text) = text {
            fields.insert(name.to_owned(), vec![text.to_owned()]);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let prefixes: BTreeSet<&str> = fields.keys().filter_map(|name| prefix(name)).collect();
    let context: Map<String, Value> = VOCABULARIES
        .iter()
        .filter(|(prefix, _)| prefixes.contains(prefix))
        .map(|(prefix, uri)| ((*prefix).to_owned(), json!(uri)))
        .collect();
    let mut object = Map::from_iter([("@context".to_owned(), Value::Object(context))]);
    for (name, texts) in fields {
        let value = match texts.as_slice() {
            // The one field of these that is a list by definition (Dublin Core in XMP: an ordered array).
            [one] if name != "dc:creator" => json!(one),
            more => json!(more),
        };
        object.insert(name, value);
    }
    Some(Value::Object(object))
}

/// What the file says under the names that the profile carries.
fn carried(profile: &Profile, media: &Media) -> Fields {
    if profile.carry.is_empty() {
        return Fields::new();
    }
    // What an editor wrote last stands in XMP; EXIF is what the camera wrote.
    let mut found: Fields = carried_exif(media);
    found.extend(carried_xmp(media, &wanted(profile)));
    found.retain(|name, _| profile.carry.contains(name));
    found.retain(|_, texts| texts.iter().all(|text| text.len() <= MAX_TEXT_BYTES));
    found.into_iter().take(MAX_FIELDS).collect()
}

/// The carried names with their vocabularies.
fn wanted(profile: &Profile) -> Vec<Wanted<'_>> {
    profile
        .carry
        .iter()
        .filter(|name| CARRIED_XMP.contains(&name.as_str()))
        .filter_map(|name| {
            let known = VOCABULARIES
                .iter()
                .find(|(known, _)| prefix(name) == Some(*known));
            known.map(|(_, vocabulary)| Wanted { name, vocabulary })
        })
        .collect()
}

fn prefix(name: &str) -> Option<&str> {
    name.split_once(':').map(|(prefix, _)| prefix)
}

/// Refuses a name without a known prefix, and the one field that is the statement's own.
fn vocabulary(name: &str) -> Result<(), String> {
    if name.eq_ignore_ascii_case("Iptc4xmpExt:DigitalSourceType") {
        return Err("the statement alone says what the digital source type is".to_owned());
    }
    let known = VOCABULARIES
        .iter()
        .any(|(known, _)| prefix(name) == Some(*known));
    let local = name.split_once(':').map_or("", |(_, local)| local);
    let is_word = !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if known && is_word && name.len() <= MAX_NAME_BYTES {
        return Ok(());
    }
    let prefixes: Vec<&str> = VOCABULARIES.iter().map(|(prefix, _)| *prefix).collect();
    Err(format!(
        "\"{}\" is no field name; give one with a prefix out of {}",
        crate::display::clean(name),
        prefixes.join(", ")
    ))
}

fn is_carried(name: &str) -> bool {
    CARRIED_EXIF.iter().any(|(known, _)| *known == name) || CARRIED_XMP.contains(&name)
}

/// Prefixes and their vocabularies (XMP specification part 2; IPTC Photo Metadata Standard 2025.1).
pub(crate) const VOCABULARIES: [(&str, &str); 10] = [
    (
        "Iptc4xmpCore",
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    ),
    ("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("exif", "http://ns.adobe.com/exif/1.0/"),
    ("exifEX", "http://cipa.jp/exif/1.0/"),
    ("photoshop", "http://ns.adobe.com/photoshop/1.0/"),
    ("plus", "http://ns.useplus.org/ldf/xmp/1.0/"),
    ("tiff", "http://ns.adobe.com/tiff/1.0/"),
    ("xmp", "http://ns.adobe.com/xap/1.0/"),
    ("xmpRights", "http://ns.adobe.com/xap/1.0/rights/"),
];

/// Fields that are texts or lists of texts in XMP and name no place.
const CARRIED_XMP: [&str; 14] = [
    "dc:creator",
    "dc:description",
    "dc:rights",
    "dc:subject",
    "dc:title",
    "photoshop:AuthorsPosition",
    "photoshop:CaptionWriter",
    "photoshop:Credit",
    "photoshop:DateCreated",
    "photoshop:Headline",
    "photoshop:Instructions",
    "photoshop:Source",
    "xmpRights:UsageTerms",
    "xmpRights:WebStatement",
];

const MAX_FIELDS: usize = 64;
const MAX_NAME_BYTES: usize = 64;
const MAX_TEXT_BYTES: usize = 4_096;
