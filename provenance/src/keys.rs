//! Certificates: a development CA, requests to a real CA, and the doctor who says what is wrong with a
//! chain. Knows no file and no terminal.

mod check;
mod request;

use media::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData,
    SerialNumber, SignatureAlgorithm,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{error::SignError, private_key::PrivateKey, signer::Algorithm, time::Validity};

pub use check::{Anchored, ChainCheck, Finding, Outcome, check_chain};
pub use request::certificate_request;

/// What the certificates shall say.
#[derive(Debug, Clone)]
pub struct ChainRequest<'a> {
    /// Common name of the signer.
    pub name: &'a str,
    /// Organisation of the signer.
    pub organisation: &'a str,
    /// When the signing certificate may be used. The CA gets the same span.
    pub validity: Validity,
}

/// The two private keys of a development chain.
pub struct Secrets {
    ca: PrivateKey,
    signer: PrivateKey,
    passphrase: Option<Zeroizing<Vec<u8>>>,
}

impl Secrets {
    /// Fresh keys from the operating system.
    ///
    /// # Errors
    ///
    /// [`SignError::Random`] when it gives none.
    pub fn random(algorithm: Algorithm) -> Result<Self, SignError> {
        Ok(Self {
            ca: PrivateKey::random(algorithm)?,
            signer: PrivateKey::random(algorithm)?,
            passphrase: None,
        })
    }

    /// Ed25519 keys that everybody can know: for test files that must come out the same each time.
    pub fn dangerous_fixed(ca: [u8; 32], signer: [u8; 32]) -> Self {
        Self {
            ca: PrivateKey::ed25519_from_seed(&ca),
            signer: PrivateKey::ed25519_from_seed(&signer),
            passphrase: None,
        }
    }

    /// The same keys, written encrypted.
    pub fn encrypted(self, passphrase: Zeroizing<Vec<u8>>) -> Self {
        Self {
            passphrase: Some(passphrase),
            ..self
        }
    }
}

/// A development CA with one signing certificate, as PEM.
pub struct DevelopmentChain {
    /// The CA, to be given to whoever shall trust it.
    pub ca_cert_pem: String,
    /// Its private key, PKCS#8; wiped on drop.
    pub ca_key_pem: Zeroizing<String>,
    /// The signer's private key, PKCS#8; wiped on drop.
    pub signer_key_pem: Zeroizing<String>,
    /// The signer's certificate; the CA is left out, since a chain must not carry its own anchor.
    pub signer_chain_pem: String,
}

/// Makes a CA and a signing certificate.
///
/// # Errors
///
/// [`SignError::Certificate`] when the names or dates cannot be put into a certificate.
pub fn development_chain(
    request: &ChainRequest<'_>,
    secrets: &Secrets,
) -> Result<DevelopmentChain, SignError> {
    let passphrase = secrets.passphrase.as_ref().map(|phrase| phrase.as_slice());
    let ca_params = ca_params(request, &secrets.ca)?;
    let ca = ca_params
        .self_signed(&secrets.ca)
        .map_err(certificate_error)?;
    let issuer = Issuer::new(ca_params, &secrets.ca);
    let signer = signer_params(request, &secrets.signer)?
        .signed_by(&secrets.signer, &issuer)
        .map_err(certificate_error)?;
    Ok(DevelopmentChain {
        ca_cert_pem: ca.pem(),
        ca_key_pem: secrets.ca.to_pem(passphrase)?,
        signer_key_pem: secrets.signer.to_pem(passphrase)?,
        signer_chain_pem: signer.pem(),
    })
}

fn ca_params(request: &ChainRequest<'_>, key: &PrivateKey) -> Result<CertificateParams, SignError> {
    let name = format!(
        "{} development CA (not trusted by anyone)",
        request.organisation
    );
    let mut params = common_params(request, &name, key)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn signer_params(
    request: &ChainRequest<'_>,
    key: &PrivateKey,
) -> Result<CertificateParams, SignError> {
    let mut params = common_params(request, request.name, key)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    Ok(params)
}

fn common_params(
    request: &ChainRequest<'_>,
    name: &str,
    key: &PrivateKey,
) -> Result<CertificateParams, SignError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, request.organisation);
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = date(request.validity.not_before.0)?;
    params.not_after = date(request.validity.not_after.0)?;
    let digest = Digest::of(key.public());
    let identifier: Vec<u8> = digest.as_bytes().iter().copied().take(20).collect();
    // The high bit stays clear: a serial number is a positive integer (RFC 5280, section 4.1.2.2).
    let serial: Vec<u8> = [0x10].iter().chain(&identifier).copied().take(16).collect();
    params.serial_number = Some(SerialNumber::from(serial));
    params.key_identifier_method = KeyIdMethod::PreSpecified(identifier);
    Ok(params)
}

fn date(seconds: i64) -> Result<OffsetDateTime, SignError> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .map_err(|error| SignError::Certificate(error.to_string()))
}

fn certificate_error(error: rcgen::Error) -> SignError {
    SignError::Certificate(error.to_string())
}

impl PublicKeyData for PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.public()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.algorithm() {
            Algorithm::Ed25519 => &PKCS_ED25519,
            Algorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl rcgen::SigningKey for PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.sign_certificate(message)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}
