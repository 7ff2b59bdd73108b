//! The store on one machine: SQLite in the data folder.
//!
//! Write-ahead log, `synchronous=FULL`, one connection that writes (`writer.rs`), one that moves what it wrote into the
//! database file (`checkpoint.rs`) and a few that read. What
//! was acknowledged survives a power cut. A second process may write as well, as `bonafide admin` does
//! while the service runs: it waits its turn. All SQL of this house is in this folder, one file per trait.

mod analyses;
mod checkpoint;
mod queue;
mod rows;
mod tenants;
#[cfg(test)]
mod tests;
mod upkeep;
mod webhooks;
mod writer;

use std::{path::Path, str::FromStr as _, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;
use checkpoint::{Checkpoints, Dirty};
use writer::Writer;

/// A store in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
    checkpoints: Checkpoints,
}

impl SqliteStore {
    /// Opens the database `file`, makes it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError`], [`StoreError::Migration`] when a newer version of this program wrote it.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str("sqlite:")
            .map_err(store_error)?
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            // What is erased leaves no copy in the file.
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", checkpoint::LOG_PAGES)
            .disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(store_error)?;
        migrate(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone().pragma("query_only", "ON"))
            .await
            .map_err(store_error)?;
        let dirty = Dirty::default();
        Ok(Self {
            writer: Writer::start(connection, options.clone(), dirty.clone()),
            readers,
            checkpoints: Checkpoints::start(options, dirty),
        })
    }

    /// Writes what is under way and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.checkpoints.close().await;
        self.writer.close().await;
    }
}

/// Applies the schemas that the file does not have yet, all in one transaction that keeps others out.
async fn migrate(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(store_error)?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(store_error)?;
    let known = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
    if version > known {
        let message = format!("it has schema {version}, this version knows {known}");
        return Err(StoreError::Migration(message));
    }
    for (number, schema) in (1..).zip(SCHEMAS) {
        if number > version {
            sqlx::raw_sql(schema.sql)
                .execute(&mut *transaction)
                .await
                .map_err(store_error)?;
            sqlx::raw_sql(schema.mark)
                .execute(&mut *transaction)
                .await
                .map_err(store_error)?;
        }
    }
    transaction.commit().await.map_err(store_error)
}

/// One step of the schema.
struct Schema {
    sql: &'static str,
    /// Writes the number of the step; a pragma takes no parameters.
    mark: &'static str,
}

/// Every step there was, in order.
const SCHEMAS: [Schema; 1] = [Schema {
    sql: include_str!("schema_1.sql"),
    mark: "PRAGMA user_version = 1",
}];

/// Sorts the library's errors by who can do something about them.
fn store_error(error: sqlx::Error) -> StoreError {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return StoreError::Locked;
    }
    if matches!(
        error,
        sqlx::Error::RowNotFound
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
    ) {
        return StoreError::Unexpected(error.to_string());
    }
    let code = error
        .as_database_error()
        .and_then(|error| error.code())
        .and_then(|code| code.parse::<i32>().ok());
    // The low byte is the primary code, the rest says more about it.
    match code.map(|code| code & 0xff) {
        Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreError::Locked,
        Some(SQLITE_FULL) => StoreError::Full,
        Some(_) | None => StoreError::Database(error.to_string()),
    }
}

/// Primary result codes, sqlite.org/rescode.html.
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_FULL: i32 = 13;

/// Longest wait for another process that writes; one of our transactions takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read. Each is a thread; reads take microseconds.
const READERS: u32 = 4;
