//! What arrived: sniffs the kind of the bytes, hashes them, checks limits from the header and decodes
//! pixels. It judges nothing and knows neither models nor manifests.

mod bytes;
mod convert;
mod decode;
mod digest;
mod error;
mod kind;
mod limits;
mod picture;
mod sniff;
mod upload;
mod walk;

pub use digest::Digest;
pub use error::{Fault, LimitKind, MediaError};
pub use kind::Kind;
pub use limits::Limits;
pub use picture::Picture;
pub use upload::{Header, Media, Name};
