//! The history of rows: every version of every row that clients write, as it was, with who made it.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::Conn;
use super::fragment::Condition;
use crate::code_list;
use crate::schema::history;
use crate::telemetry;

code_list! {
    /// How a version of a row came to be.
    VersionOp = "version-op", "Hur versionen kom till", "How the version came to be", check Some("history_op_known");
    /// It was there when its first change was kept: loaded with the service, not written by a client.
    Found = "found", "Fanns redan", "Was there already";
    Create = "create", "Skapad", "Created";
    Update = "update", "Ändrad", "Changed";
    /// What is left is its tombstone.
    Delete = "delete", "Borttagen", "Deleted";
}

/// A version to be kept.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// What kind of row: its path without the slash.
    pub entity: &'static str,
    /// Its key.
    pub key: &'a str,
    /// Its version.
    pub version: i64,
    /// The version before, which this one changed.
    pub before: Option<i64>,
    /// How it came to be.
    pub op: VersionOp,
    /// Since when the row is so.
    pub at: DateTime<Utc>,
    /// The area whose office keeps the row.
    pub area: &'a str,
    /// Whether the row is readable in the whole country.
    pub open: bool,
    /// The row, as it is shown to those who may see all of it.
    pub row: Value,
}

/// A version that was kept.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = history, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct EntryRow {
    pub id: Uuid,
    pub entity_key: String,
    pub version: i64,
    pub version_before: Option<i64>,
    pub op: VersionOp,
    pub at: DateTime<Utc>,
    pub client_id: Option<String>,
    pub request_id: Option<Uuid>,
    pub area_code: String,
    pub open: bool,
    pub row: Value,
}

