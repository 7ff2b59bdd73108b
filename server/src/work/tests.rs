//! The workers and the janitor over a real store and real blobs, with an examiner that has no model.

use std::{sync::Arc, time::Duration};

use futures_util::TryStreamExt as _;
use media::{Digest, Limits, Name};
use provenance::{Judge, Timestamp, TrustStore};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use verdict::{Code, DetectorSlot, Examiner, Policy, Report};

use super::{Janitor, Work, WorkParts, janitor::Swept};
use crate::{
    blobs::Blobs,
    data::DataFolder,
    intake::{Intake, QueueSigns, Submission},
    metrics::Metrics,
    progress::Progress,
    reload::ExaminerCell,
    store::{
        Admission, Analysis, AnalysisId, BlobKey, Retention, Status, Store, TenantId, TenantName,
    },
};

/// One data folder with everything over it but HTTP.
struct House {
    store: Arc<dyn Store>,
    blobs: Blobs,
    intake: Intake,
    parts: Option<WorkParts>,
    tenant: TenantId,
    _folder: DataFolder,
}

impl House {
    async fn new(max_waiting: u64) -> Self {
        let folder = DataFolder::temporary().unwrap();
        let store: Arc<dyn Store> = Arc::new(folder.open_store().await.unwrap());
        let blobs = Blobs::in_folder(&folder.blobs()).unwrap();
        let examiner = Arc::new(ExaminerCell::new(Arc::new(examiner())));
        let queue = Arc::new(QueueSigns::default());
        let name: TenantName = "acme".parse().unwrap();
        let parts = WorkParts {
            store: Arc::clone(&store),
            blobs: blobs.clone(),
            examiner: Arc::clone(&examiner),
            queue: Arc::clone(&queue),
            progress: Progress::new(),
            metrics: Arc::new(Metrics::new()),
            clock,
            threads: 2,
            examine_timeout: Duration::from_secs(20),
            drain_timeout: Duration::from_secs(20),
        };
        Self {
            tenant: store.ensure_tenant(&name, clock()).await.unwrap().id,
            intake: Intake::new(
                Arc::clone(&store),
                blobs.clone(),
                examiner,
                max_waiting,
                queue,
            ),
            store,
            blobs,
            parts: Some(parts),
            _folder: folder,
        }
    }

    async fn submit(&self, bytes: &[u8], name: &str) -> Admission {
        let mut file = self.intake.incoming();
        file.push(bytes).await.unwrap();
        let submission = Submission {
            id: AnalysisId::new(),
            tenant: self.tenant,
            digest: Digest::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap(),
            name: Name::from_text(name),
            declared_kind: None,
            external_id: None,
            declared_ai: None,
            metadata: None,
            callback_url: None,
            idempotency: None,
            now: clock(),
        };
        self.intake.submit(submission, file).await.unwrap()
    }

    fn has_room(&self) -> bool {
        self.intake.has_room(self.tenant)
    }

    async fn taken(&self, bytes: &[u8]) -> Analysis {
        let admission = self.submit(bytes, "a.png").await;
        let Admission::Created(analysis) = admission else {
            panic!("not taken: {admission:?}")
        };
        analysis
    }

    /// Starts the workers; once.
    fn work(&mut self) -> (watch::Sender<bool>, JoinHandle<()>) {
        let work = Work::new(self.parts.take().unwrap()).unwrap();
        let stop = watch::Sender::new(false);
        let running = tokio::spawn(work.run(stop.subscribe()));
        (stop, running)
    }

