//! `/v1/signatures`: a tenant's file in, the same file with a credential of that tenant out. Nothing of it is kept.
//!
//! Off unless the operator gives a tenant a signer. What may be stated is the operator's choice, too, and never that a
//! camera took the file: a service sees an upload and no camera.

mod body;
mod create;
mod parameters;
mod signers;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::state::ServerState;

pub use signers::TenantSigner;
pub(crate) use signers::{Signers, by_tenant};

/// The route with its description.
pub(crate) fn routes() -> OpenApiRouter<Arc<ServerState>> {
    OpenApiRouter::new().routes(routes!(create::create))
}
