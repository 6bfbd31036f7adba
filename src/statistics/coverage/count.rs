//! Counting the returns of a publication.

use std::collections::{BTreeSet, HashMap};

use super::selection::Selection;
use crate::statistics::codes::{CellStatus, Level, ReportedBy};
use crate::statistics::frozen::{Area, Frozen, Period, Report};
use crate::statistics::geography;

/// A municipality that no report has numbers of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing<'a> {
    /// The municipality.
    pub area: &'a Area,
    /// Whether districts of it have reported.
    pub districts: bool,
}

/// What is there of one area and period.
#[derive(Clone, Debug)]
pub struct Return<'a> {
    /// The area.
    pub area: &'a Area,
    /// The period.
    pub period: &'a Period,
    /// Municipalities that a report has numbers of, of those that existed on the last day of the period; of a municipality
    /// itself 1 or 0.
    pub reported: u32,
    /// Municipalities that existed on that day; 1 for a municipality itself.
    pub expected: u32,
    /// Who reported.
    pub by: ReportedBy,
    /// Municipalities without a report, by code.
    pub missing: Vec<Missing<'a>>,
    /// The reports with numbers of the area itself, and of the districts of a municipality.
    pub reports: Vec<&'a Report>,
}

impl Return<'_> {
    /// The status that the area's numbers have: an area with a figure of its own is complete, however few of its
    /// municipalities have reported.
    #[must_use]
    pub fn status(&self) -> CellStatus {
        match self.by {
            ReportedBy::Itself
            | ReportedBy::WiderReport
            | ReportedBy::AllMunicipalities
            | ReportedBy::OwnReportOnly
            | ReportedBy::OwnReportAndSome => CellStatus::Reported,
            ReportedBy::SomeMunicipalities | ReportedBy::DistrictsOnly => CellStatus::Partial,
            ReportedBy::Nobody => CellStatus::MissingNotSubmitted,
            ReportedBy::DidNotExist => CellStatus::NotApplicable,
        }
    }
}

/// The areas of the rows, by code: those of the level inside the place that was asked for which exist in one of the
/// periods or are told by a report.
#[must_use]
pub fn areas<'a>(frozen: &'a Frozen, selection: &Selection) -> Vec<&'a Area> {
    let level = selection.level.level();
    let reports = frozen.returns.reports.iter();
    let told: BTreeSet<&str> = reports
        .filter(|report| selection.periods.contains(&report.period_no))
        .flat_map(|report| selection.told(report))
        .collect();
    let in_time = |area: &Area| {
        let mut periods = selection.periods.iter();
        told.contains(area.code.as_str())
            || periods.any(|no| {
                let period = frozen.catalogue.period(*no);
                period.is_some_and(|period| exists(frozen, area, period))
            })
    };
    frozen
        .places
        .areas
        .iter()
        .filter(|area| area.level == level)
        .filter(|area| geography::inside(&frozen.places, &area.code, &selection.within))
        .filter(|area| in_time(area))
        .collect()
}

/// Whether an area exists at the end of a period; undated ones are judged by the day of the publication.
fn exists(frozen: &Frozen, area: &Area, period: &Period) -> bool {
    let day = period
        .last_day
        .unwrap_or_else(|| frozen.published_at.date_naive());
    geography::exists_on(area, day)
}

