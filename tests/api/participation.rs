//! `/measures`, `/sources`, `/reports`, `/observations`, `/populations`.

use samverkan::access::Permission;
use serde_json::{Value, json};

use crate::rows::{add, district, fault};
use crate::support::{Caller, TestApp};

async fn measure(admin: &Caller, code: &str) {
    let body = json!({"code": code, "kind": "count", "unit": "persons", "labelSv": "Elever", "labelEn": "Pupils",
        "definitionSv": "Unika elever.", "definitionEn": "Unique pupils."});
    admin.post("/measures", &body).await.expect(201);
}

async fn source(admin: &Caller) -> String {
    let body = json!({"title": "Årsrapport", "publisher": "Örebro kommun", "area": "1880", "url": "https://example.se/rapport"});
    let row = admin.post("/sources", &body).await.expect(201);
    row["id"].as_str().unwrap().to_owned()
}

/// A draft report of Örebro for 2025; its path.
async fn report(admin: &Caller) -> String {
    measure(admin, "pupils").await;
    let source = source(admin).await;
    let body = json!({"source": source, "area": "1880", "periodKind": "year", "period": "2025"});
    let row = admin.post("/reports", &body).await.expect(201);
    format!("/reports/{}", row["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_share_must_say_what_it_counts_and_of_whom() {
    let app = TestApp::start().await;
    let admin = app.admin();
    measure(&admin, "pupils").await;
    let mut share = json!({"code": "pupils_share", "kind": "share", "unit": "percent", "labelSv": "Andel", "labelEn": "Share",
        "definitionSv": "Andel elever.", "definitionEn": "Share of pupils."});
    assert_eq!(
        admin.post("/measures", &share).await.problem(422).1,
        "measure_share_names_both"
    );
    share["numerator"] = json!("nothing");
    share["denominator"] = json!("residents");
    assert_eq!(
        admin.post("/measures", &share).await.problem(422).1,
        "measure_numerator_exists"
    );
    share["numerator"] = json!("pupils");
    share["denominatorAgeBand"] = json!("6-19");
    share["seriesBreaks"] = json!([{"firstPeriod": "2018", "reasonSv": "Ny enkät", "reasonEn": "New questionnaire", "sourceUrl": null}]);
    let row = admin.post("/measures", &share).await.expect(201);
    assert_eq!(row["seriesBreaks"][0]["firstPeriod"], "2018");
    let english = app
        .reader(&["18"])
        .get("/measures/pupils_share?lang=en")
        .await
        .expect(200);
    assert_eq!(english["label"], "Share");
    assert_eq!(
        app.editor(&["18"])
            .post("/measures", &share)
            .await
            .problem(403)
            .0,
        "area-not-permitted"
    );
}

#[actix_web::test]
async fn observations_are_written_as_a_whole_and_every_bad_row_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let report = report(&admin).await;
    let path = format!("{report}/observations");
    let bad = json!({"observations": [
        {"measure": "pupils", "value": 10.5},
        {"measure": "pupils", "gender": "girls", "value": -1},
        {"measure": "pupils", "gender": "boys", "value": 3, "status": "not_collected"},
        {"measure": "pupils", "area": "2281", "value": 3},
        {"measure": "nothing", "value": 3}]});
    let refused = admin.put(&path, "*", &bad).await;
    let body = refused.expect(422);
    let pointers: Vec<&str> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    for row in 0..5 {
        assert!(
            pointers
                .iter()
                .any(|pointer| pointer.starts_with(&format!("/observations/{row}"))),
            "{row}: {pointers:?}"
        );
    }
    assert!(
        admin.get(&path).await.column("id").is_empty(),
        "nothing is half-written"
    );

    let good = json!({"observations": [
        {"measure": "pupils", "value": 1520},
        {"measure": "pupils", "gender": "girls", "value": 880, "ageBand": "6-19", "basis": "provider"},
        {"measure": "pupils", "gender": "boys", "status": "missing_not_submitted"}]});
    let written = admin.put(&path, "\"1\"", &good).await;
    assert_eq!(
        (
            written.expect(200)["observationCount"].as_i64(),
            written.version()
        ),
        (Some(3), 2)
    );
    assert_eq!(
        admin.put(&path, "\"1\"", &good).await.status,
        412,
        "the report's version guards its observations"
    );
    let same = admin.put(&path, "\"2\"", &good).await;
    assert_eq!(
        (same.status, same.version()),
        (200, 2),
        "the same rows again change nothing"
    );
    let more = json!({"observations": [{"measure": "pupils", "value": 1521}]});
    let headers = [("Content-Type", "application/json"), ("If-Match", "\"2\"")];
    let merged = admin
        .send(
            reqwest::Method::PATCH,
            &path,
            &headers,
            Some(more.to_string().into_bytes()),
        )
        .await;
    assert_eq!(merged.expect(200)["observationCount"], 3);
    let totals = admin
        .get("/observations?measure=pupils&gender=total")
        .await
        .expect(200);
    assert_eq!(
        (
            totals["_meta"]["totalRecords"].as_i64(),
            totals["items"][0]["value"].as_f64()
        ),
        (Some(1), Some(1521.0))
    );
}

#[actix_web::test]
async fn an_observation_of_a_deleted_district_is_named_with_its_row() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let path = format!("{}/observations", report(&admin).await);
    let place = district("1880-x", json!({}));
    let place = add(&admin, "/districts", place).await;
    assert_eq!(admin.delete(&place, "*").await.status, 204);
    let body = json!({"observations": [{"measure": "pupils", "value": 1},
        {"measure": "pupils", "area": "1880-x", "value": 1}]});
    assert_eq!(
        fault(&admin.put(&path, "*", &body).await, 422),
        (
            "/observations/1/area".into(),
            "observation_area_exists".into()
        )
    );
}

