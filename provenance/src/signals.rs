//! The signals of the C2PA Asset Rubrics 1.0 for one manifest: how the asset began and what was done to it.
//!
//! Written after `asset-rubric-signals-local.yml` of 2026-08-06 (C2PA, CC-BY-4.0), which judges each manifest
//! by its own words alone; the report gives the active manifest's. The ids are the rubric's, in its order. A
//! signal repeats what the manifest says. Whether that is believed, and what other manifests of the store
//! say, is for `ai.rs` and `origin.rs`; this module knows neither signers nor trust.
//!
//! "Actions" are those of the assertion labelled exactly `c2pa.actions.v2`. Version 1 actions and further
//! instances (`c2pa.actions.v2__1`) do not count, and source types are compared as whole `http` URIs: that is
//! how the rubric is written.
//!
//! | id | when |
//! |---|---|
//! | `inception:signal_blankCanvas` | `c2pa.created` or `c2pa.opened` with source type `empty` |
//! | `inception:signal_capturedMedia` | … `digitalCapture` or `computationalCapture` |
//! | `inception:signal_capturedMediaStitched` | … `compositeCapture` |
//! | `inception:signal_compositionMayContainGenAI` | … `composite` |
//! | `inception:signal_fullyGenAIMedia` | … `trainedAlgorithmicMedia` |
//! | `inception:signal_mediaUnknownProvenance` | the ingredient labelled exactly `c2pa.ingredient.v3` has no manifest |
//! | `inception:signal_nonGenAIDigitalCreation` | `c2pa.created` or `c2pa.opened` with `digitalCreation` |
//! | `inception:signal_partlyGenAICreation` | … `compositeWithTrainedAlgorithmicMedia` |
//! | `inception:signal_screenCaptureMayContainGenAI` | … `screenCapture` |
//! | `transformation:signal_ambiguousActions` | no actions, or `allActionsIncluded` is not true, or an action outside `c2pa.` or `c2pa.unknown`, or an actions assertion that a version 2 claim only gathered |
//! | `transformation:signal_nonEditorial` | an action of [`NON_EDITORIAL`] |
//! | `transformation:signal_perceptibleGenAI` | a perceptible action (neither an inception nor non-editorial) with a source type of [`GENERATIVE`] |
//! | `transformation:signal_perceptibleNonGenAI` | a perceptible action with any other source type |
//! | `transformation:signal_perceptiblePossiblyGenAI` | a perceptible action with `digitalArt` or `composite` |
//!
//! One difference is known: the c2pa crate writes a bare word (`trainedAlgorithmicMedia`) out as its URI before
//! we see it, where the rubric sees the bare word and finds nothing in it.

use serde_json::Value;

use crate::read::RawManifest;

/// The ids that hold for `manifest`, in the rubric's order.
pub(crate) fn judge(manifest: &RawManifest) -> Vec<String> {
    let facts = Facts::of(manifest);
    RULES
        .iter()
        .filter(|(_, holds)| holds(&facts))
        .map(|(id, _)| (*id).to_owned())
        .collect()
}

/// What the rules look at.
struct Facts<'a> {
    steps: Vec<Step<'a>>,
    /// The manifest says that no action was left out.
    all_included: bool,
    /// An actions assertion is not vouched for by the claim's maker.
    gathered: bool,
    /// The first ingredient has no manifest.
    unknown_ingredient: bool,
}

/// One action.
struct Step<'a> {
    action: &'a str,
    source: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn of(manifest: &'a RawManifest) -> Self {
        let assertion = manifest
            .assertions
            .iter()
            .find(|(label, _)| label == ACTIONS)
            .map(|(_, value)| value);
        let steps = assertion
            .and_then(|value| value.get("actions")?.as_array())
            .into_iter()
            .flatten()
            .filter_map(Step::of)
            .collect();
        let included = assertion.and_then(|value| value.get("allActionsIncluded"));
        let ingredient = manifest
            .ingredients
            .iter()
            .find(|ingredient| ingredient.label.as_deref() == Some(INGREDIENT));
        Self {
            steps,
            all_included: included == Some(&Value::Bool(true)),
            gathered: manifest.gathers_actions,
            unknown_ingredient: ingredient.is_some_and(|one| one.manifest.is_none()),
        }
    }

    /// Whether the asset began as one of `sources`.
    fn began_as(&self, sources: &[&str]) -> bool {
        self.steps
            .iter()
            .any(|step| step.is_inception() && step.has_source(sources))
    }

    fn perceptible(&self) -> impl Iterator<Item = &Step<'a>> {
        self.steps
            .iter()
            .filter(|step| !step.is_inception() && !step.is_non_editorial())
    }

    fn is_ambiguous(&self) -> bool {
        let unclear =
            |step: &Step<'_>| !step.action.starts_with("c2pa.") || step.action == "c2pa.unknown";
        self.steps.is_empty()
            || !self.all_included
            || self.gathered
            || self.steps.iter().any(unclear)
    }
}

