//! Queries on reports.

use std::collections::HashMap;
use std::rc::Rc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{ReportChange, ReportRow, StateChange};
use crate::access::inside;
use crate::db::Conn;
use crate::schema::{observations, reports};
use crate::store_of;

store_of!(reports, ReportRow, id: Uuid);

/// Writes a new report.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: ReportChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(reports::table)
        .values((reports::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes new reports.
///
/// # Errors
/// When the database refuses.
pub async fn insert_all(conn: &Conn, new: Vec<(Uuid, ReportChange<'_>)>) -> QueryResult<usize> {
    let mut conn = conn;
    let rows: Vec<_> = new
        .into_iter()
        .map(|(id, new)| (reports::id.eq(id), new))
        .collect();
    diesel::insert_into(reports::table)
        .values(rows)
        .execute(&mut conn)
        .await
}

/// Those of these reports that there are, deleted or not, locked until the transaction ends: in the order of their ids, so
/// that two who lock many do not wait for each other in a circle.
///
/// # Errors
/// When the query fails.
pub async fn lock_all(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, ReportRow>> {
    let mut conn = conn;
    let rows: Vec<ReportRow> = reports::table
        .filter(reports::id.eq_any(ids))
        .order_by(reports::id)
        .select(ReportRow::as_select())
        .for_update()
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Writes the content of a report anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: ReportChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(reports::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Brings a report into a new state.
///
/// # Errors
/// When the database refuses.
pub async fn turn(conn: &Conn, id: Uuid, change: StateChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(reports::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Counts the version of a report up: its observations changed.
///
/// # Errors
/// When the statement fails.
pub async fn touch(conn: &Conn, id: Uuid) -> QueryResult<usize> {
    touch_all(conn, vec![id]).await
}

/// Counts the versions of reports up.
///
/// # Errors
/// When the statement fails.
pub async fn touch_all(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(reports::table.filter(reports::id.eq_any(ids)))
        .set(reports::updated_at.eq(diesel::dsl::now))
        .execute(&mut conn)
        .await
}

/// These reports, deleted or not, to be shared by the rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn by_ids(conn: &Conn, mut ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, Rc<ReportRow>>> {
    ids.sort_unstable();
    ids.dedup();
    let mut conn = conn;
    let rows: Vec<ReportRow> = reports::table
        .filter(reports::id.eq_any(ids))
        .select(ReportRow::as_select())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, Rc::new(row))).collect())
}

/// How many observations each report has; one without any is not in the answer.
///
/// # Errors
/// When the query fails.
pub async fn observation_counts(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, i64>> {
    let mut conn = conn;
    let rows: Vec<(Uuid, i64)> = observations::table
        .filter(observations::report_id.eq_any(ids))
        .group_by(observations::report_id)
        .select((observations::report_id, diesel::dsl::count_star()))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Whether a report has observations of places outside `area`.
///
/// # Errors
/// When the query fails.
pub async fn reaches_outside(conn: &Conn, id: Uuid, area: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let outside = observations::table
        .filter(observations::report_id.eq(id))
        .filter(diesel::dsl::not(inside(area)));
    diesel::select(diesel::dsl::exists(outside))
        .get_result(&mut conn)
        .await
}
