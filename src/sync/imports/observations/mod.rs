//! Rows of observations: grouped into reports, which are made as drafts where there is none, and written in bulk.

mod line;
mod reports;
pub mod store;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use uuid::Uuid;

use line::{Head, Line};
pub use line::{Observed, name_of_observation, read};
use reports::{Group, Report, Tells};
pub use reports::{submit, touch};

use super::codes::{ImportStrategy, RowOutcome};
use super::columns::Measures;
use super::outcome::{Refusal, RowResult};
use super::payload::Given;
use super::rows::{Work, invalid};
use crate::db::{Conn, WriteError, history};
use crate::http::lang::Lang;
use crate::http::resource;
use crate::participation::measures;
use crate::participation::measures::store::Possible;
use crate::participation::reports::api::{Reports, must_be_draft};
use crate::participation::reports::model::ReportRow;
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
                if let Some(Ok(Observed { head, text, .. })) = &given.observed {
                    group(&mut groups, head, text);
                }
                refused.push((given, *result));
            }
        }
    }
    look_up(conn, work, &groups).await?;
    let mut found = reports::of_groups(conn, work, &groups).await?;
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
                for line in &group.lines {
                    if let Some(given) = rows.get(line.place) {
                        let again = Refusal {
                            outcome: missing.refusal.outcome,
                            faults: missing.refusal.faults.clone(),
                            existing: None,
                        };
                        let result = telling(work, work.refused(given, again), missing.tells);
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
        if let Some(Ok(Observed { head, text, .. })) = &given.observed {
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
                Some(row) => meant(&looked, fault.detail(), row.measure_code),
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

/// An observation that no rule speaks against, with its report, its row, and the version that it expects.
type Good<'a> = (&'a Report, &'a Given, NewObservation<'a>, Option<i64>);

/// The rows that no rule speaks against; the others are told.
fn sift<'a>(
    work: &Work<'_>,
    rows: &'a [Given],
    placed: &'a [(Report, Vec<Line<'a>>)],
    results: &mut Vec<(RowResult, Uuid)>,
) -> Vec<Good<'a>> {
    let mut good = Vec::new();
    for (report, lines) in placed {
        let new: Vec<_> = lines
            .iter()
            .map(|line| line.new.new_row(&report.row.area_code))
            .collect();
        // What is deleted need not say a value.
        let mut faulty = match work.plan.strategy {
            ImportStrategy::Delete => BTreeMap::new(),
            _ => faults(work, &report.row.area_code, &new),
        };
        for (n, (line, new)) in lines.iter().zip(new).enumerate() {
            let Some(given) = rows.get(line.place) else {
                continue;
            };
            match faulty.remove(&n) {
                None => good.push((report, given, new, line.expects)),
                Some(told) => {
                    let refusal = Refusal {
                        outcome: RowOutcome::Invalid,
                        faults: told,
                        existing: None,
                    };
                    results.push((
                        of(work.refused(given, refusal), report.row.id),
                        report.row.id,
                    ));
                }
            }
        }
    }
    good
}

