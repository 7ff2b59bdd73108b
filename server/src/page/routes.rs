//! The addresses of the page, and what each of its answers carries.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse as _, Redirect, Response},
    routing::get,
};

use super::{
    guard::is_own,
    view::{MessagePage, ResultPage, UploadPage, WaitingPage},
};
use crate::{
    analyses::{accept, find},
    auth::{self, Caller},
    error::Problem,
    state::ServerState,
    store::{self, Scope, Status},
    upload::receive,
};

/// The routes of the page.
pub(crate) fn routes(state: &Arc<ServerState>) -> Router<Arc<ServerState>> {
    let guard = middleware::from_fn_with_state(Arc::clone(state), auth::guard);
    Router::new()
        .route("/", get(form).post(upload))
        .route("/results/{id}", get(result))
        .route_layer(guard)
        .route_layer(middleware::from_fn(local))
        .route("/assets/page.css", get(style))
        .route("/assets/page.js", get(script))
        .route_layer(middleware::map_response(dress))
}

async fn form(State(state): State<Arc<ServerState>>) -> Response {
    show(&upload_page(&state, None))
}

/// Takes an upload in and sends the browser to where its result will be, so that looking again uploads
/// nothing again.
async fn upload(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    request: Request<Body>,
) -> Response {
    match taken(&state, &caller, request).await {
        Ok(kept) => Redirect::to(&format!("/results/{}", kept.id)).into_response(),
        Err(problem) => {
            let page = upload_page(&state, Some(problem.detail().to_owned()));
            (problem.status(), show(&page)).into_response()
        }
    }
}

async fn taken(
    state: &ServerState,
    caller: &Caller,
    request: Request<Body>,
) -> Result<store::Analysis, Problem> {
    caller.may(Scope::Analyse)?;
    if !state.intake.has_room(caller.tenant) {
        return Err(Problem::busy());
    }
    let upload = receive(state, request).await?;
    accept(state, caller, upload, None).await
}

async fn result(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Response {
    match find(&state, &caller, &id).await {
        Ok(kept) => page_of(&kept),
        Err(problem) => (problem.status(), show(&NOTHING_HERE)).into_response(),
    }
}

fn page_of(kept: &store::Analysis) -> Response {
    let place = match kept.status {
        Status::Queued => "waiting for its turn",
        Status::Running => "being looked at",
        Status::Done | Status::Failed => return finished(kept),
    };
    show(&WaitingPage { place })
}

fn finished(kept: &store::Analysis) -> Response {
    let json = kept.report.as_deref().unwrap_or_default();
    match serde_json::from_str(json) {
        Ok(report) => show(&ResultPage::new(&report, json)),
        Err(error) => {
            tracing::error!(%error, analysis.id = %kept.id, "a stored report cannot be read");
            (StatusCode::INTERNAL_SERVER_ERROR, show(&UNREADABLE)).into_response()
        }
    }
}

fn upload_page(state: &ServerState, problem: Option<String>) -> UploadPage {
    UploadPage {
        max_bytes: in_words(state.max_bytes()),
        problem,
    }
}

/// `bytes` as a person would say it, rounded down.
fn in_words(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        mebibytes => format!("{mebibytes} MB"),
    }
}

fn show(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Keeps other sites out, and says in words what a missing key means here.
async fn local(request: Request, next: Next) -> Response {
    if !is_own(request.method(), request.headers()) {
        return (StatusCode::FORBIDDEN, show(&NOT_FROM_HERE)).into_response();
    }
    let answer = next.run(request).await;
    match answer.status() {
        StatusCode::UNAUTHORIZED => (StatusCode::UNAUTHORIZED, show(&NEEDS_KEY)).into_response(),
        StatusCode::TOO_MANY_REQUESTS => {
            (StatusCode::TOO_MANY_REQUESTS, show(&TOO_MANY)).into_response()
        }
        _ => answer,
    }
}

/// What a browser may do with a page: load its own style and script, send its own form, and nothing else.
async fn dress(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    answer
}

async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../../static/page.css")).into_response()
}

async fn script() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("../../static/page.js")).into_response()
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const NOT_FROM_HERE: MessagePage = MessagePage {
    title: "Not from here",
    text: "This page answers only under the address of this machine itself, such as http://127.0.0.1:8080, \
           and takes no uploads from other sites.",
};

const NEEDS_KEY: MessagePage = MessagePage {
    title: "This page is off",
    text: "This service has tenants, so every question needs a key, and this page has none. Use the API.",
};

const TOO_MANY: MessagePage = MessagePage {
    title: "Too many requests",
    text: "Wait a moment and try again.",
};

const NOTHING_HERE: MessagePage = MessagePage {
    title: "Nothing here",
    text: "There is no result at this address, or it was erased.",
};

const UNREADABLE: MessagePage = MessagePage {
    title: "Cannot be shown",
    text: "The result is there and cannot be read. The log of the service says why.",
};
