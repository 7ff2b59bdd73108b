//! Analyses: admitted in one transaction, read by tenant, erased to a tombstone.

use async_trait::async_trait;
use media::{Digest, Kind};
use provenance::Timestamp;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, rows, store_error, webhooks};
use crate::store::{
    Admission, Analyses, Analysis, AnalysisId, Erased, Filter, Finished, IDEMPOTENCY_LIFE_S,
    Idempotency, NewAnalysis, Outcome, Page, Status, StoreError, TenantId,
};

#[async_trait]
impl Analyses for SqliteStore {
    async fn admit(&self, new: NewAnalysis, max_waiting: u64) -> Result<Admission, StoreError> {
        self.writer
            .write(move |connection| Box::pin(admit(connection, new, max_waiting)))
            .await
    }

    async fn find(&self, tenant: TenantId, id: AnalysisId) -> Result<Option<Analysis>, StoreError> {
        let mut reader = self.readers.acquire().await.map_err(store_error)?;
        find(&mut reader, tenant, id).await
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &Filter,
        before: Option<AnalysisId>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let sql = match filter.external_id {
            Some(_) => LIST_BY_EXTERNAL_ID,
            None => LIST,
        };
        // One more than asked for tells whether there is a next page.
        let mut analyses = sqlx::query(sql)
            .bind(tenant.0)
            .bind(before.map(|id| id.0))
            .bind(filter.verdict.map(verdict::Code::as_str))
            .bind(filter.since.map(|since| since.0))
            .bind(i64::from(limit) + 1)
            .bind(filter.external_id.as_deref())
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(rows::analysis)
            .collect::<Result<Vec<_>, _>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = analyses.len() > limit;
        analyses.truncate(limit);
        let last = analyses.last().map(|analysis| analysis.id);
        Ok(Page {
            next: last.filter(|_| has_more),
            analyses,
        })
    }

    async fn cached(
        &self,
        tenant: TenantId,
        cache_key: Digest,
        since: Timestamp,
    ) -> Result<Option<Finished>, StoreError> {
        sqlx::query(CACHED)
            .bind(tenant.0)
            .bind(cache_key.as_bytes().as_slice())
            .bind(since.0)
            .fetch_optional(&self.readers)
            .await
            .map_err(store_error)?
            .map(|row| finished(&row))
            .transpose()
    }

    async fn erase(
        &self,
        tenant: TenantId,
        id: AnalysisId,
        now: Timestamp,
    ) -> Result<Option<Erased>, StoreError> {
        self.writer
            .write(move |connection| Box::pin(erase(connection, tenant, id, now)))
            .await
    }
}

async fn admit(
    connection: &mut SqliteConnection,
    new: NewAnalysis,
    max_waiting: u64,
) -> Result<Admission, StoreError> {
    if let Some(idempotency) = &new.idempotency
        && let Some(admission) = replay(connection, &new, idempotency).await?
    {
        return Ok(admission);
    }
    if new.finished.is_none() && waiting(connection, new.tenant).await? >= max_waiting {
        return Ok(Admission::QueueFull);
    }
    insert(connection, &new).await?;
    if let Some(idempotency) = &new.idempotency {
        remember(connection, &new, idempotency).await?;
    }
    match &new.finished {
        None => sqlx::query(INSERT_JOB)
            .bind(new.id.0)
            .bind(new.tenant.0)
            .bind(new.created_at.0)
            .execute(&mut *connection)
            .await
            .map(|_| ())
            .map_err(store_error)?,
        Some(finished) => webhooks::queue_outcome(connection, new.id, finished).await?,
    }
    let stored = find(connection, new.tenant, new.id).await?;
    stored
        .map(Admission::Created)
        .ok_or_else(|| StoreError::Unexpected("an analysis that was just stored".to_owned()))
}

/// What the same key made before, within its life.
async fn replay(
    connection: &mut SqliteConnection,
    new: &NewAnalysis,
    idempotency: &Idempotency,
) -> Result<Option<Admission>, StoreError> {
    let Some(row) = sqlx::query(IDEMPOTENCY)
        .bind(new.tenant.0)
        .bind(idempotency.key.as_str())
        .bind(new.created_at.0.saturating_sub(IDEMPOTENCY_LIFE_S))
        .fetch_optional(&mut *connection)
        .await
        .map_err(store_error)?
    else {
        return Ok(None);
    };
    if rows::digest(&row, "fingerprint")? != idempotency.fingerprint {
        return Ok(Some(Admission::KeyReused));
    }
    let id = AnalysisId(rows::column(&row, "analysis")?);
    let first = find(connection, new.tenant, id).await?;
    Ok(first.map(Admission::Replayed))
}

