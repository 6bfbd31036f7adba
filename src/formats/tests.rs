//! Every format is written from one table and read back: the same numbers, categories and statuses, whatever they are.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use chrono::DateTime;
use jsonstat_validator::{ValidateOptions, validate_from_str};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;

use super::table::{
    Category, Definition, Dimension, Label, Metric, Note, REPORTED, Role, Row, Table, Unit,
};
use super::{cube_json, json_stat, ndjson, table_csv, xlsx};
use crate::http::lang::Lang;

mod described;

/// A row as every format must tell it: codes, numbers, status, remark.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    codes: Vec<String>,
    values: Vec<Option<f64>>,
    status: String,
    remark: Option<String>,
}

fn told(table: &Table, lang: Lang) -> Vec<Told> {
    table
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| Told {
            codes: table.categories(place).map(|c| c.code.clone()).collect(),
            values: row.values.clone(),
            status: row.status.to_owned(),
            remark: row.remark.as_ref().map(|r| r.get(lang).to_owned()),
        })
        .collect()
}

fn unit(decimals: u8) -> Unit {
    Unit {
        label: Label::new("procent", "percent"),
        decimals,
    }
}

fn table(
    codes: [Vec<String>; 3],
    metrics: usize,
    has_units: bool,
    cells: Vec<(Vec<Option<f64>>, bool, Option<String>)>,
    synthetic: bool,
) -> Table {
    let [measures, areas, periods] = codes;
    let dimension = |code, role, codes: Vec<String>| Dimension {
        code,
        label: Label::new(format!("{code} på svenska"), format!("{code} in English")),
        role,
        categories: codes
            .into_iter()
            .map(|code| {
                let label = Label::new(format!("sv {code}"), format!("en {code}"));
                let category = Category::new(code, label);
                if role == Role::Metric {
                    category.of_unit(unit(2))
                } else {
                    category
                }
            })
            .collect(),
    };
    let measure = if has_units { Role::Metric } else { Role::None };
    let value = Metric::new("value", Label::new("Värde", "Value"));
    let value = if has_units {
        value
    } else {
        value.of_unit(unit(1))
    };
    let mut all = vec![
        value,
        Metric::new("numerator", Label::new("Täljare", "Numerator")).of_unit(unit(0)),
        Metric::new("denominator", Label::new("Nämnare", "Denominator")).of_unit(unit(0)),
    ];
    all.truncate(metrics);
    let mut table = Table {
        dimensions: vec![
            dimension("measure", measure, measures),
            dimension("area", Role::Geo, areas),
            dimension("period", Role::Time, periods),
        ],
        metrics: all,
        statuses: ["reported", "partial"]
            .map(|code| Category::new(code, Label::same(code)))
            .to_vec(),
        notes: vec![
            Note {
                mandatory: true,
                text: Label::new("Viktigt.", "Important."),
            },
            Note {
                mandatory: false,
                text: Label::new("Bra att veta.", "Good to know."),
            },
        ],
        definitions: vec![Definition {
            term: Label::new("elev", "pupil"),
            text: Label::new("En person.", "A person."),
        }],
        citation: Label::new("Citat", "Citation"),
        source: Label::new("Källa", "Source"),
        updated: DateTime::from_timestamp(1_767_225_600, 0).unwrap(),
        href: "https://samverkan.example/samverkan/v1/statistics/participation?publication=2025.1"
            .to_owned(),
        publication: "2025.1".to_owned(),
        protection: "keyed-rounding-5",
        synthetic,
        ..Table::empty("participation-2025.1", Label::new("Titel", "Title"))
    };
    table.rows = cells
        .into_iter()
        .cycle()
        .take(table.combinations())
        .map(|(mut values, plain, remark)| {
            values.truncate(metrics);
            Row {
                values,
                status: if plain { REPORTED } else { "partial" },
                remark: remark.map(|text| Label::new(format!("sv{text}"), format!("en{text}"))),
            }
        })
        .collect();
    table
}

/// Numbers as statistics have them: whole ones, shares of two decimals, and some that are neither.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0..9_000_000_i32).prop_map(f64::from),
        (-100_000..100_000_i32).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        (-1.0e12..1.0e12),
    ]
}

