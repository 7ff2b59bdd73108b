//! The data folder: one process serves from it, and everything durable is in it.
//!
//! `bonafide.sqlite` is the store, `blobs/` holds the uploads, `lock` is held by the service. `bonafide
//! admin` opens the store beside a running service; it never takes the lock and never touches blobs.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::store::{SqliteStore, StoreError};

/// A data folder that this process has for itself, until the value is dropped.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
    /// Removed with the value.
    temporary: Option<TempDir>,
}

impl DataFolder {
    /// Takes `path`, which is made if it is missing, readable by this user alone.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] when another service has it; [`StoreError::Folder`].
    pub fn claim(path: &Path) -> Result<Self, StoreError> {
        Self::take(path.to_owned(), None)
    }

    /// Takes a new folder among the system's temporary files, for a service that is only tried out. It is
    /// removed with the value; a process that is killed leaves it behind.
    ///
    /// # Errors
    ///
    /// [`StoreError::Folder`].
    pub fn temporary() -> Result<Self, StoreError> {
        let folder = tempfile::Builder::new()
            .prefix("bonafide-")
            .tempdir()
            .map_err(|source| unusable(&std::env::temp_dir(), source))?;
        Self::take(folder.path().to_owned(), Some(folder))
    }

    fn take(path: PathBuf, temporary: Option<TempDir>) -> Result<Self, StoreError> {
        let lock = make_folder(&path.join(BLOBS))
            .and_then(|()| File::create(path.join(LOCK)))
            .map_err(|source| unusable(&path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                _lock: lock,
                temporary,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                folder: path.display().to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(unusable(&path, source)),
        }
    }

    /// Whether it is removed with the value.
    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the blobs are.
    pub(crate) fn blobs(&self) -> PathBuf {
        self.path.join(BLOBS)
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn open_store(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.path.join(DATABASE)).await
    }
}

/// What to do when there is no store yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Make one: the first key is made before the first start.
    Create,
    /// Say so.
    Refuse,
}

/// Opens the store of `folder` for administration, also while a service uses it.
///
/// # Errors
///
/// [`StoreError::Missing`] when there is none and none is wanted; [`StoreError`].
pub async fn open_for_administration(
    folder: &Path,
    when_missing: WhenMissing,
) -> Result<SqliteStore, StoreError> {
    let database = folder.join(DATABASE);
    match when_missing {
        WhenMissing::Create => make_folder(folder).map_err(|source| unusable(folder, source))?,
        WhenMissing::Refuse if database.is_file() => {}
        WhenMissing::Refuse => {
            return Err(StoreError::Missing {
                folder: folder.display().to_string(),
            });
        }
    }
    SqliteStore::open(&database).await
}

#[cfg(unix)]
fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn make_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn unusable(folder: &Path, source: io::Error) -> StoreError {
    StoreError::Folder {
        folder: folder.display().to_string(),
        source,
    }
}

const DATABASE: &str = "bonafide.sqlite";
const BLOBS: &str = "blobs";
const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_service_has_a_folder_and_administration_goes_on_beside_it() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let missing = open_for_administration(&path, WhenMissing::Refuse).await;
        assert!(matches!(missing, Err(StoreError::Missing { .. })));
        let folder = DataFolder::claim(&path).unwrap();
        let second = DataFolder::claim(&path);
        assert!(matches!(second, Err(StoreError::InUse { .. })));
        let _store = folder.open_store().await.unwrap();
        open_for_administration(&path, WhenMissing::Refuse)
            .await
            .unwrap();
        drop(folder);
        DataFolder::claim(&path).unwrap();
    }

    #[test]
    fn a_temporary_folder_goes_with_its_service() {
        let folder = DataFolder::temporary().unwrap();
        let path = folder.path().to_owned();
        assert!(path.join(BLOBS).is_dir());
        drop(folder);
        assert!(!path.exists());
    }
}
