//! Reads files that hold secrets: a regular file, not a link, that belongs to the caller and that nobody
//! else can read. Mode and owner are those of the file that is read, not of one that had its name before.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    path::Path,
};

use zeroize::Zeroizing;

use crate::error::SignError;

/// The contents of a key, passphrase or token file; wiped on drop.
///
/// # Errors
///
/// [`SignError::Unreadable`], [`SignError::KeyNotAFile`], [`SignError::KeyMode`] or
/// [`SignError::KeyOwner`].
pub fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, SignError> {
    let unreadable = |source| SignError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = open(path).map_err(|source| match path.is_symlink() {
        true => not_a_file(path),
        false => unreadable(source),
    })?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return Err(not_a_file(path));
    }
    check_rights(path, &metadata)?;
    // Room for everything at once: a buffer that grows leaves what it held behind.
    let room = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    Ok(bytes)
}

fn not_a_file(path: &Path) -> SignError {
    SignError::KeyNotAFile {
        path: path.to_owned(),
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    // A pipe in the file's place must not keep us waiting.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn check_rights(path: &Path, metadata: &std::fs::Metadata) -> Result<(), SignError> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SignError::KeyMode {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(SignError::KeyOwner {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_rights(_: &Path, _: &std::fs::Metadata) -> Result<(), SignError> {
    Ok(())
}

/// A key takes 120 bytes, an encrypted one 400.
const MAX_BYTES: u64 = 65_536;
