//! `/statistics/coverage` and `/statistics/partnerships`: a publication laid into the database by hand.

use chrono::NaiveDate;
use diesel::sql_types::{Bool, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use samverkan::participation::codes::PeriodKind;
use samverkan::statistics::codes::Level;
use samverkan::statistics::frozen::{
    Area, Catalogue, Network, Partner, Partnership, Period, Places, Project, Report, Returns,
    Source,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::statistics::{Fixture, obs};
use crate::support::{Caller, TestApp};

const PROJECT: Uuid = Uuid::from_u128(0x20);
const SURVEY: Uuid = Uuid::from_u128(0x30);

fn area(code: &str, name: &str, parent: Option<&str>) -> Area {
    Area {
        code: code.to_owned(),
        name: name.to_owned(),
        level: Level::of(code),
        parent: parent.map(str::to_owned),
        scheme: "scb".to_owned(),
        valid_from: None,
        valid_to: None,
    }
}

fn partner(n: u128, name: &str, category: &str, civil_society: bool) -> Partner {
    Partner {
        id: Uuid::from_u128(n),
        name: name.to_owned(),
        category: category.to_owned(),
        civil_society,
    }
}

fn partnership(partner: usize, area: &str, continues: Option<bool>) -> Partnership {
    Partnership {
        id: Uuid::now_v7(),
        partner,
        project: Some(0),
        collaboration: None,
        area: area.to_owned(),
        role: "partner".to_owned(),
        form: None,
        from: None,
        to: None,
        continues,
        source_url: Some("https://example.se/storstan".to_owned()),
    }
}

/// Örebro has reported and works with a sports association; Kumla has not, and works with the county.
fn documents() -> [(&'static str, Value); 4] {
    let catalogue = Catalogue {
        periods: vec![Period {
            kind: PeriodKind::Year,
            code: "2024".to_owned(),
            first_day: NaiveDate::from_ymd_opt(2024, 1, 1),
            last_day: NaiveDate::from_ymd_opt(2024, 12, 31),
        }],
        sources: vec![Source {
            id: SURVEY,
            title: "Kulturskoleenkäten".to_owned(),
            publisher: "Kulturrådet".to_owned(),
            url: Some("https://example.se/enkat".to_owned()),
            published_on: None,
            official: true,
        }],
        ..Catalogue::default()
    };
    let places = Places {
        areas: vec![
            area("18", "Örebro län", Some("SE")),
            area("1880", "Örebro", Some("18")),
            area("1881", "Kumla", Some("18")),
            area("SE", "Sverige", None),
        ],
        ..Places::default()
    };
    let returns = Returns {
        reports: vec![Report {
            id: Uuid::now_v7(),
            version: 1,
            source_no: 0,
            period_no: 0,
            area: "1880".to_owned(),
            numbers: [("pupils".to_owned(), ["1880".to_owned()].into())].into(),
            approved_at: Some("2025-03-01T08:00:00Z".parse().unwrap()),
        }],
    };
    let network = Network {
        partners: vec![
            partner(0x10, "IFK Örebro", "sports_association", true),
            partner(0x11, "Region Örebro län", "regional_institution", false),
        ],
        projects: vec![Project {
            id: PROJECT,
            title: "Hela landet".to_owned(),
            continuation: Some("partly".to_owned()),
            start_month: Some("2019-07".to_owned()),
            end_month: Some("2022-06".to_owned()),
        }],
        partnerships: vec![
            partnership(0, "1880", Some(true)),
            partnership(1, "1881", Some(false)),
            partnership(1, "18", None),
        ],
    };
    [
        ("catalogue", json!(catalogue)),
        ("places", json!(places)),
        ("returns", json!(returns)),
        ("network", json!(network)),
    ]
}

async fn publish(app: &TestApp, name: &str, synthetic: bool) {
    let id = Uuid::now_v7();
    app.state
        .db
        .write(async |conn| {
            let mut conn = conn;
            diesel::sql_query(
                "INSERT INTO publications (id, name, state, title_sv, title_en, synthetic, created_by, phase, published_at) \
                 VALUES ($1, $2, 'published', 'Kulturskolan', 'Culture schools', $3, 'client_test', 'done', '2026-01-15T08:00:00Z')",
            )
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(name)
            .bind::<Bool, _>(synthetic)
            .execute(&mut conn)
            .await?;
            for (kind, content) in documents() {
                diesel::sql_query("INSERT INTO publication_documents (publication_id, kind, content) VALUES ($1, $2, $3)")
                    .bind::<SqlUuid, _>(id)
                    .bind::<Text, _>(kind)
                    .bind::<Jsonb, _>(content)
                    .execute(&mut conn)
                    .await?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

async fn withdraw(app: &TestApp, name: &str) {
    app.state
        .db
        .write(async |conn| {
            let mut conn = conn;
            diesel::sql_query(
                "UPDATE publications SET state = 'withdrawn', withdrawn_at = clock_timestamp(), \
                 withdrawn_reason = 'Fel i Kumla.', successor = '2025.2' WHERE name = $1",
            )
            .bind::<Text, _>(name)
            .execute(&mut conn)
            .await?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn published() -> (TestApp, Caller) {
    let app = TestApp::start().await;
    publish(&app, "2025.1", false).await;
    let reader = app.reader(&["14"]);
    (app, reader)
}

/// The name of the first parameter that is refused, and the rule.
#[track_caller]
fn refused(reply: &crate::support::Reply, status: u16) -> (String, String) {
    let (_, rule) = reply.problem(status);
    let body = reply.json();
    let parameter = body["errors"][0]["parameter"].as_str().unwrap_or_default();
    (parameter.to_owned(), rule)
}

#[actix_web::test]
async fn coverage_says_who_has_reported_and_who_is_missing() {
    let (_app, reader) = published().await;
    let reply = reader.get("/statistics/coverage?period=2024").await;
    let body = reply.expect(200);
    assert_eq!(body["publication"]["name"], "2025.1");
    assert_eq!(body["publication"]["protection"], "none");
    let rows = body["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0]["reported"], &rows[0]["expected"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(rows[0]["reportedBy"], "some_municipalities");
    assert_eq!(rows[0]["statusLabel"], "Ofullständig");
    let missing = json!([{"code": "1881", "name": "Kumla", "status": "missing_not_submitted"}]);
    assert_eq!(rows[0]["missing"], missing);
    assert_eq!(body["sources"][0]["title"], "Kulturskoleenkäten");
    assert_eq!(body["notes"][0]["mandatory"], true);
    let link = body["permanentUrl"].as_str().unwrap();
    assert!(
        link.ends_with("/statistics/coverage?period=2024&publication=2025.1"),
        "{link}"
    );
    assert!(body["citation"]["sv"].as_str().unwrap().contains("2025.1"));

    let english = reader
        .get("/statistics/coverage?publication=2025.1&level=municipality&within=18&lang=en")
        .await
        .expect(200);
    let rows = english["rows"].as_array().unwrap();
    let pairs: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["areaName"].as_str().unwrap(),
                row["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [("Örebro", "reported"), ("Kumla", "missing_not_submitted")]
    );
    assert_eq!(rows[0]["reports"][0]["approvedAt"], "2025-03-01T08:00:00Z");
    assert_eq!(rows[0]["reports"][0]["source"], SURVEY.to_string());
    assert_eq!(rows[1]["statusLabel"], "Missing: not submitted");
}

#[actix_web::test]
async fn a_national_report_counts_for_the_municipalities_that_it_tells_of() {
    let app = TestApp::start().await;
    let fixture = Fixture::new(&app).await;
    let school = fixture.source("Kulturskolans egen rapport").await;
    let national = fixture.source("Nationell undersökning").await;
    fixture
        .report(school, "1880", "2024", &[obs("pupils", "", 900)])
        .await;
    let told = [
        obs("pupils", "@1881", 300),
        obs("pupils", "@1882", 200),
        obs("pupil_places", "@1883", 50),
    ];
    fixture.report(national, "SE", "2024", &told).await;
    fixture.publish("2025.1").await;
    let ask = async |question: &str| {
        let path = format!("/statistics/coverage?period=2024&measure=pupils&lang=en{question}");
        fixture.analyst().get(&path).await.expect(200)
    };
    let body = ask("&within=18").await;
    let county = &body["rows"][0];
    assert_eq!(
        (&county["reported"], &county["expected"]),
        (&json!(3), &json!(12))
    );
    assert_eq!(county["reportedBy"], "some_municipalities");
    assert_eq!(body["sources"].as_array().unwrap().len(), 2);
    let missing: Vec<&str> = county["missing"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(
        missing.contains(&"1883") && !missing.contains(&"1881"),
        "{missing:?}"
    );
    let body = ask("&within=18&level=municipality").await;
    let of = |code: &str| {
        let rows = body["rows"].as_array().unwrap();
        rows.iter().find(|row| row["area"] == code).unwrap().clone()
    };
    assert_eq!(of("1880")["reportedBy"], "itself");
    assert_eq!(of("1881")["reportedBy"], "wider_report");
    assert_eq!(of("1881")["reportedByLabel"], "In a report of a wider area");
    assert_eq!(of("1881")["status"], "reported");
    let report = &of("1881")["reports"][0];
    assert_eq!(report["area"], "SE");
    assert_eq!(report["source"], national.to_string());
    assert_eq!(
        report["measures"],
        json!(["pupils"]),
        "its places are of 1883"
    );
    assert_eq!(of("1883")["reportedBy"], "nobody");
    // The report has no figure of the country itself.
    let body = ask("&level=country").await;
    assert_eq!(body["rows"][0]["reportedBy"], "some_municipalities");
    assert_eq!(body["rows"][0]["reported"], 3);
}

#[actix_web::test]
async fn coverage_refuses_what_the_publication_does_not_know() {
    let (_app, reader) = published().await;
    for (query, parameter, rule) in [
        ("period=2023", "period", "unknown_period"),
        ("level=district", "level", "invalid_value"),
        ("within=25", "within", "unknown_area"),
        ("within=1880", "within", "finer_than_level"),
        ("measure=pupils", "measure", "unknown_measure"),
        ("source=0190", "source", "invalid_value"),
        ("dialect=excel-sv", "dialect", "dialect_needs_csv"),
        ("perod=2024", "perod", "unknown_parameter"),
    ] {
        let reply = reader.get(&format!("/statistics/coverage?{query}")).await;
        let expected = (parameter.to_owned(), rule.to_owned());
        assert_eq!(refused(&reply, 400), expected, "{query}");
    }
}

#[actix_web::test]
async fn partnerships_are_counted_by_groups_with_a_summary() {
    let (_app, reader) = published().await;
    let body = reader
        .get("/statistics/partnerships?groupBy=municipality,role&role=partner&lang=en")
        .await
        .expect(200);
    let rows: Vec<(&str, &str, i64)> = body["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["municipality"]["label"].as_str().unwrap(),
                row["role"]["label"].as_str().unwrap(),
                row["partnerships"].as_i64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("Örebro län", "Partner", 1),
        ("Örebro", "Partner", 1),
        ("Kumla", "Partner", 1),
    ];
    assert_eq!(rows, expected);
    let summary = &body["summary"];
    assert_eq!(
        summary["withoutCivilSociety"],
        json!({"count": 1, "of": 2, "municipalities": [{"code": "1881", "label": "Kumla"}]})
    );
    assert_eq!(
        summary["continuingPartnerships"],
        json!({"percent": 50.0, "numerator": 1, "denominator": 2, "unknown": 1})
    );
    assert_eq!(
        summary["continuingProjects"],
        json!({"percent": 100.0, "numerator": 1, "denominator": 1, "unknown": 0})
    );
    assert_eq!(summary["endedProjects"][0]["id"], PROJECT.to_string());
    assert_eq!(
        summary["endedProjects"][0]["continuation"]["label"],
        "Some activities go on"
    );
    let parameters = json!([{"name": "publication", "value": "2025.1"},
        {"name": "groupBy", "value": "municipality,role"}, {"name": "role", "value": "partner"}]);
    assert_eq!(body["parameters"], parameters);

    let all = reader.get("/statistics/partnerships").await.expect(200);
    let row = &all["rows"][0];
    assert_eq!(row["partnerships"], 3);
    assert_eq!(
        (&row["partners"], &row["municipalities"]),
        (&json!(2), &json!(2))
    );
    assert!(row.get("role").is_none());

    let years = reader
        .get("/statistics/partnerships?groupBy=year&yearFrom=2022&yearTo=2023")
        .await
        .expect(200);
    let counts: Vec<(&str, i64)> = years["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["year"]["code"].as_str().unwrap(),
                row["partnerships"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        counts,
        [("2022", 3), ("2023", 1)],
        "one goes on after the project"
    );
}

#[actix_web::test]
async fn partnerships_refuse_what_cannot_be_meant() {
    let (_app, reader) = published().await;
    let nobody = Uuid::from_u128(9);
    for (query, parameter, rule) in [
        ("groupBy=size".to_owned(), "groupBy", "invalid_value"),
        ("groupBy=role,role".to_owned(), "groupBy", "duplicated"),
        ("category=choir".to_owned(), "category", "invalid_value"),
        (
            "civilSociety=ja".to_owned(),
            "civilSociety",
            "invalid_value",
        ),
        ("municipality=18".to_owned(), "municipality", "wrong_level"),
        ("region=77".to_owned(), "region", "unknown_area"),
        (format!("project={nobody}"), "project", "not_in_publication"),
        (
            format!("collaboration={nobody}"),
            "collaboration",
            "not_in_publication",
        ),
        ("year=2020&yearTo=2021".to_owned(), "year", "years_or_range"),
        (
            "yearFrom=2021&yearTo=2020".to_owned(),
            "yearTo",
            "year_order",
        ),
        ("yearFrom=0".to_owned(), "yearFrom", "out_of_range"),
        ("year=tjugo".to_owned(), "year", "invalid_value"),
    ] {
        let reply = reader
            .get(&format!("/statistics/partnerships?{query}"))
            .await;
        let expected = (parameter.to_owned(), rule.to_owned());
        assert_eq!(refused(&reply, 400), expected, "{query}");
    }
}

#[actix_web::test]
async fn both_come_as_tables_too_and_are_kept_by_clients() {
    let (_app, reader) = published().await;
    let csv = reader
        .get("/statistics/coverage?level=municipality&format=csv&lang=en")
        .await;
    assert_eq!(csv.status, 200, "{}", csv.text());
    let text = csv.text();
    assert!(
        text.contains("Kumla") && text.contains("missing_not_submitted"),
        "{text}"
    );
    for path in [
        "/statistics/coverage",
        "/statistics/partnerships",
        "/statistics/partnerships?groupBy=category,year",
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        for format in ["json", "json-cube", "json-stat2", "csv", "xlsx", "ndjson"] {
            let address = format!("{path}{joint}publication=2025.1&format={format}");
            let reply = reader.get(&address).await;
            assert_eq!(reply.status, 200, "{address}: {}", reply.text());
            assert!(
                reply.header("cache-control").contains("immutable"),
                "{address}"
            );
            let held = [("If-None-Match", reply.header("etag"))];
            let again = reader
                .send(reqwest::Method::GET, &address, &held, None)
                .await;
            assert_eq!(again.status, 304, "{address}");
        }
    }
    let stat = reader
        .get("/statistics/partnerships?groupBy=category&format=json-stat2")
        .await
        .json();
    let json = reader
        .get("/statistics/partnerships?groupBy=category")
        .await
        .expect(200);
    let sums = |values: &[Value]| values.iter().filter_map(Value::as_i64).sum::<i64>();
    let rows = json["rows"].as_array().unwrap();
    let metrics = [
        "partnerships",
        "partners",
        "municipalities",
        "projects",
        "continuing",
        "ended",
        "unknown",
        "inCollaborations",
    ];
    let of_rows: Vec<Value> = rows
        .iter()
        .flat_map(|row| metrics.iter().map(|metric| row[metric].clone()))
        .collect();
    assert_eq!(sums(stat["value"].as_array().unwrap()), sums(&of_rows));
}

#[actix_web::test]
async fn a_publication_that_is_unknown_withdrawn_or_invented() {
    let (app, reader) = published().await;
    for path in ["/statistics/coverage", "/statistics/partnerships"] {
        let reply = reader.get(&format!("{path}?publication=2019.1")).await;
        assert_eq!(reply.problem(404).0, "not-found");
        let without = app.caller(&[samverkan::access::Permission::RegistryRead], &["SE"]);
        assert_eq!(
            without.get(path).await.problem(403).0,
            "insufficient-permission"
        );
        assert_eq!(
            app.anonymous().get(path).await.problem(401).0,
            "unauthenticated"
        );
    }
    publish(&app, "2025.2", true).await;
    let invented = reader
        .get("/statistics/partnerships?publication=2025.2&lang=en")
        .await
        .expect(200);
    assert_eq!(invented["publication"]["synthetic"], true);
    assert!(
        invented["notes"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("Invented")
    );

    withdraw(&app, "2025.1").await;
    let library = &app.state.library;
    app.state
        .db
        .write(async |conn| Ok(library.refresh(conn).await?))
        .await
        .unwrap();
    let gone = reader
        .get("/statistics/coverage?publication=2025.1&lang=en")
        .await;
    assert_eq!(gone.problem(410).0, "gone");
    let detail = gone.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("Fel i Kumla.") && detail.contains("2025.2"),
        "{detail}"
    );
}
