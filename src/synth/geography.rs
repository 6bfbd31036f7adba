//! Where the invented people live: how large each municipality is, and which districts it has.
//!
//! The same for every seed, so that two loads share their districts. Sizes follow rank, as those of real places do:
//! a few are large and most are small. Real codes and names, invented sizes.

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};

/// How many districts the country has.
pub(super) const DISTRICTS: u64 = 3_400;
/// How many a municipality has at least.
const DISTRICTS_EACH: u64 = 2;
/// Inhabitants of 6 to 19 years in the first year, about.
const CHILDREN: u64 = 1_650_000;
/// What decides ranks and sizes.
const SEED: u64 = 2_025;
/// The largest first; after them come the seats of counties, whose codes end in 80.
const LARGEST: [&str; 3] = ["0180", "1480", "1280"];

/// A municipality.
#[derive(Debug)]
pub(super) struct Municipality {
    /// Its code.
    pub(super) code: String,
    /// Its name.
    pub(super) name: String,
    /// Its districts.
    pub(super) districts: Vec<District>,
}

/// A district.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct District {
    /// Its code, `1880R001`.
    pub(super) code: String,
    /// How many of 6 to 19 years live there in the first year, in thousandths.
    pub(super) milli_children: u64,
}

/// Divides municipalities, given by code and name, into districts.
pub(super) fn divide(mut places: Vec<(String, String)>) -> Vec<Municipality> {
    places.sort_unstable();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut ranks: Vec<(usize, u32, usize)> = Vec::new();
    for (place, (code, _)) in places.iter().enumerate() {
        let class = LARGEST
            .iter()
            .position(|largest| code == largest)
            .unwrap_or(LARGEST.len() + usize::from(!code.ends_with("80")));
        ranks.push((class, random.next_u32(), place));
    }
    ranks.sort_unstable();
    let mut weights = vec![0; places.len()];
    for ((_, _, place), rank) in ranks.into_iter().zip(0_u64..) {
        if let Some(weight) = weights.get_mut(place) {
            *weight = (1_000_000_000 / (rank + 3)).saturating_sub(1_000_000_000 / 360) + 1;
        }
    }
    let spare = DISTRICTS.saturating_sub(DISTRICTS_EACH * weights.len() as u64);
    let extra = apportion(spare, &weights);
    let whole: u64 = weights.iter().sum();
    places
        .into_iter()
        .zip(weights)
        .zip(extra)
        .map(|(((code, name), weight), extra)| {
            let milli = 1_000 * CHILDREN * weight / whole;
            let districts = districts(&code, DISTRICTS_EACH + extra, milli, &mut random);
            Municipality {
                code,
                name,
                districts,
            }
        })
        .collect()
}

/// Gives `seats` to the weights by largest remainder.
fn apportion(seats: u64, weights: &[u64]) -> Vec<u64> {
    let whole: u64 = weights.iter().sum::<u64>().max(1);
    let mut given: Vec<u64> = weights.iter().map(|w| seats * w / whole).collect();
    let mut remainders: Vec<(u64, usize)> = weights
        .iter()
        .enumerate()
        .map(|(place, w)| (seats * w % whole, place))
        .collect();
    remainders.sort_unstable_by(|a, b| b.cmp(a));
    let left = seats.saturating_sub(given.iter().sum());
    for (_, (_, place)) in (0..left).zip(remainders) {
        if let Some(given) = given.get_mut(place) {
            *given += 1;
        }
    }
    given
}

/// Skewed: most districts are small, some are eight times as large.
fn districts(code: &str, count: u64, milli: u64, random: &mut ChaCha8Rng) -> Vec<District> {
    let weights: Vec<u64> = (0..count)
        .map(|_| {
            let chance = u64::from(random.next_u32() % 1_000);
            300 + 21 * chance * chance / 10_000
        })
        .collect();
    let whole: u64 = weights.iter().sum();
    (1..)
        .zip(weights)
        .map(|(number, weight)| District {
            code: format!("{code}R{number:03}"),
            milli_children: milli * weight / whole,
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// 290 codes as they are spread in Sweden, about.
    pub(in crate::synth) fn places() -> Vec<(String, String)> {
        let file = include_str!("../../data/municipalities.csv");
        let all: Vec<_> = file
            .lines()
            .filter_map(|line| {
                let mut fields = line.strip_prefix("municipality,")?.split(',');
                Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
            })
            .collect();
        assert_eq!(all.len(), 290);
        all
    }

    #[test]
    fn every_municipality_is_divided_and_the_large_ones_into_more() {
        let all = divide(places());
        let count = |code: &str| {
            let found = all.iter().find(|m| m.code == code).unwrap();
            found.districts.len()
        };
        let districts: usize = all.iter().map(|m| m.districts.len()).sum();
        assert_eq!(districts as u64, DISTRICTS);
        assert!(all.iter().all(|m| m.districts.len() >= 2));
        assert!(count("0180") > count("1480") && count("1480") > count("1280"));
        assert!(count("1280") > count("1880") && count("1880") > count("1814"));
        let milli: u64 = all
            .iter()
            .flat_map(|m| &m.districts)
            .map(|d| d.milli_children)
            .sum();
        let children = milli / 1_000;
        assert!(
            (CHILDREN - 5_000..=CHILDREN).contains(&children),
            "{children}"
        );
    }

    #[test]
    fn codes_nest_and_are_unique() {
        let all = divide(places());
        let mut codes: Vec<_> = all
            .iter()
            .flat_map(|m| m.districts.iter().map(|d| (&m.code, &d.code)))
            .collect();
        assert!(codes.iter().all(|(m, d)| d.starts_with(m.as_str())));
        assert!(codes.iter().any(|(_, d)| d.as_str() == "1880R001"));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len() as u64, DISTRICTS);
    }
}
