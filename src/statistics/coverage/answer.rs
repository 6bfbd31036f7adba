//! The answer of `/statistics/coverage`, as JSON and as a table.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::count::{self, Missing, Return};
use super::selection::Selection;
use crate::formats::table::{Category, Dimension, Label, Metric, Note, Role, Row, Table, Unit};
use crate::http::lang::Lang;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::statistics::codes::{CellStatus, Level, ReportedBy};
use crate::statistics::deliver::{self, Answer, Form};
use crate::statistics::envelope::{Envelope, NoteOut, ParameterOut, PublicationRef};
use crate::statistics::frozen::{Frozen, Report};
use crate::values::CodeList;

/// The most rows of one answer: areas times periods.
pub const MAX_ROWS: usize = 50_000;

/// Who has an approved report and who has not.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageStatistics {
    /// What the answer is from.
    pub publication: PublicationRef,
    /// The question as it was understood.
    #[schema(example = json!([{"name": "publication", "value": "2025.1"}, {"name": "period", "value": "2024"},
        {"name": "level", "value": "region"}, {"name": "within", "value": "18"}]))]
    pub parameters: Vec<ParameterOut>,
    /// What to know before reading the rows, mandatory notes first.
    #[schema(example = json!([{"mandatory": true,
        "text": "En rapport för ett län eller hela landet räknas inte som en rapport från kommunerna, inte heller om den innehåller tal om dem."}]))]
    pub notes: Vec<NoteOut>,
    /// The sources of the reports that were counted, in their order of precedence.
    pub sources: Vec<CoverageSource>,
    /// How to cite this answer.
    #[schema(example = "Samverkan: Inlämnade rapporter, publicering 2025.1 (2026-01-15).")]
    pub citation: String,
    /// The lasting address of this answer: it names the publication.
    #[schema(
        example = "https://samverkan.example.org/samverkan/v1/statistics/coverage?level=region&period=2024&within=18&publication=2025.1"
    )]
    pub permanent_url: String,
    /// One row for each area and period: areas by code, for each the periods in the order of time.
    pub rows: Vec<CoverageRow>,
}

/// A source of reports.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CoverageSource {
    /// Id of the source.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Title.
    #[schema(example = "Kulturskoleenkäten 2024")]
    pub title: String,
    /// Publisher.
    #[schema(example = "Kulturrådet")]
    pub publisher: String,
    /// Address, if it has one.
    #[schema(example = "https://www.kulturradet.se/")]
    pub url: Option<String>,
}

/// What is there of one area and period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"area": "18", "areaName": "Örebro län", "level": "region", "period": "2024", "reported": 11,
    "expected": 12, "status": "partial", "statusLabel": "Ofullständig", "reportedBy": "some_municipalities",
    "reportedByLabel": "Några av kommunerna",
    "missing": [{"code": "1881", "name": "Kumla", "status": "missing_not_submitted"}], "reports": []}))]
pub struct CoverageRow {
    /// Code of the area.
    #[schema(example = "18")]
    pub area: String,
    /// Its name.
    #[schema(example = "Örebro län")]
    pub area_name: String,
    /// What kind of area it is.
    pub level: Level,
    /// The period.
    #[schema(example = "2024")]
    pub period: String,
    /// Municipalities with an approved report of their own; 1 or 0 for a municipality itself.
    #[schema(example = 10)]
    pub reported: u32,
    /// Municipalities that existed on the last day of the period; 1 for a municipality itself.
    #[schema(example = 12)]
    pub expected: u32,
    /// The status of the area's numbers: `reported` where all municipalities or the area as a whole have reported,
    /// `partial` where some of its parts have, `missing_not_submitted` where nobody has, `not_applicable` where the
    /// area did not exist.
    #[schema(example = "partial")]
    pub status: CellStatus,
    /// The status, for people.
    #[schema(example = "Ofullständig")]
    pub status_label: &'static str,
    /// Who reported: tells an area whose own figure is there from one whose municipalities' figures are.
    #[schema(example = "some_municipalities")]
    pub reported_by: ReportedBy,
    /// Who reported, for people.
    #[schema(example = "Några av kommunerna")]
    pub reported_by_label: &'static str,
    /// The municipalities without a report of their own, by code. Empty for a municipality itself.
    pub missing: Vec<MissingMunicipality>,
    /// The reports of the area itself, and for a municipality those of its districts.
    pub reports: Vec<CoverageReport>,
}

/// A municipality without a report of its own.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MissingMunicipality {
    /// Its code.
    #[schema(example = "1881")]
    pub code: String,
    /// Its name.
    #[schema(example = "Kumla")]
    pub name: String,
    /// `partial` where districts of it have reported, otherwise `missing_not_submitted`.
    #[schema(example = "missing_not_submitted")]
    pub status: CellStatus,
}

