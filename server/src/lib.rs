//! The HTTP service around `verdict::Examiner`: takes uploads in for good, has them examined by fixed
//! worker threads, and frames the `Report` that comes back. It never reshapes a report and knows neither
//! models nor manifests (docs/API.md).

mod administration;
mod analyses;
mod assemble;
mod auth;
mod blobs;
mod data;
mod disk;
mod error;
mod fields;
mod health;
mod intake;
mod keys;
mod limits;
mod listen;
mod metered;
mod metrics;
mod multipart;
mod oidc;
mod openapi;
mod page;
mod patience;
mod pool;
mod progress;
mod reload;
mod router;
mod settings;
mod signatures;
mod state;
pub mod store;
mod upload;
mod webhooks;
mod work;

pub use data::{DataFolder, WhenMissing, open_for_administration};
pub use error::ServeError;
pub use keys::{ApiKeyText, generate};
pub use listen::Service;
pub use oidc::{Issuer, IssuerCell, IssuerError, KeySet, KeySetError};
pub use openapi::openapi;
pub use pool::stand_back;
pub use reload::ExaminerCell;
pub use settings::ServeSettings;
pub use signatures::TenantSigner;
pub use webhooks::{PublicKey, Reach, rotate_keys, signing_public_keys};
