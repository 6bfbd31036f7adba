//! The row of a project.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::{Continuation, ProjectScope, State, Theme};
use crate::schema::projects;

/// A project as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ProjectRow {
    pub id: Uuid,
    pub area_code: String,
    pub title: String,
    pub owner_id: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    pub purpose: Option<String>,
    pub goal: Option<String>,
    pub description: Option<String>,
    pub target_group: Option<String>,
    pub target_age_from: Option<i32>,
    pub target_age_to: Option<i32>,
    pub method: Option<String>,
    pub dissemination: Option<String>,
    pub after_project: Option<String>,
    pub continuation: Continuation,
    pub start_month: Option<String>,
    pub end_month: Option<String>,
    pub time_status_percent_published: Option<i32>,
    pub contact_town: Option<String>,
    pub scope: ProjectScope,
    pub themes: Vec<Theme>,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(ProjectRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for ProjectRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("title", "title"),
        SortKey::code("startMonth", "start_month"),
        SortKey::code("endMonth", "end_month"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "title" => Some(self.title.clone()),
            "startMonth" => self.start_month.clone(),
            "endMonth" => self.end_month.clone(),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = projects, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ProjectChange<'a> {
    pub area_code: &'a str,
    pub title: &'a str,
    pub owner_id: Option<Uuid>,
    pub parent_id: Option<Uuid>,
    pub purpose: Option<&'a str>,
    pub goal: Option<&'a str>,
    pub description: Option<&'a str>,
    pub target_group: Option<&'a str>,
    pub target_age_from: Option<i32>,
    pub target_age_to: Option<i32>,
    pub method: Option<&'a str>,
    pub dissemination: Option<&'a str>,
    pub after_project: Option<&'a str>,
    pub continuation: Continuation,
    pub start_month: Option<&'a str>,
    pub end_month: Option<&'a str>,
    pub time_status_percent_published: Option<i32>,
    pub contact_town: Option<&'a str>,
    pub scope: ProjectScope,
    pub themes: &'a [Theme],
    pub source_url: Option<&'a str>,
    pub state: State,
}
