//! Totals turned into what they hold beyond their parts.

use std::collections::{HashMap, HashSet};

use super::super::cube::{Additive, Cell, Dictionary, Quality, WHOLE, merged};
use super::shape::{Group, Relation, Shape, fixed, group, regrouped};

/// People who are published already, in cells of this scope: those of the parts of an area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) scope: Group,
    pub(super) value: i64,
    pub(super) quality: Quality,
}

/// The parts of an area, summed: bounded by the number of groups, however many areas they come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts(HashMap<Group, (i64, Quality)>);

impl Parts {
    pub(super) fn add(&mut self, shape: &Shape, cells: &[Cell]) {
        for cell in cells {
            if let Some(value) = cell.value {
                self.take(shape.scope(group(cell)), value, cell.quality);
            }
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (scope, (value, quality)) in &other.0 {
            self.take(*scope, *value, *quality);
        }
    }

    fn take(&mut self, scope: Group, value: i64, quality: Quality) {
        let sum = self.0.entry(scope).or_default();
        *sum = (sum.0 + value, sum.1.max(quality));
    }

    pub(super) fn all(&self) -> Vec<Part> {
        let part = |(scope, (value, quality)): (&Group, &(i64, Quality))| Part {
            scope: *scope,
            value: *value,
            quality: *quality,
        };
        self.0.iter().map(part).collect()
    }
}

/// What became of the levels of an area.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) atoms: Vec<Cell>,
    /// Totals that are smaller than their parts, with the sum of these.
    pub(super) exceeded: Vec<(Cell, i64)>,
    /// Whether a number of the area itself is in the atoms, and no part of it lies outside those.
    pub(super) complete: bool,
}

/// A cell of the area on its way: where it came from, and what is left of it.
struct Held {
    scope: Group,
    cell: Cell,
}

#[derive(Default)]
struct Inside {
    sum: i64,
    quality: Quality,
    broken: [bool; 4],
}

/// Goes from the finest level to the coarsest and takes out of each cell what lies inside it.
pub(super) fn settle(
    levels: Vec<Vec<Cell>>,
    parts: &[Part],
    shape: &Shape,
    dictionary: &mut Dictionary,
) -> Settled {
    let mut held: Vec<Held> = Vec::new();
    let mut exceeded = Vec::new();
    let mut covered_parts = vec![false; parts.len()];
    let mut counts = false;
    for level in levels {
        if held.is_empty() && parts.is_empty() {
            counts |= level.iter().any(|cell| cell.value.is_some());
            held = level
                .into_iter()
                .map(|cell| Held {
                    scope: group(&cell),
                    cell,
                })
                .collect();
            continue;
        }
        let mut lift = Lift::new(shape, &level);
        let homes: Vec<Option<Group>> = parts.iter().map(|part| lift.of(part.scope)).collect();
        let held_homes: Vec<Option<Group>> = held.iter().map(|held| lift.of(held.scope)).collect();
        let mut inside: HashMap<Group, Inside> = HashMap::new();
        let mut silent: HashSet<Group> = HashSet::new();
        for (part, home) in parts.iter().zip(&homes) {
            if let Some(home) = home {
                let inside = inside.entry(*home).or_default();
                inside.take(part.scope, *home, part.value, part.quality);
            }
        }
        for (held, home) in held.iter().zip(&held_homes) {
            match (home, held.cell.value) {
                (Some(home), Some(value)) => {
                    let inside = inside.entry(*home).or_default();
                    inside.take(held.scope, *home, value, held.cell.quality);
                }
                (Some(home), None) => {
                    silent.insert(*home);
                }
                (None, _) => {}
            }
        }
        let mut counted: HashSet<Group> = HashSet::new();
        let mut rests = Vec::new();
        for cell in level {
            let scope = group(&cell);
            let remaining = match (cell.value, inside.get(&scope)) {
                (None, None) if !silent.contains(&scope) => cell,
                (None, _) => continue,
                (Some(total), Some(inside)) if total < inside.sum => {
                    exceeded.push((cell, inside.sum));
                    continue;
                }
                (Some(total), within) => {
                    counts = true;
                    counted.insert(scope);
                    let Some(inside) = within else {
                        rests.push(Held { scope, cell });
                        continue;
                    };
                    if total == inside.sum {
                        continue;
                    }
                    let remaining = Cell {
                        value: Some(total - inside.sum),
                        quality: cell.quality.max(inside.quality),
                        ..cell
                    };
                    regrouped(remaining, Shape::rest(scope, inside.broken, dictionary))
                }
            };
            rests.push(Held {
                scope,
                cell: remaining,
            });
        }
        let known = |home: &Option<Group>| home.is_some_and(|home| counted.contains(&home));
        for (covered, home) in covered_parts.iter_mut().zip(&homes) {
            *covered |= known(home);
        }
        // A missing part of a known total says nothing that the rest does not say.
        let mut homes = held_homes.iter();
        held.retain(|held| {
            let home = homes.next();
            held.cell.value.is_some() || !home.is_some_and(known)
        });
        held.append(&mut rests);
    }
    Settled {
        atoms: merged(held.into_iter().map(|held| held.cell)),
        exceeded,
        complete: counts && covered_parts.into_iter().all(|covered| covered),
    }
}

