//! Queries on clients and their secrets.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{ClientChange, ClientRow, Credential, SecretRow};
use crate::access::secret::NewSecret;
use crate::db::Conn;
use crate::db::fragment::{Bind, Fragment};
use crate::schema::{areas, client_secrets, clients};
use crate::window_of;

/// A query on the table, with filters to come.
pub type Query = clients::BoxedQuery<'static, Pg>;

window_of!(list: Query => ClientRow);

/// The client with this row id, revoked or not.
///
/// # Errors
/// When the query fails.
pub async fn find(conn: &Conn, id: Uuid) -> QueryResult<Option<ClientRow>> {
    let mut conn = conn;
    clients::table
        .find(id)
        .select(ClientRow::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The client with this row id, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock(conn: &Conn, id: Uuid) -> QueryResult<Option<ClientRow>> {
    let mut conn = conn;
    clients::table
        .find(id)
        .select(ClientRow::as_select())
        .for_update()
        .first(&mut conn)
        .await
        .optional()
}

/// The client with this public id, locked until the transaction ends.
///
/// # Errors
/// When the query fails.
pub async fn lock_by_client_id(conn: &Conn, client_id: &str) -> QueryResult<Option<ClientRow>> {
    let mut conn = conn;
    clients::table
        .filter(clients::client_id.eq(client_id))
        .select(ClientRow::as_select())
        .for_update()
        .first(&mut conn)
        .await
        .optional()
}

/// Every client, by name.
///
/// # Errors
/// When the query fails.
pub async fn all(conn: &Conn) -> QueryResult<Vec<ClientRow>> {
    let mut conn = conn;
    clients::table
        .order((clients::name, clients::id))
        .select(ClientRow::as_select())
        .load(&mut conn)
        .await
}

/// Writes a new client.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    conn: &Conn,
    id: Uuid,
    client_id: &str,
    new: &ClientChange<'_>,
) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(clients::table)
        .values((clients::id.eq(id), clients::client_id.eq(client_id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a client anew, and with `refuse_until` refuses the tokens it has; says until when tokens are
/// refused (1970 if none ever were).
///
/// # Errors
/// When the database refuses.
pub async fn update(
    conn: &Conn,
    id: Uuid,
    change: &ClientChange<'_>,
    refuse_until: Option<DateTime<Utc>>,
) -> QueryResult<DateTime<Utc>> {
    let mut conn = conn;
    diesel::update(clients::table.find(id))
        .set((
            change,
            refuse_until.map(|at| clients::tokens_valid_after.eq(later_than_ever(at))),
        ))
        .returning(tokens_valid_after())
        .get_result(&mut conn)
        .await
}

/// Refuses the tokens that the client has; says until when.
///
/// # Errors
/// When the statement fails.
pub async fn refuse_tokens(
    conn: &Conn,
    id: Uuid,
    refuse_until: DateTime<Utc>,
) -> QueryResult<DateTime<Utc>> {
    let mut conn = conn;
    diesel::update(clients::table.find(id))
        .set(clients::tokens_valid_after.eq(later_than_ever(refuse_until)))
        .returning(tokens_valid_after())
        .get_result(&mut conn)
        .await
}

/// Revokes the client: no secret earns a token any more, and the tokens it has are refused; says until when.
///
/// # Errors
/// When the statement fails.
pub async fn revoke(
    conn: &Conn,
    id: Uuid,
    now: DateTime<Utc>,
    refuse_until: DateTime<Utc>,
) -> QueryResult<DateTime<Utc>> {
    let mut conn = conn;
    diesel::update(clients::table.find(id))
        .set((
            clients::revoked_at.eq(now),
            clients::tokens_valid_after.eq(later_than_ever(refuse_until)),
        ))
        .returning(tokens_valid_after())
        .get_result(&mut conn)
        .await
}

/// This time, but at least a second later than the one that stands: a token may be younger than that by a second (see
/// [`Credential::first_second`]), and a clock that was set back lets no refused token in again.
fn later_than_ever(at: DateTime<Utc>) -> Fragment<Timestamptz> {
    Fragment::with(
        "greatest(tokens_valid_after + interval '1 second', ?)",
        [Bind::Time(at)],
    )
}

/// The column; "never" is stored as -infinity, which chrono cannot hold.
fn tokens_valid_after() -> Fragment<Timestamptz> {
    Fragment::sql("greatest(tokens_valid_after, 'epoch')")
}

/// Writes a new secret of a client; the database refuses a third active one.
///
/// # Errors
/// When the database refuses.
pub async fn insert_secret(
    conn: &Conn,
    id: Uuid,
    client: Uuid,
    secret: &NewSecret,
) -> QueryResult<SecretRow> {
    let mut conn = conn;
    diesel::insert_into(client_secrets::table)
        .values((
            client_secrets::id.eq(id),
            client_secrets::client_id.eq(client),
            client_secrets::public_id.eq(&secret.public_id),
            client_secrets::secret_hash.eq(secret.hash.as_bytes()),
        ))
        .returning(SecretRow::as_returning())
        .get_result(&mut conn)
        .await
}

/// The secrets of these clients, oldest first, those that were revoked as well.
///
/// # Errors
/// When the query fails.
pub async fn secrets_of(conn: &Conn, of: &[Uuid]) -> QueryResult<Vec<SecretRow>> {
    let mut conn = conn;
    client_secrets::table
        .filter(client_secrets::client_id.eq_any(of))
        .order((client_secrets::created_at, client_secrets::id))
        .select(SecretRow::as_select())
        .load(&mut conn)
        .await
}

/// Revokes secrets; says how many were still active.
///
/// # Errors
/// When the statement fails.
pub async fn revoke_secrets(conn: &Conn, ids: &[Uuid], now: DateTime<Utc>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(
        client_secrets::table
            .filter(client_secrets::id.eq_any(ids))
            .filter(client_secrets::revoked_at.is_null()),
    )
    .set(client_secrets::revoked_at.eq(now))
    .execute(&mut conn)
    .await
}

/// The secret with this public id, and its client.
///
/// # Errors
/// When the query fails.
pub async fn credential(conn: &Conn, public_id: &str) -> QueryResult<Option<Credential>> {
    let mut conn = conn;
    client_secrets::table
        .inner_join(clients::table.on(clients::id.eq(client_secrets::client_id)))
        .filter(client_secrets::public_id.eq(public_id))
        .select((
            client_secrets::id,
            client_secrets::secret_hash,
            client_secrets::revoked_at,
            client_secrets::last_used_at,
            clients::id,
            clients::client_id,
            clients::permissions,
            clients::areas,
            clients::revoked_at,
            tokens_valid_after(),
        ))
        .first(&mut conn)
        .await
        .optional()
}

/// Notes that a secret earned a token; says whether it is still active.
///
/// # Errors
/// When the statement fails.
pub async fn used(conn: &Conn, secret: Uuid, now: DateTime<Utc>) -> QueryResult<bool> {
    let mut conn = conn;
    let updated = diesel::update(
        client_secrets::table
            .find(secret)
            .filter(client_secrets::revoked_at.is_null()),
    )
    .set(client_secrets::last_used_at.eq(now))
    .execute(&mut conn)
    .await?;
    Ok(updated > 0)
}

/// The clients whose tokens have been refused since this time, with the second up to which they are.
///
/// # Errors
/// When the query fails.
pub async fn revocations(
    conn: &Conn,
    since: DateTime<Utc>,
) -> QueryResult<HashMap<Uuid, DateTime<Utc>>> {
    let mut conn = conn;
    let rows: Vec<(Uuid, DateTime<Utc>)> = clients::table
        .filter(clients::tokens_valid_after.ge(since))
        .select((clients::id, clients::tokens_valid_after))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Which of these areas exist and are not deleted.
///
/// # Errors
/// When the query fails.
pub async fn known_areas(conn: &Conn, codes: &[&str]) -> QueryResult<Vec<String>> {
    let mut conn = conn;
    areas::table
        .filter(areas::code.eq_any(codes))
        .filter(areas::deleted_at.is_null())
        .select(areas::code)
        .load(&mut conn)
        .await
}
