//! The one file that names ONNX Runtime: loads the library once, makes sessions that are held to their card, and
//! runs one window at a time.
//!
//! Nothing falls back silently: a requested execution provider that cannot start, or cannot run a part of the model,
//! is an error. Bytes come in already hashed and checked; what a logit means is decided elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{
    LoadDynamicError,
    environment::Environment,
    ep::{self, ExecutionProvider, ExecutionProviderDispatch},
    logging::LogLevel,
    session::builder::SessionBuilder,
    value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType},
};

use crate::{
    card::{Element, Input, Layout},
    error::DetectorError,
    provider::Provider,
    store::Model,
    tensor::Tensor,
};

/// The loaded library with its one environment.
#[derive(Clone)]
pub(crate) struct Runtime(Environment);

/// One model, ready to run on one thread.
pub(crate) struct Session {
    inner: ort::session::Session,
    model: String,
    logit: String,
}

impl Runtime {
    /// Loads the library at `path`, or gives the one already loaded from there.
    ///
    /// # Errors
    ///
    /// [`DetectorError::RuntimeMissing`], [`DetectorError::RuntimeUnusable`], [`DetectorError::RuntimeVersion`] or
    /// [`DetectorError::RuntimeInUse`].
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, DetectorError> {
        let missing = || DetectorError::RuntimeMissing { path: path.map(Path::to_path_buf) };
        let path = fs::canonicalize(path.ok_or_else(missing)?).map_err(|_| missing())?;
        if !path.is_file() {
            return Err(missing());
        }
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some((at, environment)) if *at == path => Ok(Self(environment.clone())),
            Some((at, _)) => Err(DetectorError::RuntimeInUse { loaded: at.clone(), asked: path }),
            None => {
                let environment = start(&path)?;
                *loaded = Some((path, environment.clone()));
                Ok(Self(environment))
            }
        }
    }

    /// What the library says about its build.
    #[expect(clippy::unused_self, reason = "the library answers only once it is loaded, which a Runtime proves")]
    pub(crate) fn build(&self) -> &'static str {
        ort::info()
    }

    /// The providers this program can ask for that the library was built with.
    ///
    /// Whether one of them starts is seen only when a session is made.
    #[expect(clippy::unused_self, reason = "the library answers only once it is loaded, which a Runtime proves")]
    pub(crate) fn providers(&self) -> Vec<Provider> {
        let known = [
            (Provider::Cpu, ep::CPU::is_available()),
            (Provider::Cuda(0), ep::CUDA::is_available()),
            (Provider::TensorRt(0), ep::TensorRT::is_available()),
        ];
        known.into_iter().filter(|(_, built)| matches!(built, Ok(true))).map(|(provider, _)| provider).collect()
    }
}

impl Session {
    /// Loads a model on a provider and compares its inputs and outputs with the card.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Provider`], [`DetectorError::ModelDamaged`] or [`DetectorError::ModelShape`].
    pub(crate) fn new(runtime: &Runtime, model: &Model, provider: Provider) -> Result<Self, DetectorError> {
        let mut builder = builder(runtime, provider)
            .map_err(|error| DetectorError::Provider { provider, detail: brief(&error) })?;
        let inner = builder.commit_from_memory(&model.bytes).map_err(|error| match provider {
            Provider::Cpu => DetectorError::ModelDamaged { path: model.path.clone(), detail: brief(&error) },
            // The same bytes may run on the CPU; what refuses them here is the provider.
            Provider::Cuda(_) | Provider::TensorRt(_) => DetectorError::Provider { provider, detail: brief(&error) },
        })?;
        fits(&inner, model).map_err(|detail| DetectorError::ModelShape { path: model.path.clone(), detail })?;
        Ok(Self { inner, model: model.card.name.clone(), logit: model.card.output.logit.clone() })
    }

    /// Runs one window.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`], or [`DetectorError::NotFinite`] for NaN and infinity.
    pub(crate) fn logit(&mut self, window: &Tensor) -> Result<f32, DetectorError> {
        let logit = self.run(window).map_err(|error| DetectorError::Inference(brief(&error)))?;
        if logit.is_finite() { Ok(logit) } else { Err(DetectorError::NotFinite { model: self.model.clone() }) }
    }

    fn run(&mut self, window: &Tensor) -> ort::Result<f32> {
        let outputs = match window {
            Tensor::Uint8(values) => self.inner.run(ort::inputs![TensorRef::from_array_view(values)?])?,
            Tensor::Float32(values) => self.inner.run(ort::inputs![TensorRef::from_array_view(values)?])?,
        };
        let logit = outputs.get(&self.logit).map(DynValue::try_extract_scalar::<f32>);
        logit.unwrap_or_else(|| Err(ort::Error::new(format!("there is no output \"{}\"", self.logit))))
    }
}

