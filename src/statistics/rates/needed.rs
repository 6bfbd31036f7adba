//! What has to be read for a question: the fewest rows, and no more detail of them than it asks for.

use std::collections::BTreeSet;

use crate::statistics::blocks::{Codes, Grain, Wanted};
use crate::statistics::codes::{Dimension, Level};
use crate::statistics::frozen::{Area, Frozen, Measure};
use crate::statistics::query::{Group, Place, Question};

/// The rows that answer a question.
pub(super) struct Needed<'a> {
    pub blocks: Wanted<'a>,
    pub figures: Wanted<'a>,
    pub grain: Grain,
    pub codes: Codes<'a>,
}

impl<'a> Needed<'a> {
    pub fn of(frozen: &'a Frozen, question: &'a Question) -> Self {
        let catalogue = &frozen.catalogue;
        let asked = question.measures.iter().filter_map(|asking| {
            let measure = catalogue.measures.get(asking.measure)?;
            Some((measure, asking.basis.as_str()))
        });
        let mut counted: Vec<(&Measure, &str, &Measure)> = Vec::new();
        let mut quoted: Vec<(&str, &str)> = Vec::new();
        for (measure, basis) in asked {
            if let Some(of) = measure.counted(catalogue) {
                counted.push((of, basis, measure));
            }
            if !measure.counted {
                quoted.push((measure.code.as_str(), basis));
            }
        }
        let mut areas: BTreeSet<&str> = BTreeSet::new();
        let mut levels: BTreeSet<Level> = BTreeSet::new();
        for place in &question.places {
            levels.insert(place.level(frozen));
            match place {
                Place::Area(code) => {
                    areas.insert(code);
                }
                Place::Collaboration(_) | Place::Category(_) | Place::Peers(_) => {
                    for period in question.known_periods(frozen) {
                        areas.extend(place.members(frozen, period));
                    }
                }
            }
        }
        let on_levels = || {
            let on_one = |area: &&Area| levels.contains(&area.level);
            frozen.places.areas.iter().filter(on_one).count()
        };
        // Most of a level is read as one stretch of the index; a few areas are looked up one by one.
        let areas = (areas.len() <= 8 || areas.len() * 2 < on_levels())
            .then(|| areas.into_iter().collect());
        let wanted = |measures| Wanted {
            publication: frozen.id,
            measures,
            levels: levels.iter().copied().collect(),
            areas: areas.clone(),
            periods: &question.periods,
        };
        let mut measures: Vec<(&str, &str)> = counted
            .iter()
            .map(|(of, basis, _)| (of.code.as_str(), *basis))
            .collect();
        measures.sort_unstable();
        measures.dedup();
        Self {
            grain: grain(question, &counted),
            blocks: wanted(measures),
            figures: wanted(quoted),
            codes: codes(frozen, question),
        }
    }
}

fn is_whole(groups: &[Group]) -> bool {
    groups.iter().all(|group| *group == Group::Whole)
}

/// The least detail that answers the question; see [`crate::statistics::cube::folded`].
fn grain(question: &Question, counted: &[(&Measure, &str, &Measure)]) -> Grain {
    let splits = &question.splits;
    let by_subject = !is_whole(&splits.subject.groups);
    let by_form = !is_whole(&splits.form.groups);
    let folded_away = |(of, ..): &(&Measure, &str, &Measure)| {
        by_subject && of.additive.subjects || by_form && of.additive.forms
    };
    let of_ages = |(_, _, measure): &(&Measure, &str, &Measure)| measure.share_ages().is_some();
    if counted.iter().any(folded_away) {
        Grain::Detail
    } else if !is_whole(&splits.age.groups) || counted.iter().any(of_ages) {
        Grain::Ages
    } else {
        Grain::Summary
    }
}

fn codes<'a>(frozen: &'a Frozen, question: &'a Question) -> Codes<'a> {
    let of = |dimension: Dimension, groups: &'a [Group]| -> Vec<&'a str> {
        groups
            .iter()
            .filter_map(|group| group.quoted(dimension))
            .collect()
    };
    let splits = &question.splits;
    let mut ages = of(Dimension::AgeBand, &splits.age.groups);
    // A share of residents aged 6–19 is of all its ages, whichever of the two its source wrote.
    ages.push(Dimension::AgeBand.whole());
    let measures = &frozen.catalogue.measures;
    ages.extend(
        question
            .measures
            .iter()
            .filter_map(|asking| measures.get(asking.measure)?.denominator_ages.as_deref()),
    );
    Codes {
        genders: of(Dimension::Gender, &splits.gender.groups),
        ages,
        subjects: of(Dimension::Subject, &splits.subject.groups),
        forms: of(Dimension::ActivityForm, &splits.form.groups),
    }
}
