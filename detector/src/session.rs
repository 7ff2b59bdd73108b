//! The one file that names ONNX Runtime: loads the library once, makes sessions that are held to their card, and
//! runs windows.
//!
//! Nothing falls back silently: a requested execution provider that cannot start, or cannot run a part of the model,
//! is an error. Bytes come in already hashed and checked; what a logit means is decided elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ndarray::{Array2, ArrayViewD, Axis, Ix2};
use ort::{
    LoadDynamicError,
    environment::Environment,
    ep::{self, ExecutionProvider, ExecutionProviderDispatch},
    logging::LogLevel,
    session::builder::SessionBuilder,
    value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType},
};

use crate::{
    card::{Element, Input, Layout, MAX_CLASSES, Meaning, Output},
    error::DetectorError,
    provider::Provider,
    store::Model,
    tensor::Tensor,
};

/// The loaded library with its one environment.
#[derive(Clone)]
pub(crate) struct Runtime {
    path: PathBuf,
    environment: Environment,
}

/// One model, ready to run on one thread.
pub(crate) struct Session {
    inner: ort::session::Session,
    model: String,
    output: Output,
    /// Whether the graph leaves open how many windows it gets.
    open: bool,
}

/// What a model said about one window.
pub(crate) struct Answer {
    pub(crate) logit: f32,
    /// One logit per patch, rows from the top; only when asked for and the graph has them.
    pub(crate) patches: Option<Array2<f32>>,
}

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Asked {
    /// One logit.
    Logit,
    /// And where in the window it comes from.
    Patches,
}

impl Runtime {
    /// Loads the library at `path`, or gives the one already loaded from there.
    ///
    /// # Errors
    ///
    /// [`DetectorError::RuntimeMissing`], [`DetectorError::RuntimeUnusable`], [`DetectorError::RuntimeVersion`] or
    /// [`DetectorError::RuntimeInUse`].
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, DetectorError> {
        let missing = || DetectorError::RuntimeMissing {
            path: path.map(Path::to_path_buf),
        };
        let path = fs::canonicalize(path.ok_or_else(missing)?).map_err(|_| missing())?;
        if !path.is_file() {
            return Err(missing());
        }
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some(runtime) if runtime.path == path => Ok(runtime.clone()),
            Some(runtime) => Err(DetectorError::RuntimeInUse {
                loaded: runtime.path.clone(),
                asked: path,
            }),
            None => {
                let environment = start(&path)?;
                Ok(loaded.insert(Self { path, environment }).clone())
            }
        }
    }

    /// The library's version and build, for example `1.31.1 (git-branch=main, git-commit-id=…, …)`.
    ///
    /// The version is the one in the file's name, for the library has no safe way to say it; without one there
    /// the build stands alone.
    pub(crate) fn version(&self) -> String {
        let build = ort::info().trim_start_matches("ORT Build Info: ");
        match version_in_name(&self.path) {
            Some(version) => format!("{version} ({build})"),
            None => build.to_owned(),
        }
    }

    /// The providers this program can ask for that the library was built with.
    ///
    /// Whether one of them starts is seen only when a session is made.
    #[expect(
        clippy::unused_self,
        reason = "the library answers only once it is loaded, which a Runtime proves"
    )]
    pub(crate) fn providers(&self) -> Vec<Provider> {
        let known = [
            (Provider::Cpu, ep::CPU::is_available()),
            (Provider::Cuda(0), ep::CUDA::is_available()),
            (Provider::TensorRt(0), ep::TensorRT::is_available()),
        ];
        known
            .into_iter()
            .filter(|(_, built)| matches!(built, Ok(true)))
            .map(|(provider, _)| provider)
            .collect()
    }
}

