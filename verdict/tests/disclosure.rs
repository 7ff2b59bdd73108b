//! What the three laws are told, and what they are not.

use detector::Detection;
use provenance::{
    AiStatus, Content, LabelKind, ManifestState, Place, Provenance, Signature, SignerStatus,
    UnsignedLabel,
};
use verdict::{
    Policy, disclose,
    report::{ChinaClass, Disclosure, EuBasis, EuOrigin, Marking, OriginKind},
};

use crate::support::*;

fn disclosed(provenance: Provenance, detection: Detection) -> Disclosure {
    disclosed_by(&Policy::default(), provenance, detection)
}

fn disclosed_by(policy: &Policy, provenance: Provenance, detection: Detection) -> Disclosure {
    let evidence = evidence(provenance, detection);
    let code = verdict::decide(&evidence, policy).code;
    disclose(&evidence, code, policy)
}

fn labelled(kind: LabelKind, text: &str) -> Provenance {
    let mut provenance = unsigned();
    provenance.ai = ai(AiStatus::DeclaredFull, Place::UnsignedLabel);
    provenance.labels = vec![UnsignedLabel {
        kind,
        place: "xmp".to_owned(),
        generator: Some("Tool".to_owned()),
        text: text.to_owned(),
        ai: Some(AiStatus::DeclaredFull),
        digital_source_type: None,
    }];
    provenance
}

#[test]
fn europe_labels_declarations_and_nothing_else() {
    let check = |provenance, detection, origin, basis, label: Option<&str>| {
        let found = disclosed(provenance, detection).eu_art50;
        assert_eq!(
            (found.origin, found.basis, found.label.as_deref()),
            (origin, basis, label)
        );
    };
    check(
        ai_made(),
        quiet(),
        EuOrigin::Generated,
        EuBasis::Declared,
        Some("AI GENERATED"),
    );
    check(
        ai_edited(),
        quiet(),
        EuOrigin::Modified,
        EuBasis::Declared,
        Some("AI MODIFIED"),
    );
    check(
        unsigned(),
        alarm(),
        EuOrigin::Generated,
        EuBasis::Detected,
        None,
    );
    check(
        unsigned(),
        suspicious(),
        EuOrigin::Unknown,
        EuBasis::None,
        None,
    );
    check(unsigned(), quiet(), EuOrigin::Unknown, EuBasis::None, None);
    check(capture(), quiet(), EuOrigin::None, EuBasis::Declared, None);
    check(capture(), alarm(), EuOrigin::Unknown, EuBasis::None, None);
    check(
        unproven_capture(),
        quiet(),
        EuOrigin::Unknown,
        EuBasis::None,
        None,
    );
    let content = Content::Altered(vec![code("assertion.dataHash.mismatch")]);
    let altered = Provenance {
        content,
        ..ai_made()
    };
    check(
        altered,
        quiet(),
        EuOrigin::Generated,
        EuBasis::Declared,
        Some("AI GENERATED"),
    );
}

#[test]
fn europe_lists_the_markings_that_declare_ai() {
    assert_eq!(
        disclosed(ai_made(), quiet()).eu_art50.marking_found,
        [Marking::C2pa]
    );
    assert_eq!(disclosed(capture(), quiet()).eu_art50.marking_found, []);
    let both = Provenance {
        labels: labelled(LabelKind::Iptc, "x").labels,
        ..ai_made()
    };
    assert_eq!(
        disclosed(both, quiet()).eu_art50.marking_found,
        [Marking::C2pa, Marking::Iptc]
    );
    let found = disclosed(labelled(LabelKind::Aigc, "x"), quiet())
        .eu_art50
        .marking_found;
    assert_eq!(found, [Marking::Tc260]);
}

