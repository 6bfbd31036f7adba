//! Populations looked for together: a file of a country's has thousands, of one source or a few.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, Date, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::Sought;
use super::participation::PopulationName;
use crate::db::{Conn, WriteError};
use crate::participation::codes::Gender;
use crate::participation::populations::model::PopulationRow;
use crate::participation::populations::store;
use crate::participation::sources::reference::SourceRef;
use crate::problem::Problem;
use crate::registry::areas;
use crate::sync::imports::outcome::Refusal;
use crate::values::{AreaCode, Day};

/// A name of which nothing is missing, and where it stands among those that were given.
struct Whole<'a> {
    n: i32,
    area: &'a AreaCode,
    day: Day,
    gender: Gender,
    ages: (i32, i32),
    source: Uuid,
}

/// Looks for populations by their names. One whose area or source is not there is to be looked for alone, and so is told.
///
/// # Errors
/// When a query fails.
pub(super) async fn sought(
    conn: &Conn,
    names: &[Option<&PopulationName>],
) -> Result<Vec<Sought<PopulationRow>>, WriteError> {
    let sources = sources(conn, names).await?;
    let places = names.iter().flatten().filter_map(|name| name.area.as_ref());
    let live = areas::store::live(conn, places.map(ToString::to_string).collect()).await?;
    let mut whole = Vec::with_capacity(names.len());
    for (n, name) in (0..).zip(names) {
        let one = name.as_ref().and_then(|name| {
            Some(Whole {
                n,
                area: name
                    .area
                    .as_ref()
                    .filter(|area| live.contains(area.as_str()))?,
                day: name.reference_date?,
                gender: name.gender?,
                ages: (name.age_from?, name.age_to?),
                source: *sources.get(&text(name.source.as_ref()?))?,
            })
        });
        whole.extend(one);
    }
    let ids = ids(conn, &whole).await?;
    let mut rows = store::lock_all(conn, ids.values().copied().collect()).await?;
    let mut sought: Vec<_> = names.iter().map(|_| Sought::Alone).collect();
    for one in &whole {
        let settled = vec![("source", one.source.to_string().into())];
        let found = match ids.get(&one.n) {
            None => Sought::Free(settled),
            // It went away meanwhile, or two names are one and the same.
            Some(id) => match rows.remove(id) {
                None => Sought::Alone,
                Some(row) => Sought::There(row, settled),
            },
        };
        if let Some(place) = usize::try_from(one.n).ok().and_then(|n| sought.get_mut(n)) {
            *place = found;
        }
    }
    Ok(sought)
}

fn text(source: &SourceRef) -> String {
    serde_json::to_string(source).unwrap_or_default()
}

/// The sources that are there, by how they are named: each looked up once.
async fn sources(
    conn: &Conn,
    names: &[Option<&PopulationName>],
) -> Result<HashMap<String, Uuid>, WriteError> {
    let mut known: HashMap<String, Option<Uuid>> = HashMap::new();
    for source in names
        .iter()
        .flatten()
        .filter_map(|name| name.source.as_ref())
    {
        let text = text(source);
        if known.contains_key(&text) {
            continue;
        }
        let found = match source.resolve(conn, "/source").await {
            Ok(id) => Some(id),
            Err(error) => {
                Refusal::of(error)?;
                None
            }
        };
        known.insert(text, found);
    }
    let there = known.into_iter();
    Ok(there.filter_map(|(text, id)| Some((text, id?))).collect())
}

/// The ids of the live populations of these names, by the place of the name.
async fn ids(conn: &Conn, whole: &[Whole<'_>]) -> Result<HashMap<i32, Uuid>, WriteError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Integer)]
        n: i32,
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    fn column<'a, T>(whole: &'a [Whole<'_>], value: impl Fn(&'a Whole<'_>) -> T) -> Vec<T> {
        whole.iter().map(value).collect()
    }
    let mut conn = conn;
    let found: Vec<Found> = diesel::sql_query(include_str!("named_populations.sql"))
        .bind::<Array<Integer>, _>(column(whole, |one| one.n))
        .bind::<Array<Text>, _>(column(whole, |one| one.area.as_str()))
        .bind::<Array<Date>, _>(column(whole, |one| one.day.date()))
        .bind::<Array<Text>, _>(column(whole, |one| one.gender))
        .bind::<Array<Integer>, _>(column(whole, |one| one.ages.0))
        .bind::<Array<Integer>, _>(column(whole, |one| one.ages.1))
        .bind::<Array<SqlUuid>, _>(column(whole, |one| one.source))
        .load(&mut conn)
        .await
        .map_err(Problem::from)?;
    Ok(found.into_iter().map(|row| (row.n, row.id)).collect())
}
