//! Every code, every pair of precedence, every state of every axis.

use detector::{Applicability, Detection, Failure, Inapplicable, Skipped, Watermark, WatermarkKey};
use provenance::{
    AiStatus, Content, Defect, History, ManifestState, Origin, Place, Provenance, Signature,
    SignerStatus, Time, Uncovered, UncoveredKind, Validity,
};
use verdict::{
    Code, Evidence, Known, KnownFake, KnownKind, KnownMatch, Leaning, Policy, ReasonCode, conclude,
    decide,
};

use crate::support::*;

const SILENT: [Leaning; 4] = [
    Leaning::Suspicious,
    Leaning::Unclear,
    Leaning::OutOfDomain,
    Leaning::NotAsked,
];

fn contents() -> [Content; 4] {
    [
        Content::Intact,
        Content::Altered(vec![code("assertion.dataHash.mismatch")]),
        Content::Unbound,
        Content::Unknown,
    ]
}

/// One of each: AI-made, AI-edited, proven capture, proven creation, unproven, unstated.
fn origins() -> [Origin; 6] {
    [
        ai_made().origin(),
        ai_edited().origin(),
        capture().origin(),
        creation().origin(),
        unproven_capture().origin(),
        unsigned().origin(),
    ]
}

/// The contract once more, written the other way round: as a list of conditions in order of precedence.
fn by_contract(known: KnownFake, content: &Content, origin: &Origin, leaning: Leaning) -> Code {
    let alarm = matches!(leaning, Leaning::Synthetic | Leaning::Manipulated);
    let proven = matches!(origin, Origin::Claimed(Some(_)));
    let rules = [
        (known == KnownFake::Listed, Code::KnownFake),
        (matches!(content, Content::Altered(_)), Code::Altered),
        (proven && alarm, Code::Conflict),
        (*origin == Origin::MadeWithAi, Code::DeclaredAi),
        (*origin == Origin::EditedWithAi, Code::DeclaredAiEdit),
        (leaning == Leaning::Manipulated, Code::LikelyManipulated),
        (leaning == Leaning::Synthetic, Code::LikelyAi),
        (proven, Code::VerifiedOrigin),
        (leaning == Leaning::Quiet, Code::NoEvidenceFound),
        (SILENT.contains(&leaning), Code::Inconclusive),
        (leaning == Leaning::Unexaminable, Code::NotAnalysed),
    ];
    rules.into_iter().find(|(holds, _)| *holds).unwrap().1
}

#[test]
fn every_combination_follows_the_contract_and_every_code_is_reached() {
    let mut reached = std::collections::BTreeSet::new();
    for known in [KnownFake::Listed, KnownFake::Unlisted] {
        for content in &contents() {
            for origin in &origins() {
                for leaning in Leaning::ALL {
                    let found = conclude(known, content, origin, leaning);
                    let expected = by_contract(known, content, origin, leaning);
                    assert_eq!(
                        found, expected,
                        "{known:?} {content:?} {origin:?} {leaning:?}"
                    );
                    reached.insert(found);
                }
            }
        }
    }
    assert_eq!(reached, Code::ALL.into());
}

#[test]
fn each_code_once_through_the_front_door() {
    check(unsigned(), alarm(), Code::LikelyAi);
    check(unsigned(), suspicious(), Code::Inconclusive);
    check(unsigned(), unclear(), Code::Inconclusive);
    check(unsigned(), quiet(), Code::NoEvidenceFound);
    check(signed(), quiet(), Code::NoEvidenceFound);
    check(capture(), alarm(), Code::Conflict);
    check(creation(), alarm(), Code::Conflict);
    check(capture(), quiet(), Code::VerifiedOrigin);
    check(creation(), unclear(), Code::VerifiedOrigin);
    check(unproven_capture(), alarm(), Code::LikelyAi);
    check(unproven_capture(), quiet(), Code::NoEvidenceFound);
    for detection in [alarm(), suspicious(), unclear(), quiet()] {
        check(ai_made(), detection.clone(), Code::DeclaredAi);
        check(ai_edited(), detection, Code::DeclaredAiEdit);
    }
}

