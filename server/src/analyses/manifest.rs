//! The manifest store of an upload, byte for byte as the file carries it.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use media::{Fault, Media, Name};

use super::{Stored, read::find};
use crate::{
    auth::Caller,
    error::Problem,
    metered::KIB,
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
    let store = read_manifest(&state, kept)
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

async fn read_manifest(state: &ServerState, kept: Stored) -> Result<Option<Vec<u8>>, Problem> {
    // The file comes back into memory, so it takes its share of the room for uploads.
    let share = u32::try_from(kept.bytes.div_ceil(KIB)).map_err(|_| Problem::busy())?;
    let memory = Arc::clone(&state.memory)
        .try_acquire_many_owned(share)
        .map_err(|_| Problem::busy())?;
    let bytes = state
        .intake
        .original(&kept)
        .await
        .map_err(Problem::store)?
        .ok_or_else(Problem::not_kept)?;
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
