//! One analysis as a stream of server-sent events, until it ends. The events are hints to whoever
//! watches; what counts is what the store says, and it is asked before each of them.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::{
        IntoResponse as _, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, stream};
use utoipa::ToSchema;

use super::{Stored, frame::Analysis, read::find};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::Refusals,
    progress::Watch,
    state::ServerState,
    store::{Scope, Status},
};

/// One server-sent event.
#[derive(ToSchema)]
#[schema(as = AnalysisEvent)]
#[expect(dead_code, reason = "it describes what axum writes")]
struct Step {
    /// `queued`, `running`, `done` or `failed`; `erased` when the analysis was erased meanwhile.
    event: String,
    /// The analysis as JSON; an empty object after `erased`.
    #[schema(content_media_type = "application/json")]
    data: String,
}

/// The steps of one analysis as server-sent events.
///
/// Each step is an event `queued`, `running`, `done` or `failed` whose data is the analysis. The stream ends
/// after `done` or `failed`, or with the event `erased`, and when the service stops.
#[utoipa::path(
    get,
    path = "/v1/analyses/{id}/events",
    operation_id = "watchAnalysis",
    tag = "analyses",
    params(("id" = uuid::Uuid, Path, description = "The id of the analysis")),
    responses(
        (status = 200, description = "The stream", content_type = "text/event-stream", body = Step),
        Refusals,
    ),
    security(("key" = ["read"])),
)]
pub(crate) async fn events(
    State(state): State<Arc<ServerState>>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    // Asked once before the stream begins, so that an unknown id is a 404 and no stream.
    let first = find(&state, &caller, &id).await?;
    let steps = Steps {
        watch: state.progress.watch(first.id),
        state,
        caller,
        id,
        told: None,
        ended: false,
    };
    let alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Ok(Sse::new(steps.into_stream())
        .keep_alive(alive)
        .into_response())
}

/// One open stream. It holds the caller, and with it one of the tenant's places, until it is dropped.
struct Steps {
    state: Arc<ServerState>,
    caller: Caller,
    id: String,
    watch: Watch,
    /// The last status that was told.
    told: Option<Status>,
    ended: bool,
}

impl Steps {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut steps| async move {
            let event = steps.next().await?;
            Some((Ok(event), steps))
        })
    }

    /// The next event; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        while !self.ended {
            match find(&self.state, &self.caller, &self.id).await {
                Ok(kept) if self.told != Some(kept.status) => {
                    self.told = Some(kept.status);
                    self.ended = kept.status.is_final();
                    return event(&kept);
                }
                Ok(_) => self.wait().await?,
                Err(problem) => {
                    self.ended = true;
                    return Some(Event::default().event(problem.code()).data("{}"));
                }
            }
        }
        None
    }

    /// Until something may have happened; `None` when the service stops.
    async fn wait(&mut self) -> Option<()> {
        let stopping = pin!(self.state.stopping());
        tokio::select! {
            () = self.watch.next(ASK_AGAIN) => Some(()),
            () = stopping => None,
        }
    }
}

fn event(kept: &Stored) -> Option<Event> {
    let analysis = Analysis::of(kept).ok()?;
    let event = Event::default().event(kept.status.as_str());
    event.json_data(analysis).ok()
}

/// How often an idle stream shows that it lives; proxies cut silent ones after 30 to 60 s.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long a stream trusts that it would have been woken. Another process may hold the queue one day.
const ASK_AGAIN: Duration = Duration::from_secs(5);
