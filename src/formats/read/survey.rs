//! The first reading of a table: where its headings are, which columns it has, and what speaks against it.

use encoding_rs::Encoding;

use super::persons::Persons;
use super::{Cell, Heading, MAX_COLUMNS, MAX_ROWS, ReadFault, Record, encoding, faults};
use crate::formats::csv::{disarmed, is_failed_formula};

/// A row as it stands in the file, its cells from the first column on.
#[derive(Clone)]
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

/// Where a table begins, and with which headings.
pub(super) struct Survey {
    pub(super) heading_row: u32,
    pub(super) headings: Vec<Heading>,
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

    /// How many rows below the headings it has seen.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn see(&mut self, raw: &Raw) -> Result<(), ReadFault> {
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
            self.heading = Some(raw.clone());
            return Ok(());
        };
        let filled = |raw: &Raw| raw.cells.iter().filter(|cell| !cell.is_empty()).count();
        if self.rows == 0 && filled(heading) == 1 && filled(raw) > 1 {
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

    /// The table below the headings; it is not to be used before [`Self::finish`].
    pub(super) fn survey(&self) -> Result<Survey, ReadFault> {
        let heading = self.heading.as_ref().ok_or_else(faults::empty_file)?;
        let named = (0..).zip(&heading.cells).map(|(column, cell)| Heading {
            text: cell.written().into_owned(),
            column,
        });
        Ok(Survey {
            heading_row: heading.number,
            headings: named.filter(|heading| !heading.text.is_empty()).collect(),
        })
    }

    /// What speaks against the table, once all of its rows are seen.
    pub(super) fn finish(&self) -> Result<(), ReadFault> {
        let survey = self.survey()?;
        for (column, used) in (0..).zip(&self.used) {
            let named = survey
                .headings
                .iter()
                .any(|heading| heading.column == column);
            if let Some(row) = used.filter(|_| !named) {
                return Err(faults::heading_empty(survey.heading_row, row, column));
            }
        }
        self.persons.finish(&survey.headings)
    }
}

impl Survey {
    /// The row of the table, if it is one below the headings that holds anything.
    pub(super) fn record(&self, raw: Raw) -> Option<Record> {
        if raw.number <= self.heading_row || raw.is_empty() {
            return None;
        }
        let mut cells = raw.cells;
        let number = raw.number;
        // As a rule the headings are those of the first columns, and nothing has to be moved.
        if (0..)
            .zip(&self.headings)
            .all(|(n, heading)| heading.column == n)
        {
            cells.resize(self.headings.len(), Cell::Empty);
            return Some(Record { number, cells });
        }
        let taken = self.headings.iter().map(|heading| {
            cells
                .get_mut(usize::from(heading.column))
                .map_or(Cell::Empty, |cell| std::mem::replace(cell, Cell::Empty))
        });
        Some(Record {
            cells: taken.collect(),
            number,
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
        Cell::Text(disarmed(bare).into())
    }
}
