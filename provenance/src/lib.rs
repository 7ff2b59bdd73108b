//! What the file says: reads, judges and signs C2PA manifests and reads unsigned labels.
//!
//! Only `read.rs`, `sign.rs` and their folders name the c2pa crate; nothing of it leaves this crate. No HTTP client is
//! compiled in, so reading a hostile file opens no socket. Time is an argument.

mod ai;
mod as_of;
mod certificate;
mod cms;
mod codes;
mod cose;
mod coverage;
mod credential;
mod display;
mod error;
mod finding;
mod history;
mod identity;
mod jpeg;
mod judge;
mod jumbf;
mod key_file;
pub mod keys;
mod labels;
mod origin;
mod private_key;
mod products;
mod profile;
mod pss;
mod read;
mod sign;
mod signals;
pub mod signer;
mod stamp;
mod time;
mod trust;

pub use credential::{Chain, Credential};
pub use display::{MAX_TEXT_CHARS, clean, is_shown};
pub use error::{ProvenanceError, SignError};
pub use finding::*;
pub use judge::Judge;
pub use key_file::read_secret;
pub use origin::{Origin, Proof};
pub use private_key::PrivateKey;
pub use profile::{
    Aigc, Assertion, Generator, MAX_ASSERTION_BYTES, MAX_ASSERTIONS, Profile, Statement,
};
pub use sign::{BrokenHistory, SignRequest, Signed, UnsignedLabels, sign, stamp_later};
pub use signer::{Algorithm, TimeStamper};
pub use stamp::StampRequest;
pub use time::{Timestamp, Validity};
pub use trust::{TrustListInfo, TrustStore};
