//! `/culture-schools`

use rstest::rstest;
use serde_json::{Value, json};

use crate::rows::{add, fault, id, members, partner, partnership, project, school};
use crate::support::TestApp;

#[actix_web::test]
async fn a_culture_school_is_created_read_changed_and_deleted() {
    let app = TestApp::start().await;
    let editor = app.editor(&["1880"]);
    let body = json!({"municipality": "1880", "name": " O\u{308}rebro musikskola", "kind": "music_school", "openedMonth": "1962-08",
        "website": "https://extra.orebro.se/kulturskolan/"});
    let created = editor.post("/culture-schools", &body).await;
    let row = created.expect(201);
    assert_eq!(
        members(
            &row,
            &[
                "municipality",
                "municipalityName",
                "name",
                "kind",
                "openedMonth",
                "closedMonth",
                "sourceUrl",
                "state"
            ]
        ),
        [
            &json!("1880"),
            &json!("Örebro"),
            &json!("Örebro musikskola"),
            &json!("music_school"),
            &json!("1962-08"),
            &Value::Null,
            &Value::Null,
            &json!("published")
        ]
    );
    let path = format!("/culture-schools/{}", row["id"].as_str().unwrap());
    assert!(created.header("location").ends_with(&path));
    let shown = app.reader(&["22"]).get(&path).await;
    assert_eq!(
        (shown.expect(200), shown.header("etag")),
        (row, created.header("etag"))
    );

    let patch =
        json!({"name": "Örebro kulturskola", "kind": "culture_school", "openedMonth": null});
    let changed = editor.patch(&path, created.header("etag"), &patch).await;
    assert_eq!(
        members(
            &changed.expect(200),
            &["name", "kind", "openedMonth", "website"]
        ),
        [
            &json!("Örebro kulturskola"),
            &json!("culture_school"),
            &Value::Null,
            &json!("https://extra.orebro.se/kulturskolan/")
        ]
    );
    let same = editor.patch(&path, "\"2\"", &patch).await;
    assert_eq!((same.status, same.version()), (200, 2));
    assert_eq!(editor.delete(&path, "\"2\"").await.status, 204);
    assert_eq!(editor.get(&path).await.problem(410).0, "gone");
}

#[rstest]
#[case::name_taken(json!({"name": "ÖREBRO kulturskola"}), 409, "/name", "culture_school_name_once")]
#[case::no_such_municipality(json!({"municipality": "1899"}), 422, "/municipality", "culture_school_municipality_exists")]
#[case::county(json!({"municipality": "18"}), 422, "/municipality", "culture_school_in_municipality")]
#[case::country(json!({"municipality": "SE"}), 422, "/municipality", "culture_school_in_municipality")]
#[case::closes_before_it_opens(json!({"openedMonth": "2020-02", "closedMonth": "2020-01"}), 422, "/closedMonth", "culture_school_month_order")]
#[case::kind(json!({"kind": "dance_school"}), 422, "/kind", "unknown_code")]
#[case::month(json!({"openedMonth": "2020-13"}), 422, "/openedMonth", "month_format")]
#[case::required(json!({"kind": null}), 422, "/kind", "not_nullable")]
#[actix_web::test]
async fn a_culture_school_that_breaks_a_rule_is_refused_by_its_name(
    #[case] more: Value,
    #[case] status: u16,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start().await;
    let admin = app.admin();
    add(
        &admin,
        "/culture-schools",
        school("Örebro kulturskola", json!({})),
    )
    .await;
    let other = add(&admin, "/culture-schools", school("En annan", json!({}))).await;
    let posted = admin
        .post("/culture-schools", &school("Ny", more.clone()))
        .await;
    assert_eq!(
        fault(&posted, status),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        posted.text()
    );
    let patched = admin.patch(&other, "*", &more).await;
    assert_eq!(
        fault(&patched, status),
        (pointer.to_owned(), code.to_owned()),
        "{}",
        patched.text()
    );
    assert_eq!(
        admin.get(&other).await.version(),
        1,
        "what is refused leaves nothing behind"
    );
}

#[actix_web::test]
async fn a_name_is_taken_in_one_municipality_and_only_while_the_school_lives() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let first = add(
        &admin,
        "/culture-schools",
        school("Kulturskolan", json!({})),
    )
    .await;
    add(
        &admin,
        "/culture-schools",
        school("Kulturskolan", json!({"municipality": "1881"})),
    )
    .await;
    assert_eq!(admin.delete(&first, "*").await.status, 204);
    add(
        &admin,
        "/culture-schools",
        school("Kulturskolan", json!({})),
    )
    .await;
}

#[rstest]
#[case("region=18", &["Nora", "Örebro"])]
#[case("region=12,18", &["Malmö", "Nora", "Örebro"])]
#[case("municipality=1884,1280", &["Malmö", "Nora"])]
#[case("kind=music_school", &["Nora"])]
#[case("kind=music_school,culture_school&region=18", &["Nora", "Örebro"])]
#[case("validOn=1999-12-31", &["Malmö", "Örebro"])]
#[case("validOn=2000-01-31", &["Malmö", "Nora", "Örebro"])]
#[case("validOn=2010-06-30", &["Malmö", "Nora", "Örebro"])]
#[case("validOn=2010-07-01", &["Malmö", "Örebro"])]
#[case("q=orebro", &["Örebro"])]
#[actix_web::test]
async fn culture_schools_are_selected_by_filters(#[case] query: &str, #[case] names: &[&str]) {
    let app = TestApp::start().await;
    let admin = app.admin();
    for (name, more) in [
        ("Örebro", json!({"openedMonth": "1980-01"})),
        (
            "Nora",
            json!({"municipality": "1884", "kind": "music_school", "openedMonth": "2000-01", "closedMonth": "2010-06"}),
        ),
        ("Malmö", json!({"municipality": "1280"})),
    ] {
        add(&admin, "/culture-schools", school(name, more)).await;
    }
    assert_eq!(
        admin
            .get(&format!("/culture-schools?{query}"))
            .await
            .column("name"),
        names
    );
}

#[actix_web::test]
async fn a_culture_school_is_kept_while_a_partnership_names_it() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let place = add(
        &admin,
        "/culture-schools",
        school("Kulturskolan", json!({})),
    )
    .await;
    add(&admin, "/partners", partner("Aktör", json!({}))).await;
    add(&admin, "/projects", project("Projekt", json!({}))).await;
    let body = partnership("Aktör", "Projekt", json!({"cultureSchool": id(&place)}));
    let row = add(&admin, "/partnerships", body).await;
    assert_eq!(fault(&admin.delete(&place, "*").await, 409).1, "in_use");
    assert_eq!(admin.delete(&row, "*").await.status, 204);
    assert_eq!(admin.delete(&place, "*").await.status, 204);
}
