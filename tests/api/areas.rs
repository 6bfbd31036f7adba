//! `/regions`, `/municipalities` and `/districts`.

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::rows::{
    add, collaboration, district, fault, members, partner, partnership, project, school,
};
use crate::support::TestApp;

#[actix_web::test]
async fn counties_and_municipalities_are_there_from_the_start_and_nest() {
    let app = TestApp::start().await;
    let reader = app.reader(&["22"]);
    let whole =
        async |path: &str| reader.get(path).await.expect(200)["_meta"]["totalRecords"].clone();
    assert_eq!(
        (whole("/regions").await, whole("/municipalities").await),
        (json!(21), json!(290))
    );
    let county = reader.get("/regions/18").await.expect(200);
    assert_eq!(
        members(&county, &["code", "kind", "name", "parent", "scheme"]),
        ["18", "region", "Örebro län", "SE", "scb"]
    );
    let municipality = reader.get("/municipalities/1880").await.expect(200);
    assert_eq!(
        members(
            &municipality,
            &["code", "kind", "name", "region", "regionName"]
        ),
        ["1880", "municipality", "Örebro", "18", "Örebro län"]
    );
}

#[rstest]
#[case::municipality_as_county("/regions/1880")]
#[case::country_as_county("/regions/SE")]
#[case::county_as_municipality("/municipalities/18")]
#[case::municipality_as_district("/districts/1880")]
#[case::unknown("/municipalities/1899")]
#[case::no_code("/municipalities/Örebro")]
#[case::nul("/districts/1880-a%00b")]
#[actix_web::test]
async fn an_area_of_another_kind_is_not_found(#[case] path: &str) {
    let app = TestApp::start().await;
    assert_eq!(app.admin().get(path).await.problem(404).0, "not-found");
}

#[rstest]
#[case("/regions")]
#[case("/municipalities")]
#[actix_web::test]
async fn what_comes_with_the_service_is_not_written(#[case] path: &str) {
    let app = TestApp::start().await;
    let path = format!("/samverkan/v1{path}");
    let refused = app.admin().raw(Method::POST, &path, &[], None).await;
    assert_eq!(refused.problem(405).0, "method-not-allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
}

#[actix_web::test]
async fn a_district_is_created_read_changed_and_deleted_and_its_code_stays_taken() {
    let app = TestApp::start().await;
    let editor = app.editor(&["1880"]);
    let body = json!({"code": "1880-varberga", "name": "Varberga", "parent": "1880", "scheme": "city:1880", "validFrom": "2011-01-01"});
    let created = editor.post("/districts", &body).await;
    let row = created.expect(201);
    assert_eq!(
        members(
            &row,
            &[
                "kind",
                "municipality",
                "municipalityName",
                "parent",
                "validFrom",
                "validTo",
                "successor"
            ]
        ),
        [
            &json!("district"),
            &json!("1880"),
            &json!("Örebro"),
            &json!("1880"),
            &json!("2011-01-01"),
            &Value::Null,
            &Value::Null
        ]
    );
    assert!(
        created
            .header("location")
            .ends_with("/districts/1880-varberga")
    );
    let path = "/districts/1880-varberga";
    assert_eq!(app.reader(&["22"]).get(path).await.expect(200), row);

    add(&editor, "/districts", district("1880-vivalla", json!({}))).await;
    let patch = json!({"name": "Gamla Varberga", "validTo": "2025-12-31", "successor": "1880-vivalla", "validFrom": null});
    let changed = editor.patch(path, "\"1\"", &patch).await;
    assert_eq!(
        members(
            &changed.expect(200),
            &["name", "validFrom", "validTo", "successor", "scheme"]
        ),
        [
            &json!("Gamla Varberga"),
            &Value::Null,
            &json!("2025-12-31"),
            &json!("1880-vivalla"),
            &json!("city:1880")
        ]
    );
    assert_eq!(changed.version(), 2);
    let renamed = editor
        .patch(path, "\"2\"", &json!({"code": "1880-annat"}))
        .await;
    assert_eq!(fault(&renamed, 422), ("/code".into(), "immutable".into()));

    assert_eq!(editor.delete(path, "\"2\"").await.status, 204);
    assert_eq!(editor.get(path).await.problem(410).0, "gone");
    assert_eq!(
        fault(&editor.post("/districts", &body).await, 409),
        ("/code".into(), "areas_pkey".into())
    );
    assert_eq!(
        editor.get("/districts").await.column("code"),
        ["1880-vivalla"]
    );
}

#[rstest]
#[case::code_taken(json!({"code": "1880-finns"}), 409, "/code", "areas_pkey")]
#[case::no_such_parent(json!({"code": "1899-x", "parent": "1899"}), 422, "/parent", "area_parent_exists")]
#[case::no_such_successor(json!({"successor": "1880-ingen"}), 422, "/successor", "area_successor_exists")]
#[case::code_of_another_parent(json!({"code": "1881-x"}), 422, "/code", "area_code_fits_kind")]
#[case::code_of_a_municipality(json!({"code": "1880"}), 422, "/code", "area_code_fits_kind")]
#[case::parent_is_a_county(json!({"code": "18-xyz", "parent": "18"}), 422, "/code", "area_code_fits_kind")]
#[case::ends_before_it_begins(json!({"validFrom": "2025-01-02", "validTo": "2025-01-01"}), 422, "/validTo", "area_validity_order")]
#[case::scheme(json!({"scheme": "City 1880"}), 422, "/scheme", "scheme_format")]
#[case::code_characters(json!({"code": "1880 x"}), 422, "/code", "area_code_format")]
#[case::no_day(json!({"validFrom": "2025-02-29"}), 422, "/validFrom", "invalid_value")]
#[case::nul_in_a_reference(json!({"successor": "1880\u{0}"}), 422, "/successor", "area_code_format")]
#[actix_web::test]
async fn a_district_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] status: u16,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/districts", district("1880-finns", json!({}))).await;
    let reply = admin.post("/districts", &district("1880-ny", more)).await;
    assert_eq!(
        fault(&reply, status),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        reply.text()
    );
}

