//! Looks at an installation on an operator's behalf: every model on its own, and the runtime itself.
//!
//! No picture is judged here; the test window is made by us.

use std::{num::NonZeroUsize, path::Path, thread::available_parallelism, time::Instant};

use media::Digest;
use ndarray::Array3;

use crate::{
    card::Card,
    detection::Logit,
    engine::Settings,
    error::DetectorError,
    provider::Provider,
    session::{Answer, Asked, Runtime, Session},
    store::{PerModel, list_models, read_model},
    tensor::{Tensor, tensor},
};

/// A model that passed every check and one inference.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedModel {
    /// Its card.
    pub card: Card,
    /// Digest of the very bytes that were loaded; equals the card's.
    pub digest: Digest,
    /// What it said about the generated test window.
    pub logit: Logit,
    /// Time of the second of two runs on that window, in milliseconds; the first one warms up.
    pub window_ms: f64,
}

/// Checks every model of the folder on its own: card, digest, graph, shapes and a test inference.
///
/// One broken model does not hide the others. `settings.workers` is not used.
///
/// # Errors
///
/// [`DetectorError::ModelsDirMissing`], [`DetectorError::NoModels`], or one of the runtime's errors.
pub fn check_models(settings: &Settings) -> Result<PerModel<CheckedModel>, DetectorError> {
    let cards = list_models(&settings.models_dir)?;
    let runtime = Runtime::load(settings.runtime.as_deref())?;
    let check = |card| check_model(card, settings, &runtime);
    Ok(cards
        .into_iter()
        .map(|(name, card)| (name, card.and_then(check)))
        .collect())
}

fn check_model(
    card: Card,
    settings: &Settings,
    runtime: &Runtime,
) -> Result<CheckedModel, DetectorError> {
    let model = read_model(&settings.models_dir, card)?;
    let mut session = Session::new(runtime, &model, settings.provider)?;
    let window = test_window(model.card.input.side_px);
    let window = tensor(&[window.view()], &model.card.input)
        .map_err(|error| DetectorError::Inference(error.to_string()))?;
    // The first run warms up; it also asks for the patches, so that a card that names no map of the graph is found.
    answer(&mut session, &window, Asked::Patches)?;
    let started = Instant::now();
    let logit = answer(&mut session, &window, Asked::Logit)?.logit;
    let window_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let not_finite = || DetectorError::NotFinite {
        model: model.card.name.clone(),
    };
    let logit = Logit::new(logit).ok_or_else(not_finite)?;
    Ok(CheckedModel {
        digest: Digest::of(&model.bytes),
        card: model.card,
        logit,
        window_ms,
    })
}

fn answer(session: &mut Session, window: &Tensor, asked: Asked) -> Result<Answer, DetectorError> {
    let missing = || DetectorError::Inference("the model gave no answer".to_owned());
    session.answers(window, asked)?.pop().ok_or_else(missing)?
}

/// The version in the name of the ONNX Runtime library at `path`, where it has one, and what the library says about
/// its build. Loads it into the process.
///
/// # Errors
///
/// One of the runtime's errors.
pub fn runtime_version(path: &Path) -> Result<String, DetectorError> {
    Runtime::load(Some(path)).map(|runtime| runtime.version())
}

/// The providers, each on its first device, that the ONNX Runtime library at `path` was built with.
///
/// Built with is not usable: whether a device answers is seen when a model is loaded on it.
///
/// # Errors
///
/// One of the runtime's errors.
pub fn available_providers(path: &Path) -> Result<Vec<Provider>, DetectorError> {
    Runtime::load(Some(path)).map(|runtime| runtime.providers())
}

/// Inference threads for this machine: one per core, or one when the number of cores is not known.
pub fn default_workers() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}

/// A window of smooth colour with fine texture, always the same.
pub(crate) fn test_window(side_px: u16) -> Array3<u8> {
    let side = usize::from(side_px);
    Array3::from_shape_fn((side, side, 3), |(y, x, channel)| {
        let value = (x * 3 + y * 2 + channel * 40 + (x * y) % 17) % 256;
        u8::try_from(value).unwrap_or(u8::MAX)
    })
}
