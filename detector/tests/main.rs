//! The detector as its callers see it: real ONNX Runtime, tiny models, whole pictures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test shows its line"
)]

mod detect;
mod onnx;
mod peer;
mod refuse;
mod shipped;
mod shop;
