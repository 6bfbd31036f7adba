//! The sums of one measure in one place and period.

use std::collections::BTreeSet;

use diesel::QueryResult;
use diesel::result::Error as QueryError;

use super::cell::{Cell, Coverage};
use crate::statistics::blocks::Block;
use crate::statistics::codes::{CellStatus, Level, Origin, Reason};
use crate::statistics::cube::{
    Axes, Cell as Counted, Dictionary, Quality, REST, Residents, Sum, WHOLE, residents, sums,
    unpack,
};
use crate::statistics::frozen::{Frozen, Measure};
use crate::statistics::query::{Asking, Group, Place, Question, Splits, Years};

/// How a measure is evaluated; the same for every place and period.
pub(super) struct Plan<'a> {
    pub measure: &'a Measure,
    pub basis: &'a str,
    /// The measure whose cells are summed.
    pub counted: Option<&'a Measure>,
    /// Whether the sums are divided by residents.
    pub is_share: bool,
    /// The periods that anybody has reported it for.
    pub reported: BTreeSet<i16>,
    ages: Option<Years>,
    axes: Axes,
}

impl<'a> Plan<'a> {
    pub fn of(frozen: &'a Frozen, question: &'a Question, asking: &'a Asking) -> Option<Self> {
        let catalogue = &frozen.catalogue;
        let measure = catalogue.measures.get(asking.measure)?;
        let counted = measure.counted(catalogue);
        let is_share = measure.is_computed_share(catalogue);
        let ages = measure.share_ages().filter(|_| is_share);
        let additive = counted.unwrap_or(measure).additive;
        Some(Self {
            measure,
            basis: &asking.basis,
            counted,
            is_share,
            reported: frozen.told.periods(measure, catalogue),
            ages,
            axes: question.splits.axes(frozen, additive, ages),
        })
    }

    /// Whether the share is of all the ages of a group.
    pub fn has_ages(&self, group: &Group) -> bool {
        let Some((from, to)) = self.ages else {
            return *group == Group::Whole;
        };
        group.years().iter().all(|&(a, b)| from <= a && b <= to)
    }
}

/// The sums over the blocks of the members of a place.
pub(super) struct Gathered {
    pub blocks: usize,
    pub sources: BTreeSet<i16>,
    sums: Vec<Sum>,
    /// Residents of each gender and age group; none if unknown for one of the members.
    residents: Vec<Option<i64>>,
    coverage: Coverage,
    /// Whether a cell is of wider ages than the share is of.
    of_wider_ages: bool,
}

