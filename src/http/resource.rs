//! What every resource does the same way: list, show, create, change, delete.
//!
//! A resource says what is special about it in [`Resource`]; the order of the checks, the conditional requests, the
//! cursor and the transaction are here, once. Handlers stay one line long, so that the document is written beside
//! them and nothing else.

mod past;
mod writing;

use std::collections::BTreeSet;
use std::fmt::Display;

use actix_web::HttpRequest;
use chrono::{DateTime, NaiveDate, Utc};
use garde::Validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::PartialSchema;

use super::list::{Extent, Item, Listing};
use super::params::{ItemQuery, ListParams, did_you_mean};
use super::part::{cursor, window, words};
use crate::access::{Action, Grant, Reach};
use crate::db::fragment::{Bind, Condition};
use crate::db::search::Search;
use crate::db::window::{Sortable, Window};
use crate::db::{Conn, Db, WriteError};
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use diesel::QueryResult;

pub use past::{
    after_change, before_change, before_changes, entity, not_yet, recalled, record_all, show_as_of,
    version_as_of,
};
pub use writing::{add, bury, change, create, delete, enter, rewrite};
pub(crate) use writing::{held, reread};

/// The member that holds contact persons, and what `include=` calls them.
pub(crate) const CONTACTS: &str = "contacts";

/// What every kept row has.
pub trait Kept {
    /// What it is found by.
    type Key: Clone + Display;
    /// The key.
    fn key(&self) -> &Self::Key;
    /// The area whose office keeps the row: decides who may write it and see it while it is a draft.
    fn area(&self) -> &str;
    /// Counts the changes; the strong `ETag`.
    fn version(&self) -> i64;
    /// When it was deleted, if it was.
    fn deleted_at(&self) -> Option<DateTime<Utc>>;
    /// Whether someone of this reach may see it.
    fn visible(&self, reach: &Reach) -> bool;
}

/// Who is reading, and what they asked to have added.
#[derive(Clone, Debug)]
pub struct View {
    /// Where the reader's drafts and private rows are.
    pub reach: Reach,
    /// What to include, from the closed list of the resource.
    pub include: BTreeSet<&'static str>,
    /// Where the reader may see contact persons.
    pub contacts: bool,
    /// When they are reading: some of what is shown follows from the day.
    pub now: DateTime<Utc>,
    /// The day that `validOn` of a list asks for; none if it does not, and never for a single row.
    pub valid_on: Option<NaiveDate>,
}

impl View {
    /// Whether `name` is to be included.
    #[must_use]
    pub fn includes(&self, name: &str) -> bool {
        self.include.contains(name)
    }
}

/// A resource of the API.
#[expect(
    async_fn_in_trait,
    reason = "handlers run on single-threaded workers: no future needs to be Send"
)]
pub trait Resource: Sized + 'static {
    /// The path, kebab-case and plural, with its slash.
    const PATH: &'static str;
    /// What `include=` may name.
    const INCLUDES: &'static [&'static str] = &[];
    /// Those of them that belong to the row itself, and so to its history; the others are rows of their own.
    const OWN: &'static [&'static str] = &[];
    /// How `q=` searches; none if it cannot.
    const SEARCH: Option<Search> = None;
    /// The rows that a reader may see, as SQL; goes with [`Kept::visible`].
    #[must_use]
    fn visible(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        Condition::sql("(state = 'published' OR ")
            .then(reach.condition())
            .push(")")
    }
    /// The kept versions of rows that a reader may see, as SQL.
    #[must_use]
    fn visible_then(reach: &Reach) -> Condition {
        Condition::sql("(open OR ")
            .then(reach.condition())
            .push(")")
    }
    /// The rows that are not deleted, as SQL; goes with [`Kept::deleted_at`].
    #[must_use]
    fn live() -> Condition {
        Condition::sql("deleted_at IS NULL")
    }
    /// The row of the table.
    type Row: Kept + Sortable;
    /// What the API answers.
    type Out: Serialize + PartialSchema;
    /// The filters of the list.
    type Filter;

    /// The day whose state is to be shown, where a resource has a filter for it.
    #[must_use]
    fn valid_on(_: &Self::Filter) -> Option<NaiveDate> {
        None
    }
    /// The row with this key, deleted or not.
    ///
    /// # Errors
    /// When the query fails.
    async fn find(conn: &Conn, key: &<Self::Row as Kept>::Key) -> QueryResult<Option<Self::Row>>;
    /// A window of the rows that pass the filter and all conditions.
    ///
    /// # Errors
    /// When the query fails.
    async fn list(
        conn: &Conn,
        filter: &Self::Filter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<Self::Row>, Option<i64>)>;
    /// The answers for these rows: one query for each thing that is added, never one per row.
    ///
    /// # Errors
    /// When a query fails.
    async fn show(conn: &Conn, view: &View, rows: Vec<Self::Row>) -> QueryResult<Vec<Self::Out>>;
    /// Brings what a kept answer says by the day or by the language to that of `at` and of the request.
    fn recall(_row: &mut Value, _at: DateTime<Utc>) {}
}

/// A resource that clients write.
#[expect(
    async_fn_in_trait,
    reason = "handlers run on single-threaded workers: no future needs to be Send"
)]
pub trait Writable: Resource<Row: Clone> {
    /// What the API takes.
    type In: DeserializeOwned + Serialize + Validate<Context = ()> + PartialEq + 'static;

