//! The boxes of a manifest store (JUMBF, ISO 19566-5; C2PA 2.2, section 11.1), found without copying.
//!
//! Only what our own checks need is walked: per manifest the claim, the signature and the raw assertion
//! boxes. The c2pa crate does the full parse; a store this walker cannot follow simply yields less.

use memchr::memmem;

/// Bound on boxes looked at in one store, far above any real store.
const MAX_BOXES: usize = 20_000;

/// The raw parts of one manifest.
#[derive(Debug, Default)]
pub(crate) struct ManifestBoxes<'a> {
    /// Manifest label.
    pub(crate) label: &'a str,
    /// Claim CBOR.
    pub(crate) claim: Option<&'a [u8]>,
    /// Whether the claim is of version 1, as its box says.
    pub(crate) is_first_version: bool,
    /// COSE_Sign1 CBOR.
    pub(crate) signature: Option<&'a [u8]>,
    /// One claim, one signature and one assertion store, every box of the type that its label promises,
    /// in a store that was walked to its last byte. Of others, which boxes count is not ours to say.
    pub(crate) is_plain: bool,
    /// Its assertions, in file order.
    pub(crate) assertions: Vec<Assertion<'a>>,
}

/// One assertion box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assertion<'a> {
    /// Label, instance number included.
    pub(crate) label: &'a str,
    pub(crate) payload: Payload<'a>,
}

/// What an assertion box holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    Cbor(&'a [u8]),
    Json(&'a [u8]),
    /// A picture, or something unknown.
    Other,
}

impl<'a> ManifestBoxes<'a> {
    /// The assertion of this label; `None` also when there is more than one.
    pub(crate) fn assertion(&self, label: &str) -> Option<&Assertion<'a>> {
        let mut found = self.assertions.iter().filter(|one| one.label == label);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The CBOR of its assertions.
    pub(crate) fn cbor(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.assertions.iter().filter_map(|one| match one.payload {
            Payload::Cbor(cbor) => Some((one.label, cbor)),
            Payload::Json(_) | Payload::Other => None,
        })
    }
}

impl<'a> Assertion<'a> {
    /// The label without its instance number (C2PA 2.2, section 6.3).
    pub(crate) fn base_label(&self) -> &'a str {
        self.label.split("__").next().unwrap_or(self.label)
    }
}

/// Every manifest of a store, in file order.
pub(crate) fn manifests(store: &[u8]) -> Vec<ManifestBoxes<'_>> {
    let mut walk = Walk {
        budget: MAX_BOXES,
        is_whole: true,
    };
    let mut found = Vec::new();
    for store in superboxes(store, &mut walk) {
        if store.label == "c2pa" {
            for one in superboxes(store.content, &mut walk) {
                let mut manifest = manifest(&one, &mut walk);
                manifest.is_plain &= store.is_a(b"c2pa") && one.is_a(b"c2ma");
                found.push(manifest);
            }
        }
    }
    for manifest in &mut found {
        manifest.is_plain &= walk.is_whole;
    }
    found
}

/// Whether the store holds a compressed manifest, which this walker does not look into.
pub(crate) fn is_compressed(store: &[u8]) -> bool {
    memmem::find(store, b"brob").is_some()
}

fn manifest<'a>(one: &Superbox<'a>, walk: &mut Walk) -> ManifestBoxes<'a> {
    let mut found = ManifestBoxes {
        label: one.label,
        ..ManifestBoxes::default()
    };
    let (mut claims, mut signatures, mut stores) = (0_u32, 0_u32, 0_u32);
    let mut is_plain = true;
    for part in superboxes(one.content, walk) {
        match part.label {
            "c2pa.claim" | "c2pa.claim.v2" => {
                found.claim = cbor(part.content, walk);
                found.is_first_version = part.label == "c2pa.claim";
                claims = claims.saturating_add(1);
                is_plain &= part.is_a(b"c2cl");
            }
            "c2pa.signature" => {
                found.signature = cbor(part.content, walk);
                signatures = signatures.saturating_add(1);
                is_plain &= part.is_a(b"c2cs");
            }
            "c2pa.assertions" => {
                found.assertions = assertions(part.content, &mut is_plain, walk);
                stores = stores.saturating_add(1);
                is_plain &= part.is_a(b"c2as");
            }
            _ => {}
        }
    }
    found.is_plain = is_plain && (claims, signatures, stores) == (1, 1, 1);
    found
}

fn assertions<'a>(content: &'a [u8], is_plain: &mut bool, walk: &mut Walk) -> Vec<Assertion<'a>> {
    let mut found = Vec::new();
    for one in superboxes(content, walk) {
        let first = boxes(one.content, walk)
            .into_iter()
            .find(|found| matches!(&found.kind, b"cbor" | b"json"));
        let (payload, is_typed) = match first {
            Some(found) if found.kind == *b"cbor" => {
                (Payload::Cbor(found.payload), one.is_a(b"cbor"))
            }
            Some(found) => (Payload::Json(found.payload), one.is_a(b"json")),
            None => (Payload::Other, one.kind == EMBEDDED_FILE),
        };
        *is_plain &= is_typed;
        let label = one.label;
        found.push(Assertion { label, payload });
    }
    found
}

