//! What became of the rows of imports.
//!
//! Of most rows nothing is told but what became of them and of which row or report they are, and of the rows of one report
//! that is the same for hundreds in turn. So they are kept as runs: one stored row tells of a row of the file and of those
//! that follow it.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use super::json;
use crate::db::Conn;
use crate::db::window::{Position, Window};
use crate::schema::import_rows;
use crate::sync::imports::codes::RowOutcome;
use crate::sync::imports::model::OutcomeRow;
use crate::sync::imports::outcome::RowResult;

/// The most rows that are kept as one. Who looks for the row at a position need not look further back than this; the table
/// holds to it.
const LONGEST: i32 = 1_000;

/// Which rows of an import are asked for.
#[derive(Clone, Debug)]
struct Asked<'a> {
    import: Uuid,
    outcomes: Option<&'a [RowOutcome]>,
    /// Behind this position.
    after: i64,
    /// Without so many of the first.
    skip: i64,
    /// At the most.
    limit: i64,
}

impl Asked<'_> {
    async fn told(&self, conn: &Conn) -> QueryResult<Vec<OutcomeRow>> {
        let mut conn = conn;
        diesel::sql_query(include_str!("sql/list_rows.sql"))
            .bind::<SqlUuid, _>(self.import)
            .bind::<Nullable<Array<Text>>, _>(self.outcomes)
            .bind::<BigInt, _>(self.after)
            .bind::<BigInt, _>(self.skip)
            .bind::<BigInt, _>(self.limit)
            .bind::<BigInt, _>(i64::from(LONGEST))
            .load(&mut conn)
            .await
    }

    async fn count(&self, conn: &Conn) -> QueryResult<i64> {
        let mut conn = conn;
        let mut query = import_rows::table
            .filter(import_rows::import_id.eq(self.import))
            .select(diesel::dsl::sum(import_rows::rows))
            .into_boxed();
        if let Some(outcomes) = self.outcomes {
            query = query.filter(import_rows::outcome.eq_any(outcomes));
        }
        let count: Option<i64> = query.first(&mut conn).await?;
        Ok(count.unwrap_or_default())
    }
}

/// All rows of an import, in their order: of one that was answered at once, which has few.
///
/// # Errors
/// When the query fails.
pub async fn all(conn: &Conn, import: Uuid) -> QueryResult<Vec<OutcomeRow>> {
    let asked = Asked {
        import,
        outcomes: None,
        after: -1,
        skip: 0,
        limit: i64::MAX,
    };
    asked.told(conn).await
}

/// The rows of a window, in the order of the file, one more than asked for when reading by cursor; and the total when it is
/// asked for.
///
/// # Errors
/// When a query fails.
pub async fn list(
    conn: &Conn,
    import: Uuid,
    outcomes: Option<&[RowOutcome]>,
    window: &Window,
) -> QueryResult<(Vec<OutcomeRow>, Option<i64>)> {
    let after = match &window.position {
        Position::Start | Position::Offset(_) => -1,
        // A cursor may be made by hand, at either end of all numbers; behind no position there is nothing.
        Position::After(values) => match values.as_slice().first() {
            Some(Some(value)) => value.parse::<i64>().unwrap_or(-1).clamp(-1, i64::MAX - 1),
            _ => i64::MAX - 1,
        },
    };
    let asked = Asked {
        import,
        outcomes,
        after,
        skip: window.offset(),
        limit: window.limit + i64::from(!window.counts()),
    };
    if !window.counts() {
        return Ok((asked.told(conn).await?, None));
    }
    let (rows, total) = futures_util::try_join!(asked.told(conn), asked.count(conn))?;
    Ok((rows, Some(total)))
}

/// The refused rows as they came, with what is wrong with them, in their order.
///
/// # Errors
/// When the query fails.
pub async fn refused(conn: &Conn, id: Uuid) -> QueryResult<Vec<(Value, Option<Value>)>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::given.is_not_null())
        .order_by(import_rows::position)
        .select((import_rows::given.assume_not_null(), import_rows::errors))
        .load(&mut conn)
        .await
}

