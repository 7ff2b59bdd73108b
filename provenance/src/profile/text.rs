//! The text of a profile: TOML in, a checked profile out. A word that is not known is an error, so that a
//! misspelt `no_train` forbids nothing silently.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Aigc, Assertion, Generator, MAX_ASSERTIONS, Profile, Statement};
use crate::{error::SignError, sign::metadata};

pub(super) fn parse(text: &str) -> Result<Profile, SignError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(refused(format!("it is longer than {MAX_TEXT_BYTES} bytes")));
    }
    let file: File = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
    let profile = file.into_profile()?;
    check(&profile).map_err(refused)?;
    Ok(profile)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    statement: Word,
    #[serde(default)]
    capture: bool,
    title: Option<String>,
    author: Option<String>,
    rights: Option<String>,
    #[serde(default)]
    no_train: bool,
    #[serde(default)]
    unsigned_labels: bool,
    #[serde(default)]
    actions: Vec<String>,
    generator: Option<GeneratorTable>,
    #[serde(default)]
    metadata: BTreeMap<String, OneOrMore>,
    #[serde(default)]
    carry: Vec<String>,
    aigc: Option<AigcTable>,
    #[serde(default, rename = "assertion")]
    assertions: Vec<AssertionTable>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Photo,
    Ai,
    AiEdit,
    Edit,
    Publish,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GeneratorTable {
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AigcTable {
    content_producer: String,
    produce_id: String,
    #[serde(default)]
    content_propagator: String,
    #[serde(default)]
    propagate_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertionTable {
    label: String,
    json: String,
}

impl File {
    fn into_profile(self) -> Result<Profile, SignError> {
        let assertions: Result<Vec<Assertion>, SignError> = self
            .assertions
            .iter()
            .map(|table| Assertion::new(&table.label, &table.json))
            .collect();
        Ok(Profile {
            statement: statement(self.statement, self.capture)?,
            title: self.title,
            author: self.author,
            rights: self.rights,
            no_train: self.no_train,
            unsigned_labels: self.unsigned_labels,
            actions: self.actions,
            generator: self.generator.map(|table| Generator {
                name: table.name,
                version: table.version,
            }),
            metadata: self
                .metadata
                .into_iter()
                .map(|(name, value)| match value {
                    OneOrMore::One(text) => (name, vec![text]),
                    OneOrMore::More(texts) => (name, texts),
                })
                .collect(),
            carry: self.carry,
            aigc: self.aigc.map(|table| Aigc {
                content_producer: table.content_producer,
                produce_id: table.produce_id,
                content_propagator: table.content_propagator,
                propagate_id: table.propagate_id,
            }),
            assertions: assertions?,
        })
    }
}

fn statement(word: Word, capture: bool) -> Result<Statement, SignError> {
    match (word, capture) {
        (Word::Photo, true) => Ok(Statement::Capture),
        (Word::Photo, false) => Ok(Statement::Photo),
        (Word::Ai, false) => Ok(Statement::Ai),
        (Word::AiEdit, false) => Ok(Statement::AiEdit),
        (Word::Edit, false) => Ok(Statement::Edit),
        (Word::Publish, false) => Ok(Statement::Publish),
        (Word::Ai | Word::AiEdit | Word::Edit | Word::Publish, true) => Err(refused(
            "capture = true goes with statement = \"photo\" alone".to_owned(),
        )),
    }
}

/// What the words mean together.
fn check(profile: &Profile) -> Result<(), String> {
    let statement = profile.statement;
    if !statement.admits_ai()
        && (profile.unsigned_labels || profile.aigc.is_some() || profile.generator.is_some())
    {
        return Err(
            "generator, unsigned_labels and aigc go with the statements ai and ai-edit alone"
                .to_owned(),
        );
    }
    if profile.aigc.is_some() && !profile.unsigned_labels {
        return Err("aigc is an unsigned label; set unsigned_labels = true beside it".to_owned());
    }
    if let Some(aigc) = &profile.aigc {
        check_aigc(aigc)?;
    }
    let edits = matches!(statement, Statement::Edit | Statement::AiEdit);
    if !profile.actions.is_empty() && !edits {
        return Err("actions go with the statements edit and ai-edit alone".to_owned());
    }
    if let Some(action) = profile
        .actions
        .iter()
        .find(|action| !EDITS.contains(&action.as_str()))
    {
        return Err(format!(
            "\"{}\" is no action of an edit; use {}",
            crate::display::clean(action),
            EDITS.join(", ")
        ));
    }
    if profile.assertions.len() > MAX_ASSERTIONS || profile.actions.len() > MAX_ASSERTIONS {
        return Err(format!(
            "it holds more than {MAX_ASSERTIONS} assertions or actions"
        ));
    }
    metadata::check(&profile.metadata, &profile.carry)
}

/// Strict readers of the label take these letters and no others (GB 45438-2025, appendix E).
fn check_aigc(aigc: &Aigc) -> Result<(), String> {
    let texts = [
        &aigc.content_producer,
        &aigc.produce_id,
        &aigc.content_propagator,
        &aigc.propagate_id,
    ];
    let is_plain = |text: &&String| {
        text.len() <= MAX_AIGC_BYTES
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    if texts.iter().all(is_plain) && !aigc.content_producer.is_empty() {
        return Ok(());
    }
    Err(format!(
        "a field of aigc is empty, longer than {MAX_AIGC_BYTES} bytes or holds a space, a quotation mark, a backslash or a letter outside ASCII"
    ))
}

fn refused(detail: String) -> SignError {
    SignError::Profile(detail)
}

/// Actions that say what an edit did (C2PA 2.2, section 18.14.2).
const EDITS: [&str; 16] = [
    "c2pa.adjustedColor",
    "c2pa.changedSpeed",
    "c2pa.color_adjustments",
    "c2pa.converted",
    "c2pa.cropped",
    "c2pa.deleted",
    "c2pa.drawing",
    "c2pa.dubbed",
    "c2pa.edited",
    "c2pa.edited.metadata",
    "c2pa.enhanced",
    "c2pa.filtered",
    "c2pa.orientation",
    "c2pa.resized",
    "c2pa.transcoded",
    "c2pa.watermarked",
];

const MAX_AIGC_BYTES: usize = 256;

/// Longest profile: it holds a few assertions of 64 KiB.
const MAX_TEXT_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::{super::Statement, parse};

    #[test]
    fn a_full_profile_is_read_whole() {
        let profile = parse(
            r#"
            statement = "ai-edit"
            title = "A title"
            author = "An author"
            rights = "All rights reserved"
            no_train = true
            unsigned_labels = true
            actions = ["c2pa.cropped"]
            carry = ["tiff:Make"]
            generator = { name = "Painter", version = "3" }
            metadata = { "photoshop:Credit" = "The desk", "dc:subject" = ["a", "b"] }
            aigc = { content_producer = "0011", produce_id = "7" }
            [[assertion]]
            label = "org.example.assignment"
            json = '{ "number": 7 }'
            "#,
        )
        .unwrap();
        assert_eq!(profile.statement, Statement::AiEdit);
        assert_eq!(profile.metadata["dc:subject"], ["a", "b"]);
        assert_eq!(profile.generator.unwrap().version.as_deref(), Some("3"));
        assert_eq!(profile.aigc.unwrap().produce_id, "7");
        assert_eq!(profile.assertions[0].label(), "org.example.assignment");
        assert!(profile.no_train && profile.unsigned_labels);
    }

    #[test]
    fn only_a_photo_claims_capture_and_only_when_told() {
        let statement = |text: &str| parse(text).map(|profile| profile.statement).ok();
        assert_eq!(statement("statement = \"photo\""), Some(Statement::Photo));
        assert_eq!(
            statement("statement = \"photo\"\ncapture = true"),
            Some(Statement::Capture)
        );
        assert_eq!(statement("statement = \"publish\"\ncapture = true"), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_to_change() {
        for (text, words) in [
            ("", "missing field `statement`"),
            ("statement = \"holiday\"", "unknown variant"),
            ("statement = \"photo\"\nno_trian = true", "no_trian"),
            (
                "statement = \"photo\"\nunsigned_labels = true",
                "ai and ai-edit",
            ),
            (
                "statement = \"photo\"\nactions = [\"c2pa.cropped\"]",
                "edit and ai-edit",
            ),
            (
                "statement = \"edit\"\nactions = [\"c2pa.created\"]",
                "no action of an edit",
            ),
            (
                "statement = \"photo\"\nmetadata = { title = \"x\" }",
                "prefix",
            ),
            (
                "statement = \"photo\"\nmetadata = { \"c2pa:x\" = \"x\" }",
                "prefix",
            ),
            (
                "statement = \"photo\"\ncarry = [\"exif:GPSLatitude\"]",
                "carried",
            ),
            (
                "statement = \"ai\"\naigc = { content_producer = \"1\", produce_id = \"2\" }",
                "unsigned_labels = true",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.code(), "profile", "{text}");
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
        let reserved =
            "statement = \"photo\"\n[[assertion]]\nlabel = \"c2pa.actions.v2\"\njson = '{}'";
        assert_eq!(parse(reserved).unwrap_err().code(), "assertion");
    }
}
