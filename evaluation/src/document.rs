//! The report in words, as blocks that Markdown and HTML both can show. Every figure comes out of the [`Evaluation`].

use crate::{
    figures::{Delivery, Evaluation, Slice, SliceTier, Tier},
    plot,
    statistics::{Estimate, Figures, Metric},
};

/// A part of the report.
pub(crate) enum Block {
    Heading(&'static str),
    Text(String),
    Table(Table),
    /// A drawing in SVG, and what it shows.
    Plot(String, &'static str),
}

/// A table whose first column holds names.
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|cell| (*cell).to_owned()).collect(),
            rows: Vec::new(),
        }
    }
}

/// The whole report.
pub(crate) fn blocks(evaluation: &Evaluation) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading("What was measured"),
        Block::Text(subject(evaluation)),
    ];
    if !evaluation.unread.is_empty() {
        blocks.push(Block::Heading("Pictures that could not be examined"));
        blocks.push(Block::Table(unread(evaluation)));
    }
    blocks.extend([
        Block::Heading("Pooled by source"),
        Block::Text(POOLED.to_owned()),
        Block::Table(pooled(evaluation, |tier| &tier.by_source)),
        Block::Plot(plot::roc(&evaluation.tiers), "ROC curves by source"),
        Block::Plot(
            plot::reliability(&evaluation.tiers),
            "What was said against what was true, by source",
        ),
        Block::Heading("Pooled by picture"),
        Block::Text("The same where every picture weighs the same.".to_owned()),
        Block::Table(pooled(evaluation, |tier| &tier.by_picture)),
        Block::Heading("Sources"),
        Block::Text(SOURCES.to_owned()),
        Block::Table(slices(&evaluation.sources)),
    ]);
    if !evaluation.groups.is_empty() {
        blocks.push(Block::Heading("Groups"));
        blocks.push(Block::Table(slices(&evaluation.groups)));
    }
    if !evaluation.gates.is_empty() {
        blocks.extend([
            Block::Heading("Bias gates"),
            Block::Text(GATES.to_owned()),
            Block::Table(gates(evaluation)),
        ]);
    }
    if let Some(delivery) = &evaluation.delivery {
        blocks.extend([
            Block::Heading("Re-delivery"),
            Block::Text(delivered(delivery)),
            Block::Table(deliveries(delivery)),
        ]);
    }
    if !evaluation.sweep.is_empty() {
        blocks.push(Block::Heading("Single treatments"));
        blocks.push(Block::Table(sweep(evaluation)));
    }
    blocks
}

fn subject(evaluation: &Evaluation) -> String {
    let models: Vec<String> = evaluation
        .engine
        .models
        .iter()
        .map(|model| format!("{} (SHA-256 {})", model.name, model.sha256))
        .collect();
    let sampled = evaluation
        .list
        .sampled_from
        .map_or_else(String::new, |rows| format!(", a sample of its {rows} rows"));
    format!(
        "{} on {}, policy {}, version {}. {} real and {} synthetic pictures of the manifest with SHA-256 {}{sampled}.",
        models.join(", "),
        evaluation.engine.provider,
        evaluation.engine.policy,
        evaluation.engine.version,
        evaluation.list.real,
        evaluation.list.synthetic,
        evaluation.list.sha256,
    )
}

fn unread(evaluation: &Evaluation) -> Table {
    let mut table = Table::new(&["picture", "reason"]);
    let rows = evaluation.unread.iter();
    table.rows = rows
        .take(SHOWN_UNREAD)
        .map(|unread| vec![unread.name.clone(), unread.reason.clone()])
        .collect();
    let more = evaluation.unread.len().saturating_sub(SHOWN_UNREAD);
    if more > 0 {
        table
            .rows
            .push(vec![format!("and {more} more"), String::new()]);
    }
    table
}

fn pooled(evaluation: &Evaluation, figures: fn(&Tier) -> &Figures) -> Table {
    let mut table = Table::new(&["figure"]);
    table
        .head
        .extend(evaluation.tiers.iter().map(|tier| tier.name.to_owned()));
    for metric in Metric::ALL {
        let cells = evaluation
            .tiers
            .iter()
            .map(|tier| interval(figures(tier).get(metric)));
        table.rows.push(row(words(metric), cells));
    }
    let area =
        |value: Option<f64>| value.map_or_else(|| ABSENT.to_owned(), |value| format!("{value:.3}"));
    let cells = evaluation
        .tiers
        .iter()
        .map(|tier| area(tier.baselines.format));
    table.rows.push(row("AUC of the file's form alone", cells));
    let cells = evaluation
        .tiers
        .iter()
        .map(|tier| area(tier.baselines.thumbnail));
    table
        .rows
        .push(row("AUC of a 32 x 32 thumbnail alone", cells));
    let cells = evaluation
        .tiers
        .iter()
        .map(|tier| tier.not_applicable.to_string());
    table.rows.push(row("pictures outside the domain", cells));
    let cells = evaluation.tiers.iter().map(|tier| tier.failed.to_string());
    table
        .rows
        .push(row("pictures on which the detector failed", cells));
    table
}