fn start(path: &Path) -> Result<Environment, DetectorError> {
    let builder = ort::init_from(path).map_err(|error| match error {
        LoadDynamicError::BadVersion { version_str, .. } => {
            DetectorError::RuntimeVersion { path: path.into(), found: version_str }
        }
        LoadDynamicError::Dlopen { .. }
        | LoadDynamicError::MissingApi { .. }
        | LoadDynamicError::InvalidVersionString => {
            DetectorError::RuntimeUnusable { path: path.into(), detail: brief(&error) }
        }
    })?;
    let environment = builder.with_name("bonafide").with_telemetry(false).build();
    let environment = environment
        .map_err(|error| DetectorError::RuntimeUnusable { path: path.into(), detail: brief(&error) })?;
    // Below this level the library formats a line per operator, only for it to be thrown away.
    environment.set_log_level(LogLevel::Warning);
    Ok(environment)
}

/// A session of one thread that never spins: the threads are ours, one per session.
fn builder(runtime: &Runtime, provider: Provider) -> ort::Result<SessionBuilder> {
    let builder = ort::session::Session::builder(&runtime.0)?
        .with_log_level(LogLevel::Warning)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?
        // Without this the library would guess the format from the bytes, by other rules than `graph.rs`.
        .with_config_entry("session.load_model_format", "ONNX")?;
    match dispatch(provider) {
        Some(provider) => Ok(builder.with_execution_providers([provider])?.with_disable_cpu_fallback()?),
        None => Ok(builder),
    }
}

/// `None` for the CPU: it is always there, and registering it by name would switch its memory arena off.
fn dispatch(provider: Provider) -> Option<ExecutionProviderDispatch> {
    match provider {
        Provider::Cpu => None,
        // Without TF32 the scores stay within 1e-3 of those of the CPU.
        Provider::Cuda(device) => {
            Some(ep::CUDA::default().with_device_id(device.into()).with_tf32(false).build().error_on_failure())
        }
        Provider::TensorRt(device) => {
            Some(ep::TensorRT::default().with_device_id(device.into()).build().error_on_failure())
        }
    }
}

fn fits(session: &ort::session::Session, model: &Model) -> Result<(), String> {
    let card = &model.card;
    let [input] = session.inputs() else {
        return Err(format!("the graph has {} inputs, one is allowed", session.inputs().len()));
    };
    if input.name() != card.input.name {
        return Err(format!("the graph's input is called \"{}\", the card says \"{}\"", input.name(), card.input.name));
    }
    input_fits(input.dtype(), &card.input)?;
    let logit = output(session, &card.output.logit)?;
    // One window goes in, so one number must come out: every axis is 1 or left open.
    let single = |shape: &[i64]| shape.len() <= 2 && shape.iter().all(|axis| matches!(axis, -1 | 1));
    match logit.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, shape, .. } if single(shape) => {}
        other => return Err(format!("the output \"{}\" is {other}, not one float32", card.output.logit)),
    }
    card.output.patch_logits.as_deref().map_or(Ok(()), |name| match output(session, name)?.dtype() {
        ValueType::Tensor { ty: TensorElementType::Float32, .. } => Ok(()),
        other => Err(format!("the output \"{name}\" is {other}, not float32")),
    })
}

fn input_fits(graph: &ValueType, card: &Input) -> Result<(), String> {
    let element = match card.element {
        Element::Uint8 => TensorElementType::Uint8,
        Element::Float32 { .. } => TensorElementType::Float32,
    };
    let side = i64::from(card.side_px);
    let wanted = match card.layout {
        Layout::Nhwc => [1, side, side, 3],
        Layout::Nchw => [1, 3, side, side],
    };
    let fits = |shape: &[i64]| shape.len() == 4 && shape.iter().zip(wanted).all(|(has, wants)| *has == -1 || *has == wants);
    match graph {
        ValueType::Tensor { ty, shape, .. } if *ty == element && fits(shape) => Ok(()),
        other => Err(format!("the graph's input is {other}, the card says {element} {wanted:?}")),
    }
}

fn output<'s>(session: &'s ort::session::Session, name: &str) -> Result<&'s Outlet, String> {
    let found = session.outputs().iter().find(|output| output.name() == name);
    found.ok_or_else(|| format!("the graph has no output \"{name}\""))
}

/// The library's words on one line of bounded length.
fn brief(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_DETAIL_CHARS).collect()
}

/// Longest quotation from the library: enough for its first sentence, too short for a dump.
const MAX_DETAIL_CHARS: usize = 300;

/// One process can hold one library and one environment. It is never unloaded.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);
