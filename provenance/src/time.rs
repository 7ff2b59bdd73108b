//! Points in time. The clock is never read here: time is an argument.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in time: seconds since 1970-01-01T00:00:00Z; negative before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, any offset; fractions of a second are cut.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|time| Self(time.timestamp()))
    }

    /// RFC 3339 in UTC, whole seconds. Times outside the calendar's range read as the epoch.
    pub fn to_rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp(self.0, 0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The day of [`Self::to_rfc3339`], `YYYY-MM-DD`.
    pub fn day(self) -> String {
        self.to_rfc3339().chars().take(10).collect()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// The span in which a certificate may be used, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First second.
    pub not_before: Timestamp,
    /// Last second.
    pub not_after: Timestamp,
}

impl Validity {
    /// Whether `time` lies in the span.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn rfc3339_round_trips_in_utc() {
        let time = Timestamp::parse_rfc3339("2026-11-23T01:02:03.9+01:00").unwrap();
        assert_eq!(time.to_rfc3339(), "2026-11-23T00:02:03Z");
        assert_eq!(time.day(), "2026-11-23");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }
}
