//! Writes a C2PA manifest: bytes in, bytes out. Small on purpose: no thumbnail, no room to spare.
//!
//! This file and `read.rs` alone name the c2pa crate.

use std::{
    io::Cursor,
    sync::{Arc, Mutex, PoisonError},
};

use c2pa::{Builder, BuilderIntent, Context, DigitalSourceType, SigningAlg};
use media::{Limits, Media, Name};
use serde_json::{Value, json};

use crate::{
    error::SignError,
    finding::{Content, ManifestState, Signature},
    judge::Judge,
    profile::Profile,
    signer::{Algorithm, Signer, TimeStamper, checked_signature},
    stamp::StampRequest,
    time::Timestamp,
    trust::TrustStore,
};

/// What to sign and what to say about it.
#[derive(Clone, Copy)]
pub struct SignRequest<'a> {
    /// How the picture came to be.
    pub profile: Profile,
    /// Its title.
    pub title: Option<&'a str>,
    /// Who made it; goes into `cawg.metadata` as `dc:creator`.
    pub author: Option<&'a str>,
    /// Whether training and data mining are forbidden (`cawg.training-mining`).
    pub no_train: bool,
    /// The picture it was made from. With an edit profile and no parent, the file itself, as it was
    /// before signing, becomes the parent.
    pub parent: Option<&'a Media>,
    /// Whether the manifest goes into a file of its own instead of into the picture.
    pub sidecar: bool,
    /// The time stated for the action. Unverified by readers.
    pub now: Timestamp,
}

/// A signed picture.
#[derive(Debug)]
pub struct Signed {
    /// The picture with its manifest, or as it was when a sidecar was asked for.
    pub asset: Vec<u8>,
    /// The manifest store.
    pub manifest: Vec<u8>,
}

/// Signs `media`, with a time stamp if there is a `stamper`, and checks the result with our own judge.
///
/// # Errors
///
/// [`SignError`]; nothing is written anywhere in that case.
pub fn sign(
    media: &Media,
    request: &SignRequest<'_>,
    signer: &dyn Signer,
    stamper: Option<&dyn TimeStamper>,
) -> Result<Signed, SignError> {
    let format = media.kind.mime();
    if !Builder::supported_mime_types()
        .iter()
        .any(|known| known == format)
    {
        return Err(SignError::UnsupportedKind { mime: format });
    }
    let judge = Judge::new(TrustStore::empty()).map_err(library)?;
    check_history(&judge, media, request)?;
    let mut builder = builder(media, request)?;
    let mut asset = Cursor::new(Vec::new());
    let pen = Pen {
        signer,
        stamper,
        now: request.now,
        failure: Mutex::new(None),
    };
    let mut source = Cursor::new(media.bytes());
    let written = builder.sign(&pen, format, &mut source, &mut asset);
    let manifest = written.map_err(|error| pen.failure(error))?;
    let signed = Signed {
        asset: if request.sidecar {
            media.bytes().to_vec()
        } else {
            asset.into_inner()
        },
        manifest,
    };
    verify(&judge, media, &signed, request)?;
    Ok(signed)
}

/// A file with a history may only be signed in a way that keeps it.
fn check_history(judge: &Judge, media: &Media, request: &SignRequest<'_>) -> Result<(), SignError> {
    let before = judge.judge(media, None, request.now);
    match (before.manifest, request.profile) {
        (ManifestState::Malformed { detail }, _) => Err(SignError::BrokenHistory(detail)),
        (ManifestState::Embedded, Profile::Photo | Profile::Ai) => Err(SignError::AlreadySigned),
        (
            ManifestState::Embedded
            | ManifestState::None
            | ManifestState::Sidecar
            | ManifestState::RemoteNotFetched { .. }
            | ManifestState::Unsupported
            | ManifestState::NotChecked,
            _,
        ) => Ok(()),
    }
}

fn builder(media: &Media, request: &SignRequest<'_>) -> Result<Builder, SignError> {
    let context = Arc::new(Context::new().with_settings(SETTINGS).map_err(library)?);
    let mut definition = json!({
        "claim_generator_info": [{ "name": "bonafide", "version": env!("CARGO_PKG_VERSION") }],
    });
    if let Some(title) = request.title {
        definition["title"] = Value::from(title);
    }
    let mut builder = Builder::from_shared_context(&context)
        .with_definition(definition.to_string())
        .map_err(library)?;
    builder.set_no_embed(request.sidecar);
    builder.set_intent(intent(request.profile));
    add_parent(&mut builder, media, request)?;
    add_edit(&mut builder, request)?;
    add_metadata(&mut builder, request)?;
    Ok(builder)
}

fn intent(profile: Profile) -> BuilderIntent {
    match profile {
        Profile::Photo => BuilderIntent::Create(DigitalSourceType::DigitalCapture),
        Profile::Ai => BuilderIntent::Create(DigitalSourceType::TrainedAlgorithmicMedia),
        Profile::AiEdit | Profile::Edit => BuilderIntent::Edit,
    }
}