#[actix_web::test]
async fn a_district_is_written_by_who_holds_its_parent() {
    let app = TestApp::start().await;
    let of_the_country = json!({"code": "SE-vissa-stadsdelar", "name": "Vissa stadsdelar", "parent": "SE", "scheme": "storstan"});
    let refused = app
        .editor(&["18"])
        .post("/districts", &of_the_country)
        .await;
    assert_eq!(
        fault(&refused, 403),
        ("/code".into(), "area_not_permitted".into())
    );
    let row = app
        .editor(&["SE"])
        .post("/districts", &of_the_country)
        .await
        .expect(201);
    assert_eq!(
        members(&row, &["municipality", "municipalityName", "parent"]),
        [&Value::Null, &Value::Null, &json!("SE")]
    );
}

#[rstest]
#[case::all("sort=code", &["1480-a", "1480R1", "1880-a", "SE-vissa"])]
#[case::county("region=14&sort=code", &["1480-a", "1480R1"])]
#[case::counties_and_the_country("region=18,SE&sort=code", &["1880-a", "SE-vissa"])]
#[case::municipality("municipality=1880", &["1880-a"])]
#[case::scheme("scheme=city:1480,city:1880&sort=code", &["1480-a", "1880-a"])]
#[case::day_before("validOn=2019-12-31&sort=code", &["1480R1", "1880-a", "SE-vissa"])]
#[case::first_day("validOn=2020-01-01&sort=code", &["1480-a", "1480R1", "1880-a", "SE-vissa"])]
#[case::last_day("validOn=2024-12-31&region=14&sort=code", &["1480-a", "1480R1"])]
#[case::day_after("validOn=2025-01-01&region=14", &["1480R1"])]
#[actix_web::test]
async fn districts_are_selected_by_filters(#[case] query: &str, #[case] codes: &[&str]) {
    let app = TestApp::start().await;
    let admin = app.admin();
    for (code, more) in [
        ("1880-a", json!({})),
        (
            "1480-a",
            json!({"scheme": "city:1480", "validFrom": "2020-01-01", "validTo": "2024-12-31"}),
        ),
        ("1480R1", json!({"scheme": "regso-2025"})),
        ("SE-vissa", json!({"scheme": "storstan", "parent": "SE"})),
    ] {
        add(&admin, "/districts", district(code, more)).await;
    }
    assert_eq!(
        admin
            .get(&format!("/districts?{query}"))
            .await
            .column("code"),
        codes
    );
}

#[rstest]
#[case("/regions?validOn=2026-06-01", 21)]
#[case("/municipalities?validOn=2026-06-01&region=18", 12)]
#[actix_web::test]
async fn areas_without_days_exist_on_every_day(#[case] path: &str, #[case] count: u64) {
    let app = TestApp::start().await;
    let page = app.reader(&["SE"]).get(path).await.expect(200);
    assert_eq!(page["_meta"]["totalRecords"], count);
}

