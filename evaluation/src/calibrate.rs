//! Gives a model's output a unit: fits `llr = slope * logit + intercept` on labelled pictures, and counts how many real
//! ones score how high.
//!
//! The pictures go through production: as many windows as it takes, in all three tiers of delivery, because nobody
//! knows how a picture came. Pictures are counted, not deliveries. The table of false alarms is that of split-conformal
//! prediction: a rate is (pictures that reach the score + 1) / (pictures + 1), in the worst tier, so it bounds the
//! false alarms on further pictures like these.

use detector::Detector;
use media::Limits;
use verdict::Policy;

use crate::{
    error::EvaluationError,
    manifest::{Label, Manifest},
    run::{Examined, Outcome, Run, Scored},
    statistics::number,
    treatments::TIERS,
};

/// Calibrations of one model, as its card holds them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// For pictures of fewer than [`MANY_WINDOWS`] windows. When too few are so small it is the line of all pictures
    /// without false alarms, so that no alarm can be raised on such a picture.
    pub few: Fit,
    /// For pictures of that many windows or more, when there were enough.
    pub many: Option<Fit>,
    /// Pictures that could not be examined or lie outside the model's domain.
    pub without_score: usize,
}

/// One calibration.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Nats per unit of the logit; above 0.
    pub slope: f64,
    /// Nats at logit 0.
    pub intercept: f64,
    /// Real pictures with a score, in the tier that has the fewest.
    pub real_pictures: usize,
    /// Synthetic pictures with a score, in the tier that has the fewest.
    pub synthetic_pictures: usize,
    /// Score in nats, falling, and the bound on the share of real pictures that reach it.
    pub false_alarms: Vec<(f64, f64)>,
}