/// A row, and how many rows from it on it tells of.
struct Run<'a> {
    first: &'a RowResult,
    rows: i32,
}

impl Run<'_> {
    fn goes_on_with(&self, row: &RowResult) -> bool {
        let (first, further) = (self.first, i64::from(self.rows));
        let plain = |row: &RowResult| {
            row.version.is_none()
                && row.errors.is_empty()
                && row.notes.is_empty()
                && row.existing.is_none()
                && row.given.is_none()
        };
        self.rows < LONGEST
            && row.position == first.position + further
            && row.line == first.line.map(|line| line + further)
            && row.outcome == first.outcome
            && row.entity == first.entity
            && plain(first)
            && plain(row)
    }
}

fn runs(rows: &[RowResult]) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some(run) if run.goes_on_with(row) => run.rows += 1,
            _ => runs.push(Run {
                first: row,
                rows: 1,
            }),
        }
    }
    runs
}

/// Keeps what became of rows, which are given in their order.
///
/// # Errors
/// When the database refuses.
pub async fn insert(conn: &Conn, id: Uuid, rows: &[RowResult]) -> QueryResult<usize> {
    fn column<'a, T>(runs: &[Run<'a>], value: impl Fn(&'a RowResult) -> T) -> Vec<T> {
        runs.iter().map(|run| value(run.first)).collect()
    }
    let mut conn = conn;
    let runs = runs(rows);
    diesel::sql_query(include_str!("sql/insert_rows.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<BigInt>, _>(column(&runs, |row| row.position))
        .bind::<Array<Nullable<BigInt>>, _>(column(&runs, |row| row.line))
        .bind::<Array<Text>, _>(column(&runs, |row| row.outcome))
        .bind::<Array<Nullable<Text>>, _>(column(&runs, |row| row.entity.as_deref()))
        .bind::<Array<Nullable<BigInt>>, _>(column(&runs, |row| row.version))
        .bind::<Array<Nullable<Jsonb>>, _>(column(&runs, |row| {
            (!row.errors.is_empty()).then(|| json(&row.errors))
        }))
        .bind::<Array<Nullable<Jsonb>>, _>(column(&runs, |row| row.existing.clone()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(&runs, |row| row.given.clone()))
        .bind::<Array<Nullable<Jsonb>>, _>(column(&runs, |row| {
            (!row.notes.is_empty()).then(|| json(&row.notes))
        }))
        .bind::<Array<Integer>, _>(runs.iter().map(|run| run.rows).collect::<Vec<_>>())
        .execute(&mut conn)
        .await
}

/// Forgets what was said of the rows: they are written anew from the first.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &Conn, id: Uuid) -> QueryResult<usize> {
    let mut conn = conn;
    diesel::delete(import_rows::table.filter(import_rows::import_id.eq(id)))
        .execute(&mut conn)
        .await
}

/// Says of the good rows that nothing of them was written.
///
/// # Errors
/// When a statement fails.
pub async fn unwrite(conn: &Conn, id: Uuid) -> QueryResult<()> {
    let (mut removing, mut conn) = (conn, conn);
    diesel::delete(
        import_rows::table
            .filter(import_rows::import_id.eq(id))
            .filter(import_rows::line.is_null())
            .filter(import_rows::outcome.eq(RowOutcome::Deleted)),
    )
    .execute(&mut removing)
    .await?;
    diesel::sql_query(include_str!("sql/unwrite.sql"))
        .bind::<SqlUuid, _>(id)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// The keys that the rows done so far wrote to, each with its position.
///
/// # Errors
/// When the query fails.
pub async fn touched(conn: &Conn, id: Uuid) -> QueryResult<Vec<(Option<String>, i64)>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::entity.is_not_null())
        .select((import_rows::entity, import_rows::position))
        .load(&mut conn)
        .await
}