impl Session {
    /// Loads a model on a provider and compares its inputs and outputs with the card.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Provider`], [`DetectorError::ModelDamaged`] or [`DetectorError::ModelShape`].
    pub(crate) fn new(
        runtime: &Runtime,
        model: &Model,
        provider: Provider,
    ) -> Result<Self, DetectorError> {
        let mut builder = builder(runtime, provider).map_err(|error| DetectorError::Provider {
            provider,
            detail: brief(&error),
        })?;
        let inner = builder
            .commit_from_memory(&model.bytes)
            .map_err(|error| match provider {
                Provider::Cpu => DetectorError::ModelDamaged {
                    path: model.path.clone(),
                    detail: brief(&error),
                },
                // The same bytes may run on the CPU; what refuses them here is the provider.
                Provider::Cuda(_) | Provider::TensorRt(_) => DetectorError::Provider {
                    provider,
                    detail: brief(&error),
                },
            })?;
        fits(&inner, model).map_err(|detail| DetectorError::ModelShape {
            path: model.path.clone(),
            detail,
        })?;
        let batch = inner
            .inputs()
            .first()
            .and_then(|input| input.dtype().tensor_shape()?.first().copied());
        Ok(Self {
            open: batch == Some(-1),
            inner,
            model: model.card.name.clone(),
            output: model.card.output.clone(),
        })
    }

    /// Whether several windows can be run together.
    pub(crate) fn takes_several(&self) -> bool {
        self.open
    }

    /// Runs windows together; every one has an answer of its own, in their order.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`] when the run failed. An answer can be [`DetectorError::Output`], or
    /// [`DetectorError::NotFinite`] for NaN and infinity.
    pub(crate) fn answers(
        &mut self,
        windows: &Tensor,
        asked: Asked,
    ) -> Result<Vec<Result<Answer, DetectorError>>, DetectorError> {
        let found = self
            .run(windows, asked)
            .map_err(|error| DetectorError::Inference(brief(&error)))?;
        Ok(found
            .into_iter()
            .map(|(numbers, patches)| self.read(&numbers, patches))
            .collect())
    }

    fn read(&self, numbers: &[f32], patches: Option<Array2<f32>>) -> Result<Answer, DetectorError> {
        let model = || self.model.clone();
        let logit = self.output.meaning.logit(numbers);
        let logit = logit.map_err(|detail| DetectorError::Output {
            model: model(),
            detail,
        })?;
        let finite = |patches: &Array2<f32>| patches.iter().all(|logit| logit.is_finite());
        if logit.is_finite() && patches.as_ref().is_none_or(finite) {
            Ok(Answer { logit, patches })
        } else {
            Err(DetectorError::NotFinite { model: model() })
        }
    }

    /// The numbers of every answer, and the patches where they were asked for.
    fn run(&mut self, windows: &Tensor, asked: Asked) -> ort::Result<Vec<Numbers>> {
        let outputs = match windows {
            Tensor::Uint8(values) => self
                .inner
                .run(ort::inputs![TensorRef::from_array_view(values)?])?,
            Tensor::Float32(values) => self
                .inner
                .run(ort::inputs![TensorRef::from_array_view(values)?])?,
        };
        let output = |name: &str| {
            let missing = || ort::Error::new(format!("there is no output \"{name}\""));
            outputs.get(name).ok_or_else(missing)
        };
        let count = windows.count();
        let patches = match (asked, &self.output.patch_logits) {
            (Asked::Patches, Some(name)) => planes(output(name)?, count)?,
            (Asked::Patches | Asked::Logit, _) => vec![None; count],
        };
        let (_, numbers) = output(&self.output.name)?.try_extract_tensor::<f32>()?;
        let each = numbers.len() / count.max(1);
        if each * count != numbers.len() {
            let found = numbers.len();
            return Err(ort::Error::new(format!(
                "{found} numbers for {count} windows"
            )));
        }
        let most = each.min(usize::from(MAX_CLASSES) + 1);
        let of = |place: usize| {
            numbers
                .iter()
                .skip(place * each)
                .take(most)
                .copied()
                .collect()
        };
        Ok((0..count).map(of).zip(patches).collect())
    }
}

/// What one window's answer is made of.
type Numbers = (Vec<f32>, Option<Array2<f32>>);

