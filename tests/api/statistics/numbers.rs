//! What is answered.

use serde_json::{Value, json};

use super::fixture::{collaboration, published, put};
use crate::support::TestApp;

const PATH: &str = "/statistics/participation";

async fn ask(app: &TestApp, query: &str) -> Value {
    let reader = app.reader(&["18"]);
    reader.get(&format!("{PATH}?{query}")).await.expect(200)
}

/// Value and status of each row.
fn cells(answer: &Value) -> Vec<(Value, String)> {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            (
                row["value"].clone(),
                row["status"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

fn reasons(row: &Value) -> Vec<&str> {
    let all = row["reasons"].as_array();
    all.into_iter()
        .flatten()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}

fn of(value: impl Into<Value>, status: &str) -> (Value, String) {
    (value.into(), status.to_owned())
}

#[actix_web::test]
async fn a_county_is_the_sum_of_those_who_reported_and_its_share_is_computed_from_sums() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(
        &app,
        "measure=pupils,pupils_share&area=18,1880,1861&period=2024&include=numerator,denominator,coverage",
    )
    .await;
    // 780 of 23 000. The mean of 750/21 000 and 30/2 000 would be 2.54.
    assert_eq!(
        cells(&answer),
        [
            of(780, "partial"),
            of(30, "reported"),
            of(750, "reported"),
            of(3.39, "partial"),
            of(1.5, "reported"),
            of(3.57, "reported"),
        ]
    );
    let county = &answer["rows"][3];
    assert_eq!(
        county["coverage"],
        json!({"reported": 2, "expected": 4, "level": "municipality"})
    );
    assert_eq!(county["numerator"], 780);
    assert_eq!(
        county["denominator"],
        json!({"value": 23_000, "year": 2024, "ageBand": "6-19", "referenceDate": "2024-12-31", "source": "Folkmängd"})
    );
    assert_eq!(reasons(county), ["some_places_missing"]);
    assert_eq!(
        answer["denominators"],
        json!([{"measure": "pupils_share", "year": 2024, "ageBand": "6-19", "referenceDate": "2024-12-31", "source": "Folkmängd"}])
    );
    assert_eq!(answer["rows"][0]["numerator"], Value::Null);
    let titles: Vec<&Value> = answer["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| &source["title"])
        .collect();
    assert_eq!(titles, ["Enkät", "Folkmängd"]);
}

#[actix_web::test]
async fn a_collaboration_is_those_who_were_members_at_the_end_of_the_period() {
    let app = TestApp::start().await;
    published(&app).await;
    let id = collaboration();
    let answer = ask(
        &app,
        &format!("measure=pupils,pupils_share&collaboration={id}&periodFrom=2023&include=coverage"),
    )
    .await;
    // 2023: 1880 alone, 700 of 21 000. 2024: 1861 has joined, 780 of 23 000.
    assert_eq!(
        cells(&answer),
        [
            of(700, "reported"),
            of(780, "reported"),
            of(3.33, "reported"),
            of(3.39, "reported"),
        ]
    );
    assert_eq!(answer["rows"][1]["coverage"]["expected"], 2);
    assert_eq!(answer["rows"][0]["collaboration"], id.to_string());
    assert_eq!(answer["rows"][0]["label"], "Kulturskolesamverkan");
    let early = ask(
        &app,
        &format!("measure=pupils&collaboration={id}&period=2017"),
    )
    .await;
    assert_eq!(cells(&early), [of(Value::Null, "not_applicable")]);
    assert_eq!(reasons(&early["rows"][0]), ["no_members"]);
}

#[actix_web::test]
async fn partner_categories_overlap_and_say_so() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(
        &app,
        "measure=pupils&partnerCategory=sports_association,cultural_association&periodFrom=2023",
    )
    .await;
    // Sport: 1880 in both years. Culture: 1861 in 2023; with 1880, by its district from May, in 2024.
    assert_eq!(
        cells(&answer),
        [
            of(700, "reported"),
            of(750, "reported"),
            of(40, "reported"),
            of(780, "reported"),
        ]
    );
    let notes = answer["notes"].as_array().unwrap();
    assert!(
        notes.iter().any(|note| note["mandatory"] == true
            && note["text"].as_str().unwrap().contains("överlappar"))
    );
}

#[actix_web::test]
async fn a_reported_nothing_is_0_and_an_unreported_number_is_missing() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(
        &app,
        "measure=pupils&area=1861,1862,1882,1880-a,SE&period=2024,2023&gender=girls&include=coverage",
    )
    .await;
    let missing = || of(Value::Null, "missing_not_submitted");
    assert_eq!(
        cells(&answer),
        [
            missing(),
            missing(),
            of(0, "reported"),
            of(0, "reported"),
            missing(),
            missing(),
            of(Value::Null, "not_applicable"),
            missing(),
            of(Value::Null, "not_available"),
            of(Value::Null, "not_available"),
        ]
    );
    assert_eq!(answer["rows"][0]["area"], "SE");
    // 1882 did not exist in 2023.
    assert_eq!(answer["rows"][0]["coverage"]["expected"], 4);
    assert_eq!(answer["rows"][1]["coverage"]["expected"], 5);
    assert_eq!(reasons(&answer["rows"][6]), ["area_not_in_period"]);
    assert_eq!(reasons(&answer["rows"][8]), ["not_by_district"]);
    let never = ask(
        &app,
        "measure=pupil_places&basis=provider&area=1880&period=2017",
    )
    .await;
    assert_eq!(cells(&never), [of(Value::Null, "not_collected")]);
    let one = ask(
        &app,
        "measure=pupil_places&basis=provider&area=1880&period=2023",
    )
    .await;
    assert_eq!(cells(&one), [of(90, "partial")]);
    assert_eq!(reasons(&one["rows"][0]), ["value_missing"]);
    let none = ask(
        &app,
        "measure=pupil_places&basis=provider&area=1880&period=2023&gender=boys",
    )
    .await;
    assert_eq!(cells(&none), [of(Value::Null, "missing_not_submitted")]);
}

#[actix_web::test]
async fn people_of_wider_groups_are_never_left_out_in_silence() {
    let app = TestApp::start().await;
    published(&app).await;
    let count = ask(&app, "measure=pupils&area=1980&period=2023&gender=girls").await;
    assert_eq!(cells(&count), [of(Value::Null, "not_available")]);
    assert_eq!(reasons(&count["rows"][0]), ["broken_down_less_finely"]);
    let share = ask(&app, "measure=pupils_share&area=1980&period=2023").await;
    assert_eq!(cells(&share), [of(Value::Null, "not_available")]);
    assert_eq!(reasons(&share["rows"][0]), ["numerator_not_of_these_ages"]);
    let places = ask(
        &app,
        "measure=pupil_places&basis=provider&area=1880&period=2024&subject=dance",
    )
    .await;
    assert_eq!(cells(&places), [of(100, "partial")]);
    let other = ask(&app, "measure=pupils&area=1880&period=2024&gender=other").await;
    assert_eq!(cells(&other), [of(Value::Null, "not_available")]);
    assert_eq!(reasons(&other["rows"][0]), ["shown_for_larger_areas_only"]);
    let outside = ask(
        &app,
        "measure=pupils_share&area=1880&period=2024&ageBand=6-25",
    )
    .await;
    assert_eq!(reasons(&outside["rows"][0]), ["outside_denominator_ages"]);
}

#[actix_web::test]
async fn groups_add_up_to_the_whole_whatever_is_not_broken_down() {
    let app = TestApp::start().await;
    published(&app).await;
    let path = "measure=pupil_places&basis=provider&area=1880&period=2024";
    let whole = ask(&app, path).await["rows"][0]["value"].as_i64().unwrap();
    assert_eq!(whole, 137);
    for dimension in ["gender", "ageBand", "subject", "activityForm"] {
        let answer = ask(&app, &format!("{path}&groupBy={dimension}")).await;
        let rows = answer["rows"].as_array().unwrap();
        let sum: i64 = rows
            .iter()
            .map(|row| row["value"].as_i64().unwrap_or(0))
            .sum();
        assert_eq!(sum, whole, "{dimension}");
        let rest = rows.last().unwrap();
        assert_eq!(
            (&rest[dimension], &rest["value"]),
            (&json!("not_stated"), &json!(7)),
            "{dimension}"
        );
    }
    let all = ask(
        &app,
        &format!("{path}&groupBy=activityForm,subject,ageBand,gender"),
    )
    .await;
    let rows = all["rows"].as_array().unwrap();
    let sum: i64 = rows
        .iter()
        .map(|row| row["value"].as_i64().unwrap_or(0))
        .sum();
    assert_eq!(sum, whole);
    // Where everything is broken down, nobody is not stated.
    let full = ask(
        &app,
        "measure=pupils&area=1880&period=2024&groupBy=gender,ageBand",
    )
    .await;
    let groups: Vec<(&str, &str, i64)> = full["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["gender"].as_str().unwrap(),
                row["ageBand"].as_str().unwrap(),
                row["value"].as_i64().unwrap_or(-1),
            )
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("girls", "6-9", 120),
            ("girls", "10-19", 300),
            ("boys", "6-9", 80),
            ("boys", "10-19", 250),
            ("other", "6-9", -1),
            ("other", "10-19", -1),
        ]
    );
    // Forms nest: a long subject course is a subject course.
    let courses = ask(&app, &format!("{path}&activityForm=subject_course")).await;
    assert_eq!(courses["rows"][0]["value"], 100);
}

