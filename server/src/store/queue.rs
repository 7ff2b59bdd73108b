//! The queue of examinations: who works on what, and until when. A job is there from the admission of an
//! analysis to its verdict; whoever holds its newest lease may finish it, and nobody else.

use async_trait::async_trait;
use media::{Digest, Kind, Name};
use provenance::Timestamp;
use uuid::Uuid;

use super::{AnalysisId, Finished, StoreError, TenantId};

/// The right to finish one job, until it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The job's analysis.
    pub analysis: AnalysisId,
    /// Random; a newer lease has another.
    pub token: Uuid,
}

/// One examination to make.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The right to finish it.
    pub lease: Lease,
    /// Whose it is.
    pub tenant: TenantId,
    /// Which blob.
    pub digest: Digest,
    /// Its length.
    pub bytes: u64,
    /// What the sender calls the file.
    pub name: Name,
    /// What the sender says the file is.
    pub declared_kind: Option<Kind>,
    /// How often it was leased, this time included: 1 at first. A lease that ran out because its process
    /// died counts, so that a file which kills processes is noticed.
    pub attempt: u32,
    /// When the analysis was admitted.
    pub created_at: Timestamp,
}

/// What became of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Stored; it is the only one.
    Recorded,
    /// The lease is no longer the newest, or the analysis is erased: nothing was stored.
    Lost,
}

/// Jobs, the oldest that is due first.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Takes at most `limit` jobs that are due and not leased, until `now + lease_s`. The tenant that was
    /// served longest ago comes first, so that one tenant's flood does not stop another.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn lease(&self, now: Timestamp, lease_s: u32, limit: u32)
    -> Result<Vec<Job>, StoreError>;

    /// Prolongs leases until `now + lease_s`; those that are lost are passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn heartbeat(
        &self,
        leases: &[Lease],
        now: Timestamp,
        lease_s: u32,
    ) -> Result<(), StoreError>;

    /// Stores the verdict, ends the job and queues the webhook, in one transaction that is durable on
    /// return.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was stored.
    async fn finish(&self, lease: Lease, finished: Finished) -> Result<Completion, StoreError>;

    /// Gives a job back, to be leased again at `due` or later. `counts` says whether the attempt counts;
    /// it does not when the service stops in good order.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn release(
        &self,
        lease: Lease,
        due: Timestamp,
        counts: Attempted,
    ) -> Result<(), StoreError>;

    /// The same as [`Queue::finish`] for a job that is given up: a dead letter with `reason` is kept for
    /// the operator.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; then nothing was stored.
    async fn give_up(
        &self,
        lease: Lease,
        finished: Finished,
        reason: &str,
    ) -> Result<Completion, StoreError>;

    /// Ends all leases. For the start of the only process that works on this queue, whose predecessor
    /// may have died with leases in its hands. Says how many there were.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn reclaim(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Whether a lease that is given back was an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// The examination was begun and broke off.
    Yes,
    /// Nothing was tried.
    No,
}
