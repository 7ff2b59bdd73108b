//! XMP and EXIF that HEIF and AVIF keep as items among their pixels (ISO/IEC 14496-12, section 8.11;
//! ISO/IEC 23008-12, annex A).
//!
//! Two lists are followed: one says what each item is, the other where its bytes lie. Items that are
//! built from other items are left alone.

use std::borrow::Cow;

use super::{
    bmff::boxes,
    container::{Block, MAX_XMP},
};

/// The blocks that the content of the file's `meta` box lists.
pub(super) fn blocks<'a>(file: &'a [u8], meta: &'a [u8]) -> Vec<Block<'a>> {
    find(file, meta).unwrap_or_default()
}

fn find<'a>(file: &'a [u8], meta: &'a [u8]) -> Option<Vec<Block<'a>>> {
    let lists = Lists::of(file, meta)?;
    let wanted = wanted(lists.names)?;
    let located = lists.places.of(lists.located, &wanted)?;
    Some(located.into_iter().filter_map(block).collect())
}

/// The number of the first item that holds plain XMP, with its packet when that lies in one piece.
pub(crate) fn xmp_item<'a>(file: &'a [u8], meta: &'a [u8]) -> Option<(usize, Option<&'a [u8]>)> {
    let lists = Lists::of(file, meta)?;
    let names = wanted(lists.names)?;
    let item = names.into_iter().find(|(_, kind)| *kind == Kind::Xmp)?;
    let located = lists.places.of(lists.located, &[item])?;
    let packet = match located.first().map(|(_, parts)| parts.as_slice()) {
        Some([packet]) => Some(*packet),
        _ => None,
    };
    Some((item.0, packet))
}

/// Whether two files hold the same items, wherever in them these lie. Files without a list of items do.
pub(crate) fn are_same(one: &[u8], other: &[u8]) -> bool {
    all(one) == all(other)
}

/// Number and parts of every item; `None` for those that do not lie in the file.
type Located<'a> = (usize, Option<Vec<&'a [u8]>>);

fn all(file: &[u8]) -> Option<Vec<Located<'_>>> {
    let (_, meta) = boxes(file).find(|(kind, _)| *kind == b"meta")?;
    let lists = Lists::of(file, meta)?;
    let mut rest = Bytes(lists.located);
    let widths = Widths::read(&mut rest)?;
    let mut budget = MAX_PARTS;
    (0..rest.number(widths.item)?)
        .map(|_| {
            let number = rest.number(widths.item)?;
            Some((number, lists.places.parts(&mut rest, &widths, &mut budget)?))
        })
        .collect()
}

/// The boxes that tell what items there are and where.
struct Lists<'a> {
    names: &'a [u8],
    located: &'a [u8],
    places: Places<'a>,
}

impl<'a> Lists<'a> {
    fn of(file: &'a [u8], meta: &'a [u8]) -> Option<Self> {
        let inner = |wanted: &[u8; 4]| {
            let found = boxes(meta.get(4..)?).find(|(kind, _)| *kind == wanted);
            found.map(|(_, content)| content)
        };
        Some(Self {
            names: inner(b"iinf")?,
            located: inner(b"iloc")?,
            places: Places {
                file,
                data: inner(b"idat").unwrap_or_default(),
            },
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Xmp,
    Exif,
}

/// Kind and bytes, in one or more parts.
type Item<'a> = (Kind, Vec<&'a [u8]>);

fn block<'a>((kind, parts): Item<'a>) -> Option<Block<'a>> {
    match (kind, parts.as_slice()) {
        (Kind::Xmp, [one]) => Some(Block::Xmp(Cow::Borrowed(one))),
        (Kind::Xmp, many) => {
            let length: usize = many.iter().map(|part| part.len()).sum();
            (length <= MAX_XMP).then(|| Block::Xmp(Cow::Owned(many.concat())))
        }
        // Four bytes say how far behind them the directory begins.
        (Kind::Exif, [one]) => {
            let mut rest = Bytes(one);
            let skip = rest.number(4)?;
            rest.0.get(skip..).map(Block::Exif)
        }
        (Kind::Exif, _) => None,
    }
}

/// Number and kind of the items that hold metadata.
fn wanted(list: &[u8]) -> Option<Vec<(usize, Kind)>> {
    let mut head = Bytes(list);
    let version = head.number(4)? >> 24;
    head.number(if version == 0 { 2 } else { 4 })?;
    let entries = boxes(head.0).filter(|(kind, _)| *kind == b"infe");
    Some(
        entries
            .filter_map(|(_, entry)| item(entry))
            .take(MAX_ITEMS)
            .collect(),
    )
}

