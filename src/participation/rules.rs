//! Rules of the database that are also checked here: where a fault must name the row of a list that it lies in, or
//! where the database would see another fault first. The database stays the guard, and the catalogue says the rule.

use crate::db::catalogue::{CONFLICTS, RULES};
use crate::problem::{Fault, text};

/// The fault of breaking a named rule of the database, in the part of the body that `place` points to.
#[must_use]
pub fn broken(rule: &'static str, place: &str) -> Fault {
    let known = RULES.iter().chain(CONFLICTS);
    match known.clone().find(|(name, ..)| *name == rule) {
        Some((name, pointer, sv, en)) => {
            Fault::at(format!("{place}{pointer}"), *name, text(*sv, *en))
        }
        None => Fault::at(place, rule, text(rule, rule)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_rule_lies_in_its_row_and_says_the_sentence_of_the_catalogue() {
        let fault = format!(
            "{:?}",
            broken("observation_value_fits_status", "/observations/12")
        );
        assert!(fault.contains("\"/observations/12/value\""), "{fault}");
        assert!(fault.contains("a missing value is null"), "{fault}");
    }
}
