//! Why the detector cannot start or answer, in words that say what to do about it.

use std::path::PathBuf;

use media::Fault;

use crate::provider::Provider;

/// What an operator does when the library is missing.
const GET_RUNTIME: &str =
    "run `cargo xtask setup`, or set ORT_DYLIB_PATH to an ONNX Runtime of version 1.24 or later";

/// Why the detector could not be loaded, or could not answer.
#[derive(Debug, thiserror::Error)]
pub enum DetectorError {
    /// No ONNX Runtime library is at the place where it is looked for.
    #[error("ONNX Runtime is missing: {}; {GET_RUNTIME}", missing(.path))]
    RuntimeMissing {
        /// Where it was looked for; `None` when nobody named a place.
        path: Option<PathBuf>,
    },
    /// The file is no ONNX Runtime this machine can load.
    #[error("{} cannot be loaded as ONNX Runtime ({detail}); {GET_RUNTIME}", .path.display())]
    RuntimeUnusable {
        /// The library's path.
        path: PathBuf,
        /// The loader's words.
        detail: String,
    },
    /// The library is too old for this program.
    #[error("{} is ONNX Runtime {found}, too old for this program; {GET_RUNTIME}", .path.display())]
    RuntimeVersion {
        /// The library's path.
        path: PathBuf,
        /// The version it names.
        found: String,
    },
    /// One process holds one ONNX Runtime, and another one is already loaded.
    #[error("ONNX Runtime is already loaded from {}, so {} cannot be used; restart to change it", .loaded.display(), .asked.display())]
    RuntimeInUse {
        /// The library in use.
        loaded: PathBuf,
        /// The library asked for.
        asked: PathBuf,
    },
    /// The folder of model cards cannot be read.
    #[error("the models folder {} cannot be read ({detail}); name a folder that holds <name>.toml cards", .path.display())]
    ModelsDirMissing {
        /// The folder.
        path: PathBuf,
        /// The operating system's words.
        detail: String,
    },
    /// The folder holds no card.
    #[error("no model is installed: {} holds no <name>.toml card", .path.display())]
    NoModels {
        /// The folder.
        path: PathBuf,
    },
    /// A card breaks a rule of [`crate::Card`].
    #[error("the model card {} is not valid: {detail}", .path.display())]
    CardInvalid {
        /// The card.
        path: PathBuf,
        /// The rule and the value that breaks it.
        detail: String,
    },
    /// The file that a card names cannot be read.
    #[error("the model file {} cannot be read ({detail}); install it beside its card", .path.display())]
    ModelMissing {
        /// The model file.
        path: PathBuf,
        /// The operating system's words.
        detail: String,
    },
    /// The bytes are not those the card was written for.
    #[error("the model file {} has SHA-256 {found}, its card says {expected}; install the file again", .path.display())]
    ModelDigest {
        /// The model file.
        path: PathBuf,
        /// What the card says.
        expected: media::Digest,
        /// What the bytes hash to.
        found: media::Digest,
    },
    /// The bytes are no model that this program is willing to load.
    #[error("the model file {} is refused: {detail}", .path.display())]
    ModelDamaged {
        /// The model file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The graph's inputs or outputs are not those on the card.
    #[error("the model file {} does not fit its card: {detail}", .path.display())]
    ModelShape {
        /// The model file.
        path: PathBuf,
        /// What the card says and what the graph has.
        detail: String,
    },
    /// The requested execution provider cannot run the model. Nothing falls back silently.
    #[error(
        "the execution provider {provider} cannot run the model ({detail}); use another provider or install what it needs"
    )]
    Provider {
        /// What was asked for.
        provider: Provider,
        /// ONNX Runtime's words.
        detail: String,
    },
    /// The operating system gave no thread.
    #[error("no inference thread could be started: {0}")]
    Threads(#[source] std::io::Error),
    /// Running a model failed.
    #[error("inference failed: {0}")]
    Inference(String),
    /// A model's answer is not what its card says.
    #[error(
        "the model {model} answered otherwise than its card says ({detail}); correct the card's [output]"
    )]
    Output {
        /// Name on the card.
        model: String,
        /// What the answer was.
        detail: String,
    },
    /// A model answered with NaN or infinity.
    #[error("the model {model} gave a score that is not finite")]
    NotFinite {
        /// Name on the card.
        model: String,
    },
}

impl DetectorError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::RuntimeMissing { .. }
            | Self::RuntimeUnusable { .. }
            | Self::RuntimeVersion { .. }
            | Self::RuntimeInUse { .. }
            | Self::ModelsDirMissing { .. }
            | Self::NoModels { .. }
            | Self::CardInvalid { .. }
            | Self::ModelMissing { .. }
            | Self::ModelDigest { .. }
            | Self::ModelDamaged { .. }
            | Self::ModelShape { .. }
            | Self::Provider { .. }
            | Self::Output { .. }
            | Self::Threads(_) => Fault::Operator,
            Self::Inference(_) | Self::NotFinite { .. } => Fault::Bug,
        }
    }

    /// The stable word for this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RuntimeMissing { .. } => "runtime_missing",
            Self::RuntimeUnusable { .. } => "runtime_unusable",
            Self::RuntimeVersion { .. } => "runtime_version",
            Self::RuntimeInUse { .. } => "runtime_in_use",
            Self::ModelsDirMissing { .. } => "models_dir_missing",
            Self::NoModels { .. } => "no_models",
            Self::CardInvalid { .. } => "card_invalid",
            Self::ModelMissing { .. } => "model_missing",
            Self::ModelDigest { .. } => "model_digest",
            Self::ModelDamaged { .. } => "model_damaged",
            Self::ModelShape { .. } => "model_shape",
            Self::Provider { .. } => "provider",
            Self::Threads(_) => "threads",
            Self::Output { .. } => "model_output",
            Self::Inference(_) => "inference",
            Self::NotFinite { .. } => "not_finite",
        }
    }
}

fn missing(path: &Option<PathBuf>) -> String {
    match path {
        Some(path) => format!("there is no file {}", path.display()),
        None => "no library was found".to_owned(),
    }
}
