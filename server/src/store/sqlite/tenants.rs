//! Tenants, hashes of their keys, and their retention.

use async_trait::async_trait;
use provenance::Timestamp;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, rows, store_error};
use crate::store::{
    ApiKey, KeyHash, KeyId, NewKey, Retention, StoreError, Tenant, TenantId, TenantName, Tenants,
};

#[async_trait]
impl Tenants for SqliteStore {
    async fn ensure_tenant(&self, name: &TenantName, now: Timestamp) -> Result<Tenant, StoreError> {
        let wanted = name.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(ENSURE_TENANT)
                        .bind(TenantId::new().0)
                        .bind(wanted.as_str())
                        .bind(now.0)
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(())
                })
            })
            .await?;
        self.tenant(name).await
    }

    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        sqlx::query("SELECT * FROM tenants WHERE id <> ?1 ORDER BY name")
            .bind(TenantId::LOCAL.0)
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(tenant)
            .collect()
    }

    async fn tenant(&self, name: &TenantName) -> Result<Tenant, StoreError> {
        let row = sqlx::query("SELECT * FROM tenants WHERE name = ?1")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(store_error)?;
        let row = row.ok_or_else(|| StoreError::UnknownTenant(name.to_string()))?;
        tenant(&row)
    }

    async fn has_tenants(&self) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM tenants WHERE id <> ?1)")
            .bind(TenantId::LOCAL.0)
            .fetch_one(&self.readers)
            .await
            .map_err(store_error)
    }

    async fn add_key(&self, tenant: TenantId, key: NewKey) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| Box::pin(add_key(connection, tenant, key)))
            .await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError> {
        sqlx::query("SELECT * FROM keys WHERE id = ?1")
            .bind(id.0.as_str())
            .fetch_optional(&self.readers)
            .await
            .map_err(store_error)?
            .map(|row| key(&row))
            .transpose()
    }

    async fn keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>, StoreError> {
        sqlx::query("SELECT * FROM keys WHERE tenant = ?1 ORDER BY created_at, id")
            .bind(tenant.0)
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(key)
            .collect()
    }

    async fn rotate_key(
        &self,
        tenant: TenantId,
        id: &KeyId,
        successor: NewKey,
        ends_at: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    let now = successor.created_at;
                    end(connection, LET_END, tenant, &id, ends_at, now).await?;
                    add_key(connection, tenant, successor).await
                })
            })
            .await
    }

    async fn revoke_key(
        &self,
        tenant: TenantId,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.writer
            .write(move |connection| {
                Box::pin(async move { end(connection, REVOKE, tenant, &id, now, now).await })
            })
            .await
    }

    async fn retention(&self, tenant: TenantId) -> Result<Vec<Retention>, StoreError> {
        sqlx::query("SELECT verdict, days FROM retention WHERE tenant = ?1 ORDER BY verdict")
            .bind(tenant.0)
            .fetch_all(&self.readers)
            .await
            .map_err(store_error)?
            .iter()
            .map(retention)
            .collect()
    }

    async fn set_retention(&self, tenant: TenantId, rule: Retention) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                Box::pin(async move {
                    sqlx::query(SET_RETENTION)
                        .bind(tenant.0)
                        .bind(rule.verdict.map_or("", verdict::Code::as_str))
                        .bind(i64::from(rule.days))
                        .execute(connection)
                        .await
                        .map_err(store_error)?;
                    Ok(())
                })
            })
            .await
    }
}

async fn add_key(
    connection: &mut SqliteConnection,
    tenant: TenantId,
    key: NewKey,
) -> Result<(), StoreError> {
    sqlx::query(ADD_KEY)
        .bind(key.id.0)
        .bind(tenant.0)
        .bind(key.hash.0.as_slice())
        .bind(key.scopes.to_string())
        .bind(key.created_at.0)
        .bind(key.expires_at.map(|end| end.0))
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Ends one live key of a tenant.
async fn end(
    connection: &mut SqliteConnection,
    sql: &'static str,
    tenant: TenantId,
    id: &KeyId,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = sqlx::query(sql)
        .bind(tenant.0)
        .bind(id.0.as_str())
        .bind(at.0)
        .bind(now.0)
        .execute(connection)
        .await
        .map_err(store_error)?;
    match ended.rows_affected() {
        0 => Err(StoreError::UnknownKey(id.0.clone())),
        _ => Ok(()),
    }
}

fn tenant(row: &SqliteRow) -> Result<Tenant, StoreError> {
    Ok(Tenant {
        id: TenantId(rows::column(row, "id")?),
        name: rows::word(row, "name", |text| text.parse().ok())?,
        created_at: rows::time(row, "created_at")?,
    })
}

fn key(row: &SqliteRow) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: KeyId(rows::column(row, "id")?),
        tenant: TenantId(rows::column(row, "tenant")?),
        hash: KeyHash(rows::bytes32(row, "hash")?),
        scopes: rows::word(row, "scopes", |text| text.parse().ok())?,
        created_at: rows::time(row, "created_at")?,
        expires_at: rows::time_or_none(row, "expires_at")?,
        revoked_at: rows::time_or_none(row, "revoked_at")?,
    })
}

fn retention(row: &SqliteRow) -> Result<Retention, StoreError> {
    let verdict = rows::word(row, "verdict", |text| match text {
        "" => Some(None),
        word => word.parse().ok().map(Some),
    })?;
    Ok(Retention {
        verdict,
        days: rows::small(row, "days")?,
    })
}

const ENSURE_TENANT: &str = "\
INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";

const ADD_KEY: &str = "\
INSERT INTO keys (id, tenant, hash, scopes, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const LET_END: &str = "\
UPDATE keys SET expires_at = min(coalesce(expires_at, ?3), ?3)
WHERE tenant = ?1 AND id = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4)";

const REVOKE: &str = "\
UPDATE keys SET revoked_at = ?3
WHERE tenant = ?1 AND id = ?2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?4)";

const SET_RETENTION: &str = "\
INSERT INTO retention (tenant, verdict, days) VALUES (?1, ?2, ?3)
ON CONFLICT (tenant, verdict) DO UPDATE SET days = excluded.days";