/// One plane per window.
fn planes(output: &DynValue, count: usize) -> ort::Result<Vec<Option<Array2<f32>>>> {
    let values = output.try_extract_array::<f32>()?;
    if count == 1 {
        return Ok(vec![Some(plane(values)?)]);
    }
    if values.ndim() < 3 || values.len_of(Axis(0)) != count {
        let shape = values.shape();
        return Err(ort::Error::new(format!(
            "patch logits of the shape {shape:?} for {count} windows"
        )));
    }
    values
        .axis_iter(Axis(0))
        .map(|window| plane(window).map(Some))
        .collect()
}

/// The last two axes of values whose other axes have the length 1.
fn plane(mut values: ArrayViewD<'_, f32>) -> ort::Result<Array2<f32>> {
    while values.ndim() > 2 && values.len_of(Axis(0)) == 1 {
        values = values.index_axis_move(Axis(0), 0);
    }
    let shape = values.shape().to_vec();
    let plane = values.into_dimensionality::<Ix2>().ok().filter(|plane| {
        let (height, width) = plane.dim();
        (1..=MAX_PATCHES).contains(&height) && (1..=MAX_PATCHES).contains(&width)
    });
    let refused = || ort::Error::new(format!("patch logits of the shape {shape:?} are no plane"));
    plane.map(|plane| plane.to_owned()).ok_or_else(refused)
}

/// `1.31.1` in `libonnxruntime.so.1.31.1` and `libonnxruntime.1.31.1.dylib`.
fn version_in_name(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let start = name.find(|c: char| c.is_ascii_digit())?;
    let version = name.get(start..)?.trim_end_matches(".dylib");
    let numbers = version
        .split('.')
        .filter(|number| number.parse::<u32>().is_ok())
        .count();
    (numbers == 3 && version.split('.').count() == 3).then_some(version)
}

fn start(path: &Path) -> Result<Environment, DetectorError> {
    let builder = ort::init_from(path).map_err(|error| match error {
        LoadDynamicError::BadVersion { version_str, .. } => DetectorError::RuntimeVersion {
            path: path.into(),
            found: version_str,
        },
        LoadDynamicError::Dlopen { .. }
        | LoadDynamicError::MissingApi { .. }
        | LoadDynamicError::InvalidVersionString => DetectorError::RuntimeUnusable {
            path: path.into(),
            detail: brief(&error),
        },
    })?;
    let environment = builder.with_name("bonafide").with_telemetry(false).build();
    let environment = environment.map_err(|error| DetectorError::RuntimeUnusable {
        path: path.into(),
        detail: brief(&error),
    })?;
    // Below this level the library formats a line per operator, only for it to be thrown away.
    environment.set_log_level(LogLevel::Warning);
    Ok(environment)
}

/// A session of one thread that never spins: the threads are ours, one per session.
fn builder(runtime: &Runtime, provider: Provider) -> ort::Result<SessionBuilder> {
    let builder = ort::session::Session::builder(&runtime.environment)?
        .with_log_level(LogLevel::Warning)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_deterministic_compute(true)?
        // Without this the library would guess the format from the bytes, by other rules than `graph.rs`.
        .with_config_entry("session.load_model_format", "ONNX")?;
    match dispatch(provider) {
        Some(provider) => Ok(builder
            .with_execution_providers([provider])?
            .with_disable_cpu_fallback()?),
        None => Ok(builder),
    }
}

/// `None` for the CPU: it is always there, and registering it by name would switch its memory arena off.
fn dispatch(provider: Provider) -> Option<ExecutionProviderDispatch> {
    match provider {
        Provider::Cpu => None,
        // Without TF32 the scores stay within 1e-3 of those of the CPU.
        Provider::Cuda(device) => Some(
            ep::CUDA::default()
                .with_device_id(device.into())
                .with_tf32(false)
                .build()
                .error_on_failure(),
        ),
        Provider::TensorRt(device) => Some(
            ep::TensorRT::default()
                .with_device_id(device.into())
                .build()
                .error_on_failure(),
        ),
    }
}

