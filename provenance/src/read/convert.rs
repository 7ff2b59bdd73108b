//! The library's types turned into ours, at once and in one place.

use c2pa::{
    ClaimGeneratorInfo, DigitalSourceType, Reader, ValidationResults,
    validation_results::StatusCodes, validation_status::ValidationStatus,
};

use serde_json::Value;

use super::{Outcome, RawIngredient, RawManifest, Reading, Status};
use crate::{
    finding::{StatusCode, ValidationState},
    time::Timestamp,
};

pub(super) fn reading(reader: &Reader) -> Reading {
    let active = reader.active_label().unwrap_or_default();
    let mut manifests: Vec<RawManifest> = reader
        .iter_manifests()
        .map(|manifest| raw_manifest(manifest, active))
        .collect();
    sort(&mut manifests);
    let results = reader.validation_results();
    Reading {
        state: state(reader.validation_state()),
        checked_at: results.and_then(checked_at),
        statuses: results.map(statuses).unwrap_or_default(),
        manifests,
    }
}

/// Puts the active manifest first and the others in the order of their labels.
pub(super) fn sort(manifests: &mut [RawManifest]) {
    manifests.sort_by(|a, b| (!a.active, &a.label).cmp(&(!b.active, &b.label)));
}

/// A reading from results alone; the manifests are added by the caller.
pub(super) fn judgement(results: &ValidationResults, manifests: Vec<RawManifest>) -> Reading {
    Reading {
        state: state(results.validation_state()),
        checked_at: checked_at(results),
        statuses: statuses(results),
        manifests,
    }
}

fn state(state: c2pa::ValidationState) -> ValidationState {
    match state {
        c2pa::ValidationState::Trusted => ValidationState::Trusted,
        c2pa::ValidationState::Valid => ValidationState::Valid,
        c2pa::ValidationState::Invalid => ValidationState::Invalid,
    }
}

fn checked_at(results: &ValidationResults) -> Option<Timestamp> {
    results.validation_time().and_then(Timestamp::parse_rfc3339)
}

fn statuses(results: &ValidationResults) -> Vec<Status> {
    let mut statuses = Vec::new();
    if let Some(codes) = results.active_manifest() {
        push_statuses(&mut statuses, codes, None);
    }
    for delta in results.ingredient_deltas().into_iter().flatten() {
        let uri = delta.ingredient_assertion_uri();
        push_statuses(&mut statuses, delta.validation_deltas(), Some(uri));
    }
    statuses
}

fn push_statuses(statuses: &mut Vec<Status>, codes: &StatusCodes, ingredient: Option<&str>) {
    let groups = [
        (Outcome::Success, codes.success()),
        (Outcome::Informational, codes.informational()),
        (Outcome::Failure, codes.failure()),
    ];
    for (outcome, group) in groups {
        statuses.extend(group.iter().map(|status| Status {
            code: StatusCode(status.code().to_owned()),
            outcome,
            url: status.url().unwrap_or_default().to_owned(),
            ingredient: ingredient.map(str::to_owned),
            list: status.trust_list_uri().map(str::to_owned),
        }));
    }
}

fn raw_manifest(manifest: &c2pa::Manifest, active: &str) -> RawManifest {
    let label = manifest.label().unwrap_or_default().to_owned();
    RawManifest {
        active: label == active,
        label,
        title: manifest.title().map(str::to_owned),
        claim_generator: claim_generator(manifest),
        claim_version: manifest.claim_version(),
        issuer: manifest.issuer(),
        common_name: manifest.common_name(),
        signed_at: manifest.time(),
        assertions: assertions(manifest),
        gathers_actions: gathers_actions(manifest),
        ingredients: manifest.ingredients().iter().map(raw_ingredient).collect(),
    }
}

/// The library calls every actions assertion `c2pa.actions.v2`. The claim's references, which come in
/// the same order, have the true labels.
fn assertions(manifest: &c2pa::Manifest) -> Vec<(String, Value)> {
    let mut actions = manifest.assertion_references().filter_map(|reference| {
        let url = reference.url();
        let label = url.rsplit('/').next()?;
        label.starts_with(ACTIONS).then(|| label.to_owned())
    });
    let labelled = |assertion: &c2pa::ManifestAssertion| {
        let label = assertion.label_with_instance();
        let label = if label.starts_with(ACTIONS) {
            actions.next().unwrap_or(label)
        } else {
            label
        };
        Some((label, assertion.value().ok()?.clone()))
    };
    manifest.assertions().iter().filter_map(labelled).collect()
}

fn gathers_actions(manifest: &c2pa::Manifest) -> bool {
    manifest.claim_version() != Some(1)
        && manifest
            .assertions()
            .iter()
            .any(|assertion| !assertion.created() && assertion.label().contains(ACTIONS))
}

const ACTIONS: &str = "c2pa.actions";

fn claim_generator(manifest: &c2pa::Manifest) -> Option<String> {
    let info = manifest
        .claim_generator_info
        .as_ref()
        .and_then(|all| all.first());
    info.map(generator)
        .or_else(|| manifest.claim_generator().map(str::to_owned))
}

/// Name and version of a claim generator.
pub(super) fn generator(info: &ClaimGeneratorInfo) -> String {
    match &info.version {
        Some(version) => format!("{} {version}", info.name),
        None => info.name.clone(),
    }
}

fn raw_ingredient(ingredient: &c2pa::Ingredient) -> RawIngredient {
    RawIngredient {
        label: ingredient.label().map(str::to_owned),
        relationship: match ingredient.relationship() {
            c2pa::Relationship::ParentOf => "parentOf",
            c2pa::Relationship::ComponentOf => "componentOf",
            c2pa::Relationship::InputTo => "inputTo",
        }
        .to_owned(),
        title: ingredient.title().map(str::to_owned),
        manifest: ingredient.active_manifest().map(str::to_owned),
        recorded: recorded(
            ingredient.validation_status().unwrap_or_default(),
            ingredient.validation_results(),
        ),
        digital_source_type: ingredient.digital_source_type().and_then(source_type),
    }
}

/// The full name of a digital source type.
pub(super) fn source_type(kind: &DigitalSourceType) -> Option<String> {
    let value = serde_json::to_value(kind).ok()?;
    value.as_str().map(str::to_owned)
}

/// The codes recorded with an ingredient: version 2 ingredients carry a flat list, later ones results
/// per manifest.
pub(super) fn recorded(
    flat: &[ValidationStatus],
    results: Option<&ValidationResults>,
) -> Vec<StatusCode> {
    let own = results.and_then(|results| results.active_manifest());
    let deltas = results
        .and_then(|results| results.ingredient_deltas())
        .into_iter()
        .flatten()
        .map(|delta| delta.validation_deltas());
    let nested = own.into_iter().chain(deltas).flat_map(|codes| {
        let groups = [codes.success(), codes.informational(), codes.failure()];
        groups.into_iter().flatten()
    });
    flat.iter()
        .chain(nested)
        .map(|status| StatusCode(status.code().to_owned()))
        .collect()
}

/// Whether a status code is a failure (C2PA 2.2, section 15.2.2).
pub(crate) fn is_failure(code: &StatusCode) -> bool {
    matches!(
        c2pa::validation_status::log_kind(&code.0),
        c2pa::status_tracker::LogKind::Failure
    )
}
