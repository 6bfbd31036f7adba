//! The rows of a file, and what is seen when it is looked through as a whole.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::{CellFault, Mapped, Mapping, Measures, Unmapped, of_object};
use super::kinds::name_of;
use super::observations::{self, Observed, name_of_observation};
use super::outcome::{RowError, Said};
use super::plan::Plan;
use super::spool::Spooled;
use super::types::ImportType;
use crate::by_type;
use crate::formats::read::{
    self, Cell, Heading, Incoming, Members, Objects, ReadFault, Records, written,
};
use crate::problem::{ApiResult, Fault};
use crate::values::without_personal_numbers;

/// The most rows that are answered at once.
pub const AT_ONCE: i64 = 1_000;

/// A file and what it is to be read as.
#[derive(Clone, Debug)]
pub struct File {
    /// Its bytes.
    pub spooled: Arc<Spooled>,
    /// What is to be done with it.
    pub plan: Arc<Plan>,
    /// Whether nothing speaks against it as a whole: it was looked through before.
    pub looked_through: bool,
    /// The measures that its rows may name.
    pub measures: Arc<Measures>,
}

/// What stands above the rows of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The headings.
    pub headings: Vec<Heading>,
    /// What separates the fields, in CSV.
    pub separator: Option<u8>,
}

/// What was seen when a file was looked through.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// How many rows it has.
    pub total: i64,
    /// What stands above them, if it is a table.
    pub head: Option<Head>,
    /// Rows that are written twice: by their position, the lines of those that say they are the same row, ten at the most.
    pub doubled: HashMap<i64, Arc<[i64]>>,
}

/// What was seen in a file, or everything that speaks against it as a whole.
pub type Surveyed = Result<Survey, Vec<ReadFault>>;

/// What came as a row.
#[derive(Clone, Debug)]
pub enum Came {
    /// The cells of a table.
    Cells(Vec<Cell>),
    /// A line of JSON: of most rows nobody asks for it, and a line is kept and thrown away sooner than a tree.
    Line(Box<[u8]>),
    /// An object of a file that is held as a whole, as JSON.
    Object(String),
}

/// A row as it came, and as JSON.
#[derive(Debug)]
pub struct Given {
    /// Where it stands in the file, from 0.
    pub position: i64,
    /// The line of the spreadsheet, or the number of the JSON row.
    pub line: i64,
    /// The members that it speaks of.
    pub members: Result<Members, Vec<RowError>>,
    /// What was read otherwise than it was written.
    pub notes: Vec<RowError>,
    /// Of an observation: the row taken apart, or what speaks against what it says of its report. That is work for the
    /// thread that reads. Of a row with bad cells only the report is to be trusted, and none if they speak of that.
    pub observed: Option<ApiResult<Box<Observed>>>,
    /// As it came; none if it is only looked through.
    pub came: Option<Came>,
}

impl Given {
    /// Of an observation: the row taken apart, if what it says of its report could be read.
    #[must_use]
    pub fn apart(&self) -> Option<&Observed> {
        self.observed.as_ref()?.as_deref().ok()
    }

