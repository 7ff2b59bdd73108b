//! The words a moderator reads.

use detector::{Applicability, Detection, Failure, Inapplicable, Skipped};
use media::Kind;
use provenance::{
    AiStatus, Content, Identity, IdentityStatus, LabelKind, ManifestState, Place, Provenance,
    Signature, SignerStatus, Time, Timestamp, UnsignedLabel,
};
use verdict::{Known, KnownKind, KnownMatch, Reason, ReasonCode, Verdict};

use crate::support::*;

fn summary(provenance: Provenance, detection: Detection, expected: &str) {
    assert_eq!(judged(&evidence(provenance, detection)).summary, expected);
}

fn text(verdict: &Verdict, code: ReasonCode) -> &str {
    let found = verdict.reasons.iter().find(|reason| reason.code == code);
    &found
        .unwrap_or_else(|| panic!("{code:?} in {verdict:#?}"))
        .text
}

#[test]
fn a_declaration_names_who_and_how_far_to_trust_the_credential() {
    let mut provenance = ai_made();
    provenance.ai.generator = Some("OpenAI".to_owned());
    provenance.time = Time::ExpiredNoStamp {
        not_after: Timestamp(0),
    };
    summary(
        provenance.clone(),
        quiet(),
        "This picture says it was made with AI (OpenAI, signed, credential expired).",
    );
    provenance.signer.status = SignerStatus::Unknown;
    provenance.signature = Signature::Broken(vec![]);
    provenance.ai.place = Some(Place::History);
    summary(
        provenance,
        quiet(),
        "This picture says it was made with AI (OpenAI, signed, in its edit history, signature broken, \
         signer unknown, credential expired).",
    );
    summary(
        ai_edited(),
        quiet(),
        "This picture says AI changed part of it (Example Cameras, signed).",
    );
}

#[test]
fn an_unsigned_label_is_said_to_be_unsigned() {
    let mut provenance = unsigned();
    provenance.ai = ai(AiStatus::DeclaredFull, Place::UnsignedLabel);
    provenance.ai.generator = Some("Stable Diffusion".to_owned());
    provenance.labels = vec![UnsignedLabel {
        kind: LabelKind::PngText,
        place: "png:parameters".to_owned(),
        generator: Some("Stable Diffusion".to_owned()),
        text: "steps: 20".to_owned(),
        ai: Some(AiStatus::DeclaredFull),
        digital_source_type: None,
    }];
    summary(
        provenance.clone(),
        quiet(),
        "This picture says it was made with AI (Stable Diffusion, unsigned label).",
    );
    let verdict = judged(&evidence(provenance, quiet()));
    assert_eq!(
        text(&verdict, ReasonCode::AiDeclaredByLabel),
        "An unsigned label at png:parameters (Stable Diffusion) says that the picture was made with AI; it is \
         believed as an admission, though anyone can write or remove it."
    );
}

#[test]
fn summaries_of_the_other_codes() {
    let content = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    summary(
        Provenance {
            content,
            ..capture()
        },
        quiet(),
        "This picture was changed after it was signed in the name of Example Cameras.",
    );
    summary(
        capture(),
        alarm(),
        "A trusted signature (Example Cameras) vouches for the origin of this picture, but its pixels speak \
         clearly for AI generation: a person has to decide.",
    );
    summary(
        unsigned(),
        alarm(),
        "This picture declares nothing about AI, but its pixels speak clearly for AI generation.",
    );
    summary(
        capture(),
        quiet(),
        "Example Cameras signed that a camera took this picture, the official C2PA trust list vouches for the \
         signer, and nothing was changed since; nothing in its pixels speaks clearly against that.",
    );
    summary(
        creation(),
        Detection::NotRun(Skipped::NotRequested),
        "Example Cameras signed that it created this picture, the official C2PA trust list vouches for the \
         signer, and nothing was changed since; its pixels were not examined.",
    );
    summary(
        unsigned(),
        quiet(),
        "This picture declares nothing about AI, and its pixels show no sign of AI generation; that is no \
         proof of where it came from.",
    );
    summary(
        unsigned(),
        unclear(),
        "Nothing certain can be said about this picture: the pixels give no clear answer.",
    );
    summary(
        unsigned(),
        Detection::NotApplicable(Inapplicable::Domain(Applicability::Tiny)),
        "Nothing certain can be said about this picture: the picture is too small for the models to judge.",
    );
    summary(
        unsigned(),
        Detection::Failed(Failure::Damaged),
        "This picture could not be examined: the pixels cannot be decoded, the file is damaged.",
    );
    let mut film = evidence(
        unsigned(),
        Detection::NotApplicable(Inapplicable::UnsupportedKind),
    );
    film.subject.kind = Kind::Mp4;
    assert_eq!(
        judged(&film).summary,
        "This file could not be examined: this build examines no pixels of video/mp4 files."
    );
}

