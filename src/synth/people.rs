//! Who lives in a district in a year, who of them is a pupil, and which places the pupils hold.
//!
//! One child in nine takes part, in some districts one in fifty. Girls do more often than boys, and most at ten to
//! twelve years. A pupil holds one place, some hold two. Whole-number arithmetic only: the same seed gives the same
//! people on every machine.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng as _};

use super::geography::{District, Municipality};
use crate::participation::codes::{ActivityForm, Gender, Subject};

/// The first calendar year.
pub(super) const FIRST_YEAR: usize = 2015;
/// How many years there are.
pub(super) const YEARS: usize = 10;
/// The youngest, in years.
pub(super) const YOUNGEST: usize = 6;
/// How many ages there are, 6 to 19.
pub(super) const AGES: usize = 14;
/// The genders, in the order of the arrays.
pub(super) const GENDERS: [Gender; 2] = [Gender::Girls, Gender::Boys];

/// How girls and boys choose, in hundredths.
const SUBJECTS: [(Subject, u64, u64); 12] = [
    (Subject::VisualArts, 10, 7),
    (Subject::Circus, 1, 1),
    (Subject::Dance, 22, 4),
    (Subject::FilmAnimation, 2, 4),
    (Subject::Photography, 2, 2),
    (Subject::MusicInstrumentVocal, 38, 56),
    (Subject::MusicEnsemble, 8, 13),
    (Subject::Musical, 4, 2),
    (Subject::Writing, 2, 1),
    (Subject::Crafts, 2, 2),
    (Subject::TheatreDrama, 7, 5),
    (Subject::Other, 2, 3),
];
/// In which form, in hundredths.
const FORMS: [(ActivityForm, u64); 5] = [
    (ActivityForm::SubjectCourseLong, 66),
    (ActivityForm::SubjectCourseShort, 12),
    (ActivityForm::OpenActivity, 12),
    (ActivityForm::TargetedActivity, 4),
    (ActivityForm::CommissionedActivity, 6),
];
/// How many combinations of subject and form there are.
pub(super) const CHOICES: usize = SUBJECTS.len() * FORMS.len();

/// Of a million children in an ordinary district.
const RATE: u64 = 131_000;
/// Of a million in a district that is left out.
const RATE_LEFT_OUT: u64 = 20_000;
/// So many of a hundred districts are left out.
const LEFT_OUT: u32 = 6;
/// By age, in thousandths of the mean.
const BY_AGE: [u64; AGES] = [
    500, 800, 1_200, 1_600, 1_800, 1_800, 1_600, 1_300, 1_000, 800, 600, 450, 350, 200,
];
/// Girls and boys, in thousandths of the mean.
const BY_GENDER: [u64; 2] = [1_250, 750];
/// By year, in thousandths. Persons are counted each once from 2018 on, where the series of the measure breaks; 2020
/// is the year of the pandemic.
const BY_YEAR: [u64; YEARS] = [1_150, 1_150, 1_160, 1_000, 1_000, 900, 930, 970, 990, 1_000];
/// Pupils with a second place, in thousandths. The series of places breaks in 2017 and in 2018.
const SECOND_PLACE: [u64; YEARS] = [450, 450, 380, 280, 280, 260, 270, 280, 280, 280];
/// Years of birth, those of 19 years in the first year to those of 6 in the last.
const COHORTS: usize = YEARS + AGES - 1;

/// The children of one gender and age in one district and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// How many live there.
    pub(super) residents: u32,
    /// How many of them are pupils.
    pub(super) pupils: u32,
    /// The places that these hold, by [`choices`].
    pub(super) places: [u32; CHOICES],
}

/// The groups of a district in a year, by gender and age.
pub(super) type Groups = [[Group; AGES]; 2];

/// Subject and form of each place in [`Group::places`].
pub(super) fn choices() -> impl Iterator<Item = (Subject, ActivityForm)> {
    SUBJECTS
        .into_iter()
        .flat_map(|(subject, ..)| FORMS.map(|(form, _)| (subject, form)))
}

/// What stays with a district over the years.
struct Character {
    /// Participation, of a million.
    rate: u64,
    /// How it changes in a year, in thousandths, plus 12.
    trend: u64,
    /// How large each year of birth is, in thousandths, by gender.
    cohorts: [[u64; COHORTS]; 2],
}

/// Makes the people of one seed.
#[derive(Debug)]
pub(super) struct People {
    seed: u64,
    /// Running sums of how each gender chooses.
    choices: [[u64; CHOICES]; 2],
}

impl People {
    /// Of this seed.
    pub(super) fn new(seed: u64) -> Self {
        let running = |weight: fn(&(Subject, u64, u64)) -> u64| {
            let mut sum = 0;
            let mut each = SUBJECTS
                .iter()
                .flat_map(move |subject| FORMS.map(|(_, form)| weight(subject) * form));
            std::array::from_fn(|_| {
                sum += each.next().unwrap_or_default();
                sum
            })
        };
        Self {
            seed,
            choices: [running(|subject| subject.1), running(|subject| subject.2)],
        }
    }

    /// The people of the districts of a municipality, which is the `place`-th, in a year counted from the first. What
    /// it answers does not depend on what was asked before.
    pub(super) fn of(&self, place: usize, municipality: &Municipality, year: usize) -> Vec<Groups> {
        let mut lasting = self.random(place, 0);
        let generous = 700 + u64::from(lasting.next_u32() % 601);
        let mut random = self.random(place, year + 1);
        municipality
            .districts
            .iter()
            .map(|district| {
                let character = character(generous, &mut lasting);
                std::array::from_fn(|gender| {
                    std::array::from_fn(|age| {
                        self.group(district, &character, [gender, age, year], &mut random)
                    })
                })
            })
            .collect()
    }

