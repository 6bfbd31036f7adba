//! Queries on the feed.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::epoch::{self, Epoch};
use crate::db::Conn;
use crate::schema::{changes, feed_retention};
use crate::sync::types::{ChangeOp, EntityType};

/// The most positions that one request looks at; the cursor goes on from there.
pub const SCANNED: i64 = 50_000;

/// A change.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(table_name = changes, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct Change {
    pub entity_type: EntityType,
    pub entity_key: String,
    pub seq: i64,
    pub op: ChangeOp,
    pub version: i64,
    pub client_id: Option<String>,
    pub request_id: Option<Uuid>,
    pub changed_at: DateTime<Utc>,
}

/// Where the feed stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The epoch that numbers are handed out in.
    pub epoch: Epoch,
    /// All epochs, the oldest first.
    pub epochs: Vec<Epoch>,
    /// Deletions up to this number may have been purged.
    pub oldest: i64,
    /// The newest number.
    pub newest: i64,
}

/// Where the feed stands.
///
/// # Errors
/// When a query fails.
pub async fn standing(conn: &Conn) -> QueryResult<Standing> {
    let (mut reading, mut counting) = (conn, conn);
    let oldest = feed_retention::table
        .select(feed_retention::oldest_seq)
        .first(&mut reading);
    let newest = changes::table
        .select(diesel::dsl::max(changes::seq))
        .get_result(&mut counting);
    let (epochs, oldest, newest): (_, i64, Option<i64>) =
        futures_util::try_join!(epoch::all(conn), oldest, newest)?;
    let epoch = epochs.last().cloned().ok_or(diesel::NotFound)?;
    Ok(Standing {
        epoch,
        epochs,
        oldest,
        // The newest change of all may have been a deletion that was purged.
        newest: newest.unwrap_or(0).max(oldest),
    })
}

/// The next changes after a number that someone in these areas may see (without areas: everywhere), at most so many,
/// looking at [`SCANNED`] positions.
///
/// # Errors
/// When the query fails.
pub async fn after(
    conn: &Conn,
    seq: i64,
    types: &[EntityType],
    areas: Option<&[String]>,
    limit: i64,
) -> QueryResult<Vec<Change>> {
    let mut conn = conn;
    let types: Vec<&str> = types.iter().map(|of| of.as_str()).collect();
    diesel::sql_query(include_str!("sql/after.sql"))
        .bind::<BigInt, _>(seq)
        .bind::<BigInt, _>(SCANNED)
        .bind::<Array<Text>, _>(types)
        .bind::<Nullable<Array<Text>>, _>(areas)
        .bind::<BigInt, _>(limit)
        .load(&mut conn)
        .await
}

/// The last of the positions that [`after`] looks at, if there are more after it.
///
/// # Errors
/// When the query fails.
pub async fn horizon(conn: &Conn, seq: i64) -> QueryResult<Option<i64>> {
    let mut conn = conn;
    changes::table
        .filter(changes::seq.gt(seq))
        .order_by(changes::seq)
        .offset(SCANNED - 1)
        .limit(1)
        .select(changes::seq)
        .first(&mut conn)
        .await
        .optional()
}

#[derive(QueryableByName)]
struct Purged {
    #[diesel(sql_type = BigInt)]
    removed: i64,
}

/// Removes deletions that were told before this time, some at a time; says how many it removed.
///
/// # Errors
/// When a statement fails.
pub async fn purge(conn: &Conn, before: DateTime<Utc>) -> QueryResult<i64> {
    let mut conn = conn;
    // Whoever numbers changes holds this lock and then takes rows: in any other order the two could wait for each other.
    diesel::sql_query("SELECT feed_lock()")
        .execute(&mut conn)
        .await?;
    let purged: Purged = diesel::sql_query(include_str!("sql/purge.sql"))
        .bind::<Timestamptz, _>(before)
        .get_result(&mut conn)
        .await?;
    Ok(purged.removed)
}
