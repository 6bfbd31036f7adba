//! What became of the rows of a large file: many are kept as one, and each is told.

use std::fmt::Write;

use rstest::rstest;
use serde_json::{Value, json};

use crate::imports::{CSV, SUBJECTS, counting, ended, import, location, number, total};
use crate::support::{Caller, TestApp};

/// The rows of one report, of which there are twelve subjects by two genders by fourteen ages by seven forms.
const REPORT: usize = 2_352;
/// The place of a row that is refused.
const BAD: usize = 1_300;
/// Before this one a line of the file is blank.
const BLANK: usize = 2_500;
/// All rows: of a second report there are some.
const ALL: usize = 2_700;

fn file() -> String {
    const FORMS: [&str; 7] = [
        "all",
        "subject_course",
        "subject_course_long",
        "subject_course_short",
        "open_activity",
        "targeted_activity",
        "voluntary_activity",
    ];
    let mut file =
        "source,period,area,measure,gender,ageBand,subject,activityForm,value\n".to_owned();
    for n in 0..ALL {
        let (year, of) = (2024 + n / REPORT, n % REPORT);
        let (gender, age) = (["girls", "boys"][of % 2], 6 + of / 2 % 14);
        let (subject, form) = (SUBJECTS[of / 28 % 12], FORMS[of / 336]);
        let value = if n == BAD { "-5" } else { "5" };
        let blank = if n == BLANK { "\n" } else { "" };
        writeln!(
            file,
            "{blank}S,{year},1880,pupils,{gender},{age}-{age},{subject},{form},{value}"
        )
        .unwrap();
    }
    file
}

/// The rows as they are to be told: position, line, outcome.
fn expected(good: &str) -> Vec<Value> {
    let line = |n: usize| n + 2 + usize::from(n >= BLANK);
    let outcome = |n: usize| if n == BAD { "invalid" } else { good };
    (0..ALL).map(|n| json!([n, line(n), outcome(n)])).collect()
}

fn told(rows: &[Value]) -> Vec<Value> {
    let told = rows
        .iter()
        .map(|row| json!([row["position"], row["line"], row["outcome"]]));
    told.collect()
}

async fn by_cursor(office: &Caller, path: &str, limit: usize, more: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(format!("{path}/rows?limit={limit}&cursor={more}"));
    while let Some(path) = next {
        let page = office.get(&path).await.expect(200);
        rows.extend(page["items"].as_array().unwrap().clone());
        let link = page["_links"]["next"]["href"].as_str();
        next = link.map(|link| link.split("/samverkan/v1").last().unwrap().to_owned());
    }
    rows
}

async fn by_page(office: &Caller, path: &str, limit: usize, more: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let path = format!("{path}/rows?limit={limit}&page={page}{more}");
        let page = office.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        rows.extend(items.clone());
        if items.len() < limit {
            break;
        }
    }
    rows
}

async fn stored(app: &TestApp) -> i64 {
    number(app, "SELECT count(*) AS n FROM import_rows").await
}

#[rstest]
#[case::partial("partial", "created")]
#[case::atomic("atomic", "not_written")]
#[actix_web::test]
async fn each_row_is_told_once_however_they_are_read(#[case] mode: &str, #[case] good: &str) {
    let (app, office) = counting().await;
    let query = format!("type=observations&mode={mode}");
    let path = location(&app, &import(&office, &query, CSV, file()).await);
    ended(&office, &path).await;
    let expected = expected(good);
    // 0, 1000 (no run is longer), 1300 (the bad one), 1301, 2301, 2352 (the other report), 2500 (behind the blank line).
    assert_eq!(stored(&app).await, 7);
    for limit in [97, 700, 1_000] {
        let rows = by_cursor(&office, &path, limit, "").await;
        assert_eq!(told(&rows), expected, "cursor, {limit}");
        let rows = by_page(&office, &path, limit, "").await;
        assert_eq!(told(&rows), expected, "pages, {limit}");
    }
    assert_eq!(total(&office, &format!("{path}/rows")).await, 2_700);
    let chosen: Vec<Value> = expected
        .iter()
        .filter(|row| row[2] == good)
        .cloned()
        .collect();
    for outcome in [good.to_owned(), format!("{good},gone")] {
        let more = format!("&outcome={outcome}");
        assert_eq!(told(&by_cursor(&office, &path, 450, &more).await), chosen);
        assert_eq!(told(&by_page(&office, &path, 450, &more).await), chosen);
        let of = format!("{path}/rows?outcome={outcome}");
        assert_eq!(total(&office, &of).await, 2_699);
    }
    let bad = by_page(&office, &path, 10, "&outcome=invalid").await;
    assert_eq!(told(&bad), [json!([BAD, BAD + 2, "invalid"])]);
    assert_eq!(bad[0]["errors"][0]["column"], "I");
    let beyond = format!("{path}/rows?limit=1000&page=4");
    assert_eq!(office.get(&beyond).await.expect(200)["items"], json!([]));
    let none = format!("{path}/rows?outcome=gone");
    assert_eq!(total(&office, &none).await, 0);
}

