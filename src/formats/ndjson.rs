//! NDJSON: a line that says what the table is, an object for each row, and a last line that says that it was the last.
//! Without that last line the answer is not whole.

use std::io::Write;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::metadata::Metadata;
use super::table::{Number, Row, Table};
use crate::http::lang::Lang;

/// Writes a whole table.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(table: &Table, lang: Lang) -> serde_json::Result<Vec<u8>> {
    let mut out = head(table, lang)?;
    out.extend(rows(table, 0, &table.rows, lang)?);
    out.extend(tail(table.rows.len()));
    Ok(out)
}

/// The first line: `{"metadata": …}`.
///
/// # Errors
/// As [`write()`].
pub fn head(table: &Table, lang: Lang) -> serde_json::Result<Vec<u8>> {
    line(&json!({"metadata": Metadata::new(table, lang)}))
}

/// Some rows, the first of which has this place in the table.
///
/// # Errors
/// As [`write()`].
pub fn rows(table: &Table, first: usize, rows: &[Row], lang: Lang) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(rows.len() * 96);
    for (place, row) in rows.iter().enumerate() {
        let place = first + place;
        serde_json::to_writer(
            &mut out,
            &RowText {
                table,
                place,
                row,
                lang,
            },
        )?;
        out.push(b'\n');
    }
    Ok(out)
}

/// The last line: `{"complete":true,"rows":n}`.
#[must_use]
pub fn tail(rows: usize) -> Vec<u8> {
    format!("{{\"complete\":true,\"rows\":{rows}}}\n").into_bytes()
}

fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut out = serde_json::to_vec(value)?;
    out.write_all(b"\n").map_err(serde_json::Error::io)?;
    Ok(out)
}

/// Codes by dimension, numbers by metric, status, and the remark if there is one. Labels are in the first line.
struct RowText<'a> {
    table: &'a Table,
    place: usize,
    row: &'a Row,
    lang: Lang,
}

impl Serialize for RowText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            table,
            place,
            row,
            lang,
        } = *self;
        let mut object = serializer.serialize_map(None)?;
        for (dimension, category) in table.dimensions.iter().zip(table.categories(place)) {
            object.serialize_entry(dimension.code, &category.code)?;
        }
        for (place, metric) in table.metrics.iter().enumerate() {
            let number = row.values.get(place).copied().flatten();
            object.serialize_entry(metric.code, &Number(number))?;
        }
        object.serialize_entry("status", row.status)?;
        if let Some(remark) = &row.remark {
            object.serialize_entry("remark", remark.get(lang))?;
        }
        object.end()
    }
}
