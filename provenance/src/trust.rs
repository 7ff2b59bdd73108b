//! Trust lists: who vouches for signers, and who for time stamps. The kinds never mix.
//!
//! Lists are parsed once. Per file only the anchors whose name occurs in the manifest store are handed
//! to the reader, because parsing every list for every file costs more than all hashing
//! (docs/PROVENANCE.md has the figures).

use std::{fs, path::Path};

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
    /// Whether it may issue certificates.
    is_ca: bool,
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
    denied: Vec<Digest>,
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
            store.add_bundled(list)?;
        }
        Ok(store)
    }

    /// The compiled-in lists, each replaced by the file of the same name in `folder` where there is one:
    /// `c2pa-trust-list.pem`, `c2pa-tsa-trust-list.pem`, `interim-anchors.pem`, `interim-allowed.pem`.
    /// Issue date and next update come from the list of trusted entities beside it (the same name with
    /// `.json`, ETSI TS 119 602) where there is one. `deny.txt` is a deny list, see [`Self::deny`].
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TrustList`] when a file cannot be read or parsed, or when `folder` holds none
    /// of these files.
    pub fn from_folder(folder: &Path) -> Result<Self, ProvenanceError> {
        let mut store = Self::empty();
        let mut replaced = 0_u32;
        for list in &BUNDLED {
            let path = folder.join(list.file);
            if !path.exists() {
                store.add_bundled(list)?;
                continue;
            }
            let pem = read_list(&path)?;
            let dates = read_dates(&path.with_extension("json"));
            let info = TrustListInfo {
                name: list.name.to_owned(),
                date: dates.as_ref().map(|dates| dates.0.clone()),
                next_update: dates.map(|dates| dates.1),
                sha256: Digest::of(&pem),
            };
            store.add(info, list.role, list.vouches, &pem)?;
            replaced = replaced.saturating_add(1);
        }
        let deny = folder.join(DENY_FILE);
        if deny.exists() {
            let text = read_list(&deny)?;
            store.deny(DENY_FILE, &String::from_utf8_lossy(&text))?;
            replaced = replaced.saturating_add(1);
        }
        if replaced == 0 {
            return Err(ProvenanceError::TrustList {
                name: folder.display().to_string(),
                detail: "the folder holds none of the known lists".to_owned(),
            });
        }
        Ok(store)
    }

    fn add_bundled(&mut self, list: &Bundled) -> Result<(), ProvenanceError> {
        let info = TrustListInfo {
            name: list.name.to_owned(),
            date: Some(list.date.to_owned()),
            next_update: list.next_update.map(str::to_owned),
            sha256: Digest::of(list.pem),
        };
        self.add(info, list.role, list.vouches, list.pem)
    }

    /// No list at all: every signer is unknown.
    pub fn empty() -> Self {
        Self {
            lists: Vec::new(),
            infos: Vec::new(),
            denied: Vec::new(),
        }
    }

    /// Adds certificates that the operator trusts: CAs as anchors, others as signers of their own.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TrustList`] when `pem` holds no certificate or one that does not parse.
    pub fn add_anchors_pem(&mut self, name: &str, pem: &[u8]) -> Result<(), ProvenanceError> {
        let all = parse(name, pem)?;
        let (anchors, signers): (Vec<Anchor>, Vec<Anchor>) =
            all.into_iter().partition(|anchor| anchor.is_ca);
        let info = |name: String| TrustListInfo {
            name,
            date: None,
            next_update: None,
            sha256: Digest::of(pem),
        };
        if !anchors.is_empty() {
            let info = info(name.to_owned());
            self.push(info, Role::SignerAnchor, SignerStatus::Local, anchors);
        }
        if !signers.is_empty() {
            let info = info(format!("{name} (signers)"));
            self.push(info, Role::AllowedSigner, SignerStatus::AllowList, signers);
        }
        Ok(())
    }

    /// Adds certificates that count as revoked: one SHA-256 of a DER certificate a line, in hex; empty
    /// lines and those that begin with `#` are skipped.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::TrustList`] when a line is no digest.
    pub fn deny(&mut self, name: &str, text: &str) -> Result<(), ProvenanceError> {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let digest = Digest::from_hex(line).ok_or_else(|| ProvenanceError::DenyList {
                name: name.to_owned(),
                line: number.saturating_add(1),
            })?;
            self.denied.push(digest);
        }
        Ok(())
    }

    /// The lists in force, for the report and for `doctor`.
    pub fn lists(&self) -> &[TrustListInfo] {
        &self.infos
    }

    /// Digests of the certificates that count as revoked.
    pub(crate) fn denied(&self) -> &[Digest] {
        &self.denied
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
        let anchors = parse(&info.name, pem)?;
        self.push(info, role, vouches, anchors);
        Ok(())
    }

    fn push(
        &mut self,
        info: TrustListInfo,
        role: Role,
        vouches: SignerStatus,
        anchors: Vec<Anchor>,
    ) {
        self.infos.push(info.clone());
        self.lists.push(TrustList {
            info,
            role,
            vouches,
            anchors,
        });
    }
}

