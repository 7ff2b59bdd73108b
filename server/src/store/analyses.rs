//! Analyses as they are kept: what was uploaded, and what came of it. Reports are JSON text here; this
//! module never looks into one.

use async_trait::async_trait;
use media::{Digest, Kind, Name};
use provenance::Timestamp;
use verdict::report::Code;

use super::{AnalysisId, StoreError, TenantId};

/// Where an analysis stands, in the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for an examiner.
    Queued,
    /// An examiner has it.
    Running,
    /// Examined.
    Done,
    /// Could not be examined; the report says why.
    Failed,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Whether the report is there and will not change.
    pub fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Running => false,
            Self::Done | Self::Failed => true,
        }
    }
}

/// One upload whose blob is durable already.
#[derive(Debug, Clone)]
pub struct NewAnalysis {
    /// Made by the caller, so that logs can name it before it is stored.
    pub id: AnalysisId,
    /// Whose it is.
    pub tenant: TenantId,
    /// SHA-256 of the upload; with the tenant, the name of its blob.
    pub digest: Digest,
    /// Length of the upload.
    pub bytes: u64,
    /// What the sender calls the file.
    pub name: Name,
    /// What the sender says the file is.
    pub declared_kind: Option<Kind>,
    /// The sender's own name for the upload.
    pub external_id: Option<String>,
    /// Whether the sender's user said that it was made with AI.
    pub declared_ai: Option<bool>,
    /// JSON text of the sender, at most 4 KB; never interpreted.
    pub metadata: Option<String>,
    /// Where to tell the outcome.
    pub callback_url: Option<String>,
    /// Set when the sender may repeat the request.
    pub idempotency: Option<Idempotency>,
    /// Same key, same answer: see `Intake`.
    pub cache_key: Digest,
    /// Set when the cache has the answer: then no job is made, and the webhook is queued at once.
    pub finished: Option<Finished>,
    /// Now.
    pub created_at: Timestamp,
}

/// A request that may arrive more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The sender's key, at most 255 bytes.
    pub key: String,
    /// SHA-256 of everything the request says, so that another request under the same key is noticed.
    pub fingerprint: Digest,
}

/// How an examination ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Done or failed.
    pub outcome: Outcome,
    /// The verdict word of the report.
    pub verdict: Code,
    /// The report as JSON.
    pub report: String,
    /// When.
    pub at: Timestamp,
}

/// The two ends of an examination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Examined.
    Done,
    /// Could not be examined.
    Failed,
}

impl Outcome {
    /// The status an analysis has after it.
    pub fn status(self) -> Status {
        match self {
            Self::Done => Status::Done,
            Self::Failed => Status::Failed,
        }
    }
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// Stored; its job is durable, or its cached report is.
    Created(Analysis),
    /// The same request came before; this is what it made, as it stands now. Nothing was stored.
    Replayed(Analysis),
    /// Another request came before under the same idempotency key. Nothing was stored.
    KeyReused,
    /// As many jobs wait as may. Nothing was stored.
    QueueFull,
}

/// One analysis as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Its id.
    pub id: AnalysisId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it stands.
    pub status: Status,
    /// When it was admitted.
    pub created_at: Timestamp,
    /// When it got its verdict.
    pub finished_at: Option<Timestamp>,
    /// When its owner had it erased. Everything below is empty then: this is a tombstone.
    pub erased_at: Option<Timestamp>,
    /// SHA-256 of the upload; `None` in a tombstone.
    pub digest: Option<Digest>,
    /// Length of the upload; 0 in a tombstone.
    pub bytes: u64,
    /// What the sender calls the file; empty in a tombstone.
    pub name: Name,
    /// What the sender says the file is.
    pub declared_kind: Option<Kind>,
    /// The sender's own name for it.
    pub external_id: Option<String>,
    /// Whether the sender's user said that it was made with AI.
    pub declared_ai: Option<bool>,
    /// JSON text of the sender.
    pub metadata: Option<String>,
    /// Where to tell the outcome.
    pub callback_url: Option<String>,
    /// Whether the report came from the cache.
    pub cached: bool,
    /// The verdict word, once there is one.
    pub verdict: Option<Code>,
    /// The report as JSON, once there is one.
    pub report: Option<String>,
}

/// Which analyses to list; empty takes all but tombstones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// With this verdict.
    pub verdict: Option<Code>,
    /// Admitted at this time or later.
    pub since: Option<Timestamp>,
    /// With this name of the sender.
    pub external_id: Option<String>,
}

/// One page of a list, the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// At most as many as asked for.
    pub analyses: Vec<Analysis>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<AnalysisId>,
}

/// Analyses by tenant.
#[async_trait]
pub trait Analyses: Send + Sync {
    /// Stores an upload with its blob's row, its job and its idempotency key in one transaction that is
    /// durable on return. `max_waiting` bounds the jobs of this tenant that are not finished: no tenant's
    /// flood takes another's place.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was stored.
    async fn admit(&self, new: NewAnalysis, max_waiting: u64) -> Result<Admission, StoreError>;

    /// One analysis of this tenant, tombstones included; `None` for everybody else's.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn find(&self, tenant: TenantId, id: AnalysisId) -> Result<Option<Analysis>, StoreError>;

    /// The newest analyses of this tenant, those made before `before` if given, at most `limit`. No
    /// tombstones.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list(
        &self,
        tenant: TenantId,
        filter: &Filter,
        before: Option<AnalysisId>,
        limit: u32,
    ) -> Result<Page, StoreError>;

    /// The newest finished report of this tenant under `cache_key` that is not older than `since`.
    /// Only analyses that were done and not themselves cached count, so that an answer cannot live on by
    /// being asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn cached(
        &self,
        tenant: TenantId,
        cache_key: Digest,
        since: Timestamp,
    ) -> Result<Option<Finished>, StoreError>;

    /// Erases all that an analysis knows about its upload and keeps a tombstone; its job and its
    /// deliveries are gone. The answer is the tombstone, or `None` for ids that are not this tenant's.
    /// Erasing again changes nothing. The blob goes with the next call of `Upkeep::forget_blob`, which
    /// `Intake::erase` makes.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn erase(
        &self,
        tenant: TenantId,
        id: AnalysisId,
        now: Timestamp,
    ) -> Result<Option<Erased>, StoreError>;
}

/// What an erasure leaves behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Erased {
    /// The tombstone.
    pub tombstone: Analysis,
    /// Where the analysis stood before; one without a verdict has lost its job.
    pub was: Status,
    /// The digest it had, to remove its blob; `None` when it was erased before.
    pub digest: Option<Digest>,
}

/// Seconds for which an idempotency key answers for its first request.
pub const IDEMPOTENCY_LIFE_S: i64 = 86_400;
