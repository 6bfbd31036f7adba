//! What is special about each resource when its rows are imported: how a row is named without an id, and which rows a
//! file that replaces stands for.

mod participation;
mod populations;
mod registry;

use diesel::QueryResult;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::Value;

use crate::db::fragment::{Bind, Condition};
use crate::db::window::{Position, SortTerm, Sortable, Window};
use crate::db::{Conn, WriteError};
use crate::formats::read::Members;
use crate::http::resource::{self, Kept, Resource, Writable};
use crate::problem::Problem;

/// The key of a row of `R`.
pub type KeyOf<R> = <<R as Resource>::Row as Kept>::Key;

/// Members of a row that refer to others, as ids.
pub type Settled = Vec<(&'static str, Value)>;

/// What was found of a row among many.
#[derive(Debug)]
pub enum Sought<Row> {
    /// No row has its name.
    Free(Settled),
    /// This one, locked.
    There(Row, Settled),
    /// It is to be looked for alone: what it refers to is not there, for instance, which is told then.
    Alone,
}

/// A resource whose rows are written one by one, or some together.
#[expect(
    async_fn_in_trait,
    reason = "an import runs on one thread: no future needs to be Send"
)]
pub trait Imported: Writable + Resource<Filter: DeserializeOwned> {
    /// What names a row among the others apart from its id; members that are not given are none.
    type Name: DeserializeOwned;

    /// The key, as `id` gives it.
    #[must_use]
    fn key(text: &str) -> Option<KeyOf<Self>>;
    /// The name as one text; none if too little of it is given to name a row.
    #[must_use]
    fn text(name: &Self::Name) -> Option<String>;
    /// The rows of that name, two at the most.
    ///
    /// # Errors
    /// When a query fails, or the name speaks of rows that are not there.
    async fn named(conn: &Conn, name: &Self::Name) -> Result<Vec<KeyOf<Self>>, WriteError>;
    /// Looks for the rows of many names at once; none if rows of this kind are looked for one by one.
    ///
    /// # Errors
    /// When a query fails.
    async fn sought(
        _: &Conn,
        _: &[Option<&Self::Name>],
    ) -> Result<Option<Vec<Sought<Self::Row>>>, WriteError> {
        Ok(None)
    }
    /// Writes new rows; those of a kind that is looked for at once, with a few statements. One by one they keep no version:
    /// see [`resource::enter`].
    ///
    /// # Errors
    /// What the database or a rule refuses, which then holds for all.
    async fn insert_all<'a>(
        conn: &Conn,
        new: impl Iterator<Item = &'a Self::In>,
    ) -> Result<Vec<Self::Row>, WriteError> {
        let mut made = Vec::new();
        for new in new {
            made.push(resource::enter::<Self>(conn, new).await?);
        }
        Ok(made)
    }
    /// Writes the content of locked rows anew, as [`Self::insert_all`] writes new ones: no content is what is there already.
    ///
    /// # Errors
    /// What the database or a rule refuses, which then holds for all.
    async fn update_all<'a>(
        conn: &Conn,
        changes: impl Iterator<Item = (&'a Self::Row, &'a Self::In)>,
    ) -> Result<Vec<Self::Row>, WriteError> {
        let mut changed = Vec::new();
        for (row, new) in changes {
            Self::update(conn, row, new).await?;
            changed.extend(Self::find(conn, row.key()).await?);
        }
        Ok(changed)
    }
    /// The area that a row of a file speaks for, when the file replaces what is there.
    #[must_use]
    fn home(new: &Self::In) -> String {
        let first = Self::areas(new).into_iter().next();
        first.map_or_else(String::new, |(_, area)| area)
    }
    /// The rows that are kept by exactly one of these areas.
    #[must_use]
    fn kept_by(areas: Vec<String>) -> Condition {
        Condition::with("area_code = ANY(?)", [Bind::Texts(areas)])
    }
    /// The rows that are kept by one of these areas, or by areas inside them.
    #[must_use]
    fn kept_inside(areas: &[String]) -> Condition {
        inside("area_code", areas)
    }
}