#[actix_web::test]
async fn reports_and_observations_are_private_to_their_area() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let report = report(&admin).await;
    admin
        .put(
            &format!("{report}/observations"),
            "*",
            &json!({"observations": [{"measure": "pupils", "value": 7}]}),
        )
        .await
        .expect(200);
    let inside = app.reader(&["18"]);
    assert_eq!(inside.get("/reports").await.column("area"), ["1880"]);
    let observations = inside.get("/observations").await;
    assert_eq!(observations.column("area"), ["1880"]);
    let one = format!(
        "/observations/{}",
        observations.json()["items"][0]["id"].as_str().unwrap()
    );
    let outside = app.reader(&["22", "1881"]);
    assert!(outside.get("/reports").await.column("id").is_empty());
    assert!(outside.get("/observations").await.column("id").is_empty());
    for path in [&report, &one, &format!("{report}/observations")] {
        assert_eq!(
            outside.get(path).await.problem(404).0,
            "not-found",
            "{path}"
        );
    }
    let registry_only = app.caller(&[Permission::RegistryRead], &["SE"]);
    assert_eq!(
        registry_only.get("/observations").await.problem(403).0,
        "insufficient-permission"
    );
}

#[actix_web::test]
async fn a_report_goes_from_draft_to_approved_by_the_right_hands() {
    let app = TestApp::start().await;
    let report = report(&app.admin()).await;
    let path = format!("{report}/state");
    let writer = app.editor(&["1880"]);
    let approver = app.caller(
        &[
            Permission::ParticipationRead,
            Permission::ParticipationApprove,
        ],
        &["18"],
    );
    let to = |state: &str| json!({"state": state});
    assert_eq!(
        approver
            .put(&path, "*", &to("approved"))
            .await
            .problem(409)
            .1,
        "state_transition"
    );
    writer
        .put(&path, "\"1\"", &to("submitted"))
        .await
        .expect(200);
    assert_eq!(
        writer.put(&path, "*", &to("approved")).await.problem(403).0,
        "insufficient-permission"
    );
    let patch = writer.patch(&report, "*", &json!({"note": "sent"})).await;
    assert_eq!(patch.problem(409).1, "report_not_draft");
    let approved = approver.put(&path, "*", &to("approved")).await.expect(200);
    assert_eq!(
        (approved["state"].as_str(), approved["approvedBy"].as_str()),
        (Some("approved"), Some("client_test"))
    );
    assert_eq!(
        approver.put(&path, "*", &to("withdrawn")).await.status,
        422,
        "a withdrawal says why"
    );
    let withdrawn = json!({"state": "withdrawn", "reason": "Siffrorna gällde läsåret."});
    approver.put(&path, "*", &withdrawn).await.expect(200);
    let again = json!({"source": {"url": "https://example.se/rapport"}, "area": "1880", "periodKind": "year", "period": "2025"});
    app.admin().post("/reports", &again).await.expect(201);
    assert_eq!(
        app.admin().post("/reports", &again).await.problem(409).1,
        "report_once"
    );
}