/// Codes whose alphabetical order is not their own, with zeros in front, and some that mean trouble.
fn codes(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::hash_set(
        "[0-9]{1,4}|SE|[a-zåäö_]{1,8}|=[A-Z]\\(\\)|@[a-z ,;\"\n]{0,4}x",
        count,
    )
    .prop_map(|codes| codes.into_iter().collect())
}

fn tables() -> impl Strategy<Value = Table> {
    (
        [
            codes(1..4).boxed(),
            codes(1..6).boxed(),
            codes(1..5).boxed(),
        ],
        1..4_usize,
        any::<bool>(),
        vec(
            (
                vec(of(number()), 3),
                any::<bool>(),
                of("[ -~åäö;,\"'=\n]{0,20}"),
            ),
            1..40,
        ),
        any::<bool>(),
    )
        .prop_map(|(codes, metrics, measured, cells, synthetic)| {
            table(codes, metrics, measured, cells, synthetic)
        })
}

/// Excel's own precision is 15 digits; the others keep every bit.
fn close(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-14,
        (one, other) => one == other,
    }
}

fn of_json_stat(table: &Table, lang: Lang) -> Vec<Told> {
    let bytes = json_stat::write(table, lang).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let report = validate_from_str(&text, &ValidateOptions::default());
    assert!(report.valid, "{:?}\n{text}", report.findings);
    let set: Value = serde_json::from_str(&text).unwrap();
    let ids: Vec<&str> = strings(&set["id"]);
    let sizes: Vec<usize> = set["size"]
        .as_array()
        .unwrap()
        .iter()
        .map(|size| usize::try_from(size.as_u64().unwrap()).unwrap())
        .collect();
    let members = |dimension: &str| -> Vec<String> {
        let index = set["dimension"][dimension]["category"]["index"]
            .as_object()
            .unwrap();
        // The order of the text is the order of the numbers: some readers know no other.
        let places: Vec<u64> = index
            .values()
            .map(|place| place.as_u64().unwrap())
            .collect();
        assert_eq!(places, (0..places.len() as u64).collect::<Vec<_>>());
        index.keys().cloned().collect()
    };
    let width = if ids.contains(&"metric") {
        *sizes.last().unwrap()
    } else {
        1
    };
    let own = ids.len() - usize::from(ids.contains(&"metric"));
    let values = set["value"].as_array().unwrap();
    assert_eq!(values.len(), sizes.iter().product::<usize>());
    values
        .chunks(width)
        .enumerate()
        .map(|(place, chunk)| {
            let mut rest = place;
            let mut codes = Vec::new();
            for dimension in (0..own).rev() {
                codes.push(members(ids[dimension])[rest % sizes[dimension]].clone());
                rest /= sizes[dimension];
            }
            codes.reverse();
            let position = (place * width).to_string();
            Told {
                codes,
                values: chunk.iter().map(Value::as_f64).collect(),
                status: set["status"][&position]
                    .as_str()
                    .unwrap_or(REPORTED)
                    .to_owned(),
                remark: set["extension"]["remarks"][&position]
                    .as_str()
                    .map(str::to_owned),
            }
        })
        .collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn of_cube(table: &Table, lang: Lang) -> Vec<Told> {
    let cube: Value = serde_json::from_slice(&cube_json::write(table, lang).unwrap()).unwrap();
    let dimensions = cube["metadata"]["dimensions"].as_array().unwrap();
    let statuses = strings(&cube["statuses"]);
    statuses
        .iter()
        .enumerate()
        .map(|(place, status)| {
            let mut rest = place;
            let mut codes: Vec<String> = dimensions
                .iter()
                .rev()
                .map(|dimension| {
                    let categories = dimension["categories"].as_array().unwrap();
                    let code = categories[rest % categories.len()]["code"]
                        .as_str()
                        .unwrap();
                    rest /= categories.len();
                    code.to_owned()
                })
                .collect();
            codes.reverse();
            let values = cube["values"].as_array().unwrap();
            let remark = cube["remarks"]
                .as_array()
                .unwrap()
                .iter()
                .find(|r| r["cell"] == place);
            Told {
                codes,
                values: values
                    .iter()
                    .map(|metric| metric["values"][place].as_f64())
                    .collect(),
                status: (*status).to_owned(),
                remark: remark.map(|remark| remark["text"].as_str().unwrap().to_owned()),
            }
        })
        .collect()
}

fn of_ndjson(table: &Table, lang: Lang) -> Vec<Told> {
    let text = String::from_utf8(ndjson::write(table, lang).unwrap()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (first, rest) = lines.split_first().unwrap();
    let (last, rows) = rest.split_last().unwrap();
    assert_eq!(first["metadata"]["title"], table.title.get(lang));
    assert_eq!(
        *last,
        serde_json::json!({"complete": true, "rows": rows.len()})
    );
    rows.iter()
        .map(|row| Told {
            codes: table
                .dimensions
                .iter()
                .map(|dimension| row[dimension.code].as_str().unwrap().to_owned())
                .collect(),
            values: table
                .metrics
                .iter()
                .map(|metric| row[metric.code].as_f64())
                .collect(),
            status: row["status"].as_str().unwrap().to_owned(),
            remark: row
                .get("remark")
                .map(|remark| remark.as_str().unwrap().to_owned()),
        })
        .collect()
}

fn of_csv(table: &Table, dialect: table_csv::Dialect, lang: Lang) -> Vec<Told> {
    let bytes = table_csv::write(table, dialect, lang).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let excel = dialect == table_csv::Dialect::ExcelSv;
    let body = text.strip_prefix('\u{feff}');
    assert_eq!(body.is_some(), excel);
    let body = body.unwrap_or(&text);
    assert!(body.ends_with("\r\n"));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if excel { b';' } else { b',' })
        .from_reader(body.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            for field in &record {
                let formula = field.starts_with(['=', '+', '-', '@'])
                    && field.replace(',', ".").parse::<f64>().is_err();
                assert!(!formula, "{field} runs");
            }
            if table.synthetic {
                assert_eq!(&record[column("synthetic")], "true");
            }
            let number = |metric: &Metric| {
                let field = &record[column(metric.code)];
                assert!(!excel || !field.contains('.'));
                (!field.is_empty()).then(|| field.replace(',', ".").parse().unwrap())
            };
            let remark = super::csv::disarmed(&record[column("remark")]);
            Told {
                codes: table
                    .dimensions
                    .iter()
                    .map(|d| super::csv::disarmed(&record[column(d.code)]).into_owned())
                    .collect(),
                values: table.metrics.iter().map(number).collect(),
                status: record[column("status")].to_owned(),
                remark: (!remark.is_empty()).then(|| remark.into_owned()),
            }
        })
        .collect()
}

