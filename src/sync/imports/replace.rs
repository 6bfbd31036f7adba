//! What a file that replaces deletes: the rows of its scope that it does not name.

use super::codes::RowOutcome;
use super::kinds::{Imported, KeyOf, under};
use super::outcome::{Refusal, RowResult};
use super::work::Work;
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, WriteError};
use crate::http::resource::{self, Kept};
use crate::problem::Problem;

/// What a replacing file would delete: the live rows of its scope that it does not name; and how many there were.
///
/// # Errors
/// When a query fails.
pub async fn left_over<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
) -> Result<(Vec<KeyOf<R>>, usize), WriteError> {
    let condition = match &work.plan.scope {
        Some(areas) => R::kept_inside(areas),
        None => R::kept_by(work.homes.borrow().iter().cloned().collect()),
    };
    let there = under::<R>(conn, &condition).await?;
    let touched = work.touched.borrow();
    // What this file has just made was not there before.
    let rows = there
        .iter()
        .filter(|row| !touched.contains_key(&row.key().to_string()))
        .filter(|row| row.visible(&work.reach))
        .map(|row| row.key().clone())
        .collect();
    Ok((rows, there.len()))
}

/// Deletes rows that a replacing file does not name.
///
/// # Errors
/// What ends the transaction.
pub async fn remove<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    keys: Vec<KeyOf<R>>,
) -> Result<Vec<RowResult>, WriteError> {
    let mut results = Vec::with_capacity(keys.len());
    for (position, key) in (work.survey.total..).zip(keys) {
        Savepoint::ROW.set(conn).await?;
        let removed = async {
            let row = R::lock(conn, &key).await?.ok_or_else(Problem::not_found)?;
            resource::alive(&row, &work.reach)?;
            work.reach.cover(row.area(), "/area")?;
            resource::bury::<R>(conn, &work.view, row).await
        };
        let mut result = RowResult {
            position,
            line: None,
            outcome: RowOutcome::Deleted,
            entity: Some(key.to_string()),
            version: None,
            errors: Vec::new(),
            notes: Vec::new(),
            existing: None,
            given: None,
        };
        if let Err(error) = removed.await {
            let refusal = Refusal::of(error)?;
            Savepoint::ROW.back(conn).await?;
            result.outcome = refusal.outcome;
            result.errors = refusal
                .faults
                .iter()
                .map(|fault| work.places.error(fault, None))
                .collect();
        }
        Savepoint::ROW.release(conn).await?;
        results.push(result);
    }
    Ok(results)
}