/// An approved report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageReport {
    /// The area that it is of.
    #[schema(example = "18")]
    pub area: String,
    /// Id of its source.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub source: Uuid,
    /// Title of its source.
    #[schema(example = "Kulturskoleenkäten 2024")]
    pub source_title: String,
    /// When it was approved (UTC).
    #[schema(example = "2025-03-01T08:00:00Z")]
    pub approved_at: Option<DateTime<Utc>>,
    /// Measures that it has numbers of.
    #[schema(example = json!(["pupils"]))]
    pub measures: Vec<String>,
}

/// Everything that the answer is written from.
pub struct CoverageAnswer {
    frozen: Arc<Frozen>,
    selection: Selection,
}

impl CoverageAnswer {
    /// Takes a question.
    ///
    /// # Errors
    /// 422 where it would have more than [`MAX_ROWS`] rows; nothing has been counted then.
    pub fn new(frozen: Arc<Frozen>, selection: Selection) -> ApiResult<Self> {
        let (areas, periods) = (
            count::areas(&frozen, &selection).len(),
            selection.periods.len(),
        );
        if areas * periods > MAX_ROWS {
            return Err(too_many(areas, periods));
        }
        Ok(Self { frozen, selection })
    }

    fn envelope(&self) -> Envelope<'_> {
        Envelope {
            frozen: &self.frozen,
            title: Label::new("Inlämnade rapporter", "Submitted reports"),
        }
    }

    fn returns(&self) -> Vec<Return<'_>> {
        let areas = count::areas(&self.frozen, &self.selection);
        count::count(&self.frozen, &self.selection, &areas)
    }

    /// The sources of the reports that were counted, in their order.
    fn sources(&self, returns: &[Return<'_>]) -> Vec<CoverageSource> {
        let municipal = self.selection.level.level() == Level::Municipality;
        // Rows of wider areas show their own reports only, and count those of their municipalities.
        let shown: BTreeSet<i16> = if municipal {
            returns
                .iter()
                .flat_map(|row| &row.reports)
                .map(|report| report.source_no)
                .collect()
        } else {
            let within = |report: &&Report| {
                let (places, area) = (&self.frozen.places, &self.selection.within);
                crate::statistics::geography::inside(places, &report.area, area)
            };
            let all = self.frozen.returns.reports.iter();
            all.filter(|report| self.selection.periods.contains(&report.period_no))
                .filter(|report| self.selection.holds(report))
                .filter(within)
                .map(|report| report.source_no)
                .collect()
        };
        shown
            .into_iter()
            .filter_map(|no| self.frozen.catalogue.sources.get(usize::try_from(no).ok()?))
            .map(|source| CoverageSource {
                id: source.id,
                title: source.title.clone(),
                publisher: source.publisher.clone(),
                url: source.url.clone(),
            })
            .collect()
    }

    fn notes(&self) -> Vec<Note> {
        let note = |mandatory, sv: &str, en: &str| Note {
            mandatory,
            text: Label::new(sv, en),
        };
        let mut notes = Vec::new();
        let undated = |no: &i16| {
            let period = self.frozen.catalogue.period(*no);
            period.is_some_and(|period| period.last_day.is_none())
        };
        if self.selection.periods.iter().any(undated) {
            notes.push(note(
                true,
                "För odaterade perioder räknas de kommuner som fanns på publiceringens dag.",
                "Undated periods are counted by the municipalities that existed on the day of the publication.",
            ));
        }
        notes.push(note(
            true,
            "En rapport för ett län eller hela landet räknas inte som en rapport från kommunerna, inte heller om den innehåller tal om dem.",
            "A report of a county or the whole country is not counted as a report of its municipalities, not even if it holds numbers of them.",
        ));
        notes.push(note(
            false,
            "Räknade är de godkända rapporter som publiceringen är gjord av; en senare rapport kommer med i nästa publicering.",
            "Counted are the approved reports that the publication was made from; a later report comes into the next one.",
        ));
        notes
    }

    fn row(&self, row: &Return<'_>, lang: Lang) -> CoverageRow {
        CoverageRow {
            area: row.area.code.clone(),
            area_name: row.area.name.clone(),
            level: row.area.level,
            period: row.period.code.clone(),
            reported: row.reported,
            expected: row.expected,
            status: row.status(),
            status_label: label_of(&CellStatus::LIST, row.status().as_str(), lang),
            reported_by: row.by,
            reported_by_label: label_of(&ReportedBy::LIST, row.by.as_str(), lang),
            missing: row.missing.iter().map(MissingMunicipality::of).collect(),
            reports: row
                .reports
                .iter()
                .filter_map(|report| self.report(report))
                .collect(),
        }
    }

    fn report(&self, report: &Report) -> Option<CoverageReport> {
        let place = usize::try_from(report.source_no).ok()?;
        let source = self.frozen.catalogue.sources.get(place)?;
        Some(CoverageReport {
            area: report.area.clone(),
            source: source.id,
            source_title: source.title.clone(),
            approved_at: report.approved_at,
            measures: report.measures.clone(),
        })
    }
}

