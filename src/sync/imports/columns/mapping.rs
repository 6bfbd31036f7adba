//! From the headings of a file to members, and back from a JSON pointer to a cell.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::cells::{self, Around, Said};
use super::measures::Measures;
use super::{Column, Empty, Kind, REPORT_MEMBERS, Use, columns, folded, headings};
use crate::formats::read::{Cell, Heading, Members, ReadFault, Record};
use crate::problem::{Text, text};
use crate::sync::imports::types::ImportType;

/// How much of a row a file must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// All that a new row needs. A file with ids is about rows that are there, so its columns need not be all.
    Whole,
    /// Some of it; but what a row must have is not emptied.
    Part,
    /// What tells the row, for a deletion.
    Key,
}

/// A cell that cannot be used, or was read otherwise than written.
#[derive(Clone, Debug)]
pub struct CellFault {
    /// Where its value would stand in the JSON of the row.
    pub pointer: String,
    /// The letter of its column; none in an object.
    pub column: Option<String>,
    /// The heading of its column, or the name of the member.
    pub heading: String,
    /// Stable code of the rule.
    pub code: &'static str,
    /// The rule, for people.
    pub text: Text,
    /// What stands in the cell.
    pub value: String,
}

/// A row as JSON.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The members that the file speaks of, in the shape of the resource's `In`; and `id`, `version` and `deletedAt` where
    /// they are given.
    pub members: Members,
    /// What was read otherwise than written, such as `114` as `0114`.
    pub notes: Vec<CellFault>,
}

/// A row of which cells cannot be used.
#[derive(Clone, Debug)]
pub struct Unmapped {
    /// Every such cell.
    pub faults: Vec<CellFault>,
    /// Of an observation: the members that could be read, if all that is said of its report is among them.
    pub rest: Option<Members>,
}

/// Which heading stands for which column.
#[derive(Debug)]
pub struct Mapping {
    resource: ImportType,
    demand: Demand,
    bound: Vec<Bound>,
    measures: Arc<Measures>,
}

#[derive(Debug)]
struct Bound {
    /// The place in the row's cells.
    place: usize,
    heading: Heading,
    column: &'static Column,
}

impl Mapping {
    /// Finds the columns of the headings.
    ///
    /// # Errors
    /// Every heading that is unknown or stands there twice, and every column that is needed and missing.
    pub fn new(
        resource: ImportType,
        headings: &[Heading],
        demand: Demand,
    ) -> Result<Self, Vec<ReadFault>> {
        let mut faults = Vec::new();
        let mut bound: Vec<Bound> = Vec::new();
        for (place, heading) in headings.iter().enumerate() {
            if heading.text.starts_with('_') {
                continue;
            }
            match find(resource, &heading.text) {
                None => faults.push(unknown(resource, heading)),
                Some(column) => {
                    let first = bound
                        .iter()
                        .find(|known| known.column.field == column.field);
                    if let Some(first) = first {
                        faults.push(doubled(&first.heading, heading));
                        continue;
                    }
                    bound.push(Bound {
                        place,
                        heading: heading.clone(),
                        column,
                    });
                }
            }
        }
        // References come after what they depend on, words after what they say in words.
        bound.sort_by_key(|bound| {
            (
                matches!(bound.column.kind, Kind::Reference(_)),
                matches!(bound.column.role, Use::InsteadOf(_)),
            )
        });
        let mapping = Self {
            resource,
            demand,
            bound,
            measures: Arc::default(),
        };
        faults.extend(mapping.missing());
        if faults.is_empty() {
            Ok(mapping)
        } else {
            Err(faults)
        }
    }

    /// The same, for a file whose rows may name these measures.
    #[must_use]
    pub fn knowing(self, measures: Arc<Measures>) -> Self {
        Self { measures, ..self }
    }

    /// The row as JSON.
    ///
    /// # Errors
    /// Every cell that cannot be used.
    pub fn object(&self, record: &Record) -> Result<Mapped, Unmapped> {
        let mut row = Row::of(self.bound.len(), &self.measures);
        for bound in &self.bound {
            let cell = record.cells.get(bound.place).unwrap_or(&Cell::Empty);
            row.take(bound.column, cell, |said, value| bound.fault(said, value));
        }
        for bound in &self.bound {
            if !self.is_missing(bound.column, &row) || row.faulty.contains(&bound.column.field) {
                continue;
            }
            row.faulty.push(bound.column.field);
            row.faults.push(bound.fault(
                (
                    "cell_empty",
                    text("Cellen måste fyllas i.", "The cell must be filled in."),
                ),
                String::new(),
            ));
        }
        row.done(self.resource)
    }

