//! Which partnerships of a publication are meant, where each one is, and in which years it is under way.

use std::ops::RangeInclusive;

use chrono::Datelike;

use super::selection::{Selection, Years};
use crate::statistics::frozen::{Area, Frozen, Partner, Partnership, Project};
use crate::statistics::geography;

/// A partnership that was asked for.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The partnership.
    pub partnership: &'a Partnership,
    /// Its partner.
    pub partner: &'a Partner,
    /// Its project; none in a collaboration.
    pub project: Option<&'a Project>,
    /// The municipality that it is in; none where the source names a wider place only.
    pub municipality: Option<&'a Area>,
    /// The years that it touches; none where no month is known.
    pub years: Option<RangeInclusive<i32>>,
}

/// The partnerships of a selection.
#[derive(Clone, Debug, Default)]
pub struct Choice<'a> {
    /// Those that are meant.
    pub chosen: Vec<Chosen<'a>>,
    /// Left out because years were asked for and none is known of them.
    pub undated: usize,
}

impl<'a> Choice<'a> {
    /// Picks the partnerships that pass every filter.
    #[must_use]
    pub fn new(frozen: &'a Frozen, selection: &Selection) -> Self {
        let mut choice = Self::default();
        let network = &frozen.network;
        for partnership in &network.partnerships {
            let Some(partner) = network.partners.get(partnership.partner) else {
                continue;
            };
            let project = partnership.project.and_then(|n| network.projects.get(n));
            if !passes(frozen, selection, partnership, partner, project) {
                continue;
            }
            let years = years(partnership, project, frozen.published_at.year());
            match &years {
                None if selection.years != Years::All => {
                    choice.undated += 1;
                    continue;
                }
                Some(span) if !selection.years.touch(*span.start(), *span.end()) => continue,
                _ => {}
            }
            choice.chosen.push(Chosen {
                partnership,
                partner,
                project,
                municipality: geography::municipality(&frozen.places, &partnership.area),
                years,
            });
        }
        choice
    }
}

/// Every filter but the years.
fn passes(
    frozen: &Frozen,
    selection: &Selection,
    partnership: &Partnership,
    partner: &Partner,
    project: Option<&Project>,
) -> bool {
    fn one_of<T: PartialEq<U>, U: ?Sized>(wanted: &[T], value: Option<&U>) -> bool {
        wanted.is_empty() || value.is_some_and(|value| wanted.iter().any(|w| w == value))
    }
    let codes = |codes: Vec<&'static str>, value: Option<&str>| {
        codes.is_empty() || value.is_some_and(|value| codes.contains(&value))
    };
    let within = |areas: &[String]| {
        areas.is_empty()
            || areas
                .iter()
                .any(|area| geography::inside(&frozen.places, &partnership.area, area))
    };
    selection
        .civil_society
        .is_none_or(|civil| civil == partner.civil_society)
        && codes(
            selection.categories.iter().map(|c| c.as_str()).collect(),
            Some(&partner.category),
        )
        && codes(
            selection.forms.iter().map(|c| c.as_str()).collect(),
            partnership.form.as_deref(),
        )
        && codes(
            selection.roles.iter().map(|c| c.as_str()).collect(),
            Some(&partnership.role),
        )
        && one_of(&selection.projects, project.map(|project| &project.id))
        && one_of(
            &selection.collaborations,
            partnership.collaboration.as_ref(),
        )
        && within(&selection.municipalities)
        && within(&selection.regions)
}

/// The years that a partnership touches. A month that it does not state itself is that of its project, unless it goes
/// on after the project; without any last month it is under way until the year of the publication. With a last month
/// alone it counts in that year; with none it has no years.
fn years(
    partnership: &Partnership,
    project: Option<&Project>,
    published: i32,
) -> Option<RangeInclusive<i32>> {
    let year = |month: &Option<String>| month.as_deref()?.get(..4)?.parse::<i32>().ok();
    let start = year(&partnership.from).or_else(|| year(&project?.start_month));
    let end = year(&partnership.to).or_else(|| {
        let ends_with_it = partnership.continues != Some(true);
        year(&project?.end_month).filter(|_| ends_with_it)
    });
    match (start, end) {
        (Some(start), Some(end)) => Some(start..=end.max(start)),
        (Some(start), None) => Some(start..=published.max(start)),
        (None, Some(end)) => Some(end..=end),
        (None, None) => None,
    }
}