/// Fits the one model of `detector` to the pictures of `manifest`.
///
/// # Errors
///
/// [`EvaluationError::TooFew`] and [`EvaluationError::WrongWay`].
pub fn calibrate(
    detector: &Detector,
    manifest: &Manifest,
    limits: Limits,
    jobs: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Fitted, EvaluationError> {
    // Which words a policy uses does not matter here: only logits are read.
    let policy = Policy::default();
    let run = Run {
        detector,
        policy: &policy,
        limits,
        treatments: &TIERS,
    };
    let (mut few, mut many) = (Logits::default(), Logits::default());
    let mut without_score = 0;
    for (row, examined) in manifest
        .rows
        .iter()
        .zip(run.all(&manifest.rows, jobs, progress))
    {
        let scores = examined.map(|found| scores(&found)).unwrap_or_default();
        without_score += usize::from(scores.is_empty());
        for (tier, score) in scores {
            let bin = if score.windows < MANY_WINDOWS {
                &mut few
            } else {
                &mut many
            };
            bin.add(row.label, tier, f64::from(score.logit));
        }
    }
    let fitted = many.fit();
    Ok(Fitted {
        many: fitted.ok(),
        few: match few.fit() {
            // One window spreads more than many, so what many promise about false alarms would not hold for it.
            Err(EvaluationError::TooFew { .. }) => Fit {
                false_alarms: Vec::new(),
                ..few.joined(many).fit()?
            },
            fitted => fitted?,
        },
        without_score,
    })
}

/// The scores of a picture with the number of their tier.
fn scores(examined: &Examined) -> Vec<(usize, Scored)> {
    let tiers = examined.outcomes.iter().enumerate();
    let scored = tiers.filter_map(|(tier, outcome)| match outcome {
        Some(Outcome::Scored(score)) => Some((tier, *score)),
        Some(Outcome::NotApplicable | Outcome::Failed) | None => None,
    });
    scored.collect()
}

/// Logits of labelled pictures, by tier.
#[derive(Debug, Clone, Default)]
struct Logits {
    real: [Vec<f64>; TIERS.len()],
    synthetic: [Vec<f64>; TIERS.len()],
}

impl Logits {
    fn add(&mut self, label: Label, tier: usize, logit: f64) {
        let tiers = match label {
            Label::Real => &mut self.real,
            Label::Synthetic => &mut self.synthetic,
        };
        if let Some(logits) = tiers.get_mut(tier) {
            logits.push(logit);
        }
    }

    fn joined(mut self, other: Self) -> Self {
        let all = |tiers: &mut [Vec<f64>], more: [Vec<f64>; TIERS.len()]| {
            tiers
                .iter_mut()
                .zip(more)
                .for_each(|(tier, more)| tier.extend(more));
        };
        all(&mut self.real, other.real);
        all(&mut self.synthetic, other.synthetic);
        self
    }

    /// From the tiers that hold enough pictures of both classes, and at least half of the real ones: delivery shrinks
    /// most pictures of many windows to few, and the handful that a tier keeps would bound all that can be promised.
    fn fit(&self) -> Result<Fit, EvaluationError> {
        let tiers = self.real.iter().zip(&self.synthetic);
        let fullest = self.real.iter().map(Vec::len).max().unwrap_or_default();
        let enough = |(real, synthetic): &(&Vec<f64>, &Vec<f64>)| {
            real.len().min(synthetic.len()) >= MIN_PICTURES && 2 * real.len() >= fullest
        };
        let (real, synthetic): (Vec<&Vec<f64>>, Vec<&Vec<f64>>) = tiers.filter(enough).unzip();
        let fewest = |tiers: &[&Vec<f64>]| tiers.iter().map(|tier| tier.len()).min();
        let most = |tiers: &[Vec<f64>]| tiers.iter().map(Vec::len).max().unwrap_or_default();
        let (Some(reals), Some(synthetics)) = (fewest(&real), fewest(&synthetic)) else {
            return Err(EvaluationError::TooFew {
                real: most(&self.real),
                synthetic: most(&self.synthetic),
                needed: MIN_PICTURES,
            });
        };
        let all = |tiers: &[&Vec<f64>]| -> Vec<f64> {
            tiers.iter().copied().flatten().copied().collect()
        };
        let (slope, intercept) = line(&all(&real), &all(&synthetic));
        if !(slope.is_finite() && slope > 0.0) {
            return Err(EvaluationError::WrongWay { slope });
        }
        let bound = (number(reals.min(synthetics)) + 1.0).ln();
        let llrs = real.iter().map(|tier| {
            let llr = |logit: &f64| (slope * logit + intercept).clamp(-bound, bound);
            let mut llrs: Vec<f64> = tier.iter().map(llr).collect();
            llrs.sort_unstable_by(|a, b| b.total_cmp(a));
            llrs
        });
        Ok(Fit {
            slope,
            intercept,
            real_pictures: reals,
            synthetic_pictures: synthetics,
            false_alarms: false_alarms(&llrs.collect::<Vec<_>>(), bound),
        })
    }
}

/// Logistic regression by Newton's method; both classes weigh the same.
///
/// The targets are drawn in by one picture of each class, so that a list that is told apart perfectly still gives a
/// finite line. Source: Platt, 1999.
fn line(real: &[f64], synthetic: &[f64]) -> (f64, f64) {
    let sides = [
        (real, 1.0 / (number(real.len()) + 2.0)),
        (
            synthetic,
            (number(synthetic.len()) + 1.0) / (number(synthetic.len()) + 2.0),
        ),
    ];
    let (mut slope, mut intercept) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let (mut gradient, mut curvature) = ([0.0; 2], [[RIDGE, 0.0], [0.0, RIDGE]]);
        for (logits, target) in sides {
            let weight = 0.5 / number(logits.len());
            for logit in logits {
                let stated: f64 = slope * logit + intercept;
                let chance = 1.0 / (1.0 + (-stated.clamp(-30.0, 30.0)).exp());
                let pull = weight * (chance - target);
                let bend = weight * chance * (1.0 - chance);
                gradient[0] += pull * logit;
                gradient[1] += pull;
                curvature[0][0] += bend * logit * logit;
                curvature[0][1] += bend * logit;
                curvature[1][1] += bend;
            }
        }
        let [[a, b], [_, d]] = curvature;
        let determinant = a * d - b * b;
        slope -= (d * gradient[0] - b * gradient[1]) / determinant;
        intercept -= (a * gradient[1] - b * gradient[0]) / determinant;
    }
    (slope, intercept)
}

/// Rows of falling llr. `tiers` holds the real pictures' scores in each tier, the highest first.
fn false_alarms(tiers: &[Vec<f64>], bound: f64) -> Vec<(f64, f64)> {
    let mut rows: Vec<(f64, f64)> = Vec::new();
    for allowed in ALLOWED {
        let reached_by_more = tiers.iter().map(|llrs| llrs.get(allowed).copied());
        // Where a tier has no further picture the table ends.
        let Some(highest) = reached_by_more.collect::<Option<Vec<f64>>>() else {
            break;
        };
        let highest = highest.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let llr = ((highest * 1e3).ceil() + 1.0) / 1e3;
        let rate = |llrs: &Vec<f64>| {
            let reached = llrs.iter().take_while(|found| **found >= llr).count();
            (number(reached) + 1.0) / (number(llrs.len()) + 1.0)
        };
        let worst = tiers.iter().map(rate).fold(0.0, f64::max);
        if llr < bound && rows.last().is_none_or(|(last, _)| llr < *last) {
            rows.push((llr, (worst * 1e5).ceil() / 1e5));
        }
    }
    rows
}