    /// The heading of the column that a pointer into the JSON of the row speaks of.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Option<&Heading> {
        let length = |bound: &&Bound| {
            let own = bound.column.pointer();
            let rest = pointer.strip_prefix(&own)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(own.len())
        };
        let written = || self.bound.iter().filter(|bound| bound.column.is_written());
        let named = |bound: &&Bound| matches!(bound.column.role, Use::InsteadOf(_));
        let whole = written()
            .filter(|bound| length(bound).is_some())
            .max_by_key(|bound| (length(bound), !named(bound)));
        let part = || {
            let inside = format!("{pointer}/");
            written().find(|bound| bound.column.pointer().starts_with(&inside))
        };
        whole.or_else(part).map(|bound| &bound.heading)
    }

    fn binds(&self, field: &str) -> bool {
        self.bound.iter().any(|bound| bound.column.field == field)
    }

    /// The needed columns that no heading stands for.
    fn missing(&self) -> Vec<ReadFault> {
        if self.demand == Demand::Key {
            return Vec::new();
        }
        let partly = self.demand == Demand::Part || self.binds("id");
        let needed = columns(self.resource).iter().filter(|column| {
            column.is_required() && (!partly || column.field == "code") && !self.speaks_of(column)
        });
        needed
            .filter(|column| !(self.binds("report") && of_report(self.resource, column.field)))
            .map(|column| ReadFault {
                code: "missing_column",
                row: None,
                column: None,
                text: text(
                    format!("Kolumnen {} saknas.", column.sv),
                    format!("The column {} is missing.", column.en),
                ),
            })
            .collect()
    }

    /// Whether a heading stands for the column, or says the same in words.
    fn speaks_of(&self, column: &Column) -> bool {
        self.binds(column.field)
            || self
                .bound
                .iter()
                .any(|bound| bound.column.role == Use::InsteadOf(column.field))
    }

    /// Whether a cell that must not be empty is.
    fn is_missing(&self, column: &Column, row: &Row<'_>) -> bool {
        self.demand != Demand::Key
            && column.is_required()
            && !row.filled.contains(&column.field)
            && !(row.filled.contains(&"report") && of_report(self.resource, column.field))
    }
}

impl Bound {
    fn fault(&self, (code, text): Said, value: String) -> CellFault {
        CellFault {
            pointer: self.column.pointer(),
            column: Some(self.heading.letter()),
            heading: self.heading.text.clone(),
            code,
            text,
            value,
        }
    }
}

fn of_report(resource: ImportType, field: &str) -> bool {
    resource == ImportType::Observations && REPORT_MEMBERS.contains(&field)
}

/// A row on its way to JSON.
pub(super) struct Row<'a> {
    members: Members,
    /// Whether one of them may yet be replaced: by what says the same in words, or by the whole of which there is a part.
    provisional: bool,
    /// The measures that there are.
    measures: &'a Measures,
    /// Fields with a value, whichever column said it.
    filled: Vec<&'static str>,
    /// Fields whose cell could not be used: that is said already.
    faulty: Vec<&'static str>,
    faults: Vec<CellFault>,
    notes: Vec<CellFault>,
}

impl<'a> Row<'a> {
    /// With room for so many members, and for the kind of a period that tells it itself.
    fn of(members: usize, measures: &'a Measures) -> Self {
        Self {
            filled: Vec::with_capacity(members),
            ..Self::having(Members::with_capacity(members + 1), measures)
        }
    }

