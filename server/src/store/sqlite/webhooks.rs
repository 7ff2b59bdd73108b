//! Deliveries, queued in the same transaction as the verdict they tell of, and signing keys.

use async_trait::async_trait;
use provenance::Timestamp;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{SqliteStore, rows, store_error};
use crate::store::{
    AnalysisId, Attempt, DeliveredTo, Delivery, DeliveryEvent, DeliveryState, Finished,
    NewDelivery, Outcome, SigningKey, StoreError, TenantId, Webhooks,
};

#[async_trait]
impl Webhooks for SqliteStore {
    async fn queue_delivery(&self, new: NewDelivery) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(QUEUE)
                        .bind(new.id)
                        .bind(new.tenant.0)
                        .bind(new.url)
                        .bind(new.event.as_str())
                        .bind(new.created_at.0)
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(())
                })
            })
            .await
    }

    async fn lease_deliveries(
        &self,
        now: Timestamp,
        lease_s: u32,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let token = Uuid::new_v4();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(TAKE)
                        .bind(now.0)
                        .bind(token)
                        .bind(now.0 + i64::from(lease_s))
                        .bind(i64::from(limit))
                        .fetch_all(connection)
                        .await
                        .map_err(store_error)?
                        .iter()
                        .map(|row| delivery(row, token))
                        .collect()
                })
            })
            .await
    }

    async fn delivered(&self, attempt: Attempt, last: &str) -> Result<(), StoreError> {
        self.settle(attempt, DeliveryState::Delivered, None, last)
            .await
    }

    async fn try_again(
        &self,
        attempt: Attempt,
        due: Timestamp,
        last: &str,
    ) -> Result<(), StoreError> {
        self.settle(attempt, DeliveryState::Waiting, Some(due), last)
            .await
    }

    async fn bury(&self, attempt: Attempt, last: &str) -> Result<(), StoreError> {
        self.settle(attempt, DeliveryState::Dead, None, last).await
    }

    async fn deliveries(
        &self,
        tenant: TenantId,
        analysis: Option<AnalysisId>,
        limit: u32,
    ) -> Result<Vec<DeliveredTo>, StoreError> {
        sqlx::query(DELIVERIES)
            .bind(tenant.0)
            .bind(analysis.map(|id| id.0))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(delivered_to)
            .collect()
    }

    async fn add_signing_key(
        &self,
        tenant: TenantId,
        key: SigningKey,
        others_end_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(add_signing_key(connection, tenant, key, others_end_at))
            })
            .await
    }

    async fn signing_keys(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<SigningKey>, StoreError> {
        sqlx::query(SIGNING_KEYS)
            .bind(tenant.0)
            .bind(now.0)
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(signing_key)
            .collect()
    }
}

impl SqliteStore {
    async fn settle(
        &self,
        attempt: Attempt,
        state: DeliveryState,
        due: Option<Timestamp>,
        last: &str,
    ) -> Result<(), StoreError> {
        let last = last.to_owned();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(SETTLE)
                        .bind(attempt.delivery)
                        .bind(attempt.token)
                        .bind(state_word(state))
                        .bind(due.map(|due| due.0))
                        .bind(last)
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(())
                })
            })
            .await
    }
}

/// Queues what an analysis with a callback address owes. Part of the transaction of its verdict.
pub(super) async fn queue_outcome(
    connection: &mut SqliteConnection,
    analysis: AnalysisId,
    finished: &Finished,
) -> Result<(), StoreError> {
    let event = match finished.outcome {
        Outcome::Done => DeliveryEvent::Completed,
        Outcome::Failed => DeliveryEvent::Failed,
    };
    sqlx::query(QUEUE_OUTCOME)
        .bind(Uuid::now_v7())
        .bind(analysis.0)
        .bind(event.as_str())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn add_signing_key(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    key: SigningKey,
    others_end_at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(END_SIGNING_KEYS)
        .bind(tenant.0)
        .bind(others_end_at.0)
        .execute(&mut *connection)
        .await
        .map_err(store_error)?;
    sqlx::query(ADD_SIGNING_KEY)
        .bind(key.id)
        .bind(tenant.0)
        .bind(key.seed.as_slice())
        .bind(key.created_at.0)
        .bind(key.ends_at.map(|end| end.0))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

fn delivery(row: &SqliteRow, token: Uuid) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        attempt: Attempt {
            delivery: rows::column(row, "id")?,
            token,
        },
        tenant: TenantId(rows::column(row, "tenant")?),
        analysis: rows::column::<Option<Uuid>, _>(row, "analysis")?.map(AnalysisId),
        url: rows::column(row, "url")?,
        event: rows::word(row, "event", event)?,
        created_at: rows::time(row, "created_at")?,
        number: rows::small(row, "attempts")?,
    })
}

