//! What clients send and get of publications.

use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::findings::{Acknowledged, Count, Finding, Rule, obstacles};
use super::make::{Contents, Made, Wanted};
use super::model::{FindingRow, PublicationRow};
use crate::statistics::codes::{PublicationPhase, PublicationState, Severity};
use crate::statistics::frozen::Both;
use crate::statistics::quality;
use crate::values::{Line, Prose};

/// The measured information loss of a publication.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PublicationQuality)]
pub struct QualityOut {
    /// The publication.
    #[schema(example = "2025.1")]
    pub publication: String,
    /// Whether it is made of invented data: then this says how the method works, and nothing of the real world.
    #[schema(example = false)]
    pub synthetic: bool,
    /// What protection cost.
    #[serde(flatten)]
    pub document: quality::Document,
}

/// A publication: what was frozen under a name that can be cited.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Publication)]
pub struct PublicationOut {
    /// Id, made by the service (UUID version 7).
    pub id: Uuid,
    /// Its name, used once: a year and a number.
    #[schema(example = "2025.1")]
    pub name: String,
    /// Where it stands. One that is being made, or failed, is seen with the permission `publish` only.
    pub state: PublicationState,
    /// Title in Swedish.
    #[schema(example = "Kulturskolans deltagande 2025")]
    pub title_sv: String,
    /// Title in English.
    #[schema(example = "Participation in culture schools 2025")]
    pub title_en: String,
    /// What a reader should know of it.
    pub note: Option<String>,
    /// Whether it is made of invented data.
    #[schema(example = false)]
    pub synthetic: bool,
    /// The release that it corrects.
    pub corrects: Option<String>,
    /// Its sources in the order of precedence: where several state the same, the first counts.
    pub sources: Vec<Uuid>,
    /// What it holds; none before it is published.
    pub contents: Option<Contents>,
    /// How far the making is.
    pub progress: ProgressOut,
    /// Why it could not be made, in Swedish.
    pub failure_sv: Option<String>,
    /// Why it could not be made, in English.
    pub failure_en: Option<String>,
    /// The client that made it.
    #[schema(example = "client_0d3f")]
    pub created_by: String,
    /// When it was released (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub published_at: Option<DateTime<Utc>>,
    /// When it was withdrawn (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// Why it was withdrawn.
    pub withdrawn_reason: Option<String>,
    /// What to use instead.
    pub successor: Option<String>,
    /// Counts the changes of the row; its `ETag` begins with it. What is published never changes.
    #[schema(example = 1)]
    pub version: i64,
    /// When the making began (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
    /// When the row was deleted (UTC): never.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// How far a making is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicationProgress)]
pub struct ProgressOut {
    /// What it is doing.
    pub phase: PublicationPhase,
    /// Observations read.
    #[schema(example = 120_000)]
    pub done: i64,
    /// Observations to be read; 0 as long as they are not counted.
    #[schema(example = 500_000)]
    pub total: i64,
    /// When the making was last heard of (UTC). After 30 s of silence it is a failed one.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub heartbeat_at: DateTime<Utc>,
}

/// A publication to be made.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "2025.1", "titleSv": "Kulturskolans deltagande 2025", "titleEn": "Participation in culture schools 2025",
    "acknowledged": [{"rule": "missing_municipality", "count": 3}]}))]
pub struct PublicationIn {
    /// Its name, used once: a year and a number.
    #[garde(dive)]
    #[schema(example = "2025.1")]
    pub name: Line,
    /// Title in Swedish.
    #[garde(dive)]
    pub title_sv: Line,
    /// Title in English.
    #[garde(dive)]
    pub title_en: Line,
    /// What a reader should know of it.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
    /// Ids of the sources, in the order of precedence: where several state the same, the first counts. Left out: all
    /// published sources with approved reports, official statistics first, then the newest.
    #[garde(custom(few))]
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub sources: Option<Vec<Uuid>>,
    /// The release that it corrects.
    #[garde(dive)]
    #[serde(default)]
    pub corrects: Option<Line>,
    /// The warnings that were seen, with exactly their numbers; a dry run tells them.
    #[garde(length(max = 100))]
    #[serde(default)]
    #[schema(max_items = 100)]
    pub acknowledged: Vec<AcknowledgedIn>,
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "garde calls it with references to the field and the context"
)]
fn few(sources: &Option<Vec<Uuid>>, (): &()) -> garde::Result {
    if sources.as_ref().is_none_or(|all| all.len() <= 1_000) {
        return Ok(());
    }
    Err(garde::Error::new("too_many"))
}

/// Warnings that were seen.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Acknowledgement)]
pub struct AcknowledgedIn {
    /// The rule.
    #[garde(skip)]
    pub rule: Rule,
    /// How many findings of the rule were seen: exactly as many as there are.
    #[garde(skip)]
    #[schema(example = 3)]
    pub count: u64,
}

