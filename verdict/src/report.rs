//! The one JSON shape, `bonafide.report/1`: the only result of this house that is serialised.
//!
//! A line of `scan`, an HTTP body and a webhook are this object. Fields are added, never renamed; absent
//! knowledge is `null`, never a default. It knows no rule: `decide` fills the verdict, `convert` the rest.

mod detection;
mod disclosure;
mod media;
mod provenance;
mod verdict;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

pub use detection::{
    Applicability, Detection, DetectionReason, DetectionStatus, Model, View, Watermark,
};
pub use disclosure::{
    CaliforniaAb853, ChinaClass, ChinaGb45438, Disclosure, EuArt50, EuBasis, EuOrigin, Marking,
    OriginKind, TC260_KEYS,
};
pub use media::Media;
pub use provenance::{
    Action, Ai, AiStatus, Codes, ContentState, Defect, History, HistoryStatus, Identity,
    IdentityKind, IdentityStatus, Ingredient, Label, LabelKind, Manifest, ManifestState, Place,
    Provenance, SignatureState, Signer, SignerStatus, TimeState, Uncovered, UncoveredKind,
    ValidationState,
};
pub use verdict::{Code, Reason, ReasonCode, Source, UnknownCode, Verdict};

/// The value of [`Report::schema`].
pub const SCHEMA: &str = "bonafide.report/1";

/// Everything there is to say about one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "bonafide.report/1")]
pub struct Report {
    /// `bonafide.report/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What arrived.
    pub media: Media,
    /// What follows.
    pub verdict: Verdict,
    /// What the file says.
    pub provenance: Provenance,
    /// What the pixels show.
    pub detection: Detection,
    /// Matches in lists of known files.
    pub known: Vec<Known>,
    /// What disclosure rules ask for.
    pub disclosure: Disclosure,
    /// What each stage took.
    pub timing_ms: Timing,
    /// What produced this report.
    pub engine: Engine,
    /// Set when something that should have been examined could not be.
    pub error: Option<Problem>,
}

/// A match in a list of known files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Known {
    /// Name of the list.
    pub list: String,
    /// What the list holds.
    pub kind: KnownKind,
    /// How it was matched.
    pub r#match: KnownMatch,
    /// Differing bits of a perceptual match; 0 for an exact one.
    pub distance: u32,
    /// What the list calls the entry.
    pub label: Option<String>,
}

/// What a list of known files holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownKind {
    /// Known forgeries.
    Fake,
    /// Files somebody vouches for. Such a match never clears a file.
    Trusted,
}

/// How a known file was matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownMatch {
    /// The same bytes.
    Sha256,
    /// A similar picture, by perceptual hash.
    Pdq,
}

/// Milliseconds per stage; `null` for a stage that did not run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    /// Reading and hashing the bytes.
    pub read: Option<f64>,
    /// Reading and judging what the file says.
    pub provenance: Option<f64>,
    /// Decoding the pixels.
    pub decode: Option<f64>,
    /// Running the models.
    pub inference: Option<f64>,
    /// Everything, reading included.
    pub total: f64,
}

/// What produced a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// Version of this program.
    pub version: String,
    /// Name, version and digest of the policy, for example `default@1+0123456789ab`.
    pub policy: String,
    /// `name@version` of each model.
    pub models: Vec<String>,
    /// The trust lists that took part.
    pub trust_lists: Vec<TrustList>,
}

/// A trust list that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrustList {
    /// Its short name, for example `c2pa`.
    pub name: String,
    /// Day of its last change, `YYYY-MM-DD`; `null` for local files.
    pub date: Option<String>,
    /// Digest of its bytes, 64 hex digits.
    pub sha256: String,
}

/// Why something could not be examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// Stable code, for example `limit_exceeded:pixels`.
    pub code: String,
    /// One plain sentence or phrase for the reader.
    pub message: String,
}

/// The JSON Schema (draft 2020-12) of [`Report`], committed as `docs/report.schema.json`.
///
/// It describes what this program writes: every key is required but `media.name_hex`. It allows unknown
/// keys, because fields may be added inside `/1`.
pub fn schema() -> serde_json::Value {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Report>()
        .into()
}
