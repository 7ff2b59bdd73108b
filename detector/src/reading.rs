//! From the logits of windows to one calibrated number per model, and from the models to one score.
//!
//! Nothing here runs a model, and no threshold of a policy is known here.

use crate::{
    calibration::Calibration,
    detection::{Llr, Logit, ModelReading, Score},
};

/// A picture's logit: the mean of its windows' logits.
///
/// The mean of several has the expectation of one and a smaller spread, so what was measured for one window errs on
/// the safe side for the mean; the mean of the highest few would not. A card may hold a calibration of its own for
/// many windows ([`crate::Many`]). `None` for no windows or a number that is not finite.
pub(crate) fn picture_logit(windows: &[f32]) -> Option<Logit> {
    let count = u16::try_from(windows.len())
        .ok()
        .filter(|count| *count > 0)?;
    Logit::new(windows.iter().sum::<f32>() / f32::from(count))
}

/// The evidence in one model's views of a picture.
///
/// The native view is the vote, for which the calibration was fitted; two views of one model are not two votes. The
/// delivered view only tells whether the score would survive delivery: if it is missing or lies further than
/// [`MAX_GAP`] off, in logits or in nats, the evidence is capped at [`UNSTABLE_NATS`].
pub(crate) fn evidence(calibration: &Calibration, native: Logit, delivered: Option<Logit>) -> Llr {
    let llr = calibration.apply(native);
    let gap = |delivered: Logit| (native.value() - delivered.value()).abs();
    let stable = delivered
        .map(gap)
        .is_some_and(|gap| gap <= MAX_GAP && calibration.nats(gap) <= MAX_GAP);
    if stable {
        llr
    } else {
        llr.capped(UNSTABLE_NATS)
    }
}

/// Joins what the models said; `None` when every one abstained.
///
/// With one model its evidence is the score. With several it is their mean: models that read the same pixels
/// are not independent, so their evidence may not be added, and which one is right is not known. The joined
/// false-alarm rate is the sum of the models' own rates at that mean, at most 1: for the mean to reach a
/// threshold at least one model must reach it.
pub(crate) fn join(readings: Vec<(ModelReading, Option<&Calibration>)>) -> Option<Score> {
    let votes: Vec<_> = readings
        .iter()
        .filter_map(|(reading, calibration)| Some((reading.llr?, (*calibration)?)))
        .collect();
    let count = f32::from(u16::try_from(votes.len()).ok().filter(|count| *count > 0)?);
    let llr = Llr::new(votes.iter().map(|(llr, _)| llr.value()).sum::<f32>() / count)?;
    let rates = votes
        .iter()
        .map(|(_, calibration)| calibration.false_alarm_rate(llr));
    let false_alarm_rate = rates.sum::<Option<f32>>().map(|rate| rate.min(1.0));
    let models = readings.into_iter().map(|(reading, _)| reading).collect();
    Some(Score {
        llr,
        probability: llr.probability(),
        false_alarm_rate,
        models,
    })
}

/// Logits of two views further apart than this contradict each other. Source: detection design notes; a
/// calibrated step of 2 nats turns even odds into 7 to 1.
const MAX_GAP: f32 = 2.0;

/// The strongest evidence, in nats, that a contradicted score may give: odds of 2.7 to 1.
const UNSTABLE_NATS: f32 = 1.0;

#[cfg(test)]
mod tests {
    use media::Digest;
    use proptest::prelude::*;

    use super::{evidence, join, picture_logit};
    use crate::{
        calibration::{Calibration, FalseAlarm, Fit},
        detection::{Applicability, Llr, Logit, ModelReading},
        provider::Provider,
    };

    fn calibration(rate: Option<f32>) -> Calibration {
        sloped(1.0, rate)
    }

    fn sloped(slope: f32, rate: Option<f32>) -> Calibration {
        let rows = rate.map(|rate| FalseAlarm { llr: 0.0, rate });
        let fit = Fit {
            slope,
            intercept: 0.0,
            real_pictures: 999,
            synthetic_pictures: 999,
            false_alarms: rows.into_iter().collect(),
        };
        Calibration::new(fit).unwrap()
    }

    fn logit(value: f32) -> Logit {
        Logit::new(value).unwrap()
    }

    fn reading(llr: Option<f32>) -> ModelReading {
        ModelReading {
            name: "m".to_owned(),
            version: "1".to_owned(),
            digest: Digest::of(b""),
            provider: Provider::Cpu,
            llr: llr.and_then(Llr::new),
            false_alarm_rate: None,
            views: Vec::new(),
            applicability: Applicability::InDomain,
        }
    }

    #[test]
    fn windows_are_averaged() {
        let check = |windows: &[f32], expected| {
            assert_eq!(picture_logit(windows).map(Logit::value), expected)
        };
        check(&[], None);
        check(&[2.0], Some(2.0));
        check(&[2.0, -5.0], Some(-1.5));
        check(&[1.0, 2.0, 3.0, 4.0], Some(2.5));
        check(&[1.0, f32::NAN, 3.0], None);
        check(&[1.0, f32::NEG_INFINITY], None);
    }

    #[test]
    fn a_score_that_delivery_contradicts_is_capped() {
        let check = |native, delivered: Option<f32>, expected| {
            let llr = evidence(&calibration(None), logit(native), delivered.map(logit));
            assert_eq!(llr.value(), expected);
        };
        check(3.0, Some(1.0), 3.0);
        check(3.0, Some(0.9), 1.0);
        check(3.0, Some(5.1), 1.0);
        check(-3.0, Some(0.0), -1.0);
        check(0.5, Some(9.0), 0.5);
        check(3.0, None, 1.0);
        // A steep line makes a small step of the logit a large one of the evidence.
        assert_eq!(
            evidence(&sloped(4.0, None), logit(1.5), Some(logit(0.5))).value(),
            1.0
        );
        assert_eq!(
            evidence(&sloped(4.0, None), logit(1.5), Some(logit(1.25))).value(),
            6.0
        );
    }

    #[test]
    fn models_are_averaged_and_their_false_alarms_added() {
        let (a, b) = (calibration(Some(0.1)), calibration(Some(0.2)));
        let score = join(vec![
            (reading(Some(3.0)), Some(&a)),
            (reading(Some(1.0)), Some(&b)),
        ])
        .unwrap();
        assert_eq!(score.llr.value(), 2.0);
        assert!((score.false_alarm_rate.unwrap() - 0.3).abs() < 1e-6);
        let one = join(vec![
            (reading(Some(3.0)), Some(&a)),
            (reading(None), Some(&b)),
        ])
        .unwrap();
        assert_eq!(
            (one.llr.value(), one.false_alarm_rate, one.models.len()),
            (3.0, Some(0.1), 2)
        );
        let bare = calibration(None);
        let score = join(vec![
            (reading(Some(3.0)), Some(&a)),
            (reading(Some(1.0)), Some(&bare)),
        ])
        .unwrap();
        assert_eq!(score.false_alarm_rate, None);
        assert!(join(vec![(reading(None), Some(&a))]).is_none());
    }

    proptest! {
        #[test]
        fn a_picture_is_never_below_the_mean_of_its_windows(
            windows in proptest::collection::vec(-100.0_f32..100.0, 1..=8),
        ) {
            let all = windows.iter().sum::<f32>() / f32::from(u16::try_from(windows.len()).unwrap());
            let picture = picture_logit(&windows).unwrap().value();
            prop_assert!(picture >= all - 1e-3);
            prop_assert!(windows.iter().any(|window| *window >= picture - 1e-3));
        }
    }
}
