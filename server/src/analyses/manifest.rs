//! The manifest store of an upload, byte for byte as the file carries it.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use media::{Fault, Media, Name};

use super::{
    Stored,
    read::{find, original},
};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::{File, Refusals},
    state::ServerState,
    store::Scope,
};

/// The C2PA manifest store of the file, as bytes.
#[utoipa::path(
    get,
    path = "/v1/analyses/{id}/manifest",
    operation_id = "getManifest",
    tag = "analyses",
    params(("id" = uuid::Uuid, Path, description = "The id of the analysis")),
    responses(
        (status = 200, description = "The manifest store", content_type = "application/c2pa", body = File),
        Refusals,
    ),
    security(("key" = ["read"])),
)]
pub(crate) async fn manifest(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let kept = find(&state, &caller, &id).await?;
    let store = read_manifest(&state, &kept)
        .await?
        .ok_or_else(Problem::no_manifest)?;
    let headers = [
        (header::CONTENT_TYPE, "application/c2pa"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"manifest.c2pa\"",
        ),
    ];
    Ok((headers, store).into_response())
}

async fn read_manifest(state: &ServerState, kept: &Stored) -> Result<Option<Vec<u8>>, Problem> {
    let (bytes, memory) = original(state, kept).await?;
    let examiner = state.examiner();
    let found = state
        .read_pool
        .run(move || {
            let _memory = memory;
            let media = Media::from_bytes(Name::from_text(""), None, bytes, examiner.limits());
            media
                .ok()
                .and_then(|media| examiner.judge().manifest_store(&media))
        })
        .map_err(|_| Problem::busy())?;
    found
        .await
        .map_err(|_| Problem::fault(Fault::Bug, "Reading the manifest broke off."))
}
