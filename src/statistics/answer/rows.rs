//! An answer as JSON rows: each cell with everything that is known of it.

use chrono::NaiveDate;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::head::population;
use crate::formats::table::Label;
use crate::http::lang::Lang;
use crate::participation::codes::Precision;
use crate::statistics::codes::{CellStatus, Dimension, Included, Level, Origin, Reason};
use crate::statistics::frozen::{Frozen, Measure, Period};
use crate::statistics::query::{Group, Place};
use crate::statistics::rates::{self, Answer, Cell, Coverage};
use crate::values::CodeList;

/// A cell of an answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsRow)]
pub struct RowOut {
    /// The measure.
    #[schema(example = "pupils_share")]
    pub measure: String,
    /// The area; absent for other kinds of places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "1880")]
    pub area: Option<String>,
    /// The collaboration; absent for other kinds of places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub collaboration: Option<String>,
    /// The partner category; absent for other kinds of places.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sports_association")]
    pub partner_category: Option<String>,
    /// Name of the place.
    #[schema(example = "Örebro")]
    pub label: String,
    /// The period.
    #[schema(example = "2024")]
    pub period: String,
    /// Gender, if something is selected or split by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "girls")]
    pub gender: Option<String>,
    /// Ages, if something is selected or split by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "6-9")]
    pub age_band: Option<String>,
    /// Subject, if something is selected or split by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "dance")]
    pub subject: Option<String>,
    /// Form of activity, if something is selected or split by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "subject_course")]
    pub activity_form: Option<String>,
    /// The number: shares in percent with two decimals. Null if there is none; `status` says why.
    #[serde(serialize_with = "plain")]
    #[schema(example = 14.25)]
    pub value: Option<f64>,
    /// How good the number is, or why there is none.
    pub status: CellStatus,
    /// The status, for people.
    #[schema(example = "Rapporterad")]
    pub status_label: &'static str,
    /// Where the number comes from; null without a number.
    pub origin: Option<Origin>,
    /// How exact the words of the source that published the number are; absent for computed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// With `include=numerator`: what a computed share counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3120)]
    pub numerator: Option<i64>,
    /// With `include=denominator`: the residents that a computed share is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominator: Option<RowDenominator>,
    /// With `include=coverage`, and wherever a part is missing: how many parts of the place have reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageOut>,
    /// Why the number is missing or incomplete; absent if it is neither.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub reasons: Vec<ReasonOut>,
}

/// The residents that a share is of.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsRowDenominator)]
pub struct RowDenominator {
    /// How many.
    #[schema(example = 21_894)]
    pub value: i64,
    /// The year.
    #[schema(example = 2024)]
    pub year: Option<i32>,
    /// Their ages.
    #[schema(example = "6-19")]
    pub age_band: String,
    /// The day that they were counted for.
    #[schema(example = "2024-12-31")]
    pub reference_date: Option<NaiveDate>,
    /// Who counted them.
    #[schema(example = "SCB")]
    pub source: Option<String>,
}

/// How much of a place is in its number.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsCoverage)]
pub struct CoverageOut {
    /// Parts in the number.
    #[schema(example = 10)]
    pub reported: i32,
    /// Parts there are.
    #[schema(example = 12)]
    pub expected: i32,
    /// What the parts are.
    pub level: Level,
}

impl From<Coverage> for CoverageOut {
    fn from(coverage: Coverage) -> Self {
        Self {
            reported: coverage.reported,
            expected: coverage.expected,
            level: coverage.level,
        }
    }
}

/// A reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StatisticsReason)]
pub struct ReasonOut {
    /// Its code.
    pub code: Reason,
    /// The reason, for people.
    #[schema(example = "Alla delar har inte rapporterat")]
    pub label: &'static str,
}

impl ReasonOut {
    /// In one language.
    #[must_use]
    pub fn of(reason: Reason, lang: Lang) -> Self {
        Self {
            code: reason,
            label: labelled(&Reason::LIST, reason.as_str(), lang),
        }
    }
}

/// The label of a code of a closed vocabulary.
#[must_use]
pub fn labelled(list: &CodeList, code: &str, lang: Lang) -> &'static str {
    list.find(code)
        .map_or("", |known| lang.pick(known.label_sv, known.label_en))
}

