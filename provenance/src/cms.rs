//! The parts of an RFC 3161 time-stamp token (CMS SignedData, RFC 5652, section 5.1) that our own checks
//! look at. The c2pa crate checks the signature itself.

use x509_parser::asn1_rs::{Any, FromDer, Tag};

/// Certificates looked at; real tokens carry up to four.
const MAX_CERTIFICATES: usize = 32;

/// DER certificates of `token`, which may still be wrapped in its response. `None` when it is neither.
pub(crate) fn certificates(token: &[u8]) -> Option<Vec<Vec<u8>>> {
    let outer = children(token)?;
    // TimeStampResp: a status sequence, then the token. ContentInfo: an object identifier, then [0].
    let content = match outer.as_slice() {
        [kind, content, ..] if kind.tag() == Tag::Oid => content,
        [_status, token, ..] => return content_of(token.data),
        _ => return None,
    };
    signed_data(content.data)
}

/// What a time stamp states (RFC 3161, section 2.4.2), unverified.
pub(crate) struct TstInfo {
    /// The hashed message.
    pub(crate) imprint: Vec<u8>,
    /// The number of the question, if it is repeated; big-endian.
    pub(crate) nonce: Option<Vec<u8>>,
}

/// The statement inside a response. `None` when there is none.
pub(crate) fn tst_info(response: &[u8]) -> Option<TstInfo> {
    let outer = children(response)?;
    let content = split(outer.get(1)?.data);
    let fields = children(content.get(1)?.data)?;
    let encapsulated = fields.iter().find(|field| field.tag() == Tag::Sequence)?;
    let (_, octets) = Any::from_der(split(encapsulated.data).get(1)?.data).ok()?;
    let info = children(octets.data)?;
    let imprint = split(info.get(2)?.data).get(1)?.data.to_vec();
    // Version and serial number come before the time; the nonce is the only number after it.
    let time = info
        .iter()
        .position(|field| field.tag() == Tag::GeneralizedTime)?;
    let mut after = info.iter().skip(time);
    let nonce =
        after.find(|field| field.tag() == Tag::Integer && !field.header.is_contextspecific());
    Some(TstInfo {
        imprint,
        nonce: nonce.map(|nonce| nonce.data.to_vec()),
    })
}

fn content_of(info: &[u8]) -> Option<Vec<Vec<u8>>> {
    let parts = split(info);
    signed_data(parts.get(1)?.data)
}

fn signed_data(explicit: &[u8]) -> Option<Vec<Vec<u8>>> {
    let fields = children(explicit)?;
    let list = fields
        .iter()
        .find(|field| field.tag() == Tag(0) && field.header.is_contextspecific())?;
    let mut rest: &[u8] = list.data;
    let mut found = Vec::new();
    while !rest.is_empty() && found.len() < MAX_CERTIFICATES {
        let (after, _) = Any::from_der(rest).ok()?;
        let length = rest.len().checked_sub(after.len())?;
        found.push(rest.get(..length)?.to_vec());
        rest = after;
    }
    Some(found)
}

/// The elements of the one sequence that `der` holds.
pub(crate) fn children(der: &[u8]) -> Option<Vec<Any<'_>>> {
    let (_, sequence) = Any::from_der(der).ok()?;
    (sequence.tag() == Tag::Sequence).then(|| split(sequence.data))
}

fn split(mut rest: &[u8]) -> Vec<Any<'_>> {
    let mut found = Vec::new();
    while let Ok((after, element)) = Any::from_der(rest) {
        found.push(element);
        rest = after;
        if found.len() >= MAX_CERTIFICATES {
            break;
        }
    }
    found
}
