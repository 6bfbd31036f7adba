//! The rows of imports and of what became of their rows.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text};
use serde_json::Value;
use uuid::Uuid;

use super::codes::{ImportFormat, ImportMode, ImportState, ImportStrategy, RowOutcome};
use super::outcome::Counts;
use super::payload::Head;
use super::plan::Plan;
use super::types::ImportType;
use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::schema::imports;

/// An import as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = imports, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    clippy::struct_excessive_bools,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ImportRow {
    pub id: Uuid,
    pub client_id: String,
    pub fingerprint: Vec<u8>,
    pub request_id: Option<Uuid>,
    pub areas: Vec<String>,
    pub resource: ImportType,
    pub format: ImportFormat,
    pub mode: ImportMode,
    pub strategy: ImportStrategy,
    pub dry_run: bool,
    pub submit: bool,
    pub scope: Option<Vec<String>>,
    pub confirm_delete: Option<i64>,
    pub queued: bool,
    pub size_bytes: i64,
    pub state: ImportState,
    pub total: Option<i64>,
    pub done: i64,
    pub counts: Value,
    pub headings: Option<Value>,
    pub faults: Value,
    pub cancel_asked: bool,
    pub finished_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ImportRow {
    /// What was asked for.
    #[must_use]
    pub fn plan(&self) -> Plan {
        Plan {
            id: self.id,
            client: self.client_id.clone(),
            request: self.request_id,
            areas: self.areas.clone(),
            resource: self.resource,
            format: self.format,
            mode: self.mode,
            strategy: self.strategy,
            dry_run: self.dry_run,
            submit: self.submit,
            scope: self.scope.clone(),
            confirm_delete: self.confirm_delete,
        }
    }

    /// How many rows have which outcome.
    #[must_use]
    pub fn counts(&self) -> Counts {
        serde_json::from_value(self.counts.clone()).unwrap_or_default()
    }

    /// What stands above the rows.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        serde_json::from_value(self.headings.clone()?).ok()
    }

    /// Whether what is said of its rows can still be taken back.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        !self.state.is_final() && (self.mode == ImportMode::Atomic || self.dry_run)
    }
}

impl Kept for ImportRow {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.id
    }
    /// An import is its client's, wherever that is.
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

impl Sortable for ImportRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::typed("createdAt", "created_at", "::timestamptz"),
        SortKey::code("state", "state"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "createdAt" => Some(self.created_at.to_rfc3339()),
            "state" => Some(self.state.to_string()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What became of a row, as it is read.
#[derive(Clone, Debug, QueryableByName)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct OutcomeRow {
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub line: Option<i64>,
    #[diesel(sql_type = Text)]
    pub outcome: RowOutcome,
    #[diesel(sql_type = Nullable<Text>)]
    pub entity: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub version: Option<i64>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub errors: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub existing: Option<Value>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub notes: Option<Value>,
}

impl Kept for OutcomeRow {
    type Key = i64;
    fn key(&self) -> &i64 {
        &self.position
    }
    fn area(&self) -> &'static str {
        "SE"
    }
    fn version(&self) -> i64 {
        1
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    fn visible(&self, _: &Reach) -> bool {
        true
    }
}

impl Sortable for OutcomeRow {
    const KEYS: &'static [SortKey] = &[Self::UNIQUE];
    const UNIQUE: SortKey = SortKey::typed("position", "position", "::bigint");

    fn sort_value(&self, _: &str) -> Option<String> {
        Some(self.position.to_string())
    }
}
