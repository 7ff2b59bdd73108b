//! Development certificates: a CA and a signing certificate that meet the C2PA certificate profile
//! (C2PA 2.2, section 14.5). Nobody trusts them until an operator adds the CA to a trust list.

use ed25519_dalek::{Signer as _, SigningKey, pkcs8::EncodePrivateKey};
use media::Digest;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SerialNumber,
    SignatureAlgorithm,
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::{error::SignError, time::Validity};

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

/// The two private keys: wiped on drop, never printed.
pub struct Secrets {
    ca: Zeroizing<[u8; 32]>,
    signer: Zeroizing<[u8; 32]>,
}

impl Secrets {
    /// Fresh keys from the operating system.
    ///
    /// # Errors
    ///
    /// [`SignError::Random`] when it gives none.
    pub fn random() -> Result<Self, SignError> {
        let mut secrets = Self::dangerous_fixed([0; 32], [0; 32]);
        for key in [&mut secrets.ca, &mut secrets.signer] {
            getrandom::fill(&mut key[..]).map_err(|error| SignError::Random(error.to_string()))?;
        }
        Ok(secrets)
    }

    /// Keys that everybody can know: for test files that must come out the same each time.
    pub fn dangerous_fixed(ca: [u8; 32], signer: [u8; 32]) -> Self {
        Self {
            ca: Zeroizing::new(ca),
            signer: Zeroizing::new(signer),
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
    let ca_key = Key(SigningKey::from_bytes(&secrets.ca));
    let signer_key = Key(SigningKey::from_bytes(&secrets.signer));
    let ca_params = ca_params(request, &ca_key)?;
    let ca = ca_params.self_signed(&ca_key).map_err(certificate_error)?;
    let ca_key_pem = ca_key.to_pem()?;
    let issuer = Issuer::new(ca_params, ca_key);
    let signer = signer_params(request, &signer_key)?
        .signed_by(&signer_key, &issuer)
        .map_err(certificate_error)?;
    Ok(DevelopmentChain {
        ca_cert_pem: ca.pem(),
        ca_key_pem,
        signer_key_pem: signer_key.to_pem()?,
        signer_chain_pem: signer.pem(),
    })
}

fn ca_params(request: &ChainRequest<'_>, key: &Key) -> Result<CertificateParams, SignError> {
    let name = format!(
        "{} development CA (not trusted by anyone)",
        request.organisation
    );
    let mut params = common_params(request, &name, key)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn signer_params(request: &ChainRequest<'_>, key: &Key) -> Result<CertificateParams, SignError> {
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
    key: &Key,
) -> Result<CertificateParams, SignError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, request.organisation);
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = date(request.validity.not_before.0)?;
    params.not_after = date(request.validity.not_after.0)?;
    let identifier: Vec<u8> = key
        .identifier()
        .as_bytes()
        .iter()
        .copied()
        .take(20)
        .collect();
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

/// An Ed25519 key that rcgen can sign with.
struct Key(SigningKey);

impl Key {
    fn identifier(&self) -> Digest {
        Digest::of(self.0.verifying_key().as_bytes())
    }

    fn to_pem(&self) -> Result<Zeroizing<String>, SignError> {
        self.0
            .to_pkcs8_pem(Default::default())
            .map_err(|error| SignError::Certificate(error.to_string()))
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.0.as_ref().as_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}