#[actix_web::test]
async fn shares_of_groups_have_the_residents_of_the_group() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(
        &app,
        "measure=pupils_share&area=1880&period=2024&gender=girls,boys&groupBy=gender&include=denominator",
    )
    .await;
    // 420 of 10 200 girls, 330 of 10 800 boys.
    assert_eq!(cells(&answer), [of(4.12, "reported"), of(3.06, "reported")]);
    assert_eq!(answer["rows"][0]["denominator"]["value"], 10_200);
    let young = ask(
        &app,
        "measure=pupils_share&area=18&period=2024&ageBand=6-9&include=denominator",
    )
    .await;
    // 210 of 6 600.
    assert_eq!(cells(&young), [of(3.18, "partial")]);
    assert_eq!(young["rows"][0]["denominator"]["ageBand"], "6-9");
    let unknown = ask(
        &app,
        "measure=pupils_share&area=1880&period=2024&ageBand=6-7",
    )
    .await;
    assert_eq!(cells(&unknown), [of(Value::Null, "not_available")]);
}

#[actix_web::test]
async fn persons_are_not_summed_over_subjects() {
    let app = TestApp::start().await;
    published(&app).await;
    let path = "measure=pupils&area=1880&period=2017";
    let whole = ask(&app, path).await;
    assert_eq!(cells(&whole), [of(Value::Null, "not_available")]);
    assert_eq!(reasons(&whole["rows"][0]), ["persons_not_summed"]);
    let two = ask(&app, &format!("{path}&subject=dance,theatre_drama")).await;
    assert_eq!(cells(&two), [of(Value::Null, "not_available")]);
    let each = ask(&app, &format!("{path}&groupBy=subject")).await;
    assert_eq!(cells(&each), [of(50, "reported"), of(60, "reported")]);
}

