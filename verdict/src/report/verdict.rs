//! The `verdict` part of the report: the closed set of words, and why one of them was chosen.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What follows from all evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The word.
    pub code: Code,
    /// One plain sentence.
    pub summary: String,
    /// Whole sentences, the deciding one first.
    pub reasons: Vec<Reason>,
    /// Whether a person should look at it under the active policy.
    pub review: bool,
    /// Expected cost of not looking; orders the review queue.
    #[schemars(range(min = 0, max = 100))]
    pub priority: u8,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Stable code.
    pub code: ReasonCode,
    /// One plain sentence.
    pub text: String,
    /// Where the evidence came from.
    pub source: Source,
}

/// Where evidence came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The file as it arrived.
    Media,
    /// What the file says.
    Provenance,
    /// What the pixels show.
    Detection,
    /// A list of known files.
    Known,
}

/// The verdict words, in order of precedence.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// An exact or perceptual match in a list of known forgeries.
    KnownFake,
    /// A hard binding in the file no longer matches its content: changed after signing.
    Altered,
    /// Two strong pieces of evidence contradict each other.
    Conflict,
    /// The file itself says it is AI-generated.
    DeclaredAi,
    /// The file itself says that AI changed part of it.
    DeclaredAiEdit,
    /// The pixels speak clearly for a local manipulation.
    LikelyManipulated,
    /// No declaration, but the pixels speak clearly for AI generation.
    LikelyAi,
    /// Intact, signed, trusted signer, sound history, an origin claim, nothing in the pixels against it.
    VerifiedOrigin,
    /// Examined inside the models' domain; nothing found.
    NoEvidenceFound,
    /// Evidence too weak, unstable, or outside the models' domain.
    Inconclusive,
    /// Could not be examined.
    NotAnalysed,
}

impl Code {
    /// Every code, in order of precedence.
    pub const ALL: [Self; 11] = [
        Self::KnownFake,
        Self::Altered,
        Self::Conflict,
        Self::DeclaredAi,
        Self::DeclaredAiEdit,
        Self::LikelyManipulated,
        Self::LikelyAi,
        Self::VerifiedOrigin,
        Self::NoEvidenceFound,
        Self::Inconclusive,
        Self::NotAnalysed,
    ];

    /// The word, as in the report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KnownFake => "known_fake",
            Self::Altered => "altered",
            Self::Conflict => "conflict",
            Self::DeclaredAi => "declared_ai",
            Self::DeclaredAiEdit => "declared_ai_edit",
            Self::LikelyManipulated => "likely_manipulated",
            Self::LikelyAi => "likely_ai",
            Self::VerifiedOrigin => "verified_origin",
            Self::NoEvidenceFound => "no_evidence_found",
            Self::Inconclusive => "inconclusive",
            Self::NotAnalysed => "not_analysed",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text is no verdict word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no verdict code; the codes are {codes}", codes = Code::ALL.map(Code::as_str).join(", "))]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

/// Stable codes of reasons; the sentences may be reworded, these not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Matches a list of known forgeries.
    KnownFakeMatch,
    /// Matches a list of vouched-for files; clears nothing.
    KnownTrustedMatch,
    /// Bytes that a manifest binds were changed after signing.
    ContentAltered,
    /// A proven claim of origin and the pixels contradict each other.
    OriginAgainstPixels,
    /// The active manifest declares AI generation.
    AiDeclaredInManifest,
    /// An earlier manifest declares AI generation.
    AiDeclaredInHistory,
    /// An unsigned label declares AI generation.
    AiDeclaredByLabel,
    /// The active manifest declares an edit with AI.
    AiEditDeclaredInManifest,
    /// An earlier manifest declares an edit with AI.
    AiEditDeclaredInHistory,
    /// An unsigned label declares an edit with AI.
    AiEditDeclaredByLabel,
    /// A claim of origin with proof.
    OriginProven,
    /// A claim of origin without proof: counts as none.
    OriginNotProven,
    /// The claim signature does not hold.
    SignatureBroken,
    /// The claim signature could not be checked.
    SignatureUnchecked,
    /// The manifest binds no content.
    ContentUnbound,
    /// The binding could not be checked.
    ContentUnchecked,
    /// The signer's credential is revoked.
    SignerRevoked,
    /// Nobody we know vouches for the signer.
    SignerUnknown,
    /// The credential has ended and no trusted time stamp shows that it was used before.
    CredentialExpired,
    /// The credential is not valid yet.
    CredentialNotYetValid,
    /// The time stamp comes from an authority that nobody vouches for.
    TimeStampUntrusted,
    /// Nothing says when it was signed.
    SigningTimeUnknown,
    /// Something in the edit history is broken.
    HistoryDefects,
    /// Bytes that no hash covers.
    BytesUncovered,
    /// There is a manifest and it cannot be read.
    ManifestMalformed,
    /// The file names a manifest elsewhere; it is never fetched while reading.
    ManifestRemoteNotFetched,
    /// This kind of file can carry no manifest that we read.
    ManifestUnsupported,
    /// There is no manifest. Counts for nothing.
    ManifestAbsent,
    /// What the file says was not asked for.
    ProvenanceNotRequested,
    /// A CAWG identity fails its own checks.
    IdentityInvalid,
    /// The pixels speak clearly for AI generation.
    PixelsSynthetic,
    /// The pixels speak clearly for a local manipulation.
    PixelsManipulated,
    /// The pixels lean to synthetic, not clearly.
    PixelsSuspicious,
    /// The score decides nothing.
    PixelsUnclear,
    /// The models speak against synthetic.
    PixelsQuiet,
    /// Outside what the models can judge.
    PixelsOutOfDomain,
    /// The pixels should have been examined and could not be.
    PixelsNotExaminable,
    /// The pixels were not asked for.
    PixelsNotExamined,
    /// The pixels carry a watermark whose key is public: a hint that anyone can write.
    PublicWatermark,
    /// Only the first frame was examined.
    OnlyFirstFrame,
    /// The name or declared type disagrees with the bytes.
    KindDisagrees,
    /// Bytes follow the end of the picture.
    TrailingBytes,
    /// The file could not be opened.
    FileNotExamined,
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn words_round_trip_in_text_and_json() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert!("authentic".parse::<Code>().is_err());
        assert!("Altered".parse::<Code>().is_err());
    }

    #[test]
    fn all_is_in_order_of_precedence() {
        assert!(Code::ALL.is_sorted());
    }
}
