//! What a tenant's administrator does over HTTP: its own API keys, and how long its files are kept.
//! Tenants themselves are made by the operator, with `bonafide admin`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use media::Fault;
use provenance::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use verdict::Code;

use crate::{
    auth::{Caller, Credential},
    error::Problem,
    keys,
    openapi::Refusals,
    state::ServerState,
    store::{self, ApiKey, KeyId, NewKey, Scope, Scopes, StoreError},
};

/// The routes, each with its description.
pub(crate) fn routes() -> OpenApiRouter<Arc<ServerState>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(rotate, revoke))
        .routes(routes!(retention, set_retention))
}

/// The API keys of a tenant, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKeys)]
struct Keys {
    keys: Vec<Key>,
}

/// An API key without its secret, which nobody has but its owner.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
struct Key {
    /// 12 hex digits, the part after `bonafide_`.
    id: String,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    /// From then on it is refused; null when it has no end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was revoked.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// A new API key. This answer is the only place where its text is ever shown.
#[derive(Serialize, ToSchema)]
struct NewApiKey {
    /// The key.
    key: String,
    /// Its public part.
    id: String,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// From then on it is refused; null when it has no end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// How long files are kept after their verdict. Reports stay.
#[derive(Serialize, ToSchema)]
struct Retention {
    rules: Vec<Rule>,
    /// Days where no rule applies.
    default_days: u32,
}

/// One rule of retention.
#[derive(Serialize, ToSchema)]
#[schema(as = RetentionRule)]
struct Rule {
    /// For files with this verdict; null for all that have no rule of their own.
    verdict: Option<&'static str>,
    days: u32,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `analyse`, `read`, `sign`, `admin`, with commas between them.
    scopes: String,
    /// From then on it is refused, RFC 3339; without it the key has no end.
    #[param(format = DateTime)]
    expires_at: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Rotation {
    /// For how many hours the old key goes on; default 24, at most 8,760.
    #[param(minimum = 0, maximum = 8760)]
    overlap_hours: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NewRule {
    /// Days; 0 deletes a file soon after its verdict.
    #[param(minimum = 0, maximum = 36500)]
    days: u32,
    /// Only for files with this verdict; without it, for all that have no rule of their own.
    verdict: Option<String>,
}

/// The keys of this tenant, revoked and ended ones for a month after.
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "listKeys",
    tag = "administration",
    responses((status = 200, description = "The oldest first", body = Keys), Refusals),
    security(("key" = ["admin"])),
)]
async fn list(State(state): State<Arc<ServerState>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let kept = state.store.keys(caller.tenant).await.map_err(problem)?;
    let keys = kept.iter().map(Key::of).collect();
    Ok(Json(Keys { keys }).into_response())
}

/// Makes a key for this tenant and shows it, once.
#[utoipa::path(
    post,
    path = "/v1/keys",
    operation_id = "createKey",
    tag = "administration",
    params(Wanted),
    responses((status = 201, description = "The key", body = NewApiKey), Refusals),
    security(("key" = ["admin"])),
)]
async fn create(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let wanted: Wanted = parameters(&uri)?;
    let scopes: Scopes = wanted
        .scopes
        .parse()
        .map_err(|error: store::UnknownScope| Problem::parameter("/scopes", error.to_string()))?;
    let expires_at = wanted.expires_at.map(|text| moment(&text)).transpose()?;
    let (text, key) = generate(scopes, state.now(), expires_at)?;
    state
        .store
        .add_key(caller.tenant, key.clone())
        .await
        .map_err(problem)?;
    tracing::info!(tenant.id = %caller.tenant, key.id = %key.id, by = by(&caller), "made an API key");
    Ok(shown(&text, &key))
}

/// Makes a key with the same scopes, and lets this one end after a while.
#[utoipa::path(
    post,
    path = "/v1/keys/{key_id}",
    operation_id = "rotateKey",
    tag = "administration",
    params(("key_id" = String, Path, description = "The id of the old key"), Rotation),
    responses((status = 201, description = "The new key", body = NewApiKey), Refusals),
    security(("key" = ["admin"])),
)]
async fn rotate(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let rotation: Rotation = parameters(&uri)?;
    let hours = rotation.overlap_hours.unwrap_or(OVERLAP_HOURS);
    if hours > MAX_OVERLAP_HOURS {
        let detail = format!("At most {MAX_OVERLAP_HOURS} hours; an old key must end.");
        return Err(Problem::parameter("/overlap_hours", detail));
    }
    let (id, now) = (KeyId(id), state.now());
    let old = state.store.key(&id).await.map_err(problem)?;
    let old = old.filter(|old| old.tenant == caller.tenant);
    let old = old.ok_or_else(Problem::not_found)?;
    let (text, key) = generate(old.scopes, now, None)?;
    let ends_at = Timestamp(now.0.saturating_add(i64::from(hours) * 3_600));
    state
        .store
        .rotate_key(caller.tenant, &id, key.clone(), ends_at)
        .await
        .map_err(problem)?;
    tracing::info!(tenant.id = %caller.tenant, key.id = %key.id, key.old = %id, by = by(&caller), "rotated an API key");
    Ok(shown(&text, &key))
}

