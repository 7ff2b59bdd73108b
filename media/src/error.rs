//! Why a medium could not be read, and who has to act on it.

use std::io;

/// Who must act on an error. `server` maps it to HTTP and `cli` to exit codes, nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The file or request is at fault.
    Caller,
    /// The set-up is at fault: configuration, a missing library, a damaged model or key.
    Operator,
    /// Nothing is at fault; try again later.
    Busy,
    /// We are at fault.
    Bug,
}

/// The limit that was reached. Its code is the second half of `limit_exceeded:<which>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// [`crate::Limits::max_bytes`].
    Bytes,
    /// [`crate::Limits::max_pixels`].
    Pixels,
    /// [`crate::Limits::max_side`].
    Side,
    /// [`crate::Limits::max_frames`].
    Frames,
    /// Decoder memory, [`crate::Limits::max_alloc`].
    Memory,
}

impl LimitKind {
    /// The word used in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Pixels => "pixels",
            Self::Side => "side",
            Self::Frames => "frames",
            Self::Memory => "memory",
        }
    }
}

/// Why a medium could not be opened or decoded.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A limit was reached; nothing was truncated.
    #[error("{}", over_limit(*.which, *.found, *.limit))]
    LimitExceeded {
        /// Which limit.
        which: LimitKind,
        /// What the file asks for; 0 when the decoder did not say.
        found: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The kind is recognised but this build does not decode it.
    #[error("{} pixels are not decoded by this build", .kind.mime())]
    UnsupportedKind {
        /// The sniffed kind.
        kind: crate::Kind,
    },
    /// The kind is decoded by this build, but not this flavour of it.
    #[error("this flavour of {} is not decoded by this build: {detail}", .kind.mime())]
    UnsupportedFlavour {
        /// The sniffed kind.
        kind: crate::Kind,
        /// The decoder's words, for the reader; bounded to 200 characters.
        detail: String,
    },
    /// The decoder refused the bytes.
    #[error("the picture is damaged: {detail}")]
    Damaged {
        /// The decoder's words, for the reader; bounded to 200 characters.
        detail: String,
    },
    /// The file could not be read from disk.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A device, socket or pipe: never read as a picture.
    #[error("this is not a regular file")]
    NotAFile,
}

impl MediaError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::LimitExceeded { .. }
            | Self::UnsupportedKind { .. }
            | Self::UnsupportedFlavour { .. }
            | Self::Damaged { .. }
            | Self::Io(_)
            | Self::NotAFile => Fault::Caller,
        }
    }

    /// The stable code of `error.code` in the report.
    pub fn code(&self) -> String {
        match self {
            Self::LimitExceeded { which, .. } => format!("limit_exceeded:{}", which.code()),
            Self::UnsupportedKind { .. } | Self::UnsupportedFlavour { .. } => {
                "unsupported_kind".to_owned()
            }
            Self::Damaged { .. } => "damaged".to_owned(),
            Self::Io(_) => "unreadable".to_owned(),
            Self::NotAFile => "not_a_file".to_owned(),
        }
    }
}

/// One sentence; `found` is 0 when the decoder gave up without a number.
fn over_limit(which: LimitKind, found: u64, limit: u64) -> String {
    let what = match which {
        LimitKind::Bytes => "bytes",
        LimitKind::Pixels => "pixels",
        LimitKind::Side => "pixels on its longest side",
        LimitKind::Frames => "frames",
        LimitKind::Memory => "bytes of memory to decode",
    };
    if found == 0 {
        return format!("the file needs more than the allowed {limit} {what}");
    }
    let verb = if which == LimitKind::Memory {
        "needs"
    } else {
        "has"
    };
    format!("the file {verb} {found} {what}, the limit is {limit}")
}
