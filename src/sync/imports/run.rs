//! The rows of a file through the database: part by part, with what closes the whole.

use std::cell::RefCell;

use diesel_async::SimpleAsyncConnection;

use super::codes::{ImportMode, ImportState, ImportStrategy};
use super::many;
use super::observations;
use super::outcome::{Counts, FileFault, RowResult};
use super::parts::{Parts, Unread};
use super::payload::{File, Given, Survey, Surveyed};
use super::plan::Plan;
use super::replace;
use super::store::{self, End, Progress, Request};
use super::types::ImportType;
use super::work::Work;
use crate::by_type;
use crate::db::once;
use crate::db::{Conn, Shared, WriteError};
use crate::formats::read::ReadFault;
use crate::http::once::in_progress;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// Writes some rows in this transaction.
///
/// # Errors
/// What ends the transaction.
pub async fn part(
    conn: &Conn,
    work: &Work<'_>,
    given: &[Given],
) -> Result<Vec<RowResult>, WriteError> {
    by_type!(work.plan.resource, R => {
        many::write::<R>(conn, work, given).await
    }, observations => observations::write(conn, work, given).await)
}

/// What was done when all rows were written.
#[derive(Default)]
pub struct Closed {
    /// Rows that `replace` deleted.
    pub rows: Vec<RowResult>,
    /// Why all of it is refused.
    pub fault: Option<Fault>,
}

/// Ends what is done in one transaction: deletes what a replacing file does not name, counts up the versions of reports,
/// and submits them.
///
/// # Errors
/// What ends the transaction.
pub async fn close(conn: &Conn, work: &Work<'_>, counts: &Counts) -> Result<Closed, WriteError> {
    let plan = work.plan;
    let mut closed = Closed::default();
    if plan.strategy == ImportStrategy::Replace && counts.refused() == 0 {
        closed = by_type!(plan.resource, R => {
            let (left, there) = replace::left_over::<R>(conn, work).await?;
            match too_many(plan, left.len(), there, counts) {
                Some(fault) => refused(fault),
                None => removed(replace::remove::<R>(conn, work, left).await?),
            }
        }, observations => {
            let (left, there) = observations::left_over(conn, work).await?;
            match too_many(plan, left.len(), there, counts) {
                Some(fault) => refused(fault),
                None => removed(observations::remove(conn, work, left).await?),
            }
        });
    }
    if plan.resource == ImportType::Observations {
        observations::touch(conn, work).await?;
        if plan.submit {
            let whole = observations::whole(work);
            observations::submit(conn, work, &whole).await?;
        }
    }
    Ok(closed)
}

fn refused(fault: Fault) -> Closed {
    Closed {
        rows: Vec::new(),
        fault: Some(fault),
    }
}

fn removed(rows: Vec<RowResult>) -> Closed {
    Closed { rows, fault: None }
}

/// Whether a replacing file would delete more than a fifth of what was there before it, and nobody has confirmed how many.
fn too_many(plan: &Plan, left: usize, there: usize, counts: &Counts) -> Option<Fault> {
    let before = there.saturating_sub(usize::try_from(counts.created).unwrap_or_default());
    let confirmed = plan.confirm_delete == i64::try_from(left).ok();
    if confirmed || left * 5 <= before {
        return None;
    }
    Some(Fault::at(
        "",
        "replace_deletes_too_much",
        text(
            format!(
                "Filen skulle ta bort {left} av {before} rader. Fler än en femtedel tas bara bort med confirmDelete={left}."
            ),
            format!(
                "The file would delete {left} of {before} rows. More than a fifth are deleted only with confirmDelete={left}."
            ),
        ),
    ))
}

/// Checks now what the database otherwise checks at the end of the transaction: a dry run has none.
///
/// # Errors
/// What the database refuses.
pub async fn check_all(mut conn: &Conn) -> Result<(), WriteError> {
    conn.batch_execute("SET CONSTRAINTS ALL IMMEDIATE").await?;
    Ok(())
}

/// How an import went that was answered at once.
#[derive(Debug)]
pub struct Answer {
    /// How it ended.
    pub end: End,
    /// Its rows.
    pub rows: Vec<RowResult>,
}

/// How a transaction was left, if not by an error.
enum Left {
    /// Its key belongs to another request.
    Taken,
    /// It was taken back: a dry run, or a file that is refused.
    Back(Vec<RowResult>, Option<Fault>),
}

/// Why a file cannot be read, as it is told.
#[must_use]
pub fn unreadable(faults: &[ReadFault]) -> Vec<FileFault> {
    faults.iter().map(FileFault::from).collect()
}

