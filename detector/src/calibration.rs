//! Turns a network's raw output into evidence with a unit, and bounds that evidence by what was measured.
//!
//! A logit means nothing outside its network. The line through it, fitted on labelled pictures the network has
//! not seen, makes it a log-likelihood ratio, and the size of that sample caps it: from 500 real pictures nobody
//! can claim odds of a million to one.

use crate::detection::{Llr, Logit};

/// The fitted line, the sample behind it and the false alarms counted on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    slope: f32,
    intercept: f32,
    real_pictures: u32,
    synthetic_pictures: u32,
    false_alarms: Vec<FalseAlarm>,
}

/// Share of the real calibration pictures that score at least `llr`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FalseAlarm {
    /// Threshold in nats.
    pub llr: f32,
    /// Share of real pictures at or above it, in 0.0..=1.0.
    pub rate: f32,
}

/// A calibration as read from a card, nothing checked yet.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    pub(crate) slope: f32,
    pub(crate) intercept: f32,
    pub(crate) real_pictures: u32,
    pub(crate) synthetic_pictures: u32,
    pub(crate) false_alarms: Vec<FalseAlarm>,
}

impl Calibration {
    /// Checks a fit.
    ///
    /// # Errors
    ///
    /// The broken rule in words: the line must be finite and rising, both samples non-empty, the thresholds finite
    /// and falling, the rates in 0..=1 and not falling.
    pub(crate) fn new(fit: Fit) -> Result<Self, String> {
        if !fit.slope.is_finite() || fit.slope <= 0.0 {
            return Err(format!(
                "calibration.slope is {}, it must be finite and above 0",
                fit.slope
            ));
        }
        if !fit.intercept.is_finite() {
            return Err(format!(
                "calibration.intercept is {}, it must be finite",
                fit.intercept
            ));
        }
        if fit.real_pictures == 0 || fit.synthetic_pictures == 0 {
            return Err(
                "calibration.real_pictures and calibration.synthetic_pictures must be above 0"
                    .to_owned(),
            );
        }
        check_rows(&fit.false_alarms)?;
        Ok(Self {
            slope: fit.slope,
            intercept: fit.intercept,
            real_pictures: fit.real_pictures,
            synthetic_pictures: fit.synthetic_pictures,
            false_alarms: fit.false_alarms,
        })
    }

    /// The evidence in a picture's logit, within ± [`Calibration::bound_nats`].
    pub fn apply(&self, logit: Logit) -> Llr {
        let bound = self.bound_nats();
        let line = self.slope.mul_add(logit.value(), self.intercept);
        // Slope, logit and intercept are finite, so the line can overflow but is never NaN: clamping makes it finite.
        Llr::new(line.clamp(-bound, bound)).unwrap_or(Llr::NEUTRAL)
    }

    /// The strongest evidence the sample supports: ln(smaller class + 1), in nats.
    ///
    /// Counts past 65,535 count as 65,535, which is 11.1 nats; no policy asks for more.
    pub fn bound_nats(&self) -> f32 {
        (count(self.real_pictures.min(self.synthetic_pictures)) + 1.0).ln()
    }

    /// What a step of the logit is worth, in nats.
    pub(crate) fn nats(&self, logits: f32) -> f32 {
        self.slope * logits
    }

    /// Upper bound on the share of real pictures that score `llr` or more, in 0.0..=1.0.
    ///
    /// It is the rate at the highest threshold not above `llr`, and never under 1 / (real pictures + 1): none
    /// seen in a sample is not none. `None` when the card has no table.
    pub fn false_alarm_rate(&self, llr: Llr) -> Option<f32> {
        if self.false_alarms.is_empty() {
            return None;
        }
        let row = self.false_alarms.iter().find(|row| row.llr <= llr.value());
        let floor = 1.0 / (count(self.real_pictures) + 1.0);
        Some(row.map_or(1.0, |row| row.rate.max(floor)))
    }
}

fn check_rows(rows: &[FalseAlarm]) -> Result<(), String> {
    if rows.len() > MAX_ROWS {
        return Err(format!(
            "calibration.false_alarm has {} rows, at most {MAX_ROWS} are read",
            rows.len()
        ));
    }
    for row in rows {
        if !row.llr.is_finite() || !(0.0..=1.0).contains(&row.rate) {
            return Err(format!(
                "calibration.false_alarm has a row llr = {}, rate = {}",
                row.llr, row.rate
            ));
        }
    }
    let falling = |pair: &[FalseAlarm]| matches!(pair, [high, low] if high.llr > low.llr && high.rate <= low.rate);
    if !rows.windows(2).all(falling) {
        return Err(
            "calibration.false_alarm must be ordered by falling llr, with rates that never fall"
                .to_owned(),
        );
    }
    Ok(())
}

