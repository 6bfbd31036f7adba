//! The row of a partner.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::{PartnerCategory, State};
use crate::schema::partners;

/// A partner as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = partners, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PartnerRow {
    pub id: Uuid,
    pub area_code: String,
    pub name: String,
    pub org_number: Option<String>,
    pub category: PartnerCategory,
    pub civil_society: bool,
    pub legal_form: Option<String>,
    pub collective: bool,
    pub description: Option<String>,
    pub website: Option<String>,
    pub contacts: Value,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(PartnerRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for PartnerRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("name", "name"),
        SortKey::code("category", "category"),
        SortKey::code("area", "area_code"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "name" => Some(self.name.clone()),
            "category" => Some(self.category.to_string()),
            "area" => Some(self.area_code.clone()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = partners, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PartnerChange<'a> {
    pub area_code: &'a str,
    pub name: &'a str,
    pub org_number: Option<String>,
    pub category: PartnerCategory,
    pub legal_form: Option<&'a str>,
    pub collective: bool,
    pub description: Option<&'a str>,
    pub website: Option<&'a str>,
    pub contacts: Value,
    pub source_url: Option<&'a str>,
    pub state: State,
}
