//! An XMP packet (ISO 16684-1) with our properties in it: a new one, or the file's own with ours added and
//! what stood there under the same names taken out. Everything else of the packet stays byte for byte as
//! its XML says it.

use quick_xml::{
    NsReader, Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
    name::{Namespace, ResolveResult},
};

use super::{Property, Refusal};

/// `packet`, or a new one, with `properties`.
pub(super) fn with(packet: Option<&[u8]>, properties: &[Property]) -> Result<Vec<u8>, Refusal> {
    let Some(packet) = packet else {
        return Ok(fresh(properties));
    };
    if packet.len() > MAX_PACKET_BYTES {
        return Err(Refusal::Xmp("its XMP is longer than 2 MiB"));
    }
    let text = std::str::from_utf8(packet).map_err(|_| Refusal::Xmp("its XMP is not UTF-8"))?;
    added(text.trim_matches('\0'), properties).ok_or(Refusal::Xmp("its XMP is damaged"))
}

fn fresh(properties: &[Property]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    // Writing into memory does not fail.
    let _ = describe(&mut writer, "", properties);
    let description = writer.into_inner();
    [
        BEGIN.as_bytes(),
        b"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"",
        RDF.as_bytes(),
        b"\">",
        &description,
        b"</rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>",
    ]
    .concat()
}

/// One description of the whole file, its properties as elements.
fn describe(
    writer: &mut Writer<Vec<u8>>,
    about: &str,
    properties: &[Property],
) -> std::io::Result<()> {
    let mut start = BytesStart::new("rdf:Description");
    start.push_attribute(("xmlns:rdf", RDF));
    start.push_attribute(("rdf:about", about));
    for (number, property) in properties.iter().enumerate() {
        let is_new = properties
            .iter()
            .take(number)
            .all(|earlier| earlier.prefix != property.prefix);
        if is_new {
            start.push_attribute((format!("xmlns:{}", property.prefix).as_str(), property.uri));
        }
    }
    writer.write_event(Event::Start(start))?;
    for property in properties {
        let name = format!("{}:{}", property.prefix, property.name);
        writer.write_event(Event::Start(BytesStart::new(name.as_str())))?;
        writer.write_event(Event::Text(BytesText::new(&property.value)))?;
        writer.write_event(Event::End(BytesEnd::new(name)))?;
    }
    writer.write_event(Event::End(BytesEnd::new("rdf:Description")))
}

/// Where the walk stands: names of the open elements that matter, by depth.
struct Walk<'a> {
    properties: &'a [Property],
    writer: Writer<Vec<u8>>,
    /// Whether each open element is `rdf:RDF`, a description in it, or anything else.
    open: Vec<Place>,
    /// Depth of the element that is being left out.
    dropped: Option<usize>,
    /// What the packet's own descriptions are about.
    about: Option<String>,
    added: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Rdf,
    Description,
    Other,
}

fn added(text: &str, properties: &[Property]) -> Option<Vec<u8>> {
    let mut reader = NsReader::from_str(text);
    let mut walk = Walk {
        properties,
        writer: Writer::new(Vec::new()),
        open: Vec::new(),
        dropped: None,
        about: None,
        added: false,
    };
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::DocType(_) => return None,
            Event::Start(start) => walk.start(&reader, &start, false)?,
            Event::Empty(start) => walk.start(&reader, &start, true)?,
            Event::End(end) => walk.end(end)?,
            passed @ (Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::GeneralRef(_)) => walk.pass(passed)?,
        }
    }
    (walk.added && walk.open.is_empty()).then(|| walk.writer.into_inner())
}

impl Walk<'_> {
    fn start(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        empty: bool,
    ) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            return None;
        }
        let (namespace, local) = reader.resolver().resolve_element(start.name());
        let is_rdf = namespace == ResolveResult::Bound(Namespace(RDF.as_bytes()));
        let place = match (is_rdf, local.as_ref(), self.open.last()) {
            (true, b"RDF", _) => Place::Rdf,
            (true, b"Description", Some(Place::Rdf)) => Place::Description,
            _ => Place::Other,
        };
        let ours = self.open.last() == Some(&Place::Description)
            && self.is_ours(&namespace, local.as_ref());
        if self.dropped.is_none() && ours {
            self.dropped = Some(self.open.len());
        }
        // An empty list of descriptions has to be opened for ours.
        let opens = !empty || place == Place::Rdf;
        if self.dropped.is_none() {
            let start = self.cleaned(reader, start, place)?;
            let event = match opens {
                true => Event::Start(start),
                false => Event::Empty(start),
            };
            self.writer.write_event(event).ok()?;
        }
        self.open.push(place);
        if empty {
            let name = start.name();
            return self.close(opens.then(|| BytesEnd::from(name)));
        }
        Some(())
    }

    fn end(&mut self, end: BytesEnd<'_>) -> Option<()> {
        self.close(Some(end))
    }

    fn close(&mut self, end: Option<BytesEnd<'_>>) -> Option<()> {
        let place = self.open.pop()?;
        if place == Place::Rdf && !self.added {
            let about = self.about.clone().unwrap_or_default();
            describe(&mut self.writer, &about, self.properties).ok()?;
            self.added = true;
        }
        match (self.dropped, end) {
            (Some(depth), _) if depth == self.open.len() => self.dropped = None,
            (None, Some(end)) => self.writer.write_event(Event::End(end)).ok()?,
            (Some(_), _) | (None, None) => {}
        }
        Some(())
    }

    fn pass(&mut self, event: Event<'_>) -> Option<()> {
        if self.dropped.is_none() {
            self.writer.write_event(event).ok()?;
        }
        Some(())
    }

    /// The element without attributes that stand for a property of ours.
    fn cleaned<'b>(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'b>,
        place: Place,
    ) -> Option<BytesStart<'b>> {
        if place != Place::Description {
            return Some(start.clone());
        }
        let name = String::from_utf8(start.name().as_ref().to_vec()).ok()?;
        let mut kept = BytesStart::new(name);
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let (namespace, local) = reader.resolver().resolve_attribute(attribute.key);
            if local.as_ref() == b"about" && self.about.is_none() {
                let about = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                self.about = Some(about.ok()?.into_owned());
            }
            if !self.is_ours(&namespace, local.as_ref()) {
                kept.push_attribute(attribute);
            }
        }
        Some(kept)
    }

    fn is_ours(&self, namespace: &ResolveResult<'_>, local: &[u8]) -> bool {
        let ResolveResult::Bound(Namespace(uri)) = namespace else {
            return false;
        };
        self.properties
            .iter()
            .any(|property| property.uri.as_bytes() == *uri && property.name.as_bytes() == local)
    }
}

const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
/// The identifier is the one that ISO 16684-1, section 7.3.2, gives to every packet.
const BEGIN: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>";
/// As much as our own reader takes.
const MAX_PACKET_BYTES: usize = crate::labels::MAX_XMP_BYTES;
/// Elements inside each other; Adobe's own packets reach about 12.
const MAX_DEPTH: usize = 64;