#[test]
fn absence_of_a_manifest_counts_for_nothing() {
    let states = [
        ManifestState::None,
        ManifestState::Unsupported,
        ManifestState::NotChecked,
        ManifestState::RemoteNotFetched {
            url: "https://example.org/m".to_owned(),
        },
        ManifestState::Malformed {
            detail: "bad box".to_owned(),
        },
    ];
    for manifest in states {
        for (detection, expected) in [
            (alarm(), Code::LikelyAi),
            (unclear(), Code::Inconclusive),
            (quiet(), Code::NoEvidenceFound),
        ] {
            let provenance = Provenance {
                manifest: manifest.clone(),
                ..unsigned()
            };
            check(provenance, detection, expected);
        }
    }
}

#[test]
fn only_a_failed_content_hash_is_altered() {
    let altered = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    for provenance in [capture(), ai_made(), ai_edited(), signed()] {
        check(
            Provenance {
                content: altered.clone(),
                ..provenance
            },
            quiet(),
            Code::Altered,
        );
    }
    let broken = Signature::Broken(vec![code("claimSignature.mismatch")]);
    check(
        Provenance {
            signature: broken,
            ..capture()
        },
        quiet(),
        Code::NoEvidenceFound,
    );
    for content in [Content::Unbound, Content::Unknown] {
        check(
            Provenance {
                content,
                ..capture()
            },
            quiet(),
            Code::NoEvidenceFound,
        );
    }
}

#[test]
fn an_altered_file_keeps_its_admission_as_a_reason() {
    let content = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    let verdict = check(
        Provenance {
            content,
            ..ai_made()
        },
        alarm(),
        Code::Altered,
    );
    let codes: Vec<_> = verdict.reasons.iter().map(|reason| reason.code).collect();
    use verdict::ReasonCode::{AiDeclaredInManifest, ContentAltered, PixelsSynthetic};
    assert_eq!(
        codes,
        [ContentAltered, AiDeclaredInManifest, PixelsSynthetic]
    );
}

/// Every single thing that can be wrong with a credential takes a capture claim's weight away, and none
/// takes an admission's.
#[test]
fn trust_is_asymmetric_on_every_axis() {
    type Spoil = fn(&mut Provenance);
    let faults: [(&str, Spoil); 14] = [
        ("broken signature", |p| {
            p.signature = Signature::Broken(vec![])
        }),
        ("unchecked signature", |p| p.signature = Signature::Unknown),
        ("unbound", |p| p.content = Content::Unbound),
        ("unchecked content", |p| p.content = Content::Unknown),
        ("unknown signer", |p| {
            p.signer.status = SignerStatus::Unknown
        }),
        ("revoked signer", |p| {
            p.signer.status = SignerStatus::Revoked
        }),
        ("no signer", |p| p.signer.status = SignerStatus::None),
        ("expired", |p| {
            p.time = Time::ExpiredNoStamp { not_after: NOW }
        }),
        ("not yet valid", |p| {
            p.time = Time::NotYetValid { not_before: NOW }
        }),
        ("unknown time", |p| p.time = Time::Unknown),
        ("untrusted stamp", |p| p.time = Time::UntrustedStamp(NOW)),
        ("uncovered bytes", |p| {
            p.uncovered = vec![Uncovered {
                start: 2,
                end: 9,
                what: UncoveredKind::Exclusion,
            }];
        }),
        ("history", |p| {
            let defect = Defect {
                manifest: "urn:c2pa:0".to_owned(),
                code: code("claimSignature.mismatch"),
            };
            p.history = History::Defects {
                manifests: 2,
                defects: vec![defect],
            };
        }),
        ("nameless", |p| {
            p.signer.name = None;
            p.signer.organisation = None;
        }),
    ];
    for (name, spoil) in faults {
        for (mut provenance, expected) in [
            (capture(), Code::NoEvidenceFound),
            (creation(), Code::NoEvidenceFound),
            (ai_made(), Code::DeclaredAi),
            (ai_edited(), Code::DeclaredAiEdit),
        ] {
            spoil(&mut provenance);
            let verdict = judged(&evidence(provenance, quiet()));
            assert_eq!(verdict.code, expected, "{name}");
        }
    }
}

