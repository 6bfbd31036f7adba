//! The row of a report.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::db::window::{SortKey, Sortable};
use crate::kept;
use crate::participation::codes::{PeriodKind, ReportState};
use crate::schema::reports;

/// A report as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = reports, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ReportRow {
    pub id: Uuid,
    pub source_id: Uuid,
    pub area_code: String,
    pub period_kind: PeriodKind,
    pub period: String,
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub state: ReportState,
    pub note: Option<String>,
    pub withdrawn_reason: Option<String>,
    pub submitted_by: Option<String>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

kept!(ReportRow, id: Uuid, visible |row, reach| reach.covers(&row.area_code));

impl Sortable for ReportRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::typed("period", "first_day", "::date"),
        SortKey::code("area", "area_code"),
        SortKey::code("state", "state"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "period" => self.first_day.map(|day| day.to_string()),
            "area" => Some(self.area_code.clone()),
            "state" => Some(self.state.to_string()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// What is written.
#[derive(Debug, Insertable, AsChangeset)]
#[diesel(table_name = reports, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ReportChange<'a> {
    pub source_id: Uuid,
    pub area_code: &'a str,
    pub period_kind: PeriodKind,
    pub period: &'a str,
    pub first_day: Option<NaiveDate>,
    pub last_day: Option<NaiveDate>,
    pub note: Option<&'a str>,
}

/// A new state, with who brought it about.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = reports, treat_none_as_null = true, treat_none_as_default_value = false)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct StateChange<'a> {
    pub state: ReportState,
    pub withdrawn_reason: Option<&'a str>,
    pub submitted_by: Option<&'a str>,
    pub submitted_at: Option<DateTime<Utc>>,
    pub approved_by: Option<&'a str>,
    pub approved_at: Option<DateTime<Utc>>,
}
