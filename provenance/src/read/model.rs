//! The parts of a manifest that are shown and judged, read from its boxes in the library's place.
//!
//! The library's own model costs as much as its checks: it verifies every time stamp a second time to
//! show its time, and turns every assertion into JSON twice. What is read here is what it would have
//! read; whatever is not plain (a redaction, an icon, an unknown version, a reference into another
//! store) gives no model at all, and then the library's is taken.

use c2pa::{
    ClaimGeneratorInfo, DigitalSourceType, HashedUri, ValidationResults,
    assertions::{Actions, Metadata},
    validation_status::ValidationStatus,
};
use c2pa_cbor::Value as Cbor;
use serde::de::DeserializeOwned;
use serde_json::Value;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{RawIngredient, RawManifest, SignedManifest, convert};
use crate::jumbf::{Assertion, Payload};

/// Every manifest; which one is active and when each was signed is left open. `None` when one of them is
/// not plain.
pub(super) fn manifests(all: &[SignedManifest<'_>]) -> Option<Vec<RawManifest>> {
    all.iter()
        .map(|manifest| raw_manifest(manifest, all))
        .collect()
}

fn raw_manifest(manifest: &SignedManifest<'_>, all: &[SignedManifest<'_>]) -> Option<RawManifest> {
    let bytes = manifest.boxes.claim?;
    let claim: Cbor = c2pa_cbor::from_slice(bytes).ok()?;
    if field(&claim, "redacted_assertions").is_some() {
        return None;
    }
    let references = References::of(&claim)?;
    let (issuer, common_name) = names(manifest.cose.chain.first()?)?;
    let mut raw = RawManifest {
        label: manifest.boxes.label.to_owned(),
        active: false,
        title: optional(&claim, "dc:title")?,
        claim_generator: claim_generator(&claim, references.version)?,
        claim_version: Some(references.version),
        issuer,
        common_name,
        signed_at: None,
        assertions: Vec::new(),
        gathers_actions: references.gathers_actions(),
        ingredients: Vec::new(),
    };
    for url in references.created.iter().chain(&references.gathered) {
        let label = own_assertion(url, manifest.boxes.label)?;
        let assertion = manifest.boxes.assertion(label)?;
        if label.starts_with("c2pa.ingredient") {
            raw.ingredients.push(ingredient(assertion, manifest, all)?);
        } else if let Some(value) = shown(assertion)? {
            raw.assertions.push((label.to_owned(), value));
        }
    }
    Some(raw)
}

/// The assertions that a claim lists, and its version, which the lists decide (C2PA 2.2, section 10.3).
struct References {
    version: u8,
    created: Vec<String>,
    gathered: Vec<String>,
}

impl References {
    fn of(claim: &Cbor) -> Option<Self> {
        let list = |name| match optional::<Vec<HashedUri>>(claim, name)? {
            Some(all) => all.iter().map(plain).collect::<Option<_>>().map(Some),
            None => Some(None),
        };
        let [first, created, gathered] = [
            list("assertions")?,
            list("created_assertions")?,
            list("gathered_assertions")?,
        ];
        let (version, created, gathered) = match (first, created) {
            (Some(all), None) => (1, all, Vec::new()),
            (None, Some(created)) => (2, created, gathered.unwrap_or_default()),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let is_listed_twice = gathered.iter().any(|url| created.contains(url));
        (!is_listed_twice).then_some(Self {
            version,
            created,
            gathered,
        })
    }

    fn gathers_actions(&self) -> bool {
        self.version != 1 && self.gathered.iter().any(|url| url.contains(ACTIONS))
    }
}

fn claim_generator(claim: &Cbor, version: u8) -> Option<Option<String>> {
    const INFO: &str = "claim_generator_info";
    let info: Option<ClaimGeneratorInfo> = if version == 1 {
        optional::<Vec<ClaimGeneratorInfo>>(claim, INFO)?.and_then(|all| all.into_iter().next())
    } else {
        Some(optional(claim, INFO)??)
    };
    match info {
        Some(info) if info.icon.is_some() => None,
        Some(info) => Some(Some(convert::generator(&info))),
        None => optional(claim, "claim_generator"),
    }
}

/// Organisation and common name of the signer, as the library reads them.
fn names(leaf: &[u8]) -> Option<(Option<String>, Option<String>)> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let text = |name: Option<&str>| name.map(str::to_owned);
    let organisation = leaf.subject().iter_organization().last();
    let common_name = leaf.subject().iter_common_name().last();
    Some((
        text(organisation.and_then(|name| name.as_str().ok())),
        text(common_name.and_then(|name| name.as_str().ok())),
    ))
}

