//! Queries on partners.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{PartnerChange, PartnerRow};
use crate::db::Conn;
use crate::schema::{collaborations, funding_lines, partners, partnerships, projects};
use crate::store_of;

store_of!(partners, PartnerRow, id: Uuid);

/// Writes a new partner.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: PartnerChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(partners::table)
        .values((partners::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a partner anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: PartnerChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(partners::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Whether live projects, partnerships or funding lines name the partner.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    let owns = projects::table
        .filter(projects::owner_id.eq(id))
        .filter(projects::deleted_at.is_null());
    let works = partnerships::table
        .filter(partnerships::partner_id.eq(id))
        .filter(partnerships::deleted_at.is_null());
    // Lines have no tombstone of their own: they live as long as what they pay for.
    let funds_projects = funding_lines::table
        .inner_join(projects::table.on(funding_lines::project_id.eq(projects::id.nullable())))
        .filter(funding_lines::funder_id.eq(id))
        .filter(projects::deleted_at.is_null());
    let funds_collaborations = funding_lines::table
        .inner_join(
            collaborations::table
                .on(funding_lines::collaboration_id.eq(collaborations::id.nullable())),
        )
        .filter(funding_lines::funder_id.eq(id))
        .filter(collaborations::deleted_at.is_null());
    diesel::select(
        diesel::dsl::exists(owns)
            .or(diesel::dsl::exists(works))
            .or(diesel::dsl::exists(funds_projects))
            .or(diesel::dsl::exists(funds_collaborations)),
    )
    .get_result(&mut conn)
    .await
}

/// Turns the row into a tombstone that names nobody; says how many rows that were (0 or 1).
///
/// # Errors
/// When the statement fails.
pub async fn bury_without_contacts(conn: &Conn, id: Uuid) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(partners::table.find(id))
        .set((
            partners::deleted_at.eq(diesel::dsl::now),
            partners::contacts.eq(serde_json::json!([])),
        ))
        .execute(&mut conn)
        .await
}

/// The names of partners, for rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn names(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = conn;
    let rows: Vec<(Uuid, String)> = partners::table
        .filter(partners::id.eq_any(ids))
        .select((partners::id, partners::name))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The live partners with this name; a reference by name needs exactly one.
///
/// # Errors
/// When the query fails.
pub async fn by_name(conn: &Conn, name: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    partners::table
        .filter(partners::name.eq(name))
        .filter(partners::deleted_at.is_null())
        .select(partners::id)
        .limit(2)
        .load(&mut conn)
        .await
}

/// The live partner with this organisation number.
///
/// # Errors
/// When the query fails.
pub async fn by_org_number(conn: &Conn, number: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    partners::table
        .filter(partners::org_number.eq(number))
        .filter(partners::deleted_at.is_null())
        .select(partners::id)
        .limit(2)
        .load(&mut conn)
        .await
}
