//! Evaluating a question: sums of cells, shares of sums, quoted figures, and what stands in the way of each.
//!
//! A share is `100 × numerator ÷ residents`, both summed over the places first and divided once: the shares of two
//! municipalities are never averaged. The residents are those of exactly the places whose numbers are in the numerator.

mod cell;
mod gather;
mod needed;

use std::collections::{BTreeSet, HashMap};

use diesel::QueryResult;

pub use self::cell::{Cell, Coverage, shown};
use self::gather::{Gathered, Plan};
use self::needed::Needed;
pub use super::blocks::Base;
use super::blocks::{self, Block, Figure};
use super::codes::{CellStatus, Dimension, Level, Origin, Reason};
use super::frozen::{Frozen, Period};
use super::query::{Group, Place, Question, Splits};
use crate::db::Conn;

/// What was read for a question.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Blocks of cells.
    pub blocks: Vec<Block>,
    /// Quoted figures.
    pub figures: Vec<Figure>,
}

/// The numbers that answer a question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The question; groups that nobody is in and nobody asked for are gone.
    pub question: Question,
    /// One for each combination, row by row: measures, places, periods, genders, ages, subjects, forms; the last
    /// runs fastest.
    pub cells: Vec<Cell>,
    /// The sources of the numbers, by their places in the catalogue.
    pub sources: BTreeSet<i16>,
    /// The years whose residents the shares are of.
    pub years: BTreeSet<i32>,
    /// Whether the numbers are the protected ones.
    pub base: Base,
    /// For each dimension, whether anybody is in the group of those not stated.
    rest: [bool; 4],
}

impl Answer {
    /// The answer to a question before anything is read for it.
    #[must_use]
    pub fn unread(question: &Question, base: Base) -> Self {
        Self {
            question: question.clone(),
            cells: Vec::new(),
            sources: BTreeSet::new(),
            years: BTreeSet::new(),
            base,
            rest: [false; 4],
        }
    }

    /// A cell by the places of its categories in the question.
    #[must_use]
    pub fn at(
        &self,
        measure: usize,
        place: usize,
        period: usize,
        groups: [usize; 4],
    ) -> Option<&Cell> {
        let question = &self.question;
        let outer = [
            (measure, question.measures.len()),
            (place, question.places.len()),
            (period, question.periods.len()),
        ];
        let inner = groups.into_iter().zip(question.splits.sizes());
        let mut index = 0;
        for (at, size) in outer.into_iter().chain(inner) {
            if at >= size {
                return None;
            }
            index = index * size + at;
        }
        self.cells.get(index)
    }

    /// Leaves out the groups of those not stated that were added unasked and that nobody is in.
    #[must_use]
    pub fn without_empty_rest(mut self) -> Self {
        for dimension in 0..4 {
            let sizes = self.question.splits.sizes();
            let [size, inner] = [
                sizes.get(dimension).copied().unwrap_or(1),
                sizes.iter().skip(dimension + 1).product::<usize>(),
            ];
            let occupied = self.rest.get(dimension).copied().unwrap_or(true);
            let mut splits = self.question.splits.each_mut();
            let Some(split) = splits.get_mut(dimension) else {
                continue;
            };
            let Some(rest) = split.rest().filter(|_| split.with_rest && !occupied) else {
                continue;
            };
            // Of a dimension that nothing is broken down by, the rest is all there is.
            if split.groups.len() == 1 {
                continue;
            }
            split.groups.remove(rest);
            let mut place = 0;
            self.cells.retain(|_| {
                let group = place / inner % size;
                place += 1;
                group != rest
            });
        }
        self
    }
}

/// Reads and evaluates a question.
///
/// # Errors
/// When a query fails or a block cannot be unpacked.
pub async fn evaluate(
    conn: &Conn,
    frozen: &Frozen,
    question: &Question,
    base: Base,
) -> QueryResult<Answer> {
    Ok(part(conn, frozen, question, base)
        .await?
        .without_empty_rest())
}

/// As [`evaluate`], with the groups of those not stated even if nobody is in them: the parts of a long answer have the
/// same groups.
///
/// # Errors
/// When a query fails or a block cannot be unpacked.
pub async fn part(
    conn: &Conn,
    frozen: &Frozen,
    question: &Question,
    base: Base,
) -> QueryResult<Answer> {
    let needed = Needed::of(frozen, question);
    let read = futures_util::try_join!(
        blocks::read(conn, &needed.blocks, needed.grain, base),
        blocks::figures(conn, &needed.figures, &needed.codes)
    )?;
    answer(
        frozen,
        question,
        &Read {
            blocks: read.0,
            figures: read.1,
        },
        base,
    )
}

