//! Queries on populations.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{PopulationChange, PopulationRow};
use crate::db::Conn;
use crate::schema::populations;
use crate::store_of;

store_of!(populations, PopulationRow, id: Uuid);

/// Writes a new population.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: PopulationChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(populations::table)
        .values((populations::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a population anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: PopulationChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(populations::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}