/// The returns of every area and period: areas in their order, for each the periods in theirs.
#[must_use]
pub fn count<'a>(frozen: &'a Frozen, selection: &Selection, areas: &[&'a Area]) -> Vec<Return<'a>> {
    let municipalities: Vec<&Area> = frozen
        .places
        .areas
        .iter()
        .filter(|area| area.level == Level::Municipality)
        .collect();
    let by_period: Vec<(&Period, Reports<'a>)> = selection
        .periods
        .iter()
        .filter_map(|no| {
            let period = frozen.catalogue.period(*no)?;
            Some((period, Reports::new(frozen, selection, *no)))
        })
        .collect();
    let mut all = Vec::with_capacity(areas.len() * by_period.len());
    for area in areas {
        let parts: Vec<&Area> = municipalities
            .iter()
            .copied()
            .filter(|part| geography::inside(&frozen.places, &part.code, &area.code))
            .collect();
        for (period, reports) in &by_period {
            all.push(if area.level == Level::Municipality {
                of_municipality(frozen, area, period, reports)
            } else {
                of_wider(frozen, area, &parts, period, reports)
            });
        }
    }
    all
}

/// The reports of one period that count: by the areas that they tell, and those that tell districts by the municipality.
#[derive(Debug, Default)]
struct Reports<'a> {
    own: HashMap<&'a str, Vec<&'a Report>>,
    districts: HashMap<&'a str, Vec<&'a Report>>,
}

impl<'a> Reports<'a> {
    fn new(frozen: &'a Frozen, selection: &Selection, period: i16) -> Self {
        let mut reports = Self::default();
        let of_period = frozen.returns.reports.iter();
        for report in of_period.filter(|report| report.period_no == period) {
            for told in selection.told(report) {
                reports.own.entry(told).or_default().push(report);
                let municipality = geography::municipality(&frozen.places, told);
                if let Some(area) = municipality.filter(|area| area.code != told) {
                    let known = reports.districts.entry(&area.code).or_default();
                    // One report can tell of several districts.
                    if known.last().is_none_or(|last| last.id != report.id) {
                        known.push(report);
                    }
                }
            }
        }
        reports
    }

    fn of(&self, code: &str) -> &[&'a Report] {
        self.own.get(code).map_or(&[], Vec::as_slice)
    }

    fn of_districts(&self, code: &str) -> &[&'a Report] {
        self.districts.get(code).map_or(&[], Vec::as_slice)
    }
}

fn of_municipality<'a>(
    frozen: &Frozen,
    area: &'a Area,
    period: &'a Period,
    reports: &Reports<'a>,
) -> Return<'a> {
    let (own, districts) = (reports.of(&area.code), reports.of_districts(&area.code));
    let existed = exists(frozen, area, period);
    let by = match (own.is_empty(), districts.is_empty()) {
        (false, _) if own.iter().any(|report| report.area == area.code) => ReportedBy::Itself,
        (false, _) => ReportedBy::WiderReport,
        (true, false) => ReportedBy::DistrictsOnly,
        (true, true) if existed => ReportedBy::Nobody,
        (true, true) => ReportedBy::DidNotExist,
    };
    Return {
        area,
        period,
        reported: u32::from(!own.is_empty()),
        expected: u32::from(by != ReportedBy::DidNotExist),
        by,
        missing: Vec::new(),
        reports: own
            .iter()
            .chain(districts.iter().filter(|report| !own.contains(report)))
            .copied()
            .collect(),
    }
}

fn of_wider<'a>(
    frozen: &Frozen,
    area: &'a Area,
    parts: &[&'a Area],
    period: &'a Period,
    reports: &Reports<'a>,
) -> Return<'a> {
    let expected: Vec<&Area> = parts
        .iter()
        .copied()
        .filter(|part| exists(frozen, part, period))
        .collect();
    let missing: Vec<Missing<'a>> = expected
        .iter()
        .filter(|part| reports.of(&part.code).is_empty())
        .map(|part| Missing {
            area: part,
            districts: !reports.of_districts(&part.code).is_empty(),
        })
        .collect();
    let reported = expected.len() - missing.len();
    let own = reports.of(&area.code);
    let some = reported > 0 || missing.iter().any(|part| part.districts);
    let by = if !expected.is_empty() && missing.is_empty() {
        ReportedBy::AllMunicipalities
    } else {
        match (own.is_empty(), some) {
            (false, false) => ReportedBy::OwnReportOnly,
            (false, true) => ReportedBy::OwnReportAndSome,
            (true, true) => ReportedBy::SomeMunicipalities,
            (true, false) if exists(frozen, area, period) => ReportedBy::Nobody,
            (true, false) => ReportedBy::DidNotExist,
        }
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Return {
        area,
        period,
        reported: count(reported),
        expected: count(expected.len()),
        by,
        missing,
        reports: own.to_vec(),
    }
}
