//! Uploaded bytes, by tenant and SHA-256. Names given by strangers are never part of a path.
//!
//! A blob is written before its row and removed after it, so a crash leaves a blob too many and never one
//! too few; the janitor collects those. While it decides, no upload is between its blob and its row: that
//! is what the gate is for.

use std::{path::Path, sync::Arc};

use futures_util::{StreamExt as _, stream::BoxStream};
use media::Digest;
use object_store::{
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem,
    path::Path as Location,
};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};
use uuid::Uuid;

use crate::store::{BlobKey, StoreError, TenantId};

/// The blobs of one service.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    gate: Arc<RwLock<()>>,
}

/// Held by an upload from before its blob is written until its row is there.
pub(crate) struct Deposit {
    _open: OwnedRwLockReadGuard<()>,
}

/// Held by the janitor while it decides about some blobs: nobody deposits meanwhile.
pub(crate) struct Sweep {
    _closed: OwnedRwLockWriteGuard<()>,
}

impl Blobs {
    /// Blobs in `folder`, which must be there. Uploads that a crash cut off in the middle are removed.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self, StoreError> {
        remove_torn(folder).map_err(|source| StoreError::Folder {
            folder: folder.display().to_string(),
            source,
        })?;
        // Whoever is told that a blob is stored may rely on it after a power cut.
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(blob_error)?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            gate: Arc::default(),
        })
    }

    /// Lets one upload in.
    pub(crate) async fn deposit(&self) -> Deposit {
        Deposit {
            _open: Arc::clone(&self.gate).read_owned().await,
        }
    }

    /// Keeps uploads out.
    pub(crate) async fn sweep(&self) -> Sweep {
        Sweep {
            _closed: Arc::clone(&self.gate).write_owned().await,
        }
    }

    /// Writes a blob, whole or not at all; durable on return.
    pub(crate) async fn put(
        &self,
        _deposit: &Deposit,
        key: BlobKey,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.store
            .put(&location(key), PutPayload::from(bytes))
            .await
            .map_err(blob_error)?;
        Ok(())
    }

    /// The bytes of a blob; `None` when it is not there.
    pub(crate) async fn get(&self, key: BlobKey) -> Result<Option<Vec<u8>>, StoreError> {
        let found = match self.store.get(&location(key)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(blob_error(error)),
        };
        let bytes = found.bytes().await.map_err(blob_error)?;
        Ok(Some(bytes.to_vec()))
    }

    /// Whether a blob is there.
    pub(crate) async fn has(&self, key: BlobKey) -> Result<bool, StoreError> {
        match self.store.head(&location(key)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(blob_error(error)),
        }
    }

    /// Removes a blob; one that is not there is no error.
    pub(crate) async fn remove(&self, _sweep: &Sweep, key: BlobKey) -> Result<(), StoreError> {
        match self.store.delete(&location(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(blob_error(error)),
        }
    }

    /// All blobs, in no order. Foreign files are passed over.
    pub(crate) fn all(&self) -> BoxStream<'static, Result<BlobKey, StoreError>> {
        self.store
            .list(None)
            .filter_map(|found| async {
                match found {
                    Ok(ObjectMeta { location, .. }) => key(&location).map(Ok),
                    Err(error) => Some(Err(blob_error(error))),
                }
            })
            .boxed()
    }
}

/// One flat name: a folder per tenant would have to be made durable first, by one of several uploads.
fn location(key: BlobKey) -> Location {
    Location::from(format!("{}.{}", key.tenant, key.digest))
}

fn key(location: &Location) -> Option<BlobKey> {
    let (tenant, digest) = location.as_ref().split_once('.')?;
    Some(BlobKey {
        tenant: TenantId(Uuid::try_parse(tenant).ok()?),
        digest: Digest::from_hex(digest)?,
    })
}

/// Removes what `object_store` was writing when its process died: it writes to `NAME#NUMBER` first and
/// does not list such files.
fn remove_torn(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().contains('#') {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn blob_error(error: object_store::Error) -> StoreError {
    if is_full(&error) {
        StoreError::Full
    } else {
        StoreError::Blob(error.to_string())
    }
}

fn is_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return matches!(
                error.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            );
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    fn blob(tenant: TenantId, bytes: &[u8]) -> BlobKey {
        BlobKey {
            tenant,
            digest: Digest::of(bytes),
        }
    }

    #[tokio::test]
    async fn a_blob_is_read_back_by_its_tenant_alone_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let key = blob(TenantId::new(), b"picture");
        let deposit = blobs.deposit().await;
        blobs.put(&deposit, key, b"picture".to_vec()).await.unwrap();
        blobs.put(&deposit, key, b"picture".to_vec()).await.unwrap();
        drop(deposit);
        assert_eq!(
            blobs.get(key).await.unwrap().as_deref(),
            Some(&b"picture"[..])
        );
        let stranger = blob(TenantId::new(), b"picture");
        assert!(!blobs.has(stranger).await.unwrap());
        assert_eq!(blobs.get(stranger).await.unwrap(), None);
        assert_eq!(blobs.all().try_collect::<Vec<_>>().await.unwrap(), [key]);
        let sweep = blobs.sweep().await;
        blobs.remove(&sweep, key).await.unwrap();
        blobs.remove(&sweep, key).await.unwrap();
        assert!(!blobs.has(key).await.unwrap());
    }

    #[tokio::test]
    async fn torn_uploads_are_removed_and_foreign_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = blob(TenantId::LOCAL, b"x");
        let torn = folder.path().join(format!("{}#1", location(key)));
        let foreign = folder.path().join("README");
        std::fs::write(&torn, b"half").unwrap();
        std::fs::write(&foreign, b"mine").unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        assert!(!torn.exists() && foreign.exists());
        assert!(
            blobs
                .all()
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn the_janitor_waits_for_deposits_and_they_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let soon = std::time::Duration::from_millis(20);
        let deposit = blobs.deposit().await;
        assert!(tokio::time::timeout(soon, blobs.sweep()).await.is_err());
        drop(deposit);
        let sweep = blobs.sweep().await;
        assert!(tokio::time::timeout(soon, blobs.deposit()).await.is_err());
        drop(sweep);
        blobs.deposit().await;
    }
}
