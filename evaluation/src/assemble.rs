//! From readings to figures: which pictures count in which table, and how much each weighs.

use std::collections::{BTreeMap, BTreeSet};

use detector::Detector;
use media::Limits;
use verdict::Policy;

use crate::{
    baseline::cross_fitted,
    bootstrap::Bootstrap,
    figures::{
        Baselines, Delivery, Engine, Evaluation, Gate, List, Model, Slice, SliceTier, Swept, Tier,
        Unread,
    },
    manifest::{Label, Manifest, Row},
    run::{Examined, Outcome, Run},
    sample::{Called, Item, Sample},
    statistics::{Figures, Metric, number},
    treatments::{self, DELIVERIES, Depth, GATES, SWEEP, TIERS, Treatment},
};

/// How an evaluation is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Pictures examined at the same time.
    pub jobs: usize,
    /// What one file may cost.
    pub limits: Limits,
    /// How much is measured.
    pub depth: Depth,
}

/// Examines every picture of the manifest as `policy` would have it read. `progress` hears how many are done.
///
/// Never fails: pictures that could not be examined are in the result.
pub fn evaluate(
    detector: &Detector,
    policy: &Policy,
    manifest: &Manifest,
    plan: &Plan,
    progress: &(dyn Fn(usize) + Sync),
) -> Evaluation {
    let treatments = treatments::all(plan.depth);
    let run = Run {
        detector,
        policy,
        limits: plan.limits,
        treatments: &treatments,
    };
    let examined = run.all(&manifest.rows, plan.jobs, progress);
    let mut unread = Vec::new();
    let mut seen = Vec::new();
    for (row, examined) in manifest.rows.iter().zip(examined) {
        match examined {
            Ok(examined) => seen.push((row, examined)),
            Err(reason) => unread.push(Unread {
                name: row.name.clone(),
                reason,
            }),
        }
    }
    let readings = Readings {
        treatments: &treatments,
        seen: &seen,
    };
    Evaluation {
        schema: "bonafide.evaluation/1",
        list: List {
            sha256: manifest.digest.to_string(),
            real: manifest.count(Label::Real),
            synthetic: manifest.count(Label::Synthetic),
            sampled_from: manifest.sampled_from,
        },
        engine: engine(detector, policy),
        unread,
        tiers: TIERS
            .iter()
            .enumerate()
            .map(|(place, tier)| readings.tier(place, tier))
            .collect(),
        sources: readings.slices(|row| Some(&row.source)),
        groups: readings.slices(|row| row.group.as_ref()),
        gates: GATES
            .iter()
            .filter_map(|gate| readings.gate(gate))
            .collect(),
        delivery: match plan.depth {
            Depth::Tiers => None,
            Depth::Usual | Depth::Sweep => Some(readings.delivery()),
        },
        sweep: match plan.depth {
            Depth::Tiers | Depth::Usual => Vec::new(),
            Depth::Sweep => SWEEP
                .iter()
                .map(|treatment| readings.swept(treatment))
                .collect(),
        },
    }
}

fn engine(detector: &Detector, policy: &Policy) -> Engine {
    let model = |card: &detector::Card| Model {
        name: format!("{}@{}", card.name, card.version),
        sha256: card.sha256.to_string(),
    };
    Engine {
        version: env!("CARGO_PKG_VERSION"),
        policy: policy.id(),
        provider: detector.provider().to_string(),
        models: detector.models().iter().map(model).collect(),
    }
}

/// Every picture that was examined, with all its readings.
struct Readings<'a> {
    treatments: &'a [Treatment],
    seen: &'a [(&'a Row, Examined)],
}

