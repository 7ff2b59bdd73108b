//! A private key in memory, and its PEM. It has no `Debug`, appears in no error and is wiped on drop.
//!
//! Plain and encrypted PKCS#8 (RFC 5958; PBES2 of RFC 8018) are read. It knows no certificates.

use ed25519_dalek::{SigningKey, pkcs8::KeypairBytes};
use p256::ecdsa::{self, signature::Signer as _};
use pkcs8::{
    EncodePrivateKey, EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument,
    pkcs5::pbes2::Kdf,
};
use zeroize::Zeroizing;

use crate::{error::SignError, key_file, signer::Algorithm};

/// A key that signs.
pub struct PrivateKey {
    secret: Secret,
    /// The bit string of `SubjectPublicKeyInfo`.
    public: Vec<u8>,
}

/// On the heap, so that moving a key leaves no copy behind.
enum Secret {
    Ed25519(Box<SigningKey>),
    Es256(Box<ecdsa::SigningKey>),
}

impl PrivateKey {
    /// A fresh key from the operating system's random bytes.
    ///
    /// # Errors
    ///
    /// [`SignError::Random`] when it gives none.
    pub fn random(algorithm: Algorithm) -> Result<Self, SignError> {
        let mut seed = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(&mut seed[..]).map_err(|error| SignError::Random(error.to_string()))?;
            // One seed in 2^32 is no P-256 key.
            if let Some(key) = Self::from_seed(algorithm, &seed) {
                return Ok(key);
            }
        }
    }

    /// The Ed25519 key of a seed; every seed has one.
    pub(crate) fn ed25519_from_seed(seed: &[u8; 32]) -> Self {
        Self::ed25519(SigningKey::from_bytes(seed))
    }

    /// `None` when the curve has no key with this secret.
    fn from_seed(algorithm: Algorithm, seed: &[u8; 32]) -> Option<Self> {
        Some(match algorithm {
            Algorithm::Ed25519 => Self::ed25519_from_seed(seed),
            Algorithm::Es256 => Self::es256(ecdsa::SigningKey::from_slice(seed).ok()?),
        })
    }

    /// Reads PKCS#8 PEM, encrypted or not. A passphrase for a plain key is not used.
    ///
    /// # Errors
    ///
    /// [`SignError::KeyEncrypted`] when a passphrase is needed and none is given,
    /// [`SignError::PassphraseWrong`], [`SignError::KeyKind`] for a key of another algorithm, and
    /// [`SignError::KeyDamaged`] for anything else.
    pub fn from_pem(pem: &[u8], passphrase: Option<&[u8]>) -> Result<Self, SignError> {
        let text = std::str::from_utf8(pem).map_err(|_| SignError::KeyDamaged)?;
        let (label, document) =
            SecretDocument::from_pem(text.trim()).map_err(|_| SignError::KeyDamaged)?;
        match label {
            "PRIVATE KEY" => Self::from_der(document.as_bytes()),
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase.ok_or(SignError::KeyEncrypted)?;
                Self::from_der(decrypt(document.as_bytes(), passphrase)?.as_bytes())
            }
            _ => Err(SignError::KeyDamaged),
        }
    }

    /// The same from a file that only its owner, who must be the caller, can read.
    ///
    /// # Errors
    ///
    /// Those of [`Self::from_pem`]; [`SignError::Unreadable`], [`SignError::KeyNotAFile`],
    /// [`SignError::KeyMode`] or [`SignError::KeyOwner`] when the file is not as it has to be.
    pub fn load(path: &std::path::Path, passphrase: Option<&[u8]>) -> Result<Self, SignError> {
        Self::from_pem(&key_file::read_secret(path)?, passphrase)
    }

    /// PKCS#8 PEM; with a passphrase encrypted with AES-256 under a key from scrypt (N = 16,384).
    ///
    /// # Errors
    ///
    /// [`SignError::Random`] when the system gives no salt.
    pub fn to_pem(&self, passphrase: Option<&[u8]>) -> Result<Zeroizing<String>, SignError> {
        let failed = |error: pkcs8::Error| SignError::Random(error.to_string());
        let der = self.to_der().map_err(failed)?;
        let (label, der) = match passphrase {
            None => ("PRIVATE KEY", der),
            Some(passphrase) => {
                let info = PrivateKeyInfoRef::try_from(der.as_bytes()).map_err(failed)?;
                (
                    "ENCRYPTED PRIVATE KEY",
                    info.encrypt(passphrase).map_err(failed)?,
                )
            }
        };
        der.to_pem(label, LineEnding::LF)
            .map_err(|error| failed(error.into()))
    }

    /// Without the public half of an Ed25519 key: OpenSSL 3.0 reads no PKCS#8 that has it.
    fn to_der(&self) -> pkcs8::Result<SecretDocument> {
        match &self.secret {
            Secret::Ed25519(key) => KeypairBytes {
                secret_key: key.to_bytes(),
                public_key: None,
            }
            .to_pkcs8_der(),
            Secret::Es256(key) => key.to_pkcs8_der(),
        }
    }

    /// What the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.secret {
            Secret::Ed25519(_) => Algorithm::Ed25519,
            Secret::Es256(_) => Algorithm::Es256,
        }
    }

    /// The public half as certificates carry it: 32 bytes, or an uncompressed point of 65.
    pub(crate) fn public(&self) -> &[u8] {
        &self.public
    }

    /// 64 bytes; both algorithms sign without random numbers (RFC 8032; RFC 6979).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.secret {
            Secret::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Secret::Es256(_) => Ok(self.ecdsa(message)?.to_bytes().to_vec()),
        }
    }

    /// The signature in the form that certificates want: ECDSA as a DER sequence.
    pub(crate) fn sign_certificate(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.secret {
            Secret::Ed25519(_) => self.sign(message),
            Secret::Es256(_) => Ok(self.ecdsa(message)?.to_der().as_bytes().to_vec()),
        }
    }

    fn ecdsa(&self, message: &[u8]) -> Result<ecdsa::Signature, SignError> {
        match &self.secret {
            Secret::Es256(key) => key
                .try_sign(message)
                .map_err(|error| SignError::Signer(error.to_string())),
            Secret::Ed25519(_) => Err(SignError::KeyKind),
        }
    }

    fn from_der(der: &[u8]) -> Result<Self, SignError> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| SignError::KeyDamaged)?;
        match info.algorithm.oid.to_string().as_str() {
            OID_ED25519 => SigningKey::try_from(info).map(Self::ed25519),
            OID_EC => ecdsa::SigningKey::try_from(info).map(Self::es256),
            _ => return Err(SignError::KeyKind),
        }
        .map_err(|_| SignError::KeyDamaged)
    }

    fn ed25519(key: SigningKey) -> Self {
        Self {
            public: key.verifying_key().as_bytes().to_vec(),
            secret: Secret::Ed25519(Box::new(key)),
        }
    }

    fn es256(key: ecdsa::SigningKey) -> Self {
        Self {
            public: key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            secret: Secret::Es256(Box::new(key)),
        }
    }
}

