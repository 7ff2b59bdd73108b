//! A body that counts itself, chunk by chunk: bytes, pace, and the room that the disk has for it.
//!
//! axum's own limit does not reach a handler that streams, and hyper has no time limit for bodies.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use futures_util::stream;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::{disk::Disk, error::Problem, settings::ServeSettings};

/// Why a body was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// More bytes than allowed.
    #[error("the body is too large")]
    TooLarge,
    /// Too long a silence, or too low a rate.
    #[error("the body is too slow")]
    TooSlow,
    /// The disk has no more room for uploads.
    #[error("no room is left for uploads")]
    NoRoom,
    /// The connection broke or the framing is wrong.
    #[error("the body is broken")]
    Broken,
    /// A multipart field has headers without end.
    #[error("the headers of a form field are too long")]
    FieldHeaders,
}

/// What one body may cost and what it has cost so far.
pub(crate) struct Meter {
    limit: u64,
    idle: Duration,
    min_rate: u64,
    disk: Option<Arc<Disk>>,
    started: Instant,
    seen: AtomicU64,
    /// Bytes seen at which the headers of a multipart field must have ended; `u64::MAX` inside data.
    headers_end: AtomicU64,
    refusal: OnceLock<Refusal>,
}

impl Meter {
    /// A meter for one body of at most `limit` bytes that goes to `disk`, where it is kept at all.
    pub(crate) fn new(limit: u64, settings: &ServeSettings, disk: Option<Arc<Disk>>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            idle: settings.body_idle_timeout,
            min_rate: settings.min_body_rate,
            disk,
            started: Instant::now(),
            seen: AtomicU64::new(0),
            headers_end: AtomicU64::new(u64::MAX),
            refusal: OnceLock::new(),
        })
    }

    /// The same body, ending with an error as soon as it breaks a rule.
    pub(crate) fn attach(self: &Arc<Self>, body: Body) -> Body {
        let start = Some((Arc::clone(self), body));
        Body::from_stream(stream::unfold(start, |state| async {
            let (meter, mut body) = state?;
            match meter.next(&mut body).await {
                Ok(None) => None,
                Ok(Some(bytes)) => Some((Ok(bytes), Some((meter, body)))),
                Err(refusal) => {
                    // The first refusal is the cause; later ones are its consequences.
                    let _ = meter.refusal.set(refusal);
                    Some((Err(refusal), None))
                }
            }
        }))
    }

    /// From here on the headers of a multipart field follow.
    pub(crate) fn expect_field_headers(&self) {
        let seen = self.seen.load(Ordering::Relaxed);
        self.headers_end.store(
            seen.saturating_add(MAX_FIELD_HEADER_BYTES),
            Ordering::Relaxed,
        );
    }

    /// From here on the data of a multipart field follows.
    pub(crate) fn expect_field_data(&self) {
        self.headers_end.store(u64::MAX, Ordering::Relaxed);
    }

    /// The problem to answer with after the body broke off; `otherwise` when the meter did not do it.
    pub(crate) fn problem(&self, otherwise: impl FnOnce() -> Problem) -> Problem {
        match self.refusal.get() {
            Some(Refusal::TooLarge) => Problem::too_large(self.limit),
            Some(Refusal::TooSlow) => Problem::too_slow(),
            Some(Refusal::NoRoom) => Problem::disk_full(),
            Some(Refusal::Broken) => Problem::broken_body(),
            Some(Refusal::FieldHeaders) => Problem::multipart(Refusal::FieldHeaders.to_string()),
            None => otherwise(),
        }
    }

    async fn next(&self, body: &mut Body) -> Result<Option<Bytes>, Refusal> {
        // One chunk per poll: a form parser that takes all there is would buffer the whole body.
        tokio::task::yield_now().await;
        loop {
            let frame = match timeout(self.idle, body.frame()).await {
                Err(_) => return Err(Refusal::TooSlow),
                Ok(None) => return Ok(None),
                Ok(Some(Err(_))) => return Err(Refusal::Broken),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers are of no use to us.
            if let Ok(bytes) = frame.into_data() {
                self.count(&bytes)?;
                return Ok(Some(bytes));
            }
        }
    }

    fn count(&self, bytes: &Bytes) -> Result<(), Refusal> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let before = self.seen.fetch_add(length, Ordering::Relaxed);
        let seen = before.saturating_add(length);
        if seen > self.limit {
            return Err(Refusal::TooLarge);
        }
        if before > self.headers_end.load(Ordering::Relaxed) {
            return Err(Refusal::FieldHeaders);
        }
        let judged = self.started.elapsed().saturating_sub(self.idle);
        if seen < self.min_rate.saturating_mul(judged.as_secs()) {
            return Err(Refusal::TooSlow);
        }
        // Each time: many bodies together may fill a disk that had room for each of them.
        match &self.disk {
            Some(disk) if !disk.has_room() => Err(Refusal::NoRoom),
            Some(_) | None => Ok(()),
        }
    }
}

/// Bytes that may arrive while the headers of one multipart field are read. The parser searches its
/// whole buffer for their end at each chunk, so their length must be bounded; four chunks of hyper's.
const MAX_FIELD_HEADER_BYTES: u64 = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use provenance::Timestamp;

    fn meter(limit: u64, min_free: u64, change: impl FnOnce(&mut ServeSettings)) -> Arc<Meter> {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut settings = ServeSettings::new(listen, 1, || Timestamp(0));
        change(&mut settings);
        let disk = Disk::new(&std::env::temp_dir(), min_free);
        Meter::new(limit, &settings, Some(Arc::new(disk)))
    }

    async fn code(meter: &Arc<Meter>, body: Body) -> Option<&'static str> {
        match meter.attach(body).collect().await {
            Ok(_) => None,
            Err(_) => Some(meter.problem(|| unreachable!()).code()),
        }
    }

    #[tokio::test]
    async fn bytes_are_counted_up_to_the_limit() {
        assert_eq!(
            code(&meter(5, 0, |_| ()), Body::from(vec![0; 5])).await,
            None
        );
        assert_eq!(
            code(&meter(5, 0, |_| ()), Body::from(vec![0; 6])).await,
            Some("too_large")
        );
    }

    #[tokio::test]
    async fn a_disk_without_room_ends_the_body() {
        let full = meter(5, u64::MAX, |_| ());
        assert_eq!(code(&full, Body::from(vec![0; 5])).await, Some("disk_full"));
    }

    #[tokio::test]
    async fn silence_ends_the_body() {
        let meter = meter(9, 0, |settings| {
            settings.body_idle_timeout = Duration::from_millis(5)
        });
        let silent = Body::from_stream(stream::pending::<Result<Bytes, Refusal>>());
        assert_eq!(code(&meter, silent).await, Some("too_slow"));
    }

    #[tokio::test]
    async fn a_trickle_ends_the_body() {
        let meter = meter(1 << 20, 0, |settings| {
            settings.body_idle_timeout = Duration::from_millis(400);
            settings.min_body_rate = 1_000_000;
        });
        let trickle = Body::from_stream(stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Some((Ok::<_, Refusal>(Bytes::from_static(b"x")), ()))
        }));
        assert_eq!(code(&meter, trickle).await, Some("too_slow"));
    }
}