fn cbor<'a>(content: &'a [u8], walk: &mut Walk) -> Option<&'a [u8]> {
    boxes(content, walk)
        .into_iter()
        .find(|found| found.kind == *b"cbor")
        .map(|found| found.payload)
}

fn superboxes<'a>(content: &'a [u8], walk: &mut Walk) -> Vec<Superbox<'a>> {
    boxes(content, walk)
        .into_iter()
        .filter_map(superbox)
        .collect()
}

/// A box that holds boxes.
struct Superbox<'a> {
    /// Its 16-byte type.
    kind: &'a [u8],
    /// Says that it can be asked for, and that a label follows.
    toggles: u8,
    label: &'a str,
    content: &'a [u8],
}

impl Superbox<'_> {
    /// Whether its type is the four letters in the form that JUMBF gives them.
    fn is_a(&self, letters: &[u8; 4]) -> bool {
        self.kind.strip_prefix(letters) == Some(REST_OF_TYPE) && self.toggles & 3 == 3
    }
}

struct Found<'a> {
    kind: [u8; 4],
    payload: &'a [u8],
}

/// How far a walk may go and whether it saw everything.
struct Walk {
    budget: usize,
    is_whole: bool,
}

/// The boxes of one level, while the budget lasts. Stops at the first that does not fit.
fn boxes<'a>(mut rest: &'a [u8], walk: &mut Walk) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    while walk.budget > 0 {
        let Some((next, remaining)) = split_box(rest) else {
            break;
        };
        found.push(next);
        rest = remaining;
        walk.budget = walk.budget.saturating_sub(1);
    }
    walk.is_whole &= rest.is_empty();
    found
}

fn split_box(bytes: &[u8]) -> Option<(Found<'_>, &[u8])> {
    let (length, after) = bytes.split_first_chunk::<4>()?;
    let (kind, after) = after.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    // Length 0 means "to the end" and 1 a 64-bit length; neither occurs in stores the library reads.
    let payload = length.checked_sub(8)?;
    let (payload, rest) = after.split_at_checked(payload)?;
    Some((
        Found {
            kind: *kind,
            payload,
        },
        rest,
    ))
}

/// A description box comes first: 16-byte type, toggles, label.
fn superbox(found: Found<'_>) -> Option<Superbox<'_>> {
    if found.kind != *b"jumb" {
        return None;
    }
    let (description, content) = split_box(found.payload)?;
    if description.kind != *b"jumd" {
        return None;
    }
    let (kind, rest) = description.payload.split_at_checked(16)?;
    let (toggles, label) = rest.split_first()?;
    let label = label.split(|byte| *byte == 0).next()?;
    Some(Superbox {
        kind,
        toggles: *toggles,
        label: std::str::from_utf8(label).ok()?,
        content,
    })
}

/// What follows the four letters in a type (ISO 19566-5, annex A).
const REST_OF_TYPE: &[u8] = b"\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71";
/// The type of a box with a file in it, such as a thumbnail (ISO 19566-5, annex B.3).
const EMBEDDED_FILE: &[u8] = b"\x40\xcb\x0c\x32\xbb\x8a\x48\x9d\xa7\x0b\x2a\xd6\xf4\x7f\x43\x69";

#[cfg(test)]
mod tests {
    use super::{is_compressed, manifests};

    fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, payload].concat()
    }

    fn named(label: &str, content: &[u8]) -> Vec<u8> {
        let description = [&[0; 16][..], &[3], label.as_bytes(), &[0]].concat();
        boxed(
            b"jumb",
            &[&boxed(b"jumd", &description)[..], content].concat(),
        )
    }

    fn store() -> Vec<u8> {
        let claim = named("c2pa.claim.v2", &boxed(b"cbor", b"claim"));
        let signature = named("c2pa.signature", &boxed(b"cbor", b"signature"));
        let hash = named("c2pa.hash.data", &boxed(b"cbor", b"hash"));
        let assertions = named("c2pa.assertions", &hash);
        named(
            "c2pa",
            &named("urn:one", &[assertions, claim, signature].concat()),
        )
    }

    #[test]
    fn claim_signature_and_assertions_are_found() {
        let store = store();
        let found = manifests(&store);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].label, "urn:one");
        assert_eq!(found[0].claim, Some(&b"claim"[..]));
        assert_eq!(found[0].signature, Some(&b"signature"[..]));
        assert_eq!(
            found[0].cbor().collect::<Vec<_>>(),
            [("c2pa.hash.data", &b"hash"[..])]
        );
        assert!(!is_compressed(&store));
    }

    #[test]
    fn any_cut_or_changed_byte_is_survived() {
        let store = store();
        for length in 0..store.len() {
            manifests(&store[..length]);
            let mut changed = store.clone();
            changed[length] ^= 0xff;
            manifests(&changed);
        }
    }
}
