//! What is said of a table beside its rows.

use super::*;
use crate::formats::beside::Beside;
use crate::formats::csvw;

/// The small table with a summary and a list beside its rows.
fn with_a_summary() -> Table {
    let said = serde_json::json!({"median": 12.5, "without": {"count": 1, "which": [{"code": "0114", "label": "Väsby"}]}});
    let words = &[
        ("median", "Median", "Median"),
        ("without", "Utan", "Without"),
        ("count", "antal", "number"),
        ("which", "vilka", "which"),
        ("code", "Kod", "Code"),
        ("label", "Namn", "Name"),
    ];
    let summary = Label::new("Sammanfattning", "Summary");
    Table {
        beside: vec![Beside::new("summary", summary, words, &said)],
        ..small(1)
    }
}

#[test]
fn what_stands_beside_the_rows_is_in_every_format_that_has_room() {
    let table = with_a_summary();
    let json = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
    let set = json(json_stat::write(&table, Lang::Sv).unwrap());
    let cube = json(cube_json::write(&table, Lang::Sv).unwrap());
    let lines = String::from_utf8(ndjson::write(&table, Lang::Sv).unwrap()).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    let described = json(csvw::write(&table, "a", table_csv::Dialect::Plain, Lang::Sv).unwrap());
    let said = &table.beside[0].value;
    assert_eq!(&set["extension"]["beside"]["summary"], said);
    assert_eq!(&cube["metadata"]["beside"]["summary"], said);
    assert_eq!(&first["metadata"]["beside"]["summary"], said);
    let notes = described["notes"].as_array().unwrap();
    assert_eq!(&notes.last().unwrap()["summary"], said);
    let bytes = xlsx::write(&table, Lang::Sv).unwrap();
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(book.sheet_names()[2..], ["Sammanfattning", "Utan – vilka"]);
    let mut rows = |sheet: &str| -> Vec<Vec<String>> {
        let range = book.worksheet_range(sheet).unwrap();
        let text = |row: &[Data]| row.iter().map(ToString::to_string).collect();
        range.rows().map(text).collect()
    };
    assert_eq!(
        rows("Sammanfattning"),
        [
            ["Uppgift", "Värde"],
            ["Median", "12.5"],
            ["Utan – antal", "1"]
        ]
    );
    assert_eq!(rows("Utan – vilka"), [["Kod", "Namn"], ["0114", "Väsby"]]);
}

#[test]
fn a_csv_file_is_described_column_by_column() {
    let table = small(2);
    for (dialect, delimiter, number) in [
        (table_csv::Dialect::Plain, ",", serde_json::json!("number")),
        (
            table_csv::Dialect::ExcelSv,
            ";",
            serde_json::json!({"base": "number", "format": {"decimalChar": ","}}),
        ),
    ] {
        let bytes = csvw::write(&table, "https://x.example/a.csv", dialect, Lang::En).unwrap();
        let described: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(described["url"], "https://x.example/a.csv");
        assert_eq!(described["dialect"]["delimiter"], delimiter);
        assert_eq!(described["dc:bibliographicCitation"], "Citation");
        assert_eq!(
            described["notes"][0],
            serde_json::json!({"mandatory": true, "text": "Important."})
        );
        let schema = &described["tableSchema"];
        assert_eq!(
            schema["primaryKey"],
            serde_json::json!(["measure", "area", "period"])
        );
        let columns = schema["columns"].as_array().unwrap();
        let csv = String::from_utf8(table_csv::write(&table, dialect, Lang::En).unwrap()).unwrap();
        let header = csv
            .trim_start_matches('\u{feff}')
            .lines()
            .next()
            .unwrap()
            .split(delimiter);
        let titles: Vec<&str> = columns
            .iter()
            .map(|column| column["titles"].as_str().unwrap())
            .collect();
        assert_eq!(header.collect::<Vec<_>>(), titles);
        let typed = |name: &str| {
            columns
                .iter()
                .find(|column| column["name"] == name)
                .unwrap()["datatype"]
                .clone()
        };
        assert_eq!(
            (typed("area"), typed("value"), typed("numerator")),
            (serde_json::json!("string"), number.clone(), number)
        );
    }
}
