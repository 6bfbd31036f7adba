//! What is asked of `/statistics/coverage`: the parameters, and what they mean in one publication.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::http::lang::Lang;
use crate::http::params::{AnyOf, One, did_you_mean};
use crate::participation::codes::{Denominator, MeasureKind};
use crate::problem::{ApiResult, Problem, text};
use crate::statistics::codes::Level;
use crate::statistics::deliver::{Dialect, Format};
use crate::statistics::frozen::{Frozen, Report};
use crate::statistics::geography;
use crate::values::{AreaCode, MeasureCode};

/// The levels that returns are counted for. Districts are not expected to report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CoverageLevel {
    /// The whole country as one row.
    Country,
    /// Counties.
    #[default]
    Region,
    /// Municipalities.
    Municipality,
}

impl CoverageLevel {
    /// As a level of area.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Country => Level::Country,
            Self::Region => Level::Region,
            Self::Municipality => Level::Municipality,
        }
    }
}

/// Parameters of `/statistics/coverage`.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoverageQuery {
    /// Name of the publication, or `latest`.
    #[param(default = "latest", example = "2025.1")]
    pub publication: Option<String>,
    /// Periods by their codes, comma separated, or `latest`: the last one with a report. Without it, every period that
    /// the publication has reports of.
    #[param(example = "2024")]
    pub period: Option<String>,
    /// What kind of areas the rows are.
    #[param(default = "region", example = "region")]
    pub level: Option<CoverageLevel>,
    /// Only areas that are this one or lie in it.
    #[param(value_type = Option<String>, default = "SE", example = "18")]
    pub within: Option<One<AreaCode>>,
    /// Only reports with numbers of this measure. For a share that is computed, its numerator counts.
    #[param(value_type = Option<String>, example = "pupils")]
    pub measure: Option<One<MeasureCode>>,
    /// Only reports of these sources: ids, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub source: Option<AnyOf<Uuid>>,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// The checked question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Places in the list of periods, in the order of time.
    pub periods: Vec<i16>,
    /// What the rows are.
    pub level: CoverageLevel,
    /// The area that the rows lie in.
    pub within: String,
    /// The measure that was asked for.
    pub measure: Option<String>,
    /// Reports with one of these measures count; empty for all.
    pub measures: BTreeSet<String>,
    /// Sources by id, as asked for.
    pub sources: Vec<Uuid>,
    /// Reports of these sources count; none for all.
    pub source_nos: Option<BTreeSet<i16>>,
}

impl Selection {
    /// Reads the parameters against a publication.
    ///
    /// # Errors
    /// 400 that names the parameter and the rule: a period, area, measure or source that the publication does not
    /// know, or an area too fine for the level.
    pub fn new(query: &CoverageQuery, frozen: &Frozen) -> ApiResult<Self> {
        let level = query.level.unwrap_or_default();
        let within = query.within.as_ref().map_or("SE", |one| one.0.as_str());
        place(frozen, within, level)?;
        let mut selection = Self {
            level,
            within: within.to_owned(),
            ..Self::default()
        };
        if let Some(One(code)) = &query.measure {
            selection.measures = measures(frozen, code.as_str())?;
            selection.measure = Some(code.as_str().to_owned());
        }
        if let Some(AnyOf(ids)) = &query.source {
            selection.source_nos = Some(sources(frozen, ids)?);
            selection.sources.clone_from(ids);
            selection.sources.sort_unstable();
            selection.sources.dedup();
        }
        selection.periods = periods(frozen, &selection, query.period.as_deref())?;
        Ok(selection)
    }

    /// Whether a report counts.
    #[must_use]
    pub fn holds(&self, report: &Report) -> bool {
        let of_source = self
            .source_nos
            .as_ref()
            .is_none_or(|nos| nos.contains(&report.source_no));
        let of_measure = self.measures.is_empty()
            || report
                .numbers
                .keys()
                .any(|code| self.measures.contains(code));
        of_source && of_measure
    }

