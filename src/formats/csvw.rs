//! What a CSV file of statistics is: its metadata by the W3C's *CSV on the Web* (<https://www.w3.org/TR/tabular-metadata/>),
//! since the file itself has room for rows only. Title, source, citation and permanent address are Dublin Core terms;
//! each column is named, explained and typed, so that a program reads `0114` as text and `12,5` as a number.

use serde_json::{Map, Value, json};

use super::table::Table;
use super::table_csv::{Dialect, columns};
use crate::http::lang::Lang;

/// Writes the metadata of the file that has this address.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(
    table: &Table,
    address: &str,
    dialect: Dialect,
    lang: Lang,
) -> serde_json::Result<Vec<u8>> {
    let number = match dialect {
        Dialect::Plain => json!("number"),
        Dialect::ExcelSv => json!({"base": "number", "format": {"decimalChar": ","}}),
    };
    let columns: Vec<Value> = columns(table)
        .into_iter()
        .map(|column| {
            json!({
                "name": column.name,
                "titles": column.name,
                "dc:description": column.label.get(lang),
                "datatype": if column.is_number { number.clone() } else { json!("string") },
                "required": column.is_key,
            })
        })
        .collect();
    let key: Vec<&str> = table
        .dimensions
        .iter()
        .map(|dimension| dimension.code)
        .collect();
    serde_json::to_vec(&json!({
        "@context": ["http://www.w3.org/ns/csvw", {"@language": lang.as_str()}],
        "@id": table.href,
        "url": address,
        "dc:title": table.title.get(lang),
        "notes": notes(table, lang),
        "dc:bibliographicCitation": table.citation.get(lang),
        "dc:identifier": table.href,
        "dc:isPartOf": table.publication,
        "dc:source": table.source.get(lang),
        "dc:issued": {"@value": super::moment(table.updated), "@type": "xsd:dateTime"},
        "dialect": {
            "encoding": "utf-8",
            "delimiter": char::from(dialect.delimiter()).to_string(),
            "lineTerminators": ["\r\n"],
            "header": true,
        },
        "tableSchema": {"columns": columns, "primaryKey": key},
    }))
}

/// The notes, the mandatory ones first; then what the words mean, and what stands beside the rows.
fn notes(table: &Table, lang: Lang) -> Vec<Value> {
    let notes = table
        .notes
        .iter()
        .map(|note| json!({"mandatory": note.mandatory, "text": note.text.get(lang)}));
    let definitions = table.definitions.iter().map(
        |definition| json!({"term": definition.term.get(lang), "text": definition.text.get(lang)}),
    );
    let beside = table.beside.iter().map(|beside| {
        let one = (beside.code.to_owned(), beside.value.clone());
        Value::Object(Map::from_iter([one]))
    });
    notes.chain(definitions).chain(beside).collect()
}
