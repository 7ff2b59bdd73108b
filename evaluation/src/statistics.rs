//! Figures of merit of scores with labels, each picture with a weight.
//!
//! Weights do two things: they let every source count the same, and a bootstrap draw is nothing but other weights.
//! Nothing here knows pictures.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    bootstrap::{Bootstrap, DRAWS},
    sample::{Called, Sample},
};

/// A figure of merit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Chance that a synthetic picture scores above a real one.
    Auc,
    /// Average precision at even classes.
    AveragePrecision,
    /// Mean of real accuracy and synthetic recall.
    BalancedAccuracy,
    /// Share of real pictures not called likely synthetic.
    RealAccuracy,
    /// Share of synthetic pictures called likely synthetic.
    SyntheticRecall,
    /// Share of synthetic pictures above the score that 1 % of the real ones reach.
    TprAt1,
    /// The same at 5 %.
    TprAt5,
    /// Expected calibration error of the probability, ten bins, even classes.
    Ece,
    /// Cost of the log-likelihood ratio in bits: 0 is perfect, 1 is worth nothing, above 1 misleads.
    Cllr,
    /// Share of pictures called neither likely nor without evidence.
    Inconclusive,
}

impl Metric {
    /// Every metric, in the order of the reports.
    pub const ALL: [Self; 10] = [
        Self::Auc,
        Self::AveragePrecision,
        Self::BalancedAccuracy,
        Self::RealAccuracy,
        Self::SyntheticRecall,
        Self::TprAt1,
        Self::TprAt5,
        Self::Ece,
        Self::Cllr,
        Self::Inconclusive,
    ];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auc => "auc",
            Self::AveragePrecision => "average_precision",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::RealAccuracy => "real_accuracy",
            Self::SyntheticRecall => "synthetic_recall",
            Self::TprAt1 => "tpr_at_fpr_1pct",
            Self::TprAt5 => "tpr_at_fpr_5pct",
            Self::Ece => "ece",
            Self::Cllr => "cllr_bits",
            Self::Inconclusive => "inconclusive",
        }
    }

    fn of(self, sample: &Sample, weights: &[f64]) -> Option<f64> {
        match self {
            Self::Auc => sample.auc(weights),
            Self::AveragePrecision => sample.average_precision(weights),
            Self::BalancedAccuracy => {
                let real = Self::RealAccuracy.of(sample, weights)?;
                Some((real + Self::SyntheticRecall.of(sample, weights)?) / 2.0)
            }
            Self::RealAccuracy => {
                let alarms = sample.share(weights, Some(false), Called::Likely)?;
                Some(1.0 - alarms)
            }
            Self::SyntheticRecall => sample.share(weights, Some(true), Called::Likely),
            Self::TprAt1 => sample.tpr_at(0.01, weights),
            Self::TprAt5 => sample.tpr_at(0.05, weights),
            Self::Ece => sample.ece(weights),
            Self::Cllr => sample.cllr(weights),
            Self::Inconclusive => {
                let real = sample.share(weights, Some(false), Called::Neither);
                let synthetic = sample.share(weights, Some(true), Called::Neither);
                Some((real? + synthetic?) / 2.0)
            }
        }
    }
}

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure itself.
    #[serde(serialize_with = "rounded")]
    pub value: f64,
    /// 2.5th percentile of the bootstrap draws.
    #[serde(serialize_with = "rounded")]
    pub low: f64,
    /// 97.5th percentile.
    #[serde(serialize_with = "rounded")]
    pub high: f64,
}

/// The figures that could be computed, in the order of [`Metric::ALL`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures(pub Vec<(Metric, Estimate)>);

impl Figures {
    /// One of them.
    pub fn get(&self, metric: Metric) -> Option<Estimate> {
        self.0
            .iter()
            .find(|(name, _)| *name == metric)
            .map(|(_, estimate)| *estimate)
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (metric, estimate) in &self.0 {
            map.serialize_entry(metric.name(), estimate)?;
        }
        map.end()
    }
}