impl MissingMunicipality {
    fn of(missing: &Missing<'_>) -> Self {
        Self {
            code: missing.area.code.clone(),
            name: missing.area.name.clone(),
            status: if missing.districts {
                CellStatus::Partial
            } else {
                CellStatus::MissingNotSubmitted
            },
        }
    }
}

fn label_of(list: &CodeList, code: &str, lang: Lang) -> &'static str {
    let known = list.codes.iter().find(|known| known.code == code);
    known.map_or("", |known| lang.pick(known.label_sv, known.label_en))
}

fn too_many(areas: usize, periods: usize) -> Problem {
    let (narrow, rows) = (
        if areas > periods { "within" } else { "period" },
        areas * periods,
    );
    Problem::new(ProblemKind::ValidationFailed).fault(Fault::parameter(
        narrow,
        "too_many_cells",
        text(
            format!(
                "Svaret skulle få {rows} rader ({areas} områden och {periods} perioder), högst {MAX_ROWS} är tillåtna."
            ),
            format!(
                "The answer would have {rows} rows ({areas} areas and {periods} periods), {MAX_ROWS} is the most."
            ),
        ),
    ))
}

/// Who reported, and who is missing, in one line.
fn remark(row: &Return<'_>) -> Label {
    let names: Vec<String> = row
        .missing
        .iter()
        .map(|missing| format!("{} {}", missing.area.code, missing.area.name))
        .collect();
    let by = |lang| label_of(&ReportedBy::LIST, row.by.as_str(), lang);
    let (sv, en) = (by(Lang::Sv), by(Lang::En));
    if names.is_empty() {
        return Label::new(
            format!("Rapporterat av: {sv}."),
            format!("Reported by: {en}."),
        );
    }
    let names = names.join(", ");
    Label::new(
        format!("Rapporterat av: {sv}. Saknas: {names}."),
        format!("Reported by: {en}. Missing: {names}."),
    )
}

impl Answer for CoverageAnswer {
    type Body = CoverageStatistics;

    fn body(&self, form: &Form) -> CoverageStatistics {
        let envelope = self.envelope();
        let returns = self.returns();
        CoverageStatistics {
            publication: envelope.publication(form.lang),
            parameters: ParameterOut::all(&self.frozen, self.selection.canonical(&self.frozen)),
            notes: NoteOut::all(&self.frozen, &self.notes(), form.lang),
            sources: self.sources(&returns),
            citation: envelope.citation().get(form.lang).to_owned(),
            permanent_url: form.permanent_url.clone(),
            rows: returns.iter().map(|row| self.row(row, form.lang)).collect(),
        }
    }

    fn table(&self, form: &Form) -> Table {
        let envelope = self.envelope();
        let returns = self.returns();
        let titles: BTreeSet<String> = self
            .sources(&returns)
            .into_iter()
            .map(|source| format!("{}: {}", source.publisher, source.title))
            .collect();
        let titles: Vec<String> = titles.into_iter().collect();
        let periods = self.selection.periods.iter();
        let unit = Unit {
            label: Label::new("kommuner", "municipalities"),
            decimals: 0,
        };
        Table {
            dimensions: vec![
                Dimension {
                    code: "area",
                    label: Label::new("Område", "Area"),
                    role: Role::Geo,
                    categories: count::areas(&self.frozen, &self.selection)
                        .into_iter()
                        .map(|area| Category::new(&area.code, Label::same(&area.name)))
                        .collect(),
                },
                Dimension {
                    code: "period",
                    label: Label::new("Period", "Period"),
                    role: Role::Time,
                    categories: periods
                        .filter_map(|no| self.frozen.catalogue.period(*no))
                        .map(|period| Category::new(&period.code, Label::same(&period.code)))
                        .collect(),
                },
            ],
            metrics: vec![
                Metric::new(
                    "reported",
                    Label::new(
                        "Kommuner med godkänd rapport",
                        "Municipalities with an approved report",
                    ),
                )
                .of_unit(unit.clone()),
                Metric::new(
                    "expected",
                    Label::new("Kommuner som fanns", "Municipalities that existed"),
                )
                .of_unit(unit),
            ],
            rows: returns
                .iter()
                .map(|row| {
                    let existed = row.by != ReportedBy::DidNotExist;
                    let number = |n: u32| existed.then(|| f64::from(n));
                    Row {
                        values: vec![number(row.reported), number(row.expected)],
                        status: row.status().as_str(),
                        remark: Some(remark(row)),
                    }
                })
                .collect(),
            notes: self.notes(),
            source: Label::same(titles.join("; ")),
            protection: "none",
            statuses: deliver::statuses(),
            ..envelope.table("coverage", form)
        }
    }
}
