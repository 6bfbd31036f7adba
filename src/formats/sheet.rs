//! Rows as a sheet of a workbook: lists, and rows that come back. Texts are written as texts, never as formulas, and
//! with the mark by which Excel does not make one of them when the cell is edited.

use rust_xlsxwriter::{ExcelDateTime, Format, IgnoreError, Workbook, Worksheet, XlsxError};
use serde_json::Value;

use super::csv::{Flat, armed, disarmed, flat, is_failed_formula};
use super::read::Cell;

/// The longest text of a cell, in characters of UTF-16 (Excel's own limit).
pub const CELL: usize = 32_767;
/// How wide a column is made, in characters, at the least and at the most.
const WIDTHS: (usize, usize) = (8, 60);

/// Writes a workbook with one sheet.
///
/// # Errors
/// When a text is longer than a cell can hold ([`CELL`]), or there are more rows or columns than a sheet has.
pub fn write(
    name: &str,
    headings: &[String],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // The bytes depend on the rows alone: no clock.
    book.set_properties(
        &rust_xlsxwriter::DocProperties::new()
            .set_creation_datetime(&ExcelDateTime::from_timestamp(0)?),
    );
    fill(book.add_worksheet(), name, headings, rows)?;
    book.save_to_buffer()
}

/// Fills a sheet: the headings, below them the rows, with a filter on each column.
///
/// # Errors
/// As [`write()`].
pub(super) fn fill(
    sheet: &mut Worksheet,
    name: &str,
    headings: &[String],
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    let bold = Format::new().set_bold();
    let formats = Formats::new();
    let mut widths: Vec<usize> = Vec::new();
    for (column, heading) in (0..).zip(headings) {
        sheet.write_string_with_format(0, column, heading, &bold)?;
        widths.push(heading.chars().count() + 3);
    }
    let mut line = 0;
    for row in rows {
        line += 1;
        for ((column, cell), width) in (0..).zip(&row).zip(&mut widths) {
            *width = (*width).max(cell.written().chars().count());
            formats.put(sheet, line, column, cell)?;
        }
    }
    for (column, width) in (0..).zip(&widths) {
        let width = u32::try_from(*width.clamp(&WIDTHS.0, &WIDTHS.1)).unwrap_or_default();
        sheet.set_column_width(column, f64::from(width) + 1.0)?;
    }
    let last = u16::try_from(headings.len().saturating_sub(1)).unwrap_or(u16::MAX);
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofilter(0, 0, line, last)?;
    // Excel would mark each code of digits as a mistake.
    sheet.ignore_error_range(0, 0, line, last, IgnoreError::NumberStoredAsText)?;
    Ok(())
}

struct Formats {
    text: Format,
    quoted: Format,
    day: Format,
}

impl Formats {
    fn new() -> Self {
        Self {
            text: Format::new().set_num_format("@"),
            quoted: Format::new().set_num_format("@").set_quote_prefix(),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        }
    }

    fn put(
        &self,
        sheet: &mut Worksheet,
        line: u32,
        column: u16,
        cell: &Cell,
    ) -> Result<(), XlsxError> {
        match cell {
            Cell::Empty => {}
            Cell::Number { value, .. } => {
                sheet.write_number(line, column, *value)?;
            }
            Cell::Bool(value) => {
                sheet.write_boolean(line, column, *value)?;
            }
            Cell::Date(day) => {
                let date = ExcelDateTime::parse_from_str(&day.to_string());
                match date {
                    Ok(date) => sheet.write_datetime_with_format(line, column, &date, &self.day)?,
                    // Days before 1900 are none of Excel's.
                    Err(_) => {
                        sheet.write_string_with_format(line, column, day.to_string(), &self.text)?
                    }
                };
            }
            // A moment is digits and their marks.
            Cell::Error(text) | Cell::Moment(text) => {
                sheet.write_string_with_format(line, column, text, &self.text)?;
            }
            Cell::Text(text) => {
                let text = text.as_str();
                // What a reader would take for a guard or an error must be guarded, so that it comes back.
                if disarmed(text) != text || is_failed_formula(text) {
                    sheet.write_string_with_format(line, column, armed(text), &self.text)?;
                } else if armed(text) != text {
                    sheet.write_string_with_format(line, column, text, &self.quoted)?;
                } else {
                    sheet.write_string_with_format(line, column, text, &self.text)?;
                }
            }
        }
        Ok(())
    }
}

/// A value of JSON as a cell: numbers and truth values as such, lists of codes joined with `|`, anything deeper as JSON.
#[must_use]
pub fn cell(value: &Value) -> Cell {
    match value {
        Value::Bool(value) => Cell::Bool(*value),
        Value::Number(number) => match number.as_f64() {
            Some(value) => Cell::Number {
                value,
                text: number.to_string(),
            },
            None => Cell::Text(number.to_string().into()),
        },
        other => match flat(other) {
            Flat::Nothing => Cell::Empty,
            Flat::Text(text) | Flat::Plain(text) => Cell::Text(text.into()),
        },
    }
}
