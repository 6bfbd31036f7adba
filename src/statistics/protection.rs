//! Keyed rounding: no group of 1–4 children is ever shown.
//!
//! An atom of n people with 1 ≤ n < t is published as t with probability n/t and as 0 otherwise, so that sums stay right
//! on average. The decision follows from a secret key and the identity of the atom alone: the same atom is decided the
//! same way in every answer and every publication. Every number that is published is a sum of such atoms, hence no
//! combination of numbers says more than the atoms themselves: behind a 0 are 0 to t − 1 people, behind a t 1 to t.
//!
//! An atom that is put together from several areas, because it is too sensitive for each of them, is rounded to a
//! multiple of t however large it is: an exact sum would tell whoever knows one part of it the other.
//!
//! The method is that of small count rounding (Langsrud and Heldal, Statistics Norway, 2018), with decisions made by a
//! keyed hash as in the cell key method.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::AddAssign;

use aws_lc_rs::hmac;
use serde::{Deserialize, Serialize};

use super::codes::Level;
use super::cube::{Cell, Dictionary, Quality, REST, WHOLE, merged};
use super::frozen::Policy;

/// The key and the thresholds.
#[derive(Debug)]
pub struct Protector {
    key: hmac::Key,
    policies: Vec<Policy>,
}

/// How much was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Atoms that were rounded: of at least one person, but fewer than their threshold, which became 0 or the threshold;
    /// and those put together from several areas, which became a multiple of it.
    pub small: u64,
    /// Those of them that were rounded up.
    pub raised: u64,
    /// Atoms that are not shown for their own area and count for an area around it.
    pub moved: u64,
}

impl AddAssign for Changed {
    fn add_assign(&mut self, other: Self) {
        self.small += other.small;
        self.raised += other.raised;
        self.moved += other.moved;
    }
}

/// Sums of groups that wait for an area.
type Waiting = HashMap<(u8, u8, u8, u8), (i64, Quality)>;

/// The protection of one family: one measure, basis and period.
#[derive(Debug)]
pub struct Shield<'p> {
    protector: &'p Protector,
    identity: String,
    /// What waits for the areas around: too sensitive for the area that it was reported for.
    moved: BTreeMap<String, Waiting>,
    changed: Changed,
}

impl Protector {
    /// The key belongs to the finest grid of the publications; the thresholds are those of the database.
    #[must_use]
    pub fn new(key: &[u8; 32], policies: Vec<Policy>) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            policies,
        }
    }

    /// The thresholds.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// Begins with a family. The period is told as reported, `2024`.
    #[must_use]
    pub fn family(
        &self,
        measure: &str,
        basis: &str,
        period_kind: &str,
        period: &str,
    ) -> Shield<'_> {
        Shield {
            protector: self,
            identity: format!("{measure}|{basis}|{period_kind}|{period}"),
            moved: BTreeMap::new(),
            changed: Changed::default(),
        }
    }

    /// The threshold of a cell and the finest level that it is shown for: the strictest of all policies that apply.
    fn rule(&self, dictionary: &Dictionary, scheme: Option<&str>, cell: &Cell) -> (i64, Level) {
        let gender = named(&dictionary.genders, cell.gender);
        let subject = named(&dictionary.subjects, cell.subject);
        let form = named(&dictionary.forms, cell.form);
        let applies = |policy: &&Policy| match policy.dimension.as_str() {
            "any" => true,
            "gender" => gender == Some(&policy.code),
            "subject" => subject == Some(&policy.code),
            "activity_form" => form == Some(&policy.code),
            "scheme" => scheme == Some(&policy.code),
            _ => false,
        };
        self.policies.iter().filter(applies).fold(
            (LEAST, Level::District),
            |(threshold, finest), policy| {
                let coarser = policy.finest_level.number() < finest.number();
                (
                    threshold.max(policy.threshold),
                    if coarser { policy.finest_level } else { finest },
                )
            },
        )
    }

    /// n of 1 to t − 1 becomes t with probability n/t: a number below t, evenly spread, is compared with n.
    fn rounded(&self, id: &str, n: i64, t: i64) -> i64 {
        let tag = hmac::sign(&self.key, id.as_bytes());
        let first = tag.as_ref().iter().take(8);
        let u = first.fold(0_u64, |u, byte| (u << 8) | u64::from(*byte));
        let draw = (u128::from(u) * u128::from(t.unsigned_abs())) >> 64;
        if draw < u128::from(n.unsigned_abs()) {
            t
        } else {
            0
        }
    }
}

/// The threshold that holds without any policy.
const LEAST: i64 = 5;

