//! What all requests share.

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use verdict::Examiner;

use crate::{
    error::{Problem, ServeError},
    health::LastCheck,
    metered::KIB,
    pool::Pool,
    settings::ServeSettings,
};

/// The examiner with its threads and the room that is left. Cheap to share behind an `Arc`.
pub struct ServerState {
    pub(crate) examiner: Arc<Examiner>,
    pub(crate) settings: ServeSettings,
    pub(crate) pool: Pool,
    /// A thread of its own, so that a full queue does not read as a broken service.
    pub(crate) check_pool: Pool,
    pub(crate) last_check: Mutex<Option<LastCheck>>,
    pub(crate) memory: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl ServerState {
    /// Starts the worker threads.
    ///
    /// # Errors
    ///
    /// [`ServeError::Threads`] when the system gives none.
    pub fn new(examiner: Arc<Examiner>, settings: ServeSettings) -> Result<Arc<Self>, ServeError> {
        let workers = settings.workers.max(1);
        let places = workers.saturating_add(settings.queue);
        let pool = Pool::start("examine", workers, places).map_err(ServeError::Threads)?;
        let check_pool = Pool::start("check", 1, 1).map_err(ServeError::Threads)?;
        let memory = usize::try_from(settings.max_memory_bytes / KIB)
            .unwrap_or(Semaphore::MAX_PERMITS)
            .min(Semaphore::MAX_PERMITS);
        Ok(Arc::new(Self {
            examiner,
            pool,
            check_pool,
            last_check: Mutex::new(None),
            memory: Arc::new(Semaphore::new(memory)),
            places: Arc::new(Semaphore::new(places)),
            settings,
        }))
    }

    /// Bytes of one file.
    pub(crate) fn max_bytes(&self) -> u64 {
        self.examiner.limits().max_bytes
    }

    /// Whether a body is worth reading: some place is free at this moment.
    pub(crate) fn check_room(&self) -> Result<(), Problem> {
        match self.places.available_permits() {
            0 => Err(Problem::busy()),
            _ => Ok(()),
        }
    }

    /// One of the places `workers + queue`; free again when dropped.
    pub(crate) fn take_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Problem::busy())
    }
}
