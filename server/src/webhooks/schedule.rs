//! When a webhook is tried again. A pure table: it knows neither a clock nor a receiver.

use std::time::Duration;

use provenance::Timestamp;
use uuid::Uuid;

/// When to try next after `attempts` attempts that failed, or `None` when it was tried often enough.
///
/// The table counts from `created`, so a service that was down for an hour does not start over. A receiver
/// may ask for a later moment (`Retry-After`), but not for one past the end of the table.
pub(crate) fn next_attempt(
    created: Timestamp,
    now: Timestamp,
    attempts: u32,
    id: Uuid,
    retry_after: Option<Duration>,
) -> Option<Timestamp> {
    let age_s = *AGES_S.get(usize::try_from(attempts).ok()?)?;
    let planned = created.0.saturating_add(age_s + jitter_s(id, age_s));
    let asked = retry_after.map_or(0, |wait| i64::try_from(wait.as_secs()).unwrap_or(i64::MAX));
    let end = created.0.saturating_add(AGES_S[AGES_S.len() - 1]);
    // At least a moment later, or a backlog would be tried several times in a row.
    let earliest = now
        .0
        .saturating_add(asked.max(PAUSE_S))
        .min(end.max(now.0 + PAUSE_S));
    Some(Timestamp(planned.max(earliest)))
}

/// Up to a tenth of the age, the same for every look at one webhook: receivers that were down together are
/// not called together, and no source of chance is needed.
fn jitter_s(id: Uuid, age_s: i64) -> i64 {
    let spread = age_s / 10 + 1;
    i64::from(id.as_bytes()[15]) * spread / 256
}

/// Seconds after its creation at which a webhook is tried, counted in attempts made: at once, then 5 s, 1 min,
/// 5 min, 30 min, 2 h, 5 h, 10 h, 16 h and 24 h later.
const AGES_S: [i64; 10] = [0, 5, 60, 300, 1_800, 7_200, 18_000, 36_000, 57_600, 86_400];

/// Shortest pause between two attempts, in seconds.
const PAUSE_S: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: Timestamp = Timestamp(1_000_000);

    /// Plays a receiver that never answers; the ages at which it is called.
    fn ages(id: Uuid) -> Vec<i64> {
        let mut now = CREATED;
        let mut ages = vec![0];
        let mut attempts = 1;
        while let Some(next) = next_attempt(CREATED, now, attempts, id, None) {
            assert!(next > now);
            now = next;
            ages.push(now.0 - CREATED.0);
            attempts += 1;
        }
        ages
    }

    #[test]
    fn ten_attempts_are_spread_over_a_day() {
        let plain = ages(Uuid::nil());
        assert_eq!(
            plain,
            [0, 5, 60, 300, 1_800, 7_200, 18_000, 36_000, 57_600, 86_400]
        );
        let late = ages(Uuid::max());
        assert_eq!(late.len(), 10);
        assert!(
            late[9] > 86_400 && late[9] <= 86_400 * 11 / 10 + 1,
            "{late:?}"
        );
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_within_the_day() {
        let asked = |seconds| {
            let wait = Some(Duration::from_secs(seconds));
            next_attempt(CREATED, CREATED, 1, Uuid::nil(), wait).map(|next| next.0 - CREATED.0)
        };
        assert_eq!(asked(1), Some(5));
        assert_eq!(asked(3_600), Some(3_600));
        assert_eq!(asked(u64::MAX), Some(86_400));
    }

    #[test]
    fn a_service_that_was_away_does_not_catch_up_in_a_burst() {
        let late = Timestamp(CREATED.0 + 50_000);
        let next = next_attempt(CREATED, late, 1, Uuid::nil(), None).unwrap();
        assert_eq!(next.0 - late.0, 5);
        assert_eq!(next_attempt(CREATED, late, 10, Uuid::nil(), None), None);
    }
}
