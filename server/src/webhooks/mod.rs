//! Webhooks: telling a caller's server that an analysis is finished (Standard Webhooks 1.0.0).
//!
//! `target` and `address` decide where a webhook may go, `client` goes there, `sign` and `keys` prove who sent
//! it, `schedule` says when to try again, and `deliver` is the loop over what the store still owes. What is in
//! an analysis is none of its business: it sends the object that the API would give.

mod address;
mod client;
mod deliver;
mod keys;
mod routes;
mod schedule;
mod sign;
mod target;

pub(crate) use deliver::Deliveries;
pub use keys::{PublicKey, rotate_keys, signing_public_keys};
pub(crate) use routes::routes;
pub use target::Reach;
pub(crate) use target::Target;
