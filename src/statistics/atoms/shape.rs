//! How the codes of a dimension stand to each other, and which reported cells may be published side by side.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::super::cube::{Additive, Ages, Cell, Dictionary, REST, WHOLE};
use super::{Dropped, Why};

/// Gender, age, subject, form: code numbers, or depths of a signature.
pub(super) type Group = [u8; 4];

const AGE: usize = 1;
const FORM: usize = 3;

/// How many numbers there are for bands: 0 and 255 mean something else.
const BANDS: usize = 254;

/// How a code stands to another one of the same dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    Inside,
    Around,
    Apart,
    /// Two age bands that overlap, and neither holds the other.
    Across,
}

/// The codes of a dictionary as sets of people.
#[derive(Debug)]
pub(super) struct Shape {
    ages: Vec<Ages>,
    /// By number − 1: the number of the form that it is a part of.
    forms: Vec<u8>,
}

impl Shape {
    pub(super) fn new(dictionary: &Dictionary) -> Self {
        let number = |code: &str| {
            let place = dictionary.forms.iter().position(|form| form == code)?;
            u8::try_from(place + 1).ok()
        };
        let parent = |code: &String| {
            let mut code = code.as_str();
            while let Some(above) = form_above(code) {
                if let Some(number) = number(above) {
                    return number;
                }
                code = above;
            }
            WHOLE
        };
        Self {
            ages: dictionary.ages.clone(),
            forms: dictionary.forms.iter().map(parent).collect(),
        }
    }

    fn band(&self, code: u8) -> Option<Ages> {
        self.ages
            .get(usize::from(code).checked_sub(1)?)
            .copied()
            .filter(|_| code != REST)
    }

    fn form_above(&self, code: u8) -> u8 {
        usize::from(code)
            .checked_sub(1)
            .and_then(|place| self.forms.get(place))
            .copied()
            .unwrap_or(WHOLE)
    }

    /// What a code may hold people of: a rest lies somewhere in that which it is the rest of.
    pub(super) fn scope(&self, group: Group) -> Group {
        let mut scope = group.map(|code| if code == REST { WHOLE } else { code });
        if let Some(age) = scope.get_mut(AGE)
            && let Some(band) = self.band(*age)
            && band.rest
        {
            let whole =
                |known: &Ages| !known.rest && (known.from, known.to) == (band.from, band.to);
            let place = self.ages.iter().position(whole);
            *age = place
                .and_then(|place| u8::try_from(place + 1).ok())
                .unwrap_or(WHOLE);
        }
        scope
    }

    /// How scope `a` stands to scope `b`.
    pub(super) fn relation(&self, dimension: usize, a: u8, b: u8) -> Relation {
        if a == b {
            return Relation::Same;
        }
        if b == WHOLE {
            return Relation::Inside;
        }
        if a == WHOLE {
            return Relation::Around;
        }
        match dimension {
            AGE => match (self.band(a), self.band(b)) {
                (Some(a), Some(b)) => bands(a, b),
                _ => Relation::Apart,
            },
            FORM if self.is_form_inside(a, b) => Relation::Inside,
            FORM if self.is_form_inside(b, a) => Relation::Around,
            _ => Relation::Apart,
        }
    }

    fn is_form_inside(&self, mut form: u8, outer: u8) -> bool {
        while form != WHOLE {
            form = self.form_above(form);
            if form == outer {
                return true;
            }
        }
        false
    }

    /// How deep the codes of a group are broken down. `bands` are the age bands that count.
    fn signature(&self, group: Group, bands: &[u8]) -> Group {
        let [gender, age, subject, form] = group;
        let around = bands
            .iter()
            .filter(|band| self.relation(AGE, age, **band) == Relation::Inside)
            .count();
        let age = if age == WHOLE { 0 } else { 1 + around };
        let mut depth = 0;
        let mut above = form;
        while above != WHOLE {
            depth += 1;
            above = self.form_above(above);
        }
        [
            u8::from(gender != WHOLE),
            u8::try_from(age).unwrap_or(u8::MAX),
            u8::from(subject != WHOLE),
            depth,
        ]
    }

    /// The code of what is left of a cell when its parts are taken out. `broken` are the dimensions that the parts
    /// divide. A form keeps its own code: the rest of voluntary activity is voluntary activity.
    pub(super) fn rest(group: Group, broken: [bool; 4], dictionary: &mut Dictionary) -> Group {
        let mut rest = group;
        for (dimension, (code, broken)) in rest.iter_mut().zip(broken).enumerate() {
            if !broken || (dimension == FORM && *code != WHOLE) {
                continue;
            }
            *code = match (dimension, *code) {
                (AGE, code) if code != WHOLE => rest_of_band(code, dictionary),
                _ => REST,
            };
        }
        rest
    }
}

fn bands(a: Ages, b: Ages) -> Relation {
    if a.to < b.from || b.to < a.from {
        Relation::Apart
    } else if (a.from, a.to) == (b.from, b.to) {
        Relation::Same
    } else if b.from <= a.from && a.to <= b.to {
        Relation::Inside
    } else if a.from <= b.from && b.to <= a.to {
        Relation::Around
    } else {
        Relation::Across
    }
}

/// The form that a form is a part of; none for the parts of the whole.
fn form_above(code: &str) -> Option<&'static str> {
    match code {
        "subject_course_long" | "subject_course_short" => Some("subject_course"),
        "subject_course" | "open_activity" | "targeted_activity" => Some("voluntary_activity"),
        _ => None,
    }
}

