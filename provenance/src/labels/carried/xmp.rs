//! The texts of named properties of an XMP packet (ISO 16684-1): as attribute, as element, and in lists.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::Wanted;

/// Name and texts of each wanted property; `None` when the packet is not well formed or refused.
pub(super) fn texts(packet: &str, wanted: &[Wanted<'_>]) -> Option<Vec<(String, Vec<String>)>> {
    let mut reader = NsReader::from_str(packet);
    let mut walk = Walk {
        wanted,
        open: Vec::new(),
        property: None,
        found: Vec::new(),
    };
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => walk.start(&reader, &start)?,
            Event::Empty(start) => {
                walk.start(&reader, &start)?;
                walk.end();
            }
            Event::End(_) => walk.end(),
            Event::Text(text) => walk.text(&text.decode().ok()?),
            Event::CData(text) => walk.text(&text.decode().ok()?),
            Event::GeneralRef(entity) => walk.text(&resolve(&entity)?),
            Event::DocType(_) => return None,
            Event::Eof => return walk.open.is_empty().then_some(walk.found),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

struct Walk<'a> {
    wanted: &'a [Wanted<'a>],
    open: Vec<Place>,
    /// The wanted property that is open.
    property: Option<Property>,
    found: Vec<(String, Vec<String>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Rdf,
    Description,
    Property,
    /// Texts in several languages.
    Alternatives,
    Entry,
    Other,
}

struct Property {
    name: String,
    texts: Vec<String>,
    text: String,
    /// Whether its texts stand in a list.
    is_list: bool,
    one_only: bool,
}

impl Walk<'_> {
    fn start(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            return None;
        }
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let is_rdf = namespace == ResolveResult::Bound(Namespace(RDF));
        let place = match (self.open.last(), is_rdf, local.as_ref()) {
            (Some(Place::Rdf), true, b"Description") => Place::Description,
            (Some(Place::Description), ..) => self.open_property(&namespace, local.as_ref()),
            (Some(Place::Property), true, b"Alt") => Place::Alternatives,
            (Some(Place::Property | Place::Alternatives | Place::Other), true, b"li") => {
                Place::Entry
            }
            (_, true, b"RDF") => Place::Rdf,
            _ => Place::Other,
        };
        if place == Place::Description {
            self.attributes(reader, start)?;
        }
        if let (Place::Alternatives | Place::Entry, Some(property)) = (place, &mut self.property) {
            property.one_only |= place == Place::Alternatives;
            property.is_list = true;
            property.text.clear();
        }
        self.open.push(place);
        Some(())
    }

    fn open_property(&mut self, namespace: &ResolveResult<'_>, local: &[u8]) -> Place {
        let Some(name) = self.name(namespace, local) else {
            return Place::Other;
        };
        self.property = Some(Property {
            name,
            texts: Vec::new(),
            text: String::new(),
            is_list: false,
            one_only: false,
        });
        Place::Property
    }

    fn attributes(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Option<()> {
        for attribute in start.attributes().take(MAX_ATTRIBUTES) {
            let attribute = attribute.ok()?;
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            if let Some(name) = self.name(&namespace, local.as_ref()) {
                let text = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
                self.keep(name, vec![text.into_owned()]);
            }
        }
        Some(())
    }

    fn end(&mut self) {
        match (self.open.pop(), &mut self.property) {
            (Some(Place::Entry), Some(property)) => {
                let text = std::mem::take(&mut property.text);
                let is_wanted = !property.one_only || property.texts.is_empty();
                if is_wanted && property.texts.len() < MAX_TEXTS {
                    property.texts.push(text);
                }
            }
            (Some(Place::Property), _) => {
                let Some(mut property) = self.property.take() else {
                    return;
                };
                if !property.is_list {
                    property.texts.push(property.text);
                }
                self.keep(property.name, property.texts);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(property) = &mut self.property
            && property.text.len().saturating_add(text.len()) <= MAX_TEXT_BYTES
        {
            property.text.push_str(text);
        }
    }

    fn keep(&mut self, name: String, texts: Vec<String>) {
        let texts: Vec<String> = texts
            .iter()
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        if !texts.is_empty() {
            self.found.push((name, texts));
        }
    }

    fn name(&self, namespace: &ResolveResult<'_>, local: &[u8]) -> Option<String> {
        let ResolveResult::Bound(Namespace(uri)) = namespace else {
            return None;
        };
        let is_it = |wanted: &&Wanted<'_>| {
            let name = wanted.name.split_once(':').map(|(_, name)| name.as_bytes());
            wanted.vocabulary.as_bytes() == *uri && name == Some(local)
        };
        let wanted = self.wanted.iter().find(is_it)?;
        Some(wanted.name.to_owned())
    }
}

/// One of the five entities that XML itself defines, or a character by number.
fn resolve(entity: &BytesRef<'_>) -> Option<String> {
    if let Some(letter) = entity.resolve_char_ref().ok()? {
        return Some(letter.to_string());
    }
    let name = entity.decode().ok()?;
    quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned)
}

