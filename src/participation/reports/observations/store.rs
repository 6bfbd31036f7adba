//! Queries on observations.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{NewObservation, ObservationRow, Observed};
use crate::db::Conn;
use crate::db::window::Window;
use crate::participation::reports::store as reports;
use crate::schema::observations;

/// A query on the table, with filters to come.
pub type Query = observations::BoxedQuery<'static, diesel::pg::Pg>;

/// The observation, whatever became of its report.
///
/// # Errors
/// When a query fails.
pub async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<Observed>> {
    let mut reading = conn;
    let row: Option<ObservationRow> = observations::table
        .find(id)
        .select(ObservationRow::as_select())
        .first(&mut reading)
        .await
        .optional()?;
    let found = with_reports(conn, row.into_iter().collect()).await?;
    Ok(found.into_iter().next())
}

/// All rows of these reports, in the order in which they were first written.
///
/// # Errors
/// When a query fails.
pub async fn of_reports(conn: &Conn, reports: &[Uuid]) -> QueryResult<Vec<Observed>> {
    let mut reading = conn;
    let rows: Vec<ObservationRow> = observations::table
        .filter(observations::report_id.eq_any(reports.to_vec()))
        .order_by(observations::id)
        .select(ObservationRow::as_select())
        .load(&mut reading)
        .await?;
    with_reports(conn, rows).await
}

/// The rows of a window, one more than asked for when reading by cursor, and the total when it is asked for.
///
/// # Errors
/// When a query fails.
pub async fn list(
    conn: &Conn,
    window: &Window,
    query: impl Fn() -> Query,
) -> QueryResult<(Vec<Observed>, Option<i64>)> {
    let (mut reading, mut counting) = (conn, conn);
    let mut rows = query();
    if let Some(after) = window.after() {
        rows = rows.filter(after);
    }
    let extra = i64::from(!window.counts());
    let rows = rows
        .order_by(window.order_by())
        .limit(window.limit + extra)
        .offset(window.offset())
        .select(ObservationRow::as_select())
        .load(&mut reading);
    let (rows, total) = if window.counts() {
        let total = query().count().get_result(&mut counting);
        let (rows, total) = futures_util::try_join!(rows, total)?;
        (rows, Some(total))
    } else {
        (rows.await?, None)
    };
    Ok((with_reports(conn, rows).await?, total))
}

/// Each observation with its report, which the foreign key promises; one query for all.
pub(super) async fn with_reports(
    conn: &Conn,
    rows: Vec<ObservationRow>,
) -> QueryResult<Vec<Observed>> {
    let ids = rows.iter().map(|row| row.report_id).collect();
    let reports = reports::by_ids(conn, ids).await?;
    let observed = rows.into_iter().map(|row| {
        let report = reports.get(&row.report_id).cloned()?;
        Some(Observed { row, report })
    });
    observed.collect::<Option<Vec<_>>>().ok_or(diesel::NotFound)
}

/// What `write.sql` answers.
#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    changed: i64,
}

/// Writes observations of a report in one statement: these and no others if `whole`, or else these beside those that
/// are there. The same dimensions twice are an error. Says how many rows were made, changed or removed.
///
/// # Errors
/// When the database refuses.
pub async fn write(
    conn: &Conn,
    report: Uuid,
    given: &[NewObservation<'_>],
    whole: bool,
) -> QueryResult<i64> {
    fn column<'a, T>(
        given: &'a [NewObservation<'a>],
        value: impl Fn(&'a NewObservation<'a>) -> T,
    ) -> Vec<T> {
        given.iter().map(value).collect()
    }
    let mut conn = conn;
    let written: Changed = diesel::sql_query(include_str!("write.sql"))
        .bind::<SqlUuid, _>(report)
        .bind::<Array<SqlUuid>, _>(column(given, |_| Uuid::now_v7()))
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
        .bind::<Bool, _>(whole)
        .get_result(&mut conn)
        .await?;
    Ok(written.changed)
}
