//! XMP packets (ISO 16684-1): the fields that speak of AI.
//!
//! No document type and no entity of its own is accepted, and a packet that is nested too deep, has too
//! many attributes on one element or is not well formed is ignored as a whole.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::{
    Labels, aigc, label, record, tools,
    xmp_fields::{Field, Property, properties},
};
use crate::{
    ai::SourceType,
    display::clean,
    finding::{AiStatus, LabelKind, UnsignedLabel},
};

/// What the packet says.
pub(super) fn read(packet: &[u8], labels: &mut Labels) {
    // Most packets are an editor's log: one pass over the bytes spares their parsing.
    if !HINTS.is_match(packet) {
        return;
    }
    let text = std::str::from_utf8(packet).map(|text| text.trim_matches(['\0', '\u{feff}']));
    let Some(properties) = text.ok().and_then(properties) else {
        return;
    };
    let context = Context::of(&properties);
    for property in &properties {
        labels.push(context.read_one(property));
    }
}

/// What the fields of one packet say about each other.
struct Context<'a> {
    declared: Option<SourceType>,
    system: Option<&'a str>,
    version: Option<&'a str>,
    tool: Option<&'static str>,
}

impl<'a> Context<'a> {
    fn of(properties: &'a [Property]) -> Self {
        let whole = |field| {
            properties
                .iter()
                .find(|property| property.field == field && !property.of_part)
                .map(|property| property.value.as_str())
        };
        let tool = [Field::CreatorTool, Field::Credit]
            .into_iter()
            .find_map(|field| tools::named(whole(field)?));
        Self {
            declared: whole(Field::SourceType).map(SourceType::of),
            system: whole(Field::AiSystem),
            version: whole(Field::AiVersion),
            tool,
        }
    }

    fn read_one(&self, property: &Property) -> Option<UnsignedLabel> {
        let value = property.value.as_str();
        let found = |kind, place| Some(label(kind, place, value));
        match property.field {
            Field::SourceType => self.source_type(property),
            Field::AiSystem => {
                let name = with_version(value, self.version.filter(|_| !property.of_part));
                let label = label(LabelKind::Iptc, "xmp:Iptc4xmpExt:AISystemUsed", &name);
                Some(label.made_by(Some(&name)).saying(self.extent(property)))
            }
            Field::AiPrompt => {
                let label = found(LabelKind::Iptc, "xmp:Iptc4xmpExt:AIPromptInformation")?;
                Some(
                    label
                        .made_by(self.generator().as_deref())
                        .saying(self.extent(property)),
                )
            }
            Field::AiVersion => None,
            Field::Aigc => aigc::named("xmp:TC260:AIGC", value),
            Field::Credit => {
                let label = found(LabelKind::Xmp, "xmp:photoshop:Credit")?;
                Some(
                    label
                        .made_by(Some(tools::named(value)?))
                        .saying(credited(value)),
                )
            }
            Field::CreatorTool => {
                let label = found(LabelKind::Xmp, "xmp:xmp:CreatorTool")?;
                Some(label.made_by(Some(tools::named(value)?)))
            }
            Field::UserComment => user_comment(value),
        }
    }

    fn source_type(&self, property: &Property) -> Option<UnsignedLabel> {
        let uri = clean(&property.value);
        let declares = SourceType::of(&uri).declares();
        let mut found = label(LabelKind::Iptc, "xmp:Iptc4xmpExt:DigitalSourceType", &uri);
        if declares.is_some() && !property.of_part {
            found = found.made_by(self.generator().as_deref());
        }
        let of_whole = |ai| {
            if property.of_part {
                AiStatus::DeclaredPart
            } else {
                ai
            }
        };
        found.digital_source_type = Some(uri).filter(|uri| !uri.is_empty());
        found
            .digital_source_type
            .is_some()
            .then(|| found.saying(declares.map(of_whole)))
    }

    /// IPTC defines these fields as those of the system that generated this picture, unless the source
    /// type beside them says less.
    fn extent(&self, property: &Property) -> Option<AiStatus> {
        let whole = matches!(self.declared, None | Some(SourceType::FullyAi));
        Some(if whole && !property.of_part {
            AiStatus::DeclaredFull
        } else {
            AiStatus::DeclaredPart
        })
    }

    fn generator(&self) -> Option<String> {
        let system = self.system.map(|system| with_version(system, self.version));
        system.or_else(|| self.tool.map(str::to_owned))
    }
}

fn with_version(system: &str, version: Option<&str>) -> String {
    version.map_or_else(
        || system.to_owned(),
        |version| format!("{system} {version}"),
    )
}

/// Draw Things keeps its settings here.
fn user_comment(value: &str) -> Option<UnsignedLabel> {
    let place = "xmp:exif:UserComment";
    record::in_text(value).map_or_else(
        || aigc::anywhere(place, value),
        |record| {
            let label = label(LabelKind::Xmp, place, value);
            Some(label.made_by(Some(record.generator)).saying(record.ai))
        },
    )
}

/// Google's credit line says in words how far it goes; every other credit only names somebody.
fn credited(credit: &str) -> Option<AiStatus> {
    let credit = credit.trim();
    if credit.eq_ignore_ascii_case("Made with Google AI") {
        Some(AiStatus::DeclaredFull)
    } else if credit.eq_ignore_ascii_case("Edited with Google AI") {
        Some(AiStatus::DeclaredPart)
    } else {
        None
    }
}

/// A packet without any of these holds no field that is reported.
static HINTS: LazyLock<Hints> = LazyLock::new(|| {
    let words = FIELDS
        .into_iter()
        .chain(tools::TOOLS.iter().map(|(word, _)| *word));
    Hints(
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)
            .ok(),
    )
});

struct Hints(Option<AhoCorasick>);

impl Hints {
    fn is_match(&self, packet: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|words| words.is_match(packet))
    }
}

const FIELDS: [&str; 5] = [
    "DigitalSource",
    "AISystem",
    "AIPrompt",
    "AIGC",
    "UserComment",
];
