//! Work that a request waits for, on the threads of the examinations and within their places: a drawing
//! costs what an examination does, so both together never take more than the machine has.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Work;
use crate::pool::Full;

/// A place among the examinations; free again when dropped.
pub(crate) struct Place(OwnedSemaphorePermit);

impl Work {
    /// A place, if one is free at this moment. Jobs that wait for one go first, and a job that must be alone
    /// stays alone.
    pub(crate) fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// Runs `work` on a thread of the examinations. Its place is free once it has ended, whether or not
    /// somebody still waits for the result.
    ///
    /// # Errors
    ///
    /// [`Full`]; then nothing was started.
    pub(crate) fn aside<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Full> {
        self.pool.run(move || {
            let result = work();
            drop(place.0);
            result
        })
    }
}
