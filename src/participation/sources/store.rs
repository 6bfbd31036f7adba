//! Queries on sources.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{SourceChange, SourceRow};
use crate::db::Conn;
use crate::schema::{populations, reports, sources};
use crate::store_of;

store_of!(sources, SourceRow, id: Uuid);

/// Writes a new source.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: SourceChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(sources::table)
        .values((sources::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a source anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: SourceChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(sources::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Whether live reports or populations name the source.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    let reported = reports::table
        .filter(reports::source_id.eq(id))
        .filter(reports::deleted_at.is_null());
    let counted = populations::table
        .filter(populations::source_id.eq(id))
        .filter(populations::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(reported).or(diesel::dsl::exists(counted)))
        .get_result(&mut conn)
        .await
}

/// Whether the source is a tombstone.
///
/// # Errors
/// When the query fails.
pub async fn is_buried(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    let tombstone = sources::table
        .find(id)
        .filter(sources::deleted_at.is_not_null());
    diesel::select(diesel::dsl::exists(tombstone))
        .get_result(&mut conn)
        .await
}

/// The titles of sources, for rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn titles(conn: &Conn, mut ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, String>> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = conn;
    let rows: Vec<(Uuid, String)> = sources::table
        .filter(sources::id.eq_any(ids))
        .select((sources::id, sources::title))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The live source with this address.
///
/// # Errors
/// When the query fails.
pub async fn by_url(conn: &Conn, url: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    sources::table
        .filter(sources::url.eq(url))
        .filter(sources::deleted_at.is_null())
        .select(sources::id)
        .limit(2)
        .load(&mut conn)
        .await
}

/// The live sources with this title; a reference by title needs exactly one.
///
/// # Errors
/// When the query fails.
pub async fn by_title(conn: &Conn, title: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    sources::table
        .filter(sources::title.eq(title))
        .filter(sources::deleted_at.is_null())
        .select(sources::id)
        .limit(2)
        .load(&mut conn)
        .await
}