fn delivered_to(row: &SqliteRow) -> Result<DeliveredTo, StoreError> {
    Ok(DeliveredTo {
        id: rows::column(row, "id")?,
        analysis: rows::column::<Option<Uuid>, _>(row, "analysis")?.map(AnalysisId),
        url: rows::column(row, "url")?,
        event: rows::word(row, "event", event)?,
        state: rows::word(row, "state", state)?,
        attempts: rows::small(row, "attempts")?,
        last: rows::column(row, "last")?,
        due_at: rows::time(row, "due_at")?,
        created_at: rows::time(row, "created_at")?,
    })
}

fn signing_key(row: &SqliteRow) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        id: rows::column(row, "id")?,
        seed: Zeroizing::new(rows::bytes32(row, "seed")?),
        created_at: rows::time(row, "created_at")?,
        ends_at: rows::time_or_none(row, "ends_at")?,
    })
}

fn event(text: &str) -> Option<DeliveryEvent> {
    [
        DeliveryEvent::Completed,
        DeliveryEvent::Failed,
        DeliveryEvent::Test,
    ]
    .into_iter()
    .find(|event| event.as_str() == text)
}

fn state(text: &str) -> Option<DeliveryState> {
    [
        DeliveryState::Waiting,
        DeliveryState::Delivered,
        DeliveryState::Dead,
    ]
    .into_iter()
    .find(|state| state_word(*state) == text)
}

fn state_word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Dead => "dead",
    }
}

const QUEUE: &str = "\
INSERT INTO deliveries (id, tenant, url, event, state, due_at, created_at)
VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5)";

const QUEUE_OUTCOME: &str = "\
INSERT INTO deliveries (id, tenant, analysis, url, event, state, due_at, created_at)
SELECT ?1, tenant, id, callback_url, ?3, 'waiting', finished_at, finished_at
FROM analyses WHERE id = ?2 AND callback_url IS NOT NULL";

/// Tenants take turns, so that one with many receivers that hang does not hold up the others.
const TAKE: &str = "\
UPDATE deliveries SET token = ?2, leased_until = ?3, attempts = attempts + 1
WHERE id IN (SELECT id FROM (SELECT id, due_at, row_number() OVER (PARTITION BY tenant ORDER BY due_at) AS turn
                             FROM deliveries WHERE state = 'waiting' AND due_at <= ?1 AND leased_until <= ?1)
             ORDER BY turn, due_at LIMIT ?4)
RETURNING *";

const SETTLE: &str = "\
UPDATE deliveries SET state = ?3, due_at = coalesce(?4, due_at), last = ?5, token = NULL, leased_until = 0
WHERE id = ?1 AND token = ?2";

const DELIVERIES: &str = "\
SELECT * FROM deliveries WHERE tenant = ?1 AND (?2 IS NULL OR analysis = ?2)
ORDER BY created_at DESC, id DESC LIMIT ?3";

const END_SIGNING_KEYS: &str = "\
UPDATE signing_keys SET ends_at = ?2 WHERE tenant = ?1 AND (ends_at IS NULL OR ends_at > ?2)";

const ADD_SIGNING_KEY: &str = "\
INSERT INTO signing_keys (id, tenant, seed, created_at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)";

const SIGNING_KEYS: &str = "\
SELECT * FROM signing_keys WHERE tenant = ?1 AND (ends_at IS NULL OR ends_at > ?2)
ORDER BY created_at DESC, id DESC";
