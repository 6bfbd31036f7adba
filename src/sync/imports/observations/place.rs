//! Rows whose reports are known, and locked: compared with what is there, and written.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::compare::compare;
use super::line::Line;
use super::reports::{self, Report};
use super::{faults, of, store, text_unknown};
use crate::db::{Conn, WriteError, history};
use crate::http::resource;
use crate::participation::reports::api::{Reports, must_be_draft};
use crate::participation::reports::model::ReportRow;
use crate::participation::reports::observations::model::NewObservation;
use crate::problem::{Fault, Text, text};
use crate::sync::imports::codes::{ImportStrategy, RowOutcome};
use crate::sync::imports::outcome::{Refusal, RowResult};
use crate::sync::imports::payload::Given;
use crate::sync::imports::work::{Work, invalid};

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
pub(super) async fn place(
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
    let mut there = compare(conn, &asked).await?.into_iter();
    let (mut made, mut making) = (Vec::new(), Vec::new());
    let (mut there_before, mut changing) = (Vec::new(), Vec::new());
    let mut deleting = Vec::new();
    let mut changed: BTreeMap<Uuid, &ReportRow> = BTreeMap::new();
    let mut kept = Vec::new();
    let mut conflicts = Vec::new();
    let stale = stale(conn, &good).await?;
    for (Report { row: report, fresh }, given, new, expects) in &good {
        let there = if *fresh { None } else { there.next().flatten() };
        let (id, same) = there.map_or((None, false), |there| (Some(there.id), there.same));
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
                (Ok(()), _, Some(id)) => {
                    there_before.push(id);
                    changing.push((report.id, new));
                    changed.insert(report.id, report);
                    kept.push(id);
                    done(RowOutcome::Updated)
                }
                (Ok(()), _, None) => {
                    let id = Uuid::now_v7();
                    made.push(id);
                    making.push((report.id, new));
                    changed.insert(report.id, report);
                    kept.push(id);
                    done(RowOutcome::Created)
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
    store::insert(conn, made, &making).await?;
    store::update(conn, there_before, &changing).await?;
    store::delete(conn, deleting).await?;
    Ok(results)
}

/// The versions, with their report, that rows expect and that others have changed since. What this import itself has
/// changed in an earlier part is none of others.
async fn stale(conn: &Conn, good: &[Good<'_>]) -> Result<HashSet<(String, i64)>, WriteError> {
    let expected = good.iter().filter_map(|(report, _, _, expects)| {
        let expected = (*expects)?;
        // A report that was made just now had no version that anybody could expect.
        let now = if report.fresh {
            i64::MAX
        } else {
            report.row.version
        };
        (expected != now).then(|| (report.row.id.to_string(), expected, now))
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

pub(super) fn no_report() -> Text {
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

fn exists() -> Fault {
    Fault::at(
        "",
        "exists_already",
        text("Raden finns redan.", "The row exists already."),
    )
}