fn rest_of_band(code: u8, dictionary: &mut Dictionary) -> u8 {
    let Some(band) = usize::from(code)
        .checked_sub(1)
        .and_then(|place| dictionary.ages.get(place))
    else {
        return REST;
    };
    let rest = Ages {
        rest: true,
        ..*band
    };
    let known = dictionary.ages.iter().position(|known| *known == rest);
    let place = known.unwrap_or(dictionary.ages.len());
    if place >= BANDS {
        return REST;
    }
    if known.is_none() {
        dictionary.ages.push(rest);
    }
    u8::try_from(place + 1).unwrap_or(REST)
}

/// The dimensions of a cell.
pub(super) fn group(cell: &Cell) -> Group {
    let (gender, age, subject, form) = cell.group();
    [gender, age, subject, form]
}

/// A cell of other dimensions.
pub(super) fn regrouped(cell: Cell, [gender, age, subject, form]: Group) -> Cell {
    Cell {
        gender,
        age,
        subject,
        form,
        ..cell
    }
}

/// The dimensions that may not be summed over.
pub(super) fn fixed(additive: Additive) -> [bool; 4] {
    [false, false, !additive.subjects, !additive.forms]
}

/// How many cells have a value.
pub(super) fn valued(cells: &[Cell]) -> usize {
    cells.iter().filter(|cell| cell.value.is_some()).count()
}

/// The reported cells of an area that may stand beside each other, by signature, the finest first. Each cell lies
/// inside one cell of a coarser level or outside all of them.
pub(super) fn levels(
    area: &str,
    mut cells: Vec<Cell>,
    shape: &Shape,
    additive: Additive,
    dropped: &mut Vec<Dropped>,
) -> Vec<Vec<Cell>> {
    cells.sort_unstable_by_key(|cell| Reverse(*cell));
    cells.dedup_by_key(|cell| cell.group());
    let mut leave = |why, cells: &[Cell]| dropped.extend(Dropped::new(area, why, cells));
    let bands = nested_bands(&cells, shape);
    let (cells, across): (Vec<Cell>, Vec<Cell>) = cells
        .into_iter()
        .partition(|cell| cell.age == WHOLE || bands.contains(&cell.age));
    leave(Why::CrossingAges, &across);

    let mut by_signature: BTreeMap<Group, Vec<Cell>> = BTreeMap::new();
    for cell in cells {
        let signature = shape.signature(group(&cell), &bands);
        by_signature.entry(signature).or_default().push(cell);
    }
    if let Some(kept) = unsummed(&by_signature, additive) {
        let others = by_signature
            .extract_if(.., |signature, _| projection(*signature, additive) != kept)
            .flat_map(|(_, cells)| cells);
        leave(Why::NotAdditive, &others.collect::<Vec<Cell>>());
    }

    let mut all: Vec<(Group, Vec<Cell>)> = by_signature.into_iter().collect();
    all.sort_by_key(|(signature, cells)| Reverse((valued(cells), depth(*signature), *signature)));
    let mut chain: Vec<(Group, Vec<Cell>)> = Vec::new();
    let mut crossing = Vec::new();
    for (signature, cells) in all {
        if chain.iter().all(|(known, _)| comparable(*known, signature)) {
            chain.push((signature, cells));
        } else {
            crossing.extend(cells);
        }
    }
    leave(Why::CrossingBreakdown, &crossing);
    chain.sort_by_key(|(signature, _)| Reverse(depth(*signature)));
    chain.into_iter().map(|(_, cells)| cells).collect()
}

/// The age bands that do not overlap without one holding the other; of two that do, the one with fewer numbers goes.
fn nested_bands(cells: &[Cell], shape: &Shape) -> Vec<u8> {
    let mut counts: BTreeMap<u8, usize> = BTreeMap::new();
    for cell in cells.iter().filter(|cell| cell.age != WHOLE) {
        *counts.entry(cell.age).or_default() += usize::from(cell.value.is_some());
    }
    let mut bands: Vec<(u8, usize)> = counts.into_iter().collect();
    bands.sort_by_key(|(band, count)| {
        let ages = shape.band(*band);
        (
            Reverse(*count),
            ages.map(|ages| (ages.to.saturating_sub(ages.from), ages.from)),
        )
    });
    let mut nested: Vec<u8> = Vec::new();
    for (band, _) in bands {
        if nested
            .iter()
            .all(|known| shape.relation(AGE, *known, band) != Relation::Across)
        {
            nested.push(band);
        }
    }
    nested
}

fn depth(signature: Group) -> u32 {
    signature.into_iter().map(u32::from).sum()
}

fn comparable(a: Group, b: Group) -> bool {
    let pairs = || a.into_iter().zip(b);
    pairs().all(|(a, b)| a <= b) || pairs().all(|(a, b)| a >= b)
}

/// The part of a signature that may not be summed over.
fn projection(signature: Group, additive: Additive) -> [u8; 2] {
    let [_, _, subject, form] = signature;
    [
        if additive.subjects { 0 } else { subject },
        if additive.forms { 0 } else { form },
    ]
}

/// The one breakdown by the dimensions that may not be summed over: none, if such a number exists, or else the one
/// with the most numbers.
fn unsummed(by_signature: &BTreeMap<Group, Vec<Cell>>, additive: Additive) -> Option<[u8; 2]> {
    let mut counts: BTreeMap<[u8; 2], (usize, usize)> = BTreeMap::new();
    for (signature, cells) in by_signature {
        let count = counts.entry(projection(*signature, additive)).or_default();
        *count = (count.0 + valued(cells), count.1 + cells.len());
    }
    let nothing = counts.values().all(|(valued, _)| *valued == 0);
    counts
        .into_iter()
        .max_by_key(|(broken, (valued, all))| {
            let whole = *broken == [0, 0] && (*valued > 0 || nothing);
            (whole, *valued, *all, *broken)
        })
        .map(|(broken, _)| broken)
}
