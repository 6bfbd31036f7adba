//! `/publications`: what is frozen, what blocks it, and that nothing is left of what failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use reqwest::Method;
use samverkan::access::Permission;
use samverkan::db::connect::{self, Work};
use samverkan::db::{Conn, Db};
use samverkan::schema::{publication_blocks, publication_raw_blocks};
use samverkan::statistics::cube::{Cell, Dictionary, REST, Residents, WHOLE, unpack};
use samverkan::statistics::frozen::Frozen;
use samverkan::statistics::publications::admission::LOCK;
use serde_json::{Value, json};

use crate::support::statistics::{Fixture, missing, obs};
use crate::support::{Caller, TestApp};

/// Someone who makes publications.
fn publisher(app: &TestApp) -> Caller {
    app.caller(&[Permission::StatisticsRead, Permission::Publish], &["SE"])
}

fn order(name: &str) -> Value {
    json!({"name": name, "titleSv": "Deltagande", "titleEn": "Participation"})
}

/// Orders a publication and waits until it is made or has failed.
async fn made(caller: &Caller, body: &Value) -> Value {
    let begun = caller.post("/publications", body).await;
    let row = begun.expect(202);
    assert_eq!(row["state"], "making");
    let path = begun
        .header("location")
        .split("/samverkan/v1")
        .nth(1)
        .unwrap()
        .to_owned();
    settled(caller, &path).await
}

