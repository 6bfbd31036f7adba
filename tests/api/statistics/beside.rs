//! What stands beside the values of gaps and rankings, and beside their rows.

use serde_json::{Value, json};

use super::fixture::published;
use crate::support::TestApp;
use crate::support::statistics::{Fixture, obs};

/// The records of a CSV file by their headings.
fn records(text: &str) -> Vec<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize::<std::collections::BTreeMap<String, String>>();
    rows.map(|row| json!(row.unwrap())).collect()
}

#[actix_web::test]
async fn gaps_and_rankings_show_what_their_shares_are_made_of_if_asked() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let share = "measure=pupils_share&period=2024&include=numerator,denominator,coverage";
    // 750 of 21 000, and 780 of 23 000 of the county, of which two municipalities of four have reported.
    let gaps = format!("/statistics/gaps?{share}&area=1880&reference=region");
    let answer = reader.get(&gaps).await.expect(200);
    let row = &answer["rows"][0];
    let of = |side: &Value| {
        (
            side["numerator"].clone(),
            side["denominator"]["value"].clone(),
        )
    };
    assert_eq!(of(row), (json!(750), json!(21_000)));
    assert_eq!(of(&row["reference"]), (json!(780), json!(23_000)));
    assert_eq!(row["reference"]["origin"], "computed");
    let text = reader.get(&format!("{gaps}&format=csv")).await.text();
    let record = &records(&text)[0];
    let told = [
        "numerator",
        "denominator",
        "referenceNumerator",
        "referenceDenominator",
        "referenceCoverageReported",
        "referenceCoverageExpected",
    ];
    let told = told.map(|name| record[name].as_str().unwrap());
    assert_eq!(told, ["750", "21000", "780", "23000", "2", "4"]);
    let plain = reader
        .get(&gaps.replace("&include=numerator,denominator,coverage", ""))
        .await;
    assert!(plain.expect(200)["rows"][0].get("numerator").is_none());

    let ranking = format!("/statistics/rankings?{share}&level=municipality&within=18");
    let answer = reader.get(&ranking).await.expect(200);
    assert_eq!(of(&answer["rows"][0]), (json!(750), json!(21_000)));
    let text = reader.get(&format!("{ranking}&format=csv")).await.text();
    let record = &records(&text)[0];
    assert_eq!(
        (&record["numerator"], &record["rank"]),
        (&json!("750"), &json!("1"))
    );
    // The median is beside the rows in every format that has room for it.
    let median = &answer["summary"]["median"];
    let cube = reader
        .get(&format!("{ranking}&format=json-cube"))
        .await
        .expect(200);
    let stat = reader
        .get(&format!("{ranking}&format=json-stat2"))
        .await
        .expect(200);
    assert_eq!(&cube["metadata"]["beside"]["summary"]["median"], median);
    assert_eq!(&stat["extension"]["beside"]["summary"]["median"], median);
    assert!(median.is_number());
}

#[actix_web::test]
async fn a_gap_is_the_same_in_rows_and_in_a_table_with_or_without_numbers() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let mut seen = std::collections::BTreeSet::new();
    for reference in ["1861", "1882", "region"] {
        let gaps = format!(
            "/statistics/gaps?measure=pupils_share&period=2024&level=municipality&within=18&reference={reference}"
        );
        let answer = reader.get(&gaps).await.expect(200);
        let text = reader.get(&format!("{gaps}&format=csv")).await.text();
        let rows = answer["rows"].as_array().unwrap();
        for (row, record) in rows.iter().zip(records(&text)) {
            let number = |name: &str| record[name].as_str().unwrap().parse::<f64>().ok();
            let told = ["value", "reference", "difference", "ratio", "children"].map(number);
            let of_row = [
                &row["value"],
                &row["reference"]["value"],
                &row["difference"],
                &row["ratio"],
                &row["children"],
            ];
            assert_eq!(told, of_row.map(Value::as_f64), "{row}");
            seen.insert((told[0].is_some(), told[1].is_some()));
        }
    }
    // A gap, a place without a number, a reference without one.
    assert!(
        seen.contains(&(true, true))
            && seen.contains(&(false, true))
            && seen.contains(&(true, false)),
        "{seen:?}"
    );
}