/// What a publication would hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicationTrial)]
pub struct TrialOut {
    /// Its name.
    #[schema(example = "2025.1")]
    pub name: String,
    /// Whether it could be published with the warnings that were acknowledged.
    #[schema(example = true)]
    pub publishable: bool,
    /// What it would hold.
    pub contents: Contents,
    /// What the protection does to its cells.
    pub protection: ProtectionOut,
    /// How many findings there are of each rule, errors first.
    pub counts: Vec<Count>,
    /// The findings, errors first; at most 1 000 of each rule.
    pub findings: Vec<FindingOut>,
}

/// What the protection does to the cells of a publication.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProtectionCounts)]
pub struct ProtectionOut {
    /// Cells that are rounded: those from 1 up to their threshold, each of which becomes 0 or the threshold, and those
    /// put together from several areas, which become a multiple of it.
    #[schema(example = 412)]
    pub small: u64,
    /// Those that were rounded up.
    #[schema(example = 203)]
    pub raised: u64,
    /// Cells that are shown for a larger area only.
    #[schema(example = 17)]
    pub moved: u64,
}

/// A finding of the validation. Its text may hold unprotected numbers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Finding)]
pub struct FindingOut {
    /// The rule.
    pub rule: Rule,
    /// How much it weighs: errors block, warnings must be acknowledged.
    pub severity: Severity,
    /// Whether it was acknowledged.
    #[schema(example = true)]
    pub acknowledged: bool,
    /// The measure.
    #[schema(example = "pupils")]
    pub measure: Option<String>,
    /// The area.
    #[schema(example = "1880")]
    pub area: Option<String>,
    /// The period.
    #[schema(example = "2024")]
    pub period: Option<String>,
    /// The source.
    pub source: Option<Uuid>,
    /// The report.
    pub report: Option<Uuid>,
    /// What was found, in Swedish.
    #[schema(example = "pupils i 1880, 2024: 880 mot 410 året före.")]
    pub text_sv: String,
    /// What was found, in English.
    #[schema(example = "pupils in 1880, 2024: 880 against 410 the year before.")]
    pub text_en: String,
}

/// The state that a publication shall have.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"state": "withdrawn", "reason": "Norrtäljes siffror gällde läsåret.", "successor": "2025.2"}))]
pub struct PublicationStateIn {
    /// The new state: `withdrawn`.
    #[garde(skip)]
    pub state: PublicationState,
    /// Why; every reader is told.
    #[garde(dive)]
    pub reason: Prose,
    /// The publication to use instead.
    #[garde(dive)]
    #[serde(default)]
    pub successor: Option<Line>,
}

impl PublicationOut {
    pub(super) fn of(row: PublicationRow, contents: Option<Contents>, sources: Vec<Uuid>) -> Self {
        Self {
            id: row.id,
            name: row.name,
            state: row.state,
            title_sv: row.title_sv,
            title_en: row.title_en,
            note: row.note,
            synthetic: row.synthetic,
            corrects: row.corrects,
            sources,
            contents,
            progress: ProgressOut {
                phase: row.phase,
                done: row.done,
                total: row.total,
                heartbeat_at: row.heartbeat_at,
            },
            failure_sv: row.failure_sv,
            failure_en: row.failure_en,
            created_by: row.created_by,
            published_at: row.published_at,
            withdrawn_at: row.withdrawn_at,
            withdrawn_reason: row.withdrawn_reason,
            successor: row.successor,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

impl PublicationIn {
    pub(super) fn wanted(self) -> Wanted {
        let seen = self.acknowledged.iter().map(|seen| (seen.rule, seen.count));
        Wanted {
            name: self.name.to_string(),
            title: Both {
                sv: self.title_sv.to_string(),
                en: self.title_en.to_string(),
            },
            note: self.note.map(|note| note.to_string()),
            corrects: self.corrects.map(|name| name.to_string()),
            synthetic: false,
            acknowledged: Acknowledged::These(seen.collect()),
            sources: self.sources,
        }
    }
}

impl TrialOut {
    pub(super) fn of(made: Made) -> Self {
        let acknowledged = |finding: &Finding| {
            let count = made
                .counts
                .iter()
                .find(|count| (count.rule, count.severity) == (finding.rule, finding.severity));
            count.is_some_and(|count| count.acknowledged)
        };
        let findings = made.findings.iter().map(|finding| FindingOut {
            acknowledged: acknowledged(finding),
            rule: finding.rule,
            severity: finding.severity,
            measure: finding.measure.clone(),
            area: finding.area.clone(),
            period: finding.period.clone(),
            source: finding.source,
            report: finding.report,
            text_sv: finding.text.sv.clone(),
            text_en: finding.text.en.clone(),
        });
        Self {
            publishable: obstacles(&made.counts).is_empty(),
            findings: findings.collect(),
            protection: ProtectionOut {
                small: made.protection.small,
                raised: made.protection.raised,
                moved: made.protection.moved,
            },
            name: made.name,
            contents: made.contents,
            counts: made.counts,
        }
    }
}

impl FindingOut {
    pub(super) fn from_row(row: FindingRow) -> Self {
        Self {
            rule: row.rule,
            severity: row.severity,
            acknowledged: row.acknowledged,
            measure: row.measure_code,
            area: row.area_code,
            period: row.period,
            source: row.source_id,
            report: row.report_id,
            text_sv: row.text_sv,
            text_en: row.text_en,
        }
    }
}
