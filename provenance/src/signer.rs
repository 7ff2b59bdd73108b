//! Who signs and who stamps: a key in memory, in a device, behind a command or behind a service. Knows
//! neither files nor sockets; whoever has a transport implements these traits. `provenance::Signer` is what
//! was found out about somebody who signed; here it is who signs.

use ed25519_dalek::VerifyingKey;
use p256::ecdsa::{self, signature::Verifier as _};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{error::SignError, stamp::StampRequest};

/// The signature algorithms that this build writes (both in C2PA 2.2, section 13.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// EdDSA over Curve25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// Makes signatures with a key that this crate need not see.
pub trait Signer: Send + Sync {
    /// The algorithm of the key.
    fn algorithm(&self) -> Algorithm;

    /// DER certificates, the signer's first, without a self-signed root.
    fn chain(&self) -> &[Vec<u8>];

    /// The signature of `message`, 64 bytes: an Ed25519 signature, or `r || s` of ES256. ES256 may also come
    /// as the DER sequence that most tools write.
    ///
    /// # Errors
    ///
    /// [`SignError`] when the key cannot be used; nothing is signed then.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Fetches time stamps (RFC 3161).
pub trait TimeStamper: Send + Sync {
    /// The `TimeStampResp`, DER, to `request`. The caller checks it with [`StampRequest::check`]; one that
    /// has several authorities to ask may do so too, to go on to the next.
    ///
    /// # Errors
    ///
    /// [`SignError::TimeStamp`] when no authority answers.
    fn stamp(&self, request: &StampRequest<'_>) -> Result<Vec<u8>, SignError>;
}

/// The signature of `message`, once it is known to verify with the key of the first certificate. A device
/// with a wrong key, or a service that answers with something else, is found here and not by a reader.
pub(crate) fn checked_signature(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>, SignError> {
    let leaf = signer.chain().first().ok_or(SignError::SignatureWrong)?;
    let key = PublicKey::of(leaf)?;
    if key.algorithm() != signer.algorithm() {
        return Err(SignError::KeyMismatch);
    }
    let signature = raw(signer.algorithm(), signer.sign(message)?);
    if !key.verifies(message, &signature) {
        return Err(SignError::SignatureWrong);
    }
    Ok(signature)
}

/// COSE wants ECDSA signatures as two numbers of equal length (RFC 9053, section 2.1).
fn raw(algorithm: Algorithm, signature: Vec<u8>) -> Vec<u8> {
    if algorithm == Algorithm::Es256
        && signature.len() != 64
        && let Ok(parsed) = ecdsa::Signature::from_der(&signature)
    {
        return parsed.to_bytes().to_vec();
    }
    signature
}

/// A key that signatures of ours are checked with.
pub(crate) enum PublicKey {
    Ed25519(VerifyingKey),
    Es256(ecdsa::VerifyingKey),
}

impl PublicKey {
    /// The key of a DER certificate.
    pub(crate) fn of(certificate: &[u8]) -> Result<Self, SignError> {
        let (_, certificate) = X509Certificate::from_der(certificate)
            .map_err(|error| SignError::Chain(error.to_string()))?;
        let info = certificate.public_key();
        let bits = info.subject_public_key.data.as_ref();
        let unusable = |_| SignError::KeyKind;
        match info.algorithm.algorithm.to_id_string().as_str() {
            OID_ED25519 => {
                let bytes: &[u8; 32] = bits.try_into().map_err(|_| SignError::KeyKind)?;
                VerifyingKey::from_bytes(bytes)
                    .map(Self::Ed25519)
                    .map_err(unusable)
            }
            OID_EC => ecdsa::VerifyingKey::from_sec1_bytes(bits)
                .map(Self::Es256)
                .map_err(unusable),
            _ => Err(SignError::KeyKind),
        }
    }

    /// What the key signs with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Es256(_) => Algorithm::Es256,
        }
    }

    /// Whether `signature` is one of `message` by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::Es256(key) => ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

/// RFC 8410, section 3.
const OID_ED25519: &str = "1.3.101.112";
/// RFC 5480, section 2.1.1; the curve is settled by the length and the point itself.
const OID_EC: &str = "1.2.840.10045.2.1";
