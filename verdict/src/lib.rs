//! What follows: joins what the file says and what the pixels show into one verdict.
//!
//! [`Examiner`] runs the rooms, [`Evidence`] holds what they found, [`decide`] is a pure total match, and
//! [`report::Report`] is the one JSON shape. No sockets, no files but the bytes it is given.

mod convert;
mod decide;
mod disclosure;
mod evidence;
mod examiner;
mod look;
mod pixels;
mod policy;
mod readiness;
mod reasons;
pub mod report;
mod summary;
mod words;

pub use decide::{KnownFake, conclude, decide};
pub use disclosure::disclose;
pub use evidence::{Evidence, Known, KnownKind, KnownMatch, Subject};
pub use examiner::{DetectorSlot, Examiner, GiveUp, GivenUp, Options, Scope};
pub use policy::{Leaning, MetadataClass, Policy, PolicyError, Suspicious};
pub use readiness::CheckError;
pub use report::{Code, Reason, ReasonCode, Report, UnknownCode, Verdict, schema};