const RDF: &[u8] = b"http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// Elements inside each other; Adobe's own packets reach about 12.
const MAX_DEPTH: usize = 64;
const MAX_ATTRIBUTES: usize = 1_024;
/// Texts of one list.
const MAX_TEXTS: usize = 64;
/// Longest text; what is longer is cut at the part that does not fit any more.
const MAX_TEXT_BYTES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::{Wanted, texts};

    fn check(body: &str, expected: &[(&str, &[&str])]) {
        let packet = format!(
            "<x:xmpmeta xmlns:x='adobe:ns:meta/'><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
             xmlns:d='http://purl.org/dc/elements/1.1/' xmlns:p='http://ns.adobe.com/photoshop/1.0/'>{body}</r:RDF></x:xmpmeta>"
        );
        let dc = |name| Wanted {
            name,
            vocabulary: "http://purl.org/dc/elements/1.1/",
        };
        let wanted = [
            dc("dc:title"),
            dc("dc:creator"),
            Wanted {
                name: "photoshop:Credit",
                vocabulary: "http://ns.adobe.com/photoshop/1.0/",
            },
        ];
        let found = texts(&packet, &wanted).unwrap();
        let found: Vec<(&str, Vec<&str>)> = found
            .iter()
            .map(|(name, texts)| (name.as_str(), texts.iter().map(String::as_str).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> = expected
            .iter()
            .map(|(name, texts)| (*name, texts.to_vec()))
            .collect();
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn properties_are_found_in_every_form() {
        check(
            "<r:Description p:Credit='A &amp; B'/>",
            &[("photoshop:Credit", &["A & B"])],
        );
        check(
            "<r:Description><p:Credit> The desk </p:Credit></r:Description>",
            &[("photoshop:Credit", &["The desk"])],
        );
        check(
            "<r:Description><d:creator><r:Seq><r:li>A</r:li><r:li>B</r:li></r:Seq></d:creator></r:Description>",
            &[("dc:creator", &["A", "B"])],
        );
        check(
            "<r:Description><d:title><r:Alt><r:li xml:lang='x-default'>Ships</r:li>\
             <r:li xml:lang='de'>Schiffe</r:li></r:Alt></d:title></r:Description>",
            &[("dc:title", &["Ships"])],
        );
    }

    #[test]
    fn what_is_nested_unnamed_or_of_another_vocabulary_is_not_taken() {
        check(
            "<r:Description><p:History><r:Seq><r:li><r:Description><d:title>x</d:title></r:Description>\
             </r:li></r:Seq></p:History></r:Description>",
            &[],
        );
        check(
            "<r:Description><d:subject>x</d:subject></r:Description>",
            &[],
        );
        check(
            "<r:Description><p:title>x</p:title><d:title/></r:Description>",
            &[],
        );
        assert!(texts("<a><b></a>", &[]).is_none());
        assert!(texts("<!DOCTYPE a []><a/>", &[]).is_none());
        assert!(texts(&"<a>".repeat(100), &[]).is_none());
    }
}
