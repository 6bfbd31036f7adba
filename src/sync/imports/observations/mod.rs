//! Rows of observations: grouped into reports, which are made as drafts where there is none, and written in bulk.

mod compare;
mod line;
mod place;
mod reports;
pub mod store;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use uuid::Uuid;

use line::{Head, Line};
pub use line::{Observed, Reader, name_of_observation};
use place::place;
use reports::{Group, Report, Tells};
pub use reports::{submit, touch};

use super::codes::RowOutcome;
use super::columns::Measures;
use super::outcome::{Refusal, RowResult};
use super::payload::Given;
use super::work::Work;
use crate::db::{Conn, WriteError};
use crate::http::lang::Lang;
use crate::participation::measures;
use crate::participation::measures::store::Possible;
use crate::participation::reports::api::must_be_draft;
use crate::participation::reports::observations::check::{self, Known};
use crate::participation::reports::observations::model::NewObservation;
use crate::participation::reports::observations::of_report::ObservationIn;
use crate::participation::reports::store as report_store;
use crate::problem::{Fault, Problem, Text, text};
use crate::registry::areas;

/// What was looked up for the rows of a file, and what became of their reports.
#[derive(Default)]
pub struct Looked {
    measures: HashMap<String, Option<Possible>>,
    areas: HashMap<String, bool>,
    /// The measures by their names, looked up once a row has named one that is not there.
    named: Option<Measures>,
    /// The report of each head.
    reports: HashMap<String, Uuid>,
    /// Whether all rows of a report were taken.
    good: HashMap<Uuid, bool>,
    /// Whether there was an invalid row that may be of any report.
    of_any: bool,
    /// Reports whose observations changed since their version was counted up, with the version before.
    changed: BTreeMap<Uuid, i64>,
    /// The observations that the rows of a replacing file speak of.
    kept: HashSet<Uuid>,
}