    /// Of members that are as they should be.
    pub(super) const fn having(members: Members, measures: &'a Measures) -> Self {
        Self {
            members,
            provisional: false,
            measures,
            filled: Vec::new(),
            faulty: Vec::new(),
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes in one cell.
    pub(super) fn take(
        &mut self,
        column: &Column,
        cell: &Cell,
        fault: impl Fn(Said, String) -> CellFault,
    ) {
        let field = match column.role {
            Use::ReadOnly => return,
            Use::InsteadOf(field)
                if self.filled.contains(&field) || self.faulty.contains(&field) =>
            {
                return;
            }
            Use::InsteadOf(field) => field,
            Use::Content | Use::Key => column.field,
        };
        if cell.is_empty() {
            match column.empty {
                Empty::Refused | Empty::Silent => {}
                Empty::None => self.put_empty(field, Value::Null),
                Empty::EmptyList => self.put_empty(field, Value::Array(Vec::new())),
            }
            return;
        }
        let around = Around {
            members: &self.members,
            measures: self.measures,
        };
        match cells::value(column, cell, &around) {
            Ok((value, said)) => {
                self.notes
                    .extend(said.map(|said| fault(said, cell.written().into_owned())));
                self.put(field, value);
                self.filled.push(field);
            }
            Err(said) => {
                self.faults.push(fault(said, cell.written().into_owned()));
                self.faulty.push(field);
            }
        }
    }

    /// Whether it has such a member, whatever that says.
    pub(super) fn has(&self, field: &str) -> bool {
        self.members.contains(field)
    }

    pub(super) fn done(mut self, resource: ImportType) -> Result<Mapped, Unmapped> {
        let observation = resource == ImportType::Observations;
        if observation {
            cells::complete(&mut self.members);
        }
        if !self.faults.is_empty() {
            let told = observation && !self.faulty.iter().any(|field| of_report(resource, field));
            return Err(Unmapped {
                faults: self.faults,
                rest: told.then_some(self.members),
            });
        }
        Ok(Mapped {
            members: self.members,
            notes: self.notes,
        })
    }

    fn put(&mut self, field: &'static str, value: Value) {
        let Some((whole, part)) = field.split_once('.') else {
            return if self.provisional {
                self.members.insert(field, value);
            } else {
                self.members.push(field, value);
            };
        };
        self.provisional = true;
        // The whole object in its own column counts before its parts.
        if self.filled.contains(&whole) {
            return;
        }
        self.members.change(whole, |object| {
            if !object.is_object() {
                *object = Value::Object(Map::new());
            }
            if let Value::Object(members) = object {
                members.insert(part.to_owned(), value);
            }
        });
    }

    fn put_empty(&mut self, field: &'static str, value: Value) {
        self.provisional = true;
        match field.split_once('.') {
            // Its parts may have been there before.
            None => self.members.insert_new(field, value),
            // An object of which every part is empty is none; one with a part has only that.
            Some((whole, _)) => self.members.insert_new(whole, Value::Null),
        }
    }
}

/// The column of a heading.
fn find(resource: ImportType, heading: &str) -> Option<&'static Column> {
    let wanted = folded(heading);
    let named = |name: fn(&Column) -> &'static str| {
        columns(resource)
            .iter()
            .find(|column| folded(name(column)) == wanted)
    };
    named(|column| column.field)
        .or_else(|| named(|column| column.sv))
        .or_else(|| named(|column| column.en))
}

fn unknown(resource: ImportType, heading: &Heading) -> ReadFault {
    let all = columns(resource);
    let written = &heading.text;
    let (sv, en) = if let Some(meant) = headings::meant(resource, written) {
        (
            format!("Menade du {}?", meant.sv),
            format!("Did you mean {}?", meant.en),
        )
    } else {
        let list = |name: fn(&Column) -> &'static str| {
            let writable = all.iter().filter(|column| column.is_written());
            writable.map(name).collect::<Vec<_>>().join(", ")
        };
        (
            format!("Kända: {}.", list(|column| column.sv)),
            format!("Known: {}.", list(|column| column.en)),
        )
    };
    let letter = heading.letter();
    ReadFault {
        code: "unknown_column",
        row: None,
        text: text(
            format!(
                "Kolumn {letter} har en okänd rubrik: {written}. {sv} Egna kolumner som inte ska läsas in (dolda också) får en rubrik som börjar med _."
            ),
            format!(
                "Column {letter} has an unknown heading: {written}. {en} Columns of your own that are not to be read (hidden ones too) have a heading that begins with _."
            ),
        ),
        column: Some(letter),
    }
}

fn doubled(first: &Heading, second: &Heading) -> ReadFault {
    let (first, letter) = (first.letter(), second.letter());
    ReadFault {
        code: "duplicate_column",
        row: None,
        text: text(
            format!(
                "Kolumnerna {first} och {letter} är samma kolumn: {}.",
                second.text
            ),
            format!(
                "The columns {first} and {letter} are the same column: {}.",
                second.text
            ),
        ),
        column: Some(letter),
    }
}
