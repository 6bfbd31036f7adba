//! Epochs: whose numbers a cursor carries.
//!
//! A standby that was promoted without the last transactions hands out numbers that clients have seen already, and a
//! restored dump begins in the past. The database notices both by its own identity (migration `create_feed`) and begins
//! an epoch far beyond every number that was ever handed out: before its first number of a session, and when it is told
//! to by [`begin_if_new`].

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::db::{Conn, Shared};
use crate::problem::Problem;
use crate::schema::feed_epochs;
use crate::sync::types::EntityType;

/// An epoch.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = feed_epochs, check_for_backend(diesel::pg::Pg))]
pub struct Epoch {
    /// What cursors know it by.
    pub id: Uuid,
    /// The first number that is its own; smaller ones are as the epoch before it had them.
    pub first_seq: i64,
}

/// The epochs, the oldest first.
///
/// # Errors
/// When the query fails.
pub async fn all(conn: &Conn) -> QueryResult<Vec<Epoch>> {
    let mut conn = conn;
    feed_epochs::table
        .order_by(feed_epochs::number)
        .select(Epoch::as_select())
        .load(&mut conn)
        .await
}

/// Begins an epoch if this is another database than the one that handed out the last numbers. A service does so before
/// its port opens, and whenever it has lost sight of the database.
///
/// # Errors
/// When the database does not answer or cannot be written.
pub async fn begin_if_new(db: &Shared) -> Result<(), Problem> {
    db.write(async |conn| {
        let mut conn = conn;
        diesel::sql_query("SELECT feed_begin_epoch()")
            .execute(&mut conn)
            .await?;
        Ok(())
    })
    .await
}

#[derive(QueryableByName)]
struct Unwatched {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The tables whose changes nobody would notice: their trigger is missing, switched off, or does not run at commit.
///
/// # Errors
/// When the query fails.
pub async fn unwatched(conn: &Conn) -> QueryResult<Vec<String>> {
    let mut conn = conn;
    let tables: Vec<&str> = EntityType::ALL.iter().map(|of| of.table()).collect();
    let unwatched: Vec<Unwatched> = diesel::sql_query(include_str!("sql/unwatched.sql"))
        .bind::<Array<Text>, _>(tables)
        .load(&mut conn)
        .await?;
    Ok(unwatched.into_iter().map(|table| table.name).collect())
}
