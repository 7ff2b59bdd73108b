//! XMP in HEIF and AVIF: an item of its own beside the picture (ISO/IEC 23008-12, annex A.3). Its packet goes to the end of
//! the file. The list of items grows by it, so what lies behind the list moves, and the list's own addresses with it.

use super::{
    Refusal,
    boxes::{Found, boxes},
};
use crate::labels::items::{Bytes, Widths, xmp_item};

/// Adds the packet, or leads the item that holds an older one to a new packet. One in pieces has no place, and neither has
/// a sequence of pictures, which has addresses in other boxes, too.
pub(super) fn write(
    bytes: &[u8],
    packet: impl Fn(Option<&[u8]>) -> Result<Vec<u8>, Refusal>,
) -> Result<Vec<u8>, Refusal> {
    let outer = boxes(bytes)?;
    let is_still = outer.iter().all(|one| !SEQUENCE.contains(&one.kind));
    let mut lists = outer.iter().filter(|one| one.kind == b"meta");
    let (Some(list), None, true) = (lists.next(), lists.next(), is_still) else {
        return Err(Refusal::NoPlace);
    };
    let old = xmp_item(bytes, list.content);
    let (known, old) = match old {
        None => (None, None),
        Some((number, Some(packet))) => (Some(number), Some(packet)),
        Some((_, None)) => return Err(Refusal::NoPlace),
    };
    let packet = packet(old)?;
    rewritten(bytes, list, known, &packet).ok_or(Refusal::NoPlace)
}

/// The file with `packet` behind it; `known` is the number of the item that shall have it.
fn rewritten(
    bytes: &[u8],
    list: &Found<'_>,
    known: Option<usize>,
    packet: &[u8],
) -> Option<Vec<u8>> {
    let start = list.kind_at.checked_sub(4)?;
    let items = Items::read(list.content, known)?;
    // How much the list grows does not depend on where things move.
    let still = Move {
        behind: list.end,
        by: 0,
        packet: 0..packet.len(),
    };
    let grown = items.written(&still)?.len();
    let by = grown.checked_sub(list.end.checked_sub(start)?)?;
    let at = bytes.len().checked_add(by)?.checked_add(8)?;
    let moved = Move {
        by,
        packet: at..at.checked_add(packet.len())?,
        ..still
    };
    let media_data = boxed(b"mdat", packet)?;
    let parts = [
        bytes.get(..start)?,
        &items.written(&moved)?,
        bytes.get(list.end..)?,
        &media_data,
    ];
    Some(parts.concat())
}

/// What moves, how far, and where the packet comes to lie.
struct Move {
    behind: usize,
    by: usize,
    packet: std::ops::Range<usize>,
}

/// The content of a `meta` box.
struct Items<'a> {
    version: &'a [u8],
    inner: Vec<(&'a [u8], &'a [u8], &'a [u8])>,
    /// The number of the item that holds XMP.
    number: usize,
    is_new: bool,
    primary: usize,
}

impl<'a> Items<'a> {
    fn read(content: &'a [u8], known: Option<usize>) -> Option<Self> {
        let (version, rest) = content.split_at_checked(4)?;
        let inner: Option<Vec<_>> = boxes(rest)
            .ok()?
            .into_iter()
            .map(|one| Some((one.kind, one.content, rest.get(one.kind_at - 4..one.end)?)))
            .collect();
        let inner = inner?;
        let find = |kind: &[u8; 4]| Some(inner.iter().find(|one| one.0 == kind)?.1);
        let mut primary = Bytes(find(b"pitm")?);
        let wide = primary.number(4)? >> 24;
        let primary = primary.number(if wide == 0 { 2 } else { 4 })?;
        find(b"iloc")?;
        Some(Self {
            version,
            number: known.or_else(|| highest(find(b"iinf")?)?.checked_add(1))?,
            is_new: known.is_none(),
            primary,
            inner,
        })
    }

    /// The whole box, after `moved`.
    fn written(&self, moved: &Move) -> Option<Vec<u8>> {
        let mut content = self.version.to_vec();
        let mut is_described = !self.is_new;
        for (kind, inside, whole) in &self.inner {
            match *kind {
                b"iloc" => content.extend(boxed(b"iloc", &self.places(inside, moved)?)?),
                b"iinf" if self.is_new => content.extend(boxed(b"iinf", &self.names(inside)?)?),
                b"iref" if self.is_new => {
                    is_described = true;
                    content.extend(boxed(b"iref", &self.references(inside)?)?);
                }
                _ => content.extend_from_slice(whole),
            }
        }
        if !is_described {
            content.extend(boxed(b"iref", &self.references(&[0; 4])?)?);
        }
        boxed(b"meta", &content)
    }

    /// The list of names, one longer.
    fn names(&self, old: &[u8]) -> Option<Vec<u8>> {
        let mut rest = Bytes(old);
        let head = rest.take(4)?;
        let width = if *head.first()? == 0 { 2 } else { 4 };
        let count = rest.number(width)?.checked_add(1)?;
        let (version, number) = if self.number < 1 << 16 {
            (2, 2)
        } else {
            (3, 4)
        };
        let mut name = vec![version, 0, 0, 0];
        put(&mut name, self.number, number)?;
        name.extend_from_slice(b"\0\0mime\0application/rdf+xml\0");
        let mut names = head.to_vec();
        put(&mut names, count, width)?;
        names.extend_from_slice(rest.0);
        names.extend(boxed(b"infe", &name)?);
        Some(names)
    }

