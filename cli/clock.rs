//! The one place where this program reads the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use provenance::Timestamp;

/// The present second. A clock before 1970 reads as 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "everything below takes the time as an argument, and this is where it comes from"
)]
pub(crate) fn now() -> Timestamp {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX))
}
