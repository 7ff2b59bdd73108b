//! Rows into the types of the store. A value that cannot be read is an error with its column's name,
//! never a default.

use media::{Digest, Kind, Name};
use provenance::Timestamp;
use sqlx::{ColumnIndex, Decode, Row as _, Sqlite, Type, sqlite::SqliteRow};
use uuid::Uuid;

use super::store_error;
use crate::store::{Analysis, AnalysisId, Status, StoreError, TenantId};

/// One column.
pub(super) fn column<'r, T, I>(row: &'r SqliteRow, name: I) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
    I: ColumnIndex<SqliteRow>,
{
    row.try_get(name).map_err(store_error)
}

/// A column of Unix seconds.
pub(super) fn time(row: &SqliteRow, name: &str) -> Result<Timestamp, StoreError> {
    column(row, name).map(Timestamp)
}

/// The same where there may be none.
pub(super) fn time_or_none(row: &SqliteRow, name: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(column::<Option<i64>, _>(row, name)?.map(Timestamp))
}

/// A column with a count.
pub(super) fn count(row: &SqliteRow, name: &str) -> Result<u64, StoreError> {
    let value: i64 = column(row, name)?;
    u64::try_from(value).map_err(|_| unexpected(name))
}

/// The same, small.
pub(super) fn small(row: &SqliteRow, name: &str) -> Result<u32, StoreError> {
    u32::try_from(count(row, name)?).map_err(|_| unexpected(name))
}

/// A column of 32 bytes.
pub(super) fn bytes32(row: &SqliteRow, name: &str) -> Result<[u8; 32], StoreError> {
    let bytes: &[u8] = column(row, name)?;
    bytes.try_into().map_err(|_| unexpected(name))
}

/// A column with a digest.
pub(super) fn digest(row: &SqliteRow, name: &str) -> Result<Digest, StoreError> {
    bytes32(row, name).map(Digest::from)
}

/// A column with one of the words that `parse` knows.
pub(super) fn word<T>(
    row: &SqliteRow,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, StoreError> {
    let text: &str = column(row, name)?;
    parse(text).ok_or_else(|| unexpected(name))
}

/// The same where there may be none.
pub(super) fn word_or_none<T>(
    row: &SqliteRow,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = column(row, name)?;
    text.map(|text| parse(text).ok_or_else(|| unexpected(name)))
        .transpose()
}

/// The name and the declared kind of an upload.
pub(super) fn name(row: &SqliteRow) -> Result<Name, StoreError> {
    Ok(Name {
        display: column(row, "name")?,
        hex: column(row, "name_hex")?,
    })
}

/// What the sender said the file is.
pub(super) fn declared_kind(row: &SqliteRow) -> Result<Option<Kind>, StoreError> {
    word_or_none(row, "declared_kind", Kind::from_mime)
}

/// All columns of `analyses`.
pub(super) fn analysis(row: &SqliteRow) -> Result<Analysis, StoreError> {
    let digest = match column::<Option<&[u8]>, _>(row, "digest")? {
        Some(_) => Some(digest(row, "digest")?),
        None => None,
    };
    Ok(Analysis {
        id: AnalysisId(column::<Uuid, _>(row, "id")?),
        tenant: TenantId(column::<Uuid, _>(row, "tenant")?),
        status: word(row, "status", status)?,
        created_at: time(row, "created_at")?,
        finished_at: time_or_none(row, "finished_at")?,
        erased_at: time_or_none(row, "erased_at")?,
        digest,
        bytes: count(row, "bytes")?,
        name: name(row)?,
        declared_kind: declared_kind(row)?,
        external_id: column(row, "external_id")?,
        declared_ai: column(row, "declared_ai")?,
        metadata: column(row, "metadata")?,
        callback_url: column(row, "callback_url")?,
        cached: column(row, "cached")?,
        verdict: word_or_none(row, "verdict", |text| text.parse().ok())?,
        report: column(row, "report")?,
    })
}

fn status(text: &str) -> Option<Status> {
    [
        Status::Queued,
        Status::Running,
        Status::Done,
        Status::Failed,
    ]
    .into_iter()
    .find(|status| status.as_str() == text)
}

/// A count as SQLite keeps it.
pub(super) fn as_integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unexpected(column: &str) -> StoreError {
    StoreError::Unexpected(format!("column {column} holds no such value"))
}