async fn settled(caller: &Caller, path: &str) -> Value {
    for _ in 0..600 {
        let row = caller.get(path).await.expect(200);
        if row["state"] != "making" {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{path} is still being made");
}

async fn trial(caller: &Caller, body: &Value) -> Value {
    caller
        .post("/publications?dryRun=true", body)
        .await
        .expect(200)
}

/// (rule, severity, count) of a dry run.
fn counts(trial: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = trial["counts"].as_array().unwrap().iter();
    all.map(|one| {
        (
            text(&one["rule"]),
            text(&one["severity"]),
            one["count"].as_u64().unwrap(),
        )
    })
    .collect()
}

/// The frozen documents of a publication.
async fn frozen(app: &TestApp, name: &str) -> Arc<Frozen> {
    let db = Db::new(Arc::clone(&app.state.db));
    let listed = app.state.library.find(&db, name).await.unwrap();
    app.state.library.open(&db, &listed).await.unwrap()
}

/// A block: (measure, area, period), then "2/3" for coverage and "girls 6-9 = 12" for each cell.
type Blocks = BTreeMap<(String, String, String), (String, Vec<String>)>;

async fn blocks(app: &TestApp, name: &str, raw: bool) -> Blocks {
    let frozen = frozen(app, name).await;
    let id = frozen.id;
    let rows: Vec<(String, String, i16, i32, i32, Vec<u8>)> = app
        .state
        .db
        .write(async |conn| {
            let mut conn = conn;
            macro_rules! read {
                ($table:ident) => {
                    $table::table
                        .filter($table::publication_id.eq(id))
                        .select((
                            $table::measure_code,
                            $table::area_code,
                            $table::period_no,
                            $table::reported,
                            $table::expected,
                            $table::detail,
                        ))
                        .load(&mut conn)
                        .await?
                };
            }
            Ok(if raw {
                read!(publication_raw_blocks)
            } else {
                read!(publication_blocks)
            })
        })
        .await
        .unwrap();
    let shown = rows
        .into_iter()
        .map(|(measure, area, period, reported, expected, detail)| {
            let cells: Vec<Cell> = unpack(&detail).unwrap();
            let mut cells: Vec<String> = cells
                .iter()
                .map(|cell| told(cell, &frozen.catalogue.dictionary))
                .collect();
            cells.sort();
            let period = frozen.catalogue.period(period).unwrap().code.clone();
            (
                (measure, area, period),
                (format!("{reported}/{expected}"), cells),
            )
        });
    shown.collect()
}

/// `girls 6-9 = 12`: dimensions that are not broken down are left out, `rest` is what a total holds beyond its parts.
fn told(cell: &Cell, dictionary: &Dictionary) -> String {
    let mut words = Vec::new();
    let code = |number: u8, codes: &[String]| match number {
        WHOLE => None,
        REST => Some("rest".to_owned()),
        number => Some(codes[usize::from(number) - 1].clone()),
    };
    words.extend(code(cell.gender, &dictionary.genders));
    words.extend(match cell.age {
        WHOLE => None,
        REST => Some("rest".to_owned()),
        number => {
            let ages = dictionary.ages[usize::from(number) - 1];
            Some(format!(
                "{}-{}{}",
                ages.from,
                ages.to,
                if ages.rest { " rest" } else { "" }
            ))
        }
    });
    words.extend(code(cell.subject, &dictionary.subjects));
    words.extend(code(cell.form, &dictionary.forms));
    words.push(
        cell.value
            .map_or("missing".to_owned(), |value| format!("= {value}")),
    );
    words.join(" ")
}

async fn sql(app: &TestApp, text: &str) {
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    conn.batch_execute(text).await.unwrap();
}

async fn count(app: &TestApp, table: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    let mut conn = connect::open(app.state.db.target(), Work::Read)
        .await
        .unwrap();
    let query = format!("SELECT count(*) AS count FROM {table}");
    let row: Count = diesel::sql_query(query)
        .get_result(&mut conn)
        .await
        .unwrap();
    row.count
}

/// What a failed making may not leave behind.
async fn assert_nothing_left(app: &TestApp) {
    assert_only_findings_left(app).await;
    assert_eq!(count(app, "publication_findings").await, 0);
}

/// Of a making that failed by its findings those stay, so that the one who was refused can read them.
async fn assert_only_findings_left(app: &TestApp) {
    for table in [
        "publication_blocks",
        "publication_raw_blocks",
        "publication_figures",
        "publication_documents",
        "publication_sources",
        "audit_events WHERE action = 'publication_made'",
    ] {
        assert_eq!(count(app, table).await, 0, "{table}");
    }
}

/// Two municipalities with a few numbers.
async fn small(f: &Fixture<'_>) -> uuid::Uuid {
    let source = f.source("Enkäten").await;
    f.report(
        source,
        "1880",
        "2024",
        &[obs("pupils", "girls", 120), obs("pupils", "boys", 80)],
    )
    .await;
    f.report(
        source,
        "1881",
        "2024",
        &[obs("pupils", "", 60), obs("pupils_share", "6-19", 12.5)],
    )
    .await;
    source
}

#[actix_web::test]
async fn every_cell_can_be_recomputed_by_hand() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    for code in ["1883-a", "1883-b", "1883-c"] {
        f.district(code, "city:1883").await;
    }
    let survey = f.source("Enkäten").await;
    // 1880: four cells of 260 together, and a total of 300. The other 40 are of no stated gender and age.
    f.report(
        survey,
        "1880",
        "2024",
        &[
            obs("pupils", "", 300),
            obs("pupils", "girls 6-9", 60),
            obs("pupils", "girls 10-15", 90),
            obs("pupils", "boys 6-9", 40),
            obs("pupils", "boys 10-15", 70),
            // Places may be summed over subjects: 25 + 40 = 65 of 70, so 5 are of no stated subject.
            obs("pupil_places", "", 70),
            obs("pupil_places", "dance", 25),
            obs("pupil_places", "theatre_drama", 40),
        ],
    )
    .await;
    // 1881: a small cell of 3, which becomes 0 or 5. The 2 of another gender are not shown below the county.
    f.report(
        survey,
        "1881",
        "2024",
        &[
            obs("pupils", "girls", 12),
            obs("pupils", "boys", 3),
            obs("pupils", "other", 2),
        ],
    )
    .await;
    f.report(
        survey,
        "1882",
        "2024",
        &[
            obs("pupils", "", 30),
            missing("pupil_places", "missing_not_submitted"),
        ],
    )
    .await;
    // 1883: two of three districts, 50 together, and a total of 60: 10 live elsewhere.
    f.report(
        survey,
        "1883",
        "2024",
        &[
            obs("pupils", "", 60),
            obs("pupils", "girls @1883-a", 20),
            obs("pupils", "boys @1883-a", 15),
            obs("pupils", "girls @1883-b", 7),
            obs("pupils", "boys @1883-b", 8),
        ],
    )
    .await;
    f.report(
        survey,
        "1480",
        "2024",
        &[
            obs("pupils", "girls", 500),
            obs("pupils", "boys", 400),
            obs("pupil_places", "dance", 800),
        ],
    )
    .await;
    // The county says 450 itself: 300 + 17 + 30 + 60 = 407 are its municipalities', 43 others'.
    f.report(survey, "18", "2024", &[obs("pupils", "", 450)])
        .await;
    f.publish("2025.1").await;

    let blocks = blocks(&app, "2025.1", true).await;
    let block = |measure: &str, area: &str| {
        let (coverage, cells) = &blocks[&(measure.to_owned(), area.to_owned(), "2024".to_owned())];
        format!("{coverage}: {}", cells.join(", "))
    };
    assert_eq!(
        block("pupils", "1880"),
        "1/1: boys 10-15 = 70, boys 6-9 = 40, girls 10-15 = 90, girls 6-9 = 60, rest rest = 40"
    );
    assert_eq!(
        block("pupil_places", "1880"),
        "1/1: dance = 25, rest = 5, theatre_drama = 40"
    );
    assert_eq!(
        block("pupils", "1881"),
        "1/1: boys = 3, girls = 12, other = 2"
    );
    assert_eq!(block("pupils", "1882"), "1/1: = 30");
    assert_eq!(block("pupil_places", "1882"), "0/1: missing");
    assert_eq!(block("pupils", "1883-a"), "1/1: boys = 15, girls = 20");
    assert_eq!(
        block("pupils", "1883"),
        "3/3: boys = 23, girls = 27, rest = 10"
    );
    // The county tells its own number, so all of its twelve municipalities are in it.
    assert_eq!(
        block("pupils", "18"),
        "12/12: = 30, boys 10-15 = 70, boys 6-9 = 40, boys = 26, girls 10-15 = 90, girls 6-9 = 60, girls = 39, other = 2, rest = 10, rest rest = 83"
    );
    assert_eq!(block("pupils", "14"), "1/49: boys = 400, girls = 500");
    // 450 + 900 pupils. Of 290 municipalities twelve are in the county's number, and Göteborg.
    assert_eq!(
        block("pupils", "SE"),
        "13/290: = 30, boys 10-15 = 70, boys 6-9 = 40, boys = 426, girls 10-15 = 90, girls 6-9 = 60, girls = 539, other = 2, rest = 10, rest rest = 83"
    );
    assert_eq!(
        block("pupil_places", "SE"),
        "2/290: dance = 825, missing, rest = 5, theatre_drama = 40"
    );
}

/// The residents of a block, "total 6-19 = 100".
async fn residents(app: &TestApp, name: &str, measure: &str, area: &str) -> Vec<String> {
    let id = frozen(app, name).await.id;
    let packed: Vec<u8> = app
        .state
        .db
        .write(async |conn| {
            let mut conn = conn;
            Ok(publication_blocks::table
                .filter(publication_blocks::publication_id.eq(id))
                .filter(publication_blocks::measure_code.eq(measure))
                .filter(publication_blocks::area_code.eq(area))
                .select(publication_blocks::residents)
                .first(&mut conn)
                .await?)
        })
        .await
        .unwrap();
    let residents: Vec<Residents> = unpack(&packed).unwrap();
    let told = |one: &Residents| format!("{} {}-{} = {}", one.gender, one.from, one.to, one.value);
    residents.iter().map(told).collect()
}

#[actix_web::test]
async fn the_denominator_is_of_exactly_the_places_that_reported() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let (survey, scb) = (f.source("Enkäten").await, f.source("Folkmängd").await);
    let some = [obs("pupils", "", 100), obs("pupil_places", "", 100)];
    f.report(survey, "1880", "2024", &some).await;
    f.report(survey, "1881", "2024", &some[..1]).await;
    f.report(survey, "1980", "2024", &some[..1]).await;
    f.report(survey, "19", "2024", &[obs("pupils", "", 900)])
        .await;
    for (area, residents) in [
        ("1880", 26_000),
        ("1881", 4_000),
        ("1882", 2_000),
        ("18", 52_000),
        ("19", 47_000),
    ] {
        f.residents(scb, area, 2024, &[("total", 6, 19, residents)])
            .await;
    }
    f.residents(scb, "1880", 2024, &[("girls", 6, 19, 12_700)])
        .await;
    // An older count of the same year, and another year, are not used.
    let old = json!({"area": "1881", "year": 2024, "gender": "total", "ageFrom": 6, "ageTo": 19, "value": 1,
        "referenceDate": "2024-01-01", "source": scb});
    f.admin.post("/populations", &old).await.expect(201);
    f.residents(scb, "1881", 2023, &[("total", 6, 19, 2)]).await;
    f.publish_of("2025.1", Some(vec![survey])).await;
    let of =
        async |measure: &str, area: &str| residents(&app, "2025.1", measure, area).await.join(", ");
    assert_eq!(of("pupils", "1880").await, "0 6-19 = 26000, 1 6-19 = 12700");
    assert_eq!(of("pupils", "1881").await, "0 6-19 = 4000");
    assert_eq!(
        of("pupils", "18").await,
        "0 6-19 = 30000",
        "two of twelve, not the county's 52 000"
    );
    assert_eq!(
        of("pupil_places", "18").await,
        "0 6-19 = 26000, 1 6-19 = 12700"
    );
    assert_eq!(
        of("pupils", "19").await,
        "0 6-19 = 47000",
        "the county's own number is of all of it"
    );
    assert_eq!(of("pupils", "1980").await, "", "nothing is known");
    assert_eq!(
        of("pupils", "SE").await,
        "0 6-19 = 77000",
        "30 000 and 47 000"
    );
    let frozen = frozen(&app, "2025.1").await;
    let origins: Vec<_> = frozen
        .places
        .populations
        .iter()
        .map(|one| (one.year, one.source_no))
        .collect();
    assert_eq!(origins, [(2023, 1), (2024, 1)]);
    assert_eq!(
        frozen.catalogue.sources[1].id, scb,
        "a source that only counted residents comes last"
    );
    let share = frozen.catalogue.measure("pupils_share").unwrap();
    assert_eq!(
        (share.counted, share.bases.join(",")),
        (false, "provider".to_owned())
    );
}

