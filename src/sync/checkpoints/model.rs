//! Rows of checkpoints.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::schema::checkpoints;

/// A checkpoint, as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = checkpoints, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CheckpointRow {
    pub id: Uuid,
    pub client_id: String,
    pub name: String,
    pub cursor: String,
    pub seq: i64,
    pub note: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What is written of it.
#[derive(Clone, Copy, Debug, Insertable, AsChangeset)]
#[diesel(table_name = checkpoints, treat_none_as_null = true)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CheckpointChange<'a> {
    pub cursor: &'a str,
    pub seq: i64,
    pub note: Option<&'a str>,
}

impl CheckpointChange<'_> {
    /// Whether the row says this already.
    #[must_use]
    pub fn is(&self, row: &CheckpointRow) -> bool {
        self.cursor == row.cursor && self.note == row.note.as_deref()
    }
}

/// How far a position is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Changes after it, counted up to a limit.
    pub changes: i64,
    /// Since when the first of them has been there.
    pub since: Option<DateTime<Utc>>,
}

impl Kept for CheckpointRow {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.id
    }
    /// A checkpoint is its client's, wherever that is.
    fn area(&self) -> &'static str {
        "SE"
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    /// What is another client's is hidden by the filter.
    fn visible(&self, _: &Reach) -> bool {
        true
    }
}

impl Sortable for CheckpointRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::code("name", "name"),
        SortKey::typed("position", "seq", "::bigint"),
        SortKey::code("client", "client_id"),
        SortKey::typed("createdAt", "created_at", "::timestamptz"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        Some(match key {
            "name" => self.name.clone(),
            "position" => self.seq.to_string(),
            "client" => self.client_id.clone(),
            "createdAt" => self.created_at.to_rfc3339(),
            "updatedAt" => self.updated_at.to_rfc3339(),
            _ => self.id.to_string(),
        })
    }
}
