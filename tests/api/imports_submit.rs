//! Files that submit the reports of their rows: those of which no row was refused.

use std::fmt::Write;

use reqwest::Method;
use rstest::rstest;
use serde_json::{Value, json};

use crate::imports::{
    CSV, counting, ended, error, import, import_json, location, observation, outcomes, total,
};
use crate::rows::with;
use crate::support::Caller;

const PARTIAL: &str = "type=observations&mode=partial&submit=true";
const HEAD: &str = "source,period,area,measure,gender,value\n";

/// The areas of the reports of 2025, each with its state.
async fn states(office: &Caller) -> Vec<String> {
    let reports = office.get("/reports?sort=area&period=2025").await;
    let (areas, states) = (reports.column("area"), reports.column("state"));
    let both = areas.iter().zip(&states);
    both.map(|(area, state)| format!("{area} {state}"))
        .collect()
}

/// A row that is wrong keeps back the report that it names, whatever of it is wrong.
#[rstest]
#[case::word("xx,4")]
#[case::cell("girls,x")]
#[case::rule("girls,-4")]
#[case::twice("boys,5")]
#[actix_web::test]
async fn a_refused_row_keeps_its_own_report_from_being_submitted(#[case] wrong: &str) {
    let (_app, office) = counting().await;
    // The first report is there before its refused row is seen, the third is never made.
    let rows = [
        "S,2025,1880,pupils,boys,5".to_owned(),
        format!("S,2025,1880,pupils,{wrong}"),
        "S,2025,1881,pupils,boys,5".to_owned(),
        "S,2025,1883,pupils,girls,-1".to_owned(),
        "S,2025,1883,pupils,xx,1".to_owned(),
    ];
    let file = format!("{HEAD}{}\n", rows.join("\n"));
    let told = import(&office, PARTIAL, CSV, file).await.expect(207);
    let good = if wrong == "boys,5" {
        "invalid"
    } else {
        "created"
    };
    assert_eq!(
        outcomes(&told),
        [good, "invalid", "created", "invalid", "invalid"]
    );
    let refused = &told["rows"][1];
    if good == "created" {
        assert_eq!(refused["id"], told["rows"][0]["id"], "{refused}");
        assert_eq!(states(&office).await, ["1880 draft", "1881 submitted"]);
    } else {
        assert_eq!(states(&office).await, ["1881 submitted"]);
    }
    let mended = format!("{HEAD}S,2025,1880,pupils,boys,5\nS,2025,1880,pupils,girls,4\n");
    import(&office, PARTIAL, CSV, mended).await.expect(207);
    assert_eq!(states(&office).await, ["1880 submitted", "1881 submitted"]);
}

/// Who mistypes what the report is told by may have meant any.
#[rstest]
#[case::source("Ss,2025,1880")]
#[case::period("S,twenty,1880")]
#[case::area("S,2025,1899")]
#[case::no_area("S,2025,Orebo")]
#[actix_web::test]
async fn a_row_that_may_be_of_any_report_keeps_all_from_being_submitted(#[case] report: &str) {
    let (_app, office) = counting().await;
    let file = |report: &str| format!("{HEAD}S,2025,1880,pupils,boys,5\n{report},pupils,girls,4\n");
    let told = import(&office, PARTIAL, CSV, file(report))
        .await
        .expect(207);
    assert_eq!(outcomes(&told), ["created", "invalid"], "{told}");
    assert_eq!(states(&office).await, ["1880 draft"]);
    let told = import(&office, PARTIAL, CSV, file("S,2025,1880"))
        .await
        .expect(207);
    assert_eq!(outcomes(&told), ["unchanged", "created"]);
    assert_eq!(states(&office).await, ["1880 submitted"]);
}

/// Its own report is made in the same transaction for rows that name the source by its title.
#[rstest]
#[case::word(json!({"gender": "xx", "value": 1}))]
#[case::rule(json!({"gender": "boys", "value": -1}))]
#[actix_web::test]
async fn a_refused_row_that_names_its_report_in_another_way_tells_it(#[case] wrong: Value) {
    let (_app, office) = counting().await;
    let sources = office.get("/sources").await.expect(200);
    let source = &sources["items"][0]["id"];
    let by_id = json!({"source": source, "period": "2025", "area": "1880", "measure": "pupils"});
    let rows = json!([
        with(by_id, &wrong),
        observation("1880", "girls", 5),
        observation("1881", "girls", 5)
    ]);
    let told = import_json(&office, PARTIAL, rows).await.expect(207);
    assert_eq!(outcomes(&told), ["invalid", "created", "created"], "{told}");
    assert_eq!(told["rows"][0]["id"], told["rows"][1]["id"]);
    assert_eq!(states(&office).await, ["1880 draft", "1881 submitted"]);
}

