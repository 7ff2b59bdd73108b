//! The signer's key and certificates. Keys have no `Debug`, appear in no error and are wiped on drop.

use std::{fs, path::Path};

use ed25519_dalek::{Signer as _, SigningKey, pkcs8::DecodePrivateKey};
use x509_parser::prelude::{FromDer, X509Certificate};
use zeroize::Zeroizing;

use crate::{
    error::SignError,
    signer::{Algorithm, Signer},
};

/// An Ed25519 key with the certificates that name its owner.
pub struct Credential {
    key: SigningKey,
    chain: Vec<Vec<u8>>,
}

impl Credential {
    /// Reads `key` (PKCS#8 PEM, not readable by others) and `chain` (PEM, signer first).
    ///
    /// # Errors
    ///
    /// [`SignError`] naming the file and what to do; never its contents.
    pub fn load(key: &Path, chain: &Path) -> Result<Self, SignError> {
        check_key_file(key)?;
        let key_pem = Zeroizing::new(read(key)?);
        Self::from_pem(&key_pem, &read(chain)?)
    }

    /// The same from PEM in memory.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyDamaged`], [`SignError::Chain`] or [`SignError::KeyMismatch`].
    pub fn from_pem(key_pem: &[u8], chain_pem: &[u8]) -> Result<Self, SignError> {
        let text = std::str::from_utf8(key_pem).map_err(|_| SignError::KeyDamaged)?;
        let key = SigningKey::from_pkcs8_pem(text).map_err(|_| SignError::KeyDamaged)?;
        let chain = parse_chain(chain_pem)?;
        let leaf = chain.first().ok_or_else(empty_chain)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(chain_error)?;
        let public = &leaf.public_key().subject_public_key.data;
        if public.as_ref() != key.verifying_key().as_bytes() {
            return Err(SignError::KeyMismatch);
        }
        Ok(Self { key, chain })
    }
}

impl Signer for Credential {
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SignError> {
    fs::read(path).map_err(|source| SignError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// A key file is a regular file that only its owner can read.
fn check_key_file(path: &Path) -> Result<(), SignError> {
    let metadata = fs::symlink_metadata(path).map_err(|source| SignError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    if !metadata.is_file() {
        return Err(SignError::KeyNotAFile {
            path: path.to_owned(),
        });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SignError::KeyMode {
                path: path.to_owned(),
                mode,
            });
        }
    }
    Ok(())
}

/// The chain without its root: a validator takes the root from its own list (C2PA 2.2, 14.4).
fn parse_chain(pem: &[u8]) -> Result<Vec<Vec<u8>>, SignError> {
    let blocks = pem::parse_many(pem).map_err(chain_error)?;
    let mut chain = Vec::new();
    for block in blocks.into_iter().take(MAX_CHAIN) {
        let der = block.into_contents();
        let (_, certificate) = X509Certificate::from_der(&der).map_err(chain_error)?;
        if chain.is_empty() || certificate.subject() != certificate.issuer() {
            chain.push(der);
        }
    }
    if chain.is_empty() {
        return Err(empty_chain());
    }
    Ok(chain)
}

fn empty_chain() -> SignError {
    SignError::Chain("it holds no certificate".to_owned())
}

fn chain_error(error: impl std::fmt::Display) -> SignError {
    SignError::Chain(error.to_string())
}

/// Certificates of a chain; real ones have two to four.
const MAX_CHAIN: usize = 16;
