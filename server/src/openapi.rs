//! The description of the API (OpenAPI 3.1), made from the handlers themselves and from the schema of the
//! report. It is served at `/openapi.json` and committed as `docs/openapi.json`; a test fails when the two
//! differ.

use std::{collections::BTreeMap, sync::LazyLock};

use axum::{
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use utoipa::{
    IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        ContentBuilder, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, ResponseBuilder, Schema,
        Type, response,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::{error::ProblemBody, oidc::SCOPE_PREFIX, router};

/// The whole description.
pub fn openapi() -> Value {
    let description = router::described().into_openapi();
    // A description that cannot be written as JSON does not compile into a router either; the committed
    // copy would show it.
    let mut description = serde_json::to_value(description).unwrap_or_default();
    add_report(&mut description, verdict::schema());
    add_tokens(&mut description);
    description
}

/// The description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getDescription",
    tag = "service",
    responses((status = 200, description = "This description", body = Object, content_type = "application/json")),
)]
pub(crate) async fn show() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| openapi().to_string());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// What the description says of the service as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "bonafide",
        description = "One trust verdict per upload: what the file says, what its pixels show, and what follows.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(),
    ),
    tags(
        (name = "analyses", description = "Uploads and what came of them"),
        (name = "signatures", description = "Files signed with a tenant's own key"),
        (name = "service", description = "The service itself"),
    ),
    components(schemas(ProblemBody<'_>)),
    modifiers(&Keys),
)]
pub(crate) struct Description;

/// How a key or a token is sent.
struct Keys;

impl Modify for Keys {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let components = description.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A key from `bonafide admin keys new`; its scopes are named at each operation.",
            ));
        components.add_security_scheme("key", SecurityScheme::Http(bearer.build()));
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "An access token (RFC 9068) of the OpenID Connect issuer that the operator has named, if any.",
            ));
        components.add_security_scheme(TOKEN, SecurityScheme::Http(token.build()));
        let named = ApiKeyValue::with_description("X-API-Key", "The same key under another name.");
        components.add_security_scheme("named_key", SecurityScheme::ApiKey(ApiKey::Header(named)));
    }
}

/// The refusals of every operation that needs a key or a token.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        problems(&[
            ("400", "The request is not understood"),
            ("401", "No valid key or token"),
            ("403", "The key or token lacks the scope"),
            ("404", "Nothing of this tenant is at this address"),
            ("410", "Erased, or no longer kept"),
            ("429", "Too many requests; see Retry-After"),
            ("500", "A fault of ours"),
            ("503", "Not now; see Retry-After"),
        ])
    }
}

/// Those that only an upload can meet.
pub(crate) struct UploadRefusals;

impl IntoResponses for UploadRefusals {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        problems(&[
            ("408", "The body came too slowly"),
            ("413", "Larger than one file may be"),
            ("415", "Said to be something that is no medium"),
            ("422", "The Idempotency-Key was used for another upload"),
        ])
    }
}

/// Those that only a file to be signed can meet.
pub(crate) struct SigningRefusals;

impl IntoResponses for SigningRefusals {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        problems(&[
            ("408", "The body came too slowly"),
            ("413", "Larger than one file may be"),
            ("415", "Said to be something that is no medium"),
            ("422", "The file cannot be signed, or not as it is"),
        ])
    }
}

/// Those that only a heat map can meet.
pub(crate) struct HeatMapRefusals;

impl IntoResponses for HeatMapRefusals {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        problems(&[("409", "The analysis is not finished yet")])
    }
}

fn problems(of: &[(&str, &str)]) -> BTreeMap<String, RefOr<response::Response>> {
    of.iter()
        .map(|(status, what)| {
            let content =
                ContentBuilder::new().schema(Some(Ref::from_schema_name("RequestProblem")));
            let response = ResponseBuilder::new()
                .description(*what)
                .content("application/problem+json", content.build());
            ((*status).to_owned(), RefOr::T(response.build()))
        })
        .collect()
}

/// Bytes that are no text.
#[derive(ToSchema)]
#[schema(as = File, value_type = String, content_media_type = "application/octet-stream")]
#[expect(dead_code, reason = "it describes a body")]
pub(crate) struct File(Vec<u8>);

/// A report, or none yet.
pub(crate) fn report_schema() -> Schema {
    let report = OneOfBuilder::new()
        .item(Ref::from_schema_name("Report"))
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .description(Some(
            "The report, as `bonafide scan` prints it; null until the analysis is done or failed.",
        ))
        .build();
    Schema::OneOf(report)
}

/// One of the verdict words.
pub(crate) fn verdict_code() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(
            verdict::report::Code::ALL.map(verdict::report::Code::as_str),
        ))
        .build()
}

/// Puts the report's own schema, which schemars makes, beside the others: its parts become components.
fn add_report(description: &mut Value, mut report: Value) {
    let parts = report
        .as_object_mut()
        .and_then(|report| {
            report.remove("$schema");
            report.remove("$defs")
        })
        .unwrap_or_default();
    let Some(schemas) = description
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    let parts = parts.as_object().cloned().unwrap_or_default();
    for (name, mut part) in parts.into_iter().chain([(String::new(), report)]) {
        point_to_components(&mut part);
        schemas.insert(format!("Report{name}"), part);
    }
}

/// Lets a token in wherever a key is, with the scopes under their names in tokens. Written once here, so that no route
/// can forget it.
fn add_tokens(description: &mut Value) {
    let operations = description
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .filter_map(Value::as_object_mut)
        .flat_map(|methods| methods.values_mut());
    for operation in operations {
        let Some(ways) = operation.get_mut("security").and_then(Value::as_array_mut) else {
            continue;
        };
        let of_keys = ways.iter().find_map(|way| way.get("key")?.as_array());
        let scopes: Option<Vec<Value>> = of_keys.map(|scopes| {
            let words = scopes.iter().filter_map(Value::as_str);
            words
                .map(|word| format!("{SCOPE_PREFIX}{word}").into())
                .collect()
        });
        ways.extend(scopes.map(|scopes| json!({ TOKEN: scopes })));
    }
}

/// Turns `#/$defs/Name` into the component's address, everywhere in `schema`.
fn point_to_components(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            for (key, value) in keys {
                let name = value
                    .as_str()
                    .and_then(|text| text.strip_prefix("#/$defs/"));
                match name.filter(|_| key == "$ref") {
                    Some(name) => *value = format!("#/components/schemas/Report{name}").into(),
                    None => point_to_components(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Name of the security scheme of tokens.
const TOKEN: &str = "token";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_committed_description_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap();
        let committed: Value = serde_json::from_str(&committed).unwrap();
        assert!(
            committed == openapi(),
            "run `cargo xtask openapi` and commit docs/openapi.json"
        );
    }

    #[test]
    fn every_reference_leads_to_a_component() {
        let description = openapi();
        let mut references = BTreeSet::new();
        collect(&description, &mut references);
        assert!(references.len() > 20, "{references:?}");
        for reference in references {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(
                description.pointer(pointer).is_some(),
                "{reference} leads nowhere"
            );
        }
    }

    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(keys) => {
                for (key, value) in keys {
                    match value.as_str().filter(|_| key == "$ref") {
                        Some(reference) => {
                            into.insert(reference.to_owned());
                        }
                        None => collect(value, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
