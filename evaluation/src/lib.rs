//! How well the installed detector does on labelled pictures: a manifest in, figures out.
//!
//! It measures what is shipped, through the path of production, and beside every figure what could be had without
//! looking at any trace. It knows the policy's words but not its reasons; it trains no model, and reads no clock,
//! so the same list gives the same bytes.

mod assemble;
mod baseline;
mod bootstrap;
mod calibrate;
mod chance;
mod document;
mod error;
mod figures;
mod folder;
mod html;
mod logistic;
mod manifest;
mod markdown;
mod pixels;
mod plot;
mod run;
mod sample;
mod statistics;
mod treatments;

pub use assemble::{Plan, evaluate};
pub use calibrate::{Fit, Fitted, MANY_WINDOWS, calibrate};
pub use error::{BadRow, EvaluationError};
pub use figures::{
    Baselines, Delivery, Engine, Evaluation, Gate, List, Model, Slice, SliceTier, Swept, Tier,
    Unread,
};
pub use manifest::{Crop, Label, Manifest, Row};
pub use sample::Bin;
pub use statistics::{Estimate, Figures, Metric};
pub use treatments::Depth;
