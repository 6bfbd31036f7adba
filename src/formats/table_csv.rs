//! A table as CSV: code and label of each dimension, the numbers, the unit, the status. Formulas are disarmed as in
//! [`super::csv`].

use csv::{Terminator, WriterBuilder};

use super::csv::armed;
use super::table::{Number, Table};
use crate::http::lang::Lang;

/// Who reads the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 4180: comma, decimal point, UTF-8 without a byte order mark.
    #[default]
    Plain,
    /// What a Swedish Excel opens with a double click: semicolon, decimal comma, a byte order mark.
    ExcelSv,
}

/// Writes a table. The columns are `area, areaLabel, …, value, unit, status, statusLabel, remark`; a table of invented
/// numbers has `synthetic` too, and one of numbers of which small groups are not protected `unprotected`.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(table: &Table, dialect: Dialect, lang: Lang) -> Result<Vec<u8>, csv::Error> {
    let (mark, delimiter): (&[u8], u8) = match dialect {
        Dialect::Plain => (b"", b','),
        Dialect::ExcelSv => ("\u{feff}".as_bytes(), b';'),
    };
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(Terminator::CRLF)
        .from_writer(mark.to_vec());
    let mut header = Vec::new();
    for dimension in &table.dimensions {
        header.push(dimension.code.to_owned());
        header.push(format!("{}Label", dimension.code));
    }
    header.extend(table.metrics.iter().map(|metric| metric.code.to_owned()));
    header.extend(["unit", "status", "statusLabel", "remark"].map(str::to_owned));
    header.extend(table.synthetic.then(|| "synthetic".to_owned()));
    header.extend(table.unprotected.then(|| "unprotected".to_owned()));
    writer.write_record(&header)?;
    for (place, row) in table.rows.iter().enumerate() {
        for category in table.categories(place) {
            writer.write_field(armed(&category.code))?;
            writer.write_field(armed(category.label.get(lang)))?;
        }
        for metric in 0..table.metrics.len() {
            let number = Number(row.values.get(metric).copied().flatten()).to_string();
            writer.write_field(match dialect {
                Dialect::Plain => number,
                Dialect::ExcelSv => number.replace('.', ","),
            })?;
        }
        let unit = table
            .metrics
            .first()
            .and_then(|metric| table.unit(place, metric));
        writer.write_field(armed(unit.map_or("", |unit| unit.label.get(lang))))?;
        writer.write_field(row.status)?;
        writer.write_field(armed(table.status_label(row.status, lang)))?;
        let remark = row.remark.as_ref().map_or("", |remark| remark.get(lang));
        writer.write_field(armed(remark))?;
        for _ in [table.synthetic, table.unprotected]
            .iter()
            .filter(|is| **is)
        {
            writer.write_field("true")?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}
