//! One upload, raw or as a form, brought to the same facts: its file with the digest, what it is said to be,
//! and the texts beside it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{Query, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt as _;
use media::{Digest, Kind};
use sha2::{Digest as _, Sha256};

use crate::{
    blobs::Incoming,
    error::Problem,
    fields::{Field, Fields},
    metered::Meter,
    multipart,
    state::ServerState,
    webhooks::Reach,
};

/// A complete upload.
pub(crate) struct Upload {
    pub(crate) file: Incoming,
    /// Its length, never 0.
    pub(crate) bytes: u64,
    pub(crate) digest: Digest,
    /// From `Content-Type` where it names a kind we know, else from the extension of the name.
    pub(crate) declared: Option<Kind>,
    /// The name is that of the form's file when no field gives one.
    pub(crate) fields: Fields,
}

/// What a request gave, before it is complete.
pub(crate) struct Parts {
    pub(crate) fields: Fields,
    pub(crate) file_name: Option<String>,
    pub(crate) declared: Option<Kind>,
    pub(crate) content: Content,
    /// Whether the form's file has begun.
    pub(crate) has_file: bool,
    pub(crate) reach: Reach,
}

/// Bytes of a file that are hashed as they arrive: a chunk at a time costs no other request a wait.
pub(crate) struct Content {
    file: Incoming,
    hash: Sha256,
    pub(crate) bytes: u64,
}

impl Content {
    fn new(file: Incoming) -> Self {
        Self {
            file,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    /// The next chunk.
    pub(crate) async fn push(&mut self, chunk: &Bytes) -> Result<(), Problem> {
        self.hash.update(chunk);
        self.bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        self.file.push(chunk).await.map_err(Problem::store)
    }
}

/// Receives the upload of `request`.
pub(crate) async fn receive(
    state: &ServerState,
    request: Request<Body>,
) -> Result<Upload, Problem> {
    let mut parts = Parts {
        fields: Fields::default(),
        file_name: None,
        declared: None,
        content: Content::new(state.intake.incoming()),
        has_file: false,
        reach: state.settings.webhook_reach,
    };
    read_parameters(&request, &mut parts)?;
    let is_form = is_form(request.headers());
    let max_bytes = state.max_bytes();
    let room = max_bytes.saturating_add(if is_form { MAX_FORM_BYTES } else { 0 });
    if declared_length(request.headers()).is_some_and(|length| length > room) {
        return Err(Problem::too_large(max_bytes));
    }
    let meter = Meter::new(room, &state.settings, Some(Arc::clone(&state.disk)));
    let request = request.map(|body| meter.attach(body));
    if is_form {
        multipart::read(request, &meter, max_bytes, &mut parts).await?;
    } else {
        read_raw(request, &meter, &mut parts).await?;
    }
    complete(parts)
}

fn complete(parts: Parts) -> Result<Upload, Problem> {
    let Content { file, hash, bytes } = parts.content;
    if bytes == 0 {
        return Err(Problem::empty());
    }
    let mut fields = parts.fields;
    fields.name = fields.name.or(parts.file_name);
    let name = fields.name.as_deref();
    Ok(Upload {
        file,
        bytes,
        digest: Digest::from(<[u8; 32]>::from(hash.finalize())),
        declared: parts.declared.or_else(|| extension_kind(name?)),
        fields,
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
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| meter.problem(Problem::broken_body))?;
        if let Ok(chunk) = frame.into_data() {
            parts.content.push(&chunk).await?;
        }
    }
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

pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers)
        .is_some_and(|kind| essence(kind).eq_ignore_ascii_case("multipart/form-data"))
}

/// The type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::CONTENT_TYPE)?.to_str().ok()
}

pub(crate) fn declared_length(headers: &HeaderMap) -> Option<u64> {
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
    use crate::blobs::Blobs;

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

    #[tokio::test]
    async fn the_digest_is_that_of_all_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let mut content = Content::new(blobs.incoming());
        for chunk in [&b"a"[..], b"", b"bc"] {
            content.push(&Bytes::from_static(chunk)).await.unwrap();
        }
        assert_eq!(content.bytes, 3);
        let digest = Digest::from(<[u8; 32]>::from(content.hash.finalize()));
        assert_eq!(digest, Digest::of(b"abc"));
    }
}
