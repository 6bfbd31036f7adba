//! Tables and objects that come in as files: CSV and xlsx as offices write them, JSON and NDJSON as programs do.
//!
//! Something may speak against a file as a whole: an encoding that is not known, a title above the headings, merged
//! cells, personal identity numbers. Of CSV and NDJSON it is told when the rows have been read to the end, of other formats
//! before the first of them: nothing of a file may be used before that. CSV and NDJSON are read from their source each
//! time and never held as a whole; who reads them once more need not look through them again ([`reopen`]).

mod ahead;
mod csv;
mod encoding;
mod faults;
mod json;
mod members;
mod persons;
mod survey;
mod xlsx;

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::PathBuf;

use actix_web::web::Bytes;
use chrono::NaiveDate;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use json::written;
pub use members::Members;

use super::{CSV, NDJSON, XLSX};
use crate::problem::Text;

/// The most rows of a file, without its headings: what a sheet of Excel holds.
pub const MAX_ROWS: usize = 1_048_575;
/// The most columns of a table.
pub const MAX_COLUMNS: usize = 500;
/// The longest row of a CSV file or line of NDJSON, bytes.
pub const MAX_ROW: usize = 1024 * 1024;
/// The largest JSON file, bytes: it is held in memory. NDJSON has no such bound.
pub const MAX_JSON: u64 = 32 * 1024 * 1024;
/// The largest xlsx file, bytes, packed as it comes.
pub const MAX_XLSX: u64 = 32 * 1024 * 1024;
/// The most that an xlsx file may become when it is unpacked, bytes. A few kilobytes can be packed so that they become
/// gigabytes.
pub const MAX_XLSX_UNPACKED: u64 = 256 * 1024 * 1024;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// `application/json`: a list of objects, or an object whose `items` is one.
    Json,
    /// `application/x-ndjson`: an object on each line.
    Ndjson,
    /// `text/csv`
    Csv,
    /// `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`
    Xlsx,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Json, Self::Ndjson, Self::Csv, Self::Xlsx];

    /// The kind of a media type; its parameters do not matter.
    #[must_use]
    pub fn of_media_type(media: &str) -> Option<Self> {
        let media = media.split(';').next().unwrap_or_default().trim();
        let known = Self::ALL.into_iter();
        let mut named = known.filter(|kind| kind.media_type().eq_ignore_ascii_case(media));
        named.next().or_else(|| {
            // Registered after NDJSON was in use.
            media
                .eq_ignore_ascii_case("application/jsonl")
                .then_some(Self::Ndjson)
        })
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => NDJSON,
            Self::Csv => CSV,
            Self::Xlsx => XLSX,
        }
    }

    /// How the name of such a file ends, without the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// Where the bytes of a file are.
#[derive(Clone, Debug)]
pub enum Source {
    /// In memory.
    Memory(Bytes),
    /// In a file that nobody writes to meanwhile.
    File(PathBuf),
}

/// Bytes that can be read from any place.
trait Seekable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Seekable for T {}

impl Source {
    fn size(&self) -> Result<u64, ReadFault> {
        match self {
            Self::Memory(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => Ok(std::fs::metadata(path).map_err(faults::io)?.len()),
        }
    }

    fn open(&self) -> Result<Box<dyn Seekable>, ReadFault> {
        match self {
            Self::Memory(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Self::File(path) => Ok(Box::new(File::open(path).map_err(faults::io)?)),
        }
    }

    fn buffered(&self) -> Result<Box<dyn BufRead + Send>, ReadFault> {
        Ok(Box::new(BufReader::with_capacity(64 * 1024, self.open()?)))
    }
}

/// What a table holds at one place. Texts are without blanks at their ends, and without the apostrophe that our own
/// files put before what a spreadsheet would run as a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cell {
    /// Nothing, or blanks only.
    Empty,
    /// A text. Most are short and need no memory of their own.
    Text(CompactString),
    /// A number of a spreadsheet. A cell that shows percent holds what it shows: 12.5 for `12,5 %`.
    Number {
        /// The number.
        value: f64,
        /// As short as it can be written with a decimal point.
        text: String,
    },
    /// True or false.
    Bool(bool),
    /// A day of a spreadsheet.
    Date(NaiveDate),
    /// A moment of a spreadsheet: a day, and a time that is not midnight, as `YYYY-MM-DDThh:mm:ss`.
    Moment(String),
    /// A formula that could not be computed, such as `#REF!`.
    Error(String),
}

impl Cell {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// What stands there, as a person would write it.
    #[must_use]
    pub fn written(&self) -> Cow<'_, str> {
        match self {
            Self::Empty => "".into(),
            Self::Text(text) => text.as_str().into(),
            Self::Number { text, .. } | Self::Moment(text) | Self::Error(text) => text.into(),
            Self::Bool(value) => value.to_string().into(),
            Self::Date(day) => day.to_string().into(),
        }
    }
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// As the spreadsheet numbers it, from 1. Empty rows are left out and counted.
    pub number: u32,
    /// One for each heading, in the order of the headings.
    pub cells: Vec<Cell>,
}

