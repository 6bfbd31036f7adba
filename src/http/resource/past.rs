//! What every resource does the same way with its past: versions are kept as they are written, and shown again.
//!
//! A version is kept as it is shown to those who may see all of the row: with what belongs to it ([`Resource::OWN`]), without
//! other rows. Who may see a version is what was true of the row then: one that was a draft is seen inside its area only.

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::list::{Item, known_fields};
use super::super::params::RowQuery;
use super::{CONTACTS, Kept, Resource, View, Writable, gone, show, view};
use crate::access::audit::{self, AuditAction};
use crate::access::{Action, Grant, Reach};
use crate::db::erasure::{self, Erased};
use crate::db::history::{self, EntryRow, NewEntry, VersionOp};
use crate::db::{Conn, Db, WriteError};
use crate::problem::{ApiResult, Problem, text};

/// What a resource is called in the history.
#[must_use]
pub fn entity<R: Resource>() -> &'static str {
    R::PATH.trim_start_matches('/')
}

/// Keeps the present version of a locked row before something changes it, if it is not kept yet: rows that were loaded have
/// no history so far.
///
/// # Errors
/// When a statement fails.
pub async fn before_change<R: Writable>(
    conn: &Conn,
    view: &View,
    row: &R::Row,
) -> Result<(), WriteError> {
    let key = row.key().to_string();
    if !history::is_kept(conn, entity::<R>(), &key, row.version()).await? {
        record::<R>(conn, view, VersionOp::Found, None, row.clone()).await?;
    }
    Ok(())
}

/// Keeps the version that a change of `before` has made, and gives the row as it is shown now.
///
/// # Errors
/// When a statement fails.
pub async fn after_change<R: Writable>(
    conn: &Conn,
    view: &View,
    before: &R::Row,
) -> Result<(i64, R::Out), WriteError> {
    let row = R::find(conn, before.key()).await?.ok_or(diesel::NotFound)?;
    let version = row.version();
    record::<R>(
        conn,
        view,
        VersionOp::Update,
        Some(before.version()),
        row.clone(),
    )
    .await?;
    let out = R::show(conn, view, vec![row]).await?.into_iter().next();
    Ok((version, out.ok_or(diesel::NotFound)?))
}

/// As [`before_change`], of many rows.
///
/// # Errors
/// When a statement fails.
pub async fn before_changes<R: Writable>(
    conn: &Conn,
    view: &View,
    mut rows: Vec<R::Row>,
) -> Result<(), WriteError> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys = rows.iter().map(|row| row.key().to_string()).collect();
    let versions = rows.iter().map(Kept::version).collect();
    let unkept = history::unkept(conn, entity::<R>(), keys, versions).await?;
    rows.retain(|row| unkept.contains(&row.key().to_string()));
    let rows = rows.into_iter().map(|row| (None, row)).collect();
    record_all::<R>(conn, view, VersionOp::Found, rows).await
}

/// Keeps a version of each of these rows, as `record` does of one: the version before it, and the row as it is now.
///
/// # Errors
/// When a statement fails.
pub async fn record_all<R: Writable>(
    conn: &Conn,
    view: &View,
    op: VersionOp,
    rows: Vec<(Option<i64>, R::Row)>,
) -> Result<(), WriteError> {
    if rows.is_empty() {
        return Ok(());
    }
    let (before, rows): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let frames: Vec<_> = before.into_iter().zip(&rows).map(Frame::of).collect();
    let shown = whole::<R>(conn, view, rows).await?;
    let mut entries = Vec::with_capacity(frames.len());
    for (frame, shown) in frames.iter().zip(&shown) {
        entries.push(frame.entry::<R>(op, shown.clone())?);
    }
    history::keep_all(conn, entity::<R>(), &entries).await?;
    for (frame, shown) in frames.iter().zip(&shown) {
        frame.forget_contacts::<R>(conn, shown).await?;
    }
    Ok(())
}

