//! Analyses: admission, reading, the cache, erasure.

use super::*;
use crate::store::{Filter, IDEMPOTENCY_LIFE_S, Idempotency, Status};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("what is admitted is read back", |world| {
        Box::pin(read_back(world))
    }),
    ("nobody reads another tenant's", |world| {
        Box::pin(strangers(world))
    }),
    ("a repeated request is replayed", |world| {
        Box::pin(replay(world))
    }),
    ("parallel repeats make one job", |world| {
        Box::pin(parallel(world))
    }),
    ("a full queue takes nothing", |world| Box::pin(full(world))),
    ("lists are filtered and paged", |world| {
        Box::pin(list(world))
    }),
    ("the cache answers for a while", |world| {
        Box::pin(cache(world))
    }),
    ("a cached upload is done at once", |world| {
        Box::pin(cached(world))
    }),
    ("erasing leaves a tombstone", |world| Box::pin(erase(world))),
    ("erasing ends what is under way", |world| {
        Box::pin(erase_running(world))
    }),
];

async fn read_back(world: World) {
    let new = upload(world.ours, b"x");
    let created = world.admit(new.clone()).await;
    let expected = Analysis {
        id: new.id,
        tenant: world.ours,
        status: Status::Queued,
        created_at: NOW,
        finished_at: None,
        erased_at: None,
        digest: Some(new.digest),
        bytes: 1,
        name: new.name,
        declared_kind: Some(Kind::Jpeg),
        external_id: new.external_id,
        declared_ai: Some(true),
        metadata: new.metadata,
        callback_url: new.callback_url,
        cached: false,
        verdict: None,
        report: None,
    };
    assert_eq!(created, expected);
    assert_eq!(world.find(world.ours, new.id).await, expected);
    let job = world.lease(NOW).await;
    assert_eq!(world.find(world.ours, new.id).await.status, Status::Running);
    world.finish(job.lease, later(1)).await;
    let finished = world.find(world.ours, new.id).await;
    assert_eq!(finished.status, Status::Done);
    assert_eq!(finished.finished_at, Some(later(1)));
    assert_eq!(finished.verdict, Some(Code::Inconclusive));
    assert_eq!(finished.report, Some(done(NOW).report));
}

async fn strangers(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    assert_eq!(world.store.find(world.theirs, new.id).await.unwrap(), None);
    let erased = world.store.erase(world.theirs, new.id, NOW).await.unwrap();
    assert_eq!(erased, None);
    let page = world
        .store
        .list(world.theirs, &Filter::default(), None, 9)
        .await
        .unwrap();
    assert!(page.analyses.is_empty() && page.next.is_none());
    let deliveries = world
        .store
        .deliveries(world.theirs, Some(new.id), 9)
        .await
        .unwrap();
    assert!(deliveries.is_empty());
    assert_eq!(world.find(world.ours, new.id).await.status, Status::Queued);
}

fn repeatable(tenant: TenantId, key: &str, request: &[u8]) -> NewAnalysis {
    NewAnalysis {
        idempotency: Some(Idempotency {
            key: key.to_owned(),
            fingerprint: Digest::of(request),
        }),
        ..upload(tenant, request)
    }
}

async fn replay(world: World) {
    let first = world.admit(repeatable(world.ours, "k", b"x")).await;
    let again = repeatable(world.ours, "k", b"x");
    let replayed = world.store.admit(again, ROOM).await.unwrap();
    assert_eq!(replayed, Admission::Replayed(first.clone()));
    let other = repeatable(world.ours, "k", b"y");
    let refused = world.store.admit(other.clone(), ROOM).await.unwrap();
    assert_eq!(refused, Admission::KeyReused);
    assert_eq!(world.store.find(world.ours, other.id).await.unwrap(), None);
    // A key is the tenant's own.
    world.admit(repeatable(world.theirs, "k", b"y")).await;
    // A full queue does not stop an answer that is there already.
    let again = world
        .store
        .admit(repeatable(world.ours, "k", b"x"), 0)
        .await
        .unwrap();
    assert_eq!(again, Admission::Replayed(first));
    assert_eq!(world.store.counts().await.unwrap().jobs, 2);

    let over = later(IDEMPOTENCY_LIFE_S);
    let reborn = NewAnalysis {
        created_at: over,
        ..repeatable(world.ours, "k", b"y")
    };
    world.admit(reborn.clone()).await;
    let again = NewAnalysis {
        created_at: over,
        ..repeatable(world.ours, "k", b"y")
    };
    let admission = world.store.admit(again, ROOM).await.unwrap();
    let Admission::Replayed(analysis) = admission else {
        panic!("the key is not taken over: {admission:?}")
    };
    assert_eq!(analysis.id, reborn.id);
}

