//! `POST /v1/signatures`: reads the request, has it signed on the threads of the examinations, and hands the file back.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use media::{Fault, Media, Name};
use provenance::{SignError, Signed};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};
use tracing::Span;

use super::{
    body::{self, File as Received},
    parameters::{self, Parameters},
    signers::TenantSigner,
};
use crate::{
    auth::Caller,
    error::Problem,
    openapi::{File, Refusals, SigningRefusals},
    state::ServerState,
    store::Scope,
    upload::UNNAMED,
};

/// Signs one file with the key of the tenant and gives it back.
///
/// The file is the whole body. A credential that it carries becomes the parent of the new one. Nothing is kept.
#[utoipa::path(
    post,
    path = "/v1/signatures",
    operation_id = "createSignature",
    tag = "signatures",
    params(Parameters),
    request_body(content(
        (File = "application/octet-stream"),
        (File = "image/*"),
        (File = "video/*"),
        (File = "audio/*"),
    )),
    responses(
        (status = 200, description = "The signed file, verified", content(
            (File = "image/*"),
            (File = "video/*"),
            (File = "audio/*"),
        )),
        Refusals,
        SigningRefusals,
    ),
    security(("key" = ["sign"])),
)]
pub(crate) async fn create(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
    request: Request<Body>,
) -> Result<Response, Problem> {
    caller.may(Scope::Sign)?;
    let signer = state.signers.get(&caller.tenant);
    let signer = Arc::clone(signer.ok_or_else(Problem::no_signer)?);
    let said = parameters::read(request.uri())?;
    if signer.profile(said.profile.as_deref()).is_none() {
        let detail = "The operator allows this tenant no profile of that name.";
        return Err(Problem::parameter("/profile", detail));
    }
    // Before the body is read: better no answer than a late one.
    drop(state.work.place().ok_or_else(Problem::busy)?);
    let file = body::receive(&state, request).await?;
    let signed = sign(&state, caller, signer, said, file).await?;
    let headers = [
        (header::CONTENT_TYPE, signed.media.kind.mime()),
        (header::CONTENT_DISPOSITION, "attachment"),
    ];
    Ok((headers, Body::from(Bytes::from_owner(signed))).into_response())
}

async fn sign(
    state: &ServerState,
    caller: Caller,
    signer: Arc<TenantSigner>,
    said: Parameters,
    file: Received,
) -> Result<SignedFile, Problem> {
    let place = state.work.place().ok_or_else(Problem::busy)?;
    let (limits, now) = (*state.examiner().limits(), state.now());
    let span = Span::current();
    let signing = state
        .work
        .aside(place, move || {
            // Told where it is done: whoever asked may be gone by now.
            let _request = span.entered();
            let name = Name::from_text(said.name.as_deref().unwrap_or(UNNAMED));
            let media = Media::from_bytes(name, file.declared, file.bytes, &limits)
                .map_err(|_| Problem::too_large(limits.max_bytes))?;
            let (profile, stated) = signer
                .profile(said.profile.as_deref())
                .ok_or_else(Problem::no_signer)?;
            let outcome = signer.sign(&media, stated, &said, now);
            tell(&caller, &signer, profile, &media, &outcome);
            let signed = outcome.map_err(|error| Problem::unsigned(&error))?;
            Ok(SignedFile {
                media: signed.media,
                _memory: file.memory,
                _caller: caller,
            })
        })
        .map_err(|_| Problem::busy())?;
    timeout(state.settings.examine_timeout, signing)
        .await
        .map_err(|_| Problem::busy())?
        .map_err(|_| Problem::fault(Fault::Bug, "Signing broke off."))?
}

/// Every signature is in the log: whose, with which certificate, over what. What the request said of the file is not.
fn tell(
    caller: &Caller,
    signer: &TenantSigner,
    profile: &str,
    media: &Media,
    outcome: &Result<Signed, SignError>,
) {
    match outcome {
        Ok(signed) => tracing::info!(
            tenant.id = %caller.tenant,
            key.id = caller.credential.as_ref().map(tracing::field::display),
            signer.certificate = signer.certificate().map(tracing::field::display),
            profile,
            upload.digest = %media.digest,
            signed.digest = %signed.media.digest,
            "signed a file"
        ),
        Err(error) => match error.fault() {
            Fault::Caller => {}
            // Nearly always a damaged file, and its parser's words may be a stranger's.
            Fault::Bug => tracing::warn!(
                tenant.id = %caller.tenant,
                upload.digest = %media.digest,
                code = error.code(),
                "a file could not be signed"
            ),
            Fault::Operator | Fault::Busy => tracing::error!(
                tenant.id = %caller.tenant,
                code = error.code(),
                %error,
                "nothing can be signed for this tenant"
            ),
        },
    }
}

/// A signed file on its way to the caller. It keeps its share of the service's memory, and its place among the tenant's
/// open requests, until it is sent.
struct SignedFile {
    media: Media,
    _memory: Option<OwnedSemaphorePermit>,
    _caller: Caller,
}

impl AsRef<[u8]> for SignedFile {
    fn as_ref(&self) -> &[u8] {
        self.media.bytes()
    }
}
