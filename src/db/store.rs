//! The queries that every kept table has, generated once: find, lock, bury; and a window of a list.

use diesel::QueryResult;
use futures_util::future::join_all;

use super::catalogue::in_row;
use super::{Conn, WriteError};

/// Writes the rows of a list of the body, each with a statement of its own, sent without waiting for the one before: a
/// refusal names its row, and the statement is prepared once.
///
/// # Errors
/// The refusal of the row at fault.
pub async fn each_row<'c, T>(
    conn: &'c Conn,
    rows: impl IntoIterator<Item = T>,
    write: impl AsyncFn(&'c Conn, T) -> QueryResult<usize>,
) -> Result<(), WriteError> {
    let write = &write;
    let writes = rows
        .into_iter()
        .enumerate()
        .map(|(n, row)| async move { write(conn, row).await.map_err(|error| in_row(error, n)) });
    together(writes).await
}

/// Waits for writes of one transaction that were sent without waiting for each other.
///
/// For all of them, since a refused statement makes PostgreSQL refuse every later one of its transaction, and which
/// of these answers is seen first is a matter of chance.
///
/// # Errors
/// The refusal that made the others fail.
pub async fn together<T>(
    writes: impl IntoIterator<Item = impl Future<Output = Result<T, WriteError>>>,
) -> Result<(), WriteError> {
    cause(join_all(writes).await.into_iter().filter_map(Result::err))
}

fn cause(failed: impl Iterator<Item = WriteError>) -> Result<(), WriteError> {
    match failed.min_by_key(WriteError::rank) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Generates the reading of a window of a list: `window_of!(list: Query => Row)`, where `Query` is the table's boxed query.
///
/// It takes the filtered query as a closure, since it runs it twice when the total is asked for.
#[macro_export]
macro_rules! window_of {
    ($list:ident: $query:ty => $row:ty) => {
        /// The rows of a window, one more than asked for when reading by cursor, and the total when it is asked for.
        ///
        /// # Errors
        /// When a query fails.
        pub async fn $list(
            conn: &$crate::db::Conn,
            window: &$crate::db::window::Window,
            query: impl Fn() -> $query,
        ) -> diesel::QueryResult<(Vec<$row>, Option<i64>)> {
            use diesel::prelude::*;
            use diesel_async::RunQueryDsl;
            let (mut conn, mut counting) = (conn, conn);
            let mut rows = query();
            if let Some(after) = window.after() {
                rows = rows.filter(after);
            }
            let extra = i64::from(!window.counts());
            let rows = rows
                .order_by(window.order_by())
                .limit(window.limit + extra)
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

/// Generates `Query`, `find`, `is_live`, `lock`, `list` and `bury` for a table.
#[macro_export]
macro_rules! store_of {
    ($table:ident, $row:ty, $key:ident: $key_type:ty) => {
        /// A query on the table, with filters to come.
        pub type Query = $crate::schema::$table::BoxedQuery<'static, diesel::pg::Pg>;

        $crate::window_of!(list: Query => $row);

        /// The row with this key, deleted or not.
        ///
        /// # Errors
        /// When the query fails.
        pub async fn find(
            conn: &$crate::db::Conn,
            key: &$key_type,
        ) -> diesel::QueryResult<Option<$row>> {
            use diesel::prelude::*;
            use diesel_async::RunQueryDsl;
            static TEXT: $crate::db::written::Text = $crate::db::written::Text::new();
            let mut conn = conn;
            let query = $crate::schema::$table::table
                .filter($crate::schema::$table::$key.eq(key))
                .select(<$row>::as_select());
            TEXT.of(query).get_result(&mut conn).await.optional()
        }

        /// Whether there is a row with this key that is not deleted: one that others may refer to.
        ///
        /// # Errors
        /// When the query fails.
        pub async fn is_live(
            conn: &$crate::db::Conn,
            key: &$key_type,
        ) -> diesel::QueryResult<bool> {
            use diesel::prelude::*;
            use diesel_async::RunQueryDsl;
            let mut conn = conn;
            let live = $crate::schema::$table::table
                .filter($crate::schema::$table::$key.eq(key))
                .filter($crate::schema::$table::deleted_at.is_null());
            diesel::select(diesel::dsl::exists(live))
                .get_result(&mut conn)
                .await
        }

        /// The row with this key, locked until the transaction ends.
        ///
        /// # Errors
        /// When the query fails.
        pub async fn lock(
            conn: &$crate::db::Conn,
            key: &$key_type,
        ) -> diesel::QueryResult<Option<$row>> {
            use diesel::prelude::*;
            use diesel_async::RunQueryDsl;
            let mut conn = conn;
            $crate::schema::$table::table
                .filter($crate::schema::$table::$key.eq(key))
                .select(<$row>::as_select())
                .for_update()
                .first(&mut conn)
                .await
                .optional()
        }

        /// Turns the row into a tombstone; says how many rows that were (0 or 1).
        ///
        /// # Errors
        /// When the statement fails.
        pub async fn bury(conn: &$crate::db::Conn, key: &$key_type) -> diesel::QueryResult<usize> {
            use diesel::prelude::*;
            use diesel_async::RunQueryDsl;
            let mut conn = conn;
            diesel::update(
                $crate::schema::$table::table.filter($crate::schema::$table::$key.eq(key)),
            )
            .set($crate::schema::$table::deleted_at.eq(diesel::dsl::now))
            .execute(&mut conn)
            .await
        }
    };
}

/// Says what every kept row has, by its column names.
#[macro_export]
macro_rules! kept {
    ($row:ty, $key:ident: $key_type:ty, visible $visible:expr) => {
        impl $crate::http::resource::Kept for $row {
            type Key = $key_type;
            fn key(&self) -> &$key_type {
                &self.$key
            }
            fn area(&self) -> &str {
                &self.area_code
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn deleted_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
                self.deleted_at
            }
            fn visible(&self, reach: &$crate::access::Reach) -> bool {
                let visible: fn(&$row, &$crate::access::Reach) -> bool = $visible;
                visible(self, reach)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use diesel::result::{DatabaseErrorKind, Error as QueryError};

    use super::*;
    use crate::problem::Problem;

    fn said(message: &str) -> WriteError {
        QueryError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned())).into()
    }

    const FOLLOWS: &str =
        "current transaction is aborted, commands ignored until end of transaction block";

    #[test]
    fn what_failed_because_of_another_is_not_the_cause() {
        let text = |failed: Vec<WriteError>| format!("{:?}", cause(failed.into_iter()));
        let full = || said("No space left on device");
        assert!(text(vec![said(FOLLOWS), full()]).contains("No space"));
        assert!(text(vec![full(), said(FOLLOWS)]).contains("No space"));
        assert!(text(vec![full(), said("deadlock detected")]).contains("No space"));
        let refused = || Problem::not_found().into();
        assert!(text(vec![said(FOLLOWS), said(FOLLOWS), refused()]).contains("Refused"));
        assert_eq!(text(Vec::new()), "Ok(())");
    }
}
