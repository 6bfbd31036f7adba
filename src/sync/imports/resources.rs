//! Imports and their rows as lists.

use diesel::prelude::*;
use uuid::Uuid;

use super::forms::{ImportFilter, ImportOut, OutcomeFilter, OutcomeOut};
use super::model::{ImportRow, OutcomeRow};
use super::store;
use crate::access::Reach;
use crate::db::Conn;
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::http::params::AnyOf;
use crate::http::resource::{Resource, View};
use crate::schema::imports;

/// Imports. What is another client's is hidden by the filter.
pub struct Imports;

impl Resource for Imports {
    const PATH: &'static str = "/imports";
    type Row = ImportRow;
    type Out = ImportOut;
    type Filter = ImportFilter;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }
    fn live() -> Condition {
        Condition::sql("true")
    }
    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<ImportRow>> {
        store::find(conn, id).await
    }
    async fn list(
        conn: &Conn,
        filter: &ImportFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<ImportRow>, Option<i64>)> {
        store::list(conn, window, || {
            let mut query = imports::table.into_boxed();
            for condition in conditions {
                query = query.filter(condition.clone());
            }
            query = query.filter(imports::client_id.eq(filter.client.clone()));
            if let Some(AnyOf(types)) = &filter.resource {
                query = query.filter(imports::resource.eq_any(types.clone()));
            }
            if let Some(AnyOf(states)) = &filter.state {
                query = query.filter(imports::state.eq_any(states.clone()));
            }
            query
        })
        .await
    }
    async fn show(_: &Conn, _: &View, rows: Vec<ImportRow>) -> QueryResult<Vec<ImportOut>> {
        let shown = rows.into_iter().map(|row| ImportOut::from_row(row, None));
        Ok(shown.collect())
    }
}

/// The rows of one import, which the filter names.
pub struct Outcomes;

impl Resource for Outcomes {
    const PATH: &'static str = "/imports/rows";
    type Row = OutcomeRow;
    type Out = OutcomeOut;
    type Filter = OutcomeFilter;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }
    fn live() -> Condition {
        Condition::sql("true")
    }
    /// A row is shown in its list only: its position says nothing without its import.
    async fn find(_: &Conn, _: &i64) -> QueryResult<Option<OutcomeRow>> {
        Ok(None)
    }
    async fn list(
        conn: &Conn,
        filter: &OutcomeFilter,
        _: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<OutcomeRow>, Option<i64>)> {
        // No id is nil: without an import there are no rows.
        let import = filter.import.unwrap_or_default();
        let outcomes = filter.outcome.as_ref().map(|AnyOf(some)| some.as_slice());
        store::rows::list(conn, import, outcomes, window).await
    }
    async fn show(_: &Conn, _: &View, rows: Vec<OutcomeRow>) -> QueryResult<Vec<OutcomeOut>> {
        Ok(rows.into_iter().map(OutcomeOut::from_row).collect())
    }
}
