//! The c2pa crate's reader and its trust and time-stamp checks, behind our own types.
//!
//! This module and `sign.rs` alone name the crate. Settings are per call, never global; nothing is
//! fetched; a deadline is enforced through the crate's progress hook.

mod authority;
mod context;
mod convert;
mod model;
mod stamp;
mod standing;
mod swift;
mod vouch;

use std::io::Cursor;

use aho_corasick::AhoCorasick;
use c2pa::{Reader, crypto::cose::Verifier, jumbf_io, status_tracker::StatusTracker};
use media::Media;
use serde_json::Value;

use crate::{
    codes,
    cose::{self, CoseSign1},
    error::ProvenanceError,
    finding::{StatusCode, ValidationState},
    jumbf::{self, ManifestBoxes},
    time::Timestamp,
    trust::{Role, TrustList, TrustStore},
};

pub(crate) use authority::authority;
use context::{Believed, Contexts, Deadline};
pub(crate) use convert::is_failure;
pub(crate) use stamp::{LibraryStamp, StampCheck};
pub(crate) use vouch::is_signed_by;

/// What the library found, in our own types.
pub(crate) struct Reading {
    pub(crate) state: ValidationState,
    /// The library's clock when it judged.
    pub(crate) checked_at: Option<Timestamp>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) manifests: Vec<RawManifest>,
}

/// One status of the library.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    pub(crate) code: StatusCode,
    pub(crate) outcome: Outcome,
    /// JUMBF URI of the box concerned.
    pub(crate) url: String,
    /// URI of the ingredient assertion it was found through; `None` for the active manifest.
    pub(crate) ingredient: Option<String>,
    /// Name of the trust list it speaks of.
    pub(crate) list: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Informational,
    Failure,
}

/// One manifest as the library parsed it; nothing in it is checked for display.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RawManifest {
    pub(crate) label: String,
    pub(crate) active: bool,
    pub(crate) title: Option<String>,
    pub(crate) claim_generator: Option<String>,
    pub(crate) claim_version: Option<u8>,
    pub(crate) issuer: Option<String>,
    pub(crate) common_name: Option<String>,
    pub(crate) signed_at: Option<String>,
    /// Label as in the claim, instance number included, and JSON value of each assertion that has one.
    pub(crate) assertions: Vec<(String, Value)>,
    /// A version 2 claim lists an actions assertion among those it did not make itself.
    pub(crate) gathers_actions: bool,
    pub(crate) ingredients: Vec<RawIngredient>,
}

/// One ingredient as the library parsed it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct RawIngredient {
    /// Label of its assertion, instance number included.
    pub(crate) label: Option<String>,
    pub(crate) relationship: String,
    pub(crate) title: Option<String>,
    pub(crate) manifest: Option<String>,
    /// Codes recorded when it was added, passed checks included.
    pub(crate) recorded: Vec<StatusCode>,
    pub(crate) digital_source_type: Option<String>,
}

/// One manifest as our own walker found it.
pub(crate) struct SignedManifest<'a> {
    pub(crate) boxes: ManifestBoxes<'a>,
    pub(crate) cose: CoseSign1,
}

impl<'a> SignedManifest<'a> {
    /// The manifests of `store`, in file order.
    pub(crate) fn all(store: &'a [u8]) -> Vec<Self> {
        let manifests = jumbf::manifests(store).into_iter();
        manifests
            .map(|boxes| {
                let cose = match (boxes.signature, boxes.claim) {
                    (Some(signature), Some(claim)) => cose::parse(signature, claim),
                    _ => CoseSign1::default(),
                };
                Self { boxes, cose }
            })
            .collect()
    }
}

/// Why there is no reading.
#[derive(Debug)]
pub(crate) enum NoReading {
    /// No manifest in the file.
    Absent,
    /// Only an address of one.
    Remote(String),
    /// This kind of file is not read.
    Unsupported,
    /// The library gave up; its words.
    Malformed(String),
}

/// Reads manifests with the trust lists in force. Shared by all threads.
pub(crate) struct StoreReader {
    lists: Vec<TrustList>,
    /// Finds which anchors' names occur in a store; pattern n is `handles[n]`.
    names: AhoCorasick,
    handles: Vec<Handle>,
    contexts: Contexts,
    issued: vouch::Cache,
    standings: standing::Memory,
    authorities: stamp::Memory,
}

/// An anchor: number of its list, number in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Handle(usize, usize);

/// The anchors that can matter for one store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Selection(Vec<Handle>);

impl StoreReader {
    pub(crate) fn new(store: TrustStore) -> Result<Self, ProvenanceError> {
        let lists = store.into_lists();
        let mut handles = Vec::new();
        let mut names = Vec::new();
        for (list_number, list) in lists.iter().enumerate() {
            for (number, anchor) in list.anchors.iter().enumerate() {
                handles.push(Handle(list_number, number));
                names.push(anchor.subject.as_slice());
            }
        }
        let names = AhoCorasick::new(&names)
            .map_err(|error| ProvenanceError::Configuration(error.to_string()))?;
        let reader = Self {
            names,
            handles,
            lists,
            contexts: Contexts::default(),
            issued: vouch::Cache::default(),
            standings: standing::Memory::default(),
            authorities: stamp::Memory::default(),
        };
        reader.context(&Believed::anchors(Selection::default()))?;
        Ok(reader)
    }

    /// The manifest store inside the file.
    pub(crate) fn embedded_store(&self, media: &Media) -> Result<Vec<u8>, NoReading> {
        let format = format_of(media);
        jumbf_io::load_jumbf_from_memory(format, media.bytes()).map_err(no_reading)
    }

