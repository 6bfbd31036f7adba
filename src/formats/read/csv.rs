//! CSV as people's programs write it.
//!
//! The rows are cut here and not by the `csv` crate, which writes ours: it passes over blank rows without counting
//! them, so that a fault would be told of the wrong row, and takes a file whose last quotation mark is missing.

use std::io::{BufRead, Read};

use encoding_rs::Encoding;

use super::ahead::ahead;
use super::encoding::{Decoded, detect};
use super::survey::{Raw, Survey, Surveyor, cell_of};
use super::{Heading, Incoming, MAX_COLUMNS, MAX_ROW, ReadFault, Record, Source, faults};

/// How much of a file is looked at to tell its separator, bytes.
const HEAD: u64 = 64 * 1024;

/// Opens a file: what speaks against it is seen while its rows are read.
pub(super) fn open(source: &Source) -> Result<Incoming, ReadFault> {
    let encoding = detect(source)?;
    let layout = layout(source, encoding)?;
    let mut rows = Rows::new(source, encoding, layout)?;
    let mut surveyor = Surveyor::new(encoding);
    // With the first row below the headings it is seen whether they are headings.
    let mut first = None;
    while surveyor.rows() == 0 {
        first = rows.next_row()?;
        match &first {
            Some(raw) => surveyor.see(raw)?,
            None => break,
        }
    }
    let table = Table {
        survey: surveyor.survey()?,
        rows,
        first,
        surveyor: Some(surveyor),
        ended: false,
    };
    Ok(table.incoming(layout))
}

/// Opens a file whose headings are known.
pub(super) fn reopen(source: &Source, headings: &[Heading]) -> Result<Incoming, ReadFault> {
    let encoding = detect(source)?;
    let layout = layout(source, encoding)?;
    let mut rows = Rows::new(source, encoding, layout)?;
    let heading_row = loop {
        match rows.next_row()? {
            Some(raw) if raw.is_empty() => {}
            Some(raw) => break raw.number,
            None => return Err(faults::empty_file()),
        }
    };
    let headings = headings.to_vec();
    let table = Table {
        survey: Survey {
            heading_row,
            headings,
        },
        rows,
        first: None,
        surveyor: None,
        ended: false,
    };
    Ok(table.incoming(layout))
}

/// How the file is cut.
#[derive(Clone, Copy)]
struct Layout {
    separator: u8,
    /// Whether its first line only says the separator: `sep=;`. Excel does not show it and does not count it.
    declared: bool,
}

/// The separator: the declared one, or else what occurs most, outside quotes, in the first line that has any.
fn layout(source: &Source, encoding: &'static Encoding) -> Result<Layout, ReadFault> {
    let mut head = Vec::new();
    Decoded::new(source.buffered()?, encoding)
        .take(HEAD)
        .read_to_end(&mut head)
        .map_err(faults::io)?;
    let first = head
        .split(|b| matches!(b, b'\r' | b'\n'))
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let first = first
        .strip_prefix(b"\"")
        .and_then(|first| first.strip_suffix(b"\""))
        .unwrap_or(first);
    let said = first
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case(b"sep="));
    match (said, first.get(4..)) {
        (Some(_), Some(&[separator])) if separator.is_ascii() => {
            return Ok(Layout {
                separator,
                declared: true,
            });
        }
        // The separator is a tab, and was trimmed.
        (Some(_), Some([])) => {
            return Ok(Layout {
                separator: b'\t',
                declared: true,
            });
        }
        _ => {}
    }
    // In this order, so that of equals the semicolon counts: a comma stands in texts and numbers.
    let mut counts = [(b';', 0), (b'\t', 0), (b',', 0)];
    let mut quoted = false;
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted && counts.iter().any(|(_, count)| *count > 0) => break,
            _ if quoted => {}
            _ => {
                for (separator, count) in &mut counts {
                    *count += usize::from(*separator == byte);
                }
            }
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max();
    let separator = counts
        .iter()
        .find(|(_, count)| Some(*count) == most)
        .map_or(b';', |(separator, _)| *separator);
    Ok(Layout {
        separator,
        declared: false,
    })
}

/// The records of a table. After the last one comes what speaks against all of them, if nobody has looked yet.
struct Table {
    survey: Survey,
    rows: Rows,
    /// A row that is read and seen already.
    first: Option<Raw>,
    surveyor: Option<Surveyor>,
    ended: bool,
}

