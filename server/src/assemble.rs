//! Puts a service together: which part gets which. Nothing else here, so that a part can be read without
//! knowing who else is there.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::{
    blobs::Blobs,
    data::DataFolder,
    disk::Disk,
    error::ServeError,
    intake::{Intake, QueueSigns},
    metrics::Metrics,
    progress::Progress,
    reload::ExaminerCell,
    settings::ServeSettings,
    signatures::Signers,
    state::{Parts, ServerState},
    store::Store,
    webhooks::Deliveries,
    work::{Janitor, Work, WorkParts},
};

/// Everything of a service but its connections.
pub(crate) struct Assembly {
    pub(crate) state: Arc<ServerState>,
    work: Arc<Work>,
    janitor: Janitor,
    deliveries: Arc<Deliveries>,
}

impl Assembly {
    /// The parts over `store` and the blobs of `data`; their threads are started, their loops are not.
    pub(crate) fn new(
        examiner: Arc<ExaminerCell>,
        data: &DataFolder,
        store: Arc<dyn Store>,
        signers: Signers,
        settings: ServeSettings,
    ) -> Result<Self, ServeError> {
        let blobs = Blobs::in_folder(&data.blobs())?;
        let (metrics, progress) = (Arc::new(Metrics::new()), Progress::new());
        let signs = Arc::<QueueSigns>::default();
        let work = Work::new(WorkParts {
            store: Arc::clone(&store),
            blobs: blobs.clone(),
            examiner: Arc::clone(&examiner),
            queue: Arc::clone(&signs),
            progress: progress.clone(),
            metrics: Arc::clone(&metrics),
            clock: settings.clock,
            threads: settings.workers,
            examine_timeout: settings.examine_timeout,
            drain_timeout: settings.drain_timeout,
        })
        .map_err(ServeError::Threads)?;
        let deliveries = Deliveries::new(
            Arc::clone(&store),
            Arc::clone(&metrics),
            settings.webhook_reach,
            settings.clock,
        )
        .map_err(ServeError::Threads)?;
        let intake = Intake::new(
            Arc::clone(&store),
            blobs.clone(),
            Arc::clone(&examiner),
            max_waiting(&settings),
            signs,
        );
        Ok(Self {
            work: Arc::clone(&work),
            janitor: Janitor::new(Arc::clone(&store), blobs, settings.clock),
            deliveries: Arc::new(deliveries),
            state: ServerState::new(Parts {
                disk: Disk::new(data.path(), settings.min_free_bytes),
                settings,
                examiner,
                store,
                intake,
                work,
                metrics,
                progress,
                signers,
            })?,
        })
    }

    /// Starts the loops; they end after `ServerState::stop`.
    pub(crate) fn start(self) -> [JoinHandle<()>; 3] {
        let stop = || self.state.stop_signal();
        [
            tokio::spawn(self.work.run(stop())),
            tokio::spawn(self.janitor.run(stop())),
            tokio::spawn(self.deliveries.run(stop())),
        ]
    }
}

/// Uploads of one tenant that are being examined, and those that wait.
fn max_waiting(settings: &ServeSettings) -> u64 {
    let places = settings.workers.max(1).saturating_add(settings.queue);
    u64::try_from(places).unwrap_or(u64::MAX)
}
