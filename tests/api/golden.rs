//! Thirty reported rows, and numbers that everybody can compute from them by hand, all the way: reported, approved,
//! published, asked for over HTTP. No group is small, so the protection changes nothing.

use rstest::rstest;
use serde_json::{Value, json};

use super::support::statistics::{Fixture, obs};
use super::support::{Caller, TestApp};

/// Municipality and year; girls of 6–12 and 13–19, boys of 6–12 and 13–19; residents of 6–19 years, half of them girls.
#[rustfmt::skip]
const ROWS: [(&str, &str, [i32; 4], u32); 7] = [
    //                girls    boys             pupils  share
    ("1880", "2023", [120, 80, 60, 40], 2_000), //  300  15
    ("1881", "2023", [ 30, 20, 15, 10],   500), //   75  15
    ("1861", "2023", [ 24, 16, 12,  8],   600), //   60  10
    ("1880", "2024", [130, 90, 70, 60], 2_000), //  350  17.5
    ("1881", "2024", [ 36, 24, 20, 10],   600), //   90  15
    ("1861", "2024", [ 20, 15, 10,  5],   500), //   50  10
    ("1780", "2024", [ 50, 30, 20, 20], 1_000), //  120  12
];
/// Two more rows: places in courses, which are not broken down.
const PLACES: [(&str, i32); 2] = [("1880", 400), ("1881", 150)];

async fn published(app: &TestApp) -> Caller {
    let fixture = Fixture::new(app).await;
    let source = fixture.source("Trettio rader").await;
    for (municipality, year, [young_girls, girls, young_boys, boys], residents) in ROWS {
        let mut rows = vec![
            obs("pupils", "girls 6-12", young_girls),
            obs("pupils", "girls 13-19", girls),
            obs("pupils", "boys 6-12", young_boys),
            obs("pupils", "boys 13-19", boys),
        ];
        let places = PLACES
            .iter()
            .filter(|(code, _)| (*code, year) == (municipality, "2024"));
        rows.extend(places.map(|(_, n)| obs("pupil_places", "", *n)));
        fixture.report(source, municipality, year, &rows).await;
        let half = residents / 2;
        let groups = [
            ("total", 6, 19, residents),
            ("girls", 6, 19, half),
            ("boys", 6, 19, half),
        ];
        fixture
            .residents(source, municipality, year.parse().unwrap(), &groups)
            .await;
    }
    let made = fixture.publish("2025.1").await;
    assert_eq!(made.contents.observations, 30);
    fixture.analyst()
}

async fn rows(analyst: &Caller, what: &str, query: &str) -> Vec<Value> {
    let path = format!("/statistics/{what}?publication=2025.1&{query}");
    let answer = analyst.get(&path).await.expect(200);
    answer["rows"].as_array().unwrap().clone()
}

/// The numbers of all rows, those without one left out.
fn values(rows: &[Value]) -> Vec<f64> {
    rows.iter()
        .filter_map(|row| row["value"].as_f64())
        .collect()
}

#[rstest]
// 300 and 350, as they were reported.
#[case::as_reported("measure=pupils&area=1880", &[300.0, 350.0])]
// 300 + 75 + 60 and 350 + 90 + 50.
#[case::a_county("measure=pupils&area=18", &[435.0, 490.0])]
// The same, and 120 more in 2024.
#[case::the_nation("measure=pupils&area=SE", &[435.0, 610.0])]
// Girls 130 + 90 + 36 + 24 + 20 + 15, boys 70 + 60 + 20 + 10 + 10 + 5.
#[case::by_gender("measure=pupils&area=18&period=2024&groupBy=gender", &[315.0, 175.0, 0.0])]
// 130 + 70 + 36 + 20 + 20 + 10.
#[case::by_age("measure=pupils&area=18&period=2024&ageBand=6-12", &[286.0])]
// 100 × 350 ÷ 2 000, × 90 ÷ 600, × 50 ÷ 500.
#[case::shares("measure=pupils_share&area=1880,1881,1861&period=2024", &[10.0, 17.5, 15.0])]
// 100 × 490 ÷ 3 100 = 15.806…: the sums are divided, the shares are not averaged.
#[case::a_countys_share("measure=pupils_share&area=18&period=2024", &[15.81])]
// 100 × 220 ÷ 1 000.
#[case::a_share_of_girls("measure=pupils_share&area=1880&period=2024&gender=girls", &[22.0])]
// 400 + 150.
#[case::places("measure=pupil_places&area=18&period=2024", &[550.0])]
#[actix_web::test]
async fn participation_is_what_can_be_added_up_by_hand(
    #[case] query: &str,
    #[case] expected: &[f64],
) {
    let app = TestApp::start().await;
    let analyst = published(&app).await;
    let rows = rows(&analyst, "participation", query).await;
    assert_eq!(values(&rows), expected, "{rows:?}");
}

