//! The c2pa crate's reader and its trust and time-stamp checks, behind our own types.
//!
//! This module and `sign.rs` alone name the crate. Settings are per call, never global; nothing is
//! fetched; a deadline is enforced through the crate's progress hook.

mod authority;
mod convert;
mod vouch;

use std::{
    cell::Cell,
    collections::HashMap,
    io::Cursor,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aho_corasick::AhoCorasick;
use c2pa::{
    Context, Reader,
    crypto::{
        cose::{CertificateTrustPolicy, TrustAnchorType, Verifier},
        time_stamp::verify_time_stamp,
    },
    jumbf_io,
    status_tracker::StatusTracker,
};
use media::Media;
use serde_json::{Value, json};

use crate::{
    codes,
    cose::Stamp,
    error::ProvenanceError,
    finding::{StatusCode, ValidationState},
    jumbf::{self, ManifestBoxes},
    time::Timestamp,
    trust::{INTERIM_EKUS, Role, TrustList, TrustStore},
};

pub(crate) use authority::authority;
pub(crate) use convert::is_failure;
pub(crate) use vouch::is_signed_by;

/// Longest one file may keep the reader busy.
const DEADLINE: Duration = Duration::from_millis(1_800);
/// Contexts kept for sets of anchors; real traffic has a few dozen.
const MAX_CONTEXTS: usize = 256;

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
#[derive(Default)]
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
#[derive(Default)]
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
    contexts: Mutex<HashMap<Vec<Handle>, Arc<Context>>>,
    issued: vouch::Cache,
}

/// An anchor: number of its list, number in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Handle(usize, usize);