#[actix_web::test]
async fn small_cells_become_nothing_or_five_and_sums_hold_what_became_of_them() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let source = f.source("Enkäten").await;
    f.report(
        source,
        "1880",
        "2024",
        &[obs("pupils", "girls", 3), obs("pupils", "boys", 120)],
    )
    .await;
    f.report(
        source,
        "1881",
        "2024",
        &[
            obs("pupils", "girls", 4),
            obs("pupils", "boys", 0),
            obs("pupils", "other", 2),
        ],
    )
    .await;
    let made = f.publish("2025.1").await;
    assert_eq!(
        (made.protection.small, made.protection.moved),
        (3, 1),
        "3, 4 and 2; the 2 of another gender move up"
    );
    let blocks = blocks(&app, "2025.1", false).await;
    let cells = |area: &str| {
        blocks[&("pupils".to_owned(), area.to_owned(), "2024".to_owned())]
            .1
            .clone()
    };
    let value = |area: &str, word: &str| -> i64 {
        let found = cells(area).into_iter().find(|cell| cell.starts_with(word));
        found.map_or(0, |cell| cell.rsplit(' ').next().unwrap().parse().unwrap())
    };
    for area in ["1880", "1881"] {
        assert!([0, 5].contains(&value(area, "girls")), "{:?}", cells(area));
        assert_eq!(value(area, "other"), 0);
    }
    assert!(
        [0, 20].contains(&value("18", "other")),
        "groups of another gender are at least 20"
    );
    assert_eq!((value("1880", "boys"), value("1881", "boys")), (120, 0));
    assert_eq!(
        value("18", "girls"),
        value("1880", "girls") + value("1881", "girls")
    );
    assert_eq!(cells("SE"), cells("18"));
}