    async fn verdict(&self, id: AnalysisId) -> Analysis {
        let until = async {
            loop {
                let analysis = self.store.find(self.tenant, id).await.unwrap().unwrap();
                if analysis.status.is_final() {
                    return analysis;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), until)
            .await
            .expect("no verdict")
    }

    async fn blobs(&self) -> Vec<BlobKey> {
        self.blobs.all().try_collect().await.unwrap()
    }

    fn janitor(&self) -> Janitor {
        Janitor::new(Arc::clone(&self.store), self.blobs.clone(), clock)
    }
}

fn examiner() -> Examiner {
    let judge = Judge::new(TrustStore::empty()).unwrap();
    let (policy, limits) = (Policy::default(), Limits::default());
    Examiner::new(judge, DetectorSlot::NoModel, policy, limits)
}

fn clock() -> Timestamp {
    Timestamp(1_795_564_800)
}

fn report(analysis: &Analysis) -> Report {
    serde_json::from_str(analysis.report.as_deref().unwrap()).unwrap()
}

#[tokio::test]
async fn an_upload_gets_its_verdict_and_the_workers_stop_when_told() {
    let mut house = House::new(9).await;
    let (stop, running) = house.work();
    let taken = house.taken(b"no picture").await;
    assert_eq!(taken.status, Status::Queued);
    let analysis = house.verdict(taken.id).await;
    let report = report(&analysis);
    assert_eq!(Some(report.verdict.code), analysis.verdict);
    assert_eq!(
        report.media.sha256,
        Some(Digest::of(b"no picture").to_string())
    );
    stop.send_replace(true);
    timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
    house.taken(b"later").await;
    assert_eq!(
        house.store.counts().await.unwrap().jobs,
        1,
        "nobody works any more"
    );
}

#[tokio::test]
async fn a_file_that_ends_its_process_each_time_is_given_up_unseen() {
    let mut house = House::new(9).await;
    let taken = house.taken(b"poison").await;
    for _ in 0..3 {
        let jobs = house.store.lease(clock(), 60, 1).await.unwrap();
        assert_eq!(jobs.len(), 1);
        house.store.reclaim(clock()).await.unwrap();
    }
    let other = house.taken(b"innocent").await;
    let (_stop, _running) = house.work();
    let given_up = house.verdict(taken.id).await;
    assert_eq!(given_up.status, Status::Failed);
    let report = report(&given_up);
    assert_eq!(report.verdict.code, Code::NotAnalysed);
    assert_eq!(report.error.unwrap().code, "internal");
    assert_eq!(report.media.bytes, Some(6));
    assert_eq!(house.store.counts().await.unwrap().dead_letters, 1);
    assert_ne!(house.verdict(other.id).await.verdict, Some(Code::KnownFake));
    assert_eq!(
        house.store.counts().await.unwrap().dead_letters,
        1,
        "only that one"
    );
}

#[tokio::test]
async fn a_file_whose_process_died_once_is_examined_after_all() {
    let mut house = House::new(9).await;
    let taken = house.taken(b"unlucky").await;
    house.store.lease(clock(), 60, 1).await.unwrap();
    // The workers take it up at their start; nobody else has to.
    let (_stop, _running) = house.work();
    let analysis = house.verdict(taken.id).await;
    assert_ne!(report(&analysis).detection.reason, None);
    assert_eq!(house.store.counts().await.unwrap().dead_letters, 0);
}

#[tokio::test]
async fn what_is_done_aside_takes_the_places_of_examinations_and_gives_them_back() {
    let mut house = House::new(10).await;
    let work = Work::new(house.parts.take().unwrap()).unwrap();
    // Two threads, and one place for a job that gets its bytes ready.
    let places: Vec<_> = (0..3).map(|_| work.place().unwrap()).collect();
    assert!(work.place().is_none(), "the fourth is refused");
    for place in places {
        assert_eq!(work.aside(place, || 7).unwrap().await, Ok(7));
    }
    let dropped = work.place().unwrap();
    drop(work.aside(dropped, || panic!("on purpose")).unwrap());
    let broken = work.place().unwrap();
    let result = work.aside(broken, || -> u8 { panic!("on purpose") });
    assert!(result.unwrap().await.is_err());
    let all = timeout(Duration::from_secs(20), work.places.acquire_many(3));
    assert!(all.await.is_ok(), "every place is free again");
}

#[tokio::test]
async fn a_lost_blob_is_a_failed_analysis_and_no_endless_work() {
    let mut house = House::new(9).await;
    let taken = house.taken(b"x").await;
    let sweep = house.blobs.sweep().await;
    let key = house.blobs().await[0];
    house.blobs.remove(&sweep, key).await.unwrap();
    drop(sweep);
    let (_stop, _running) = house.work();
    let analysis = house.verdict(taken.id).await;
    assert_eq!(report(&analysis).error.unwrap().code, "unreadable");
}

#[tokio::test]
async fn the_same_bytes_are_answered_from_the_cache_under_their_new_name() {
    let mut house = House::new(9).await;
    let picture = picture();
    let first = house.taken(&picture).await;
    let (_stop, _running) = house.work();
    let first = house.verdict(first.id).await;
    let Admission::Created(second) = house.submit(&picture, "b.png").await else {
        panic!("not taken")
    };
    assert_ne!(second.id, first.id);
    assert_eq!((first.status, first.cached), (Status::Done, false));
    assert_eq!((second.status, second.cached), (Status::Done, true));
    let (mut first, second) = (report(&first), report(&second));
    assert_eq!(second.media.name, "b.png");
    first.media.name.clone_from(&second.media.name);
    first.timing_ms = second.timing_ms;
    assert_eq!(first, second);
    assert_eq!(house.blobs().await.len(), 1);
}

#[tokio::test]
async fn a_full_queue_leaves_no_blob_and_is_noticed_by_the_next() {
    let house = House::new(1).await;
    let first = house.taken(b"first").await;
    assert!(!house.has_room());
    assert_eq!(house.submit(b"second", "b").await, Admission::QueueFull);
    assert_eq!(house.blobs().await.len(), 1);
    house
        .intake
        .erase(house.tenant, first.id, clock())
        .await
        .unwrap();
    assert!(house.has_room(), "its job went with it");
    house.taken(b"third").await;
}

#[tokio::test]
async fn jobs_of_an_earlier_process_take_their_places() {
    let mut house = House::new(1).await;
    let first = house.taken(b"first").await;
    let examiner = Arc::new(ExaminerCell::new(Arc::new(examiner())));
    let signs = Arc::new(QueueSigns::default());
    house.parts.as_mut().unwrap().queue = Arc::clone(&signs);
    let (store, blobs) = (Arc::clone(&house.store), house.blobs.clone());
    house.intake = Intake::new(store, blobs, examiner, 1, signs);
    assert!(house.has_room(), "nothing is known of the first yet");
    assert_eq!(house.submit(b"second", "b").await, Admission::QueueFull);
    assert!(!house.has_room());
    assert_eq!(house.blobs().await.len(), 1);
    let (_stop, _running) = house.work();
    house.verdict(first.id).await;
    let open = async {
        while !house.has_room() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), open).await.unwrap();
    house.taken(b"second").await;
}

