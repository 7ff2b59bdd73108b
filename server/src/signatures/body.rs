//! The body of a request to sign: a file and nothing else, held in memory, because it is signed there and kept nowhere.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use http_body_util::BodyExt as _;
use media::Kind;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    error::Problem,
    metered::Meter,
    state::{KIB, ServerState},
    upload::{content_type, declared_kind, declared_length, is_form},
};

/// A file with its share of the room for files in memory.
pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    /// From `Content-Type`, where it names a kind we know.
    pub(super) declared: Option<Kind>,
    /// Grows with the bytes; free again when dropped.
    pub(super) memory: Option<OwnedSemaphorePermit>,
}

/// Receives the body of `request`.
pub(super) async fn receive(state: &ServerState, request: Request<Body>) -> Result<File, Problem> {
    if is_form(request.headers()) {
        return Err(Problem::no_form());
    }
    let max_bytes = state.max_bytes();
    if declared_length(request.headers()).is_some_and(|length| length > max_bytes) {
        return Err(Problem::too_large(max_bytes));
    }
    let declared = content_type(request.headers()).map(declared_kind);
    let mut file = File {
        bytes: Vec::new(),
        declared: declared.transpose()?.flatten(),
        memory: None,
    };
    let meter = Meter::new(max_bytes, &state.settings, None);
    let mut body = request.map(|body| meter.attach(body)).into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| meter.problem(Problem::broken_body))?;
        if let Ok(chunk) = frame.into_data() {
            file.push(&chunk, &state.memory)?;
        }
    }
    if file.bytes.is_empty() {
        return Err(Problem::empty());
    }
    Ok(file)
}

impl File {
    /// The next chunk; its share is taken first.
    fn push(&mut self, chunk: &Bytes, memory: &Arc<Semaphore>) -> Result<(), Problem> {
        let length = u64::try_from(self.bytes.len() + chunk.len()).unwrap_or(u64::MAX);
        let needed = u32::try_from(length.div_ceil(KIB)).map_err(|_| Problem::busy())?;
        let held = self.memory.as_ref().map_or(0, |held| held.num_permits());
        let missing = needed.saturating_sub(u32::try_from(held).unwrap_or(u32::MAX));
        let more = Arc::clone(memory)
            .try_acquire_many_owned(missing)
            .map_err(|_| Problem::busy())?;
        match &mut self.memory {
            Some(held) => held.merge(more),
            None => self.memory = Some(more),
        }
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }
}
