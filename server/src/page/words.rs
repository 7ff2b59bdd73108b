//! The report's enum words as a reader's phrases, and the badge of each verdict: an icon, a word, a tone.
//! Every match is total, so that a new state cannot be shown as an old one.

use serde::Serialize;
use verdict::report::{
    AiStatus, Code, ContentState, DetectionStatus, HistoryStatus, ManifestState, SignatureState,
    SignerStatus, TimeState,
};

/// What stands at the top of a result. Never colour alone: the icon and the word say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    /// The verdict code.
    pub(crate) code: &'static str,
    /// The verdict in a reader's words.
    pub(crate) word: &'static str,
    /// A path in a square of 24 units.
    pub(crate) icon: &'static str,
    /// A class of the style sheet.
    pub(crate) tone: &'static str,
}

/// The badge of a verdict.
pub(crate) fn badge(code: Code) -> Badge {
    let (word, icon, tone) = match code {
        Code::KnownFake => ("Known fake", CROSS, "alarm"),
        Code::Altered => ("Altered after signing", CROSS, "alarm"),
        Code::Conflict => ("Evidence in conflict", TRIANGLE, "alarm"),
        Code::DeclaredAi => ("Says it is AI", SPARK, "warn"),
        Code::DeclaredAiEdit => ("Says AI changed it", SPARK, "warn"),
        Code::LikelyManipulated => ("Likely manipulated", TRIANGLE, "alarm"),
        Code::LikelyAi => ("Likely AI", TRIANGLE, "alarm"),
        Code::VerifiedOrigin => ("Verified origin", SEAL, "good"),
        Code::NoEvidenceFound => ("No evidence found", RING, "plain"),
        Code::Inconclusive => ("Inconclusive", QUESTION, "plain"),
        Code::NotAnalysed => ("Not analysed", DASH, "plain"),
    };
    Badge {
        code: code.as_str(),
        word,
        icon,
        tone,
    }
}

/// Whether the file has a credential.
pub(crate) fn manifest(state: ManifestState) -> &'static str {
    match state {
        ManifestState::None => "none",
        ManifestState::Embedded => "in the file",
        ManifestState::Sidecar => "beside the file",
        ManifestState::RemoteNotFetched => "elsewhere; not fetched",
        ManifestState::Malformed => "there, but unreadable",
        ManifestState::Unsupported => "this kind of file can carry none that we read",
        ManifestState::NotChecked => "not looked for",
    }
}

/// Whether the content is as it was signed.
pub(crate) fn content(state: ContentState) -> &'static str {
    match state {
        ContentState::Intact => "as it was signed",
        ContentState::Altered => "changed after signing",
        ContentState::Unbound => "not bound by the credential",
        ContentState::Unknown => "not checked",
    }
}

/// Whether the signature holds.
pub(crate) fn signature(state: SignatureState) -> &'static str {
    match state {
        SignatureState::Ok => "holds",
        SignatureState::Broken => "does not hold",
        SignatureState::Unknown => "not checked",
    }
}

/// What is known of the time of signing.
pub(crate) fn time(state: TimeState) -> &'static str {
    match state {
        TimeState::TrustedStamp => "stamped by a trusted authority",
        TimeState::UntrustedStamp => "stamped by somebody nobody vouches for",
        TimeState::InsideValidity => "no stamp; the certificate is valid today",
        TimeState::ExpiredNoStamp => "no trusted stamp, and the certificate has expired",
        TimeState::NotYetValid => "the certificate is not valid yet",
        TimeState::Unknown => "unknown",
    }
}

/// Who vouches for the signer.
pub(crate) fn signer(status: SignerStatus) -> &'static str {
    match status {
        SignerStatus::C2paList => "on the C2PA trust list",
        SignerStatus::InterimList => "on the frozen interim list",
        SignerStatus::AllowList => "on a list of single certificates",
        SignerStatus::Local => "under an anchor of this service",
        SignerStatus::Unknown => "nobody we know vouches for it",
        SignerStatus::Revoked => "revoked",
        SignerStatus::None => "no signature",
    }
}

/// Whether the edit history is sound.
pub(crate) fn history(status: HistoryStatus) -> &'static str {
    match status {
        HistoryStatus::None => "none",
        HistoryStatus::Ok => "sound, as far as it can be checked",
        HistoryStatus::Defects => "has defects",
    }
}

/// What the file says of AI.
pub(crate) fn ai(status: AiStatus) -> &'static str {
    match status {
        AiStatus::NoneDeclared => "nothing",
        AiStatus::DeclaredFull => "made with AI",
        AiStatus::DeclaredPart => "partly made or changed with AI",
        AiStatus::CaptureDeclared => "taken by a camera, by its own account",
    }
}

/// How the pixels read.
pub(crate) fn detection(status: DetectionStatus) -> &'static str {
    match status {
        DetectionStatus::LikelySynthetic => "clear signs of synthetic content",
        DetectionStatus::Suspicious => "some signs of synthetic content, not clear enough",
        DetectionStatus::Inconclusive => "nothing that decides",
        DetectionStatus::NoEvidence => "no signs of synthetic content found",
        DetectionStatus::NotApplicable => "outside what the models can judge",
        DetectionStatus::Failed => "could not be examined",
        DetectionStatus::NotRun => "not examined",
    }
}

/// The word that JSON has for `value`, with blanks; empty for `null`.
pub(crate) fn plain(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        Ok(_) | Err(_) => String::new(),
    }
}

/// Plain shapes that differ also without colour.
const CROSS: &str = "M7 2h10l5 5v10l-5 5H7l-5-5V7zM8.4 7 7 8.4l3.6 3.6L7 15.6 8.4 17l3.6-3.6 3.6 3.6 1.4-1.4-3.6-3.6L17 8.4 15.6 7 12 10.6z";
const TRIANGLE: &str = "M12 2 1 21h22zM11 9h2v6h-2zm0 7.5h2v2h-2z";
const SPARK: &str = "M12 1l2.6 8.4L23 12l-8.4 2.6L12 23l-2.6-8.4L1 12l8.4-2.6z";
const SEAL: &str = "M12 1 3 5v6c0 5.6 3.8 10.7 9 12 5.2-1.3 9-6.4 9-12V5zm-1.4 15.4-4-4L8 11l2.6 2.6L16 8.2l1.4 1.4z";
const RING: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14z";
const QUESTION: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm-1 14h2v2h-2zm1-10a4 4 0 0 1 4 4c0 2.3-3 2.6-3 5h-2c0-3.3 3-3 3-5a2 2 0 0 0-4 0H8a4 4 0 0 1 4-4z";
const DASH: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM6 10.5h12v3H6z";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Code, badge};

    #[test]
    fn every_verdict_has_a_word_of_its_own_and_none_says_authentic() {
        let words: BTreeSet<&str> = Code::ALL.map(|code| badge(code).word).into_iter().collect();
        assert_eq!(words.len(), Code::ALL.len());
        for word in words {
            let lower = word.to_lowercase();
            assert!(
                !lower.contains("authentic") && !lower.contains("real"),
                "{word}"
            );
        }
    }

    #[test]
    fn only_a_verified_origin_looks_good() {
        assert_eq!(badge(Code::VerifiedOrigin).tone, "good");
        let good = Code::ALL.iter().filter(|code| badge(**code).tone == "good");
        assert_eq!(good.count(), 1);
    }
}
