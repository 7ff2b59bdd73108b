//! Which keys and signatures the C2PA certificate profile allows (C2PA 2.2, section 14.5.1).

use x509_parser::{
    asn1_rs::{Any, FromDer},
    certificate::X509Certificate,
    x509::AlgorithmIdentifier,
};

use crate::pss::{Pss, RSA_PSS};

/// A key in words: `Ed25519`, `P-256`, `RSA 2048`, or the identifier of something else.
pub(super) fn key_name(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    match info.algorithm.algorithm.to_id_string().as_str() {
        ED25519 => "Ed25519".to_owned(),
        EC => curve(certificate).map_or_else(
            || "an elliptic curve without a name".to_owned(),
            |oid| match oid.as_str() {
                P256 => "P-256".to_owned(),
                P384 => "P-384".to_owned(),
                P521 => "P-521".to_owned(),
                _ => format!("curve {oid}"),
            },
        ),
        RSA | RSA_PSS => match modulus_bits(certificate) {
            Some(bits) => format!("RSA {bits}"),
            None => "RSA of no readable size".to_owned(),
        },
        oid => format!("algorithm {oid}"),
    }
}

/// What is there when the key is not one of the profile's.
pub(super) fn key_breach(certificate: &X509Certificate<'_>) -> Option<String> {
    let info = certificate.public_key();
    let allowed = match info.algorithm.algorithm.to_id_string().as_str() {
        ED25519 => info.algorithm.parameters.is_none(),
        EC => curve(certificate).is_some_and(|oid| [P256, P384, P521].contains(&oid.as_str())),
        RSA | RSA_PSS => modulus_bits(certificate).is_some_and(|bits| bits >= MIN_RSA_BITS),
        _ => false,
    };
    (!allowed).then(|| key_name(certificate))
}

/// What is there when the CA's signature is not one of the profile's.
pub(super) fn signature_breach(certificate: &X509Certificate<'_>) -> Option<String> {
    let outer = &certificate.signature_algorithm;
    if *outer != certificate.tbs_certificate.signature {
        return Some("it names two different algorithms".to_owned());
    }
    let oid = outer.algorithm.to_id_string();
    match oid.as_str() {
        ED25519 if outer.parameters.is_some() => Some("Ed25519 with parameters".to_owned()),
        RSA_PSS => pss_breach(outer),
        known if SIGNATURES.contains(&known) => None,
        SHA1_RSA | SHA1_ECDSA => Some("SHA-1".to_owned()),
        _ => Some(format!("algorithm {oid}")),
    }
}

/// RSASSA-PSS names its hash, from the SHA-2 family, and masks with the same one. Its salt may have any length by the
/// standards, and has that of the hash for readers that are built without OpenSSL.
fn pss_breach(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    let pss = Pss::of(algorithm);
    let known = pss.as_ref().and_then(|pss| {
        let name = pss.hash.to_id_string();
        let hash = SHA2.iter().find(|(oid, _)| *oid == name)?;
        Some((pss.salt_bytes, hash.1))
    });
    match known {
        None => Some("RSASSA-PSS with parameters that C2PA does not allow".to_owned()),
        Some((salt, bytes)) if salt != bytes => Some(format!(
            "RSASSA-PSS with a salt of {salt} bytes, where many readers take {bytes} alone"
        )),
        Some(_) => None,
    }
}

fn curve(certificate: &X509Certificate<'_>) -> Option<String> {
    let parameters = certificate.public_key().algorithm.parameters.as_ref()?;
    parameters.as_oid().ok().map(|oid| oid.to_id_string())
}

fn modulus_bits(certificate: &X509Certificate<'_>) -> Option<usize> {
    let bits = &certificate.public_key().subject_public_key.data;
    let (_, sequence) = Any::from_der(bits).ok()?;
    let (_, modulus) = Any::from_der(sequence.data).ok()?;
    let digits = modulus.data.iter().skip_while(|byte| **byte == 0);
    let leading = digits.clone().next()?.leading_zeros();
    let leading = usize::try_from(leading).ok()?;
    digits.count().checked_mul(8)?.checked_sub(leading)
}

const ED25519: &str = "1.3.101.112";
const EC: &str = "1.2.840.10045.2.1";
const RSA: &str = "1.2.840.113549.1.1.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";
const SHA1_RSA: &str = "1.2.840.113549.1.1.5";
const SHA1_ECDSA: &str = "1.2.840.10045.4.1";

/// RSA, ECDSA with SHA-2, Ed25519.
const SIGNATURES: [&str; 7] = [
    "1.2.840.113549.1.1.11",
    "1.2.840.113549.1.1.12",
    "1.2.840.113549.1.1.13",
    "1.2.840.10045.4.3.2",
    "1.2.840.10045.4.3.3",
    "1.2.840.10045.4.3.4",
    ED25519,
];

/// SHA-256, SHA-384 and SHA-512, each with the bytes of its digest.
const SHA2: [(&str, u32); 3] = [
    ("2.16.840.1.101.3.4.2.1", 32),
    ("2.16.840.1.101.3.4.2.2", 48),
    ("2.16.840.1.101.3.4.2.3", 64),
];

/// C2PA 2.2, section 14.5.1.
const MIN_RSA_BITS: usize = 2_048;