/// Keeps a version of a row, and takes the contacts that it does not have any more out of the earlier ones,
/// and out of the rows that imports have refused and kept.
pub(super) async fn record<R: Writable>(
    conn: &Conn,
    view: &View,
    op: VersionOp,
    before: Option<i64>,
    row: R::Row,
) -> Result<(), WriteError> {
    let frame = Frame::of((before, &row));
    let shown = one(whole::<R>(conn, view, vec![row]).await?)?;
    history::keep(conn, frame.entry::<R>(op, shown.clone())?).await?;
    frame.forget_contacts::<R>(conn, &shown).await
}

/// What is kept of a version besides the row itself.
struct Frame {
    key: String,
    version: i64,
    before: Option<i64>,
    area: String,
    open: bool,
}

impl Frame {
    fn of((before, row): (Option<i64>, &impl Kept)) -> Self {
        Self {
            key: row.key().to_string(),
            version: row.version(),
            before,
            area: row.area().to_owned(),
            open: row.visible(&Reach::of([])),
        }
    }

    fn entry<R: Resource>(&self, op: VersionOp, shown: Value) -> ApiResult<NewEntry<'_>> {
        Ok(NewEntry {
            entity: entity::<R>(),
            key: &self.key,
            version: self.version,
            before: self.before,
            op,
            at: time(&shown, "updatedAt")?,
            area: &self.area,
            open: self.open,
            row: shown,
        })
    }

    async fn forget_contacts<R: Resource>(
        &self,
        conn: &Conn,
        shown: &Value,
    ) -> Result<(), WriteError> {
        let Some(contacts) = shown.get(CONTACTS).filter(|_| self.before.is_some()) else {
            return Ok(());
        };
        let (of, key) = (entity::<R>(), &self.key);
        let forgotten = history::forget_contacts(conn, of, key, contacts).await?;
        if forgotten.versions > 0 {
            let erased = Erased::of(&forgotten.contacts, contacts);
            let refused = erasure::forget_refused(conn, of, &erased).await?;
            let detail = json!({"type": of, "key": key, "versions": forgotten.versions, "refusedRows": refused});
            audit::note(conn, AuditAction::ContactErased, &[&self.area], detail).await?;
        }
        Ok(())
    }
}

fn one(rows: Vec<Value>) -> Result<Value, WriteError> {
    Ok(rows.into_iter().next().ok_or(diesel::NotFound)?)
}

/// The rows with all that belongs to them, as those see them who may see everything.
async fn whole<R: Resource>(
    conn: &Conn,
    view: &View,
    rows: Vec<R::Row>,
) -> Result<Vec<Value>, WriteError> {
    let view = View {
        reach: Reach::of(["SE".to_owned()]),
        include: R::OWN.iter().copied().collect(),
        contacts: true,
        now: view.now,
        valid_on: None,
    };
    let rows = R::show(conn, &view, rows).await?;
    let rows = rows.iter().map(serde_json::to_value);
    Ok(rows.collect::<Result<_, _>>().map_err(Problem::internal)?)
}

fn time(row: &Value, member: &str) -> ApiResult<DateTime<Utc>> {
    row.get(member)
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Problem::internal(format!("a row has no {member}")))
}

/// A version as it may be shown: what follows from the day as of `at`, contacts only if `contacts`, in the order of the
/// document.
#[must_use]
pub fn recalled<R: Resource>(mut row: Value, at: DateTime<Utc>, contacts: bool) -> Value {
    R::recall(&mut row, at);
    let Some(members) = row.as_object_mut() else {
        return row;
    };
    if !contacts {
        members.remove(CONTACTS);
    }
    let order = known_fields::<R::Out>();
    Value::Object(
        order
            .iter()
            .filter_map(|name| members.remove_entry(name))
            .collect(),
    )
}

