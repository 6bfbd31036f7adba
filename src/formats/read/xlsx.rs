//! Workbooks of Excel and its kin.
//!
//! Only the sheet that is wanted is held in memory, cell by cell: calamine would make room for the whole rectangle
//! between the first and the last one, which a file of a kilobyte can make as large as a sheet can be.

use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx};
use chrono::NaiveDate;
use encoding_rs::UTF_8;

use super::survey::{Raw, Surveyor, cell_of};
use super::{
    Cell, Incoming, MAX_XLSX, MAX_XLSX_UNPACKED, ReadFault, Seekable, Source, faults, letter,
};

/// The most cells of a sheet that are not empty.
const MAX_CELLS: usize = 3_000_000;
/// The most parts of a packed file; workbooks have some dozens.
const MAX_PARTS: usize = 5_000;

type Book = Xlsx<BufReader<Box<dyn Seekable>>>;

/// Opens a workbook.
pub(super) fn open(source: &Source, sheets: &[&str]) -> Result<Incoming, ReadFault> {
    if source.size()? > MAX_XLSX {
        return Err(faults::too_large("xlsx", MAX_XLSX));
    }
    // What is broken on purpose may make the parser panic; that is the file's fault, not ours.
    catch_unwind(AssertUnwindSafe(|| opened(source, sheets)))
        .unwrap_or_else(|_| Err(faults::broken_workbook()))
}

fn opened(source: &Source, sheets: &[&str]) -> Result<Incoming, ReadFault> {
    check_size(source, MAX_XLSX_UNPACKED)?;
    let mut book: Book = Xlsx::new(BufReader::new(source.open()?)).map_err(broken)?;
    let name = wanted(&mut book, sheets)?;
    refuse_merged(&mut book, &name)?;
    let mut cells = read_cells(&mut book, &name)?;
    refuse_uncomputed(&mut book, &name)?;
    // Programs may write cells in any order.
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    let mut rows: Vec<Raw> = Vec::new();
    for (row, column, cell) in cells {
        let number = row + 1;
        if rows.last().is_none_or(|last| last.number != number) {
            rows.push(Raw {
                number,
                cells: Vec::new(),
            });
        }
        if let Some(last) = rows.last_mut() {
            last.cells.resize(usize::from(column), Cell::Empty);
            last.cells.push(cell);
        }
    }
    let mut surveyor = Surveyor::new(UTF_8);
    rows.iter().try_for_each(|raw| surveyor.see(raw))?;
    surveyor.finish()?;
    let survey = surveyor.survey()?;
    Ok(Incoming::Table {
        headings: survey.headings.clone(),
        separator: None,
        records: Box::new(
            rows.into_iter()
                .filter_map(move |raw| survey.record(raw).map(Ok)),
        ),
    })
}

fn broken(error: calamine::XlsxError) -> ReadFault {
    log::info!("a workbook cannot be read: {error}");
    faults::broken_workbook()
}

/// Unpacks every part and throws it away, to see how much it is: what a packed file says of itself need not be true.
fn check_size(source: &Source, most: u64) -> Result<(), ReadFault> {
    let mut input = source.open()?;
    let mut magic = Vec::with_capacity(4);
    (&mut input)
        .take(4)
        .read_to_end(&mut magic)
        .map_err(faults::io)?;
    match magic.as_slice() {
        [] => return Err(faults::empty_file()),
        [0xd0, 0xcf, 0x11, 0xe0] => return Err(faults::old_or_locked()),
        _ => {}
    }
    input.rewind().map_err(faults::io)?;
    let packed = |_| faults::broken_workbook();
    let mut archive = zip::ZipArchive::new(BufReader::new(input)).map_err(packed)?;
    if archive.len() > MAX_PARTS {
        return Err(faults::broken_workbook());
    }
    let mut unpacked = 0;
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(packed)?;
        let mut part = part.take(most - unpacked + 1);
        unpacked += std::io::copy(&mut part, &mut std::io::sink())
            .map_err(|_| faults::broken_workbook())?;
        if unpacked > most {
            return Err(faults::too_large("xlsx (uppackad, unpacked)", most));
        }
    }
    Ok(())
}

