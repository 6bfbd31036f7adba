//! Queries on publications.

use std::collections::HashMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::model::{FindingRow, NewPublication, PublicationRow};
use crate::access::audit::AuditAction;
use crate::db::Conn;
use crate::db::fragment::{Bind, Condition};
use crate::schema::{
    audit_events, publication_documents, publication_findings, publication_sources, publications,
};
use crate::statistics::codes::{PublicationPhase, PublicationState};
use crate::window_of;

/// What a making left behind when its process died: Swedish, English.
pub const SILENCE: (&str, &str) = (
    "Processen som gjorde publiceringen har slutat; inget av den finns kvar. Gör om den.",
    "The process that made the publication has ended; nothing of it is kept. Make it again.",
);

/// A query on the table, with filters to come.
pub type Query = publications::BoxedQuery<'static, diesel::pg::Pg>;

window_of!(list: Query => PublicationRow);

/// Whether nothing has been heard of a making for 30 s, by the clock of the database.
fn silent() -> diesel::expression::SqlLiteral<Bool> {
    sql::<Bool>("(state = 'making' AND heartbeat_at < clock_timestamp() - interval '30 seconds')")
}

/// Brings makings that fell silent into the state that they are in: failed. Says how many that were.
///
/// # Errors
/// When the statement fails.
pub async fn settle(conn: &Conn) -> QueryResult<usize> {
    fail_where(conn, Fallen::Silent, SILENCE).await
}

/// Which makings have failed.
#[derive(Clone, Copy, Debug)]
pub enum Fallen {
    /// This one.
    This(Uuid),
    /// Those that fell silent.
    Silent,
    /// All: the caller holds the lock that a making holds.
    All,
}

/// Says of makings that they failed, and why. Says how many that were.
///
/// # Errors
/// When the statement fails.
pub async fn fail_where(conn: &Conn, which: Fallen, (sv, en): (&str, &str)) -> QueryResult<usize> {
    let mut conn = conn;
    let change = (
        publications::state.eq(PublicationState::Failed),
        publications::failure_sv.eq(sv),
        publications::failure_en.eq(en),
    );
    let making = publications::table.filter(publications::state.eq(PublicationState::Making));
    match which {
        Fallen::This(id) => {
            let this = making.filter(publications::id.eq(id));
            diesel::update(this).set(change).execute(&mut conn).await
        }
        Fallen::Silent => {
            let silent = making.filter(silent());
            diesel::update(silent).set(change).execute(&mut conn).await
        }
        Fallen::All => diesel::update(making).set(change).execute(&mut conn).await,
    }
}