/// The anchors that can matter for one store.
#[derive(Debug, Clone, Default)]
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
            contexts: Mutex::default(),
            issued: vouch::Cache::default(),
        };
        reader.context(&Selection(Vec::new()))?;
        Ok(reader)
    }

    /// The manifest store inside the file.
    pub(crate) fn embedded_store(&self, media: &Media) -> Result<Vec<u8>, NoReading> {
        let format = format_of(media);
        jumbf_io::load_jumbf_from_memory(format, media.bytes()).map_err(no_reading)
    }

    /// The anchors whose subject name occurs in `store`. Sound because a chain that ends in an anchor
    /// names it as an issuer or contains it; a compressed store hides names, so it gets all.
    pub(crate) fn select(&self, store: &[u8], manifests: &[ManifestBoxes<'_>]) -> Selection {
        if manifests.is_empty() || jumbf::is_compressed(store) {
            return Selection(self.handles.clone());
        }
        // Certificates stand in signatures and in CBOR assertions; thumbnails are most of a store.
        self.named_in(manifests.iter().flat_map(|manifest| {
            let assertions = manifest.assertions.iter().map(|(_, cbor)| *cbor);
            manifest.signature.into_iter().chain(assertions)
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

    /// Reads and validates; `sidecar` is the store when it is not in the file.
    pub(crate) fn read(
        &self,
        media: &Media,
        sidecar: Option<&[u8]>,
        selection: &Selection,
    ) -> Result<Reading, NoReading> {
        let context = self
            .context(selection)
            .map_err(|error| NoReading::Malformed(error.to_string()))?;
        let format = format_of(media);
        let stream = Cursor::new(media.bytes());
        DEADLINE_AT.set(Instant::now().checked_add(DEADLINE));
        let reader = Reader::from_shared_context(&context);
        let reader = match sidecar {
            Some(store) => reader.with_manifest_data_and_stream(store, format, stream),
            None => reader.with_stream(format, stream),
        };
        DEADLINE_AT.set(None);
        reader
            .map(|reader| convert::reading(&reader))
            .map_err(no_reading)
    }

    /// The first list that vouches for the signer at time `at`.
    pub(crate) fn vouching_list(
        &self,
        chain: &[Vec<u8>],
        selection: &Selection,
        at: Timestamp,
    ) -> Option<&TrustList> {
        let (leaf, issuers) = chain.split_first()?;
        self.lists.iter().enumerate().find_map(|(number, list)| {
            let anchors = selection.of_list(number);
            let vouched = match list.role {
                Role::StampAnchor => false,
                Role::AllowedSigner => anchors
                    .iter()
                    .any(|anchor| list.anchors.get(*anchor).is_some_and(|a| a.der == *leaf)),
                Role::SignerAnchor => {
                    !anchors.is_empty()
                        && policy(list, &anchors, TrustAnchorType::Manifest)
                            .check_certificate_trust(issuers, leaf, Some(at.0))
                            .is_ok()
                }
            };
            vouched.then_some(list)
        })
    }

    /// Checks a time stamp against the TSA lists alone, whatever the claim's version.
    ///
    /// Checking costs one or two RSA verifications, the dearest part of a whole reading, so the
    /// library's answer is taken where it suffices: on version 2 claims it has checked the lists, and a
    /// token that names no anchor of ours cannot be trusted.
    pub(crate) fn check_stamp(&self, stamp: &Stamp, library: LibraryStamp) -> StampCheck {
        let anchors = self.stamp_anchors(stamp);
        match (library, &anchors) {
            (LibraryStamp::Refused, _) => StampCheck::Invalid,
            (LibraryStamp::Trusted(time), Some(_)) => StampCheck::Trusted(time),
            (LibraryStamp::Sound(time), None) => StampCheck::Untrusted(time),
            (LibraryStamp::Trusted(_) | LibraryStamp::Sound(_) | LibraryStamp::Unsaid, _) => {
                check_token(stamp, anchors.as_ref())
            }
        }
    }

    /// The TSA anchors that the token names, if any.
    fn stamp_anchors(&self, stamp: &Stamp) -> Option<CertificateTrustPolicy> {
        let selection = self.named_in(std::iter::once(stamp.token.as_slice()));
        let mut anchored = None;
        for (number, list) in self.lists.iter().enumerate() {
            let anchors = selection.of_list(number);
            if list.role == Role::StampAnchor && !anchors.is_empty() {
                let policy = anchored.get_or_insert_with(CertificateTrustPolicy::new);
                add_anchors(policy, list, &anchors, TrustAnchorType::TSA);
            }
        }
        anchored
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

    fn context(&self, selection: &Selection) -> Result<Arc<Context>, ProvenanceError> {
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = contexts.get(&selection.0) {
            return Ok(Arc::clone(context));
        }
        let context = Context::new()
            .with_settings(self.settings(selection).to_string().as_str())
            .map_err(|error| ProvenanceError::Configuration(error.to_string()))?
            .with_progress_callback(|_, _, _| before_deadline())
            .into_shared();
        if contexts.len() >= MAX_CONTEXTS {
            contexts.clear();
        }
        contexts.insert(selection.0.clone(), Arc::clone(&context));
        Ok(context)
    }

    fn settings(&self, selection: &Selection) -> Value {
        let anchors: Vec<Value> = self
            .lists
            .iter()
            .enumerate()
            .filter_map(|(number, list)| list_settings(list, &selection.of_list(number)))
            .collect();
        json!({
            "trust": { "anchors": anchors, "trust_config": INTERIM_EKUS },
            "core": { "allowed_network_hosts": [], "max_decompressed_manifest_size_in_mb": 32 },
            "verify": {
                "verify_trust": true,
                "verify_timestamp_trust": true,
                "ocsp_fetch": false,
                "remote_manifest_fetch": false,
            },
        })
    }
}

/// How a time stamp's checks ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampCheck {
    Trusted(Timestamp),
    Untrusted(Timestamp),
    Invalid,
}

fn check_token(stamp: &Stamp, anchors: Option<&CertificateTrustPolicy>) -> StampCheck {
    let nobody = CertificateTrustPolicy::new();
    // Every call gets a log of its own: the library writes its findings there.
    let check = |verify_trust| {
        let mut log = StatusTracker::default();
        let anchors = anchors.unwrap_or(&nobody);
        verify_time_stamp(
            &stamp.token,
            &stamp.stamped,
            anchors,
            &mut log,
            verify_trust,
        )
        .ok()
        .map(|info| {
            let time: chrono::DateTime<chrono::Utc> = info.gen_time.into();
            Timestamp(time.timestamp())
        })
    };
    let trusted = if anchors.is_some() { check(true) } else { None };
    match trusted {
        Some(time) => StampCheck::Trusted(time),
        None => check(false).map_or(StampCheck::Invalid, StampCheck::Untrusted),
    }
}

/// What the library says of a manifest's time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LibraryStamp {
    /// Sound, and its authority is on a list (it looks only on version 2 claims).
    Trusted(Timestamp),
    /// Sound; the lists were not asked.
    Sound(Timestamp),
    /// Not sound.
    Refused,
    /// Nothing that settles the matter.
    Unsaid,
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

thread_local! {
    static DEADLINE_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

fn before_deadline() -> bool {
    DEADLINE_AT
        .get()
        .is_none_or(|deadline| Instant::now() < deadline)
}

fn list_settings(list: &TrustList, anchors: &[usize]) -> Option<Value> {
    if anchors.is_empty() {
        return None;
    }
    let pem = pem_bundle(list, anchors);
    Some(match list.role {
        Role::SignerAnchor => json!({
            "trust_anchors": pem, "trust_uri": list.info.name, "trust_kind": "manifest",
        }),
        Role::StampAnchor => json!({
            "trust_anchors": pem, "trust_uri": list.info.name, "trust_kind": "tsa",
        }),
        Role::AllowedSigner => json!({
            "trust_anchors": "", "trust_uri": list.info.name, "trust_kind": "manifest",
            "allowed_list": pem,
        }),
    })
}

fn policy(list: &TrustList, anchors: &[usize], kind: TrustAnchorType) -> CertificateTrustPolicy {
    let mut policy = CertificateTrustPolicy::default();
    policy.add_valid_ekus(INTERIM_EKUS.as_bytes());
    add_anchors(&mut policy, list, anchors, kind);
    policy
}

fn add_anchors(
    policy: &mut CertificateTrustPolicy,
    list: &TrustList,
    anchors: &[usize],
    kind: TrustAnchorType,
) {
    let pem = pem_bundle(list, anchors);
    // The bundle is our own encoding of certificates that parsed, so this cannot fail; if it did, the
    // anchor would be missing and the signer unknown, which is the safe side.
    let _ = policy.add_trust_anchors(pem.as_bytes(), &list.info.name, kind, None);
}

fn pem_bundle(list: &TrustList, anchors: &[usize]) -> String {
    anchors
        .iter()
        .filter_map(|number| list.anchors.get(*number))
        .map(|anchor| pem::encode(&pem::Pem::new("CERTIFICATE", anchor.der.as_slice())))
        .collect()
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