/// `GET /things/{key}?asOf=`: the row as it was at a time.
///
/// # Errors
/// 404 for a row that is not there, or was not there yet; 410 for one that was deleted by then.
pub async fn show_as_of<R: Resource, A: Action>(
    req: &HttpRequest,
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    query: &RowQuery,
) -> ApiResult<Item<R::Out>> {
    let Some(at) = query.as_of else {
        return show::<R, A>(req, db, grant, key, &query.now()).await;
    };
    let view = view::<R, A>(db, grant, query.include.as_deref())?;
    if let Some(other) = view.include.iter().find(|name| !R::OWN.contains(name)) {
        return Err(Problem::parameter(
            "include",
            "not_with_as_of",
            text(
                format!("{other} är andra rader, som har en egen historik; fråga dem med asOf."),
                format!("{other} are other rows, with a history of their own; ask them with asOf."),
            ),
        ));
    }
    let then = then::<R, A>(db, grant, key, &view, at).await?;
    let contacts = view.contacts && grant.reach().covers(&then.area);
    let mut row = recalled::<R>(then.row, at, contacts);
    if let Some(members) = row.as_object_mut() {
        members.retain(|name, _| {
            R::OWN.iter().all(|own| own != name) || view.include.contains(name.as_str())
        });
    }
    Item::kept(req, &row, query.fields.as_deref(), then.version)
}

/// The time of the version that a row had at `at`, for what else there is of that version; none for the present one.
///
/// # Errors
/// As for the row itself: 404 for one that is not there, or was not there yet; 410 for one that was deleted by then.
pub async fn version_as_of<R: Resource, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    at: DateTime<Utc>,
) -> ApiResult<Option<DateTime<Utc>>> {
    let view = view::<R, A>(db, grant, None)?;
    let then = then::<R, A>(db, grant, key, &view, at).await?;
    Ok(then.since)
}

async fn then<R: Resource, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    view: &View,
    at: DateTime<Utc>,
) -> ApiResult<Then> {
    let found = db
        .read(async |conn| {
            let Some(row) = R::find(conn, key).await? else {
                return Ok(None);
            };
            if !row.visible(grant.reach()) {
                return Ok(None);
            }
            let seen = R::visible_then(grant.reach());
            let kept = history::as_of(conn, entity::<R>(), &key.to_string(), at, seen).await?;
            let present = Then::frame(&row);
            let row = whole::<R>(conn, view, vec![row]).await.and_then(one);
            Ok(Some((present, kept, row)))
        })
        .await?;
    let Some((present, kept, row)) = found else {
        return Err(Problem::not_found());
    };
    let row = row.map_err(refusal)?;
    let then = if time(&row, "updatedAt")? <= at {
        Then { row, ..present }
    } else {
        let made = time(&row, "createdAt").is_ok_and(|made| made > at);
        let (entry, seen) = kept.ok_or_else(|| not_yet(made, at))?;
        if !seen {
            return Err(Problem::not_found());
        }
        Then::of_entry(entry)
    };
    if let Some(deleted) = then.row.get("deletedAt").and_then(Value::as_str) {
        return Err(gone(deleted));
    }
    Ok(then)
}

/// A row as it was.
struct Then {
    version: i64,
    area: String,
    /// Since when it was so; none if it still is.
    since: Option<DateTime<Utc>>,
    row: Value,
}

impl Then {
    /// The present row, without its content.
    fn frame(row: &impl Kept) -> Self {
        Self {
            version: row.version(),
            area: row.area().to_owned(),
            since: None,
            row: Value::Null,
        }
    }

    fn of_entry(entry: EntryRow) -> Self {
        Self {
            version: entry.version,
            area: entry.area_code,
            since: Some(entry.at),
            row: entry.row,
        }
    }
}

fn refusal(error: WriteError) -> Problem {
    match error {
        WriteError::Refused(problem) => problem,
        WriteError::Query(error) => crate::db::DbError::Query(error).into(),
    }
}

/// Why nothing is known of a row at that time: it was made later, or its history begins later.
#[must_use]
pub fn not_yet(made: bool, at: DateTime<Utc>) -> Problem {
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    Problem::not_found().detail(if made {
        text(
            format!("Raden fanns inte än {at}."),
            format!("The row was not there yet at {at}."),
        )
    } else {
        text(
            format!("Radens historik går inte tillbaka till {at}."),
            format!("The history of the row does not go back to {at}."),
        )
    })
}