fn parse(name: &str, pem: &[u8]) -> Result<Vec<Anchor>, ProvenanceError> {
    parse_anchors(pem).map_err(|detail| ProvenanceError::TrustList {
        name: name.to_owned(),
        detail,
    })
}

fn read_list(path: &Path) -> Result<Vec<u8>, ProvenanceError> {
    fs::read(path).map_err(|error| ProvenanceError::TrustList {
        name: path.display().to_string(),
        detail: error.to_string(),
    })
}

/// Issue date and next update of a list of trusted entities, as days.
fn read_dates(path: &Path) -> Option<(String, String)> {
    let list: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let scheme = list.pointer("/LoTE/ListAndSchemeInformation")?;
    let day = |key: &str| Some(scheme.get(key)?.as_str()?.get(..10)?.to_owned());
    Some((day("ListIssueDateTime")?, day("NextUpdate")?))
}

/// The certificates of a PEM bundle, each once.
fn parse_anchors(pem: &[u8]) -> Result<Vec<Anchor>, String> {
    let mut anchors: Vec<Anchor> = Vec::new();
    for block in Pem::iter_from_buffer(pem) {
        let der = block.map_err(|error| format!("not PEM: {error}"))?.contents;
        let (subject, is_ca) = subject_of(&der)?;
        if anchors.iter().all(|anchor| anchor.der != der) {
            anchors.push(Anchor {
                der,
                subject,
                is_ca,
            });
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

fn subject_of(der: &[u8]) -> Result<(Vec<u8>, bool), String> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|error| format!("a certificate does not parse: {error}"))?;
    Ok((certificate.subject().as_raw().to_vec(), certificate.is_ca()))
}

/// Extended key usages the interim list accepts, one OID a line.
pub(crate) const INTERIM_EKUS: &str = include_str!("../trust/interim-store.cfg");

const DENY_FILE: &str = "deny.txt";

/// Bound on one list; the largest known list has 117 certificates.
const MAX_ANCHORS: usize = 4_096;

struct Bundled {
    name: &'static str,
    /// Its file in a folder that replaces the bundled lists.
    file: &'static str,
    date: &'static str,
    next_update: Option<&'static str>,
    role: Role,
    vouches: SignerStatus,
    pem: &'static [u8],
}

const BUNDLED: [Bundled; 4] = [
    Bundled {
        name: "c2pa",
        file: "c2pa-trust-list.pem",
        date: "2026-08-13",
        next_update: Some("2027-08-05"),
        role: Role::SignerAnchor,
        vouches: SignerStatus::C2paList,
        pem: include_bytes!("../trust/c2pa-trust-list.pem"),
    },
    Bundled {
        name: "c2pa-tsa",
        file: "c2pa-tsa-trust-list.pem",
        date: "2026-08-13",
        next_update: Some("2027-08-05"),
        role: Role::StampAnchor,
        vouches: SignerStatus::None,
        pem: include_bytes!("../trust/c2pa-tsa-trust-list.pem"),
    },
    Bundled {
        name: "interim",
        file: "interim-anchors.pem",
        date: "2026-02-11",
        next_update: None,
        role: Role::SignerAnchor,
        vouches: SignerStatus::InterimList,
        pem: include_bytes!("../trust/interim-anchors.pem"),
    },
    Bundled {
        name: "interim-allowed",
        file: "interim-allowed.pem",
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
    fn a_folder_replaces_lists_and_dates_them() {
        let folder = std::env::temp_dir().join(format!("bonafide-trust-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(TrustStore::from_folder(&folder).is_err());
        let pem = include_bytes!("../trust/c2pa-tsa-trust-list.pem");
        std::fs::write(folder.join("c2pa-trust-list.pem"), pem).unwrap();
        let dates = r#"{"LoTE":{"ListAndSchemeInformation":{"ListIssueDateTime":"2027-01-02T03:04:05Z",
            "NextUpdate":"2028-01-02T03:04:05Z"}}}"#;
        std::fs::write(folder.join("c2pa-trust-list.json"), dates).unwrap();
        let store = TrustStore::from_folder(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(store.lists().len(), 4);
        assert_eq!(store.lists()[0].date.as_deref(), Some("2027-01-02"));
        assert_eq!(store.lists()[0].next_update.as_deref(), Some("2028-01-02"));
        assert_eq!(store.lists()[1].date.as_deref(), Some("2026-08-13"));
        assert_eq!(store.into_lists()[0].anchors.len(), 22);
    }

    #[test]
    fn a_deny_list_names_its_bad_line() {
        let mut store = TrustStore::empty();
        let good =
            "# compromised\n\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
        store.deny("deny.txt", good).unwrap();
        assert_eq!(store.denied().len(), 1);
        let error = store.deny("deny.txt", "xyz").unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
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
