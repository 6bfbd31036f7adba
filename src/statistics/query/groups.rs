//! The groups that a question asks for, and how each cell of a block stands to them.

use std::collections::BTreeSet;

use super::asked::{Asked, unknown};
use crate::formats::table::Label;
use crate::participation::codes::{ActivityForm, Gender, Subject};
use crate::problem::{ApiResult, text};
use crate::statistics::codes::{Dimension, Level};
use crate::statistics::cube::Dictionary;
use crate::statistics::frozen::Policy;
use crate::values::{AgeBand, CodeList};

/// The code of the group of those who are not broken down as far as the others.
pub const NOT_STATED: &str = "not_stated";

/// Youngest and oldest, both included.
pub type Years = (u8, u8);

/// One group of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// Everybody.
    Whole,
    /// Those of any of these codes.
    Codes(Vec<String>),
    /// Those who belong to none of the other groups as far as the source tells, but may.
    NotStated,
}

/// How one dimension is split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Whether it is a dimension of the answer: something was selected or is grouped by.
    pub shown: bool,
    /// Whether the group of those not stated was added unasked: left out of the answer if nobody is in it.
    pub with_rest: bool,
    /// The groups, at least one.
    pub groups: Vec<Group>,
}

impl Default for Split {
    fn default() -> Self {
        Self {
            shown: false,
            with_rest: false,
            groups: vec![Group::Whole],
        }
    }
}

impl Dimension {
    /// The code of the whole, as observations and figures have it.
    #[must_use]
    pub const fn whole(self) -> &'static str {
        match self {
            Self::Gender => "total",
            Self::AgeBand | Self::Subject | Self::ActivityForm => "all",
        }
    }

    fn vocabulary(self) -> Option<CodeList> {
        match self {
            Self::Gender => Some(Gender::LIST),
            Self::AgeBand => None,
            Self::Subject => Some(Subject::LIST),
            Self::ActivityForm => Some(ActivityForm::LIST),
        }
    }

    /// The dimension's own name for people.
    #[must_use]
    pub fn label(self) -> Label {
        let name = Self::LIST
            .codes
            .iter()
            .find(|code| code.code == self.as_str());
        name.map_or_else(Label::default, |code| {
            Label::new(code.label_sv, code.label_en)
        })
    }
}

