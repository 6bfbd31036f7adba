//! The names of rows of participation. Observations are written by report and have a module of their own.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::populations as many;
use super::{Imported, Sought, found, joined};
use crate::db::fragment::Condition;
use crate::db::{Conn, WriteError};
use crate::participation::codes::Gender;
use crate::participation::measures::api::Measures;
use crate::participation::populations::api::{PopulationIn, Populations};
use crate::participation::populations::model::PopulationRow;
use crate::participation::sources::api::Sources;
use crate::participation::sources::reference::SourceRef;
use crate::participation::sources::store as source_store;
use crate::schema::{measures, populations, sources};
use crate::values::{AreaCode, Day, Line, MeasureCode, WebAddress};

/// A measure: its code, which a deleted one keeps.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct MeasureName {
    code: Option<MeasureCode>,
}

impl Imported for Measures {
    type Name = MeasureName;
    fn key(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
    fn text(name: &MeasureName) -> Option<String> {
        name.code.as_ref().map(ToString::to_string)
    }
    async fn named(mut conn: &Conn, name: &MeasureName) -> Result<Vec<String>, WriteError> {
        let Some(code) = &name.code else {
            return Ok(Vec::new());
        };
        found(
            measures::table
                .filter(measures::code.eq(code.as_str()))
                .select(measures::code)
                .load(&mut conn)
                .await,
        )
    }
    /// Measures are of the whole country.
    fn kept_by(_: Vec<String>) -> Condition {
        Condition::sql("true")
    }
    fn kept_inside(_: &[String]) -> Condition {
        Condition::sql("true")
    }
}

/// A source: its address, or else its area and title.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct SourceName {
    url: Option<WebAddress>,
    area: Option<AreaCode>,
    title: Option<Line>,
}

impl Imported for Sources {
    type Name = SourceName;
    fn key(text: &str) -> Option<Uuid> {
        text.parse().ok()
    }
    fn text(name: &SourceName) -> Option<String> {
        match &name.url {
            Some(url) => Some(url.to_string()),
            None => joined([
                name.area.as_ref().map(AreaCode::as_str),
                name.title.as_ref().map(Line::as_str),
            ]),
        }
    }
    /// An address that nobody has may be the one of a source whose address was not known.
    async fn named(mut conn: &Conn, name: &SourceName) -> Result<Vec<Uuid>, WriteError> {
        if let Some(url) = &name.url {
            let there = source_store::by_url(conn, url.as_str()).await?;
            if !there.is_empty() {
                return Ok(there);
            }
        }
        let (Some(area), Some(title)) = (&name.area, &name.title) else {
            return Ok(Vec::new());
        };
        let mut same = sources::table
            .filter(sources::area_code.eq(area.as_str()))
            .filter(sources::title.eq(title.as_str()))
            .filter(sources::deleted_at.is_null())
            .into_boxed();
        if name.url.is_some() {
            same = same.filter(sources::url.is_null());
        }
        found(same.select(sources::id).limit(2).load(&mut conn).await)
    }
}

/// A population: all that `population_once` tells populations apart by.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PopulationName {
    pub(super) area: Option<AreaCode>,
    pub(super) reference_date: Option<Day>,
    pub(super) gender: Option<Gender>,
    pub(super) age_from: Option<i32>,
    pub(super) age_to: Option<i32>,
    pub(super) source: Option<SourceRef>,
}

impl Imported for Populations {
    type Name = PopulationName;
    fn key(text: &str) -> Option<Uuid> {
        text.parse().ok()
    }
    fn text(name: &PopulationName) -> Option<String> {
        let enough = name.area.is_some()
            && name.reference_date.is_some()
            && name.gender.is_some()
            && name.age_from.is_some()
            && name.age_to.is_some()
            && name.source.is_some();
        enough.then(|| serde_json::to_string(name).ok())?
    }
    async fn named(mut conn: &Conn, name: &PopulationName) -> Result<Vec<Uuid>, WriteError> {
        let (Some(area), Some(day), Some(gender)) = (&name.area, name.reference_date, name.gender)
        else {
            return Ok(Vec::new());
        };
        let (Some(from), Some(to), Some(source)) = (name.age_from, name.age_to, &name.source)
        else {
            return Ok(Vec::new());
        };
        let source = source.resolve(conn, "/source").await?;
        found(
            populations::table
                .filter(populations::area_code.eq(area.as_str()))
                .filter(populations::reference_date.eq(day.date()))
                .filter(populations::gender.eq(gender))
                .filter(populations::age_from.eq(from))
                .filter(populations::age_to.eq(to))
                .filter(populations::source_id.eq(source))
                .filter(populations::deleted_at.is_null())
                .select(populations::id)
                .limit(2)
                .load(&mut conn)
                .await,
        )
    }
    async fn sought(
        conn: &Conn,
        names: &[Option<&PopulationName>],
    ) -> Result<Option<Vec<Sought<PopulationRow>>>, WriteError> {
        many::sought(conn, names).await.map(Some)
    }
    async fn insert_all<'a>(
        conn: &Conn,
        new: impl Iterator<Item = &'a PopulationIn>,
    ) -> Result<Vec<PopulationRow>, WriteError> {
        Self::insert_together(conn, new).await
    }
    async fn update_all<'a>(
        conn: &Conn,
        changes: impl Iterator<Item = (&'a PopulationRow, &'a PopulationIn)>,
    ) -> Result<Vec<PopulationRow>, WriteError> {
        Self::update_together(conn, changes.map(|(row, new)| (row.id, new))).await
    }
}
