//! Queries on collaborations and what belongs to them.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{
    CollaborationChange, CollaborationRow, MemberRow, NewGoal, NewMember, NewRegion,
};
use crate::db::store::each_row;
use crate::db::{Conn, WriteError};
use crate::registry::codes::Audience;
use crate::schema::{
    areas, collaboration_goals, collaboration_members, collaboration_regions, collaborations,
    partnerships,
};
use crate::store_of;

store_of!(collaborations, CollaborationRow, id: Uuid);

/// Writes a new collaboration.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: CollaborationChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(collaborations::table)
        .values((collaborations::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a collaboration anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: CollaborationChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(collaborations::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Removes regions, members and goals, members first: each refers to one of the regions.
///
/// # Errors
/// When a statement fails.
pub async fn clear(conn: &Conn, id: Uuid) -> QueryResult<()> {
    let mut conn = conn;
    diesel::delete(
        collaboration_members::table.filter(collaboration_members::collaboration_id.eq(id)),
    )
    .execute(&mut conn)
    .await?;
    diesel::delete(
        collaboration_regions::table.filter(collaboration_regions::collaboration_id.eq(id)),
    )
    .execute(&mut conn)
    .await?;
    diesel::delete(collaboration_goals::table.filter(collaboration_goals::collaboration_id.eq(id)))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Writes regions, members and goals, regions first: each member must lie in one of them.
///
/// # Errors
/// When the database refuses.
pub async fn fill(
    conn: &Conn,
    regions: Vec<NewRegion<'_>>,
    members: Vec<NewMember<'_>>,
    goals: Vec<NewGoal<'_>>,
) -> Result<(), WriteError> {
    each_row(conn, regions, async |mut conn, row: NewRegion<'_>| {
        diesel::insert_into(collaboration_regions::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await?;
    each_row(conn, members, async |mut conn, row: NewMember<'_>| {
        diesel::insert_into(collaboration_members::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await?;
    each_row(conn, goals, async |mut conn, row: NewGoal<'_>| {
        diesel::insert_into(collaboration_goals::table)
            .values(row)
            .execute(&mut conn)
            .await
    })
    .await
}

/// The counties of these collaborations, code and name, by code.
///
/// # Errors
/// When the query fails.
pub async fn regions(
    conn: &Conn,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<(String, String)>>> {
    let mut conn = conn;
    let rows = collaboration_regions::table
        .inner_join(areas::table.on(areas::code.eq(collaboration_regions::region_code)))
        .filter(collaboration_regions::collaboration_id.eq_any(ids))
        .order_by(collaboration_regions::region_code)
        .select((
            collaboration_regions::collaboration_id,
            (areas::code, areas::name),
        ))
        .load(&mut conn)
        .await?;
    Ok(grouped(rows))
}

/// All memberships of these collaborations, past and present, each with the name of the municipality, in the order
/// they were written.
///
/// # Errors
/// When the query fails.
pub async fn members(
    conn: &Conn,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<(MemberRow, String)>>> {
    let mut conn = conn;
    let rows = collaboration_members::table
        .inner_join(areas::table.on(areas::code.eq(collaboration_members::municipality_code)))
        .filter(collaboration_members::collaboration_id.eq_any(ids))
        .order_by(collaboration_members::position)
        .select((
            collaboration_members::collaboration_id,
            (MemberRow::as_select(), areas::name),
        ))
        .load(&mut conn)
        .await?;
    Ok(grouped(rows))
}

/// The goals of these collaborations, in the order they were written.
///
/// # Errors
/// When the query fails.
pub async fn goals(
    conn: &Conn,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<(Audience, String)>>> {
    let mut conn = conn;
    let rows = collaboration_goals::table
        .filter(collaboration_goals::collaboration_id.eq_any(ids))
        .order_by(collaboration_goals::position)
        .select((
            collaboration_goals::collaboration_id,
            (collaboration_goals::audience, collaboration_goals::goal),
        ))
        .load(&mut conn)
        .await?;
    Ok(grouped(rows))
}

/// Whether live partnerships name the collaboration.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    diesel::select(diesel::dsl::exists(
        partnerships::table
            .filter(partnerships::collaboration_id.eq(id))
            .filter(partnerships::deleted_at.is_null()),
    ))
    .get_result(&mut conn)
    .await
}

/// The live collaboration with this name.
///
/// # Errors
/// When the query fails.
pub async fn by_name(conn: &Conn, name: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    collaborations::table
        .filter(collaborations::name.eq(name))
        .filter(collaborations::deleted_at.is_null())
        .select(collaborations::id)
        .limit(2)
        .load(&mut conn)
        .await
}

fn grouped<T>(rows: Vec<(Uuid, T)>) -> HashMap<Uuid, Vec<T>> {
    let mut groups: HashMap<Uuid, Vec<T>> = HashMap::new();
    for (id, row) in rows {
        groups.entry(id).or_default().push(row);
    }
    groups
}