/// Five decimals, so that files of figures can be compared and read.
pub(crate) fn rounded<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((value * 1e5).round() / 1e5)
}

/// The same for figures that may be missing.
pub(crate) fn rounded_option<S: Serializer>(
    value: &Option<f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => rounded(value, serializer),
        None => serializer.serialize_none(),
    }
}

impl Sample {
    /// The figures of `metrics` with intervals from the draws of `bootstrap`; each item weighs as in `weights`.
    pub(crate) fn figures(
        &self,
        metrics: &[Metric],
        weights: &[f64],
        bootstrap: &Bootstrap,
    ) -> Figures {
        let mut drawn: Vec<Vec<f64>> = vec![Vec::with_capacity(DRAWS); metrics.len()];
        for draw in 0..DRAWS {
            let weights = bootstrap.draw(draw, weights);
            for (metric, values) in metrics.iter().zip(&mut drawn) {
                values.extend(metric.of(self, &weights));
            }
        }
        let estimates = metrics
            .iter()
            .zip(&mut drawn)
            .filter_map(|(metric, values)| {
                let value = metric.of(self, weights)?;
                values.sort_unstable_by(f64::total_cmp);
                let estimate = Estimate {
                    value,
                    low: percentile(values, 25)?,
                    high: percentile(values, 975)?,
                };
                Some((*metric, estimate))
            });
        Figures(estimates.collect())
    }
}

/// `per_mille` of the way through sorted values.
fn percentile(sorted: &[f64], per_mille: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last * per_mille + 500) / 1_000).copied()
}

