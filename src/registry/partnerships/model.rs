//! The row of a partnership.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::{CooperationForm, PartnerCategory, PartnershipRole, State};
use crate::schema::partnerships;

/// A partnership as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = partnerships, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PartnershipRow {
    pub id: Uuid,
    pub area_code: String,
    pub partner_id: Uuid,
    pub project_id: Option<Uuid>,
    pub collaboration_id: Option<Uuid>,
    pub culture_school_id: Option<Uuid>,
    pub role: PartnershipRole,
    pub form: Option<CooperationForm>,
    pub description: Option<String>,
    pub valid_from: Option<String>,
    pub valid_to: Option<String>,
    pub continues_after_project: Option<bool>,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(PartnershipRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for PartnershipRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::code("area", "area_code"),
        SortKey::code("role", "role"),
        SortKey::code("validFrom", "valid_from"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "area" => Some(self.area_code.clone()),
            "role" => Some(self.role.to_string()),
            "validFrom" => self.valid_from.clone(),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What the rows that a partnership joins are called.
#[derive(Clone, Debug, Queryable)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct Names {
    pub partner: String,
    pub category: PartnerCategory,
    pub civil_society: bool,
    pub project: Option<String>,
    pub collaboration: Option<String>,
    pub culture_school: Option<String>,
    pub area: String,
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = partnerships, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PartnershipChange<'a> {
    pub area_code: &'a str,
    pub partner_id: Uuid,
    pub project_id: Option<Uuid>,
    pub collaboration_id: Option<Uuid>,
    pub culture_school_id: Option<Uuid>,
    pub role: PartnershipRole,
    pub form: Option<CooperationForm>,
    pub description: Option<&'a str>,
    pub valid_from: Option<&'a str>,
    pub valid_to: Option<&'a str>,
    pub continues_after_project: Option<bool>,
    pub source_url: Option<&'a str>,
    pub state: State,
}
