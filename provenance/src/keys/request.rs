//! A certificate signing request (PKCS #10, RFC 2986) that asks a CA for what C2PA wants in a signing
//! certificate. What the CA makes of it is its own affair; the doctor looks at the result.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose,
};

use super::certificate_error;
use crate::{error::SignError, private_key::PrivateKey};

/// A request in PEM for `key`, signed with it.
///
/// # Errors
///
/// [`SignError::Certificate`] when the names cannot be put into one.
pub fn certificate_request(
    name: &str,
    organisation: &str,
    key: &PrivateKey,
) -> Result<String, SignError> {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::Other(C2PA_CLAIM_SIGNING.to_vec()),
        ExtendedKeyUsagePurpose::EmailProtection,
    ];
    let request = params.serialize_request(key).map_err(certificate_error)?;
    request.pem().map_err(certificate_error)
}

/// `c2pa-kp-claimSigning` (C2PA 2.2, section 14.5.1).
const C2PA_CLAIM_SIGNING: [u64; 9] = [1, 3, 6, 1, 4, 1, 62558, 2, 1];