    /// The references between items, with one more: this item describes the picture.
    fn references(&self, old: &[u8]) -> Option<Vec<u8>> {
        let width = if *old.first()? == 0 { 2 } else { 4 };
        let mut reference = Vec::new();
        put(&mut reference, self.number, width)?;
        put(&mut reference, 1, 2)?;
        put(&mut reference, self.primary, width)?;
        Some([old, &boxed(b"cdsc", &reference)?].concat())
    }

    /// The list of places, after `moved`.
    fn places(&self, old: &[u8], moved: &Move) -> Option<Vec<u8>> {
        let mut rest = Bytes(old);
        let widths = Widths::read(&mut rest)?;
        let count = rest.number(widths.item)?;
        let mut list = old.get(..6)?.to_vec();
        put(
            &mut list,
            count.checked_add(usize::from(self.is_new))?,
            widths.item,
        )?;
        let mut left = MAX_PARTS;
        for _ in 0..count {
            let place = Place::read(&mut rest, &widths, &mut left)?;
            let place = match place.number == self.number {
                true => self.place(&widths, moved),
                false => place.after(moved)?,
            };
            place.put(&mut list, &widths)?;
        }
        if self.is_new {
            self.place(&widths, moved).put(&mut list, &widths)?;
        }
        Some(list)
    }

    /// Where the packet lies.
    fn place(&self, widths: &Widths, moved: &Move) -> Place {
        let at = moved.packet.start;
        // A base of nothing is not told from none by the library, which then moves the offset twice.
        let (base, offset) = if widths.base > 0 { (at, 0) } else { (0, at) };
        Place {
            number: self.number,
            method: 0,
            source: 0,
            base,
            parts: vec![(0, offset, moved.packet.len())],
        }
    }
}

/// Where one item lies.
struct Place {
    number: usize,
    /// 0: in the file.
    method: usize,
    /// 0: in this one.
    source: usize,
    base: usize,
    /// Index, offset and length of each part.
    parts: Vec<(usize, usize, usize)>,
}

impl Place {
    fn read(rest: &mut Bytes<'_>, widths: &Widths, left: &mut usize) -> Option<Self> {
        let number = rest.number(widths.item)?;
        let method = rest.number(if widths.version == 0 { 0 } else { 2 })?;
        let source = rest.number(2)?;
        let base = rest.number(widths.base)?;
        let count = rest.number(2)?;
        *left = left.checked_sub(count)?;
        let part = |_| {
            let index = rest.number(widths.index)?;
            let offset = rest.number(widths.offset)?;
            Some((index, offset, rest.number(widths.length)?))
        };
        let parts: Option<Vec<_>> = (0..count).map(part).collect();
        Some(Self {
            number,
            method,
            source,
            base,
            parts: parts?,
        })
    }

    fn after(mut self, moved: &Move) -> Option<Self> {
        if self.method & 15 != 0 || self.source != 0 {
            return Some(self);
        }
        if self.base >= moved.behind {
            self.base = self.base.checked_add(moved.by)?;
            return Some(self);
        }
        for (_, offset, _) in &mut self.parts {
            if self.base.checked_add(*offset)? >= moved.behind {
                *offset = offset.checked_add(moved.by)?;
            }
        }
        Some(self)
    }

    fn put(&self, list: &mut Vec<u8>, widths: &Widths) -> Option<()> {
        put(list, self.number, widths.item)?;
        put(list, self.method, if widths.version == 0 { 0 } else { 2 })?;
        put(list, self.source, 2)?;
        put(list, self.base, widths.base)?;
        put(list, self.parts.len(), 2)?;
        for (index, offset, length) in &self.parts {
            put(list, *index, widths.index)?;
            put(list, *offset, widths.offset)?;
            put(list, *length, widths.length)?;
        }
        Some(())
    }
}

/// The highest number of an item.
fn highest(names: &[u8]) -> Option<usize> {
    let mut rest = Bytes(names);
    let version = rest.number(4)? >> 24;
    rest.number(if version == 0 { 2 } else { 4 })?;
    let number = |entry: &[u8]| {
        let mut rest = Bytes(entry);
        let version = rest.number(4)? >> 24;
        rest.number(if version < 3 { 2 } else { 4 })
    };
    let entries = boxes(rest.0).ok()?;
    let numbers: Option<Vec<usize>> = entries.iter().map(|one| number(one.content)).collect();
    numbers?.into_iter().max()
}

/// Appends a number of that many bytes; `None` when it needs more.
fn put(into: &mut Vec<u8>, number: usize, width: usize) -> Option<()> {
    let bytes = u64::try_from(number).ok()?.to_be_bytes();
    let (unused, used) = bytes.split_at_checked(bytes.len().checked_sub(width)?)?;
    unused.iter().all(|byte| *byte == 0).then_some(())?;
    into.extend_from_slice(used);
    Some(())
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len().checked_add(8)?).ok()?;
    Some([&length.to_be_bytes()[..], kind, content].concat())
}

/// Boxes that address what lies in the file by themselves.
const SEQUENCE: [&[u8]; 4] = [b"moov", b"moof", b"sidx", b"mfra"];
/// Parts of all items together, as in `labels::items`.
const MAX_PARTS: usize = 65_536;
