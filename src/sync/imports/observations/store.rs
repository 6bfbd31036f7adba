//! Observations of many reports at once, and the reports.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Double, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::db::Conn;
use crate::participation::reports::api::ReportIn;
use crate::participation::reports::observations::model::NewObservation;
use crate::schema::observations;

/// An observation to be written, and the report it belongs to.
pub type Placed<'a> = (Uuid, &'a NewObservation<'a>);

/// A column of the given rows.
pub(super) fn column<'a, T>(
    given: &'a [Placed<'a>],
    value: impl Fn(&'a NewObservation<'a>) -> T,
) -> Vec<T> {
    given.iter().map(|(_, new)| value(new)).collect()
}

/// Makes observations, each under its id.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, ids: Vec<Uuid>, given: &[Placed<'_>]) -> QueryResult<usize> {
    if given.is_empty() {
        return Ok(0);
    }
    let mut conn = conn;
    diesel::sql_query(include_str!("insert.sql"))
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<SqlUuid>, _>(given.iter().map(|(report, _)| *report).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(given, |new| new.measure_code))
        .bind::<Array<Text>, _>(column(given, |new| new.area_code))
        .bind::<Array<Text>, _>(column(given, |new| new.basis))
        .bind::<Array<Text>, _>(column(given, |new| new.gender))
        .bind::<Array<Text>, _>(column(given, |new| new.age_band.as_ref()))
        .bind::<Array<Text>, _>(column(given, |new| new.subject))
        .bind::<Array<Text>, _>(column(given, |new| new.activity_form))
        .bind::<Array<Nullable<Double>>, _>(column(given, |new| new.value))
        .bind::<Array<Text>, _>(column(given, |new| new.status))
        .bind::<Array<Text>, _>(column(given, |new| new.precision))
        .bind::<Array<Nullable<Text>>, _>(column(given, |new| new.note))
        .execute(&mut conn)
        .await
}

/// Lets the observations of these ids say what is given.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, ids: Vec<Uuid>, given: &[Placed<'_>]) -> QueryResult<usize> {
    if given.is_empty() {
        return Ok(0);
    }
    let mut conn = conn;
    diesel::sql_query(include_str!("update.sql"))
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Nullable<Double>>, _>(column(given, |new| new.value))
        .bind::<Array<Text>, _>(column(given, |new| new.status))
        .bind::<Array<Text>, _>(column(given, |new| new.precision))
        .bind::<Array<Nullable<Text>>, _>(column(given, |new| new.note))
        .execute(&mut conn)
        .await
}

/// Deletes observations.
///
/// # Errors
/// When the statement fails.
pub async fn delete(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let mut conn = conn;
    diesel::delete(observations::table.filter(observations::id.eq_any(ids)))
        .execute(&mut conn)
        .await
}

/// The observations of these reports: id and report.
///
/// # Errors
/// When the query fails.
pub async fn of_reports(conn: &Conn, reports: Vec<Uuid>) -> QueryResult<Vec<(Uuid, Uuid)>> {
    let mut conn = conn;
    observations::table
        .filter(observations::report_id.eq_any(reports))
        .order_by(observations::id)
        .select((observations::id, observations::report_id))
        .load(&mut conn)
        .await
}

/// These observations as they are, to be shown to who wanted to write others in their place.
///
/// # Errors
/// When the query fails.
pub async fn existing(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, Value>> {
    #[derive(QueryableByName)]
    struct Shown {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Jsonb)]
        shown: Value,
    }
    let mut conn = conn;
    let rows: Vec<Shown> = diesel::sql_query(include_str!("existing.sql"))
        .bind::<Array<SqlUuid>, _>(ids)
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.shown)).collect())
}

/// The ids of live reports by what tells them from others, where there are such: by their place among the given.
///
/// # Errors
/// When the query fails.
pub async fn find_reports<'a>(
    conn: &Conn,
    wanted: impl Iterator<Item = (Uuid, &'a ReportIn)> + Clone,
) -> QueryResult<HashMap<usize, Uuid>> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        n: i32,
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    fn column<'a, T>(
        wanted: impl Iterator<Item = (Uuid, &'a ReportIn)>,
        value: impl Fn(Uuid, &'a ReportIn) -> T,
    ) -> Vec<T> {
        wanted.map(|(source, new)| value(source, new)).collect()
    }
    let mut conn = conn;
    let numbers: Vec<i32> = (0..).zip(wanted.clone()).map(|(n, _)| n).collect();
    let found: Vec<Found> = diesel::sql_query(include_str!("find_reports.sql"))
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SqlUuid>, _>(column(wanted.clone(), |source, _| source))
        .bind::<Array<Text>, _>(column(wanted.clone(), |_, new| new.area.as_str()))
        .bind::<Array<Text>, _>(column(wanted.clone(), |_, new| new.period_kind))
        .bind::<Array<Text>, _>(column(wanted, |_, new| new.period.as_str()))
        .load(&mut conn)
        .await?;
    let found = found.into_iter();
    Ok(found
        .filter_map(|row| Some((usize::try_from(row.n).ok()?, row.id)))
        .collect())
}
