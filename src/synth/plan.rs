//! Which rows are written, so that there are as many as were asked for.
//!
//! The people are the same however many rows there are; what changes is how finely they are reported. Few rows: fewer
//! years, and most municipalities report by gender and age only. More rows: municipalities report by district, subject
//! and form. Most rows: cells in which there is nobody are reported as 0, spread evenly.

use std::ops::{Range, RangeInclusive};

use super::geography::{DISTRICTS, Municipality};
use super::people::{AGES, CHOICES, FIRST_YEAR, GENDERS, Groups, People, YEARS, YOUNGEST, choices};
use crate::participation::codes::{ActivityForm, Gender, Subject};

/// Rows that one municipality's two reports have at most when they go by gender and age only.
const COARSE_ROWS: u64 = 4 * AGES as u64;
/// How many rows can be made: all municipalities by gender and age in one year, to everything with every 0.
pub const ROWS: RangeInclusive<u64> =
    290 * COARSE_ROWS..=DISTRICTS * (2 * AGES * YEARS * (1 + CHOICES)) as u64;

/// What is counted, each in reports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// `pupils`
    Pupils,
    /// `pupil_places`
    Places,
}

/// A reported number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'a> {
    /// Where.
    pub(super) area: &'a str,
    /// Of whom.
    pub(super) gender: Gender,
    /// Of which age, in years.
    pub(super) age: usize,
    /// Subject and form; none for all.
    pub(super) choice: Option<(Subject, ActivityForm)>,
    /// How many.
    pub(super) value: u32,
}

/// Goes through the cells that a municipality's report may have.
pub(super) fn each<'a>(
    municipality: &'a Municipality,
    people: &[Groups],
    counted: Counted,
    by_district: bool,
    mut visit: impl FnMut(Cell<'a>),
) {
    if !by_district {
        let area = &municipality.code;
        for (number, gender) in GENDERS.into_iter().enumerate() {
            for age in 0..AGES {
                let groups = people
                    .iter()
                    .filter_map(|groups| groups.get(number)?.get(age));
                let value = match counted {
                    Counted::Pupils => groups.map(|group| group.pupils).sum(),
                    Counted::Places => groups.flat_map(|group| group.places).sum(),
                };
                visit(Cell {
                    area,
                    gender,
                    age: YOUNGEST + age,
                    choice: None,
                    value,
                });
            }
        }
        return;
    }
    for (district, groups) in municipality.districts.iter().zip(people) {
        for (gender, groups) in GENDERS.into_iter().zip(groups) {
            for (age, group) in (YOUNGEST..).zip(groups) {
                let cell = |choice, value| Cell {
                    area: &district.code,
                    gender,
                    age,
                    choice,
                    value,
                };
                match counted {
                    Counted::Pupils => visit(cell(None, group.pupils)),
                    Counted::Places => {
                        for (choice, value) in choices().zip(group.places) {
                            visit(cell(Some(choice), value));
                        }
                    }
                }
            }
        }
    }
}

/// Cells with somebody in them, and cells with nobody.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    filled: u64,
    empty: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.filled += other.filled;
        self.empty += other.empty;
    }
}

fn size(municipality: &Municipality, people: &[Groups], by_district: bool) -> Size {
    let mut size = Size::default();
    for counted in [Counted::Pupils, Counted::Places] {
        each(municipality, people, counted, by_district, |cell| {
            if cell.value > 0 {
                size.filled += 1;
            } else {
                size.empty += 1;
            }
        });
    }
    size
}

/// What is reported.
#[derive(Debug)]
pub(super) struct Plan {
    /// The years, counted from the first.
    pub(super) years: Range<usize>,
    /// Which municipalities report by district.
    pub(super) by_district: Vec<bool>,
    /// How many rows that makes.
    pub(super) rows: u64,
    zeros: u64,
    empty: u64,
}