async fn parallel(world: World) {
    let requests = (0..100).map(|_| {
        let new = repeatable(world.ours, "same", b"x");
        world.store.admit(new, ROOM)
    });
    let mut ids = std::collections::BTreeSet::new();
    let mut created = 0;
    for admission in futures_util::future::join_all(requests).await {
        match admission.unwrap() {
            Admission::Created(analysis) => {
                created += 1;
                ids.insert(analysis.id);
            }
            Admission::Replayed(analysis) => {
                ids.insert(analysis.id);
            }
            refused @ (Admission::KeyReused | Admission::QueueFull) => panic!("{refused:?}"),
        }
    }
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(world.store.counts().await.unwrap().jobs, 1);
}

async fn full(world: World) {
    let first = upload(world.ours, b"x");
    world.store.admit(first, 1).await.unwrap();
    let second = repeatable(world.ours, "k", b"y");
    let refused = world.store.admit(second.clone(), 1).await.unwrap();
    assert_eq!(refused, Admission::QueueFull);
    assert_eq!(world.store.find(world.ours, second.id).await.unwrap(), None);
    assert_eq!(world.store.counts().await.unwrap().blobs, 1);
    // Jobs under way count, finished ones do not, and a refused key is free.
    let job = world.lease(NOW).await;
    let refused = world.store.admit(second.clone(), 1).await.unwrap();
    assert_eq!(refused, Admission::QueueFull);
    world.finish(job.lease, NOW).await;
    let taken = world.store.admit(second, 1).await.unwrap();
    assert!(matches!(taken, Admission::Created(_)), "{taken:?}");
    // Ours is full again, and theirs is not.
    let another = upload(world.theirs, b"y");
    let taken = world.store.admit(another, 1).await.unwrap();
    assert!(matches!(taken, Admission::Created(_)), "{taken:?}");
}

async fn list(world: World) {
    let mut ids = Vec::new();
    for number in 0..5_u8 {
        let new = NewAnalysis {
            created_at: later(number.into()),
            external_id: Some(if number < 2 { "early" } else { "late" }.to_owned()),
            ..upload(world.ours, &[number])
        };
        ids.push(new.id);
        world.admit(new).await;
    }
    world.admit(upload(world.theirs, b"other")).await;
    ids.reverse();
    let mut found = Vec::new();
    let mut before = None;
    for expected in [2, 2, 1] {
        let page = world
            .store
            .list(world.ours, &Filter::default(), before, 2)
            .await
            .unwrap();
        assert_eq!(page.analyses.len(), expected);
        assert_eq!(page.next.is_some(), expected == 2);
        found.extend(page.analyses.iter().map(|analysis| analysis.id));
        before = page.next;
    }
    assert_eq!(found, ids);

    let wanted = async |filter: Filter| {
        let page = world
            .store
            .list(world.ours, &filter, None, 9)
            .await
            .unwrap();
        page.analyses
            .iter()
            .map(|analysis| analysis.id)
            .collect::<Vec<_>>()
    };
    let since = Filter {
        since: Some(later(3)),
        ..Filter::default()
    };
    assert_eq!(wanted(since).await, ids[..2]);
    let early = Filter {
        external_id: Some("early".to_owned()),
        ..Filter::default()
    };
    assert_eq!(wanted(early.clone()).await, ids[3..]);
    let both = Filter {
        since: Some(later(1)),
        ..early
    };
    assert_eq!(wanted(both).await, ids[3..4]);
    let verdict = Filter {
        verdict: Some(Code::Inconclusive),
        ..Filter::default()
    };
    assert!(wanted(verdict.clone()).await.is_empty());
    let mut job = world.lease(later(9)).await;
    while job.tenant != world.ours {
        job = world.lease(later(9)).await;
    }
    world.finish(job.lease, later(9)).await;
    assert_eq!(wanted(verdict).await, [job.lease.analysis]);
    world
        .store
        .erase(world.ours, ids[0], later(9))
        .await
        .unwrap();
    assert_eq!(wanted(Filter::default()).await, ids[1..], "no tombstones");
}