/// Refuses a key from now on.
#[utoipa::path(
    delete,
    path = "/v1/keys/{key_id}",
    operation_id = "revokeKey",
    tag = "administration",
    params(("key_id" = String, Path, description = "The id of the key")),
    responses((status = 204, description = "Revoked"), Refusals),
    security(("key" = ["admin"])),
)]
async fn revoke(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.may(Scope::Admin)?;
    let id = KeyId(id);
    state
        .store
        .revoke_key(caller.tenant, &id, state.now())
        .await
        .map_err(problem)?;
    tracing::info!(tenant.id = %caller.tenant, key.id = %id, by = by(&caller), "revoked an API key");
    Ok(StatusCode::NO_CONTENT)
}

/// How long the files of this tenant are kept after their verdict.
#[utoipa::path(
    get,
    path = "/v1/retention",
    operation_id = "getRetention",
    tag = "administration",
    responses((status = 200, description = "The rules", body = Retention), Refusals),
    security(("key" = ["admin"])),
)]
async fn retention(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    rules(&state, &caller).await
}

/// Sets one rule. It holds for files that are there already, too.
#[utoipa::path(
    put,
    path = "/v1/retention",
    operation_id = "setRetention",
    tag = "administration",
    params(NewRule),
    responses((status = 200, description = "The rules", body = Retention), Refusals),
    security(("key" = ["admin"])),
)]
async fn set_retention(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let new: NewRule = parameters(&uri)?;
    if new.days > MAX_DAYS {
        let detail = format!("At most {MAX_DAYS} days.");
        return Err(Problem::parameter("/days", detail));
    }
    let verdict = new.verdict.map(|word| word.parse::<Code>()).transpose();
    let rule = store::Retention {
        verdict: verdict.map_err(|error| Problem::parameter("/verdict", error.to_string()))?,
        days: new.days,
    };
    state
        .store
        .set_retention(caller.tenant, rule)
        .await
        .map_err(problem)?;
    rules(&state, &caller).await
}

async fn rules(state: &ServerState, caller: &Caller) -> Result<Response, Problem> {
    let kept = state
        .store
        .retention(caller.tenant)
        .await
        .map_err(problem)?;
    let rules = kept.iter().map(|rule| Rule {
        verdict: rule.verdict.map(Code::as_str),
        days: rule.days,
    });
    let answer = Retention {
        rules: rules.collect(),
        default_days: store::Retention::DEFAULT_DAYS,
    };
    Ok(Json(answer).into_response())
}

impl Key {
    fn of(kept: &ApiKey) -> Self {
        Self {
            id: kept.id.to_string(),
            scopes: words(kept.scopes),
            created_at: kept.created_at.to_rfc3339(),
            expires_at: kept.expires_at.map(Timestamp::to_rfc3339),
            revoked_at: kept.revoked_at.map(Timestamp::to_rfc3339),
        }
    }
}

fn generate(
    scopes: Scopes,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(keys::ApiKeyText, NewKey), Problem> {
    keys::generate(scopes, now, expires_at).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        Problem::fault(Fault::Operator, "No key can be made. Try again later.")
    })
}

fn shown(text: &keys::ApiKeyText, key: &NewKey) -> Response {
    let answer = NewApiKey {
        key: text.expose().to_owned(),
        id: key.id.to_string(),
        scopes: words(key.scopes),
        expires_at: key.expires_at.map(Timestamp::to_rfc3339),
    };
    (StatusCode::CREATED, Json(answer)).into_response()
}

fn words(scopes: Scopes) -> Vec<&'static str> {
    let held = Scope::ALL
        .into_iter()
        .filter(|scope| scopes.contains(*scope));
    held.map(Scope::as_str).collect()
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    let detail = "Write the time like 2026-11-23T00:00:00Z (RFC 3339).";
    Timestamp::parse_rfc3339(text).ok_or_else(|| Problem::parameter("/expires_at", detail))
}

fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::try_from_uri(uri)
        .map(|Query(parameters)| parameters)
        .map_err(|rejection| Problem::parameter("/", rejection.body_text()))
}

/// Who did it: an administrator's token ends soon, and what was made with it may not.
fn by(caller: &Caller) -> Option<tracing::field::DisplayValue<&Credential>> {
    caller.credential.as_ref().map(tracing::field::display)
}

/// A key that is not this tenant's is not there.
fn problem(error: StoreError) -> Problem {
    if matches!(error, StoreError::UnknownKey(_)) {
        Problem::not_found()
    } else {
        Problem::store(error)
    }
}

/// A day, as `bonafide admin keys rotate` has it.
const OVERLAP_HOURS: u32 = 24;

/// A year.
const MAX_OVERLAP_HOURS: u32 = 8_760;

/// A century: more is no limit.
const MAX_DAYS: u32 = 36_500;
