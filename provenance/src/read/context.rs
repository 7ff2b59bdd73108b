//! Settings of the library for one set of believed certificates, made once per set, and the time limit.
//!
//! The library parses its lists anew for every file, so each file gets only what can matter for it.

use std::{
    cell::Cell,
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use c2pa::{
    Context,
    crypto::cose::{CertificateTrustPolicy, TrustAnchorType},
};
use media::Digest;
use serde_json::{Value, json};

use super::{Selection, StoreReader};
use crate::{
    error::ProvenanceError,
    trust::{INTERIM_EKUS, Role, TrustList},
};

/// Longest one file may keep the reader busy.
const DEADLINE: Duration = Duration::from_millis(1_800);
/// Contexts kept; real traffic has a few dozen signers at a time.
const MAX_CONTEXTS: usize = 256;

/// Whom the library is told to believe for one store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Believed<'a> {
    /// Signers whose chains are already checked, in DER, sorted.
    pub(super) signers: Vec<&'a [u8]>,
    /// Whoever chains to these anchors.
    pub(super) anchors: Selection,
    /// Whether the authorities of time stamps have to chain to an anchor.
    pub(super) verify_stamps: bool,
}

impl Believed<'_> {
    /// Nobody but those who chain to `anchors`.
    pub(super) fn anchors(anchors: Selection) -> Self {
        Self {
            signers: Vec::new(),
            anchors,
            verify_stamps: true,
        }
    }
}

/// The same with the signers' digests.
type Key = (Vec<Digest>, Selection, bool);

/// The contexts made so far.
#[derive(Default)]
pub(super) struct Contexts(Mutex<HashMap<Key, Arc<Context>>>);

impl StoreReader {
    pub(super) fn context(&self, believed: &Believed<'_>) -> Result<Arc<Context>, ProvenanceError> {
        let signers = believed.signers.iter().map(|der| Digest::of(der));
        let key = (
            signers.collect(),
            believed.anchors.clone(),
            believed.verify_stamps,
        );
        let mut contexts = self
            .contexts
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(context) = contexts.get(&key) {
            return Ok(Arc::clone(context));
        }
        let context = Context::new()
            .with_settings(self.settings(believed).to_string().as_str())
            .map_err(|error| ProvenanceError::Configuration(error.to_string()))?
            .with_progress_callback(|_, _, _| before_deadline())
            .into_shared();
        if contexts.len() >= MAX_CONTEXTS {
            contexts.clear();
        }
        contexts.insert(key, Arc::clone(&context));
        Ok(context)
    }

    fn settings(&self, believed: &Believed<'_>) -> Value {
        let lists = self.lists.iter().enumerate();
        let mut anchors: Vec<Value> = lists
            .filter_map(|(number, list)| list_settings(list, &believed.anchors.of_list(number)))
            .collect();
        anchors.extend(signer_settings(&believed.signers));
        json!({
            "trust": { "anchors": anchors, "trust_config": INTERIM_EKUS },
            "builder": { "thumbnail": { "enabled": false }, "ignore_ingredient_errors": false },
            "core": { "allowed_network_hosts": [], "max_decompressed_manifest_size_in_mb": 32 },
            "verify": {
                "verify_trust": true,
                "verify_timestamp_trust": believed.verify_stamps,
                "ocsp_fetch": false,
                "remote_manifest_fetch": false,
            },
        })
    }
}

fn list_settings(list: &TrustList, anchors: &[usize]) -> Option<Value> {
    if anchors.is_empty() {
        return None;
    }
    let pem = pem_bundle(list, anchors);
    let name = &list.info.name;
    Some(match list.role {
        Role::SignerAnchor => json!({
            "trust_anchors": pem, "trust_uri": name, "trust_kind": "manifest",
        }),
        Role::StampAnchor => json!({
            "trust_anchors": pem, "trust_uri": name, "trust_kind": "tsa",
        }),
        Role::AllowedSigner => json!({
            "trust_anchors": "", "trust_uri": name, "trust_kind": "manifest", "allowed_list": pem,
        }),
    })
}

fn signer_settings(signers: &[&[u8]]) -> Option<Value> {
    let pem: String = signers.iter().map(|der| pem_of(der)).collect();
    (!signers.is_empty()).then(|| {
        json!({ "trust_anchors": "", "trust_uri": "", "trust_kind": "manifest", "allowed_list": pem })
    })
}

/// Adds the selected anchors of `list` to `policy`, as the library does with its settings.
pub(super) fn believe(policy: &mut CertificateTrustPolicy, list: &TrustList, anchors: &[usize]) {
    let kind = match list.role {
        Role::SignerAnchor => TrustAnchorType::Manifest,
        Role::StampAnchor => TrustAnchorType::TSA,
        Role::AllowedSigner => {
            // See below.
            let _ = policy.add_end_entity_credentials(pem_bundle(list, anchors).as_bytes());
            return;
        }
    };
    // The bundle is our own encoding of certificates that parsed, so this cannot fail; if it did, the
    // anchor would be missing and the signer unknown, which is the safe side.
    let pem = pem_bundle(list, anchors);
    let _ = policy.add_trust_anchors(pem.as_bytes(), &list.info.name, kind, None);
}

fn pem_bundle(list: &TrustList, anchors: &[usize]) -> String {
    anchors
        .iter()
        .filter_map(|number| list.anchors.get(*number))
        .map(|anchor| pem_of(&anchor.der))
        .collect()
}

fn pem_of(der: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", der))
}

thread_local! {
    static DEADLINE_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// While it lives, the library's work on this thread is bounded in time.
pub(super) struct Deadline;

impl Deadline {
    pub(super) fn start() -> Self {
        DEADLINE_AT.set(Instant::now().checked_add(DEADLINE));
        Self
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        DEADLINE_AT.set(None);
    }
}

fn before_deadline() -> bool {
    DEADLINE_AT
        .get()
        .is_none_or(|deadline| Instant::now() < deadline)
}
