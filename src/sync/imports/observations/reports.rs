//! The reports that the rows of a file belong to: found or made, counted up, submitted. Whatever is done, is done to all
//! reports of a part at once: rows of a file may come in any order, and so each part may have rows of every report.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::line::{Head, Line};
use super::place::no_report;
use super::{faults, store, text_unknown};
use crate::access::audit::{self, AuditAction};
use crate::db::history::VersionOp;
use crate::db::savepoint::Savepoint;
use crate::db::store::together;
use crate::db::{Conn, WriteError};
use crate::http::resource::{self, Kept};
use crate::participation::codes::ReportState;
use crate::participation::reports::api::{ReportIn, Reports};
use crate::participation::reports::model::{ReportRow, StateChange};
use crate::participation::reports::store as reports;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::sync::imports::codes::{ImportStrategy, RowOutcome};
use crate::sync::imports::outcome::Refusal;
use crate::sync::imports::payload::Given;
use crate::sync::imports::work::Work;

/// The rows of one report.
pub(super) struct Group<'a> {
    pub(super) head: &'a Head,
    pub(super) lines: Vec<Line<'a>>,
}

/// What became of the search for the report of a group.
pub(super) type Found = Result<Report, Missing>;

/// Why rows have no report that they could be written to.
#[derive(Debug)]
pub(super) struct Missing {
    why: Why,
    /// What the rows tell of their report all the same.
    pub(super) tells: Tells,
}

#[derive(Debug)]
enum Why {
    /// The same for all of them: what that makes of the rows, and what is wrong.
    Common(RowOutcome, Vec<Fault>),
    /// None of them is good: what speaks against each, by its place among them.
    Own(BTreeMap<usize, Vec<Fault>>),
}

impl Missing {
    fn of(error: WriteError, tells: Tells) -> Result<Self, WriteError> {
        let refusal = Refusal::of(error)?;
        let why = Why::Common(refusal.outcome, refusal.faults);
        Ok(Self { why, tells })
    }

    /// What is told to a row, by its place among those of the report.
    pub(super) fn refusal(&self, n: usize) -> Refusal {
        let (outcome, faults) = match &self.why {
            Why::Common(outcome, faults) => (*outcome, Some(faults)),
            Why::Own(faults) => (RowOutcome::Invalid, faults.get(&n)),
        };
        Refusal {
            outcome,
            faults: faults.cloned().unwrap_or_default(),
            existing: None,
        }
    }
}

/// What a refused row tells of its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tells {
    /// Which it is.
    Report(Uuid),
    /// That it is one that there is not: none was made.
    NoReport,
    /// Nothing that can be read or is known: it may be any.
    Nothing,
}

/// What a row tells of its report, with the reports that were found for all heads.
pub(super) fn told_by(given: &Given, found: &BTreeMap<String, Found>) -> Tells {
    let observed = given.apart();
    match observed.and_then(|observed| found.get(&*observed.text)) {
        Some(Ok(report)) => Tells::Report(report.row.id),
        Some(Err(missing)) => missing.tells,
        None => Tells::Nothing,
    }
}

/// A report of some rows, locked.
#[derive(Clone)]
pub(super) struct Report {
    pub(super) row: ReportRow,
    /// Whether it was made just now, and so is empty.
    pub(super) fresh: bool,
}

/// A group that names its report by what tells it from others.
struct Named<'a> {
    text: &'a str,
    lines: &'a [Line<'a>],
    new: ReportIn,
    source: Uuid,
}

