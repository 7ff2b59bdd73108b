//! What the manifest says: the profile's statement as actions, the parent, and the assertions beside them.

use std::{
    io::Cursor,
    path::Path,
    sync::{Arc, LazyLock},
};

use c2pa::{Builder, BuilderIntent, Context, DigitalSourceType};
use media::Media;
use serde_json::{Map, Value, json};

use super::{SignRequest, history::Before, library, metadata};
use crate::{
    error::SignError,
    judge::Judge,
    profile::{Generator, MAX_ASSERTIONS, Profile, Statement},
    trust::TrustStore,
};

/// Parsed once: settings cost more than a signature.
static CONTEXT: LazyLock<Result<Arc<Context>, String>> = LazyLock::new(|| {
    Context::new()
        .with_settings(SETTINGS)
        .map(Arc::new)
        .map_err(|error| error.to_string())
});

/// Reads back what was written and believes nobody; made once.
static JUDGE: LazyLock<Result<Judge, String>> =
    LazyLock::new(|| Judge::new(TrustStore::empty()).map_err(|error| error.to_string()));

/// The library's settings for writing: no network, no thumbnail.
pub(super) fn context() -> Result<&'static Arc<Context>, SignError> {
    CONTEXT.as_ref().map_err(library)
}

/// The judge that reads back what was written.
pub(super) fn judge() -> Result<&'static Judge, SignError> {
    JUDGE.as_ref().map_err(library)
}

/// Everything but the hash of the file and the signature.
pub(super) fn builder(
    media: &Media,
    request: &SignRequest<'_>,
    before: Before,
) -> Result<Builder, SignError> {
    let mut builder = Builder::from_shared_context(context()?)
        .with_definition(definition(media, request, before))
        .map_err(library)?;
    builder.set_no_embed(request.sidecar);
    builder.set_intent(intent(request.profile.statement));
    if before == Before::Credential && !request.profile.statement.creates() {
        let parent = request.parent.unwrap_or(media);
        let mut stream = Cursor::new(parent.bytes());
        builder
            .add_ingredient_from_stream(
                parent_of(parent).to_string(),
                parent.kind.mime(),
                &mut stream,
            )
            .map_err(library)?;
    }
    add_actions(&mut builder, request)?;
    add_assertions(&mut builder, media, request)?;
    Ok(builder)
}

/// The part that is plain JSON. A parent without a credential is named here, so that nobody reads it again.
fn definition(media: &Media, request: &SignRequest<'_>, before: Before) -> Value {
    let mut definition = json!({ "claim_generator_info": [own_name()] });
    if let Some(title) = request.title.or(request.profile.title.as_deref()) {
        definition["title"] = json!(title);
    }
    if before == Before::Nothing && !request.profile.statement.creates() {
        definition["ingredients"] = json!([parent_of(request.parent.unwrap_or(media))]);
    }
    definition
}

/// Who writes the claim.
pub(super) fn own_name() -> Value {
    json!({ "name": "bonafide", "version": env!("CARGO_PKG_VERSION") })
}

/// The parent by its file's name alone: folders of the signer's machine are nobody's business.
fn parent_of(parent: &Media) -> Value {
    let path = Path::new(&parent.name.display);
    let name = path.file_name().unwrap_or(path.as_os_str());
    json!({
        "title": name.to_string_lossy(),
        "format": parent.kind.mime(),
        "relationship": "parentOf",
    })
}

fn intent(statement: Statement) -> BuilderIntent {
    match statement {
        Statement::Capture => BuilderIntent::Create(DigitalSourceType::DigitalCapture),
        Statement::Ai => BuilderIntent::Create(DigitalSourceType::TrainedAlgorithmicMedia),
        // The library writes `c2pa.opened` for the parent.
        Statement::Photo | Statement::AiEdit | Statement::Edit | Statement::Publish => {
            BuilderIntent::Edit
        }
    }
}

fn add_actions(builder: &mut Builder, request: &SignRequest<'_>) -> Result<(), SignError> {
    for action in actions(request) {
        builder.add_action(action).map_err(library)?;
    }
    Ok(())
}

/// The actions that the statement amounts to; `c2pa.opened` for a parent is the library's.
fn actions(request: &SignRequest<'_>) -> Vec<Value> {
    let profile = request.profile;
    let when = request.now.to_rfc3339();
    let edits = |source_type: DigitalSourceType| -> Vec<Value> {
        let names = profile.actions.iter().map(String::as_str);
        let usual = profile.actions.is_empty().then_some("c2pa.edited");
        names
            .chain(usual)
            .map(|name| {
                let mut action = json!({
                    "action": name, "digitalSourceType": source_type, "when": when,
                });
                name_generator(&mut action, profile);
                action
            })
            .collect()
    };
    match profile.statement {
        Statement::Photo | Statement::Publish => {
            vec![json!({ "action": "c2pa.published", "when": when })]
        }
        Statement::Capture => Vec::new(),
        Statement::Ai => created_by(profile, &when),
        Statement::Edit => edits(DigitalSourceType::HumanEdits),
        Statement::AiEdit => edits(DigitalSourceType::CompositeWithTrainedAlgorithmicMedia),
    }
}

/// The library's own `c2pa.created` names no software, so it is written here where one is known.
fn created_by(profile: &Profile, when: &str) -> Vec<Value> {
    if profile.generator.is_none() {
        return Vec::new();
    }
    let mut action = json!({
        "action": "c2pa.created",
        "digitalSourceType": DigitalSourceType::TrainedAlgorithmicMedia,
        "when": when,
    });
    name_generator(&mut action, profile);
    vec![action]
}

fn name_generator(action: &mut Value, profile: &Profile) {
    if let Some(Generator { name, version }) = &profile.generator {
        let mut agent = json!({ "name": name });
        if let Some(version) = version {
            agent["version"] = json!(version);
        }
        action["softwareAgent"] = agent;
    }
}

fn add_assertions(
    builder: &mut Builder,
    media: &Media,
    request: &SignRequest<'_>,
) -> Result<(), SignError> {
    let profile = request.profile;
    let author = request.author.or(profile.author.as_deref());
    let mut add = |label: &str, data: &Value| {
        builder
            .add_assertion_json(label, data)
            .map(|_| ())
            .map_err(library)
    };
    if let Some(metadata) = metadata::assertion(profile, author, media) {
        add("cawg.metadata", &metadata)?;
    }
    if request.no_train || profile.no_train {
        let entries: Map<String, Value> = FORBIDDEN_USES
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "use": "notAllowed" })))
            .collect();
        add("cawg.training-mining", &json!({ "entries": entries }))?;
    }
    let own = || profile.assertions.iter().chain(request.assertions);
    if own().count() > MAX_ASSERTIONS {
        return Err(SignError::Profile(format!(
            "it and the request hold more than {MAX_ASSERTIONS} assertions"
        )));
    }
    own().try_for_each(|assertion| add(assertion.label(), assertion.data()))
}

const SETTINGS: &str = r#"{
    "core": { "allowed_network_hosts": [] },
    "verify": {
        "remote_manifest_fetch": false, "ocsp_fetch": false,
        "verify_after_sign": false, "verify_trust": false
    },
    "builder": { "thumbnail": { "enabled": false } }
}"#;

/// CAWG training and data mining assertion 1.1, section 3.
const FORBIDDEN_USES: [&str; 4] = [
    "cawg.ai_generative_training",
    "cawg.ai_inference",
    "cawg.ai_training",
    "cawg.data_mining",
];
