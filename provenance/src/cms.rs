//! The certificates inside an RFC 3161 time-stamp token (CMS SignedData, RFC 5652, section 5.1).

use x509_parser::asn1_rs::{Any, FromDer, Tag};

/// Certificates looked at; real tokens carry up to four.
const MAX_CERTIFICATES: usize = 32;

/// DER certificates of `token`, which may still be wrapped in its response. `None` when it is neither.
pub(crate) fn certificates(token: &[u8]) -> Option<Vec<Vec<u8>>> {
    let fields = signed_data(token)?;
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

/// By what the one signer of `token` names its certificate (SignerIdentifier, RFC 5652, section 5.3),
/// tag included. `None` when there are more signers or none.
pub(crate) fn signer(token: &[u8]) -> Option<Vec<u8>> {
    let fields = signed_data(token)?;
    let signers = fields.last().filter(|field| field.tag() == Tag::Set)?;
    let [signer] = elements(signers.data).try_into().ok()?;
    let fields: [Any<'_>; 2] = elements(signer.data)
        .into_iter()
        .take(2)
        .collect::<Vec<_>>()
        .try_into()
        .ok()?;
    let [_version, name] = fields;
    let tag = u8::try_from(name.tag().0).ok()?;
    Some([&[tag], name.data].concat())
}

/// The fields of SignedData.
fn signed_data(token: &[u8]) -> Option<Vec<Any<'_>>> {
    let outer = children(token)?;
    // TimeStampResp: a status sequence, then the token. ContentInfo: an object identifier, then [0].
    match outer.as_slice() {
        [kind, content, ..] if kind.tag() == Tag::Oid => children(content.data),
        [_status, token, ..] => children(elements(token.data).get(1)?.data),
        _ => None,
    }
}

/// The elements of the one sequence that `der` holds.
fn children(der: &[u8]) -> Option<Vec<Any<'_>>> {
    let (_, sequence) = Any::from_der(der).ok()?;
    (sequence.tag() == Tag::Sequence).then(|| elements(sequence.data))
}

fn elements(mut rest: &[u8]) -> Vec<Any<'_>> {
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