#[actix_web::test]
async fn trends_are_beside_the_rows_of_gaps() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let gaps = "/statistics/gaps?measure=pupils_share&area=1880&reference=1861&periodFrom=2023";
    let answer = reader.get(gaps).await.expect(200);
    let trends = answer["trends"].as_array().unwrap();
    assert!(!trends.is_empty(), "{answer}");
    let cube = reader
        .get(&format!("{gaps}&format=json-cube"))
        .await
        .expect(200);
    assert_eq!(cube["metadata"]["beside"]["trends"], answer["trends"]);
}

#[actix_web::test]
async fn a_csv_file_says_where_it_is_described_and_the_description_where_the_file_is() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let asked = "/statistics/rankings?measure=pupils_share&period=2024&level=municipality&within=18&lang=en&format=csv&dialect=excel-sv";
    let file = reader.get(asked).await;
    let links = file
        .headers
        .get_all("link")
        .iter()
        .map(|link| link.to_str().unwrap());
    let described = links.filter(|link| link.contains("rel=\"describedby\""));
    let described: Vec<&str> = described.collect();
    assert!(
        described.len() == 1 && described[0].ends_with("type=\"application/csvm+json\""),
        "{described:?}"
    );
    let path = |address: &str| {
        let (_, path) = address.split_once("/samverkan/v1").unwrap();
        path.trim_end_matches('>').to_owned()
    };
    let address = described[0].split_once(">;").unwrap().0;
    let metadata = reader.get(&path(address)).await;
    assert_eq!(metadata.header("content-type"), "application/csvm+json");
    let metadata = metadata.expect(200);
    assert_eq!(metadata["@context"][0], "http://www.w3.org/ns/csvw");
    let citation = metadata["dc:bibliographicCitation"].as_str().unwrap();
    assert!(
        citation.starts_with("Samverkan, publication "),
        "{citation}"
    );
    assert_eq!(metadata["notes"][0]["mandatory"], true);
    let again = reader.get(&path(metadata["url"].as_str().unwrap())).await;
    assert_eq!(again.body, file.body);
    // Other formats say it themselves.
    let other = reader
        .get(&asked.replace("csv&dialect=excel-sv", "xlsx"))
        .await;
    let links: Vec<_> = other.headers.get_all("link").iter().collect();
    assert_eq!(links.len(), 1, "{links:?}");
}

#[actix_web::test]
async fn a_ranking_without_period_is_of_the_latest_that_a_place_of_it_has_reported() {
    let app = TestApp::start().await;
    let fixture = Fixture::new(&app).await;
    let survey = fixture.source("Enkäten").await;
    fixture
        .report(survey, "1880", "2022", &[obs("pupils", "", 700)])
        .await;
    fixture
        .report(survey, "1881", "2023", &[obs("pupils", "", 90)])
        .await;
    // Of 2024 the country is known, and no part of it.
    fixture
        .report(survey, "SE", "2024", &[obs("pupils", "", 200_000)])
        .await;
    fixture.publish("2025.1").await;
    let analyst = fixture.analyst();
    let of = async |places: &str| {
        let path = format!("/statistics/rankings?measure=pupils{places}");
        let answer = analyst.get(&path).await.expect(200);
        answer["parameters"]["periods"].clone()
    };
    assert_eq!(of("").await, json!(["2023"]));
    assert_eq!(of("&level=region").await, json!(["2023"]));
    assert_eq!(of("&area=1880,1882").await, json!(["2022"]));
    assert_eq!(of("&area=SE").await, json!(["2024"]));
    // Where nobody has reported at all it is the latest of the measure.
    assert_eq!(of("&area=0114").await, json!(["2024"]));
}
