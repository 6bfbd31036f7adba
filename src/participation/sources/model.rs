//! The row of a source.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::State;
use crate::schema::sources;

/// A source as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sources, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct SourceRow {
    pub id: Uuid,
    pub area_code: String,
    pub title: String,
    pub publisher: String,
    pub url: Option<String>,
    pub published_on: Option<String>,
    pub official_statistics: bool,
    pub note: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(SourceRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for SourceRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("title", "title"),
        SortKey::text("publisher", "publisher"),
        SortKey::code("publishedOn", "published_on"),
        SortKey::code("area", "area_code"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "title" => Some(self.title.clone()),
            "publisher" => Some(self.publisher.clone()),
            "publishedOn" => self.published_on.clone(),
            "area" => Some(self.area_code.clone()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = sources, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct SourceChange<'a> {
    pub area_code: &'a str,
    pub title: &'a str,
    pub publisher: &'a str,
    pub url: Option<&'a str>,
    pub published_on: Option<&'a str>,
    pub official_statistics: bool,
    pub note: Option<&'a str>,
    pub state: State,
}
