//! The row of a culture school.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::registry::codes::{CultureSchoolKind, State};
use crate::schema::culture_schools;

/// A culture school as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = culture_schools, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CultureSchoolRow {
    pub id: Uuid,
    pub area_code: String,
    pub name: String,
    pub kind: CultureSchoolKind,
    pub opened_month: Option<String>,
    pub closed_month: Option<String>,
    pub website: Option<String>,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(CultureSchoolRow, id: Uuid, visible |row, reach| row.state == State::Published || reach.covers(&row.area_code));

impl Sortable for CultureSchoolRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::text("name", "name"),
        SortKey::code("municipality", "area_code"),
        SortKey::code("openedMonth", "opened_month"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "name" => Some(self.name.clone()),
            "municipality" => Some(self.area_code.clone()),
            "openedMonth" => self.opened_month.clone(),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = culture_schools, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct CultureSchoolChange<'a> {
    pub area_code: &'a str,
    pub name: &'a str,
    pub kind: CultureSchoolKind,
    pub opened_month: Option<&'a str>,
    pub closed_month: Option<&'a str>,
    pub website: Option<&'a str>,
    pub source_url: Option<&'a str>,
    pub state: State,
}
