//! The `detection` part of the report: what the pixels show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the pixels show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Detection {
    /// The reading under the active policy.
    pub status: DetectionStatus,
    /// Why there is none, when `status` is `not_applicable`, `failed` or `not_run`.
    pub reason: Option<DetectionReason>,
    /// Calibrated chance of synthetic at even prior odds, all models joined.
    #[schemars(range(min = 0, max = 1))]
    pub probability: Option<f64>,
    /// Log-likelihood ratio in natural log, all models joined; above 0 speaks for synthetic or manipulated.
    pub llr: Option<f64>,
    /// One entry per model that ran.
    pub models: Vec<Model>,
    /// Watermarks with public keys: a hint, anyone can embed them.
    pub watermarks: Vec<Watermark>,
    /// Reference to a heat map, when one was asked for.
    pub map: Option<String>,
}

/// The reading of the pixels under the active policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectionStatus {
    /// Clear for synthetic or manipulated.
    LikelySynthetic,
    /// For synthetic, but not clear enough for an alarm.
    Suspicious,
    /// The score decides nothing.
    Inconclusive,
    /// The models speak against synthetic.
    NoEvidence,
    /// Outside what the models can judge.
    NotApplicable,
    /// Should have been examined and could not be.
    Failed,
    /// The models were not asked.
    NotRun,
}

/// Why there is no reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectionReason {
    /// The picture is too small.
    TooSmall,
    /// Hardly any texture.
    Flat,
    /// Far longer than wide, or wider than long.
    ExtremeAspect,
    /// Outside the models' domain for another reason.
    OutOfDomain,
    /// This build decodes no pixels of this kind of file.
    UnsupportedKind,
    /// The pixels could not be decoded.
    Damaged,
    /// A limit stopped the examination; `error.code` says which.
    LimitExceeded,
    /// It took too long.
    Timeout,
    /// The models failed on our side.
    InferenceFailed,
    /// A model gave no finite number.
    NotFinite,
    /// The file could not be read at all.
    Unreadable,
    /// The program failed; see `error`.
    Internal,
    /// The caller asked for provenance only.
    NotRequested,
    /// No model is installed.
    NoModel,
    /// ONNX Runtime is not installed.
    NoRuntime,
}

/// What one model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Name on its card.
    pub name: String,
    /// Version on its card.
    pub version: String,
    /// Digest of the model file, 64 hex digits.
    pub sha256: String,
    /// Where it ran: `cpu`, `cuda:N` or `tensorrt:N`.
    pub provider: String,
    /// Calibrated chance of synthetic at even prior odds; `null` when the model abstained.
    #[schemars(range(min = 0, max = 1))]
    pub probability: Option<f64>,
    /// The same as a log-likelihood ratio in natural log.
    pub llr: Option<f64>,
    /// Raw outputs per view of the picture.
    pub views: Vec<View>,
    /// Whether the picture lies in the model's domain.
    pub applicability: Applicability,
}

/// One way of looking at the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// `native`, or `web` for the picture as a platform would deliver it.
    pub name: String,
    /// The network's uncalibrated output.
    pub logit: f64,
}

/// Whether a picture lies in a model's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applicability {
    /// The score counts.
    InDomain,
    /// The picture is too small.
    Tiny,
    /// Hardly any texture.
    Flat,
    /// Far longer than wide, or wider than long.
    ExtremeAspect,
    /// A face model found no face.
    NoFace,
}

/// A watermark with a public key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Watermark {
    /// Whose key: `sdxl`, `flux`, `sd1`, …
    pub key: String,
    /// Standard deviations above chance.
    pub z: f64,
}
