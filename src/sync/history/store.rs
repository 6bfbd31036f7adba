//! Queries on the past.

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{TrailRow, audit_trail};
use crate::db::Conn;
use crate::db::history::EntryRow;
use crate::db::window::Window;
use crate::schema::history;

/// A query on the versions, with filters to come.
pub type Versions = history::BoxedQuery<'static, Pg>;
/// A query on the trail, with filters to come.
pub type Trail = audit_trail::BoxedQuery<'static, Pg>;

/// Generates what both lists have: one by its id, and a window.
macro_rules! reads {
    ($table:ident, $query:ty, $row:ty, $find:ident, $list:ident) => {
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

        /// Those of a window, one more than asked for when reading by cursor, and the total when it is asked for.
        ///
        /// # Errors
        /// When a query fails.
        pub async fn $list(
            conn: &Conn,
            window: &Window,
            query: impl Fn() -> $query,
        ) -> QueryResult<(Vec<$row>, Option<i64>)> {
            let (mut conn, mut counting) = (conn, conn);
            let mut rows = query();
            if let Some(after) = window.after() {
                rows = rows.filter(after);
            }
            let rows = rows
                .order_by(window.order_by())
                .limit(window.limit + i64::from(!window.counts()))
                .offset(window.offset())
                .select(<$row>::as_select())
                .load(&mut conn);
            if !window.counts() {
                return Ok((rows.await?, None));
            }
            let total = query().count().get_result(&mut counting);
            let (rows, total) = futures_util::try_join!(rows, total)?;
            Ok((rows, Some(total)))
        }
    };
}
reads!(history, Versions, EntryRow, version, versions);
reads!(audit_trail, Trail, TrailRow, event, trail);