/// Windows from which on a picture counts as one of many: between one crop and the eight of most pictures.
pub const MANY_WINDOWS: usize = 4;

/// Fewest pictures of a class: fewer say nothing about a line, let alone about rare false alarms.
const MIN_PICTURES: usize = 20;

/// Newton's method on two unknowns ends after a dozen rounds.
const ROUNDS: usize = 50;

/// Keeps the curvature of a list that is told apart perfectly above 0.
const RIDGE: f64 = 1e-9;

/// How many real pictures may reach a row's score; a row for each.
const ALLOWED: [usize; 17] = [
    0, 1, 2, 3, 4, 6, 8, 11, 15, 21, 29, 40, 55, 75, 105, 145, 200,
];

#[cfg(test)]
mod tests {
    use super::{Fit, Logits, line};
    use crate::{chance::Chance, error::EvaluationError};

    /// Normal logits around a centre; the same for the same seed.
    fn normal(centre: f64, count: usize, seed: u64) -> Vec<f64> {
        let mut chance = Chance::new(seed);
        (0..count)
            .map(|_| centre + f64::from(chance.normal()))
            .collect()
    }

    /// Two tiers of pictures, the third without any.
    fn fit(
        real: f64,
        reals: usize,
        synthetic: f64,
        synthetics: usize,
    ) -> Result<Fit, EvaluationError> {
        let tiers = |centre, count, seed| {
            [
                normal(centre, count, seed),
                normal(centre - 0.1, count, seed + 1),
                Vec::new(),
            ]
        };
        Logits {
            real: tiers(real, reals, 1),
            synthetic: tiers(synthetic, synthetics, 11),
        }
        .fit()
    }

    #[test]
    fn two_normal_classes_give_the_line_that_theory_has() {
        // Equal spread 1 and centres -1 and 1: the log-likelihood ratio is twice the logit.
        let (slope, intercept) = line(&normal(-1.0, 4_000, 1), &normal(1.0, 4_000, 2));
        assert!(
            (slope - 2.0).abs() < 0.15 && intercept.abs() < 0.1,
            "{slope} {intercept}"
        );
    }

    #[test]
    fn promised_false_alarms_hold_on_other_pictures_of_the_kind() {
        let fitted = fit(-1.0, 400, 1.0, 300).unwrap();
        assert_eq!(
            (fitted.real_pictures, fitted.synthetic_pictures),
            (400, 300)
        );
        let (threshold, rate) = *fitted
            .false_alarms
            .iter()
            .rfind(|(_, rate)| *rate <= 0.05)
            .unwrap();
        let reaches = |logit: &&f64| fitted.slope * **logit + fitted.intercept >= threshold;
        let others = normal(-1.0, 4_000, 99);
        let share =
            f64::from(u32::try_from(others.iter().filter(reaches).count()).unwrap()) / 4_000.0;
        assert!(share <= rate + 0.02, "{share} against {rate}");
        let falling = |pair: &[(f64, f64)]| pair[0].0 > pair[1].0 && pair[0].1 <= pair[1].1;
        assert!(fitted.false_alarms.windows(2).all(falling));
        assert_eq!(fitted.false_alarms[0].1, 0.0025);
    }

    #[test]
    fn a_tier_that_keeps_few_of_the_pictures_bounds_nothing() {
        let tiers = |centre, seed| [200, 150, 40].map(|pictures| normal(centre, pictures, seed));
        let fitted = Logits {
            real: tiers(-1.0, 1),
            synthetic: tiers(1.0, 2),
        }
        .fit()
        .unwrap();
        assert_eq!(
            (fitted.real_pictures, fitted.synthetic_pictures),
            (150, 150)
        );
    }

    #[test]
    fn too_few_pictures_and_a_model_that_points_the_wrong_way_are_refused() {
        let few = fit(-1.0, 19, 1.0, 300).unwrap_err();
        assert!(matches!(few, EvaluationError::TooFew { real: 19, .. }));
        let wrong = fit(1.0, 100, -1.0, 100).unwrap_err();
        assert!(matches!(wrong, EvaluationError::WrongWay { slope } if slope < 0.0));
        let apart = fit(-40.0, 100, 40.0, 100).unwrap();
        assert!(apart.slope.is_finite() && apart.slope > 0.0);
    }
}
