//! Uploaded bytes, by tenant and SHA-256. Names given by strangers are never part of a path.
//!
//! What is longer than one part goes to the disk as it comes in, under a name of its own, and is renamed
//! when its digest is known: memory is bounded by the number of connections, not by what they send.
//!
//! A blob is written before its row and removed after it, so a crash leaves a blob too many and never one
//! too few; the janitor collects those. While it decides, no upload is between its blob and its row: that
//! is what the gate is for.

use std::{mem, path::Path, sync::Arc};

use futures_util::{StreamExt as _, stream::BoxStream};
use media::Digest;
use object_store::{
    MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutPayload,
    local::LocalFileSystem, path::Path as Location,
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

/// Bytes on their way in, of which at most one part is in memory. Nothing of them is kept unless
/// [`Blobs::put`] takes them: what was written beside the blobs goes with this value.
pub(crate) struct Incoming {
    blobs: Blobs,
    /// What is not written yet: all of a short file, the last part of a long one.
    held: Vec<u8>,
    written: Option<Written>,
}

/// The parts of a long file that have left memory.
struct Written {
    at: Location,
    /// A folder forgets them when this is dropped; a bucket needs a rule that ends uploads left open.
    parts: Box<dyn MultipartUpload>,
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
        Ok(Self::over(Arc::new(store)))
    }

    fn over(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            gate: Arc::default(),
        }
    }

    /// Room for the bytes of one upload.
    pub(crate) fn incoming(&self) -> Incoming {
        Incoming {
            blobs: self.clone(),
            held: Vec::new(),
            written: None,
        }
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

    /// Makes a blob of all that came in, whole or not at all; durable on return.
    pub(crate) async fn put(
        &self,
        _deposit: &Deposit,
        key: BlobKey,
        incoming: Incoming,
    ) -> Result<(), StoreError> {
        let to = location(key);
        let last = PutPayload::from(incoming.held);
        let done = match incoming.written {
            None => self.store.put(&to, last).await.map(drop),
            Some(written) => self.settle(written, last, &to).await,
        };
        done.map_err(blob_error)
    }

    async fn settle(
        &self,
        written: Written,
        last: PutPayload,
        to: &Location,
    ) -> object_store::Result<()> {
        let Written { at, mut parts } = written;
        if last.content_length() > 0 {
            parts.put_part(last).await?;
        }
        parts.complete().await?;
        let renamed = self.store.rename(&at, to).await;
        if renamed.is_err() {
            // The error that counts is the first; what stays is removed at the next start.
            let _ = self.store.delete(&at).await;
        }
        renamed
    }

    /// The bytes of a blob; `None` when it is not there.
    pub(crate) async fn get(&self, key: BlobKey) -> Result<Option<Vec<u8>>, StoreError> {
        let found = match self.store.get(&location(key)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(blob_error(error)),
        };
        let bytes = found.bytes().await.map_err(blob_error)?;
        // No copy: nobody else has these bytes.
        Ok(Some(bytes.into()))
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

impl Incoming {
    /// The next bytes. Returns when there is room for more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; [`StoreError::Full`] when the disk has no room left.
    pub(crate) async fn push(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < PART_BYTES {
            return Ok(());
        }
        let part = PutPayload::from(mem::take(&mut self.held));
        let parts = self.parts().await.map_err(blob_error)?;
        parts.put_part(part).await.map_err(blob_error)
    }

    async fn parts(&mut self) -> object_store::Result<&mut Box<dyn MultipartUpload>> {
        let written = match self.written.take() {
            Some(written) => written,
            None => {
                let at = Location::from(format!("{INCOMING}{}", Uuid::now_v7()));
                let parts = self.blobs.store.put_multipart(&at).await?;
                Written { at, parts }
            }
        };
        Ok(&mut self.written.insert(written).parts)
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

/// Removes what was being written when its process died: `object_store` writes to `NAME#NUMBER` first and
/// does not list such files, and a long upload has no digest for a name before its end.
fn remove_torn(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.contains('#') || name.starts_with(INCOMING) {
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

/// Names of what is not a blob yet start so; no tenant is called that.
const INCOMING: &str = "incoming.";

/// What is written at one time, and the most that one upload has in memory, but for the chunk that fills it.
/// Most pictures fit and cost one write. A bucket takes no part under 5 MiB, the last one aside.
const PART_BYTES: usize = 512 << 10;

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;
    use object_store::memory::InMemory;

    use super::*;

    fn blob(tenant: TenantId, bytes: &[u8]) -> BlobKey {
        BlobKey {
            tenant,
            digest: Digest::of(bytes),
        }
    }

    async fn put(blobs: &Blobs, key: BlobKey, bytes: &[u8]) {
        let mut incoming = blobs.incoming();
        for chunk in bytes.chunks(100_000) {
            incoming.push(chunk).await.unwrap();
        }
        let deposit = blobs.deposit().await;
        blobs.put(&deposit, key, incoming).await.unwrap();
    }

    /// What every backend must do.
    async fn conforms(blobs: &Blobs) {
        for bytes in [
            &b"picture"[..],
            &vec![7; 3 * PART_BYTES + 1],
            &vec![9; PART_BYTES],
        ] {
            let key = blob(TenantId::new(), bytes);
            put(blobs, key, bytes).await;
            put(blobs, key, bytes).await;
            assert_eq!(blobs.get(key).await.unwrap().as_deref(), Some(bytes));
            let stranger = blob(TenantId::new(), bytes);
            assert!(!blobs.has(stranger).await.unwrap());
            assert_eq!(blobs.get(stranger).await.unwrap(), None);
            assert_eq!(blobs.all().try_collect::<Vec<_>>().await.unwrap(), [key]);
            let sweep = blobs.sweep().await;
            blobs.remove(&sweep, key).await.unwrap();
            blobs.remove(&sweep, key).await.unwrap();
            assert!(!blobs.has(key).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_blob_is_read_back_by_its_tenant_alone_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        conforms(&Blobs::in_folder(folder.path()).unwrap()).await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        conforms(&Blobs::over(Arc::new(InMemory::new()))).await;
    }

    #[tokio::test]
    async fn a_long_upload_leaves_memory_and_nothing_stays_of_one_that_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let files = || std::fs::read_dir(folder.path()).unwrap().count();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let mut incoming = blobs.incoming();
        incoming.push(&vec![1; PART_BYTES - 1]).await.unwrap();
        assert_eq!(files(), 0);
        incoming.push(b"2").await.unwrap();
        assert_eq!((files(), incoming.held.len()), (1, 0));
        assert!(
            blobs
                .all()
                .try_collect::<Vec<_>>()
                .await
                .unwrap()
                .is_empty()
        );
        drop(incoming);
        for _ in 0..200 {
            if files() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("it is still there");
    }

    #[tokio::test]
    async fn torn_uploads_are_removed_and_foreign_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = blob(TenantId::LOCAL, b"x");
        let torn = folder.path().join(format!("{}#1", location(key)));
        let nameless = folder.path().join(format!("{INCOMING}{}", Uuid::now_v7()));
        let foreign = folder.path().join("README");
        std::fs::write(&torn, b"half").unwrap();
        std::fs::write(&nameless, b"whole").unwrap();
        std::fs::write(&foreign, b"mine").unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        assert!(!torn.exists() && !nameless.exists() && foreign.exists());
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
