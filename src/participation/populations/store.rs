//! Queries on populations.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Nullable, Text, Uuid as SqlUuid};
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

/// Writes new populations with one statement.
///
/// # Errors
/// When the database refuses.
pub async fn insert_all(conn: &Conn, new: Vec<(Uuid, PopulationChange<'_>)>) -> QueryResult<usize> {
    let mut conn = conn;
    let rows: Vec<_> = new
        .into_iter()
        .map(|(id, new)| (populations::id.eq(id), new))
        .collect();
    diesel::insert_into(populations::table)
        .values(rows)
        .execute(&mut conn)
        .await
}

/// Writes the content of populations anew with one statement.
///
/// # Errors
/// When the database refuses.
pub async fn update_all(conn: &Conn, all: &[(Uuid, PopulationChange<'_>)]) -> QueryResult<usize> {
    fn column<'a, T>(
        all: &'a [(Uuid, PopulationChange<'a>)],
        value: impl Fn(&'a PopulationChange<'a>) -> T,
    ) -> Vec<T> {
        all.iter().map(|(_, change)| value(change)).collect()
    }
    let mut conn = conn;
    diesel::sql_query(include_str!("update_all.sql"))
        .bind::<Array<SqlUuid>, _>(all.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(all, |new| new.area_code))
        .bind::<Array<Integer>, _>(column(all, |new| new.year))
        .bind::<Array<Text>, _>(column(all, |new| new.gender))
        .bind::<Array<Integer>, _>(column(all, |new| new.age_from))
        .bind::<Array<Integer>, _>(column(all, |new| new.age_to))
        .bind::<Array<Integer>, _>(column(all, |new| new.value))
        .bind::<Array<Date>, _>(column(all, |new| new.reference_date))
        .bind::<Array<SqlUuid>, _>(column(all, |new| new.source_id))
        .bind::<Array<Nullable<Text>>, _>(column(all, |new| new.note))
        .execute(&mut conn)
        .await
}

/// Those of these populations that there are, deleted or not, locked until the transaction ends: in the order of their
/// ids, so that two who lock many do not wait for each other in a circle.
///
/// # Errors
/// When the query fails.
pub async fn lock_all(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, PopulationRow>> {
    let mut conn = conn;
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<PopulationRow> = populations::table
        .filter(populations::id.eq_any(ids))
        .order_by(populations::id)
        .select(PopulationRow::as_select())
        .for_update()
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
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