impl<'a> Step<'a> {
    fn of(action: &'a Value) -> Option<Self> {
        Some(Self {
            action: action.get("action")?.as_str()?,
            source: action.get("digitalSourceType").and_then(Value::as_str),
        })
    }

    fn is_inception(&self) -> bool {
        INCEPTION.contains(&self.action)
    }

    fn is_non_editorial(&self) -> bool {
        NON_EDITORIAL.contains(&self.action)
    }

    fn has_source(&self, sources: &[&str]) -> bool {
        self.source.is_some_and(|source| sources.contains(&source))
    }
}

const ACTIONS: &str = "c2pa.actions.v2";
const INGREDIENT: &str = "c2pa.ingredient.v3";

type Rule = (&'static str, fn(&Facts<'_>) -> bool);

const RULES: [Rule; 14] = [
    ("inception:signal_blankCanvas", |facts| {
        facts.began_as(&[EMPTY])
    }),
    ("inception:signal_capturedMedia", |facts| {
        facts.began_as(&[DIGITAL_CAPTURE, COMPUTATIONAL_CAPTURE])
    }),
    ("inception:signal_capturedMediaStitched", |facts| {
        facts.began_as(&[COMPOSITE_CAPTURE])
    }),
    ("inception:signal_compositionMayContainGenAI", |facts| {
        facts.began_as(&[COMPOSITE])
    }),
    ("inception:signal_fullyGenAIMedia", |facts| {
        facts.began_as(&[TRAINED_MEDIA])
    }),
    ("inception:signal_mediaUnknownProvenance", |facts| {
        facts.unknown_ingredient
    }),
    ("inception:signal_nonGenAIDigitalCreation", |facts| {
        facts.began_as(&[DIGITAL_CREATION])
    }),
    ("inception:signal_partlyGenAICreation", |facts| {
        facts.began_as(&[COMPOSITE_WITH_TRAINED_MEDIA])
    }),
    ("inception:signal_screenCaptureMayContainGenAI", |facts| {
        facts.began_as(&[SCREEN_CAPTURE])
    }),
    ("transformation:signal_ambiguousActions", |facts| {
        facts.is_ambiguous()
    }),
    ("transformation:signal_nonEditorial", |facts| {
        facts.steps.iter().any(Step::is_non_editorial)
    }),
    ("transformation:signal_perceptibleGenAI", |facts| {
        facts.perceptible().any(|step| step.has_source(&GENERATIVE))
    }),
    ("transformation:signal_perceptibleNonGenAI", |facts| {
        facts
            .perceptible()
            .any(|step| step.source.is_some() && !step.has_source(&GENERATIVE))
    }),
    ("transformation:signal_perceptiblePossiblyGenAI", |facts| {
        facts
            .perceptible()
            .any(|step| step.has_source(&POSSIBLY_GENERATIVE))
    }),
];

const INCEPTION: [&str; 2] = ["c2pa.created", "c2pa.opened"];

/// Actions that do not change what is seen or heard.
const NON_EDITORIAL: [&str; 11] = [
    "c2pa.converted",
    "c2pa.published",
    "c2pa.repackaged",
    "c2pa.transcoded",
    "c2pa.resized.proportional",
    "c2pa.enhanced",
    "c2pa.edited.metadata",
    "c2pa.watermarked",
    "c2pa.watermarked.bound",
    "c2pa.watermarked.unbound",
    "c2pa.redacted",
];

/// Source types by which an edit says that generative AI made it.
const GENERATIVE: [&str; 4] = [
    TRAINED_MEDIA,
    COMPOSITE_WITH_TRAINED_MEDIA,
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic",
    "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
];

/// Source types that leave open whether generative AI took part.
const POSSIBLY_GENERATIVE: [&str; 2] = [
    "http://cv.iptc.org/newscodes/digitalsourcetype/digitalArt",
    COMPOSITE,
];