#[test]
fn a_summary_does_not_say_that_nothing_is_declared_where_nobody_could_read() {
    let not_checked = Provenance {
        manifest: ManifestState::NotChecked,
        ..unsigned()
    };
    summary(
        not_checked,
        alarm(),
        "What this picture says was not looked at, but its pixels speak clearly for AI generation.",
    );
    let malformed = Provenance {
        manifest: ManifestState::Malformed {
            detail: "bad box".to_owned(),
        },
        ..unsigned()
    };
    summary(
        malformed,
        quiet(),
        "Nothing that can be read in this picture declares AI, and its pixels show no sign of AI generation; \
         that is no proof of where it came from.",
    );
}

#[test]
fn a_claim_that_is_not_believed_says_why() {
    let mut provenance = capture();
    provenance.signer.status = SignerStatus::Revoked;
    provenance.time = Time::ExpiredNoStamp {
        not_after: Timestamp(0),
    };
    let verdict = judged(&evidence(provenance, quiet()));
    assert_eq!(
        text(&verdict, ReasonCode::OriginNotProven),
        "The file claims that a camera took the picture; the claim is not believed because the credential of \
         its signer (\"Example Cameras\") was revoked, and because the signer's credential ended on 1970-01-01 \
         and no trusted time stamp shows that it was used before."
    );
}

#[test]
fn each_state_of_a_manifest_has_its_sentence() {
    for (manifest, code) in [
        (ManifestState::None, ReasonCode::ManifestAbsent),
        (ManifestState::Unsupported, ReasonCode::ManifestUnsupported),
        (
            ManifestState::NotChecked,
            ReasonCode::ProvenanceNotRequested,
        ),
        (
            ManifestState::Malformed {
                detail: "x".to_owned(),
            },
            ReasonCode::ManifestMalformed,
        ),
        (
            ManifestState::RemoteNotFetched {
                url: "x".to_owned(),
            },
            ReasonCode::ManifestRemoteNotFetched,
        ),
    ] {
        let provenance = Provenance {
            manifest,
            ..unsigned()
        };
        text(&judged(&evidence(provenance, quiet())), code);
    }
}

#[test]
fn a_credential_without_a_claim_still_says_what_is_wrong_with_it() {
    let signature = Signature::Broken(vec![code("claimSignature.mismatch")]);
    let verdict = judged(&evidence(
        Provenance {
            signature,
            ..signed()
        },
        quiet(),
    ));
    assert_eq!(
        text(&verdict, ReasonCode::SignatureBroken),
        "The file carries a credential, but its signature does not hold (claimSignature.mismatch)."
    );
}

