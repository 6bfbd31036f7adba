//! A table as CSV: code and label of each dimension, the numbers, the unit, the status. Formulas are disarmed as in
//! [`super::csv`].

use csv::{Terminator, WriterBuilder};

use super::csv::armed;
use super::table::{Label, Number, Table, synthetic_warning};
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

impl Dialect {
    /// What stands between two fields.
    #[must_use]
    pub const fn delimiter(self) -> u8 {
        match self {
            Self::Plain => b',',
            Self::ExcelSv => b';',
        }
    }
}

/// A column of the file.
pub struct Column {
    /// What its header says.
    pub name: String,
    /// What people call it.
    pub label: Label,
    /// Whether it has numbers.
    pub is_number: bool,
    /// Whether it is one of those that tell the rows apart.
    pub is_key: bool,
}

/// The columns of a table, in their order.
#[must_use]
pub fn columns(table: &Table) -> Vec<Column> {
    let text = |name: &str, label: Label| Column {
        name: name.to_owned(),
        label,
        is_number: false,
        is_key: false,
    };
    let mut columns = Vec::new();
    for dimension in &table.dimensions {
        let Label { sv, en } = &dimension.label;
        columns.push(Column {
            is_key: true,
            ..text(
                dimension.code,
                Label::new(format!("{sv}, kod"), format!("{en}, code")),
            )
        });
        columns.push(text(
            &format!("{}Label", dimension.code),
            dimension.label.clone(),
        ));
    }
    columns.extend(table.metrics.iter().map(|metric| Column {
        is_number: true,
        ..text(metric.code, metric.label.clone())
    }));
    columns.extend([
        text("unit", Label::new("Enhet", "Unit")),
        text("status", Label::new("Status, kod", "Status, code")),
        text("statusLabel", Label::same("Status")),
        text("remark", Label::new("Anmärkning", "Remark")),
    ]);
    columns.extend(
        table
            .synthetic
            .then(|| text("synthetic", synthetic_warning())),
    );
    columns.extend(table.unprotected.then(|| {
        let label = Label::new(
            "Små grupper är inte skyddade: får inte spridas",
            "Small groups are not protected: not to be passed on",
        );
        text("unprotected", label)
    }));
    columns
}

/// Writes a table. The columns are `area, areaLabel, …, value, unit, status, statusLabel, remark`; a table of invented
/// numbers has `synthetic` too, and one of numbers of which small groups are not protected `unprotected`.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(table: &Table, dialect: Dialect, lang: Lang) -> Result<Vec<u8>, csv::Error> {
    let mark: &[u8] = match dialect {
        Dialect::Plain => b"",
        Dialect::ExcelSv => "\u{feff}".as_bytes(),
    };
    let mut writer = WriterBuilder::new()
        .delimiter(dialect.delimiter())
        .terminator(Terminator::CRLF)
        .from_writer(mark.to_vec());
    writer.write_record(columns(table).iter().map(|column| &column.name))?;
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