    /// The anchors whose subject name occurs in `store`. Sound because a chain that ends in an anchor
    /// names it as an issuer or contains it; a compressed store hides names, so it gets all.
    fn select(&self, store: &[u8], manifests: &[SignedManifest<'_>]) -> Selection {
        if manifests.is_empty() || jumbf::is_compressed(store) {
            return Selection(self.handles.clone());
        }
        // Certificates stand in signatures and in CBOR assertions; thumbnails are most of a store.
        self.named_in(manifests.iter().flat_map(|manifest| {
            let assertions = manifest.boxes.cbor().map(|(_, cbor)| cbor);
            manifest.boxes.signature.into_iter().chain(assertions)
        }))
    }

    /// The anchors whose subject name occurs in `parts`.
    pub(crate) fn named_in<'a>(&self, parts: impl Iterator<Item = &'a [u8]>) -> Selection {
        let mut selected: Vec<Handle> = parts
            .flat_map(|part| self.names.find_overlapping_iter(part))
            .filter_map(|found| self.handles.get(found.pattern().as_usize()).copied())
            .collect();
        selected.sort_unstable();
        selected.dedup();
        Selection(selected)
    }

    /// Reads and validates. `manifests` are those of `store`; `is_sidecar` when the store is not in the
    /// file. `now` is a guess at what the library will read from the clock; a wrong one costs time only.
    ///
    /// Chains of certificates repeat from file to file, so what the lists say of them is worked out once
    /// and the library is only told whom to believe; where that would not give its own answer, it gets
    /// the anchors and works everything out itself.
    pub(crate) fn read(
        &self,
        media: &Media,
        store: &[u8],
        is_sidecar: bool,
        manifests: &[SignedManifest<'_>],
        now: Timestamp,
    ) -> Result<Reading, NoReading> {
        let sidecar = is_sidecar.then_some(store);
        let _deadline = Deadline::start();
        if let Some(plan) = self.plan(store, manifests, now)
            && let Some(reading) = self.follow(&plan, media, sidecar, manifests)
        {
            return Ok(reading);
        }
        let selection = self.select(store, manifests);
        self.ask(media, sidecar, &Believed::anchors(selection))
    }

    /// The address of a manifest that the file names instead of having one.
    pub(crate) fn remote_address(&self, media: &Media) -> Option<String> {
        let _deadline = Deadline::start();
        match self.ask(media, None, &Believed::anchors(Selection::default())) {
            Err(NoReading::Remote(url)) => Some(url),
            Ok(_) | Err(_) => None,
        }
    }

    fn ask(
        &self,
        media: &Media,
        sidecar: Option<&[u8]>,
        believed: &Believed<'_>,
    ) -> Result<Reading, NoReading> {
        let context = self
            .context(believed)
            .map_err(|error| NoReading::Malformed(error.to_string()))?;
        let format = format_of(media);
        let stream = Cursor::new(media.bytes());
        let reader = Reader::from_shared_context(&context);
        match sidecar {
            Some(store) => reader.with_manifest_data_and_stream(store, format, stream),
            None => reader.with_stream(format, stream),
        }
        .map(|reader| convert::reading(&reader))
        .map_err(no_reading)
    }

    /// The list that the library says vouches for the active signer: `Some(None)` when it says nobody
    /// does, `None` when its answer does not settle the matter: the certificate has ended, or it took a
    /// time-stamp anchor for a signer's (it asks every list, whatever its kind).
    pub(crate) fn library_list(&self, reading: &Reading) -> Option<Option<&TrustList>> {
        let find = |code: &str| codes::active(reading).find(|status| status.code.0 == code);
        if let Some(status) = find("signingCredential.trusted") {
            // An end-entity certificate on an allow list is reported without a name.
            let list = self.lists.iter().find(|list| match &status.list {
                Some(name) if !name.is_empty() => list.info.name == *name,
                Some(_) | None => list.role == Role::AllowedSigner,
            });
            return list.filter(|list| list.role != Role::StampAnchor).map(Some);
        }
        find("signingCredential.expired").is_none().then_some(None)
    }

    /// Whether the COSE signature fits the claim, whatever the certificate is worth. The library says
    /// nothing of it when it refuses the certificate.
    pub(crate) fn signature_holds(&self, signature: &[u8], claim: &[u8]) -> bool {
        let mut log = StatusTracker::default();
        Verifier::IgnoreProfileAndTrustPolicy
            .verify_signature(signature, claim, b"", None, &mut log)
            .is_ok()
    }
}

impl Selection {
    /// Numbers of the selected anchors of one list.
    fn of_list(&self, list: usize) -> Vec<usize> {
        self.0
            .iter()
            .filter(|handle| handle.0 == list)
            .map(|handle| handle.1)
            .collect()
    }
}

/// The library's name for the kind; it sniffs the bytes itself and uses this as a hint.
fn format_of(media: &Media) -> &'static str {
    media.kind.mime()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "some hundred ways to fail mean one thing to us: the store cannot be read"
)]
fn no_reading(error: c2pa::Error) -> NoReading {
    match error {
        c2pa::Error::JumbfNotFound => NoReading::Absent,
        c2pa::Error::RemoteManifestUrl(url) | c2pa::Error::RemoteManifestFetch(url) => {
            NoReading::Remote(url)
        }
        c2pa::Error::UnsupportedType => NoReading::Unsupported,
        other => NoReading::Malformed(other.to_string()),
    }
}
