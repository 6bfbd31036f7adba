//! What is not answered.

use diesel_async::SimpleAsyncConnection;
use samverkan::access::Permission;
use samverkan::db::connect::{self, Work};
use serde_json::json;

use super::fixture::published;
use crate::support::TestApp;

const PATH: &str = "/statistics/participation";

/// Cells of [`large`].
pub const LARGE: usize = 40 * 4 * 13 * 9 * 6;

/// A question of 112 320 cells.
pub fn large() -> String {
    let bands: Vec<String> = (6..46).map(|to| format!("6-{to}")).collect();
    let subjects = "visual_arts,circus,dance,film_animation,photography,music_instrument_vocal,music_ensemble,musical,writing,crafts,theatre_drama,other,all";
    let forms = "all,subject_course,subject_course_long,subject_course_short,open_activity,targeted_activity,commissioned_activity,voluntary_activity,not_stated";
    format!(
        "measure=pupils&period=2024&area=SE,18,1861,1862,1880,1980&ageBand={}&gender=girls,boys,other,total&subject={subjects}&activityForm={forms}&groupBy=ageBand,gender,subject,activityForm",
        bands.join(",")
    )
}

#[actix_web::test]
async fn unknown_codes_are_named_with_the_nearest_known_one() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["SE"]);
    for (query, parameter, said) in [
        (
            "measure=pupil_share",
            "measure",
            "Did you mean pupils_share?",
        ),
        ("measure=pupils&area=1888", "area", "Did you mean"),
        (
            "measure=pupils&area=v%C3%A4ster%C3%A5s",
            "area",
            "Västerås is 1980",
        ),
        ("measure=pupils&period=2025", "period", "Did you mean"),
        (
            "measure=pupils&gender=girl",
            "gender",
            "Did you mean girls?",
        ),
        (
            "measure=pupils&subject=dans",
            "subject",
            "Did you mean dance?",
        ),
        ("measure=pupils&ageBand=19-6", "ageBand", "no age band"),
        (
            "measure=pupils&groupBy=gendre",
            "groupBy",
            "Did you mean gender?",
        ),
        ("measure=pupils&basis=home", "basis", "Known: provider"),
        (
            "measure=pupils&collaboration=x",
            "collaboration",
            "Kulturskolesamverkan",
        ),
        (
            "measure=pupils&partnerCategory=sport",
            "partnerCategory",
            "sports_association",
        ),
        (
            "measure=pupils&level=municipality&within=99",
            "within",
            "Unknown code",
        ),
        (
            "measure=pupils&level=district&scheme=regso",
            "scheme",
            "city:1880",
        ),
    ] {
        let reply = reader.get(&format!("{PATH}?{query}&lang=en")).await;
        let body = reply.expect(400);
        assert_eq!(body["errors"][0]["parameter"], parameter, "{query}");
        let detail = body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{query}: {detail}");
    }
    let posted = reader
        .post(
            "/statistics/queries",
            &json!({"measures": ["pupils", "pupil"], "periods": ["2024"]}),
        )
        .await;
    let body = posted.expect(422);
    assert_eq!(body["errors"][0]["pointer"], "/measures/1");
}

#[actix_web::test]
async fn contradictions_and_gaps_in_a_question_are_refused() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["SE"]);
    for (query, code) in [
        ("area=1880", "missing"),
        ("measure=pupil_places", "basis_ambiguous"),
        ("measure=pupils&basis=residence", "basis_without_numbers"),
        ("measure=pupils&within=18", "needs_level"),
        (
            "measure=pupils&level=region&scheme=city:1880",
            "needs_level",
        ),
        ("measure=pupils&level=district&within=1861", "no_areas"),
        (
            "measure=pupils&period=2024&periodFrom=2020",
            "period_or_years",
        ),
        ("measure=pupils&periodFrom=2030", "no_periods"),
        ("measure=pupils&gender=girls,not_stated", "not_stated_alone"),
        (
            "measure=pupils&dialect=excel-sv&format=json",
            "dialect_needs_csv",
        ),
        ("measure=pupils&protection=all", "invalid_value"),
        ("measure=pupils&munipality=1880", "unknown_parameter"),
    ] {
        let reply = reader.get(&format!("{PATH}?{query}")).await;
        assert_eq!(reply.problem(400).1, code, "{query}");
    }
    let named = reader
        .get(&format!("{PATH}?measure=pupil_places&lang=en"))
        .await
        .expect(400);
    let detail = named["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.ends_with("give basis: provider, residence."),
        "{detail}"
    );
    let unknown = reader
        .get(&format!("{PATH}?measure=pupils&publication=1999.1"))
        .await;
    assert_eq!(unknown.problem(404).0, "not-found");
    let other = app.caller(&[Permission::RegistryRead], &["SE"]);
    let reply = other.get(&format!("{PATH}?measure=pupils")).await;
    assert_eq!(reply.problem(403).0, "insufficient-permission");
}

#[actix_web::test]
async fn too_many_cells_are_refused_before_any_number_is_read() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["SE"]);
    let small = format!("{PATH}?measure=pupils&area=1880&period=2024");
    reader.get(&small).await.expect(200);
    // Without the tables any query would fail.
    let target = app.state.db.target();
    let mut conn = connect::open(target, Work::Migrate).await.unwrap();
    conn.batch_execute("DROP TABLE publication_blocks, publication_figures")
        .await
        .unwrap();
    let reply = reader.get(&format!("{PATH}?{}&lang=en", large())).await;
    let body = reply.expect(422);
    assert_eq!(body["errors"][0]["code"], "too_many_cells");
    assert_eq!(body["errors"][0]["parameter"], "ageBand");
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("{LARGE} cells")) && detail.contains("ageBand 40"),
        "{detail}"
    );
    let other = format!("{PATH}?measure=pupils&area=1861&period=2024");
    assert_eq!(reader.get(&other).await.status, 500);
}