/// A count as a number; past 4 billion it stops.
pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Metric;
    use crate::{
        bootstrap::Bootstrap,
        sample::{Called, Item, Sample},
    };

    fn sample(real: &[f32], synthetic: &[f32]) -> Sample {
        let item = |llr: f32, synthetic| Item {
            synthetic,
            llr: Some(llr),
            called: if llr > 2.0 {
                Called::Likely
            } else {
                Called::Neither
            },
        };
        let real = real.iter().map(|llr| item(*llr, false));
        let synthetic = synthetic.iter().map(|llr| item(*llr, true));
        Sample::new(real.chain(synthetic).collect())
    }

    fn check(metric: Metric, real: &[f32], synthetic: &[f32], expected: f64) {
        let sample = sample(real, synthetic);
        let found = metric
            .of(&sample, &vec![1.0; sample.items().len()])
            .unwrap();
        assert!(
            (found - expected).abs() < 1e-9,
            "{metric:?}: {found}, not {expected}"
        );
    }

    #[test]
    fn figures_are_those_worked_out_by_hand() {
        let (real, synthetic) = (&[-1.0, 0.0, 1.0, 3.0][..], &[0.0, 2.0, 3.0, 4.0][..]);
        // Of 16 pairs 11 are right and 2 are tied.
        check(Metric::Auc, real, synthetic, 12.0 / 16.0);
        check(Metric::RealAccuracy, real, synthetic, 0.75);
        check(Metric::SyntheticRecall, real, synthetic, 0.5);
        check(Metric::BalancedAccuracy, real, synthetic, 0.625);
        check(Metric::TprAt5, real, synthetic, 0.25);
        check(Metric::Inconclusive, real, synthetic, 0.625);
        // 4.0: 1/1. 3.0 twice: 2/3. 2.0: 3/4. 0.0: 4/7 after one more real one.
        let precision = (1.0 + 2.0 / 3.0 + 3.0 / 4.0 + 4.0 / 7.0) / 4.0;
        check(Metric::AveragePrecision, real, synthetic, precision);
        check(Metric::Cllr, &[0.0; 3], &[0.0; 9], 1.0);
        check(Metric::Cllr, &[-800.0; 3], &[800.0; 9], 0.0);
        check(Metric::Ece, &[0.0; 3], &[0.0; 9], 0.0);
        check(Metric::Ece, &[60.0; 3], &[60.0; 9], 0.5);
        check(Metric::Auc, &[1.0; 3], &[1.0; 9], 0.5);
    }

    #[test]
    fn pictures_without_a_score_are_neither_ranked_nor_called() {
        let none = Item {
            synthetic: true,
            llr: None,
            called: Called::Neither,
        };
        let mut items = sample(&[0.0], &[3.0]).items().to_vec();
        items.push(none);
        let sample = Sample::new(items);
        let of = |metric: Metric| metric.of(&sample, &[1.0; 3]);
        assert_eq!(of(Metric::Auc), Some(1.0));
        assert_eq!(of(Metric::SyntheticRecall), Some(0.5));
        let all_real = Sample::new(vec![Item {
            synthetic: false,
            ..none
        }]);
        assert_eq!(Metric::Auc.of(&all_real, &[1.0]), None);
        assert_eq!(Metric::RealAccuracy.of(&all_real, &[1.0]), Some(1.0));
    }

    #[test]
    fn a_threshold_lets_no_more_through_than_was_asked() {
        let real: Vec<f32> = (0..100_u8).map(f32::from).collect();
        let sample = sample(&real, &[0.0]);
        let weights = [1.0; 101];
        assert_eq!(sample.threshold_at(0.05, &weights), Some(95.0));
        assert_eq!(sample.threshold_at(0.0, &weights), None);
    }

    #[test]
    fn intervals_hold_the_figure_and_come_out_the_same() {
        let real: Vec<f32> = (0..60_u8).map(|value| f32::from(value) / 10.0).collect();
        let synthetic: Vec<f32> = real.iter().map(|value| value + 1.5).collect();
        let sample = sample(&real, &synthetic);
        let strata: Vec<usize> = (0..120).map(|place| place / 30).collect();
        let weights = [1.0; 120];
        let figures = || sample.figures(&Metric::ALL, &weights, &Bootstrap::new(&strata));
        assert_eq!(figures(), figures());
        let auc = figures().get(Metric::Auc).unwrap();
        assert!(
            auc.low < auc.value && auc.value < auc.high && auc.high - auc.low < 0.2,
            "{auc:?}"
        );
    }

    proptest! {
        #[test]
        fn equal_weights_of_sources_are_the_mean_over_pairs_of_sources(
            a in proptest::collection::vec(-3.0_f32..3.0, 1..9), b in proptest::collection::vec(-3.0_f32..3.0, 1..9),
            synthetic in proptest::collection::vec(-3.0_f32..3.0, 1..9),
        ) {
            let auc = |real: &[f32]| {
                let sample = sample(real, &synthetic);
                sample.auc(&vec![1.0; sample.items().len()]).unwrap()
            };
            let mean = (auc(&a) + auc(&b)) / 2.0;
            let both = sample(&[a.as_slice(), &b].concat(), &synthetic);
            let share = |of: &[f32]| vec![1.0 / super::number(of.len()); of.len()];
            let weights = [share(&a), share(&b), share(&synthetic)].concat();
            prop_assert!((both.auc(&weights).unwrap() - mean).abs() < 1e-9);
        }

        #[test]
        fn many_equal_scores_round_to_no_share_below_zero(equal in 1..200_usize, below in 0..5_usize) {
            let real = [vec![0.0; equal], vec![-2.0; below]].concat();
            let sample = sample(&real, &[-8.0]);
            let auc = sample.auc(&vec![1.0; sample.items().len()]).unwrap();
            prop_assert!((0.0..1e-9).contains(&auc), "{auc}");
        }

        #[test]
        fn every_share_is_a_share(
            real in proptest::collection::vec(-9.0_f32..9.0, 1..20), synthetic in proptest::collection::vec(-9.0_f32..9.0, 1..20),
        ) {
            let sample = sample(&real, &synthetic);
            for metric in Metric::ALL {
                let value = metric.of(&sample, &vec![1.0; sample.items().len()]).unwrap();
                prop_assert!(value >= 0.0 && (metric == Metric::Cllr || value <= 1.0 + 1e-9), "{metric:?} {value}");
            }
        }
    }
}
