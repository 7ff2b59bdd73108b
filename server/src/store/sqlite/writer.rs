//! The one connection that writes, and the group commit: whatever arrives while the disk is busy with one
//! transaction goes into the next one together, so that the cost of a durable write is shared.
//!
//! Each piece of work has a savepoint of its own: one that fails takes nothing of the others with it.

use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use super::{checkpoint::Dirty, store_error};
use crate::store::StoreError;

/// Hands work to the task that owns the connection. Work goes on when its caller no longer waits.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Work(Box<dyn Work>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Takes the connection; `options` open another should this one break.
    ///
    /// `dirty` is set after every commit.
    pub(super) fn start(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        dirty: Dirty,
    ) -> Self {
        let (queue, work) = mpsc::channel(QUEUE);
        tokio::spawn(run(connection, options, work, dirty));
        Self { queue }
    }

    /// Runs `work` in a transaction that is on the disk before this returns.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (reply, result) = oneshot::channel();
        let item = Item {
            work: Some(work),
            outcome: None,
            reply,
        };
        let gone = || StoreError::Database("its writer has stopped".to_owned());
        self.queue
            .send(Message::Work(Box::new(item)))
            .await
            .map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }

    /// Finishes what was sent and closes the connection.
    pub(super) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.queue.send(Message::Close(reply)).await.is_ok() {
            // An error means that the task is gone, and then so is the connection.
            let _ = closed.await;
        }
    }
}

/// One piece of work without its types.
#[async_trait::async_trait]
trait Work: Send {
    /// Does it; says whether its savepoint may stay.
    async fn run(&mut self, connection: &mut SqliteConnection) -> bool;

    /// Tells the caller, now that it is known whether the transaction is on the disk.
    fn settle(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Item<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

#[async_trait::async_trait]
impl<T, F> Work for Item<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    async fn run(&mut self, connection: &mut SqliteConnection) -> bool {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(connection).await);
        }
        matches!(self.outcome, Some(Ok(_)))
    }

    fn settle(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let result = match (outcome, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(result @ Ok(_)), Ok(())) => result,
            (None, Ok(())) => Err(StoreError::Unexpected("work that was not done".to_owned())),
        };
        // The caller may have gone away; the work stands.
        let _ = reply.send(result);
    }
}

async fn run(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut queue: mpsc::Receiver<Message>,
    dirty: Dirty,
) {
    while let Some(first) = queue.recv().await {
        let (mut batch, close) = gather(first, &mut queue);
        let committed = transaction(&mut connection, &mut batch).await;
        dirty.set();
        if let Err(error) = &committed {
            tracing::error!(%error, "a transaction failed");
            // What broke it may have broken the connection as well.
            if let Ok(fresh) = SqliteConnection::connect_with(&options).await {
                connection = fresh;
            }
        }
        for work in batch {
            work.settle(committed.as_ref().map(|_| ()).map_err(repeat));
        }
        if let Some(reply) = close {
            let _ = connection.close().await;
            let _ = reply.send(());
            return;
        }
    }
}

/// What has arrived by now, up to a batch or to the word to close.
fn gather(
    first: Message,
    queue: &mut mpsc::Receiver<Message>,
) -> (Vec<Box<dyn Work>>, Option<oneshot::Sender<()>>) {
    let mut batch = Vec::new();
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Message::Work(work) => batch.push(work),
            Message::Close(reply) => return (batch, Some(reply)),
        }
        next = (batch.len() < MAX_BATCH)
            .then(|| queue.try_recv().ok())
            .flatten();
    }
    (batch, None)
}

async fn transaction(
    connection: &mut SqliteConnection,
    batch: &mut [Box<dyn Work>],
) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(store_error)?;
    for work in batch {
        let mut savepoint = transaction.begin().await.map_err(store_error)?;
        if work.run(&mut savepoint).await {
            savepoint.commit().await.map_err(store_error)?;
        } else {
            savepoint.rollback().await.map_err(store_error)?;
        }
    }
    transaction.commit().await.map_err(store_error)
}

/// The same error for every piece of work of a batch.
fn repeat(error: &StoreError) -> StoreError {
    match error {
        StoreError::Locked => StoreError::Locked,
        StoreError::Full => StoreError::Full,
        StoreError::InUse { .. }
        | StoreError::Folder { .. }
        | StoreError::Missing { .. }
        | StoreError::Migration(_)
        | StoreError::UnknownTenant(_)
        | StoreError::UnknownKey(_)
        | StoreError::Unexpected(_)
        | StoreError::Database(_)
        | StoreError::Blob(_) => StoreError::Database(error.to_string()),
    }
}

/// Work that waits for the disk; past that, callers wait to hand theirs over.
const QUEUE: usize = 256;

/// Pieces of work in one transaction: enough to share the disk's latency, few enough that the first
/// does not wait long for the last.
const MAX_BATCH: usize = 64;
