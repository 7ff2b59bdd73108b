//! Scores with labels, in order: what curves, areas and bins are counted on.
//!
//! Both classes are always brought to the same total, so no figure depends on how many of each a list happens to
//! hold. Ties are taken together: the order in which pictures were listed changes nothing.

use serde::Serialize;

use crate::statistics::{number, rounded};

/// How one picture was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Item {
    pub(crate) synthetic: bool,
    /// Evidence in nats; `None` when there was no score.
    pub(crate) llr: Option<f32>,
    pub(crate) called: Called,
}

/// What the policy would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// Likely synthetic: an alarm.
    Likely,
    /// No evidence of synthesis.
    Quiet,
    /// Neither: suspicious, inconclusive or without a score.
    Neither,
}

/// Items with their order by score.
pub(crate) struct Sample {
    items: Vec<Item>,
    /// Places of the items with a score, the highest first; equal scores are neighbours.
    order: Vec<usize>,
}

impl Sample {
    pub(crate) fn new(items: Vec<Item>) -> Self {
        let mut order: Vec<(f32, usize)> = items
            .iter()
            .enumerate()
            .filter_map(|(place, item)| Some((item.llr?, place)))
            .collect();
        order.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Self {
            order: order.into_iter().map(|(_, place)| place).collect(),
            items,
        }
    }

    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// Chance that a synthetic picture scores above a real one; ties count half.
    pub(crate) fn auc(&self, weights: &[f64]) -> Option<f64> {
        let mut area = 0.0;
        self.walk(weights, |before, group| {
            area += group.synthetic * (1.0 - before.real - group.real / 2.0);
            true
        })?;
        // Nine shares of a ninth add up to a little more than one.
        Some(area.clamp(0.0, 1.0))
    }

