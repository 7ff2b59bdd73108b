//! Deliveries and signing keys.

use zeroize::Zeroizing;

use super::*;
use crate::store::{DeliveryEvent, DeliveryState, NewDelivery, SigningKey};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a verdict is told where it was asked for", |world| {
        Box::pin(told(world))
    }),
    ("a delivery has one holder and ends once", |world| {
        Box::pin(settled(world))
    }),
    ("a failed delivery is tried again, then given up", |world| {
        Box::pin(again(world))
    }),
    ("a test needs no analysis", |world| Box::pin(test(world))),
    ("tenants take turns with their deliveries", |world| {
        Box::pin(turns(world))
    }),
    ("signing keys overlap and end", |world| {
        Box::pin(signing(world))
    }),
];

async fn told(world: World) {
    let silent = NewAnalysis {
        callback_url: None,
        ..upload(world.ours, b"silent")
    };
    world.finished(silent, done(NOW)).await;
    let new = upload(world.ours, b"x");
    world.finished(new.clone(), failed(later(3))).await;
    assert!(
        world
            .store
            .lease_deliveries(later(2), 9, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let mut due = world.store.lease_deliveries(later(3), 9, 9).await.unwrap();
    let delivery = due.pop().unwrap();
    assert!(due.is_empty());
    assert_eq!(delivery.analysis, Some(new.id));
    assert_eq!(delivery.tenant, world.ours);
    assert_eq!(Some(delivery.url), new.callback_url);
    assert_eq!(delivery.event, DeliveryEvent::Failed);
    assert_eq!((delivery.created_at, delivery.number), (later(3), 1));
}

async fn settled(world: World) {
    world.finished(upload(world.ours, b"x"), done(NOW)).await;
    let first = world
        .store
        .lease_deliveries(NOW, 9, 9)
        .await
        .unwrap()
        .remove(0);
    assert!(
        world
            .store
            .lease_deliveries(later(8), 9, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let second = world
        .store
        .lease_deliveries(later(9), 9, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(second.attempt.delivery, first.attempt.delivery);
    assert_eq!(second.number, 2);
    world.store.bury(first.attempt, "lost").await.unwrap();
    world.store.delivered(second.attempt, "204").await.unwrap();
    world.store.bury(second.attempt, "late").await.unwrap();
    let seen = world
        .store
        .deliveries(world.ours, None, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!((seen.state, seen.attempts), (DeliveryState::Delivered, 2));
    assert_eq!(seen.last.as_deref(), Some("204"));
    assert!(
        world
            .store
            .lease_deliveries(later(999), 9, 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        world
            .store
            .deliveries(world.theirs, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn again(world: World) {
    world.finished(upload(world.ours, b"x"), done(NOW)).await;
    let delivery = world
        .store
        .lease_deliveries(NOW, 9, 9)
        .await
        .unwrap()
        .remove(0);
    world
        .store
        .try_again(delivery.attempt, later(60), "503")
        .await
        .unwrap();
    assert!(
        world
            .store
            .lease_deliveries(later(59), 9, 9)
            .await
            .unwrap()
            .is_empty()
    );
    let delivery = world
        .store
        .lease_deliveries(later(60), 9, 9)
        .await
        .unwrap()
        .remove(0);
    world.store.bury(delivery.attempt, "410").await.unwrap();
    let counts = world.store.counts().await.unwrap();
    assert_eq!((counts.deliveries, counts.dead_deliveries), (0, 1));
    let seen = world
        .store
        .deliveries(world.ours, None, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (seen.state, seen.last.as_deref()),
        (DeliveryState::Dead, Some("410"))
    );
}

async fn test(world: World) {
    let new = NewDelivery {
        id: Uuid::now_v7(),
        tenant: world.ours,
        url: "https://example.com/".to_owned(),
        event: DeliveryEvent::Test,
        created_at: NOW,
    };
    world.store.queue_delivery(new.clone()).await.unwrap();
    let delivery = world
        .store
        .lease_deliveries(NOW, 9, 9)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (delivery.attempt.delivery, delivery.analysis),
        (new.id, None)
    );
    assert_eq!(delivery.event, DeliveryEvent::Test);
}

async fn turns(world: World) {
    for (tenant, at) in [
        (world.ours, 0),
        (world.ours, 1),
        (world.ours, 2),
        (world.theirs, 3),
    ] {
        let new = NewDelivery {
            id: Uuid::now_v7(),
            tenant,
            url: "https://example.com/".to_owned(),
            event: DeliveryEvent::Test,
            created_at: later(at),
        };
        world.store.queue_delivery(new).await.unwrap();
    }
    let due = world.store.lease_deliveries(later(9), 9, 2).await.unwrap();
    assert!(
        due.iter().any(|delivery| delivery.tenant == world.theirs),
        "{due:?}"
    );
    assert_eq!(due.len(), 2);
}

async fn signing(world: World) {
    let key = |seed, created_at| SigningKey {
        id: Uuid::now_v7(),
        seed: Zeroizing::new([seed; 32]),
        created_at,
        ends_at: None,
    };
    let seeds = async |now| {
        let keys = world.store.signing_keys(world.ours, now).await.unwrap();
        keys.iter().map(|key| key.seed[0]).collect::<Vec<_>>()
    };
    world
        .store
        .add_signing_key(world.ours, key(1, NOW), NOW)
        .await
        .unwrap();
    let second = world
        .store
        .add_signing_key(world.ours, key(2, later(1)), later(60));
    second.await.unwrap();
    assert_eq!(seeds(later(59)).await, [2, 1], "the newest first");
    assert_eq!(seeds(later(60)).await, [2]);
    assert!(
        world
            .store
            .signing_keys(world.theirs, NOW)
            .await
            .unwrap()
            .is_empty()
    );
}