impl Looked {
    /// Forgets what a transaction that was taken back had found.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Writes rows of observations, or says of each why not.
///
/// # Errors
/// What ends the transaction.
pub async fn write(
    conn: &Conn,
    work: &Work<'_>,
    rows: &[Given],
) -> Result<Vec<RowResult>, WriteError> {
    let mut results: BTreeMap<i64, RowResult> = BTreeMap::new();
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    let mut refused = Vec::new();
    for (place, given) in rows.iter().enumerate() {
        match observed(work, given) {
            Ok((Observed { head, text, .. }, new)) => group(&mut groups, head, text).push(Line {
                place,
                expects: head.if_version,
                new,
            }),
            Err(result) => {
                // It tells its report all the same. None is made for it.
                if let Some(Observed { head, text, .. }) = given.apart() {
                    group(&mut groups, head, text);
                }
                refused.push((given, *result));
            }
        }
    }
    look_up(conn, work, &groups).await?;
    let mut found = reports::of_groups(conn, work, &groups).await?;
    if let Some(waiting) = work.locked.take() {
        // Nobody waits any more if the part behind has given up.
        let _ = waiting.send(());
    }
    for (given, result) in refused {
        let tells = reports::told_by(given, &found);
        results.insert(given.position, telling(work, result, tells));
    }
    let mut placed: BTreeMap<Uuid, (Report, Vec<Line<'_>>)> = BTreeMap::new();
    for (text, group) in groups {
        match found.remove(text).ok_or(diesel::NotFound)? {
            // Two heads may name one report in two ways.
            Ok(report) => placed
                .entry(report.row.id)
                .or_insert_with(|| (report, Vec::new()))
                .1
                .extend(group.lines),
            Err(missing) => {
                for (n, line) in group.lines.iter().enumerate() {
                    if let Some(given) = rows.get(line.place) {
                        let refused = work.refused(given, missing.refusal(n));
                        let result = telling(work, refused, missing.tells);
                        results.insert(given.position, result);
                    }
                }
            }
        }
    }
    let mut placed: Vec<_> = placed.into_values().collect();
    // Of two rows about the same observation the first is the good one.
    for (_, lines) in &mut placed {
        lines.sort_by_key(|line| line.place);
    }
    for (result, report) in place(conn, work, rows, &placed).await? {
        note(work, report, &result);
        results.insert(result.position, result);
    }
    Ok(results.into_values().collect())
}

/// The lines of a report, by what its rows say of it.
fn group<'g, 'a>(
    groups: &'g mut BTreeMap<&'a str, Group<'a>>,
    head: &'a Head,
    text: &'a str,
) -> &'g mut Vec<Line<'a>> {
    let new = || Group {
        head,
        lines: Vec::new(),
    };
    &mut groups.entry(text).or_insert_with(new).lines
}

/// A refused row, with what it tells of its report.
fn telling(work: &Work<'_>, result: RowResult, tells: Tells) -> RowResult {
    match tells {
        Tells::Report(id) => {
            let result = of(result, id);
            note(work, id, &result);
            result
        }
        Tells::NoReport => result,
        Tells::Nothing => {
            work.looked.borrow_mut().of_any |= result.outcome == RowOutcome::Invalid;
            result
        }
    }
}

/// Finds the reports of rows that were refused before these were made, so that they are not submitted without them: the
/// positions of the rows, each with its report; none at all if one of the rows may be of any report.
///
/// # Errors
/// What ends the transaction.
pub async fn tell(
    conn: &Conn,
    work: &Work<'_>,
    rows: &[Given],
) -> Result<Option<Vec<(i64, Uuid)>>, WriteError> {
    let mut groups = BTreeMap::new();
    for given in rows {
        if let Some(Observed { head, text, .. }) = given.apart() {
            group(&mut groups, head, text);
        }
    }
    let found = reports::of_groups(conn, work, &groups).await?;
    let mut told = Vec::new();
    for given in rows {
        match reports::told_by(given, &found) {
            Tells::Report(id) => told.push((given.position, id)),
            Tells::NoReport => {}
            Tells::Nothing => return Ok(None),
        }
    }
    Ok(Some(told))
}

/// The row, taken apart, unless it is refused before anything of it is looked up.
fn observed<'g>(
    work: &Work<'_>,
    given: &'g Given,
) -> Result<(&'g Observed, &'g ObservationIn), Box<RowResult>> {
    work.members(given)?;
    match &given.observed {
        Some(Ok(observed)) => match &observed.new {
            Ok(new) => Ok((observed, new)),
            Err(problem) => Err(Box::new(refused(work, given, problem))),
        },
        Some(Err(problem)) => Err(Box::new(refused(work, given, problem))),
        None => Err(Box::new(refused(
            work,
            given,
            &Problem::internal("a row was not taken apart"),
        ))),
    }
}

fn refused(work: &Work<'_>, given: &Given, problem: &Problem) -> RowResult {
    let refusal = Refusal {
        outcome: RowOutcome::Invalid,
        faults: problem.told().to_vec(),
        existing: None,
    };
    work.refused(given, refusal)
}

fn note(work: &Work<'_>, report: Uuid, result: &RowResult) {
    let mut looked = work.looked.borrow_mut();
    let good = looked.good.entry(report).or_insert(true);
    *good = *good && !result.outcome.is_refusal();
}

/// Looks up the measures and areas that the rows name and that are not known yet.
async fn look_up(
    conn: &Conn,
    work: &Work<'_>,
    groups: &BTreeMap<&str, Group<'_>>,
) -> Result<(), WriteError> {
    let (mut codes, mut places) = (HashSet::new(), HashSet::new());
    {
        let looked = work.looked.borrow();
        for group in groups.values() {
            for line in &group.lines {
                let code = line.new.measure.as_str();
                if !looked.measures.contains_key(code) {
                    codes.insert(code.to_owned());
                }
                if let Some(area) = &line.new.area
                    && !looked.areas.contains_key(area.as_str())
                {
                    places.insert(area.to_string());
                }
            }
        }
    }
    let codes: Vec<String> = codes.into_iter().collect();
    let places: Vec<String> = places.into_iter().collect();
    let (possible, live) = futures_util::try_join!(
        measures::store::possible(conn, codes.clone()),
        areas::store::live(conn, places.clone())
    )?;
    let strange = codes.iter().any(|code| !possible.contains_key(code));
    if strange && work.looked.borrow().named.is_none() {
        let named = Measures::load(conn, &work.reach).await?;
        work.looked.borrow_mut().named = Some(named);
    }
    let mut looked = work.looked.borrow_mut();
    for code in codes {
        let possible = possible.get(&code).copied();
        looked.measures.insert(code, possible);
    }
    for place in places {
        let lives = live.contains(&place);
        looked.areas.insert(place, lives);
    }
    Ok(())
}

fn text_unknown() -> Text {
    text("Det finns ingen sådan rad.", "There is no such row.")
}

/// The faults of observations, by their place among these.
fn faults(
    work: &Work<'_>,
    report_area: &str,
    rows: &[NewObservation<'_>],
) -> BTreeMap<usize, Vec<Fault>> {
    let looked = work.looked.borrow();
    let mut known = Known {
        measures: HashMap::new(),
        areas: HashSet::from([report_area.to_owned()]),
        report_area: report_area.to_owned(),
    };
    for row in rows {
        let code = row.measure_code;
        if !known.measures.contains_key(code)
            && let Some(Some(possible)) = looked.measures.get(code)
        {
            known.measures.insert(code.to_owned(), *possible);
        }
        let code = row.area_code;
        if !known.areas.contains(code) && looked.areas.get(code) == Some(&true) {
            known.areas.insert(code.to_owned());
        }
    }
    let mut by_row: BTreeMap<usize, Vec<Fault>> = BTreeMap::new();
    // A measure is misspelt in the same way in all rows of a file, and it takes long to find what was meant.
    let mut unknown: HashMap<&str, Text> = HashMap::new();
    for fault in check::faults(rows, &known) {
        let pointer = fault.pointer().unwrap_or_default();
        let rest = pointer.strip_prefix("/observations/").unwrap_or_default();
        let (n, inside) = rest.split_once('/').unwrap_or((rest, ""));
        let pointer = if inside.is_empty() {
            String::new()
        } else {
            format!("/{inside}")
        };
        if let Ok(n) = n.parse::<usize>() {
            let detail = match rows.get(n).filter(|_| fault.code() == NO_MEASURE) {
                Some(row) => unknown
                    .entry(row.measure_code)
                    .or_insert_with(|| meant(&looked, fault.detail(), row.measure_code))
                    .clone(),
                None => fault.detail().clone(),
            };
            let own = Fault::at(pointer, fault.code().to_owned(), detail);
            by_row.entry(n).or_default().push(own);
        }
    }
    by_row
}

/// The rule that an observation is of a measure that is there.
const NO_MEASURE: &str = "observation_measure_exists";

/// The rule, with the measure that was likely meant.
fn meant(looked: &Looked, rule: &Text, code: &str) -> Text {
    let named = looked.named.as_ref();
    match named.and_then(|named| named.suggestion(code)) {
        Some(near) => text(
            format!("{} {}", rule.get(Lang::Sv), near.sv),
            format!("{} {}", rule.get(Lang::En), near.en),
        ),
        None => rule.clone(),
    }
}

/// A refused row, with the report that it is of.
fn of(result: RowResult, report: Uuid) -> RowResult {
    RowResult {
        entity: Some(report.to_string()),
        ..result
    }
}

/// The observations that a replacing file does not name, of the reports that it does, and how many those had.
///
/// # Errors
/// When the query fails.
pub async fn left_over(
    conn: &Conn,
    work: &Work<'_>,
) -> Result<(Vec<(Uuid, Uuid)>, usize), WriteError> {
    let reports: Vec<Uuid> = work.looked.borrow().good.keys().copied().collect();
    let all = store::of_reports(conn, reports).await?;
    let there = all.len();
    let looked = work.looked.borrow();
    let left = all
        .into_iter()
        .filter(|(id, _)| !looked.kept.contains(id))
        .collect();
    Ok((left, there))
}

/// Deletes observations that a replacing file does not name.
///
/// # Errors
/// 409 if one of their reports is no draft.
pub async fn remove(
    conn: &Conn,
    work: &Work<'_>,
    left: Vec<(Uuid, Uuid)>,
) -> Result<Vec<RowResult>, WriteError> {
    let of_reports = left.iter().map(|(_, report)| *report).collect();
    let of_reports = report_store::by_ids(conn, of_reports).await?;
    for report in of_reports.values() {
        must_be_draft(report)?;
    }
    reports::will_change(conn, work, of_reports.values().map(Rc::as_ref)).await?;
    let mut results = Vec::with_capacity(left.len());
    for (position, (_, report)) in (work.survey.total..).zip(&left) {
        results.push(RowResult {
            position,
            line: None,
            outcome: RowOutcome::Deleted,
            entity: Some(report.to_string()),
            version: None,
            errors: Vec::new(),
            notes: Vec::new(),
            existing: None,
            given: None,
        });
    }
    store::delete(conn, left.into_iter().map(|(id, _)| id).collect()).await?;
    Ok(results)
}

/// The reports whose rows were all taken: none of them if a refused row may be of any.
#[must_use]
pub fn whole(work: &Work<'_>) -> Vec<Uuid> {
    let looked = work.looked.borrow();
    if looked.of_any {
        return Vec::new();
    }
    let whole = looked.good.iter().filter(|(_, good)| **good);
    let mut whole: Vec<Uuid> = whole.map(|(id, _)| *id).collect();
    whole.sort_unstable();
    whole
}
