//! A statement whose text is written once.
//!
//! Diesel writes the SQL of a statement anew each time it runs, column by column and with an allocation for each name,
//! only to find the prepared statement by its type. For a row by its key that cost as much as reading the answer.
//! [`Text::of`] keeps the text of the first time; binds are collected as ever.

use std::any::TypeId;
use std::sync::OnceLock;

use diesel::pg::{Pg, PgQueryBuilder};
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// The text of one statement; a `static` beside the query.
#[derive(Debug, Default)]
pub struct Text(OnceLock<(TypeId, String)>);

impl Text {
    /// Not written yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The query, with this as its text. Its type must say all of the text, as that of a boxed query does not: that
    /// is checked when it is compiled.
    #[must_use]
    pub fn of<Q: QueryId>(&'static self, query: Q) -> Written<Q> {
        const { assert!(Q::HAS_STATIC_QUERY_ID, "the text is not always the same") };
        Written { query, text: self }
    }
}

/// A query whose text is known.
#[derive(Clone, Copy, Debug)]
pub struct Written<Q> {
    query: Q,
    text: &'static Text,
}

impl<Q: Query> Query for Written<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: QueryId> QueryId for Written<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: QueryFragment<Pg> + QueryId> QueryFragment<Pg> for Written<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out)
    }

    fn to_sql(&self, out: &mut PgQueryBuilder, backend: &Pg) -> QueryResult<()> {
        let Some(id) = Q::query_id() else {
            return self.query.to_sql(out, backend);
        };
        if self.text.0.get().is_none() {
            let mut fresh = PgQueryBuilder::default();
            self.query.to_sql(&mut fresh, backend)?;
            // Another thread may have been faster; what it wrote is the same.
            let _ = self.text.0.set((id, fresh.finish()));
        }
        match self.text.0.get() {
            Some((known, text)) if *known == id => out.push_sql(text),
            // A `static` in a generic function is one for all its types.
            _ => return self.query.to_sql(out, backend),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::schema::{partners, projects};

    fn sql(query: &impl QueryFragment<Pg>) -> String {
        let mut out = PgQueryBuilder::default();
        query.to_sql(&mut out, &Pg).unwrap();
        out.finish()
    }

    #[test]
    fn the_text_is_diesels_own_and_is_written_once() {
        static TEXT: Text = Text::new();
        for key in [Uuid::nil(), Uuid::max()] {
            let query = || {
                partners::table
                    .filter(partners::id.eq(key))
                    .select(partners::name)
            };
            assert_eq!(sql(&TEXT.of(query())), sql(&query()));
            let shown = diesel::debug_query::<Pg, _>(&TEXT.of(query())).to_string();
            assert!(shown.contains(&key.to_string()), "{shown}");
        }
        assert_eq!(
            TEXT.0.get().unwrap().1,
            r#"SELECT "partners"."name" FROM "partners" WHERE ("partners"."id" = $1)"#
        );
    }

    #[test]
    fn two_queries_on_one_text_are_told_apart() {
        static TEXT: Text = Text::new();
        let partner = partners::table.select(partners::name);
        let project = projects::table.select(projects::id);
        assert_eq!(sql(&TEXT.of(partner)), sql(&partner));
        assert_eq!(sql(&TEXT.of(project)), sql(&project));
    }
}
