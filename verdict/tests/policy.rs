//! Thresholds at their edges, and policy files that are refused.

use detector::{Detection, Skipped};
use verdict::{Code, Leaning, MetadataClass, Policy, PolicyError};

use crate::support::scored;

fn lean(llr: f32, rate: Option<f32>) -> Leaning {
    Policy::default().lean(&scored(llr, rate))
}

#[test]
fn thresholds_include_their_edge() {
    assert_eq!(lean(0.1, Some(0.01)), Leaning::Synthetic);
    assert_eq!(lean(0.1, Some(0.010_001)), Leaning::Suspicious);
    assert_eq!(lean(0.1, Some(0.05)), Leaning::Suspicious);
    assert_eq!(lean(0.1, Some(0.050_001)), Leaning::Unclear);
    assert_eq!(lean(-0.7, Some(0.6)), Leaning::Quiet);
    assert_eq!(lean(-0.69, Some(0.6)), Leaning::Unclear);
}

#[test]
fn evidence_against_synthetic_is_no_alarm_however_rare() {
    assert_eq!(lean(0.0, Some(0.0)), Leaning::Unclear);
    assert_eq!(lean(-3.0, Some(0.0)), Leaning::Quiet);
}

#[test]
fn an_unmeasured_score_never_alarms() {
    assert_eq!(lean(30.0, None), Leaning::Unclear);
    assert_eq!(lean(30.0, Some(f32::NAN)), Leaning::Unclear);
    assert_eq!(lean(-3.0, None), Leaning::Quiet);
}

#[test]
fn the_id_names_the_very_thresholds() {
    let id = Policy::default().id();
    let (name, digest) = id.split_once('+').unwrap();
    assert_eq!(name, "default@1");
    assert_eq!(digest.len(), 12);
    assert_eq!(id, Policy::default().id());
    let same_values = Policy::from_toml("").unwrap();
    assert!(same_values.id().starts_with("custom@1+"));
    let stricter = Policy::from_toml("[pixels]\nalarm_rate = 0.001").unwrap();
    assert_ne!(stricter.id(), same_values.id());
}

#[test]
fn canonical_text_reads_back_as_the_same_policy() {
    let text = "name = \"press\"\nversion = 3\n[pixels]\nalarm_rate = 0.002\n[review]\ncodes = [\"altered\"]\n\
                suspicious = \"ignore\"\n[cost]\naltered = 50\n[china]\nmetadata_declaration = \"suspected\"";
    let policy = Policy::from_toml(text).unwrap();
    assert_eq!(Policy::from_toml(&policy.canonical()).unwrap(), policy);
    assert!(policy.id().starts_with("press@3+"));
    assert_eq!(policy.cost(Code::Altered), 50);
    assert_eq!(policy.china_metadata(), MetadataClass::Suspected);
    assert!(policy.reviews(Code::Altered, Leaning::Unclear));
    assert!(!policy.reviews(Code::LikelyAi, Leaning::Synthetic));
    assert!(!policy.reviews(Code::Inconclusive, Leaning::Suspicious));
    assert_eq!(policy.lean(&scored(1.0, Some(0.005))), Leaning::Suspicious);
}

#[test]
fn the_page_shows_the_default_policy_as_it_is() {
    let page = include_str!("../../docs/POLICY.md");
    assert!(
        page.contains(&Policy::default().canonical()),
        "{}",
        Policy::default().canonical()
    );
    assert!(
        page.contains(&Policy::default().id()),
        "{}",
        Policy::default().id()
    );
}

#[test]
fn unusable_policies_are_refused_by_name() {
    let refused = |text| Policy::from_toml(text).unwrap_err();
    for text in [
        "nmae = \"x\"",
        "[pixels]\nalarm = 0.01",
        "[review]\ncodes = [\"authentic\"]",
        "[cost]\nauthentic = 1",
        "[cost]\naltered = -1",
        "version = \"one\"",
        "not toml",
        "[china]\nmetadata_declaration = \"none\"",
    ] {
        assert!(matches!(refused(text), PolicyError::Toml(_)), "{text}");
    }
    for (text, key) in [
        ("[pixels]\nalarm_rate = 0.2", "pixels.alarm_rate"),
        ("[pixels]\nalarm_rate = -0.1", "pixels.alarm_rate"),
        ("[pixels]\nalarm_rate = nan", "pixels.alarm_rate"),
        ("[pixels]\nsuspicion_rate = 0.001", "pixels.suspicion_rate"),
        ("[pixels]\nsuspicion_rate = 0.6", "pixels.suspicion_rate"),
        ("[pixels]\nquiet_llr = 0.5", "pixels.quiet_llr"),
        ("[pixels]\nquiet_llr = -inf", "pixels.quiet_llr"),
    ] {
        match refused(text) {
            PolicyError::Range { key: found, .. } => assert_eq!(found, key, "{text}"),
            other => panic!("{text}: {other}"),
        }
    }
    assert!(matches!(
        refused("name = \"default\""),
        PolicyError::Name(_)
    ));
    assert!(matches!(refused("name = \"\""), PolicyError::Name(_)));
    assert!(matches!(refused("name = \"a b\""), PolicyError::Name(_)));
    assert!(matches!(
        refused("[cost]\naltered = 100"),
        PolicyError::CostOrder {
            code: Code::Altered,
            ..
        }
    ));
    assert!(matches!(
        refused("[cost]\nconflict = 95"),
        PolicyError::CostOrder {
            code: Code::Altered,
            ..
        }
    ));
    assert!(matches!(
        refused("[cost]\nconflict = 101"),
        PolicyError::Cost {
            code: Code::Conflict,
            ..
        }
    ));
}

#[test]
fn not_asking_is_told_from_not_being_able_to() {
    let policy = Policy::default();
    let not_run = |skipped| policy.lean(&Detection::NotRun(skipped));
    assert_eq!(not_run(Skipped::NotRequested), Leaning::NotAsked);
    assert_eq!(not_run(Skipped::NoModel), Leaning::Unexaminable);
    assert_eq!(not_run(Skipped::NoRuntime), Leaning::Unexaminable);
}