#[actix_web::test]
async fn rows_that_were_unchanged_tell_their_reports() {
    let (app, office) = counting().await;
    for outcome in ["created", "unchanged"] {
        let query = "type=observations&mode=partial";
        let path = location(&app, &import(&office, query, CSV, file()).await);
        let counts = &ended(&office, &path).await["counts"];
        assert_eq!(counts[outcome], 2_699, "{counts}");
        let rows = by_cursor(&office, &path, 1_000, "").await;
        assert_eq!(told(&rows), expected(outcome));
        let report = |n: usize| rows[n]["id"].as_str().unwrap();
        assert_ne!(report(0), report(REPORT));
        for (n, row) in rows.iter().enumerate() {
            assert_eq!(row["id"], report(n / REPORT * REPORT), "{n}");
        }
    }
}

#[actix_web::test]
async fn a_cursor_that_was_made_by_hand_stands_somewhere() {
    use base64::Engine as _;
    let (app, office) = counting().await;
    let query = "type=observations&mode=partial";
    let path = location(&app, &import(&office, query, CSV, file()).await);
    ended(&office, &path).await;
    for (value, expected) in [
        (json!(i64::MAX.to_string()), vec![]),
        (json!(i64::MIN.to_string()), vec![0, 1, 2]),
        (json!("1298"), vec![1_299, 1_300, 1_301]),
        (json!("2698"), vec![2_699]),
        (Value::Null, vec![]),
    ] {
        let position = json!({"o": "position", "v": [value]});
        let cursor = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(position.to_string());
        let page = office
            .get(&format!("{path}/rows?limit=3&cursor={cursor}"))
            .await
            .expect(200);
        let items = page["items"].as_array().unwrap();
        let told: Vec<i64> = items
            .iter()
            .filter_map(|row| row["position"].as_i64())
            .collect();
        assert_eq!(told, expected, "{position}");
    }
}

/// A report of which no row is good is not made, and each of its rows is told what it breaks itself.
#[actix_web::test]
async fn rows_that_are_all_bad_are_told_their_own_faults() {
    let (app, office) = counting().await;
    let mut given = "source,period,area,measure,gender,ageBand,value\n".to_owned();
    for n in 0..1_200 {
        let (gender, age) = (["girls", "boys"][n % 2], n / 20);
        let measure = if n % 3 == 0 { "pupil" } else { "pupils" };
        let to = age + n / 2 % 10;
        writeln!(
            given,
            "S,2025,1880,{measure},{gender},{age}-{to},{}",
            broken(n)
        )
        .unwrap();
    }
    let query = "type=observations&mode=partial";
    let path = location(&app, &import(&office, query, CSV, given).await);
    assert_eq!(ended(&office, &path).await["counts"]["invalid"], 1_200);
    let rows = by_cursor(&office, &path, 500, "").await;
    assert_eq!(rows.len(), 1_200);
    for (n, row) in rows.iter().enumerate() {
        let of_measure = json!(["observation_measure_exists", "D", "pupil"]);
        let of_value = json!(["observation_value_fits_measure", "G", broken(n)]);
        let expected = if n % 3 == 0 { of_measure } else { of_value };
        let errors = row["errors"].as_array().unwrap();
        let told = errors.iter();
        let told = told.map(|error| json!([error["code"], error["column"], error["value"]]));
        assert_eq!(told.collect::<Vec<_>>(), [expected], "{row}");
        assert_eq!(row["id"], Value::Null);
    }
    assert_eq!(total(&office, "/reports").await, 0);
}

/// A value that no row has but `n`, and no count can be.
fn broken(n: usize) -> String {
    format!("{n}.5")
}
