//! An area while its parts are being read, and the sentences about what had to be left out of it.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::family::Said;
use super::residents::Together;
use crate::statistics::atoms::{Dropped, Why};
use crate::statistics::cube::{Cell, merged};

/// How many cells of parts are collected before they are added up.
const MERGED_AT: usize = 50_000;

/// Which reports are behind something: none, one, or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behind {
    /// Nothing was said yet.
    #[default]
    None,
    /// The source and its report.
    One(Uuid, Uuid),
    /// More than one report.
    Several,
}

impl Behind {
    /// Takes what is behind a part.
    pub fn add(&mut self, other: Self) {
        *self = match (*self, other) {
            (Self::None, other) => other,
            (own, Self::None) => own,
            (own, other) if own == other => own,
            _ => Self::Several,
        };
    }
}

/// An area whose parts are being read.
#[derive(Default)]
pub struct Open {
    /// The area.
    pub code: String,
    /// What it says of itself.
    pub own: Vec<Cell>,
    /// Protected cells of its parts, and of itself.
    pub protected: Vec<Cell>,
    /// The same without protection.
    pub raw: Vec<Cell>,
    /// How many of its parts have numbers.
    pub reported: usize,
    /// Places of the sources.
    pub sources: BTreeSet<i16>,
    /// The reports.
    pub behind: Behind,
    /// Residents of the parts that have numbers.
    pub residents: Together,
}

impl Open {
    /// An area of which nothing was read yet.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self {
            code: code.to_owned(),
            ..Self::default()
        }
    }

    /// The area says something of itself.
    pub fn says(&mut self, said: &mut Said) {
        self.own.append(&mut said.cells);
        self.hears(
            &[said.source_no].into(),
            Behind::One(said.source, said.report),
        );
    }

    /// Notes who is behind a part.
    pub fn hears(&mut self, sources: &BTreeSet<i16>, behind: Behind) {
        self.sources.extend(sources);
        self.behind.add(behind);
    }

    /// Adds the cells of a part.
    pub fn takes(&mut self, protected: &[Cell], raw: &[Cell]) {
        self.protected.extend_from_slice(protected);
        self.raw.extend_from_slice(raw);
        if self.raw.len() > MERGED_AT {
            self.protected = merged(self.protected.drain(..));
            self.raw = merged(self.raw.drain(..));
        }
    }

    /// The own figure of an area holds all of it: that a part is missing says nothing of it.
    pub fn forget_missing_parts(&mut self) {
        self.protected.retain(|cell| cell.value.is_some());
        self.raw.retain(|cell| cell.value.is_some());
    }
}

/// Whether any of the cells has a value.
#[must_use]
pub fn has_numbers(cells: &[Cell]) -> bool {
    cells.iter().any(|cell| cell.value.is_some())
}

/// What was left out, in Swedish and English.
#[must_use]
pub fn left_out(dropped: &Dropped) -> (String, String) {
    let n = dropped.cells;
    match dropped.why {
        Why::CrossingAges => (
            format!("{n} tal utelämnas: deras åldersspann korsar andra."),
            format!("{n} numbers are left out: their age bands cross others."),
        ),
        Why::CrossingBreakdown => (
            format!(
                "{n} tal utelämnas: två korsande indelningar av samma summa skulle röja små grupper."
            ),
            format!(
                "{n} numbers are left out: two crossing breakdowns of one total would give small groups away."
            ),
        ),
        Why::NotAdditive => (
            format!(
                "{n} tal utelämnas: personer summeras inte över ämnen och verksamhetsformer, och summan finns."
            ),
            format!(
                "{n} numbers are left out: persons are not summed over subjects and forms, and the total is there."
            ),
        ),
        Why::OtherScheme => (
            format!("{n} tal utelämnas: bara en områdesindelning av en kommun publiceras."),
            format!(
                "{n} numbers are left out: of a municipality one scheme of districts is published."
            ),
        ),
        Why::CrossesParts => (
            format!("{n} tal utelämnas: områdets egen indelning korsar delarnas."),
            format!(
                "{n} numbers are left out: the area's own breakdown crosses that of its parts."
            ),
        ),
        Why::Outnumbered => (
            format!("{n} tal av stadsdelar utelämnas: kommunens egen indelning är rikare."),
            format!(
                "{n} numbers of districts are left out: the municipality's own breakdown is richer."
            ),
        ),
        Why::PartsExceedTotal { total, parts, .. } => (
            format!("Delarna är tillsammans {parts}, men summan sägs vara {total}."),
            format!("The parts are {parts} together, but the total is said to be {total}."),
        ),
    }
}