/// Writes the rows to their reports.
async fn place(
    conn: &Conn,
    work: &Work<'_>,
    rows: &[Given],
    placed: &[(Report, Vec<Line<'_>>)],
) -> Result<Vec<(RowResult, Uuid)>, WriteError> {
    let strategy = work.plan.strategy;
    let mut results = Vec::new();
    let good = sift(work, rows, placed, &mut results);
    // A report that was made just now has none.
    let asked: Vec<_> = good
        .iter()
        .filter(|(report, ..)| !report.fresh)
        .map(|(report, _, new, _)| (report.row.id, new))
        .collect();
    let mut there = store::compare(conn, &asked).await?.into_iter();
    let (mut ids, mut writing, mut deleting) = (Vec::new(), Vec::new(), Vec::new());
    let mut changed: BTreeMap<Uuid, &ReportRow> = BTreeMap::new();
    let mut kept = Vec::new();
    let mut conflicts = Vec::new();
    let stale = stale(conn, &good).await?;
    for (Report { row: report, fresh }, given, new, expects) in &good {
        let there = if *fresh { None } else { there.next() };
        let (id, same) = there.map_or((None, false), |there| (there.id, there.same));
        let done = |outcome| work.done(given, outcome, Some(report.id.to_string()), None);
        let mut conflict = |fault| {
            conflicts.extend(id.map(|id| (results.len(), id)));
            let refusal = Refusal {
                outcome: RowOutcome::Conflict,
                faults: vec![fault],
                existing: None,
            };
            of(work.refused(given, refusal), report.id)
        };
        let is_stale = |expected| stale.contains(&(report.id.to_string(), expected));
        let result = match (strategy, id) {
            _ if expects.is_some_and(is_stale) => conflict(version_changed(report, *fresh)),
            (ImportStrategy::Create, Some(_)) => conflict(exists()),
            (ImportStrategy::Update | ImportStrategy::Delete, None) => {
                let fault = Fault::at("", "row_unknown", text_unknown());
                work_refused(work, given, fault, report.id)
            }
            (
                ImportStrategy::Upsert | ImportStrategy::Update | ImportStrategy::Replace,
                Some(id),
            ) if same => {
                kept.push(id);
                done(RowOutcome::Unchanged)
            }
            (_, id) => match (must_be_draft(report), strategy, id) {
                (Err(problem), ..) => {
                    let fault = problem.told().first().cloned();
                    conflict(fault.unwrap_or_else(exists))
                }
                (Ok(()), ImportStrategy::Delete, Some(id)) => {
                    deleting.push(id);
                    changed.insert(report.id, report);
                    done(RowOutcome::Deleted)
                }
                (Ok(()), _, id) => {
                    let fresh = id.unwrap_or_else(Uuid::now_v7);
                    ids.push(fresh);
                    writing.push((report.id, new));
                    changed.insert(report.id, report);
                    kept.push(fresh);
                    done(if id.is_some() {
                        RowOutcome::Updated
                    } else {
                        RowOutcome::Created
                    })
                }
            },
        };
        results.push((result, report.id));
    }
    if strategy == ImportStrategy::Replace {
        work.looked.borrow_mut().kept.extend(kept);
    }
    show_existing(conn, &conflicts, &mut results).await?;
    reports::will_change(conn, work, changed.into_values()).await?;
    if !writing.is_empty() {
        store::write(conn, ids, &writing).await?;
    }
    if !deleting.is_empty() {
        store::delete(conn, deleting).await?;
    }
    Ok(results)
}

/// The versions, with their report, that rows expect and that others have changed since. What this import itself has
/// changed in an earlier part is none of others.
async fn stale(conn: &Conn, good: &[Good<'_>]) -> Result<HashSet<(String, i64)>, WriteError> {
    let expected = good.iter().filter_map(|(report, _, _, expects)| {
        let (key, now) = (report.row.id.to_string(), report.row.version);
        // A report that was made just now had no version that anybody could expect.
        let now = if report.fresh { i64::MAX } else { now };
        expects
            .filter(|expected| *expected != now)
            .map(|expected| (key, expected, now))
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort_unstable();
    expected.dedup();
    Ok(history::changed_by_others(conn, resource::entity::<Reports>(), &expected).await?)
}

fn version_changed(report: &ReportRow, fresh: bool) -> Fault {
    let version = report.version;
    let said = if fresh {
        no_report()
    } else {
        text(
            format!("Rapporten har ändrats sedan den lästes: dess version är nu {version}."),
            format!("The report has changed since it was read: its version now is {version}."),
        )
    };
    Fault::at("/ifVersion", "version_changed", said)
}

fn no_report() -> Text {
    text(
        "Det finns ingen sådan rapport, och därför ingen version av den.",
        "There is no such report, and so no version of it.",
    )
}

/// Adds to rows in conflict, told by their place among the results, the observation that is there.
async fn show_existing(
    conn: &Conn,
    conflicts: &[(usize, Uuid)],
    results: &mut [(RowResult, Uuid)],
) -> Result<(), WriteError> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let ids = conflicts.iter().map(|(_, id)| *id).collect();
    let mut existing = store::existing(conn, ids).await?;
    for (place, id) in conflicts {
        if let Some((result, _)) = results.get_mut(*place) {
            result.existing = existing.remove(id);
        }
    }
    Ok(())
}

fn work_refused(work: &Work<'_>, given: &Given, fault: Fault, report: Uuid) -> RowResult {
    of(work.refused(given, invalid(fault)), report)
}

/// A refused row, with the report that it is of.
fn of(result: RowResult, report: Uuid) -> RowResult {
    RowResult {
        entity: Some(report.to_string()),
        ..result
    }
}

fn exists() -> Fault {
    Fault::at(
        "",
        "exists_already",
        text("Raden finns redan.", "The row exists already."),
    )
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
