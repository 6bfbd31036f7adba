//! Seven reports, counted by hand.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use rstest::rstest;
use uuid::Uuid;

use super::answer::CoverageAnswer;
use super::count::{areas, count};
use super::selection::{CoverageLevel, CoverageQuery, Selection};
use crate::http::params::{AnyOf, One};
use crate::participation::codes::{Denominator, MeasureKind, MeasureUnit, PeriodKind};
use crate::statistics::codes::ReportedBy;
use crate::statistics::cube::Additive;
use crate::statistics::frozen::{
    Both, Catalogue, Frozen, Measure, Network, Period, Report, Returns, Source, Told,
};
use crate::statistics::geography::sample;

const UNDATED: &str = "odaterad (sidan nämner 2018, 2019)";

fn period(code: &str) -> Period {
    let day = |month_day: &str| format!("{code}-{month_day}").parse::<NaiveDate>().ok();
    Period {
        kind: if code == UNDATED {
            PeriodKind::Undated
        } else {
            PeriodKind::Year
        },
        code: code.to_owned(),
        first_day: day("01-01"),
        last_day: day("12-31"),
    }
}

fn measure(code: &str, numerator: Option<&str>) -> Measure {
    Measure {
        code: code.to_owned(),
        kind: if numerator.is_some() {
            MeasureKind::Share
        } else {
            MeasureKind::Count
        },
        unit: MeasureUnit::Persons,
        label: Both::default(),
        definition: Both::default(),
        numerator: numerator.map(str::to_owned),
        denominator: numerator.map(|_| Denominator::Residents),
        denominator_ages: None,
        source_url: None,
        additive: Additive {
            subjects: false,
            forms: false,
        },
        bases: Vec::new(),
        counted: numerator.is_none(),
        breaks: Vec::new(),
        notes: Vec::new(),
    }
}

fn source(n: u128) -> Source {
    Source {
        id: Uuid::from_u128(n),
        title: format!("Källa {n}"),
        publisher: "Kulturrådet".to_owned(),
        url: None,
        published_on: None,
        official: false,
    }
}

fn report(source_no: i16, period_no: i16, area: &str, measure: &str) -> Report {
    Report {
        id: Uuid::now_v7(),
        version: 1,
        source_no,
        period_no,
        area: area.to_owned(),
        numbers: [(measure.to_owned(), [area.to_owned()].into())].into(),
        approved_at: None,
    }
}

fn frozen() -> Frozen {
    Frozen {
        id: Uuid::from_u128(1),
        name: "2026.1".to_owned(),
        title: Both::default(),
        synthetic: false,
        published_at: "2026-06-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        catalogue: Catalogue {
            measures: vec![
                measure("pupils", None),
                measure("places", None),
                measure("pupils_share", Some("pupils")),
            ],
            periods: vec![period("2019"), period("2024"), period(UNDATED)],
            sources: vec![source(1), source(2)],
            ..Catalogue::default()
        },
        places: sample::places(),
        returns: Returns {
            reports: vec![
                report(0, 0, "1880", "pupils"),
                report(0, 0, "1881", "pupils"),
                report(1, 0, "1899", "pupils"),
                report(0, 1, "1880", "pupils"),
                report(1, 1, "1880-vivalla", "places"),
                report(1, 1, "14", "pupils"),
                report(0, 2, "SE", "pupils"),
            ],
        },
        told: Told::default(),
        network: Network::default(),
    }
}

/// Area, period, reported of expected, who, and who is missing.
fn rows(query: &CoverageQuery) -> Vec<String> {
    rows_of(&frozen(), query)
}

fn rows_of(frozen: &Frozen, query: &CoverageQuery) -> Vec<String> {
    let selection = Selection::new(query, frozen).unwrap();
    let areas = areas(frozen, &selection);
    count(frozen, &selection, &areas)
        .iter()
        .map(|row| {
            let missing: Vec<String> = row
                .missing
                .iter()
                .map(|missing| {
                    let mark = if missing.districts { "*" } else { "" };
                    format!(" {}{mark}", missing.area.code)
                })
                .collect();
            format!(
                "{} {} {}/{} {} {}{}",
                row.area.code,
                row.period.code.split(' ').next().unwrap(),
                row.reported,
                row.expected,
                row.by,
                row.status(),
                missing.concat()
            )
        })
        .collect()
}

