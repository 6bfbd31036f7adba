//! How each cell of a block stands to the groups of a question.

use super::groups::{Group, Split, Splits, Years, form_within};
use crate::statistics::cube::{Additive, Axes, Axis, Dictionary, Fit, REST, WHOLE};
use crate::statistics::frozen::Frozen;

impl Splits {
    /// The axes by which cells are summed. `ages` are those that a share is of: its whole is these.
    #[must_use]
    pub fn axes(&self, frozen: &Frozen, additive: Additive, ages: Option<Years>) -> Axes {
        let dictionary = &frozen.catalogue.dictionary;
        Axes {
            gender: axis(&self.gender, |code, group| {
                by_gender(code, group, dictionary)
            }),
            age: age_axis(&self.age, dictionary, ages),
            subject: axis(&self.subject, |code, group| {
                by_subject(code, group, dictionary, additive.subjects)
            }),
            form: form_axis(&self.form, dictionary, additive.forms),
        }
    }
}

fn axis(split: &Split, fit: impl Fn(u8, &Group) -> Fit) -> Axis {
    Axis::new(split.groups.len(), |code, group| {
        split
            .groups
            .get(group)
            .map_or(Fit::Outside, |group| fit(code, group))
    })
}

fn name(codes: &[String], number: u8) -> Option<&str> {
    let place = usize::from(number).checked_sub(1)?;
    codes.get(place).map(String::as_str)
}

fn by_gender(code: u8, group: &Group, dictionary: &Dictionary) -> Fit {
    let open = matches!(code, WHOLE | REST);
    match group {
        Group::Whole => Fit::Inside,
        Group::NotStated if open => Fit::Inside,
        Group::NotStated => Fit::Outside,
        Group::Codes(_) if open => Fit::Wider,
        Group::Codes(codes) => match name(&dictionary.genders, code) {
            Some(name) if codes.iter().any(|code| code == name) => Fit::Inside,
            _ => Fit::Outside,
        },
    }
}

fn by_subject(code: u8, group: &Group, dictionary: &Dictionary, additive: bool) -> Fit {
    let open = matches!(code, WHOLE | REST);
    match group {
        Group::Whole if additive || code == WHOLE => Fit::Inside,
        Group::Whole => Fit::Narrower,
        Group::NotStated if open => Fit::Inside,
        Group::NotStated => Fit::Outside,
        Group::Codes(_) if open => Fit::Wider,
        Group::Codes(codes) => match name(&dictionary.subjects, code) {
            Some(name) if codes.iter().any(|code| code == name) => {
                if additive || codes.len() == 1 {
                    Fit::Inside
                } else {
                    Fit::Narrower
                }
            }
            _ => Fit::Outside,
        },
    }
}

pub(super) fn by_form(code: u8, group: &Group, dictionary: &Dictionary, additive: bool) -> Fit {
    let open = matches!(code, WHOLE | REST);
    match group {
        Group::Whole if additive || code == WHOLE => Fit::Inside,
        Group::Whole => Fit::Narrower,
        Group::NotStated => Fit::Outside,
        Group::Codes(_) if open => Fit::Wider,
        Group::Codes(codes) => {
            let Some(name) = name(&dictionary.forms, code) else {
                return Fit::Outside;
            };
            let same = codes.iter().any(|code| code == name);
            if same || codes.iter().any(|code| form_within(name, code)) {
                if additive || (same && codes.len() == 1) {
                    Fit::Inside
                } else {
                    Fit::Narrower
                }
            } else if codes.iter().any(|code| form_within(code, name)) {
                Fit::Wider
            } else {
                Fit::Outside
            }
        }
    }
}

/// Whether a code that stands so to the other groups belongs to those not stated: it is in none of them, and may be.
fn not_stated(others: impl Iterator<Item = Fit>) -> Fit {
    let fits: Vec<Fit> = others.collect();
    let taken = fits
        .iter()
        .any(|fit| matches!(fit, Fit::Inside | Fit::Narrower));
    if !taken && fits.contains(&Fit::Wider) {
        Fit::Inside
    } else {
        Fit::Outside
    }
}

fn form_axis(split: &Split, dictionary: &Dictionary, additive: bool) -> Axis {
    axis(split, |code, group| match group {
        Group::NotStated if matches!(code, WHOLE | REST) => Fit::Inside,
        Group::NotStated => not_stated(
            split
                .groups
                .iter()
                .filter(|other| matches!(other, Group::Codes(_)))
                .map(|other| by_form(code, other, dictionary, additive)),
        ),
        group => by_form(code, group, dictionary, additive),
    })
}

/// How a band of years stands to the joined bands of a group.
fn by_years((from, to): Years, group: &[Years]) -> Fit {
    if group.iter().any(|&(a, b)| a <= from && to <= b) {
        Fit::Inside
    } else if group.iter().any(|&(a, b)| a <= to && from <= b) {
        Fit::Wider
    } else {
        Fit::Outside
    }
}

fn age_axis(split: &Split, dictionary: &Dictionary, ages: Option<Years>) -> Axis {
    let bands: Vec<Vec<Years>> = split
        .groups
        .iter()
        .map(|group| match (group, ages) {
            (Group::Whole, Some(ages)) => vec![ages],
            (group, _) => group.years(),
        })
        .collect();
    Axis::new(split.groups.len(), |code, group| {
        let known = usize::from(code)
            .checked_sub(1)
            .and_then(|place| dictionary.ages.get(place))
            .map(|ages| (ages.from, ages.to));
        let open = matches!(code, WHOLE | REST);
        match (split.groups.get(group), bands.get(group)) {
            (Some(Group::Whole), Some(own)) if own.is_empty() => Fit::Inside,
            (Some(Group::Whole | Group::Codes(_)), Some(own)) => match known {
                Some(cell) => by_years(cell, own),
                None if open => Fit::Wider,
                None => Fit::Outside,
            },
            (Some(Group::NotStated), _) => match known {
                Some(cell) => {
                    let own = |group: &Group| by_years(cell, &group.years());
                    not_stated(split.groups.iter().map(own))
                }
                None if open => Fit::Inside,
                None => Fit::Outside,
            },
            _ => Fit::Outside,
        }
    })
}
