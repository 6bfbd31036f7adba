//! From reported numbers to atoms.
//!
//! A return may hold totals and breakdowns at once, and a municipality may report beside its districts. *Atoms* are the
//! same numbers without overlap: no atom is a total of others, so that each can be protected on its own and every
//! number of a publication is a plain sum. A total becomes what it holds beyond its parts.
//!
//! Two breakdowns of one total that cross (by gender and by subject, but not by both) cannot both be kept: a small
//! group could be computed from one and the other. What is left out is told ([`Dropped`]).

mod rests;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use self::rests::{Part, Parts, Settled, folded_onto, settle, stand};
use self::shape::{Shape, levels, valued};
use super::codes::Level;
use super::cube::{Additive, Cell, Dictionary};

/// The code of the country.
const COUNTRY: &str = "SE";

/// What was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dropped {
    /// The area.
    pub area: String,
    /// Why.
    pub why: Why,
    /// How many reported numbers it is.
    pub cells: usize,
    /// The first of them.
    pub example: Cell,
}

/// Why a reported number is not in a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its age band overlaps with another one, and neither holds the other.
    CrossingAges,
    /// It is of a breakdown that crosses another one with more numbers.
    CrossingBreakdown,
    /// It counts persons by subject or form, which do not add up, beside persons counted once.
    NotAdditive,
    /// The municipality has more numbers by another scheme of districts.
    OtherScheme,
    /// It is a breakdown of an area that crosses the breakdown of the parts of the area.
    CrossesParts,
    /// It is of a district, and the municipality has more numbers of itself, by a breakdown that crosses this one.
    Outnumbered,
    /// It is a total that is smaller than the sum of its parts. These are raw numbers.
    PartsExceedTotal {
        /// The total.
        total: i64,
        /// The sum of the parts.
        parts: i64,
        /// Whether the parts are areas too, not only groups of the same area.
        areas: bool,
    },
}

impl Why {
    /// The rule of the finding that tells it.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::PartsExceedTotal { .. } => "parts_exceed_total",
            _ => "breakdown_dropped",
        }
    }
}

impl Dropped {
    /// Missing numbers are no loss: without a number among the cells there is nothing to tell.
    fn new(area: &str, why: Why, cells: &[Cell]) -> Option<Self> {
        let example = cells.iter().filter(|cell| cell.value.is_some()).min()?;
        Some(Self {
            area: area.to_owned(),
            why,
            cells: valued(cells),
            example: *example,
        })
    }
}

/// The numbers of one measure, basis and period on their way to atoms, one municipality at a time. What is kept in
/// memory grows with the number of regions and groups, not with the number of municipalities, districts or reports.
#[derive(Debug)]
pub struct Family {
    additive: Additive,
    /// The atoms of each region and everything in it.
    below: BTreeMap<String, Parts>,
    complete: BTreeSet<String>,
    dropped: Vec<Dropped>,
}

/// The atoms of a family, and what is not in them.
#[derive(Debug)]
pub struct Resolved {
    /// By area, sorted by code; areas without atoms are absent.
    pub atoms: Vec<(String, Vec<Cell>)>,
    /// What was left out, sorted.
    pub dropped: Vec<Dropped>,
    /// Municipalities, regions and the country whose own figure is in the atoms.
    pub complete: BTreeSet<String>,
}

impl Family {
    /// `additive` says which dimensions of the measure may be summed over.
    #[must_use]
    pub fn new(additive: Additive) -> Self {
        Self {
            additive,
            below: BTreeMap::new(),
            complete: BTreeSet::new(),
            dropped: Vec::new(),
        }
    }