/// The reports of the groups, by the text of their heads; made if there is none and some of the rows can be written to it.
///
/// # Errors
/// What ends the transaction.
pub(super) async fn of_groups(
    conn: &Conn,
    work: &Work<'_>,
    groups: &BTreeMap<&str, Group<'_>>,
) -> Result<BTreeMap<String, Found>, WriteError> {
    let mut found = BTreeMap::new();
    let mut known = Vec::new();
    let mut named = Vec::new();
    let mut sources = HashMap::new();
    for (text, group) in groups {
        let id = work.looked.borrow().reports.get(*text).copied();
        if let Some(id) = id.or(group.head.report) {
            known.push((*text, group.head, id));
            continue;
        }
        match name(conn, work, text, group, &mut sources).await {
            Ok(name) => named.push(name),
            Err(error) => {
                let missing = Missing::of(error, Tells::Nothing)?;
                found.insert((*text).to_owned(), Err(missing));
            }
        }
    }
    let ids = known.iter().map(|(.., id)| *id).collect();
    let rows = reports::lock_all(conn, ids).await?;
    for (text, head, id) in known {
        found.insert(text.to_owned(), by_id(work, head, rows.get(&id))?);
    }
    let there = there(conn, &named).await?;
    let (mut missing, mut unmade, mut refusals) = (Vec::new(), Vec::new(), Vec::new());
    for (name, row) in named.into_iter().zip(there) {
        match row {
            Some(row) => drop(found.insert(name.text.to_owned(), Ok(old(row)))),
            None => match why_not(work, &name) {
                None => missing.push(name),
                Some(why) => {
                    let tells = Tells::NoReport;
                    refusals.push(Missing { why, tells });
                    unmade.push(name);
                }
            },
        }
    }
    found.extend(make(conn, work, missing).await?);
    // Other rows may name the same report in another way, and it was made for those.
    let now = self::there(conn, &unmade).await?;
    for ((name, mut refused), row) in unmade.into_iter().zip(refusals).zip(now) {
        if let Some(row) = row {
            refused.tells = Tells::Report(row.id);
        }
        found.insert(name.text.to_owned(), Err(refused));
    }
    let mut looked = work.looked.borrow_mut();
    for (text, report) in &found {
        if let Ok(report) = report {
            looked.reports.insert(text.clone(), report.row.id);
        }
    }
    Ok(found)
}

fn old(row: ReportRow) -> Report {
    Report { row, fresh: false }
}

/// What the head of a group names, if its client may write there. Sources are looked up once for all groups that name
/// them alike.
async fn name<'a>(
    conn: &Conn,
    work: &Work<'_>,
    text: &'a str,
    group: &'a Group<'a>,
    sources: &mut HashMap<String, Uuid>,
) -> Result<Named<'a>, WriteError> {
    let new = group.head.report_in()?;
    work.reach
        .cover(new.area.as_str(), group.head.area_pointer())?;
    let named = serde_json::to_string(&new.source).map_err(Problem::internal)?;
    let source = if let Some(source) = sources.get(&named) {
        *source
    } else {
        let source = new.source.resolve(conn, "/source").await?;
        sources.insert(named, source);
        source
    };
    Ok(Named {
        text,
        lines: &group.lines,
        new,
        source,
    })
}