/// The value of an assertion that is shown; `Some(None)` for thumbnails, hashes and other data that are
/// not.
fn shown(assertion: &Assertion<'_>) -> Option<Option<Value>> {
    let label = assertion.base_label();
    match assertion.payload {
        // Identities are judged while the library makes its model.
        _ if label.starts_with("cawg.identity") => None,
        Payload::Other if label.starts_with(ACTIONS) || label.ends_with(".metadata") => None,
        Payload::Other => Some(None),
        _ if label.starts_with("c2pa.thumbnail") || label == "c2pa.assertion.metadata" => None,
        Payload::Cbor(bytes) if label == ACTIONS || label == ACTIONS_V2 => actions(bytes).map(Some),
        Payload::Cbor(_) if HASHES.contains(&label) => Some(None),
        Payload::Json(bytes) if label.ends_with(".metadata") => {
            let metadata: Metadata = serde_json::from_slice(bytes).ok()?;
            serde_json::to_value(metadata).ok().map(Some)
        }
        _ if label.starts_with(ACTIONS) || label.ends_with(".metadata") => None,
        Payload::Cbor(bytes) => json(c2pa_cbor::from_slice(bytes).ok()?).map(Some),
        Payload::Json(bytes) => serde_json::from_slice(bytes).ok().map(Some),
    }
}

fn actions(bytes: &[u8]) -> Option<Value> {
    let actions: Actions = c2pa_cbor::from_slice(bytes).ok()?;
    let value = serde_json::to_value(actions).ok()?;
    let list = |name| {
        value
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let has_icon =
        |step: &Value| step.get("icon").is_some() || step.pointer("/softwareAgent/icon").is_some();
    let plain = !list("actions").any(has_icon) && !list("templates").any(has_icon);
    plain.then_some(value)
}

/// CBOR as JSON, where it has one.
fn json(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(value) => Value::from(value),
        Cbor::Integer(value) => Value::from(value),
        Cbor::Float(value) => Value::from(value),
        Cbor::Bytes(value) => Value::from(value),
        Cbor::Text(value) => Value::from(value),
        Cbor::Array(list) => Value::Array(list.into_iter().map(json).collect::<Option<_>>()?),
        Cbor::Map(map) => {
            let mut object = serde_json::Map::new();
            for (key, value) in map {
                let Cbor::Text(key) = key else { return None };
                object.insert(key, json(value)?);
            }
            Value::Object(object)
        }
        Cbor::Tag(..) => return None,
    })
}

fn ingredient(
    assertion: &Assertion<'_>,
    owner: &SignedManifest<'_>,
    all: &[SignedManifest<'_>],
) -> Option<RawIngredient> {
    let Payload::Cbor(bytes) = assertion.payload else {
        return None;
    };
    let value: Cbor = c2pa_cbor::from_slice(bytes).ok()?;
    let version = INGREDIENTS
        .iter()
        .position(|label| *label == assertion.base_label())?;
    let required: &[&str] = match version {
        0 => &["dc:title", "dc:format", "instanceID"],
        1 => &["dc:title", "dc:format"],
        _ => &[],
    };
    if !required.iter().all(|name| text(&value, name).is_some()) {
        return None;
    }
    for name in ["thumbnail", "data"] {
        if let Some(url) = address(&value, name)? {
            find(&url, owner, all)?;
        }
    }
    let manifest = if version == 2 {
        address(&value, "activeManifest")?
    } else {
        address(&value, "c2pa_manifest")?
    };
    let relationship = text(&value, "relationship")?;
    RELATIONSHIPS.contains(&relationship).then_some(())?;
    Some(RawIngredient {
        label: Some(assertion.label.to_owned()),
        relationship: relationship.to_owned(),
        title: optional(&value, "dc:title")?,
        manifest: match manifest {
            Some(url) => Some(manifest_of(&url)?.to_owned()),
            None => None,
        },
        recorded: if version == 2 {
            let results: Option<ValidationResults> = optional(&value, "validationResults")?;
            convert::recorded(&[], results.as_ref())
        } else {
            let flat: Option<Vec<ValidationStatus>> = optional(&value, "validationStatus")?;
            convert::recorded(flat.as_deref().unwrap_or_default(), None)
        },
        digital_source_type: if version == 2 {
            let kind: Option<DigitalSourceType> = optional(&value, "digitalSourceType")?;
            kind.and_then(|kind| convert::source_type(&kind))
        } else {
            None
        },
    })
}

/// The assertion that `url` points to, here or in another manifest.
fn find<'a>(
    url: &str,
    owner: &'a SignedManifest<'a>,
    all: &'a [SignedManifest<'a>],
) -> Option<&'a Assertion<'a>> {
    let label = manifest_of(url).unwrap_or(owner.boxes.label);
    let target = all.iter().find(|manifest| manifest.boxes.label == label)?;
    target.boxes.assertion(own_assertion(url, label)?)
}

