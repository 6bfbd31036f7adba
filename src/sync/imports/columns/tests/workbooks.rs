//! Broken workbooks. They are written here, because nobody can read a packed file in a review.

use std::io::{Cursor, Read, Write};

use chrono::NaiveDate;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet, XlsxError};
use serde_json::{Value, json};

use super::told;
use crate::formats::read::FileKind;
use crate::sync::imports::types::ImportType;

const HEADINGS: [&str; 5] = ["Mått", "Område", "Period", "Källa", "Värde"];

fn book(fill: impl FnOnce(&mut Workbook) -> Result<(), XlsxError>) -> Vec<u8> {
    let mut book = Workbook::new();
    fill(&mut book).unwrap();
    book.save_to_buffer().unwrap()
}

fn headings(sheet: &mut Worksheet, line: u32) -> Result<(), XlsxError> {
    for (column, heading) in (0..).zip(HEADINGS) {
        sheet.write_string(line, column, heading)?;
    }
    Ok(())
}

/// A sheet of observations whose one row has a value of its own.
fn one(fill: impl FnOnce(&mut Worksheet) -> Result<(), XlsxError>) -> Vec<u8> {
    book(|book| {
        let sheet = book.add_worksheet();
        headings(sheet, 0)?;
        sheet.write_string(1, 0, "pupils")?;
        sheet.write_number(1, 1, 1880)?;
        sheet.write_number(1, 2, 2025)?;
        sheet.write_string(1, 3, "Källan")?;
        fill(sheet)
    })
}

fn observations(bytes: Vec<u8>) -> Value {
    told(ImportType::Observations, FileKind::Xlsx, bytes)
}

/// The only row's value.
fn value_of(bytes: Vec<u8>) -> Value {
    observations(bytes)["told"][0]["is"]["value"].clone()
}

fn code_of(told: &Value) -> (&str, &Value, &Value) {
    let fault = &told["fileFault"];
    (
        fault["code"].as_str().unwrap_or("none"),
        &fault["row"],
        &fault["column"],
    )
}

/// The same file with one of its parts written anew.
fn with_part(bytes: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut old = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut new = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..old.len() {
        let mut part = old.by_index(place).unwrap();
        let own = part.name().unwrap().into_owned();
        let mut text = String::new();
        part.read_to_string(&mut text).unwrap();
        if own == name {
            let changed = change(text.clone());
            assert_ne!(changed, text, "nothing was changed in {name}");
            text = changed;
        }
        new.start_file(own, zip::write::SimpleFileOptions::default())
            .unwrap();
        new.write_all(text.as_bytes()).unwrap();
    }
    new.finish().unwrap().into_inner()
}

#[test]
fn numbers_and_computed_values_are_read_as_they_are_shown() {
    let plain = one(|sheet| sheet.write_number(1, 4, 12.5).map(drop));
    assert_eq!(
        observations(plain)["told"][0]["is"],
        json!({"measure": "pupils", "area": "1880", "period": "2025", "value": 12.5,
               "source": {"title": "Källan"}, "periodKind": "year"})
    );
    let computed = one(|sheet| {
        sheet
            .write_formula(1, 4, Formula::new("=1519+1").set_result("1520"))
            .map(drop)
    });
    assert_eq!(value_of(computed), json!(1520.0));
    let percent = one(|sheet| {
        let format = Format::new().set_num_format("0.0 %");
        sheet
            .write_number_with_format(1, 4, 0.285, &format)
            .map(drop)
    });
    assert_eq!(value_of(percent), json!(28.5));
    let text = one(|sheet| sheet.write_string(1, 4, "12,5").map(drop));
    assert_eq!(value_of(text), json!(12.5));
}

#[test]
fn a_formula_that_was_never_computed_or_failed_is_no_empty_cell() {
    let formula = one(|sheet| sheet.write_formula(1, 4, "=1+1").map(drop));
    let never = with_part(&formula, "xl/worksheets/sheet1.xml", |xml| {
        xml.replace("</f><v>0</v>", "</f>")
    });
    let told = observations(never);
    assert_eq!(
        code_of(&told),
        ("formula_without_value", &json!(2), &json!("E"))
    );
    let failed = with_part(&formula, "xl/worksheets/sheet1.xml", |xml| {
        xml.replace("r=\"E2\"", "r=\"E2\" t=\"e\"")
            .replace("</f><v>0</v>", "</f><v>#REF!</v>")
    });
    let fault = &observations(failed)["told"][0]["faults"][0];
    assert_eq!(
        (&fault["code"], &fault["value"]),
        (&json!("cell_error"), &json!("#REF!"))
    );
}

