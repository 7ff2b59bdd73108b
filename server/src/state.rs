//! What all requests share.

use std::sync::Arc;

use provenance::Timestamp;
use tokio::sync::{Mutex, Semaphore, watch};
use verdict::Examiner;

use crate::{
    disk::Disk, error::ServeError, health::LastCheck, intake::Intake, limits::Gates,
    metrics::Metrics, pool::Pool, progress::Progress, reload::ExaminerCell,
    settings::ServeSettings, signatures::Signers, store::Store, work::Work,
};

/// What a service is made of. Cheap to share behind an `Arc`.
pub(crate) struct ServerState {
    pub(crate) settings: ServeSettings,
    pub(crate) examiner: Arc<ExaminerCell>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) intake: Intake,
    /// The examinations' threads, for requests that need one.
    pub(crate) work: Arc<Work>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) progress: Progress,
    /// Who signs for whom; empty unless configured.
    pub(crate) signers: Signers,
    pub(crate) gates: Gates,
    /// Bytes of stored files that requests may hold, in KiB.
    pub(crate) memory: Arc<Semaphore>,
    /// Reads manifests out of stored files; examinations have threads of their own.
    pub(crate) read_pool: Pool,
    /// A thread of its own, so that a full queue does not read as a broken service.
    pub(crate) check_pool: Pool,
    pub(crate) last_check: Mutex<Option<LastCheck>>,
    stop: watch::Sender<bool>,
}

/// What a state is put together from.
pub(crate) struct Parts {
    pub(crate) settings: ServeSettings,
    pub(crate) examiner: Arc<ExaminerCell>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) intake: Intake,
    pub(crate) work: Arc<Work>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) disk: Disk,
    pub(crate) progress: Progress,
    pub(crate) signers: Signers,
}

impl ServerState {
    /// Starts the threads that answer questions beside the examinations.
    ///
    /// # Errors
    ///
    /// [`ServeError::Threads`] when the system gives none.
    pub(crate) fn new(parts: Parts) -> Result<Arc<Self>, ServeError> {
        let pool = |name, queue| Pool::start(name, 1, queue).map_err(ServeError::Threads);
        let memory = usize::try_from(parts.settings.max_memory_bytes / KIB)
            .unwrap_or(Semaphore::MAX_PERMITS)
            .min(Semaphore::MAX_PERMITS);
        Ok(Arc::new(Self {
            gates: Gates::new(&parts.settings),
            memory: Arc::new(Semaphore::new(memory)),
            read_pool: pool("read", READS_WAITING)?,
            check_pool: pool("check", 1)?,
            last_check: Mutex::new(None),
            stop: watch::Sender::new(false),
            settings: parts.settings,
            examiner: parts.examiner,
            store: parts.store,
            intake: parts.intake,
            work: parts.work,
            metrics: parts.metrics,
            disk: Arc::new(parts.disk),
            progress: parts.progress,
            signers: parts.signers,
        }))
    }

    /// The examiner in force.
    pub(crate) fn examiner(&self) -> Arc<Examiner> {
        self.examiner.current()
    }

    /// Bytes of one file.
    pub(crate) fn max_bytes(&self) -> u64 {
        self.examiner().limits().max_bytes
    }

    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        (self.settings.clock)()
    }

    /// Ends what would otherwise go on for as long as somebody listens.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether [`Self::stop`] was called.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Returns once [`Self::stop`] was called.
    pub(crate) async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // The sender lives as long as this borrow, so the wait ends with the word alone.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// For tasks that outlive a request.
    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }
}

/// Unit of the memory semaphore.
pub(crate) const KIB: u64 = 1024;

/// Manifests that may wait to be read; past that the answer is 503.
const READS_WAITING: usize = 32;