fn of(level: CoverageLevel, period: &str) -> CoverageQuery {
    CoverageQuery {
        level: Some(level),
        period: Some(period.to_owned()),
        ..CoverageQuery::default()
    }
}

#[test]
fn a_county_counts_the_municipalities_that_existed_on_the_last_day() {
    assert_eq!(
        rows(&of(CoverageLevel::Region, "2019,2024")),
        [
            "14 2019 0/1 nobody missing_not_submitted 1480",
            "14 2024 0/1 own_report_only reported 1480",
            "18 2019 3/3 all_municipalities reported",
            "18 2024 1/2 some_municipalities partial 1881",
        ]
    );
}

#[test]
fn a_municipality_has_reported_or_not_and_districts_are_told_apart() {
    let query = CoverageQuery {
        within: Some(One("18".parse().unwrap())),
        ..of(CoverageLevel::Municipality, "2019,2024")
    };
    assert_eq!(
        rows(&query),
        [
            "1880 2019 1/1 itself reported",
            "1880 2024 1/1 itself reported",
            "1881 2019 1/1 itself reported",
            "1881 2024 0/1 nobody missing_not_submitted",
            "1899 2019 1/1 itself reported",
            "1899 2024 0/0 did_not_exist not_applicable",
        ]
    );
    let places = CoverageQuery {
        measure: Some(One("places".parse().unwrap())),
        within: Some(One("18".parse().unwrap())),
        ..of(CoverageLevel::Municipality, "2024")
    };
    assert_eq!(
        rows(&places),
        [
            "1880 2024 0/1 districts_only partial",
            "1881 2024 0/1 nobody missing_not_submitted",
        ]
    );
    let region = CoverageQuery {
        level: Some(CoverageLevel::Region),
        ..places
    };
    assert_eq!(
        rows(&region),
        ["18 2024 0/2 some_municipalities partial 1880* 1881"]
    );
}

#[test]
fn the_country_and_undated_periods() {
    assert_eq!(
        rows(&of(CoverageLevel::Country, "2024")),
        ["SE 2024 1/3 some_municipalities partial 1480 1881"]
    );
    // The label holds a comma and is one period all the same; 1899 does not exist on the day of the publication.
    assert_eq!(
        rows(&of(CoverageLevel::Country, UNDATED)),
        ["SE odaterad 0/3 own_report_only reported 1480 1880 1881"]
    );
}

#[test]
fn a_report_of_a_wider_area_counts_for_the_municipalities_that_it_has_numbers_of() {
    let mut frozen = frozen();
    // A national one of 2024: pupils of Göteborg and Kumla, places of a district of Örebro, nothing of the country.
    let numbers = [
        ("pupils", &["1480", "1881"][..]),
        ("places", &["1880-vivalla"]),
    ];
    let told = |areas: &[&str]| areas.iter().map(|area| (*area).to_owned()).collect();
    frozen.returns.reports.push(Report {
        numbers: numbers
            .iter()
            .map(|(measure, areas)| ((*measure).to_owned(), told(areas)))
            .collect(),
        ..report(1, 1, "SE", "pupils")
    });
    assert_eq!(
        rows_of(&frozen, &of(CoverageLevel::Region, "2024")),
        [
            "14 2024 1/1 all_municipalities reported",
            "18 2024 2/2 all_municipalities reported",
        ]
    );
    assert_eq!(
        rows_of(&frozen, &of(CoverageLevel::Municipality, "2024")),
        [
            "1480 2024 1/1 wider_report reported",
            "1880 2024 1/1 itself reported",
            "1881 2024 1/1 wider_report reported",
        ]
    );
    let places = CoverageQuery {
        measure: Some(One("places".parse().unwrap())),
        ..of(CoverageLevel::Municipality, "2024")
    };
    let expected = "1880 2024 0/1 districts_only partial";
    assert!(rows_of(&frozen, &places).contains(&expected.to_owned()));
    // It has no figure of the country, so the country is what its municipalities are.
    frozen.returns.reports.retain(|report| report.area == "SE");
    assert_eq!(
        rows_of(&frozen, &of(CoverageLevel::Country, "2024")),
        ["SE 2024 2/3 some_municipalities partial 1880*"]
    );
}

