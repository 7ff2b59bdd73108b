//! Tenants, keys and retention rules.

use super::*;
use crate::store::{KeyHash, KeyId, NewKey, Retention, Scope, Scopes, StoreError};

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("a tenant is made once", |world| Box::pin(once(world))),
    ("the local tenant is there and not listed", |world| {
        Box::pin(local(world))
    }),
    ("keys are kept by tenant", |world| Box::pin(keys(world))),
    ("a rotated key ends after its successor begins", |world| {
        Box::pin(rotate(world))
    }),
    ("a revoked key is dead", |world| Box::pin(revoke(world))),
    ("retention rules are set and replaced", |world| {
        Box::pin(retention(world))
    }),
];

async fn once(world: World) {
    let name: TenantName = "ours".parse().unwrap();
    let again = world.store.ensure_tenant(&name, later(9)).await.unwrap();
    assert_eq!((again.id, again.created_at), (world.ours, NOW));
    assert_eq!(world.store.tenant(&name).await.unwrap(), again);
    let unknown = world.store.tenant(&"nobody".parse().unwrap()).await;
    assert!(matches!(unknown, Err(StoreError::UnknownTenant(_))));
}

async fn local(world: World) {
    assert!(world.store.has_tenants().await.unwrap());
    let all = world.store.tenants().await.unwrap();
    let names: Vec<_> = all.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(names, ["ours", "theirs"]);
    world.admit(upload(TenantId::LOCAL, b"x")).await;
}

fn key(id: &str) -> NewKey {
    NewKey {
        id: KeyId(id.to_owned()),
        hash: KeyHash([7; 32]),
        scopes: Scopes::of(&[Scope::Analyse, Scope::Read]),
        created_at: NOW,
        expires_at: None,
    }
}

async fn keys(world: World) {
    world.store.add_key(world.ours, key("a")).await.unwrap();
    let again = world.store.add_key(world.theirs, key("a")).await;
    assert!(again.is_err(), "an id names one key");
    let expiring = NewKey {
        expires_at: Some(later(9)),
        created_at: later(1),
        ..key("b")
    };
    world.store.add_key(world.ours, expiring).await.unwrap();
    let found = world
        .store
        .key(&KeyId("a".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.tenant, found.hash.0), (world.ours, [7; 32]));
    assert_eq!(found.scopes, key("a").scopes);
    assert!(
        world
            .store
            .key(&KeyId("c".to_owned()))
            .await
            .unwrap()
            .is_none()
    );
    let ours = world.store.keys(world.ours).await.unwrap();
    let ids: Vec<_> = ours.iter().map(|key| key.id.0.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(ours[1].is_live(later(8)) && !ours[1].is_live(later(9)));
    assert!(world.store.keys(world.theirs).await.unwrap().is_empty());
}

async fn live(world: &World, id: &str, now: Timestamp) -> bool {
    let key = world.store.key(&KeyId(id.to_owned())).await.unwrap();
    key.unwrap().is_live(now)
}

async fn rotate(world: World) {
    let old = KeyId("old".to_owned());
    world.store.add_key(world.ours, key("old")).await.unwrap();
    let stranger = world
        .store
        .rotate_key(world.theirs, &old, key("x"), later(60))
        .await;
    assert!(matches!(stranger, Err(StoreError::UnknownKey(_))));
    assert!(
        world
            .store
            .key(&KeyId("x".to_owned()))
            .await
            .unwrap()
            .is_none()
    );
    world
        .store
        .rotate_key(world.ours, &old, key("new"), later(60))
        .await
        .unwrap();
    assert!(live(&world, "new", NOW).await && live(&world, "old", later(59)).await);
    assert!(!live(&world, "old", later(60)).await);
    let longer = world
        .store
        .rotate_key(world.ours, &old, key("newer"), later(600));
    longer.await.unwrap();
    assert!(
        !live(&world, "old", later(60)).await,
        "it does not live longer for it"
    );
}

async fn revoke(world: World) {
    let id = KeyId("a".to_owned());
    world.store.add_key(world.ours, key("a")).await.unwrap();
    let stranger = world.store.revoke_key(world.theirs, &id, NOW).await;
    assert!(matches!(stranger, Err(StoreError::UnknownKey(_))));
    assert!(live(&world, "a", NOW).await);
    world.store.revoke_key(world.ours, &id, NOW).await.unwrap();
    assert!(!live(&world, "a", NOW).await);
    let again = world.store.revoke_key(world.ours, &id, NOW).await;
    assert!(matches!(again, Err(StoreError::UnknownKey(_))));
}

async fn retention(world: World) {
    assert_eq!(world.store.retention(world.ours).await.unwrap(), []);
    let general = Retention {
        verdict: None,
        days: 7,
    };
    let own = Retention {
        verdict: Some(Code::Altered),
        days: 90,
    };
    for rule in [own, general, Retention { days: 8, ..general }] {
        world.store.set_retention(world.ours, rule).await.unwrap();
    }
    let rules = world.store.retention(world.ours).await.unwrap();
    assert_eq!(rules, [Retention { days: 8, ..general }, own]);
    assert_eq!(world.store.retention(world.theirs).await.unwrap(), []);
}
