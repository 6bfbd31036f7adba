//! Rows of observations: grouped into reports, which are made as drafts where there is none, and written in bulk.

mod line;
pub mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;
use uuid::Uuid;

pub use line::name_of_observation;
use line::{Head, Line};

use super::codes::{ImportStrategy, RowOutcome};
use super::outcome::{Refusal, RowResult};
use super::payload::Given;
use super::rows::{Work, invalid};
use crate::access::audit::{self, AuditAction};
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, WriteError};
use crate::http::resource;
use crate::participation::codes::ReportState;
use crate::participation::measures;
use crate::participation::measures::store::Possible;
use crate::participation::reports::api::{Reports, must_be_draft};
use crate::participation::reports::model::{ReportRow, StateChange};
use crate::participation::reports::observations::check::{self, Known};
use crate::participation::reports::observations::model::NewObservation;
use crate::participation::reports::store as reports;
use crate::problem::{Fault, Problem, ProblemKind, text};
use crate::registry::areas;

/// What was looked up for the rows of a file, and what became of their reports.
#[derive(Default)]
pub struct Looked {
    measures: HashMap<String, Option<Possible>>,
    areas: HashMap<String, bool>,
    /// The report of each head.
    reports: HashMap<String, Uuid>,
    /// Whether all rows of a report were taken.
    good: HashMap<Uuid, bool>,
    /// Reports whose observations changed since their version was counted up, as they were before.
    changed: BTreeMap<Uuid, ReportRow>,
    /// The observations that the rows speak of.
    kept: HashSet<Uuid>,
}

