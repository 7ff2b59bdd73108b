//! The thresholds and preferences of a platform. It turns odds into a leaning and knows nothing of files.
//!
//! `docs/POLICY.md` says the same in a moderator's words. Precedence is not configurable.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use detector::{Detection, Inapplicable, Score, Skipped};
use media::{Digest, Fault};
use serde::Deserialize;

use crate::report::Code;

/// The thresholds and preferences of a platform. Made by [`Policy::default`] or [`Policy::from_toml`].
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    name: String,
    version: u32,
    alarm_rate: f32,
    suspicion_rate: f32,
    quiet_llr: f32,
    review: BTreeSet<Code>,
    suspicious_inconclusive: Suspicious,
    costs: BTreeMap<Code, u8>,
    china_metadata: MetadataClass,
}

/// Whether an inconclusive file with suspicious pixels goes to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspicious {
    /// It does.
    Review,
    /// It does only when `inconclusive` is in the review list.
    Ignore,
}

/// Which class of China's labelling measures a declaration outside the AIGC label falls in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataClass {
    /// C2PA, IPTC and XMP declarations are metadata that say so plainly.
    Confirmed,
    /// They are traces.
    Suspected,
}

/// What the pixels lean to under a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leaning {
    /// Clearly to AI generation: an alarm.
    Synthetic,
    /// Clearly to a local manipulation: an alarm. Every model of this version looks for synthetic
    /// pictures, so [`Policy::lean`] never gives it; a model with that task will.
    Manipulated,
    /// To synthetic, not clearly.
    Suspicious,
    /// Nowhere.
    Unclear,
    /// Against synthetic.
    Quiet,
    /// The picture lies outside the models' domain.
    OutOfDomain,
    /// The pixels were to be examined and could not be.
    Unexaminable,
    /// Nobody asked for the pixels.
    NotAsked,
}

impl Leaning {
    /// Every leaning.
    pub const ALL: [Self; 8] = [
        Self::Synthetic,
        Self::Manipulated,
        Self::Suspicious,
        Self::Unclear,
        Self::Quiet,
        Self::OutOfDomain,
        Self::Unexaminable,
        Self::NotAsked,
    ];
}

/// A policy text that cannot be used. Nothing of it is applied.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, an unknown key, or a value of another type.
    #[error("the policy cannot be read: {0}")]
    Toml(#[from] Box<toml::de::Error>),
    /// A number outside its range.
    #[error("the policy's {key} is {found}, it must be {allowed}")]
    Range {
        /// The key, with its table.
        key: &'static str,
        /// What was given.
        found: f32,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The name would make reports ambiguous.
    #[error(
        "the policy's name \"{0}\" must be 1 to 40 lower-case letters, digits, - or _, and not \"default\""
    )]
    Name(String),
    /// Another verdict would come before a conflict in the review queue.
    #[error(
        "the policy's cost.{code} is {cost}, it must be under cost.conflict ({conflict}): a conflict is looked at first"
    )]
    CostOrder {
        /// The verdict.
        code: Code,
        /// Its cost.
        cost: u8,
        /// The cost of a conflict.
        conflict: u8,
    },
    /// A cost above 100.
    #[error("the policy's cost.{code} is {cost}, it must be 0 to 100")]
    Cost {
        /// The verdict.
        code: Code,
        /// Its cost.
        cost: u8,
    },
}

impl PolicyError {
    /// Who must act: always the operator, who wrote the policy.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Toml(_)
            | Self::Range { .. }
            | Self::Name(_)
            | Self::CostOrder { .. }
            | Self::Cost { .. } => Fault::Operator,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Toml(_) => "policy_unreadable",
            Self::Range { .. } => "policy_range",
            Self::Name(_) => "policy_name",
            Self::CostOrder { .. } | Self::Cost { .. } => "policy_cost",
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            version: 1,
            alarm_rate: 0.01,
            suspicion_rate: 0.05,
            quiet_llr: -0.7,
            review: BTreeSet::from(DEFAULT_REVIEW),
            suspicious_inconclusive: Suspicious::Review,
            costs: BTreeMap::from(DEFAULT_COSTS),
            china_metadata: MetadataClass::Confirmed,
        }
    }
}

