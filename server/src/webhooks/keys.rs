//! The keys that sign one tenant's webhooks: made on first use, rotated with a time of overlap.
//!
//! Each tenant has keys of its own. With one key for all, a tenant could have a signed webhook sent to another
//! tenant's receiver, which could not tell it from its own. Where keys are kept is the store's business.

use ed25519_dalek::SigningKey;
use provenance::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::sign::public_text;
use crate::store::{self, Store, StoreError, TenantId};

/// A key to verify webhooks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PublicKey {
    /// `whpk_` and the Ed25519 public key in base64, as Standard Webhooks writes it.
    #[schema(example = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")]
    pub key: String,
    /// When it began to sign, RFC 3339 in UTC.
    pub created_at: String,
    /// When it stops signing, RFC 3339 in UTC; `null` until it is rotated.
    pub ends_at: Option<String>,
}

/// The keys that sign for `tenant` at `now`, the newest first; one is made if there is none.
///
/// # Errors
///
/// [`StoreError`].
pub(crate) async fn signing_keys(
    store: &dyn Store,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<SigningKey>, StoreError> {
    let keys = ensured(store, tenant, now).await?;
    Ok(keys
        .iter()
        .map(|key| SigningKey::from_bytes(&key.seed))
        .collect())
}

/// The public halves of the keys that sign for `tenant` at `now`, the newest first.
///
/// # Errors
///
/// [`StoreError`].
pub async fn signing_public_keys(
    store: &dyn Store,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<PublicKey>, StoreError> {
    let keys = ensured(store, tenant, now).await?;
    Ok(keys.iter().map(public).collect())
}

/// Adds a key and lets the older ones end after `overlap_s` seconds, in which webhooks carry a signature of
/// each. The answer is what signs from now on, the newest first.
///
/// # Errors
///
/// [`StoreError`].
pub async fn rotate_keys(
    store: &dyn Store,
    tenant: TenantId,
    now: Timestamp,
    overlap_s: u32,
) -> Result<Vec<PublicKey>, StoreError> {
    let ends_at = Timestamp(now.0.saturating_add(i64::from(overlap_s)));
    store
        .add_signing_key(tenant, new_key(now)?, ends_at)
        .await?;
    let keys = store.signing_keys(tenant, now).await?;
    Ok(keys.iter().map(public).collect())
}

async fn ensured(
    store: &dyn Store,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<store::SigningKey>, StoreError> {
    let keys = store.signing_keys(tenant, now).await?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    // Two that do this at once leave two keys, both good; nothing ends.
    let never = Timestamp(i64::MAX);
    store.add_signing_key(tenant, new_key(now)?, never).await?;
    store.signing_keys(tenant, now).await
}

fn new_key(now: Timestamp) -> Result<store::SigningKey, StoreError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| StoreError::Unexpected(format!("no random bytes: {error}")))?;
    Ok(store::SigningKey {
        id: Uuid::now_v7(),
        seed,
        created_at: now,
        ends_at: None,
    })
}

fn public(key: &store::SigningKey) -> PublicKey {
    PublicKey {
        key: public_text(&SigningKey::from_bytes(&key.seed).verifying_key()),
        created_at: key.created_at.to_rfc3339(),
        ends_at: key
            .ends_at
            .filter(|end| end.0 < i64::MAX)
            .map(|end| end.to_rfc3339()),
    }
}