impl Table {
    fn incoming(self, layout: Layout) -> Incoming {
        Incoming::Table {
            headings: self.survey.headings.clone(),
            separator: Some(layout.separator),
            records: ahead(Box::new(self)),
        }
    }

    fn read(&mut self) -> Result<Option<Record>, ReadFault> {
        loop {
            let raw = match self.first.take() {
                Some(first) => first,
                None => match (self.rows.next_row()?, &mut self.surveyor) {
                    (None, None) => return Ok(None),
                    (None, Some(surveyor)) => return surveyor.finish().map(|()| None),
                    (Some(raw), None) => raw,
                    (Some(raw), Some(surveyor)) => {
                        surveyor.see(&raw)?;
                        raw
                    }
                },
            };
            if let Some(record) = self.survey.record(raw) {
                return Ok(Some(record));
            }
        }
    }
}

impl Iterator for Table {
    type Item = Result<Record, ReadFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character of a field.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark inside a quoted field: its end, or the first of two that mean one.
    Closing,
}

/// Cuts the bytes of a file into rows.
struct Rows {
    input: Box<dyn BufRead + Send>,
    separator: u8,
    number: u32,
    /// The last row ended with CR, of which LF may be the other half.
    after_cr: bool,
    cut: Cut,
}

impl Rows {
    fn new(
        source: &Source,
        encoding: &'static Encoding,
        layout: Layout,
    ) -> Result<Self, ReadFault> {
        let mut rows = Self {
            input: Box::new(Decoded::new(source.buffered()?, encoding)),
            separator: layout.separator,
            number: 0,
            after_cr: false,
            cut: Cut::default(),
        };
        if layout.declared {
            rows.next_row()?;
            rows.number = 0;
        }
        Ok(rows)
    }

    fn next_row(&mut self) -> Result<Option<Raw>, ReadFault> {
        let number = self.number + 1;
        let cut = &mut self.cut;
        cut.begin();
        let mut size = 0;
        loop {
            let piece = self.input.fill_buf().map_err(faults::io)?;
            if piece.is_empty() {
                if cut.state == State::Quoted {
                    return Err(faults::open_quote(number));
                }
                if !cut.any {
                    return Ok(None);
                }
                break;
            }
            let mut used = 0;
            let mut ended = false;
            for &byte in piece {
                used += 1;
                if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                    continue;
                }
                if cut.take(byte, self.separator) {
                    self.after_cr = byte == b'\r';
                    ended = true;
                    break;
                }
            }
            self.input.consume(used);
            size += used;
            if size > MAX_ROW {
                return Err(match cut.state {
                    State::Quoted => faults::open_quote(number),
                    _ => faults::row_too_long(number),
                });
            }
            if cut.ends.len() > MAX_COLUMNS * 4 {
                return Err(faults::too_many_columns(number));
            }
            if ended {
                break;
            }
        }
        cut.end_field();
        self.number = number;
        let cells = cut.fields().map(|field| {
            // Decoding made it UTF-8.
            cell_of(&String::from_utf8_lossy(field))
        });
        Ok(Some(Raw {
            number,
            cells: cells.collect(),
        }))
    }
}

/// A row while it is cut.
struct Cut {
    /// Its fields, one after the other.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    state: State,
    /// Whether there was any byte.
    any: bool,
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            state: State::Start,
            any: false,
        }
    }
}

impl Cut {
    /// Begins another row.
    fn begin(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.state = State::Start;
        self.any = false;
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let between = begins.zip(&self.ends);
        between.map(|(begin, end)| self.bytes.get(begin..*end).unwrap_or_default())
    }

    /// Takes a byte; true when it ends the row.
    fn take(&mut self, byte: u8, separator: u8) -> bool {
        self.any = true;
        match (self.state, byte) {
            (State::Quoted, b'"') => self.state = State::Closing,
            (State::Quoted, _) => self.bytes.push(byte),
            (State::Closing, b'"') => {
                self.bytes.push(byte);
                self.state = State::Quoted;
            }
            (State::Start, b'"') => self.state = State::Quoted,
            (_, b'\r' | b'\n') => return true,
            _ if byte == separator => {
                self.end_field();
                self.state = State::Start;
            }
            // After the closing mark too: spreadsheets put it to the field.
            _ => {
                self.bytes.push(byte);
                self.state = State::Plain;
            }
        }
        false
    }

    fn end_field(&mut self) {
        self.ends.push(self.bytes.len());
    }
}
