//! What the manifests say about AI and capture. An admission is believed wherever it stands.

use serde_json::Value;

use crate::{
    display::{clean, clean_option},
    finding::{Action, Ai, AiStatus, Place},
    read::RawManifest,
};

/// What a digital source type stands for (IPTC NewsCodes; C2PA 2.2, section 18.14.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceType {
    /// Made by AI as a whole.
    FullyAi,
    /// AI made or changed a part.
    PartlyAi,
    /// A camera or scanner took it.
    Capture,
    /// Anything else.
    Other,
}

impl SourceType {
    /// Reads the URI in its `http`, `https` and bare forms.
    pub(crate) fn of(uri: &str) -> Self {
        match uri
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default()
        {
            "trainedAlgorithmicMedia" | "trainedAlgorithmicData" => Self::FullyAi,
            "compositeWithTrainedAlgorithmicMedia" | "compositeSynthetic" => Self::PartlyAi,
            "digitalCapture"
            | "computationalCapture"
            | "negativeFilm"
            | "positiveFilm"
            | "print" => Self::Capture,
            _ => Self::Other,
        }
    }

    /// What a declaration of this type means, if it speaks of AI.
    pub(crate) fn declares(self) -> Option<AiStatus> {
        match self {
            Self::FullyAi => Some(AiStatus::DeclaredFull),
            Self::PartlyAi => Some(AiStatus::DeclaredPart),
            Self::Capture | Self::Other => None,
        }
    }
}

/// One declaration found in a manifest.
struct Declaration<'a> {
    status: AiStatus,
    place: Place,
    source_type: Option<String>,
    generator: Option<&'a str>,
}

/// The AI axis over every manifest of the store.
pub(crate) fn declared(manifests: &[RawManifest]) -> Ai {
    let lineage = lineage(manifests);
    let found: Vec<Declaration<'_>> = manifests
        .iter()
        .flat_map(|manifest| declarations(manifest, lineage.contains(&manifest.label.as_str())))
        .collect();
    let by_status = |status| found.iter().find(|one| one.status == status);
    let strongest = by_status(AiStatus::DeclaredFull)
        .or_else(|| by_status(AiStatus::DeclaredPart))
        .or_else(|| by_status(AiStatus::CaptureDeclared));
    strongest.map_or(
        Ai {
            status: AiStatus::NoneDeclared,
            place: None,
            digital_source_type: None,
            generator: None,
        },
        |found| Ai {
            status: found.status,
            place: Some(found.place),
            digital_source_type: found.source_type.as_deref().map(clean),
            generator: clean_option(found.generator),
        },
    )
}

/// Labels of the active manifest and of the parents it was made from, one after another. What they
/// declare holds for the whole picture; what a component declares holds for a part of it.
fn lineage(manifests: &[RawManifest]) -> Vec<&str> {
    let mut labels = Vec::new();
    let mut next = manifests.iter().find(|manifest| manifest.active);
    while let Some(manifest) = next {
        if labels.contains(&manifest.label.as_str()) {
            break;
        }
        labels.push(manifest.label.as_str());
        let parent = manifest
            .ingredients
            .iter()
            .find(|ingredient| ingredient.relationship == "parentOf");
        next = parent
            .and_then(|parent| parent.manifest.as_deref())
            .and_then(|label| manifests.iter().find(|manifest| manifest.label == label));
    }
    labels
}

fn declarations(manifest: &RawManifest, in_lineage: bool) -> Vec<Declaration<'_>> {
    let place = if manifest.active {
        Place::Active
    } else {
        Place::History
    };
    let mut found = Vec::new();
    for (agent, action) in raw_actions(manifest) {
        let source_type = text(action, "digitalSourceType");
        let kind = source_type.map_or(SourceType::Other, SourceType::of);
        let status = kind.declares().or_else(|| ai_in_words(action));
        let status = match (status, kind) {
            (Some(AiStatus::DeclaredFull), _) if !in_lineage => Some(AiStatus::DeclaredPart),
            (None, SourceType::Capture) if in_lineage => Some(AiStatus::CaptureDeclared),
            (status, _) => status,
        };
        found.extend(status.map(|status| Declaration {
            status,
            place,
            source_type: source_type.map(str::to_owned),
            generator: agent.or(manifest.claim_generator.as_deref()),
        }));
    }
    let in_ingredients = manifest.ingredients.iter().filter_map(|ingredient| {
        let source_type = ingredient.digital_source_type.as_deref()?;
        SourceType::of(source_type).declares()?;
        Some(Declaration {
            status: AiStatus::DeclaredPart,
            place,
            source_type: Some(source_type.to_owned()),
            generator: manifest.claim_generator.as_deref(),
        })
    });
    found.extend(in_ingredients);
    found.extend(by_vendor_assertion(manifest, place, in_lineage));
    found.extend(in_metadata(manifest, place, in_lineage));
    found
}

