//! The crate at its boundary: evidence in, verdict out; bytes in, report out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that fails names its line"
)]

mod decide;
mod disclosure;
mod examiner;
mod files;
mod pixels;
mod policy;
mod report;
mod sentences;
mod support;