/// Rows by where and when they are of.
struct Index<'r> {
    blocks: HashMap<(&'r str, i16), Vec<&'r Block>>,
    figures: HashMap<(&'r str, i16), Vec<&'r Figure>>,
}

impl<'r> Index<'r> {
    fn of(read: &'r Read) -> Self {
        let mut index = Self {
            blocks: HashMap::with_capacity(read.blocks.len()),
            figures: HashMap::with_capacity(read.figures.len()),
        };
        for block in &read.blocks {
            let key = (block.area.as_str(), block.period_no);
            index.blocks.entry(key).or_default().push(block);
        }
        for figure in &read.figures {
            let key = (figure.area.as_str(), figure.period_no);
            index.figures.entry(key).or_default().push(figure);
        }
        index
    }

    fn block(&self, area: &str, period: i16, measure: &str, basis: &str) -> Option<&'r Block> {
        self.blocks
            .get(&(area, period))?
            .iter()
            .find(|block| block.measure == measure && block.basis == basis)
            .copied()
    }

    /// The quoted figure of a group, if its source has one of exactly this group.
    fn figure(
        &self,
        area: &str,
        period: i16,
        plan: &Plan<'_>,
        groups: [&Group; 4],
    ) -> Option<&'r Figure> {
        let [gender, age, subject, form] = groups;
        let ages = plan.measure.denominator_ages.as_deref();
        let code = age.quoted(Dimension::AgeBand)?;
        let whole = Dimension::AgeBand.whole();
        let is_whole = code == whole || Some(code) == ages;
        self.figures
            .get(&(area, period))?
            .iter()
            .copied()
            .find(|figure| {
                figure.measure == plan.measure.code
                    && figure.basis == plan.basis
                    && Some(figure.gender.as_str()) == gender.quoted(Dimension::Gender)
                    && Some(figure.subject.as_str()) == subject.quoted(Dimension::Subject)
                    && Some(figure.activity_form.as_str()) == form.quoted(Dimension::ActivityForm)
                    && (figure.age_band == code
                        || is_whole
                            && (figure.age_band == whole || Some(figure.age_band.as_str()) == ages))
            })
    }
}

/// The pure part: from what was read to the answer.
///
/// # Errors
/// When a block cannot be unpacked.
pub fn answer(
    frozen: &Frozen,
    question: &Question,
    read: &Read,
    base: Base,
) -> QueryResult<Answer> {
    let index = Index::of(read);
    let mut answer = Answer::unread(question, base);
    answer.cells.reserve(question.cells());
    let periods: Vec<(i16, &Period)> = question
        .periods
        .iter()
        .filter_map(|no| Some((*no, frozen.catalogue.period(*no)?)))
        .collect();
    let members: Vec<Vec<Vec<&str>>> = question
        .places
        .iter()
        .map(|place| {
            periods
                .iter()
                .map(|(_, period)| place.members(frozen, period))
                .collect()
        })
        .collect();
    for asking in &question.measures {
        let Some(plan) = Plan::of(frozen, question, asking) else {
            continue;
        };
        for (place, members) in question.places.iter().zip(&members) {
            for ((no, period), members) in periods.iter().zip(members) {
                let gathered =
                    Gathered::of(&plan, frozen, question, place, members, |area, measure| {
                        index.block(area, *no, measure, plan.basis)
                    })?;
                answer.sources.extend(&gathered.sources);
                if plan.is_share && gathered.blocks > 0 {
                    answer.years.extend(period.population_year());
                }
                let spot = Spot {
                    frozen,
                    index: &index,
                    plan: &plan,
                    place,
                    no: *no,
                    period,
                    members,
                    gathered: &gathered,
                    splits: &question.splits,
                    level: place.level(frozen),
                    base,
                };
                spot.cells(&mut answer);
            }
        }
    }
    Ok(answer)
}

/// One measure, place and period, with all its groups.
struct Spot<'a> {
    frozen: &'a Frozen,
    index: &'a Index<'a>,
    plan: &'a Plan<'a>,
    place: &'a Place,
    no: i16,
    period: &'a Period,
    members: &'a [&'a str],
    gathered: &'a Gathered,
    splits: &'a Splits,
    level: Level,
    base: Base,
}

