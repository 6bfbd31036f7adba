//! The rows of a measure.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::participation::codes::{Denominator, MeasureKind, MeasureUnit};
use crate::registry::codes::State;
use crate::schema::{measure_notes, measures, series_breaks};

/// A measure as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = measures, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct MeasureRow {
    pub code: String,
    pub kind: MeasureKind,
    pub unit: MeasureUnit,
    pub label_sv: String,
    pub label_en: String,
    pub definition_sv: String,
    pub definition_en: String,
    pub numerator_code: Option<String>,
    pub denominator: Option<Denominator>,
    pub denominator_age_band: Option<String>,
    pub source_url: Option<String>,
    pub state: State,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Kept for MeasureRow {
    type Key = String;
    fn key(&self) -> &String {
        &self.code
    }
    /// What a number means is the same in the whole country.
    fn area(&self) -> &'static str {
        "SE"
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.deleted_at
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.state == State::Published || reach.is_national()
    }
}

impl Sortable for MeasureRow {
    const KEYS: &'static [SortKey] = &[
        Self::UNIQUE,
        SortKey::text("labelSv", "label_sv"),
        SortKey::text("labelEn", "label_en"),
        SortKey::code("kind", "kind"),
        SortKey::code("unit", "unit"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::code("code", "code");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "labelSv" => Some(self.label_sv.clone()),
            "labelEn" => Some(self.label_en.clone()),
            "kind" => Some(self.kind.to_string()),
            "unit" => Some(self.unit.to_string()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.code.clone()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = measures, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct MeasureChange<'a> {
    pub kind: MeasureKind,
    pub unit: MeasureUnit,
    pub label_sv: &'a str,
    pub label_en: &'a str,
    pub definition_sv: &'a str,
    pub definition_en: &'a str,
    pub numerator_code: Option<&'a str>,
    pub denominator: Option<Denominator>,
    pub denominator_age_band: Option<&'a str>,
    pub source_url: Option<&'a str>,
    pub state: State,
}

/// A series break as stored and written.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = series_breaks, check_for_backend(diesel::pg::Pg), treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct BreakRow {
    pub measure_code: String,
    pub first_period: String,
    pub reason_sv: String,
    pub reason_en: String,
    pub source_url: Option<String>,
}

/// A note as stored and written.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = measure_notes, check_for_backend(diesel::pg::Pg), treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct NoteRow {
    pub measure_code: String,
    pub position: i32,
    pub mandatory: bool,
    pub area_code: Option<String>,
    pub period: Option<String>,
    pub text_sv: String,
    pub text_en: String,
    pub source_url: Option<String>,
}
