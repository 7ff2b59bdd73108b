//! The one shape: every key and word of the contract, both ways, and the committed schema.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Value, json};
use verdict::{Report, schema};

const FULL: &str = include_str!("samples/full.json");
const COMMITTED: &str = include_str!("../../docs/report.schema.json");

fn full() -> Value {
    serde_json::from_str(FULL).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

#[test]
fn the_committed_schema_is_the_one_of_the_types() {
    let committed: Value = serde_json::from_str(COMMITTED).unwrap();
    assert_eq!(
        committed,
        schema(),
        "rewrite it: cargo r -p verdict --example schema > docs/report.schema.json"
    );
}

#[test]
fn a_full_report_goes_there_and_back_unchanged() {
    let report: Report = serde_json::from_str(FULL).unwrap();
    assert_eq!(serde_json::to_value(&report).unwrap(), full());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn the_schema_accepts_it_and_every_null_the_contract_allows() {
    let validator = validator();
    assert!(validator.is_valid(&full()));
    for pointer in [
        "/media/sha256",
        "/media/width",
        "/media/declared_kind",
        "/media/duration_s",
        "/provenance/validation_state",
        "/provenance/signer/assurance_level",
        "/provenance/ai/where",
        "/provenance/history/manifests",
        "/detection/probability",
        "/detection/llr",
        "/detection/models/0/llr",
        "/disclosure/eu_art50/label",
        "/disclosure/ca_ab853/provenance_data_available",
        "/disclosure/cn_gb45438/notice_zh",
        "/timing_ms/read",
        "/engine/trust_lists/0/date",
        "/error",
    ] {
        let mut report = full();
        *report.pointer_mut(pointer).unwrap() = Value::Null;
        assert!(validator.is_valid(&report), "{pointer}");
        serde_json::from_value::<Report>(report).unwrap();
    }
}

/// Takes each key away in turn. Only `media.name_hex` may be missing.
#[test]
fn the_schema_misses_every_key_but_one() {
    let validator = validator();
    let mut optional = BTreeSet::new();
    for path in object_paths(&full(), String::new()) {
        let keys: Vec<String> = full()
            .pointer(&path)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        for key in keys {
            let mut report = full();
            report
                .pointer_mut(&path)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(&key);
            if validator.is_valid(&report) {
                optional.insert(format!("{path}/{key}"));
            }
        }
    }
    // What an AIGC label holds is up to the label.
    let expected = ["/disclosure/cn_gb45438/found/Label", "/media/name_hex"];
    assert_eq!(optional, expected.map(str::to_owned).into());
}

fn object_paths(value: &Value, path: String) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, child)| (key.clone(), child))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, child)| (at.to_string(), child))
            .collect(),
        _ => return Vec::new(),
    };
    let below = children
        .into_iter()
        .flat_map(|(key, child)| object_paths(child, format!("{path}/{key}")));
    value
        .is_object()
        .then_some(path.clone())
        .into_iter()
        .chain(below)
        .collect()
}

#[test]
fn the_schema_refuses_words_and_numbers_outside_the_contract() {
    let validator = validator();
    for (pointer, wrong) in [
        ("/schema", json!("bonafide.report/2")),
        ("/verdict/code", json!("authentic")),
        ("/verdict/priority", json!(101)),
        ("/provenance/manifest", json!("missing")),
        ("/provenance/signer/assurance_level", json!(3)),
        ("/detection/status", json!("fake")),
        ("/detection/probability", json!(1.5)),
        ("/disclosure/cn_gb45438/class", json!("yes")),
        ("/provenance/uncovered/0/range", json!([1])),
        ("/media/bytes", json!(-1)),
    ] {
        let mut report = full();
        *report.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&report), "{pointer}");
    }
}

/// The closed sets, as contract/report.md spells them.
#[test]
fn the_words_are_those_of_the_contract() {
    for (definition, words) in [
        (
            "Code",
            "known_fake altered conflict declared_ai declared_ai_edit likely_manipulated likely_ai \
             verified_origin no_evidence_found inconclusive not_analysed",
        ),
        (
            "ManifestState",
            "none embedded sidecar remote_not_fetched malformed unsupported not_checked",
        ),
        ("ContentState", "intact altered unbound unknown"),
        ("SignatureState", "ok broken unknown"),
        (
            "TimeState",
            "trusted_stamp untrusted_stamp inside_validity expired_no_stamp not_yet_valid unknown",
        ),
        (
            "SignerStatus",
            "c2pa_list interim_list allow_list local unknown revoked none",
        ),
        ("HistoryStatus", "none ok defects"),
        (
            "AiStatus",
            "none_declared declared_full declared_part capture_declared",
        ),
        ("Place", "active history unsigned_label"),
        ("IdentityStatus", "trusted untrusted invalid"),
        ("ValidationState", "Trusted Valid Invalid"),
        ("UncoveredKind", "exclusion padding trailing"),
        ("LabelKind", "iptc xmp exif png_text aigc"),
        (
            "DetectionStatus",
            "likely_synthetic suspicious inconclusive no_evidence not_applicable failed not_run",
        ),
        ("KnownKind", "fake trusted"),
        ("KnownMatch", "sha256 pdq"),
        ("EuOrigin", "generated modified none unknown"),
        ("EuBasis", "declared detected human none"),
        ("OriginKind", "genai_system capture_device unknown"),
        ("ChinaClass", "confirmed possible suspected none"),
    ] {
        assert_eq!(
            enum_words(definition),
            words
                .split_whitespace()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            "{definition}"
        );
    }
}

fn enum_words(definition: &str) -> BTreeSet<String> {
    let schema = schema();
    let definition = &schema["$defs"][definition];
    let listed = definition["enum"].as_array().into_iter().flatten();
    let documented = definition["oneOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|variant| {
            variant["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(variant.get("const"))
        });
    listed
        .chain(documented)
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_reader_of_an_older_version_accepts_added_fields() {
    let mut report = full();
    report["media"]["added_later"] = json!(1);
    assert!(validator().is_valid(&report));
    serde_json::from_value::<Report>(report).unwrap();
}