fn decrypt(der: &[u8], passphrase: &[u8]) -> Result<SecretDocument, SignError> {
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| SignError::KeyDamaged)?;
    let scheme = encrypted.encryption_algorithm.pbes2();
    if !scheme.is_some_and(|scheme| is_affordable(&scheme.kdf)) {
        return Err(SignError::KeyDamaged);
    }
    encrypted
        .decrypt(passphrase)
        .map_err(|_| SignError::PassphraseWrong)
}

/// A file could ask for hours of work or for all memory before its passphrase is even wrong.
fn is_affordable(kdf: &Kdf) -> bool {
    if let Some(pbkdf2) = kdf.pbkdf2() {
        return pbkdf2.iteration_count <= MAX_PBKDF2_ITERATIONS;
    }
    kdf.scrypt().is_some_and(|scrypt| {
        let block_bytes = 128 * u64::from(scrypt.block_size);
        let memory = scrypt.cost_parameter.checked_mul(block_bytes);
        memory.is_some_and(|memory| memory <= MAX_SCRYPT_BYTES) && scrypt.parallelization <= 16
    })
}

/// RFC 8410, section 3.
const OID_ED25519: &str = "1.3.101.112";
/// RFC 5480, section 2.1.1.
const OID_EC: &str = "1.2.840.10045.2.1";

/// Sixteen times what OWASP advises for SHA-256.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
/// Sixty-four times what scrypt takes with the parameters that are written here, which OpenSSL reads too.
const MAX_SCRYPT_BYTES: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::{Algorithm, PrivateKey};

    #[test]
    fn both_kinds_survive_pem_with_and_without_a_passphrase() {
        for algorithm in [Algorithm::Ed25519, Algorithm::Es256] {
            let key = PrivateKey::random(algorithm).unwrap();
            for passphrase in [None, Some(&b"correct horse"[..])] {
                let pem = key.to_pem(passphrase).unwrap();
                let back = PrivateKey::from_pem(pem.as_bytes(), passphrase).unwrap();
                assert_eq!(back.algorithm(), algorithm);
                assert_eq!(back.public(), key.public());
                assert_eq!(back.sign(b"x").unwrap(), key.sign(b"x").unwrap());
                assert_eq!(back.sign(b"x").unwrap().len(), 64);
            }
        }
    }

    #[test]
    fn an_encrypted_key_says_what_it_needs() {
        let key = PrivateKey::random(Algorithm::Es256).unwrap();
        let pem = key.to_pem(Some(b"right")).unwrap();
        assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        let code = |passphrase| {
            let error = PrivateKey::from_pem(pem.as_bytes(), passphrase).err();
            error.map(|error| error.code())
        };
        assert_eq!(code(None), Some("key_encrypted"));
        assert_eq!(code(Some(b"wrong")), Some("passphrase_wrong"));
        assert_eq!(code(Some(b"right")), None);
    }

    #[test]
    fn keys_of_openssl_are_read_and_unaffordable_ones_are_not() {
        // `openssl genpkey -algorithm ed25519 | openssl pkcs8 -topk8 -v2 aes-256-cbc -iter N`, once with
        // 2,048 and once with 2,000,000,000 rounds.
        let read = |pem: &str| PrivateKey::from_pem(pem.as_bytes(), Some(b"secret"));
        assert!(read(PBKDF2_PEM).is_ok());
        let refused = read(ENDLESS_PEM).err().unwrap();
        assert_eq!(refused.code(), "key_damaged");
    }

    const PBKDF2_PEM: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgSt7DY10K0ywICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFMUR7SIVR4DKfT+lB48qr0EQNeo
nADtoWYHHICg4UKnqXgbuBAEwUm4e+zhdqr5G1a6w1GVOQWGrgWBY5Xb5qMcvtwl
R/Ms9OESEWWDDHDFrbM=
-----END ENCRYPTED PRIVATE KEY-----";

    const ENDLESS_PEM: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGdMFkGCSqGSIb3DQEFDTBMMCsGCSqGSIb3DQEFDDAeBAgSt7DY10K0ywIEdzWU
ADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQUxRHtIhVHgMp9P6UHjyqvQRA
16icAO2hZgccgKDhQqepeBu4EATBSbh77OF2qvkbVrrDUZU5BYauBYFjldvmoxy+
3CVH8yz04RIRZYMMcMWtsw==
-----END ENCRYPTED PRIVATE KEY-----";
}
