//! Whether a file is about single persons.
//!
//! One number with its separator stops the file. Ten or twelve digits alone can be something else that happens to have
//! a date and an agreeing check digit, so there it is the column that counts: three of them and most of its values, or
//! a single one below a heading that says what they are.

use std::collections::BTreeMap;

use super::{Cell, Heading, ReadFault, faults};
use crate::values::is_personal_number;

/// How many values without a separator make a column suspect, if most of its values are such.
const ENOUGH: usize = 3;

#[derive(Default)]
pub(super) struct Persons {
    columns: BTreeMap<u16, Column>,
}

#[derive(Default)]
struct Column {
    values: usize,
    suspect: usize,
    first: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suspicion {
    No,
    /// Digits alone.
    Perhaps,
    /// With a separator.
    Certain,
}

pub(super) fn suspicion(text: &str) -> Suspicion {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if !(8..=12).contains(&digits) {
        return Suspicion::No;
    }
    // A column of them may have blanks where the separator belongs, or around it.
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let text = bare.as_str();
    if !(8..=13).contains(&text.len()) || !text.is_ascii() {
        return Suspicion::No;
    }
    if text.contains(['-', '+']) {
        return if is_personal_number(text) {
            Suspicion::Certain
        } else {
            Suspicion::No
        };
    }
    // A spreadsheet takes the leading zeros of those born from 2000 on.
    let whole = match text.len() {
        8 | 9 => format!("{text:0>10}"),
        _ => text.to_owned(),
    };
    if whole.bytes().all(|b| b.is_ascii_digit()) && is_personal_number(&whole) {
        Suspicion::Perhaps
    } else {
        Suspicion::No
    }
}

impl Persons {
    pub(super) fn see(&mut self, row: u32, column: u16, cell: &Cell) -> Result<(), ReadFault> {
        let found = match cell {
            Cell::Text(text) => suspicion(text),
            Cell::Number { text, .. } => suspicion(text),
            _ => Suspicion::No,
        };
        if found == Suspicion::Certain {
            return Err(faults::personal_numbers(row, Some(column), None));
        }
        let known = self.columns.entry(column).or_default();
        known.values += 1;
        if found == Suspicion::Perhaps {
            if known.suspect == 0 {
                known.first = row;
            }
            known.suspect += 1;
        }
        Ok(())
    }

    pub(super) fn finish(&self, headings: &[Heading]) -> Result<(), ReadFault> {
        for (column, known) in &self.columns {
            let heading = headings.iter().find(|heading| heading.column == *column);
            let named = heading.is_some_and(|heading| says_person(&heading.text));
            if stops(known.suspect, known.values, named) {
                return Err(faults::personal_numbers(known.first, Some(*column), None));
            }
        }
        Ok(())
    }
}

/// Whether so many suspect values among so many are persons.
pub(super) fn stops(suspect: usize, values: usize, named: bool) -> bool {
    suspect > 0 && named || suspect >= ENOUGH && suspect * 5 >= values * 4
}

/// Whether a heading promises personal identity numbers.
pub(super) fn says_person(heading: &str) -> bool {
    let heading: String = heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphabetic())
        .collect();
    [
        "personnummer",
        "personnr",
        "pnr",
        "samordningsnummer",
        "samordningsnr",
        "personalidentitynumber",
        "personid",
        "födelsenummer",
    ]
    .iter()
    .any(|word| heading.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("811228-9874", Suspicion::Certain)]
    #[case("811228 - 9874", Suspicion::Certain)]
    #[case("8112289874", Suspicion::Perhaps)]
    #[case("811228 9874", Suspicion::Perhaps)]
    #[case("19811228\u{a0}9874", Suspicion::Perhaps)]
    #[case("811228-9875", Suspicion::No)]
    #[case("Storgatan 12, 811228 9874 Örebro", Suspicion::No)]
    #[case("1880", Suspicion::No)]
    fn what_looks_like_a_person(#[case] text: &str, #[case] expected: Suspicion) {
        assert_eq!(suspicion(text), expected);
    }
}
