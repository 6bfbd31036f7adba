//! Several reads that see one and the same state of the database.

use std::ops::AsyncFn;
use std::time::Duration;

use diesel::result::QueryResult;
use diesel_async::SimpleAsyncConnection;
use diesel_async::pooled_connection::deadpool::Object;
use tokio::time::timeout;

use super::{Conn, Db, DbError, Shared};

/// Our bound around all reads of one snapshot.
const SNAPSHOT_BOUND: Duration = Duration::from_secs(15);

impl Shared {
    /// Runs reads on the exclusive lane that see the database as it was when the first of them began.
    ///
    /// # Errors
    /// [`DbError`]
    pub async fn snapshot<T>(
        &self,
        work: impl AsyncFn(&Conn) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        let mut conn = self.exclusive().await?;
        let reading = async {
            conn.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .await?;
            let read = work(&conn).await?;
            conn.batch_execute("COMMIT").await?;
            Ok(read)
        };
        let outcome = timeout(SNAPSHOT_BOUND, reading).await;
        if !matches!(outcome, Ok(Ok(_))) {
            // In the middle of a transaction, or worse: nobody else gets it.
            drop(Object::take(conn));
        }
        outcome
            .map_err(|_| DbError::Timeout(SNAPSHOT_BOUND))?
            .map_err(DbError::Query)
    }
}

impl Db {
    /// Reads one state of the database; see [`Shared::snapshot`].
    ///
    /// # Errors
    /// As [`Shared::snapshot`].
    pub async fn snapshot<T>(
        &self,
        work: impl AsyncFn(&Conn) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        self.shared.snapshot(work).await
    }
}
