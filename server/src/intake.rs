//! Takes an upload in for good: its blob first, then its row and its job in one transaction. Whoever gets
//! an [`Admission`] may tell the sender; before that, nothing is promised. Also the way out: erasure.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use media::{Digest, Kind, Name};
use provenance::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use verdict::{Report, report::Engine};

use crate::{
    blobs::{Blobs, Incoming},
    reload::ExaminerCell,
    store::{
        Admission, Analysis, AnalysisId, BlobKey, Finished, Idempotency, NewAnalysis, Store,
        StoreError, TenantId,
    },
};

/// What is known of one complete upload, beside its bytes.
pub(crate) struct Submission {
    pub(crate) id: AnalysisId,
    pub(crate) tenant: TenantId,
    /// SHA-256 of the file.
    pub(crate) digest: Digest,
    /// Length of the file.
    pub(crate) bytes: u64,
    pub(crate) name: Name,
    pub(crate) declared_kind: Option<Kind>,
    pub(crate) external_id: Option<String>,
    pub(crate) declared_ai: Option<bool>,
    pub(crate) metadata: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) now: Timestamp,
}

/// The way into the store, and out of it. Clones share everything.
#[derive(Clone)]
pub(crate) struct Intake {
    store: Arc<dyn Store>,
    blobs: Blobs,
    examiner: Arc<ExaminerCell>,
    max_waiting: u64,
    queue: Arc<QueueSigns>,
}

/// What intake and workers tell each other.
#[derive(Default)]
pub(crate) struct QueueSigns {
    /// Rung when there may be a job.
    pub(crate) bell: Notify,
    /// Jobs of each tenant that are not finished and uploads that are being stored, as far as this process
    /// knows. The store knows for sure: jobs of an earlier process are first counted when it says that it
    /// is full. It grows by one entry per tenant, and tenants are made by the operator alone.
    taken: Mutex<HashMap<TenantId, u64>>,
}

/// A place in the queue for one upload; free again when dropped.
struct Place<'a> {
    signs: &'a QueueSigns,
    tenant: TenantId,
}

impl QueueSigns {
    /// A job of `tenant` has ended, or is gone.
    pub(crate) fn job_ended(&self, tenant: TenantId) {
        let mut all = self.taken();
        let taken = all.entry(tenant).or_default();
        *taken = taken.saturating_sub(1);
    }

    fn has_room(&self, tenant: TenantId, max: u64) -> bool {
        self.taken().get(&tenant).is_none_or(|taken| *taken < max)
    }

    fn take(&self, tenant: TenantId, max: u64) -> Option<Place<'_>> {
        let mut all = self.taken();
        let taken = all.entry(tenant).or_default();
        if *taken >= max {
            return None;
        }
        *taken += 1;
        let signs = self;
        Some(Place { signs, tenant })
    }

    /// The store says that this many jobs of `tenant` wait.
    fn is_full_after_all(&self, tenant: TenantId, max: u64) {
        self.taken().insert(tenant, max);
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<TenantId, u64>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// From now on it belongs to a job.
    fn give_to_job(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.signs.job_ended(self.tenant);
    }
}