const EMPTY: &str = "http://c2pa.org/digitalsourcetype/empty";
const DIGITAL_CAPTURE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture";
const COMPUTATIONAL_CAPTURE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/computationalCapture";
const COMPOSITE_CAPTURE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture";
const COMPOSITE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/composite";
const TRAINED_MEDIA: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
const COMPOSITE_WITH_TRAINED_MEDIA: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";
const DIGITAL_CREATION: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation";
const SCREEN_CAPTURE: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/screenCapture";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ACTIONS, INGREDIENT, judge};
    use crate::read::{RawIngredient, RawManifest};

    const IPTC: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";

    /// A manifest that says all its actions are there.
    fn manifest(actions: &[(&str, &str)]) -> RawManifest {
        let actions: Vec<Value> = actions
            .iter()
            .map(|(action, source)| match *source {
                "" => json!({ "action": action }),
                source if source.contains(':') => {
                    json!({ "action": action, "digitalSourceType": source })
                }
                source => {
                    json!({ "action": action, "digitalSourceType": format!("{IPTC}{source}") })
                }
            })
            .collect();
        let value = json!({ "actions": actions, "allActionsIncluded": true });
        RawManifest {
            assertions: vec![(ACTIONS.to_owned(), value)],
            ..RawManifest::default()
        }
    }

    /// `expected` are ids without `signal_`, inceptions and transformations by their first letter.
    fn check(manifest: &RawManifest, expected: &[&str]) {
        let expected: Vec<String> = expected
            .iter()
            .map(|id| {
                id.replace("i:", "inception:signal_")
                    .replace("t:", "transformation:signal_")
            })
            .collect();
        assert_eq!(judge(manifest), expected);
    }

    fn check_actions(actions: &[(&str, &str)], expected: &[&str]) {
        check(&manifest(actions), expected);
    }

    #[test]
    fn the_first_action_tells_how_it_began() {
        for (source, signal) in [
            ("http://c2pa.org/digitalsourcetype/empty", "i:blankCanvas"),
            ("digitalCapture", "i:capturedMedia"),
            ("computationalCapture", "i:capturedMedia"),
            ("compositeCapture", "i:capturedMediaStitched"),
            ("composite", "i:compositionMayContainGenAI"),
            ("trainedAlgorithmicMedia", "i:fullyGenAIMedia"),
            ("digitalCreation", "i:nonGenAIDigitalCreation"),
            (
                "compositeWithTrainedAlgorithmicMedia",
                "i:partlyGenAICreation",
            ),
            ("screenCapture", "i:screenCaptureMayContainGenAI"),
        ] {
            check_actions(&[("c2pa.created", source)], &[signal]);
            check_actions(&[("c2pa.opened", source)], &[signal]);
        }
        for source in ["", "algorithmicMedia", "compositeSynthetic"] {
            check_actions(&[("c2pa.created", source)], &[]);
        }
        let https = format!("{IPTC}digitalCapture").replace("http:", "https:");
        check_actions(&[("c2pa.created", &https)], &[]);
    }

    #[test]
    fn edits_are_perceptible_unless_they_are_mechanical() {
        let (ai, other) = ("t:perceptibleGenAI", "t:perceptibleNonGenAI");
        let possibly = "t:perceptiblePossiblyGenAI";
        check_actions(&[("c2pa.edited", "trainedAlgorithmicMedia")], &[ai]);
        check_actions(&[("c2pa.placed", "compositeSynthetic")], &[ai]);
        let data = "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData";
        check_actions(&[("c2pa.edited", data)], &[ai]);
        check_actions(&[("c2pa.cropped", "humanEdits")], &[other]);
        check_actions(&[("c2pa.drawing", "digitalArt")], &[other, possibly]);
        check_actions(&[("c2pa.placed", "composite")], &[other, possibly]);
        check_actions(&[("c2pa.cropped", "")], &[]);
        check_actions(
            &[("c2pa.enhanced", "trainedAlgorithmicMedia")],
            &["t:nonEditorial"],
        );
        check_actions(
            &[
                ("c2pa.created", "digitalCapture"),
                ("c2pa.edited", "compositeWithTrainedAlgorithmicMedia"),
                ("c2pa.cropped", "humanEdits"),
                ("c2pa.published", ""),
            ],
            &["i:capturedMedia", "t:nonEditorial", ai, other],
        );
    }

    #[test]
    fn what_is_left_open_is_ambiguous() {
        let ambiguous = "t:ambiguousActions";
        let created = [("c2pa.created", "")];
        check(&RawManifest::default(), &[ambiguous]);
        check_actions(&[], &[ambiguous]);
        check_actions(&created, &[]);
        check_actions(&[("com.example.filter", "")], &[ambiguous]);
        check_actions(&[("c2pa.unknown", "")], &[ambiguous]);
        let mut gathered = manifest(&created);
        gathered.gathers_actions = true;
        check(&gathered, &[ambiguous]);
        for included in [json!(false), json!("true"), Value::Null] {
            let mut incomplete = manifest(&created);
            incomplete.assertions[0].1["allActionsIncluded"] = included;
            check(&incomplete, &[ambiguous]);
        }
    }

    #[test]
    fn only_the_first_version_2_actions_assertion_counts() {
        for label in ["c2pa.actions", "c2pa.actions.v2__1"] {
            let mut other = manifest(&[("c2pa.created", "trainedAlgorithmicMedia")]);
            other.assertions[0].0 = label.to_owned();
            check(&other, &["t:ambiguousActions"]);
        }
    }

    #[test]
    fn an_ingredient_without_a_manifest_is_of_unknown_provenance() {
        let with = |label: &str, parent: Option<&str>| RawManifest {
            ingredients: vec![RawIngredient {
                label: Some(label.to_owned()),
                manifest: parent.map(str::to_owned),
                ..RawIngredient::default()
            }],
            ..manifest(&[("c2pa.opened", "")])
        };
        check(&with(INGREDIENT, None), &["i:mediaUnknownProvenance"]);
        check(&with(INGREDIENT, Some("urn:parent")), &[]);
        check(&with("c2pa.ingredient.v3__1", None), &[]);
        check(&with("c2pa.ingredient.v2", None), &[]);
    }
}