/// Adobe's early Firefly files declare AI by an assertion of their own and by nothing else.
fn by_vendor_assertion(
    manifest: &RawManifest,
    place: Place,
    in_lineage: bool,
) -> Option<Declaration<'_>> {
    let (_, value) = manifest
        .assertions
        .iter()
        .find(|(label, _)| label.starts_with("com.adobe.generative-ai"))?;
    Some(Declaration {
        status: if in_lineage {
            AiStatus::DeclaredFull
        } else {
            AiStatus::DeclaredPart
        },
        place,
        source_type: None,
        generator: text(value, "description").or(manifest.claim_generator.as_deref()),
    })
}

/// A digital source type in a metadata assertion (`c2pa.metadata`, `cawg.metadata`, `stds.iptc`).
fn in_metadata(
    manifest: &RawManifest,
    place: Place,
    in_lineage: bool,
) -> impl Iterator<Item = Declaration<'_>> {
    manifest
        .assertions
        .iter()
        .filter_map(move |(label, value)| {
            if !METADATA.iter().any(|known| label.starts_with(known)) {
                return None;
            }
            let source_type = METADATA_KEYS.iter().find_map(|key| text(value, key))?;
            let status = match (SourceType::of(source_type), in_lineage) {
                (SourceType::FullyAi, true) => AiStatus::DeclaredFull,
                (SourceType::FullyAi, false) | (SourceType::PartlyAi, _) => AiStatus::DeclaredPart,
                (SourceType::Capture, true) => AiStatus::CaptureDeclared,
                (SourceType::Capture, false) | (SourceType::Other, _) => return None,
            };
            Some(Declaration {
                status,
                place,
                source_type: Some(source_type.to_owned()),
                generator: manifest.claim_generator.as_deref(),
            })
        })
}

/// Bing's image creator of 2023 declares AI only in words.
fn ai_in_words(action: &Value) -> Option<AiStatus> {
    let words = text(action, "description")
        .or_else(|| action.pointer("/parameters/description")?.as_str())?;
    (words == "AI Generated Image").then_some(AiStatus::DeclaredFull)
}

/// The actions of a manifest for the report, strings fit for display.
pub(crate) fn actions(manifest: &RawManifest) -> Vec<Action> {
    raw_actions(manifest)
        .take(MAX_ACTIONS)
        .map(|(agent, action)| Action {
            action: clean(text(action, "action").unwrap_or_default()),
            digital_source_type: clean_option(text(action, "digitalSourceType")),
            software_agent: clean_option(agent),
            when: clean_option(text(action, "when")),
            description: clean_option(text(action, "description")),
        })
        .collect()
}

/// Every action with the tool that did it, if it names one.
fn raw_actions(manifest: &RawManifest) -> impl Iterator<Item = (Option<&str>, &Value)> {
    manifest
        .assertions
        .iter()
        .filter(|(label, _)| label.starts_with("c2pa.actions"))
        .filter_map(|(_, value)| value.get("actions")?.as_array())
        .flatten()
        .map(|action| (software_agent(action), action))
}

/// `softwareAgent` is a text in version 1 and an object with a name in version 2.
fn software_agent(action: &Value) -> Option<&str> {
    let agent = action.get("softwareAgent")?;
    agent.as_str().or_else(|| agent.get("name")?.as_str())
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// Actions shown of one manifest.
const MAX_ACTIONS: usize = 256;
const METADATA: [&str; 4] = ["c2pa.metadata", "cawg.metadata", "stds.iptc", "stds.exif"];
const METADATA_KEYS: [&str; 2] = ["Iptc4xmpExt:DigitalSourceType", "digitalSourceType"];

#[cfg(test)]
mod tests {
    use super::SourceType;

    #[test]
    fn both_schemes_and_the_bare_word_count() {
        for uri in [
            "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "trainedAlgorithmicMedia",
        ] {
            assert_eq!(SourceType::of(uri), SourceType::FullyAi, "{uri}");
        }
        let other = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia";
        assert_eq!(SourceType::of(other), SourceType::Other);
    }
}
