//! What each mistake in a good document costs.
//!
//! A rule that finds nothing in a good document proves little until it has found something in a bad
//! one. Each mutation names exactly the tests that it breaks; together they break every test once.

mod addresses;
mod answers;
mod descriptions;
mod messages;
mod sample;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::RULES;

/// One mistake: what it is, how it is made, which tests tell.
struct Mutation {
    what: &'static str,
    make: fn(&mut Value),
    told_by: &'static [&'static str],
}

const fn mutation(
    what: &'static str,
    make: fn(&mut Value),
    told_by: &'static [&'static str],
) -> Mutation {
    Mutation {
        what,
        make,
        told_by,
    }
}

fn mutations() -> impl Iterator<Item = &'static Mutation> {
    [
        descriptions::MISTAKES,
        addresses::MISTAKES,
        answers::MISTAKES,
        messages::MISTAKES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn the_small_document_keeps_every_rule() {
    let document = sample::clean();
    for (sentence, rule) in RULES {
        assert_eq!(rule(&document), Vec::<String>::new(), "{sentence}");
    }
}

#[test]
fn each_mistake_is_told_by_its_rules_and_by_no_other() {
    for Mutation {
        what,
        make,
        told_by,
    } in mutations()
    {
        let mut document = sample::clean();
        make(&mut document);
        let told: BTreeSet<&str> = RULES
            .iter()
            .filter(|(_, rule)| !rule(&document).is_empty())
            .map(|(sentence, _)| *sentence)
            .collect();
        assert_eq!(told, told_by.iter().copied().collect(), "{what}");
    }
}

#[test]
fn every_rule_has_a_mistake_that_it_tells() {
    let told: BTreeSet<&str> = mutations()
        .flat_map(|mutation| mutation.told_by)
        .copied()
        .collect();
    let silent: Vec<&str> = RULES
        .iter()
        .map(|(sentence, _)| *sentence)
        .filter(|sentence| !told.contains(sentence))
        .collect();
    assert_eq!(silent, Vec::<&str>::new());
}
