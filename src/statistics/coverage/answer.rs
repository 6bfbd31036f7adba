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
use crate::statistics::answer::head::{
    CitationOut, NoteOut, ParameterOut, PublicationOut, SourceOut, citation, empty_table,
};
use crate::statistics::answer::notes::invented;
use crate::statistics::answer::rows::labelled;
use crate::statistics::codes::{CellStatus, Level, Protection, ReportedBy};
use crate::statistics::deliver::{self, Answer, Form};
use crate::statistics::frozen::{Frozen, Places, Report, Source};
use crate::statistics::geography;

/// The most rows of one answer: areas times periods.
pub const MAX_ROWS: usize = 50_000;

/// Who has an approved report and who has not.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoverageStatistics {
    /// What the answer is from.
    pub publication: PublicationOut,
    /// The question as it was understood.
    #[schema(example = json!([{"name": "publication", "value": "2025.1"}, {"name": "period", "value": "2024"},
        {"name": "level", "value": "region"}, {"name": "within", "value": "18"}]))]
    pub parameters: Vec<ParameterOut>,
    /// What to know before reading the rows, mandatory notes first.
    #[schema(example = json!([{"mandatory": true,
        "text": "En rapport för ett län eller hela landet räknas för de kommuner som den har tal om, var för sig; ett tal för länet eller landet som helhet räknas inte för kommunerna."}]))]
    pub notes: Vec<NoteOut>,
    /// The sources of the reports that were counted, in their order of precedence.
    pub sources: Vec<SourceOut>,
    /// How to cite this answer.
    pub citation: CitationOut,
    /// The lasting address of this answer: it names the publication.
    #[schema(
        example = "https://samverkan.example.org/samverkan/v1/statistics/coverage?level=region&period=2024&within=18&publication=2025.1"
    )]
    pub permanent_url: String,
    /// One row for each area and period: areas by code, for each the periods in the order of time.
    pub rows: Vec<CoverageRow>,
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
    /// Municipalities with numbers in an approved report: their own, or one of a wider area that tells theirs; 1 or 0 for a
    /// municipality itself.
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
    /// The municipalities that no report has numbers of, by code. Empty for a municipality itself.
    pub missing: Vec<MissingMunicipality>,
    /// The reports of the area itself, those of wider areas that have numbers of it, and for a municipality those of its
    /// districts.
    pub reports: Vec<CoverageReport>,
}

/// A municipality that no report has numbers of.
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
    /// The area that it is of: the row's, a wider one, or a district.
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
    /// Measures that it has numbers of: of the row's area or its districts, whatever else it tells.
    #[schema(example = json!(["pupils"]))]
    pub measures: Vec<String>,
}

/// Everything that the answer is written from.
pub struct CoverageAnswer {
    frozen: Arc<Frozen>,
    selection: Selection,
}

fn title() -> Label {
    Label::new("Inlämnade rapporter", "Submitted reports")
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

    fn returns(&self) -> Vec<Return<'_>> {
        let areas = count::areas(&self.frozen, &self.selection);
        count::count(&self.frozen, &self.selection, &areas)
    }

    /// The sources of the reports that were counted, in their order.
    fn sources(&self, returns: &[Return<'_>]) -> Vec<&Source> {
        let municipal = self.selection.level.level() == Level::Municipality;
        // Rows of wider areas show their own reports only, and count those of their municipalities.
        let shown: BTreeSet<i16> = if municipal {
            returns
                .iter()
                .flat_map(|row| &row.reports)
                .map(|report| report.source_no)
                .collect()
        } else {
            let (places, within) = (&self.frozen.places, &self.selection.within);
            let counted = |report: &&Report| {
                self.selection
                    .told(report)
                    .into_iter()
                    .any(|area| geography::inside(places, area, within))
            };
            let all = self.frozen.returns.reports.iter();
            all.filter(|report| self.selection.periods.contains(&report.period_no))
                .filter(counted)
                .map(|report| report.source_no)
                .collect()
        };
        shown
            .into_iter()
            .filter_map(|no| self.frozen.catalogue.sources.get(usize::try_from(no).ok()?))
            .collect()
    }

    fn notes(&self) -> Vec<Note> {
        let note = |mandatory, sv: &str, en: &str| Note {
            mandatory,
            text: Label::new(sv, en),
        };
        let mut notes: Vec<Note> = invented(&self.frozen).into_iter().collect();
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
            "En rapport för ett län eller hela landet räknas för de kommuner som den har tal om, var för sig; ett tal för länet eller landet som helhet räknas inte för kommunerna.",
            "A report of a county or the whole country counts for the municipalities that it has numbers of, each by itself; a number of the county or country as a whole does not count for them.",
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
            status_label: labelled(&CellStatus::LIST, row.status().as_str(), lang),
            reported_by: row.by,
            reported_by_label: labelled(&ReportedBy::LIST, row.by.as_str(), lang),
            missing: row.missing.iter().map(MissingMunicipality::of).collect(),
            reports: row
                .reports
                .iter()
                .filter_map(|report| self.report(report, &row.area.code))
                .collect(),
        }
    }

    fn report(&self, report: &Report, area: &str) -> Option<CoverageReport> {
        let place = usize::try_from(report.source_no).ok()?;
        let source = self.frozen.catalogue.sources.get(place)?;
        Some(CoverageReport {
            area: report.area.clone(),
            source: source.id,
            source_title: source.title.clone(),
            approved_at: report.approved_at,
            measures: measures_of(&self.frozen.places, report, area),
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

/// The measures that a report has numbers of for an area; for a municipality those of its districts too.
fn measures_of(places: &Places, report: &Report, area: &str) -> Vec<String> {
    let municipality = Level::of(area) == Level::Municipality;
    let of_it =
        |told: &String| told == area || municipality && geography::inside(places, told, area);
    let numbers = report.numbers.iter();
    numbers
        .filter(|(_, areas)| areas.iter().any(of_it))
        .map(|(measure, _)| measure.clone())
        .collect()
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
    let by = |lang| labelled(&ReportedBy::LIST, row.by.as_str(), lang);
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
        let returns = self.returns();
        CoverageStatistics {
            publication: PublicationOut::of(&self.frozen, Protection::None, form.lang),
            parameters: ParameterOut::all(&self.frozen, self.selection.canonical(&self.frozen)),
            notes: NoteOut::all(&self.notes(), form.lang),
            sources: self
                .sources(&returns)
                .into_iter()
                .map(SourceOut::of)
                .collect(),
            citation: citation(&self.frozen, &title(), &form.permanent_url).into(),
            permanent_url: form.permanent_url.clone(),
            rows: returns.iter().map(|row| self.row(row, form.lang)).collect(),
        }
    }

    fn table(&self, form: &Form) -> Table {
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
                        "Kommuner med tal i en godkänd rapport",
                        "Municipalities with numbers in an approved report",
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
            protection: Protection::None.as_str(),
            statuses: deliver::statuses(),
            ..empty_table(&self.frozen, "coverage", title(), &form.permanent_url)
        }
    }
}