    /// The atoms of one municipality and its districts, the municipality last. The cells are as reported, one for each
    /// group and area (of more, the largest counts); [`super::cube::WHOLE`] is a total. `scheme` tells the scheme of a
    /// district. Areas without atoms are absent.
    ///
    /// The scheme with the most numbers counts. A municipality's own numbers become what they hold beyond the districts;
    /// if its breakdown crosses theirs, the one with more numbers stays.
    pub fn municipality(
        &mut self,
        dictionary: &mut Dictionary,
        code: &str,
        own: Vec<Cell>,
        districts: Vec<(String, Vec<Cell>)>,
        scheme: impl Fn(&str) -> String,
    ) -> Vec<(String, Vec<Cell>)> {
        let shape = Shape::new(dictionary);
        let own = levels(code, own, &shape, self.additive, &mut self.dropped);
        let mut areas = Vec::new();
        let mut parts = Parts::default();
        let mut numbers = 0;
        for (district, cells) in self.one_scheme(code, districts, scheme) {
            let levels = levels(&district, cells, &shape, self.additive, &mut self.dropped);
            numbers += levels.iter().map(|cells| valued(cells)).sum::<usize>();
            let settled = settle(levels, &[], &shape, dictionary);
            self.exceeded(&district, &settled, false);
            areas.push((district, settled.atoms));
        }
        // The rests of the districts may be of bands that the shape does not know yet.
        let shape = Shape::new(dictionary);
        for (_, atoms) in &areas {
            parts.add(&shape, atoms);
        }
        let outweighed = |own: usize| own > numbers;
        let atoms = match self.nested(code, own, &parts.all(), &shape, dictionary, outweighed) {
            Nested::Atoms(atoms) => atoms,
            Nested::WithoutParts(atoms) => {
                for (district, atoms) in areas.drain(..) {
                    self.dropped
                        .extend(Dropped::new(&district, Why::Outnumbered, &atoms));
                }
                parts = Parts::default();
                atoms
            }
        };
        let shape = Shape::new(dictionary);
        parts.add(&shape, &atoms);
        self.below.entry(region(code)).or_default().join(&parts);
        areas.push((code.to_owned(), atoms));
        areas.retain(|(_, atoms)| !atoms.is_empty());
        areas
    }

    /// What a region or the country has beyond its parts. To be called after all municipalities of the region, and for
    /// the country after all regions. Where its breakdown crosses that of the parts, the parts stay.
    pub fn above(&mut self, dictionary: &mut Dictionary, code: &str, own: Vec<Cell>) -> Vec<Cell> {
        let shape = Shape::new(dictionary);
        let own = levels(code, own, &shape, self.additive, &mut self.dropped);
        if own.is_empty() {
            return Vec::new();
        }
        let parts = if code == COUNTRY {
            let mut all = Parts::default();
            self.below.values().for_each(|parts| all.join(parts));
            all.all()
        } else {
            self.below.get(code).map(Parts::all).unwrap_or_default()
        };
        let never = |_| false;
        let (Nested::Atoms(atoms) | Nested::WithoutParts(atoms)) =
            self.nested(code, own, &parts, &shape, dictionary, never);
        let shape = Shape::new(dictionary);
        self.below
            .entry(region(code))
            .or_default()
            .add(&shape, &atoms);
        atoms
    }

    /// What was left out since this was asked for the last time.
    pub fn dropped(&mut self) -> Vec<Dropped> {
        std::mem::take(&mut self.dropped)
    }

    /// Whether the atoms hold a number of the municipality, region or country itself that nothing inside it lies
    /// outside of. Then its parts may be missing, and the number is complete all the same.
    #[must_use]
    pub fn complete(&self, code: &str) -> bool {
        self.complete.contains(code)
    }

    /// The districts of the scheme with the most numbers, by code.
    fn one_scheme(
        &mut self,
        municipality: &str,
        mut districts: Vec<(String, Vec<Cell>)>,
        scheme: impl Fn(&str) -> String,
    ) -> Vec<(String, Vec<Cell>)> {
        let mut schemes: BTreeMap<String, usize> = BTreeMap::new();
        for (district, cells) in &districts {
            *schemes.entry(scheme(district)).or_default() += valued(cells);
        }
        let most = schemes.values().max().copied();
        let chosen = schemes.into_iter().find(|(_, count)| Some(*count) == most);
        if let Some((chosen, _)) = chosen {
            let others: Vec<Cell> = districts
                .extract_if(.., |(district, _)| scheme(district) != chosen)
                .flat_map(|(_, cells)| cells)
                .collect();
            self.dropped
                .extend(Dropped::new(municipality, Why::OtherScheme, &others));
        }
        districts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        districts
    }

