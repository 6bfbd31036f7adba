//! A gap in words, in both languages.

use super::compare::Gap;
use crate::formats::table::Label;
use crate::statistics::codes::{CellStatus, Direction};
use crate::statistics::rates::{Cell, Coverage};

/// How far a number is from the one of `label`, and how many children that stands for.
#[must_use]
pub fn distance(label: &Label, gap: &Gap) -> Label {
    let size = gap.difference.abs();
    let (sv, en) = (size.to_string().replace('.', ","), size.to_string());
    let (first_sv, first_en) = match gap.direction {
        Direction::Equal => (
            format!("Lika med {}.", label.sv),
            format!("Equal to {}.", label.en),
        ),
        Direction::Below => (
            format!("{sv} procentenheter under {}", label.sv),
            format!("{en} percentage points below {}", label.en),
        ),
        Direction::Above => (
            format!("{sv} procentenheter över {}", label.sv),
            format!("{en} percentage points above {}", label.en),
        ),
    };
    match (gap.direction, gap.children) {
        (Direction::Equal, _) => Label::new(first_sv, first_en),
        (_, None | Some(0)) => Label::new(format!("{first_sv}."), format!("{first_en}.")),
        (Direction::Below, Some(1)) => Label::new(
            format!("{first_sv}: ytterligare ett barn eller en ungdom skulle behöva delta."),
            format!("{first_en}: one more child or young person would have to take part."),
        ),
        (Direction::Above, Some(1)) => Label::new(
            format!("{first_sv}: det motsvarar ett barn eller en ungdom."),
            format!("{first_en}: that stands for one child or young person."),
        ),
        (Direction::Below, Some(n)) => Label::new(
            format!("{first_sv}: ytterligare {n} barn och unga skulle behöva delta."),
            format!("{first_en}: another {n} children and young people would have to take part."),
        ),
        (Direction::Above, Some(n)) => Label::new(
            format!("{first_sv}: det motsvarar {n} barn och unga."),
            format!("{first_en}: that stands for {n} children and young people."),
        ),
    }
}

/// How much of a place is in its number, if not all of it.
#[must_use]
fn incomplete(cell: &Cell) -> Option<Coverage> {
    cell.coverage
        .filter(|coverage| coverage.reported < coverage.expected)
}

/// What a reader must know of a number that another one is compared with.
#[must_use]
pub fn reservation(cell: &Cell) -> Option<Label> {
    match (cell.status, incomplete(cell)) {
        (
            CellStatus::Partial,
            Some(Coverage {
                reported, expected, ..
            }),
        ) => Some(Label::new(
            format!("Jämförelsetalet är ofullständigt: {reported} av {expected} delar är med."),
            format!("The reference is partial: {reported} of {expected} parts are in it."),
        )),
        (CellStatus::Partial, None) => Some(Label::new(
            "Jämförelsetalet är ofullständigt.",
            "The reference is partial.",
        )),
        (CellStatus::Provisional, _) => Some(Label::new(
            "Jämförelsetalet är preliminärt.",
            "The reference is provisional.",
        )),
        (CellStatus::Estimated, _) => Some(Label::new(
            "Jämförelsetalet är en uppskattning.",
            "The reference is an estimate.",
        )),
        _ => None,
    }
}
