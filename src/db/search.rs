//! `q=`: finding Swedish names and texts.
//!
//! Swedish full-text search alone has three holes: *kulturskolan* is not stemmed, *Vara* is a stop word, and *Håbo*
//! and *Habo* are two municipalities. So a row matches by stem, or by word as written, or by prefix, or by similar
//! letters without accents; and the best match is the name exactly as typed, accents included.

use diesel::sql_types::{Bool, Nullable};

use super::fragment::{Bind, Condition, Fragment};

/// The SQL of a search in one table: the name column differs, the rest is the same.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    condition: &'static str,
    rank: &'static str,
}

/// Makes the [`Search`] of a table from its name column.
#[macro_export]
macro_rules! search_in {
    ($name:literal) => {
        $crate::db::search::Search::new(
            concat!(
                "(search @@ websearch_to_tsquery('swedish', ?) OR search @@ plainto_tsquery('simple', ?)",
                " OR fold(", $name, ") LIKE '%' || replace(replace(replace(fold(?), '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'",
                " OR fold(", $name, ") % fold(?) OR fold(?) <% fold(", $name, "))"
            ),
            concat!(
                "CASE WHEN lower(", $name, ") = lower(?) THEN 0 WHEN starts_with(lower(", $name, "), lower(?)) THEN 1",
                " WHEN fold(", $name, ") = fold(?) THEN 2 WHEN starts_with(fold(", $name, "), fold(?)) THEN 3",
                " WHEN search @@ websearch_to_tsquery('swedish', ?) THEN 4 ELSE 5 END,",
                " word_similarity(fold(?), fold(", $name, ")) DESC"
            ),
        )
    };
}

impl Search {
    /// For [`search_in!`]: the condition has five binds, the rank six, each the words searched for.
    #[must_use]
    pub const fn new(condition: &'static str, rank: &'static str) -> Self {
        Self { condition, rank }
    }

    /// The rows that match.
    #[must_use]
    pub fn condition(&self, words: &str) -> Condition {
        Fragment::with(
            self.condition,
            std::iter::repeat_with(|| Bind::from(words)).take(5),
        )
    }

    /// `ORDER BY` terms, best first.
    #[must_use]
    pub fn rank(&self, words: &str) -> Fragment<Nullable<Bool>> {
        Fragment::with(
            self.rank,
            std::iter::repeat_with(|| Bind::from(words)).take(6),
        )
    }
}
