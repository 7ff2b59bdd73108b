//! One upload, raw or as a form, brought to the same three facts: a name, what it is said to be, and
//! its bytes. Names are labels for people; none is ever used as a path.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use media::{Kind, Name};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use crate::{error::Problem, metered::Meter, multipart, state::ServerState};

/// A complete upload.
pub(crate) struct Upload {
    pub(crate) name: Name,
    /// From `Content-Type` where it names a kind we know, else from the extension of the name.
    pub(crate) declared: Option<Kind>,
    /// Never empty.
    pub(crate) bytes: Vec<u8>,
    pub(crate) external_id: Option<String>,
    /// The share of the service's upload memory; dropped with the bytes.
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

/// What a request gave, before it is complete.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) name: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) declared: Option<Kind>,
    pub(crate) bytes: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    name: Option<String>,
    external_id: Option<String>,
}

/// Receives the upload of `request`.
pub(crate) async fn receive(
    state: &ServerState,
    request: Request<Body>,
) -> Result<Upload, Problem> {
    let parameters = parameters(&request)?;
    let is_form = is_form(request.headers());
    let max_bytes = state.max_bytes();
    let room = max_bytes.saturating_add(if is_form { MAX_FORM_BYTES } else { 0 });
    if declared_length(request.headers()).is_some_and(|length| length > room) {
        return Err(Problem::too_large(max_bytes));
    }
    let meter = Meter::new(room, &state.settings, Arc::clone(&state.memory));
    let request = request.map(|body| meter.attach(body));
    let mut parts = if is_form {
        multipart::read(request, &meter, max_bytes).await?
    } else {
        read_raw(request, &meter).await?
    };
    parts.name = parts.name.or(parameters.name);
    parts.external_id = parts.external_id.or(parameters.external_id);
    complete(parts, meter.take_memory())
}

fn complete(parts: Parts, memory: Option<OwnedSemaphorePermit>) -> Result<Upload, Problem> {
    let bytes = parts.bytes.filter(|bytes| !bytes.is_empty());
    let name = parts.name.or(parts.file_name);
    Ok(Upload {
        declared: parts.declared.or_else(|| extension_kind(name.as_deref()?)),
        name: Name::from_text(name.as_deref().unwrap_or(UNNAMED)),
        bytes: bytes.ok_or_else(Problem::empty)?,
        external_id: parts.external_id,
        memory,
    })
}

fn parameters(request: &Request<Body>) -> Result<Parameters, Problem> {
    let Query(parameters) = Query::<Parameters>::try_from_uri(request.uri()).map_err(|_| {
        Problem::parameter(
            "/",
            "The address takes the parameters name and external_id, once each.",
        )
    })?;
    for (text, pointer) in [
        (&parameters.name, "/name"),
        (&parameters.external_id, "/external_id"),
    ] {
        if let Some(text) = text {
            check_text(text, pointer)?;
        }
    }
    Ok(parameters)
}

async fn read_raw(request: Request<Body>, meter: &Meter) -> Result<Parts, Problem> {
    let declared = content_type(request.headers()).and_then(Kind::from_mime);
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| meter.problem(Problem::broken_body))?;
        if let Ok(chunk) = frame.into_data() {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(Parts {
        declared,
        bytes: Some(bytes),
        ..Parts::default()
    })
}

/// Refuses names and ids that are too long. What they contain is escaped where it is shown.
pub(crate) fn check_text(text: &str, pointer: &'static str) -> Result<(), Problem> {
    if text.len() > MAX_NAME_BYTES {
        let detail = format!("The text has more than {MAX_NAME_BYTES} bytes.");
        return Err(Problem::parameter(pointer, detail));
    }
    Ok(())
}

fn extension_kind(name: &str) -> Option<Kind> {
    let (_, extension) = name.rsplit_once('.')?;
    Kind::from_extension(extension)
}

fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim())
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The name of an upload that gave none.
const UNNAMED: &str = "upload";

/// Bytes of a name or an external id; file systems stop at 255 as well.
const MAX_NAME_BYTES: usize = 255;

/// Bytes of a form beside its file.
const MAX_FORM_BYTES: u64 = 64 << 10;
