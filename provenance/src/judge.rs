//! Turns what the reader found into the axes of [`Provenance`], as of a given moment.

use media::{Digest, Kind, Media};

use crate::{
    ai, as_of,
    certificate::Certificate,
    codes,
    cose::CoseSign1,
    coverage,
    display::clean,
    error::ProvenanceError,
    finding::{
        Ai, AiStatus, Content, History, ManifestState, Place, Provenance, Signature, Signer,
        SignerStatus, Time, UnsignedLabel,
    },
    history, identity,
    jumbf::ManifestBoxes,
    labels, products,
    read::{
        LibraryStamp, NoReading, RawManifest, Reading, SignedManifest, StampCheck, StoreReader,
    },
    signals,
    time::Timestamp,
    trust::{TrustListInfo, TrustStore},
};

/// Judges files against trust lists. One per process, shared by all threads.
pub struct Judge {
    reader: StoreReader,
    lists: Vec<TrustListInfo>,
    denied: Vec<Digest>,
}

impl Judge {
    /// A judge that believes `store` and nobody else.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::Configuration`] when the reader refuses our own settings.
    pub fn new(store: TrustStore) -> Result<Self, ProvenanceError> {
        Ok(Self {
            lists: store.lists().to_vec(),
            denied: store.denied().to_vec(),
            reader: StoreReader::new(store)?,
        })
    }

    /// The lists in force.
    pub fn trust_lists(&self) -> &[TrustListInfo] {
        &self.lists
    }

    /// What `media` says, judged as of `now`. `sidecar` is a manifest store that was given beside it;
    /// it is used when the file has none of its own.
    pub fn judge(&self, media: &Media, sidecar: Option<&[u8]>, now: Timestamp) -> Provenance {
        let mut provenance = match self.find_store(media, sidecar) {
            Ok(found) => self.judge_store(media, &found, now),
            Err(state) => Provenance::without_manifest(state, now),
        };
        provenance.take_labels(labels::read(media));
        provenance
    }

    /// The manifest store of `media`, byte for byte and unjudged; `None` when it carries none that can
    /// be taken out. A bare manifest store is its own.
    pub fn manifest_store(&self, media: &Media) -> Option<Vec<u8>> {
        self.find_store(media, None).ok().map(|found| found.store)
    }

    fn find_store(
        &self,
        media: &Media,
        sidecar: Option<&[u8]>,
    ) -> Result<FoundStore, ManifestState> {
        if media.kind == Kind::C2pa {
            return Ok(FoundStore::sidecar(media.bytes()));
        }
        match (self.reader.embedded_store(media), sidecar) {
            (Ok(store), _) => Ok(FoundStore {
                store,
                embedded: true,
            }),
            (Err(NoReading::Absent | NoReading::Remote(_)), Some(store)) => {
                Ok(FoundStore::sidecar(store))
            }
            (Err(NoReading::Absent), None) => Err(self.remote_or_none(media)),
            (Err(other), _) => Err(no_manifest(other)),
        }
    }

    /// Asking the library costs a second pass, so it is asked only when the bytes hint at an address.
    fn remote_or_none(&self, media: &Media) -> ManifestState {
        if !coverage::may_name_remote(media) {
            return ManifestState::None;
        }
        self.reader
            .remote_address(media)
            .map_or(ManifestState::None, |url| ManifestState::RemoteNotFetched {
                url: clean(&url),
            })
    }