impl Spot<'_> {
    fn cells(&self, answer: &mut Answer) {
        let splits = self.splits;
        let absent = (self.gathered.blocks == 0).then(|| self.absent());
        let mut group = 0;
        for (g, gender) in splits.gender.groups.iter().enumerate() {
            for (a, age) in splits.age.groups.iter().enumerate() {
                for subject in &splits.subject.groups {
                    for form in &splits.form.groups {
                        let groups = [gender, age, subject, form];
                        let denominator = g * splits.age.groups.len() + a;
                        let computed = match &absent {
                            Some(absent) => absent.clone(),
                            None => self.computed(group, denominator, groups),
                        };
                        let cell = self.with_quoted(computed, groups, answer);
                        if self.gathered.occupied(group) {
                            for (rest, group) in answer.rest.iter_mut().zip(groups) {
                                *rest |= *group == Group::NotStated;
                            }
                        }
                        answer.cells.push(cell);
                        group += 1;
                    }
                }
            }
        }
    }

    fn computed(&self, group: usize, denominator: usize, groups: [&Group; 4]) -> Cell {
        let [gender, age, subject, form] = groups;
        let policies = &self.frozen.catalogue.policies;
        let withheld = [
            ("gender", gender),
            ("subject", subject),
            ("activity_form", form),
        ]
        .into_iter()
        .filter_map(|(dimension, group)| group.withheld(dimension, self.level, policies))
        .max();
        let cell = self
            .gathered
            .count(group, withheld.filter(|_| self.base == Base::Protected));
        if !self.plan.is_share {
            return cell;
        }
        if !self.plan.has_ages(age) {
            return Cell::none(CellStatus::NotAvailable, Reason::OutsideDenominatorAges)
                .covering(cell.coverage);
        }
        self.gathered
            .share(cell, group, denominator, self.period.population_year())
    }

    /// A quoted figure takes the place of what cannot be computed.
    fn with_quoted(&self, computed: Cell, groups: [&Group; 4], answer: &mut Answer) -> Cell {
        if self.plan.measure.counted || computed.value.is_some() {
            return computed;
        }
        let Place::Area(area) = self.place else {
            return if self.plan.counted.is_none() {
                Cell::none(CellStatus::NotAvailable, Reason::FigureNotSummed)
            } else {
                computed
            };
        };
        let Some(figure) = self.index.figure(area, self.no, self.plan, groups) else {
            return computed;
        };
        answer.sources.insert(figure.source_no);
        Cell {
            value: figure.value,
            status: figure
                .status
                .as_str()
                .parse()
                .unwrap_or(CellStatus::NotAvailable),
            origin: figure.value.map(|_| Origin::Published),
            precision: figure.value.map(|_| figure.precision),
            source: Some(figure.source_no),
            ..Cell::default()
        }
    }

    /// Why there are no numbers at all.
    fn absent(&self) -> Cell {
        let areas = &self.frozen.places;
        match self.place {
            Place::Area(code) => {
                let area = areas.area(code);
                if area.is_some_and(|area| !area.exists_in(self.period)) {
                    return Cell::none(CellStatus::NotApplicable, Reason::AreaNotInPeriod);
                }
            }
            Place::Collaboration(_) | Place::Category(_) | Place::Peers(_)
                if self.members.is_empty() =>
            {
                return Cell::none(CellStatus::NotApplicable, Reason::NoMembers);
            }
            Place::Collaboration(_) | Place::Category(_) | Place::Peers(_) => {}
        }
        if !self.plan.reported.contains(&self.no) {
            return Cell::of(CellStatus::NotCollected);
        }
        if self.plan.counted.is_none() {
            return Cell::of(CellStatus::MissingNotSubmitted);
        }
        if let Place::Area(code) = self.place
            && self.level == Level::District
            && self.municipality_reported(code)
        {
            return Cell::none(CellStatus::NotAvailable, Reason::NotByDistrict);
        }
        Cell::of(CellStatus::MissingNotSubmitted).covering(Some(self.expected()))
    }

    fn municipality_reported(&self, district: &str) -> bool {
        let Some(counted) = self.plan.counted else {
            return false;
        };
        let Some(municipality) = district.get(..4) else {
            return false;
        };
        self.frozen.told.tells(&counted.code, self.no, municipality)
    }

    /// The coverage of a place that nobody in it has reported for.
    fn expected(&self) -> Coverage {
        let none = |expected: usize, level| Coverage {
            reported: 0,
            expected: i32::try_from(expected).unwrap_or(i32::MAX),
            level,
        };
        match (self.place, self.level) {
            (Place::Area(code), Level::Country | Level::Region) => {
                let municipalities = self.frozen.places.areas.iter().filter(|area| {
                    area.level == Level::Municipality
                        && area.lies_in(code)
                        && area.exists_in(self.period)
                });
                none(municipalities.count(), Level::Municipality)
            }
            (Place::Area(_), level) => none(1, level),
            (Place::Collaboration(_) | Place::Category(_) | Place::Peers(_), _) => {
                none(self.members.len(), Level::Municipality)
            }
        }
    }
}