impl Group {
    /// Its code in an answer: the codes summed are joined with `+`.
    #[must_use]
    pub fn code(&self, dimension: Dimension) -> String {
        match self {
            Self::Whole => dimension.whole().to_owned(),
            Self::Codes(codes) => codes.join("+"),
            Self::NotStated => NOT_STATED.to_owned(),
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(&self, dimension: Dimension) -> Label {
        let one = |code: &str| match dimension.vocabulary() {
            None if code == "all" => Label::new("Alla åldrar", "All ages"),
            None => {
                let years = code.replace('-', "–");
                Label::new(format!("{years} år"), format!("aged {years}"))
            }
            Some(list) => list.find(code).map_or_else(
                || Label::same(code),
                |known| Label::new(known.label_sv, known.label_en),
            ),
        };
        match self {
            Self::Whole => one(dimension.whole()),
            Self::NotStated => Label::new("Inte uppdelat", "Not broken down"),
            Self::Codes(codes) => {
                let labels: Vec<Label> = codes.iter().map(|code| one(code)).collect();
                let joined = |pick: fn(&Label) -> &str| {
                    labels.iter().map(pick).collect::<Vec<_>>().join(" + ")
                };
                Label::new(joined(|label| &label.sv), joined(|label| &label.en))
            }
        }
    }

    /// The ages of the group, adjacent bands joined; none for everybody and for those not stated.
    #[must_use]
    pub fn years(&self) -> Vec<Years> {
        match self {
            Self::Codes(codes) => joined(codes.iter().filter_map(|code| years(code)).collect()),
            Self::Whole | Self::NotStated => Vec::new(),
        }
    }

    /// The code by which a quoted figure of this group is kept: only a single code or the whole has one.
    #[must_use]
    pub fn quoted(&self, dimension: Dimension) -> Option<&str> {
        match self {
            Self::Whole => Some(dimension.whole()),
            Self::Codes(codes) => match codes.as_slice() {
                [only] => Some(only),
                _ => None,
            },
            Self::NotStated => None,
        }
    }

    /// Whether the protection keeps some (`Some(false)`) or all (`Some(true)`) codes of the group from areas of
    /// `level`, because they are shown for larger ones only.
    #[must_use]
    pub fn withheld(&self, dimension: &str, level: Level, policies: &[Policy]) -> Option<bool> {
        let Self::Codes(codes) = self else {
            return None;
        };
        let is_withheld = |code: &&String| {
            policies.iter().any(|policy| {
                policy.dimension == dimension
                    && policy.code == **code
                    && policy.finest_level.number() < level.number()
            })
        };
        let withheld = codes.iter().filter(is_withheld).count();
        (withheld > 0).then_some(withheld == codes.len())
    }
}

/// Reads `6-19`.
#[must_use]
pub fn years(code: &str) -> Option<Years> {
    let (from, to) = code.split_once('-')?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from <= to).then_some((from, to))
}

fn joined(mut bands: Vec<Years>) -> Vec<Years> {
    bands.sort_unstable();
    let mut all: Vec<Years> = Vec::new();
    for (from, to) in bands {
        match all.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

/// The form that a form is a part of; none for the two that all activity consists of.
fn form_above(form: &str) -> Option<&'static str> {
    match form {
        "subject_course_long" | "subject_course_short" => Some("subject_course"),
        "subject_course" | "open_activity" | "targeted_activity" => Some("voluntary_activity"),
        _ => None,
    }
}

/// Whether a form is a part of another, at any depth.
pub(super) fn form_within(form: &str, whole: &str) -> bool {
    let mut above = form_above(form);
    while let Some(next) = above {
        if next == whole {
            return true;
        }
        above = form_above(next);
    }
    false
}

impl Split {
    /// Reads the codes given for a dimension; `grouped` splits it.
    ///
    /// # Errors
    /// 400 or 422 for a code that the dimension does not have.
    pub fn read(
        asked: &Asked,
        dimension: Dimension,
        given: &[String],
        grouped: bool,
        dictionary: &Dictionary,
    ) -> ApiResult<Self> {
        let mut groups: Vec<Group> = Vec::with_capacity(given.len());
        for (entry, code) in given.iter().enumerate() {
            let group = one(asked, dimension, code, entry)?;
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        if grouped {
            let with_rest = groups.is_empty();
            if with_rest {
                groups = finest(dimension, dictionary)
                    .into_iter()
                    .map(|code| Group::Codes(vec![code]))
                    .collect();
                groups.push(Group::NotStated);
            }
            return Ok(Self {
                shown: true,
                with_rest,
                groups,
            });
        }
        if groups.is_empty() {
            return Ok(Self::default());
        }
        let summed = match groups.as_slice() {
            [only] => only.clone(),
            all if all.contains(&Group::Whole) => Group::Whole,
            all if all.contains(&Group::NotStated) => {
                return Err(asked.refused(
                    dimension.as_str(),
                    None,
                    "not_stated_alone",
                    text(
                        "not_stated kan inte summeras med andra koder; använd groupBy.",
                        "not_stated cannot be summed with other codes; use groupBy.",
                    ),
                ));
            }
            all => {
                let codes: BTreeSet<&String> = all
                    .iter()
                    .filter_map(|group| match group {
                        Group::Codes(codes) => codes.first(),
                        _ => None,
                    })
                    .collect();
                Group::Codes(codes.into_iter().cloned().collect())
            }
        };
        Ok(Self {
            shown: true,
            with_rest: false,
            groups: vec![summed],
        })
    }

    /// The place of the group of those not stated.
    #[must_use]
    pub fn rest(&self) -> Option<usize> {
        self.groups
            .iter()
            .position(|group| *group == Group::NotStated)
    }
}

fn one(asked: &Asked, dimension: Dimension, code: &str, entry: usize) -> ApiResult<Group> {
    if code == dimension.whole() {
        return Ok(Group::Whole);
    }
    if code == NOT_STATED {
        return Ok(Group::NotStated);
    }
    let known = match dimension.vocabulary() {
        Some(list) => list.find(code).is_some(),
        None => code.parse::<AgeBand>().is_ok() && years(code).is_some_and(|(_, to)| to <= 120),
    };
    if known {
        return Ok(Group::Codes(vec![code.to_owned()]));
    }
    let detail = match dimension.vocabulary() {
        Some(list) => unknown(code, list.codes.iter().map(|known| known.code)),
        None => text(
            format!("{code} är inget åldersintervall. Skriv från-till, högst 120: 6-19."),
            format!("{code} is no age band. Write from-to, 120 at the most: 6-19."),
        ),
    };
    Err(asked.refused(dimension.as_str(), Some(entry), "unknown_code", detail))
}

/// The codes that nothing in the publication is broken down finer than: they do not overlap unless the sources do.
fn finest(dimension: Dimension, dictionary: &Dictionary) -> Vec<String> {
    let codes: Vec<String> = match dimension {
        Dimension::Gender => dictionary.genders.clone(),
        Dimension::Subject => dictionary.subjects.clone(),
        Dimension::ActivityForm => {
            let forms = match dictionary.met_forms.as_slice() {
                [] => &dictionary.forms,
                _ => &dictionary.met_forms,
            };
            let is_leaf = |form: &&String| !forms.iter().any(|other| form_within(other, form));
            forms.iter().filter(is_leaf).cloned().collect()
        }
        Dimension::AgeBand => {
            let mut bands: Vec<Years> = dictionary
                .ages
                .iter()
                .filter(|ages| !ages.rest)
                .map(|ages| (ages.from, ages.to))
                .collect();
            bands.sort_unstable();
            bands.dedup();
            let holds_another = |(from, to): Years| {
                bands
                    .iter()
                    .any(|&(a, b)| (a, b) != (from, to) && from <= a && b <= to)
            };
            bands
                .iter()
                .filter(|band| !holds_another(**band))
                .map(|(from, to)| format!("{from}-{to}"))
                .collect()
        }
    };
    match dimension.vocabulary() {
        // Nothing was counted by it: only quoted figures can be, by any code.
        Some(list) if codes.is_empty() => list
            .codes
            .iter()
            .map(|code| code.code.to_owned())
            .filter(|code| code != dimension.whole())
            .collect(),
        _ => codes,
    }
}

/// The splits of a question, in the order in which groups are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splits {
    /// Gender.
    pub gender: Split,
    /// Age band.
    pub age: Split,
    /// Subject.
    pub subject: Split,
    /// Form of activity.
    pub form: Split,
}

impl Splits {
    /// The four with their dimensions.
    #[must_use]
    pub fn each(&self) -> [(Dimension, &Split); 4] {
        [
            (Dimension::Gender, &self.gender),
            (Dimension::AgeBand, &self.age),
            (Dimension::Subject, &self.subject),
            (Dimension::ActivityForm, &self.form),
        ]
    }

    /// The four, to be changed.
    pub fn each_mut(&mut self) -> [&mut Split; 4] {
        [
            &mut self.gender,
            &mut self.age,
            &mut self.subject,
            &mut self.form,
        ]
    }

    /// How many groups each has.
    #[must_use]
    pub fn sizes(&self) -> [usize; 4] {
        self.each().map(|(_, split)| split.groups.len())
    }

    /// How many groups they make together.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.sizes().into_iter().product()
    }
}

#[cfg(test)]
mod tests;
