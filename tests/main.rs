//! The whole program through its real entry points: the binary as people start it, and its service over
//! real sockets. Nothing here reaches beyond this machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that stops with a line number says more than one that goes on"
)]

mod bad_input;
mod configuration;
mod corpus;
mod fixture_verdicts;
mod keys_and_signing;
mod models_add;
mod models_eval;
mod pixels;
mod provenance_reach;
mod scan_output;
mod scan_walk;
mod serve;
mod serve_limits;
mod support;
mod tidy;
mod verify;
