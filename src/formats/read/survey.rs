//! The first reading of a table: where its headings are, which columns it has, and what speaks against it.

use encoding_rs::Encoding;

use super::persons::Persons;
use super::{Cell, Heading, MAX_COLUMNS, MAX_ROWS, ReadFault, Record, encoding, faults};
use crate::formats::csv::{disarmed, is_failed_formula};

/// A row as it stands in the file, its cells from the first column on.
pub(super) struct Raw {
    pub(super) number: u32,
    pub(super) cells: Vec<Cell>,
}

impl Raw {
    pub(super) fn is_empty(&self) -> bool {
        self.cells.iter().all(Cell::is_empty)
    }
}

/// Looks at row after row.
pub(super) struct Surveyor {
    encoding: &'static Encoding,
    heading: Option<Raw>,
    rows: usize,
    /// The first row with a value, by column.
    used: Vec<Option<u32>>,
    persons: Persons,
}

/// What a table is.
pub(super) struct Survey {
    pub(super) heading_row: u32,
    pub(super) headings: Vec<Heading>,
    pub(super) rows: usize,
}

impl Surveyor {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            heading: None,
            rows: 0,
            used: Vec::new(),
            persons: Persons::default(),
        }
    }

    pub(super) fn see(&mut self, raw: Raw) -> Result<(), ReadFault> {
        if raw.is_empty() {
            return Ok(());
        }
        let last = raw.cells.iter().rposition(|cell| !cell.is_empty());
        if last.is_some_and(|last| last >= MAX_COLUMNS) {
            return Err(faults::too_many_columns(raw.number));
        }
        for (column, cell) in (0..).zip(&raw.cells) {
            if let Cell::Text(text) = cell
                && encoding::garbled(text, self.encoding)
            {
                return Err(faults::garbled(raw.number, column));
            }
        }
        let Some(heading) = &self.heading else {
            self.heading = Some(raw);
            return Ok(());
        };
        let filled = |raw: &Raw| raw.cells.iter().filter(|cell| !cell.is_empty()).count();
        if self.rows == 0 && filled(heading) == 1 && filled(&raw) > 1 {
            return Err(faults::title_row(heading.number, raw.number));
        }
        self.rows += 1;
        if self.rows > MAX_ROWS {
            return Err(faults::too_many_rows());
        }
        if self.used.len() < raw.cells.len() {
            self.used.resize(raw.cells.len(), None);
        }
        for ((column, cell), used) in (0..).zip(&raw.cells).zip(&mut self.used) {
            if cell.is_empty() {
                continue;
            }
            used.get_or_insert(raw.number);
            self.persons.see(raw.number, column, cell)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Survey, ReadFault> {
        let heading = self.heading.ok_or_else(faults::empty_file)?;
        let width = self.used.len().max(heading.cells.len());
        let mut headings = Vec::new();
        for column in 0..width {
            let place = u16::try_from(column).unwrap_or(u16::MAX);
            let text = heading
                .cells
                .get(column)
                .map(Cell::written)
                .unwrap_or_default();
            let used = self.used.get(column).copied().flatten();
            match (text.is_empty(), used) {
                (true, None) => {}
                (true, Some(row)) => {
                    return Err(faults::heading_empty(heading.number, row, place));
                }
                (false, _) => headings.push(Heading {
                    text,
                    column: place,
                }),
            }
        }
        self.persons.finish(&headings)?;
        Ok(Survey {
            heading_row: heading.number,
            headings,
            rows: self.rows,
        })
    }
}

impl Survey {
    /// The row of the table, if it is one below the headings that holds anything.
    pub(super) fn record(&self, raw: Raw) -> Option<Record> {
        if raw.number <= self.heading_row || raw.is_empty() {
            return None;
        }
        let mut cells = raw.cells;
        let taken = self.headings.iter().map(|heading| {
            cells
                .get_mut(usize::from(heading.column))
                .map_or(Cell::Empty, |cell| std::mem::replace(cell, Cell::Empty))
        });
        Some(Record {
            cells: taken.collect(),
            number: raw.number,
        })
    }
}

/// A text as a cell: without blanks at its ends, and without our guard against formulas.
pub(super) fn cell_of(text: &str) -> Cell {
    let bare =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'));
    if bare.is_empty() {
        Cell::Empty
    } else if is_failed_formula(bare) {
        Cell::Error(bare.to_owned())
    } else {
        Cell::Text(disarmed(bare))
    }
}
