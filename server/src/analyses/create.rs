//! `POST /v1/analyses`: an upload in, an accepted analysis out, or a finished one if the sender waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use media::{Digest, Name};
use sha2::{Digest as _, Sha256};
use tracing::{Span, field};
use utoipa::{IntoParams, ToSchema};

use super::{Stored, frame::Analysis, headers};
use crate::{
    auth::Caller,
    error::Problem,
    intake::Submission,
    openapi::{File, Refusals, UploadRefusals},
    state::ServerState,
    store::{Admission, AnalysisId, Idempotency, Scope},
    upload::{UNNAMED, Upload, receive},
};

/// What may stand beside a raw body.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what fields.rs reads")]
pub(crate) struct Beside {
    /// What the sender calls the file.
    #[param(max_length = 255)]
    name: Option<String>,
    /// The sender's own name for the upload.
    #[param(max_length = 255)]
    external_id: Option<String>,
    /// Whether the sender's user said that it was made with AI. It is kept and given back; the verdict does
    /// not depend on it.
    declared_ai: Option<bool>,
    /// A JSON object of at most 4,096 bytes that is given back as it is.
    #[param(max_length = 4096)]
    metadata: Option<String>,
    /// HTTPS address that is told when the analysis is finished.
    #[param(max_length = 2048, pattern = "^https://")]
    callback_url: Option<String>,
}

/// How an upload may be answered.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it describes what headers.rs reads")]
pub(crate) struct Asked {
    /// `wait=N`: wait up to N seconds for the finished analysis.
    #[param(rename = "Prefer", value_type = String, required = false)]
    prefer: Option<String>,
    /// The same key and upload give the same analysis for 24 hours.
    #[param(
        rename = "Idempotency-Key",
        value_type = String,
        required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[ -~]+$"
    )]
    idempotency_key: Option<String>,
}

/// An upload as a form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what multipart.rs reads")]
pub(crate) struct UploadForm {
    /// The file.
    #[schema(value_type = String, content_media_type = "application/octet-stream")]
    file: Vec<u8>,
    /// What the sender calls the file; default its file name in the form.
    #[schema(max_length = 255)]
    name: Option<String>,
    /// The sender's own name for the upload.
    #[schema(max_length = 255)]
    external_id: Option<String>,
    /// Whether the sender's user said that it was made with AI. It is kept and given back; the verdict does
    /// not depend on it.
    declared_ai: Option<bool>,
    /// A JSON object of at most 4,096 bytes that is given back as it is.
    #[schema(max_length = 4096)]
    metadata: Option<String>,
    /// HTTPS address that is told when the analysis is finished.
    #[schema(max_length = 2048, pattern = "^https://")]
    callback_url: Option<String>,
}

/// Uploads one file to be examined.
///
/// The file is the whole body, or the field `file` of a form. It is accepted only when it is stored durably.
#[utoipa::path(
    post,
    path = "/v1/analyses",
    operation_id = "createAnalysis",
    tag = "analyses",
    params(
        Beside,
        Asked,
    ),
    request_body(content(
        (UploadForm = "multipart/form-data"),
        (File = "application/octet-stream"),
        (File = "image/*"),
    )),
    responses(
        (status = 201, description = "Finished within the time the sender waits", body = Analysis,
            headers(("Location" = String, description = "The address of the analysis"))),
        (status = 202, description = "Accepted", body = Analysis,
            headers(("Location" = String, description = "The address of the analysis"))),
        Refusals,
        UploadRefusals,
    ),
    security(("key" = ["analyse"])),
)]
pub(crate) async fn create(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response, Problem> {
    caller.may(Scope::Analyse)?;
    let wait = headers::wait(request.headers(), state.settings.max_wait);
    let key = headers::idempotency_key(request.headers())?.map(str::to_owned);
    // Before the body is read: better no answer than a late one.
    if !state.intake.has_room(caller.tenant) {
        return Err(Problem::busy());
    }
    let upload = receive(&state, request).await?;
    let accepted = accept(&state, &caller, upload, key).await?;
    let kept = match wait {
        Some(wait) => until_finished(&state, &caller, accepted, wait).await?,
        None => accepted,
    };
    answer(&kept, wait)
}

/// Takes an upload in; durable on return. `key` is that of a request which may be repeated.
pub(crate) async fn accept(
    state: &ServerState,
    caller: &Caller,
    upload: Upload,
    key: Option<String>,
) -> Result<Stored, Problem> {
    let id = AnalysisId::new();
    let idempotency = key.map(|key| Idempotency {
        key,
        fingerprint: fingerprint(&upload),
    });
    let fields = upload.fields;
    let submission = Submission {
        id,
        tenant: caller.tenant,
        digest: upload.digest,
        bytes: upload.bytes,
        name: Name::from_text(fields.name.as_deref().unwrap_or(UNNAMED)),
        declared_kind: upload.declared,
        external_id: fields.external_id,
        declared_ai: fields.declared_ai,
        metadata: fields.metadata,
        callback_url: fields.callback_url,
        idempotency,
        now: state.now(),
    };
    match state
        .intake
        .submit(submission, upload.file)
        .await
        .map_err(Problem::store)?
    {
        Admission::Created(kept) => {
            Span::current().record("analysis.id", field::display(id));
            tracing::info!(analysis.id = %id, upload.digest = %upload.digest, "accepted an upload");
            Ok(kept)
        }
        Admission::Replayed(kept) => Ok(kept),
        Admission::KeyReused => Err(Problem::key_reused()),
        Admission::QueueFull => Err(Problem::busy()),
    }
}

/// Two uploads with the same fingerprint are the same request.
fn fingerprint(upload: &Upload) -> Digest {
    let mut hash = Sha256::new();
    hash.update(upload.digest.as_bytes());
    hash.update(upload.declared.map_or("", media::Kind::mime));
    hash.update([0]);
    upload.fields.fingerprint(&mut hash);
    Digest::from(<[u8; 32]>::from(hash.finalize()))
}

/// The analysis once it is finished, or as it stands after `longest`.
async fn until_finished(
    state: &ServerState,
    caller: &Caller,
    accepted: Stored,
    longest: Duration,
) -> Result<Stored, Problem> {
    let started = Instant::now();
    let mut watch = state.progress.watch(accepted.id);
    let mut kept = accepted;
    loop {
        let left = longest.saturating_sub(started.elapsed());
        if kept.status.is_final() || left.is_zero() || state.is_stopping() {
            return Ok(kept);
        }
        // Asked before each wait: it may have been finished before the watch began.
        match state
            .store
            .find(caller.tenant, kept.id)
            .await
            .map_err(Problem::store)?
        {
            Some(now) if now.erased_at.is_none() => kept = now,
            Some(_) | None => return Err(Problem::erased()),
        }
        if !kept.status.is_final() {
            watch.next(left.min(ASK_AGAIN)).await;
        }
    }
}

fn answer(kept: &Stored, waited: Option<Duration>) -> Result<Response, Problem> {
    let status = match waited {
        Some(_) if kept.status.is_final() => StatusCode::CREATED,
        Some(_) | None => StatusCode::ACCEPTED,
    };
    let location = [(header::LOCATION, format!("/v1/analyses/{}", kept.id))];
    let applied = waited.map(|wait| {
        let name = HeaderName::from_static("preference-applied");
        [(name, format!("wait={}", wait.as_secs()))]
    });
    Ok((status, location, applied, Json(Analysis::of(kept)?)).into_response())
}

/// How long a waiting request trusts that it would have been woken.
const ASK_AGAIN: Duration = Duration::from_secs(1);
