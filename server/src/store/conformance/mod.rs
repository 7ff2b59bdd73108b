//! What every backend must do, as tests over `dyn Store`. A backend calls [`check`] with a way to make
//! empty stores; SQLite does so at the end of this file.

mod analyses;
mod queue;
mod tenants;
mod upkeep;
mod webhooks;

use std::{future::Future, pin::Pin, sync::Arc};

use media::{Digest, Kind, Name};
use provenance::Timestamp;
use uuid::Uuid;
use verdict::Code;

use super::{
    Admission, Analysis, AnalysisId, Completion, Finished, Job, Lease, NewAnalysis, Outcome,
    SqliteStore, Store, TenantId, TenantName,
};

/// An empty store with two tenants.
struct World {
    store: Arc<dyn Store>,
    ours: TenantId,
    theirs: TenantId,
}

type Check = fn(World) -> Pin<Box<dyn Future<Output = ()>>>;

/// Every check with its name.
fn checks() -> Vec<(&'static str, Check)> {
    [
        analyses::CHECKS,
        queue::CHECKS,
        tenants::CHECKS,
        upkeep::CHECKS,
        webhooks::CHECKS,
    ]
    .concat()
}

/// Runs every check on an empty store of its own.
async fn check<F: Future<Output = Arc<dyn Store>>>(make: impl Fn() -> F) {
    for (name, check) in checks() {
        // A check that fails says where; this says which.
        eprintln!("conformance: {name}");
        check(World::new(make().await).await).await;
    }
}

impl World {
    async fn new(store: Arc<dyn Store>) -> Self {
        let tenant = async |name: &str| {
            let name: TenantName = name.parse().unwrap();
            store.ensure_tenant(&name, NOW).await.unwrap().id
        };
        Self {
            ours: tenant("ours").await,
            theirs: tenant("theirs").await,
            store: Arc::clone(&store),
        }
    }

    /// Admits `new` and expects it to be taken.
    async fn admit(&self, new: NewAnalysis) -> Analysis {
        let admission = self.store.admit(new, ROOM).await.unwrap();
        let Admission::Created(analysis) = admission else {
            panic!("not taken: {admission:?}")
        };
        analysis
    }

    /// Leases the next job and expects one.
    async fn lease(&self, now: Timestamp) -> Job {
        self.lease_or_none(now).await.expect("no job is due")
    }

    async fn lease_or_none(&self, now: Timestamp) -> Option<Job> {
        self.store.lease(now, LEASE_S, 1).await.unwrap().pop()
    }

    /// Finishes under `lease`.
    async fn finish(&self, lease: Lease, now: Timestamp) -> Completion {
        self.store.finish(lease, done(now)).await.unwrap()
    }

    /// Admits `new` and gives it a verdict.
    async fn finished(&self, new: NewAnalysis, finished: Finished) -> Analysis {
        let (tenant, id) = (new.tenant, new.id);
        self.admit(new).await;
        let job = self.lease(NOW).await;
        assert_eq!(job.lease.analysis, id);
        let completion = self.store.finish(job.lease, finished).await.unwrap();
        assert_eq!(completion, Completion::Recorded);
        self.find(tenant, id).await
    }

    async fn find(&self, tenant: TenantId, id: AnalysisId) -> Analysis {
        self.store.find(tenant, id).await.unwrap().unwrap()
    }
}

/// An upload with everything a sender can say.
fn upload(tenant: TenantId, bytes: &[u8]) -> NewAnalysis {
    NewAnalysis {
        id: AnalysisId::new(),
        tenant,
        digest: Digest::of(bytes),
        bytes: u64::try_from(bytes.len()).unwrap(),
        name: Name {
            display: "a\u{fffd}.jpg".to_owned(),
            hex: Some("61ff2e6a7067".to_owned()),
        },
        declared_kind: Some(Kind::Jpeg),
        external_id: Some("case 7".to_owned()),
        declared_ai: Some(true),
        metadata: Some("{\"a\":1}".to_owned()),
        callback_url: Some("https://example.com/hook".to_owned()),
        idempotency: None,
        cache_key: Digest::of(&[bytes, b"key"].concat()),
        finished: None,
        created_at: NOW,
    }
}

fn done(at: Timestamp) -> Finished {
    Finished {
        outcome: Outcome::Done,
        verdict: Code::Inconclusive,
        report: "{\"verdict\":1}".to_owned(),
        at,
    }
}

fn failed(at: Timestamp) -> Finished {
    Finished {
        outcome: Outcome::Failed,
        verdict: Code::NotAnalysed,
        report: "{\"verdict\":0}".to_owned(),
        at,
    }
}

fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

/// A moment to start from.
const NOW: Timestamp = Timestamp(1_795_564_800);

/// More than any check needs.
const ROOM: u64 = 1_000;

const LEASE_S: u32 = 60;

#[tokio::test]
async fn sqlite_does_what_a_store_must_do() {
    let folder = tempfile::tempdir().unwrap();
    check(|| async {
        let file = folder.path().join(Uuid::new_v4().to_string());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&file).await.unwrap());
        store
    })
    .await;
}
