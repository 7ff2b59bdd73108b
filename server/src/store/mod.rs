//! What the service keeps, as traits: analyses, the queue of their examinations, tenants with their keys,
//! deliveries of webhooks, and what the janitor asks. It knows neither HTTP nor SQL, and never a file's
//! bytes: those are blobs (`blobs.rs`).
//!
//! How callers use it: an upload goes through `Intake::submit` (`intake.rs`), which alone calls
//! [`Analyses::admit`]; routes read with [`Analyses::find`] and [`Analyses::list`]; the workers (`work/`)
//! alone lease and finish jobs; webhooks use [`Webhooks`]. Every read names its tenant, so another
//! tenant's id is simply not found.
//!
//! A backend implements the five traits; `conformance/` is what it must pass.

mod analyses;
#[cfg(test)]
mod conformance;
mod queue;
mod sqlite;
mod tenants;
mod upkeep;
mod webhooks;

use std::fmt;

use media::Fault;
use uuid::Uuid;

pub use analyses::{
    Admission, Analyses, Analysis, Erased, Filter, Finished, IDEMPOTENCY_LIFE_S, Idempotency,
    NewAnalysis, Outcome, Page, Status,
};
pub use queue::{Attempted, Completion, Job, Lease, Queue};
pub use sqlite::SqliteStore;
pub use tenants::{
    ApiKey, KeyHash, KeyId, NewKey, Retention, Scope, Scopes, Tenant, TenantName, Tenants,
    UnknownScope, UnusableName,
};
pub use upkeep::{BlobKey, Counts, Upkeep};
pub use webhooks::{
    Attempt, DeliveredTo, Delivery, DeliveryEvent, DeliveryState, NewDelivery, SigningKey, Webhooks,
};

/// Everything a service keeps. Whatever implements the five parts is one.
pub trait Store: Analyses + Queue + Tenants + Webhooks + Upkeep {}

impl<T: Analyses + Queue + Tenants + Webhooks + Upkeep> Store for T {}

/// One platform that uses the service. Nothing of one tenant is ever shown to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(pub Uuid);

impl TenantId {
    /// Whoever is on this machine, while no tenant is configured. Always there, never listed.
    pub const LOCAL: Self = Self(Uuid::nil());

    /// A new one.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One analysis. UUID version 7: ids of one service sort by the time they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnalysisId(pub Uuid);

impl AnalysisId {
    /// A new one.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads the text form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl Default for AnalysisId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for AnalysisId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The store cannot do its work. None of these is the caller's fault, and none tells a caller details.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses the data folder.
    #[error(
        "the data folder {folder} is in use by another bonafide service; stop that one or give another --data-dir"
    )]
    InUse {
        /// As given.
        folder: String,
    },
    /// The data folder cannot be made, opened or written.
    #[error(
        "the data folder {folder} cannot be used: {source}; check its rights and the space left"
    )]
    Folder {
        /// As given.
        folder: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// No data folder is there, where one is asked about.
    #[error(
        "{folder} is no data folder of bonafide; give --data-dir the folder that `bonafide serve` uses"
    )]
    Missing {
        /// As given.
        folder: String,
    },
    /// The disk is full: nothing was written, and reading goes on.
    #[error("no space is left for the database; free some or move the data folder")]
    Full,
    /// Somebody else holds the database for longer than we wait.
    #[error("the database is locked; try again in a moment")]
    Locked,
    /// The database was made by a newer version of this program.
    #[error(
        "the database cannot be brought up to date: {0}; use the version that wrote it, or newer"
    )]
    Migration(String),
    /// A tenant of that name is not there.
    #[error("there is no tenant \"{0}\"; `bonafide admin tenants list` shows those that are")]
    UnknownTenant(String),
    /// A key of that id is not there, or is revoked.
    #[error("there is no live key \"{0}\"; `bonafide admin keys list` shows those that are")]
    UnknownKey(String),
    /// The database says something it cannot say.
    #[error(
        "the database answers with something unexpected: {0}; the log of the service has the context"
    )]
    Unexpected(String),
    /// The database's own error.
    #[error("the database fails: {0}; check the disk and the log of the service")]
    Database(String),
    /// A blob cannot be read, written or removed.
    #[error("a blob cannot be used: {0}; check the disk")]
    Blob(String),
}

impl StoreError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Locked => Fault::Busy,
            Self::Unexpected(_) => Fault::Bug,
            Self::InUse { .. }
            | Self::Folder { .. }
            | Self::Missing { .. }
            | Self::Full
            | Self::Migration(_)
            | Self::UnknownTenant(_)
            | Self::UnknownKey(_)
            | Self::Database(_)
            | Self::Blob(_) => Fault::Operator,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "data_in_use",
            Self::Folder { .. } => "data_folder",
            Self::Missing { .. } => "data_missing",
            Self::Full => "disk_full",
            Self::Locked => "data_locked",
            Self::Migration(_) => "data_version",
            Self::UnknownTenant(_) => "unknown_tenant",
            Self::UnknownKey(_) => "unknown_key",
            Self::Unexpected(_) => "internal",
            Self::Database(_) => "database",
            Self::Blob(_) => "blob",
        }
    }
}
