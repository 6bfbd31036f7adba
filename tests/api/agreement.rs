//! The same number by every way.

use serde_json::Value;

use super::attack::{PLACES, published};
use super::support::TestApp;

#[actix_web::test]
async fn the_same_number_is_told_by_every_endpoint_and_format() {
    let app = TestApp::start().await;
    let analyst = published(&app).await.fixture.analyst();
    let question = format!("publication=2025.1&measure=pupil_places_share&period=2024&{PLACES}");
    let rows = analyst
        .get(&format!(
            "/statistics/participation?{question}&include=numerator,denominator"
        ))
        .await
        .expect(200);
    let rows = rows["rows"].as_array().unwrap().clone();
    let of_area =
        |rows: &[Value], area: &str| rows.iter().find(|row| row["area"] == area).unwrap().clone();
    let ranking = analyst
        .get("/statistics/rankings?publication=2025.1&measure=pupil_places_share&period=2024&area=1780,1781,1880,1881,1882")
        .await
        .expect(200);
    let gaps = analyst
        .get(&format!("/statistics/gaps?{question}&reference=SE"))
        .await
        .expect(200);
    let csv = analyst
        .get(&format!("/statistics/participation?{question}&format=csv"))
        .await;
    let stat = analyst
        .get(&format!(
            "/statistics/participation?{question}&format=json-stat2"
        ))
        .await
        .expect(200);
    let nation = of_area(&rows, "SE")["value"].as_f64().unwrap();
    for (place, row) in rows.iter().enumerate() {
        let area = row["area"].as_str().unwrap();
        let value = row["value"].as_f64().unwrap();
        // 100 × numerator ÷ residents, two decimals.
        let (numerator, residents) = (
            row["numerator"].as_f64().unwrap(),
            row["denominator"]["value"].as_f64().unwrap(),
        );
        let share = (10_000.0 * numerator / residents).round() / 100.0;
        assert!((value - share).abs() < 1e-9, "{row}");
        let gap = of_area(gaps["rows"].as_array().unwrap(), area);
        assert_eq!(gap["value"].as_f64(), Some(value));
        let difference = ((value - nation) * 100.0).round() / 100.0;
        assert_eq!(gap["difference"].as_f64(), Some(difference), "{gap}");
        assert_eq!(stat["value"][place].as_f64(), Some(value));
        assert!(csv.text().contains(&format!("{value}")), "{area}");
        if area.len() == 4 {
            assert_eq!(
                of_area(ranking["rows"].as_array().unwrap(), area)["value"].as_f64(),
                Some(value)
            );
        }
    }
    // Sums over groups are the totals, whatever the order of grouping.
    let total = |answer: &Value| -> i64 {
        answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["value"].as_i64().unwrap())
            .sum()
    };
    let ask = async |group_by: &str| {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&area=18{group_by}"
        );
        analyst.get(&path).await.expect(200)
    };
    let whole = total(&ask("").await);
    assert_eq!(total(&ask("&groupBy=gender,subject").await), whole);
    let (one, other) = (
        ask("&groupBy=subject,ageBand").await,
        ask("&groupBy=ageBand,subject").await,
    );
    assert_eq!(one["rows"], other["rows"]);
    assert_eq!(total(&one), whole);
}
