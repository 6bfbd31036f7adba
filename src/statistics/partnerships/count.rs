//! Counting the partnerships of a selection by groups.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::choice::{Choice, Chosen};
use super::selection::Selection;
use crate::formats::table::{Category, Dimension, Label, Role};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::registry::codes::{CooperationForm, PartnerCategory, PartnershipRole};
use crate::statistics::codes::{Level, PartnershipGroup};
use crate::statistics::frozen::Frozen;
use crate::statistics::geography;
use crate::values::CodeList;

/// The most numbers of one answer: rows times metrics.
pub const MAX_CELLS: usize = 100_000;

/// The code of a partnership whose form of cooperation the source does not say.
pub const NOT_STATED: &str = "not_stated";
/// The code of a partnership that belongs to a regional collaboration and to no project.
pub const NO_PROJECT: &str = "no_project";
/// The code of a partnership of which no month is known.
pub const NOT_KNOWN: &str = "not_known";

/// The numbers of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Partnerships.
    pub partnerships: u32,
    /// Partners, each one once.
    pub partners: u32,
    /// Municipalities that the partnerships are in, each one once.
    pub municipalities: u32,
    /// Projects, each one once.
    pub projects: u32,
    /// Partnerships in projects that go on after the project.
    pub continuing: u32,
    /// Partnerships in projects that do not.
    pub ended: u32,
    /// Partnerships in projects of which the source does not say.
    pub unknown: u32,
    /// Partnerships in regional collaborations, which have no project to outlive.
    pub in_collaborations: u32,
}

/// The groups of a selection and the numbers of each: dense, the last dimension fastest.
#[derive(Clone, Debug)]
pub struct Counted {
    /// What was counted by.
    pub dimensions: Vec<Dimension>,
    /// The numbers.
    pub rows: Vec<Counts>,
}

#[derive(Clone, Debug, Default)]
struct Tally<'a> {
    partners: BTreeSet<Uuid>,
    municipalities: BTreeSet<&'a str>,
    projects: BTreeSet<Uuid>,
    counts: Counts,
}

impl<'a> Tally<'a> {
    fn take(&mut self, chosen: &Chosen<'a>) {
        self.partners.insert(chosen.partner.id);
        self.municipalities
            .extend(chosen.municipality.map(|area| area.code.as_str()));
        self.projects
            .extend(chosen.project.map(|project| project.id));
        self.counts.partnerships += 1;
        let of = match (chosen.project, chosen.partnership.continues) {
            (None, _) => &mut self.counts.in_collaborations,
            (Some(_), Some(true)) => &mut self.counts.continuing,
            (Some(_), Some(false)) => &mut self.counts.ended,
            (Some(_), None) => &mut self.counts.unknown,
        };
        *of += 1;
    }

    fn counts(&self) -> Counts {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Counts {
            partners: count(self.partners.len()),
            municipalities: count(self.municipalities.len()),
            projects: count(self.projects.len()),
            ..self.counts
        }
    }
}

/// Counts what was chosen. A partnership counts once in each group, and in every year that it touches.
///
/// # Errors
/// 422 where the groups make more than [`MAX_CELLS`] numbers; nothing has been counted then.
pub fn count(frozen: &Frozen, selection: &Selection, choice: &Choice<'_>) -> ApiResult<Counted> {
    let dimensions: Vec<Dimension> = selection
        .group_by
        .iter()
        .map(|group| dimension(*group, frozen, selection, choice))
        .collect();
    let size = |dimension: &Dimension| dimension.categories.len();
    let groups = dimensions
        .iter()
        .map(size)
        .try_fold(1_usize, usize::checked_mul)
        .unwrap_or(usize::MAX);
    let cells = groups.saturating_mul(super::answer::METRICS.len());
    if cells > MAX_CELLS {
        let most = dimensions.iter().max_by_key(|dimension| size(dimension));
        return Err(too_many(cells, most));
    }
    let places: Vec<HashMap<&str, usize>> = dimensions
        .iter()
        .map(|dimension| {
            let codes = dimension.categories.iter().enumerate();
            codes
                .map(|(n, category)| (category.code.as_str(), n))
                .collect()
        })
        .collect();
    let mut tallies = vec![Tally::default(); groups];
    for chosen in &choice.chosen {
        let mut rows = vec![0];
        for ((group, dimension), places) in selection.group_by.iter().zip(&dimensions).zip(&places)
        {
            let codes: Vec<usize> = codes(*group, frozen, selection, chosen)
                .iter()
                .filter_map(|code| places.get(code.as_str()).copied())
                .collect();
            rows = rows
                .iter()
                .flat_map(|row| codes.iter().map(move |n| row * size(dimension) + n))
                .collect();
        }
        for row in rows {
            if let Some(tally) = tallies.get_mut(row) {
                tally.take(chosen);
            }
        }
    }
    Ok(Counted {
        dimensions,
        rows: tallies.iter().map(Tally::counts).collect(),
    })
}

fn too_many(cells: usize, most: Option<&Dimension>) -> Problem {
    let (code, categories) = most.map_or(("", 0), |d| (d.code, d.categories.len()));
    Problem::new(ProblemKind::ValidationFailed).fault(Fault::parameter(
        "groupBy",
        "too_many_cells",
        text(
            format!(
                "Svaret skulle få {cells} tal, högst {MAX_CELLS} är tillåtna. {code} har flest kategorier, {categories}: \
                 urvalet kan snävas in eller grupperingen tas bort."
            ),
            format!(
                "The answer would have {cells} numbers, {MAX_CELLS} is the most. {code} has the most categories, \
                 {categories}: narrow the selection or leave the grouping away."
            ),
        ),
    ))
}