/// A code that lies in one of the areas; `column` is `area_code` or `code`.
fn inside(column: &'static str, areas: &[String]) -> Condition {
    if areas.iter().any(|area| area == "SE") {
        return Condition::sql("true");
    }
    let one = |area: &String| {
        Condition::sql(column)
            .push(" >= ")
            .bind(area.as_str())
            .push(" AND ")
            .push(column)
            .push(" < ")
            .bind(format!("{area}~"))
    };
    areas
        .iter()
        .fold(Condition::sql("(false"), |sql, area| {
            sql.push(" OR ").then(one(area))
        })
        .push(")")
}

/// The name that a row of a file has, as one text: its id, or else what names it otherwise. Two rows of the same text are
/// one row, written twice.
#[must_use]
pub fn name_of<R: Imported>(row: &Members) -> Option<String> {
    if let Some(id) = row.get("id").and_then(Value::as_str) {
        return Some(format!("id {id}"));
    }
    R::text(&name::<R>(row)?)
}

/// What names the row; none if the members are of another form, which the rules of the row tell better.
#[must_use]
pub fn name<R: Imported>(row: &Members) -> Option<R::Name> {
    let named: MapDeserializer<'_, _, serde_json::Error> = MapDeserializer::new(row.iter());
    R::Name::deserialize(named).ok()
}

/// How many rows are read at a time.
const PART: i64 = 1_000;

/// The keys of the live rows under a condition, with the area that keeps each.
///
/// # Errors
/// When a query fails.
pub async fn under<R: Imported>(
    conn: &Conn,
    condition: &Condition,
) -> Result<Vec<R::Row>, WriteError> {
    let filter: R::Filter =
        serde_urlencoded::from_str("").map_err(|error| Problem::internal(error.to_string()))?;
    let conditions = [R::live(), condition.clone()];
    let mut all = Vec::new();
    let mut position = Position::Start;
    loop {
        let window = Window {
            order: vec![SortTerm {
                key: R::Row::UNIQUE,
                descending: false,
            }],
            relevance: None,
            position,
            limit: PART,
        };
        let (mut rows, _) = R::list(conn, &filter, &conditions, &window).await?;
        // By cursor a list reads one row more than asked for.
        let more = rows.len() > usize::try_from(PART).unwrap_or(usize::MAX);
        if more {
            rows.pop();
        }
        let last = rows
            .last()
            .map(|row| vec![row.sort_value(R::Row::UNIQUE.name)]);
        all.extend(rows);
        match last {
            Some(last) if more => position = Position::After(last),
            _ => return Ok(all),
        }
    }
}

/// The only texts among these, joined so that no two lists give the same text; none if one is missing.
fn joined<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Option<String> {
    let parts: Option<Vec<&str>> = parts.into_iter().collect();
    Some(parts?.join("\u{1f}"))
}

/// A query that found rows, as its keys.
fn found<T>(rows: QueryResult<Vec<T>>) -> Result<Vec<T>, WriteError> {
    Ok(rows?)
}

/// Does something for the resource of an [`ImportType`](super::types::ImportType), or something else for observations.
#[macro_export]
macro_rules! by_type {
    ($resource:expr, $row:ident => $with:expr, observations => $other:expr) => {{
        use $crate::sync::imports::types::ImportType;
        match $resource {
            ImportType::CultureSchools => {
                type $row = $crate::registry::culture_schools::api::CultureSchools;
                $with
            }
            ImportType::Partners => {
                type $row = $crate::registry::partners::api::Partners;
                $with
            }
            ImportType::Projects => {
                type $row = $crate::registry::projects::api::Projects;
                $with
            }
            ImportType::Collaborations => {
                type $row = $crate::registry::collaborations::api::Collaborations;
                $with
            }
            ImportType::Partnerships => {
                type $row = $crate::registry::partnerships::api::Partnerships;
                $with
            }
            ImportType::Districts => {
                type $row = $crate::registry::areas::districts::Districts;
                $with
            }
            ImportType::Measures => {
                type $row = $crate::participation::measures::api::Measures;
                $with
            }
            ImportType::Sources => {
                type $row = $crate::participation::sources::api::Sources;
                $with
            }
            ImportType::Populations => {
                type $row = $crate::participation::populations::api::Populations;
                $with
            }
            ImportType::Observations => $other,
        }
    }};
}
