//! Queries on areas.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde::Deserialize;

use super::model::{AreaKind, AreaRow, COUNTRY, DistrictChange};
use crate::access::Reach;
use crate::db::Conn;
use crate::db::fragment::{Bind, Condition};
use crate::schema::areas;
use crate::store_of;

store_of!(areas, AreaRow, code: String);

/// Sweden's counties and municipalities; see data/README.md.
const SWEDEN: &str = include_str!("../../../data/municipalities.csv");
/// Where their codes and names were read: SCB's metadata of a table over all of them.
const SWEDEN_SOURCE: &str = "https://statistikdatabasen.scb.se/api/v2/tables/TAB6471/metadata";

/// The areas that a reader may see: published ones, and drafts inside the reach.
#[must_use]
pub fn visible(reach: &Reach) -> Condition {
    if reach.is_national() {
        return Condition::sql("true");
    }
    let published = Condition::sql("(state = 'published'");
    let drafts = reach.areas().iter().fold(published, |sql, area| {
        sql.then(Condition::with(
            " OR (code >= ? AND code < ?)",
            [Bind::from(area.as_str()), Bind::from(format!("{area}~"))],
        ))
    });
    drafts.push(")")
}

/// Writes a new district.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, new: DistrictChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(areas::table)
        .values(new)
        .execute(&mut conn)
        .await
}

/// Writes the content of a district anew, all but its code.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, code: &str, change: DistrictChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(areas::table.find(code))
        .set(change)
        .execute(&mut conn)
        .await
}

#[derive(QueryableByName)]
struct InUse {
    #[diesel(sql_type = Bool)]
    in_use: bool,
}

/// Whether a live row of any table refers to the area.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, code: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let found: InUse = diesel::sql_query(include_str!("sql/in_use.sql"))
        .bind::<Text, _>(code)
        .get_result(&mut conn)
        .await?;
    Ok(found.in_use)
}

/// The names of areas, for rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn names(conn: &Conn, mut codes: Vec<String>) -> QueryResult<HashMap<String, String>> {
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = conn;
    let rows: Vec<(String, String)> = areas::table
        .filter(areas::code.eq_any(codes))
        .select((areas::code, areas::name))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Those of the areas that are there and not deleted: the ones that others may refer to.
///
/// # Errors
/// When the query fails.
pub async fn live(conn: &Conn, mut codes: Vec<String>) -> QueryResult<HashSet<String>> {
    codes.sort_unstable();
    codes.dedup();
    let mut conn = conn;
    let live: Vec<String> = areas::table
        .filter(areas::code.eq_any(codes))
        .filter(areas::deleted_at.is_null())
        .select(areas::code)
        .load(&mut conn)
        .await?;
    Ok(live.into_iter().collect())
}

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    kind: AreaKind,
    code: String,
    name_sv: String,
    region_code: Option<String>,
}

/// Writes Sweden, its counties and its municipalities as the file has them. A row that is as it should be keeps its
/// version, so this may run at every start. Says how many rows it wrote.
///
/// # Errors
/// When the database refuses, or the file cannot be read.
pub async fn load_sweden(conn: &Conn) -> QueryResult<usize> {
    let mut rows = sweden().map_err(|error| Error::DeserializationError(Box::new(error)))?;
    rows.push((AreaKind::Country, COUNTRY.into(), "Sverige".into(), None));
    let (mut kinds, mut codes, mut names, mut parents) = (vec![], vec![], vec![], vec![]);
    for (kind, code, name, parent) in rows {
        kinds.push(kind);
        codes.push(code);
        names.push(name);
        parents.push(parent);
    }
    let mut conn = conn;
    diesel::sql_query(include_str!("sql/load_sweden.sql"))
        .bind::<Array<Text>, _>(codes)
        .bind::<Array<Text>, _>(kinds)
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Nullable<Text>>, _>(parents)
        .bind::<Text, _>(SWEDEN_SOURCE)
        .execute(&mut conn)
        .await
}

/// Kind, code, name and the code of the parent.
pub type Area = (AreaKind, String, String, Option<String>);

/// The counties and municipalities of the file, each with its parent.
///
/// # Errors
/// When the file cannot be read, which a test keeps from happening.
pub fn sweden() -> Result<Vec<Area>, csv::Error> {
    csv::Reader::from_reader(SWEDEN.as_bytes())
        .deserialize()
        .map(|line| {
            let line: Line = line?;
            let parent = line.region_code.unwrap_or_else(|| COUNTRY.to_owned());
            Ok((line.kind, line.code, line.name_sv, Some(parent)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweden_has_21_counties_and_290_municipalities() {
        let sweden = sweden().unwrap();
        let count = |kind| sweden.iter().filter(|area| area.0 == kind).count();
        assert_eq!(
            (count(AreaKind::Region), count(AreaKind::Municipality)),
            (21, 290)
        );
        for (kind, code, _, parent) in &sweden {
            let nests = match kind {
                AreaKind::Region => code.len() == 2 && parent.as_deref() == Some(COUNTRY),
                _ => code.len() == 4 && parent.as_deref() == code.get(..2),
            };
            assert!(nests, "{code} in {parent:?}");
        }
    }

    #[test]
    fn drafts_are_seen_inside_the_reach() {
        let sql = |areas: &[&str]| {
            let reach = Reach::of(areas.iter().map(|area| (*area).to_owned()));
            let query = areas::table.filter(visible(&reach)).count();
            diesel::debug_query::<diesel::pg::Pg, _>(&query).to_string()
        };
        assert!(sql(&["18", "SE"]).contains("WHERE true"));
        assert!(sql(&["18", "1480"]).contains(
            "(state = 'published' OR (code >= $1 AND code < $2) OR (code >= $3 AND code < $4))"
        ));
    }
}
