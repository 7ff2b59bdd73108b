//! The janitor: deletes blobs whose time is over, collects those that a crash left without a row, and
//! purges rows that nobody asks for any more. It decides nothing; the rules are in the store.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _};
use provenance::Timestamp;
use tokio::{sync::watch, time::sleep};

use crate::{
    blobs::Blobs,
    store::{BlobKey, Store, StoreError},
};

/// The janitor of one service.
pub(crate) struct Janitor {
    store: Arc<dyn Store>,
    blobs: Blobs,
    clock: fn() -> Timestamp,
}

/// What one round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    /// Blobs whose time was over.
    pub(crate) expired: u64,
    /// Blobs without a row.
    pub(crate) orphans: u64,
    /// Rows purged.
    pub(crate) rows: u64,
}

impl Janitor {
    /// A janitor over the same blobs, and so the same gate, as the intake.
    pub(crate) fn new(store: Arc<dyn Store>, blobs: Blobs, clock: fn() -> Timestamp) -> Self {
        Self {
            store,
            blobs,
            clock,
        }
    }

    /// A round at once and then every few minutes, until `stop` says so. The first round and one a day
    /// look for orphans: only a crash makes them.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        for round in 0_u32.. {
            let swept = tokio::select! {
                swept = self.round(round % ROUNDS_A_DAY == 0) => swept,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            match swept {
                Ok(swept) if swept == Swept::default() => {}
                Ok(Swept {
                    expired,
                    orphans,
                    rows,
                }) => {
                    tracing::info!(expired, orphans, rows, "the janitor cleaned up");
                }
                Err(error) => tracing::error!(%error, "the janitor cannot clean up, trying again"),
            }
            tokio::select! {
                () = sleep(PAUSE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One round.
    pub(crate) async fn round(&self, with_orphans: bool) -> Result<Swept, StoreError> {
        let now = (self.clock)();
        Ok(Swept {
            expired: self.remove_expired(now).await?,
            orphans: if with_orphans {
                self.remove_orphans(now).await?
            } else {
                0
            },
            rows: self.store.purge(now).await?,
        })
    }

    async fn remove_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let expired = self.store.expired_blobs(now, BATCH).await?;
            if expired.is_empty() {
                return Ok(removed);
            }
            removed += self.remove(&expired, now).await?;
        }
    }

    async fn remove_orphans(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut all = self.blobs.all().try_chunks(BATCH_BLOBS);
        while let Some(some) = all.next().await {
            let some = some.map_err(|error| error.1)?;
            // Most have a row; the gate is closed for the others only.
            let unknown = self.store.unknown_blobs(&some).await?;
            removed += self.remove(&unknown, now).await?;
        }
        Ok(removed)
    }

    /// Looks again while no upload is under way, and removes row and blob of what is still not needed.
    async fn remove(&self, blobs: &[BlobKey], now: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        for blob in blobs {
            let sweep = self.blobs.sweep().await;
            if self.store.forget_blob(*blob, now).await? {
                self.blobs.remove(&sweep, *blob).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Between two rounds. Retention is counted in days; ten minutes more are not noticed.
const PAUSE: Duration = Duration::from_secs(600);

/// Rounds between two searches for orphans.
const ROUNDS_A_DAY: u32 = 144;

/// Blobs asked about at one time.
const BATCH: u32 = 256;
const BATCH_BLOBS: usize = 256;
