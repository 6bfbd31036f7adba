//! Rows for a copy: read as their own resource shows them, by key or one after the other.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;

use diesel::QueryResult;
use diesel::result::Error as QueryError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::types::EntityType;
use crate::access::Reach;
use crate::db::Conn;
use crate::db::fragment::{Bind, Condition};
use crate::db::window::{Position, SortTerm, Sortable, Window};
use crate::http::params::no_filter;
use crate::http::resource::{Kept, Resource, View};
use crate::participation::measures::api::Measures;
use crate::participation::populations::api::Populations;
use crate::participation::reports::api::Reports;
use crate::participation::reports::observations::api::Observations;
use crate::participation::sources::api::Sources;
use crate::registry::areas::districts::Districts;
use crate::registry::collaborations::api::Collaborations;
use crate::registry::culture_schools::api::CultureSchools;
use crate::registry::partners::api::Partners;
use crate::registry::partnerships::api::Partnerships;
use crate::registry::projects::api::Projects;

/// A row for a copy.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Its key as text.
    pub key: String,
    /// Its version.
    pub version: i64,
    /// The row as its resource shows it to this reader; a report with its observations.
    pub data: Value,
}

/// Which live rows are to be read.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Those with these keys.
    Keys(&'a [String]),
    /// Those after this key (from the beginning without one), at most so many.
    After(Option<&'a str>, i64),
}

impl EntityType {
    /// Reads rows that the reader may see, in the order of their keys: ids by value, codes byte by byte.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(self, conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Vec<Copied>> {
        let view = &View {
            include: self.own(view),
            ..view.clone()
        };
        match self {
            Self::Districts => read::<Districts>(conn, view, part).await,
            Self::CultureSchools => read::<CultureSchools>(conn, view, part).await,
            Self::Partners => read::<Partners>(conn, view, part).await,
            Self::Projects => read::<Projects>(conn, view, part).await,
            Self::Collaborations => read::<Collaborations>(conn, view, part).await,
            Self::Partnerships => read::<Partnerships>(conn, view, part).await,
            Self::Measures => read::<Measures>(conn, view, part).await,
            Self::Sources => read::<Sources>(conn, view, part).await,
            Self::Populations => read::<Populations>(conn, view, part).await,
            Self::Reports => with_observations(conn, view, part).await,
        }
    }

    /// What belongs to the row itself but is only shown on demand. What `include` adds of other rows is not copied with
    /// this one: those rows have changes of their own.
    fn own(self, view: &View) -> BTreeSet<&'static str> {
        let own = match self {
            Self::Collaborations => Some("members"),
            Self::Partners if view.contacts => Some("contacts"),
            _ => None,
        };
        own.into_iter().collect()
    }
}

async fn read<R>(conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Vec<Copied>>
where
    R: Resource<Filter: DeserializeOwned>,
{
    let mut conditions = vec![R::visible(&view.reach), R::live()];
    let (position, limit) = match part {
        Part::Keys(keys) => {
            conditions.push(among::<R>(keys));
            let count = i64::try_from(keys.len()).unwrap_or(i64::MAX - 1);
            (Position::Start, count)
        }
        Part::After(None, limit) => (Position::Start, limit),
        Part::After(Some(key), limit) => (Position::After(vec![Some(key.to_owned())]), limit),
    };
    let window = Window {
        order: vec![SortTerm {
            key: R::Row::UNIQUE,
            descending: false,
        }],
        relevance: None,
        position,
        limit,
    };
    let filter = no_filter::<R::Filter>().map_err(unreadable)?;
    let (mut rows, _) = R::list(conn, &filter, &conditions, &window).await?;
    // A window that is read by cursor holds one row more than asked for.
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let known: Vec<(String, i64)> = rows
        .iter()
        .map(|row| (row.key().to_string(), row.version()))
        .collect();
    let shown = R::show(conn, view, rows).await?;
    let copied = known.into_iter().zip(shown).map(|((key, version), out)| {
        let data = json(&out)?;
        Ok(Copied { key, version, data })
    });
    copied.collect()
}

fn among<R: Resource>(keys: &[String]) -> Condition {
    if R::Row::UNIQUE.name == "id" {
        let ids = keys.iter().filter_map(|key| key.parse().ok()).collect();
        Condition::with("id = ANY(?)", [Bind::Uuids(ids)])
    } else {
        Condition::with("code = ANY(?)", [Bind::Texts(keys.to_vec())])
    }
}

/// Observations travel inside their report: one row, however many numbers changed.
async fn with_observations(conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Vec<Copied>> {
    let mut reports = read::<Reports>(conn, view, part).await?;
    let ids: Vec<Uuid> = reports
        .iter()
        .filter_map(|report| report.key.parse().ok())
        .collect();
    let mut of_reports: HashMap<String, Vec<Value>> = HashMap::new();
    for observation in Observations::of_reports(conn, view, &ids).await? {
        let report = observation.report.to_string();
        let observation = json(&observation)?;
        of_reports.entry(report).or_default().push(observation);
    }
    for report in &mut reports {
        let observations = of_reports.remove(&report.key).unwrap_or_default();
        if let Some(members) = report.data.as_object_mut() {
            members.insert("observations".to_owned(), Value::Array(observations));
        }
    }
    Ok(reports)
}

fn json(shown: &impl Serialize) -> QueryResult<Value> {
    serde_json::to_value(shown).map_err(|error| QueryError::SerializationError(error.into()))
}

fn unreadable(error: impl Display) -> QueryError {
    QueryError::QueryBuilderError(error.to_string().into())
}

/// The areas whose scopes someone of this reach may see, for a query; none if that is the whole country.
#[must_use]
pub fn scopes(reach: &Reach) -> Option<Vec<String>> {
    (!reach.is_national()).then(|| reach.areas().to_vec())
}
