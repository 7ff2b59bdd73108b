//! Finds the files of a run: folders in the order of their names, special files never opened.

use std::{
    fs::FileType,
    io,
    path::{Path, PathBuf},
};

use media::MediaError;
use walkdir::{DirEntry, WalkDir};

use crate::output::shown;

/// What the walk meets.
pub(crate) enum Found {
    /// A file to examine. `open` is where its bytes are, `name` what it is called in reports.
    File { name: PathBuf, open: PathBuf },
    /// Something that cannot be examined and gets a report that says so.
    Refused { name: PathBuf, error: MediaError },
    /// Something that is left out, in a line for people.
    Skipped(String),
}

/// Walks every path in turn and hands what it meets to `meet`, until that returns false.
pub(crate) fn walk(paths: &[PathBuf], follow_links: bool, mut meet: impl FnMut(Found) -> bool) {
    for path in paths {
        let entries = WalkDir::new(path)
            .follow_links(follow_links)
            .follow_root_links(follow_links)
            .sort_by_file_name();
        for entry in entries {
            let found = match entry {
                Ok(entry) => look(entry),
                Err(error) => Some(refuse(path, error)),
            };
            if found.is_some_and(|found| !meet(found)) {
                return;
            }
        }
    }
}

/// What one entry of a walk is; `None` for a folder, whose entries come by themselves.
pub(crate) fn look(entry: DirEntry) -> Option<Found> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return None;
    }
    if kind.is_file() {
        return Some(Found::File {
            open: real_path(&entry),
            name: entry.into_path(),
        });
    }
    if entry.depth() == 0 {
        // Named by the caller, so it gets an answer of its own.
        return Some(Found::Refused {
            name: entry.into_path(),
            error: MediaError::NotAFile,
        });
    }
    let path = shown(&entry.path().to_string_lossy());
    Some(Found::Skipped(format!(
        "skipped {path}: {}",
        describe(kind)
    )))
}

/// `Media::open` refuses links, so a link that is to be followed is resolved here.
fn real_path(entry: &DirEntry) -> PathBuf {
    match entry.path_is_symlink() {
        true => entry
            .path()
            .canonicalize()
            .unwrap_or_else(|_| entry.path().to_owned()),
        false => entry.path().to_owned(),
    }
}

/// What a walk could not look at.
pub(crate) fn refuse(root: &Path, error: walkdir::Error) -> Found {
    let path = error.path().unwrap_or(root).to_owned();
    if error.loop_ancestor().is_some() {
        let path = shown(&path.to_string_lossy());
        return Found::Skipped(format!(
            "skipped {path}: this link leads back to a folder above it"
        ));
    }
    let error = error
        .into_io_error()
        .unwrap_or_else(|| io::Error::other("it could not be looked at"));
    Found::Refused {
        name: path,
        error: MediaError::Io(error),
    }
}

fn describe(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link, which is not followed"
    } else {
        "not a regular file"
    }
}