impl Intake {
    /// An intake for at most `max_waiting` unfinished jobs of each tenant.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        blobs: Blobs,
        examiner: Arc<ExaminerCell>,
        max_waiting: u64,
        queue: Arc<QueueSigns>,
    ) -> Self {
        Self {
            store,
            blobs,
            examiner,
            max_waiting,
            queue,
        }
    }

    /// Whether a body of `tenant` is worth reading. Costs nothing; the store decides for good.
    pub(crate) fn has_room(&self, tenant: TenantId) -> bool {
        self.queue.has_room(tenant, self.max_waiting)
    }

    /// Room for the bytes of one upload.
    pub(crate) fn incoming(&self) -> Incoming {
        self.blobs.incoming()
    }

    /// Stores an upload; durable on return.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was promised to anybody.
    pub(crate) async fn submit(
        &self,
        submission: Submission,
        file: Incoming,
    ) -> Result<Admission, StoreError> {
        let intake = self.clone();
        // A task of its own: a sender that goes away must not end this between blob and row.
        tokio::spawn(async move { intake.take_in(submission, file).await })
            .await
            .unwrap_or_else(|error| Err(StoreError::Unexpected(error.to_string())))
    }

    async fn take_in(
        &self,
        submission: Submission,
        file: Incoming,
    ) -> Result<Admission, StoreError> {
        // Before the blob is written: a flood must not cost the disk what is refused afterwards.
        let Some(place) = self.queue.take(submission.tenant, self.max_waiting) else {
            return Ok(Admission::QueueFull);
        };
        let now = submission.now;
        let blob = BlobKey {
            tenant: submission.tenant,
            digest: submission.digest,
        };
        let new = self.prepare(submission).await?;
        let deposit = self.blobs.deposit().await;
        let was_stored = self.is_stored(blob).await?;
        if !was_stored {
            self.blobs.put(&deposit, blob, file).await?;
        }
        // After an error the janitor finds what was put.
        let admission = self.store.admit(new, self.max_waiting).await?;
        drop(deposit);
        self.account(&admission, place);
        if !was_stored && !matches!(admission, Admission::Created(_)) {
            self.forget(blob, now).await?;
        }
        Ok(admission)
    }

    /// Lets the job have the place of its upload, or frees it.
    fn account(&self, admission: &Admission, place: Place<'_>) {
        match admission {
            Admission::Created(analysis) if !analysis.status.is_final() => {
                place.give_to_job();
                self.queue.bell.notify_one();
            }
            Admission::Created(_) | Admission::Replayed(_) | Admission::KeyReused => {}
            Admission::QueueFull => {
                let tenant = place.tenant;
                drop(place);
                self.queue.is_full_after_all(tenant, self.max_waiting);
            }
        }
    }

    /// Erases an analysis and, when nothing else needs it, its blob. The answer is the tombstone; `None`
    /// when the id is not this tenant's.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub(crate) async fn erase(
        &self,
        tenant: TenantId,
        id: AnalysisId,
        now: Timestamp,
    ) -> Result<Option<Analysis>, StoreError> {
        let Some(erased) = self.store.erase(tenant, id, now).await? else {
            return Ok(None);
        };
        if let Some(digest) = erased.digest {
            self.forget(BlobKey { tenant, digest }, now).await?;
        }
        if !erased.was.is_final() {
            // Its job went with it.
            self.queue.job_ended(tenant);
        }
        Ok(Some(erased.tombstone))
    }

    /// The bytes of an analysis; `None` when its blob has had its time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub(crate) async fn original(
        &self,
        analysis: &Analysis,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(digest) = analysis.digest else {
            return Ok(None);
        };
        let tenant = analysis.tenant;
        self.blobs.get(BlobKey { tenant, digest }).await
    }

    /// What to store of a submission.
    async fn prepare(&self, submission: Submission) -> Result<NewAnalysis, StoreError> {
        let cache_key = cache_key(
            submission.digest,
            submission.declared_kind,
            self.examiner.current().engine(),
        );
        let finished = self.cached(&submission, cache_key).await?;
        Ok(NewAnalysis {
            id: submission.id,
            tenant: submission.tenant,
            digest: submission.digest,
            bytes: submission.bytes,
            name: submission.name,
            declared_kind: submission.declared_kind,
            external_id: submission.external_id,
            declared_ai: submission.declared_ai,
            metadata: submission.metadata,
            callback_url: submission.callback_url,
            idempotency: submission.idempotency,
            cache_key,
            finished,
            created_at: submission.now,
        })
    }

    /// Whether a blob is there for good. One with a row is durable; one without may be just being written
    /// by another upload, and what that one has not yet brought to the disk we may not promise.
    async fn is_stored(&self, blob: BlobKey) -> Result<bool, StoreError> {
        let has_row = self.store.unknown_blobs(&[blob]).await?.is_empty();
        Ok(has_row && self.blobs.has(blob).await?)
    }

    /// The answer that the same bytes got a short while ago, under the name of this upload.
    async fn cached(
        &self,
        submission: &Submission,
        cache_key: Digest,
    ) -> Result<Option<Finished>, StoreError> {
        let since = Timestamp(submission.now.0.saturating_sub(CACHE_LIFE_S));
        let hit = self
            .store
            .cached(submission.tenant, cache_key, since)
            .await?;
        // A report that this version cannot read is no answer; the file is examined again.
        Ok(hit.and_then(|hit| {
            let mut report: Report = serde_json::from_str(&hit.report).ok()?;
            report.media.name.clone_from(&submission.name.display);
            report.media.name_hex.clone_from(&submission.name.hex);
            Some(Finished {
                report: serde_json::to_string(&report).ok()?,
                at: submission.now,
                ..hit
            })
        }))
    }

    /// Removes a blob that no analysis needs.
    async fn forget(&self, blob: BlobKey, now: Timestamp) -> Result<(), StoreError> {
        let sweep = self.blobs.sweep().await;
        if self.store.forget_blob(blob, now).await? {
            self.blobs.remove(&sweep, blob).await?;
        }
        Ok(())
    }
}

/// Everything that a report depends on, the moment aside.
fn cache_key(digest: Digest, declared_kind: Option<Kind>, engine: &Engine) -> Digest {
    let mut hash = Sha256::new();
    hash.update(digest.as_bytes());
    hash.update(declared_kind.map_or("", Kind::mime));
    for text in [&engine.version, &engine.policy] {
        hash.update([0]);
        hash.update(text);
    }
    for model in &engine.models {
        hash.update([1]);
        hash.update(model);
    }
    for list in &engine.trust_lists {
        hash.update([2]);
        hash.update(&list.name);
        hash.update([0]);
        hash.update(&list.sha256);
    }
    Digest::from(<[u8; 32]>::from(hash.finalize()))
}

/// How long a report answers for the same bytes. It speaks of the moment it was made: certificates expire
/// and are revoked, so it may not answer for long; bursts of one picture come within minutes.
const CACHE_LIFE_S: i64 = 3_600;
