//! How much room the data folder has left. A service that cannot write cannot promise anything; it says so
//! before it runs into it.

use std::path::{Path, PathBuf};

/// The disk under one folder.
pub(crate) struct Disk {
    folder: PathBuf,
    min_free_bytes: u64,
}

impl Disk {
    /// The disk of `folder`, of which at least `min_free_bytes` should stay free.
    pub(crate) fn new(folder: &Path, min_free_bytes: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            min_free_bytes,
        }
    }

    /// Bytes that this process may still write; `None` where the system does not say.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.folder).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Whether there is enough room left to take something in.
    pub(crate) fn has_room(&self) -> bool {
        self.is_enough(self.free_bytes())
    }

    /// Whether `free_bytes` is enough to go on with. Not knowing is no reason to stop.
    pub(crate) fn is_enough(&self, free_bytes: Option<u64>) -> bool {
        free_bytes.is_none_or(|bytes| bytes >= self.min_free_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Disk;

    #[test]
    fn the_room_left_is_known_and_compared() {
        let folder = tempfile::tempdir().unwrap();
        let disk = |least| Disk::new(folder.path(), least);
        let free = disk(0).free_bytes();
        assert!(free.is_some_and(|bytes| bytes > 0));
        assert!(disk(0).is_enough(free) && !disk(u64::MAX).is_enough(free));
        assert!(
            disk(1).is_enough(None) && disk(1).is_enough(Some(1)) && !disk(1).is_enough(Some(0))
        );
        assert_eq!(
            Disk::new(&folder.path().join("missing"), 0).free_bytes(),
            None
        );
    }
}