fn fits(session: &ort::session::Session, model: &Model) -> Result<(), String> {
    let card = &model.card;
    let [input] = session.inputs() else {
        return Err(format!(
            "the graph has {} inputs, one is allowed",
            session.inputs().len()
        ));
    };
    if input.name() != card.input.name {
        return Err(format!(
            "the graph's input is called \"{}\", the card says \"{}\"",
            input.name(),
            card.input.name
        ));
    }
    input_fits(input.dtype(), &card.input)?;
    answer_fits(output(session, &card.output.name)?.dtype(), &card.output)?;
    if let Some(name) = &card.output.patch_logits {
        let patches = output(session, name)?.dtype();
        if !is_tensor(patches, TensorElementType::Float32, |_| true) {
            return Err(format!("the output \"{name}\" is {patches}, not float32"));
        }
    }
    Ok(())
}

/// For one window the numbers of one window must come out; every axis may be left open.
fn answer_fits(graph: &ValueType, card: &Output) -> Result<(), String> {
    let single = |axes: &[i64]| axes.iter().all(|axis| matches!(axis, -1 | 1));
    let (fits, wanted): (bool, String) = match card.meaning {
        Meaning::Logit | Meaning::Probability => (
            is_tensor(graph, TensorElementType::Float32, |shape| {
                shape.len() <= 2 && single(shape)
            }),
            "one float32".to_owned(),
        ),
        Meaning::ClassLogits(class) | Meaning::ClassProbabilities(class) => (
            is_tensor(graph, TensorElementType::Float32, |shape| match shape {
                [before @ .., classes] => {
                    let known = i64::from(class) + 1..=i64::from(MAX_CLASSES);
                    before.len() <= 1
                        && single(before)
                        && (*classes == -1 || known.contains(classes))
                }
                [] => false,
            }),
            format!("float32 of more than {class} classes"),
        ),
    };
    match fits {
        true => Ok(()),
        false => Err(format!(
            "the output \"{}\" is {graph}, not {wanted}",
            card.name
        )),
    }
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
    let fits = |shape: &[i64]| {
        shape.len() == 4
            && shape
                .iter()
                .zip(wanted)
                .all(|(has, wants)| *has == -1 || *has == wants)
    };
    if is_tensor(graph, element, fits) {
        return Ok(());
    }
    Err(format!(
        "the graph's input is {graph}, the card says {element} {wanted:?}"
    ))
}

fn is_tensor(value: &ValueType, element: TensorElementType, fits: impl Fn(&[i64]) -> bool) -> bool {
    value.tensor_type() == Some(element) && value.tensor_shape().is_some_and(|shape| fits(shape))
}

fn output<'s>(session: &'s ort::session::Session, name: &str) -> Result<&'s Outlet, String> {
    let found = session
        .outputs()
        .iter()
        .find(|output| output.name() == name);
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

/// Most patches along a side of a window: one per pixel of a small one. More is no map that anybody could read.
const MAX_PATCHES: usize = 256;

/// One process can hold one library and one environment. It is never unloaded.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Runtime, version_in_name};
    use crate::error::DetectorError;

    #[test]
    fn a_version_is_read_from_the_usual_names_only() {
        let check = |name, expected| assert_eq!(version_in_name(Path::new(name)), expected);
        check("/opt/libonnxruntime.so.1.31.1", Some("1.31.1"));
        check("libonnxruntime.1.31.1.dylib", Some("1.31.1"));
        check("libonnxruntime.so.1", None);
        check("libonnxruntime.so", None);
        check("libonnxruntime-9.so", None);
        check("..", None);
    }

    // No other test of this binary loads a real library, so this one's answer depends on no order.
    #[test]
    fn a_file_that_is_no_library_is_unusable_and_the_error_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libonnxruntime.so");
        fs::write(&path, "text").unwrap();
        let error = Runtime::load(Some(&path)).err().unwrap();
        assert!(
            matches!(error, DetectorError::RuntimeUnusable { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("cargo xtask setup"), "{error}");
    }
}
