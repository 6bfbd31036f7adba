//! The rows of publications and their findings.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::findings::Rule;
use crate::access::Reach;
use crate::db::window::{SortKey, Sortable};
use crate::http::resource::Kept;
use crate::schema::{publication_findings, publications};
use crate::statistics::codes::{PublicationPhase, PublicationState, Severity};

/// A publication as stored. A making whose process fell silent is a failed one, whatever its row says: see
/// [`super::store::settle`].
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = publications, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct PublicationRow {
    pub id: Uuid,
    pub name: String,
    pub state: PublicationState,
    pub title_sv: String,
    pub title_en: String,
    pub note: Option<String>,
    pub synthetic: bool,
    pub corrects: Option<String>,
    pub created_by: String,
    pub phase: PublicationPhase,
    pub done: i64,
    pub total: i64,
    pub heartbeat_at: DateTime<Utc>,
    pub failure_sv: Option<String>,
    pub failure_en: Option<String>,
    pub published_at: Option<DateTime<Utc>>,
    pub withdrawn_at: Option<DateTime<Utc>>,
    pub withdrawn_reason: Option<String>,
    pub successor: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub deleted_at: Option<DateTime<Utc>>,
}

impl PublicationRow {
    /// A withdrawn publication as it was released. Nothing but its withdrawal has changed it, and that once.
    #[must_use]
    pub fn released(&self) -> Option<Self> {
        if self.state != PublicationState::Withdrawn {
            return None;
        }
        Some(Self {
            state: PublicationState::Published,
            withdrawn_at: None,
            withdrawn_reason: None,
            successor: None,
            version: self.version - 1,
            updated_at: self.published_at?,
            ..self.clone()
        })
    }
}

impl Kept for PublicationRow {
    type Key = String;
    fn key(&self) -> &String {
        &self.name
    }
    /// A publication is of the whole country.
    fn area(&self) -> &'static str {
        "SE"
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.deleted_at
    }
    /// Statistics are for everyone who may read them; what is not published yet is hidden by its filter.
    fn visible(&self, _: &Reach) -> bool {
        true
    }
}

impl Sortable for PublicationRow {
    const KEYS: &'static [SortKey] = &[
        SortKey::typed("createdAt", "created_at", "::timestamptz"),
        SortKey::typed("publishedAt", "published_at", "::timestamptz"),
        SortKey::code("name", "name"),
        SortKey::code("state", "state"),
        SortKey::typed("updatedAt", "updated_at", "::timestamptz"),
    ];
    const UNIQUE: SortKey = SortKey::typed("id", "id", "::uuid");

    fn sort_value(&self, key: &str) -> Option<String> {
        match key {
            "createdAt" => Some(self.created_at.to_rfc3339()),
            "publishedAt" => self.published_at.map(|at| at.to_rfc3339()),
            "name" => Some(self.name.clone()),
            "state" => Some(self.state.to_string()),
            "updatedAt" => Some(self.updated_at.to_rfc3339()),
            _ => Some(self.id.to_string()),
        }
    }
}

/// A new publication.
#[derive(Debug, Insertable)]
#[diesel(table_name = publications)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct NewPublication<'a> {
    pub id: Uuid,
    pub name: &'a str,
    pub title_sv: &'a str,
    pub title_en: &'a str,
    pub note: Option<&'a str>,
    pub synthetic: bool,
    pub corrects: Option<&'a str>,
    pub created_by: &'a str,
}

/// A finding as stored.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = publication_findings, check_for_backend(diesel::pg::Pg))]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration and in the API type"
)]
pub struct FindingRow {
    pub rule: Rule,
    pub severity: Severity,
    pub acknowledged: bool,
    pub measure_code: Option<String>,
    pub area_code: Option<String>,
    pub period: Option<String>,
    pub source_id: Option<Uuid>,
    pub report_id: Option<Uuid>,
    pub text_sv: String,
    pub text_en: String,
}
