//! A point inside a transaction that its work can be taken back to.

use diesel::QueryResult;
use diesel_async::SimpleAsyncConnection;

use super::Conn;

/// A savepoint by its name; two that are set at the same time have different names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(&'static str);

impl Savepoint {
    /// Around the content of one row, which turns out to be what is there already.
    pub const CONTENT: Self = Self("content");
    /// Around one row of many, which is refused while the others are written.
    pub const ROW: Self = Self("one_row");

    /// Sets the point.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn set(self, conn: &Conn) -> QueryResult<()> {
        self.run(conn, "SAVEPOINT").await
    }

    /// Undoes what was done since the point, which stays; also after a statement failed.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn back(self, conn: &Conn) -> QueryResult<()> {
        self.run(conn, "ROLLBACK TO SAVEPOINT").await
    }

    /// Forgets the point and keeps what was done.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn release(self, conn: &Conn) -> QueryResult<()> {
        self.run(conn, "RELEASE SAVEPOINT").await
    }

    async fn run(self, mut conn: &Conn, statement: &'static str) -> QueryResult<()> {
        let Self(name) = self;
        conn.batch_execute(&format!("{statement} {name}")).await
    }
}
