//! The rows of a file: first looked through as a whole, then handed out in parts.
//!
//! Reading is work for the processor and may wait for the disk, so it has threads of its own; what is not yet written is
//! four parts at the most, two of them under way, however large the file is.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;

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
use crate::problem::{ApiResult, Fault, Problem};
use crate::values::without_personal_numbers;

/// The most rows that are answered at once.
pub const AT_ONCE: i64 = 1_000;

/// How many rows are handed out, and written in one transaction: of the first part, and of each one behind it. Observations
/// are written with a few statements for all of them and their reports, other rows one by one. While a first part is read
/// nothing is written, so that is a small one.
const fn parts_of(resource: ImportType) -> (usize, usize) {
    match resource {
        ImportType::Observations => (2_000, 8_000),
        _ => (1_000, 1_000),
    }
}

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
struct Rows {
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
    /// `head` is what stands above the rows, if that is known from an earlier reading; rows are kept as they came if they
    /// are wanted (`keeps`).
    fn open(
        file: &File,
        head: Option<&Head>,
        keeps: bool,
    ) -> Result<(Self, Option<Head>), Vec<ReadFault>> {
        let plan = &file.plan;
        let (kind, source) = (plan.format.kind(), file.spooled.source());
        let sheets = plan.resource.sheet_names();
        let incoming = if file.looked_through {
            let headings = head.map(|head| head.headings.as_slice());
            read::reopen(kind, &source, &sheets, headings, keeps)
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
            keeps,
            apart: None,
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

/// Why a part cannot be had.
#[derive(Debug)]
pub enum Unread {
    /// Something speaks against the file.
    Faults(Vec<ReadFault>),
    /// The reading broke down: our own fault.
    Broken(Problem),
}

/// The rows of a file in parts.
pub struct Parts {
    taken: mpsc::Receiver<Result<Vec<Given>, Vec<ReadFault>>>,
    /// How many rows are to come.
    left: i64,
}

impl Parts {
    /// The next part; none after the last row. A reading that ended before it is no end.
    pub async fn next(&mut self) -> Option<Result<Vec<Given>, Unread>> {
        match self.taken.recv().await {
            Some(Ok(part)) => {
                self.left -= i64::try_from(part.len()).unwrap_or(i64::MAX);
                Some(Ok(part))
            }
            Some(Err(faults)) => {
                self.left = 0;
                Some(Err(Unread::Faults(faults)))
            }
            None if self.left == 0 => None,
            None => {
                self.left = 0;
                let broken = Problem::internal("a file was not read to its end");
                Some(Err(Unread::Broken(broken)))
            }
        }
    }
}

/// The rows of a file that was surveyed, from a position on, in parts. Reading stops when nobody takes them any more.
#[must_use]
pub fn parts(file: &File, survey: &Survey, from: i64) -> Parts {
    let (give, taken) = mpsc::channel(1);
    let left = survey.total - from;
    let file = File {
        looked_through: true,
        ..file.clone()
    };
    let head = survey.head.clone();
    tokio::task::spawn_blocking(move || {
        let mut rows = match Rows::open(&file, head.as_ref(), true) {
            Ok((rows, _)) => rows,
            Err(faults) => return drop(give.blocking_send(Err(faults))),
        };
        let observed = file.plan.resource == ImportType::Observations;
        rows.apart = observed.then(|| observations::Reader::new(file.plan.strategy));
        let (mut size, whole) = parts_of(file.plan.resource);
        let mut part: Vec<Given> = Vec::with_capacity(most(size));
        for given in rows {
            let given = match given {
                Err(fault) => return drop(give.blocking_send(Err(vec![fault]))),
                Ok(given) if given.position < from => continue,
                Ok(given) => given,
            };
            if ends(&part, &given, size) {
                size = whole;
                let full = std::mem::replace(&mut part, Vec::with_capacity(most(size)));
                if give.blocking_send(Ok(full)).is_err() {
                    return;
                }
            }
            part.push(given);
        }
        if !part.is_empty() {
            drop(give.blocking_send(Ok(part)));
        }
    });
    Parts { taken, left }
}

/// Whether a part of this size ends before this row. One of observations goes on for up to half as many, so that the rows of
/// a report stay together if they stand together: then it changes once, and two parts seldom wait for each other.
fn ends(part: &[Given], next: &Given, size: usize) -> bool {
    if part.len() < size {
        return false;
    }
    let together = match (part.last().and_then(Given::apart), next.apart()) {
        (Some(last), Some(next)) => last.report() == next.report(),
        _ => false,
    };
    !together || part.len() >= most(size)
}

/// The most rows of a part of this size.
const fn most(size: usize) -> usize {
    size + size / 2
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
    use crate::sync::imports::codes::ImportStrategy;

    #[test]
    fn a_part_ends_where_a_report_does() {
        let row = |report: &str| {
            let mut members = Members::default();
            members.push("source", serde_json::json!({"title": report}));
            for (name, text) in [("area", "1880"), ("period", "2025"), ("measure", "pupils")] {
                members.push(name, text.into());
            }
            let observed = observations::Reader::new(ImportStrategy::Upsert).read(&members);
            Given {
                position: 0,
                line: 1,
                members: Ok(members),
                notes: Vec::new(),
                observed: Some(observed.map(Box::new)),
                came: None,
            }
        };
        let rows = |n: usize| -> Vec<Given> { (0..n).map(|_| row("a")).collect() };
        assert!(!ends(&rows(3), &row("b"), 4));
        assert!(ends(&rows(4), &row("b"), 4));
        assert!(!ends(&rows(4), &row("a"), 4));
        assert!(!ends(&rows(5), &row("a"), 4));
        assert!(ends(&rows(6), &row("a"), 4));
        let unread = Given {
            observed: None,
            ..row("a")
        };
        assert!(ends(&rows(4), &unread, 4));
        assert!(ends(&[unread], &row("a"), 1));
    }

    #[actix_web::test]
    async fn a_reading_that_ends_too_soon_is_no_end() {
        let (give, taken) = mpsc::channel(1);
        let mut parts = Parts { taken, left: 1 };
        drop(give);
        assert!(matches!(parts.next().await, Some(Err(Unread::Broken(_)))));
        assert!(parts.next().await.is_none());
    }

    #[test]
    fn what_occurs_more_than_once_is_found() {
        assert!(twice(Vec::new()).is_empty());
        assert!(twice(vec![1, 2, 3]).is_empty());
        assert_eq!(twice(vec![1, 2, 1, 3, 1, 3]), [1, 3].into());
    }
}
