//! Everything an evaluation found, as plain figures: one shape for JSON, Markdown and HTML.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    sample::Bin,
    statistics::{Estimate, Figures, rounded, rounded_option},
};

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// `bonafide.evaluation/1`.
    pub schema: &'static str,
    /// What was listed.
    pub list: List,
    /// What was measured.
    pub engine: Engine,
    /// Pictures that could not be examined.
    pub unread: Vec<Unread>,
    /// The three tiers of delivery: clean, web, hard.
    pub tiers: Vec<Tier>,
    /// Every source, real ones first.
    pub sources: Vec<Slice>,
    /// Every group, where the list has groups.
    pub groups: Vec<Slice>,
    /// Harmless treatments; empty when only the tiers were measured.
    pub gates: Vec<Gate>,
    /// Re-deliveries; `null` when only the tiers were measured.
    pub delivery: Option<Delivery>,
    /// Single treatments; empty unless asked for.
    pub sweep: Vec<Swept>,
}

/// What was listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct List {
    /// SHA-256 of the manifest.
    pub sha256: String,
    /// Real pictures examined or tried.
    pub real: usize,
    /// Synthetic pictures examined or tried.
    pub synthetic: usize,
    /// Rows in the manifest, when only a sample of it was examined.
    pub sampled_from: Option<usize>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Engine {
    /// Version of the program.
    pub version: &'static str,
    /// The policy whose thresholds were used.
    pub policy: String,
    /// Where the models ran.
    pub provider: String,
    /// The models.
    pub models: Vec<Model>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Name and version on its card.
    pub name: String,
    /// SHA-256 of its file.
    pub sha256: String,
}

/// A picture that could not be examined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unread {
    /// As the manifest names it.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// One tier of delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tier {
    /// `clean`, `web` or `hard`.
    pub name: &'static str,
    /// Pictures outside the models' domain.
    pub not_applicable: usize,
    /// Pictures on which the detector failed.
    pub failed: usize,
    /// Every source weighs the same in its class.
    pub by_source: Figures,
    /// Every picture weighs the same in its class.
    pub by_picture: Figures,
    /// What can be had without a detector.
    pub baselines: Baselines,
    /// Points of the ROC curve by source, (false alarms, hits).
    #[serde(skip)]
    pub roc: Vec<(f64, f64)>,
    /// The reliability diagram by source.
    pub reliability: Vec<Bin>,
}

/// Areas under the curve of judges that see no trace, trained on other sources than they are tried on; `null` when a
/// class has fewer than two sources.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Baselines {
    /// Length, shape, kind and quantisation of the file.
    #[serde(serialize_with = "rounded_option")]
    pub format: Option<f64>,
    /// The picture at 32 by 32 pixels.
    #[serde(serialize_with = "rounded_option")]
    pub thumbnail: Option<f64>,
}

/// The pictures of one class that have one source, or one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// Name of the source or group.
    pub name: String,
    /// `real` or `synthetic`.
    pub label: &'static str,
    /// How many were examined.
    pub pictures: usize,
    /// The figures of each tier.
    pub tiers: BTreeMap<&'static str, SliceTier>,
}

/// One slice in one tier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SliceTier {
    /// Area under the curve against all pictures of the other class.
    pub auc: Option<Estimate>,
    /// Share called likely synthetic: false alarms of a real slice, hits of a synthetic one.
    #[serde(serialize_with = "rounded")]
    pub likely: f64,
    /// Share called neither likely nor without evidence.
    #[serde(serialize_with = "rounded")]
    pub inconclusive: f64,
}

/// What a harmless treatment does at a threshold that 5 % of the untreated real pictures reach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// The treatment.
    pub treatment: &'static str,
    /// `real`: their false alarms may double. `synthetic`: their hits may halve.
    pub label: &'static str,
    /// Share above the threshold without the treatment.
    #[serde(serialize_with = "rounded")]
    pub before: f64,
    /// Share above it after the treatment.
    #[serde(serialize_with = "rounded")]
    pub after: f64,
    /// Share called likely synthetic by the policy without the treatment.
    #[serde(serialize_with = "rounded")]
    pub likely_before: f64,
    /// And after it.
    #[serde(serialize_with = "rounded")]
    pub likely_after: f64,
    /// Whether the gate holds.
    pub passed: bool,
}

/// What passing pictures on does to the reading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// Deliveries of pictures that had a definite reading (likely, or no evidence) before.
    pub definite: usize,
    /// Share of them that got the opposite definite reading.
    #[serde(serialize_with = "rounded")]
    pub flipped: f64,
    /// Share of them that lost their definite reading.
    #[serde(serialize_with = "rounded")]
    pub lost: f64,
    /// Share flipped in each of the twelve.
    pub treatments: BTreeMap<&'static str, f64>,
}

/// One treatment of the sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Swept {
    /// The treatment.
    pub treatment: &'static str,
    /// By source: AUC, hits at 5 % false alarms, real accuracy and synthetic recall of the policy, C_llr.
    pub by_source: Figures,
}
