//! The queue: one holder at a time, exactly one verdict, nobody starves.

use super::*;
use crate::store::{Attempted, Status};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a job has one holder", |world| Box::pin(one_holder(world))),
    ("a lease that ran out is worth nothing", |world| {
        Box::pin(ran_out(world))
    }),
    ("a heartbeat keeps a lease", |world| {
        Box::pin(heartbeat(world))
    }),
    ("there is exactly one verdict", |world| {
        Box::pin(one_verdict(world))
    }),
    ("a job given back is due again", |world| {
        Box::pin(release(world))
    }),
    ("a job given up is a dead letter", |world| {
        Box::pin(give_up(world))
    }),
    ("a dead process's leases are taken up", |world| {
        Box::pin(reclaim(world))
    }),
    ("the oldest comes first, and no tenant starves", |world| {
        Box::pin(fair(world))
    }),
    ("parallel workers share the jobs", |world| {
        Box::pin(parallel(world))
    }),
];

async fn one_holder(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let job = world.lease(NOW).await;
    let expected = Job {
        lease: job.lease,
        tenant: world.ours,
        digest: new.digest,
        bytes: 1,
        name: new.name,
        declared_kind: new.declared_kind,
        attempt: 1,
        created_at: NOW,
    };
    assert_eq!(job, expected);
    assert_eq!(job.lease.analysis, new.id);
    assert_eq!(world.lease_or_none(NOW).await, None);
    let counts = world.store.counts().await.unwrap();
    assert_eq!((counts.jobs, counts.leased), (1, 1));
}

async fn ran_out(world: World) {
    world.admit(upload(world.ours, b"x")).await;
    let first = world.lease(NOW).await;
    assert_eq!(
        world.lease_or_none(later(i64::from(LEASE_S) - 1)).await,
        None
    );
    let second = world.lease(later(LEASE_S.into())).await;
    assert_eq!(second.attempt, 2);
    assert_ne!(second.lease.token, first.lease.token);
    assert_eq!(world.finish(first.lease, NOW).await, Completion::Lost);
    world
        .store
        .release(first.lease, NOW, Attempted::Yes)
        .await
        .unwrap();
    let lost = world
        .store
        .give_up(first.lease, failed(NOW), "lost")
        .await
        .unwrap();
    assert_eq!(lost, Completion::Lost);
    assert_eq!(world.store.counts().await.unwrap().dead_letters, 0);
    assert_eq!(world.finish(second.lease, NOW).await, Completion::Recorded);
}

async fn heartbeat(world: World) {
    world.admit(upload(world.ours, b"x")).await;
    let job = world.lease(NOW).await;
    let stranger = Lease {
        token: Uuid::new_v4(),
        ..job.lease
    };
    world
        .store
        .heartbeat(&[stranger], later(50), 900)
        .await
        .unwrap();
    world
        .store
        .heartbeat(&[job.lease], later(50), LEASE_S)
        .await
        .unwrap();
    assert_eq!(world.lease_or_none(later(109)).await, None);
    assert!(world.lease_or_none(later(110)).await.is_some());
}

async fn one_verdict(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let job = world.lease(NOW).await;
    assert_eq!(world.finish(job.lease, NOW).await, Completion::Recorded);
    let second = world
        .store
        .finish(job.lease, failed(later(9)))
        .await
        .unwrap();
    assert_eq!(second, Completion::Lost);
    let kept = world.find(world.ours, new.id).await;
    assert_eq!((kept.status, kept.finished_at), (Status::Done, Some(NOW)));
    assert_eq!(world.store.counts().await.unwrap().jobs, 0);
    let deliveries = world
        .store
        .deliveries(world.ours, Some(new.id), 9)
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 1, "and it is told once");
}

async fn release(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let job = world.lease(NOW).await;
    world
        .store
        .release(job.lease, later(5), Attempted::Yes)
        .await
        .unwrap();
    assert_eq!(world.find(world.ours, new.id).await.status, Status::Queued);
    assert_eq!(world.finish(job.lease, NOW).await, Completion::Lost);
    assert_eq!(world.lease_or_none(later(4)).await, None);
    let job = world.lease(later(5)).await;
    assert_eq!(job.attempt, 2);
    world
        .store
        .release(job.lease, later(5), Attempted::No)
        .await
        .unwrap();
    assert_eq!(world.lease(later(5)).await.attempt, 2, "that was none");
}

async fn give_up(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let job = world.lease(NOW).await;
    let ended = world
        .store
        .give_up(job.lease, failed(NOW), "three times")
        .await
        .unwrap();
    assert_eq!(ended, Completion::Recorded);
    let kept = world.find(world.ours, new.id).await;
    assert_eq!(
        (kept.status, kept.verdict),
        (Status::Failed, Some(Code::NotAnalysed))
    );
    let counts = world.store.counts().await.unwrap();
    assert_eq!(
        (counts.jobs, counts.dead_letters, counts.deliveries),
        (0, 1, 1)
    );
    world.store.erase(world.ours, new.id, NOW).await.unwrap();
}

async fn reclaim(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    world.admit(upload(world.ours, b"waiting")).await;
    let dead = world.lease(NOW).await;
    assert_eq!(world.store.reclaim(later(1)).await.unwrap(), 1);
    assert_eq!(world.find(world.ours, new.id).await.status, Status::Queued);
    assert_eq!(world.finish(dead.lease, NOW).await, Completion::Lost);
    let job = world.lease(later(1)).await;
    assert_eq!((job.lease.analysis, job.attempt), (new.id, 2), "it counts");
    assert_eq!(world.store.reclaim(later(1)).await.unwrap(), 1);
}

async fn fair(world: World) {
    let mut ours = Vec::new();
    for number in 0..4_u8 {
        let new = upload(world.ours, &[number]);
        ours.push(new.id);
        world.admit(new).await;
    }
    let first = world.lease(NOW).await;
    assert_eq!(first.lease.analysis, ours[0]);
    let theirs = upload(world.theirs, b"late");
    world.admit(theirs.clone()).await;
    let order = [world.lease(NOW).await, world.lease(NOW).await];
    assert_eq!(order.map(|job| job.lease.analysis), [theirs.id, ours[1]]);
}

async fn parallel(world: World) {
    for number in 0..20_u8 {
        world.admit(upload(world.ours, &[number])).await;
    }
    let leases = (0..8).map(|_| world.store.lease(NOW, LEASE_S, 4));
    let mut taken = Vec::new();
    for jobs in futures_util::future::join_all(leases).await {
        taken.extend(jobs.unwrap().into_iter().map(|job| job.lease.analysis));
    }
    let different: std::collections::BTreeSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), different.len()), (20, 20));
}