#[actix_web::test]
async fn a_dry_run_counts_what_the_real_one_makes_and_makes_nothing() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    let mut body = order("2025.1");
    let trial = trial(&caller, &body).await;
    assert_eq!(
        counts(&trial),
        [("missing_municipality".to_owned(), "warning".to_owned(), 1)]
    );
    assert_eq!(trial["publishable"], false);
    assert!(
        trial["findings"][0]["textSv"]
            .as_str()
            .unwrap()
            .starts_with("2024: 288 av 290 kommuner saknas: 0114, ")
    );
    assert_nothing_left(&app).await;
    assert_eq!(count(&app, "publications").await, 0);

    body["acknowledged"] = json!([{"rule": "missing_municipality", "count": 1}]);
    let row = made(&caller, &body).await;
    assert_eq!(row["state"], "published", "{row}");
    assert_eq!(row["contents"], trial["contents"]);
    assert_eq!(row["contents"]["observations"], 4);
    assert_eq!(
        count(&app, "publication_blocks").await,
        row["contents"]["blocks"].as_i64().unwrap()
    );
    assert_eq!(
        count(&app, "publication_figures").await,
        row["contents"]["figures"].as_i64().unwrap()
    );
    assert_eq!(
        row["progress"],
        json!({"phase": "done", "done": 4, "total": 4, "heartbeatAt": row["progress"]["heartbeatAt"]})
    );
    let findings = caller
        .get("/publications/2025.1/findings?severity=warning")
        .await
        .expect(200);
    assert_eq!(findings["items"][0]["acknowledged"], true);
    assert_eq!(findings["items"][0]["rule"], "missing_municipality");
    let quality = f
        .analyst()
        .get("/publications/2025.1/quality")
        .await
        .expect(200);
    assert!(quality["methodSv"].as_str().unwrap().len() > 100);
    assert_eq!(
        count(&app, "audit_events WHERE action = 'publication_made'").await,
        1
    );
}

#[actix_web::test]
async fn warnings_are_acknowledged_with_exactly_their_number() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    for acknowledged in [
        json!([]),
        json!([{"rule": "missing_municipality", "count": 2}]),
        json!([{"rule": "jump", "count": 1}]),
    ] {
        let mut body = order("2025.1");
        body["acknowledged"] = acknowledged;
        let row = made(&caller, &body).await;
        assert_eq!(row["state"], "failed");
        let said = row["failureEn"].as_str().unwrap();
        assert!(
            said.contains("missing_municipality: 1 warnings; acknowledge exactly as many."),
            "{said}"
        );
    }
    assert_only_findings_left(&app).await;
    let findings = caller.get("/publications/2025.1/findings").await;
    assert_eq!(findings.column("rule"), ["missing_municipality"]);
    assert_eq!(findings.json()["items"][0]["acknowledged"], false);
    let unknown = json!([{"rule": "nothing", "count": 2}]);
    let mut body = order("2025.1");
    body["acknowledged"] = unknown;
    assert_eq!(
        caller.post("/publications", &body).await.problem(422).0,
        "validation-failed"
    );
}

#[actix_web::test]
async fn errors_block_whatever_is_acknowledged() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let source = f.source("Enkäten").await;
    f.report(
        source,
        "1880",
        "2024",
        &[
            obs("pupils", "", 100),
            obs("pupils", "girls", 70),
            obs("pupils", "boys", 50),
        ],
    )
    .await;
    let caller = publisher(&app);
    let mut body = order("2025.1");
    body["acknowledged"] = json!([{"rule": "missing_municipality", "count": 1}, {"rule": "parts_exceed_total", "count": 1}]);
    let trial = trial(&caller, &body).await;
    assert_eq!(
        counts(&trial)[0],
        ("parts_exceed_total".to_owned(), "error".to_owned(), 1)
    );
    let finding = &trial["findings"][0];
    assert_eq!(
        (
            &finding["measure"],
            &finding["area"],
            &finding["period"],
            &finding["source"]
        ),
        (
            &json!("pupils"),
            &json!("1880"),
            &json!("2024"),
            &json!(source)
        )
    );
    assert_eq!(
        finding["textEn"],
        "The parts are 120 together, but the total is said to be 100."
    );
    let row = made(&caller, &body).await;
    assert_eq!(
        (&row["state"], &row["contents"], &row["publishedAt"]),
        (&json!("failed"), &Value::Null, &Value::Null)
    );
    assert_only_findings_left(&app).await;
    let findings = caller.get("/publications/2025.1/findings").await;
    for (kept, tried) in findings.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .zip(trial["findings"].as_array().unwrap())
    {
        for member in [
            "rule", "severity", "measure", "area", "period", "source", "textSv", "textEn",
        ] {
            assert_eq!(kept[member], tried[member], "{member}");
        }
    }
    assert_eq!(
        findings.column("rule").len(),
        trial["findings"].as_array().unwrap().len()
    );
    assert!(
        caller
            .get("/publications")
            .await
            .column("state")
            .contains(&"failed".to_owned())
    );
    assert!(
        f.analyst()
            .get("/publications")
            .await
            .column("state")
            .is_empty(),
        "a failure is nobody else's business"
    );
    assert_eq!(
        f.analyst().get("/publications/2025.1").await.problem(404).0,
        "not-found"
    );
}

