//! A small publication, put into the tables as the making of publications does: eight areas, four measures, three
//! years. Every number in the tests can be added up by hand from here.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use samverkan::db::{Conn, WriteError};
use samverkan::participation::codes::{Denominator, MeasureKind, MeasureUnit, PeriodKind};
use samverkan::schema::{
    publication_blocks, publication_documents, publication_figures, publication_raw_blocks,
    publications,
};
use samverkan::statistics::codes::Level;
use samverkan::statistics::cube::{
    Additive, Ages, Cell, Dictionary, Quality, Residents, WHOLE, folded, pack,
};
use samverkan::statistics::frozen::{
    Area, Both, Break, Catalogue, Collaboration, Measure, Member, Network, Note, Partner,
    Partnership, Period, Places, Policy, Population, Report, Returns, SHAPE, Source,
};
use uuid::Uuid;

use crate::support::TestApp;

pub const NAME: &str = "2025.1";
const GIRLS: u8 = 1;
const BOYS: u8 = 2;
const YOUNG: u8 = 1;
const OLD: u8 = 2;
const DANCE: u8 = 1;
const DRAMA: u8 = 2;
const LONG: u8 = 2;
const TARGETED: u8 = 3;

/// 1880 from 2020, 1861 from 2024.
pub fn collaboration() -> Uuid {
    Uuid::from_u128(0x0190_3e2a_7b4c_7d5e_8f60_7182_93a4_b5c6)
}

