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
use crate::participation::reports::store::observation_counts;
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
    /// The next ones in the order of their keys.
    After {
        /// The last key that was read; from the beginning without one.
        key: Option<&'a str>,
        /// At most so many.
        limit: i64,
        /// At most so many with their observations, each counted as one; but one row at least.
        weight: i64,
    },
}

/// Rows that were read.
#[derive(Clone, Debug)]
pub struct Batch {
    /// In the order of their keys: ids by value, codes byte by byte.
    pub rows: Vec<Copied>,
    /// Whether there are more after the last.
    pub more: bool,
}

impl EntityType {
    /// Reads rows that the reader may see.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(self, conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Batch> {
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

async fn read<R>(conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Batch>
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
        Part::After { key, limit, .. } => {
            let after = |key: &str| Position::After(vec![Some(key.to_owned())]);
            (key.map_or(Position::Start, after), limit)
        }
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
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let known: Vec<(String, i64)> = rows
        .iter()
        .map(|row| (row.key().to_string(), row.version()))
        .collect();
    let shown = R::show(conn, view, rows).await?;
    let copied = known.into_iter().zip(shown).map(|((key, version), out)| {
        let data = json(&out)?;
        Ok(Copied { key, version, data })
    });
    let rows = copied.collect::<QueryResult<_>>()?;
    Ok(Batch { rows, more })
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
async fn with_observations(conn: &Conn, view: &View, part: Part<'_>) -> QueryResult<Batch> {
    let mut batch = read::<Reports>(conn, view, part).await?;
    let id = |report: &Copied| report.key.parse::<Uuid>().ok();
    if let Part::After { weight, .. } = part {
        let counts = observation_counts(conn, batch.rows.iter().filter_map(id).collect()).await?;
        let weights = batch.rows.iter().map(|report| {
            let own = id(report).and_then(|id| counts.get(&id));
            1 + own.copied().unwrap_or(0)
        });
        let fitting = light_enough(weights, weight);
        batch.more |= fitting < batch.rows.len();
        batch.rows.truncate(fitting);
    }
    let ids: Vec<Uuid> = batch.rows.iter().filter_map(id).collect();
    let mut of_reports: HashMap<String, Vec<Value>> = HashMap::new();
    for observation in Observations::of_reports(conn, view, &ids).await? {
        let report = observation.report.to_string();
        let observation = json(&observation)?;
        of_reports.entry(report).or_default().push(observation);
    }
    for report in &mut batch.rows {
        let observations = of_reports.remove(&report.key).unwrap_or_default();
        if let Some(members) = report.data.as_object_mut() {
            members.insert("observations".to_owned(), Value::Array(observations));
        }
    }
    Ok(batch)
}

/// How many of the first come to this weight at the most; the very first is taken whatever it weighs.
#[must_use]
pub fn light_enough(weights: impl Iterator<Item = i64>, most: i64) -> usize {
    let sums = weights.scan(0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= most).count().max(1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_by_its_weight_and_holds_at_least_one_row() {
        let fit = |weights: &[i64]| light_enough(weights.iter().copied(), 20_000);
        assert_eq!(fit(&[1, 1, 1]), 3);
        assert_eq!(fit(&[10_000, 10_000, 1]), 2);
        assert_eq!(fit(&[1, 20_000]), 1);
        assert_eq!(fit(&[100_000, 1]), 1);
    }
}