    /// The row as it came, to be kept; but no personal identity number, whatever the row was refused for.
    #[must_use]
    pub fn kept(&self) -> Value {
        let mut kept = match &self.came {
            Some(Came::Cells(cells)) => serde_json::to_value(cells).unwrap_or(Value::Null),
            Some(Came::Line(line)) => written(line),
            Some(Came::Object(json)) => serde_json::from_str(json).unwrap_or(Value::Null),
            None => Value::Null,
        };
        redact(&mut kept);
        kept
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(without) = without_personal_numbers(text) {
                *text = without;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::Object(members) => {
            let named = std::mem::take(members).into_iter();
            *members = named
                .map(|(name, mut value)| {
                    redact(&mut value);
                    (without_personal_numbers(&name).into_owned(), value)
                })
                .collect();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The rows of an open file.
pub(super) struct Rows {
    resource: ImportType,
    /// Whether rows are kept as they came.
    keeps: bool,
    /// What takes observations apart, if they are.
    apart: Option<observations::Reader>,
    position: i64,
    incoming: From,
}

enum From {
    Table(Mapping, Records),
    Objects(Objects),
}

impl Rows {
    /// `head` is what stands above the rows, if that is known from an earlier reading. Rows that are to be written are kept
    /// as they came, and taken apart.
    pub(super) fn open(
        file: &File,
        head: Option<&Head>,
        to_be_written: bool,
    ) -> Result<(Self, Option<Head>), Vec<ReadFault>> {
        let plan = &file.plan;
        let (kind, source) = (plan.format.kind(), file.spooled.source());
        let sheets = plan.resource.sheet_names();
        let incoming = if file.looked_through {
            let headings = head.map(|head| head.headings.as_slice());
            read::reopen(kind, &source, &sheets, headings, to_be_written)
        } else {
            read::open(kind, &source, &sheets)
        };
        let (rows, head) = match incoming.map_err(|fault| vec![fault])? {
            Incoming::Table {
                headings,
                separator,
                records,
            } => {
                let mapping = Mapping::new(plan.resource, &headings, plan.demand());
                let (mapping, records) = told_first(mapping, records)?;
                let mapping = mapping.knowing(Arc::clone(&file.measures));
                let head = Head {
                    headings,
                    separator,
                };
                (From::Table(mapping, records), Some(head))
            }
            Incoming::Objects(objects) => (From::Objects(objects), None),
        };
        let rows = Self {
            resource: plan.resource,
            keeps: to_be_written,
            apart: (to_be_written && plan.resource == ImportType::Observations)
                .then(|| observations::Reader::new(plan.strategy)),
            position: 0,
            incoming: rows,
        };
        Ok((rows, head))
    }

    fn observed(&mut self, row: &Result<Mapped, Unmapped>) -> Option<ApiResult<Box<Observed>>> {
        let members = match row {
            Ok(mapped) => Some(&mapped.members),
            Err(unmapped) => unmapped.rest.as_ref(),
        };
        Some(self.apart.as_mut()?.read(members?).map(Box::new))
    }
}

fn came(members: &Result<Members, Value>, line: Option<Box<[u8]>>) -> Came {
    line.map_or_else(
        || {
            let json = match members {
                Ok(members) => serde_json::to_string(members),
                Err(value) => serde_json::to_string(value),
            };
            Came::Object(json.unwrap_or_default())
        },
        Came::Line,
    )
}

/// The table, unless something speaks against its headings. What speaks against the file as a whole is told before that, if
/// there is anything: its headings may only look wrong for it.
fn told_first(
    mapping: Result<Mapping, Vec<ReadFault>>,
    mut records: Records,
) -> Result<(Mapping, Records), Vec<ReadFault>> {
    match mapping {
        Ok(mapping) => Ok((mapping, records)),
        Err(faults) => {
            let of_file = records.find_map(Result::err);
            Err(of_file.map_or(faults, |fault| vec![fault]))
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Given, ReadFault>;

    fn next(&mut self) -> Option<Self::Item> {
        let position = self.position;
        self.position += 1;
        let (line, row, came) = match &mut self.incoming {
            From::Table(mapping, records) => match records.next()? {
                Err(fault) => return Some(Err(fault)),
                Ok(record) => {
                    let row = mapping.object(&record);
                    let came = self.keeps.then_some(Came::Cells(record.cells));
                    (record.number, row, came)
                }
            },
            From::Objects(objects) => match objects.next()? {
                Err(fault) => return Some(Err(fault)),
                Ok(object) => {
                    let came = self.keeps.then(|| came(&object.members, object.line));
                    let row = of_object(self.resource, object.members);
                    (object.number, row, came)
                }
            },
        };
        let observed = self.observed(&row);
        let told = |faults: Vec<CellFault>| faults.into_iter().map(error_of_cell).collect();
        let (members, notes) = match row {
            Ok(mapped) => (Ok(mapped.members), told(mapped.notes)),
            Err(unmapped) => (Err(told(unmapped.faults)), Vec::new()),
        };
        Some(Ok(Given {
            position,
            line: i64::from(line),
            observed,
            members,
            notes,
            came,
        }))
    }
}

fn error_of_cell(fault: CellFault) -> RowError {
    RowError {
        code: fault.code.to_owned(),
        pointer: Some(fault.pointer),
        heading: fault.column.is_some().then_some(fault.heading),
        column: fault.column,
        value: Some(fault.value),
        message: Said::from(&fault.text),
    }
    .without_persons()
}

/// Looks through a file: what speaks against it as a whole, how many rows it has, and which are written twice. It takes
/// the processor for a while.
///
/// # Errors
/// Everything that speaks against it as a whole.
pub fn survey(file: &File) -> Surveyed {
    let (rows, head) = Rows::open(file, None, false)?;
    let mut survey = Survey {
        head,
        ..Survey::default()
    };
    // A name is long and a file may have a million: what is kept of each is eight bytes of its hash.
    let mut seen: Vec<u64> = Vec::new();
    let hashes = RandomState::new();
    for given in rows {
        let given = given.map_err(|fault| vec![fault])?;
        survey.total += 1;
        seen.extend(name_in(&file.plan, &given).map(|name| hashes.hash_one(&name)));
    }
    let twice = twice(seen);
    if !twice.is_empty() {
        let suspect = |name: &String| twice.contains(&hashes.hash_one(name));
        survey.doubled = doubled(file, survey.head.as_ref(), suspect)?;
    }
    Ok(survey)
}

/// What is there more than once.
fn twice(mut all: Vec<u64>) -> HashSet<u64> {
    all.sort_unstable();
    let next = all.iter().skip(1);
    let equal = all.iter().zip(next).filter(|(one, other)| one == other);
    equal.map(|(one, _)| *one).collect()
}

/// The rows whose names are written twice, among the suspect ones: read once more, since few files have any.
fn doubled(
    file: &File,
    head: Option<&Head>,
    suspect: impl Fn(&String) -> bool,
) -> Result<HashMap<i64, Arc<[i64]>>, Vec<ReadFault>> {
    let known = File {
        looked_through: true,
        ..file.clone()
    };
    let (rows, _) = Rows::open(&known, head, false)?;
    let mut groups: HashMap<String, Vec<(i64, i64)>> = HashMap::new();
    for given in rows {
        let given = given.map_err(|fault| vec![fault])?;
        if let Some(name) = name_in(&file.plan, &given)
            && suspect(&name)
        {
            let group = groups.entry(name).or_default();
            group.push((given.position, given.line));
        }
    }
    let mut doubled = HashMap::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let lines: Arc<[i64]> = group.iter().take(10).map(|(_, line)| *line).collect();
        for (position, _) in group {
            doubled.insert(position, Arc::clone(&lines));
        }
    }
    Ok(doubled)
}

fn name_in(plan: &Plan, given: &Given) -> Option<String> {
    let row = given.members.as_ref().ok()?;
    by_type!(plan.resource, R => name_of::<R>(row), observations => name_of_observation(row))
}

/// Where in a table the members of its rows stand.
pub struct Places(Option<Mapping>);

impl Places {
    /// Of a file with these headings.
    #[must_use]
    pub fn of(plan: &Plan, head: Option<&Head>) -> Self {
        Self(head.and_then(|head| Mapping::new(plan.resource, &head.headings, plan.demand()).ok()))
    }

    /// A fault of a row, with its column.
    #[must_use]
    pub fn error(&self, fault: &Fault, row: Option<&Members>) -> RowError {
        let mut error = RowError::of(fault, row);
        // A cell that holds -5 is not told as -5.0: that is how JSON writes the number that it was read as.
        let number = error
            .pointer
            .as_deref()
            .and_then(|pointer| row?.pointer(pointer))
            .is_some_and(Value::is_f64);
        if number && self.0.is_some() {
            error.value = error.value.map(|value| match value.strip_suffix(".0") {
                Some(whole) => whole.to_owned(),
                None => value,
            });
        }
        let heading = error
            .pointer
            .as_deref()
            .filter(|pointer| !pointer.is_empty())
            .and_then(|pointer| self.0.as_ref()?.place(pointer));
        if let Some(heading) = heading {
            error.column = Some(heading.letter());
            error.heading = Some(heading.text.clone());
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_occurs_more_than_once_is_found() {
        assert!(twice(Vec::new()).is_empty());
        assert!(twice(vec![1, 2, 3]).is_empty());
        assert_eq!(twice(vec![1, 2, 1, 3, 1, 3]), [1, 3].into());
    }
}