/// What stands above a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// As written, without blanks at its ends.
    pub text: String,
    /// The column, from 0.
    pub column: u16,
}

impl Heading {
    /// The column as a spreadsheet names it: `A`, `Z`, `AA`.
    #[must_use]
    pub fn letter(&self) -> String {
        letter(self.column)
    }
}

/// The name of a column, of which the first is 0.
#[must_use]
pub fn letter(column: u16) -> String {
    let mut letters = Vec::new();
    let mut rest = u32::from(column) + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(
            b'A' + u8::try_from(rest % 26).unwrap_or_default(),
        ));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// Why a file as a whole cannot be used, and where that is seen. It never holds a value of the file: that could be a
/// personal identity number.
#[derive(Clone, Debug)]
pub struct ReadFault {
    /// Stable code of the rule.
    pub code: &'static str,
    /// The row, as [`Record::number`]; for JSON the position from 1, for NDJSON the line.
    pub row: Option<u32>,
    /// The column's letter, or the member of an object.
    pub column: Option<String>,
    /// The rule, for people.
    pub text: Text,
}

/// The rows of a table, one by one. After a fault nothing more comes.
pub type Records = Box<dyn Iterator<Item = Result<Record, ReadFault>> + Send>;
/// A row of JSON.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its position (NDJSON: its line) from 1.
    pub number: u32,
    /// Its members; or what stands there if it is no object.
    pub members: Result<Members, Value>,
    /// The line that it was written as, in a file of lines, if that is wanted.
    pub line: Option<Box<[u8]>>,
}

/// Objects one by one. After a fault nothing more comes.
pub type Objects = Box<dyn Iterator<Item = Result<Object, ReadFault>> + Send>;

/// A file whose rows can be read.
pub enum Incoming {
    /// CSV or xlsx.
    Table {
        /// The headings, from the left; columns without a heading and without a value are left out.
        headings: Vec<Heading>,
        /// What separates the fields, in CSV.
        separator: Option<u8>,
        /// The rows.
        records: Records,
    },
    /// JSON or NDJSON.
    Objects(Objects),
}

/// Opens a file to be looked through for the first time. `sheets` are names that the wanted sheet of an xlsx file may have; without
/// one of them its first visible sheet is taken.
///
/// # Errors
/// What speaks against the file as a whole; of CSV and NDJSON it may also come after the rows.
pub fn open(kind: FileKind, source: &Source, sheets: &[&str]) -> Result<Incoming, ReadFault> {
    match kind {
        FileKind::Csv => csv::open(source),
        FileKind::Xlsx => xlsx::open(source, sheets),
        FileKind::Json => json::open(source),
        FileKind::Ndjson => json::open_lines(source),
    }
}

/// Opens a file that was looked through before; of CSV the headings that were found then must be known. Of NDJSON the lines
/// are kept if they are wanted. What is held in memory anyway is opened as ever.
///
/// # Errors
/// When it cannot be read.
pub fn reopen(
    kind: FileKind,
    source: &Source,
    sheets: &[&str],
    headings: Option<&[Heading]>,
    keeps_lines: bool,
) -> Result<Incoming, ReadFault> {
    match (kind, headings) {
        (FileKind::Csv, Some(headings)) => csv::reopen(source, headings),
        (FileKind::Ndjson, _) => json::reopen_lines(source, keeps_lines),
        _ => open(kind, source, sheets),
    }
}
