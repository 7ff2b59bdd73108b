//! The media crate from outside: what it makes of whole files.
#![allow(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a failed step of a test fails the test; what a test skips it has to say"
)]

mod build;
mod decoding;
mod header;
mod hostile;
mod limits;
mod opening;
