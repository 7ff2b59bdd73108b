//! How a run ends. This file alone maps `Fault` to exit codes.

use std::{
    fmt::Display,
    io,
    panic::{self, AssertUnwindSafe},
    path::Path,
    process::ExitCode,
};

use detector::DetectorError;
use media::{Fault, MediaError};
use provenance::{ProvenanceError, SignError};
use server::{ServeError, store::StoreError};

use crate::output::{say, shown};

/// The exit codes of docs/CLI.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done, nothing of what was looked for.
    Done,
    /// 1: done, and something of it was found.
    Found,
    /// 2: wrong usage or set-up; nothing was examined or signed.
    Usage,
    /// 3: done, but a file could not be examined or signed.
    Partial,
}

/// Why a command stops: one sentence, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
    /// The reader of standard output went away: nobody is left to tell.
    silent: bool,
}

impl Failure {
    /// Exit code 2.
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
            hint: Some(hint.into()),
            silent: false,
        }
    }

    /// Exit code 3.
    pub(crate) fn file(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            exit: Exit::Partial,
            ..Self::usage(message, hint)
        }
    }

    /// A single file that cannot be opened.
    pub(crate) fn media(path: &Path, error: &MediaError) -> Self {
        Self::from_fault(error.fault(), &format_args!("{}: {error}", path.display()))
    }

    /// The same, told of `what`.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// The sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Messages of the crates below say what is wrong, and after the last semicolon what to do.
    pub(crate) fn from_fault(fault: Fault, error: &impl Display) -> Self {
        let text = error.to_string();
        let (message, hint) = match text.rsplit_once("; ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (text, None),
        };
        let (exit, otherwise) = match fault {
            Fault::Caller => (Exit::Partial, "nothing was written; give another file"),
            Fault::Operator => (Exit::Usage, "`bonafide doctor` shows what is installed"),
            Fault::Busy => (Exit::Partial, "try again in a moment"),
            Fault::Bug => (
                Exit::Partial,
                "please report this with the file, if you may share it",
            ),
        };
        Self {
            exit,
            message,
            hint: hint.or_else(|| Some(otherwise.to_owned())),
            silent: false,
        }
    }
}

impl From<DetectorError> for Failure {
    fn from(error: DetectorError) -> Self {
        Self::from_fault(error.fault(), &error)
    }
}

impl From<ProvenanceError> for Failure {
    fn from(error: ProvenanceError) -> Self {
        Self::from_fault(error.fault(), &error)
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::from_fault(error.fault(), &error)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let hint = match error {
            ServeError::KeysMissing { .. } => {
                "make one with `bonafide admin keys new --data-dir DIR --tenant NAME --scopes analyse,read`, or listen on 127.0.0.1"
            }
            ServeError::Listen { .. } => "give a free address of this machine with --listen",
            ServeError::NoProfile => {
                "give profiles = [\"publish\"], or another one (docs/SIGNING.md)"
            }
            ServeError::ProfileTwice(_) => "give each profile file a name of its own",
            ServeError::CaptureClaim(_) => {
                "leave it out, and sign captures with `bonafide sign` where the camera is"
            }
            ServeError::Threads(_) => "ask for fewer threads with --jobs",
            ServeError::Store(error) => return Self::from(error),
        };
        Self {
            hint: Some(hint.to_owned()),
            ..Self::from_fault(error.fault(), &error)
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from_fault(error.fault(), &error)
    }
}

/// Writing results failed.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let mut failure = Self::file(
            format!("the results cannot be written: {error}"),
            "check the space and the rights of the place they go to",
        );
        failure.silent = error.kind() == io::ErrorKind::BrokenPipe;
        failure
    }
}

/// Tells what went wrong and gives the process its code.
pub(crate) fn code(outcome: Result<Exit, Failure>) -> ExitCode {
    let exit = match outcome {
        Ok(exit) => exit,
        // Like a program that SIGPIPE ends: whoever closed the pipe has what they wanted.
        Err(failure) if failure.silent => Exit::Done,
        Err(failure) => {
            say(&format!("error: {}", shown(&failure.message)));
            if let Some(hint) = &failure.hint {
                say(&format!("hint: {}", shown(hint)));
            }
            failure.exit
        }
    };
    ExitCode::from(match exit {
        Exit::Done => 0,
        Exit::Found => 1,
        Exit::Usage => 2,
        Exit::Partial => 3,
    })
}

/// Runs a command; a panic in it is our bug and ends like one, in words.
pub(crate) fn guarded(run: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    // In place of a backtrace. A panic that costs one file only is told here as well.
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        // A service says it where it says everything, as one of its lines.
        if tracing::enabled!(tracing::Level::ERROR) {
            tracing::error!("internal error{place}");
        } else {
            say(&format!("internal error{place}"));
        }
    }));
    // Nothing of the broken state is looked at afterwards.
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Failure::file(
            "the program failed",
            "please report this with the file, if you may share it",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::{Exit, Failure};
    use media::Fault;

    #[test]
    fn what_to_do_becomes_the_hint() {
        let failure = Failure::from_fault(Fault::Operator, &"a is missing; put it there");
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, "a is missing");
        assert_eq!(failure.hint.as_deref(), Some("put it there"));
        let failure = Failure::from_fault(Fault::Caller, &"a is damaged");
        assert_eq!(failure.exit, Exit::Partial);
        assert!(failure.hint.is_some());
    }
}
