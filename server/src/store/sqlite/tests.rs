//! What SQLite adds to the conformance of every store: the file, other processes, and time.

use std::time::Duration;

use sqlx::{Connection as _, SqliteConnection};

use super::{SCHEMAS, SqliteStore};
use crate::store::{StoreError, TenantName, Tenants as _, Upkeep as _};
use provenance::Timestamp;

const NOW: Timestamp = Timestamp(1_795_564_800);

fn name(text: &str) -> TenantName {
    text.parse().unwrap()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = SqliteStore::open(&file).await.unwrap();
    let tenant = store.ensure_tenant(&name("acme"), NOW).await.unwrap();
    // Not closed: a process that is killed does not close anything either.
    let second = SqliteStore::open(&file).await.unwrap();
    assert_eq!(second.tenant(&name("acme")).await.unwrap(), tenant);
    store.close().await;
    let gone = store.check().await;
    assert!(matches!(gone, Err(StoreError::Database(_))), "{gone:?}");
}

#[tokio::test]
async fn two_processes_write_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let stores = [
        SqliteStore::open(&file).await.unwrap(),
        SqliteStore::open(&file).await.unwrap(),
    ];
    let names: Vec<TenantName> = (0..100).map(|number| name(&format!("t{number}"))).collect();
    let writes = names.iter().enumerate().map(|(number, name)| {
        let store = &stores[number % 2];
        store.ensure_tenant(name, NOW)
    });
    for written in futures_util::future::join_all(writes).await {
        written.unwrap();
    }
    assert_eq!(stores[0].tenants().await.unwrap().len(), 100);
}

#[tokio::test]
async fn the_settings_that_make_writes_durable_are_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store"))
        .await
        .unwrap();
    let (mode, synchronous) = store
        .writer
        .write(|connection| {
            Box::pin(async move {
                let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
                    .fetch_one(&mut *connection)
                    .await
                    .unwrap();
                let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
                    .fetch_one(connection)
                    .await
                    .unwrap();
                Ok((mode, synchronous))
            })
        })
        .await
        .unwrap();
    // 2 is FULL: each commit is on the disk before it returns.
    assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    let refused = sqlx::query("DELETE FROM tenants")
        .execute(&store.readers)
        .await;
    assert!(refused.is_err(), "readers only read");
}

#[tokio::test]
async fn work_that_fails_takes_nothing_of_the_others_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store"))
        .await
        .unwrap();
    let (first, second) = (name("good"), name("also-good"));
    let good = store.ensure_tenant(&first, NOW);
    let bad = store.writer.write::<(), _>(|connection| {
        Box::pin(async move {
            sqlx::query("INSERT INTO tenants (id, name, created_at) VALUES (x'00', 'half', 0)")
                .execute(&mut *connection)
                .await
                .unwrap();
            Err(StoreError::Unexpected("on purpose".to_owned()))
        })
    });
    let also_good = store.ensure_tenant(&second, NOW);
    let (good, bad, also_good) = tokio::join!(good, bad, also_good);
    assert!(matches!(bad, Err(StoreError::Unexpected(_))));
    good.unwrap();
    also_good.unwrap();
    let names: Vec<_> = store.tenants().await.unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn the_log_starts_over_without_the_writer_stopping_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store"))
        .await
        .unwrap();
    let mut written = 0;
    for round in 0..4 {
        for number in 0..20 {
            let text = format!("{round}-{number}");
            let fill = vec![0_u8; 100_000];
            written += fill.len();
            let insert = store.writer.write(|connection| {
                Box::pin(async move {
                    sqlx::query("CREATE TABLE IF NOT EXISTS filling (name TEXT, fill BLOB)")
                        .execute(&mut *connection)
                        .await
                        .unwrap();
                    sqlx::query("INSERT INTO filling VALUES (?, ?)")
                        .bind(text)
                        .bind(fill)
                        .execute(connection)
                        .await
                        .unwrap();
                    Ok(())
                })
            });
            insert.await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let log = std::fs::metadata(folder.path().join("store-wal")).unwrap();
    assert!(log.len() < u64::try_from(written).unwrap() / 2, "{log:?}");
    store.close().await;
    assert!(!folder.path().join("store-wal").exists());
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    SqliteStore::open(&file).await.unwrap().close().await;
    let url = format!("sqlite:{}", file.display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    let known = i64::try_from(SCHEMAS.len()).unwrap();
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    assert_eq!(version, known);
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&mut raw)
        .await
        .unwrap();
    let newer = SqliteStore::open(&file).await;
    assert!(matches!(newer, Err(StoreError::Migration(_))));
}

#[tokio::test]
async fn a_lock_that_lasts_too_long_is_told_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = SqliteStore::open(&file).await.unwrap();
    let url = format!("sqlite:{}", file.display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    let held = raw.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let started = std::time::Instant::now();
    let refused = store.ensure_tenant(&name("acme"), NOW).await;
    assert!(matches!(refused, Err(StoreError::Locked)), "{refused:?}");
    assert!(started.elapsed() >= Duration::from_secs(4));
    held.rollback().await.unwrap();
    store.ensure_tenant(&name("acme"), NOW).await.unwrap();
}

#[tokio::test]
async fn what_waits_for_the_disk_is_committed_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store");
    let store = SqliteStore::open(&file).await.unwrap();
    let before = commits(&folder.path().join("store-wal"));
    // Another process holds the file meanwhile, so that the writes have to wait for something.
    let url = format!("sqlite:{}", file.display());
    let mut raw = SqliteConnection::connect(&url).await.unwrap();
    let held = raw.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let names: Vec<TenantName> = (0..50).map(|number| name(&format!("t{number}"))).collect();
    let writes = names.iter().map(|name| store.ensure_tenant(name, NOW));
    let release = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        held.rollback().await.unwrap();
    };
    let (written, ()) = tokio::join!(futures_util::future::join_all(writes), release);
    assert!(written.iter().all(Result::is_ok), "{written:?}");
    let commits = commits(&folder.path().join("store-wal")) - before;
    assert!(
        (1..=3).contains(&commits),
        "{commits} commits for 50 writes"
    );
}

/// Transactions in a write-ahead log: a frame that ends one carries the size of the database
/// (sqlite.org/fileformat2.html, section 4.1).
fn commits(log: &std::path::Path) -> usize {
    let bytes = std::fs::read(log).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let frame = 24 + usize::try_from(number(8)).unwrap();
    (32..bytes.len())
        .step_by(frame)
        .filter(|at| number(at + 4) != 0)
        .count()
}