impl Plan {
    /// The plan that makes so many rows, which lie in [`ROWS`].
    pub(super) fn new(people: &People, places: &[Municipality], rows: u64) -> Self {
        let mut first = YEARS;
        let mut coarse = vec![Size::default(); places.len()];
        let mut whole = Size::default();
        while first > 0 {
            let year: Vec<Size> = places
                .iter()
                .enumerate()
                .map(|(place, m)| size(m, &people.of(place, m, first - 1), false))
                .collect();
            let filled: u64 = year.iter().map(|size| size.filled).sum();
            if first < YEARS && whole.filled + filled > rows {
                break;
            }
            first -= 1;
            for (sum, size) in coarse.iter_mut().zip(year) {
                sum.add(size);
                whole.add(size);
            }
        }
        let mut by_district = vec![false; places.len()];
        // Small and large ones in turn: 97 and 290 have no common factor.
        let turns = (0..places.len()).map(|turn| turn * 97 % places.len());
        for place in turns {
            let (Some(municipality), Some(coarse), Some(by_district)) = (
                places.get(place),
                coarse.get(place),
                by_district.get_mut(place),
            ) else {
                continue;
            };
            let mut fine = Size::default();
            for year in first..YEARS {
                fine.add(size(
                    municipality,
                    &people.of(place, municipality, year),
                    true,
                ));
            }
            let changed = whole.filled - coarse.filled + fine.filled;
            if changed <= rows {
                whole.filled = changed;
                whole.empty = whole.empty - coarse.empty + fine.empty;
                *by_district = true;
            }
        }
        let zeros = rows.saturating_sub(whole.filled).min(whole.empty);
        Self {
            years: first..YEARS,
            by_district,
            rows: whole.filled + zeros,
            zeros,
            empty: whole.empty,
        }
    }

    /// Decides which empty cells are reported as 0, asked for each in turn.
    pub(super) fn zeros(&self) -> Zeros {
        Zeros {
            wanted: self.zeros,
            of: self.empty,
            seen: 0,
        }
    }
}

/// See [`Plan::zeros`].
#[derive(Debug)]
pub(super) struct Zeros {
    wanted: u64,
    of: u64,
    seen: u64,
}

impl Zeros {
    /// Whether the next empty cell is reported.
    pub(super) fn report(&mut self) -> bool {
        let before = self.seen * self.wanted / self.of.max(1);
        self.seen += 1;
        self.seen * self.wanted / self.of.max(1) > before
    }
}

/// The calendar year of a year counted from the first.
pub(super) fn calendar(year: usize) -> usize {
    FIRST_YEAR + year
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::synth::geography::{divide, tests::places};

    #[test]
    fn the_limits_are_those_that_the_help_tells() {
        assert_eq!(ROWS, 16_240..=58_072_000);
    }

    #[rstest]
    #[case(16_240)]
    #[case(16_300)]
    #[case(47_111)]
    fn there_are_as_many_rows_as_were_asked_for(#[case] rows: u64) {
        let (people, places) = (People::new(7), divide(places()));
        let plan = Plan::new(&people, &places, rows);
        assert_eq!(plan.rows, rows);
        let mut zeros = plan.zeros();
        let mut written = 0;
        for year in plan.years.clone() {
            for counted in [Counted::Pupils, Counted::Places] {
                for (place, municipality) in places.iter().enumerate() {
                    let people = people.of(place, municipality, year);
                    let by_district = plan.by_district[place];
                    each(municipality, &people, counted, by_district, |cell| {
                        written += u64::from(cell.value > 0 || zeros.report());
                    });
                }
            }
        }
        assert_eq!(written, rows);
    }

    #[test]
    fn a_report_by_district_and_a_coarse_one_tell_the_same_sums() {
        let (people, places) = (People::new(7), divide(places()));
        let groups = people.of(3, &places[3], 9);
        for counted in [Counted::Pupils, Counted::Places] {
            let sum = |by_district| {
                let mut sum = [0; AGES];
                each(&places[3], &groups, counted, by_district, |cell| {
                    sum[cell.age - YOUNGEST] += cell.value;
                });
                sum
            };
            assert_eq!(sum(true), sum(false));
            assert!(sum(true).iter().sum::<u32>() > 0);
        }
    }
}