#[actix_web::test]
async fn a_name_is_used_once_and_its_form_is_known() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    f.publish("2025.1").await;
    let caller = publisher(&app);
    for query in ["", "?dryRun=true"] {
        let path = format!("/publications{query}");
        assert_eq!(
            caller.post(&path, &order("2025.1")).await.problem(409).1,
            "publication_name_once"
        );
        for name in ["2025", "25.1", "2025.01", "2025.0", "2025.1.1", "latest"] {
            assert_eq!(
                caller.post(&path, &order(name)).await.problem(422).1,
                "publication_name_format",
                "{name}"
            );
        }
        let mut body = order("2025.2");
        body["corrects"] = json!("2024.9");
        assert_eq!(
            caller.post(&path, &body).await.problem(422).1,
            "publication_exists"
        );
        body["corrects"] = Value::Null;
        body["sources"] = json!(["01903e2a-7b4c-7d5e-8f60-718293a4b5c6"]);
        assert_eq!(
            caller.post(&path, &body).await.problem(422).1,
            "publication_source_exists"
        );
    }
}

#[actix_web::test]
async fn making_needs_the_permission_and_the_whole_country() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    f.publish("2025.1").await;
    let regional = app.caller(&[Permission::StatisticsRead, Permission::Publish], &["18"]);
    let withdrawn = json!({"state": "withdrawn", "reason": "Fel."});
    for caller in [&regional, &f.analyst()] {
        for query in ["", "?dryRun=true"] {
            assert_eq!(
                caller
                    .post(&format!("/publications{query}"), &order("2025.2"))
                    .await
                    .status,
                403
            );
        }
        assert_eq!(
            caller.get("/publications/2025.1/findings").await.status,
            403
        );
        assert_eq!(
            caller
                .put("/publications/2025.1/state", "*", &withdrawn)
                .await
                .status,
            403
        );
        caller.get("/publications/2025.1").await.expect(200);
    }
    let other = app.caller(&[Permission::RegistryRead], &["SE"]);
    assert_eq!(
        other.get("/publications").await.problem(403).0,
        "insufficient-permission"
    );
}

#[actix_web::test]
async fn a_withdrawn_one_tells_why_and_what_to_use_instead() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    f.publish("2025.1").await;
    f.publish("2025.2").await;
    let caller = publisher(&app);
    let latest = f.analyst().get("/publications/latest").await;
    assert_eq!(latest.expect(200)["name"], "2025.2");
    assert!(
        latest
            .header("content-location")
            .ends_with("/samverkan/v1/publications/2025.2")
    );
    let path = "/publications/2025.2/state";
    let mut body = json!({"state": "withdrawn", "reason": "Kumlas siffror gällde läsåret.", "successor": "2025.9"});
    assert_eq!(
        caller.put(path, "*", &body).await.problem(422).1,
        "publication_exists"
    );
    body["successor"] = json!("2025.2");
    assert_eq!(
        caller.put(path, "*", &body).await.problem(422).1,
        "publication_successor_is_another"
    );
    body["successor"] = json!("2025.1");
    assert_eq!(
        caller.put(path, "\"99\"", &body).await.problem(412).0,
        "precondition-failed"
    );
    let row = caller.put(path, "*", &body).await.expect(200);
    assert_eq!(
        (&row["state"], &row["successor"]),
        (&json!("withdrawn"), &json!("2025.1"))
    );
    assert_eq!(
        caller.put(path, "*", &body).await.problem(409).1,
        "state_transition"
    );
    let gone = f.analyst().get("/publications/2025.2").await;
    assert_eq!(gone.problem(410).0, "gone");
    assert!(
        gone.text()
            .contains("Kumlas siffror gällde läsåret. Använd 2025.1.")
    );
    let listed = f
        .analyst()
        .get("/publications?state=withdrawn")
        .await
        .expect(200);
    assert_eq!(listed["items"][0]["withdrawnReason"], body["reason"]);
    assert_eq!(
        f.analyst().get("/publications/latest").await.expect(200)["name"],
        "2025.1"
    );
    let db = Db::new(Arc::clone(&app.state.db));
    let refused = app.state.library.find(&db, "2025.2").await.unwrap_err();
    let said = format!("{refused:?}");
    assert!(
        said.contains("Gone") && said.contains("Kumlas siffror gällde läsåret. Use 2025.1."),
        "{said}"
    );
    let path = "/statistics/participation?publication=2025.2&measure=pupils";
    let refused = f.analyst().get(path).await;
    assert_eq!(refused.problem(410).0, "gone");
    assert_eq!(
        refused.header("link"),
        "</samverkan/v1/publications/2025.1>; rel=\"successor-version\""
    );
    assert_eq!(
        count(&app, "audit_events WHERE action = 'publication_withdrawn'").await,
        1
    );
}

