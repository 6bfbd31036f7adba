//! The two connections of a making, without diesel: one reads a snapshot row by row, the other writes with COPY.

use serde::de::DeserializeOwned;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::db::connect::sentence;
use crate::db::{ConnectError, DbError};
use crate::problem::Problem;

/// Why a making stopped.
#[derive(Debug)]
pub enum Stopped {
    /// The request, the data, or the time of it stands in the way.
    Refused(Problem),
    /// The database did not do it.
    Database(String),
    /// The service is being stopped.
    Cancelled,
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(sentence(&error))
    }
}

impl From<ConnectError> for Stopped {
    fn from(error: ConnectError) -> Self {
        Self::Refused(DbError::from(error).into())
    }
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<postcard::Error> for Stopped {
    fn from(error: postcard::Error) -> Self {
        Self::Refused(Problem::internal(error))
    }
}

impl From<serde_json::Error> for Stopped {
    fn from(error: serde_json::Error) -> Self {
        Self::Refused(Problem::internal(error))
    }
}

/// What a query answers whose only column is JSON: as many rows as it has, read into `T`.
///
/// # Errors
/// When the query fails, or a row is not what `T` wants.
pub async fn rows<T: DeserializeOwned>(
    client: &Client,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<T>, Stopped> {
    let mut all = Vec::new();
    for row in client.query(sql, parameters).await? {
        all.push(serde_json::from_str(row.try_get(0)?)?);
    }
    Ok(all)
}
