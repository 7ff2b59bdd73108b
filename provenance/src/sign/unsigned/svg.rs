//! XMP in an SVG (SVG 2, section 8.7; ISO 16684-3, section 1.1.7): a packet inside `metadata`, right behind the start of the
//! picture.

use quick_xml::{Reader, events::Event};

use super::Refusal;
use crate::labels::svg_xmp;

/// Replaces the packet, or adds one. A picture without content has no place.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    if let Some(old) = svg_xmp(bytes) {
        let (head, tail) = (bytes.get(..old.start), bytes.get(old.end..));
        let text = bytes.get(old).ok_or(Refusal::NoPlace)?;
        let (head, tail) = head.zip(tail).ok_or(Refusal::NoPlace)?;
        return Ok([head, &packet(Some(text))?, tail].concat());
    }
    let start = inside(bytes).ok_or(Refusal::NoPlace)?;
    let (head, tail) = bytes.split_at_checked(start).ok_or(Refusal::NoPlace)?;
    let packet = packet(None)?;
    Ok([head, b"<metadata>", &packet, b"</metadata>", tail].concat())
}

/// Where the content of the outermost element begins, when that is `svg` without a prefix: another name would make ours
/// one of another vocabulary.
fn inside(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    for _ in 0..MAX_EVENTS {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let is_svg = start.name().as_ref() == b"svg";
                return usize::try_from(reader.buffer_position())
                    .ok()
                    .filter(|_| is_svg);
            }
            Event::Empty(_) | Event::End(_) | Event::Eof => return None,
            Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
    }
    None
}

/// What may stand before the picture: comments and instructions.
const MAX_EVENTS: usize = 1_000;
