//! A `multipart/form-data` upload: one `file`, and the few text fields we know. Unknown fields are
//! refused, so that a misspelt one is noticed.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{
        FromRequest as _, Multipart, Request,
        multipart::{Field as Part, MultipartError},
    },
};

use crate::{
    error::Problem,
    fields::{Field, MAX_TEXT_BYTES, too_long},
    metered::Meter,
    upload::{Parts, declared_kind},
};

/// Reads the form whose body `meter` already counts.
pub(crate) async fn read(
    request: Request<Body>,
    meter: &Arc<Meter>,
    max_bytes: u64,
    parts: &mut Parts,
) -> Result<(), Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::multipart(rejection.body_text()))?;
    for _ in 0..MAX_FIELDS {
        meter.expect_field_headers();
        let part = form
            .next_field()
            .await
            .map_err(|error| broken(meter, &error))?;
        meter.expect_field_data();
        let Some(part) = part else {
            return Ok(());
        };
        read_part(part, parts, meter, max_bytes).await?;
    }
    Err(Problem::multipart(format!(
        "The form has more than {MAX_FIELDS} fields."
    )))
}

async fn read_part(
    part: Part<'_>,
    parts: &mut Parts,
    meter: &Meter,
    max_bytes: u64,
) -> Result<(), Problem> {
    if part.name() == Some("file") {
        return read_file(part, parts, meter, max_bytes).await;
    }
    let Some(field) = part.name().and_then(Field::of_name) else {
        return Err(Problem::multipart(
            "The form has a field that is none of file, name, external_id, declared_ai, metadata, callback_url.",
        ));
    };
    let text = read_text(part, meter, field).await?;
    parts.fields.set(field, text, parts.reach)
}

async fn read_file(
    mut part: Part<'_>,
    parts: &mut Parts,
    meter: &Meter,
    max_bytes: u64,
) -> Result<(), Problem> {
    let file_name = part.file_name().map(str::to_owned);
    if file_name
        .as_ref()
        .is_some_and(|name| name.len() > MAX_TEXT_BYTES)
    {
        return Err(too_long("/file", MAX_TEXT_BYTES));
    }
    if let Some(kind) = part.content_type() {
        parts.declared = declared_kind(kind)?;
    }
    if std::mem::replace(&mut parts.has_file, true) {
        return Err(Problem::parameter("/file", "The field is there twice."));
    }
    while let Some(chunk) = next_chunk(&mut part, meter).await? {
        parts.content.push(&chunk).await?;
        if parts.content.bytes > max_bytes {
            return Err(Problem::too_large(max_bytes));
        }
    }
    parts.file_name = file_name;
    Ok(())
}

async fn read_text(mut part: Part<'_>, meter: &Meter, field: Field) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut part, meter).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > field.max_bytes() {
            return Err(too_long(field.pointer(), field.max_bytes()));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::parameter(field.pointer(), "The field is not UTF-8."))
}

async fn next_chunk(part: &mut Part<'_>, meter: &Meter) -> Result<Option<Bytes>, Problem> {
    part.chunk().await.map_err(|error| broken(meter, &error))
}

fn broken(meter: &Meter, error: &MultipartError) -> Problem {
    meter.problem(|| Problem::multipart(format!("The form is broken: {}.", error.body_text())))
}

/// Fields of one form.
const MAX_FIELDS: usize = 8;
