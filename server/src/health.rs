//! `/healthz` says that the process answers; `/readyz` that it can do its work, by doing some.

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

use crate::{error::Problem, state::ServerState};

/// The outcome of a self-test; the error is its stable code.
pub(crate) struct LastCheck {
    at: Instant,
    outcome: Result<(), &'static str>,
}

#[cfg(test)]
impl LastCheck {
    /// When it ran.
    pub(crate) fn at(&self) -> Instant {
        self.at
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// 200 as long as the process answers.
pub(crate) async fn healthz() -> Response {
    Json(Health { status: "ok" }).into_response()
}

/// 200 when one real inference and one real validation succeed; 503 when not.
///
/// The outcome is kept for a few seconds, and callers that arrive meanwhile wait for the one test that
/// runs: asking often costs nothing.
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
    Ok(Json(Health { status: "ready" }).into_response())
}

async fn check(state: &ServerState) -> Result<(), &'static str> {
    let examiner = Arc::clone(&state.examiner);
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

/// Longest self-test; probes of orchestrators give up about then.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
