//! Certificates with one thing wrong each, built byte by byte and properly signed: no CA would issue them.

use ed25519_dalek::{Signer as _, SigningKey};

/// The secret of the CA; the signer's is `[2; 32]`.
const CA_SEED: [u8; 32] = [1; 32];
pub(crate) const SIGNER_SEED: [u8; 32] = [2; 32];

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const OCTETS: u8 = 0x04;

/// What a certificate says. The fields are DER, except where a type says otherwise.
#[derive(Clone)]
pub(crate) struct Spec {
    pub(crate) version: Option<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) inner: Vec<u8>,
    pub(crate) outer: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) span: (&'static str, &'static str),
    pub(crate) subject: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) unique_id: Vec<u8>,
    /// OID, critical, value.
    pub(crate) extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

/// A signing certificate that breaks no rule.
pub(crate) fn good_leaf() -> Spec {
    Spec {
        version: Some(2),
        serial: vec![0x11, 0x22],
        inner: ed25519(),
        outer: ed25519(),
        issuer: name("Test CA"),
        span: ("20200101000000Z", "20491231235959Z"),
        subject: name("Test signer"),
        key: ed25519_key(&SIGNER_SEED),
        unique_id: Vec::new(),
        extensions: vec![
            basic_constraints(false, None),
            key_usage(&[0x07, 0x80]),
            purposes(&[&EMAIL_PROTECTION]),
            authority_key(),
            subject_key(),
        ],
    }
}

/// The CA that signs it.
pub(crate) fn ca() -> Spec {
    Spec {
        subject: name("Test CA"),
        key: ed25519_key(&CA_SEED),
        extensions: vec![
            basic_constraints(true, Some(0)),
            key_usage(&[0x01, 0x06]),
            subject_key(),
            authority_key(),
        ],
        ..good_leaf()
    }
}

impl Spec {
    /// Without the extension of this kind.
    pub(crate) fn without(mut self, oid: &[u8]) -> Self {
        let before = self.extensions.len();
        self.extensions.retain(|extension| extension.0 != oid);
        assert!(self.extensions.len() < before, "nothing was taken out");
        self
    }

    /// With another extension in the place of the one of its kind, or added.
    pub(crate) fn with(mut self, extension: (Vec<u8>, bool, Vec<u8>)) -> Self {
        self.extensions.retain(|known| known.0 != extension.0);
        self.extensions.push(extension);
        self
    }

    /// PEM, signed by the CA.
    pub(crate) fn pem(&self) -> String {
        self.signed_by(&CA_SEED)
    }

    /// PEM, signed with this secret.
    pub(crate) fn signed_by(&self, seed: &[u8; 32]) -> String {
        let time = |text: &str| tlv(0x18, text.as_bytes());
        let mut parts = Vec::new();
        if let Some(version) = self.version {
            parts.push(tlv(0xa0, &tlv(0x02, &[version])));
        }
        parts.extend([
            tlv(0x02, &self.serial),
            self.inner.clone(),
            self.issuer.clone(),
            tlv(SEQUENCE, &[time(self.span.0), time(self.span.1)].concat()),
            self.subject.clone(),
            self.key.clone(),
            self.unique_id.clone(),
        ]);
        if !self.extensions.is_empty() {
            let all: Vec<u8> = self.extensions.iter().flat_map(extension).collect();
            parts.push(tlv(0xa3, &tlv(SEQUENCE, &all)));
        }
        let body = tlv(SEQUENCE, &parts.concat());
        let signature = SigningKey::from_bytes(seed).sign(&body).to_bytes();
        let signature = tlv(0x03, &[&[0][..], &signature].concat());
        let der = tlv(SEQUENCE, &[body, self.outer.clone(), signature].concat());
        pem::encode(&pem::Pem::new("CERTIFICATE", der))
    }
}

/// One element of DER.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..=127 => out.push(length as u8),
        128..=255 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend(content);
    out
}

