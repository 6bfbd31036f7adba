//! The rows of observations.

use std::borrow::Cow;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::participation::codes::{
    ActivityForm, Gender, GeographyBasis, ObservationStatus, Precision, Subject,
};
use crate::participation::reports::model::ReportRow;
use crate::schema::observations;

/// An observation as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = observations, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct ObservationRow {
    pub id: Uuid,
    pub report_id: Uuid,
    pub measure_code: String,
    pub area_code: String,
    pub basis: GeographyBasis,
    pub gender: Gender,
    pub age_band: String,
    pub subject: Subject,
    pub activity_form: ActivityForm,
    pub value: Option<f64>,
    pub status: ObservationStatus,
    pub precision: Precision,
    pub note: Option<String>,
    pub updated_at: DateTime<Utc>,
}

/// An observation with the report that it shares its fate with.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The observation.
    pub row: ObservationRow,
    /// Its report.
    pub report: Rc<ReportRow>,
}

impl Kept for Observed {
    type Key = Uuid;
    fn key(&self) -> &Uuid {
        &self.row.id
    }
    fn area(&self) -> &str {
        self.report.area()
    }
    /// The report's: whoever changes an observation makes a new version of the report.
    fn version(&self) -> i64 {
        self.report.version()
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.report.deleted_at()
    }
    fn visible(&self, reach: &Reach) -> bool {
        self.report.visible(reach)
    }
}

impl Sortable for Observed {
    const KEYS: &'static [SortKey] = &[
        Self::UNIQUE,
        SortKey::code("measure", "measure_code"),
        SortKey::code("area", "area_code"),
        SortKey::typed("value", "value", "::double precision"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    /// Ids follow time, and within a report the order in which the observations were given.
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "measure" => Some(self.row.measure_code.clone()),
            "area" => Some(self.row.area_code.clone()),
            "value" => self.row.value.map(|value| value.to_string()),
            "updatedAt" => Some(self.row.updated_at.to_rfc3339()),
            _ => Some(self.row.id.to_string()),
        }
    }
}

/// An observation to be written.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct NewObservation<'a> {
    pub measure_code: &'a str,
    pub area_code: &'a str,
    pub basis: GeographyBasis,
    pub gender: Gender,
    pub age_band: Cow<'a, str>,
    pub subject: Subject,
    pub activity_form: ActivityForm,
    pub value: Option<f64>,
    pub status: ObservationStatus,
    pub precision: Precision,
    pub note: Option<&'a str>,
}
