//! What the pixels show: model cards, pre-processing, ONNX sessions, calibration and public watermarks.
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
mod heat_map;
mod meaning;
mod pool;
mod provider;
mod reading;
mod session;
mod store;
mod tensor;
mod view;
mod watermark;

pub use calibration::{Calibration, FalseAlarm};
pub use card::{Card, Element, Input, Layout, Many, Meaning, Output, Task};
pub use check::{
    CheckedModel, available_providers, check_models, default_workers, runtime_version,
};
pub use detection::{
    Applicability, Detection, Failure, Inapplicable, Llr, Logit, ModelReading, Probability, Score,
    Skipped, View,
};
pub use engine::{Detector, Settings};
pub use error::DetectorError;
pub use heat_map::HeatMap;
pub use pool::Batching;
pub use provider::{Provider, UnknownProvider};
pub use store::{PerModel, list_models};
pub use watermark::{Watermark, WatermarkKey, watermarks};
