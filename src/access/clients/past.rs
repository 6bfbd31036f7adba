//! The history of clients: kept as that of other rows, without secrets or anything made of them. A version concerns all
//! areas that the client had then, so [`Clients`] says itself who sees it.

use serde_json::Value;
use uuid::Uuid;

use super::api::{ClientOut, Clients};
use super::model::ClientRow;
use super::store;
use crate::db::history::{self, NewEntry, VersionOp};
use crate::db::{Conn, WriteError};
use crate::http::resource::{Kept, entity};
use crate::problem::Problem;

/// Keeps the present version of a locked client before something changes it, if it is not kept yet: clients may be older
/// than their history.
///
/// # Errors
/// When a statement fails.
pub(super) async fn before_change(conn: &Conn, row: &ClientRow) -> Result<(), WriteError> {
    if history::is_kept(conn, entity::<Clients>(), &row.id.to_string(), row.version).await? {
        return Ok(());
    }
    keep(conn, VersionOp::Found, None, row).await
}

/// Keeps the version that has come of `before`, or the first one.
///
/// # Errors
/// When a statement fails.
pub(super) async fn after_change(
    conn: &Conn,
    id: Uuid,
    before: Option<&ClientRow>,
) -> Result<ClientRow, WriteError> {
    let row = store::find(conn, id).await?.ok_or(diesel::NotFound)?;
    let op = match before {
        None => VersionOp::Create,
        Some(_) => VersionOp::Update,
    };
    keep(conn, op, before.map(|before| before.version), &row).await?;
    Ok(row)
}

async fn keep(
    conn: &Conn,
    op: VersionOp,
    before: Option<i64>,
    row: &ClientRow,
) -> Result<(), WriteError> {
    let shown = serde_json::to_value(ClientOut::from_row(row.clone(), None));
    let key = row.id.to_string();
    let new = NewEntry {
        entity: entity::<Clients>(),
        key: &key,
        version: row.version,
        before,
        op,
        at: row.updated_at,
        area: row.area(),
        open: false,
        row: shown.map_err(Problem::internal)?,
    };
    history::keep(conn, new).await?;
    Ok(())
}

/// What a client may do and where, for the audit trail.
pub(super) fn content(row: &ClientRow) -> Value {
    serde_json::json!({"name": row.name, "permissions": row.permissions, "areas": row.areas, "version": row.version})
}