#[rstest]
#[case::home_of_a_partner("/partners", partner("A", json!({"area": "1880-x"})))]
#[case::keeper_of_a_project("/projects", project("P", json!({"area": "1880-x"})))]
#[case::place_of_a_project("/projects", project("P", json!({"areas": ["1880", "1880-x"]})))]
#[case::keeper_of_a_collaboration("/collaborations", collaboration("S", json!({"area": "1880-x"})))]
#[case::place_of_a_partnership("/partnerships", partnership("Aktör", "Projekt", json!({"area": "1880-x"})))]
#[case::successor("/districts", district("1880-y", json!({"successor": "1880-x"})))]
#[actix_web::test]
async fn a_district_is_kept_while_a_live_row_names_it(#[case] path: &str, #[case] body: Value) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let place = add(&admin, "/districts", district("1880-x", json!({}))).await;
    add(&admin, "/partners", partner("Aktör", json!({}))).await;
    add(&admin, "/projects", project("Projekt", json!({}))).await;
    let row = add(&admin, path, body).await;
    assert_eq!(
        fault(&admin.delete(&place, "*").await, 409),
        (String::new(), "in_use".into())
    );
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(
        admin.delete(&place, "*").await.status,
        204,
        "a tombstone holds nothing"
    );
}

#[rstest]
#[case::home_of_a_partner("/partners", partner("A", json!({"area": "1880-x"})), "/area", "partner_area_exists")]
#[case::keeper_of_a_project("/projects", project("P", json!({"area": "1880-x"})), "/area", "project_area_exists")]
#[case::place_of_a_project("/projects", project("P", json!({"areas": ["1880", "1880-x"]})), "/areas/1", "project_areas_area_exists")]
#[case::keeper_of_a_collaboration("/collaborations", collaboration("S", json!({"area": "1880-x"})), "/area", "collaboration_area_exists")]
#[case::place_of_a_partnership("/partnerships", partnership("Aktör", "Projekt", json!({"area": "1880-x"})), "/area", "partnership_area_exists")]
#[case::successor("/districts", district("1880-y", json!({"successor": "1880-x"})), "/successor", "area_successor_exists")]
#[case::keeper_of_a_source("/sources", json!({"title": "K", "publisher": "U", "area": "1880-x"}), "/area", "source_area_exists")]
#[case::area_of_a_report("/reports", json!({"source": {"title": "Källa"}, "area": "1880-x", "periodKind": "year", "period": "2025"}), "/area", "report_area_exists")]
#[case::area_of_a_population("/populations", json!({"source": {"title": "Källa"}, "area": "1880-x", "year": 2025, "gender": "total", "ageFrom": 6, "ageTo": 19, "value": 1, "referenceDate": "2025-12-31"}), "/area", "population_area_exists")]
#[actix_web::test]
async fn a_deleted_district_is_named_by_no_new_row(
    #[case] path: &str,
    #[case] body: Value,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    let place = add(&admin, "/districts", district("1880-x", json!({}))).await;
    add(&admin, "/partners", partner("Aktör", json!({}))).await;
    add(&admin, "/projects", project("Projekt", json!({}))).await;
    let source = json!({"title": "Källa", "publisher": "U", "area": "1880"});
    add(&admin, "/sources", source).await;
    let row = add(&admin, path, body.clone()).await;
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(admin.delete(&place, "*").await.status, 204);
    let refused = admin.post(path, &body).await;
    assert_eq!(
        fault(&refused, 422),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        refused.text()
    );
}

#[actix_web::test]
async fn a_row_does_not_move_to_a_deleted_district() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let place = add(&admin, "/districts", district("1880-x", json!({}))).await;
    assert_eq!(admin.delete(&place, "*").await.status, 204);
    let row = add(&admin, "/partners", partner("Aktör", json!({}))).await;
    let moved = admin.patch(&row, "\"1\"", &json!({"area": "1880-x"})).await;
    assert_eq!(
        fault(&moved, 422),
        ("/area".into(), "partner_area_exists".into())
    );
    assert_eq!(admin.get(&row).await.version(), 1);
}

#[actix_web::test]
async fn a_culture_school_cannot_lie_in_a_district() {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(&admin, "/districts", district("1880-x", json!({}))).await;
    let reply = admin
        .post(
            "/culture-schools",
            &school("A", json!({"municipality": "1880-x"})),
        )
        .await;
    assert_eq!(
        fault(&reply, 422),
        (
            "/municipality".into(),
            "culture_school_in_municipality".into()
        )
    );
}