#[rstest]
#[case::share_by_its_numerator(
    Some("pupils_share"),
    None,
    "18 2024 1/2 some_municipalities partial 1881"
)]
#[case::other_source(None, Some(2), "18 2024 0/2 some_municipalities partial 1880* 1881")]
#[case::source_without_the_measure(
    Some("places"),
    Some(1),
    "18 2024 0/2 nobody missing_not_submitted 1880 1881"
)]
fn measures_and_sources_select(
    #[case] measure: Option<&str>,
    #[case] source: Option<u128>,
    #[case] expected: &str,
) {
    let query = CoverageQuery {
        within: Some(One("18".parse().unwrap())),
        measure: measure.map(|code| One(code.parse().unwrap())),
        source: source.map(|n| AnyOf(vec![Uuid::from_u128(n)])),
        ..of(CoverageLevel::Region, "2024")
    };
    assert_eq!(rows(&query), [expected]);
}

#[test]
fn the_latest_period_is_the_last_dated_one_with_a_report_that_counts() {
    let periods = |query: CoverageQuery| Selection::new(&query, &frozen()).unwrap().periods;
    assert_eq!(periods(of(CoverageLevel::Region, "latest")), [1]);
    assert_eq!(periods(CoverageQuery::default()), [0, 1, 2]);
    let none = CoverageQuery {
        source: Some(AnyOf(vec![Uuid::from_u128(2)])),
        measure: Some(One("pupils".parse().unwrap())),
        ..of(CoverageLevel::Region, "latest")
    };
    assert_eq!(periods(none), [1]);
}

#[rstest]
#[case(of(CoverageLevel::Region, "2020"), "unknown_period")]
#[case(CoverageQuery { within: Some(One("1880".parse().unwrap())), ..of(CoverageLevel::Region, "2024") }, "finer_than_level")]
#[case(CoverageQuery { within: Some(One("77".parse().unwrap())), ..of(CoverageLevel::Region, "2024") }, "unknown_area")]
#[case(CoverageQuery { measure: Some(One("pupil".parse().unwrap())), ..of(CoverageLevel::Region, "2024") }, "unknown_measure")]
#[case(CoverageQuery { source: Some(AnyOf(vec![Uuid::from_u128(9)])), ..of(CoverageLevel::Region, "2024") }, "not_in_publication")]
fn a_question_that_cannot_be_meant_is_refused(#[case] query: CoverageQuery, #[case] rule: &str) {
    let refused = format!("{:?}", Selection::new(&query, &frozen()).unwrap_err());
    assert!(refused.contains(rule), "{refused}");
}

#[test]
fn too_many_rows_are_refused_before_they_are_counted() {
    let mut frozen = frozen();
    let undated = (0..30_000).map(|n| Period {
        code: format!("{n}"),
        ..period(UNDATED)
    });
    frozen.catalogue.periods = undated.collect();
    let selection = Selection {
        periods: (0..30_000).collect(),
        level: CoverageLevel::Region,
        within: "SE".to_owned(),
        ..Selection::default()
    };
    let refused = CoverageAnswer::new(Arc::new(frozen), selection)
        .err()
        .unwrap();
    let refused = format!("{refused:?}");
    assert!(
        refused.contains("too_many_cells") && refused.contains("60000 rows"),
        "{refused}"
    );
}

#[test]
fn every_way_of_reporting_has_a_label() {
    for code in ReportedBy::LIST.codes {
        assert!(
            !code.label_sv.is_empty() && code.label_sv != code.label_en,
            "{}",
            code.code
        );
    }
}