fn count(pictures: u32) -> f32 {
    f32::from(u16::try_from(pictures).unwrap_or(u16::MAX))
}

/// Rows read from one card: far more than a curve needs, few enough to scan per picture.
const MAX_ROWS: usize = 1_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Calibration, FalseAlarm, Fit};
    use crate::detection::{Llr, Logit};

    fn fit() -> Fit {
        Fit {
            slope: 0.5,
            intercept: -1.0,
            real_pictures: 499,
            synthetic_pictures: 2_000,
            false_alarms: vec![row(3.0, 0.0), row(1.0, 0.02), row(-1.0, 0.4)],
        }
    }

    fn row(llr: f32, rate: f32) -> FalseAlarm {
        FalseAlarm { llr, rate }
    }

    fn apply(logit: f32) -> f32 {
        Calibration::new(fit())
            .unwrap()
            .apply(Logit::new(logit).unwrap())
            .value()
    }

    fn rate(llr: f32) -> Option<f32> {
        Calibration::new(fit())
            .unwrap()
            .false_alarm_rate(Llr::new(llr).unwrap())
    }

    #[test]
    fn the_line_is_applied_and_the_smaller_sample_caps_it() {
        assert_eq!(apply(4.0), 1.0);
        assert_eq!(apply(1e6), 500.0_f32.ln());
        assert_eq!(apply(-1e6), -500.0_f32.ln());
    }

    #[test]
    fn a_rate_is_taken_from_the_row_below_and_none_seen_is_not_none() {
        assert_eq!(rate(3.5), Some(1.0 / 500.0));
        assert_eq!(rate(1.0), Some(0.02));
        assert_eq!(rate(0.999), Some(0.4));
        assert_eq!(rate(-2.0), Some(1.0));
        let bare = Calibration::new(Fit {
            false_alarms: Vec::new(),
            ..fit()
        })
        .unwrap();
        assert_eq!(bare.false_alarm_rate(Llr::new(5.0).unwrap()), None);
    }

    #[test]
    fn a_fit_that_breaks_a_rule_is_refused_by_name() {
        let refused = |fit, word: &str| {
            let error = Calibration::new(fit).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        assert!(Calibration::new(fit()).is_ok());
        for slope in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            refused(Fit { slope, ..fit() }, "slope");
        }
        refused(
            Fit {
                intercept: f32::NAN,
                ..fit()
            },
            "intercept",
        );
        refused(
            Fit {
                real_pictures: 0,
                ..fit()
            },
            "real_pictures",
        );
        refused(
            Fit {
                synthetic_pictures: 0,
                ..fit()
            },
            "synthetic_pictures",
        );
        for rows in [
            vec![row(1.0, 0.1), row(1.0, 0.2)],
            vec![row(0.0, 0.1), row(1.0, 0.2)],
            vec![row(1.0, 0.2), row(0.0, 0.1)],
            vec![row(f32::NAN, 0.1)],
            vec![row(1.0, 1.1)],
            vec![row(1.0, f32::NAN)],
            vec![row(0.0, 0.0); 1_001],
        ] {
            refused(
                Fit {
                    false_alarms: rows,
                    ..fit()
                },
                "false_alarm",
            );
        }
    }

    proptest! {
        #[test]
        fn evidence_is_finite_capped_and_rises_with_the_logit(
            slope in 1e-6_f32..f32::MAX, intercept in proptest::num::f32::NORMAL,
            a in proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL | proptest::num::f32::ZERO,
            b in proptest::num::f32::NORMAL,
            real_pictures in 1_u32.., synthetic_pictures in 1_u32..,
        ) {
            let fit = Fit { slope, intercept, real_pictures, synthetic_pictures, false_alarms: Vec::new() };
            let calibration = Calibration::new(fit).unwrap();
            let llr = |logit: f32| calibration.apply(Logit::new(logit).unwrap()).value();
            prop_assert!(llr(a).is_finite() && llr(a).abs() <= calibration.bound_nats());
            prop_assert!(llr(a.min(b)) <= llr(a.max(b)));
            let probability = Llr::new(llr(a)).unwrap().probability().value();
            prop_assert!((0.0..=1.0).contains(&probability));
        }

        #[test]
        fn a_higher_score_never_has_a_higher_false_alarm_rate(a in -10.0_f32..10.0, b in -10.0_f32..10.0) {
            prop_assert!(rate(a.max(b)) <= rate(a.min(b)));
        }
    }
}