/// Also takes the place of a key whose life is over.
async fn remember(
    connection: &mut SqliteConnection,
    new: &NewAnalysis,
    idempotency: &Idempotency,
) -> Result<(), StoreError> {
    sqlx::query(REMEMBER)
        .bind(new.tenant.0)
        .bind(idempotency.key.as_str())
        .bind(idempotency.fingerprint.as_bytes().as_slice())
        .bind(new.id.0)
        .bind(new.created_at.0)
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, new: &NewAnalysis) -> Result<(), StoreError> {
    let digest = new.digest.as_bytes().as_slice();
    sqlx::query(INSERT_BLOB)
        .bind(new.tenant.0)
        .bind(digest)
        .bind(rows::as_integer(new.bytes))
        .bind(new.created_at.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    let finished = new.finished.as_ref();
    let status = finished.map_or(Status::Queued, |finished| finished.outcome.status());
    sqlx::query(INSERT_ANALYSIS)
        .bind(new.id.0)
        .bind(new.tenant.0)
        .bind(status.as_str())
        .bind(new.created_at.0)
        .bind(finished.map(|finished| finished.at.0))
        .bind(digest)
        .bind(rows::as_integer(new.bytes))
        .bind(new.name.display.as_str())
        .bind(new.name.hex.as_deref())
        .bind(declared_kind(new.declared_kind))
        .bind(new.external_id.as_deref())
        .bind(new.declared_ai)
        .bind(new.metadata.as_deref())
        .bind(new.callback_url.as_deref())
        .bind(new.cache_key.as_bytes().as_slice())
        .bind(finished.is_some())
        .bind(finished.map(|finished| finished.verdict.as_str()))
        .bind(finished.map(|finished| finished.report.as_str()))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// The word that [`Kind::from_mime`] reads back; none for kinds without one.
fn declared_kind(kind: Option<Kind>) -> Option<&'static str> {
    kind.map(Kind::mime)
        .filter(|mime| Kind::from_mime(mime).is_some())
}

async fn waiting(connection: &mut SqliteConnection, tenant: TenantId) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) AS jobs FROM jobs WHERE tenant = ?")
        .bind(tenant.0)
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
    rows::count(&row, "jobs")
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    id: AnalysisId,
) -> Result<Option<Analysis>, StoreError> {
    sqlx::query("SELECT * FROM analyses WHERE tenant = ?1 AND id = ?2")
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(connection)
        .await
        .map_err(store_error)?
        .map(|row| rows::analysis(&row))
        .transpose()
}

fn finished(row: &SqliteRow) -> Result<Finished, StoreError> {
    Ok(Finished {
        outcome: Outcome::Done,
        verdict: rows::word(row, "verdict", |text| text.parse().ok())?,
        report: rows::column(row, "report")?,
        at: rows::time(row, "finished_at")?,
    })
}

async fn erase(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    id: AnalysisId,
    now: Timestamp,
) -> Result<Option<Erased>, StoreError> {
    let Some(analysis) = find(connection, tenant, id).await? else {
        return Ok(None);
    };
    if analysis.erased_at.is_some() {
        return Ok(Some(Erased {
            was: analysis.status,
            tombstone: analysis,
            digest: None,
        }));
    }
    for sql in ERASE {
        sqlx::query(sql)
            .bind(id.0)
            .bind(now.0)
            .execute(&mut *connection)
            .await
            .map_err(store_error)?;
    }
    let tombstone = find(connection, tenant, id).await?;
    Ok(tombstone.map(|tombstone| Erased {
        tombstone,
        was: analysis.status,
        digest: analysis.digest,
    }))
}

const LIST: &str = "\
SELECT * FROM analyses
WHERE tenant = ?1 AND (?2 IS NULL OR id < ?2) AND erased_at IS NULL
  AND (?3 IS NULL OR verdict = ?3) AND (?4 IS NULL OR created_at >= ?4) AND ?6 IS NULL
ORDER BY id DESC LIMIT ?5";

/// The same over its own index.
const LIST_BY_EXTERNAL_ID: &str = "\
SELECT * FROM analyses
WHERE tenant = ?1 AND (?2 IS NULL OR id < ?2) AND erased_at IS NULL
  AND (?3 IS NULL OR verdict = ?3) AND (?4 IS NULL OR created_at >= ?4) AND external_id = ?6
ORDER BY id DESC LIMIT ?5";

const CACHED: &str = "\
SELECT verdict, report, finished_at FROM analyses
WHERE tenant = ?1 AND cache_key = ?2 AND status = 'done' AND cached = 0 AND finished_at >= ?3
  AND erased_at IS NULL
ORDER BY finished_at DESC LIMIT 1";

const IDEMPOTENCY: &str = "\
SELECT fingerprint, analysis FROM idempotency WHERE tenant = ?1 AND key = ?2 AND created_at > ?3";

const REMEMBER: &str = "\
INSERT OR REPLACE INTO idempotency (tenant, key, fingerprint, analysis, created_at)
VALUES (?1, ?2, ?3, ?4, ?5)";

const INSERT_BLOB: &str = "\
INSERT OR IGNORE INTO blobs (tenant, digest, bytes, created_at) VALUES (?1, ?2, ?3, ?4)";

const INSERT_ANALYSIS: &str = "\
INSERT INTO analyses (id, tenant, status, created_at, finished_at, digest, bytes, name, name_hex,
  declared_kind, external_id, declared_ai, metadata, callback_url, cache_key, cached, verdict, report)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

const INSERT_JOB: &str = "INSERT INTO jobs (analysis, tenant, due_at) VALUES (?1, ?2, ?3)";

/// An analysis that is erased before its verdict is failed: it will never have one.
const ERASE: [&str; 3] = [
    "DELETE FROM jobs WHERE analysis = ?1",
    "DELETE FROM deliveries WHERE analysis = ?1",
    "UPDATE analyses SET erased_at = ?2, finished_at = coalesce(finished_at, ?2),
       status = CASE status WHEN 'done' THEN 'done' ELSE 'failed' END,
       digest = NULL, bytes = 0, name = '', name_hex = NULL, declared_kind = NULL, external_id = NULL,
       declared_ai = NULL, metadata = NULL, callback_url = NULL, cache_key = NULL, verdict = NULL,
       report = NULL
     WHERE id = ?1",
];
