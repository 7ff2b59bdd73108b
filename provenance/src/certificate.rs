//! What a certificate says of itself. Names are unchecked until a list vouches for the chain.

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    display::clean_option,
    time::{Timestamp, Validity},
};

/// The parts of a signing certificate that are reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Subject common name, cleaned for display.
    pub(crate) name: Option<String>,
    /// Subject organisation, cleaned for display.
    pub(crate) organisation: Option<String>,
    pub(crate) validity: Validity,
}

impl Certificate {
    /// `None` when `der` is no certificate.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let name = subject.iter_common_name().last();
        let organisation = subject.iter_organization().last();
        let validity = certificate.validity();
        Some(Self {
            name: clean_option(name.and_then(|name| name.as_str().ok())),
            organisation: clean_option(organisation.and_then(|name| name.as_str().ok())),
            validity: Validity {
                not_before: Timestamp(validity.not_before.timestamp()),
                not_after: Timestamp(validity.not_after.timestamp()),
            },
        })
    }
}