fn item(entry: &[u8]) -> Option<(usize, Kind)> {
    let mut rest = Bytes(entry);
    let number = match rest.number(4)? >> 24 {
        2 => rest.number(2)?,
        3 => rest.number(4)?,
        _ => return None,
    };
    rest.number(2)?;
    match rest.take(4)? {
        b"Exif" => Some((number, Kind::Exif)),
        b"mime" => {
            let mut texts = rest.0.split(|byte| *byte == 0);
            let is_xmp = texts.nth(1)? == b"application/rdf+xml";
            // What is compressed on the way is not unpacked.
            let is_plain = texts.next().is_none_or(<[u8]>::is_empty);
            (is_xmp && is_plain).then_some((number, Kind::Xmp))
        }
        _ => None,
    }
}

/// Where the bytes of items lie.
struct Places<'a> {
    file: &'a [u8],
    /// Content of the `idat` box.
    data: &'a [u8],
}

/// How wide the numbers of an `iloc` box are, in bytes.
pub(crate) struct Widths {
    pub(crate) version: usize,
    pub(crate) item: usize,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) base: usize,
    pub(crate) index: usize,
}

impl Widths {
    pub(crate) fn read(rest: &mut Bytes<'_>) -> Option<Self> {
        let version = rest.number(4)? >> 24;
        let sizes = rest.number(2)?;
        Some(Self {
            version,
            item: if version < 2 { 2 } else { 4 },
            offset: sizes >> 12,
            length: (sizes >> 8) & 15,
            base: (sizes >> 4) & 15,
            index: if version == 0 { 0 } else { sizes & 15 },
        })
    }
}

impl<'a> Places<'a> {
    fn of(&self, list: &[u8], wanted: &[(usize, Kind)]) -> Option<Vec<Item<'a>>> {
        let mut rest = Bytes(list);
        let widths = Widths::read(&mut rest)?;
        let mut budget = MAX_PARTS;
        let mut found = Vec::new();
        for _ in 0..rest.number(widths.item)? {
            let number = rest.number(widths.item)?;
            let parts = self.parts(&mut rest, &widths, &mut budget)?;
            let kind = wanted.iter().find(|(wanted, _)| *wanted == number);
            found.extend(kind.zip(parts).map(|((_, kind), parts)| (*kind, parts)));
        }
        Some(found)
    }

    /// The parts of one item; `Some(None)` when they do not lie in the file.
    fn parts(
        &self,
        rest: &mut Bytes<'_>,
        widths: &Widths,
        budget: &mut usize,
    ) -> Option<Option<Vec<&'a [u8]>>> {
        let method = if widths.version == 0 {
            0
        } else {
            rest.number(2)? & 15
        };
        rest.number(2)?;
        let start = rest.number(widths.base)?;
        let count = rest.number(2)?;
        // Numbers may be no byte wide, so a count costs nothing to state.
        *budget = budget.checked_sub(count)?;
        let mut parts = Vec::new();
        for _ in 0..count {
            rest.number(widths.index)?;
            let from = rest.number(widths.offset)?;
            let length = rest.number(widths.length)?;
            let from = start.checked_add(from);
            parts.push(from.and_then(|from| self.part(method, from, length)));
        }
        Some(parts.into_iter().collect())
    }

    fn part(&self, method: usize, from: usize, length: usize) -> Option<&'a [u8]> {
        let source = match method {
            0 => self.file,
            1 => self.data,
            _ => return None,
        };
        // A length of nothing means all that is left.
        let to = match length {
            0 => source.len(),
            length => from.checked_add(length)?,
        };
        source.get(from..to)
    }
}

/// Bytes read from the front, largest first.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of up to eight bytes; nothing is zero.
    pub(crate) fn number(&mut self, length: usize) -> Option<usize> {
        let mut number = 0_u64;
        for byte in self.take(length)? {
            number = number.checked_mul(256)?.checked_add(u64::from(*byte))?;
        }
        usize::try_from(number).ok()
    }
}

/// Parts looked at, of all items together; a large picture has a few thousand tiles.
const MAX_PARTS: usize = 65_536;
/// Items of metadata looked at; real files have one of each kind.
const MAX_ITEMS: usize = 16;