async fn cache(world: World) {
    let new = upload(world.ours, b"x");
    let key = new.cache_key;
    let ask = async |tenant, since| world.store.cached(tenant, key, since).await.unwrap();
    assert_eq!(ask(world.ours, NOW).await, None);
    world.finished(new.clone(), done(later(5))).await;
    assert_eq!(ask(world.ours, later(5)).await, Some(done(later(5))));
    assert_eq!(ask(world.ours, later(6)).await, None, "too old");
    assert_eq!(ask(world.theirs, NOW).await, None, "not theirs");
    let other = world
        .store
        .cached(world.ours, Digest::of(b"other"), NOW)
        .await;
    assert_eq!(other.unwrap(), None);
    world.store.erase(world.ours, new.id, NOW).await.unwrap();
    assert_eq!(ask(world.ours, NOW).await, None, "erased");
    world
        .finished(upload(world.ours, b"x"), failed(later(7)))
        .await;
    assert_eq!(ask(world.ours, NOW).await, None, "a failure is no answer");
}

async fn cached(world: World) {
    let new = NewAnalysis {
        finished: Some(done(NOW)),
        ..upload(world.ours, b"x")
    };
    let key = new.cache_key;
    // It needs no place in the queue.
    let admission = world.store.admit(new.clone(), 0).await.unwrap();
    let Admission::Created(analysis) = admission else {
        panic!("{admission:?}")
    };
    assert_eq!((analysis.status, analysis.cached), (Status::Done, true));
    assert_eq!(analysis.report, Some(done(NOW).report));
    assert_eq!(world.lease_or_none(NOW).await, None);
    let deliveries = world
        .store
        .deliveries(world.ours, Some(new.id), 9)
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 1, "the webhook is told all the same");
    let again = world.store.cached(world.ours, key, NOW).await.unwrap();
    assert_eq!(again, None, "an answer does not live on by being asked for");
}

async fn erase(world: World) {
    let new = upload(world.ours, b"x");
    world.finished(new.clone(), done(NOW)).await;
    let erased = world
        .store
        .erase(world.ours, new.id, later(9))
        .await
        .unwrap()
        .unwrap();
    let tombstone = Analysis {
        id: new.id,
        tenant: world.ours,
        status: Status::Done,
        created_at: NOW,
        finished_at: Some(NOW),
        erased_at: Some(later(9)),
        digest: None,
        bytes: 0,
        name: Name::from_text(""),
        declared_kind: None,
        external_id: None,
        declared_ai: None,
        metadata: None,
        callback_url: None,
        cached: false,
        verdict: None,
        report: None,
    };
    assert_eq!(erased.tombstone, tombstone);
    assert_eq!(
        (erased.digest, erased.was),
        (Some(new.digest), Status::Done)
    );
    assert_eq!(world.find(world.ours, new.id).await, tombstone);
    assert!(
        world
            .store
            .deliveries(world.ours, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let again = world
        .store
        .erase(world.ours, new.id, later(99))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.tombstone, again.digest), (tombstone, None));
}

async fn erase_running(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let job = world.lease(NOW).await;
    let erased = world
        .store
        .erase(world.ours, new.id, NOW)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(erased.tombstone.status, Status::Failed);
    assert_eq!(erased.was, Status::Running);
    assert_eq!(world.finish(job.lease, NOW).await, Completion::Lost);
    assert_eq!(world.find(world.ours, new.id).await, erased.tombstone);
    assert_eq!(world.store.counts().await.unwrap().jobs, 0);
}