#[test]
fn each_way_of_being_vouched_for_and_timed_proves_a_claim() {
    for status in [
        SignerStatus::C2paList,
        SignerStatus::InterimList,
        SignerStatus::AllowList,
        SignerStatus::Local,
    ] {
        let mut provenance = capture();
        provenance.signer.status = status;
        check(provenance, quiet(), Code::VerifiedOrigin);
    }
    let mut untrusted_stamp = capture();
    untrusted_stamp.time = Time::UntrustedStamp(NOW);
    untrusted_stamp.signer.validity = Some(Validity {
        not_before: NOW,
        not_after: NOW,
    });
    check(untrusted_stamp, quiet(), Code::VerifiedOrigin);
    check(
        Provenance {
            time: Time::InsideValidity,
            ..capture()
        },
        quiet(),
        Code::VerifiedOrigin,
    );
    let history = History::Ok { manifests: 3 };
    check(
        Provenance {
            history,
            ..capture()
        },
        quiet(),
        Code::VerifiedOrigin,
    );
}

/// Over all origins, contents and leanings: the word is given to a proof and to nothing else.
#[test]
fn verified_origin_needs_a_proof() {
    for content in &contents() {
        for origin in &origins() {
            for leaning in Leaning::ALL {
                let found = conclude(KnownFake::Unlisted, content, origin, leaning);
                let proven = matches!(origin, Origin::Claimed(Some(_)));
                assert!(
                    found != Code::VerifiedOrigin || proven,
                    "{origin:?} {leaning:?}"
                );
            }
        }
    }
}

#[test]
fn an_unsigned_label_is_an_admission() {
    let mut full = unsigned();
    full.ai = ai(AiStatus::DeclaredFull, Place::UnsignedLabel);
    check(full, quiet(), Code::DeclaredAi);
    let mut part = unsigned();
    part.ai = ai(AiStatus::DeclaredPart, Place::UnsignedLabel);
    check(part, alarm(), Code::DeclaredAiEdit);
    let mut camera = unsigned();
    camera.ai = ai(AiStatus::CaptureDeclared, Place::UnsignedLabel);
    check(camera, quiet(), Code::NoEvidenceFound);
}

#[test]
fn pixels_that_give_no_score() {
    let domain = |domain| Detection::NotApplicable(Inapplicable::Domain(domain));
    let cases = [
        (domain(Applicability::Tiny), Code::Inconclusive),
        (domain(Applicability::Flat), Code::Inconclusive),
        (domain(Applicability::ExtremeAspect), Code::Inconclusive),
        (domain(Applicability::InDomain), Code::Inconclusive),
        (
            Detection::NotApplicable(Inapplicable::UnsupportedKind),
            Code::NotAnalysed,
        ),
        (Detection::Failed(Failure::Damaged), Code::NotAnalysed),
        (Detection::Failed(Failure::LimitExceeded), Code::NotAnalysed),
        (Detection::Failed(Failure::Inference), Code::NotAnalysed),
        (Detection::Failed(Failure::NotFinite), Code::NotAnalysed),
        (Detection::NotRun(Skipped::NotRequested), Code::Inconclusive),
        (Detection::NotRun(Skipped::NoModel), Code::NotAnalysed),
        (Detection::NotRun(Skipped::NoRuntime), Code::NotAnalysed),
    ];
    for (detection, expected) in cases {
        check(unsigned(), detection.clone(), expected);
        check(unproven_capture(), detection.clone(), expected);
        check(capture(), detection.clone(), Code::VerifiedOrigin);
        check(ai_made(), detection, Code::DeclaredAi);
    }
}

fn known(kind: KnownKind, matched: KnownMatch) -> Known {
    Known {
        list: "press".to_owned(),
        kind,
        matched,
        label: Some("item 4".to_owned()),
    }
}

fn with_known(known: Known, provenance: Provenance, detection: Detection) -> Evidence {
    Evidence {
        known: vec![known],
        ..evidence(provenance, detection)
    }
}