#[actix_web::test]
async fn gaps_rankings_and_coverage_are_what_can_be_computed_by_hand() {
    let app = TestApp::start().await;
    let analyst = published(&app).await;

    // The nation: 100 × 610 ÷ 4 100 = 14.878…, 100 × 435 ÷ 3 100 = 14.032… the year before.
    let path = "/statistics/gaps?publication=2025.1&measure=pupils_share&area=1861,1880&reference=SE&lang=en";
    let gaps = analyst.get(path).await.expect(200);
    let of = |area: &str, year: &str| {
        let rows = gaps["rows"].as_array().unwrap();
        rows.iter()
            .find(|row| row["area"] == area && row["period"] == year)
            .unwrap()
    };
    let gap = |row: &Value| {
        json!([
            row["value"],
            row["reference"]["value"],
            row["difference"],
            row["ratio"],
            row["direction"],
            row["children"]
        ])
    };
    // 14.878… % of 500 are 74.4, and 50 take part: 25 more would have to.
    assert_eq!(
        gap(of("1861", "2024")),
        json!([10, 14.88, -4.88, 0.672, "below", 25])
    );
    // 14.878… % of 2 000 are 297.6, and 350 take part: 53 more than that.
    assert_eq!(
        gap(of("1880", "2024")),
        json!([17.5, 14.88, 2.62, 1.176, "above", 53])
    );
    // 14.032… % of 600 are 84.2, and 60 take part.
    assert_eq!(
        gap(of("1861", "2023")),
        json!([10, 14.03, -4.03, 0.713, "below", 25])
    );
    // From 4.03 to 4.88 percentage points.
    let trend = &gaps["trends"][0];
    assert_eq!(
        (&trend["code"], &trend["change"], &trend["trend"]),
        (&json!("1861"), &json!(0.85), &json!("widening"))
    );

    let path = "/statistics/rankings?publication=2025.1&measure=pupils_share&period=2024&level=municipality";
    let ranking = analyst.get(path).await.expect(200);
    let ranked = ranking["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| !row["rank"].is_null());
    let ranked: Vec<Value> = ranked
        .map(|row| json!([row["rank"], row["area"], row["value"]]))
        .collect();
    assert_eq!(
        ranked,
        [
            json!([1, "1880", 17.5]),
            json!([2, "1881", 15]),
            json!([3, "1780", 12]),
            json!([4, "1861", 10])
        ]
    );
    // Between 12 and 15; and three quarters of the way from 10 to 12.
    let summary = &ranking["summary"];
    assert_eq!(
        [
            &summary["ranked"],
            &summary["median"],
            &summary["lowerQuartile"]
        ],
        [&json!(4), &json!(13.5), &json!(11.5)]
    );

    // County 18 has twelve municipalities.
    let rows = rows(
        &analyst,
        "participation",
        "measure=pupils&area=18&period=2024&include=coverage",
    )
    .await;
    assert_eq!(
        (
            &rows[0]["status"],
            &rows[0]["coverage"]["reported"],
            &rows[0]["coverage"]["expected"]
        ),
        (&json!("partial"), &json!(3), &json!(12))
    );
}

#[actix_web::test]
async fn tables_say_of_whom_the_shares_are() {
    let app = TestApp::start().await;
    let analyst = published(&app).await;
    for format in ["json-stat2", "json-cube", "ndjson"] {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupils_share&area=1880&lang=en&format={format}"
        );
        let text = analyst.get(&path).await.text();
        let said = "the denominator of 2024 is residents aged 6-19 on 2024-12-31 (Trettio rader).";
        assert!(text.contains(said), "{format}: {text}");
    }
}
