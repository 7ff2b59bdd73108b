//! The whole program through its real entry points: the binary as people start it, and its service over
//! real sockets. Nothing here reaches beyond this machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that stops with a line number says more than one that goes on"
)]

mod admin;
mod bad_input;
mod configuration;
mod corpus;
mod fixture_verdicts;
mod keys_and_signing;
mod keys_certificates;
#[cfg(target_os = "linux")]
mod keys_prompt;
mod models_add;
mod models_eval;
mod pixels;
mod provenance_bounds;
mod provenance_reach;
mod scan_output;
mod scan_walk;
mod serve;
mod serve_administration;
mod serve_api;
mod serve_durable;
mod serve_fairness;
mod serve_framing;
mod serve_limits;
mod serve_log;
mod serve_oidc;
#[cfg(unix)]
mod serve_oidc_reload;
mod serve_operations;
mod serve_page;
mod serve_power;
#[cfg(unix)]
mod serve_signatures;
mod serve_tenants;
mod serve_traces;
mod serve_uploads;
mod serve_webhooks;
mod sign_elsewhere;
mod sign_folder;
mod sign_formats;
#[cfg(target_os = "linux")]
mod sign_memory;
mod sign_refusals;
mod sign_safety;
mod sign_stamps;
#[path = "../provenance/tests/signing_files.rs"]
#[expect(
    dead_code,
    clippy::as_conversions,
    reason = "the crate that has the formats tries more with them"
)]
mod signing_files;
mod support;
mod tidy;
mod verify;