#[actix_web::test]
async fn a_published_share_passes_marked_where_none_can_be_computed() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(
        &app,
        "measure=pupils_share,published_participation_share_unstated&area=SE,1862,1880,1980&period=2024",
    )
    .await;
    assert_eq!(
        cells(&answer),
        [
            of(14, "reported"),
            of(Value::Null, "not_yet_published"),
            of(3.57, "reported"),
            of(5.5, "reported"),
            of(2, "reported"),
            of(Value::Null, "missing_not_submitted"),
            of(Value::Null, "missing_not_submitted"),
            of(Value::Null, "missing_not_submitted"),
        ]
    );
    let origins: Vec<&Value> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["origin"])
        .collect();
    assert_eq!(origins[0], "published");
    assert_eq!(origins[2], "computed");
    assert_eq!(origins[3], "published");
    assert_eq!(answer["rows"][0]["precision"], "about");
    let id = collaboration();
    let summed = ask(
        &app,
        &format!("measure=published_participation_share_unstated&collaboration={id}&period=2024"),
    )
    .await;
    assert_eq!(reasons(&summed["rows"][0]), ["figure_not_summed"]);
}

#[actix_web::test]
async fn an_answer_says_what_to_know_and_how_to_cite_it() {
    let app = TestApp::start().await;
    published(&app).await;
    let answer = ask(&app, "measure=pupils&area=1880").await;
    assert_eq!(
        answer["parameters"]["periods"],
        json!(["2017", "2023", "2024"])
    );
    assert_eq!(answer["parameters"]["bases"], json!(["provider"]));
    assert_eq!(answer["publication"]["name"], "2025.1");
    assert_eq!(answer["publication"]["protection"], "keyed-rounding-5");
    assert_eq!(answer["breaks"][0]["firstPeriod"], "2018");
    let notes: Vec<(bool, &str)> = answer["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| {
            (
                note["mandatory"].as_bool().unwrap(),
                note["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(notes[0], (true, "Old count (sv)"));
    assert_eq!(notes[1], (true, "Read with care (sv)"));
    assert!(notes[2].0 && notes[2].1.contains("1–4 ersatta av 0 eller 5"));
    assert_eq!(notes[3], (false, "Of the county (sv)"));
    assert_eq!(notes.len(), 4);
    let url = answer["permanentUrl"].as_str().unwrap();
    assert!(url.contains("publication=2025.1"), "{url}");
    assert_eq!(
        answer["citation"]["sv"],
        format!("Samverkan, publicering 2025.1, pupils (sv), hämtad från {url}")
    );
    let path = url.split("/samverkan/v1").nth(1).unwrap();
    let again = app.reader(&["18"]).get(path).await.expect(200);
    assert_eq!(again["rows"], answer["rows"]);
    let later = ask(&app, "measure=pupils&area=1880&period=latest&lang=en").await;
    assert_eq!(later["breaks"], json!([]));
    assert_eq!(later["parameters"]["periods"], json!(["2024"]));
    assert_eq!(later["rows"][0]["statusLabel"], "Reported");
    assert_eq!(later["notes"][0]["text"], "Read with care (en)");
}

#[actix_web::test]
async fn a_gap_says_that_what_it_is_a_distance_from_is_partial() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let path = "/statistics/gaps?measure=pupils_share&period=2024&area=1880";
    let ask = async |question: &str| reader.get(&format!("{path}{question}")).await;
    let answer = ask("&reference=region&lang=en").await.expect(200);
    let row = &answer["rows"][0];
    // 750 of 21 000 against 780 of 23 000: 3.57 and 3.39 %. Two of the four municipalities of the county are in it.
    assert_eq!(
        (&row["status"], &row["value"]),
        (&json!("reported"), &json!(3.57))
    );
    let reference = &row["reference"];
    assert_eq!(reference["value"], 3.39);
    assert_eq!(reference["status"], "partial");
    assert_eq!(reference["statusLabel"], "Partial");
    assert_eq!(
        reference["coverage"],
        json!({"reported": 2, "expected": 4, "level": "municipality"})
    );
    let sentence = row["sentence"].as_str().unwrap();
    let said = "The reference is partial: 2 of 4 parts are in it.";
    assert!(sentence.ends_with(said), "{sentence}");
    let csv = ask("&reference=region&format=csv").await.text();
    let said = "Jämförelsetalet är ofullständigt: 2 av 4 delar är med.";
    assert!(csv.contains(said), "{csv}");
    // A whole one is not called anything else, and one that has no number says why.
    let answer = ask("&reference=peers:1861&lang=en").await.expect(200);
    let reference = &answer["rows"][0]["reference"];
    assert_eq!(
        (&reference["status"], reference.get("coverage")),
        (&json!("reported"), None)
    );
    let sentence = answer["rows"][0]["sentence"].as_str().unwrap();
    assert!(!sentence.contains("The reference"), "{sentence}");
    let answer = ask("&reference=1980&gender=girls").await.expect(200);
    let row = &answer["rows"][0];
    assert_eq!(
        (&row["difference"], &row["reference"]["status"]),
        (&Value::Null, &json!("not_available"))
    );
}

#[actix_web::test]
async fn invented_data_says_so_first() {
    let app = TestApp::start().await;
    put(&app, "2099.1", true).await;
    let answer = ask(&app, "measure=pupils&area=1880&publication=2099.1").await;
    assert_eq!(answer["publication"]["synthetic"], true);
    let first = answer["notes"][0]["text"].as_str().unwrap();
    assert!(first.starts_with("Påhittade uppgifter"), "{first}");
    assert!(
        answer["citation"]["en"]
            .as_str()
            .unwrap()
            .ends_with("(invented data)")
    );
}

#[actix_web::test]
async fn the_same_cell_is_the_same_number_in_rows_cube_and_body() {
    let app = TestApp::start().await;
    published(&app).await;
    let query =
        "measure=pupils,pupils_share&level=municipality&within=18&periodFrom=2023&groupBy=gender";
    let rows = ask(&app, query).await;
    let cube = ask(&app, &format!("{query}&format=json-cube")).await;
    let values: Vec<&Value> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["value"])
        .collect();
    assert_eq!(values.len(), 2 * 4 * 2 * 3);
    let of_cube: Vec<Option<f64>> = cube["values"][0]["values"]
        .as_array()
        .unwrap()
        .iter()
        .map(Value::as_f64)
        .collect();
    let of_rows: Vec<Option<f64>> = values.iter().map(|value| value.as_f64()).collect();
    assert_eq!(of_rows, of_cube);
    let statuses: Vec<&Value> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["status"])
        .collect();
    assert_eq!(json!(statuses), cube["statuses"]);
    let body = json!({"measures": ["pupils", "pupils_share"], "level": "municipality", "within": "18",
        "periodFrom": 2023, "dimensions": ["gender"]});
    let posted = app
        .reader(&["18"])
        .post("/statistics/queries", &body)
        .await
        .expect(200);
    assert_eq!(posted["rows"], rows["rows"]);
    assert_eq!(posted["permanentUrl"], rows["permanentUrl"]);
}

#[actix_web::test]
async fn an_answer_too_large_to_be_held_is_streamed_whole() {
    let app = TestApp::start().await;
    published(&app).await;
    let query = format!("{}&format=ndjson", super::refusals::large());
    let reply = app.reader(&["SE"]).get(&format!("{PATH}?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let text = reply.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.last().unwrap()["complete"], true);
    assert_eq!(lines.len(), 2 + super::refusals::LARGE);
}