/// By its id, even if what it says of it beside the id is not so.
#[actix_web::test]
async fn a_row_that_names_its_report_by_id_tells_it() {
    let (_app, office) = counting().await;
    let made = import_json(
        &office,
        "type=observations",
        json!([observation("1880", "girls", 5)]),
    );
    let report = made.await.expect(200)["rows"][0]["id"].clone();
    let named = json!({"report": report, "period": "2024", "area": "1880", "measure": "pupils", "gender": "boys", "value": 4});
    let rows = json!([
        observation("1880", "girls", 5),
        named,
        observation("1881", "girls", 5)
    ]);
    let told = import_json(&office, PARTIAL, rows).await.expect(207);
    assert_eq!(outcomes(&told), ["unchanged", "invalid", "created"]);
    assert_eq!(error(&told, 1), "report_differs");
    assert_eq!(told["rows"][1]["id"], report);
    assert_eq!(states(&office).await, ["1880 draft", "1881 submitted"]);

    // One that there is not is of no report.
    let nobody = json!({"report": "00000000-0000-7000-8000-000000000000", "area": "1880", "measure": "pupils", "value": 4});
    let rows = json!([observation("1883", "girls", 5), nobody]);
    let told = import_json(&office, PARTIAL, rows).await.expect(207);
    assert_eq!(outcomes(&told), ["created", "invalid"]);
    assert_eq!(
        states(&office).await,
        ["1880 draft", "1881 submitted", "1883 submitted"]
    );
}

#[actix_web::test]
async fn a_doubled_row_keeps_its_own_report_from_being_submitted_and_no_other() {
    let (app, office) = counting().await;
    let rows = json!([
        observation("1880", "girls", 5),
        observation("1880", "boys", 6),
        observation("1880", "boys", 7),
        observation("1883", "girls", 8),
    ]);
    let told = import_json(&office, PARTIAL, rows).await.expect(207);
    let expected = ["created", "invalid", "invalid", "created"];
    assert_eq!(outcomes(&told), expected);
    assert_eq!(error(&told, 1), "row_doubled");
    assert_eq!(told["rows"][1]["id"], told["rows"][0]["id"]);
    assert_eq!(states(&office).await, ["1880 draft", "1883 submitted"]);

    let headers = [
        ("Content-Type", CSV),
        ("Idempotency-Key", "doubled-job"),
        ("Prefer", "respond-async"),
    ];
    let body = format!(
        "{HEAD}S,2026,1880,pupils,girls,5\nS,2026,1880,pupils,boys,6\nS,2026,1880,pupils,boys,7\n\
         S,2026,1883,pupils,girls,-5\nS,2026,1883,pupils,boys,5\nS,2026,1884,pupils,girls,8\n"
    );
    let path = format!("/imports?{PARTIAL}");
    let queued = office.send(Method::POST, &path, &headers, Some(body.into_bytes()));
    let path = location(&app, &queued.await);
    let job = ended(&office, &path).await;
    assert_eq!(job["counts"]["invalid"], 3, "{job}");
    let rows = office.get(&format!("{path}/rows")).await.expect(200);
    let wrong = &rows["items"][3]["errors"][0];
    assert_eq!(
        (&wrong["value"], &wrong["column"]),
        (&json!("-5"), &json!("F"))
    );
    let submitted = office.get("/reports?state=submitted&period=2026").await;
    assert_eq!(submitted.column("area"), ["1884"]);
}

/// The refused row and the good one that its report is made for are written in different transactions.
#[rstest]
#[case::its_own_report("S,2025,1883,pupils,xx,1", &["1880 submitted", "1883 draft"])]
#[case::any("S,,1883,pupils,xx,1", &["1880 draft", "1883 draft"])]
#[case::no_report("S,2025,1884,pupils,xx,1", &["1880 submitted", "1883 submitted"])]
#[actix_web::test]
async fn a_report_that_is_made_after_one_of_its_rows_was_refused_waits(
    #[case] refused: &str,
    #[case] expected: &[&str],
) {
    let (app, office) = counting().await;
    let mut body = format!(
        "source,period,area,measure,gender,value,ageBand,subject,activityForm\n{refused},,,\n"
    );
    let subjects = [
        "dance",
        "film_animation",
        "writing",
        "crafts",
        "musical",
        "circus",
        "other",
        "all",
    ];
    let forms = [
        "all",
        "open_activity",
        "subject_course",
        "targeted_activity",
        "voluntary_activity",
    ];
    for n in 0..8_000 {
        let gender = ["girls", "boys"][n % 2];
        let age = n / 2 % 100;
        let (subject, form) = (subjects[n / 200 % 8], forms[n / 1_600]);
        writeln!(
            body,
            "S,2025,1880,pupils,{gender},1,{age}-{age},{subject},{form}"
        )
        .unwrap();
    }
    body.push_str("S,2025,1883,pupils,girls,1,,,\n");
    let headers = [("Content-Type", CSV), ("Idempotency-Key", "made-later")];
    let path = format!("/imports?{PARTIAL}");
    let queued = office.send(Method::POST, &path, &headers, Some(body.into_bytes()));
    let path = location(&app, &queued.await);
    let job = ended(&office, &path).await;
    let counts = &job["counts"];
    assert_eq!(
        (&counts["created"], &counts["invalid"]),
        (&json!(8_001), &json!(1)),
        "{job}"
    );
    assert_eq!(states(&office).await, expected);
    let row = office
        .get(&format!("{path}/rows?outcome=invalid"))
        .await
        .expect(200)["items"][0]
        .clone();
    let of = office
        .get("/reports?area=1883&period=2025")
        .await
        .column("id");
    let told: Value = if refused.contains("2025,1883") {
        json!(of[0])
    } else {
        Value::Null
    };
    assert_eq!(row["id"], told, "{row}");
    assert_eq!(total(&office, "/reports").await, 2);
}