    /// The areas that a writer must hold for this content, each with the pointer that names it.
    fn areas(new: &Self::In) -> Vec<(&'static str, String)>;
    /// Locks the row for this transaction.
    ///
    /// # Errors
    /// When the query fails.
    async fn lock(conn: &Conn, key: &<Self::Row as Kept>::Key) -> QueryResult<Option<Self::Row>>;
    /// The row as it would be written: what a merge patch is applied to.
    ///
    /// # Errors
    /// When a query fails.
    async fn draft(conn: &Conn, row: &Self::Row) -> QueryResult<Self::In>;
    /// Writes a new row and what belongs to it.
    ///
    /// # Errors
    /// When the database or a rule refuses.
    async fn insert(conn: &Conn, new: &Self::In) -> Result<<Self::Row as Kept>::Key, WriteError>;
    /// Writes the whole content anew. Must update the row itself, so that its version counts up.
    ///
    /// # Errors
    /// When the database or a rule refuses.
    async fn update(conn: &Conn, row: &Self::Row, new: &Self::In) -> Result<(), WriteError>;
    /// Turns the row into a tombstone.
    ///
    /// # Errors
    /// When the statement fails.
    async fn bury(conn: &Conn, key: &<Self::Row as Kept>::Key) -> QueryResult<usize>;
    /// Whether live rows refer to this one, which then cannot be deleted.
    ///
    /// # Errors
    /// When the query fails.
    async fn in_use(conn: &Conn, row: &Self::Row) -> QueryResult<bool>;
}

/// `GET /things`
///
/// # Errors
/// 400 for parameters that do not work.
pub async fn list<R: Resource, A: Action>(
    req: &HttpRequest,
    db: &Db,
    grant: &Grant<A>,
    params: &ListParams<R::Filter>,
) -> ApiResult<Listing<R::Out>> {
    let ListParams { list, filter } = params;
    let mut view = view::<R, A>(db, grant, list.include.as_deref())?;
    view.valid_on = R::valid_on(filter);
    let window = window::<R>(list)?;
    let mut conditions = vec![R::visible(grant.reach())];
    if !list.include_deleted {
        conditions.push(R::live());
    }
    if let Some(since) = list.updated_since {
        conditions.push(Condition::with("updated_at >= ?", [Bind::Time(since)]));
    }
    if let Some(words) = words(list) {
        let search = R::SEARCH.ok_or_else(|| {
            Problem::parameter(
                "q",
                "not_searchable",
                text(
                    "Den här listan går inte att söka i.",
                    "This list cannot be searched.",
                ),
            )
        })?;
        conditions.push(search.condition(words));
    }
    let (rows, extent) = db
        .read(async |conn| {
            let (mut rows, total) = R::list(conn, filter, &conditions, &window).await?;
            let more = !window.counts()
                && rows.len() > usize::try_from(window.limit).unwrap_or(usize::MAX);
            if more {
                rows.pop();
            }
            let next_cursor = if more {
                rows.last().map(|row| cursor(&window.order, row))
            } else {
                None
            };
            let rows = R::show(conn, &view, rows).await?;
            Ok((rows, Extent { total, next_cursor }))
        })
        .await?;
    Listing::new(req, list, rows, &extent)
}

/// `GET /things/{key}`
///
/// # Errors
/// 404, or 410 for a tombstone.
pub async fn show<R: Resource, A: Action>(
    req: &HttpRequest,
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    query: &ItemQuery,
) -> ApiResult<Item<R::Out>> {
    let view = view::<R, A>(db, grant, query.include.as_deref())?;
    let (version, row) = db
        .read(async |conn| {
            let Some(row) = R::find(conn, key).await? else {
                return Ok(Err(Problem::not_found()));
            };
            if let Err(problem) = alive(&row, grant.reach()) {
                return Ok(Err(problem));
            }
            let version = row.version();
            Ok(Ok((version, R::show(conn, &view, vec![row]).await?)))
        })
        .await??;
    let row = row.into_iter().next().ok_or_else(Problem::not_found)?;
    Item::new(req, &row, query.fields.as_deref(), Some(version))
}

/// Whether the row may be seen and is no tombstone.
///
/// # Errors
/// 404 or 410.
pub(crate) fn alive(row: &impl Kept, reach: &Reach) -> ApiResult<()> {
    if !row.visible(reach) {
        return Err(Problem::not_found());
    }
    match row.deleted_at() {
        None => Ok(()),
        Some(at) => Err(gone(&at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))),
    }
}

/// The row was deleted then.
fn gone(at: &str) -> Problem {
    Problem::new(ProblemKind::Gone).detail(text(
        format!("Raden togs bort {at}."),
        format!("The row was deleted at {at}."),
    ))
}

/// The view of somebody who asked for nothing to be added.
pub(crate) fn plain<A: Action>(db: &Db, grant: &Grant<A>) -> View {
    View {
        reach: grant.reach().clone(),
        include: BTreeSet::new(),
        contacts: false,
        now: db.clock().now(),
        valid_on: None,
    }
}

pub(crate) fn view<R: Resource, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    include: Option<&str>,
) -> ApiResult<View> {
    let mut view = plain(db, grant);
    for asked in include
        .into_iter()
        .flat_map(|include| include.split(','))
        .map(str::trim)
    {
        let Some(known) = R::INCLUDES.iter().find(|known| **known == asked) else {
            let detail = if R::INCLUDES.is_empty() {
                text(
                    "Här finns inget att lägga till med include.",
                    "There is nothing here that include can add.",
                )
            } else {
                did_you_mean(asked, R::INCLUDES.iter().copied())
            };
            return Err(Problem::parameter("include", "unknown_include", detail));
        };
        view.include.insert(known);
    }
    view.contacts = view.includes(CONTACTS) && grant.also(crate::access::Permission::ContactsRead);
    if view.includes(CONTACTS) && !view.contacts {
        return Err(
            Problem::new(ProblemKind::InsufficientPermission).detail(text(
                "Kontaktpersoner kräver behörigheten contacts:read.",
                "Contact persons need the permission contacts:read.",
            )),
        );
    }
    Ok(view)
}
