//! Blobs and their time, and what is purged.

use super::*;
use crate::store::{BlobKey, Counts, IDEMPOTENCY_LIFE_S, Idempotency, Retention};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("blobs are kept as long as the rules say", |world| {
        Box::pin(retention(world))
    }),
    ("a blob is kept for whoever needs it longest", |world| {
        Box::pin(shared(world))
    }),
    ("an erased analysis needs no blob", |world| {
        Box::pin(erased(world))
    }),
    ("blobs without a row are known as such", |world| {
        Box::pin(unknown(world))
    }),
    ("what has had its time is purged", |world| {
        Box::pin(purge(world))
    }),
    ("everything is counted", |world| Box::pin(counts(world))),
    ("the store can be tried", |world| Box::pin(works(world))),
];

fn blob(new: &NewAnalysis) -> BlobKey {
    BlobKey {
        tenant: new.tenant,
        digest: new.digest,
    }
}

async fn expired(world: &World, now: Timestamp) -> Vec<BlobKey> {
    world.store.expired_blobs(now, 9).await.unwrap()
}

async fn retention(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let decade = later(3_650 * DAY);
    assert_eq!(
        expired(&world, decade).await,
        [],
        "nobody has looked at it yet"
    );
    let job = world.lease(NOW).await;
    assert_eq!(expired(&world, decade).await, []);
    world.finish(job.lease, NOW).await;
    let end = i64::from(Retention::DEFAULT_DAYS) * DAY;
    assert_eq!(expired(&world, later(end - 1)).await, []);
    assert_eq!(expired(&world, later(end)).await, [blob(&new)]);
    let rule = async |verdict, days| {
        let rule = Retention { verdict, days };
        world.store.set_retention(world.ours, rule).await.unwrap();
    };
    rule(None, 2).await;
    assert_eq!(expired(&world, later(2 * DAY)).await, [blob(&new)]);
    rule(Some(Code::Altered), 1).await;
    assert_eq!(expired(&world, later(DAY)).await, [], "a rule for others");
    rule(Some(Code::Inconclusive), 5).await;
    assert_eq!(
        expired(&world, later(5 * DAY - 1)).await,
        [],
        "its own rule wins"
    );
    rule(Some(Code::Inconclusive), 0).await;
    assert_eq!(expired(&world, NOW).await, [blob(&new)]);
    assert!(world.store.forget_blob(blob(&new), NOW).await.unwrap());
    assert_eq!(expired(&world, NOW).await, []);
    let kept = world.find(world.ours, new.id).await;
    assert_eq!(kept.digest, Some(new.digest), "the report stays");
}

async fn shared(world: World) {
    let first = upload(world.ours, b"x");
    world.finished(first.clone(), done(NOW)).await;
    let stranger = upload(world.theirs, b"x");
    world.finished(stranger.clone(), done(later(DAY))).await;
    let second = upload(world.ours, b"x");
    world.finished(second.clone(), done(later(2 * DAY))).await;
    let end = i64::from(Retention::DEFAULT_DAYS) * DAY;
    assert_eq!(expired(&world, later(end)).await, []);
    assert!(
        !world
            .store
            .forget_blob(blob(&first), later(end))
            .await
            .unwrap()
    );
    let gone = expired(&world, later(end + DAY)).await;
    assert_eq!(gone, [blob(&stranger)], "two tenants have two blobs");
    assert_eq!(expired(&world, later(end + 2 * DAY)).await.len(), 2);
}

async fn erased(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    assert!(!world.store.forget_blob(blob(&new), NOW).await.unwrap());
    world.store.erase(world.ours, new.id, NOW).await.unwrap();
    assert_eq!(expired(&world, NOW).await, [blob(&new)]);
    assert!(world.store.forget_blob(blob(&new), NOW).await.unwrap());
    assert_eq!(world.store.counts().await.unwrap().blobs, 0);
}

async fn unknown(world: World) {
    let new = upload(world.ours, b"x");
    world.admit(new.clone()).await;
    let stranger = BlobKey {
        tenant: world.theirs,
        ..blob(&new)
    };
    let asked = [blob(&new), stranger];
    assert_eq!(world.store.unknown_blobs(&asked).await.unwrap(), [stranger]);
    assert!(world.store.forget_blob(stranger, NOW).await.unwrap());
}

async fn purge(world: World) {
    let new = NewAnalysis {
        idempotency: Some(Idempotency {
            key: "k".to_owned(),
            fingerprint: Digest::of(b"x"),
        }),
        ..upload(world.ours, b"x")
    };
    world.finished(new, done(NOW)).await;
    assert_eq!(
        world
            .store
            .purge(later(IDEMPOTENCY_LIFE_S - 1))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        world.store.purge(later(IDEMPOTENCY_LIFE_S)).await.unwrap(),
        1
    );
    assert_eq!(
        world.store.purge(later(40 * DAY)).await.unwrap(),
        0,
        "it waits"
    );
    let delivery = world
        .store
        .lease_deliveries(NOW, 9, 9)
        .await
        .unwrap()
        .pop()
        .unwrap();
    world.store.bury(delivery.attempt, "gone").await.unwrap();
    assert_eq!(world.store.purge(later(40 * DAY)).await.unwrap(), 1);
}

async fn counts(world: World) {
    assert_eq!(world.store.counts().await.unwrap(), Counts::default());
    world.admit(upload(world.ours, b"ab")).await;
    world.admit(upload(world.ours, b"ab")).await;
    world.admit(upload(world.theirs, b"abc")).await;
    world.lease(NOW).await;
    let expected = Counts {
        jobs: 3,
        leased: 1,
        blobs: 2,
        blob_bytes: 5,
        ..Counts::default()
    };
    assert_eq!(world.store.counts().await.unwrap(), expected);
}

async fn works(world: World) {
    world.store.check().await.unwrap();
}

const DAY: i64 = 86_400;
