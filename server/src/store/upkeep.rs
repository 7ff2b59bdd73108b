//! What the janitor and the gauges ask. Blobs are counted by their rows here; the bytes are `blobs.rs`.

use async_trait::async_trait;
use media::Digest;
use provenance::Timestamp;

use super::{StoreError, TenantId};

/// Which blob: equal files of two tenants are two blobs, so that nobody learns what others have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// How much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Jobs that are not finished, leased ones included.
    pub jobs: u64,
    /// Of those, leased.
    pub leased: u64,
    /// Jobs that were given up.
    pub dead_letters: u64,
    /// Deliveries that are not settled.
    pub deliveries: u64,
    /// Deliveries that were given up.
    pub dead_deliveries: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes in them.
    pub blob_bytes: u64,
}

/// Housekeeping.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Blobs that no analysis needs any more under the retention rules of their tenants at `now`, at
    /// most `limit`. An analysis without a verdict needs its blob; an erased one does not.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn expired_blobs(&self, now: Timestamp, limit: u32) -> Result<Vec<BlobKey>, StoreError>;

    /// Removes the row of a blob if no analysis needs it at `now`; says whether it may be deleted: also
    /// when there was no row. Call it through `Blobs::sweep`, which keeps uploads away meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn forget_blob(&self, blob: BlobKey, now: Timestamp) -> Result<bool, StoreError>;

    /// Which of these have no row.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn unknown_blobs(&self, blobs: &[BlobKey]) -> Result<Vec<BlobKey>, StoreError>;

    /// Removes what has had its time: idempotency keys, settled deliveries, and keys long revoked. Says
    /// how many rows went.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// How much there is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Writes and reads one row: whether the store works at this moment.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn check(&self) -> Result<(), StoreError>;
}
