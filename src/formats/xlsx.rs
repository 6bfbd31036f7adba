//! A table as a workbook: a sheet of data, one that says what they are, and one for each thing that stands beside them.
//! Codes are text, so that `0114` keeps its zero; numbers are numbers. The bytes depend on the table alone: no clock, no
//! random names.

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, IgnoreError, Workbook, Worksheet, XlsxError,
};

use super::sheet;
use super::table::{Number, Table, synthetic_warning};
use crate::http::lang::Lang;

/// The longest text of a cell, in characters of UTF-16 (Excel's own limit).
const CELL: usize = 32_767;
/// The longest name of a sheet. Names are labels of ours, which have none of the signs that Excel forbids.
const SHEET_NAME: usize = 31;
/// The widest that a column is made, in characters.
const WIDEST: usize = 60;

/// Writes a table, its texts in one language.
///
/// # Errors
/// When the table has more rows than a sheet can (1 048 576), or writing fails.
pub fn write(table: &Table, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let mut properties = DocProperties::new()
        .set_title(clipped(table.title.get(lang), 255))
        .set_comment(clipped(&table.href, 255))
        .set_creation_datetime(&ExcelDateTime::from_timestamp(table.updated.timestamp())?);
    if table.synthetic {
        properties = properties.set_category(synthetic_warning().get(lang));
    }
    book.set_properties(&properties);
    data(book.add_worksheet(), table, lang)?;
    about(book.add_worksheet(), table, lang)?;
    for beside in table.beside.iter().flat_map(|beside| beside.sheets(lang)) {
        let name = clipped(&beside.name, SHEET_NAME);
        let rows = beside.rows.into_iter();
        sheet::fill(book.add_worksheet(), &name, &beside.headings, rows)?;
    }
    book.save_to_buffer()
}

/// The header stands below a warning if the numbers are invented, otherwise in the first row.
fn data(sheet: &mut Worksheet, table: &Table, lang: Lang) -> Result<(), XlsxError> {
    sheet.set_name(lang.pick("Data", "Data"))?;
    let bold = Format::new().set_bold();
    let mut line: u32 = 0;
    if table.synthetic {
        sheet.write_string_with_format(line, 0, synthetic_warning().get(lang), &warning())?;
        line += 1;
    }
    let header = line;
    let mut columns = Columns::default();
    for dimension in &table.dimensions {
        let label = dimension.label.get(lang);
        let code = lang.pick("kod", "code");
        columns.head(sheet, header, &format!("{label}, {code}"), &bold)?;
        columns.head(sheet, header, label, &bold)?;
    }
    for metric in &table.metrics {
        columns.head(sheet, header, metric.label.get(lang), &bold)?;
    }
    for name in [
        lang.pick("Enhet", "Unit"),
        lang.pick("Status, kod", "Status, code"),
        "Status",
        lang.pick("Anmärkning", "Remark"),
    ] {
        columns.head(sheet, header, name, &bold)?;
    }
    let formats: Vec<Format> = (0..=10).map(decimals).collect();
    for (place, row) in table.rows.iter().enumerate() {
        line += 1;
        columns.rewind();
        for category in table.categories(place) {
            columns.text(sheet, line, &category.code)?;
            columns.text(sheet, line, category.label.get(lang))?;
        }
        for (number, metric) in table.metrics.iter().enumerate() {
            let decimals = table.unit(place, metric).map_or(0, |unit| unit.decimals);
            let format = formats.get(usize::from(decimals)).or(formats.last());
            let number = Number(row.values.get(number).copied().flatten()).finite();
            columns.number(sheet, line, number, format)?;
        }
        let unit = table
            .metrics
            .first()
            .and_then(|metric| table.unit(place, metric));
        columns.text(sheet, line, unit.map_or("", |unit| unit.label.get(lang)))?;
        columns.text(sheet, line, row.status)?;
        columns.text(sheet, line, table.status_label(row.status, lang))?;
        let remark = row.remark.as_ref().map_or("", |remark| remark.get(lang));
        columns.text(sheet, line, remark)?;
    }
    let last = columns.last();
    sheet.set_freeze_panes(header + 1, 0)?;
    sheet.autofilter(header, 0, line, last)?;
    // Excel would mark each code of digits as a mistake.
    sheet.ignore_error_range(header, 0, line, last, IgnoreError::NumberStoredAsText)?;
    columns.widen(sheet)
}