/// Writes the row of an import, and with it its key. Says whether the key was free.
///
/// # Errors
/// 409 `idempotency_in_progress` while the same request is being carried out for longer than one waits.
pub async fn claim(
    conn: &Conn,
    plan: &Plan,
    request: &Request,
    queued: bool,
) -> Result<bool, WriteError> {
    match store::insert(conn, plan, request, queued).await {
        Err(error) if once::is_held_up(&error) => Err(in_progress().into()),
        inserted => Ok(inserted?),
    }
}

/// Imports a small file in one transaction; none if its key belongs to another request.
///
/// # Errors
/// When the database does not do it.
pub async fn at_once(
    shared: &Shared,
    file: &File,
    survey: Surveyed,
    request: &Request,
) -> ApiResult<Option<Answer>> {
    let plan = &*file.plan;
    let survey = match survey {
        Ok(survey) => survey,
        Err(faults) => {
            let answer = nothing(unreadable(&faults));
            return keep(shared, plan, request, answer).await;
        }
    };
    let mut given = Vec::new();
    let mut parts = Parts::of(file, &survey, 0);
    while let Some(part) = parts.next().await {
        match part {
            Ok(rows) => given.extend(rows),
            Err(Unread::Faults(faults)) => {
                let answer = nothing(unreadable(&faults));
                return keep(shared, plan, request, answer).await;
            }
            Err(Unread::Broken(problem)) => return Err(problem),
        }
    }
    let work = Work::new(shared.clock(), plan, &survey);
    let left = RefCell::new(None);
    // What it is taken back with; nobody sees it.
    let back = |why| {
        left.replace(Some(why));
        WriteError::from(Problem::new(ProblemKind::Conflict))
    };
    let ran = shared
        .write_long(async |conn| {
            // It may run again after losing a race.
            work.looked.borrow_mut().forget();
            work.touched.borrow_mut().clear();
            work.homes.borrow_mut().clear();
            if !plan.dry_run && !claim(conn, plan, request, false).await? {
                return Err(back(Left::Taken));
            }
            let mut rows = part(conn, &work, &given).await?;
            let closed = close(conn, &work, &Counts::of(&rows)).await?;
            rows.extend(closed.rows);
            let refused = plan.mode == ImportMode::Atomic && Counts::of(&rows).refused() > 0;
            if plan.dry_run && closed.fault.is_none() && !refused {
                check_all(conn).await?;
            }
            if plan.dry_run || refused || closed.fault.is_some() {
                return Err(back(Left::Back(rows, closed.fault)));
            }
            let end = ended(&survey, &rows, ImportState::Done, &[]);
            store::rows::insert(conn, plan.id, &rows).await?;
            store::end(conn, plan.id, None, &end).await?;
            Ok(Answer { end, rows })
        })
        .await;
    match (ran, left.take()) {
        (Ok(answer), _) => Ok(Some(answer)),
        (Err(_), Some(Left::Taken)) => Ok(None),
        (Err(_), Some(Left::Back(rows, fault))) => {
            let refused = fault.is_some()
                || (plan.mode == ImportMode::Atomic && Counts::of(&rows).refused() > 0);
            let (state, rows) = if refused {
                let rows = rows.into_iter().filter_map(RowResult::unwritten);
                (ImportState::Refused, rows.collect::<Vec<_>>())
            } else {
                let rows = rows.into_iter().map(RowResult::tried);
                (ImportState::Done, rows.collect())
            };
            let faults: Vec<FileFault> = fault.iter().map(FileFault::from).collect();
            let end = ended(&survey, &rows, state, &faults);
            keep(shared, plan, request, Answer { end, rows }).await
        }
        (Err(problem), None) => Err(problem),
    }
}

fn ended(survey: &Survey, rows: &[RowResult], state: ImportState, faults: &[FileFault]) -> End {
    End {
        state,
        progress: Progress {
            total: Some(survey.total),
            done: survey.total,
            counts: Counts::of(rows),
            head: survey.head.clone(),
        },
        faults: serde_json::to_value(faults).unwrap_or_default(),
    }
}

/// The answer to a file that cannot be read.
fn nothing(faults: Vec<FileFault>) -> Answer {
    let end = End {
        state: ImportState::Refused,
        progress: Progress::default(),
        faults: serde_json::to_value(faults).unwrap_or_default(),
    };
    Answer {
        end,
        rows: Vec::new(),
    }
}

/// Keeps the answer to a request that wrote nothing, so that the same request gets it again; but not a dry run's.
async fn keep(
    shared: &Shared,
    plan: &Plan,
    request: &Request,
    answer: Answer,
) -> ApiResult<Option<Answer>> {
    if plan.dry_run {
        return Ok(Some(answer));
    }
    let kept = shared
        .write_long(async |conn| {
            if !claim(conn, plan, request, false).await? {
                return Ok(false);
            }
            store::rows::insert(conn, plan.id, &answer.rows).await?;
            Ok(store::end(conn, plan.id, None, &answer.end).await?)
        })
        .await?;
    Ok(kept.then_some(answer))
}
