//! The one place where the tasks read the environment, and where the repository lies.

use std::ffi::OsString;
use std::path::PathBuf;

/// `ORT_DYLIB_PATH`: an ONNX Runtime library the caller wants used instead of the pinned one. No default.
pub(crate) fn configured_runtime() -> Option<PathBuf> {
    std::env::var_os("ORT_DYLIB_PATH")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// `CARGO`: the cargo that started this task, so that a `+toolchain` is kept. Default `cargo`.
pub(crate) fn cargo_program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// The repository's root: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}
