//! Reading columns: identifiers, times and flags as both engines give them.

use std::str::FromStr;

use domain::Timestamp;
use sqlx::{Row, any::AnyRow};

use crate::Error;

/// An identifier.
pub(crate) fn id<T: FromStr>(row: &AnyRow, column: &str) -> Result<T, Error> {
    parse(&row.try_get::<String, _>(column)?)
}

/// An identifier that may be absent.
pub(crate) fn maybe_id<T: FromStr>(row: &AnyRow, column: &str) -> Result<Option<T>, Error> {
    row.try_get::<Option<String>, _>(column)?.as_deref().map(parse).transpose()
}

/// A point in time.
pub(crate) fn time(row: &AnyRow, column: &str) -> Result<Timestamp, Error> {
    Ok(Timestamp(row.try_get(column)?))
}

/// A flag, kept as 0 or 1.
pub(crate) fn flag(row: &AnyRow, column: &str) -> Result<bool, Error> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

/// Bytes.
pub(crate) fn bytes(row: &AnyRow, column: &str) -> Result<Vec<u8>, Error> {
    Ok(row.try_get(column)?)
}

/// A hash of 32 bytes.
pub(crate) fn hash(row: &AnyRow, column: &str) -> Result<[u8; 32], Error> {
    bytes(row, column)?.try_into().map_err(|_| Error::damaged("a hash has the wrong length"))
}

fn parse<T: FromStr>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::damaged("an identifier has the wrong shape"))
}

/// Succeeds when a statement changed one row; otherwise there was no such record.
pub(crate) fn exactly_one(done: &sqlx::any::AnyQueryResult) -> Result<(), Error> {
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound) }
}