#[test]
fn merged_cells_and_titles_are_named() {
    let title = book(|book| {
        let sheet = book.add_worksheet();
        sheet.merge_range(0, 0, 0, 4, "Kulturskolan i siffror", &Format::new())?;
        headings(sheet, 1)
    });
    let told = observations(title);
    assert_eq!(code_of(&told), ("merged_cells", &json!(1), &Value::Null));
    let said = told["fileFault"]["text"]["sv"].as_str().unwrap();
    assert!(said.contains("A1:E1 på rad 1"), "{said}");
    let below = book(|book| {
        let sheet = book.add_worksheet();
        headings(sheet, 0)?;
        sheet
            .merge_range(1, 1, 3, 1, "1880", &Format::new())
            .map(drop)
    });
    assert_eq!(
        code_of(&observations(below)),
        ("merged_cells", &json!(2), &Value::Null)
    );
}

#[test]
fn the_named_sheet_is_read_and_of_others_none_is_guessed() {
    let of = |name: &str| {
        book(|book| {
            let hidden = book.add_worksheet();
            hidden.set_hidden(true);
            hidden.write_string(0, 0, "gömd")?;
            let first = book.add_worksheet();
            first.set_name("Läs mig")?;
            first.set_active(true);
            headings(first, 0)?;
            let second = book.add_worksheet();
            second.set_name(name)?;
            headings(second, 2)?;
            for (column, text) in (0..).zip(["pupils", "1880", "2025", "x", "1"]) {
                second.write_string(4, column, text)?;
            }
            Ok(())
        })
    };
    assert_eq!(observations(of("Observationer"))["told"][0]["row"], 5);
    assert_eq!(observations(of("observations"))["rows"], 1);
    let told = observations(of("Annat"));
    assert_eq!(code_of(&told).0, "several_sheets");
}

#[test]
fn days_of_both_epochs_and_what_a_spreadsheet_makes_of_months_and_ages() {
    let populations = |day: &str, format: &str| {
        let headings = [
            "Område",
            "År",
            "Kön",
            "Från ålder",
            "Till ålder",
            "Antal",
            "Mätdag",
            "Källa",
        ];
        book(|book| {
            let sheet = book.add_worksheet();
            for (column, heading) in (0..).zip(headings) {
                sheet.write_string(0, column, heading)?;
                sheet.write_number(1, column, 19)?;
            }
            sheet.write_string(1, 2, "Flickor")?;
            sheet.write_string(1, 7, "x")?;
            let day = ExcelDateTime::parse_from_str(day)?;
            let format = Format::new().set_num_format(format);
            sheet
                .write_datetime_with_format(1, 6, &day, &format)
                .map(drop)
        })
    };
    let told_of = |bytes| told(ImportType::Populations, FileKind::Xlsx, bytes);
    let day = |told: &Value| told["told"][0]["is"]["referenceDate"].clone();
    let of_1900 = populations("2025-12-31", "yyyy-mm-dd");
    assert_eq!(day(&told_of(of_1900.clone())), "2025-12-31");
    let of_1904 = with_part(&of_1900, "xl/workbook.xml", |xml| {
        xml.replace("<workbookPr ", "<workbookPr date1904=\"1\" ")
    });
    let later = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap() + chrono::Days::new(1462);
    assert_eq!(day(&told_of(of_1904)), later.to_string());
    let with_time = told_of(populations("2025-12-31T12:30:00", "yyyy-mm-dd hh:mm"));
    assert_eq!(with_time["told"][0]["faults"][0]["code"], "date_format");

    let dated = |heading: &str, resource, day: &str| {
        let bytes = book(|book| {
            let sheet = book.add_worksheet();
            sheet.write_string(0, 0, heading)?;
            sheet.write_string(0, 1, "id")?;
            let day = ExcelDateTime::parse_from_str(day)?;
            let format = Format::new().set_num_format("d mmm");
            sheet
                .write_datetime_with_format(1, 0, &day, &format)
                .map(drop)
        });
        told(resource, FileKind::Xlsx, bytes)
    };
    let month = dated("Startmånad", ImportType::Projects, "2025-03-01");
    assert_eq!(month["told"][0]["is"]["startMonth"], "2025-03");
    let not_first = dated("Startmånad", ImportType::Projects, "2025-03-02");
    assert_eq!(not_first["told"][0]["faults"][0]["code"], "month_format");
    let claim = dated("Publicerad", ImportType::Sources, "2025-03-01");
    assert_eq!(claim["told"][0]["notes"][0]["code"], "read_as_day");
}