#[tokio::test]
async fn a_flood_costs_the_disk_no_more_than_the_queue_has_room_for() {
    let house = House::new(3).await;
    let uploads: Vec<Vec<u8>> = (0..50_u8).map(|number| vec![number]).collect();
    let flood = uploads.iter().map(|bytes| house.submit(bytes, "a"));
    let admissions = futures_util::future::join_all(flood).await;
    let is_taken = |admission: &&Admission| matches!(admission, Admission::Created(_));
    assert_eq!(admissions.iter().filter(is_taken).count(), 3);
    assert_eq!(house.store.counts().await.unwrap().jobs, 3);
    assert_eq!(house.blobs().await.len(), 3);
    assert!(!house.has_room());
}

#[tokio::test]
async fn erasing_removes_the_blob_that_nothing_else_needs() {
    let house = House::new(9).await;
    let (first, second) = (house.taken(b"x").await, house.taken(b"x").await);
    let erase = async |id| house.intake.erase(house.tenant, id, clock()).await.unwrap();
    let stranger = house.intake.erase(TenantId::LOCAL, first.id, clock()).await;
    assert_eq!(stranger.unwrap(), None);
    assert!(erase(first.id).await.is_some());
    assert_eq!(house.blobs().await.len(), 1, "the other needs it");
    assert!(erase(second.id).await.is_some());
    assert!(house.blobs().await.is_empty());
    assert_eq!(house.store.counts().await.unwrap().blobs, 0);
    assert_eq!(house.intake.original(&second).await.unwrap(), None);
}

#[tokio::test]
async fn the_janitor_removes_what_is_over_and_what_a_crash_left() {
    let mut house = House::new(9).await;
    let kept = house.taken(b"kept").await;
    let over = BlobKey {
        tenant: house.tenant,
        digest: Digest::of(b"orphan"),
    };
    let mut file = house.blobs.incoming();
    file.push(b"orphan").await.unwrap();
    let deposit = house.blobs.deposit().await;
    house.blobs.put(&deposit, over, file).await.unwrap();
    drop(deposit);
    let swept = house.janitor().round(false).await.unwrap();
    assert_eq!(
        swept,
        Swept::default(),
        "orphans are not looked for each time"
    );
    let swept = house.janitor().round(true).await.unwrap();
    assert_eq!((swept.orphans, swept.expired), (1, 0));
    assert_eq!(house.blobs().await.len(), 1);
    assert!(house.intake.original(&kept).await.unwrap().is_some());

    let (_stop, _running) = house.work();
    house.verdict(kept.id).await;
    let rule = Retention {
        verdict: None,
        days: 0,
    };
    house.store.set_retention(house.tenant, rule).await.unwrap();
    let swept = house.janitor().round(false).await.unwrap();
    assert_eq!((swept.orphans, swept.expired), (0, 1));
    assert!(house.blobs().await.is_empty());
}

/// A picture that says itself what it is, so that it is done without a model.
fn picture() -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/media/stable_diffusion_text.png"
    );
    std::fs::read(path).unwrap()
}

#[tokio::test]
async fn a_service_that_stops_stores_the_verdicts_under_way_and_gives_back_the_rest() {
    let mut house = House::new(999).await;
    let mut ids = Vec::new();
    for number in 0..40_u8 {
        ids.push(house.taken(&[number]).await.id);
    }
    let (stop, running) = house.work();
    house.verdict(ids[0]).await;
    stop.send_replace(true);
    timeout(Duration::from_secs(5), running)
        .await
        .unwrap()
        .unwrap();
    let counts = house.store.counts().await.unwrap();
    assert_eq!(counts.leased, 0, "nobody holds a lease any more");
    let mut open = 0;
    for id in ids {
        let analysis = house.store.find(house.tenant, id).await.unwrap().unwrap();
        assert_ne!(analysis.status, Status::Running);
        open += u64::from(!analysis.status.is_final());
    }
    assert_eq!(counts.jobs, open);
    for job in house.store.lease(clock(), 60, 99).await.unwrap() {
        assert_eq!(job.attempt, 1, "stopping is no attempt");
    }
}
