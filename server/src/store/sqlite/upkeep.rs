//! Housekeeping: which blobs have had their time, and how much there is of everything.

use async_trait::async_trait;
use provenance::Timestamp;
use sqlx::SqliteConnection;

use super::{SqliteStore, rows, store_error};
use crate::store::{BlobKey, Counts, IDEMPOTENCY_LIFE_S, Retention, StoreError, TenantId, Upkeep};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn expired_blobs(&self, now: Timestamp, limit: u32) -> Result<Vec<BlobKey>, StoreError> {
        sqlx::query(EXPIRED)
            .bind(now.0)
            .bind(i64::from(Retention::DEFAULT_DAYS))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(|row| {
                Ok(BlobKey {
                    tenant: TenantId(rows::column(row, "tenant")?),
                    digest: rows::digest(row, "digest")?,
                })
            })
            .collect()
    }

    async fn forget_blob(&self, blob: BlobKey, now: Timestamp) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(FORGET)
                        .bind(now.0)
                        .bind(i64::from(Retention::DEFAULT_DAYS))
                        .bind(blob.tenant.0)
                        .bind(blob.digest.as_bytes().as_slice())
                        .execute(&mut *connection)
                        .await
                        .map_err(store_error)?;
                    Ok(!has_row(connection, blob).await?)
                })
            })
            .await
    }

    async fn unknown_blobs(&self, blobs: &[BlobKey]) -> Result<Vec<BlobKey>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(store_error)?;
        let mut unknown = Vec::new();
        for blob in blobs {
            if !has_row(&mut reader, *blob).await? {
                unknown.push(*blob);
            }
        }
        Ok(unknown)
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let mut gone = 0;
                    for (sql, life_s) in PURGE {
                        let done = sqlx::query(sql)
                            .bind(now.0.saturating_sub(life_s))
                            .execute(&mut *connection)
                            .await
                            .map_err(store_error)?;
                        gone += done.rows_affected();
                    }
                    Ok(gone)
                })
            })
            .await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let row = sqlx::query(COUNTS)
            .fetch_one(&self.readers)
            .await
            .map_err(store_error)?;
        Ok(Counts {
            jobs: rows::count(&row, "jobs")?,
            leased: rows::count(&row, "leased")?,
            dead_letters: rows::count(&row, "dead_letters")?,
            deliveries: rows::count(&row, "deliveries")?,
            dead_deliveries: rows::count(&row, "dead_deliveries")?,
            blobs: rows::count(&row, "blobs")?,
            blob_bytes: rows::count(&row, "blob_bytes")?,
        })
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer
            .write(|connection| {
                Box::pin(async move {
                    sqlx::query("UPDATE self_test SET count = count + 1 WHERE id = 1")
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(())
                })
            })
            .await?;
        sqlx::query("SELECT count FROM self_test WHERE id = 1")
            .fetch_one(&self.readers)
            .await
            .map_err(store_error)?;
        Ok(())
    }
}

async fn has_row(connection: &mut SqliteConnection, blob: BlobKey) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM blobs WHERE tenant = ?1 AND digest = ?2)")
        .bind(blob.tenant.0)
        .bind(blob.digest.as_bytes().as_slice())
        .fetch_one(connection)
        .await
        .map_err(store_error)
}

/// True of a blob that some analysis still needs: one without a verdict, or one whose time is not over.
/// `?1` is now, `?2` the days where no rule says otherwise.
macro_rules! needed {
    () => {
        "EXISTS (
  SELECT 1 FROM analyses AS a
  LEFT JOIN retention AS own ON own.tenant = a.tenant AND own.verdict = a.verdict
  LEFT JOIN retention AS general ON general.tenant = a.tenant AND general.verdict = ''
  WHERE a.tenant = blobs.tenant AND a.digest = blobs.digest
    AND (a.finished_at IS NULL
         OR a.finished_at + 86400 * coalesce(own.days, general.days, ?2) > ?1))"
    };
}

const EXPIRED: &str = concat!(
    "SELECT tenant, digest FROM blobs WHERE NOT ",
    needed!(),
    " LIMIT ?3"
);

const FORGET: &str = concat!(
    "DELETE FROM blobs WHERE tenant = ?3 AND digest = ?4 AND NOT ",
    needed!()
);

const COUNTS: &str = "\
SELECT (SELECT count(*) FROM jobs) AS jobs,
       (SELECT count(*) FROM jobs WHERE token IS NOT NULL) AS leased,
       (SELECT count(*) FROM dead_letters) AS dead_letters,
       (SELECT count(*) FROM deliveries WHERE state = 'waiting') AS deliveries,
       (SELECT count(*) FROM deliveries WHERE state = 'dead') AS dead_deliveries,
       (SELECT count(*) FROM blobs) AS blobs,
       (SELECT coalesce(sum(bytes), 0) FROM blobs) AS blob_bytes";

/// What goes, and after how many seconds. A month of settled deliveries and of dead keys answers the
/// question what happened; nothing needs them longer.
const PURGE: [(&str, i64); 3] = [
    (
        "DELETE FROM idempotency WHERE created_at <= ?1",
        IDEMPOTENCY_LIFE_S,
    ),
    (
        "DELETE FROM deliveries WHERE state <> 'waiting' AND created_at <= ?1",
        30 * 86_400,
    ),
    (
        "DELETE FROM keys WHERE revoked_at <= ?1 OR expires_at <= ?1",
        30 * 86_400,
    ),
];