fn add_parent(
    builder: &mut Builder,
    media: &Media,
    request: &SignRequest<'_>,
) -> Result<(), SignError> {
    let parent = match request.profile {
        Profile::Photo | Profile::Ai => return Ok(()),
        Profile::Edit | Profile::AiEdit => request.parent.unwrap_or(media),
    };
    let ingredient = json!({ "title": parent.name.display, "relationship": "parentOf" });
    builder
        .add_ingredient_from_stream(
            ingredient.to_string(),
            parent.kind.mime(),
            &mut Cursor::new(parent.bytes()),
        )
        .map(|_| ())
        .map_err(library)
}

/// The edit itself; the library adds `c2pa.opened` for the parent.
fn add_edit(builder: &mut Builder, request: &SignRequest<'_>) -> Result<(), SignError> {
    let source_type = match request.profile {
        Profile::Photo | Profile::Ai => return Ok(()),
        Profile::Edit => DigitalSourceType::HumanEdits,
        Profile::AiEdit => DigitalSourceType::CompositeWithTrainedAlgorithmicMedia,
    };
    let action = json!({
        "action": "c2pa.edited",
        "digitalSourceType": source_type,
        "when": request.now.to_rfc3339(),
    });
    builder.add_action(action).map(|_| ()).map_err(library)
}

fn add_metadata(builder: &mut Builder, request: &SignRequest<'_>) -> Result<(), SignError> {
    if let Some(author) = request.author {
        let metadata = json!({
            "@context": { "dc": "http://purl.org/dc/elements/1.1/" },
            "dc:creator": [author],
        });
        builder
            .add_assertion_json("cawg.metadata", &metadata)
            .map_err(library)?;
    }
    if request.no_train {
        let entries: serde_json::Map<String, Value> = FORBIDDEN_USES
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "use": "notAllowed" })))
            .collect();
        builder
            .add_assertion_json("cawg.training-mining", &json!({ "entries": entries }))
            .map_err(library)?;
    }
    Ok(())
}

/// The new file must be intact and its signature sound by our own reading.
fn verify(
    judge: &Judge,
    media: &Media,
    signed: &Signed,
    request: &SignRequest<'_>,
) -> Result<(), SignError> {
    let limits = Limits {
        max_bytes: u64::MAX,
        ..Limits::default()
    };
    let name = Name::from_text(&media.name.display);
    let written = Media::from_bytes(name, None, signed.asset.clone(), &limits).map_err(library)?;
    let sidecar = request.sidecar.then_some(signed.manifest.as_slice());
    let found = judge.judge(&written, sidecar, request.now);
    if found.content == Content::Intact && found.signature == Signature::Ok {
        return Ok(());
    }
    let codes: Vec<&str> = found
        .codes
        .failure
        .iter()
        .map(|code| code.0.as_str())
        .collect();
    Err(SignError::NotVerified(codes.join(", ")))
}

/// A signer in the library's hand. The library keeps only the text of an error; the error itself waits
/// here.
struct Pen<'a> {
    signer: &'a dyn Signer,
    stamper: Option<&'a dyn TimeStamper>,
    now: Timestamp,
    failure: Mutex<Option<SignError>>,
}

impl Pen<'_> {
    /// Keeps what went wrong on our side.
    fn keep(&self, error: SignError) -> c2pa::Error {
        let text = error.to_string();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        c2pa::Error::OtherError(text.into())
    }

    /// What went wrong: our own error where there is one.
    fn failure(self, error: c2pa::Error) -> SignError {
        let kept = self.failure.into_inner();
        kept.unwrap_or_else(PoisonError::into_inner)
            .unwrap_or_else(|| library(error))
    }

    fn stamp(&self, stamper: &dyn TimeStamper, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let request = StampRequest::new(message, self.now)?;
        let response = stamper.stamp(&request)?;
        request.check(&response)?;
        Ok(response)
    }
}

impl c2pa::Signer for Pen<'_> {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        checked_signature(self.signer, data).map_err(|error| self.keep(error))
    }

    fn alg(&self) -> SigningAlg {
        match self.signer.algorithm() {
            Algorithm::Ed25519 => SigningAlg::Ed25519,
            Algorithm::Es256 => SigningAlg::Es256,
        }
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        Ok(self.signer.chain().to_vec())
    }

    fn reserve_size(&self) -> usize {
        let chain = self.signer.chain().iter().map(Vec::len);
        let stamp = self.stamper.map_or(0, |_| STAMP_BYTES);
        chain.fold(COSE_OVERHEAD_BYTES + stamp, usize::saturating_add)
    }

    fn time_authority_url(&self) -> Option<String> {
        None
    }

    /// The library's own request would open a socket outside our settings.
    fn send_timestamp_request(&self, message: &[u8]) -> Option<c2pa::Result<Vec<u8>>> {
        let stamper = self.stamper?;
        let response = self.stamp(stamper, message);
        Some(response.map_err(|error| self.keep(error)))
    }
}

fn library(error: impl std::fmt::Display) -> SignError {
    SignError::Library(error.to_string())
}

/// Room for a COSE_Sign1 beside its certificates. Measured: 256 is too little, the default of 10,000
/// wastes 9 KB a file.
const COSE_OVERHEAD_BYTES: usize = 1_024;

/// Room for a time stamp with its authority's certificates; those of public authorities take 5 to 8 KB.
const STAMP_BYTES: usize = 10_240;

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
