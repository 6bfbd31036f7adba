//! Queries on imports.

pub mod rows;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::codes::ImportState;
use super::model::ImportRow;
use super::outcome::Counts;
use super::payload::Head;
use super::plan::Plan;
use crate::db::Conn;
use crate::schema::{import_pieces, imports};
use crate::window_of;

/// A query on imports, with filters to come.
pub type Query = imports::BoxedQuery<'static, diesel::pg::Pg>;

window_of!(list: Query => ImportRow);

/// The request that an import came with.
#[derive(Clone, Debug)]
pub struct Request {
    /// The key that makes a second request the same one.
    pub key: String,
    /// What tells another request of that key from it.
    pub fingerprint: Vec<u8>,
    /// How large the file is.
    pub size: i64,
}

fn now() -> diesel::expression::SqlLiteral<Nullable<Timestamptz>> {
    sql("clock_timestamp()")
}

fn later() -> diesel::expression::SqlLiteral<Nullable<Timestamptz>> {
    sql("clock_timestamp() + interval '60 seconds'")
}

fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// Writes a new import; says whether its key was free. Waits for a rival with the same key.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    conn: &Conn,
    plan: &Plan,
    request: &Request,
    queued: bool,
) -> QueryResult<bool> {
    let mut conn = conn;
    let state = if queued {
        ImportState::Waiting
    } else {
        ImportState::Running
    };
    let written = diesel::insert_into(imports::table)
        .values((
            imports::id.eq(plan.id),
            imports::client_id.eq(&plan.client),
            imports::idempotency_key.eq(&request.key),
            imports::fingerprint.eq(&request.fingerprint),
            imports::request_id.eq(plan.request),
            imports::areas.eq(&plan.areas),
            imports::resource.eq(plan.resource),
            imports::format.eq(plan.format),
            imports::mode.eq(plan.mode),
            imports::strategy.eq(plan.strategy),
            imports::dry_run.eq(plan.dry_run),
            imports::submit.eq(plan.submit),
            imports::scope.eq(&plan.scope),
            imports::confirm_delete.eq(plan.confirm_delete),
            imports::queued.eq(queued),
            imports::size_bytes.eq(request.size),
            imports::state.eq(state),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(written > 0)
}

/// The import that a key stands for.
///
/// # Errors
/// When the query fails.
pub async fn by_key(conn: &Conn, client: &str, key: &str) -> QueryResult<Option<ImportRow>> {
    let mut conn = conn;
    imports::table
        .filter(imports::client_id.eq(client))
        .filter(imports::idempotency_key.eq(key))
        .filter(imports::dry_run.eq(false))
        .select(ImportRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// An import.
///
/// # Errors
/// When the query fails.
pub async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<ImportRow>> {
    let mut conn = conn;
    imports::table
        .find(id)
        .select(ImportRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// An import, locked: whoever is writing its progress has ended.
///
/// # Errors
/// When the query fails.
pub async fn lock(conn: &Conn, id: Uuid) -> QueryResult<Option<ImportRow>> {
    let mut conn = conn;
    imports::table
        .find(id)
        .for_update()
        .select(ImportRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// Keeps a piece of the file, packed: what people write down in rows becomes a tenth of what it was, and the database has
/// to put it down twice.
///
/// # Errors
/// When the database refuses.
pub async fn keep_piece(conn: &Conn, id: Uuid, position: i32, bytes: &[u8]) -> QueryResult<usize> {
    let mut conn = conn;
    let packed = zstd::bulk::compress(bytes, FAST).map_err(serialized)?;
    diesel::insert_into(import_pieces::table)
        .values((
            import_pieces::import_id.eq(id),
            import_pieces::position.eq(position),
            import_pieces::bytes.eq(packed),
            import_pieces::unpacked.eq(i32::try_from(bytes.len()).map_err(serialized)?),
        ))
        .execute(&mut conn)
        .await
}

/// The level of zstd that takes the least time.
const FAST: i32 = 1;

fn serialized(error: impl std::error::Error + Send + Sync + 'static) -> diesel::result::Error {
    diesel::result::Error::SerializationError(error.into())
}

/// A piece of the file; none after the last.
///
/// # Errors
/// When the query fails.
pub async fn piece(conn: &Conn, id: Uuid, position: i32) -> QueryResult<Option<Vec<u8>>> {
    let mut conn = conn;
    let piece: Option<(Vec<u8>, Option<i32>)> = import_pieces::table
        .find((id, position))
        .select((import_pieces::bytes, import_pieces::unpacked))
        .first(&mut conn)
        .await
        .optional()?;
    match piece {
        Some((packed, Some(size))) => {
            let size = usize::try_from(size).map_err(serialized)?;
            zstd::bulk::decompress(&packed, size)
                .map(Some)
                .map_err(serialized)
        }
        Some((bytes, None)) => Ok(Some(bytes)),
        None => Ok(None),
    }
}

/// Takes the next import to work at.
///
/// # Errors
/// When the statement fails.
pub async fn claim(conn: &Conn, holder: Uuid) -> QueryResult<Option<ImportRow>> {
    #[derive(QueryableByName)]
    struct Claimed {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let mut claiming = conn;
    let claimed: Option<Claimed> = diesel::sql_query(include_str!("sql/claim.sql"))
        .bind::<SqlUuid, _>(holder)
        .get_result(&mut claiming)
        .await
        .optional()?;
    match claimed {
        Some(claimed) => find(conn, &claimed.id).await,
        None => Ok(None),
    }
}

/// Gives an import back, to be taken up by anyone.
///
/// # Errors
/// When the statement fails.
pub async fn release(conn: &Conn, holder: Uuid) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(
        imports::table
            .filter(imports::holder.eq(holder))
            .filter(imports::state.eq(ImportState::Running)),
    )
    .set((
        imports::holder.eq(None::<Uuid>),
        imports::leased_until.eq(sql::<Nullable<Timestamptz>>("'-infinity'::timestamptz")),
    ))
    .execute(&mut conn)
    .await
}

/// How far a worker has come.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// How many rows the file has.
    pub total: Option<i64>,
    /// How many of them are done.
    pub done: i64,
    /// With which outcomes.
    pub counts: Counts,
    /// What stands above them.
    pub head: Option<Head>,
}

/// Says how far a worker has come and that it goes on. Whether it is asked to stop; none if the import is no longer its.
///
/// # Errors
/// When the statement fails.
pub async fn advance(
    conn: &Conn,
    id: Uuid,
    holder: Uuid,
    progress: &Progress,
) -> QueryResult<Option<bool>> {
    let mut conn = conn;
    diesel::update(
        imports::table
            .find(id)
            .filter(imports::holder.eq(holder))
            .filter(imports::state.eq(ImportState::Running)),
    )
    .set((
        imports::total.eq(progress.total),
        imports::done.eq(progress.done),
        imports::counts.eq(json(progress.counts)),
        imports::headings.eq(progress.head.as_ref().map(json)),
        imports::leased_until.eq(later()),
    ))
    .returning(imports::cancel_asked)
    .get_result(&mut conn)
    .await
    .optional()
}

/// Says that a worker goes on, as [`advance`].
///
/// # Errors
/// When the statement fails.
pub async fn beat(conn: &Conn, id: Uuid, holder: Uuid) -> QueryResult<Option<bool>> {
    let mut conn = conn;
    diesel::update(
        imports::table
            .find(id)
            .filter(imports::holder.eq(holder))
            .filter(imports::state.eq(ImportState::Running)),
    )
    .set(imports::leased_until.eq(later()))
    .returning(imports::cancel_asked)
    .get_result(&mut conn)
    .await
    .optional()
}

/// How an import ended.
#[derive(Clone, Debug)]
pub struct End {
    /// Its state.
    pub state: ImportState,
    /// How far it came.
    pub progress: Progress,
    /// Why all of it was refused, or failed.
    pub faults: Value,
}

/// Ends an import, and forgets its file. Says whether it was still this holder's; one that was answered at once has none.
///
/// # Errors
/// When a statement fails.
pub async fn end(conn: &Conn, id: Uuid, holder: Option<Uuid>, end: &End) -> QueryResult<bool> {
    let mut writing = conn;
    let ended = diesel::update(
        imports::table
            .find(id)
            .filter(imports::holder.is_not_distinct_from(holder))
            .filter(imports::state.eq(ImportState::Running)),
    )
    .set((
        imports::state.eq(end.state),
        imports::total.eq(end.progress.total),
        imports::done.eq(end.progress.done),
        imports::counts.eq(json(end.progress.counts)),
        imports::headings.eq(end.progress.head.as_ref().map(json)),
        imports::faults.eq(&end.faults),
        imports::holder.eq(None::<Uuid>),
        imports::leased_until.eq(None::<DateTime<Utc>>),
        imports::finished_at.eq(now()),
    ))
    .execute(&mut writing)
    .await?;
    if ended > 0 {
        let mut clearing = conn;
        diesel::delete(import_pieces::table.filter(import_pieces::import_id.eq(id)))
            .execute(&mut clearing)
            .await?;
    }
    Ok(ended > 0)
}

/// Asks an import to stop: at once if it waits, and otherwise its worker does when it comes to it.
///
/// # Errors
/// When a statement fails.
pub async fn cancel(conn: &Conn, id: Uuid) -> QueryResult<()> {
    let mut writing = conn;
    let stopped = diesel::update(
        imports::table
            .find(id)
            .filter(imports::state.eq(ImportState::Waiting)),
    )
    .set((
        imports::state.eq(ImportState::Cancelled),
        imports::cancel_asked.eq(true),
        imports::finished_at.eq(now()),
    ))
    .execute(&mut writing)
    .await?;
    let mut writing = conn;
    if stopped > 0 {
        diesel::delete(import_pieces::table.filter(import_pieces::import_id.eq(id)))
            .execute(&mut writing)
            .await?;
        return Ok(());
    }
    diesel::update(
        imports::table
            .find(id)
            .filter(imports::state.eq(ImportState::Running))
            .filter(imports::cancel_asked.eq(false)),
    )
    .set(imports::cancel_asked.eq(true))
    .execute(&mut writing)
    .await?;
    Ok(())
}

/// Whether the client has lost a right since it asked.
///
/// # Errors
/// When the query fails.
pub async fn lost_rights(conn: &Conn, client: &str, since: DateTime<Utc>) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Lost {
        #[diesel(sql_type = Bool)]
        lost: bool,
    }
    let mut conn = conn;
    let lost: Lost = diesel::sql_query(include_str!("sql/lost_rights.sql"))
        .bind::<Text, _>(client)
        .bind::<Timestamptz, _>(since)
        .get_result(&mut conn)
        .await?;
    Ok(lost.lost)
}

/// Forgets imports that ended 90 days ago, with their rows.
///
/// # Errors
/// When the statement fails.
pub async fn purge(conn: &Conn) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::delete(imports::table.filter(sql::<Nullable<Bool>>(
        "finished_at < clock_timestamp() - interval '90 days'",
    )))
    .execute(&mut conn)
    .await
}
