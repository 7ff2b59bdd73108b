//! Which address leads where, and what every answer carries.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{
    analyses,
    error::{Problem, ProblemCode},
    health,
    state::ServerState,
};

/// All routes over `state`.
pub fn router(state: Arc<ServerState>) -> Router {
    Router::new()
        .route("/v1/analyses", post(analyses::create))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .fallback(|| async { Problem::not_found() })
        // The meter of `metered.rs` counts bodies; axum's own limit would stop forms at 2 MB.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(frame))
        .with_state(state)
}

/// Gives each request an id, logs it once, and marks the answer as what it says it is.
async fn frame(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let started = Instant::now();
    // The route, not the address: an address is a stranger's text.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let method = request.method().as_str().to_owned();
    let span = tracing::info_span!("request", request.id = %id);
    async move {
        let mut response = next.run(request).await;
        mark(&mut response, id);
        let problem = response.extensions().get::<ProblemCode>();
        tracing::info!(
            http.method = method,
            http.route = route,
            http.status = response.status().as_u16(),
            problem = problem.map(|problem| problem.0),
            elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered a request"
        );
        response
    }
    .instrument(span)
    .await
}

fn mark(response: &mut Response, id: Uuid) {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}
