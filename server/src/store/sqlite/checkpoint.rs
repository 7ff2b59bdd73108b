//! Moves what was committed from the write-ahead log into the database file, beside the writer.
//!
//! By default SQLite does this inside whichever commit makes the log 1,000 pages long. That commit, and every
//! acknowledgement that waits for it, then pays for all commits before it (sqlite.org/wal.html, section 2.3). A
//! passive checkpoint on a connection of its own waits for nobody and keeps nobody waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

/// Set by the writer after a commit.
#[derive(Clone, Default)]
pub(super) struct Dirty(Arc<AtomicBool>);

impl Dirty {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// The task that checkpoints; it ends when this is dropped.
pub(super) struct Checkpoints {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Checkpoints {
    /// Looks every [`INTERVAL`] whether something was committed.
    ///
    /// A checkpoint that fails costs nothing but a longer log: the writer makes one itself at [`LOG_PAGES`].
    pub(super) fn start(options: SqliteConnectOptions, dirty: Dirty) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(options, dirty, stopped));
        Self { stop, task }
    }

    /// Closes its connection, so that the writer's can be the last.
    pub(super) async fn close(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(options: SqliteConnectOptions, dirty: Dirty, mut stop: watch::Receiver<bool>) {
    let mut connection = None;
    let mut beat = interval(INTERVAL);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
        if !dirty.take() {
            continue;
        }
        match checkpoint(&mut connection, &options).await {
            Ok(true) => {}
            // A commit came in between; the log starts over only once all of it has been moved.
            Ok(false) => dirty.set(),
            Err(error) => {
                tracing::warn!(%error, "the log of the database was not checkpointed, trying again");
                connection = None;
                dirty.set();
            }
        }
    }
    if let Some(connection) = connection {
        // An error means that it is closed.
        let _ = connection.close().await;
    }
}

/// Whether all of the log is in the database file now.
async fn checkpoint(
    connection: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
) -> Result<bool, sqlx::Error> {
    let connection = match connection {
        Some(connection) => connection,
        none => none.insert(SqliteConnection::connect_with(options).await?),
    };
    let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
        .fetch_one(connection)
        .await?;
    let (pages, moved): (i64, i64) = (row.try_get("log")?, row.try_get("checkpointed")?);
    Ok(pages == moved)
}

const INTERVAL: Duration = Duration::from_secs(1);

/// Pages of the log, 4 KiB each, at which the writer makes room itself.
pub(super) const LOG_PAGES: &str = "16384";