impl Looked {
    /// Forgets what a transaction that was taken back had found.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The rows of one report.
struct Group {
    head: Head,
    lines: Vec<Line>,
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
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (place, given) in rows.iter().enumerate() {
        match work.members(given).and_then(|members| {
            line::read(members, place, work.plan.strategy)
                .map_err(|problem| Box::new(refused(work, given, problem)))
        }) {
            Ok((head, line)) => groups
                .entry(head.text())
                .or_insert_with(|| Group {
                    head,
                    lines: Vec::new(),
                })
                .lines
                .push(line),
            Err(result) => drop(results.insert(given.position, *result)),
        }
    }
    look_up(conn, work, &groups).await?;
    let mut placed: Vec<(ReportRow, Vec<Line>)> = Vec::new();
    for (text, group) in groups {
        let Group { head, lines } = group;
        match report(conn, work, &text, &head, &lines).await? {
            Ok(report) => placed.push((report, lines)),
            Err(refusal) => {
                for line in &lines {
                    if let Some(given) = rows.get(line.place) {
                        let again = Refusal {
                            outcome: refusal.outcome,
                            faults: refusal.faults.clone(),
                            existing: None,
                        };
                        results.insert(given.position, work.refused(given, again));
                    }
                }
            }
        }
    }
    for (result, report) in place(conn, work, rows, &placed).await? {
        note(work, report, &result);
        results.insert(result.position, result);
    }
    Ok(results.into_values().collect())
}

fn refused(work: &Work<'_>, given: &Given, problem: Problem) -> RowResult {
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
    groups: &BTreeMap<String, Group>,
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

/// The report of some rows, locked; made if there is none and some of the rows can be written to it.
async fn report(
    conn: &Conn,
    work: &Work<'_>,
    text: &str,
    head: &Head,
    lines: &[Line],
) -> Result<Result<ReportRow, Refusal>, WriteError> {
    Savepoint::ROW.set(conn).await?;
    let found = find_or_make(conn, work, text, head, lines).await;
    let result = match found {
        Ok(report) => {
            work.looked
                .borrow_mut()
                .reports
                .insert(text.to_owned(), report.id);
            Ok(report)
        }
        Err(error) => {
            let refusal = Refusal::of(error)?;
            Savepoint::ROW.back(conn).await?;
            Err(refusal)
        }
    };
    Savepoint::ROW.release(conn).await?;
    Ok(result)
}

async fn find_or_make(
    conn: &Conn,
    work: &Work<'_>,
    text: &str,
    head: &Head,
    lines: &[Line],
) -> Result<ReportRow, WriteError> {
    let known = work.looked.borrow().reports.get(text).copied();
    if let Some(id) = known.or(head.report) {
        let report = reports::lock(conn, &id).await?;
        let report = report.ok_or_else(unknown_report)?;
        match resource::alive(&report, &work.reach) {
            Err(problem) if problem.kind() == ProblemKind::NotFound => {
                return Err(unknown_report().into());
            }
            other => other?,
        }
        head.agrees(&report)?;
        return Ok(report);
    }
    let new = head.report_in()?;
    work.reach.cover(new.area.as_str(), head.area_pointer())?;
    let source = new.source.resolve(conn, "/source").await?;
    let (area, period) = (new.area.as_str(), new.period.as_str());
    if let Some(report) = store::report_of(conn, source, area, new.period_kind, period).await? {
        return Ok(report);
    }
    if matches!(
        work.plan.strategy,
        ImportStrategy::Update | ImportStrategy::Delete
    ) {
        return Err(Problem::invalid(Fault::at("", "row_unknown", text_unknown())).into());
    }
    // A report that would stay empty is not made: its rows are told by the rules.
    let rows: Vec<_> = lines.iter().map(|line| line.new.new_row(area)).collect();
    let faulty = faults(work, area, &rows);
    if faulty.len() == rows.len() {
        let first = faulty.into_values().flatten().collect();
        return Err(Problem::new(ProblemKind::ValidationFailed)
            .faults(first)
            .into());
    }
    let (id, _, _) = resource::add::<Reports>(conn, &work.view, &new).await?;
    let report = reports::lock(conn, &id).await?;
    Ok(report.ok_or(diesel::NotFound)?)
}

fn text_unknown() -> crate::problem::Text {
    text("Det finns ingen sådan rad.", "There is no such row.")
}

fn unknown_report() -> Problem {
    Problem::invalid(Fault::at(
        "/report",
        "id_unknown",
        text(
            "Ingen rapport med det id:t är synlig för dig.",
            "No report with that id is visible to you.",
        ),
    ))
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
        if let Some(Some(possible)) = looked.measures.get(row.measure_code) {
            known
                .measures
                .insert(row.measure_code.to_owned(), *possible);
        }
        if looked.areas.get(row.area_code) == Some(&true) {
            known.areas.insert(row.area_code.to_owned());
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
        if let Ok(n) = n.parse() {
            let own = Fault::at(pointer, fault.code().to_owned(), fault.detail().clone());
            by_row.entry(n).or_default().push(own);
        }
    }
    by_row
}

/// An observation that no rule speaks against, with its report and its row.
type Good<'a> = (&'a ReportRow, &'a Given, NewObservation<'a>);

/// The rows that no rule speaks against; the others are told.
fn sift<'a>(
    work: &Work<'_>,
    rows: &'a [Given],
    placed: &'a [(ReportRow, Vec<Line>)],
    results: &mut Vec<(RowResult, Uuid)>,
) -> Vec<Good<'a>> {
    let mut good = Vec::new();
    for (report, lines) in placed {
        let new: Vec<_> = lines
            .iter()
            .map(|line| line.new.new_row(&report.area_code))
            .collect();
        // What is deleted need not say a value.
        let mut faulty = match work.plan.strategy {
            ImportStrategy::Delete => BTreeMap::new(),
            _ => faults(work, &report.area_code, &new),
        };
        for (n, (line, new)) in lines.iter().zip(new).enumerate() {
            let Some(given) = rows.get(line.place) else {
                continue;
            };
            match faulty.remove(&n) {
                None => good.push((report, given, new)),
                Some(told) => {
                    let refusal = Refusal {
                        outcome: RowOutcome::Invalid,
                        faults: told,
                        existing: None,
                    };
                    results.push((of(work.refused(given, refusal), report.id), report.id));
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
    placed: &[(ReportRow, Vec<Line>)],
) -> Result<Vec<(RowResult, Uuid)>, WriteError> {
    let strategy = work.plan.strategy;
    let mut results = Vec::new();
    let good = sift(work, rows, placed, &mut results);
    let asked: Vec<_> = good
        .iter()
        .map(|(report, _, new)| (report.id, new))
        .collect();
    let there = store::compare(conn, &asked).await?;
    let (mut ids, mut writing, mut deleting) = (Vec::new(), Vec::new(), Vec::new());
    let mut changed: BTreeMap<Uuid, &ReportRow> = BTreeMap::new();
    let mut kept = Vec::new();
    for ((report, given, new), there) in good.iter().zip(there) {
        let entity = Some(report.id.to_string());
        let done = |outcome| work.done(given, outcome, entity.clone(), None);
        let refuse = |outcome, fault, existing| {
            let refusal = Refusal {
                outcome,
                faults: vec![fault],
                existing,
            };
            of(work.refused(given, refusal), report.id)
        };
        let conflict = |fault| refuse(RowOutcome::Conflict, fault, there.existing.clone());
        let result = match (strategy, there.id) {
            (ImportStrategy::Create, Some(_)) => conflict(exists()),
            (ImportStrategy::Update | ImportStrategy::Delete, None) => {
                let fault = Fault::at("", "row_unknown", text_unknown());
                work_refused(work, given, fault, report.id)
            }
            (
                ImportStrategy::Upsert | ImportStrategy::Update | ImportStrategy::Replace,
                Some(id),
            ) if there.same => {
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
    work.looked.borrow_mut().kept.extend(kept);
    for report in changed.into_values() {
        will_change(conn, work, report).await?;
    }
    if !writing.is_empty() {
        store::write(conn, ids, &writing).await?;
    }
    if !deleting.is_empty() {
        store::delete(conn, deleting).await?;
    }
    Ok(results)
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
    for report in reports::by_ids(conn, of_reports).await?.values() {
        must_be_draft(report)?;
        will_change(conn, work, report).await?;
    }
    let mut results = Vec::with_capacity(left.len());
    for (position, (_, report)) in (work.survey.total..).zip(&left) {
        results.push(RowResult {
            position,
            line: None,
            outcome: RowOutcome::Deleted,
            entity: Some(report.to_string()),
            version: None,
            errors: Vec::new(),
            existing: None,
            given: None,
        });
    }
    store::delete(conn, left.into_iter().map(|(id, _)| id).collect()).await?;
    Ok(results)
}

/// Keeps the version of a report that its observations are about to change, once for all of its rows.
async fn will_change(conn: &Conn, work: &Work<'_>, report: &ReportRow) -> Result<(), WriteError> {
    if work.looked.borrow().changed.contains_key(&report.id) {
        return Ok(());
    }
    resource::before_change::<Reports>(conn, &work.view, report).await?;
    let mut looked = work.looked.borrow_mut();
    looked.changed.insert(report.id, report.clone());
    Ok(())
}

/// Counts up the versions of the reports whose observations changed, in the order of their ids: so two imports do not wait
/// for each other in a circle.
///
/// # Errors
/// When a statement fails.
pub async fn touch(conn: &Conn, work: &Work<'_>) -> Result<(), WriteError> {
    let changed = std::mem::take(&mut work.looked.borrow_mut().changed);
    for (id, before) in changed {
        reports::touch(conn, id).await?;
        resource::after_change::<Reports>(conn, &work.view, &before).await?;
    }
    Ok(())
}

/// The reports whose rows were all taken.
#[must_use]
pub fn whole(work: &Work<'_>) -> Vec<Uuid> {
    let looked = work.looked.borrow();
    let whole = looked.good.iter().filter(|(_, good)| **good);
    let mut whole: Vec<Uuid> = whole.map(|(id, _)| *id).collect();
    whole.sort_unstable();
    whole
}

/// Submits those of the reports that are drafts.
///
/// # Errors
/// When a statement fails.
pub async fn submit(conn: &Conn, work: &Work<'_>, ids: &[Uuid]) -> Result<(), WriteError> {
    for id in ids {
        let Some(report) = reports::lock(conn, id).await? else {
            continue;
        };
        if report.state != ReportState::Draft || report.deleted_at.is_some() {
            continue;
        }
        let change = StateChange {
            state: ReportState::Submitted,
            withdrawn_reason: None,
            submitted_by: Some(&work.plan.client),
            submitted_at: Some(work.view.now),
            approved_by: None,
            approved_at: None,
        };
        resource::before_change::<Reports>(conn, &work.view, &report).await?;
        reports::turn(conn, *id, change).await?;
        let detail = json!({"report": id, "from": report.state, "to": ReportState::Submitted});
        let areas = [&report.area_code];
        audit::note(conn, AuditAction::ReportStateChanged, &areas, detail).await?;
        resource::after_change::<Reports>(conn, &work.view, &report).await?;
    }
    Ok(())
}
