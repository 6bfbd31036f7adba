//! The same number by every way.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx, open_workbook_from_rs};
use serde_json::{Value, json};

use super::attack::{PLACES, published};
use super::support::{Caller, TestApp};

/// The dimensions of a row in an order of their own, and its number.
type Cells = Vec<(BTreeMap<&'static str, String>, Option<f64>)>;

const DIMENSIONS: [&str; 6] = ["measure", "area", "period", "gender", "ageBand", "subject"];

fn of_rows<'a>(rows: impl Iterator<Item = &'a Value>) -> Cells {
    rows.map(|row| {
        let codes = DIMENSIONS
            .into_iter()
            .filter_map(|name| Some((name, row[name].as_str()?.to_owned())));
        (codes.collect(), row["value"].as_f64())
    })
    .collect()
}

fn of_csv(text: &str, delimiter: u8) -> Cells {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let records = reader.records().map(|record| {
        let record = record.unwrap();
        let field = |name: &str| {
            let column = header.iter().position(|one| one == name)?;
            Some(record[column].to_owned())
        };
        let codes = DIMENSIONS
            .into_iter()
            .filter_map(|name| Some((name, field(name)?)));
        let value = field("value").unwrap().replace(',', ".");
        (
            codes.collect(),
            (!value.is_empty()).then(|| value.parse().unwrap()),
        )
    });
    records.collect()
}

fn of_xlsx(bytes: &[u8]) -> Vec<Option<f64>> {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.sheet_names()[0].clone();
    let data = book.worksheet_range(&sheet).unwrap();
    let mut rows = data.rows();
    let header = rows.next().unwrap();
    let column = header.iter().position(|cell| *cell == "Value").unwrap();
    let values = rows.map(|row| match &row[column] {
        Data::Float(number) => Some(*number),
        Data::Empty => None,
        other => panic!("{other:?} is no number"),
    });
    values.collect()
}

async fn rows(analyst: &Caller, query: &str) -> Cells {
    let path = format!("/statistics/participation?{query}");
    of_rows(
        analyst.get(&path).await.expect(200)["rows"]
            .as_array()
            .unwrap()
            .iter(),
    )
}

#[actix_web::test]
async fn whatever_is_asked_and_however_it_is_grouped_every_format_tells_the_same_cells() {
    let app = TestApp::start().await;
    let analyst = published(&app).await.fixture.analyst();
    let mut state = 7_u64;
    let mut choose = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((state >> 33) % n).unwrap()
    };
    let mut numbers = 0;
    for _ in 0..24 {
        let measure = ["pupil_places", "pupil_places,pupil_places_share"][choose(2)];
        let area = ["SE", "18,1880,1881", "1780,17,SE", "1881"][choose(4)];
        let narrowed = [
            "",
            "&gender=girls",
            "&ageBand=6-12",
            "&subject=dance,circus",
        ][choose(4)];
        let mut groups: Vec<&str> = ["gender", "ageBand", "subject"]
            .into_iter()
            .filter(|_| choose(2) == 0)
            .collect();
        let question = format!(
            "publication=2025.1&measure={measure}&period=2024&area={area}{narrowed}&lang=en"
        );
        let grouped = |groups: &[&str]| match groups {
            [] => question.clone(),
            _ => format!("{question}&groupBy={}", groups.join(",")),
        };
        let query = grouped(&groups);
        let cells = rows(&analyst, &query).await;
        numbers += cells.iter().filter(|(_, value)| value.is_some()).count();
        let ask = async |format: &str| {
            let path = format!("/statistics/participation?{query}&format={format}");
            let reply = analyst.get(&path).await;
            assert_eq!(reply.status, 200, "{path}");
            reply
        };
        assert_eq!(of_csv(&ask("csv").await.text(), b','), cells, "{query}");
        let swedish = ask("csv&dialect=excel-sv").await;
        assert_eq!(of_csv(&swedish.text(), b';'), cells, "{query}");
        let lines: Vec<Value> = ask("ndjson")
            .await
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let told = lines.iter().filter(|line| line["measure"].is_string());
        assert_eq!(of_rows(told), cells, "{query}");
        let values: Vec<Option<f64>> = cells.iter().map(|(_, value)| *value).collect();
        let numbers_of = |value: &Value| -> Vec<Option<f64>> {
            let all = value.as_array().unwrap().iter();
            all.map(Value::as_f64).collect()
        };
        let cube = ask("json-cube").await.json();
        assert_eq!(numbers_of(&cube["values"][0]["values"]), values, "{query}");
        let stat = ask("json-stat2").await.json();
        assert_eq!(numbers_of(&stat["value"]), values, "{query}");
        assert_eq!(of_xlsx(&ask("xlsx").await.body), values, "{query}");

        // The other way round, and as a question in a body.
        groups.reverse();
        let sorted = |mut cells: Cells| {
            cells.sort_by(|one, other| one.0.cmp(&other.0));
            cells
        };
        let reversed = rows(&analyst, &grouped(&groups)).await;
        assert_eq!(sorted(reversed), sorted(cells.clone()), "{query}");
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        let mut body = json!({"publication": "2025.1", "measures": list(measure), "periods": ["2024"],
            "areas": list(area), "dimensions": groups});
        if let Some((name, codes)) = narrowed.trim_start_matches('&').split_once('=') {
            body[format!("{name}s")] = json!(list(codes));
        }
        let posted = analyst.post("/statistics/queries", &body).await.expect(200);
        let posted = of_rows(posted["rows"].as_array().unwrap().iter());
        assert_eq!(sorted(posted), sorted(cells), "{query}");
    }
    assert!(numbers > 100, "only {numbers} numbers were compared");
}

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
