//! What the pixels show: model cards, pre-processing, ONNX sessions and calibration.
//!
//! It gives odds with their units ([`Detection`]) and knows no policy: no threshold, no verdict word, no
//! manifest. `session.rs` alone names ONNX Runtime.

mod calibration;
mod card;
mod check;
pub mod crops;
mod detection;
mod engine;
mod error;
mod graph;
mod pool;
mod provider;
mod reading;
mod session;
mod store;
mod tensor;
mod view;

pub use calibration::{Calibration, FalseAlarm};
pub use card::{Card, Element, Input, Layout, Output, Task};
pub use check::{
    CheckedModel, available_providers, check_models, default_workers, runtime_version,
};
pub use detection::{
    Applicability, Detection, Failure, Inapplicable, Llr, Logit, ModelReading, Probability, Score,
    Skipped, View,
};
pub use engine::{Detector, Settings};
pub use error::DetectorError;
pub use provider::{Provider, UnknownProvider};
pub use store::{PerModel, list_models};
