//! New files with keys and certificates: complete, with their rights from the first moment, and never in the
//! place of another.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{exit::Failure, output};

/// What goes into one new file.
pub(super) struct NewFile<'a> {
    pub(super) path: PathBuf,
    pub(super) text: &'a str,
    pub(super) mode: u32,
}

/// All of them or none: half a key pair is of no use.
pub(super) fn write_all(files: &[NewFile<'_>]) -> Result<(), Failure> {
    if let Some(file) = files
        .iter()
        .find(|file| file.path.symlink_metadata().is_ok())
    {
        return Err(exists(&file.path));
    }
    for (written, file) in files.iter().enumerate() {
        if let Err(error) = write_new(&file.path, file.text, file.mode) {
            // The file that is in the way is not ours; one that was made and not filled is.
            let is_in_the_way = error.kind() == io::ErrorKind::AlreadyExists;
            for file in files.iter().take(written + usize::from(!is_in_the_way)) {
                let _ = fs::remove_file(&file.path);
            }
            return Err(match is_in_the_way {
                true => exists(&file.path),
                false => output::cannot_write(&file.path, &error),
            });
        }
    }
    Ok(())
}

fn exists(path: &Path) -> Failure {
    Failure::usage(
        format!(
            "{} exists already, and keys are never replaced",
            path.display()
        ),
        "give another place",
    )
}

/// The mode is set when the file is made: a key is at no moment readable by others.
fn write_new(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = create(path, mode)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn create(path: &Path, mode: u32) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[cfg(unix)]
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Everybody may read it.
pub(super) const PUBLIC: u32 = 0o644;
/// Its owner alone may read it.
pub(super) const SECRET: u32 = 0o600;
