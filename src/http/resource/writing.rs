//! What every resource does the same way when it is written.
//!
//! [`add`], [`enter`], [`rewrite`] and [`bury`] are the pipeline inside a transaction, for whoever writes rows; the handlers put
//! who may, and what was expected, around it.

use super::super::body::{MergePatch, valid};
use super::super::etag::Expected;
use super::super::list::{Changed, Created, Deleted};
use super::super::once::{Answer, Once};
use super::past::{before_change, record};
use super::{Kept, Resource, View, Writable, alive, plain};
use crate::access::{Action, Grant};
use crate::db::history::VersionOp;
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, Db, WriteError};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// `POST /things`
///
/// # Errors
/// 403 outside the areas, 409 and 422 for what the database refuses, and for a key that another request has.
pub async fn create<R: Writable, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    once: &Once,
    new: &R::In,
) -> ApiResult<Answer<Created<R::Out>>> {
    for (pointer, area) in R::areas(new) {
        grant.cover(&area, pointer)?;
    }
    let view = plain(db, grant);
    once.write(db, grant, async |conn| {
        let (key, version, row) = add::<R>(conn, &view, new).await?;
        Ok(Created {
            row,
            path: format!("{}/{key}", R::PATH),
            version,
        })
    })
    .await
}

/// `PATCH /things/{key}`
///
/// # Errors
/// 404, 410, 403, 412 with the row as it is now, 422 for the rules.
pub async fn change<R: Writable, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    expected: &Expected,
    patch: &MergePatch,
) -> ApiResult<Changed<R::Out>> {
    let view = plain(db, grant);
    let (version, row) = db
        .write(async |conn| {
            let row = held::<R, A>(conn, grant, &view, key, expected).await?;
            let before = R::draft(conn, &row).await?;
            let after: R::In =
                valid(patch.apply(serde_json::to_value(&before).map_err(Problem::internal)?))?;
            for (pointer, area) in R::areas(&after) {
                grant.cover(&area, pointer)?;
            }
            rewrite::<R>(conn, &view, &row, &before, &after).await?;
            reread::<R>(conn, &view, key).await
        })
        .await?;
    Ok(Changed { row, version })
}

/// `DELETE /things/{key}`
///
/// # Errors
/// 404, 410, 403, 412, and 409 while other rows refer to it.
pub async fn delete<R: Writable, A: Action>(
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    expected: &Expected,
) -> ApiResult<Deleted> {
    let view = plain(db, grant);
    db.write(async |conn| {
        let row = held::<R, A>(conn, grant, &view, key, expected).await?;
        bury::<R>(conn, &view, row).await?;
        Ok(Deleted)
    })
    .await
}

/// Writes a new row and everything that belongs to it; the row as it then is, with its key and version.
///
/// # Errors
/// What the database or a rule refuses.
pub async fn add<R: Writable>(
    conn: &Conn,
    view: &View,
    new: &R::In,
) -> Result<(<R::Row as Kept>::Key, i64, R::Out), WriteError> {
    let made = enter::<R>(conn, new).await?;
    let key = made.key().clone();
    record::<R>(conn, view, VersionOp::Create, None, made).await?;
    let (version, row) = reread::<R>(conn, view, &key).await?;
    Ok((key, version, row))
}

/// Writes a new row and everything that belongs to it. Whoever does so keeps its first version with
/// [`record_all`](super::record_all), in the same transaction.
///
/// # Errors
/// What the database or a rule refuses.
pub async fn enter<R: Writable>(conn: &Conn, new: &R::In) -> Result<R::Row, WriteError> {
    let key = R::insert(conn, new).await?;
    Ok(R::find(conn, &key).await?.ok_or(diesel::NotFound)?)
}

/// Writes the content of a locked row anew; the new version, or none if that comes to what is there already: a body may
/// name by its natural key a row that is stored by its id, or write a number in another way. Nothing moves then.
///
/// # Errors
/// What the database or a rule refuses.
pub async fn rewrite<R: Writable>(
    conn: &Conn,
    view: &View,
    row: &R::Row,
    before: &R::In,
    after: &R::In,
) -> Result<Option<i64>, WriteError> {
    if after == before {
        return Ok(None);
    }
    Savepoint::CONTENT.set(conn).await?;
    before_change::<R>(conn, view, row).await?;
    R::update(conn, row, after).await?;
    let written = R::find(conn, row.key()).await?.ok_or(diesel::NotFound)?;
    let same = R::draft(conn, &written).await? == *before;
    if same {
        Savepoint::CONTENT.back(conn).await?;
    }
    Savepoint::CONTENT.release(conn).await?;
    if same {
        return Ok(None);
    }
    let version = written.version();
    record::<R>(conn, view, VersionOp::Update, Some(row.version()), written).await?;
    Ok(Some(version))
}

/// Makes a locked row a tombstone.
///
/// # Errors
/// 409 `in_use` while live rows refer to it.
pub async fn bury<R: Writable>(conn: &Conn, view: &View, row: R::Row) -> Result<(), WriteError> {
    if R::in_use(conn, &row).await? {
        return Err(Problem::new(ProblemKind::Conflict)
            .fault(Fault::at(
                "",
                "in_use",
                text(
                    "Andra rader hänvisar till den här.",
                    "Other rows refer to this one.",
                ),
            ))
            .into());
    }
    before_change::<R>(conn, view, &row).await?;
    R::bury(conn, row.key()).await?;
    let tombstone = R::find(conn, row.key()).await?.ok_or(diesel::NotFound)?;
    record::<R>(
        conn,
        view,
        VersionOp::Delete,
        Some(row.version()),
        tombstone,
    )
    .await
}

/// The row, locked, if the caller may write it and has seen its present version.
///
/// # Errors
/// 404, 410, 403, 412 with the row as it is now.
pub(crate) async fn held<R: Writable, A: Action>(
    conn: &Conn,
    grant: &Grant<A>,
    view: &View,
    key: &<R::Row as Kept>::Key,
    expected: &Expected,
) -> Result<R::Row, WriteError> {
    let row = R::lock(conn, key).await?.ok_or_else(Problem::not_found)?;
    alive(&row, grant.reach())?;
    grant.cover(row.area(), "/area")?;
    if expected.allows(row.version()) {
        return Ok(row);
    }
    let version = row.version();
    let current = R::show(conn, view, vec![row]).await?;
    let current = serde_json::to_value(current.first()).map_err(Problem::internal)?;
    Err(Problem::new(ProblemKind::PreconditionFailed)
        .detail(text(
            format!("Radens version är nu {version}."),
            format!("The row's version now is {version}."),
        ))
        .current(current)
        .into())
}

/// The row as it is now, with its version.
///
/// # Errors
/// When a query fails.
pub(crate) async fn reread<R: Resource>(
    conn: &Conn,
    view: &View,
    key: &<R::Row as Kept>::Key,
) -> Result<(i64, R::Out), WriteError> {
    let row = R::find(conn, key).await?.ok_or(diesel::NotFound)?;
    let version = row.version();
    let out = R::show(conn, view, vec![row])
        .await?
        .into_iter()
        .next()
        .ok_or(diesel::NotFound)?;
    Ok((version, out))
}
