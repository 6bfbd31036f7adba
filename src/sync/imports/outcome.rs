//! What became of a row, and why.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::codes::RowOutcome;
use crate::db::WriteError;
use crate::formats::read::{Members, ReadFault};
use crate::http::lang::Lang;
use crate::problem::{Fault, Problem, ProblemKind, Text};
use crate::values::without_personal_numbers;

/// A sentence in both languages: a file is often sent by one person and mended by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportMessage)]
pub struct Said {
    /// Swedish.
    #[schema(example = "Området finns inte eller är borttaget.")]
    pub sv: String,
    /// English.
    #[schema(example = "The area does not exist or is deleted.")]
    pub en: String,
}

impl From<&Text> for Said {
    fn from(text: &Text) -> Self {
        Self {
            sv: text.get(Lang::Sv).to_owned(),
            en: text.get(Lang::En).to_owned(),
        }
    }
}

/// One thing that is wrong with a row, or was read otherwise than it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportRowError)]
pub struct RowError {
    /// Stable code of the rule.
    #[schema(example = "partner_area_exists")]
    pub code: String,
    /// JSON pointer (RFC 6901) into the row as JSON.
    #[schema(example = "/area")]
    pub pointer: Option<String>,
    /// The column of the spreadsheet, as it letters them; null for JSON, and where no single column is at fault.
    #[schema(example = "C")]
    pub column: Option<String>,
    /// The heading of that column, as it was written.
    #[schema(example = "Område")]
    pub heading: Option<String>,
    /// The value as it was written, as text; JSON if it is no text. Personal identity numbers are taken out.
    #[schema(example = "1899")]
    pub value: Option<String>,
    /// The rule, for people.
    pub message: Said,
}

impl RowError {
    /// A fault at a pointer of the row; `value` is what stands there.
    #[must_use]
    pub fn of(fault: &Fault, row: Option<&Members>) -> Self {
        let pointer = fault.pointer().map(str::to_owned);
        let value = pointer
            .as_deref()
            .and_then(|pointer| Some(written(row?.pointer(pointer)?)));
        Self {
            code: fault.code().to_owned(),
            pointer,
            column: None,
            heading: None,
            value,
            message: Said::from(fault.detail()),
        }
        .without_persons()
    }

    /// Without the personal identity numbers that its texts repeat from the row.
    #[must_use]
    pub fn without_persons(self) -> Self {
        let clean = |text: String| without_personal_numbers(&text).into_owned();
        Self {
            pointer: self.pointer.map(clean),
            value: self.value.map(clean),
            message: Said {
                sv: clean(self.message.sv),
                en: clean(self.message.en),
            },
            ..self
        }
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Why a file was refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportFault)]
pub struct FileFault {
    /// Stable code of the rule.
    #[schema(example = "unknown_column")]
    pub code: String,
    /// The line of the spreadsheet, or the number of the JSON row, where that is seen.
    #[schema(example = 1)]
    pub line: Option<i64>,
    /// The column, as the spreadsheet letters it, or the member.
    #[schema(example = "C")]
    pub column: Option<String>,
    /// The rule, for people.
    pub message: Said,
}

impl From<&ReadFault> for FileFault {
    fn from(fault: &ReadFault) -> Self {
        Self {
            code: fault.code.to_owned(),
            line: fault.row.map(i64::from),
            column: fault.column.clone(),
            message: Said::from(&fault.text),
        }
    }
}

impl From<&Fault> for FileFault {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code().to_owned(),
            line: None,
            column: None,
            message: Said::from(fault.detail()),
        }
    }
}

/// How many rows have which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[schema(as = ImportCounts)]
pub struct Counts {
    /// Rows made.
    #[schema(example = 12)]
    pub created: i64,
    /// Rows changed.
    #[schema(example = 3)]
    pub updated: i64,
    /// Rows that say what was there already.
    #[schema(example = 285)]
    pub unchanged: i64,
    /// Rows deleted.
    #[schema(example = 0)]
    pub deleted: i64,
    /// Rows that something else is there for than they expect.
    #[schema(example = 0)]
    pub conflict: i64,
    /// Rows that break a rule.
    #[schema(example = 0)]
    pub invalid: i64,
    /// Rows outside the areas of the client.
    #[schema(example = 0)]
    pub forbidden: i64,
    /// Rows that were deleted before.
    #[schema(example = 0)]
    pub gone: i64,
    /// Good rows that were not written, because the import was refused as a whole.
    #[schema(example = 0)]
    pub not_written: i64,
    /// Rows of which something was read otherwise than it was written, as their `notes` tell; whatever became of them.
    #[schema(example = 0)]
    pub noted: i64,
}

impl Counts {
    /// Of these rows.
    #[must_use]
    pub fn of(rows: &[RowResult]) -> Self {
        let mut counts = Self::default();
        counts.add(rows);
        counts
    }

    /// Adds these rows.
    pub fn add(&mut self, rows: &[RowResult]) {
        for row in rows {
            *self.place(row.outcome) += 1;
            self.noted += i64::from(!row.notes.is_empty());
        }
    }

    fn place(&mut self, outcome: RowOutcome) -> &mut i64 {
        match outcome {
            RowOutcome::Created => &mut self.created,
            RowOutcome::Updated => &mut self.updated,
            RowOutcome::Unchanged => &mut self.unchanged,
            RowOutcome::Deleted => &mut self.deleted,
            RowOutcome::Conflict => &mut self.conflict,
            RowOutcome::Invalid => &mut self.invalid,
            RowOutcome::Forbidden => &mut self.forbidden,
            RowOutcome::Gone => &mut self.gone,
            RowOutcome::NotWritten => &mut self.not_written,
        }
    }

