//! `/healthz` says that the process answers; `/readyz` that it can do its work, by doing some, and with what it
//! does it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::{
    error::{Problem, ProblemBody},
    state::ServerState,
};

/// The outcome of a self-test; the error is its stable code.
pub(crate) struct LastCheck {
    at: Instant,
    outcome: Result<(), &'static str>,
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// What a service that is ready works with.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready`.
    status: &'static str,
    /// Name and version of each model.
    models: Vec<String>,
    /// The policy in force, with its digest.
    policy: String,
    /// The trust lists in force.
    trust_lists: Vec<List>,
    /// Bytes left for the data folder; null where the system does not say.
    free_bytes: Option<u64>,
}

/// A trust list in force.
#[derive(Serialize, ToSchema)]
#[schema(as = ListInForce)]
struct List {
    name: String,
    /// Day of its last change; null for local files.
    date: Option<String>,
}

/// 200 as long as the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "isAlive",
    tag = "service",
    responses((status = 200, description = "The process answers", body = Health)),
)]
pub(crate) async fn healthz() -> Response {
    Json(Health { status: "ok" }).into_response()
}

/// 200 when one real inference, one real validation and one real write succeed and the disk has room; 503 when
/// not.
///
/// The outcome is kept for a few seconds, and callers that arrive meanwhile wait for the one test that
/// runs: asking often costs nothing.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "isReady",
    tag = "service",
    responses(
        (status = 200, description = "The service can do its work", body = Ready),
        (status = 503, description = "It cannot; the code says why", body = ProblemBody<'_>,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn readyz(State(state): State<Arc<ServerState>>) -> Result<Response, Problem> {
    let mut last = state.last_check.lock().await;
    let outcome = match &*last {
        Some(check) if check.at.elapsed() < state.settings.ready_cache => check.outcome,
        Some(_) | None => {
            let outcome = check(&state).await;
            *last = Some(LastCheck {
                at: Instant::now(),
                outcome,
            });
            outcome
        }
    };
    drop(last);
    outcome.map_err(Problem::not_ready)?;
    Ok(Json(Ready::of(&state)).into_response())
}

impl Ready {
    fn of(state: &ServerState) -> Self {
        let examiner = state.examiner();
        let engine = examiner.engine();
        let lists = engine.trust_lists.iter().map(|list| List {
            name: list.name.clone(),
            date: list.date.clone(),
        });
        Self {
            status: "ready",
            models: engine.models.clone(),
            policy: engine.policy.clone(),
            trust_lists: lists.collect(),
            free_bytes: state.disk.free_bytes(),
        }
    }
}

async fn check(state: &ServerState) -> Result<(), &'static str> {
    if !state.disk.has_room() {
        tracing::error!("the disk of the data folder is nearly full");
        return Err("disk_full");
    }
    match timeout(CHECK_TIMEOUT, state.store.check()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(%error, "the store fails its self-test");
            return Err(error.code());
        }
        Err(_) => return Err("store_too_slow"),
    }
    examine(state).await
}

async fn examine(state: &ServerState) -> Result<(), &'static str> {
    let examiner = state.examiner();
    let result = state
        .check_pool
        .run(move || examiner.check())
        .map_err(|_| "check_running")?;
    match timeout(CHECK_TIMEOUT, result).await {
        Ok(Ok(Ok(()))) => Ok(()),
        Ok(Ok(Err(error))) => {
            tracing::error!(%error, "the self-test failed");
            Err(error.code())
        }
        Ok(Err(_)) => Err("check_failed"),
        Err(_) => Err("check_too_slow"),
    }
}

/// Longest part of a self-test; probes of orchestrators give up about then.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
