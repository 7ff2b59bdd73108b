//! Reading and erasing: one analysis, the list of them, and the end of one. Every question names the
//! tenant, so another tenant's id reads like one that never was.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

use super::{
    Stored, cursor,
    frame::Analysis,
    query::{self, ListParameters},
};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::Refusals,
    state::{KIB, ServerState},
    store::{AnalysisId, Scope},
};

/// One page of analyses, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AnalysisPage)]
struct Page<'a> {
    analyses: Vec<Analysis<'a>>,
    /// Send it as `cursor` for the next page; null on the last.
    #[schema(required)]
    next: Option<String>,
}

/// One analysis.
#[utoipa::path(
    get,
    path = "/v1/analyses/{id}",
    operation_id = "getAnalysis",
    tag = "analyses",
    params(("id" = uuid::Uuid, Path, description = "The id of the analysis")),
    responses((status = 200, description = "The analysis as it stands", body = Analysis), Refusals),
    security(("key" = ["read"])),
)]
pub(crate) async fn show(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let kept = find(&state, &caller, &id).await?;
    Ok(Json(Analysis::of(&kept)?).into_response())
}

/// The analyses of this tenant, the newest first.
#[utoipa::path(
    get,
    path = "/v1/analyses",
    operation_id = "listAnalyses",
    tag = "analyses",
    params(ListParameters),
    responses((status = 200, description = "One page", body = Page), Refusals),
    security(("key" = ["read"])),
)]
pub(crate) async fn list(
    State(state): State<Arc<ServerState>>,
    uri: Uri,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let wanted = query::list(&uri)?;
    let page = state
        .store
        .list(caller.tenant, &wanted.filter, wanted.before, wanted.limit)
        .await
        .map_err(Problem::store)?;
    let analyses = page
        .analyses
        .iter()
        .map(Analysis::of)
        .collect::<Result<_, _>>()?;
    let next = page.next.map(cursor::write);
    Ok(Json(Page { analyses, next }).into_response())
}

/// Erases the file and all that is known about it. A tombstone stays: the id, and when it was made.
#[utoipa::path(
    delete,
    path = "/v1/analyses/{id}",
    operation_id = "eraseAnalysis",
    tag = "analyses",
    params(("id" = uuid::Uuid, Path, description = "The id of the analysis")),
    responses((status = 204, description = "Erased, now or before"), Refusals),
    security(("key" = ["analyse"])),
)]
pub(crate) async fn erase(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    caller.may(Scope::Analyse)?;
    let id = parse(&id)?;
    let erased = state
        .intake
        .erase(caller.tenant, id, state.now())
        .await
        .map_err(Problem::store)?;
    erased.ok_or_else(Problem::not_found)?;
    state.progress.moved(id);
    tracing::info!(analysis.id = %id, tenant.id = %caller.tenant, "erased an analysis");
    Ok(StatusCode::NO_CONTENT)
}

/// The analysis of this caller with that id, if it is still there.
pub(crate) async fn find(
    state: &ServerState,
    caller: &Caller,
    id: &str,
) -> Result<Stored, Problem> {
    let kept = state
        .store
        .find(caller.tenant, parse(id)?)
        .await
        .map_err(Problem::store)?
        .ok_or_else(Problem::not_found)?;
    match kept.erased_at {
        None => Ok(kept),
        Some(_) => Err(Problem::erased()),
    }
}

/// The file of an analysis. It comes back into memory, so it takes its share of the room for such files,
/// which the permit holds.
pub(super) async fn original(
    state: &ServerState,
    kept: &Stored,
) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
    let share = u32::try_from(kept.bytes.div_ceil(KIB)).map_err(|_| Problem::busy())?;
    let memory = Arc::clone(&state.memory)
        .try_acquire_many_owned(share)
        .map_err(|_| Problem::busy())?;
    let bytes = state
        .intake
        .original(kept)
        .await
        .map_err(Problem::store)?
        .ok_or_else(Problem::not_kept)?;
    Ok((bytes, memory))
}

/// An id that is none is an id that is not there.
fn parse(id: &str) -> Result<AnalysisId, Problem> {
    AnalysisId::parse(id).ok_or_else(Problem::not_found)
}
