//! One cell of an answer.

use crate::participation::codes::{MeasureKind, Precision};
use crate::statistics::codes::{CellStatus, Level, Origin, Reason};
use crate::statistics::frozen::Measure;

/// Of the parts of a place, how many are in its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Parts that have reported.
    pub reported: i32,
    /// Parts there are.
    pub expected: i32,
    /// What the parts are: municipalities, or districts of a municipality.
    pub level: Level,
}

/// A number, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The number, not rounded; see [`shown`].
    pub value: Option<f64>,
    /// How good it is, or why there is none.
    pub status: CellStatus,
    /// Computed, or published by a source.
    pub origin: Option<Origin>,
    /// How exact the words of a source that published it are.
    pub precision: Option<Precision>,
    /// The source that published it, by its place in the catalogue.
    pub source: Option<i16>,
    /// Of a computed share: what it counts.
    pub numerator: Option<i64>,
    /// Of a computed share: the residents that it is of.
    pub denominator: Option<i64>,
    /// How much of the place is in it.
    pub coverage: Option<Coverage>,
    /// Why it is incomplete or missing.
    pub reasons: Vec<Reason>,
}

impl Default for Cell {
    fn default() -> Self {
        Self::of(CellStatus::NotAvailable)
    }
}

impl Cell {
    /// Without a number.
    #[must_use]
    pub fn of(status: CellStatus) -> Self {
        Self {
            value: None,
            status,
            origin: None,
            precision: None,
            source: None,
            numerator: None,
            denominator: None,
            coverage: None,
            reasons: Vec::new(),
        }
    }

    /// Without a number, for a reason.
    #[must_use]
    pub fn none(status: CellStatus, reason: Reason) -> Self {
        Self {
            reasons: vec![reason],
            ..Self::of(status)
        }
    }

    /// With this coverage.
    #[must_use]
    pub fn covering(self, coverage: Option<Coverage>) -> Self {
        Self { coverage, ..self }
    }
}

/// The value as every format shows it: shares and changes with two decimals, anything else as it is.
#[must_use]
pub fn shown(measure: &Measure, cell: &Cell) -> Option<f64> {
    let value = cell.value?;
    Some(match measure.kind {
        MeasureKind::Share | MeasureKind::Change => (value * 100.0).round() / 100.0,
        MeasureKind::Count | MeasureKind::Money | MeasureKind::Rank | MeasureKind::Flag => value,
    })
}
