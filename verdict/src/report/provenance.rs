//! The `provenance` part of the report: what the file says, axis by axis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the file says, judged as of `checked_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Whether there is a manifest and where.
    pub manifest: ManifestState,
    /// Whether the bound bytes are as they were signed.
    pub content: ContentState,
    /// Whether the claim signature holds.
    pub signature: SignatureState,
    /// What is known about when it was signed.
    pub time: TimeState,
    /// Who signed, and who vouches for that.
    pub signer: Signer,
    /// Whether the edit history is sound.
    pub history: History,
    /// What the file says about AI.
    pub ai: Ai,
    /// CAWG identities, judged apart from the signer.
    pub identity: Vec<Identity>,
    /// C2PA Asset Rubrics 1.0 ids, verbatim.
    pub signals: Vec<String>,
    /// What the c2pa library itself says, for comparison with other tools.
    pub validation_state: Option<ValidationState>,
    /// C2PA status codes, verbatim.
    pub codes: Codes,
    /// Byte ranges that no hash and no signature covers, beyond the manifest itself.
    pub uncovered: Vec<Uncovered>,
    /// Unsigned labels: claims of whoever wrote the file last.
    pub labels: Vec<Label>,
    /// Every manifest of the store, the active one first.
    pub manifests: Vec<Manifest>,
    /// The moment this was judged for, RFC 3339 in UTC.
    pub checked_at: String,
}

/// Whether there is a manifest and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ManifestState {
    /// None in the bytes, none given.
    None,
    /// Inside the file.
    Embedded,
    /// Given beside the file.
    Sidecar,
    /// The file names an address; never fetched while reading.
    RemoteNotFetched,
    /// There is one and it cannot be read.
    Malformed,
    /// This kind of file can carry none that we read.
    Unsupported,
    /// Nobody asked.
    NotChecked,
}

/// What the hard binding says about the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentState {
    /// Every bound byte is as it was signed.
    Intact,
    /// Changed after signing.
    Altered,
    /// The manifest binds nothing.
    Unbound,
    /// Not looked at, or it could not be computed.
    Unknown,
}

/// Whether the claim signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// It does.
    Ok,
    /// It does not.
    Broken,
    /// Not looked at.
    Unknown,
}

/// What is known about when it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeState {
    /// A trusted time stamp inside the credential's validity.
    TrustedStamp,
    /// A time stamp that nobody vouches for.
    UntrustedStamp,
    /// No time stamp; the credential is valid when checked.
    InsideValidity,
    /// No trusted time stamp, and the credential has ended.
    ExpiredNoStamp,
    /// The credential is not valid yet.
    NotYetValid,
    /// No credential, or not looked at.
    Unknown,
}

/// Who signed. The names are only as good as `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signer {
    /// Who vouches for it.
    pub status: SignerStatus,
    /// Subject common name.
    pub name: Option<String>,
    /// Subject organisation.
    pub organisation: Option<String>,
    /// Product in the C2PA conforming-products list.
    pub product: Option<String>,
    /// Its highest assurance level.
    #[schemars(range(min = 1, max = 2))]
    pub assurance_level: Option<u8>,
    /// Date of the list that vouches, `YYYY-MM-DD`.
    pub list_date: Option<String>,
}

/// Who vouches for a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignerStatus {
    /// The official C2PA trust list.
    C2paList,
    /// The frozen interim list.
    InterimList,
    /// A list of single certificates.
    AllowList,
    /// An anchor the operator gave.
    Local,
    /// Nobody we know.
    Unknown,
    /// Revoked.
    Revoked,
    /// There is no signature.
    None,
}

/// The edit history behind the active manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// Whether it is sound.
    pub status: HistoryStatus,
    /// Manifests in the store, the active one included; `null` when no store was read.
    pub manifests: Option<u64>,
    /// What is broken where.
    pub defects: Vec<Defect>,
}

/// Whether the history is sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HistoryStatus {
    /// There is none.
    None,
    /// Everything that could be checked is sound.
    Ok,
    /// Something is broken.
    Defects,
}