/// What the data are: notes, definitions, source, citation, address.
fn about(sheet: &mut Worksheet, table: &Table, lang: Lang) -> Result<(), XlsxError> {
    sheet.set_name(lang.pick("Om uppgifterna", "About the data"))?;
    let bold = Format::new().set_bold().set_align(FormatAlign::Top);
    let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_column_width(0, 28)?;
    sheet.set_column_width(1, 100)?;
    let mut line: u32 = 0;
    if table.synthetic {
        sheet.write_string_with_format(line, 0, synthetic_warning().get(lang), &warning())?;
        line += 1;
    }
    let mut tell = |name: &str, text: &str| -> Result<(), XlsxError> {
        sheet.write_string_with_format(line, 0, clipped(name, CELL), &bold)?;
        sheet.write_string_with_format(line, 1, clipped(text, CELL), &wrapped)?;
        line += 1;
        Ok(())
    };
    tell(lang.pick("Titel", "Title"), table.title.get(lang))?;
    tell(lang.pick("Publicering", "Publication"), &table.publication)?;
    tell(
        lang.pick("Publicerad", "Published"),
        &super::moment(table.updated),
    )?;
    tell(lang.pick("Källa", "Source"), table.source.get(lang))?;
    tell(
        lang.pick("Citera så här", "Cite as"),
        table.citation.get(lang),
    )?;
    tell(
        lang.pick("Permanent adress", "Permanent address"),
        &table.href,
    )?;
    tell(
        lang.pick("Skydd av små tal", "Protection of small numbers"),
        table.protection,
    )?;
    for note in &table.notes {
        let name = if note.mandatory {
            lang.pick("Viktigt", "Important")
        } else {
            lang.pick("Anmärkning", "Note")
        };
        tell(name, note.text.get(lang))?;
    }
    for definition in &table.definitions {
        tell(definition.term.get(lang), definition.text.get(lang))?;
    }
    for status in &table.statuses {
        tell(
            &format!("{}: {}", lang.pick("Status", "Status"), status.code),
            status.label.get(lang),
        )?;
    }
    Ok(())
}

fn warning() -> Format {
    Format::new().set_bold().set_font_color("#C00000")
}

fn decimals(count: usize) -> Format {
    let mut pattern = "0".to_owned();
    if count > 0 {
        pattern.push('.');
        pattern.extend(std::iter::repeat_n('0', count));
    }
    Format::new().set_num_format(pattern)
}

/// A text cut to as many characters of UTF-16, which is how Excel counts.
fn clipped(text: &str, most: usize) -> String {
    let mut length = 0;
    text.chars()
        .take_while(|c| {
            length += c.len_utf16();
            length <= most
        })
        .collect()
}

/// Writes a row from the left to the right, and remembers how wide its texts are.
#[derive(Default)]
struct Columns {
    next: u16,
    widths: Vec<usize>,
}

impl Columns {
    fn rewind(&mut self) {
        self.next = 0;
    }

    fn last(&self) -> u16 {
        self.next.saturating_sub(1)
    }

    fn take(&mut self, width: usize) -> u16 {
        let column = self.next;
        self.next += 1;
        match self.widths.get_mut(usize::from(column)) {
            Some(known) => *known = width.max(*known),
            None => self.widths.push(width),
        }
        column
    }

    fn head(
        &mut self,
        sheet: &mut Worksheet,
        line: u32,
        text: &str,
        format: &Format,
    ) -> Result<(), XlsxError> {
        // The button of the filter covers the end of the text.
        let column = self.take(text.chars().count() + 3);
        sheet.write_string_with_format(line, column, clipped(text, CELL), format)?;
        Ok(())
    }

    fn text(&mut self, sheet: &mut Worksheet, line: u32, text: &str) -> Result<(), XlsxError> {
        let column = self.take(text.chars().count());
        if !text.is_empty() {
            sheet.write_string(line, column, clipped(text, CELL))?;
        }
        Ok(())
    }

    fn number(
        &mut self,
        sheet: &mut Worksheet,
        line: u32,
        number: Option<f64>,
        format: Option<&Format>,
    ) -> Result<(), XlsxError> {
        let column = self.take(8);
        if let (Some(number), Some(format)) = (number, format) {
            sheet.write_number_with_format(line, column, number, format)?;
        }
        Ok(())
    }

    fn widen(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, width) in (0..).zip(&self.widths) {
            let width = u32::try_from(*width.min(&WIDEST)).unwrap_or_default();
            sheet.set_column_width(column, f64::from(width) + 1.0)?;
        }
        Ok(())
    }
}