#[actix_web::test]
async fn one_that_another_version_froze_in_another_form_says_that_it_must_be_made_anew() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    for name in ["2025.1", "2025.2", "2025.3"] {
        f.publish(name).await;
    }
    let of = |name: &str| format!("(SELECT id FROM publications WHERE name = '{name}')");
    // Of a later form, and of one from before reports told what they have numbers of; then the document of its method.
    for (name, kind, content) in [
        ("2025.1", "catalogue", "content || '{\"shape\": 999}'"),
        ("2025.2", "returns", "content #- '{reports,0,numbers}'"),
        ("2025.3", "quality", "content - 'levels'"),
    ] {
        let publication = of(name);
        sql(
            &app,
            &format!("UPDATE publication_documents SET content = {content} WHERE publication_id = {publication} AND kind = '{kind}'"),
        )
        .await;
    }
    let analyst = f.analyst();
    for path in [
        "/statistics/participation?publication=2025.1&measure=pupils",
        "/statistics/coverage?publication=2025.2",
        "/publications/2025.3/quality?",
    ] {
        let reply = analyst.get(&format!("{path}&lang=en")).await;
        assert_eq!(reply.problem(410).0, "publication-outdated", "{path}");
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("must be published anew"), "{detail}");
    }
    // The others are read, and all stay on the list.
    let fine = "/statistics/participation?publication=2025.3&measure=pupils&area=1880";
    analyst.get(fine).await.expect(200);
    let all = analyst.get("/publications").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn only_approved_reports_of_the_chosen_sources_count_the_first_source_first() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let (survey, paper) = (f.source("Enkäten").await, f.source("Tidningen").await);
    f.report(survey, "1880", "2024", &[obs("pupils", "", 200)])
        .await;
    f.report(
        paper,
        "1880",
        "2024",
        &[obs("pupils", "", 250), obs("pupils", "girls", 150)],
    )
    .await;
    f.report(paper, "1881", "2024", &[obs("pupils", "", 70)])
        .await;
    f.draft(survey, "1882", "2024", &[obs("pupils", "", 30)])
        .await;
    let value = async |name: &str, area: &str| {
        let blocks = blocks(&app, name, false).await;
        blocks
            .get(&("pupils".to_owned(), area.to_owned(), "2024".to_owned()))
            .map(|block| block.1.join(", "))
    };
    let first = f.publish_of("2025.1", Some(vec![survey, paper])).await;
    assert_eq!(value("2025.1", "1880").await.as_deref(), Some("= 200"));
    assert_eq!(value("2025.1", "1881").await.as_deref(), Some("= 70"));
    assert_eq!(value("2025.1", "1882").await, None);
    let found: Vec<String> = first
        .findings
        .iter()
        .map(|finding| format!("{} {:?}", finding.rule, finding.area))
        .collect();
    assert_eq!(
        found,
        [
            "duplicate Some(\"1880\")",
            "missing_municipality None",
            "reports_not_approved Some(\"1882\")"
        ]
    );
    f.publish_of("2025.2", Some(vec![paper, survey])).await;
    assert_eq!(
        value("2025.2", "1880").await.as_deref(),
        Some("girls = 150, rest = 100")
    );
    f.publish_of("2025.3", Some(vec![survey])).await;
    assert_eq!(value("2025.3", "1881").await, None);
    let row = f.analyst().get("/publications/2025.2").await.expect(200);
    assert_eq!(row["sources"], json!([paper, survey]));
    let frozen = frozen(&app, "2025.2").await;
    assert_eq!(frozen.catalogue.sources[0].id, paper);
    assert_eq!(frozen.returns.reports.len(), 3);
}

#[actix_web::test]
async fn what_is_published_does_not_change_with_the_reports() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let source = f.source("Enkäten").await;
    let report = f
        .report(source, "1880", "2024", &[obs("pupils", "", 200)])
        .await;
    f.residents(source, "1880", 2024, &[("total", 6, 19, 20_000)])
        .await;
    f.publish("2025.1").await;
    let before = (
        blocks(&app, "2025.1", false).await,
        blocks(&app, "2025.1", true).await,
    );
    let withdrawn = json!({"state": "withdrawn", "reason": "Fel."});
    f.admin
        .put(&format!("{report}/state"), "*", &withdrawn)
        .await
        .expect(200);
    f.report(source, "1880", "2024", &[obs("pupils", "", 999)])
        .await;
    assert_eq!(
        (
            blocks(&app, "2025.1", false).await,
            blocks(&app, "2025.1", true).await
        ),
        before
    );
    f.publish("2025.2").await;
    assert_ne!(blocks(&app, "2025.2", false).await, before.0);
}