#[actix_web::test]
async fn populations_need_not_add_up_and_stand_once() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let source = source(&admin).await;
    let row = |gender: &str, value: i64| {
        json!({"area": "18", "year": 2026, "gender": gender, "ageFrom": 10, "ageTo": 19,
        "value": value, "referenceDate": "2026-04-30", "source": source})
    };
    for (gender, value) in [("total", 100), ("girls", 49), ("boys", 53)] {
        admin
            .post("/populations", &row(gender, value))
            .await
            .expect(201);
    }
    assert_eq!(
        admin
            .post("/populations", &row("boys", 1))
            .await
            .problem(409)
            .1,
        "population_once"
    );
    let mut upside_down = row("other", 1);
    upside_down["ageFrom"] = json!(30);
    assert_eq!(
        admin
            .post("/populations", &upside_down)
            .await
            .problem(422)
            .1,
        "population_age_order"
    );
    assert_eq!(
        app.reader(&["22"])
            .get("/populations?region=18&gender=boys")
            .await
            .column("value"),
        ["53"]
    );
}

#[actix_web::test]
async fn the_demo_data_loads_once_and_answers_with_its_sources() {
    let app = TestApp::start().await;
    samverkan::demo::load_reference(&app.state.db)
        .await
        .unwrap();
    assert!(samverkan::demo::load_if_empty(&app.state.db).await.unwrap() > 300);
    assert_eq!(
        samverkan::demo::load_if_empty(&app.state.db).await.unwrap(),
        0
    );
    assert_eq!(
        samverkan::demo::load_reference(&app.state.db)
            .await
            .unwrap(),
        0
    );
    let reader = app.reader(&["SE"]);
    let total = async |path: &str| {
        reader.get(path).await.expect(200)["_meta"]["totalRecords"]
            .as_i64()
            .unwrap()
    };
    assert_eq!(total("/observations").await, 117);
    assert_eq!(total("/populations").await, 126);
    assert_eq!(total("/reports?state=approved").await, 81);
    let orebro = reader
        .get("/collaborations?region=18&validOn=2022-10-01&include=members")
        .await
        .expect(200);
    let members: Vec<&Value> = orebro["items"][0]["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| &member["municipality"])
        .collect();
    assert!(
        members.len() == 11 && !members.contains(&&json!("1860")),
        "{members:?}"
    );
    assert_eq!(orebro["items"][0]["administrativeHost"], "1883");
    for path in [
        "/partners",
        "/projects",
        "/partnerships",
        "/culture-schools",
        "/collaborations",
    ] {
        let sources = reader
            .get(&format!("{path}?limit=1000"))
            .await
            .column("sourceUrl");
        assert!(
            !sources.is_empty() && sources.iter().all(|source| source.starts_with("http")),
            "{path}"
        );
    }
}
