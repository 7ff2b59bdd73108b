//! Why a task failed, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::pins;

/// A task's failure. [`fmt::Display`] says what happened, [`TaskError::hint`] what to do.
#[derive(Debug)]
pub(crate) enum TaskError {
    /// The command line names no task.
    Usage { given: String },
    /// A program could not be started.
    Start { program: String, source: io::Error },
    /// A program ran and failed.
    Failed { command: String, code: Option<i32> },
    /// A file could not be read or written.
    Io { path: PathBuf, source: io::Error },
    /// No Python interpreter could be started.
    PythonMissing,
    /// Python is there, pip is not.
    PipMissing { python: String },
    /// pip could not bring the wheel.
    Download { command: String },
    /// A file is not the one this repository was tested with.
    Pin {
        path: PathBuf,
        expected: String,
        found: String,
    },
    /// `ORT_DYLIB_PATH` names something that is not a file.
    ConfiguredRuntime { path: PathBuf },
    /// No wheel is pinned for this machine.
    Platform {
        os: &'static str,
        arch: &'static str,
    },
    /// `scan` ended well but printed fewer lines than there are files.
    TableShort { lines: usize, files: usize },
}

impl TaskError {
    /// What the reader can do next; `None` where the message of the failed program is the answer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { .. } => Some("`cargo xtask` alone lists the tasks".to_owned()),
            Self::PythonMissing => Some(format!(
                "install Python 3 with pip (Debian: apt-get install python3 python3-pip), or {}",
                use_another_runtime()
            )),
            Self::PipMissing { python } => Some(format!(
                "install pip (`{python} -m ensurepip`, or Debian: apt-get install python3-pip), or {}",
                use_another_runtime()
            )),
            Self::Download { command } => Some(format!(
                "pip's own words are above. Without a network, run `{command}` on a machine that has one, \
                 put the wheel into target/onnxruntime/ here and start the task again; or {}",
                use_another_runtime()
            )),
            Self::Pin { .. } => Some(
                "the file is not used. Delete it if it lies in target/onnxruntime/, check which package \
                 index pip is set to, and start the task again"
                    .to_owned(),
            ),
            Self::ConfiguredRuntime { .. } => {
                Some("point ORT_DYLIB_PATH at the library file itself, or unset it".to_owned())
            }
            Self::Platform { .. } => Some(use_another_runtime()),
            Self::Start { .. } | Self::Failed { .. } | Self::Io { .. } | Self::TableShort { .. } => None,
        }
    }

    /// 2 for wrong usage, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => 2,
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::Io { .. }
            | Self::PythonMissing
            | Self::PipMissing { .. }
            | Self::Download { .. }
            | Self::Pin { .. }
            | Self::ConfiguredRuntime { .. }
            | Self::Platform { .. }
            | Self::TableShort { .. } => 1,
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage { given } => write!(out, "there is no task `{given}`"),
            Self::Start { program, source } => {
                write!(out, "{program} could not be started: {source}")
            }
            Self::Failed {
                command,
                code: Some(code),
            } => write!(out, "`{command}` ended with exit code {code}"),
            Self::Failed {
                command,
                code: None,
            } => write!(out, "`{command}` was ended by a signal"),
            Self::Io { path, source } => write!(out, "{}: {source}", path.display()),
            Self::PythonMissing => write!(out, "neither python3 nor python could be started"),
            Self::PipMissing { python } => write!(out, "{python} has no pip"),
            Self::Download { .. } => {
                write!(
                    out,
                    "pip could not bring {} {}",
                    pins::PACKAGE,
                    pins::VERSION
                )
            }
            Self::Pin {
                path,
                expected,
                found,
            } => write!(
                out,
                "{} is not the file this repository was tested with: expected {expected}, found {found}",
                path.display()
            ),
            Self::ConfiguredRuntime { path } => {
                write!(
                    out,
                    "ORT_DYLIB_PATH is {}, which is not a file",
                    path.display()
                )
            }
            Self::Platform { os, arch } => {
                write!(out, "no ONNX Runtime is pinned for {os} on {arch}")
            }
            Self::TableShort { lines, files } => {
                write!(
                    out,
                    "the table has {lines} lines for {files} files in fixtures/media"
                )
            }
        }
    }
}

fn use_another_runtime() -> String {
    format!(
        "set ORT_DYLIB_PATH to an ONNX Runtime library you already have (version {} or newer)",
        pins::OLDEST_USABLE
    )
}