#[test]
fn a_public_watermark_is_said_after_the_models_and_changes_no_verdict() {
    let mark = Watermark {
        key: WatermarkKey::Sdxl,
        z: 6.5,
    };
    for detection in [quiet(), unclear(), suspicious(), alarm()] {
        let plain = evidence(unsigned(), detection);
        let marked = Evidence {
            watermarks: vec![mark],
            ..plain.clone()
        };
        let (plain, marked) = (judged(&plain), judged(&marked));
        assert_eq!(
            (marked.code, marked.review, marked.priority),
            (plain.code, plain.review, plain.priority)
        );
        let [_, hint, ..] = marked.reasons.as_slice() else {
            panic!("{marked:#?}")
        };
        assert_eq!(hint.code, ReasonCode::PublicWatermark);
        assert!(
            hint.text.contains("Stable Diffusion XL") && hint.text.contains("anyone"),
            "{}",
            hint.text
        );
        assert_eq!(marked.reasons.len(), plain.reasons.len() + 1);
    }
}

#[test]
fn a_known_forgery_comes_before_everything() {
    let altered = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    for matched in [KnownMatch::Sha256, KnownMatch::Pdq { distance: 12 }] {
        for provenance in [
            capture(),
            ai_made(),
            unsigned(),
            Provenance {
                content: altered.clone(),
                ..signed()
            },
        ] {
            let verdict = judged(&with_known(
                known(KnownKind::Fake, matched),
                provenance,
                alarm(),
            ));
            assert_eq!(verdict.code, Code::KnownFake);
            assert!(verdict.review);
        }
    }
}

#[test]
fn a_vouched_for_match_clears_nothing() {
    for (provenance, detection) in [
        (unsigned(), alarm()),
        (capture(), alarm()),
        (unsigned(), unclear()),
    ] {
        let alone = judged(&evidence(provenance.clone(), detection.clone()));
        let trusted = known(KnownKind::Trusted, KnownMatch::Sha256);
        let with = judged(&with_known(trusted, provenance, detection));
        assert_eq!(
            (with.code, with.review, with.priority),
            (alone.code, alone.review, alone.priority)
        );
        assert_eq!(with.reasons.len(), alone.reasons.len() + 1);
    }
}

#[test]
fn a_conflict_is_looked_at_first_and_always() {
    let nothing = Policy::from_toml("[review]\ncodes = []\nsuspicious = \"ignore\"").unwrap();
    let conflict = decide(&evidence(capture(), alarm()), &nothing);
    assert!(conflict.review);
    let most_certain = scored(20.0, Some(0.0));
    let altered = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    for rival in [
        evidence(unsigned(), most_certain.clone()),
        evidence(
            Provenance {
                content: altered,
                ..signed()
            },
            most_certain.clone(),
        ),
        with_known(
            known(KnownKind::Fake, KnownMatch::Sha256),
            unsigned(),
            most_certain,
        ),
    ] {
        let rival = judged(&rival);
        assert!(
            rival.review && rival.priority < conflict.priority,
            "{rival:?}"
        );
    }
    assert_eq!(conflict.priority, 100);
}

#[test]
fn priority_follows_the_probability_where_the_pixels_decide() {
    assert_eq!(check(unsigned(), alarm(), Code::LikelyAi).priority, 76);
    assert_eq!(
        check(unsigned(), scored(0.5, Some(0.01)), Code::LikelyAi).priority,
        50
    );
    assert_eq!(
        check(unsigned(), suspicious(), Code::Inconclusive).priority,
        44
    );
    assert_eq!(
        check(unsigned(), quiet(), Code::NoEvidenceFound).priority,
        4
    );
    assert_eq!(check(ai_made(), alarm(), Code::DeclaredAi).priority, 12);
    let damaged = Detection::Failed(Failure::Damaged);
    assert_eq!(check(unsigned(), damaged, Code::NotAnalysed).priority, 35);
}

#[test]
fn review_goes_to_what_the_policy_names() {
    let review = |provenance, detection| judged(&evidence(provenance, detection)).review;
    assert!(review(unsigned(), alarm()));
    assert!(review(unsigned(), suspicious()));
    assert!(review(unsigned(), Detection::Failed(Failure::Damaged)));
    assert!(!review(unsigned(), unclear()));
    assert!(!review(unsigned(), quiet()));
    assert!(!review(ai_made(), alarm()));
    assert!(!review(capture(), suspicious()));
}

#[test]
fn the_same_evidence_gives_the_same_verdict() {
    let evidence = evidence(unproven_capture(), suspicious());
    assert_eq!(judged(&evidence), judged(&evidence));
}