fn extension((oid, critical, value): &(Vec<u8>, bool, Vec<u8>)) -> Vec<u8> {
    let flag = match critical {
        true => vec![0x01, 0x01, 0xff],
        false => Vec::new(),
    };
    tlv(
        SEQUENCE,
        &[tlv(0x06, oid), flag, tlv(OCTETS, value)].concat(),
    )
}

/// A name with this common name.
pub(crate) fn name(common: &str) -> Vec<u8> {
    let value = [tlv(0x06, &[0x55, 0x04, 0x03]), tlv(0x0c, common.as_bytes())].concat();
    tlv(SEQUENCE, &tlv(0x31, &tlv(SEQUENCE, &value)))
}

/// AlgorithmIdentifier of Ed25519.
pub(crate) fn ed25519() -> Vec<u8> {
    tlv(SEQUENCE, &tlv(0x06, &[0x2b, 0x65, 0x70]))
}

/// SubjectPublicKeyInfo of an Ed25519 key.
pub(crate) fn ed25519_key(seed: &[u8; 32]) -> Vec<u8> {
    let public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
    public_key(ed25519(), &public)
}

/// SubjectPublicKeyInfo of any key.
pub(crate) fn public_key(algorithm: Vec<u8>, bits: &[u8]) -> Vec<u8> {
    let bits = tlv(0x03, &[&[0][..], bits].concat());
    tlv(SEQUENCE, &[algorithm, bits].concat())
}

pub(crate) fn basic_constraints(ca: bool, path: Option<u8>) -> (Vec<u8>, bool, Vec<u8>) {
    let mut content = Vec::new();
    if ca {
        content.extend([0x01, 0x01, 0xff]);
    }
    content.extend(path.map(|path| tlv(0x02, &[path])).unwrap_or_default());
    (BASIC_CONSTRAINTS.to_vec(), true, tlv(SEQUENCE, &content))
}

/// `bits` as in DER: unused bits, then the bits.
pub(crate) fn key_usage(bits: &[u8]) -> (Vec<u8>, bool, Vec<u8>) {
    (KEY_USAGE.to_vec(), true, tlv(0x03, bits))
}

pub(crate) fn purposes(oids: &[&[u8]]) -> (Vec<u8>, bool, Vec<u8>) {
    let all: Vec<u8> = oids.iter().flat_map(|oid| tlv(0x06, oid)).collect();
    (PURPOSES.to_vec(), false, tlv(SEQUENCE, &all))
}

fn authority_key() -> (Vec<u8>, bool, Vec<u8>) {
    let value = tlv(SEQUENCE, &tlv(0x80, &[7; 20]));
    (AUTHORITY_KEY.to_vec(), false, value)
}

fn subject_key() -> (Vec<u8>, bool, Vec<u8>) {
    (SUBJECT_KEY.to_vec(), false, tlv(OCTETS, &[7; 20]))
}

pub(crate) const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
pub(crate) const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x0f];
pub(crate) const PURPOSES: [u8; 3] = [0x55, 0x1d, 0x25];
pub(crate) const AUTHORITY_KEY: [u8; 3] = [0x55, 0x1d, 0x23];
pub(crate) const SUBJECT_KEY: [u8; 3] = [0x55, 0x1d, 0x0e];

pub(crate) const EMAIL_PROTECTION: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 4];
pub(crate) const TIME_STAMPING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 8];
pub(crate) const OCSP_SIGNING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 9];
pub(crate) const SERVER_AUTH: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const ANY_PURPOSE: [u8; 4] = [0x55, 0x1d, 0x25, 0];
pub(crate) const DOCUMENT_SIGNING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 0x24];
/// 1.3.6.1.4.1.62558.2.1
pub(crate) const CLAIM_SIGNING: [u8; 10] = [0x2b, 6, 1, 4, 1, 0x83, 0xe8, 0x5e, 2, 1];
