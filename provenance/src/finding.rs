//! What the file says: provenance as separate axes.
//!
//! A broken manifest is a finding, never an error. The axes are kept apart because "altered", "expired"
//! and "unknown signer" lead to different decisions; the contract's words are in `verdict`'s report.

use crate::time::{Timestamp, Validity};

/// A C2PA status code, verbatim, for example `assertion.dataHash.mismatch` (C2PA 2.2, section 15.2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusCode(pub String);

/// Everything the file says, judged as of one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Whether there is a manifest and where.
    pub manifest: ManifestState,
    /// Whether the bound bytes are as they were signed.
    pub content: Content,
    /// Whether the claim signature fits the claim.
    pub signature: Signature,
    /// What is known about when it was signed.
    pub time: Time,
    /// Who signed, and who vouches for that.
    pub signer: Signer,
    /// Whether the ingredients are sound.
    pub history: History,
    /// What the file says about AI, wherever it says so.
    pub ai: Ai,
    /// CAWG identities, judged apart from the C2PA signer.
    pub identity: Vec<Identity>,
    /// C2PA Asset Rubrics 1.0 ids, verbatim.
    pub signals: Vec<String>,
    /// The word of the c2pa library itself, for comparison with other tools.
    pub validation_state: Option<ValidationState>,
    /// C2PA status codes.
    pub codes: Codes,
    /// Bytes that no hash and no signature covers, beyond the manifest itself.
    pub uncovered: Vec<Uncovered>,
    /// Unsigned labels: claims of whoever wrote the file last.
    pub labels: Vec<UnsignedLabel>,
    /// Every manifest of the store, active first.
    pub manifests: Vec<Manifest>,
    /// The moment this was judged for.
    pub checked_at: Timestamp,
}

/// Whether there is a manifest and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestState {
    /// None in the bytes, none given.
    None,
    /// Inside the file.
    Embedded,
    /// Given beside the file.
    Sidecar,
    /// The file names an address; we never fetch while reading.
    RemoteNotFetched {
        /// The address, unchecked.
        url: String,
    },
    /// There is one and it cannot be read.
    Malformed {
        /// The reader's words, bounded and cleaned for display.
        detail: String,
    },
    /// This kind of file cannot carry one that we read.
    Unsupported,
    /// Nobody asked.
    NotChecked,
}

/// What the hard binding says about the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Every bound byte is as it was signed.
    Intact,
    /// Changed after signing; the codes that say so.
    Altered(Vec<StatusCode>),
    /// The manifest binds nothing.
    Unbound,
    /// Not looked at, or it could not be computed. Never confuse with `Altered`.
    Unknown,
}

/// Whether the claim signature of the active manifest fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// It does.
    Ok,
    /// It does not, or an assertion it covers was changed; the codes that say so.
    Broken(Vec<StatusCode>),
    /// Not looked at.
    Unknown,
}

/// What is known about when the active manifest was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// A time stamp that chains to a TSA anchor and lies inside the certificate's validity.
    TrustedStamp(Timestamp),
    /// A time stamp from an authority that nobody vouches for.
    UntrustedStamp(Timestamp),
    /// No time stamp; the certificate is valid at the time of checking.
    InsideValidity,
    /// No trusted time stamp and the certificate has ended.
    ExpiredNoStamp {
        /// Its last second.
        not_after: Timestamp,
    },
    /// The certificate is not valid yet.
    NotYetValid {
        /// Its first second.
        not_before: Timestamp,
    },
    /// No certificate, or not looked at.
    Unknown,
}

/// Who signed the active manifest. Names come from the certificate and are only as good as `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Who vouches for the name.
    pub status: SignerStatus,
    /// Subject common name, cleaned for display.
    pub name: Option<String>,
    /// Subject organisation, cleaned for display.
    pub organisation: Option<String>,
    /// Product in the C2PA conforming-products list.
    pub product: Option<String>,
    /// Its highest assurance level, 1 or 2.
    pub assurance_level: Option<u8>,
    /// Date of the list that vouches, `YYYY-MM-DD`.
    pub list_date: Option<String>,
    /// Validity of the signing certificate.
    pub validity: Option<Validity>,
}

/// Who vouches for a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignerStatus {
    /// The official C2PA trust list.
    C2paList,
    /// The interim list, frozen on 2026-01-01.
    InterimList,
    /// The interim list's end-entity certificates, or the operator's own allow list.
    AllowList,
    /// An anchor the operator gave.
    Local,
    /// Nobody we know.
    Unknown,
    /// Revoked, by a stapled answer or the operator's deny list.
    Revoked,
    /// There is no signature.
    None,
}