    /// The areas that a report counts for: those that it has numbers of. One without any number counts for its own.
    #[must_use]
    pub fn told<'r>(&self, report: &'r Report) -> BTreeSet<&'r str> {
        if !self.holds(report) {
            return BTreeSet::new();
        }
        if report.numbers.is_empty() {
            return BTreeSet::from([report.area.as_str()]);
        }
        report
            .numbers
            .iter()
            .filter(|(code, _)| self.measures.is_empty() || self.measures.contains(*code))
            .flat_map(|(_, areas)| areas)
            .map(String::as_str)
            .collect()
    }

    /// The question as the parameters of an address.
    #[must_use]
    pub fn canonical(&self, frozen: &Frozen) -> Vec<(&'static str, String)> {
        let periods: Vec<&str> = self
            .periods
            .iter()
            .filter_map(|no| frozen.catalogue.period(*no))
            .map(|period| period.code.as_str())
            .collect();
        let sources: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        let all = [
            ("period", periods.join(",")),
            ("level", self.level.level().as_str().to_owned()),
            ("within", self.within.clone()),
            ("measure", self.measure.clone().unwrap_or_default()),
            ("source", sources.join(",")),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

fn place(frozen: &Frozen, within: &str, level: CoverageLevel) -> ApiResult<()> {
    let Some(area) = frozen.places.area(within) else {
        return Err(geography::unknown("within", within));
    };
    if area.level <= level.level() {
        return Ok(());
    }
    let name = level.level();
    Err(Problem::parameter(
        "within",
        "finer_than_level",
        text(
            format!("{within} är finare än level={name}: inget område av den nivån ligger där."),
            format!("{within} is finer than level={name}: no area of that level lies in it."),
        ),
    ))
}

/// The measure, and what a share of residents is computed from.
fn measures(frozen: &Frozen, code: &str) -> ApiResult<BTreeSet<String>> {
    let all = &frozen.catalogue.measures;
    let Some(measure) = frozen.catalogue.measure(code) else {
        return Err(Problem::parameter(
            "measure",
            "unknown_measure",
            did_you_mean(code, all.iter().map(|measure| measure.code.as_str())),
        ));
    };
    let computed =
        measure.kind == MeasureKind::Share && measure.denominator == Some(Denominator::Residents);
    let numerator = measure.numerator.clone().filter(|_| computed);
    Ok(std::iter::once(code.to_owned()).chain(numerator).collect())
}

fn sources(frozen: &Frozen, ids: &[Uuid]) -> ApiResult<BTreeSet<i16>> {
    ids.iter()
        .map(|id| {
            let mut sources = frozen.catalogue.sources.iter();
            let place = sources.position(|source| source.id == *id);
            place.and_then(|no| i16::try_from(no).ok()).ok_or_else(|| {
                Problem::parameter(
                    "source",
                    "not_in_publication",
                    text(
                        format!("Källan {id} finns inte i publiceringen."),
                        format!("Source {id} is not in the publication."),
                    ),
                )
            })
        })
        .collect()
}

/// The labels of undated periods are free text and can hold commas, so the whole value is tried before its parts.
fn periods(frozen: &Frozen, selection: &Selection, asked: Option<&str>) -> ApiResult<Vec<i16>> {
    let with_reports = |reports: &mut dyn Iterator<Item = &Report>| -> BTreeSet<i16> {
        reports.map(|report| report.period_no).collect()
    };
    let reports = &frozen.returns.reports;
    let Some(asked) = asked.map(str::trim) else {
        return Ok(with_reports(&mut reports.iter()).into_iter().collect());
    };
    if asked == "latest" {
        let held = with_reports(&mut reports.iter().filter(|report| selection.holds(report)));
        let dated = |no: &&i16| {
            let period = frozen.catalogue.period(**no);
            period.is_some_and(|period| period.last_day.is_some())
        };
        return Ok(held.iter().rev().find(dated).copied().into_iter().collect());
    }
    let found = |code: &str| {
        frozen.catalogue.period_no(code).ok_or_else(|| {
            let known = frozen.catalogue.periods.iter();
            Problem::parameter(
                "period",
                "unknown_period",
                did_you_mean(code, known.map(|period| period.code.as_str())),
            )
        })
    };
    if let Ok(one) = found(asked) {
        return Ok(vec![one]);
    }
    let all: ApiResult<BTreeSet<i16>> = asked.split(',').map(|code| found(code.trim())).collect();
    Ok(all?.into_iter().collect())
}