#[test]
fn ages_that_became_a_day_are_not_guessed() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        headings(sheet, 0)?;
        sheet.write_string(0, 5, "Ålder")?;
        sheet.write_string(0, 6, "_rapport")?;
        for (column, text) in (0..).zip(["pupils", "1880", "2025", "x", "1"]) {
            sheet.write_string(1, column, text)?;
        }
        let day = ExcelDateTime::parse_from_str("2026-12-06")?;
        let format = Format::new().set_num_format("d mmm");
        sheet
            .write_datetime_with_format(1, 5, &day, &format)
            .map(drop)
    });
    let fault = &observations(bytes)["told"][0]["faults"][0];
    assert_eq!(
        (&fault["code"], &fault["column"]),
        (&json!("cell_became_date"), &json!("F"))
    );
}

#[test]
fn codes_that_became_numbers_get_their_zero_back_and_that_is_said() {
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        for (column, heading) in (0..).zip(["Kommun", "Namn", "Skolslag"]) {
            sheet.write_string(0, column, heading)?;
        }
        sheet.write_number(1, 0, 114)?;
        sheet.write_string(1, 1, "A")?;
        sheet.write_string(1, 2, "Musikskola").map(drop)
    });
    let told = told(ImportType::CultureSchools, FileKind::Xlsx, bytes);
    assert_eq!(told["told"][0]["is"]["municipality"], "0114");
    assert_eq!(told["told"][0]["notes"][0]["code"], "code_padded");
}

#[test]
fn children_born_from_2000_on_are_persons_too() {
    // 050312-1238 and its kin, of which a spreadsheet keeps nine digits.
    let numbers = [503_121_238.0, 503_121_246.0, 503_121_253.0];
    let bytes = book(|book| {
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "Elev")?;
        sheet.write_string(0, 1, "Mått")?;
        for (line, number) in (1..).zip(numbers) {
            sheet.write_number(line, 0, number)?;
        }
        Ok(())
    });
    let told = observations(bytes);
    assert_eq!(
        code_of(&told),
        ("personal_identity_numbers", &json!(2), &json!("A"))
    );
    assert!(!told.to_string().contains("503121"), "{told}");
}

#[test]
fn a_cell_at_the_far_end_of_a_sheet_costs_nothing() {
    let far = one(|sheet| sheet.write_number(1_048_575, 4, 1).map(drop));
    let told = observations(far);
    assert_eq!(told["rows"], 2);
    assert_eq!(told["told"][1]["row"], 1_048_576);
    let wide = one(|sheet| sheet.write_number(1, 16_383, 1).map(drop));
    assert_eq!(code_of(&observations(wide)).0, "too_many_columns");
}

#[test]
fn what_is_no_workbook_is_refused_and_nothing_panics() {
    let good = one(|sheet| sheet.write_number(1, 4, 1).map(drop));
    assert_eq!(
        code_of(&observations(b"PK\x03\x04".to_vec())).0,
        "broken_workbook"
    );
    assert_eq!(
        code_of(&observations(b"name;area".to_vec())).0,
        "broken_workbook"
    );
    assert_eq!(code_of(&observations(Vec::new())).0, "empty_file");
    for end in (0..good.len()).step_by(97) {
        let told = observations(good[..end].to_vec());
        assert!(told["fileFault"].is_object(), "cut at {end}: {told}");
    }
}

#[test]
fn an_empty_sheet_before_the_rows_is_passed_over() {
    let bytes = book(|book| {
        book.add_worksheet();
        let sheet = book.add_worksheet();
        headings(sheet, 0)?;
        for (column, text) in (0..).zip(["pupils", "1880", "2025", "x", "1"]) {
            sheet.write_string(1, column, text)?;
        }
        Ok(())
    });
    assert_eq!(value_of(bytes), json!(1.0));
}
