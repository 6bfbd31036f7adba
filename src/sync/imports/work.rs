//! An import at work: what is to be done, what was seen of it, and what its rows are told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};

use tokio::sync::oneshot;

use super::codes::RowOutcome;
use super::observations::Looked;
use super::outcome::{Refusal, RowResult};
use super::payload::{Given, Places, Survey};
use super::plan::Plan;
use crate::access::Reach;
use crate::clock::Clock;
use crate::formats::read::Members;
use crate::http::resource::View;
use crate::problem::{Fault, text};

/// An import at work.
pub struct Work<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// Where the client may write.
    pub reach: Reach,
    /// How rows are shown to it.
    pub view: View,
    /// Where members stand in the file.
    pub places: Places,
    /// What was seen in the file.
    pub survey: &'a Survey,
    /// The rows that were written to, by key, with the position in the file that did.
    pub touched: RefCell<HashMap<String, i64>>,
    /// The areas that the rows speak for.
    pub homes: RefCell<BTreeSet<String>>,
    /// What observations refer to.
    pub looked: RefCell<Looked>,
    /// Who waits for the reports of a part to be locked.
    pub locked: Cell<Option<oneshot::Sender<()>>>,
}

impl<'a> Work<'a> {
    /// With nothing done yet.
    #[must_use]
    pub fn new(clock: &Clock, plan: &'a Plan, survey: &'a Survey) -> Self {
        let reach = Reach::of(plan.areas.iter().cloned());
        Self {
            view: View {
                reach: reach.clone(),
                include: BTreeSet::new(),
                contacts: false,
                now: clock.now(),
                valid_on: None,
            },
            places: Places::of(plan, survey.head.as_ref()),
            reach,
            plan,
            survey,
            touched: RefCell::default(),
            homes: RefCell::default(),
            looked: RefCell::default(),
            locked: Cell::default(),
        }
    }
}

impl Work<'_> {
    /// A row that was not refused.
    #[must_use]
    pub fn done(
        &self,
        given: &Given,
        outcome: RowOutcome,
        entity: Option<String>,
        version: Option<i64>,
    ) -> RowResult {
        RowResult {
            position: given.position,
            line: Some(given.line),
            outcome,
            entity,
            version,
            errors: Vec::new(),
            notes: given.notes.clone(),
            existing: None,
            given: None,
        }
    }

    /// A row that was refused.
    #[must_use]
    pub fn refused(&self, given: &Given, refusal: Refusal) -> RowResult {
        let members = given.members.as_ref().ok();
        let errors = refusal
            .faults
            .iter()
            .map(|fault| self.places.error(fault, members))
            .collect();
        RowResult {
            errors,
            existing: refusal.existing,
            given: Some(given.kept()),
            ..self.done(given, refusal.outcome, None, None)
        }
    }

    /// The members of a row, unless it is refused before anything of it is looked up.
    ///
    /// # Errors
    /// The refused row.
    pub fn members<'g>(&self, given: &'g Given) -> Result<&'g Members, Box<RowResult>> {
        let members = given.members.as_ref().map_err(|errors| {
            Box::new(RowResult {
                errors: errors.clone(),
                given: Some(given.kept()),
                ..self.done(given, RowOutcome::Invalid, None, None)
            })
        })?;
        match self.survey.doubled.get(&given.position) {
            None => Ok(members),
            Some(lines) => Err(self.refused(given, invalid(doubled(lines))).into()),
        }
    }
}

/// A row that breaks a rule.
#[must_use]
pub fn invalid(fault: Fault) -> Refusal {
    Refusal {
        outcome: RowOutcome::Invalid,
        faults: vec![fault],
        existing: None,
    }
}

fn doubled(lines: &[i64]) -> Fault {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let lines = lines.join(", ");
    Fault::at(
        "",
        "row_doubled",
        text(
            format!("Samma rad står flera gånger i filen: rad {lines}."),
            format!("The same row stands in the file more than once: lines {lines}."),
        ),
    )
}