/// Keeps a version, in the name of the request that this is done for; one that is kept already stays as it is. A version
/// that was found is nobody's.
///
/// # Errors
/// When the statement fails.
pub async fn keep(conn: &Conn, new: NewEntry<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    let context = telemetry::current().filter(|_| new.op != VersionOp::Found);
    let client = context.as_ref().and_then(|context| context.caller());
    diesel::insert_into(history::table)
        .values((
            history::entity_type.eq(new.entity),
            history::entity_key.eq(new.key),
            history::version.eq(new.version),
            history::id.eq(Uuid::now_v7()),
            history::version_before.eq(new.before),
            history::op.eq(new.op),
            history::at.eq(new.at),
            history::client_id.eq(client.as_deref()),
            history::request_id.eq(context.as_ref().map(|context| context.id)),
            history::area_code.eq(new.area),
            history::open.eq(new.open),
            history::row.eq(new.row),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await
}

/// As [`keep`], of many versions of rows of one kind in one statement.
///
/// # Errors
/// When the statement fails.
pub async fn keep_all(conn: &Conn, entity: &str, new: &[NewEntry<'_>]) -> QueryResult<usize> {
    fn column<'a, T>(new: &'a [NewEntry<'_>], value: impl Fn(&'a NewEntry<'_>) -> T) -> Vec<T> {
        new.iter().map(value).collect()
    }
    let mut conn = conn;
    let context = telemetry::current();
    let client = context.as_ref().and_then(|context| context.caller());
    diesel::sql_query(include_str!("sql/keep_versions.sql"))
        .bind::<Text, _>(entity)
        .bind::<Nullable<Text>, _>(client.as_deref().map(str::to_owned))
        .bind::<Nullable<SqlUuid>, _>(context.as_ref().map(|context| context.id))
        .bind::<Array<Text>, _>(column(new, |entry| entry.key))
        .bind::<Array<BigInt>, _>(column(new, |entry| entry.version))
        .bind::<Array<SqlUuid>, _>(column(new, |_| Uuid::now_v7()))
        .bind::<Array<Nullable<BigInt>>, _>(column(new, |entry| entry.before))
        .bind::<Array<Text>, _>(column(new, |entry| entry.op))
        .bind::<Array<Timestamptz>, _>(column(new, |entry| entry.at))
        .bind::<Array<Text>, _>(column(new, |entry| entry.area))
        .bind::<Array<Bool>, _>(column(new, |entry| entry.open))
        .bind::<Array<Jsonb>, _>(column(new, |entry| &entry.row))
        .execute(&mut conn)
        .await
}

/// Those of these rows, by key, whose version is not kept.
///
/// # Errors
/// When the query fails.
pub async fn unkept(
    conn: &Conn,
    entity: &str,
    keys: Vec<String>,
    versions: Vec<i64>,
) -> QueryResult<HashSet<String>> {
    #[derive(QueryableByName)]
    struct Key {
        #[diesel(sql_type = Text)]
        key: String,
    }
    let mut conn = conn;
    let keys: Vec<Key> = diesel::sql_query(include_str!("sql/unkept_versions.sql"))
        .bind::<Text, _>(entity)
        .bind::<Array<Text>, _>(keys)
        .bind::<Array<BigInt>, _>(versions)
        .load(&mut conn)
        .await?;
    Ok(keys.into_iter().map(|key| key.key).collect())
}

/// Those of these rows that others than the request that this is done for have changed since a version: key, version
/// then and version now.
///
/// # Errors
/// When the query fails.
pub async fn changed_by_others(
    conn: &Conn,
    entity: &str,
    rows: &[(String, i64, i64)],
) -> QueryResult<HashSet<(String, i64)>> {
    #[derive(QueryableByName)]
    struct Changed {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = BigInt)]
        since: i64,
    }
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut conn = conn;
    let request = telemetry::current().map(|context| context.id);
    let changed: Vec<Changed> = diesel::sql_query(include_str!("sql/changed_by_others.sql"))
        .bind::<Text, _>(entity)
        .bind::<Array<Text>, _>(rows.iter().map(|(key, ..)| key).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|(_, since, _)| *since).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(rows.iter().map(|(.., now)| *now).collect::<Vec<_>>())
        .bind::<Nullable<SqlUuid>, _>(request)
        .load(&mut conn)
        .await?;
    let changed = changed.into_iter();
    Ok(changed.map(|row| (row.key, row.since)).collect())
}

/// Whether this version of a row is kept.
///
/// # Errors
/// When the query fails.
pub async fn is_kept(conn: &Conn, entity: &str, key: &str, version: i64) -> QueryResult<bool> {
    let mut conn = conn;
    let kept = history::table.find((entity, key, version));
    diesel::select(diesel::dsl::exists(kept))
        .get_result(&mut conn)
        .await
}

/// The newest version of a row at this time, as far as its history goes back, and whether `seen` is true of it.
///
/// # Errors
/// When the query fails.
pub async fn as_of(
    conn: &Conn,
    entity: &str,
    key: &str,
    at: DateTime<Utc>,
    seen: Condition,
) -> QueryResult<Option<(EntryRow, bool)>> {
    let mut conn = conn;
    let found: Option<(EntryRow, Option<bool>)> = history::table
        .filter(history::entity_type.eq(entity))
        .filter(history::entity_key.eq(key))
        .filter(history::at.le(at))
        .order_by(history::version.desc())
        .select((EntryRow::as_select(), seen))
        .first(&mut conn)
        .await
        .optional()?;
    Ok(found.map(|(entry, seen)| (entry, seen == Some(true))))
}

/// What was taken out of a row's history.
#[derive(Debug, QueryableByName)]
pub struct Forgotten {
    /// From how many versions.
    #[diesel(sql_type = BigInt)]
    pub versions: i64,
    /// The contacts.
    #[diesel(sql_type = Jsonb)]
    pub contacts: Value,
}

/// Takes out of a row's history every contact that the row does not have any more.
///
/// # Errors
/// When the statement fails.
pub async fn forget_contacts(
    conn: &Conn,
    entity: &str,
    key: &str,
    present: &Value,
) -> QueryResult<Forgotten> {
    let mut conn = conn;
    diesel::sql_query(include_str!("sql/forget_contacts.sql"))
        .bind::<Text, _>(entity)
        .bind::<Text, _>(key)
        .bind::<Jsonb, _>(present)
        .get_result(&mut conn)
        .await
}
