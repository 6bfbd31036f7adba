//! Observations of many reports at once.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Double, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::db::Conn;
use crate::participation::codes::{PeriodKind, ReportState};
use crate::participation::reports::model::ReportRow;
use crate::participation::reports::observations::model::NewObservation;
use crate::schema::{observations, reports};

/// An observation to be written, and the report it belongs to.
pub type Placed<'a> = (Uuid, &'a NewObservation<'a>);

/// What is there in the place of an observation.
#[derive(QueryableByName)]
pub struct There {
    /// The number of the given one.
    #[diesel(sql_type = Integer)]
    pub n: i32,
    /// The id of the stored one.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub id: Option<Uuid>,
    /// Whether it says the same.
    #[diesel(sql_type = Bool)]
    pub same: bool,
    /// What it says.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub existing: Option<Value>,
}

fn column<'a, T>(given: &'a [Placed<'a>], value: impl Fn(&'a NewObservation<'a>) -> T) -> Vec<T> {
    given.iter().map(|(_, new)| value(new)).collect()
}

/// What is there in the places of these observations, in their order.
///
/// # Errors
/// When the query fails.
pub async fn compare(conn: &Conn, given: &[Placed<'_>]) -> QueryResult<Vec<There>> {
    let mut conn = conn;
    let numbers: Vec<i32> = (0..).take(given.len()).collect();
    diesel::sql_query(include_str!("compare.sql"))
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SqlUuid>, _>(given.iter().map(|(report, _)| *report).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(given, |new| new.measure_code))
        .bind::<Array<Text>, _>(column(given, |new| new.area_code))
        .bind::<Array<Text>, _>(column(given, |new| new.basis))
        .bind::<Array<Text>, _>(column(given, |new| new.gender))
        .bind::<Array<Text>, _>(column(given, |new| new.age_band.as_str()))
        .bind::<Array<Text>, _>(column(given, |new| new.subject))
        .bind::<Array<Text>, _>(column(given, |new| new.activity_form))
        .bind::<Array<Nullable<Double>>, _>(column(given, |new| new.value))
        .bind::<Array<Text>, _>(column(given, |new| new.status))
        .bind::<Array<Text>, _>(column(given, |new| new.precision))
        .bind::<Array<Nullable<Text>>, _>(column(given, |new| new.note))
        .load(&mut conn)
        .await
}

/// Writes observations, each under its id.
///
/// # Errors
/// When the database refuses.
pub async fn write(conn: &Conn, ids: Vec<Uuid>, given: &[Placed<'_>]) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::sql_query(include_str!("write.sql"))
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<SqlUuid>, _>(given.iter().map(|(report, _)| *report).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(given, |new| new.measure_code))
        .bind::<Array<Text>, _>(column(given, |new| new.area_code))
        .bind::<Array<Text>, _>(column(given, |new| new.basis))
        .bind::<Array<Text>, _>(column(given, |new| new.gender))
        .bind::<Array<Text>, _>(column(given, |new| new.age_band.as_str()))
        .bind::<Array<Text>, _>(column(given, |new| new.subject))
        .bind::<Array<Text>, _>(column(given, |new| new.activity_form))
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

/// The live report of a source, area and period, locked.
///
/// # Errors
/// When the query fails.
pub async fn report_of(
    conn: &Conn,
    source: Uuid,
    area: &str,
    kind: PeriodKind,
    period: &str,
) -> QueryResult<Option<ReportRow>> {
    let mut conn = conn;
    reports::table
        .filter(reports::source_id.eq(source))
        .filter(reports::area_code.eq(area))
        .filter(reports::period_kind.eq(kind))
        .filter(reports::period.eq(period))
        .filter(reports::deleted_at.is_null())
        .filter(reports::state.ne(ReportState::Withdrawn))
        .select(ReportRow::as_select())
        .for_update()
        .first(&mut conn)
        .await
        .optional()
}
