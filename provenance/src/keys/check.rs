//! The certificate doctor: which rule of the C2PA certificate profile (C2PA 2.2, section 14.5.1; RFC 5280)
//! a chain breaks, what to ask the CA for, and which trust list the chain ends in.
//!
//! The c2pa crate refuses a certificate without saying why; here every rule is looked at, also after one is
//! found broken.

mod algorithms;
mod chain;
mod leaf;

use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{
    certificate::Certificate,
    credential::certificates_of,
    display::clean,
    error::SignError,
    finding::SignerStatus,
    private_key::PrivateKey,
    read::StoreReader,
    time::{Timestamp, Validity},
    trust::TrustStore,
};

/// What the doctor found.
#[derive(Debug, Clone)]
pub struct ChainCheck {
    /// Name of the certificate's owner, cleaned for display: organisation and common name.
    pub owner: String,
    /// Name of its CA, cleaned for display.
    pub issuer: String,
    /// The key, for example `Ed25519` or `RSA 2048`.
    pub key: String,
    /// When it may be used.
    pub validity: Validity,
    /// Every rule, in the order in which a reader checks them.
    pub findings: Vec<Finding>,
    /// The list that vouches for it, if one does.
    pub anchored: Option<Anchored>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable name.
    pub code: &'static str,
    /// The rule in words.
    pub rule: &'static str,
    /// Whether it holds.
    pub outcome: Outcome,
}

/// Whether a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Holds,
    /// Readers accept it; the standards advise against it.
    Unadvised {
        /// What is there instead.
        found: String,
        /// What to ask for.
        ask: &'static str,
    },
    /// It does not: readers will refuse or not trust what is signed with it.
    Broken {
        /// What is there instead.
        found: String,
        /// What to ask for.
        ask: &'static str,
    },
}

/// The list that vouches for a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchored {
    /// Its name, as in [`TrustStore::lists`].
    pub list: String,
    /// What a report will say of the signer.
    pub status: SignerStatus,
}

impl ChainCheck {
    /// Whether no rule is broken.
    pub fn holds(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| !matches!(finding.outcome, Outcome::Broken { .. }))
    }
}

/// Examines the certificates of `pem`, the signer's first, as they are at `at`: with the lists of `trust`,
/// and with the key that belongs to them where there is one.
///
/// # Errors
///
/// [`SignError::Chain`] when there is no certificate or one cannot be parsed.
pub fn check_chain(
    pem: &[u8],
    key: Option<&PrivateKey>,
    trust: TrustStore,
    at: Timestamp,
) -> Result<ChainCheck, SignError> {
    let ders = certificates_of(pem)?;
    let certificates = ders
        .iter()
        .map(|der| X509Certificate::from_der(der).map(|(_, certificate)| certificate))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| SignError::Chain(error.to_string()))?;
    let (Some(leaf), Some(summary)) = (
        certificates.first(),
        ders.first().and_then(|der| Certificate::parse(der)),
    ) else {
        return Err(SignError::Chain("it holds no certificate".to_owned()));
    };
    let patient = Patient {
        ders: &ders,
        certificates: &certificates,
        leaf,
        validity: summary.validity,
        key,
        at,
    };
    let anchored = anchored(&ders, trust, at)?;
    let key_rule = key.map(|_| &leaf::KEY_MATCHES);
    let rules = leaf::RULES.iter().chain(key_rule).chain(chain::RULES);
    let mut findings: Vec<Finding> = rules.map(|rule| rule.apply(&patient)).collect();
    findings.push(chain::trusted(&patient, anchored.as_ref()));
    Ok(ChainCheck {
        owner: clean(&leaf.subject().to_string()),
        issuer: clean(&leaf.issuer().to_string()),
        key: algorithms::key_name(leaf),
        validity: summary.validity,
        findings,
        anchored,
    })
}

/// The judge's own question, so that doctor and judge cannot disagree.
fn anchored(
    ders: &[Vec<u8>],
    trust: TrustStore,
    at: Timestamp,
) -> Result<Option<Anchored>, SignError> {
    let reader = StoreReader::new(trust).map_err(|error| SignError::Library(error.to_string()))?;
    let list = reader.vouching_list(ders, at);
    Ok(list.map(|list| Anchored {
        list: list.info.name.clone(),
        status: list.vouches,
    }))
}

/// What the rules look at.
struct Patient<'a> {
    ders: &'a [Vec<u8>],
    certificates: &'a [X509Certificate<'a>],
    leaf: &'a X509Certificate<'a>,
    validity: Validity,
    key: Option<&'a PrivateKey>,
    at: Timestamp,
}

/// A rule and how it is checked.
struct Rule {
    code: &'static str,
    text: &'static str,
    ask: &'static str,
    weight: Weight,
    /// What is there instead of what should be.
    breach: fn(&Patient<'_>) -> Option<String>,
}

/// What a breach means.
enum Weight {
    /// Readers refuse.
    Required,
    /// Readers do not mind.
    Advised,
}

impl Rule {
    fn apply(&self, patient: &Patient<'_>) -> Finding {
        let outcome = match ((self.breach)(patient), &self.weight) {
            (None, _) => Outcome::Holds,
            (Some(found), Weight::Required) => Outcome::Broken {
                found,
                ask: self.ask,
            },
            (Some(found), Weight::Advised) => Outcome::Unadvised {
                found,
                ask: self.ask,
            },
        };
        Finding {
            code: self.code,
            rule: self.text,
            outcome,
        }
    }
}