/// One fault in the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Defect {
    /// Label of the manifest or URI of the ingredient concerned.
    pub manifest: String,
    /// C2PA status code.
    pub code: String,
}

/// What the file says about AI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ai {
    /// How far it goes.
    pub status: AiStatus,
    /// Where it stands.
    pub r#where: Option<Place>,
    /// The digital source type that says so, verbatim.
    pub digital_source_type: Option<String>,
    /// The tool that says so.
    pub generator: Option<String>,
}

/// How far an AI declaration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AiStatus {
    /// Nothing about AI and no capture claim.
    NoneDeclared,
    /// The whole was made by AI.
    DeclaredFull,
    /// A part was made or changed by AI.
    DeclaredPart,
    /// A camera took it, by the file's own account, and nothing of AI.
    CaptureDeclared,
}

/// Where a declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The active manifest.
    Active,
    /// A manifest of an ingredient.
    History,
    /// An unsigned label.
    UnsignedLabel,
}

/// An identity assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Its family.
    pub kind: IdentityKind,
    /// How its own checks ended.
    pub status: IdentityStatus,
    /// The name it claims.
    pub name: Option<String>,
}

/// The family of an identity assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// Creator Assertions Working Group.
    Cawg,
}

/// How the checks of an identity ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityStatus {
    /// Well formed and vouched for.
    Trusted,
    /// Well formed, but nobody vouches for it.
    Untrusted,
    /// Its own checks fail.
    Invalid,
}

/// The c2pa library's summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ValidationState {
    /// Valid, and the signer is on a list.
    Trusted,
    /// Valid; says nothing about the signer.
    Valid,
    /// Anything else.
    Invalid,
}

/// C2PA status codes, verbatim, sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Codes {
    /// Checks that passed.
    pub success: Vec<String>,
    /// Remarks.
    pub informational: Vec<String>,
    /// Checks that failed.
    pub failure: Vec<String>,
}

/// A byte range that nothing protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uncovered {
    /// First byte, and one past the last.
    pub range: [u64; 2],
    /// Why it is not protected.
    pub what: UncoveredKind,
}

/// Why bytes are not protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UncoveredKind {
    /// The claim leaves them out of its hash.
    Exclusion,
    /// Padding inside the signature that is not zero.
    Padding,
    /// Appended after the end of the picture.
    Trailing,
}

/// A claim that no signature protects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Label {
    /// Its family.
    pub kind: LabelKind,
    /// Where it stood, for example `png:parameters`.
    pub r#where: String,
    /// The tool it names.
    pub generator: Option<String>,
    /// What it says, cut at 200 characters.
    pub text: String,
}

/// The family of an unsigned label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelKind {
    /// IPTC fields in XMP.
    Iptc,
    /// Other XMP fields.
    Xmp,
    /// EXIF fields.
    Exif,
    /// PNG text chunks.
    PngText,
    /// TC260 AIGC label (GB 45438-2025).
    Aigc,
}

/// One manifest of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Its label.
    pub label: String,
    /// Whether it is the active one.
    pub active: bool,
    /// Title of the asset.
    pub title: Option<String>,
    /// Tool that made the claim.
    pub claim_generator: Option<String>,
    /// Version of the claim.
    #[schemars(range(min = 1, max = 2))]
    pub claim_version: Option<u8>,
    /// Organisation of the signing certificate.
    pub issuer: Option<String>,
    /// Time in its time stamp, RFC 3339.
    pub signed_at: Option<String>,
    /// Its actions in order.
    pub actions: Vec<Action>,
    /// Its ingredients in order.
    pub ingredients: Vec<Ingredient>,
}

/// One action of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// For example `c2pa.created`.
    pub action: String,
    /// Verbatim URI.
    pub digital_source_type: Option<String>,
}

/// One ingredient of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ingredient {
    /// `parentOf`, `componentOf` or `inputTo`.
    pub relationship: String,
    /// Its title.
    pub title: Option<String>,
    /// Label of its manifest in the same store.
    pub manifest: Option<String>,
}
