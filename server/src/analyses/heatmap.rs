//! Where the pixels of an upload speak for synthesis, drawn anew for each request.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use media::{Fault, Media, Name};
use tokio::time::timeout;

use super::{
    Stored,
    read::{find, original},
};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::{File, HeatMapRefusals, Refusals},
    state::ServerState,
    store::{Scope, Status},
};

/// Where the pixels speak for synthesis, as a picture. The models in force infer again for it.
#[utoipa::path(
    get,
    path = "/v1/analyses/{id}/heatmap",
    operation_id = "getHeatMap",
    tag = "analyses",
    params(("id" = uuid::Uuid, Path, description = "The id of the analysis")),
    responses(
        (status = 200, description = "The drawing", content_type = "image/png", body = File),
        Refusals,
        HeatMapRefusals,
    ),
    security(("key" = ["read"])),
)]
pub(crate) async fn heatmap(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let kept = find(&state, &caller, &id).await?;
    // A file that hangs or ends whoever looks at its pixels fails, or never finishes: it is not drawn.
    match kept.status {
        Status::Queued | Status::Running => return Err(Problem::unfinished()),
        Status::Failed => return Err(Problem::no_heatmap()),
        Status::Done => {}
    }
    let png = draw(&state, &kept).await?.ok_or_else(Problem::no_heatmap)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

async fn draw(state: &ServerState, kept: &Stored) -> Result<Option<Vec<u8>>, Problem> {
    let place = state.work.place().ok_or_else(Problem::busy)?;
    let (bytes, memory) = original(state, kept).await?;
    let examiner = state.examiner();
    let drawn = state
        .work
        .aside(place, move || {
            let _memory = memory;
            let media = Media::from_bytes(Name::from_text(""), None, bytes, examiner.limits());
            media.ok().and_then(|media| examiner.heat_map(&media))
        })
        .map_err(|_| Problem::busy())?;
    finished(drawn, state.settings.examine_timeout).await
}

/// What was drawn within `limit`; past it the thread goes on and keeps its place.
async fn finished<T, E>(
    drawn: impl Future<Output = Result<T, E>>,
    limit: Duration,
) -> Result<T, Problem> {
    timeout(limit, drawn)
        .await
        .map_err(|_| Problem::busy())?
        .map_err(|_| Problem::fault(Fault::Bug, "Drawing the heat map broke off."))
}
