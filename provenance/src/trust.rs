//! Trust lists: who vouches for signers, and who for time stamps. The kinds never mix.
//!
//! Lists are parsed once. Per file only the anchors whose name occurs in the manifest store are handed
//! to the reader, because parsing every list for every file costs more than all hashing
//! (docs/PROVENANCE.md has the figures).

use media::Digest;
use x509_parser::prelude::{FromDer, Pem, X509Certificate};

use crate::{error::ProvenanceError, finding::SignerStatus};

/// What a certificate of a list may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Issue certificates for signers.
    SignerAnchor,
    /// Be a signer itself, without a chain.
    AllowedSigner,
    /// Issue certificates for time-stamping authorities, nothing else.
    StampAnchor,
}

/// A trust list that takes part in judging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustListInfo {
    /// `c2pa`, `c2pa-tsa`, `interim`, `interim-allowed`, or the file name of a local list.
    pub name: String,
    /// Date of its last change, `YYYY-MM-DD`; `None` for local files.
    pub date: Option<String>,
    /// Day it should be replaced by, `YYYY-MM-DD`, where it names one.
    pub next_update: Option<String>,
    /// Digest of the bytes parsed.
    pub sha256: Digest,
}

/// One certificate of a list.
pub(crate) struct Anchor {
    pub(crate) der: Vec<u8>,
    /// Its subject name in DER: the handle by which a chain mentions it.
    pub(crate) subject: Vec<u8>,
}

/// One list with its certificates.
pub(crate) struct TrustList {
    pub(crate) info: TrustListInfo,
    pub(crate) role: Role,
    pub(crate) vouches: SignerStatus,
    pub(crate) anchors: Vec<Anchor>,
}

/// The lists in force.
pub struct TrustStore {
    lists: Vec<TrustList>,
    infos: Vec<TrustListInfo>,
}

impl TrustStore {
    /// The copies that are compiled in; their origins and dates are in `provenance/trust/README.md`.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TrustList`] when a compiled-in copy does not parse.
    pub fn bundled() -> Result<Self, ProvenanceError> {
        let mut store = Self::empty();
        for list in &BUNDLED {
            let info = TrustListInfo {
                name: list.name.to_owned(),
                date: Some(list.date.to_owned()),
                next_update: list.next_update.map(str::to_owned),
                sha256: Digest::of(list.pem),
            };
            store.add(info, list.role, list.vouches, list.pem)?;
        }
        Ok(store)
    }

    /// No list at all: every signer is unknown.
    pub fn empty() -> Self {
        Self {
            lists: Vec::new(),
            infos: Vec::new(),
        }
    }

    /// Adds signer anchors of the operator.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TrustList`] when `pem` holds no certificate or one that does not parse.
    pub fn add_anchors_pem(&mut self, name: &str, pem: &[u8]) -> Result<(), ProvenanceError> {
        let info = TrustListInfo {
            name: name.to_owned(),
            date: None,
            next_update: None,
            sha256: Digest::of(pem),
        };
        self.add(info, Role::SignerAnchor, SignerStatus::Local, pem)
    }

    /// The lists in force, for the report and for `doctor`.
    pub fn lists(&self) -> &[TrustListInfo] {
        &self.infos
    }

    pub(crate) fn into_lists(self) -> Vec<TrustList> {
        self.lists
    }

    fn add(
        &mut self,
        info: TrustListInfo,
        role: Role,
        vouches: SignerStatus,
        pem: &[u8],
    ) -> Result<(), ProvenanceError> {
        let anchors = parse_anchors(pem).map_err(|detail| ProvenanceError::TrustList {
            name: info.name.clone(),
            detail,
        })?;
        self.infos.push(info.clone());
        self.lists.push(TrustList {
            info,
            role,
            vouches,
            anchors,
        });
        Ok(())
    }
}

/// The certificates of a PEM bundle, each once.
fn parse_anchors(pem: &[u8]) -> Result<Vec<Anchor>, String> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let der = block.map_err(|error| format!("not PEM: {error}"))?.contents;
        let subject = subject_of(&der)?;
        if anchors.iter().all(|anchor| anchor.der != der) {
            anchors.push(Anchor { der, subject });
        }
        if anchors.len() > MAX_ANCHORS {
            return Err(format!("more than {MAX_ANCHORS} certificates"));
        }
    }
    if anchors.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    Ok(anchors)
}

fn subject_of(der: &[u8]) -> Result<Vec<u8>, String> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|error| format!("a certificate does not parse: {error}"))?;
    Ok(certificate.subject().as_raw().to_vec())
}

/// Extended key usages the interim list accepts, one OID a line.
pub(crate) const INTERIM_EKUS: &str = include_str!("../trust/interim-store.cfg");

/// Bound on one list; the largest known list has 117 certificates.
const MAX_ANCHORS: usize = 4_096;

struct Bundled {
    name: &'static str,
    date: &'static str,
    next_update: Option<&'static str>,
    role: Role,
    vouches: SignerStatus,
    pem: &'static [u8],
}

const BUNDLED: [Bundled; 4] = [
    Bundled {
        name: "c2pa",
        date: "2026-08-13",
        next_update: Some("2027-08-05"),
        role: Role::SignerAnchor,
        vouches: SignerStatus::C2paList,
        pem: include_bytes!("../trust/c2pa-trust-list.pem"),
    },
    Bundled {
        name: "c2pa-tsa",
        date: "2026-08-13",
        next_update: Some("2027-08-05"),
        role: Role::StampAnchor,
        vouches: SignerStatus::None,
        pem: include_bytes!("../trust/c2pa-tsa-trust-list.pem"),
    },
    Bundled {
        name: "interim",
        date: "2026-02-11",
        next_update: None,
        role: Role::SignerAnchor,
        vouches: SignerStatus::InterimList,
        pem: include_bytes!("../trust/interim-anchors.pem"),
    },
    Bundled {
        name: "interim-allowed",
        date: "2026-02-11",
        next_update: None,
        role: Role::AllowedSigner,
        vouches: SignerStatus::AllowList,
        pem: include_bytes!("../trust/interim-allowed.pem"),
    },
];

#[cfg(test)]
mod tests {
    use super::{Role, TrustStore};

    #[test]
    fn bundled_lists_parse_and_keep_their_kinds_apart() {
        let store = TrustStore::bundled().unwrap();
        let lists = store.into_lists();
        let sizes: Vec<_> = lists
            .iter()
            .map(|list| (list.info.name.as_str(), list.role, list.anchors.len()))
            .collect();
        assert_eq!(
            sizes,
            [
                ("c2pa", Role::SignerAnchor, 30),
                ("c2pa-tsa", Role::StampAnchor, 22),
                ("interim", Role::SignerAnchor, 26),
                ("interim-allowed", Role::AllowedSigner, 117),
            ]
        );
    }

    #[test]
    fn a_local_list_without_certificates_is_refused() {
        let mut store = TrustStore::empty();
        for pem in [
            &b""[..],
            b"hello",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let error = store.add_anchors_pem("mine.pem", pem).unwrap_err();
            assert_eq!(error.code(), "trust_list");
            assert!(error.to_string().contains("mine.pem"));
        }
        assert!(store.lists().is_empty());
    }
}