impl Readings<'_> {
    fn tier(&self, place: usize, tier: &Treatment) -> Tier {
        let (sample, rows) = self.sample(tier.name);
        let weights = by_source(&rows);
        let bootstrap = bootstrap(&rows);
        let count = |wanted: Outcome| {
            let outcomes = self.outcomes(tier.name);
            outcomes.filter(|(_, outcome)| *outcome == wanted).count()
        };
        Tier {
            name: tier.name,
            not_applicable: count(Outcome::NotApplicable),
            failed: count(Outcome::Failed),
            by_source: sample.figures(&Metric::ALL, &weights, &bootstrap),
            by_picture: sample.figures(&Metric::ALL, &vec![1.0; rows.len()], &bootstrap),
            baselines: self.baselines(place),
            roc: sample.roc(&weights),
            reliability: sample.reliability(&weights).unwrap_or_default(),
        }
    }

    fn baselines(&self, tier: usize) -> Baselines {
        let rows: Vec<&Row> = self.seen.iter().map(|(row, _)| *row).collect();
        let surfaces = || {
            self.seen
                .iter()
                .filter_map(|(_, found)| found.surfaces.get(tier))
        };
        let form: Vec<Vec<f32>> = surfaces().map(|surface| surface.form.clone()).collect();
        let pixels =
            |thumbnail: &Vec<u8>| thumbnail.iter().map(|value| f32::from(*value)).collect();
        let thumbnails: Vec<Vec<f32>> = surfaces()
            .map(|surface| pixels(&surface.thumbnail))
            .collect();
        Baselines {
            format: cross_fitted(&rows, &form),
            thumbnail: cross_fitted(&rows, &thumbnails),
        }
    }

    /// The slices of both classes by what `name` gives.
    fn slices(&self, name: impl Fn(&Row) -> Option<&String>) -> Vec<Slice> {
        let names: BTreeSet<(Label, &String)> = self
            .seen
            .iter()
            .filter_map(|(row, _)| Some((row.label, name(row)?)))
            .collect();
        let slice = |(label, wanted): (Label, &String)| {
            let inside = |row: &Row| row.label == label && name(row) == Some(wanted);
            Slice {
                name: wanted.clone(),
                label: label.word(),
                pictures: self.seen.iter().filter(|(row, _)| inside(row)).count(),
                tiers: TIERS
                    .iter()
                    .map(|tier| (tier.name, self.slice_tier(tier.name, label, &inside)))
                    .collect(),
            }
        };
        names.into_iter().map(slice).collect()
    }

    fn slice_tier(&self, tier: &str, label: Label, inside: &dyn Fn(&Row) -> bool) -> SliceTier {
        let (sample, rows) = self.sample(tier);
        let weight = |keep: bool| if keep { 1.0 } else { 0.0 };
        let own: Vec<f64> = rows.iter().map(|row| weight(inside(row))).collect();
        let against: Vec<f64> = rows
            .iter()
            .map(|row| weight(row.label != label || inside(row)))
            .collect();
        let share = |called| sample.share(&own, None, called).unwrap_or_default();
        SliceTier {
            auc: sample
                .figures(&[Metric::Auc], &against, &bootstrap(&rows))
                .get(Metric::Auc),
            likely: share(Called::Likely),
            inconclusive: share(Called::Neither),
        }
    }

    /// `None` when the list has no scored pictures for it.
    fn gate(&self, gate: &Treatment) -> Option<Gate> {
        let label = gate.only?;
        let synthetic = label == Label::Synthetic;
        let (clean, rows) = self.sample(TIERS[0].name);
        // Where a real picture leads a short list, only what lies above all of them raises few enough alarms.
        let highest = clean.items().iter().filter_map(|item| item.llr);
        let above_all = highest.reduce(f32::max).map(f32::next_up)?;
        let threshold = clean
            .threshold_at(BASE_RATE, &by_source(&rows))
            .unwrap_or(above_all);
        let above = |name: &str| {
            let (sample, rows) = self.sample(name);
            let of_class = |item: &&Item| item.synthetic == synthetic;
            let reached = |item: &&Item| item.llr.is_some_and(|llr| llr >= threshold);
            let items = || sample.items().iter().filter(of_class);
            let all = items().count();
            let share = number(items().filter(reached).count()) / number(all.max(1));
            let likely = sample.share(&vec![1.0; rows.len()], Some(synthetic), Called::Likely);
            Some((share, likely?))
        };
        let ((before, likely_before), (after, likely_after)) =
            (above(TIERS[0].name)?, above(gate.name)?);
        Some(Gate {
            treatment: gate.name,
            label: label.word(),
            before,
            after,
            likely_before,
            likely_after,
            passed: match label {
                Label::Real => after <= 2.0 * before,
                Label::Synthetic => after >= before / 2.0,
            },
        })
    }

    fn delivery(&self) -> Delivery {
        let clean: Vec<Called> = self.called(TIERS[0].name);
        let (mut definite, mut flipped, mut lost) = (0, 0, 0);
        let mut treatments = BTreeMap::new();
        for delivery in &DELIVERIES {
            let (mut here, mut flips) = (0_usize, 0_usize);
            for (before, after) in clean.iter().zip(self.called(delivery.name)) {
                let (is_definite, opposite) = match (before, after) {
                    (Called::Neither, _) => (false, false),
                    (Called::Likely, Called::Quiet) | (Called::Quiet, Called::Likely) => {
                        (true, true)
                    }
                    (Called::Likely | Called::Quiet, _) => (true, false),
                };
                here += usize::from(is_definite);
                flips += usize::from(opposite);
                lost += usize::from(is_definite && after == Called::Neither);
            }
            definite += here;
            flipped += flips;
            treatments.insert(delivery.name, per_mille(flips, here));
        }
        let all = number(definite.max(1));
        Delivery {
            definite,
            flipped: number(flipped) / all,
            lost: number(lost) / all,
            treatments,
        }
    }

    fn swept(&self, treatment: &Treatment) -> Swept {
        let (sample, rows) = self.sample(treatment.name);
        let metrics = [
            Metric::Auc,
            Metric::RealAccuracy,
            Metric::SyntheticRecall,
            Metric::TprAt5,
            Metric::Cllr,
        ];
        let by_source: Figures = sample.figures(&metrics, &by_source(&rows), &bootstrap(&rows));
        Swept {
            treatment: treatment.name,
            by_source,
        }
    }

    fn called(&self, treatment: &str) -> Vec<Called> {
        let called = |outcome: Option<Outcome>| match outcome {
            Some(Outcome::Scored(score)) => score.called,
            Some(Outcome::NotApplicable | Outcome::Failed) | None => Called::Neither,
        };
        let place = self.place(treatment);
        self.seen
            .iter()
            .map(|(_, found)| called(found.outcomes.get(place).copied().flatten()))
            .collect()
    }

    fn sample(&self, treatment: &str) -> (Sample, Vec<&Row>) {
        let items = self.outcomes(treatment).map(|(row, outcome)| {
            let item = outcome.item(row.label == Label::Synthetic);
            (item, row)
        });
        let (items, rows) = items.unzip();
        (Sample::new(items), rows)
    }

    fn outcomes(&self, treatment: &str) -> impl Iterator<Item = (&Row, Outcome)> {
        let place = self.place(treatment);
        self.seen
            .iter()
            .filter_map(move |(row, found)| Some((*row, found.outcomes.get(place).copied()??)))
    }

    /// Every table names only treatments that [`treatments::all`] holds; a name it lacked would find nothing.
    fn place(&self, treatment: &str) -> usize {
        let found = self
            .treatments
            .iter()
            .position(|known| known.name == treatment);
        found.unwrap_or(self.treatments.len())
    }
}

/// Weights that let every source of a class count the same.
fn by_source(rows: &[&Row]) -> Vec<f64> {
    let mut sizes: BTreeMap<(Label, &str), usize> = BTreeMap::new();
    for row in rows {
        *sizes.entry((row.label, &row.source)).or_default() += 1;
    }
    let size = |row: &Row| sizes.get(&(row.label, row.source.as_str())).copied();
    rows.iter()
        .map(|row| 1.0 / number(size(row).unwrap_or(1)))
        .collect()
}

fn bootstrap(rows: &[&Row]) -> Bootstrap {
    let mut numbers: BTreeMap<(Label, &str), usize> = BTreeMap::new();
    let strata: Vec<usize> = rows
        .iter()
        .map(|row| {
            let next = numbers.len();
            *numbers.entry((row.label, &row.source)).or_insert(next)
        })
        .collect();
    Bootstrap::new(&strata)
}

/// A share to three decimals.
fn per_mille(part: usize, whole: usize) -> f64 {
    (number(part) / number(whole.max(1)) * 1_000.0).round() / 1_000.0
}

/// Share of untreated real pictures above the threshold of the bias gates.
const BASE_RATE: f64 = 0.05;
