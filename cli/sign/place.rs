//! Puts a finished file where it belongs without a moment at which the old one is lost: a locked temporary
//! beside the target, on the disk with its rights before it gets the name. Knows no manifests.
//!
//! The kernel gives a lock back when its holder dies, so a temporary that can be locked is one that a
//! killed run left behind.

use std::{
    fs::{self, File, Metadata, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use tempfile::NamedTempFile;

use crate::output;

/// Writes `bytes` beside `target`, with the rights of `model`, and brings them to the disk.
pub(crate) fn write_beside(
    target: &Path,
    bytes: &[u8],
    model: &Metadata,
) -> io::Result<NamedTempFile> {
    let mut file = locked_temporary(target)?;
    file.write_all(bytes)?;
    give_rights(file.as_file(), model)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Whether a reader of the file gets `bytes`, read piece by piece: the whole is in memory already.
pub(crate) fn gives_back(file: &mut NamedTempFile, mut bytes: &[u8]) -> io::Result<bool> {
    let file = file.as_file_mut();
    file.rewind()?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        let Some(expected) = bytes.split_off(..read) else {
            return Ok(false);
        };
        if piece.get(..read) != Some(expected) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(bytes.is_empty());
        }
    }
}

/// What to do with a file that has the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It makes way.
    Replace,
    /// It stays, and publishing fails.
    Keep,
}

/// Gives the file its name, and brings the name to the disk.
pub(crate) fn publish(file: NamedTempFile, target: &Path, existing: Existing) -> io::Result<()> {
    match existing {
        Existing::Replace => file.persist(target).map_err(|error| error.error)?,
        Existing::Keep => file
            .persist_noclobber(target)
            .map_err(|error| error.error)?,
    };
    output::sync_folder(target);
    Ok(())
}

/// Removes what killed runs left in `folder`. What another run works on is locked and stays.
pub(crate) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_ours = is_temporary(&path) && entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_ours && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            // Whoever makes a temporary looks whether it is still there after locking it.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether the name is one that only this module gives.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
}

fn locked_temporary(target: &Path) -> io::Result<NamedTempFile> {
    for _ in 0..ATTEMPTS {
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(output::folder_of(target))?;
        match file.as_file().try_lock() {
            Ok(()) if file.path().symlink_metadata().is_ok() => return Ok(file),
            // A run that starts now took it for a leftover.
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks; a leftover there is swept by nobody.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
    Err(io::Error::other(
        "other runs keep removing its temporary file",
    ))
}

/// The rights of `model`; its owner and group too, as far as the system lets us. A group that the model does
/// not have gets no rights.
#[cfg(unix)]
fn give_rights(file: &File, model: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    let (uid, gid) = (Some(model.uid()), Some(model.gid()));
    if fchown(file, uid, gid).is_err() {
        // Only the system's owner may give files away; to a group of ours we may.
        let _ = fchown(file, None, gid);
    }
    let is_same_group = file.metadata()?.gid() == model.gid();
    let kept = if is_same_group { 0o777 } else { 0o707 };
    file.set_permissions(fs::Permissions::from_mode(model.mode() & kept))
}

#[cfg(not(unix))]
fn give_rights(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Temporaries are told by both ends of their names.
const PREFIX: &str = ".bonafide-sign-";
const SUFFIX: &str = ".tmp";

/// Bytes read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Temporaries that may be lost to a sweep before we give up.
const ATTEMPTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::{PIECE_BYTES, gives_back, is_temporary, locked_temporary};
    use std::{io::Write as _, path::Path};

    #[test]
    fn one_other_byte_one_more_and_one_less_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = locked_temporary(&folder.path().join("a.jpg")).unwrap();
        let bytes: Vec<u8> = (0..PIECE_BYTES * 2 + 7)
            .map(|place| u8::try_from(place % 251).unwrap())
            .collect();
        file.write_all(&bytes).unwrap();
        assert!(gives_back(&mut file, &bytes).unwrap());
        let last = bytes.len() - 1;
        assert!(!gives_back(&mut file, &bytes[..last]).unwrap());
        assert!(!gives_back(&mut file, &[&bytes[..], b"x"].concat()).unwrap());
        for place in [0, PIECE_BYTES, last] {
            let mut other = bytes.clone();
            other[place] ^= 1;
            assert!(!gives_back(&mut file, &other).unwrap(), "{place}");
        }
    }

    #[test]
    fn only_names_of_ours_are_temporaries() {
        assert!(is_temporary(Path::new("a/.bonafide-sign-Xy12ab.tmp")));
        for name in [
            ".bonafide-Xy12ab",
            "bonafide-sign-x.tmp",
            ".bonafide-sign-x.jpg",
            "a.tmp",
        ] {
            assert!(!is_temporary(Path::new(name)), "{name}");
        }
    }
}
