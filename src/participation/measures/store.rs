//! Queries on measures.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::{BreakRow, MeasureChange, MeasureRow, NoteRow};
use crate::db::store::each_row;
use crate::db::{Conn, WriteError};
use crate::participation::codes::{MeasureKind, MeasureUnit};
use crate::registry::codes::State;
use crate::schema::{measure_notes, measures, observations, reports, series_breaks};
use crate::store_of;

store_of!(measures, MeasureRow, code: String);

/// Writes a new measure.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, code: &str, new: MeasureChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(measures::table)
        .values((measures::code.eq(code), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a measure anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, code: &str, change: MeasureChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(measures::table.find(code))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Writes the breaks and notes of a measure anew: these and no others.
///
/// # Errors
/// When the database refuses.
pub async fn replace_remarks(
    conn: &Conn,
    code: &str,
    breaks: Vec<BreakRow>,
    notes: Vec<NoteRow>,
) -> Result<(), WriteError> {
    let mut deleting = conn;
    diesel::delete(series_breaks::table.filter(series_breaks::measure_code.eq(code)))
        .execute(&mut deleting)
        .await?;
    each_row(conn, breaks, async |mut conn, row: BreakRow| {
        diesel::insert_into(series_breaks::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await?;
    diesel::delete(measure_notes::table.filter(measure_notes::measure_code.eq(code)))
        .execute(&mut deleting)
        .await?;
    each_row(conn, notes, async |mut conn, row: NoteRow| {
        diesel::insert_into(measure_notes::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await
}

/// The series breaks of these measures, by measure, earliest first.
///
/// # Errors
/// When the query fails.
pub async fn breaks(conn: &Conn, codes: &[String]) -> QueryResult<HashMap<String, Vec<BreakRow>>> {
    let mut conn = conn;
    let rows: Vec<BreakRow> = series_breaks::table
        .filter(series_breaks::measure_code.eq_any(codes))
        .order_by(series_breaks::first_period)
        .select(BreakRow::as_select())
        .load(&mut conn)
        .await?;
    Ok(by(rows, |row| row.measure_code.clone()))
}

/// The notes of these measures, by measure, in their order.
///
/// # Errors
/// When the query fails.
pub async fn notes(conn: &Conn, codes: &[String]) -> QueryResult<HashMap<String, Vec<NoteRow>>> {
    let mut conn = conn;
    let rows: Vec<NoteRow> = measure_notes::table
        .filter(measure_notes::measure_code.eq_any(codes))
        .order_by(measure_notes::position)
        .select(NoteRow::as_select())
        .load(&mut conn)
        .await?;
    Ok(by(rows, |row| row.measure_code.clone()))
}

fn by<T>(rows: Vec<T>, key: impl Fn(&T) -> String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

/// A live measure by its names.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = measures, check_for_backend(diesel::pg::Pg))]
pub struct Named {
    /// Its code.
    pub code: String,
    /// Its short name in Swedish.
    pub label_sv: String,
    /// Its short name in English.
    pub label_en: String,
    /// Whether it is public.
    pub state: State,
}

/// The live measures by their names, in the order of their codes.
///
/// # Errors
/// When the query fails.
pub async fn named(conn: &Conn) -> QueryResult<Vec<Named>> {
    let mut conn = conn;
    measures::table
        .filter(measures::deleted_at.is_null())
        .order_by(measures::code)
        .select(Named::as_select())
        .load(&mut conn)
        .await
}

/// Which values a measure can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Possible {
    /// The kind of the measure.
    pub kind: MeasureKind,
    /// Whether it is a share of occasions, of which one resident can have several: such a share may exceed 100.
    pub of_occasions: bool,
}

impl Possible {
    /// Whether the measure can have the value.
    #[must_use]
    pub fn allows(self, value: f64) -> bool {
        match self.kind {
            MeasureKind::Share if self.of_occasions => value >= 0.0,
            kind => kind.allows(value),
        }
    }
}

/// Which values live measures can have; one that is not in the answer cannot be observed.
///
/// # Errors
/// When the query fails.
pub async fn possible(
    conn: &Conn,
    mut codes: Vec<String>,
) -> QueryResult<HashMap<String, Possible>> {
    codes.sort_unstable();
    codes.dedup();
    let mut conn = conn;
    let numerators = diesel::alias!(measures as numerators);
    let rows: Vec<(String, MeasureKind, Option<MeasureUnit>)> = measures::table
        .left_join(
            numerators.on(measures::numerator_code.eq(numerators.field(measures::code).nullable())),
        )
        .filter(measures::code.eq_any(codes))
        .filter(measures::deleted_at.is_null())
        .select((
            measures::code,
            measures::kind,
            numerators.field(measures::unit).nullable(),
        ))
        .load(&mut conn)
        .await?;
    let possible = rows.into_iter().map(|(code, kind, unit)| {
        let of_occasions = unit == Some(MeasureUnit::Occasions);
        (code, Possible { kind, of_occasions })
    });
    Ok(possible.collect())
}

/// Whether anything is observed in this measure, in a live report.
///
/// # Errors
/// When the query fails.
pub async fn is_observed(conn: &Conn, code: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let observed = observations::table
        .inner_join(reports::table.on(reports::id.eq(observations::report_id)))
        .filter(observations::measure_code.eq(code))
        .filter(reports::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(observed))
        .get_result(&mut conn)
        .await
}

/// Whether a live measure is a share of this one.
///
/// # Errors
/// When the query fails.
pub async fn is_numerator(conn: &Conn, code: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let shares = measures::table
        .filter(measures::numerator_code.eq(code))
        .filter(measures::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(shares))
        .get_result(&mut conn)
        .await
}
