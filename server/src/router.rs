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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::StatusCode};
    use http_body_util::BodyExt as _;
    use media::Limits;
    use provenance::{Judge, Timestamp, TrustStore};
    use tower::ServiceExt as _;
    use verdict::{DetectorSlot, Examiner, Policy};

    use crate::settings::ServeSettings;

    /// One worker, no queue, no model.
    fn state() -> Arc<ServerState> {
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let (policy, limits) = (Policy::default(), Limits::default());
        let examiner = Examiner::new(judge, DetectorSlot::NoModel, policy, limits);
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut settings = ServeSettings::new(listen, 1, || Timestamp(1_795_564_800));
        settings.queue = 0;
        ServerState::new(Arc::new(examiner), settings).unwrap()
    }

    async fn ask(state: &Arc<ServerState>, method: &str, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from("no picture")).unwrap();
        router(Arc::clone(state)).oneshot(request).await.unwrap()
    }

    async fn body(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_full_service_refuses_at_once_and_recovers() {
        let state = state();
        let place = state.take_place().unwrap();
        let refused = ask(&state, "POST", "/v1/analyses").await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
        assert!(refused.headers().contains_key("x-request-id"));
        assert!(body(refused).await.contains("\"code\":\"busy\""));
        drop(place);
        for _ in 0..3 {
            let accepted = ask(&state, "POST", "/v1/analyses").await;
            assert_eq!(accepted.status(), StatusCode::CREATED);
        }
    }

    #[tokio::test]
    async fn readiness_is_tested_once_for_many_questions() {
        let state = state();
        let first = ask(&state, "GET", "/readyz").await;
        assert_eq!(first.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(body(first).await.contains("\"code\":\"no_model\""));
        let tested = state.last_check.lock().await.as_ref().map(|last| last.at());
        assert!(tested.is_some());
        ask(&state, "GET", "/readyz").await;
        let again = state.last_check.lock().await.as_ref().map(|last| last.at());
        assert_eq!(again, tested);
    }
}
