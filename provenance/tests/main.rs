//! The crate at its boundary: real files in, axes out.
#![allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "test code"
)]

mod certificates;
mod certificates_pss;
mod corpus;
mod json_formula;
mod labels;
mod products;
mod rubrics;
mod signing;
mod signing_files;
mod signing_formats;
mod signing_profiles;
mod signing_program;
mod signing_stamps;
mod sweep;