fn slices(slices: &[Slice]) -> Table {
    let mut table = Table::new(&["name", "label", "pictures"]);
    for figure in ["AUC", "likely", "unclear"] {
        table
            .head
            .extend(TIER_NAMES.map(|tier| format!("{figure} {tier}")));
    }
    for slice in slices {
        let mut cells = vec![
            slice.name.clone(),
            slice.label.to_owned(),
            slice.pictures.to_string(),
        ];
        let tiers = || TIER_NAMES.iter().filter_map(|tier| slice.tiers.get(tier));
        let area = |tier: &SliceTier| interval(tier.auc);
        cells.extend(tiers().map(area));
        cells.extend(tiers().map(|tier| per_cent(tier.likely)));
        cells.extend(tiers().map(|tier| per_cent(tier.inconclusive)));
        table.rows.push(cells);
    }
    table
}

fn gates(evaluation: &Evaluation) -> Table {
    let mut table = Table::new(&[
        "treatment",
        "label",
        "above before",
        "above after",
        "likely before",
        "likely after",
        "gate",
    ]);
    for gate in &evaluation.gates {
        table.rows.push(vec![
            gate.treatment.to_owned(),
            gate.label.to_owned(),
            per_cent(gate.before),
            per_cent(gate.after),
            per_cent(gate.likely_before),
            per_cent(gate.likely_after),
            if gate.passed { "passed" } else { "FAILED" }.to_owned(),
        ]);
    }
    table
}

fn delivered(delivery: &Delivery) -> String {
    format!(
        "Of {} deliveries of pictures that had a definite reading (likely, or no evidence), {} got the opposite one \
         and {} lost theirs. Per delivery, share that got the opposite reading:",
        delivery.definite,
        per_cent(delivery.flipped),
        per_cent(delivery.lost)
    )
}

fn deliveries(delivery: &Delivery) -> Table {
    let mut table = Table::new(&["delivery", "flipped"]);
    for (name, share) in &delivery.treatments {
        table.rows.push(vec![(*name).to_owned(), per_cent(*share)]);
    }
    table
}

fn sweep(evaluation: &Evaluation) -> Table {
    let mut table = Table::new(&["treatment"]);
    let metrics: Vec<Metric> = evaluation
        .sweep
        .first()
        .map(|swept| {
            swept
                .by_source
                .0
                .iter()
                .map(|(metric, _)| *metric)
                .collect()
        })
        .unwrap_or_default();
    table
        .head
        .extend(metrics.iter().map(|metric| words(*metric).to_owned()));
    for swept in &evaluation.sweep {
        let cells = metrics
            .iter()
            .map(|metric| interval(swept.by_source.get(*metric)));
        table.rows.push(row(swept.treatment, cells));
    }
    table
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells).collect()
}

fn interval(estimate: Option<Estimate>) -> String {
    match estimate {
        Some(Estimate { value, low, high }) => format!("{value:.3} ({low:.2}–{high:.2})"),
        None => ABSENT.to_owned(),
    }
}

fn per_cent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn words(metric: Metric) -> &'static str {
    match metric {
        Metric::Auc => "AUC",
        Metric::AveragePrecision => "average precision",
        Metric::BalancedAccuracy => "balanced accuracy at \"likely\"",
        Metric::RealAccuracy => "real accuracy at \"likely\"",
        Metric::SyntheticRecall => "synthetic recall at \"likely\"",
        Metric::TprAt1 => "found at 1 % false alarms",
        Metric::TprAt5 => "found at 5 % false alarms",
        Metric::Ece => "calibration error (ECE)",
        Metric::Cllr => "C_llr in bits",
        Metric::Inconclusive => "share inconclusive",
    }
}

const POOLED: &str = "Every source weighs the same in its class, and both classes weigh the same, so the AUC is the \
mean over all pairs of a real and a synthetic source. In brackets: 95 % intervals from 500 bootstrap draws of \
pictures within their sources. clean: as listed. web: longest side at most 768 pixels, JPEG 60. hard: at most 512, \
JPEG 40. A picture without a score counts as not called likely and as inconclusive, and is in no ranking. The last \
figures are what can be had without looking at any trace, by judges trained on the other sources of this list: \
whatever they reach is a property of the list.";

const SOURCES: &str = "AUC against all pictures of the other class. Likely: false alarms of a real source, hits of a \
synthetic one. Unclear: neither likely nor without evidence.";

const GATES: &str = "At the threshold that 5 % of the untreated real pictures reach by source. Treated real pictures \
may reach it twice as often; saved synthetic ones must still reach it half as often. Likely: at the policy's own \
threshold.";

/// In the place of a figure that cannot be computed.
const ABSENT: &str = "–";

/// Names of the tiers, in the order of the tables.
const TIER_NAMES: [&str; 3] = ["clean", "web", "hard"];

/// Unread pictures that are named one by one.
const SHOWN_UNREAD: usize = 50;
