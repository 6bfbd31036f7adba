//! Several reads that see one and the same state of the database.

use std::ops::AsyncFn;
use std::time::Duration;

use diesel::result::QueryResult;
use diesel_async::SimpleAsyncConnection;
use tokio::time::timeout;

use super::connect::{self, Work};
use super::{BEGIN_BOUND, Conn, Db, DbError, Shared, give_back};

/// Our bound around all reads of one snapshot.
const SNAPSHOT_BOUND: Duration = Duration::from_secs(15);
/// Our bound around one part of a long one: its `statement_timeout` and five seconds.
const PART_BOUND: Duration = Duration::from_secs(35);
/// What a snapshot begins with. Its first query fixes what it sees.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// One state of the database that is read in parts, for as long as that takes, on a connection of its own: the lanes
/// serve requests that are over soon. Dropped, its connection is closed.
pub struct LongSnapshot(Conn);

impl LongSnapshot {
    /// Reads a part.
    ///
    /// # Errors
    /// [`DbError`]; nothing more can be read then.
    pub async fn read<T>(&self, work: impl AsyncFn(&Conn) -> QueryResult<T>) -> Result<T, DbError> {
        let read = timeout(PART_BOUND, work(&self.0)).await;
        Ok(read.map_err(|_| DbError::Timeout(PART_BOUND))??)
    }
}

impl Shared {
    /// Runs reads on the exclusive lane that see the database as it was when the first of them began.
    ///
    /// # Errors
    /// [`DbError`]
    pub async fn snapshot<T>(
        &self,
        work: impl AsyncFn(&Conn) -> QueryResult<T>,
    ) -> Result<T, DbError> {
        let mut conn = self.lend().await?;
        timeout(BEGIN_BOUND, conn.batch_execute(BEGIN))
            .await
            .map_err(|_| DbError::Timeout(BEGIN_BOUND))??;
        let reading = async {
            let read = work(&conn).await?;
            conn.batch_execute("COMMIT").await?;
            Ok::<_, DbError>(read)
        };
        let read = timeout(SNAPSHOT_BOUND, reading)
            .await
            .map_err(|_| DbError::Timeout(SNAPSHOT_BOUND))??;
        give_back(conn);
        Ok(read)
    }

    /// Begins a snapshot that is read in parts.
    ///
    /// # Errors
    /// [`DbError`]
    pub async fn long_snapshot(&self) -> Result<LongSnapshot, DbError> {
        let mut conn = connect::open(&self.target, Work::Export).await?;
        let begun = timeout(BEGIN_BOUND, conn.batch_execute(BEGIN)).await;
        begun.map_err(|_| DbError::Timeout(BEGIN_BOUND))??;
        Ok(LongSnapshot(conn))
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
