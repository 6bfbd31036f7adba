//! A point inside a transaction that its work can be taken back to.

use diesel::QueryResult;
use diesel_async::RunQueryDsl;

use super::Conn;

/// Sets the point; a second one hides the first.
///
/// # Errors
/// When the statement fails.
pub async fn set(conn: &Conn) -> QueryResult<()> {
    run(conn, "SAVEPOINT point").await
}

/// Undoes what was done since the point.
///
/// # Errors
/// When the statement fails.
pub async fn back(conn: &Conn) -> QueryResult<()> {
    run(conn, "ROLLBACK TO SAVEPOINT point").await
}

async fn run(mut conn: &Conn, statement: &'static str) -> QueryResult<()> {
    diesel::sql_query(statement).execute(&mut conn).await?;
    Ok(())
}
