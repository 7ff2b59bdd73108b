//! One upload, raw or as a form, brought to the same facts: its bytes with their digest, what it is said
//! to be, and the texts beside it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Query, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use media::{Digest, Kind};
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    error::Problem,
    fields::{Field, Fields},
    metered::Meter,
    multipart,
    state::ServerState,
    webhooks::Reach,
};

/// A complete upload.
pub(crate) struct Upload {
    /// Never empty.
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
    /// From `Content-Type` where it names a kind we know, else from the extension of the name.
    pub(crate) declared: Option<Kind>,
    /// The name is that of the form's file when no field gives one.
    pub(crate) fields: Fields,
    /// The share of the service's upload memory; dropped with the bytes.
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

/// What a request gave, before it is complete.
pub(crate) struct Parts {
    pub(crate) fields: Fields,
    pub(crate) file_name: Option<String>,
    pub(crate) declared: Option<Kind>,
    pub(crate) content: Option<Content>,
    pub(crate) reach: Reach,
}

impl Parts {
    fn new(state: &ServerState) -> Self {
        Self {
            fields: Fields::default(),
            file_name: None,
            declared: None,
            content: None,
            reach: state.settings.webhook_reach,
        }
    }
}

/// Bytes of a file that are hashed as they arrive: a chunk at a time costs no other request a wait.
pub(crate) struct Content {
    bytes: Vec<u8>,
    hash: Sha256,
}

impl Content {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            hash: Sha256::new(),
        }
    }

    /// The next chunk.
    pub(crate) fn push(&mut self, chunk: &Bytes) {
        self.hash.update(chunk);
        self.bytes.extend_from_slice(chunk);
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }
}

/// Receives the upload of `request`.
pub(crate) async fn receive(
    state: &ServerState,
    request: Request<Body>,
) -> Result<Upload, Problem> {
    let mut parts = Parts::new(state);
    read_parameters(&request, &mut parts)?;
    let is_form = is_form(request.headers());
    let max_bytes = state.max_bytes();
    let room = max_bytes.saturating_add(if is_form { MAX_FORM_BYTES } else { 0 });
    if declared_length(request.headers()).is_some_and(|length| length > room) {
        return Err(Problem::too_large(max_bytes));
    }
    let (request, meter) = metered(state, request, room);
    if is_form {
        multipart::read(request, &meter, max_bytes, &mut parts).await?;
    } else {
        read_raw(request, &meter, &mut parts).await?;
    }
    complete(parts, meter.take_memory())
}

/// Receives a body that is a file and nothing else. What stands beside it is the caller's to read.
pub(crate) async fn receive_file(
    state: &ServerState,
    request: Request<Body>,
) -> Result<Upload, Problem> {
    if is_form(request.headers()) {
        return Err(Problem::no_form());
    }
    let mut parts = Parts::new(state);
    let max_bytes = state.max_bytes();
    if declared_length(request.headers()).is_some_and(|length| length > max_bytes) {
        return Err(Problem::too_large(max_bytes));
    }
    let (request, meter) = metered(state, request, max_bytes);
    read_raw(request, &meter, &mut parts).await?;
    complete(parts, meter.take_memory())
}

/// The same request with a body that counts itself, up to `room` bytes.
fn metered(state: &ServerState, request: Request<Body>, room: u64) -> (Request<Body>, Arc<Meter>) {
    let meter = Meter::new(room, &state.settings, Arc::clone(&state.memory));
    (request.map(|body| meter.attach(body)), meter)
}

fn complete(parts: Parts, memory: Option<OwnedSemaphorePermit>) -> Result<Upload, Problem> {
    let content = parts.content.filter(|content| !content.bytes.is_empty());
    let Content { bytes, hash } = content.ok_or_else(Problem::empty)?;
    let mut fields = parts.fields;
    fields.name = fields.name.or(parts.file_name);
    let name = fields.name.as_deref();
    Ok(Upload {
        bytes,
        digest: Digest::from(<[u8; 32]>::from(hash.finalize())),
        declared: parts.declared.or_else(|| extension_kind(name?)),
        fields,
        memory,
    })
}

fn read_parameters(request: &Request<Body>, parts: &mut Parts) -> Result<(), Problem> {
    let unknown = || {
        Problem::parameter(
            "/",
            "The address takes the parameters name, external_id, declared_ai, metadata and callback_url.",
        )
    };
    let Query(parameters) =
        Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map_err(|_| unknown())?;
    for (name, text) in parameters {
        let field = Field::of_name(&name).ok_or_else(unknown)?;
        parts.fields.set(field, text, parts.reach)?;
    }
    Ok(())
}

async fn read_raw(request: Request<Body>, meter: &Meter, parts: &mut Parts) -> Result<(), Problem> {
    if let Some(kind) = content_type(request.headers()) {
        parts.declared = declared_kind(kind)?;
    }
    let mut body = request.into_body();
    let mut content = Content::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| meter.problem(Problem::broken_body))?;
        if let Ok(chunk) = frame.into_data() {
            content.push(&chunk);
        }
    }
    parts.content = Some(content);
    Ok(())
}

/// The kind that a `Content-Type` declares, `None` for media that we have no word for.
///
/// # Errors
///
/// 415 for what is no medium: an archive, a web page, a form that is none of ours. What the bytes are is
/// found out later; a sender who says that it is something else made a mistake.
pub(crate) fn declared_kind(content_type: &str) -> Result<Option<Kind>, Problem> {
    let known = Kind::from_mime(content_type);
    let essence = essence(content_type).to_ascii_lowercase();
    let (family, _) = essence.split_once('/').unwrap_or_default();
    if known.is_some() || MEDIA_FAMILIES.contains(&family) || UNSAID.contains(&essence.as_str()) {
        Ok(known)
    } else {
        Err(Problem::unsupported_media_type())
    }
}

fn extension_kind(name: &str) -> Option<Kind> {
    let (_, extension) = name.rsplit_once('.')?;
    Kind::from_extension(extension)
}

fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers)
        .is_some_and(|kind| essence(kind).eq_ignore_ascii_case("multipart/form-data"))
}

/// The type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Families of types that are media.
const MEDIA_FAMILIES: [&str; 3] = ["image", "video", "audio"];

/// Types that say nothing about the file.
const UNSAID: [&str; 2] = ["application/octet-stream", "binary/octet-stream"];

/// The name of an upload that gave none.
pub(crate) const UNNAMED: &str = "upload";

/// Bytes of a form beside its file.
const MAX_FORM_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_is_no_medium_is_refused() {
        let kind = |text| declared_kind(text).map_err(|problem| problem.code());
        assert_eq!(kind("image/jpeg; q=1"), Ok(Some(Kind::Jpeg)));
        assert_eq!(kind("IMAGE/PNG"), Ok(Some(Kind::Png)));
        assert_eq!(kind("video/x-matroska"), Ok(None));
        assert_eq!(kind("application/pdf"), Ok(Some(Kind::Pdf)));
        assert_eq!(kind("application/octet-stream"), Ok(None));
        for wrong in [
            "application/zip",
            "text/html",
            "application/json",
            "image",
            "",
        ] {
            assert_eq!(kind(wrong), Err("unsupported_media_type"), "{wrong:?}");
        }
    }

    #[test]
    fn the_digest_is_that_of_all_chunks() {
        let mut content = Content::new();
        for chunk in [&b"a"[..], b"", b"bc"] {
            content.push(&Bytes::from_static(chunk));
        }
        assert_eq!(content.len(), 3);
        let digest = Digest::from(<[u8; 32]>::from(content.hash.finalize()));
        assert_eq!(digest, Digest::of(b"abc"));
    }
}
