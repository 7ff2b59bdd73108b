//! What the pixels show: scores with their units, and every way of having none.
//!
//! A `Detection` carries odds, not opinions: no threshold of a policy is known here.

use media::Digest;

use crate::provider::Provider;

/// A network's raw output; above 0 speaks for synthetic. Finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Logit(f32);

impl Logit {
    /// `None` unless `value` is finite.
    pub fn new(value: f32) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The plain number.
    pub fn value(self) -> f32 {
        self.0
    }
}

/// Log-likelihood ratio in nats; above 0 speaks for synthetic. Finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Llr(f32);

impl Llr {
    /// Speaks for neither side.
    pub const NEUTRAL: Self = Self(0.0);

    /// `None` unless `value` is finite.
    pub fn new(value: f32) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The plain number, in nats.
    pub fn value(self) -> f32 {
        self.0
    }

    /// The same evidence, no stronger than `bound_nats` in either direction.
    pub fn capped(self, bound_nats: f32) -> Self {
        let bound = bound_nats.max(0.0);
        Self(self.0.max(-bound).min(bound))
    }

    /// The chance of synthetic at even prior odds.
    pub fn probability(self) -> Probability {
        Probability(1.0 / (1.0 + (-self.0).exp()))
    }
}

/// Chance of synthetic at even prior odds, in 0.0..=1.0; made only from a calibrated [`Llr`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f32);

impl Probability {
    /// The plain number.
    pub fn value(self) -> f32 {
        self.0
    }
}

/// What the pixels show.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection {
    /// At least one model gave a calibrated score.
    Scored(Score),
    /// The picture lies outside the domain of every model.
    NotApplicable(Inapplicable),
    /// A model should have answered and could not.
    Failed(Failure),
    /// Nobody asked the models.
    NotRun(Skipped),
}

/// The joined reading of all models.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Joined evidence, in nats.
    pub llr: Llr,
    /// The same as a chance at even prior odds.
    pub probability: Probability,
    /// Upper bound on the share of real pictures that score this high, from the calibration
    /// sample; `None` when the card measured none: such a score may raise no alarm.
    pub false_alarm_rate: Option<f32>,
    /// One entry per model that ran, also those that abstained.
    pub models: Vec<ModelReading>,
}

/// What one model said.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelReading {
    /// Name on the card.
    pub name: String,
    /// Version on the card.
    pub version: String,
    /// Digest of the very bytes that were loaded.
    pub digest: Digest,
    /// Where the session ran.
    pub provider: Provider,
    /// Calibrated evidence; `None` when the model abstained.
    pub llr: Option<Llr>,
    /// See [`Score::false_alarm_rate`].
    pub false_alarm_rate: Option<f32>,
    /// Raw logits per view of the picture; empty when the model abstained.
    pub views: Vec<View>,
    /// Whether the picture lies in the model's domain.
    pub applicability: Applicability,
}

/// One way of looking at the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// `native`: crops at native resolution. `web`: as a platform would deliver it.
    pub name: &'static str,
    /// Picture logit of this view: mean of its crops' logits.
    pub logit: Logit,
    /// How many crops that were; at least 1.
    pub windows: usize,
}

/// Whether a picture lies in a model's domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applicability {
    /// The score counts.
    InDomain,
    /// Shorter side under [`crate::crops::MIN_SIDE_PX`].
    Tiny,
    /// Hardly any texture in any crop.
    Flat,
    /// One side more than [`crate::crops::MAX_ASPECT`] times the other.
    ExtremeAspect,
}

/// Why no model applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inapplicable {
    /// Every model abstained for this reason.
    Domain(Applicability),
    /// The kind of medium has no pixels this build decodes.
    UnsupportedKind,
}

/// Why a model that should have answered did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The picture could not be decoded: damaged.
    Damaged,
    /// A limit stopped the decoder.
    LimitExceeded,
    /// Inference failed on our side.
    Inference,
    /// The model gave NaN or infinity.
    NotFinite,
}

/// Why nobody asked the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The caller asked for provenance only.
    NotRequested,
    /// No model is installed.
    NoModel,
    /// ONNX Runtime is not installed.
    NoRuntime,
}
