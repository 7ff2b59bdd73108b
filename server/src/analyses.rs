//! `POST /v1/analyses`: one upload in, one finished analysis out.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use media::Media;
use provenance::Timestamp;
use serde::Serialize;
use tokio::time::timeout;
use uuid::Uuid;
use verdict::{Examiner, Options, Report};

use crate::{
    error::Problem,
    state::ServerState,
    upload::{Upload, receive},
};

/// The frame around a report. `status` is `failed` when the report carries an error.
#[derive(Serialize)]
struct Analysis<'a> {
    id: Uuid,
    status: &'static str,
    created_at: String,
    external_id: Option<&'a str>,
    report: &'a Report,
}

/// Receives, examines and answers 201 with the finished analysis.
pub(crate) async fn create(
    State(state): State<Arc<ServerState>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    state.check_room()?;
    let now = (state.settings.clock)();
    let upload = receive(&state, request).await?;
    let external_id = upload.external_id.clone();
    let report = examine(&state, upload, now).await?;
    let id = Uuid::now_v7();
    log(id, &report);
    let analysis = Analysis {
        id,
        status: if report.error.is_some() {
            "failed"
        } else {
            "done"
        },
        created_at: now.to_rfc3339(),
        external_id: external_id.as_deref(),
        report: &report,
    };
    let location = [(header::LOCATION, format!("/v1/analyses/{id}"))];
    Ok((StatusCode::CREATED, location, Json(analysis)).into_response())
}

async fn examine(state: &ServerState, upload: Upload, now: Timestamp) -> Result<Report, Problem> {
    let place = state.take_place()?;
    let examiner = Arc::clone(&state.examiner);
    let result = state
        .pool
        .run(move || {
            // Both are held until the work ends, also when nobody waits for it any more.
            let _place = place;
            report(&examiner, upload, now)
        })
        .map_err(|_| Problem::busy())?;
    match timeout(state.settings.examine_timeout, result).await {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(_)) => Err(Problem::fault(
            media::Fault::Bug,
            "The examination broke off. The file was not examined.",
        )),
        Err(_) => Err(Problem::fault(
            media::Fault::Busy,
            "The examination took too long. Try again later.",
        )),
    }
}

fn report(examiner: &Examiner, upload: Upload, now: Timestamp) -> Report {
    let _memory = upload.memory;
    let name = upload.name.clone();
    let limits = examiner.limits();
    let started = Instant::now();
    match Media::from_bytes(upload.name, upload.declared, upload.bytes, limits) {
        Ok(media) => {
            let options = Options {
                read: Some(started.elapsed()),
                ..Options::at(now)
            };
            examiner.examine(&media, &options)
        }
        Err(error) => examiner.refuse(&name, &error, now),
    }
}

fn log(id: Uuid, report: &Report) {
    tracing::info!(
        analysis.id = %id,
        upload.digest = report.media.sha256,
        verdict = report.verdict.code.as_str(),
        "examined an upload"
    );
}
