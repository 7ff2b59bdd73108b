//! Builds the one examiner of a run, and says why there is no detector in it when there is none.

use detector::{Batching, Detector, DetectorError, Provider};
use media::Limits;
use provenance::{Judge, TrustStore};
use verdict::{DetectorSlot, Examiner, Policy};

use crate::{
    exit::Failure,
    output::{say, shown},
    settings::DetectorPlaces,
};

/// Whether pixels have to be examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// Nobody asked.
    No,
    /// When ONNX Runtime and a model are installed; what the file says is worth having without them.
    IfInstalled,
    /// Or the run does not start.
    Required,
}

/// An examiner with a detector, or with the reason for having none.
pub(crate) fn examiner(
    trust: TrustStore,
    policy: Policy,
    limits: Limits,
    slot: DetectorSlot,
) -> Result<Examiner, Failure> {
    let judge = Judge::new(trust)?;
    Ok(Examiner::new(judge, slot, policy, limits))
}

/// An examiner that never looks at pixels.
pub(crate) fn provenance_only(
    trust: TrustStore,
    policy: Policy,
    limits: Limits,
) -> Result<Examiner, Failure> {
    examiner(trust, policy, limits, DetectorSlot::NoModel)
}

/// The detector that is installed, or why there is none.
pub(crate) fn detector(
    places: &DetectorPlaces,
    pixels: Pixels,
    workers: usize,
) -> Result<DetectorSlot, Failure> {
    if pixels == Pixels::No {
        return Ok(DetectorSlot::NoModel);
    }
    match Detector::load(&places.settings(workers)) {
        Ok(detector) => Ok(DetectorSlot::Ready(detector)),
        Err(error) => missing(error, places, pixels),
    }
}

/// A part that is not installed may be done without; one that is damaged, or was asked for, may not.
fn missing(
    error: DetectorError,
    places: &DetectorPlaces,
    pixels: Pixels,
) -> Result<DetectorSlot, Failure> {
    let provider_asked = places.provider.is_some_and(|asked| asked != Provider::Cpu);
    let slot = absent(&error, places);
    let Some(slot) = slot.filter(|_| pixels != Pixels::Required && !provider_asked) else {
        return Err(error.into());
    };
    let text = error.to_string();
    let (message, hint) = text
        .rsplit_once("; ")
        .unwrap_or((&text, "`bonafide doctor` says more"));
    say(&shown(&format!(
        "warning: pixels are not examined: {message}"
    )));
    say(&shown(&format!("hint: {hint}")));
    Ok(slot)
}

/// The slot for a part that nobody named and that is not there; `None` for every other error.
fn absent(error: &DetectorError, places: &DetectorPlaces) -> Option<DetectorSlot> {
    if matches!(error, DetectorError::RuntimeMissing { .. }) && places.runtime.is_none() {
        return Some(DetectorSlot::NoRuntime);
    }
    let no_models = matches!(
        error,
        DetectorError::ModelsDirMissing { .. } | DetectorError::NoModels { .. }
    );
    (no_models && !places.models_named).then_some(DetectorSlot::NoModel)
}

impl DetectorPlaces {
    /// As the detector takes them.
    pub(crate) fn settings(&self, workers: usize) -> detector::Settings {
        let provider = self.provider.unwrap_or_default();
        detector::Settings {
            models_dir: self.models.clone(),
            runtime: self.runtime.clone(),
            provider,
            workers,
            batching: Batching::of(provider),
        }
    }
}
