//! "In any of these areas", as a filter.

use crate::access::inside;
use crate::db::fragment::Condition;
use crate::values::AreaCode;

/// The rows whose `area_code` lies in any of the areas.
#[must_use]
pub fn within<'a>(areas: impl IntoIterator<Item = &'a AreaCode>) -> Condition {
    areas
        .into_iter()
        .fold(Condition::sql("(false"), |sql, area| {
            sql.push(" OR ").then(inside(area.as_str()))
        })
        .push(")")
}
