//! What a tenant can ask about its webhooks: the keys they are signed with, how deliveries went, and a
//! delivery to try a receiver with.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    keys::{PublicKey, rotate_keys, signing_public_keys},
    sign::public_id,
    target::Target,
};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::Refusals,
    state::ServerState,
    store::{AnalysisId, DeliveredTo, DeliveryEvent, DeliveryState, NewDelivery, Scope},
};

/// The routes, each with its description.
pub(crate) fn routes() -> OpenApiRouter<Arc<ServerState>> {
    OpenApiRouter::new()
        .routes(routes!(keys, rotate))
        .routes(routes!(deliveries, test))
}

/// The keys that sign a tenant's webhooks, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookKeys)]
struct Keys {
    keys: Vec<PublicKey>,
}

/// The deliveries of a tenant, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveries)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

/// One delivery as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
struct Delivery {
    /// What the receiver sees as `webhook-id`, the same for every attempt.
    id: String,
    /// What it tells: `analysis.completed`, `analysis.failed` or `webhook.test`.
    r#type: &'static str,
    /// The analysis it is about; null for a test.
    #[schema(format = Uuid)]
    analysis: Option<String>,
    /// Where to.
    url: String,
    state: Standing,
    /// How often it was tried.
    attempts: u32,
    /// How the last attempt went, in a word, with the receiver's status if it answered.
    last: Option<String>,
    /// When it is tried next; null when it will not be.
    #[schema(format = DateTime)]
    next_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Where a delivery stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookDeliveryState)]
enum Standing {
    /// To be tried, for the first time or again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Rotation {
    /// For how many hours the older keys go on signing beside the new one; default 168, at most 8,760.
    #[param(minimum = 0, maximum = 8760)]
    overlap_hours: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only deliveries about this analysis.
    #[param(value_type = Option<Uuid>)]
    analysis: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Trial {
    /// The receiver.
    #[param(max_length = 2048)]
    url: String,
}

/// The keys to verify webhooks with.
#[utoipa::path(
    get,
    path = "/v1/webhook-keys",
    operation_id = "listWebhookKeys",
    tag = "webhooks",
    responses((status = 200, description = "The keys that sign now", body = Keys), Refusals),
    security(("key" = ["read"])),
)]
async fn keys(State(state): State<Arc<ServerState>>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let keys = signing_public_keys(&*state.store, caller.tenant, state.now())
        .await
        .map_err(Problem::store)?;
    Ok(Json(Keys { keys }).into_response())
}

/// Makes a new key. The older ones go on signing beside it for a while, so that receivers can change over.
#[utoipa::path(
    post,
    path = "/v1/webhook-keys",
    operation_id = "rotateWebhookKeys",
    tag = "webhooks",
    params(Rotation),
    responses((status = 201, description = "The keys that sign now, the new one first", body = Keys), Refusals),
    security(("key" = ["admin"])),
)]
async fn rotate(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let rotation: Rotation = parameters(&uri)?;
    let hours = rotation.overlap_hours.unwrap_or(OVERLAP_HOURS);
    if hours > MAX_OVERLAP_HOURS {
        return Err(Problem::parameter(
            "/overlap_hours",
            format!("At most {MAX_OVERLAP_HOURS} hours; an old key must end."),
        ));
    }
    let keys = rotate_keys(&*state.store, caller.tenant, state.now(), hours * 3_600)
        .await
        .map_err(Problem::store)?;
    tracing::info!(tenant.id = %caller.tenant, "made a new webhook key");
    Ok((StatusCode::CREATED, Json(Keys { keys })).into_response())
}

/// How the newest hundred deliveries went, those of tests among them.
#[utoipa::path(
    get,
    path = "/v1/webhook-deliveries",
    operation_id = "listWebhookDeliveries",
    tag = "webhooks",
    params(Which),
    responses((status = 200, description = "The newest first", body = Deliveries), Refusals),
    security(("key" = ["read"])),
)]
async fn deliveries(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let which: Which = parameters(&uri)?;
    let analysis = which
        .analysis
        .map(|id| {
            AnalysisId::parse(&id).ok_or_else(|| Problem::parameter("/analysis", "This is no id."))
        })
        .transpose()?;
    let found = state
        .store
        .deliveries(caller.tenant, analysis, MAX_DELIVERIES)
        .await
        .map_err(Problem::store)?;
    let deliveries = found.into_iter().map(Delivery::from).collect();
    Ok(Json(Deliveries { deliveries }).into_response())
}

/// Sends a webhook of the type `webhook.test` once, signed like every other. How it went is among the
/// deliveries a moment later.
#[utoipa::path(
    post,
    path = "/v1/webhook-deliveries",
    operation_id = "testWebhook",
    tag = "webhooks",
    params(Trial),
    responses((status = 202, description = "On its way", body = Deliveries), Refusals),
    security(("key" = ["admin"])),
)]
async fn test(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    caller.may(Scope::Admin)?;
    let trial: Trial = parameters(&uri)?;
    Target::parse(&trial.url, state.settings.webhook_reach)
        .map_err(|error| Problem::parameter("/url", error.to_string()))?;
    let now = state.now();
    let new = NewDelivery {
        id: Uuid::now_v7(),
        tenant: caller.tenant,
        url: trial.url,
        event: DeliveryEvent::Test,
        created_at: now,
    };
    let delivery = Delivery {
        id: public_id(new.id),
        r#type: new.event.as_str(),
        analysis: None,
        url: new.url.clone(),
        state: Standing::Waiting,
        attempts: 0,
        last: None,
        next_at: Some(now.to_rfc3339()),
        created_at: now.to_rfc3339(),
    };
    state
        .store
        .queue_delivery(new)
        .await
        .map_err(Problem::store)?;
    let deliveries = vec![delivery];
    Ok((StatusCode::ACCEPTED, Json(Deliveries { deliveries })).into_response())
}

impl From<DeliveredTo> for Delivery {
    fn from(kept: DeliveredTo) -> Self {
        let (state, due) = match kept.state {
            DeliveryState::Waiting => (Standing::Waiting, Some(kept.due_at)),
            DeliveryState::Delivered => (Standing::Delivered, None),
            DeliveryState::Dead => (Standing::Dead, None),
        };
        Self {
            id: public_id(kept.id),
            r#type: kept.event.as_str(),
            analysis: kept.analysis.map(|id| id.to_string()),
            url: kept.url,
            state,
            attempts: kept.attempts,
            last: kept.last,
            next_at: due.map(|due| due.to_rfc3339()),
            created_at: kept.created_at.to_rfc3339(),
        }
    }
}

fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    Query::try_from_uri(uri)
        .map(|Query(parameters)| parameters)
        .map_err(|rejection| Problem::parameter("/", rejection.body_text()))
}

/// A week: long enough for a change of keys that somebody has to approve.
const OVERLAP_HOURS: u32 = 168;

/// A year.
const MAX_OVERLAP_HOURS: u32 = 8_760;

/// Deliveries in one answer.
const MAX_DELIVERIES: u32 = 100;