/// The publication of this name: the one that is not failed, or else the newest failed one.
///
/// # Errors
/// When the query fails.
pub async fn find(conn: &Conn, name: &str) -> QueryResult<Option<PublicationRow>> {
    let mut conn = conn;
    publications::table
        .filter(publications::name.eq(name))
        .order_by((
            publications::state.eq(PublicationState::Failed),
            publications::created_at.desc(),
        ))
        .select(PublicationRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(conn: &Conn, name: &str) -> QueryResult<Option<PublicationRow>> {
    let mut conn = conn;
    publications::table
        .filter(publications::name.eq(name))
        .filter(publications::state.ne(PublicationState::Failed))
        .select(PublicationRow::as_select())
        .for_update()
        .first(&mut conn)
        .await
        .optional()
}

/// Whether a publication of this name is published or was.
///
/// # Errors
/// When the query fails.
pub async fn is_released(conn: &Conn, name: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let released = publications::table
        .filter(publications::name.eq(name.to_owned()))
        .filter(
            publications::state.eq_any([PublicationState::Published, PublicationState::Withdrawn]),
        );
    diesel::select(diesel::dsl::exists(released))
        .get_result(&mut conn)
        .await
}

/// What the audit trail tells of a publication.
#[derive(Clone, Debug, Queryable)]
pub struct Event {
    /// What was done.
    pub action: AuditAction,
    /// The client that did it.
    pub client_id: String,
    /// The request that did it.
    pub request_id: Option<Uuid>,
}

/// That a publication was made, and that it was withdrawn: newest first.
///
/// # Errors
/// When the query fails.
pub async fn events(conn: &Conn, name: &str) -> QueryResult<Vec<Event>> {
    let mut conn = conn;
    let of_it = Condition::with(
        "(action IN ('publication_made', 'publication_withdrawn') AND detail ->> 'publication' = ?)",
        [Bind::from(name)],
    );
    audit_events::table
        .filter(of_it)
        .order_by(audit_events::at.desc())
        .select((
            audit_events::action,
            audit_events::client_id,
            audit_events::request_id,
        ))
        .load(&mut conn)
        .await
}

/// Whether a making of this name goes on, or a publication of it exists.
///
/// # Errors
/// When the query fails.
pub async fn is_taken(conn: &Conn, name: &str) -> QueryResult<bool> {
    let mut conn = conn;
    let taken = publications::table
        .filter(publications::name.eq(name.to_owned()))
        .filter(publications::state.ne(PublicationState::Failed));
    diesel::select(diesel::dsl::exists(taken))
        .get_result(&mut conn)
        .await
}

/// Writes a new publication, in the making.
///
/// # Errors
/// When the name is taken or of another form.
pub async fn insert(conn: &Conn, new: NewPublication<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(publications::table)
        .values(new)
        .execute(&mut conn)
        .await
}

/// Says how far a making is, and that it goes on.
///
/// # Errors
/// When the statement fails.
pub async fn beat(
    conn: &Conn,
    id: Uuid,
    (phase, done, total): (PublicationPhase, i64, i64),
) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(
        publications::table
            .filter(publications::id.eq(id))
            .filter(publications::state.eq(PublicationState::Making)),
    )
    .set((
        publications::phase.eq(phase),
        publications::done.eq(done),
        publications::total.eq(total),
        publications::heartbeat_at.eq(sql::<Timestamptz>("clock_timestamp()")),
    ))
    .execute(&mut conn)
    .await
}

/// Withdraws a publication.
///
/// # Errors
/// When the database refuses.
pub async fn withdraw(
    conn: &Conn,
    id: Uuid,
    reason: &str,
    successor: Option<&str>,
) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(publications::table.find(id))
        .set((
            publications::state.eq(PublicationState::Withdrawn),
            publications::withdrawn_at.eq(sql::<diesel::sql_types::Nullable<Timestamptz>>(
                "clock_timestamp()",
            )),
            publications::withdrawn_reason.eq(reason),
            publications::successor.eq(successor),
        ))
        .execute(&mut conn)
        .await
}

/// Writes findings, as a JSON list of rows of their table.
pub const KEEP_FINDINGS: &str = include_str!("sql/keep_findings.sql");

/// Writes findings: see [`KEEP_FINDINGS`].
///
/// # Errors
/// When the statement fails.
pub async fn keep_findings(conn: &Conn, rows: &str) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::sql_query(KEEP_FINDINGS)
        .bind::<Text, _>(rows)
        .execute(&mut conn)
        .await
}

/// The findings of a publication, in their order.
///
/// # Errors
/// When the query fails.
pub async fn findings(conn: &Conn, id: Uuid) -> QueryResult<Vec<FindingRow>> {
    let mut conn = conn;
    publication_findings::table
        .filter(publication_findings::publication_id.eq(id))
        .order_by(publication_findings::position)
        .select(FindingRow::as_select())
        .load(&mut conn)
        .await
}

/// One kind of document of these publications.
///
/// # Errors
/// When the query fails.
pub async fn documents(
    conn: &Conn,
    ids: Vec<Uuid>,
    kind: &str,
) -> QueryResult<HashMap<Uuid, Value>> {
    let mut conn = conn;
    let rows: Vec<(Uuid, Value)> = publication_documents::table
        .filter(publication_documents::publication_id.eq_any(ids))
        .filter(publication_documents::kind.eq(kind.to_owned()))
        .select((
            publication_documents::publication_id,
            publication_documents::content,
        ))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The sources of these publications, in their order of precedence.
///
/// # Errors
/// When the query fails.
pub async fn sources(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, Vec<Uuid>>> {
    let mut conn = conn;
    let rows: Vec<(Uuid, Uuid)> = publication_sources::table
        .filter(publication_sources::publication_id.eq_any(ids))
        .order_by(publication_sources::position)
        .select((
            publication_sources::publication_id,
            publication_sources::source_id,
        ))
        .load(&mut conn)
        .await?;
    let mut all: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for (publication, source) in rows {
        all.entry(publication).or_default().push(source);
    }
    Ok(all)
}
