//! `/v1/analyses`: uploads, their analyses, and what can be asked about them. A route reads the request,
//! asks the intake or the store in the name of its caller, and frames the answer; no verdict is reached
//! here and no report is touched.

mod create;
mod cursor;
mod events;
pub(crate) mod frame;
mod headers;
mod heatmap;
mod manifest;
mod query;
mod read;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::ServerState;

pub(crate) use create::accept;
pub(crate) use read::find;

/// An analysis as the store has it, to tell it from the frame of that name.
type Stored = crate::store::Analysis;

/// The routes, each with its description.
pub(crate) fn routes() -> OpenApiRouter<Arc<ServerState>> {
    OpenApiRouter::new()
        .routes(routes!(create::create, read::list))
        .routes(routes!(read::show, read::erase))
        .routes(routes!(events::events))
        .routes(routes!(manifest::manifest))
        .routes(routes!(heatmap::heatmap))
}
