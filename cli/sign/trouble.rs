//! Why one file could not be signed: a stable code for programs, a sentence for people.

use std::{io, path::Path};

use media::Fault;
use provenance::SignError;

/// Nothing of the file was written.
pub(crate) struct Trouble {
    pub(crate) code: &'static str,
    /// What is wrong and, after the last semicolon, what to do.
    pub(crate) message: String,
    /// Whether the set-up is at fault, so that no other file would fare better.
    pub(crate) set_up: bool,
}

impl Trouble {
    /// Trouble with this file alone.
    pub(crate) fn file(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            set_up: false,
        }
    }
}

impl From<SignError> for Trouble {
    fn from(error: SignError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            set_up: error.fault() == Fault::Operator,
        }
    }
}

/// The source cannot be read again.
pub(crate) fn not_read(error: &io::Error) -> Trouble {
    Trouble::file("unreadable", format!("it cannot be read: {error}"))
}

/// The result cannot be written.
pub(crate) fn not_written(target: &Path, error: &io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return in_the_way(target);
    }
    Trouble::file(
        "not_written",
        format!(
            "{} cannot be written: {error}; the original is as it was",
            target.display()
        ),
    )
}

/// Something else has the name.
pub(crate) fn in_the_way(target: &Path) -> Trouble {
    Trouble::file(
        "exists",
        format!(
            "{} exists already; say --force to replace it",
            target.display()
        ),
    )
}

/// Without its line a second run could not tell that the file is done.
pub(crate) fn no_journal(error: &io::Error) -> Trouble {
    Trouble {
        set_up: true,
        ..Trouble::file(
            "journal",
            format!("the journal cannot be written: {error}; the original is as it was"),
        )
    }
}
