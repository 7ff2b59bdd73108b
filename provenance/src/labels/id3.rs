//! The tag in front of MP3 and FLAC (ID3v2.3 and 2.4), as far as XMP is concerned: a `PRIV` frame of the owner `XMP`
//! (ISO 16684-3, section 1.2.6). Tags that are scrambled on the way (unsynchronised, compressed, encrypted) are left alone.

/// A tag of plain frames.
pub(crate) struct Tag<'a> {
    /// 3 or 4.
    pub(crate) version: u8,
    /// All of them, in their order.
    pub(crate) frames: Vec<Frame<'a>>,
    /// Where what it describes begins.
    pub(crate) end: usize,
}

/// One frame.
pub(crate) struct Frame<'a> {
    /// With its head.
    pub(crate) whole: &'a [u8],
    /// The packet, when it is the one that holds XMP.
    pub(crate) xmp: Option<&'a [u8]>,
}

impl<'a> Tag<'a> {
    /// The tag that `bytes` begin with; `None` when there is none, or not a plain one.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let [b'I', b'D', b'3', version @ (3 | 4), _, 0, length @ ..] = bytes.first_chunk::<10>()?
        else {
            return None;
        };
        let end = seven_bits(*length)?.checked_add(HEAD_BYTES)?;
        let body = bytes.get(HEAD_BYTES..end)?;
        Some(Self {
            version: *version,
            frames: frames(*version, body)?,
            end,
        })
    }

    /// The XMP packet.
    pub(crate) fn xmp(&self) -> Option<&'a [u8]> {
        self.frames.iter().find_map(|frame| frame.xmp)
    }
}

fn frames(version: u8, body: &[u8]) -> Option<Vec<Frame<'_>>> {
    let mut rest = body;
    let mut found = Vec::new();
    // What begins with a zero is padding.
    while rest.first().is_some_and(|byte| *byte != 0) {
        let head = rest.first_chunk::<10>()?;
        let [a, b, c, d, length @ .., _, flags] = head;
        let length = match version {
            3 => usize::try_from(u32::from_be_bytes(*length)).ok()?,
            _ => seven_bits(*length)?,
        };
        let (whole, after) = rest.split_at_checked(HEAD_BYTES.checked_add(length)?)?;
        let is_ours = [*a, *b, *c, *d] == *b"PRIV" && *flags == 0;
        let content = whole.get(HEAD_BYTES..).filter(|_| is_ours);
        found.push(Frame {
            whole,
            xmp: content.and_then(|content| content.strip_prefix(OWNER)),
        });
        rest = after;
        if found.len() > MAX_FRAMES {
            return None;
        }
    }
    Some(found)
}

/// A length whose bytes have seven bits each (ID3v2.4, section 6.2).
fn seven_bits(bytes: [u8; 4]) -> Option<usize> {
    bytes.into_iter().try_fold(0_usize, |length, byte| {
        (byte < 0x80).then(|| (length << 7) | usize::from(byte))
    })
}

/// Bytes of the head of a tag, and of that of a frame.
const HEAD_BYTES: usize = 10;
/// Whose private frame it is.
pub(crate) const OWNER: &[u8] = b"XMP\0";
/// Frames of one tag; long ones have some dozens.
const MAX_FRAMES: usize = 4_096;
