//! Templates are read by the reader they are for, and rejected rows go back the same way.

use calamine::{Reader, Xlsx};
use serde_json::{Value, json};
use std::io::Cursor;

use super::super::{
    Demand, Kind, Mapping, Measures, Rejected, RejectedRow, Use, columns, folded, rejected,
    template,
};
use super::told;
use crate::formats::read::{Cell, FileKind, Heading, Incoming, Source, open};
use crate::http::lang::Lang;
use crate::sync::imports::types::ImportType;

#[test]
fn a_template_holds_every_column_that_is_needed_and_is_read_in_both_languages() {
    for resource in ImportType::ALL {
        for lang in [Lang::Sv, Lang::En] {
            let none = Measures::default();
            let bytes = template(resource, lang, &none).unwrap();
            assert_eq!(
                bytes,
                template(resource, lang, &none).unwrap(),
                "the same bytes each time"
            );
            let source = Source::Memory(bytes.into());
            let names = resource.sheet_names();
            let Incoming::Table {
                headings,
                mut records,
                ..
            } = open(FileKind::Xlsx, &source, &names).unwrap()
            else {
                panic!("a workbook is a table");
            };
            assert!(records.next().is_none());
            let mapping = Mapping::new(resource, &headings, Demand::Whole).unwrap();
            for column in columns(resource)
                .iter()
                .filter(|column| column.is_required())
            {
                let heading = mapping.place(&column.pointer()).unwrap();
                assert!(heading.text.ends_with('*'), "{} is needed", heading.text);
            }
        }
    }
}

#[test]
fn a_template_offers_the_codes_and_keeps_zeros() {
    let none = Measures::default();
    let bytes = template(ImportType::Partners, Lang::Sv, &none).unwrap();
    let mut parts = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
    let mut part = |name: &str| std::io::read_to_string(parts.by_name(name).unwrap()).unwrap();
    let data = part("xl/worksheets/sheet1.xml");
    assert!(
        data.contains("draft,published"),
        "a short list stands in the rule"
    );
    assert!(
        data.contains("_lists"),
        "the long list of areas is on a sheet of its own"
    );
    assert!(data.contains("sports_association,child_youth_association"));
    assert!(part("xl/sharedStrings.xml").contains("0114 Upplands Väsby"));
    let styles = part("xl/styles.xml");
    assert!(styles.contains("formatCode=\"@\""), "text cells");
    let book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    assert_eq!(
        book.sheet_names(),
        ["Samarbetsparter", "Förklaringar", "_lists"]
    );
}

#[test]
fn rejected_rows_come_back_in_their_format_and_can_be_sent_again() {
    let headings: Vec<Heading> = (0..)
        .zip(["Namn", "_fel", "Kategori", "Område"])
        .map(|(column, text)| Heading {
            text: text.to_owned(),
            column,
        })
        .collect();
    let text = |text: &str| Cell::Text(text.into());
    let cells = vec![
        text("=Kören; \"Åsen\""),
        text("gammalt fel"),
        text("other"),
        text("0114"),
    ];
    for kind in [FileKind::Csv, FileKind::Xlsx] {
        let rows = [RejectedRow {
            content: Rejected::Cells(cells.clone()),
            reasons: vec!["Ett fel.".to_owned(), "Ett till.".to_owned()],
        }];
        let bytes = rejected(kind, &headings, Some(b','), &rows, Lang::Sv).unwrap();
        let source = Source::Memory(bytes.clone().into());
        let Incoming::Table { headings, .. } = open(kind, &source, &[]).unwrap() else {
            panic!("a table stays a table");
        };
        let names: Vec<&str> = headings
            .iter()
            .map(|heading| heading.text.as_str())
            .collect();
        assert_eq!(names, ["_fel", "Namn", "Kategori", "Område"]);
        assert_eq!(
            told(ImportType::Partners, kind, bytes)["told"][0],
            json!({"row": 2, "is": {"name": "=Kören; \"Åsen\"", "category": "other", "area": "0114"}})
        );
    }
    let object = json!({"name": "Kören", "_fel": ["gammalt"], "area": "x"});
    for kind in [FileKind::Json, FileKind::Ndjson] {
        let rows = [RejectedRow {
            content: Rejected::Object(object.clone()),
            reasons: vec!["An error.".to_owned()],
        }];
        let bytes = rejected(kind, &[], None, &rows, Lang::En).unwrap();
        let written: Value = serde_json::from_slice(&bytes).unwrap();
        let first = written.get(0).unwrap_or(&written);
        assert_eq!(
            *first,
            json!({"name": "Kören", "area": "x", "_errors": ["An error."]})
        );
        assert_eq!(
            told(ImportType::Partners, kind, bytes)["told"][0]["is"],
            json!({"name": "Kören", "area": "x"})
        );
    }
}

#[test]
fn no_heading_means_two_columns_and_no_label_two_codes() {
    for resource in ImportType::ALL {
        let all = columns(resource);
        for (place, column) in all.iter().enumerate() {
            for other in all.iter().skip(place + 1) {
                for name in column.names() {
                    let twice = other
                        .names()
                        .iter()
                        .any(|known| folded(known) == folded(name));
                    assert!(
                        !twice,
                        "{resource}: {name} is {} and {}",
                        column.field, other.field
                    );
                }
            }
            if let Use::InsteadOf(field) = column.role {
                assert!(all.iter().any(|other| other.field == field), "{field}");
            }
            if let Kind::Code(list) | Kind::Codes(list) = column.kind {
                for code in list.codes {
                    for label in [code.code, code.label_sv, code.label_en] {
                        let meant = list.codes.iter().filter(|known| {
                            [known.code, known.label_sv, known.label_en]
                                .iter()
                                .any(|name| folded(name) == folded(label))
                        });
                        assert_eq!(meant.count(), 1, "{}: {label}", list.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_pointer_of_a_rule_leads_back_to_its_column() {
    let headings: Vec<Heading> = (0..)
        .zip([
            "Titel",
            "Räckvidd",
            "Område",
            "Målgrupp i ord",
            "Projektägarens namn",
            "Finansiering",
        ])
        .map(|(column, text)| Heading {
            text: text.to_owned(),
            column,
        })
        .collect();
    let mapping = Mapping::new(ImportType::Projects, &headings, Demand::Whole).unwrap();
    let letter = |pointer: &str| mapping.place(pointer).map(Heading::letter);
    assert_eq!(letter("/title").as_deref(), Some("A"));
    assert_eq!(letter("/targetGroup/text").as_deref(), Some("D"));
    assert_eq!(letter("/targetGroup").as_deref(), Some("D"));
    assert_eq!(letter("/owner/name").as_deref(), Some("E"));
    assert_eq!(letter("/funding/0/amountSek").as_deref(), Some("F"));
    assert_eq!(letter("/goal"), None);
    assert_eq!(letter("/titles"), None);
}
