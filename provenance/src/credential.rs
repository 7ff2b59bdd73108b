//! A key in memory with the certificates that name its owner. Neither has a `Debug` that shows the key.

use std::{fs::File, io::Read as _, path::Path};

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    certificate::Certificate,
    error::SignError,
    private_key::PrivateKey,
    signer::{Algorithm, PublicKey, Signer},
    time::Timestamp,
};

/// An Ed25519 or P-256 key with the certificates that name its owner.
pub struct Credential {
    key: PrivateKey,
    chain: Chain,
}

impl Credential {
    /// Joins a key to the chain that was issued for it.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyMismatch`] when the first certificate is for another key.
    pub fn new(key: PrivateKey, chain: Chain) -> Result<Self, SignError> {
        if !chain.is_for(&key) {
            return Err(SignError::KeyMismatch);
        }
        Ok(Self { key, chain })
    }

    /// Reads `key` (PKCS#8 PEM, not encrypted, not readable by others) and `chain` (PEM, signer first).
    ///
    /// # Errors
    ///
    /// [`SignError`] naming the file and what to do; never its contents.
    pub fn load(key: &Path, chain: &Path) -> Result<Self, SignError> {
        Self::new(PrivateKey::load(key, None)?, Chain::load(chain)?)
    }

    /// The same from PEM in memory.
    ///
    /// # Errors
    ///
    /// Those of [`PrivateKey::from_pem`], [`Chain::from_pem`] and [`Self::new`].
    pub fn from_pem(key_pem: &[u8], chain_pem: &[u8]) -> Result<Self, SignError> {
        Self::new(
            PrivateKey::from_pem(key_pem, None)?,
            Chain::from_pem(chain_pem)?,
        )
    }
}

impl Signer for Credential {
    fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain.certificates
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key.sign(message)
    }
}

/// A signer's certificates, its own first, without the root.
#[derive(Debug, Clone)]
pub struct Chain {
    certificates: Vec<Vec<u8>>,
}

impl Chain {
    /// Reads PEM from a file.
    ///
    /// # Errors
    ///
    /// [`SignError::Unreadable`] or [`SignError::Chain`].
    pub fn load(path: &Path) -> Result<Self, SignError> {
        let unreadable = |source| SignError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut pem = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_CHAIN_BYTES)
            .read_to_end(&mut pem)
            .map_err(unreadable)?;
        Self::from_pem(&pem)
    }

    /// The chain without its root: a validator takes the root from its own list (C2PA 2.2, 14.4).
    ///
    /// # Errors
    ///
    /// [`SignError::Chain`] when it holds no certificate or one that does not parse.
    pub fn from_pem(pem: &[u8]) -> Result<Self, SignError> {
        let mut certificates = certificates_of(pem)?;
        let mut position = 0;
        certificates.retain(|der| {
            position += 1;
            position == 1 || !is_self_issued(der)
        });
        Ok(Self { certificates })
    }

    /// The chain that `signer` signs with.
    pub fn of(signer: &dyn Signer) -> Self {
        Self {
            certificates: signer.chain().to_vec(),
        }
    }

    /// DER certificates, the signer's first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// What the key of the signer's certificate signs with.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyKind`] when this build does not sign with it.
    pub fn algorithm(&self) -> Result<Algorithm, SignError> {
        let leaf = self.certificates.first().ok_or_else(empty_chain)?;
        Ok(PublicKey::of(leaf)?.algorithm())
    }

    /// Whether the signer's certificate may be used at `now`. A signature made outside that span is
    /// expired from its first day.
    ///
    /// # Errors
    ///
    /// [`SignError::CertificateEnded`] or [`SignError::CertificateEarly`].
    pub fn check_validity(&self, now: Timestamp) -> Result<(), SignError> {
        let leaf = self.certificates.first().ok_or_else(empty_chain)?;
        let leaf = Certificate::parse(leaf).ok_or_else(empty_chain)?;
        if now > leaf.validity.not_after {
            return Err(SignError::CertificateEnded(leaf.validity.not_after));
        }
        if now < leaf.validity.not_before {
            return Err(SignError::CertificateEarly(leaf.validity.not_before));
        }
        Ok(())
    }

    fn is_for(&self, key: &PrivateKey) -> bool {
        let leaf = self.certificates.first();
        leaf.and_then(|leaf| X509Certificate::from_der(leaf).ok())
            .is_some_and(|(_, leaf)| leaf.public_key().subject_public_key.data == key.public())
    }
}

/// Every certificate of a PEM file, in its order, as DER.
pub(crate) fn certificates_of(pem: &[u8]) -> Result<Vec<Vec<u8>>, SignError> {
    let blocks = pem::parse_many(pem).map_err(chain_error)?;
    if blocks.len() > MAX_CHAIN {
        return Err(SignError::Chain(format!(
            "it holds more than {MAX_CHAIN} certificates"
        )));
    }
    let mut certificates = Vec::new();
    for block in blocks {
        let der = block.into_contents();
        X509Certificate::from_der(&der).map_err(chain_error)?;
        certificates.push(der);
    }
    match certificates.is_empty() {
        true => Err(empty_chain()),
        false => Ok(certificates),
    }
}

fn is_self_issued(der: &[u8]) -> bool {
    X509Certificate::from_der(der)
        .is_ok_and(|(_, certificate)| certificate.subject() == certificate.issuer())
}

fn empty_chain() -> SignError {
    SignError::Chain("it holds no certificate".to_owned())
}

fn chain_error(error: impl std::fmt::Display) -> SignError {
    SignError::Chain(error.to_string())
}

/// Certificates of a chain; real ones have two to four.
const MAX_CHAIN: usize = 16;
/// Sixteen certificates of 4 KB as PEM, twice over.
const MAX_CHAIN_BYTES: u64 = 262_144;