    fn judge_store(&self, media: &Media, found: &FoundStore, now: Timestamp) -> Provenance {
        let manifests = SignedManifest::all(&found.store);
        let mut reading =
            match self
                .reader
                .read(media, &found.store, !found.embedded, &manifests, now)
            {
                Ok(reading) => reading,
                Err(error) => return Provenance::without_manifest(no_manifest(error), now),
            };
        if !as_of::is_same_moment(&reading, now) {
            as_of::restate(&mut reading, &manifests, &self.reader, now);
        }
        let Some(active) = reading.manifests.iter().find(|manifest| manifest.active) else {
            let detail = "the store names no active manifest".to_owned();
            return Provenance::without_manifest(ManifestState::Malformed { detail }, now);
        };
        let unread = CoseSign1::default();
        let found_active = manifests.iter().find(|one| one.boxes.label == active.label);
        let active_boxes = found_active.map(|manifest| &manifest.boxes);
        let cose = found_active.map_or(&unread, |manifest| &manifest.cose);
        let time = self.time(cose, codes::library_stamp(&reading, &active.label), now);
        let signer = self.signer(cose, active, time, now, &reading);
        let loose = self.loose_certificates(cose, signer.status);
        let coverage = coverage::examine(media, &found.store, active_boxes, cose, &loose, &reading);
        Provenance {
            manifest: found.state(),
            content: coverage.content,
            signature: codes::signature(&reading, self.holds(&reading, active_boxes)),
            time,
            signer,
            history: history::judge(&reading),
            ai: ai::declared(&reading.manifests),
            identity: identity::judge(&reading),
            signals: signals::judge(active),
            validation_state: Some(reading.state),
            codes: codes::all(&reading),
            uncovered: coverage.uncovered,
            labels: Vec::new(),
            manifests: history::manifests(&reading),
            checked_at: now,
        }
    }

    /// Certificates of the unprotected header that nobody vouches for. Nothing is believed of an unknown
    /// signer, so nothing can hide behind one.
    fn loose_certificates<'a>(
        &self,
        cose: &'a CoseSign1,
        status: SignerStatus,
    ) -> Vec<&'a Vec<u8>> {
        match status {
            SignerStatus::Unknown | SignerStatus::Revoked | SignerStatus::None => Vec::new(),
            SignerStatus::C2paList
            | SignerStatus::InterimList
            | SignerStatus::AllowList
            | SignerStatus::Local => self.reader.unvouched(cose),
        }
    }

    /// Our own check of the claim signature, where the library leaves the question open.
    fn holds(&self, reading: &Reading, boxes: Option<&ManifestBoxes<'_>>) -> Option<bool> {
        let boxes = boxes?;
        (!codes::settles_signature(reading))
            .then(|| Some(self.reader.signature_holds(boxes.signature?, boxes.claim?)))?
    }

    /// The time axis: our own checks, because the library trusts any time stamp on a version 1 claim
    /// and reads the clock.
    fn time(&self, cose: &CoseSign1, library: LibraryStamp, now: Timestamp) -> Time {
        let Some(leaf) = cose.chain.first().and_then(|der| Certificate::parse(der)) else {
            return Time::Unknown;
        };
        let validity = leaf.validity;
        let stamp = cose.stamp.as_ref().map_or(StampCheck::Invalid, |stamp| {
            self.reader.check_stamp(stamp, library)
        });
        match stamp {
            // A stamp later than `now` says nothing about now.
            StampCheck::Trusted(at) if validity.contains(at) && at <= now => Time::TrustedStamp(at),
            StampCheck::Untrusted(at) if at <= now => Time::UntrustedStamp(at),
            StampCheck::Trusted(_) | StampCheck::Untrusted(_) | StampCheck::Invalid => {
                if validity.contains(now) {
                    Time::InsideValidity
                } else if now < validity.not_before {
                    let not_before = validity.not_before;
                    Time::NotYetValid { not_before }
                } else {
                    let not_after = validity.not_after;
                    Time::ExpiredNoStamp { not_after }
                }
            }
        }
    }

    fn signer(
        &self,
        cose: &CoseSign1,
        active: &RawManifest,
        time: Time,
        now: Timestamp,
        reading: &Reading,
    ) -> Signer {
        let leaf = cose.chain.first().and_then(|der| Certificate::parse(der));
        let Some(leaf) = leaf else {
            return unread_signer(active);
        };
        let at = chain_time(time, &leaf, now);
        let own_check = || self.reader.vouching_list(&cose.chain, at);
        let list = if as_of::is_same_moment(reading, now) {
            self.reader.library_list(reading).unwrap_or_else(own_check)
        } else {
            own_check()
        };
        let denied = |der: &Vec<u8>| self.denied.contains(&Digest::of(der));
        let status = if codes::is_revoked(reading) || cose.chain.iter().any(denied) {
            SignerStatus::Revoked
        } else {
            list.map_or(SignerStatus::Unknown, |list| list.vouches)
        };
        let product = match (status, cose.chain.first()) {
            (SignerStatus::C2paList, Some(der)) => products::find(der),
            _ => None,
        };
        Signer {
            status,
            name: leaf.name,
            organisation: leaf.organisation,
            assurance_level: product.as_ref().and_then(|product| product.assurance_level),
            product: product.map(|product| product.name),
            list_date: list.and_then(|list| list.info.date.clone()),
            validity: Some(leaf.validity),
        }
    }
}

