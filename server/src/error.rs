//! What keeps a service from starting or going on. What an answer says of one request is in `problem`.

mod kind;
mod problem;

use std::{io, net::SocketAddr};

use media::Fault;

use crate::store::StoreError;

pub(crate) use problem::{Problem, ProblemBody, ProblemCode};

/// The service cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address that others reach, and no key to tell them apart by.
    #[error("{listen} is not a loopback address and no API key is configured")]
    KeysMissing {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address cannot be had.
    #[error("{listen} cannot be listened on: {source}")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// A signer that could state nothing.
    #[error("it has no profile")]
    NoProfile,
    /// Two profiles of one signer that a request could not tell apart.
    #[error("it has two profiles called \"{0}\"")]
    ProfileTwice(String),
    /// A profile that helps its author and that a service cannot answer for.
    #[error("its profile \"{0}\" says that a camera took the file, which a service cannot know")]
    CaptureClaim(String),
    /// The worker threads cannot be started.
    #[error("the worker threads cannot be started: {0}")]
    Threads(io::Error),
    /// What the service keeps cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ServeError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::KeysMissing { .. }
            | Self::Listen { .. }
            | Self::NoProfile
            | Self::ProfileTwice(_)
            | Self::CaptureClaim(_)
            | Self::Threads(_) => Fault::Operator,
            Self::Store(error) => error.fault(),
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeysMissing { .. } => "keys_missing",
            Self::Listen { .. } => "listen",
            Self::NoProfile => "no_profile",
            Self::ProfileTwice(_) => "profile_twice",
            Self::CaptureClaim(_) => "capture_claim",
            Self::Threads(_) => "threads",
            Self::Store(error) => error.code(),
        }
    }
}