    /// Points of the ROC curve, (false alarms, hits), from (0, 0) to (1, 1).
    pub(crate) fn roc(&self, weights: &[f64]) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, 0.0)];
        self.walk(weights, |before, group| {
            points.push((before.real + group.real, before.synthetic + group.synthetic));
            true
        });
        points
    }

    pub(crate) fn average_precision(&self, weights: &[f64]) -> Option<f64> {
        let mut sum = 0.0;
        self.walk(weights, |before, group| {
            let hits = before.synthetic + group.synthetic;
            let all = hits + before.real + group.real;
            if all > 0.0 {
                sum += group.synthetic * hits / all;
            }
            true
        })?;
        Some(sum)
    }

    pub(crate) fn tpr_at(&self, most_false_alarms: f64, weights: &[f64]) -> Option<f64> {
        let mut rate = 0.0;
        self.walk(weights, |before, group| {
            let fits = before.real + group.real <= most_false_alarms + 1e-12;
            if fits {
                rate = before.synthetic + group.synthetic;
            }
            fits
        })?;
        Some(rate)
    }

    /// The lowest score that at most this share of the real pictures reaches.
    pub(crate) fn threshold_at(&self, most_false_alarms: f64, weights: &[f64]) -> Option<f32> {
        let mut real = 0.0;
        let mut threshold = None;
        let totals = self.totals(weights)?;
        for group in self.groups() {
            real += self.share_of(group, weights, totals).real;
            if real > most_false_alarms + 1e-12 {
                break;
            }
            threshold = group.first().and_then(|place| self.items.get(*place)?.llr);
        }
        threshold
    }

    /// Mean reading and true share of ten bins of the probability, with the share of pictures in each.
    pub(crate) fn reliability(&self, weights: &[f64]) -> Option<Vec<Bin>> {
        let totals = self.totals(weights)?;
        let mut bins = vec![Bin::default(); BINS];
        for place in &self.order {
            let (Some(item), Some(weight)) = (self.items.get(*place), weights.get(*place)) else {
                continue;
            };
            let Some(llr) = item.llr else { continue };
            let share = match item.synthetic {
                true => weight / totals.synthetic / 2.0,
                false => weight / totals.real / 2.0,
            };
            let probability = 1.0 / (1.0 + f64::from(-llr).exp());
            let edges = (1..BINS).map(|edge| number(edge) / number(BINS));
            let bin = edges.take_while(|edge| probability >= *edge).count();
            if let Some(bin) = bins.get_mut(bin) {
                bin.share += share;
                bin.said += share * probability;
                bin.was += if item.synthetic { share } else { 0.0 };
            }
        }
        Some(bins)
    }

    pub(crate) fn ece(&self, weights: &[f64]) -> Option<f64> {
        let bins = self.reliability(weights)?;
        Some(bins.iter().map(|bin| (bin.said - bin.was).abs()).sum())
    }

    pub(crate) fn cllr(&self, weights: &[f64]) -> Option<f64> {
        let totals = self.totals(weights)?;
        let mut bits = 0.0;
        for place in &self.order {
            let (Some(item), Some(weight)) = (self.items.get(*place), weights.get(*place)) else {
                continue;
            };
            let Some(llr) = item.llr else { continue };
            let (share, surprise) = match item.synthetic {
                true => (weight / totals.synthetic, -f64::from(llr)),
                false => (weight / totals.real, f64::from(llr)),
            };
            bits += share / 2.0 * surprise.exp().ln_1p() / std::f64::consts::LN_2;
        }
        Some(bits)
    }

    /// Share of the items of one class (or of both, each weighing as it does) that were called so.
    pub(crate) fn share(
        &self,
        weights: &[f64],
        synthetic: Option<bool>,
        called: Called,
    ) -> Option<f64> {
        let (mut of, mut all) = (0.0, 0.0);
        for (item, weight) in self.items.iter().zip(weights) {
            if synthetic.is_none_or(|wanted| wanted == item.synthetic) {
                all += weight;
                of += if item.called == called { *weight } else { 0.0 };
            }
        }
        (all > 0.0).then(|| of / all)
    }

    /// Walks groups of equal scores from the highest, until `visit` says no. `None` when a class has no weight.
    fn walk(&self, weights: &[f64], mut visit: impl FnMut(Shares, Shares) -> bool) -> Option<()> {
        let totals = self.totals(weights)?;
        let mut before = Shares::default();
        for group in self.groups() {
            let shares = self.share_of(group, weights, totals);
            if !visit(before, shares) {
                break;
            }
            before.real += shares.real;
            before.synthetic += shares.synthetic;
        }
        Some(())
    }

    fn groups(&self) -> impl Iterator<Item = &[usize]> {
        let score = |place: &usize| self.items.get(*place).and_then(|item| item.llr);
        self.order.chunk_by(move |a, b| score(a) == score(b))
    }

    fn totals(&self, weights: &[f64]) -> Option<Shares> {
        let one = Shares {
            real: 1.0,
            synthetic: 1.0,
        };
        let totals = self.share_of(&self.order, weights, one);
        (totals.real > 0.0 && totals.synthetic > 0.0).then_some(totals)
    }

    fn share_of(&self, places: &[usize], weights: &[f64], totals: Shares) -> Shares {
        let mut shares = Shares::default();
        for place in places {
            let weight = weights.get(*place).copied().unwrap_or_default();
            match self.items.get(*place) {
                Some(item) if item.synthetic => shares.synthetic += weight / totals.synthetic,
                Some(_) => shares.real += weight / totals.real,
                None => {}
            }
        }
        shares
    }
}

/// Weight of each class.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    real: f64,
    synthetic: f64,
}

/// One bin of the reliability diagram; the three fields are shares of all pictures at even classes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bin {
    /// Share of the pictures in the bin.
    #[serde(serialize_with = "rounded")]
    pub share: f64,
    /// The share times the mean probability that was said.
    #[serde(serialize_with = "rounded")]
    pub said: f64,
    /// The share of pictures in the bin that are synthetic.
    #[serde(serialize_with = "rounded")]
    pub was: f64,
}

/// Bins of the reliability diagram and the calibration error.
const BINS: usize = 10;