impl Shield<'_> {
    /// The atoms of an area as they may be shown. To be called for an area after every area inside it, and for every
    /// area around one that has atoms, also without atoms of its own: atoms that may not be shown for the parts come
    /// out here, merged with the area's own atoms of the same group and rounded to multiples of the threshold. `scheme` is
    /// that of a district.
    ///
    /// A 0 is not among the cells, whether it was one before or not: its presence would tell one from the other.
    pub fn area(
        &mut self,
        dictionary: &Dictionary,
        code: &str,
        scheme: Option<&str>,
        atoms: &[Cell],
    ) -> Vec<Cell> {
        let arrived = self.moved.remove(code).unwrap_or_default();
        let together: HashSet<_> = arrived.keys().copied().collect();
        let arrived =
            arrived
                .into_iter()
                .map(|((gender, age, subject, form), (value, quality))| Cell {
                    gender,
                    age,
                    subject,
                    form,
                    quality,
                    value: Some(value),
                });
        let level = Level::of(code);
        let mut shown = Vec::with_capacity(atoms.len());
        for cell in merged(atoms.iter().copied().chain(arrived)) {
            let Some(n) = cell.value else {
                shown.push(cell);
                continue;
            };
            let (threshold, finest) = self.protector.rule(dictionary, scheme, &cell);
            if finest.number() < level.number() {
                let around = self.moved.entry(around(code, finest)).or_default();
                let sum = around.entry(cell.group()).or_default();
                *sum = (sum.0 + n, sum.1.max(cell.quality));
                self.changed.moved += 1;
                continue;
            }
            let over = if n < threshold || together.contains(&cell.group()) {
                n % threshold
            } else {
                0
            };
            let n = if over > 0 {
                let id = self.id(dictionary, code, &cell);
                let rounded = self.protector.rounded(&id, over, threshold);
                self.changed.small += 1;
                self.changed.raised += u64::from(rounded > 0);
                n - over + rounded
            } else {
                n
            };
            if n != 0 {
                shown.push(Cell {
                    value: Some(n),
                    ..cell
                });
            }
        }
        shown
    }

    /// What waits for areas that [`Shield::area`] was not called for: municipalities, regions, then the country.
    pub fn finish(&mut self, dictionary: &Dictionary) -> Vec<(String, Vec<Cell>)> {
        let mut shown = Vec::new();
        for level in [Level::Municipality, Level::Region, Level::Country] {
            let waiting: Vec<String> = self
                .moved
                .keys()
                .filter(|code| Level::of(code) == level)
                .cloned()
                .collect();
            for code in waiting {
                let cells = self.area(dictionary, &code, None, &[]);
                shown.push((code, cells));
            }
        }
        shown.retain(|(_, cells)| !cells.is_empty());
        shown
    }

    /// How much was changed so far.
    #[must_use]
    pub fn changed(&self) -> Changed {
        self.changed
    }

    /// The identity of an atom, by codes: numbers of a dictionary differ between publications.
    fn id(&self, dictionary: &Dictionary, area: &str, cell: &Cell) -> String {
        let ages = match cell.age {
            WHOLE => "all".to_owned(),
            REST => "rest".to_owned(),
            number => dictionary
                .ages
                .get(usize::from(number) - 1)
                .map(|ages| {
                    let rest = if ages.rest { " rest" } else { "" };
                    format!("{}-{}{rest}", ages.from, ages.to)
                })
                .unwrap_or_default(),
        };
        format!(
            "{}|{area}|{}|{ages}|{}|{}",
            self.identity,
            text(&dictionary.genders, cell.gender, "total"),
            text(&dictionary.subjects, cell.subject, "all"),
            text(&dictionary.forms, cell.form, "all"),
        )
    }
}

fn named(codes: &[String], number: u8) -> Option<&String> {
    codes.get(usize::from(number).checked_sub(1)?)
}

fn text<'a>(codes: &'a [String], number: u8, whole: &'a str) -> &'a str {
    match number {
        WHOLE => whole,
        REST => "rest",
        number => named(codes, number).map_or("", String::as_str),
    }
}

/// The area of a coarser level around an area: codes nest by prefix. A district in no municipality lies in the country.
fn around(code: &str, level: Level) -> String {
    let prefix = match level {
        Level::District | Level::Municipality => code.get(..4),
        Level::Region => code.get(..2),
        Level::Country => None,
    };
    prefix
        .filter(|prefix| Level::of(prefix) == level)
        .unwrap_or("SE")
        .to_owned()
}

#[cfg(test)]
mod tests;