fn both(text: &str) -> Both {
    Both {
        sv: format!("{text} (sv)"),
        en: format!("{text} (en)"),
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn measure(code: &str, unit: MeasureUnit, additive: bool, bases: &[&str]) -> Measure {
    Measure {
        code: code.to_owned(),
        kind: MeasureKind::Count,
        unit,
        label: both(code),
        definition: both("Definition"),
        numerator: None,
        denominator: None,
        denominator_ages: None,
        source_url: None,
        additive: Additive {
            subjects: additive,
            forms: additive,
        },
        bases: bases.iter().map(|basis| (*basis).to_owned()).collect(),
        counted: true,
        breaks: Vec::new(),
        notes: Vec::new(),
    }
}

fn share(code: &str, numerator: &str, denominator: Denominator, basis: &str) -> Measure {
    Measure {
        kind: MeasureKind::Share,
        numerator: Some(numerator.to_owned()),
        denominator: Some(denominator),
        denominator_ages: (denominator == Denominator::Residents).then(|| "6-19".to_owned()),
        counted: false,
        ..measure(code, MeasureUnit::Percent, false, &[basis])
    }
}

fn catalogue() -> Catalogue {
    let ages = |from, to, rest| Ages { from, to, rest };
    let year = |year: i32| Period {
        kind: PeriodKind::Year,
        code: year.to_string(),
        first_day: NaiveDate::from_ymd_opt(year, 1, 1),
        last_day: NaiveDate::from_ymd_opt(year, 12, 31),
    };
    let source = |n: u128, title: &str| Source {
        id: Uuid::from_u128(n),
        title: title.to_owned(),
        publisher: format!("{title}s utgivare"),
        url: Some("https://example.org/".to_owned()),
        published_on: Some("2025-03".to_owned()),
        official: false,
    };
    let note = |mandatory, area: Option<&str>, period: Option<&str>, text| Note {
        mandatory,
        area: area.map(str::to_owned),
        period: period.map(str::to_owned),
        text: both(text),
        source_url: None,
    };
    let policy = |dimension: &str, code: &str, threshold, finest_level| Policy {
        dimension: dimension.to_owned(),
        code: code.to_owned(),
        threshold,
        finest_level,
        reason: both("Reason"),
    };
    Catalogue {
        shape: SHAPE,
        dictionary: Dictionary {
            genders: ["girls", "boys", "other"].map(str::to_owned).to_vec(),
            ages: vec![ages(6, 9, false), ages(10, 19, false), ages(6, 19, true)],
            subjects: ["dance", "theatre_drama"].map(str::to_owned).to_vec(),
            forms: ["subject_course", "subject_course_long", "targeted_activity"]
                .map(str::to_owned)
                .to_vec(),
            ..Dictionary::default()
        },
        measures: vec![
            Measure {
                breaks: vec![Break {
                    first_period: "2018".to_owned(),
                    reason: both("New questionnaire"),
                    source_url: None,
                }],
                notes: vec![
                    note(true, None, Some("2017"), "Old count"),
                    note(true, None, Some("2024"), "Read with care"),
                    note(false, Some("18"), None, "Of the county"),
                    note(false, Some("19"), None, "Of another county"),
                ],
                ..measure("pupils", MeasureUnit::Persons, false, &["provider"])
            },
            measure(
                "pupil_places",
                MeasureUnit::Places,
                true,
                &["provider", "residence"],
            ),
            share("pupils_share", "pupils", Denominator::Residents, "provider"),
            share(
                "published_participation_share_unstated",
                "participants_unstated",
                Denominator::NotStated,
                "not_stated",
            ),
        ],
        periods: vec![year(2017), year(2023), year(2024)],
        sources: vec![
            source(1, "Enkät"),
            source(2, "Folkmängd"),
            source(3, "Rapport"),
        ],
        policies: vec![
            policy("any", "any", 5, Level::District),
            policy("gender", "other", 20, Level::Region),
        ],
    }
}

fn places() -> Places {
    let area = |code: &str, name: &str, level, scheme: &str| Area {
        code: code.to_owned(),
        name: name.to_owned(),
        level,
        parent: None,
        scheme: scheme.to_owned(),
        valid_from: (code == "1882").then(|| day("2024-01-01")),
        valid_to: None,
    };
    let member = |municipality: &str, from: &str| Member {
        municipality: municipality.to_owned(),
        from: Some(day(from)),
        to: None,
    };
    Places {
        areas: vec![
            area("18", "Örebro län", Level::Region, ""),
            area("1861", "Hallsberg", Level::Municipality, ""),
            area("1862", "Degerfors", Level::Municipality, ""),
            area("1880", "Örebro", Level::Municipality, ""),
            area("1880-a", "Norr", Level::District, "city:1880"),
            area("1882", "Askersund", Level::Municipality, ""),
            area("1980", "Västerås", Level::Municipality, ""),
            area("SE", "Sverige", Level::Country, ""),
        ],
        collaborations: vec![Collaboration {
            id: collaboration(),
            name: "Kulturskolesamverkan".to_owned(),
            members: vec![member("1880", "2020-01-01"), member("1861", "2024-01-01")],
        }],
        populations: [2017, 2023, 2024]
            .map(|year| Population {
                year,
                reference_date: NaiveDate::from_ymd_opt(year, 12, 31).unwrap(),
                source_no: 1,
            })
            .to_vec(),
    }
}

fn returns() -> Returns {
    let report = |period_no, area: &str, measures: &[&str], source_no| Report {
        id: Uuid::now_v7(),
        version: 1,
        source_no,
        period_no,
        area: area.to_owned(),
        numbers: measures
            .iter()
            .map(|code| ((*code).to_owned(), [area.to_owned()].into()))
            .collect(),
        approved_at: None,
    };
    Returns {
        reports: vec![
            report(0, "1880", &["pupils"], 0),
            report(1, "1880", &["pupils", "pupil_places"], 0),
            report(1, "1861", &["pupils"], 0),
            report(1, "1980", &["pupils"], 0),
            report(2, "1880", &["pupils", "pupil_places"], 0),
            report(2, "1861", &["pupils"], 0),
            report(2, "1980", &["pupils"], 0),
            report(
                2,
                "SE",
                &["pupils_share", "published_participation_share_unstated"],
                2,
            ),
        ],
    }
}

fn network() -> Network {
    let partner = |n: u128, category: &str| Partner {
        id: Uuid::from_u128(n),
        name: category.to_owned(),
        category: category.to_owned(),
        civil_society: true,
    };
    let partnership = |partner, area: &str, from: &str, to: Option<&str>| Partnership {
        id: Uuid::now_v7(),
        partner,
        project: None,
        collaboration: None,
        area: area.to_owned(),
        role: "partner".to_owned(),
        form: None,
        from: Some(from.to_owned()),
        to: to.map(str::to_owned),
        continues: None,
        source_url: None,
    };
    Network {
        partners: vec![
            partner(11, "sports_association"),
            partner(12, "cultural_association"),
        ],
        projects: Vec::new(),
        partnerships: vec![
            partnership(0, "1880", "2023-01", None),
            partnership(1, "1880-a", "2024-05", None),
            partnership(1, "1861", "2022-01", Some("2024-02")),
            // A county is no municipality.
            partnership(1, "18", "2022-01", None),
        ],
    }
}

struct Rows {
    measure: &'static str,
    basis: &'static str,
    period: i16,
    area: &'static str,
    coverage: (i32, i32),
    cells: Vec<Cell>,
    raw: Vec<Cell>,
    residents: Vec<Residents>,
}

fn cell(gender: u8, age: u8, subject: u8, form: u8, value: Option<i64>) -> Cell {
    Cell {
        gender,
        age,
        subject,
        form,
        quality: Quality::Reported,
        value,
    }
}

fn by(gender: u8, age: u8, value: i64) -> Cell {
    cell(gender, age, WHOLE, WHOLE, Some(value))
}

/// Residents 6–9 and 10–19, girls and boys.
fn people(girls: [i64; 2], boys: [i64; 2]) -> Vec<Residents> {
    let mut all = Vec::new();
    for (gender, [young, old]) in [(GIRLS, girls), (BOYS, boys)] {
        for (from, to, value) in [(6, 9, young), (10, 19, old)] {
            all.push(Residents {
                gender,
                from,
                to,
                value,
            });
        }
    }
    all
}

#[expect(
    clippy::too_many_lines,
    reason = "a table that is read from top to bottom"
)]
fn rows() -> Vec<Rows> {
    let row = |measure, period, area, cells: Vec<Cell>, residents: Vec<Residents>| Rows {
        measure,
        basis: "provider",
        period,
        area,
        coverage: (1, 1),
        raw: cells.clone(),
        cells,
        residents,
    };
    let orebro = vec![
        by(GIRLS, YOUNG, 120),
        by(BOYS, YOUNG, 80),
        by(GIRLS, OLD, 300),
        by(BOYS, OLD, 250),
    ];
    let hallsberg = vec![by(BOYS, YOUNG, 10), by(BOYS, OLD, 20)];
    let orebro_people = || people([2_900, 7_300], [3_100, 7_700]);
    let hallsberg_people = || people([290, 680], [310, 720]);
    let mut county = orebro.clone();
    county.extend(&hallsberg);
    vec![
        Rows {
            raw: vec![
                by(GIRLS, YOUNG, 120),
                by(BOYS, YOUNG, 83),
                by(GIRLS, OLD, 300),
                by(BOYS, OLD, 250),
            ],
            ..row("pupils", 2, "1880", orebro, orebro_people())
        },
        row("pupils", 2, "1861", hallsberg, hallsberg_people()),
        Rows {
            coverage: (2, 4),
            ..row(
                "pupils",
                2,
                "18",
                samverkan::statistics::cube::merged(county),
                people([3_190, 7_980], [3_410, 8_420]),
            )
        },
        row(
            "pupils",
            1,
            "1880",
            vec![
                by(GIRLS, YOUNG, 100),
                by(BOYS, YOUNG, 100),
                by(GIRLS, OLD, 250),
                by(BOYS, OLD, 250),
            ],
            orebro_people(),
        ),
        row(
            "pupils",
            1,
            "1861",
            vec![by(BOYS, OLD, 40)],
            hallsberg_people(),
        ),
        // All ages and genders in one number.
        row(
            "pupils",
            1,
            "1980",
            vec![by(WHOLE, WHOLE, 500)],
            people([4_000, 8_000], [4_000, 8_000]),
        ),
        row(
            "pupils",
            2,
            "1980",
            vec![by(WHOLE, WHOLE, 510)],
            people([4_000, 8_000], [4_000, 8_000]),
        ),
        // Persons by subject: somebody may have both.
        row(
            "pupils",
            0,
            "1880",
            vec![
                cell(WHOLE, WHOLE, DANCE, WHOLE, Some(50)),
                cell(WHOLE, WHOLE, DRAMA, WHOLE, Some(60)),
            ],
            orebro_people(),
        ),
        row(
            "pupil_places",
            2,
            "1880",
            vec![
                cell(GIRLS, YOUNG, DANCE, LONG, Some(100)),
                cell(BOYS, YOUNG, DRAMA, TARGETED, Some(30)),
                cell(WHOLE, WHOLE, WHOLE, WHOLE, Some(7)),
            ],
            orebro_people(),
        ),
        row(
            "pupil_places",
            1,
            "1880",
            vec![
                cell(GIRLS, YOUNG, DANCE, LONG, Some(90)),
                cell(BOYS, YOUNG, DRAMA, TARGETED, None),
            ],
            orebro_people(),
        ),
    ]
}