/// The report that a row names by its id.
fn by_id(work: &Work<'_>, head: &Head, row: Option<&ReportRow>) -> Result<Found, WriteError> {
    let checked = || -> ApiResult<Report> {
        let row = row.ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
        resource::alive(row, &work.reach)?;
        head.agrees(row)?;
        Ok(old(row.clone()))
    };
    match checked() {
        Ok(report) => Ok(Ok(report)),
        Err(problem) if problem.kind() == ProblemKind::NotFound => {
            Ok(Err(Missing::of(unknown_report().into(), Tells::NoReport)?))
        }
        Err(problem) => {
            let tells = row.map_or(Tells::NoReport, |row| Tells::Report(row.id));
            Ok(Err(Missing::of(problem.into(), tells)?))
        }
    }
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

/// The live reports that are named, locked, in the order of the names.
async fn there(conn: &Conn, named: &[Named<'_>]) -> Result<Vec<Option<ReportRow>>, WriteError> {
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = named.iter().map(|name| (name.source, &name.new));
    let ids = store::find_reports(conn, wanted).await?;
    let rows = reports::lock_all(conn, ids.values().copied().collect()).await?;
    let live = |row: &&ReportRow| row.deleted_at.is_none() && row.state != ReportState::Withdrawn;
    Ok((0..named.len())
        .map(|n| rows.get(ids.get(&n)?).filter(live).cloned())
        .collect())
}

/// Why a report is not made: it would stay empty.
fn why_not(work: &Work<'_>, name: &Named<'_>) -> Option<Why> {
    if matches!(
        work.plan.strategy,
        ImportStrategy::Update | ImportStrategy::Delete
    ) {
        let fault = Fault::at("", "row_unknown", text_unknown());
        return Some(Why::Common(RowOutcome::Invalid, vec![fault]));
    }
    if name.lines.iter().all(|line| line.expects.is_some()) {
        let fault = Fault::at("/ifVersion", "version_changed", no_report());
        return Some(Why::Common(RowOutcome::Conflict, vec![fault]));
    }
    let area = name.new.area.as_str();
    let all = || name.lines.iter().map(|line| line.new.new_row(area));
    // As a rule the first one is good, and then it does not matter what the others are.
    let first: Vec<_> = all().take(1).collect();
    if faults(work, area, &first).is_empty() {
        return None;
    }
    let rows: Vec<_> = all().collect();
    let own = faults(work, area, &rows);
    (own.len() == rows.len()).then_some(Why::Own(own))
}

/// Makes reports: all at once, or, if one of them is refused, one by one, so that it is told which.
async fn make(
    conn: &Conn,
    work: &Work<'_>,
    named: Vec<Named<'_>>,
) -> Result<Vec<(String, Found)>, WriteError> {
    let mut made = Vec::with_capacity(named.len());
    if named.is_empty() {
        return Ok(made);
    }
    Savepoint::ROW.set(conn).await?;
    let all = make_all(conn, work, &named).await;
    if let Ok(rows) = all {
        Savepoint::ROW.release(conn).await?;
        let texts = named.iter().map(|name| name.text.to_owned());
        let fresh = rows.into_iter().map(|row| Ok(Report { row, fresh: true }));
        return Ok(texts.zip(fresh).collect());
    }
    if let Err(error) = all {
        // An error of the transaction and not of a row ends it here.
        Refusal::of(error)?;
    }
    Savepoint::ROW.back(conn).await?;
    Savepoint::ROW.release(conn).await?;
    for name in &named {
        made.push((name.text.to_owned(), make_one(conn, work, name).await?));
    }
    Ok(made)
}

async fn make_one(conn: &Conn, work: &Work<'_>, name: &Named<'_>) -> Result<Found, WriteError> {
    let name = std::slice::from_ref(name);
    // The one before may be the same report, named in another way.
    if let Some(row) = there(conn, name).await?.pop().flatten() {
        return Ok(Ok(old(row)));
    }
    Savepoint::ROW.set(conn).await?;
    let made = match make_all(conn, work, name).await {
        Ok(rows) => {
            let row = rows.into_iter().next().ok_or(diesel::NotFound)?;
            Ok(Report { row, fresh: true })
        }
        Err(error) => {
            let missing = Missing::of(error, Tells::Nothing)?;
            Savepoint::ROW.back(conn).await?;
            Err(missing)
        }
    };
    Savepoint::ROW.release(conn).await?;
    Ok(made)
}

/// Makes reports, with their first version in the history.
async fn make_all(
    conn: &Conn,
    work: &Work<'_>,
    named: &[Named<'_>],
) -> Result<Vec<ReportRow>, WriteError> {
    let ids: Vec<Uuid> = named.iter().map(|_| Uuid::now_v7()).collect();
    let new = ids.iter().zip(named);
    let new = new.map(|(id, name)| Ok((*id, name.new.change(name.source)?)));
    reports::insert_all(conn, new.collect::<ApiResult<_>>()?).await?;
    let made = reports::lock_all(conn, ids.clone()).await?;
    let made: Vec<ReportRow> = ids.iter().filter_map(|id| made.get(id).cloned()).collect();
    let versions = made.iter().map(|row| (None, row.clone())).collect();
    resource::record_all::<Reports>(conn, &work.view, VersionOp::Create, versions).await?;
    Ok(made)
}

/// Keeps the versions of reports that their observations are about to change, once for all of their rows.
///
/// # Errors
/// When a statement fails.
pub(super) async fn will_change(
    conn: &Conn,
    work: &Work<'_>,
    reports: impl IntoIterator<Item = &ReportRow>,
) -> Result<(), WriteError> {
    let mut rows: Vec<ReportRow> = Vec::new();
    {
        let looked = work.looked.borrow();
        let new = reports.into_iter();
        rows.extend(
            new.filter(|report| !looked.changed.contains_key(&report.id))
                .cloned(),
        );
    }
    resource::before_changes::<Reports>(conn, &work.view, rows.clone()).await?;
    let mut looked = work.looked.borrow_mut();
    looked
        .changed
        .extend(rows.iter().map(|row| (row.id, row.version())));
    Ok(())
}

/// Counts up the versions of the reports whose observations changed.
///
/// # Errors
/// When a statement fails.
pub async fn touch(conn: &Conn, work: &Work<'_>) -> Result<(), WriteError> {
    let before = std::mem::take(&mut work.looked.borrow_mut().changed);
    if before.is_empty() {
        return Ok(());
    }
    reports::touch_all(conn, before.keys().copied().collect()).await?;
    keep_changed(conn, work, &before).await
}

/// Keeps the versions that changes have made of reports.
async fn keep_changed(
    conn: &Conn,
    work: &Work<'_>,
    before: &BTreeMap<Uuid, i64>,
) -> Result<(), WriteError> {
    let now = reports::lock_all(conn, before.keys().copied().collect()).await?;
    let versions = before
        .iter()
        .filter_map(|(id, version)| Some((Some(*version), now.get(id)?.clone())));
    let versions = versions.collect();
    resource::record_all::<Reports>(conn, &work.view, VersionOp::Update, versions).await
}

/// Submits those of the reports that are drafts.
///
/// # Errors
/// When a statement fails.
pub async fn submit(conn: &Conn, work: &Work<'_>, ids: &[Uuid]) -> Result<(), WriteError> {
    for ids in ids.chunks(AT_ONCE) {
        let drafts = reports::lock_all(conn, ids.to_vec()).await?.into_values();
        let drafts: BTreeMap<Uuid, ReportRow> = drafts
            .filter(|report| report.state == ReportState::Draft && report.deleted_at.is_none())
            .map(|report| (report.id, report))
            .collect();
        let rows = drafts.values().cloned().collect();
        resource::before_changes::<Reports>(conn, &work.view, rows).await?;
        together(drafts.values().map(|report| turn(conn, work, report))).await?;
        let before = drafts.values().map(|report| (report.id, report.version));
        keep_changed(conn, work, &before.collect()).await?;
    }
    Ok(())
}

/// So many reports are submitted with one statement each way.
const AT_ONCE: usize = 500;

async fn turn(conn: &Conn, work: &Work<'_>, report: &ReportRow) -> Result<(), WriteError> {
    let change = StateChange {
        state: ReportState::Submitted,
        withdrawn_reason: None,
        submitted_by: Some(&work.plan.client),
        submitted_at: Some(work.view.now),
        approved_by: None,
        approved_at: None,
    };
    reports::turn(conn, report.id, change).await?;
    let detail = json!({"report": report.id, "from": report.state, "to": ReportState::Submitted});
    let areas = [&report.area_code];
    audit::note(conn, AuditAction::ReportStateChanged, &areas, detail).await?;
    Ok(())
}
