//! The part of a list that a request asks for: order, position, length.
//!
//! Two ways to move: by page (offset, with a total), or by cursor (keyset, no total, no row lost or doubled while
//! rows are added). Every order ends in the key of the table, so it is total. Missing values come last in both
//! directions. Text is ordered by Swedish rules.

use diesel::sql_types::{Bool, Nullable};

use super::fragment::{Condition, Fragment};

/// Something a list can be sorted by: the name in the API, the SQL, and how a cursor's text becomes the SQL type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The name in `sort=`.
    pub name: &'static str,
    expression: &'static str,
    cast: &'static str,
}

impl SortKey {
    /// Swedish text.
    #[must_use]
    pub const fn text(name: &'static str, expression: &'static str) -> Self {
        Self {
            name,
            expression,
            cast: "::text COLLATE \"sv-SE-x-icu\"",
        }
    }

    /// A code, ordered byte by byte.
    #[must_use]
    pub const fn code(name: &'static str, expression: &'static str) -> Self {
        Self {
            name,
            expression,
            cast: "::text COLLATE \"C\"",
        }
    }

    /// Any other type; `cast` is like `::date`.
    #[must_use]
    pub const fn typed(name: &'static str, expression: &'static str, cast: &'static str) -> Self {
        Self {
            name,
            expression,
            cast,
        }
    }

    /// Whether a cursor's text is a value of this key: it comes from outside, and PostgreSQL would fail on it.
    #[must_use]
    pub fn reads(self, text: &str) -> bool {
        match self.cast {
            "::uuid" => text.parse::<uuid::Uuid>().is_ok(),
            // Four-digit years only: chrono reads dates that PostgreSQL does not have.
            "::date" => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
            // In UTC, as they are written; PostgreSQL knows no displacement of 16 hours or more.
            "::timestamptz" => {
                text.starts_with('2')
                    && text.ends_with("+00:00")
                    && chrono::DateTime::parse_from_rfc3339(text).is_ok()
            }
            "::bigint" => text.parse::<i64>().is_ok(),
            "::integer" => text.parse::<i32>().is_ok(),
            // As they are written: Rust reads 1e999 as infinity and 1e-999 as zero, PostgreSQL does not.
            "::double precision" => text
                .parse::<f64>()
                .is_ok_and(|n| n.is_finite() && n.to_string() == text),
            _ => !text.contains('\0'),
        }
    }
}

/// A row that can be the last of a page: the value of each of its sort keys as text.
pub trait Sortable {
    /// The keys a client may sort by; the first is the default order.
    const KEYS: &'static [SortKey];
    /// The unique key that ends every order.
    const UNIQUE: SortKey;
    /// The value of one key, as PostgreSQL would read it back; none if it is missing.
    fn sort_value(&self, key: &str) -> Option<String>;
}

/// One term of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortTerm {
    /// What is sorted by.
    pub key: SortKey,
    /// From the largest down.
    pub descending: bool,
}

/// Where the window begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// After this many rows.
    Offset(i64),
    /// At the beginning, to be followed by cursor.
    Start,
    /// After the row with these sort values, in the order of the terms.
    After(Vec<Option<String>>),
}

/// The window itself.
#[derive(Clone, Debug)]
pub struct Window {
    /// The order; ends in a unique key.
    pub order: Vec<SortTerm>,
    /// When searching without an explicit order: best match first.
    pub relevance: Option<Fragment<Nullable<Bool>>>,
    /// Where to begin.
    pub position: Position,
    /// How many rows at the most.
    pub limit: i64,
}

impl Window {
    /// Whether the total is asked for: by page only, since a total costs a second query.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self.position, Position::Offset(_))
    }

    /// The first row, counted from 0.
    #[must_use]
    pub fn offset(&self) -> i64 {
        match self.position {
            Position::Offset(offset) => offset,
            _ => 0,
        }
    }

    /// `ORDER BY` terms.
    #[must_use]
    pub fn order_by(&self) -> Fragment<Nullable<Bool>> {
        let mut sql = Fragment::default();
        if let Some(relevance) = &self.relevance {
            sql = sql.then(relevance.clone()).push(", ");
        }
        for (n, term) in self.order.iter().enumerate() {
            if n > 0 {
                sql = sql.push(", ");
            }
            sql = sql
                .push(term.key.expression)
                .push(collation(term.key))
                .push(if term.descending {
                    " DESC NULLS LAST"
                } else {
                    " ASC NULLS LAST"
                });
        }
        sql
    }

    /// The condition that begins after the cursor's row: for each term, equal in all before it and later in itself.
    #[must_use]
    pub fn after(&self) -> Option<Condition> {
        let Position::After(values) = &self.position else {
            return None;
        };
        let mut any = Condition::sql("(");
        let mut first = true;
        for n in 0..self.order.len() {
            let Some((term, Some(value))) = self.order.get(n).zip(values.get(n)) else {
                continue; // missing values are last: nothing comes after them in this term
            };
            any = any.push(if first { "(" } else { " OR (" });
            first = false;
            for (earlier, value) in self.order.iter().zip(values).take(n) {
                any = any.push(earlier.key.expression);
                any = match value {
                    Some(value) => any
                        .push(" = ")
                        .bind(value.as_str())
                        .push(earlier.key.cast)
                        .push(" AND "),
                    None => any.push(" IS NULL AND "),
                };
            }
            let nullable = n + 1 < self.order.len();
            any = any
                .push(if nullable { "(" } else { "" })
                .push(term.key.expression)
                .push(collation(term.key));
            any = any
                .push(if term.descending { " < " } else { " > " })
                .bind(value.as_str())
                .push(term.key.cast);
            if nullable {
                any = any.push(" OR ").push(term.key.expression).push(" IS NULL)");
            }
            any = any.push(")");
        }
        Some(if first {
            Condition::sql("false")
        } else {
            any.push(")")
        })
    }
}

fn collation(key: SortKey) -> &'static str {
    key.cast.strip_prefix("::text").unwrap_or("")
}