#[test]
fn california_is_reliable_only_with_a_trusted_signature_that_nothing_contradicts() {
    let check = |provenance, detection, kind, name: Option<&str>, signed, reliable| {
        let found = disclosed(provenance, detection).ca_ab853;
        assert_eq!(
            (
                found.origin_kind,
                found.origin_name.as_deref(),
                found.digital_signature_available,
                found.reliable
            ),
            (kind, name, signed, reliable)
        );
    };
    let name = Some("Example Cameras");
    check(
        ai_made(),
        quiet(),
        OriginKind::GenaiSystem,
        name,
        Some(true),
        true,
    );
    check(
        capture(),
        quiet(),
        OriginKind::CaptureDevice,
        name,
        Some(true),
        true,
    );
    check(
        capture(),
        alarm(),
        OriginKind::CaptureDevice,
        name,
        Some(true),
        false,
    );
    check(
        creation(),
        quiet(),
        OriginKind::Unknown,
        None,
        Some(true),
        false,
    );
    check(
        unproven_capture(),
        quiet(),
        OriginKind::Unknown,
        None,
        Some(true),
        false,
    );
    check(
        unsigned(),
        quiet(),
        OriginKind::Unknown,
        None,
        Some(false),
        false,
    );
    check(
        labelled(LabelKind::Iptc, "x"),
        quiet(),
        OriginKind::GenaiSystem,
        None,
        Some(false),
        false,
    );
    let mut unknown = ai_made();
    unknown.signer.status = SignerStatus::Unknown;
    check(
        unknown,
        quiet(),
        OriginKind::GenaiSystem,
        name,
        Some(true),
        false,
    );
    let broken = Provenance {
        signature: Signature::Broken(vec![]),
        ..ai_made()
    };
    check(
        broken,
        quiet(),
        OriginKind::GenaiSystem,
        name,
        Some(false),
        false,
    );
    // A trusted manifest that says nothing about AI does not vouch for an unsigned label beside it.
    let mut beside = Provenance {
        labels: labelled(LabelKind::Xmp, "x").labels,
        ..signed()
    };
    beside.ai = ai(AiStatus::DeclaredFull, Place::UnsignedLabel);
    check(
        beside,
        quiet(),
        OriginKind::GenaiSystem,
        None,
        Some(true),
        false,
    );
    let mut product = capture();
    product.signer.product = Some("Model 9".to_owned());
    check(
        product,
        quiet(),
        OriginKind::CaptureDevice,
        Some("Model 9"),
        Some(true),
        true,
    );
}

#[test]
fn california_does_not_guess_whether_there_is_provenance_data() {
    let check = |provenance, expected| {
        assert_eq!(
            disclosed(provenance, quiet())
                .ca_ab853
                .provenance_data_available,
            expected
        );
    };
    check(signed(), Some(true));
    check(unsigned(), Some(false));
    check(labelled(LabelKind::Iptc, "x"), Some(true));
    check(labelled(LabelKind::PngText, "x"), Some(false));
    for manifest in [
        ManifestState::NotChecked,
        ManifestState::Unsupported,
        ManifestState::Malformed {
            detail: "x".to_owned(),
        },
        ManifestState::RemoteNotFetched {
            url: "x".to_owned(),
        },
    ] {
        check(
            Provenance {
                manifest,
                ..unsigned()
            },
            None,
        );
    }
}

#[test]
fn china_has_its_classes() {
    let class = |provenance, detection| disclosed(provenance, detection).cn_gb45438.class;
    let aigc = |value| {
        labelled(
            LabelKind::Aigc,
            &format!("{{\"AIGC\":{{\"Label\":\"{value}\"}}}}"),
        )
    };
    assert_eq!(class(aigc("1"), quiet()), ChinaClass::Confirmed);
    assert_eq!(class(aigc("2"), quiet()), ChinaClass::Possible);
    assert_eq!(class(aigc("3"), quiet()), ChinaClass::Suspected);
    assert_eq!(class(aigc("AIGC"), quiet()), ChinaClass::Confirmed);
    assert_eq!(class(ai_made(), quiet()), ChinaClass::Confirmed);
    assert_eq!(
        class(labelled(LabelKind::PngText, "steps"), quiet()),
        ChinaClass::Suspected
    );
    assert_eq!(class(unsigned(), alarm()), ChinaClass::Suspected);
    assert_eq!(class(capture(), alarm()), ChinaClass::None);
    assert_eq!(class(unsigned(), quiet()), ChinaClass::None);
    let switched = Policy::from_toml("[china]\nmetadata_declaration = \"suspected\"").unwrap();
    let found = disclosed_by(&switched, ai_made(), quiet()).cn_gb45438;
    assert_eq!(found.class, ChinaClass::Suspected);
    assert_eq!(
        found.notice_zh.as_deref(),
        Some("该内容疑似由人工智能生成合成")
    );
    assert_eq!(disclosed(unsigned(), quiet()).cn_gb45438.notice_zh, None);
}

#[test]
fn china_leaves_out_a_value_with_an_escape() {
    let text = "{\"Label\":\"1\",\"ProduceID\":\"a\\\"b\"}";
    let found = disclosed(labelled(LabelKind::Aigc, text), quiet())
        .cn_gb45438
        .found;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), ["Label"]);
}

#[test]
fn china_finds_the_fields_of_a_label_that_was_cut() {
    let text = "{\"AIGC\": {\"Label\": \"1\", \"ContentProducer\":\"001191110102MAD55U9H0F10002\",\"ProduceID\":\"a1\",\"ReservedCode1\":\"unfini…";
    let found = disclosed(labelled(LabelKind::Aigc, text), quiet())
        .cn_gb45438
        .found;
    let found: Vec<_> = found
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("ContentProducer", "001191110102MAD55U9H0F10002"),
            ("Label", "1"),
            ("ProduceID", "a1")
        ]
    );
}
