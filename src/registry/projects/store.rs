//! Queries on projects.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{ProjectChange, ProjectRow};
use crate::db::{Conn, WriteError};
use crate::problem::{Fault, Problem, text};
use crate::schema::{partnerships, projects};
use crate::store_of;

store_of!(projects, ProjectRow, id: Uuid);

/// Writes a new project.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, new: ProjectChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::insert_into(projects::table)
        .values((projects::id.eq(id), new))
        .execute(&mut conn)
        .await
}

/// Writes the content of a project anew.
///
/// # Errors
/// When the database refuses.
pub async fn update(conn: &Conn, id: Uuid, change: ProjectChange<'_>) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::update(projects::table.find(id))
        .set(change)
        .execute(&mut conn)
        .await
}

/// Whether live sub-projects or partnerships name the project.
///
/// # Errors
/// When the query fails.
pub async fn in_use(conn: &Conn, id: Uuid) -> QueryResult<bool> {
    let mut conn = conn;
    let divided = projects::table
        .filter(projects::parent_id.eq(id))
        .filter(projects::deleted_at.is_null());
    let worked_in = partnerships::table
        .filter(partnerships::project_id.eq(id))
        .filter(partnerships::deleted_at.is_null());
    diesel::select(diesel::dsl::exists(divided).or(diesel::dsl::exists(worked_in)))
        .get_result(&mut conn)
        .await
}

/// The titles of projects, for rows that refer to them.
///
/// # Errors
/// When the query fails.
pub async fn titles(conn: &Conn, ids: Vec<Uuid>) -> QueryResult<HashMap<Uuid, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = conn;
    let rows: Vec<(Uuid, String)> = projects::table
        .filter(projects::id.eq_any(ids))
        .select((projects::id, projects::title))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().collect())
}

/// The live projects with this title; a reference by title needs exactly one.
///
/// # Errors
/// When the query fails.
pub async fn by_title(conn: &Conn, title: &str) -> QueryResult<Vec<Uuid>> {
    let mut conn = conn;
    projects::table
        .filter(projects::title.eq(title))
        .filter(projects::deleted_at.is_null())
        .select(projects::id)
        .limit(2)
        .load(&mut conn)
        .await
}

/// Makes sure that `parent` lives and is no part of `id`, however deep. Locks what lies above, so that two changes at
/// the same time can neither close a circle nor delete the parent of a new part.
///
/// # Errors
/// 422 `project_parent_exists` or `project_parent_circle`, or when a query fails.
pub async fn check_parent(conn: &Conn, id: Uuid, parent: Uuid) -> Result<(), WriteError> {
    let mut conn = conn;
    let mut above = Some(parent);
    while let Some(ancestor) = above {
        if ancestor == id {
            return Err(Problem::invalid(Fault::at(
                "/parent",
                "project_parent_circle",
                text(
                    "Huvudprojektet är självt en del av det här projektet.",
                    "The parent project is itself a part of this project.",
                ),
            ))
            .into());
        }
        let found: Option<(Option<Uuid>, Option<DateTime<Utc>>)> = projects::table
            .find(ancestor)
            .select((projects::parent_id, projects::deleted_at))
            .for_share()
            .first(&mut conn)
            .await
            .optional()?;
        let Some((next, None)) = found else {
            return Err(Problem::invalid(Fault::at(
                "/parent",
                "project_parent_exists",
                text(
                    "Huvudprojektet finns inte.",
                    "The parent project does not exist.",
                ),
            ))
            .into());
        };
        above = next;
    }
    Ok(())
}