impl Policy {
    /// Reads a policy: the default with the keys of `text` in place of its own.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for unknown keys, values out of range, and costs that would let another verdict
    /// come before a conflict.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        file::read(text, Self::default())
    }

    /// Name, version and digest, for example `default@1+0123456789ab`; the digest is the first 12 hex
    /// digits of the SHA-256 of [`Self::canonical`].
    pub fn id(&self) -> String {
        let digest = Digest::of(self.canonical().as_bytes()).to_string();
        let short: String = digest.chars().take(12).collect();
        format!("{}@{}+{short}", self.name, self.version)
    }

    /// The whole policy as TOML that [`Self::from_toml`] reads (but for the reserved name `default`),
    /// each key once, in a fixed order.
    pub fn canonical(&self) -> String {
        let review: Vec<String> = self
            .review
            .iter()
            .map(|code| format!("\"{code}\""))
            .collect();
        let costs: String = self
            .costs
            .iter()
            .map(|(code, cost)| format!("{code} = {cost}\n"))
            .collect();
        let suspicious = match self.suspicious_inconclusive {
            Suspicious::Review => "review",
            Suspicious::Ignore => "ignore",
        };
        let metadata = match self.china_metadata {
            MetadataClass::Confirmed => "confirmed",
            MetadataClass::Suspected => "suspected",
        };
        format!(
            "name = \"{}\"\nversion = {}\n\n\
             [pixels]\nalarm_rate = {:?}\nsuspicion_rate = {:?}\nquiet_llr = {:?}\n\n\
             [review]\ncodes = [{}]\nsuspicious = \"{suspicious}\"\n\n\
             [cost]\n{costs}\n\
             [china]\nmetadata_declaration = \"{metadata}\"\n",
            self.name,
            self.version,
            self.alarm_rate,
            self.suspicion_rate,
            self.quiet_llr,
            review.join(", "),
        )
    }

    /// What the pixels lean to.
    ///
    /// A score whose false-alarm rate was never measured raises neither an alarm nor a suspicion.
    pub fn lean(&self, detection: &Detection) -> Leaning {
        match detection {
            Detection::Scored(score) => self.lean_of(score),
            Detection::NotApplicable(Inapplicable::Domain(_)) => Leaning::OutOfDomain,
            Detection::NotApplicable(Inapplicable::UnsupportedKind) | Detection::Failed(_) => {
                Leaning::Unexaminable
            }
            Detection::NotRun(Skipped::NotRequested) => Leaning::NotAsked,
            Detection::NotRun(Skipped::NoModel | Skipped::NoRuntime) => Leaning::Unexaminable,
        }
    }

    /// Whether a person should look at a file with this verdict. A conflict always goes to review.
    pub fn reviews(&self, code: Code, leaning: Leaning) -> bool {
        let suspicious = code == Code::Inconclusive
            && leaning == Leaning::Suspicious
            && self.suspicious_inconclusive == Suspicious::Review;
        code == Code::Conflict || self.review.contains(&code) || suspicious
    }

    /// What it costs, 0 to 100, when nobody looks at a file with this verdict that is harmful.
    pub fn cost(&self, code: Code) -> u8 {
        self.costs.get(&code).copied().unwrap_or_default()
    }

    /// Which class of China's measures a declaration outside the AIGC label falls in.
    pub fn china_metadata(&self) -> MetadataClass {
        self.china_metadata
    }

    fn lean_of(&self, score: &Score) -> Leaning {
        let llr = score.llr.value();
        let rarer_than = |limit: f32| score.false_alarm_rate.is_some_and(|rate| rate <= limit);
        if llr > 0.0 && rarer_than(self.alarm_rate) {
            Leaning::Synthetic
        } else if llr > 0.0 && rarer_than(self.suspicion_rate) {
            Leaning::Suspicious
        } else if llr <= self.quiet_llr {
            Leaning::Quiet
        } else {
            Leaning::Unclear
        }
    }
}

/// Verdicts a person looks at.
const DEFAULT_REVIEW: [Code; 6] = [
    Code::KnownFake,
    Code::Altered,
    Code::Conflict,
    Code::LikelyManipulated,
    Code::LikelyAi,
    Code::NotAnalysed,
];

/// Our own estimates, per cent of the worst case. A conflict is the worst: a trusted name is at stake,
/// and no rule can settle it. Declarations cost little: a label is applied without anybody looking.
const DEFAULT_COSTS: [(Code, u8); 11] = [
    (Code::KnownFake, 90),
    (Code::Altered, 95),
    (Code::Conflict, 100),
    (Code::DeclaredAi, 12),
    (Code::DeclaredAiEdit, 15),
    (Code::LikelyManipulated, 85),
    (Code::LikelyAi, 80),
    (Code::VerifiedOrigin, 20),
    (Code::NoEvidenceFound, 30),
    (Code::Inconclusive, 60),
    (Code::NotAnalysed, 70),
];
