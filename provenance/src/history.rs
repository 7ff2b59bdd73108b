//! The edit history: every ingredient of the whole store, also what was already known to be broken
//! when it was added. The library's word hides the latter.

use crate::{
    ai::actions,
    codes::{is_about_trust_or_time, manifest_label},
    display::{clean, clean_option},
    finding::{Defect, History, Ingredient, Manifest},
    read::{Outcome, RawIngredient, RawManifest, Reading, is_failure},
};

/// The history axis. Each manifest is looked at once, however often it is referred to, so cycles and
/// diamonds cost nothing.
pub(crate) fn judge(reading: &Reading) -> History {
    let manifests = reading.manifests.len();
    let mut defects: Vec<Defect> = recorded(&reading.manifests).collect();
    defects.extend(found(reading));
    defects.sort();
    defects.dedup();
    let has_ingredients = reading.manifests.iter().any(|manifest| {
        manifest
            .ingredients
            .iter()
            .any(|one| one.manifest.is_some())
    });
    if !defects.is_empty() {
        History::Defects { manifests, defects }
    } else if has_ingredients {
        History::Ok { manifests }
    } else {
        History::None
    }
}

/// Failures written down when an ingredient was added.
fn recorded(manifests: &[RawManifest]) -> impl Iterator<Item = Defect> {
    manifests.iter().flat_map(|manifest| {
        manifest.ingredients.iter().flat_map(move |ingredient| {
            let owner = ingredient.manifest.as_ref().unwrap_or(&manifest.label);
            defects_of(ingredient).map(move |code| Defect {
                manifest: clean(owner),
                code: code.clone(),
            })
        })
    })
}

fn defects_of(ingredient: &RawIngredient) -> impl Iterator<Item = &crate::finding::StatusCode> {
    ingredient
        .recorded
        .iter()
        .filter(|code| is_failure(code) && !is_about_trust_or_time(&code.0))
}

/// Failures the library found now, by way of an ingredient.
fn found(reading: &Reading) -> impl Iterator<Item = Defect> {
    reading
        .statuses
        .iter()
        .filter(|status| status.outcome == Outcome::Failure)
        .filter(|status| status.ingredient.is_some() || status.code.0.starts_with("ingredient."))
        .filter(|status| !is_about_trust_or_time(&status.code.0))
        .map(|status| Defect {
            manifest: clean(manifest_label(&status.url).unwrap_or(&status.url)),
            code: status.code.clone(),
        })
}

/// Every manifest for the report, active first, strings fit for display.
pub(crate) fn manifests(reading: &Reading) -> Vec<Manifest> {
    reading.manifests.iter().map(manifest).collect()
}

fn manifest(raw: &RawManifest) -> Manifest {
    Manifest {
        label: clean(&raw.label),
        active: raw.active,
        title: clean_option(raw.title.as_deref()),
        claim_generator: clean_option(raw.claim_generator.as_deref()),
        claim_version: raw.claim_version,
        issuer: clean_option(raw.issuer.as_deref()),
        signed_at: clean_option(raw.signed_at.as_deref()),
        actions: actions(raw),
        ingredients: raw.ingredients.iter().map(ingredient).collect(),
    }
}

fn ingredient(raw: &RawIngredient) -> Ingredient {
    Ingredient {
        relationship: raw.relationship.clone(),
        title: clean_option(raw.title.as_deref()),
        manifest: clean_option(raw.manifest.as_deref()),
        failures: defects_of(raw).cloned().collect(),
    }
}