#[actix_web::test]
async fn each_rule_finds_what_it_is_for() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    let survey = f.source("Enkäten").await;
    let body = json!({"title": "Muntligt", "publisher": "Kulturskolan", "area": "SE"});
    let unpublished = f.admin.post("/sources", &body).await.expect(201)["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    f.report(survey, "1880", "2023", &[obs("pupils", "", 100)])
        .await;
    f.report(survey, "1880", "2024", &[obs("pupils", "", 151)])
        .await;
    f.report(
        survey,
        "1881",
        "2024",
        &[
            obs("pupils", "girls 6-9", 31),
            obs("pupils", "boys 6-9", 20),
        ],
    )
    .await;
    f.residents(
        survey,
        "1881",
        2024,
        &[("total", 6, 9, 60), ("girls", 6, 9, 30)],
    )
    .await;
    f.report(
        unpublished,
        "1882",
        "2024",
        &[obs("pupils_share", "6-19", 11.0)],
    )
    .await;
    f.report(
        survey,
        "1882",
        "2024",
        &[
            obs("pupils", "", 40),
            obs("pupils", "girls", 25),
            obs("pupils", "6-9", 20),
        ],
    )
    .await;
    f.report(
        survey,
        "1883",
        "2024",
        &[obs("participation_occasions_share", "6-19", 412.0)],
    )
    .await;
    let caller = publisher(&app);
    let first = trial(&caller, &order("2025.1")).await;
    let found: Vec<String> = first["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["severity"].as_str().unwrap(),
                one["rule"].as_str().unwrap(),
                one["area"].as_str().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "error persons_above_population 1881",
            "warning jump 1880",
            "warning missing_municipality -",
            "warning missing_municipality -",
            "information breakdown_dropped 1882",
            "information share_not_published 1882",
        ]
    );
    assert_eq!(
        first["findings"][0]["textEn"],
        "pupils in 1881, 2024: 31 persons (Girls, aged 6–9) but 30 residents."
    );
    assert_eq!(
        first["findings"][1]["textEn"],
        "pupils in 1880, 2024: 151 against 100 the year before."
    );
    // A share of occasions may exceed 100; if the measure comes to count persons, it may not.
    f.admin
        .patch(
            "/measures/participation_occasions",
            "*",
            &json!({"unit": "persons"}),
        )
        .await
        .expect(200);
    assert_eq!(
        counts(&trial(&caller, &order("2025.1")).await)[0],
        ("impossible_share".to_owned(), "error".to_owned(), 1)
    );
}

/// Lets a making wait for the table of residents, until the connection is dropped.
async fn hold(app: &TestApp) -> Conn {
    let mut conn = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    conn.batch_execute("BEGIN; LOCK TABLE populations IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    conn
}

#[actix_web::test]
async fn one_is_made_at_a_time_and_a_broken_connection_leaves_nothing() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    let mut body = order("2025.1");
    body["acknowledged"] = json!([{"rule": "missing_municipality", "count": 1}]);
    let held = hold(&app).await;
    assert_eq!(
        caller.post("/publications", &body).await.expect(202)["state"],
        "making"
    );
    for query in ["", "?dryRun=true"] {
        let other = caller
            .post(&format!("/publications{query}"), &order("2025.2"))
            .await;
        assert_eq!(other.problem(409).1, "publication_in_the_making");
    }
    assert_eq!(
        f.analyst().get("/publications/2025.1").await.status,
        404,
        "nobody reads what is not there yet"
    );
    // The connection that reads is killed.
    let mut killed = 0;
    while killed == 0 {
        killed = count(&app, "(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') AS ended").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let row = settled(&caller, "/publications/2025.1").await;
    assert_eq!(row["state"], "failed");
    assert!(
        row["failureSv"]
            .as_str()
            .unwrap()
            .starts_with("Databasen avbröt arbetet"),
        "{row}"
    );
    assert_nothing_left(&app).await;
    drop(held);
    assert_eq!(
        made(&caller, &body).await["state"],
        "published",
        "the name is free again"
    );
}

#[actix_web::test]
async fn stopping_the_service_fails_what_is_being_made() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    let held = hold(&app).await;
    caller
        .post("/publications", &order("2025.1"))
        .await
        .expect(202);
    app.state.workshop.stop().await;
    let row = caller.get("/publications/2025.1").await.expect(200);
    assert_eq!(row["state"], "failed");
    assert!(
        row["failureEn"]
            .as_str()
            .unwrap()
            .starts_with("The service was stopped"),
        "{row}"
    );
    drop(held);
    assert_nothing_left(&app).await;
}

#[actix_web::test]
async fn a_making_that_fell_silent_has_failed_and_gives_its_place_away() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    let left = |id: u8, name: &str| {
        format!(
            "INSERT INTO publications (id, name, title_sv, title_en, created_by, heartbeat_at)
            VALUES ('{}', '{name}', 'a', 'a', 'x', clock_timestamp() - interval '31 seconds')",
            uuid::Uuid::from_bytes([id; 16])
        )
    };
    // A process that was killed: its row is left, its connections are gone.
    sql(&app, &left(1, "2025.1")).await;
    let row = caller.get("/publications/2025.1").await.expect(200);
    assert_eq!(row["state"], "failed");
    assert!(
        row["failureEn"]
            .as_str()
            .unwrap()
            .starts_with("The process that made the publication has ended")
    );
    f.publish("2025.1").await;
    // A process that is frozen: it still holds the lock.
    sql(&app, &left(2, "2025.2")).await;
    let mut frozen = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    let name = format!("samverkan making {}", uuid::Uuid::from_bytes([2; 16]));
    frozen
        .batch_execute(&format!(
            "SET application_name = '{name}'; BEGIN; SELECT pg_advisory_xact_lock({LOCK})"
        ))
        .await
        .unwrap();
    caller.get("/publications").await.expect(200);
    f.publish("2025.2").await;
    assert!(
        frozen.batch_execute("COMMIT").await.is_err(),
        "its connection was ended"
    );
    // One that is alive keeps its place.
    let mut alive = connect::open(app.state.db.target(), Work::Migrate)
        .await
        .unwrap();
    alive
        .batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})"))
        .await
        .unwrap();
    assert_eq!(
        caller
            .post("/publications", &order("2025.3"))
            .await
            .problem(409)
            .1,
        "publication_in_the_making"
    );
}

