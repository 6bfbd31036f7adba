//! Queries on checkpoints.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Timestamptz};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{Behind, CheckpointChange, CheckpointRow};
use crate::db::Conn;
use crate::schema::{checkpoints, clients};
use crate::window_of;

/// The most checkpoints of a client, as the database has it.
pub const MOST: i64 = 50;
/// Changes after a position are counted up to this number.
pub const COUNTED: i64 = 1_000;

/// A query on the table, with filters to come.
pub type Query = checkpoints::BoxedQuery<'static, diesel::pg::Pg>;

window_of!(list: Query => CheckpointRow);

/// A client's checkpoint of this name.
///
/// # Errors
/// When the query fails.
pub async fn named(conn: &Conn, client: &str, name: &str) -> QueryResult<Option<CheckpointRow>> {
    let mut conn = conn;
    checkpoints::table
        .filter(checkpoints::client_id.eq(client))
        .filter(checkpoints::name.eq(name))
        .select(CheckpointRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(conn: &Conn, client: &str, name: &str) -> QueryResult<Option<CheckpointRow>> {
    let mut conn = conn;
    checkpoints::table
        .filter(checkpoints::client_id.eq(client))
        .filter(checkpoints::name.eq(name))
        .select(CheckpointRow::as_select())
        .for_update()
        .first(&mut conn)
        .await
        .optional()
}

/// Writes a new checkpoint; none if somebody else has just done so.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    conn: &Conn,
    client: &str,
    name: &str,
    new: CheckpointChange<'_>,
) -> QueryResult<Option<CheckpointRow>> {
    let mut conn = conn;
    diesel::insert_into(checkpoints::table)
        .values((
            checkpoints::id.eq(Uuid::now_v7()),
            checkpoints::client_id.eq(client),
            checkpoints::name.eq(name),
            new,
        ))
        .on_conflict_do_nothing()
        .returning(CheckpointRow::as_returning())
        .get_result(&mut conn)
        .await
        .optional()
}

/// Writes the content of a checkpoint anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(
    conn: &Conn,
    id: Uuid,
    change: CheckpointChange<'_>,
) -> QueryResult<CheckpointRow> {
    let mut conn = conn;
    diesel::update(checkpoints::table.find(id))
        .set(change)
        .returning(CheckpointRow::as_returning())
        .get_result(&mut conn)
        .await
}

/// Deletes a checkpoint.
///
/// # Errors
/// When the statement fails.
pub async fn delete(conn: &Conn, id: Uuid) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::delete(checkpoints::table.find(id))
        .execute(&mut conn)
        .await
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = BigInt)]
    behind: i64,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
}

/// How far each of these positions is behind; one that is not behind at all is not in the answer.
///
/// # Errors
/// When the query fails.
pub async fn behind(conn: &Conn, positions: &[i64]) -> QueryResult<HashMap<i64, Behind>> {
    let mut conn = conn;
    let counted: Vec<Counted> = diesel::sql_query(include_str!("sql/behind.sql"))
        .bind::<Array<BigInt>, _>(positions)
        .bind::<BigInt, _>(COUNTED)
        .load(&mut conn)
        .await?;
    let counted = counted.into_iter().map(|counted| {
        let behind = Behind {
            changes: counted.behind,
            since: Some(counted.since),
        };
        (counted.seq, behind)
    });
    Ok(counted.collect())
}

/// The names of these clients, by their public ids.
///
/// # Errors
/// When the query fails.
pub async fn client_names(conn: &Conn, ids: &[&str]) -> QueryResult<HashMap<String, String>> {
    let mut conn = conn;
    let names: Vec<(String, String)> = clients::table
        .filter(clients::client_id.eq_any(ids))
        .select((clients::client_id, clients::name))
        .load(&mut conn)
        .await?;
    Ok(names.into_iter().collect())
}