/// The label in an address of an assertion of the manifest `manifest` (C2PA 2.2, section 11.1.4).
fn own_assertion<'a>(url: &'a str, manifest: &str) -> Option<&'a str> {
    let path = match absolute(url) {
        Some(absolute) => absolute.strip_prefix(manifest)?.strip_prefix('/')?,
        None => url.strip_prefix(HERE)?,
    };
    let label = path.strip_prefix("c2pa.assertions/")?;
    (!label.contains('/')).then_some(label)
}

/// The manifest that an absolute address names.
fn manifest_of(url: &str) -> Option<&str> {
    absolute(url)?.split('/').next()
}

/// What follows the store in an absolute address.
fn absolute(url: &str) -> Option<&str> {
    let path = url.strip_prefix(HERE)?;
    path.strip_prefix('/').unwrap_or(path).strip_prefix("c2pa/")
}

/// The address in a hashed reference, if it is one in the same store. The library cuts addresses at every
/// `=`, so one with a second is not plain.
fn plain(reference: &HashedUri) -> Option<String> {
    let url = reference.url();
    let path = url.strip_prefix(HERE)?;
    (!path.contains('=')).then_some(url)
}

/// The address in a field that may be absent; `None` when it is there and not plain.
fn address(map: &Cbor, name: &str) -> Option<Option<String>> {
    match optional::<HashedUri>(map, name)? {
        Some(reference) => plain(&reference).map(Some),
        None => Some(None),
    }
}

fn field<'a>(map: &'a Cbor, name: &str) -> Option<&'a Cbor> {
    let Cbor::Map(map) = map else { return None };
    map.get(&Cbor::Text(name.to_owned()))
}

fn text<'a>(map: &'a Cbor, name: &str) -> Option<&'a str> {
    let Cbor::Text(text) = field(map, name)? else {
        return None;
    };
    Some(text)
}

/// A field in the library's own type: `None` when it is there and does not fit.
fn optional<T: DeserializeOwned>(map: &Cbor, name: &str) -> Option<Option<T>> {
    let value = match field(map, name) {
        None | Some(Cbor::Null) => return Some(None),
        Some(value) => value,
    };
    let bytes = c2pa_cbor::to_vec(value).ok()?;
    c2pa_cbor::from_slice(&bytes).ok().map(Some)
}

/// How an address in the same store begins.
const HERE: &str = "self#jumbf=";
const ACTIONS: &str = "c2pa.actions";
const ACTIONS_V2: &str = "c2pa.actions.v2";
const INGREDIENTS: [&str; 3] = [
    "c2pa.ingredient",
    "c2pa.ingredient.v2",
    "c2pa.ingredient.v3",
];
const RELATIONSHIPS: [&str; 3] = ["parentOf", "componentOf", "inputTo"];
/// Bindings, which are not shown.
const HASHES: [&str; 4] = [
    "c2pa.hash.data",
    "c2pa.hash.boxes",
    "c2pa.hash.bmff",
    "c2pa.hash.collection.data",
];