    fn random(&self, place: usize, purpose: usize) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream((place * 16 + purpose) as u64);
        random
    }

    fn group(
        &self,
        district: &District,
        character: &Character,
        [gender, age, year]: [usize; 3],
        random: &mut ChaCha8Rng,
    ) -> Group {
        let cohort = character
            .cohorts
            .get(gender)
            .map_or(1_000, |cohorts| at(cohorts, year + AGES - 1 - age));
        let years = year as u64;
        let milli = district.milli_children * cohort * (1_000 + 8 * years) / (28 * 1_000_000);
        let residents = (milli + 500) / 1_000;
        let rate = character.rate * at(&BY_AGE, age) / 1_000 * at(&BY_GENDER, gender) / 1_000
            * at(&BY_YEAR, year)
            / 1_000
            * (1_000 + character.trend * years - 12 * years)
            / 1_000;
        let pupils = happens(residents, rate, random);
        let second = happens(pupils, 1_000 * at(&SECOND_PLACE, year), random);
        let mut places = [0; CHOICES];
        if let Some(choices) = self.choices.get(gender) {
            let whole = choices.last().copied().unwrap_or_default();
            for _ in 0..pupils + second {
                let chance = (u64::from(random.next_u32()) * whole) >> 32;
                let chosen = choices.partition_point(|sum| *sum <= chance);
                if let Some(count) = places.get_mut(chosen) {
                    *count += 1;
                }
            }
        }
        Group {
            residents: u32::try_from(residents).unwrap_or(u32::MAX),
            pupils: u32::try_from(pupils).unwrap_or(u32::MAX),
            places,
        }
    }
}

fn character(generous: u64, random: &mut ChaCha8Rng) -> Character {
    let mut below = |limit: u32| u64::from(random.next_u32() % limit);
    let left_out = below(100) < u64::from(LEFT_OUT);
    let chance = below(1_000);
    let rate = if left_out {
        RATE_LEFT_OUT * (500 + chance) / 1_000
    } else {
        RATE * generous / 1_000 * (300 + 17 * chance * chance / 10_000) / 1_000
    };
    Character {
        rate,
        trend: below(25),
        cohorts: std::array::from_fn(|_| std::array::from_fn(|_| 850 + below(301))),
    }
}

/// How often something of this chance in a million happens in so many tries.
fn happens(tries: u64, chance: u64, random: &mut impl Rng) -> u64 {
    let below = (chance.min(950_000) << 32) / 1_000_000;
    (0..tries)
        .map(|_| u64::from(u64::from(random.next_u32()) < below))
        .sum()
}

fn at(values: &[u64], place: usize) -> u64 {
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::geography::{divide, tests::places};

    /// Residents, pupils and places of a municipality in a year.
    fn sums(groups: &[Groups]) -> [u64; 3] {
        let mut sums = [0; 3];
        for group in groups.iter().flatten().flatten() {
            sums[0] += u64::from(group.residents);
            sums[1] += u64::from(group.pupils);
            sums[2] += group.places.iter().copied().map(u64::from).sum::<u64>();
        }
        sums
    }

    #[test]
    fn one_child_in_nine_takes_part_and_in_some_districts_one_in_fifty() {
        let (people, places) = (People::new(1), divide(places()));
        let mut country = [0; 3];
        let (mut left_out, mut small, mut cells) = (0, 0, 0);
        for (place, municipality) in places.iter().enumerate() {
            let groups = people.of(place, municipality, YEARS - 1);
            for (sum, own) in country.iter_mut().zip(sums(&groups)) {
                *sum += own;
            }
            for district in &groups {
                let [residents, pupils, _] = sums(std::slice::from_ref(district));
                left_out += usize::from(pupils * 1_000 < residents * 25);
                for group in district.iter().flatten() {
                    cells += 1;
                    small += usize::from((1..5).contains(&group.pupils));
                    assert!(group.pupils <= group.residents);
                }
            }
        }
        let [residents, pupils, places] = country;
        let share = 1_000 * pupils / residents;
        assert!((105..=115).contains(&share), "{share}");
        let per_pupil = 1_000 * places / pupils;
        assert!((1_270..=1_290).contains(&per_pupil), "{per_pupil}");
        assert!((100..=340).contains(&left_out), "{left_out}");
        assert!(small * 3 > cells, "{small} of {cells} are small");
    }

    #[test]
    fn a_seed_is_a_world_and_the_order_of_asking_is_irrelevant() {
        let places = divide(places());
        let (one, other) = (People::new(1), People::new(2));
        let first = one.of(100, &places[100], 3);
        assert_eq!(one.of(7, &places[7], 3), one.of(7, &places[7], 3));
        assert_eq!(first, one.of(100, &places[100], 3));
        assert_ne!(first, other.of(100, &places[100], 3));
        assert_ne!(first, one.of(100, &places[100], 4));
    }

    #[test]
    fn each_year_of_birth_grows_older_and_keeps_its_size() {
        let places = divide(places());
        let people = People::new(1);
        let (then, later) = (people.of(0, &places[0], 0), people.of(0, &places[0], 5));
        for (then, later) in then.iter().flatten().zip(later.iter().flatten()) {
            for (younger, older) in then.iter().zip(later.iter().skip(5)) {
                let (a, b) = (younger.residents, older.residents);
                assert!(a.abs_diff(b) <= 1 + a / 20, "{a} became {b}");
            }
        }
    }
}
