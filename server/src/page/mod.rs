//! The page at `/`: one picture in, its verdict out, for a person on this machine. It is the API in other
//! clothes: the same intake, the same store, the same caller; it reaches no verdict and keeps no session.
//!
//! It works without a script, and the policy it sends forbids every script and style but its own two files.
//! Where tenants are configured it is off: a key typed into a form would end up in the memory of a browser.

#[cfg(test)]
mod contrast;
mod guard;
mod routes;
mod view;
mod words;

pub(crate) use guard::is_own;
pub(crate) use routes::routes;
