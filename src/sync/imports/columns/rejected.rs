//! Rows that were not taken, as a file in the format they came in, with the reasons in a column of their own. The
//! column begins with `_`, so the file can be mended and sent again as it is.

use serde_json::Value;

use crate::formats::csv::armed;
use crate::formats::read::{Cell, FileKind, Heading};
use crate::formats::sheet;
use crate::http::lang::Lang;
use crate::problem::{ApiResult, Problem};

/// The column, or member, of the reasons in Swedish and English.
const REASONS: [&str; 2] = ["_fel", "_errors"];

/// What came in.
#[derive(Clone, Debug)]
pub enum Rejected {
    /// A row of a table, with a cell for each heading.
    Cells(Vec<Cell>),
    /// An object.
    Object(Value),
}

/// A row that was not taken.
#[derive(Clone, Debug)]
pub struct RejectedRow {
    /// The row as it came in.
    pub content: Rejected,
    /// Why it was not taken, one sentence each.
    pub reasons: Vec<String>,
}

/// Writes the rows. `headings` and `separator` are those of the file that they came in; JSON has none.
///
/// # Errors
/// When writing fails.
pub fn rejected(
    kind: FileKind,
    headings: &[Heading],
    separator: Option<u8>,
    rows: &[RejectedRow],
    lang: Lang,
) -> ApiResult<Vec<u8>> {
    let [sv, en] = REASONS;
    let name = lang.pick(sv, en);
    match kind {
        FileKind::Json => {
            let objects: Vec<Value> = rows.iter().map(|row| object(row, name)).collect();
            serde_json::to_vec_pretty(&objects).map_err(Problem::internal)
        }
        FileKind::Ndjson => {
            let mut out = Vec::new();
            for row in rows {
                serde_json::to_writer(&mut out, &object(row, name)).map_err(Problem::internal)?;
                out.push(b'\n');
            }
            Ok(out)
        }
        FileKind::Csv => csv(headings, separator.unwrap_or(b';'), rows, name),
        FileKind::Xlsx => {
            let (columns, kept) = columns(headings, name);
            let sheet_name = lang.pick("Rader med fel", "Rejected rows");
            let rows = rows.iter().map(|row| cells(row, &kept));
            sheet::write(sheet_name, &columns, rows).map_err(Problem::internal)
        }
    }
}

/// The headings with the reasons first, where they are seen, and the places of the cells that stay: not the reasons of
/// an earlier round.
fn columns(headings: &[Heading], name: &str) -> (Vec<String>, Vec<usize>) {
    let old = |heading: &Heading| REASONS.contains(&heading.text.as_str());
    let mut columns = vec![name.to_owned()];
    let mut kept = Vec::new();
    for (place, heading) in headings.iter().enumerate() {
        if !old(heading) {
            columns.push(heading.text.clone());
            kept.push(place);
        }
    }
    (columns, kept)
}

fn cells(row: &RejectedRow, kept: &[usize]) -> Vec<Cell> {
    let reasons: String = row
        .reasons
        .join(" ")
        .chars()
        .take(sheet::CELL / 2)
        .collect();
    let mut cells = vec![Cell::Text(reasons.into())];
    if let Rejected::Cells(own) = &row.content {
        cells.extend(
            kept.iter()
                .map(|place| own.get(*place).cloned().unwrap_or(Cell::Empty)),
        );
    }
    cells
}

/// With a byte order mark, so that a spreadsheet sees å, ä and ö whatever the file was before.
fn csv(
    headings: &[Heading],
    separator: u8,
    rows: &[RejectedRow],
    name: &str,
) -> ApiResult<Vec<u8>> {
    let (columns, kept) = columns(headings, name);
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{feff}".as_bytes().to_vec());
    let heading = columns.iter().map(|column| armed(column));
    writer.write_record(heading).map_err(Problem::internal)?;
    for row in rows {
        let texts = cells(row, &kept).into_iter().map(|cell| match cell {
            Cell::Text(text) => armed(&text),
            other => other.written().into_owned(),
        });
        writer.write_record(texts).map_err(Problem::internal)?;
    }
    writer.into_inner().map_err(Problem::internal)
}

fn object(row: &RejectedRow, name: &str) -> Value {
    let reasons: Value = row.reasons.iter().cloned().map(Value::String).collect();
    let mut members = match &row.content {
        Rejected::Object(Value::Object(members)) => members.clone(),
        Rejected::Object(other) => [("_value".to_owned(), other.clone())].into_iter().collect(),
        Rejected::Cells(_) => serde_json::Map::new(),
    };
    members.retain(|member, _| !REASONS.contains(&member.as_str()));
    members.insert(name.to_owned(), reasons);
    Value::Object(members)
}