async fn reader_of_the_demo(app: &TestApp) -> Caller {
    samverkan::demo::load_reference(&app.state.db)
        .await
        .unwrap();
    samverkan::demo::load_if_empty(&app.state.db).await.unwrap();
    app.caller(&[Permission::StatisticsRead], &["SE"])
}

#[actix_web::test]
async fn the_demo_has_a_publication() {
    let app = TestApp::start().await;
    let reader = reader_of_the_demo(&app).await;
    let row = reader.get("/publications/latest").await.expect(200);
    assert_eq!(
        (&row["name"], &row["state"]),
        (&json!("2026.1"), &json!("published"))
    );
    assert_eq!(row["contents"]["reports"], 81);
    let share: Vec<f64> = {
        use samverkan::schema::publication_figures as figures;
        let mut conn = connect::open(app.state.db.target(), Work::Read)
            .await
            .unwrap();
        let shares: Vec<Option<f64>> = figures::table
            .filter(figures::measure_code.eq("pupils_share"))
            .filter(figures::age_band.eq("6-19"))
            .order_by(figures::value)
            .select(figures::value)
            .load(&mut conn)
            .await
            .unwrap();
        shares.into_iter().flatten().collect()
    };
    assert_eq!(
        share,
        [10.5, 10.5, 11.0],
        "of 2018 the more exact one, of no date, of 2022"
    );
}

#[actix_web::test]
async fn tables_say_where_a_series_breaks_and_which_numbers_are_quoted() {
    let app = TestApp::start().await;
    let reader = reader_of_the_demo(&app).await;
    let ask = async |question: &str| {
        let path = format!("/statistics/participation?area=SE&lang=en&{question}");
        let reply = reader.get(&path).await;
        assert_eq!(reply.status, 200);
        reply
    };
    // 230 000 places of 2016 and 218 000 of 2017 are from two producers.
    let csv = ask("measure=pupil_places&format=csv").await.text();
    let breaks: Vec<&str> = csv
        .lines()
        .filter(|line| line.contains("Break of the series"))
        .collect();
    assert!(breaks.len() == 2 && breaks[0].contains(",2017,"), "{csv}");
    for format in ["json-stat2", "json-cube", "ndjson"] {
        let text = ask(&format!("measure=pupil_places&format={format}"))
            .await
            .text();
        assert!(
            text.contains("break of the series 2017"),
            "{format}: {text}"
        );
    }
    let quoted = ask("measure=published_participation_share_unstated&format=csv").await;
    assert!(
        quoted.text().contains("Published by the source; About"),
        "{}",
        quoted.text()
    );
    assert!(quoted.header("link").ends_with("; rel=\"cite-as\""));
}

#[actix_web::test]
async fn invented_data_are_labelled_whoever_publishes_them() {
    let app = TestApp::start().await;
    let fixture = Fixture::new(&app).await;
    let body =
        json!({"title": "SYNTETISKA DATA: elever", "publisher": "SYNTETISKA DATA", "area": "SE"});
    let source = fixture.admin.post("/sources", &body).await.expect(201);
    let source = source["id"].as_str().unwrap().parse().unwrap();
    fixture
        .report(source, "1880", "2024", &[obs("pupils", "girls", 12)])
        .await;
    fixture.publish("2025.1").await;
    let analyst = fixture.analyst();
    let answer = analyst
        .get("/statistics/participation?publication=2025.1&measure=pupils&area=1880")
        .await
        .expect(200);
    assert_eq!(answer["publication"]["synthetic"], true);
    assert_eq!(answer["notes"][0]["mandatory"], true);
}

#[actix_web::test]
async fn an_order_that_is_sent_again_makes_no_second_publication() {
    let app = TestApp::start().await;
    let f = Fixture::new(&app).await;
    small(&f).await;
    let caller = publisher(&app);
    let mut body = order("2025.1");
    body["acknowledged"] = json!([{"rule": "missing_municipality", "count": 1}]);
    let send = async |body: &Value| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "order-of-2025-1"),
        ];
        let text = body.to_string().into_bytes();
        caller
            .send(Method::POST, "/publications", &headers, Some(text))
            .await
    };
    assert_eq!(send(&body).await.header("idempotent-replayed"), "");
    // While it is being made, and when it is done.
    for _ in 0..200 {
        let again = send(&body).await;
        let row = again.expect(202);
        assert_eq!(again.header("idempotent-replayed"), "true");
        if row["state"] != "making" {
            assert_eq!(row["state"], "published", "{row}");
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count(&app, "publications").await, 1);
    let other = send(&order("2025.2")).await;
    assert_eq!(other.problem(422).1, "idempotency_key_reused");
    // Without the key the name is taken.
    assert_eq!(caller.post("/publications", &body).await.status, 409);
}
