//! One job from its bytes to its verdict. Whatever goes wrong ends in a verdict as well, or in a further
//! attempt: no job is dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use media::Media;
use provenance::Timestamp;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};
use tracing::Span;
use uuid::Uuid;
use verdict::{Examiner, GiveUp, GivenUp, Options, Report};

use super::{
    Ready, Work,
    retry::{MAX_ATTEMPTS, next_try},
};
use crate::store::{
    AnalysisId, Attempted, BlobKey, Completion, Finished, Job, Outcome, StoreError,
};

/// How an attempt ended.
enum Ended {
    /// With a report.
    Examined(Box<Report>),
    /// For good, without one.
    GivenUp(GiveUp, &'static str),
    /// On our side; another attempt may go better.
    Broken(&'static str),
}

impl Work {
    /// Makes one attempt at a job and stores what came of it. One permit of its place is free again once
    /// the thread is, the others once the attempt has ended.
    pub(super) async fn examine(self: Arc<Self>, ready: Ready) {
        let Ready { job, place, held } = ready;
        let examiner = self.parts.examiner.current();
        let ended = if job.attempt > MAX_ATTEMPTS {
            Ended::GivenUp(GiveUp::Failed, "each attempt ended its process")
        } else {
            self.attempt(&job, &examiner, place).await
        };
        let settled = self.settle(&job, &examiner, ended).await;
        if let Err(error) = settled {
            // The lease runs out, and then it is tried again.
            tracing::error!(%error, analysis.id = %job.lease.analysis, "a verdict cannot be stored");
        }
        drop(held);
    }

    async fn attempt(
        self: &Arc<Self>,
        job: &Job,
        examiner: &Arc<Examiner>,
        mut place: OwnedSemaphorePermit,
    ) -> Ended {
        let blob = BlobKey {
            tenant: job.tenant,
            digest: job.digest,
        };
        let bytes = match self.parts.blobs.get(blob).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ended::GivenUp(GiveUp::Lost, "its blob is gone"),
            Err(error) => {
                tracing::error!(%error, analysis.id = %job.lease.analysis, "a blob cannot be read");
                return Ended::Broken("its blob cannot be read");
            }
        };
        let threads_place = place.split(1);
        let (begin, begun) = oneshot::channel();
        let (job, examiner, now) = (job.clone(), Arc::clone(examiner), self.now());
        let span = Span::current();
        let queued = self.pool.run(move || {
            let _span = span.entered();
            // Nobody may listen any more; the work is wanted all the same.
            let _ = begin.send(());
            let report = report(&examiner, &job, bytes, now);
            drop(threads_place);
            report
        });
        let Ok(mut result) = queued else {
            return Ended::Broken("no thread was free");
        };
        if begun.await.is_err() {
            return Ended::Broken("its thread broke off");
        }
        match timeout(self.parts.examine_timeout, &mut result).await {
            Ok(Ok(report)) => Ended::Examined(Box::new(report)),
            Ok(Err(_)) => Ended::Broken("the examination broke off"),
            // The thread goes on and keeps its place; its report comes too late.
            Err(_) => Ended::GivenUp(GiveUp::Timeout, "it took too long"),
        }
    }

    async fn settle(&self, job: &Job, examiner: &Examiner, ended: Ended) -> Result<(), StoreError> {
        let (report, dead) = match ended {
            Ended::Examined(report) => (*report, None),
            Ended::GivenUp(why, reason) => (self.given_up(job, examiner, why), Some(reason)),
            Ended::Broken(reason) => match next_try(job.attempt, self.now()) {
                Some(due) => return self.release(job.lease, due, Attempted::Yes).await,
                None => (self.given_up(job, examiner, GiveUp::Failed), Some(reason)),
            },
        };
        let finished = Finished {
            outcome: outcome(&report),
            verdict: report.verdict.code,
            report: serde_json::to_string(&report)
                .map_err(|error| StoreError::Unexpected(error.to_string()))?,
            at: self.now(),
        };
        let completion = match dead {
            None => self.parts.store.finish(job.lease, finished).await?,
            Some(reason) => {
                tracing::error!(analysis.id = %job.lease.analysis, reason, "an examination is given up");
                self.parts
                    .store
                    .give_up(job.lease, finished, reason)
                    .await?
            }
        };
        self.tell(job, &report, completion);
        Ok(())
    }

    fn given_up(&self, job: &Job, examiner: &Examiner, why: GiveUp) -> Report {
        let file = GivenUp {
            name: &job.name,
            digest: job.digest,
            bytes: job.bytes,
        };
        examiner.give_up(&file, why, self.now())
    }

    fn tell(&self, job: &Job, report: &Report, completion: Completion) {
        let id = job.lease.analysis;
        match completion {
            Completion::Recorded => {
                self.parts.queue.job_ended(job.tenant);
                self.parts.metrics.examined(report, age(id));
                tracing::info!(
                    analysis.id = %id,
                    upload.digest = %job.digest,
                    verdict = report.verdict.code.as_str(),
                    attempt = job.attempt,
                    "examined an upload"
                );
            }
            Completion::Lost => {
                tracing::info!(analysis.id = %id, "nobody wants this verdict any more")
            }
        }
        self.parts.progress.moved(id);
    }
}

fn report(examiner: &Examiner, job: &Job, bytes: Vec<u8>, now: Timestamp) -> Report {
    let started = Instant::now();
    match Media::from_bytes(
        job.name.clone(),
        job.declared_kind,
        bytes,
        examiner.limits(),
    ) {
        Ok(media) => {
            let options = Options {
                read: Some(started.elapsed()),
                ..Options::at(now)
            };
            examiner.examine(&media, &options)
        }
        Err(error) => examiner.refuse(&job.name, &error, now),
    }
}

fn outcome(report: &Report) -> Outcome {
    match report.error {
        None => Outcome::Done,
        Some(_) => Outcome::Failed,
    }
}

/// How long ago an analysis was made. Its id carries milliseconds, which the clock does not.
fn age(id: AnalysisId) -> Duration {
    let at = |id: Uuid| {
        let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |time| time.to_unix());
        Duration::new(seconds, nanos)
    };
    at(Uuid::now_v7()).saturating_sub(at(id.0))
}
