//! Finds the wanted fields of an XMP packet: as attribute, as element, as `rdf:resource` and in lists.
//!
//! Namespaces are resolved here, for wanted names only and with few declarations alive, so that no packet
//! costs more than one pass over it.

use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesRef, BytesStart, Event, attributes::Attribute},
};

/// A field that is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    SourceType,
    AiSystem,
    AiVersion,
    AiPrompt,
    Aigc,
    Credit,
    CreatorTool,
    UserComment,
}

/// One value of a field.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) field: Field,
    /// Entities resolved, trimmed, not empty.
    pub(super) value: String,
    /// Whether it speaks of an ingredient or a region and not of the whole.
    pub(super) of_part: bool,
}

/// The wanted fields of `packet` in order; `None` when it is not well formed or refused.
pub(super) fn properties(packet: &str) -> Option<Vec<Property>> {
    let mut reader = Reader::from_str(packet);
    let mut walk = Walk::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => walk.open(&start)?,
            Event::Empty(start) => {
                walk.open(&start)?;
                walk.close();
            }
            Event::End(_) => {
                walk.close();
                if walk.elements.is_empty() {
                    return Some(walk.found);
                }
            }
            Event::Text(text) => walk.text(&text.decode().ok()?),
            Event::CData(text) => walk.text(&text.decode().ok()?),
            Event::GeneralRef(entity) => walk.text(&resolve(&entity)?),
            Event::DocType(_) => return None,
            // A packet that ends inside its root is damaged.
            Event::Eof => return walk.elements.is_empty().then_some(walk.found),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

#[derive(Default)]
struct Walk {
    found: Vec<Property>,
    elements: Vec<Element>,
    declared: Vec<Declared>,
    /// The wanted element that is open, with the depth it stands at.
    open: Option<(usize, Property)>,
}

struct Element {
    of_part: bool,
    /// Declarations alive before it.
    declared: usize,
}

/// A prefix and the vocabulary it stands for.
struct Declared {
    prefix: Vec<u8>,
    vocabulary: Vocabulary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vocabulary {
    Iptc,
    Tc260,
    Photoshop,
    Xmp,
    Exif,
    Other,
}

impl Walk {
    fn open(&mut self, start: &BytesStart<'_>) -> Option<()> {
        if self.elements.len() >= MAX_DEPTH {
            return None;
        }
        let outer = self.elements.last().is_some_and(|outer| outer.of_part);
        let of_part = outer || PARTS.contains(&start.local_name().as_ref());
        self.elements.push(Element {
            of_part,
            declared: self.declared.len(),
        });
        self.declare(start)?;
        let name = start.name();
        let field = self.field(
            name.prefix().map(|prefix| prefix.into_inner()),
            name.local_name().as_ref(),
        );
        if let (Some(field), None) = (field, &self.open) {
            let value = String::new();
            let property = Property {
                field,
                value,
                of_part,
            };
            self.open = Some((self.elements.len(), property));
        }
        self.attributes(start, of_part)
    }

    /// Takes the namespaces that this element declares.
    fn declare(&mut self, start: &BytesStart<'_>) -> Option<()> {
        for (count, attribute) in start.attributes().with_checks(false).enumerate() {
            let attribute = attribute.ok()?;
            if count >= MAX_ATTRIBUTES {
                return None;
            }
            let prefix = match attribute.key.as_ref() {
                b"xmlns" => b"".as_slice(),
                key => match key.strip_prefix(b"xmlns:") {
                    Some(prefix) => prefix,
                    None => continue,
                },
            };
            if self.declared.len() >= MAX_DECLARED {
                return None;
            }
            self.declared.push(Declared {
                prefix: prefix.to_owned(),
                vocabulary: Vocabulary::of(&attribute.value),
            });
        }
        Some(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>, of_part: bool) -> Option<()> {
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.ok()?;
            let local = attribute.key.local_name();
            if local.as_ref() == b"resource" {
                let value = value(&attribute)?;
                self.text(&value);
                continue;
            }
            // An attribute without a prefix belongs to no vocabulary.
            let Some(prefix) = attribute.key.prefix() else {
                continue;
            };
            let field = self.field(Some(prefix.into_inner()), local.as_ref());
            if let Some(field) = field {
                let value = value(&attribute)?.into_owned();
                self.keep(Property {
                    field,
                    value,
                    of_part,
                });
            }
        }
        Some(())
    }

    fn close(&mut self) {
        let depth = self.elements.len();
        if let Some(element) = self.elements.pop() {
            self.declared.truncate(element.declared);
        }
        match self.open.take() {
            Some((at, property)) if at == depth => self.keep(property),
            Some((at, mut property)) => {
                // Between the entries of a list.
                property.value.push(' ');
                self.open = Some((at, property));
            }
            None => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, property)) = &mut self.open
            && property.value.len().saturating_add(text.len()) <= MAX_VALUE
        {
            property.value.push_str(text);
        }
    }

    /// A list of source types is several properties; their names, unlike their addresses, hold spaces.
    fn keep(&mut self, property: Property) {
        let whole = property.value.trim();
        let is_list = property.field == Field::SourceType && whole.contains("://");
        let values: Vec<&str> = if is_list {
            whole.split_whitespace().collect()
        } else {
            Some(whole)
                .into_iter()
                .filter(|value| !value.is_empty())
                .collect()
        };
        for value in values {
            if self.found.len() < MAX_FOUND {
                self.found.push(Property {
                    value: value.to_owned(),
                    ..property
                });
            }
        }
    }

    fn field(&self, prefix: Option<&[u8]>, local: &[u8]) -> Option<Field> {
        let (field, wanted, usual) = FIELDS
            .iter()
            .find(|(name, ..)| name.eq_ignore_ascii_case(local))
            .map(|(_, field, wanted, usual)| (*field, *wanted, *usual))?;
        let prefix = prefix.unwrap_or_default();
        let declared = self
            .declared
            .iter()
            .rev()
            .find(|declared| declared.prefix == prefix);
        // A packet cut out of its context may use the usual prefix undeclared.
        let matches = declared.map_or(prefix == usual, |declared| declared.vocabulary == wanted);
        matches.then_some(field)
    }
}

impl Vocabulary {
    fn of(uri: &[u8]) -> Self {
        let known = |part: &[u8]| memchr::memmem::find(uri, part).is_some();
        if known(b"tc260.org.cn/ns/AIGC") {
            Self::Tc260
        } else if known(b"iptc.org/std/Iptc4xmpExt") {
            Self::Iptc
        } else if known(b"ns.adobe.com/photoshop") {
            Self::Photoshop
        } else if known(b"ns.adobe.com/xap/1.0/") {
            Self::Xmp
        } else if known(b"ns.adobe.com/exif") {
            Self::Exif
        } else {
            Self::Other
        }
    }
}

/// One of the five entities that XML itself defines, or a character by number.
fn resolve(entity: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Some(letter) = entity.resolve_char_ref().ok()? {
        return Some(Cow::Owned(letter.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(&entity.decode().ok()?).map(Cow::Borrowed)
}

fn value<'a>(attribute: &Attribute<'a>) -> Option<Cow<'a, str>> {
    attribute.normalized_value(XmlVersion::Implicit1_0).ok()
}

/// Name, field, its vocabulary and the prefix usual for that.
const FIELDS: [(&[u8], Field, Vocabulary, &[u8]); 8] = [
    (
        b"DigitalSourceType",
        Field::SourceType,
        Vocabulary::Iptc,
        b"Iptc4xmpExt",
    ),
    (
        b"AISystemUsed",
        Field::AiSystem,
        Vocabulary::Iptc,
        b"Iptc4xmpExt",
    ),
    (
        b"AISystemVersionUsed",
        Field::AiVersion,
        Vocabulary::Iptc,
        b"Iptc4xmpExt",
    ),
    (
        b"AIPromptInformation",
        Field::AiPrompt,
        Vocabulary::Iptc,
        b"Iptc4xmpExt",
    ),
    (b"AIGC", Field::Aigc, Vocabulary::Tc260, b"TC260"),
    (
        b"Credit",
        Field::Credit,
        Vocabulary::Photoshop,
        b"photoshop",
    ),
    (b"CreatorTool", Field::CreatorTool, Vocabulary::Xmp, b"xmp"),
    (
        b"UserComment",
        Field::UserComment,
        Vocabulary::Exif,
        b"exif",
    ),
];
/// Elements that describe ingredients, earlier versions and regions.
const PARTS: [&[u8]; 6] = [
    b"Pantry",
    b"Ingredients",
    b"DerivedFrom",
    b"Versions",
    b"ImageRegion",
    b"RegionList",
];
/// Elements inside each other; Adobe's own packets reach about 12.
const MAX_DEPTH: usize = 64;
/// Attributes of one element; develop settings of raw converters reach a few hundred.
const MAX_ATTRIBUTES: usize = 1_024;
/// Namespace declarations alive at once; Adobe's own packets have about 25.
const MAX_DECLARED: usize = 128;
/// Longest value taken.
const MAX_VALUE: usize = 64 << 10;
/// Values taken of one packet.
const MAX_FOUND: usize = 256;