    /// How many rows were refused.
    #[must_use]
    pub fn refused(&self) -> i64 {
        self.conflict + self.invalid + self.forbidden + self.gone
    }

    /// The same, once nothing of it was written.
    #[must_use]
    pub fn unwritten(&self) -> Self {
        Self {
            conflict: self.conflict,
            invalid: self.invalid,
            forbidden: self.forbidden,
            gone: self.gone,
            not_written: self.not_written + self.created + self.updated + self.unchanged,
            noted: self.noted,
            ..Self::default()
        }
    }
}

/// A row and what became of it.
#[derive(Clone, Debug)]
pub struct RowResult {
    /// Where it stands in the file, from 0; rows that `replace` deletes come after all of them.
    pub position: i64,
    /// The line of the spreadsheet, or the number of the JSON row; none for a row that is not in the file.
    pub line: Option<i64>,
    /// What became of it.
    pub outcome: RowOutcome,
    /// Its key; of an observation, the id of its report.
    pub entity: Option<String>,
    /// Its version as it is now.
    pub version: Option<i64>,
    /// What is wrong with it.
    pub errors: Vec<RowError>,
    /// What was read otherwise than it was written.
    pub notes: Vec<RowError>,
    /// On conflict: what is there now.
    pub existing: Option<Value>,
    /// Of a refused row: the row as it came.
    pub given: Option<Value>,
}

impl RowResult {
    /// The same, once it turned out that nothing was written. A row that `replace` would have deleted is none of the file.
    #[must_use]
    pub fn unwritten(mut self) -> Option<Self> {
        if self.outcome.is_refusal() {
            return Some(self);
        }
        self.line?;
        if self.outcome == RowOutcome::Created {
            self.entity = None;
        }
        self.outcome = RowOutcome::NotWritten;
        self.version = None;
        Some(self)
    }

    /// The same after a dry run: a row that was made has no id and no version any more.
    #[must_use]
    pub fn tried(mut self) -> Self {
        if matches!(self.outcome, RowOutcome::Created | RowOutcome::Updated) {
            self.version = None;
        }
        if self.outcome == RowOutcome::Created {
            self.entity = None;
        }
        self
    }
}

/// What a problem means for the row that it befell; none for one that befell the service.
fn outcome_of(problem: &Problem) -> Option<RowOutcome> {
    use ProblemKind as K;
    Some(match problem.kind() {
        K::ValidationFailed | K::MalformedRequest | K::NotFound => RowOutcome::Invalid,
        K::Conflict | K::PreconditionFailed => RowOutcome::Conflict,
        K::AreaNotPermitted | K::InsufficientPermission => RowOutcome::Forbidden,
        K::Gone => RowOutcome::Gone,
        _ => return None,
    })
}

/// Why one row was refused.
#[derive(Debug)]
pub struct Refusal {
    /// What that makes of the row.
    pub outcome: RowOutcome,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What is there now.
    pub existing: Option<Value>,
}

impl Refusal {
    /// The refusal of a row, if the error is one of the row and not of the transaction.
    ///
    /// # Errors
    /// The error itself, which ends the transaction.
    pub fn of(error: WriteError) -> Result<Self, WriteError> {
        let problem = match error {
            WriteError::Refused(problem) => problem,
            WriteError::Query(error) if names_a_rule(&error) => Problem::from(error),
            WriteError::Query(error) => return Err(WriteError::Query(error)),
        };
        let Some(outcome) = outcome_of(&problem) else {
            return Err(problem.into());
        };
        let mut faults = problem.told().to_vec();
        if faults.is_empty() {
            faults.push(Fault::at("", problem.kind().slug(), problem.sentences()));
        }
        Ok(Self {
            outcome,
            faults,
            existing: problem.is_there().cloned(),
        })
    }
}

fn names_a_rule(error: &diesel::result::Error) -> bool {
    match error {
        diesel::result::Error::DatabaseError(_, info) => info.constraint_name().is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::text;

    fn row(outcome: RowOutcome, line: Option<i64>) -> RowResult {
        RowResult {
            position: 0,
            line,
            outcome,
            entity: Some("a".to_owned()),
            version: Some(1),
            errors: Vec::new(),
            notes: Vec::new(),
            existing: None,
            given: None,
        }
    }

    #[test]
    fn nothing_is_counted_as_written_that_was_taken_back() {
        let rows = [
            row(RowOutcome::Created, Some(2)),
            row(RowOutcome::Unchanged, Some(3)),
            row(RowOutcome::Invalid, Some(4)),
            row(RowOutcome::Deleted, None),
        ];
        let counts = Counts::of(&rows);
        assert_eq!((counts.created, counts.refused()), (1, 1));
        let unwritten: Vec<_> = rows.into_iter().filter_map(RowResult::unwritten).collect();
        assert_eq!(Counts::of(&unwritten), counts.unwritten());
        let made = unwritten.first().unwrap();
        assert_eq!((&made.entity, made.version), (&None, None));
    }

    #[test]
    fn a_problem_of_the_service_is_no_outcome_of_a_row() {
        assert!(Refusal::of(Problem::internal("broken").into()).is_err());
        assert!(Refusal::of(Problem::unavailable("away").into()).is_err());
        assert!(Refusal::of(diesel::result::Error::NotFound.into()).is_err());
        let fault = Fault::at("/area", "area_code_format", text("Fel.", "Wrong."));
        let refusal = Refusal::of(Problem::invalid(fault).into()).unwrap();
        assert_eq!(refusal.outcome, RowOutcome::Invalid);
        let mut row = Members::default();
        row.push("area", "x".into());
        let error = RowError::of(refusal.faults.first().unwrap(), Some(&row));
        assert_eq!(error.value.as_deref(), Some("x"));
        assert_eq!(error.message.en, "Wrong.");
    }
}