/// The code, or for years the codes, of a partnership in a dimension.
fn codes(
    group: PartnershipGroup,
    frozen: &Frozen,
    selection: &Selection,
    chosen: &Chosen<'_>,
) -> Vec<String> {
    let place = |level| {
        geography::at_level(&frozen.places, &chosen.partnership.area, level)
            .map_or_else(|| chosen.partnership.area.clone(), |area| area.code.clone())
    };
    match group {
        PartnershipGroup::Category => vec![chosen.partner.category.clone()],
        PartnershipGroup::Municipality => vec![place(Level::Municipality)],
        PartnershipGroup::Region => vec![place(Level::Region)],
        PartnershipGroup::Project => vec![
            chosen
                .project
                .map_or_else(|| NO_PROJECT.to_owned(), |project| project.id.to_string()),
        ],
        PartnershipGroup::Form => {
            let form = chosen.partnership.form.as_deref();
            vec![form.unwrap_or(NOT_STATED).to_owned()]
        }
        PartnershipGroup::Role => vec![chosen.partnership.role.clone()],
        PartnershipGroup::Year => match &chosen.years {
            None => vec![NOT_KNOWN.to_owned()],
            Some(years) => years
                .clone()
                .filter(|year| selection.years.holds(*year))
                .map(|year| format!("{year:04}"))
                .collect(),
        },
    }
}

/// A dimension with its categories: of a closed vocabulary all codes that the filters leave, of anything else those
/// that occur.
fn dimension(
    group: PartnershipGroup,
    frozen: &Frozen,
    selection: &Selection,
    choice: &Choice<'_>,
) -> Dimension {
    let occurring: BTreeSet<String> = choice
        .chosen
        .iter()
        .flat_map(|chosen| codes(group, frozen, selection, chosen))
        .collect();
    let area = |code: &String| {
        let name = frozen.places.area(code).map_or(code, |area| &area.name);
        Category::new(code, Label::same(name))
    };
    let categories = match group {
        PartnershipGroup::Category => {
            let wanted: Vec<&str> = selection.categories.iter().map(|c| c.as_str()).collect();
            // A category without partners in the network has no side to be on.
            let on_the_side = |code: &str| {
                selection.civil_society.is_none_or(|civil| {
                    let mut partners = frozen.network.partners.iter();
                    partners.any(|p| p.category == code && p.civil_society == civil)
                })
            };
            closed(PartnerCategory::LIST, |code| {
                (wanted.is_empty() || wanted.contains(&code)) && on_the_side(code)
            })
        }
        PartnershipGroup::Form => {
            let wanted: Vec<&str> = selection.forms.iter().map(|c| c.as_str()).collect();
            let mut all = closed(CooperationForm::LIST, |code| {
                wanted.is_empty() || wanted.contains(&code)
            });
            if wanted.is_empty() {
                all.push(Category::new(
                    NOT_STATED,
                    Label::new("Inte angiven", "Not stated"),
                ));
            }
            all
        }
        PartnershipGroup::Role => {
            let wanted: Vec<&str> = selection.roles.iter().map(|c| c.as_str()).collect();
            closed(PartnershipRole::LIST, |code| {
                wanted.is_empty() || wanted.contains(&code)
            })
        }
        PartnershipGroup::Municipality | PartnershipGroup::Region => {
            occurring.iter().map(area).collect()
        }
        PartnershipGroup::Project => projects(choice, &occurring),
        PartnershipGroup::Year => years(&occurring),
    };
    let code = group.as_str();
    let list = PartnershipGroup::LIST.codes.iter().find(|c| c.code == code);
    Dimension {
        code,
        label: list.map_or_else(Label::default, |c| Label::new(c.label_sv, c.label_en)),
        role: match group {
            PartnershipGroup::Year => Role::Time,
            PartnershipGroup::Municipality | PartnershipGroup::Region => Role::Geo,
            _ => Role::None,
        },
        categories,
    }
}

fn closed(list: CodeList, keep: impl Fn(&str) -> bool) -> Vec<Category> {
    list.codes
        .iter()
        .filter(|code| keep(code.code))
        .map(|code| Category::new(code.code, Label::new(code.label_sv, code.label_en)))
        .collect()
}

/// By title, what belongs to no project last.
fn projects(choice: &Choice<'_>, occurring: &BTreeSet<String>) -> Vec<Category> {
    let titles: BTreeSet<(&str, Uuid)> = choice
        .chosen
        .iter()
        .filter_map(|chosen| chosen.project)
        .map(|project| (project.title.as_str(), project.id))
        .collect();
    let mut all: Vec<Category> = titles
        .iter()
        .map(|(title, id)| Category::new(id.to_string(), Label::same(*title)))
        .collect();
    if occurring.contains(NO_PROJECT) {
        let label = Label::new(
            "Inget projekt: regional samverkan",
            "No project: regional collaboration",
        );
        all.push(Category::new(NO_PROJECT, label));
    }
    all
}

/// In order, what has no year last.
fn years(occurring: &BTreeSet<String>) -> Vec<Category> {
    occurring
        .iter()
        .filter(|code| *code != NOT_KNOWN)
        .map(|year| Category::new(year, Label::same(year)))
        .chain(
            occurring
                .contains(NOT_KNOWN)
                .then(|| Category::new(NOT_KNOWN, Label::new("Okänt år", "Year not known"))),
        )
        .collect()
}