/// Writes a whole number without a decimal point.
///
/// # Errors
/// When the serialiser fails.
pub fn plain<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        None => serializer.serialize_none(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be a whole number far inside i64"
        )]
        Some(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
            serializer.serialize_i64(*value as i64)
        }
        Some(value) => serializer.serialize_f64(*value),
    }
}

/// The rows of an answer, in the order of its cells.
#[must_use]
pub fn rows(frozen: &Frozen, answer: &Answer, included: &[Included], lang: Lang) -> Vec<RowOut> {
    let question = &answer.question;
    let labels: Vec<Label> = question
        .places
        .iter()
        .map(|place| place.label(frozen))
        .collect();
    let splits = &question.splits;
    let mut cells = answer.cells.iter();
    let mut rows = Vec::with_capacity(answer.cells.len());
    for no in 0..question.measures.len() {
        let Some(measure) = question.measure(frozen, no) else {
            continue;
        };
        for (place, label) in question.places.iter().zip(&labels) {
            for period in question.known_periods(frozen) {
                let spot = Spot {
                    frozen,
                    measure,
                    place,
                    label: label.get(lang),
                    period,
                    included,
                    lang,
                };
                for gender in &splits.gender.groups {
                    for age in &splits.age.groups {
                        for subject in &splits.subject.groups {
                            for form in &splits.form.groups {
                                let Some(cell) = cells.next() else {
                                    return rows;
                                };
                                let shown = |dimension: Dimension, shown: bool, group: &Group| {
                                    shown.then(|| group.code(dimension))
                                };
                                rows.push(RowOut {
                                    gender: shown(Dimension::Gender, splits.gender.shown, gender),
                                    age_band: shown(Dimension::AgeBand, splits.age.shown, age),
                                    subject: shown(
                                        Dimension::Subject,
                                        splits.subject.shown,
                                        subject,
                                    ),
                                    activity_form: shown(
                                        Dimension::ActivityForm,
                                        splits.form.shown,
                                        form,
                                    ),
                                    ..spot.row(cell, age)
                                });
                            }
                        }
                    }
                }
            }
        }
    }
    rows
}

struct Spot<'a> {
    frozen: &'a Frozen,
    measure: &'a Measure,
    place: &'a Place,
    label: &'a str,
    period: &'a Period,
    included: &'a [Included],
    lang: Lang,
}

impl Spot<'_> {
    fn row(&self, cell: &Cell, age: &Group) -> RowOut {
        let is_share = self.measure.is_computed_share(&self.frozen.catalogue);
        let named = |kind: &str| (self.place.kind() == kind).then(|| self.place.code());
        let shows = |part: Included| self.included.contains(&part);
        let coverage = cell
            .coverage
            .filter(|coverage| shows(Included::Coverage) || coverage.reported < coverage.expected)
            .map(CoverageOut::from);
        RowOut {
            measure: self.measure.code.clone(),
            area: named("area"),
            collaboration: named("collaboration"),
            partner_category: named("partnerCategory"),
            label: self.label.to_owned(),
            period: self.period.code.clone(),
            gender: None,
            age_band: None,
            subject: None,
            activity_form: None,
            value: rates::shown(self.measure, cell),
            status: cell.status,
            status_label: labelled(&CellStatus::LIST, cell.status.as_str(), self.lang),
            origin: cell.origin,
            precision: cell.precision,
            numerator: cell
                .numerator
                .filter(|_| is_share && shows(Included::Numerator)),
            denominator: cell
                .denominator
                .filter(|_| shows(Included::Denominator))
                .map(|residents| self.denominator(residents, age)),
            coverage,
            reasons: cell
                .reasons
                .iter()
                .map(|reason| ReasonOut::of(*reason, self.lang))
                .collect(),
        }
    }

    fn denominator(&self, residents: i64, age: &Group) -> RowDenominator {
        let year = self.period.population_year();
        let (reference_date, source) =
            year.map_or((None, None), |year| population(self.frozen, year));
        RowDenominator {
            value: residents,
            year,
            age_band: match age {
                Group::Codes(_) => age.code(Dimension::AgeBand),
                _ => self.measure.denominator_ages.clone().unwrap_or_default(),
            },
            reference_date,
            source: source.map(|source| source.title.clone()),
        }
    }
}
