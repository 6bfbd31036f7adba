//! Queries on imports.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::codes::{ImportState, RowOutcome};
use super::model::{ImportRow, OutcomeRow};
use super::outcome::{Counts, RowResult};
use super::payload::Head;
use super::plan::Plan;
use crate::db::Conn;
use crate::schema::{import_pieces, import_rows, imports};
use crate::window_of;

/// A query on imports, with filters to come.
pub type Query = imports::BoxedQuery<'static, diesel::pg::Pg>;
/// A query on their rows, with filters to come.
pub type RowQuery = import_rows::BoxedQuery<'static, diesel::pg::Pg>;

window_of!(list: Query => ImportRow);
window_of!(rows: RowQuery => OutcomeRow);

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

/// All rows of an import, in their order: of one that was answered at once, which has few.
///
/// # Errors
/// When the query fails.
pub async fn all_rows(conn: &Conn, id: Uuid) -> QueryResult<Vec<OutcomeRow>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .order_by(import_rows::position)
        .select(OutcomeRow::as_select())
        .load(&mut conn)
        .await
}

/// The refused rows as they came, with what is wrong with them, in their order.
///
/// # Errors
/// When the query fails.
pub async fn refused_rows(conn: &Conn, id: Uuid) -> QueryResult<Vec<(Value, Option<Value>)>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::given.is_not_null())
        .order_by(import_rows::position)
        .select((import_rows::given.assume_not_null(), import_rows::errors))
        .load(&mut conn)
        .await
}

/// Keeps what became of rows.
///
/// # Errors
/// When the database refuses.
pub async fn insert_rows(conn: &Conn, id: Uuid, rows: &[RowResult]) -> QueryResult<usize> {
    fn column<'a, T>(rows: &'a [RowResult], value: impl Fn(&'a RowResult) -> T) -> Vec<T> {
        rows.iter().map(value).collect()
    }
    let mut conn = conn;
    diesel::sql_query(include_str!("sql/insert_rows.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<BigInt>, _>(column(rows, |row| row.position))
        .bind::<Array<Nullable<BigInt>>, _>(column(rows, |row| row.line))
        .bind::<Array<Text>, _>(column(rows, |row| row.outcome))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.entity.as_deref()))
        .bind::<Array<Nullable<BigInt>>, _>(column(rows, |row| row.version))
        .bind::<Array<Nullable<Jsonb>>, _>(column(rows, |row| {
            (!row.errors.is_empty()).then(|| json(&row.errors))
        }))
        .bind::<Array<Nullable<Jsonb>>, _>(column(rows, |row| row.existing.clone()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(rows, |row| row.given.clone()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(rows, |row| {
            (!row.notes.is_empty()).then(|| json(&row.notes))
        }))
        .execute(&mut conn)
        .await
}

/// Keeps a piece of the file.
///
/// # Errors
/// When the database refuses.
pub async fn keep_piece(
    conn: &Conn,
    id: Uuid,
    position: i32,
    bytes: Vec<u8>,
) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(import_pieces::table)
        .values((
            import_pieces::import_id.eq(id),
            import_pieces::position.eq(position),
            import_pieces::bytes.eq(bytes),
        ))
        .execute(&mut conn)
        .await
}

/// A piece of the file; none after the last.
///
/// # Errors
/// When the query fails.
pub async fn piece(conn: &Conn, id: Uuid, position: i32) -> QueryResult<Option<Vec<u8>>> {
    let mut conn = conn;
    import_pieces::table
        .find((id, position))
        .select(import_pieces::bytes)
        .first(&mut conn)
        .await
        .optional()
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

/// Forgets what was said of the rows: they are written anew from the first.
///
/// # Errors
/// When the statement fails.
pub async fn forget_rows(conn: &Conn, id: Uuid) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::delete(import_rows::table.filter(import_rows::import_id.eq(id)))
        .execute(&mut conn)
        .await
}

/// Says of the good rows that nothing of them was written.
///
/// # Errors
/// When a statement fails.
pub async fn unwrite(conn: &Conn, id: Uuid) -> QueryResult<()> {
    let (mut removing, mut conn) = (conn, conn);
    diesel::delete(
        import_rows::table
            .filter(import_rows::import_id.eq(id))
            .filter(import_rows::line.is_null())
            .filter(import_rows::outcome.eq(RowOutcome::Deleted)),
    )
    .execute(&mut removing)
    .await?;
    diesel::sql_query(include_str!("sql/unwrite.sql"))
        .bind::<SqlUuid, _>(id)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The keys that the rows done so far wrote to, each with its position.
///
/// # Errors
/// When the query fails.
pub async fn touched(conn: &Conn, id: Uuid) -> QueryResult<Vec<(Option<String>, i64)>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::entity.is_not_null())
        .select((import_rows::entity, import_rows::position))
        .load(&mut conn)
        .await
}

/// The positions of the invalid rows of which no report is known, in their order.
///
/// # Errors
/// When the query fails.
pub async fn untold(conn: &Conn, id: Uuid) -> QueryResult<Vec<i64>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::outcome.eq(RowOutcome::Invalid))
        .filter(import_rows::entity.is_null())
        .order_by(import_rows::position)
        .select(import_rows::position)
        .load(&mut conn)
        .await
}

/// Says of refused rows, by their positions, which report they are of.
///
/// # Errors
/// When the statement fails.
pub async fn tell_reports(conn: &Conn, id: Uuid, told: &[(i64, Uuid)]) -> QueryResult<usize> {
    let mut conn = conn;
    let (positions, reports): (Vec<i64>, Vec<Uuid>) = told.iter().copied().unzip();
    diesel::sql_query(include_str!("sql/tell_reports.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<BigInt>, _>(positions)
        .bind::<Array<SqlUuid>, _>(reports)
        .execute(&mut conn)
        .await
}

/// The reports of which no row was refused.
///
/// # Errors
/// When the query fails.
pub async fn whole_reports(conn: &Conn, id: Uuid) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Report {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let mut conn = conn;
    let reports: Vec<Report> = diesel::sql_query(include_str!("sql/whole_reports.sql"))
        .bind::<SqlUuid, _>(id)
        .load(&mut conn)
        .await?;
    Ok(reports.into_iter().map(|report| report.id).collect())
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
