//! Given observations beside those that are stored.
//!
//! The reports are locked by the caller, and whoever writes an observation locks its report first: so what is found here is
//! still true when the rows are written.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::store::{Placed, column};
use crate::db::Conn;
use crate::participation::codes::{
    ActivityForm, Gender, GeographyBasis, ObservationStatus, Precision, Subject,
};
use crate::participation::reports::observations::model::NewObservation;

/// So many rows of a report are likely all that it has: then its observations are read in turn, which costs the database a
/// fifth of looking for each by its key (for 8 000 rows about 3 ms instead of 16).
const MANY: i64 = 100;

/// How many observations a report may have to be read in turn for so many given ones.
const fn most(given: i64) -> i64 {
    2 * given
}

/// The observation that is stored in the place of a given one.
#[derive(Debug)]
pub struct There {
    /// Its id.
    pub id: Uuid,
    /// Whether it says the same.
    pub same: bool,
}

/// What an observation is told from all others by.
type Key<'a> = (
    Uuid,
    &'a str,
    &'a str,
    GeographyBasis,
    Gender,
    &'a str,
    Subject,
    ActivityForm,
);

/// What a stored observation says.
#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<Double>)]
    value: Option<f64>,
    #[diesel(sql_type = Text)]
    status: ObservationStatus,
    #[diesel(sql_type = Text)]
    precision: Precision,
    #[diesel(sql_type = Nullable<Text>)]
    note: Option<String>,
}

impl Stored {
    fn beside(&self, new: &NewObservation<'_>) -> There {
        let said = (
            self.value,
            self.status,
            self.precision,
            self.note.as_deref(),
        );
        There {
            id: self.id,
            same: said == (new.value, new.status, new.precision, new.note),
        }
    }
}

/// A stored observation with its key.
#[derive(QueryableByName)]
struct Keyed {
    #[diesel(sql_type = SqlUuid)]
    report_id: Uuid,
    #[diesel(sql_type = Text)]
    measure_code: String,
    #[diesel(sql_type = Text)]
    area_code: String,
    #[diesel(sql_type = Text)]
    basis: GeographyBasis,
    #[diesel(sql_type = Text)]
    gender: Gender,
    #[diesel(sql_type = Text)]
    age_band: String,
    #[diesel(sql_type = Text)]
    subject: Subject,
    #[diesel(sql_type = Text)]
    activity_form: ActivityForm,
    #[diesel(embed)]
    stored: Stored,
}

impl Keyed {
    fn key(&self) -> Key<'_> {
        (
            self.report_id,
            &self.measure_code,
            &self.area_code,
            self.basis,
            self.gender,
            &self.age_band,
            self.subject,
            self.activity_form,
        )
    }
}

fn key_of<'a>((report, new): &'a Placed<'_>) -> Key<'a> {
    (
        *report,
        new.measure_code,
        new.area_code,
        new.basis,
        new.gender,
        &new.age_band,
        new.subject,
        new.activity_form,
    )
}

/// What is there in the places of these observations, in their order.
///
/// # Errors
/// When a query fails.
pub async fn compare(conn: &Conn, given: &[Placed<'_>]) -> QueryResult<Vec<Option<There>>> {
    let mut reports: HashMap<Uuid, i64> = HashMap::new();
    for (report, _) in given {
        *reports.entry(*report).or_default() += 1;
    }
    reports.retain(|_, given| *given >= MANY);
    let stored = of_reports(conn, &reports).await?;
    let mut read: HashMap<Uuid, i64> = HashMap::with_capacity(reports.len());
    let mut by_key: HashMap<Key<'_>, &Stored> = HashMap::with_capacity(stored.len());
    for keyed in &stored {
        *read.entry(keyed.report_id).or_default() += 1;
        by_key.insert(keyed.key(), &keyed.stored);
    }
    // One that has more was not read to its end.
    reports.retain(|report, given| read.get(report).is_none_or(|read| *read <= most(*given)));
    let (mut there, mut others) = (Vec::with_capacity(given.len()), Vec::new());
    for placed in given {
        let stored = by_key.get(&key_of(placed));
        there.push(stored.map(|stored| stored.beside(placed.1)));
        if !reports.contains_key(&placed.0) {
            others.push((there.len() - 1, *placed));
        }
    }
    let keys: Vec<Placed<'_>> = others.iter().map(|(_, placed)| *placed).collect();
    for found in of_keys(conn, &keys).await? {
        let other = usize::try_from(found.n).ok().and_then(|n| others.get(n));
        if let Some((place, placed)) = other
            && let Some(there) = there.get_mut(*place)
        {
            *there = Some(found.stored.beside(placed.1));
        }
    }
    Ok(there)
}

/// The observations of reports, each with the number of the given ones, as far as they have not many more.
async fn of_reports(mut conn: &Conn, reports: &HashMap<Uuid, i64>) -> QueryResult<Vec<Keyed>> {
    if reports.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = reports.keys().copied().collect();
    let most: Vec<i64> = reports.values().map(|given| most(*given)).collect();
    diesel::sql_query(include_str!("stored_by_report.sql"))
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<BigInt>, _>(most)
        .load(&mut conn)
        .await
}

/// A stored observation of a given key.
#[derive(QueryableByName)]
struct Found {
    /// The place of the key among the given ones.
    #[diesel(sql_type = Integer)]
    n: i32,
    #[diesel(embed)]
    stored: Stored,
}

/// The observations in the places of these, each looked for by itself.
async fn of_keys(mut conn: &Conn, given: &[Placed<'_>]) -> QueryResult<Vec<Found>> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i32> = (0..).take(given.len()).collect();
    diesel::sql_query(include_str!("stored_by_key.sql"))
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SqlUuid>, _>(given.iter().map(|(report, _)| *report).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(given, |new| new.measure_code))
        .bind::<Array<Text>, _>(column(given, |new| new.area_code))
        .bind::<Array<Text>, _>(column(given, |new| new.basis))
        .bind::<Array<Text>, _>(column(given, |new| new.gender))
        .bind::<Array<Text>, _>(column(given, |new| new.age_band.as_ref()))
        .bind::<Array<Text>, _>(column(given, |new| new.subject))
        .bind::<Array<Text>, _>(column(given, |new| new.activity_form))
        .load(&mut conn)
        .await
}