fn of_xlsx(table: &Table, lang: Lang) -> Vec<Told> {
    let bytes = xlsx::write(table, lang).unwrap();
    assert_eq!(
        bytes,
        xlsx::write(table, lang).unwrap(),
        "the bytes are the same each time"
    );
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheets = book.sheet_names().clone();
    let about = book.worksheet_range(&sheets[1]).unwrap();
    let said: Vec<String> = about.cells().map(|(_, _, cell)| cell.to_string()).collect();
    for text in [
        table.href.as_str(),
        table.citation.get(lang),
        table.notes[0].text.get(lang),
    ] {
        assert!(said.iter().any(|cell| cell == text), "{text} is missing");
    }
    let data = book.worksheet_range(&sheets[0]).unwrap();
    let warning = super::table::synthetic_warning();
    let warned = |range: &calamine::Range<Data>| {
        range
            .get_value((0, 0))
            .is_some_and(|cell| cell == &Data::String(warning.get(lang).to_owned()))
    };
    assert_eq!(
        (warned(&about), warned(&data)),
        (table.synthetic, table.synthetic)
    );
    let header = u32::from(table.synthetic);
    let dimensions = table.dimensions.len();
    let text =
        |line: u32, column: usize| match data.get_value((line, u32::try_from(column).unwrap())) {
            Some(Data::String(text)) => text.clone(),
            None | Some(Data::Empty) => String::new(),
            other => panic!("{other:?} is no text"),
        };
    (0..u32::try_from(table.rows.len()).unwrap())
        .map(|row| header + 1 + row)
        .map(|line| {
            let after = 2 * dimensions + table.metrics.len();
            let number = |metric: usize| match data
                .get_value((line, u32::try_from(2 * dimensions + metric).unwrap()))
            {
                Some(Data::Float(number)) => Some(*number),
                Some(Data::Int(_)) => panic!("calamine reads numbers as floats"),
                _ => None,
            };
            let remark = text(line, after + 3);
            Told {
                codes: (0..dimensions)
                    .map(|dimension| text(line, 2 * dimension))
                    .collect(),
                values: (0..table.metrics.len()).map(number).collect(),
                status: text(line, after + 1),
                remark: (!remark.is_empty()).then_some(remark),
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_format_tells_the_same(table in tables(), english in any::<bool>()) {
        let lang = if english { Lang::En } else { Lang::Sv };
        let expected = told(&table, lang);
        prop_assert_eq!(&of_json_stat(&table, lang), &expected);
        prop_assert_eq!(&of_cube(&table, lang), &expected);
        prop_assert_eq!(&of_ndjson(&table, lang), &expected);
        prop_assert_eq!(&of_csv(&table, table_csv::Dialect::Plain, lang), &expected);
        prop_assert_eq!(&of_csv(&table, table_csv::Dialect::ExcelSv, lang), &expected);
        let workbook = of_xlsx(&table, lang);
        prop_assert_eq!(workbook.len(), expected.len());
        for (sheet, row) in workbook.iter().zip(&expected) {
            prop_assert_eq!((&sheet.codes, &sheet.status, &sheet.remark), (&row.codes, &row.status, &row.remark));
            let same = sheet.values.iter().zip(&row.values).all(|(one, other)| close(*one, *other));
            prop_assert!(same, "{:?} {:?}", sheet.values, row.values);
        }
    }
}

/// A table of two measures, three areas and one period.
fn small(metrics: usize) -> Table {
    let list = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    table(
        [
            list(&["pupils_share", "a_count"]),
            list(&["SE", "1880", "0114"]),
            list(&["2024"]),
        ],
        metrics,
        true,
        vec![
            (vec![Some(12.5), Some(25.0), Some(200.0)], true, None),
            (vec![None, None, None], false, Some("!".to_owned())),
        ],
        false,
    )
}

#[test]
fn a_dataset_says_what_its_numbers_are() {
    let of = |table: &Table, lang| -> Value {
        serde_json::from_slice(&json_stat::write(table, lang).unwrap()).unwrap()
    };
    let set = of(&small(1), Lang::Sv);
    assert_eq!(set["id"], serde_json::json!(["measure", "area", "period"]));
    assert_eq!(
        set["role"],
        serde_json::json!({"time": ["period"], "geo": ["area"], "metric": ["measure"]})
    );
    let unit = &set["dimension"]["measure"]["category"]["unit"]["pupils_share"];
    assert_eq!(*unit, serde_json::json!({"base": "procent", "decimals": 2}));
    assert_eq!(
        set["note"],
        serde_json::json!(["Viktigt.", "Bra att veta."])
    );
    assert_eq!(
        set["status"],
        serde_json::json!({"1": "partial", "3": "partial", "5": "partial"})
    );
    assert_eq!(set["updated"], "2026-01-01T00:00:00Z");
    assert_eq!(set["extension"]["synthetic"], false);
    let english = of(&small(3), Lang::En);
    assert_eq!(english["label"], "Title");
    assert_eq!(english["size"], serde_json::json!([2, 3, 1, 3]));
    assert_eq!(
        english["dimension"]["metric"]["category"]["label"]["numerator"],
        "Numerator"
    );
}

#[test]
fn the_validator_would_notice() {
    let text = String::from_utf8(json_stat::write(&small(1), Lang::Sv).unwrap()).unwrap();
    let mut set: Value = serde_json::from_str(&text).unwrap();
    set["value"].as_array_mut().unwrap().pop();
    assert!(!validate_from_str(&set.to_string(), &ValidateOptions::default()).valid);
}

#[test]
fn excel_opens_the_swedish_dialect() {
    let bytes = table_csv::write(&small(1), table_csv::Dialect::ExcelSv, Lang::Sv).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "\u{feff}measure;measureLabel;area;areaLabel;period;periodLabel;value;unit;status;statusLabel;remark"
    );
    assert_eq!(
        lines[1],
        "pupils_share;sv pupils_share;SE;sv SE;2024;sv 2024;12,5;procent;reported;reported;"
    );
}