impl Inside {
    fn take(&mut self, scope: Group, home: Group, value: i64, quality: Quality) {
        self.sum += value;
        self.quality = self.quality.max(quality);
        for (broken, (scope, home)) in self.broken.iter_mut().zip(scope.into_iter().zip(home)) {
            *broken |= scope != home;
        }
    }
}

/// Finds the cell of a level that a scope lies in.
struct Lift<'a> {
    shape: &'a Shape,
    groups: HashSet<Group>,
    codes: [Vec<u8>; 4],
    /// What was found before, by dimension and code.
    known: [HashMap<u8, Option<u8>>; 4],
}

impl<'a> Lift<'a> {
    fn new(shape: &'a Shape, level: &[Cell]) -> Self {
        Self {
            shape,
            groups: level.iter().map(group).collect(),
            codes: codes(level.iter().map(group)),
            known: Default::default(),
        }
    }

    fn of(&mut self, scope: Group) -> Option<Group> {
        let mut home = scope;
        let dimensions = self.codes.iter().zip(&mut self.known).enumerate();
        for (code, (dimension, (codes, known))) in home.iter_mut().zip(dimensions) {
            let around = |outer: &u8| {
                matches!(
                    self.shape.relation(dimension, *code, *outer),
                    Relation::Same | Relation::Inside
                )
            };
            *code = (*known
                .entry(*code)
                .or_insert_with(|| codes.iter().copied().find(around)))?;
        }
        Some(home).filter(|home| self.groups.contains(home))
    }
}

/// The codes that groups use, by dimension.
fn codes(groups: impl Iterator<Item = Group>) -> [Vec<u8>; 4] {
    let mut codes: [Vec<u8>; 4] = Default::default();
    for group in groups {
        for (codes, code) in codes.iter_mut().zip(group) {
            if let Err(place) = codes.binary_search(&code) {
                codes.insert(place, code);
            }
        }
    }
    codes
}

/// How the levels of an area stand to its parts.
pub(super) struct Stand {
    /// Whether persons are counted by other subjects or forms than in the parts: neither can be taken out of the other.
    pub(super) clash: bool,
    /// By level: whether each part lies inside one cell or outside all.
    pub(super) fits: Vec<bool>,
}

pub(super) fn stand(
    levels: &[Vec<Cell>],
    parts: &[Part],
    shape: &Shape,
    additive: Additive,
) -> Stand {
    let below = codes(parts.iter().map(|part| part.scope));
    let own: Vec<[Vec<u8>; 4]> = levels
        .iter()
        .map(|level| codes(level.iter().map(group)))
        .collect();
    let clash = own.iter().any(|level| {
        (0..4).zip(fixed(additive)).any(|(dimension, fixed)| {
            fixed
                && !related(shape, dimension, &below, level, |relation| {
                    matches!(relation, Relation::Same | Relation::Apart)
                })
        })
    });
    let fits = own
        .iter()
        .map(|level| (0..4).all(|dimension| related(shape, dimension, &below, level, taken_out)))
        .collect();
    Stand { clash, fits }
}

fn taken_out(relation: Relation) -> bool {
    matches!(
        relation,
        Relation::Same | Relation::Inside | Relation::Apart
    )
}

fn related(
    shape: &Shape,
    dimension: usize,
    below: &[Vec<u8>; 4],
    own: &[Vec<u8>; 4],
    holds: impl Fn(Relation) -> bool,
) -> bool {
    let (Some(below), Some(own)) = (below.get(dimension), own.get(dimension)) else {
        return true;
    };
    below.iter().all(|inner| {
        own.iter()
            .all(|outer| holds(shape.relation(dimension, *inner, *outer)))
    })
}

/// Atoms of an area, summed over the dimensions that its parts are not divided by in the same way.
pub(super) fn folded_onto(
    atoms: &[Cell],
    parts: &[Part],
    shape: &Shape,
    additive: Additive,
) -> Vec<Cell> {
    let below = codes(parts.iter().map(|part| part.scope));
    let own = codes(atoms.iter().map(group));
    let plain = |dimension: usize| {
        let codes = own.get(dimension).map_or(&[][..], Vec::as_slice);
        codes.iter().all(|a| {
            let mut group = [WHOLE; 4];
            if let Some(code) = group.get_mut(dimension) {
                *code = *a;
            }
            shape.scope(group) == group
                && codes.iter().all(|b| {
                    matches!(
                        shape.relation(dimension, *a, *b),
                        Relation::Same | Relation::Apart
                    )
                })
        }) && related(shape, dimension, &below, &own, taken_out)
    };
    let fixed = fixed(additive);
    let mut kept = [true; 4];
    for (dimension, (kept, fixed)) in kept.iter_mut().zip(fixed).enumerate() {
        *kept = fixed || plain(dimension);
    }
    merged(
        atoms
            .iter()
            .filter(|cell| cell.value.is_some())
            .map(|cell| {
                let mut folded = group(cell);
                for (code, kept) in folded.iter_mut().zip(kept) {
                    if !kept {
                        *code = WHOLE;
                    }
                }
                regrouped(*cell, folded)
            }),
    )
}