/// The edit history behind the active manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// No ingredient carries a manifest.
    None,
    /// Every ingredient that could be checked is sound.
    Ok {
        /// Manifests in the store, the active one included.
        manifests: usize,
    },
    /// Something in the history is broken.
    Defects {
        /// Manifests in the store, the active one included.
        manifests: usize,
        /// What is broken where.
        defects: Vec<Defect>,
    },
}

/// One fault in the history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// Label of the manifest or URI of the ingredient assertion concerned.
    pub manifest: String,
    /// What is wrong with it.
    pub code: StatusCode,
}

/// What the file says about AI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ai {
    /// How far it goes.
    pub status: AiStatus,
    /// Where it stands; `None` when nothing is declared.
    pub place: Option<Place>,
    /// The digital source type that says so, verbatim.
    pub digital_source_type: Option<String>,
    /// The tool that says so, cleaned for display.
    pub generator: Option<String>,
}

/// How far an AI declaration goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AiStatus {
    /// Nothing about AI and no capture claim.
    NoneDeclared,
    /// The whole was made by AI.
    DeclaredFull,
    /// A part was made or changed by AI.
    DeclaredPart,
    /// The file says a camera took it, and says nothing of AI.
    CaptureDeclared,
}

/// Where a declaration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The active manifest.
    Active,
    /// A manifest of an ingredient.
    History,
    /// An unsigned label.
    UnsignedLabel,
}

/// A CAWG identity assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// How its own checks ended.
    pub status: IdentityStatus,
    /// The name it claims, cleaned for display.
    pub name: Option<String>,
}

/// How the checks of a CAWG identity ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityStatus {
    /// Well formed, and its credential is trusted.
    Trusted,
    /// Well formed, but nobody vouches for its credential.
    Untrusted,
    /// Its own checks fail.
    Invalid,
}

/// The c2pa library's summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidationState {
    /// Valid, and the signer is on a list.
    Trusted,
    /// Valid; says nothing about the signer.
    Valid,
    /// Anything else, from an ended certificate to a forged file.
    Invalid,
}

/// Status codes of the active manifest and of the ingredients' deltas, verbatim, sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codes {
    /// Checks that passed.
    pub success: Vec<StatusCode>,
    /// Remarks.
    pub informational: Vec<StatusCode>,
    /// Checks that failed.
    pub failure: Vec<StatusCode>,
}

/// A byte range that nothing protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Why it is not protected.
    pub what: UncoveredKind,
}

/// Why bytes are not protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UncoveredKind {
    /// The claim leaves them out of its hash.
    Exclusion,
    /// Room in the signature's unprotected header: padding that is not zero, or a certificate that no
    /// other one vouches for.
    Padding,
    /// Appended after the end of the picture.
    Trailing,
}

/// A claim that no signature protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedLabel {
    /// The family of the label.
    pub kind: LabelKind,
    /// Where it stood, for example `png:parameters`.
    pub place: String,
    /// The tool it names, cleaned for display.
    pub generator: Option<String>,
    /// What it says, cleaned and cut at 200 characters.
    pub text: String,
    /// What it means; `None` when it says nothing about AI.
    pub ai: Option<AiStatus>,
    /// The digital source type, verbatim, when it gives one.
    pub digital_source_type: Option<String>,
}

/// The family of an unsigned label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its label, cleaned for display.
    pub label: String,
    /// Whether it is the active one.
    pub active: bool,
    /// Title of the asset.
    pub title: Option<String>,
    /// Tool that made the claim, name and version.
    pub claim_generator: Option<String>,
    /// 1 or 2.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// For example `c2pa.created`.
    pub action: String,
    /// Verbatim URI.
    pub digital_source_type: Option<String>,
    /// Tool that did it.
    pub software_agent: Option<String>,
    /// Time it names, unchecked.
    pub when: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

/// One ingredient of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingredient {
    /// `parentOf`, `componentOf` or `inputTo`.
    pub relationship: String,
    /// Its title.
    pub title: Option<String>,
    /// Label of its manifest in the same store, if it has one.
    pub manifest: Option<String>,
    /// Failure codes recorded or found for it.
    pub failures: Vec<StatusCode>,
}
