//! The parts of an RFC 3161 time-stamp token (CMS SignedData, RFC 5652, section 5.1) that our own checks
//! look at. The c2pa crate checks the signature itself.

use x509_parser::asn1_rs::{Any, FromDer, Tag};

/// `id-ct-TSTInfo`, the content type of a time stamp.
const TST_INFO: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04";

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

/// The time that `token` attests (TSTInfo, RFC 3161, section 2.4.2) in RFC 3339, if it states whole
/// seconds in UTC.
pub(crate) fn time(token: &[u8]) -> Option<String> {
    let fields = signed_data(token)?;
    let content = elements(fields.get(2)?.data);
    let [kind, explicit] = content.as_slice() else {
        return None;
    };
    let [octets] = elements(explicit.data).try_into().ok()?;
    if kind.data != TST_INFO || octets.tag() != Tag::OctetString || octets.header.is_constructed() {
        return None;
    }
    let info = children(octets.data)?;
    let time = info
        .get(4)
        .filter(|field| field.tag() == Tag::GeneralizedTime)?;
    let digits = std::str::from_utf8(time.data).ok()?.strip_suffix('Z')?;
    let time = chrono::NaiveDateTime::parse_from_str(digits, "%Y%m%d%H%M%S").ok()?;
    (digits.len() == 14).then(|| time.and_utc().to_rfc3339())
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
    let fields = signed_data(response)?;
    let encapsulated = fields.iter().find(|field| field.tag() == Tag::Sequence)?;
    let (_, octets) = Any::from_der(elements(encapsulated.data).get(1)?.data).ok()?;
    let info = children(octets.data)?;
    let imprint = elements(info.get(2)?.data).get(1)?.data.to_vec();
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
pub(crate) fn children(der: &[u8]) -> Option<Vec<Any<'_>>> {
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
