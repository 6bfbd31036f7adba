//! Cells and sums: the arithmetic of a publication.
//!
//! A *cell* is a number of one group: gender, age band, subject, form of activity. The cells of a block do not overlap
//! and none is a total of others, so each number of the statistics is a plain sum of cells. Where a source reports
//! less detail than was asked for, the sum says so ([`Sum::wider`]) instead of leaving the people out in silence.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The code number of a dimension that is not broken down: the cell is of all genders, ages, subjects or forms.
pub const WHOLE: u8 = 0;
/// The code number of what a total holds beyond its reported parts.
pub const REST: u8 = u8::MAX;

/// An age band as a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ages {
    /// The youngest, in years.
    pub from: u8,
    /// The oldest, in years.
    pub to: u8,
    /// Whether this is what a total of the band holds beyond its reported parts.
    pub rest: bool,
}

/// The codes that the numbers in cells stand for. A publication keeps its own, so that a vocabulary can grow.
///
/// Number 1 is the first code; 0 ([`WHOLE`]) is "not broken down", and 255 ([`REST`]) the rest of a breakdown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dictionary {
    /// Genders: `girls`, `boys`, `other`.
    pub genders: Vec<String>,
    /// Age bands.
    pub ages: Vec<Ages>,
    /// Subjects.
    pub subjects: Vec<String>,
    /// Forms of activity.
    pub forms: Vec<String>,
    /// Those of them that something was counted by, so that a split by form knows which are finest. Publications of before
    /// this was kept have none.
    #[serde(default)]
    pub met_forms: Vec<String>,
}

impl Dictionary {
    /// The same, with the forms of activity of these numbers as those that something was counted by.
    #[must_use]
    pub fn with_forms_met(self, numbers: &BTreeSet<u8>) -> Self {
        let all = (1..).zip(&self.forms);
        let met = all.filter(|(number, _)| numbers.contains(number));
        Self {
            met_forms: met.map(|(_, form)| form.clone()).collect(),
            ..self
        }
    }
}

/// How good a number is: the worse of two for their sum.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[repr(u8)]
pub enum Quality {
    /// As counted.
    #[default]
    Reported,
    /// May still change.
    Provisional,
    /// An estimate, or published as "about".
    Estimated,
}

/// A number of one group. The dimensions are numbers of the [`Dictionary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// Gender.
    pub gender: u8,
    /// Age band; the rest of a band is a band of its own ([`Ages::rest`]).
    pub age: u8,
    /// Subject.
    pub subject: u8,
    /// Form of activity.
    pub form: u8,
    /// How good the number is.
    pub quality: Quality,
    /// The number; none where the source says that it is missing.
    pub value: Option<i64>,
}

/// How a code stands to a group that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Inside the group.
    Inside,
    /// Wider than the group: some of the people belong to it, nobody knows how many.
    Wider,
    /// Narrower than the group, and not to be summed: a person who dances and acts is one person.
    Narrower,
    /// Outside.
    Outside,
}

/// One dimension of a question: its groups, and how each code stands to each of them.
#[derive(Clone, Debug)]
pub struct Axis {
    groups: usize,
    /// By code number: the groups that it matters to.
    fits: Vec<Vec<(usize, Fit)>>,
}

impl Axis {
    /// `fit(code, group)` is asked for every code number and every group.
    #[must_use]
    pub fn new(groups: usize, fit: impl Fn(u8, usize) -> Fit) -> Self {
        let fits = (0..=u8::MAX)
            .map(|code| {
                (0..groups)
                    .map(|group| (group, fit(code, group)))
                    .filter(|(_, fit)| *fit != Fit::Outside)
                    .collect()
            })
            .collect();
        Self { groups, fits }
    }

    /// One group that holds everything.
    #[must_use]
    pub fn total() -> Self {
        Self::new(1, |_, _| Fit::Inside)
    }

    /// How many groups there are.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups
    }

    fn of(&self, code: u8) -> &[(usize, Fit)] {
        self.fits.get(usize::from(code)).map_or(&[], Vec::as_slice)
    }
}

/// The axes of a question, in the order in which groups are counted: the last one fastest.
#[derive(Clone, Debug)]
pub struct Axes {
    /// Gender.
    pub gender: Axis,
    /// Age band.
    pub age: Axis,
    /// Subject.
    pub subject: Axis,
    /// Form of activity.
    pub form: Axis,
}

impl Axes {
    /// How many groups the axes make together.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.gender.groups * self.age.groups * self.subject.groups * self.form.groups
    }

    /// Everything in one number.
    #[must_use]
    pub fn total() -> Self {
        Self {
            gender: Axis::total(),
            age: Axis::total(),
            subject: Axis::total(),
            form: Axis::total(),
        }
    }
}