    /// The levels of an area beside its parts.
    fn nested(
        &mut self,
        code: &str,
        own: Vec<Vec<Cell>>,
        parts: &[Part],
        shape: &Shape,
        dictionary: &mut Dictionary,
        outweighed: impl Fn(usize) -> bool,
    ) -> Nested {
        let stand = stand(&own, parts, shape, self.additive);
        let crosses = stand.clash || stand.fits.contains(&false);
        if crosses && outweighed(own.iter().map(|level| valued(level)).sum()) {
            let settled = settle(own, &[], shape, dictionary);
            return Nested::WithoutParts(self.settled(code, settled, false));
        }
        if stand.clash {
            let own: Vec<Cell> = own.into_iter().flatten().collect();
            self.dropped
                .extend(Dropped::new(code, Why::NotAdditive, &own));
            return Nested::Atoms(Vec::new());
        }
        let mut fits = stand.fits.iter();
        let (fitting, crossing): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|_| fits.next().copied().unwrap_or(true));
        let detail: Vec<Cell> = crossing.iter().flatten().copied().collect();
        self.dropped
            .extend(Dropped::new(code, Why::CrossesParts, &detail));
        if fitting.is_empty() && !crossing.is_empty() {
            // No total was reported: the sum of what was reported is one.
            let alone = settle(crossing, &[], shape, dictionary);
            self.exceeded(code, &alone, false);
            let shape = Shape::new(dictionary);
            let sums = folded_onto(&alone.atoms, parts, &shape, self.additive);
            // Smaller than the parts is no error here: the detail need not have been of everybody.
            let mut settled = settle(vec![sums], parts, &shape, dictionary);
            settled.exceeded.clear();
            return Nested::Atoms(self.settled(code, settled, true));
        }
        let settled = settle(fitting, parts, shape, dictionary);
        Nested::Atoms(self.settled(code, settled, !parts.is_empty()))
    }

    fn settled(&mut self, code: &str, settled: Settled, areas: bool) -> Vec<Cell> {
        self.exceeded(code, &settled, areas);
        if settled.complete {
            self.complete.insert(code.to_owned());
        }
        settled.atoms
    }

    fn exceeded(&mut self, area: &str, settled: &Settled, areas: bool) {
        for (cell, parts) in &settled.exceeded {
            let why = Why::PartsExceedTotal {
                total: cell.value.unwrap_or_default(),
                parts: *parts,
                areas,
            };
            self.dropped.extend(Dropped::new(area, why, &[*cell]));
        }
    }
}

/// The atoms of an area beside those of its parts, or instead of them.
enum Nested {
    Atoms(Vec<Cell>),
    WithoutParts(Vec<Cell>),
}

/// The region that the sums of a municipality or region are kept by; the country has sums of its own.
fn region(code: &str) -> String {
    match Level::of(code) {
        Level::Country => COUNTRY,
        _ => code.get(..2).unwrap_or(COUNTRY),
    }
    .to_owned()
}

/// The atoms of a family that is in memory as a whole: [`Family`] for each municipality, region and the country.
/// Areas that lie in no municipality and are none are left out as of another scheme.
#[must_use]
pub fn resolve(
    family: Vec<(String, Vec<Cell>)>,
    dictionary: &mut Dictionary,
    additive: Additive,
    scheme: impl Fn(&str) -> String,
) -> Resolved {
    type Municipality = (Vec<Cell>, Vec<(String, Vec<Cell>)>);
    let mut rules = Family::new(additive);
    let mut municipalities: BTreeMap<String, Municipality> = BTreeMap::new();
    let mut regions: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    let mut country = Vec::new();
    for (code, cells) in family {
        match Level::of(&code) {
            Level::Country => country.extend(cells),
            Level::Region => regions.entry(code).or_default().extend(cells),
            Level::Municipality => municipalities.entry(code).or_default().0.extend(cells),
            Level::District => match code.get(..4) {
                Some(above) if Level::of(above) == Level::Municipality => {
                    let (_, districts) = municipalities.entry(above.to_owned()).or_default();
                    districts.push((code, cells));
                }
                _ => rules
                    .dropped
                    .extend(Dropped::new(&code, Why::OtherScheme, &cells)),
            },
        }
    }
    let mut atoms = Vec::new();
    for (code, (own, districts)) in municipalities {
        atoms.extend(rules.municipality(dictionary, &code, own, districts, &scheme));
    }
    for (code, own) in regions {
        let cells = rules.above(dictionary, &code, own);
        atoms.push((code, cells));
    }
    atoms.push((
        COUNTRY.to_owned(),
        rules.above(dictionary, COUNTRY, country),
    ));
    atoms.retain(|(_, cells)| !cells.is_empty());
    atoms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    rules.dropped.sort();
    Resolved {
        atoms,
        dropped: rules.dropped,
        complete: rules.complete,
    }
}
