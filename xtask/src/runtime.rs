//! Puts the pinned ONNX Runtime under `target/onnxruntime/`, or takes the one the caller configured.
//!
//! The second run only hashes the file that is there. The file appears under its name by a rename, after
//! its hash was checked, so neither an interrupted run nor two runs at once leave half a library.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::environment;
use crate::error::TaskError;
use crate::pins::{Pin, Platform, VERSION};
use crate::python::Python;
use crate::steps::say;

/// Microsoft's licence and its list of third parties: they stay beside the library.
const NOTICES: [&str; 2] = ["LICENSE", "ThirdPartyNotices.txt"];

/// Makes sure that an ONNX Runtime library is there and returns its absolute path.
///
/// # Errors
///
/// Any [`TaskError`] of the set-up; each names what to do.
pub(crate) fn ensure() -> Result<PathBuf, TaskError> {
    if let Some(path) = environment::configured_runtime() {
        return configured(path);
    }
    let platform = Platform::current()?;
    let folder = environment::root().join("target").join("onnxruntime");
    let library = folder.join(platform.library_name());
    if library.is_file() && matches(&library, &platform.library)? {
        say(&format!(
            "ONNX Runtime {VERSION} is in place (SHA-256 checked)"
        ));
        return Ok(library);
    }
    install(&platform, &folder, &library)?;
    Ok(library)
}

/// The caller's own library: it must exist, and nothing else about it is ours to judge.
fn configured(path: PathBuf) -> Result<PathBuf, TaskError> {
    // The tests run in other folders than this task, so a relative path would lose its meaning.
    let absolute = std::path::absolute(&path).map_err(|source| TaskError::Io {
        path: path.clone(),
        source,
    })?;
    if !absolute.is_file() {
        return Err(TaskError::ConfiguredRuntime { path });
    }
    say(&format!(
        "ORT_DYLIB_PATH is set: using {} as it is, without the pin",
        absolute.display()
    ));
    Ok(absolute)
}

fn install(platform: &Platform, folder: &Path, library: &Path) -> Result<(), TaskError> {
    let staging = folder.join(format!("staging-{}", std::process::id()));
    fs::create_dir_all(&staging).map_err(|source| TaskError::Io {
        path: staging.clone(),
        source,
    })?;
    let outcome = install_through(platform, folder, &staging, library);
    // A staging folder that stays behind costs disk space and nothing else; the outcome matters more.
    if fs::remove_dir_all(&staging).is_err() {
        say(&format!("could not remove {}", staging.display()));
    }
    outcome
}

fn install_through(
    platform: &Platform,
    folder: &Path,
    staging: &Path,
    library: &Path,
) -> Result<(), TaskError> {
    let python = Python::find()?;
    let wheel = wheel(&python, platform, folder, staging)?;
    let unpacked = staging.join(platform.library_name());
    python.copy_member(&wheel, platform.member, &unpacked)?;
    demand(&unpacked, &platform.library)?;
    for notice in NOTICES {
        let copy = staging.join(notice);
        python.copy_member(&wheel, &format!("onnxruntime/{notice}"), &copy)?;
        rename(&copy, &folder.join(notice))?;
    }
    // The library comes last: where it is, everything is.
    rename(&unpacked, library)?;
    say(&format!(
        "ONNX Runtime {VERSION} for {} is now in target/onnxruntime",
        platform.tag
    ));
    Ok(())
}

/// The wheel a person put into `folder`, else the one pip brings into `staging`; its pin holds either way.
fn wheel(
    python: &Python,
    platform: &Platform,
    folder: &Path,
    staging: &Path,
) -> Result<PathBuf, TaskError> {
    let carried = folder.join(platform.wheel_name());
    if carried.is_file() {
        demand(&carried, &platform.wheel)?;
        say(&format!(
            "using the wheel that lies in {}",
            folder.display()
        ));
        return Ok(carried);
    }
    say(&format!(
        "downloading {} ({} MB) through pip",
        platform.wheel_name(),
        platform.wheel.bytes / 1_000_000
    ));
    python.download(platform, staging)?;
    let wheel = staging.join(platform.wheel_name());
    demand(&wheel, &platform.wheel)?;
    Ok(wheel)
}

fn rename(from: &Path, to: &Path) -> Result<(), TaskError> {
    fs::rename(from, to).map_err(|source| TaskError::Io {
        path: to.to_path_buf(),
        source,
    })
}

fn matches(path: &Path, pin: &Pin) -> Result<bool, TaskError> {
    Ok(describe(path, pin)? == pin.describe())
}

fn demand(path: &Path, pin: &Pin) -> Result<(), TaskError> {
    let found = describe(path, pin)?;
    if found == pin.describe() {
        return Ok(());
    }
    Err(TaskError::Pin {
        path: path.to_path_buf(),
        expected: pin.describe(),
        found,
    })
}

impl Pin {
    fn describe(&self) -> String {
        format!("{} bytes with SHA-256 {}", self.bytes, self.sha256)
    }
}

/// Length and hash of a file in the words of [`Pin::describe`]. A file of another length than the pin's
/// is not read, so a wrong file cannot fill the memory.
fn describe(path: &Path, pin: &Pin) -> Result<String, TaskError> {
    let io = |source| TaskError::Io {
        path: path.to_path_buf(),
        source,
    };
    let bytes = fs::metadata(path).map_err(io)?.len();
    if bytes != pin.bytes {
        return Ok(format!("{bytes} bytes"));
    }
    let digest = Sha256::digest(fs::read(path).map_err(io)?);
    let mut hex = String::with_capacity(64);
    for byte in digest {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(format!("{bytes} bytes with SHA-256 {hex}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: Pin = Pin {
        bytes: 0,
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    };

    fn scratch(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        fs::write(&path, bytes).unwrap();
        path
    }

    #[test]
    fn a_file_with_the_pinned_bytes_is_accepted() {
        let path = scratch("right", b"");
        demand(&path, &EMPTY).unwrap();
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn another_length_is_refused_before_reading() {
        let path = scratch("long", b"x");
        let error = demand(&path, &EMPTY).unwrap_err();
        assert!(
            matches!(error, TaskError::Pin { ref found, .. } if found == "1 bytes"),
            "{error}"
        );
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn the_right_length_with_other_bytes_is_refused() {
        let path = scratch("other", b"x");
        let pin = Pin { bytes: 1, ..EMPTY };
        let error = demand(&path, &pin).unwrap_err();
        assert!(matches!(error, TaskError::Pin { .. }), "{error}");
        fs::remove_file(path).unwrap();
    }
}
