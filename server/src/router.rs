//! Which address leads where, and what every answer carries. Routes are added together with their
//! description, so that `/openapi.json` cannot leave one out; everything under `/v1` asks for a key.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Version, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tracing::{Instrument as _, field};
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    administration, analyses, auth,
    error::{Problem, ProblemCode},
    health, metrics,
    openapi::{self, Description},
    page, signatures,
    state::ServerState,
    webhooks,
};

type Routes = OpenApiRouter<Arc<ServerState>>;

/// All routes over `state`.
pub(crate) fn router(state: Arc<ServerState>) -> Router {
    let guard = middleware::from_fn_with_state(Arc::clone(&state), auth::guard);
    let (router, _) = routes_with(|api| api.route_layer(guard)).split_for_parts();
    router
        .merge(page::routes(&state))
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .fallback(|| async { Problem::not_found() })
        // The meter of `metered.rs` counts bodies; axum's own limit would stop forms at 2 MB.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&state), frame))
        .with_state(state)
}

/// The same routes with their description and without a state.
pub(crate) fn described() -> Routes {
    routes_with(|api| api)
}

/// `guard` is put around everything that needs a key.
fn routes_with(guard: impl FnOnce(Routes) -> Routes) -> Routes {
    let api = OpenApiRouter::new()
        .merge(analyses::routes())
        .merge(signatures::routes())
        .merge(webhooks::routes())
        .merge(administration::routes())
        .routes(routes!(metrics::show));
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(guard(api))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(openapi::show))
}

/// Gives each request an id, logs it once, and marks the answer as what it says it is.
async fn frame(State(state): State<Arc<ServerState>>, request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let started = Instant::now();
    // The route, not the address: an address is a stranger's text.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let method = metrics::method_word(request.method().as_str());
    let span = tracing::info_span!("request", request.id = %id, analysis.id = field::Empty);
    async move {
        let mut response = if has_one_host(&request) {
            next.run(request).await
        } else {
            let detail = "A request names the host it is meant for, once.";
            Problem::parameter("/Host", detail).into_response()
        };
        mark(&mut response, id);
        let status = response.status().as_u16();
        let elapsed = started.elapsed();
        state.metrics.answered(method, &route, status, elapsed);
        let problem = response.extensions().get::<ProblemCode>();
        tracing::info!(
            http.method = method,
            http.route = route,
            http.status = status,
            problem = problem.map(|problem| problem.0),
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            "answered a request"
        );
        response
    }
    .instrument(span)
    .await
}

/// RFC 9112, section 3.2: with none or with two, a proxy in front and we could take it for different hosts.
fn has_one_host(request: &Request) -> bool {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    hosts == 1 || hosts == 0 && request.version() < Version::HTTP_11
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
