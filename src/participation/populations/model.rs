//! The row of a population.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::participation::codes::Gender;
use crate::schema::populations;

/// A population as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = populations, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PopulationRow {
    pub id: Uuid,
    pub area_code: String,
    pub year: i32,
    pub gender: Gender,
    pub age_from: i32,
    pub age_to: i32,
    pub value: i32,
    pub reference_date: NaiveDate,
    pub source_id: Uuid,
    pub note: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(PopulationRow, id: Uuid, visible |_, _| true);

impl Sortable for PopulationRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::code("area", "area_code"),
        SortKey::typed("year", "year", "::integer"),
        SortKey::typed("ageFrom", "age_from", "::integer"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "area" => Some(self.area_code.clone()),
            "year" => Some(self.year.to_string()),
            "ageFrom" => Some(self.age_from.to_string()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = populations, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PopulationChange<'a> {
    pub area_code: &'a str,
    pub year: i32,
    pub gender: Gender,
    pub age_from: i32,
    pub age_to: i32,
    pub value: i32,
    pub reference_date: NaiveDate,
    pub source_id: Uuid,
    pub note: Option<&'a str>,
}
