//! The HTTP service around `verdict::Examiner`: takes uploads in, hands them to fixed worker threads and
//! frames the `Report` that comes back. It never reshapes a report, knows neither models nor manifests,
//! and keeps nothing: an analysis is finished when its answer is sent (docs/API.md).

mod analyses;
mod error;
mod health;
mod limits;
mod listen;
mod metered;
mod multipart;
mod pool;
mod progress;
mod router;
mod settings;
mod state;
pub mod store;
mod upload;

pub use error::ServeError;
pub use listen::{Service, serve};
pub use router::router;
pub use settings::ServeSettings;
pub use state::ServerState;
