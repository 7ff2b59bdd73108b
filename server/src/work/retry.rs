//! How often a job is tried, and when again.

use provenance::Timestamp;

/// Attempts of one job. A file that ended its process twice more is left alone after that.
pub(super) const MAX_ATTEMPTS: u32 = 3;

/// When a job whose `attempt` failed on our side is tried again; `None` when it is given up.
pub(super) fn next_try(attempt: u32, now: Timestamp) -> Option<Timestamp> {
    let pause_s = match attempt {
        0 | 1 => 2,
        2 => 15,
        MAX_ATTEMPTS.. => return None,
    };
    Some(Timestamp(now.0 + pause_s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let tries = (1..=4).map(|attempt| next_try(attempt, Timestamp(100)));
        let tries: Vec<_> = tries.map(|due| due.map(|due| due.0)).collect();
        assert_eq!(tries, [Some(102), Some(115), None, None]);
    }
}
