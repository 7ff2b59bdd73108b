//! A `multipart/form-data` upload: one `file`, and the few text fields we know. Unknown fields are
//! refused, so that a misspelt one is noticed.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{
        FromRequest as _, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use media::Kind;

use crate::{
    error::Problem,
    metered::Meter,
    upload::{Parts, check_text},
};

/// Reads the form whose body `meter` already counts.
pub(crate) async fn read(
    request: Request<Body>,
    meter: &Arc<Meter>,
    max_bytes: u64,
) -> Result<Parts, Problem> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::multipart(rejection.body_text()))?;
    let mut parts = Parts::default();
    for _ in 0..MAX_FIELDS {
        meter.expect_field_headers();
        let field = form
            .next_field()
            .await
            .map_err(|error| broken(meter, &error))?;
        meter.expect_field_data();
        let Some(field) = field else {
            return Ok(parts);
        };
        read_field(field, &mut parts, meter, max_bytes).await?;
    }
    Err(Problem::multipart(format!(
        "The form has more than {MAX_FIELDS} fields."
    )))
}

async fn read_field(
    field: Field<'_>,
    parts: &mut Parts,
    meter: &Meter,
    max_bytes: u64,
) -> Result<(), Problem> {
    match field.name() {
        Some("file") => read_file(field, parts, meter, max_bytes).await,
        Some("name") => {
            let text = read_text(field, meter, "/name").await?;
            set(&mut parts.name, text, "/name")
        }
        Some("external_id") => {
            let text = read_text(field, meter, "/external_id").await?;
            set(&mut parts.external_id, text, "/external_id")
        }
        _ => Err(Problem::multipart(
            "The form has a field that is none of file, name, external_id.",
        )),
    }
}

async fn read_file(
    mut field: Field<'_>,
    parts: &mut Parts,
    meter: &Meter,
    max_bytes: u64,
) -> Result<(), Problem> {
    let file_name = field.file_name().map(str::to_owned);
    if let Some(file_name) = &file_name {
        check_text(file_name, "/file")?;
    }
    let declared = field.content_type().and_then(Kind::from_mime);
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field, meter).await? {
        bytes.extend_from_slice(&chunk);
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_bytes {
            return Err(Problem::too_large(max_bytes));
        }
    }
    parts.file_name = file_name;
    parts.declared = declared;
    set(&mut parts.bytes, bytes, "/file")
}

async fn read_text(
    mut field: Field<'_>,
    meter: &Meter,
    pointer: &'static str,
) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next_chunk(&mut field, meter).await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_TEXT_BYTES {
            return Err(Problem::parameter(
                pointer,
                format!("The field has more than {MAX_TEXT_BYTES} bytes."),
            ));
        }
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::parameter(pointer, "The field is not UTF-8."))?;
    check_text(&text, pointer)?;
    Ok(text)
}

async fn next_chunk(
    field: &mut Field<'_>,
    meter: &Meter,
) -> Result<Option<axum::body::Bytes>, Problem> {
    field.chunk().await.map_err(|error| broken(meter, &error))
}

fn set<T>(place: &mut Option<T>, value: T, pointer: &'static str) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::parameter(pointer, "The field is there twice.")),
    }
}

fn broken(meter: &Meter, error: &MultipartError) -> Problem {
    meter.problem(|| Problem::multipart(format!("The form is broken: {}.", error.body_text())))
}

/// Fields of one form.
const MAX_FIELDS: usize = 8;

/// Bytes of one text field.
const MAX_TEXT_BYTES: usize = 1024;
