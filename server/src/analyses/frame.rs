//! The frame around a report: the object that the API gives, and that a webhook brings. Reports pass
//! through as the text that was stored; nothing here can reshape one.

use media::Fault;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    error::Problem,
    openapi::report_schema,
    store::{self, Status},
};

/// One analysis, as the API and the webhooks give it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Analysis<'a> {
    /// UUID version 7.
    #[schema(format = Uuid)]
    id: String,
    status: Word,
    /// When the upload was accepted, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// The sender's own name for the upload.
    #[schema(required)]
    external_id: Option<&'a str>,
    /// Whether the sender's user said that it was made with AI, as it was sent.
    #[schema(required)]
    declared_ai: Option<bool>,
    /// What the sender sent along.
    #[schema(required, value_type = Option<serde_json::Map<String, serde_json::Value>>)]
    metadata: Option<&'a RawValue>,
    /// Whether the report is that of an earlier upload of the same bytes.
    cached: bool,
    /// The report; null until the analysis is done or failed.
    #[schema(required, schema_with = report_schema)]
    report: Option<&'a RawValue>,
}

/// Where an analysis stands.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Status)]
pub(crate) enum Word {
    /// Waits for an examiner.
    Queued,
    /// Is being examined.
    Running,
    /// Examined.
    Done,
    /// Could not be examined; the report says why.
    Failed,
}

impl From<Status> for Word {
    fn from(status: Status) -> Self {
        match status {
            Status::Queued => Self::Queued,
            Status::Running => Self::Running,
            Status::Done => Self::Done,
            Status::Failed => Self::Failed,
        }
    }
}

impl<'a> Analysis<'a> {
    /// The frame around `kept`.
    ///
    /// # Errors
    ///
    /// A bug, when what was stored is no JSON.
    pub(crate) fn of(kept: &'a store::Analysis) -> Result<Self, Problem> {
        Ok(Self {
            id: kept.id.to_string(),
            status: kept.status.into(),
            created_at: kept.created_at.to_rfc3339(),
            external_id: kept.external_id.as_deref(),
            declared_ai: kept.declared_ai,
            metadata: json(kept.metadata.as_deref())?,
            cached: kept.cached,
            report: json(kept.report.as_deref())?,
        })
    }
}

fn json(text: Option<&str>) -> Result<Option<&RawValue>, Problem> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|error: serde_json::Error| {
            tracing::error!(%error, "the store holds a text that is no JSON");
            Problem::fault(Fault::Bug, "What was stored cannot be read.")
        })
}
