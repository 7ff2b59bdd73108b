//! The parts of a COSE_Sign1 (RFC 9052; C2PA 2.2, section 13.2) that our own checks look at: the
//! certificate chain, the time stamp and the padding. The c2pa crate checks the signature itself.

use ciborium::Value;

use crate::cms;

/// What a claim signature carries beside the signature value.
#[derive(Debug, Default)]
pub(crate) struct CoseSign1 {
    /// DER certificates, leaf first.
    pub(crate) chain: Vec<Vec<u8>>,
    /// RFC 3161 token with the bytes it vouches for.
    pub(crate) stamp: Option<Stamp>,
    /// The signature value.
    pub(crate) signature: Vec<u8>,
    /// Padding that is not zero, verbatim.
    pub(crate) padding: Vec<Vec<u8>>,
    /// DER certificates outside the signature: the chain when it is not in the protected header, and
    /// those of the time stamp.
    pub(crate) loose: Vec<Vec<u8>>,
}

/// A time-stamp token.
#[derive(Debug)]
pub(crate) struct Stamp {
    /// The token or response, DER.
    pub(crate) token: Vec<u8>,
    /// What it has to vouch for (C2PA 2.2, section 13.2.3 for `sigTst2`, 1.4 for `sigTst`).
    pub(crate) stamped: Vec<u8>,
}

/// Reads `cose`; what does not parse is absent. `claim` is what the signature covers.
pub(crate) fn parse(cose: &[u8], claim: &[u8]) -> CoseSign1 {
    parts(cose, claim).unwrap_or_default()
}

fn parts(cose: &[u8], claim: &[u8]) -> Option<CoseSign1> {
    let value: Value = ciborium::de::from_reader_with_recursion_limit(cose, MAX_DEPTH).ok()?;
    let value = if value.is_tag() {
        let (tag, inner) = value.into_tag().ok()?;
        (tag == COSE_SIGN1_TAG).then_some(*inner)?
    } else {
        value
    };
    let [protected, unprotected, _payload, signature]: [Value; 4] =
        value.into_array().ok()?.try_into().ok()?;
    let protected = protected.into_bytes().ok()?;
    let unprotected = unprotected.into_map().ok()?;
    let covered: Value =
        ciborium::de::from_reader_with_recursion_limit(&protected[..], MAX_DEPTH).ok()?;
    let protected_chain = chain(covered.as_map()?);
    let loose_chain = chain(&unprotected).unwrap_or_default();
    let signature_value = signature.as_bytes().cloned().unwrap_or_default();
    let stamp = stamp(&unprotected, &protected, claim, signature);
    let stamp_certificates = stamp
        .as_ref()
        .and_then(|stamp| cms::certificates(&stamp.token));
    Some(CoseSign1 {
        chain: protected_chain.unwrap_or_else(|| loose_chain.clone()),
        signature: signature_value,
        padding: padding(&unprotected),
        loose: [loose_chain, stamp_certificates.unwrap_or_default()].concat(),
        stamp,
    })
}

/// `x5chain` (RFC 9360: label 33) or its text form of C2PA 1.x: one certificate or a list.
fn chain(header: &[(Value, Value)]) -> Option<Vec<Vec<u8>>> {
    let entry = header
        .iter()
        .find(|(key, _)| *key == Value::from(33) || key.as_text() == Some("x5chain"))?;
    if let Some(one) = entry.1.as_bytes() {
        return Some(vec![one.clone()]);
    }
    let many = entry.1.as_array()?.iter().take(MAX_CHAIN);
    many.map(|one| one.as_bytes().cloned()).collect()
}

fn stamp(
    header: &[(Value, Value)],
    protected: &[u8],
    claim: &[u8],
    signature: Value,
) -> Option<Stamp> {
    let by_name = |name| {
        header
            .iter()
            .find(|(key, _)| key.as_text() == Some(name))
            .map(|(_, value)| value)
    };
    let (container, payload) = match (by_name("sigTst2"), by_name("sigTst")) {
        (Some(container), None) => (container, encode(&signature)?),
        (None, Some(container)) => (container, claim.to_vec()),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    // One token is allowed; of more the library believes none.
    let [token] = entry(container.as_map()?, "tstTokens")?
        .as_array()?
        .as_slice()
    else {
        return None;
    };
    let token = entry(token.as_map()?, "val")?.as_bytes()?.clone();
    Some(Stamp {
        token,
        stamped: countersigned(protected, payload)?,
    })
}

/// The Sig_structure of a countersignature (RFC 9052, section 4.4).
fn countersigned(protected: &[u8], payload: Vec<u8>) -> Option<Vec<u8>> {
    encode(&Value::Array(vec![
        Value::from("CounterSignature"),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload),
    ]))
}

/// Room to hide in: padding that is not zero, and entries that no validator reads.
fn padding(header: &[(Value, Value)]) -> Vec<Vec<u8>> {
    let is_padding = |key: &Value| matches!(key.as_text(), Some("pad" | "pad2"));
    let is_known = |key: &Value| {
        *key == Value::from(33)
            || matches!(
                key.as_text(),
                Some("x5chain" | "sigTst" | "sigTst2" | "rVals")
            )
    };
    header
        .iter()
        .filter(|(key, _)| !is_known(key))
        .filter_map(|(key, value)| match value.as_bytes() {
            Some(pad) if is_padding(key) => pad.iter().any(|byte| *byte != 0).then(|| pad.clone()),
            Some(_) | None => encode(value),
        })
        .collect()
}

fn entry<'a>(map: &'a [(Value, Value)], name: &str) -> Option<&'a Value> {
    map.iter()
        .find(|(key, _)| key.as_text() == Some(name))
        .map(|(_, value)| value)
}

fn encode(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).ok()?;
    Some(bytes)
}

const COSE_SIGN1_TAG: u64 = 18;
/// Headers nest four levels deep; more is an attack.
const MAX_DEPTH: usize = 16;
/// Longest certificate chain looked at.
const MAX_CHAIN: usize = 16;
