//! Queries on partnerships.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{Names, PartnershipChange, PartnershipRow};
use crate::db::Conn;
use crate::schema::{areas, collaborations, culture_schools, partners, partnerships, projects};
use crate::store_of;

store_of!(partnerships, PartnershipRow, id: Uuid);

/// Writes a new partnership.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: PartnershipChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(partnerships::table)
        .values((partnerships::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a partnership anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: PartnershipChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(partnerships::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// The names that these partnerships are shown with: all of them in one query.
///
/// # Errors
/// When the query fails.
pub async fn names(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, Names>> {
    let mut conn = conn;
    let rows: Vec<(Uuid, Names)> = partnerships::table
        .inner_join(partners::table.on(partners::id.eq(partnerships::partner_id)))
        .inner_join(areas::table.on(areas::code.eq(partnerships::area_code)))
        .left_join(projects::table.on(projects::id.nullable().eq(partnerships::project_id)))
        .left_join(
            collaborations::table.on(collaborations::id
                .nullable()
                .eq(partnerships::collaboration_id)),
        )
        .left_join(
            culture_schools::table.on(culture_schools::id
                .nullable()
                .eq(partnerships::culture_school_id)),
        )
        .filter(partnerships::id.eq_any(ids))
        .select((
            partnerships::id,
            (
                partners::name,
                partners::category,
                partners::civil_society,
                projects::title.nullable(),
                collaborations::name.nullable(),
                culture_schools::name.nullable(),
                areas::name,
            ),
        ))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}