/// The sheet with one of the names, or else the only visible one with anything in it. Which of several is meant is not
/// guessed: the rows of the others would be lost without a word.
fn wanted(book: &mut Book, names: &[&str]) -> Result<String, ReadFault> {
    let sheets = book.sheets_metadata().iter();
    let visible: Vec<String> = sheets
        .filter(|sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect();
    let called = visible.iter().find(|name| {
        let name = name.trim().to_lowercase();
        names.iter().any(|wanted| wanted.to_lowercase() == name)
    });
    if let Some(called) = called {
        return Ok(called.clone());
    }
    let mut filled = Vec::new();
    for name in &visible {
        if holds_anything(book, name)? {
            filled.push(name.clone());
        }
    }
    match filled.as_slice() {
        [] => visible.into_iter().next().ok_or_else(faults::no_sheet),
        [one] => Ok(one.clone()),
        several => Err(faults::several_sheets(several, names)),
    }
}

fn holds_anything(book: &mut Book, name: &str) -> Result<bool, ReadFault> {
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    while let Some(found) = reader.next_cell().map_err(broken)? {
        if !cell(found.get_value(), false).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A merged cell has its value in one place, and nothing in the others: whether it is meant there too cannot be known.
fn refuse_merged(book: &mut Book, name: &str) -> Result<(), ReadFault> {
    let merged = book.merge_cells_by_sheet_name(name).map_err(broken)?;
    let first = merged
        .iter()
        .filter(|area| area.start != area.end)
        .min_by_key(|area| area.start);
    match first {
        None => Ok(()),
        Some(area) => {
            let place = |(row, column): (u32, u32)| {
                format!(
                    "{}{}",
                    letter(u16::try_from(column).unwrap_or(u16::MAX)),
                    row + 1
                )
            };
            let range = format!("{}:{}", place(area.start), place(area.end));
            Err(faults::merged_cells(area.start.0 + 1, &range))
        }
    }
}

/// The cells that hold anything: row and column from 0.
fn read_cells(book: &mut Book, name: &str) -> Result<Vec<(u32, u16, Cell)>, ReadFault> {
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    let percent: Vec<bool> = reader
        .styles()
        .iter()
        .map(|style| {
            let format = style.number_format.as_ref();
            format.is_some_and(|format| shows_percent(&format.format_code))
        })
        .collect();
    let mut cells = Vec::new();
    let mut texts: u64 = 0;
    while let Some((found, style)) = reader.next_cell_with_style_id().map_err(broken)? {
        let (row, column) = found.get_position();
        let percent = percent.get(style).copied().unwrap_or(false);
        let cell = cell(found.get_value(), percent);
        if cell.is_empty() {
            continue;
        }
        // A text that is shared is held once in the file and here as often as it is used.
        if let Cell::Text(text) = &cell {
            texts += text.len() as u64;
        }
        if cells.len() == MAX_CELLS || texts > MAX_XLSX_UNPACKED {
            return Err(faults::too_many_cells());
        }
        let place = u16::try_from(column)
            .ok()
            .filter(|column| usize::from(*column) < super::MAX_COLUMNS)
            .ok_or_else(|| faults::too_many_columns(row.saturating_add(1)))?;
        if row >= 1_048_576 {
            return Err(faults::too_many_rows());
        }
        cells.push((row, place, cell));
    }
    Ok(cells)
}

/// A formula whose value was never computed looks like an empty cell.
fn refuse_uncomputed(book: &mut Book, name: &str) -> Result<(), ReadFault> {
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(broken)? {
        if cell.formula.is_some() && matches!(cell.value, DataRef::Empty) {
            let (row, column) = cell.pos;
            return Err(faults::formula_without_value(
                row.saturating_add(1),
                u16::try_from(column).unwrap_or(u16::MAX),
            ));
        }
    }
    Ok(())
}

fn cell(value: &DataRef<'_>, percent: bool) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) | DataRef::DurationIso(text) => cell_of(text),
        DataRef::SharedString(text) => cell_of(text),
        DataRef::Int(number) => Cell::Number {
            #[expect(
                clippy::cast_precision_loss,
                reason = "Excel's numbers are floats themselves"
            )]
            value: *number as f64,
            text: number.to_string(),
        },
        DataRef::Float(value) => number(*value, percent),
        DataRef::Bool(value) => Cell::Bool(*value),
        DataRef::DateTime(moment) => day(moment),
        DataRef::DateTimeIso(text) => iso(text),
        DataRef::Error(error) => Cell::Error(error.to_string()),
    }
}

fn number(value: f64, percent: bool) -> Cell {
    // What is shown as 28.5 % is stored as 0.285, and a hundred times that is 28.499999999999996.
    let value = if percent {
        (value * 1e12).round() / 1e10
    } else {
        value
    };
    if !value.is_finite() {
        return Cell::Error(value.to_string());
    }
    Cell::Number {
        value,
        text: value.to_string(),
    }
}

/// Whether a number format shows percent: a `%` that is not a quoted or escaped character.
fn shows_percent(format: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    for c in format.chars() {
        match c {
            _ if escaped => escaped = false,
            '"' => quoted = !quoted,
            '\\' | '_' | '*' if !quoted => escaped = true,
            '%' if !quoted => return true,
            _ => {}
        }
    }
    false
}

fn day(moment: &ExcelDateTime) -> Cell {
    if !moment.is_datetime() {
        return number(moment.as_f64(), false);
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    // Excel believes in the 29th of February 1900, and its day 0 is no day.
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into());
    match date {
        Some(date) if moment.as_f64() >= 1.0 => at(date, hour, minute, second),
        _ => number(moment.as_f64(), false),
    }
}

fn at(date: NaiveDate, hour: u8, minute: u8, second: u8) -> Cell {
    match (hour, minute, second) {
        (0, 0, 0) => Cell::Date(date),
        _ => Cell::Moment(format!("{date}T{hour:02}:{minute:02}:{second:02}")),
    }
}

fn iso(text: &str) -> Cell {
    let day = text.strip_suffix("T00:00:00").unwrap_or(text);
    match day.parse::<NaiveDate>() {
        Ok(date) => Cell::Date(date),
        Err(_) => Cell::Moment(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0%", true)]
    #[case("0.00 %", true)]
    #[case("0\" %\"", false)]
    #[case("0\\%", false)]
    #[case("General", false)]
    fn percent_is_told_from_a_sign(#[case] format: &str, #[case] percent: bool) {
        assert_eq!(shows_percent(format), percent);
    }

    #[test]
    fn a_share_is_what_the_cell_shows() {
        let shown = number(0.285, true);
        assert_eq!(shown.written(), "28.5");
    }

    #[test]
    fn what_unpacks_to_more_than_allowed_is_refused_whatever_it_says_of_itself() {
        let bytes =
            crate::formats::sheet::write("x", &["A".to_owned()], std::iter::empty()).unwrap();
        let source = Source::Memory(bytes.into());
        assert!(check_size(&source, 1_000_000).is_ok());
        assert_eq!(
            check_size(&source, 2_000).unwrap_err().code,
            "file_too_large"
        );
    }
}