/// The moment at which the signer's chain is judged. Who vouches for a name is kept apart from when
/// it was used: an ended certificate is judged for its last valid second.
fn chain_time(time: Time, leaf: &Certificate, now: Timestamp) -> Timestamp {
    match time {
        Time::TrustedStamp(at) => at,
        Time::NotYetValid { not_before } => not_before,
        Time::InsideValidity
        | Time::UntrustedStamp(_)
        | Time::ExpiredNoStamp { .. }
        | Time::Unknown => now.min(leaf.validity.not_after),
    }
}

/// A signature whose certificate our own parser could not find: the library's names, vouched for by
/// nobody.
fn unread_signer(active: &RawManifest) -> Signer {
    Signer {
        status: SignerStatus::Unknown,
        name: active.common_name.as_deref().map(clean),
        organisation: active.issuer.as_deref().map(clean),
        product: None,
        assurance_level: None,
        list_date: None,
        validity: None,
    }
}

fn no_manifest(reason: NoReading) -> ManifestState {
    match reason {
        NoReading::Absent => ManifestState::None,
        NoReading::Remote(url) => ManifestState::RemoteNotFetched { url: clean(&url) },
        NoReading::Unsupported => ManifestState::Unsupported,
        NoReading::Malformed(detail) => ManifestState::Malformed {
            detail: clean(&detail),
        },
    }
}

struct FoundStore {
    store: Vec<u8>,
    embedded: bool,
}

impl FoundStore {
    fn state(&self) -> ManifestState {
        if self.embedded {
            ManifestState::Embedded
        } else {
            ManifestState::Sidecar
        }
    }

    fn sidecar(store: &[u8]) -> Self {
        Self {
            store: store.to_vec(),
            embedded: false,
        }
    }
}

impl Provenance {
    /// Provenance was not asked for.
    pub fn not_checked(now: Timestamp) -> Self {
        Self::without_manifest(ManifestState::NotChecked, now)
    }

    /// Adds unsigned labels. They speak for the file only where no manifest says anything about AI.
    fn take_labels(&mut self, labels: Vec<UnsignedLabel>) {
        let declared = |status| labels.iter().find(move |label| label.ai == Some(status));
        let strongest =
            declared(AiStatus::DeclaredFull).or_else(|| declared(AiStatus::DeclaredPart));
        if let (AiStatus::NoneDeclared | AiStatus::CaptureDeclared, Some(label)) =
            (self.ai.status, strongest)
        {
            self.ai = Ai {
                status: label.ai.unwrap_or(AiStatus::DeclaredPart),
                place: Some(Place::UnsignedLabel),
                digital_source_type: label.digital_source_type.clone(),
                generator: label.generator.clone(),
            };
        }
        self.labels = labels;
    }

    fn without_manifest(manifest: ManifestState, now: Timestamp) -> Self {
        Self {
            manifest,
            content: Content::Unknown,
            signature: Signature::Unknown,
            time: Time::Unknown,
            signer: Signer {
                status: SignerStatus::None,
                name: None,
                organisation: None,
                product: None,
                assurance_level: None,
                list_date: None,
                validity: None,
            },
            history: History::None,
            ai: Ai {
                status: AiStatus::NoneDeclared,
                place: None,
                digital_source_type: None,
                generator: None,
            },
            identity: Vec::new(),
            signals: Vec::new(),
            validation_state: None,
            codes: crate::finding::Codes::default(),
            uncovered: Vec::new(),
            labels: Vec::new(),
            manifests: Vec::new(),
            checked_at: now,
        }
    }
}
