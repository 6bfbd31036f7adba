//! Rows of a part that are looked for and made together, where a kind of rows can do that. What becomes of each row is what
//! would have become of it alone: whatever is not plainly so is done alone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::codes::{ImportStrategy, RowOutcome};
use super::kinds::{Imported, Settled, Sought};
use super::outcome::{Refusal, RowResult};
use super::payload::Given;
use super::rows::{self, Compared, Row};
use super::work::Work;
use crate::db::history::VersionOp;
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, WriteError};
use crate::http::resource::{self, Kept};

/// Writes rows in this transaction, in the order of the file or together.
///
/// # Errors
/// What ends the transaction.
pub async fn write<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    given: &[Given],
) -> Result<Vec<RowResult>, WriteError> {
    let mut made = Vec::new();
    let results = if let Some(results) = together::<R>(conn, work, given, &mut made).await? {
        results
    } else {
        let mut results = Vec::with_capacity(given.len());
        for given in given {
            results.push(rows::write::<R>(conn, work, given, &mut made).await?);
        }
        results
    };
    let made = made.into_iter().map(|row| (None, row)).collect();
    resource::record_all::<R>(conn, &work.view, VersionOp::Create, made).await?;
    Ok(results)
}

/// What is to be written of a row that no rule speaks against so far.
struct Step<'a, R: Imported> {
    given: &'a Given,
    /// The row that it changes, locked; none if it is new.
    found: Option<R::Row>,
    content: R::In,
}

/// Rows that name each other in no way: none of them has an id, and the file was searched for doubled names. So it does
/// not matter that new ones come after those that are there. None if they are to be written one by one.
async fn together<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    given: &[Given],
    made: &mut Vec<R::Row>,
) -> Result<Option<Vec<RowResult>>, WriteError> {
    if work.plan.strategy == ImportStrategy::Delete {
        return Ok(None);
    }
    let mut results: BTreeMap<i64, RowResult> = BTreeMap::new();
    let mut read = Vec::with_capacity(given.len());
    for given in given {
        match work.members(given) {
            Ok(members) => read.push((given, Row::<R>::read(members))),
            Err(refused) => drop(results.insert(given.position, *refused)),
        }
    }
    if read.iter().any(|(_, row)| !row.is_plain()) {
        return Ok(None);
    }
    let names: Vec<_> = read.iter().map(|(_, row)| row.name.as_ref()).collect();
    let Some(sought) = R::sought(conn, &names).await? else {
        return Ok(None);
    };
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for ((given, mut row), sought) in read.into_iter().zip(sought) {
        let result = match sought {
            Sought::Alone => rows::write::<R>(conn, work, given, made).await?,
            Sought::There(found, settled) => {
                settle(&mut row, settled);
                match row.compare(conn, work, &found, given.position).await? {
                    Some(Compared::Same) => {
                        let (key, version) = (found.key().to_string(), found.version());
                        work.done(given, RowOutcome::Unchanged, Some(key), Some(version))
                    }
                    Some(Compared::Other(content)) => {
                        let found = Some(found);
                        changed.push(Step {
                            given,
                            found,
                            content,
                        });
                        continue;
                    }
                    None => rows::finish(conn, work, given, (row, Some(found)), made).await?,
                }
            }
            Sought::Free(_) if work.plan.strategy == ImportStrategy::Update => {
                rows::write::<R>(conn, work, given, made).await?
            }
            Sought::Free(settled) => {
                settle(&mut row, settled);
                match row.fresh(work) {
                    Ok(content) => {
                        fresh.push(Step {
                            given,
                            found: None,
                            content,
                        });
                        continue;
                    }
                    Err(error) => work.refused(given, Refusal::of(error)?),
                }
            }
        };
        results.insert(result.position, result);
    }
    for steps in [changed, fresh] {
        for result in carry_out::<R>(conn, work, steps, made).await? {
            results.insert(result.position, result);
        }
    }
    Ok(Some(results.into_values().collect()))
}

/// Puts the ids of what a row refers to in the place of names.
fn settle<R: Imported>(row: &mut Row<R>, settled: Settled) {
    if let Value::Object(members) = &mut row.content {
        members.extend(settled.into_iter().map(|(name, id)| (name.to_owned(), id)));
    }
}

/// Makes rows or changes them: all at once, or, if one of them is refused, each half, until it is known which.
async fn carry_out<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    steps: Vec<Step<'_, R>>,
    made: &mut Vec<R::Row>,
) -> Result<Vec<RowResult>, WriteError> {
    let mut results = Vec::with_capacity(steps.len());
    let mut waiting = vec![steps];
    while let Some(mut all) = waiting.pop() {
        if let [one] = all.as_slice() {
            results.push(rows::write::<R>(conn, work, one.given, made).await?);
            continue;
        }
        if all.is_empty() {
            continue;
        }
        Savepoint::ROW.set(conn).await?;
        let written = write_all::<R>(conn, work, &all).await;
        if let Err(error) = &written {
            log::debug!("of {} rows one is refused: {error:?}", all.len());
            Savepoint::ROW.back(conn).await?;
        }
        Savepoint::ROW.release(conn).await?;
        match written {
            Ok(rows) => {
                for (step, row) in all.into_iter().zip(rows) {
                    let (key, version) = (row.key().to_string(), row.version());
                    let outcome = if step.found.is_some() {
                        RowOutcome::Updated
                    } else {
                        let position = step.given.position;
                        work.touched.borrow_mut().insert(key.clone(), position);
                        made.push(row);
                        RowOutcome::Created
                    };
                    results.push(work.done(step.given, outcome, Some(key), Some(version)));
                }
            }
            Err(error) => {
                // An error of the transaction and not of a row ends it here.
                Refusal::of(error)?;
                let second = all.split_off(all.len() / 2);
                waiting.extend([second, all]);
            }
        }
    }
    Ok(results)
}

/// Writes steps of one kind, and gives the rows as they are then. Of those that were changed the versions are kept; those of
/// new ones are later, with those that were made alone.
async fn write_all<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    steps: &[Step<'_, R>],
) -> Result<Vec<R::Row>, WriteError> {
    let found: Vec<R::Row> = steps.iter().filter_map(|step| step.found.clone()).collect();
    let content = steps.iter().map(|step| &step.content);
    if found.is_empty() {
        return R::insert_all(conn, content).await;
    }
    resource::before_changes::<R>(conn, &work.view, found.clone()).await?;
    let now = R::update_all(conn, found.iter().zip(content)).await?;
    let versions = found.iter().zip(&now);
    let versions = versions.map(|(before, now)| (Some(before.version()), now.clone()));
    resource::record_all::<R>(conn, &work.view, VersionOp::Update, versions.collect()).await?;
    Ok(now)
}
