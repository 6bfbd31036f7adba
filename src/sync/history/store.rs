//! Queries on the past.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{TrailRow, audit_trail};
use crate::db::Conn;
use crate::db::history::EntryRow;
use crate::schema::history;
use crate::window_of;

/// A query on the versions, with filters to come.
pub type Versions = history::BoxedQuery<'static, Pg>;
/// A query on the trail, with filters to come.
pub type Trail = audit_trail::BoxedQuery<'static, Pg>;

window_of!(versions: Versions => EntryRow);
window_of!(trail: Trail => TrailRow);

/// Generates how one is found by its id.
macro_rules! found {
    ($find:ident: $table:ident => $row:ty) => {
        /// The one with this id.
        ///
        /// # Errors
        /// When the query fails.
        pub async fn $find(conn: &Conn, id: Uuid) -> QueryResult<Option<$row>> {
            let mut conn = conn;
            $table::table
                .filter($table::id.eq(id))
                .select(<$row>::as_select())
                .first(&mut conn)
                .await
                .optional()
        }
    };
}
found!(version: history => EntryRow);
found!(event: audit_trail => TrailRow);