/// The sum of the cells of one group, and what stands in the way of reading it as the number of the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The sum.
    pub value: i64,
    /// Cells in it that have a value. With none, and nothing missing, wider or narrower, the number is a reported 0 or
    /// there is no block at all.
    pub cells: u32,
    /// The worst quality in it.
    pub quality: Quality,
    /// Whether a cell of the group has no value.
    pub missing: bool,
    /// Whether people of wider cells belong to the group too.
    pub wider: bool,
    /// Whether the group is reported in parts only that cannot be summed.
    pub narrower: bool,
}

impl Sum {
    /// Adds what another place has in the same group.
    pub fn add(&mut self, other: &Self) {
        self.value += other.value;
        self.cells += other.cells;
        self.quality = self.quality.max(other.quality);
        self.missing |= other.missing;
        self.wider |= other.wider;
        self.narrower |= other.narrower;
    }
}

/// Sums cells into the groups of the axes, in one pass.
#[must_use]
pub fn sums(cells: &[Cell], axes: &Axes) -> Vec<Sum> {
    let mut all = vec![Sum::default(); axes.groups()];
    for cell in cells {
        for (gender, a) in axes.gender.of(cell.gender) {
            for (age, b) in axes.age.of(cell.age) {
                for (subject, c) in axes.subject.of(cell.subject) {
                    for (form, d) in axes.form.of(cell.form) {
                        let group = ((gender * axes.age.groups + age) * axes.subject.groups
                            + subject)
                            * axes.form.groups
                            + form;
                        if let Some(sum) = all.get_mut(group) {
                            sum.take(cell, [*a, *b, *c, *d]);
                        }
                    }
                }
            }
        }
    }
    all
}

impl Sum {
    fn take(&mut self, cell: &Cell, fits: [Fit; 4]) {
        if fits.contains(&Fit::Wider) {
            // A wider cell of nobody hides nobody.
            self.wider |= cell.value != Some(0);
        } else if fits.contains(&Fit::Narrower) {
            self.narrower = true;
        } else {
            match cell.value {
                Some(value) => {
                    self.cells += 1;
                    self.value += value;
                    self.quality = self.quality.max(cell.quality);
                }
                None => self.missing = true,
            }
        }
    }
}

/// Which dimensions of a measure may be summed over. Genders and ages always may; a person can have several subjects
/// and forms of activity, so persons are not summed over those, places and occasions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Additive {
    /// Over subjects.
    pub subjects: bool,
    /// Over forms of activity.
    pub forms: bool,
}

/// Adds up cells of the same group: the cells of an area are those of its parts, summed.
#[must_use]
pub fn merged(cells: impl IntoIterator<Item = Cell>) -> Vec<Cell> {
    let mut cells: Vec<Cell> = cells.into_iter().collect();
    cells.sort_unstable();
    let mut merged: Vec<Cell> = Vec::with_capacity(cells.len());
    for cell in cells {
        match merged.last_mut() {
            Some(last)
                if last.group() == cell.group() && last.value.is_some() == cell.value.is_some() =>
            {
                last.quality = last.quality.max(cell.quality);
                last.value = last.value.zip(cell.value).map(|(a, b)| a + b);
            }
            _ => merged.push(cell),
        }
    }
    merged
}

impl Cell {
    /// The dimensions alone.
    #[must_use]
    pub fn group(&self) -> (u8, u8, u8, u8) {
        (self.gender, self.age, self.subject, self.form)
    }
}

/// The cells by gender alone, and by gender and age: what most questions need. Dimensions that may not be summed over
/// stay as they are.
#[must_use]
pub fn folded(cells: &[Cell], additive: Additive, keep_ages: bool) -> Vec<Cell> {
    merged(cells.iter().map(|cell| Cell {
        age: if keep_ages { cell.age } else { WHOLE },
        subject: if additive.subjects {
            WHOLE
        } else {
            cell.subject
        },
        form: if additive.forms { WHOLE } else { cell.form },
        ..*cell
    }))
}

/// Residents of one group, as the source of the population gives them. Parts need not add up to totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Residents {
    /// Gender; [`WHOLE`] for all.
    pub gender: u8,
    /// The youngest, in years.
    pub from: u8,
    /// The oldest, in years.
    pub to: u8,
    /// How many.
    pub value: i64,
}

/// Residents of a gender and an age band: the figure itself where the source has it, or else the sum of its parts,
/// if they cover all of it without overlap. Genders are tried whole before they are summed.
#[must_use]
pub fn residents(all: &[Residents], gender: u8, genders: u8, from: u8, to: u8) -> Option<i64> {
    tiled(all, gender, from, to).or_else(|| {
        if gender != WHOLE || genders == 0 {
            return None;
        }
        (1..=genders.min(2))
            .map(|part| tiled(all, part, from, to))
            .sum()
    })
}