#[test]
fn the_medium_speaks_last() {
    let mut found = evidence(unsigned(), quiet());
    found.subject.kind = Kind::Gif;
    found.subject.declared_kind = Some(Kind::Png);
    found.subject.frames = 40;
    found.subject.trailing_bytes = 12;
    found.provenance.identity = vec![Identity {
        status: IdentityStatus::Invalid,
        name: Some("Ann".to_owned()),
    }];
    let verdict = judged(&found);
    text(&verdict, ReasonCode::IdentityInvalid);
    let last: Vec<&str> = verdict
        .reasons
        .iter()
        .rev()
        .take(3)
        .map(|reason| reason.text.as_str())
        .collect();
    assert_eq!(
        last,
        [
            "12 bytes follow the end of the picture.",
            "The name or the sender says image/png, but the bytes are image/gif.",
            "Only the first of 40 frames was examined.",
        ]
    );
}

#[test]
fn the_deciding_reason_comes_first() {
    let first = |provenance, detection| judged(&evidence(provenance, detection)).reasons[0].code;
    assert_eq!(first(unsigned(), alarm()), ReasonCode::PixelsSynthetic);
    assert_eq!(first(unsigned(), quiet()), ReasonCode::PixelsQuiet);
    assert_eq!(
        first(unproven_capture(), alarm()),
        ReasonCode::PixelsSynthetic
    );
    assert_eq!(first(capture(), alarm()), ReasonCode::OriginAgainstPixels);
    assert_eq!(first(capture(), quiet()), ReasonCode::OriginProven);
    assert_eq!(first(ai_made(), alarm()), ReasonCode::AiDeclaredInManifest);
}

#[test]
fn an_alarm_states_its_false_alarm_rate() {
    let verdict = judged(&evidence(unsigned(), alarm()));
    assert_eq!(
        text(&verdict, ReasonCode::PixelsSynthetic),
        "The pixels speak clearly for AI generation; at most 0.50 % of pictures not made by AI score this high."
    );
    let verdict = judged(&evidence(unsigned(), scored(5.0, None)));
    assert!(text(&verdict, ReasonCode::PixelsUnclear).contains("never measured"));
}

/// Every sentence for a wide choice of evidence: whole, bounded, and without the words we do not use.
#[test]
fn sentences_are_whole_and_never_say_authentic() {
    let long = "x".repeat(5_000);
    let mut shouting = ai_made();
    shouting.ai.generator = Some(long.clone());
    let mut unknown = unproven_capture();
    unknown.signer.organisation = Some(long.clone());
    let content = Content::Altered(vec![code(&long)]);
    let altered = Provenance {
        content,
        ..unknown.clone()
    };
    let malformed = Provenance {
        manifest: ManifestState::Malformed {
            detail: long.clone(),
        },
        ..unsigned()
    };
    let all = [
        shouting,
        unknown,
        altered,
        malformed,
        capture(),
        creation(),
        ai_edited(),
        unsigned(),
        signed(),
    ];
    for provenance in all {
        for detection in [
            alarm(),
            suspicious(),
            unclear(),
            quiet(),
            Detection::Failed(Failure::NotFinite),
        ] {
            let mut found = evidence(provenance.clone(), detection);
            sound(&judged(&found));
            found.known = vec![Known {
                list: long.clone(),
                kind: KnownKind::Fake,
                matched: KnownMatch::Pdq { distance: 3 },
                label: Some(long.clone()),
            }];
            sound(&judged(&found));
        }
    }
}

fn sound(verdict: &Verdict) {
    assert!(!verdict.reasons.is_empty());
    let reasons = verdict.reasons.iter().map(|Reason { text, .. }| text);
    for sentence in reasons.chain([&verdict.summary]) {
        assert!(
            sentence.starts_with(char::is_uppercase) && sentence.ends_with('.'),
            "{sentence}"
        );
        assert!(
            !sentence.contains("..") && !sentence.contains("  "),
            "{sentence}"
        );
        assert!(sentence.chars().count() < 600, "{sentence}");
        let lower = sentence.to_lowercase();
        for word in ["authentic", "genuine", " fake", " real "] {
            assert!(!lower.contains(word), "{sentence}");
        }
    }
}