/// The positions of the invalid rows of which no report is known, in their order.
///
/// # Errors
/// When the query fails.
pub async fn untold(conn: &Conn, id: Uuid) -> QueryResult<Vec<i64>> {
    let mut conn = conn;
    import_rows::table
        .filter(import_rows::import_id.eq(id))
        .filter(import_rows::outcome.eq(RowOutcome::Invalid))
        .filter(import_rows::entity.is_null())
        .order_by(import_rows::position)
        .select(import_rows::position)
        .load(&mut conn)
        .await
}

/// Says of refused rows, by their positions, which report they are of.
///
/// # Errors
/// When the statement fails.
pub async fn tell_reports(conn: &Conn, id: Uuid, told: &[(i64, Uuid)]) -> QueryResult<usize> {
    let mut conn = conn;
    let (positions, reports): (Vec<i64>, Vec<Uuid>) = told.iter().copied().unzip();
    diesel::sql_query(include_str!("sql/tell_reports.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<BigInt>, _>(positions)
        .bind::<Array<SqlUuid>, _>(reports)
        .execute(&mut conn)
        .await
}

/// The reports of which no row was refused.
///
/// # Errors
/// When the query fails.
pub async fn whole_reports(conn: &Conn, id: Uuid) -> QueryResult<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Report {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let mut conn = conn;
    let reports: Vec<Report> = diesel::sql_query(include_str!("sql/whole_reports.sql"))
        .bind::<SqlUuid, _>(id)
        .load(&mut conn)
        .await?;
    Ok(reports.into_iter().map(|report| report.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::imports::outcome::{RowError, Said};

    fn row(position: i64, outcome: RowOutcome, entity: &str) -> RowResult {
        RowResult {
            position,
            line: Some(position + 2),
            outcome,
            entity: Some(entity.to_owned()),
            version: None,
            errors: Vec::new(),
            notes: Vec::new(),
            existing: None,
            given: None,
        }
    }

    fn lengths(rows: &[RowResult]) -> Vec<(i64, i32)> {
        let runs = runs(rows).into_iter();
        runs.map(|run| (run.first.position, run.rows)).collect()
    }

    #[test]
    fn rows_of_which_the_same_is_told_are_kept_as_one() {
        use RowOutcome::{Created, Unchanged, Updated};
        assert_eq!(lengths(&[]), []);
        let told = [
            (Created, "a"),
            (Created, "a"),
            (Created, "b"),
            (Updated, "b"),
            (Updated, "b"),
            (Unchanged, "b"),
        ];
        let rows: Vec<RowResult> = (0..)
            .zip(told)
            .map(|(position, (outcome, entity))| row(position, outcome, entity))
            .collect();
        assert_eq!(lengths(&rows), [(0, 2), (2, 1), (3, 2), (5, 1)]);
        // No run is longer than who looks back for one.
        let many: Vec<RowResult> = (0..2_500).map(|n| row(n, Created, "a")).collect();
        assert_eq!(lengths(&many), [(0, 1_000), (1_000, 1_000), (2_000, 500)]);
    }

    #[test]
    fn what_is_told_of_one_row_only_stands_alone() {
        let fault = RowError {
            code: "x".to_owned(),
            pointer: None,
            column: None,
            heading: None,
            value: None,
            message: Said {
                sv: String::new(),
                en: String::new(),
            },
        };
        let changes: [fn(&mut RowResult, RowError); 7] = [
            |row, _| row.version = Some(1),
            |row, fault| row.errors = vec![fault],
            |row, fault| row.notes = vec![fault],
            |row, _| row.existing = Some(Value::Null),
            |row, _| row.given = Some(Value::Null),
            // A blank line between them.
            |row, _| row.line = row.line.map(|line| line + 1),
            |row, _| row.line = None,
        ];
        for change in changes {
            let mut rows: Vec<RowResult> =
                (0..3).map(|n| row(n, RowOutcome::Unchanged, "a")).collect();
            change(rows.get_mut(1).unwrap(), fault.clone());
            assert_eq!(lengths(&rows), [(0, 1), (1, 1), (2, 1)]);
        }
    }
}
