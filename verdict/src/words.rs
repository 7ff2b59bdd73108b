//! Small phrases that both summary and reasons are made of. Every name out of a file is bounded here.

use provenance::{
    AiStatus, Content, History, ManifestState, Place, Provenance, Signature, Signer, SignerStatus,
    StatusCode, Time,
};

use crate::report::ReasonCode;

/// Something that takes from a credential's weight. `clause` reads after "because" or "but".
pub(crate) struct Issue {
    pub(crate) code: ReasonCode,
    pub(crate) clause: String,
    /// Two or three words for the summary.
    pub(crate) short: &'static str,
}

/// Everything that takes from the weight of the file's credential, in the order a reader asks for it.
/// Empty when there is no manifest that could be read.
pub(crate) fn issues(provenance: &Provenance) -> Vec<Issue> {
    if !is_read(&provenance.manifest) {
        return Vec::new();
    }
    [
        signature_issue(&provenance.signature),
        content_issue(&provenance.content),
        signer_issue(&provenance.signer),
        time_issue(provenance),
        history_issue(&provenance.history),
        uncovered_issue(provenance),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether a manifest was found and read.
pub(crate) fn is_read(manifest: &ManifestState) -> bool {
    match manifest {
        ManifestState::Embedded | ManifestState::Sidecar => true,
        ManifestState::None
        | ManifestState::RemoteNotFetched { .. }
        | ManifestState::Malformed { .. }
        | ManifestState::Unsupported
        | ManifestState::NotChecked => false,
    }
}

fn signature_issue(signature: &Signature) -> Option<Issue> {
    match signature {
        Signature::Ok => None,
        Signature::Broken(codes) => Some(Issue {
            code: ReasonCode::SignatureBroken,
            clause: format!("its signature does not hold{}", in_brackets(codes)),
            short: "signature broken",
        }),
        Signature::Unknown => Some(Issue {
            code: ReasonCode::SignatureUnchecked,
            clause: "its signature could not be checked".to_owned(),
            short: "signature not checked",
        }),
    }
}

fn content_issue(content: &Content) -> Option<Issue> {
    match content {
        // An altered content has a verdict and a reason of its own.
        Content::Intact | Content::Altered(_) => None,
        Content::Unbound => Some(Issue {
            code: ReasonCode::ContentUnbound,
            clause: "its manifest is bound to no content".to_owned(),
            short: "bound to no content",
        }),
        Content::Unknown => Some(Issue {
            code: ReasonCode::ContentUnchecked,
            clause: "it could not be checked whether its content is unchanged".to_owned(),
            short: "content not checked",
        }),
    }
}

fn signer_issue(signer: &Signer) -> Option<Issue> {
    let named = signer_name(signer).map_or_else(String::new, |name| format!(" (\"{name}\")"));
    match signer.status {
        SignerStatus::C2paList
        | SignerStatus::InterimList
        | SignerStatus::AllowList
        | SignerStatus::Local => None,
        SignerStatus::Unknown => Some(Issue {
            code: ReasonCode::SignerUnknown,
            clause: format!("nobody on our trust lists vouches for its signer{named}"),
            short: "signer unknown",
        }),
        SignerStatus::Revoked => Some(Issue {
            code: ReasonCode::SignerRevoked,
            clause: format!("the credential of its signer{named} was revoked"),
            short: "credential revoked",
        }),
        SignerStatus::None => Some(Issue {
            code: ReasonCode::SignerUnknown,
            clause: "it names no signer".to_owned(),
            short: "no signer",
        }),
    }
}

fn time_issue(provenance: &Provenance) -> Option<Issue> {
    let issue = |code, clause, short| {
        Some(Issue {
            code,
            clause,
            short,
        })
    };
    match provenance.time {
        Time::TrustedStamp(_) | Time::InsideValidity => None,
        Time::UntrustedStamp(_) => issue(
            ReasonCode::TimeStampUntrusted,
            "its time stamp comes from an authority that nobody vouches for".to_owned(),
            "time stamp not trusted",
        ),
        Time::ExpiredNoStamp { not_after } => issue(
            ReasonCode::CredentialExpired,
            format!(
                "the signer's credential ended on {} and no trusted time stamp shows that it was used before",
                not_after.day()
            ),
            "credential expired",
        ),
        Time::NotYetValid { not_before } => issue(
            ReasonCode::CredentialNotYetValid,
            format!(
                "the signer's credential is not valid before {}",
                not_before.day()
            ),
            "credential not valid yet",
        ),
        Time::Unknown => issue(
            ReasonCode::SigningTimeUnknown,
            "it is not known when it was signed".to_owned(),
            "signing time unknown",
        ),
    }
}

fn history_issue(history: &History) -> Option<Issue> {
    match history {
        History::None | History::Ok { .. } => None,
        History::Defects { defects, .. } => {
            let codes: Vec<_> = defects.iter().map(|defect| defect.code.clone()).collect();
            Some(Issue {
                code: ReasonCode::HistoryDefects,
                clause: format!("its edit history is broken{}", in_brackets(&codes)),
                short: "edit history broken",
            })
        }
    }
}

fn uncovered_issue(provenance: &Provenance) -> Option<Issue> {
    let bytes: u64 = provenance
        .uncovered
        .iter()
        .map(|range| range.end.saturating_sub(range.start))
        .fold(0, u64::saturating_add);
    (!provenance.uncovered.is_empty()).then(|| Issue {
        code: ReasonCode::BytesUncovered,
        clause: format!("{bytes} bytes of the file are covered by no signature"),
        short: "not fully covered",
    })
}

/// Up to three codes, each once, in brackets; empty for none.
pub(crate) fn in_brackets(codes: &[StatusCode]) -> String {
    let mut names: Vec<&str> = codes.iter().map(|code| code.0.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let more = if names.len() > SHOWN_CODES {
        ", …"
    } else {
        ""
    };
    names.truncate(SHOWN_CODES);
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = names.into_iter().map(shown).collect();
    format!(" ({}{more})", shown.join(", "))
}

/// The signer's organisation, else its common name, bounded. Only as good as the signer's status.
pub(crate) fn signer_name(signer: &Signer) -> Option<String> {
    signer
        .organisation
        .as_deref()
        .or(signer.name.as_deref())
        .map(shown)
}

/// Who vouches for a signer, in words.
pub(crate) fn list_name(status: SignerStatus) -> &'static str {
    match status {
        SignerStatus::C2paList => "the official C2PA trust list",
        SignerStatus::InterimList => "the interim C2PA trust list",
        SignerStatus::AllowList => "a list of allowed certificates",
        SignerStatus::Local => "a trust list of this platform",
        SignerStatus::Unknown | SignerStatus::Revoked | SignerStatus::None => "nobody",
    }
}

/// The tool that declares AI, else the signer; bounded.
pub(crate) fn declarer(provenance: &Provenance) -> Option<String> {
    let generator = provenance.ai.generator.as_deref().map(shown);
    match provenance.ai.place {
        Some(Place::UnsignedLabel) => generator,
        Some(Place::Active | Place::History) | None => {
            generator.or_else(|| signer_name(&provenance.signer))
        }
    }
}

/// Where the label stands that makes the file's AI declaration.
pub(crate) fn label_place(provenance: &Provenance) -> Option<String> {
    let declares = |ai| matches!(ai, Some(AiStatus::DeclaredFull | AiStatus::DeclaredPart));
    provenance
        .labels
        .iter()
        .find(|label| label.ai == Some(provenance.ai.status))
        .or_else(|| provenance.labels.iter().find(|label| declares(label.ai)))
        .map(|label| shown(&label.place))
}

/// At most 80 characters of a text that came out of a file.
pub(crate) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut shown: String = letters.by_ref().take(SHOWN_CHARS).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Long enough for every name in the trust lists.
const SHOWN_CHARS: usize = 80;
/// More codes than this say nothing more to a reader; the report has them all.
const SHOWN_CODES: usize = 3;

#[cfg(test)]
mod tests {
    use super::{in_brackets, shown};
    use provenance::StatusCode;

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(shown("OpenAI"), "OpenAI");
        assert_eq!(shown(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }

    #[test]
    fn codes_are_shown_once_and_at_most_three() {
        let codes: Vec<_> = ["d", "a", "b", "a", "c"]
            .map(|code| StatusCode(code.to_owned()))
            .into();
        assert_eq!(in_brackets(&codes), " (a, b, c, …)");
        assert_eq!(in_brackets(&codes[1..4]), " (a, b)");
        assert_eq!(in_brackets(&[]), "");
    }
}
