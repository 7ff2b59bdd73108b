//! The work behind the API: takes jobs from the queue, has them examined on fixed threads, and stores
//! their verdicts; aside, what requests need of those threads; beside it the janitor. It knows leases and attempts, never requests or tenants' keys.
//!
//! A job whose process died with it is tried again, alone: a file that ends processes then takes nobody
//! else with it, and after [`retry::MAX_ATTEMPTS`] it is given up unseen.

mod aside;
mod examine;
mod janitor;
mod retry;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use provenance::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::Instrument as _;

use crate::{
    blobs::Blobs,
    intake::QueueSigns,
    metrics::Metrics,
    pool::Pool,
    progress::Progress,
    reload::ExaminerCell,
    store::{Attempted, Job, Lease, Store, StoreError},
};

pub(crate) use janitor::Janitor;

/// What the workers need.
pub(crate) struct WorkParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Blobs,
    pub(crate) examiner: Arc<ExaminerCell>,
    pub(crate) queue: Arc<QueueSigns>,
    pub(crate) progress: Progress,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: fn() -> Timestamp,
    /// Threads that examine.
    pub(crate) threads: usize,
    /// Longest examination.
    pub(crate) examine_timeout: Duration,
    /// How long jobs under way may take to finish after the order to stop.
    pub(crate) drain_timeout: Duration,
}

/// The workers of one service.
pub(crate) struct Work {
    parts: WorkParts,
    pool: Pool,
    /// One for each thread, and one for a job that gets its bytes ready meanwhile.
    places: Arc<Semaphore>,
    all_places: u32,
    held: Mutex<HashSet<Lease>>,
}

/// A job that may be begun.
struct Ready {
    job: Job,
    /// One permit, or all of them for a job that must be alone.
    place: OwnedSemaphorePermit,
    held: HeldLease,
}

/// A lease that is prolonged until this is dropped, be it by a panic.
struct HeldLease {
    work: Arc<Work>,
    lease: Lease,
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.work.held().remove(&self.lease);
    }
}

impl Work {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// What the system says when it gives no threads.
    pub(crate) fn new(parts: WorkParts) -> io::Result<Arc<Self>> {
        let places = parts.threads.max(1) + 1;
        Ok(Arc::new(Self {
            pool: Pool::start("examine", parts.threads.max(1), places)?,
            places: Arc::new(Semaphore::new(places)),
            all_places: u32::try_from(places).unwrap_or(u32::MAX),
            held: Mutex::default(),
            parts,
        }))
    }

    /// Works until `stop` says so, then lets jobs under way finish and gives back those that do not.
    pub(crate) async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        match self.parts.store.reclaim(self.now()).await {
            Ok(0) => {}
            Ok(jobs) => tracing::warn!(jobs, "took up the work of a process that died"),
            Err(error) => {
                tracing::error!(%error, "leases of an earlier process stay until they end")
            }
        }
        let beat = tokio::spawn(Arc::clone(&self).keep_leases());
        let mut jobs = JoinSet::new();
        self.take_jobs(&mut jobs, stop).await;
        let ended = async { while jobs.join_next().await.is_some() {} };
        if timeout(self.parts.drain_timeout, ended).await.is_err() {
            tracing::warn!(
                "some examinations did not finish in time and are left to the next start"
            );
        }
        beat.abort();
        // Taken before the tasks let go of theirs.
        let left = self.leases();
        jobs.abort_all();
        self.give_back(&left).await;
    }

    /// Until `stop` says so. A lease is never broken off in the middle: nobody would know whose it is.
    async fn take_jobs(
        self: &Arc<Self>,
        under_way: &mut JoinSet<()>,
        mut stop: watch::Receiver<bool>,
    ) {
        while !*stop.borrow() {
            let place = tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => place,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Ok(place) = place else { return };
            match self.parts.store.lease(self.now(), LEASE_S, 1).await {
                Ok(mut jobs) => match jobs.pop() {
                    Some(job) => {
                        if let Some(ready) = self.make_room(job, place, &mut stop).await {
                            let span = span_of(&ready.job);
                            under_way.spawn(Arc::clone(self).examine(ready).instrument(span));
                        }
                        while under_way.try_join_next().is_some() {}
                    }
                    None => {
                        drop(place);
                        self.wait(&mut stop).await;
                    }
                },
                Err(error) => {
                    drop(place);
                    tracing::error!(%error, "no job can be taken, trying again");
                    sleep(POLL).await;
                }
            }
        }
    }

    /// For a bell, or a while: a job may become due without one.
    async fn wait(&self, stop: &mut watch::Receiver<bool>) {
        tokio::select! {
            () = self.parts.queue.bell.notified() => {}
            () = sleep(POLL) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Makes a job ready to be begun, at once unless it is one that must be alone; `None` when the service
    /// stops meanwhile.
    async fn make_room(
        self: &Arc<Self>,
        job: Job,
        mut place: OwnedSemaphorePermit,
        stop: &mut watch::Receiver<bool>,
    ) -> Option<Ready> {
        self.held().insert(job.lease);
        self.parts.progress.moved(job.lease.analysis);
        if job.attempt > 1 {
            // All others end first, and nobody begins before this one has ended. A thread that hangs never
            // ends, and must not stop the service: whoever has not ended in its time is not waited for.
            let others = Arc::clone(&self.places).acquire_many_owned(self.all_places - 1);
            tokio::select! {
                others = timeout(self.parts.examine_timeout, others) => {
                    if let Ok(Ok(others)) = others {
                        place.merge(others);
                    }
                }
                _ = stop.wait_for(|stop| *stop) => return None,
            }
        }
        let held = HeldLease {
            work: Arc::clone(self),
            lease: job.lease,
        };
        Some(Ready { job, place, held })
    }

    async fn keep_leases(self: Arc<Self>) {
        let mut beat = interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            let leases = self.leases();
            if leases.is_empty() {
                continue;
            }
            if let Err(error) = self
                .parts
                .store
                .heartbeat(&leases, self.now(), LEASE_S)
                .await
            {
                tracing::error!(%error, "leases cannot be prolonged, trying again");
            }
        }
    }

    /// What is not done by now is done by the next process, and is not counted against the file.
    async fn give_back(&self, leases: &[Lease]) {
        for lease in leases {
            if let Err(error) = self.release(*lease, self.now(), Attempted::No).await {
                tracing::error!(%error, analysis.id = %lease.analysis, "a lease stays until it ends");
            }
        }
    }

    async fn release(
        &self,
        lease: Lease,
        due: Timestamp,
        counts: Attempted,
    ) -> Result<(), StoreError> {
        self.parts.store.release(lease, due, counts).await
    }

    fn leases(&self) -> Vec<Lease> {
        self.held().iter().copied().collect()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashSet<Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.parts.clock)()
    }
}

/// One attempt at a job. The request that brought it may be over; they have the id in common.
fn span_of(job: &Job) -> tracing::Span {
    tracing::info_span!("examination", analysis.id = %job.lease.analysis, attempt = job.attempt)
}

/// How long a job stays with a process that no longer says it has it.
const LEASE_S: u32 = 60;

/// Three chances to prolong a lease before it ends.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Longest pause between two looks into the queue.
const POLL: Duration = Duration::from_secs(1);
