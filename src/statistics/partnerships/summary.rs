//! What stands beside the counts: municipalities without civil society, and what goes on after projects.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;

use super::choice::{Choice, Chosen};
use super::selection::Selection;
use crate::registry::codes::{Continuation, ProjectStatus};
use crate::registry::projects::status::{month_of, status};
use crate::statistics::codes::Level;
use crate::statistics::frozen::{Area, Frozen, Project};
use crate::statistics::geography;

/// How many of how many, with those left out because nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Those that go on.
    pub numerator: u32,
    /// Those of which the source says whether they go on.
    pub denominator: u32,
    /// Those of which it does not.
    pub unknown: u32,
}

impl Part {
    fn take(&mut self, goes_on: Option<bool>) {
        match goes_on {
            None => self.unknown += 1,
            Some(goes_on) => {
                self.denominator += 1;
                self.numerator += u32::from(goes_on);
            }
        }
    }

    /// In percent, two decimals; none of nothing.
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        let share = f64::from(self.numerator) / f64::from(self.denominator);
        (self.denominator > 0).then(|| (share * 10_000.0).round() / 100.0)
    }
}

/// An ended project, and its cooperations in the selection.
#[derive(Clone, Debug)]
pub struct Ended<'a> {
    /// The project.
    pub project: &'a Project,
    /// How many of its partnerships go on.
    pub partnerships: Part,
}

impl Ended<'_> {
    /// Whether all or a part of the project's activities go on; none where the source does not say.
    #[must_use]
    pub fn lives_on(&self) -> Option<bool> {
        let code = self.project.continuation.as_deref()?;
        let lives_on = [Continuation::All, Continuation::Partly];
        if code == Continuation::Unknown.as_str() {
            return None;
        }
        Some(lives_on.iter().any(|known| known.as_str() == code))
    }
}

/// The summary of a selection.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// Municipalities inside the selection on the day of the publication.
    pub municipalities: u32,
    /// Those of them where no partnership of the selection has a partner of civil society, by code.
    pub without_civil_society: Vec<&'a Area>,
    /// Partnerships of ended projects that go on.
    pub partnerships: Part,
    /// Ended projects whose activities go on in full or in part.
    pub projects: Part,
    /// The ended projects, the latest first.
    pub ended: Vec<Ended<'a>>,
}

impl<'a> Summary<'a> {
    /// Of what was chosen. For the municipalities without civil society the wishes about the partners themselves
    /// (`civilSociety`, `category`) do not count: the question is whether there is any.
    #[must_use]
    pub fn new(frozen: &'a Frozen, selection: &Selection, choice: &Choice<'a>) -> Self {
        let day = frozen.published_at.date_naive();
        let municipalities = municipalities(frozen, selection, day);
        let any_partner = Choice::new(frozen, &selection.of_any_partner());
        let with: BTreeSet<&str> = any_partner
            .chosen
            .iter()
            .filter(|chosen| chosen.partner.civil_society)
            .filter_map(|chosen| Some(chosen.municipality?.code.as_str()))
            .collect();
        let ended = ended(choice, &month_of(frozen.published_at));
        let mut partnerships = Part::default();
        let mut projects = Part::default();
        for project in &ended {
            partnerships.numerator += project.partnerships.numerator;
            partnerships.denominator += project.partnerships.denominator;
            partnerships.unknown += project.partnerships.unknown;
            projects.take(project.lives_on());
        }
        Self {
            municipalities: u32::try_from(municipalities.len()).unwrap_or(u32::MAX),
            without_civil_society: municipalities
                .into_iter()
                .filter(|area| !with.contains(area.code.as_str()))
                .collect(),
            partnerships,
            projects,
            ended,
        }
    }
}

/// Those inside the areas and the collaborations that were asked for, by code.
fn municipalities<'a>(frozen: &'a Frozen, selection: &Selection, day: NaiveDate) -> Vec<&'a Area> {
    let places = &frozen.places;
    let within = |code: &str, areas: &[String]| {
        areas.is_empty()
            || areas
                .iter()
                .any(|area| geography::inside(places, code, area))
    };
    let members: BTreeSet<&str> = places
        .collaborations
        .iter()
        .filter(|known| selection.collaborations.contains(&known.id))
        .flat_map(|known| known.members_on(Some(day)))
        .collect();
    places
        .areas
        .iter()
        .filter(|area| area.level == Level::Municipality && geography::exists_on(area, day))
        .filter(|area| within(&area.code, &selection.municipalities))
        .filter(|area| within(&area.code, &selection.regions))
        .filter(|area| selection.collaborations.is_empty() || members.contains(area.code.as_str()))
        .collect()
}

/// The projects that had ended in a month, each with its partnerships.
fn ended<'a>(choice: &Choice<'a>, month: &str) -> Vec<Ended<'a>> {
    let mut all: Vec<Ended<'a>> = Vec::new();
    let ids = |chosen: &Chosen<'a>| chosen.project.map(|project| project.id);
    let mut seen: BTreeSet<Uuid> = BTreeSet::new();
    for project in choice.chosen.iter().filter_map(|chosen| chosen.project) {
        let (start, end) = (project.start_month.as_deref(), project.end_month.as_deref());
        if status(start, end, month) != ProjectStatus::Ended || !seen.insert(project.id) {
            continue;
        }
        let mut partnerships = Part::default();
        for chosen in choice.chosen.iter().filter(|c| ids(c) == Some(project.id)) {
            partnerships.take(chosen.partnership.continues);
        }
        all.push(Ended {
            project,
            partnerships,
        });
    }
    all.sort_by(|a, b| {
        let key = |ended: &Ended<'a>| (ended.project.end_month.clone(), ended.project.id);
        key(b).cmp(&key(a))
    });
    all
}