/// The service with the publication in it.
pub async fn published(app: &TestApp) {
    put(app, NAME, false).await;
}

/// The same numbers under another name.
pub async fn put(app: &TestApp, name: &'static str, synthetic: bool) {
    app.state
        .db
        .write(async |conn| Ok(insert(conn, name, synthetic).await?))
        .await
        .unwrap();
    app.state
        .db
        .write(async |conn| Ok::<_, WriteError>(app.state.library.refresh(conn).await?))
        .await
        .unwrap();
}

async fn insert(mut conn: &Conn, name: &str, synthetic: bool) -> QueryResult<()> {
    let id = Uuid::now_v7();
    diesel::insert_into(publications::table)
        .values((
            publications::id.eq(id),
            publications::name.eq(name),
            publications::state.eq("published"),
            publications::title_sv.eq("Kulturskolan"),
            publications::title_en.eq("Culture schools"),
            publications::synthetic.eq(synthetic),
            publications::created_by.eq("test"),
            publications::published_at.eq(crate::support::app::moment("2026-01-15T08:00:00Z")),
        ))
        .execute(&mut conn)
        .await?;
    let catalogue = catalogue();
    let documents = [
        ("catalogue", serde_json::to_value(&catalogue).unwrap()),
        ("places", serde_json::to_value(places()).unwrap()),
        ("returns", serde_json::to_value(returns()).unwrap()),
        ("network", serde_json::to_value(network()).unwrap()),
    ];
    for (kind, content) in documents {
        diesel::insert_into(publication_documents::table)
            .values((
                publication_documents::publication_id.eq(id),
                publication_documents::kind.eq(kind),
                publication_documents::content.eq(content),
            ))
            .execute(&mut conn)
            .await?;
    }
    for row in rows() {
        let additive = catalogue.measure(row.measure).unwrap().additive;
        macro_rules! block {
            ($table:ident, $cells:expr) => {
                diesel::insert_into($table::table)
                    .values((
                        $table::publication_id.eq(id),
                        $table::measure_code.eq(row.measure),
                        $table::basis.eq(row.basis),
                        $table::level.eq(Level::of(row.area).number()),
                        $table::period_no.eq(row.period),
                        $table::area_code.eq(row.area),
                        $table::reported.eq(row.coverage.0),
                        $table::expected.eq(row.coverage.1),
                        $table::source_nos.eq(vec![0_i16]),
                        $table::summary.eq(pack(&folded($cells, additive, false)).unwrap()),
                        $table::ages.eq(pack(&folded($cells, additive, true)).unwrap()),
                        $table::detail.eq(pack($cells).unwrap()),
                        $table::residents.eq(pack(&row.residents).unwrap()),
                    ))
                    .execute(&mut conn)
                    .await?
            };
        }
        block!(publication_blocks, &row.cells);
        block!(publication_raw_blocks, &row.raw);
    }
    for (measure, basis, level, area, value, precision) in [
        ("pupils_share", "provider", 0_i16, "SE", Some(14.0), "about"),
        ("pupils_share", "provider", 2, "1980", Some(5.5), "exact"),
        (
            "published_participation_share_unstated",
            "not_stated",
            0,
            "SE",
            Some(2.004),
            "exact",
        ),
        ("pupils_share", "provider", 2, "1862", None, "exact"),
    ] {
        diesel::insert_into(publication_figures::table)
            .values((
                publication_figures::publication_id.eq(id),
                publication_figures::measure_code.eq(measure),
                publication_figures::basis.eq(basis),
                publication_figures::level.eq(level),
                publication_figures::period_no.eq(2_i16),
                publication_figures::area_code.eq(area),
                publication_figures::gender.eq("total"),
                publication_figures::age_band.eq("all"),
                publication_figures::subject.eq("all"),
                publication_figures::activity_form.eq("all"),
                publication_figures::value.eq(value),
                publication_figures::status.eq(if value.is_some() {
                    "reported"
                } else {
                    "not_yet_published"
                }),
                publication_figures::precision.eq(precision),
                publication_figures::source_no.eq(2_i16),
            ))
            .execute(&mut conn)
            .await?;
    }
    Ok(())
}