/// Walks from the youngest to the oldest, at each step by the widest band that does not overshoot.
fn tiled(all: &[Residents], gender: u8, from: u8, to: u8) -> Option<i64> {
    let mut next = from;
    let mut sum = 0;
    loop {
        let step = all
            .iter()
            .filter(|r| r.gender == gender && r.from == next && r.to <= to)
            .max_by_key(|r| r.to)?;
        sum += step.value;
        if step.to == to {
            return Some(sum);
        }
        next = step.to.checked_add(1)?;
    }
}

/// Packs cells or residents for a column of a block (postcard, a stable byte format).
///
/// # Errors
/// When serialising fails, which in memory it does not.
pub fn pack<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_allocvec(rows)
}

/// Unpacks a column of a block.
///
/// # Errors
/// When the bytes are none that [`pack`] made.
pub fn unpack<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<Vec<T>, postcard::Error> {
    postcard::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(gender: u8, age: u8, subject: u8, value: i64) -> Cell {
        Cell {
            gender,
            age,
            subject,
            form: WHOLE,
            quality: Quality::Reported,
            value: Some(value),
        }
    }

    #[test]
    fn a_block_is_packed_in_the_shape_that_publications_say_they_have() {
        let residents = Residents {
            gender: 1,
            from: 6,
            to: 9,
            value: 700,
        };
        let cells = pack(&[cell(1, 2, 3, 700)]).unwrap();
        let packed = (cells, pack(&[residents]).unwrap());
        // 700 is 1 400 in zigzag, least seven bits first.
        let known = (
            vec![1, 1, 2, 3, WHOLE, 0, 1, 0xF8, 0x0A],
            vec![1, 1, 6, 9, 0xF8, 0x0A],
        );
        assert_eq!(packed, known, "another form: raise frozen::SHAPE");
    }

    /// Groups that are the codes 1..=n.
    fn each(groups: usize) -> Axis {
        Axis::new(groups, |code, group| match code {
            WHOLE | REST => Fit::Wider,
            code if usize::from(code) == group + 1 => Fit::Inside,
            _ => Fit::Outside,
        })
    }

    #[test]
    fn groups_add_up_to_the_total_and_wider_cells_are_told() {
        let cells = [
            cell(1, 1, 1, 7),
            cell(2, 1, 1, 5),
            cell(2, 2, 1, 6),
            cell(REST, 2, 1, 9),
        ];
        let total = sums(&cells, &Axes::total());
        assert_eq!(total[0].value, 27);
        let by_gender = sums(
            &cells,
            &Axes {
                gender: each(2),
                ..Axes::total()
            },
        );
        assert_eq!((by_gender[0].value, by_gender[1].value), (7, 11));
        assert!(by_gender.iter().all(|sum| sum.wider));
        let by_both = sums(
            &cells,
            &Axes {
                gender: each(2),
                age: each(2),
                ..Axes::total()
            },
        );
        let values: Vec<i64> = by_both.iter().map(|sum| sum.value).collect();
        assert_eq!(values, [7, 0, 5, 6]);
    }

    #[test]
    fn persons_are_not_summed_over_subjects() {
        let total = Axis::new(1, |code, _| {
            if code == WHOLE {
                Fit::Inside
            } else {
                Fit::Narrower
            }
        });
        let axes = Axes {
            subject: total,
            ..Axes::total()
        };
        let sum = sums(&[cell(1, 1, 1, 7), cell(1, 1, 2, 8)], &axes);
        assert!(sum[0].narrower && sum[0].cells == 0);
    }

    #[test]
    fn folding_keeps_every_person_and_merging_every_group() {
        let cells = [cell(1, 1, 1, 7), cell(1, 2, 2, 5), cell(2, 1, 1, 6)];
        let both = Additive {
            subjects: true,
            forms: true,
        };
        let summary = folded(&cells, both, false);
        assert_eq!(summary, [cell(1, 0, 0, 12), cell(2, 0, 0, 6)]);
        let persons = Additive {
            subjects: false,
            forms: false,
        };
        assert_eq!(folded(&cells, persons, false).len(), 3);
        assert_eq!(unpack::<Cell>(&pack(&cells).unwrap()).unwrap(), cells);
    }

    #[test]
    fn residents_are_taken_whole_or_tiled_without_gaps() {
        let r = |gender, from, to, value| Residents {
            gender,
            from,
            to,
            value,
        };
        let all = [
            r(WHOLE, 6, 9, 100),
            r(WHOLE, 10, 19, 200),
            r(1, 6, 19, 140),
            r(2, 6, 19, 163),
            r(1, 6, 6, 1),
            r(2, 6, 6, 2),
        ];
        assert_eq!(residents(&all, WHOLE, 2, 6, 19), Some(300));
        assert_eq!(residents(&all, 1, 2, 6, 19), Some(140));
        assert_eq!(residents(&all, WHOLE, 2, 6, 6), Some(3));
        assert_eq!(residents(&all, WHOLE, 2, 7, 15), None);
    }
}
