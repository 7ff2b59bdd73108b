//! Jobs and leases. A verdict is stored only under the newest lease, so there is exactly one.

use async_trait::async_trait;
use provenance::Timestamp;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, rows, store_error, webhooks};
use crate::store::{
    AnalysisId, Attempted, Completion, Finished, Job, Lease, Queue, StoreError, TenantId,
};

#[async_trait]
impl Queue for SqliteStore {
    async fn lease(
        &self,
        now: Timestamp,
        lease_s: u32,
        limit: u32,
    ) -> Result<Vec<Job>, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let mut jobs = Vec::new();
                    for _ in 0..limit {
                        match lease_one(connection, now, lease_s).await? {
                            Some(job) => jobs.push(job),
                            None => break,
                        }
                    }
                    Ok(jobs)
                })
            })
            .await
    }

    async fn heartbeat(
        &self,
        leases: &[Lease],
        now: Timestamp,
        lease_s: u32,
    ) -> Result<(), StoreError> {
        let leases = leases.to_vec();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    for lease in leases {
                        sqlx::query(PROLONG)
                            .bind(lease.analysis.0)
                            .bind(lease.token)
                            .bind(now.0 + i64::from(lease_s))
                            .execute(&mut *connection)
                            .await
                            .map_err(store_error)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn finish(&self, lease: Lease, finished: Finished) -> Result<Completion, StoreError> {
        self.writer
            .write(move |connection| Box::pin(finish(connection, lease, finished)))
            .await
    }

    async fn release(
        &self,
        lease: Lease,
        due: Timestamp,
        counts: Attempted,
    ) -> Result<(), StoreError> {
        let uncounted = match counts {
            Attempted::Yes => 0_i64,
            Attempted::No => 1,
        };
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    for sql in RELEASE {
                        sqlx::query(sql)
                            .bind(lease.analysis.0)
                            .bind(lease.token)
                            .bind(due.0)
                            .bind(uncounted)
                            .execute(&mut *connection)
                            .await
                            .map_err(store_error)?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn give_up(
        &self,
        lease: Lease,
        finished: Finished,
        reason: &str,
    ) -> Result<Completion, StoreError> {
        let reason = reason.to_owned();
        self.writer
            .write(move |connection| Box::pin(give_up(connection, lease, finished, reason)))
            .await
    }

    async fn reclaim(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(RECLAIM_STATUS)
                        .execute(&mut *connection)
                        .await
                        .map_err(store_error)?;
                    let ended = sqlx::query(RECLAIM)
                        .bind(now.0)
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(ended.rows_affected())
                })
            })
            .await
    }
}

async fn lease_one(
    connection: &mut SqliteConnection,
    now: Timestamp,
    lease_s: u32,
) -> Result<Option<Job>, StoreError> {
    let due = sqlx::query(NEXT)
        .bind(now.0)
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?;
    let Some(due) = due else { return Ok(None) };
    let (analysis, tenant): (Uuid, Uuid) = (
        rows::column(&due, "analysis")?,
        rows::column(&due, "tenant")?,
    );
    let token = Uuid::new_v4();
    let job = sqlx::query(TAKE)
        .bind(analysis)
        .bind(token)
        .bind(now.0 + i64::from(lease_s))
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(SERVED)
        .bind(tenant)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let upload = sqlx::query(START)
        .bind(analysis)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    let lease = Lease {
        analysis: AnalysisId(analysis),
        token,
    };
    Ok(Some(self::job(lease, &job, &upload)?))
}

fn job(lease: Lease, job: &SqliteRow, upload: &SqliteRow) -> Result<Job, StoreError> {
    Ok(Job {
        lease,
        tenant: TenantId(rows::column(upload, "tenant")?),
        digest: rows::digest(upload, "digest")?,
        bytes: rows::count(upload, "bytes")?,
        name: rows::name(upload)?,
        declared_kind: rows::declared_kind(upload)?,
        attempt: rows::small(job, "attempts")?,
        created_at: rows::time(upload, "created_at")?,
    })
}

async fn finish(
    connection: &mut SqliteConnection,
    lease: Lease,
    finished: Finished,
) -> Result<Completion, StoreError> {
    let ended = sqlx::query("DELETE FROM jobs WHERE analysis = ?1 AND token = ?2")
        .bind(lease.analysis.0)
        .bind(lease.token)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    if ended.rows_affected() == 0 {
        return Ok(Completion::Lost);
    }
    sqlx::query(FINISH)
        .bind(lease.analysis.0)
        .bind(finished.outcome.status().as_str())
        .bind(finished.at.0)
        .bind(finished.verdict.as_str())
        .bind(finished.report.as_str())
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    webhooks::queue_outcome(connection, lease.analysis, &finished).await?;
    Ok(Completion::Recorded)
}

async fn give_up(
    connection: &mut SqliteConnection,
    lease: Lease,
    finished: Finished,
    reason: String,
) -> Result<Completion, StoreError> {
    sqlx::query(BURY)
        .bind(lease.analysis.0)
        .bind(lease.token)
        .bind(reason)
        .bind(finished.at.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    finish(connection, lease, finished).await
}

/// The oldest job of the tenant that was served longest ago; ids sort by age.
const NEXT: &str = "\
SELECT jobs.analysis, jobs.tenant FROM jobs JOIN tenants ON tenants.id = jobs.tenant
WHERE due_at <= ?1 AND leased_until <= ?1
ORDER BY tenants.served, jobs.analysis LIMIT 1";

const TAKE: &str = "\
UPDATE jobs SET token = ?2, leased_until = ?3, attempts = attempts + 1
WHERE analysis = ?1 RETURNING attempts";

const SERVED: &str = "\
UPDATE tenants SET served = (SELECT max(served) FROM tenants) + 1 WHERE id = ?1";

const START: &str = "\
UPDATE analyses SET status = 'running' WHERE id = ?1 RETURNING *";

const PROLONG: &str = "UPDATE jobs SET leased_until = ?3 WHERE analysis = ?1 AND token = ?2";

const FINISH: &str = "\
UPDATE analyses SET status = ?2, finished_at = ?3, verdict = ?4, report = ?5 WHERE id = ?1";

const RELEASE: [&str; 2] = [
    "UPDATE analyses SET status = 'queued'
     WHERE id = ?1 AND EXISTS (SELECT 1 FROM jobs WHERE analysis = ?1 AND token = ?2)",
    "UPDATE jobs SET token = NULL, leased_until = 0, due_at = ?3, attempts = attempts - ?4
     WHERE analysis = ?1 AND token = ?2",
];

const BURY: &str = "\
INSERT INTO dead_letters (analysis, attempts, reason, at)
SELECT analysis, attempts, ?3, ?4 FROM jobs WHERE analysis = ?1 AND token = ?2";

const RECLAIM_STATUS: &str = "\
UPDATE analyses SET status = 'queued'
WHERE id IN (SELECT analysis FROM jobs WHERE token IS NOT NULL)";

const RECLAIM: &str = "\
UPDATE jobs SET token = NULL, leased_until = 0, due_at = min(due_at, ?1) WHERE token IS NOT NULL";
