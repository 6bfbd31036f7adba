//! The rows of the past.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::access::Reach;
use crate::access::audit::AuditAction;
use crate::db::history::EntryRow;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;

diesel::table! {
    /// The view that shows events and versions as one trail.
    audit_trail (id) {
        /// The event, or the version.
        id -> Uuid,
        /// When.
        at -> Timestamptz,
        /// What.
        action -> Text,
        /// Who.
        client_id -> Nullable<Text>,
        /// In which request.
        request_id -> Nullable<Uuid>,
        /// Whose areas it concerns.
        area_codes -> Array<Text>,
        /// What kind of row.
        entity_type -> Nullable<Text>,
        /// Which row.
        entity_key -> Nullable<Text>,
        /// Its version before.
        version_before -> Nullable<BigInt>,
        /// Its version.
        version -> Nullable<BigInt>,
        /// What else there is to say of an event.
        detail -> Nullable<Jsonb>,
    }
}

/// A line of the trail.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_trail, check_for_backend(diesel::pg::Pg))]
#[expect(missing_docs, reason = "the columns are explained at the view")]
pub struct TrailRow {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub action: AuditAction,
    pub client_id: Option<String>,
    pub request_id: Option<Uuid>,
    pub area_codes: Vec<String>,
    pub entity_type: Option<String>,
    pub entity_key: Option<String>,
    pub version_before: Option<i64>,
    pub version: Option<i64>,
    pub detail: Option<Value>,
}

impl Kept for TrailRow {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.id
    }
    fn area(&self) -> &str {
        self.area_codes.first().map_or("SE", String::as_str)
    }
    /// What was done stays as it was done.
    fn version(&self) -> i64 {
        1
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.area_codes.iter().all(|area| reach.covers(area))
    }
}

impl Sortable for TrailRow {
    const KEYS: &'static [SortKey] = &[SortKey::typed("at", "at", "::timestamptz")];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "at" => Some(self.at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

impl Kept for EntryRow {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.id
    }
    fn area(&self) -> &str {
        &self.area_code
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        None
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.open || reach.covers(&self.area_code)
    }
}

impl Sortable for EntryRow {
    const KEYS: &'static [SortKey] = &[Self::UNIQUE];
    /// Within the history of one row.
    const UNIQUE: SortKey = SortKey::typed("version", "version", "::bigint");

    fn sort_value(&self, _: &str) -> Option<String> {
        Some(self.version.to_string())
    }
}