impl Gathered {
    pub fn of<'r>(
        plan: &Plan<'_>,
        frozen: &Frozen,
        question: &Question,
        place: &Place,
        members: &[&str],
        block: impl Fn(&str, &str) -> Option<&'r Block>,
    ) -> QueryResult<Self> {
        let groups = question.splits.gender.groups.len() * question.splits.age.groups.len();
        let mut gathered = Self {
            blocks: 0,
            sources: BTreeSet::new(),
            sums: vec![Sum::default(); question.splits.groups()],
            residents: vec![Some(0); groups],
            coverage: Coverage {
                reported: 0,
                expected: 0,
                level: Level::Municipality,
            },
            of_wider_ages: false,
        };
        let Some(counted) = plan.counted else {
            return Ok(gathered);
        };
        let dictionary = &frozen.catalogue.dictionary;
        let mut complete = 0;
        for member in members {
            let Some(block) = block(member, &counted.code) else {
                continue;
            };
            let cells: Vec<Counted> = unpack(&block.cells).map_err(broken)?;
            for (sum, more) in gathered.sums.iter_mut().zip(sums(&cells, &plan.axes)) {
                sum.add(&more);
            }
            if let (true, Some(ages)) = (plan.is_share, plan.ages) {
                gathered.of_wider_ages |= cells.iter().any(|cell| is_wider(cell, ages, dictionary));
                let all: Vec<Residents> = unpack(&block.residents).map_err(broken)?;
                let own = denominators(&all, &question.splits, dictionary, ages);
                for (sum, more) in gathered.residents.iter_mut().zip(own) {
                    *sum = sum.zip(more).map(|(a, b)| a + b);
                }
            }
            gathered.blocks += 1;
            gathered.sources.extend(&block.source_nos);
            complete += usize::from(block.reported >= block.expected);
            gathered.coverage = of_block(block);
        }
        if !matches!(place, Place::Area(_)) {
            let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
            gathered.coverage = Coverage {
                reported: count(complete),
                expected: count(members.len()),
                level: Level::Municipality,
            };
        }
        if plan.is_share && plan.ages.is_none() {
            gathered.residents.fill(None);
        }
        Ok(gathered)
    }

    /// Whether anybody is, or may be, in a group.
    pub fn occupied(&self, group: usize) -> bool {
        self.sums
            .get(group)
            .is_some_and(|sum| sum.value > 0 || sum.missing)
    }

    /// The number of a group. `withheld` says whether some or all of its codes are shown for larger areas only.
    pub fn count(&self, group: usize, withheld: Option<bool>) -> Cell {
        let sum = self.sums.get(group).copied().unwrap_or_default();
        let coverage = Some(self.coverage);
        if withheld == Some(true) {
            return Cell::none(CellStatus::NotAvailable, Reason::ShownForLargerAreasOnly)
                .covering(coverage);
        }
        let short = self.coverage.reported < self.coverage.expected;
        let reasons: Vec<Reason> = [
            (sum.wider, Reason::BrokenDownLessFinely),
            (sum.narrower, Reason::PersonsNotSummed),
            (sum.missing, Reason::ValueMissing),
            (withheld.is_some(), Reason::ShownForLargerAreasOnly),
            (short, Reason::SomePlacesMissing),
        ]
        .into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect();
        let unknown = sum.wider || sum.narrower;
        if sum.cells == 0 && (unknown || sum.missing) {
            let status = if unknown {
                CellStatus::NotAvailable
            } else {
                CellStatus::MissingNotSubmitted
            };
            return Cell {
                reasons,
                ..Cell::of(status)
            }
            .covering(coverage);
        }
        let status = if reasons.is_empty() {
            match sum.quality {
                Quality::Reported => CellStatus::Reported,
                Quality::Provisional => CellStatus::Provisional,
                Quality::Estimated => CellStatus::Estimated,
            }
        } else {
            CellStatus::Partial
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers of people are far below 2^53"
        )]
        let value = sum.value as f64;
        Cell {
            value: Some(value),
            origin: Some(Origin::Computed),
            numerator: Some(sum.value),
            reasons,
            ..Cell::of(status)
        }
        .covering(coverage)
    }

    /// The share that a number is of the residents. An incomplete numerator would make it too small, so it has no
    /// value then; one of fewer places has the residents of the same places and is a share of those.
    pub fn share(&self, count: Cell, group: usize, denominator: usize, year: Option<i32>) -> Cell {
        let sum = self.sums.get(group).copied().unwrap_or_default();
        let incomplete = sum.wider || sum.narrower || sum.missing;
        let withheld = count.reasons.contains(&Reason::ShownForLargerAreasOnly);
        if incomplete || withheld || count.value.is_none() {
            let status = match count.status {
                CellStatus::MissingNotSubmitted => CellStatus::MissingNotSubmitted,
                _ => CellStatus::NotAvailable,
            };
            let mut reasons = count.reasons;
            if self.of_wider_ages
                && let Some(reason) = reasons
                    .iter_mut()
                    .find(|reason| **reason == Reason::BrokenDownLessFinely)
            {
                *reason = Reason::NumeratorNotOfTheseAges;
            }
            return Cell {
                reasons,
                ..Cell::of(status)
            }
            .covering(count.coverage);
        }
        let residents = self
            .residents
            .get(denominator)
            .copied()
            .flatten()
            .filter(|residents| *residents > 0);
        let (Some(numerator), Some(residents)) = (count.numerator, residents) else {
            let reason = if year.is_none() {
                Reason::NoPopulationYear
            } else {
                Reason::ResidentsUnknown
            };
            return Cell {
                numerator: count.numerator,
                ..Cell::none(CellStatus::NoDenominator, reason)
            }
            .covering(count.coverage);
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "numbers of people are far below 2^53"
        )]
        let value = 100.0 * numerator as f64 / residents as f64;
        Cell {
            value: Some(value),
            denominator: Some(residents),
            ..count
        }
    }
}

fn broken(error: postcard::Error) -> QueryError {
    QueryError::DeserializationError(Box::new(error))
}

fn of_block(block: &Block) -> Coverage {
    let level = match Level::of(&block.area) {
        Level::Country | Level::Region => Level::Municipality,
        Level::Municipality if block.expected > 1 => Level::District,
        level => level,
    };
    Coverage {
        reported: block.reported,
        expected: block.expected,
        level,
    }
}

/// Whether some people of a cell, but not surely all, are of these ages.
fn is_wider(cell: &Counted, (from, to): Years, dictionary: &Dictionary) -> bool {
    if cell.value == Some(0) {
        return false;
    }
    if matches!(cell.age, WHOLE | REST) {
        return true;
    }
    let ages = usize::from(cell.age)
        .checked_sub(1)
        .and_then(|place| dictionary.ages.get(place));
    ages.is_some_and(|ages| {
        let overlaps = ages.from <= to && from <= ages.to;
        overlaps && (ages.from < from || to < ages.to)
    })
}

/// Residents of each gender group and age group. Subjects and forms have no residents of their own.
fn denominators(
    all: &[Residents],
    splits: &Splits,
    dictionary: &Dictionary,
    ages: Years,
) -> Vec<Option<i64>> {
    let genders = u8::try_from(dictionary.genders.len()).unwrap_or(u8::MAX);
    let number = |code: &String| {
        let place = dictionary.genders.iter().position(|known| known == code)?;
        u8::try_from(place + 1).ok()
    };
    let mut found = Vec::with_capacity(splits.gender.groups.len() * splits.age.groups.len());
    for gender in &splits.gender.groups {
        let numbers: Option<Vec<u8>> = match gender {
            Group::Whole => Some(vec![WHOLE]),
            Group::Codes(codes) => codes.iter().map(number).collect(),
            Group::NotStated => None,
        };
        for age in &splits.age.groups {
            let bands = match age {
                Group::Whole => vec![ages],
                Group::Codes(_) => age.years(),
                Group::NotStated => Vec::new(),
            };
            let sum = numbers
                .as_ref()
                .filter(|_| !bands.is_empty())
                .and_then(|numbers| {
                    numbers
                        .iter()
                        .flat_map(|gender| bands.iter().map(move |band| (*gender, *band)))
                        .map(|(gender, (from, to))| residents(all, gender, genders, from, to))
                        .sum()
                });
            found.push(sum);
        }
    }
    found
}
