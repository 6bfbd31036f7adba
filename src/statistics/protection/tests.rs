use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::atoms::Family;
use super::super::cube::{Additive, Ages};
use super::super::frozen::Both;
use super::*;

const GIRLS: u8 = 1;
const BOYS: u8 = 2;
const OTHER: u8 = 3;

fn policy(dimension: &str, code: &str, threshold: i64, finest_level: Level) -> Policy {
    Policy {
        dimension: dimension.to_owned(),
        code: code.to_owned(),
        threshold,
        finest_level,
        reason: Both::default(),
    }
}

/// The policies of the database.
fn policies() -> Vec<Policy> {
    vec![
        policy("any", "any", 5, Level::District),
        policy("gender", "other", 20, Level::Region),
        policy(
            "activity_form",
            "targeted_activity",
            20,
            Level::Municipality,
        ),
        policy("scheme", "deso-2018", 20, Level::District),
    ]
}

fn protector(key: u64) -> Protector {
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&key.to_be_bytes());
    Protector::new(&bytes, policies())
}

fn dictionary() -> Dictionary {
    let texts = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let band = |rest| Ages {
        from: 6,
        to: 19,
        rest,
    };
    Dictionary {
        genders: texts(&["girls", "boys", "other"]),
        ages: vec![band(false), band(true)],
        subjects: texts(&["dance"]),
        forms: texts(&["targeted_activity"]),
        ..Dictionary::default()
    }
}

fn cell(gender: u8, form: u8, value: i64) -> Cell {
    Cell {
        gender,
        age: WHOLE,
        subject: WHOLE,
        form,
        quality: Quality::Reported,
        value: Some(value),
    }
}

fn shield(protector: &Protector) -> Shield<'_> {
    protector.family("pupils", "residence", "year", "2024")
}

fn sum(cells: &[Cell]) -> i64 {
    cells.iter().filter_map(|cell| cell.value).sum()
}

#[test]
fn the_decision_is_the_hash_of_the_identity() {
    // Computed apart with Python's hmac and the key 07…07: floor(u·5/2^64) and floor(u·20/2^64) of the first 8 bytes.
    let protector = Protector::new(&[7; 32], policies());
    let dictionary = dictionary();
    let shield = shield(&protector);
    let girls = Cell {
        age: 1,
        ..cell(GIRLS, WHOLE, 1)
    };
    let rest = Cell {
        gender: REST,
        age: 2,
        subject: REST,
        form: REST,
        ..girls
    };
    for (area, cell, id, five, twenty) in [
        (
            "1880",
            girls,
            "pupils|residence|year|2024|1880|girls|6-19|all|all",
            4,
            16,
        ),
        (
            "1880",
            rest,
            "pupils|residence|year|2024|1880|rest|6-19 rest|rest|rest",
            0,
            1,
        ),
        (
            "18",
            self::cell(OTHER, WHOLE, 1),
            "pupils|residence|year|2024|18|other|all|all|all",
            4,
            18,
        ),
    ] {
        assert_eq!(shield.id(&dictionary, area, &cell), id);
        for (threshold, draw) in [(5, five), (20, twenty)] {
            for n in 1..threshold {
                let expected = if draw < n { threshold } else { 0 };
                assert_eq!(
                    protector.rounded(id, n, threshold),
                    expected,
                    "{id} {n} of {threshold}"
                );
            }
        }
    }
}

#[test]
fn large_groups_stay_and_small_ones_become_nothing_or_the_threshold() {
    let mut dictionary = dictionary();
    dictionary.subjects = (1..=200)
        .map(|subject| format!("subject {subject}"))
        .collect();
    let atoms: Vec<Cell> = (1..=200)
        .map(|subject| Cell {
            subject,
            ..cell(GIRLS, WHOLE, i64::from(subject % 8))
        })
        .collect();
    let protector = protector(1);
    let mut family = shield(&protector);
    let shown = family.area(&dictionary, "1880", None, &atoms);
    for cell in &atoms {
        let published = shown.iter().find(|shown| shown.group() == cell.group());
        let published = published.map(|shown| shown.value.unwrap());
        match cell.value.unwrap() {
            0 => assert_eq!(published, None),
            n @ 1..=4 => assert!(matches!(published, None | Some(5)), "{n}: {published:?}"),
            n => assert_eq!(published, Some(n)),
        }
    }
    // Of 200 cells 25 each are 0 to 7: 100 are small. They hold 25·(1+2+3+4) = 250, so 50 are expected to be raised.
    assert_eq!(family.changed().small, 100);
    assert!((30..=70).contains(&family.changed().raised));
    let again = shield(&protector).area(&dictionary, "1880", None, &atoms);
    assert_eq!(again, shown);
    // Another year is decided anew.
    let other = protector
        .family("pupils", "residence", "year", "2025")
        .area(&dictionary, "1880", None, &atoms);
    assert_ne!(other, shown);
}

#[test]
fn another_numbering_of_the_codes_changes_no_decision() {
    let protector = protector(3);
    let first = dictionary();
    let mut second = dictionary();
    second.genders.reverse();
    let mut raised = 0;
    for municipality in 1000..1200 {
        let code = municipality.to_string();
        let one = shield(&protector).area(&first, &code, None, &[cell(GIRLS, WHOLE, 2)]);
        let two = shield(&protector).area(&second, &code, None, &[cell(OTHER, WHOLE, 2)]);
        assert_eq!(sum(&one), sum(&two), "{code}");
        raised += sum(&one) / 5;
    }
    // 200 · 2/5 = 80, with a standard deviation of 7.
    assert!((50..=110).contains(&raised), "{raised}");
}

#[test]
fn numbers_are_right_on_average() {
    // The variance of one number is n(t − n), of the mean over 4000 keys a 4000th: the largest standard deviations are
    // √(6/4000) = 0.04 and √(100/4000) = 0.16. Five of them are allowed.
    let dictionary = dictionary();
    for (gender, area, threshold, allowed) in [(GIRLS, "1880", 5, 0.2), (OTHER, "18", 20, 0.8)] {
        for n in [1, 2, 3, 4, 5, 7, 10, 19, 20] {
            let published: i64 = (0..4000)
                .map(|key| {
                    let protector = protector(key);
                    let cells =
                        shield(&protector).area(&dictionary, area, None, &[cell(gender, WHOLE, n)]);
                    assert!(
                        cells
                            .iter()
                            .all(|cell| cell.value.unwrap() >= threshold.min(n.max(5)))
                    );
                    sum(&cells)
                })
                .sum();
            let mean = f64::from(i32::try_from(published).unwrap()) / 4000.0;
            let n = f64::from(i32::try_from(n).unwrap());
            assert!((mean - n).abs() < allowed, "{n} of {threshold}: {mean}");
        }
    }
}

#[test]
fn the_other_gender_is_shown_for_regions() {
    let protector = protector(1);
    let dictionary = dictionary();
    let mut family = shield(&protector);
    // 9 + 8 + 30 of a district, and 3 that the region reports itself: 50, which becomes a multiple of 20.
    let district = family.area(
        &dictionary,
        "1880R1",
        None,
        &[cell(OTHER, WHOLE, 30), cell(GIRLS, WHOLE, 6)],
    );
    assert_eq!(district, [cell(GIRLS, WHOLE, 6)]);
    let one = family.area(
        &dictionary,
        "1880",
        None,
        &[cell(OTHER, WHOLE, 9), cell(BOYS, WHOLE, 6)],
    );
    assert_eq!(one, [cell(BOYS, WHOLE, 6)]);
    assert_eq!(
        family.area(&dictionary, "1881", None, &[cell(OTHER, WHOLE, 8)]),
        []
    );
    let region = family.area(&dictionary, "18", None, &[cell(OTHER, WHOLE, 3)]);
    assert!(matches!(sum(&region), 40 | 60), "{region:?}");
    assert_eq!(
        family.changed(),
        Changed {
            small: 1,
            raised: u64::from(sum(&region) == 60),
            moved: 3
        }
    );
    // A region of 19 in all is small.
    assert_eq!(
        family.area(&dictionary, "0114", None, &[cell(OTHER, WHOLE, 19)]),
        []
    );
    let shown = family.finish(&dictionary);
    assert!(shown.is_empty() || shown == [("01".to_owned(), vec![cell(OTHER, WHOLE, 20)])]);
    assert_eq!(family.changed().small, 2);
    assert_eq!(family.finish(&dictionary), []);
}

#[test]
fn who_knows_one_part_of_a_sum_cannot_tell_the_other() {
    let dictionary = dictionary();
    // Published of the region, for so many in one municipality and so many in the other, by all keys.
    let published = |known: i64, other: i64| -> BTreeSet<i64> {
        (0..120)
            .map(|key| {
                let protector = protector(key);
                let mut family = shield(&protector);
                for (code, n) in [("1880", known), ("1881", other)] {
                    let cells = family.area(&dictionary, code, None, &[cell(OTHER, WHOLE, n)]);
                    assert_eq!(cells, []);
                }
                sum(&family.area(&dictionary, "18", None, &[]))
            })
            .collect()
    };
    for known in [1, 15, 18, 19, 37] {
        let mut of_each: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
        for other in 0..30 {
            for shown in published(known, other) {
                assert_eq!(shown % 20, 0, "{known} + {other}");
                of_each.entry(shown).or_default().insert(other);
            }
        }
        for (shown, others) in of_each {
            assert!(
                others.len() > 1 || others == BTreeSet::from([0]),
                "{known} known, {shown} published: {others:?}"
            );
        }
    }
}

#[test]
fn targeted_activity_is_shown_for_municipalities_and_small_areas_in_groups_of_twenty() {
    let protector = protector(1);
    let dictionary = dictionary();
    let mut family = shield(&protector);
    assert_eq!(
        family.area(&dictionary, "1880R1", None, &[cell(GIRLS, 1, 30)]),
        []
    );
    assert_eq!(
        family.area(&dictionary, "1880R2", None, &[cell(GIRLS, 1, 2)]),
        []
    );
    let shown = family.finish(&dictionary);
    assert!(
        matches!(shown.as_slice(), [(code, cells)] if code == "1880" && matches!(sum(cells), 20 | 40)),
        "{shown:?}"
    );
    // 19 is small in a DeSO, and not elsewhere.
    let deso = family.area(
        &dictionary,
        "1880A1",
        Some("deso-2018"),
        &[cell(GIRLS, WHOLE, 19)],
    );
    assert!(matches!(sum(&deso), 0 | 20));
    let other = family.area(
        &dictionary,
        "1880B1",
        Some("regso-2018"),
        &[cell(GIRLS, WHOLE, 19)],
    );
    assert_eq!(sum(&other), 19);
}

/// What is published of two municipalities and their region: the municipality reports a total, girls and boys; the
/// other one a total. Numbers are given as what they become: girls, boys, the rest, the other one, the region's rest.
fn published(truth: [i64; 5], key: u64) -> Vec<(String, Vec<Cell>)> {
    let [girls, boys, rest, neighbour, elsewhere] = truth;
    let mut dictionary = dictionary();
    let mut atoms = Family::new(Additive {
        subjects: true,
        forms: true,
    });
    let protector = protector(key);
    let mut shield = shield(&protector);
    let mut shown = Vec::new();
    let whole = |value| cell(WHOLE, WHOLE, value);
    let first = vec![
        whole(girls + boys + rest),
        cell(GIRLS, WHOLE, girls),
        cell(BOYS, WHOLE, boys),
    ];
    for (code, cells) in [("1880", first), ("1881", vec![whole(neighbour)])] {
        for (area, cells) in
            atoms.municipality(&mut dictionary, code, cells, vec![], |_| String::new())
        {
            shown.push((area.clone(), shield.area(&dictionary, &area, None, &cells)));
        }
    }
    let region = atoms.above(&mut dictionary, "18", vec![whole(truth.iter().sum())]);
    assert_eq!(atoms.dropped(), []);
    assert_eq!(sum(&region), elsewhere);
    shown.push((
        "18".to_owned(),
        shield.area(&dictionary, "18", None, &region),
    ));
    shown
}

/// Narrows what each atom can be by what is known of sums of atoms, until nothing changes.
fn propagated(mut bounds: Vec<(i64, i64)>, sums: &[(Vec<usize>, i64, i64)]) -> Vec<(i64, i64)> {
    loop {
        let before = bounds.clone();
        for (atoms, least, most) in sums {
            for atom in atoms {
                let others = |bound: fn(&(i64, i64)) -> i64| -> i64 {
                    atoms
                        .iter()
                        .filter(|other| *other != atom)
                        .map(|other| bound(&bounds[*other]))
                        .sum()
                };
                let (low, high) = (
                    least - others(|bound| bound.1),
                    most - others(|bound| bound.0),
                );
                bounds[*atom] = (bounds[*atom].0.max(low), bounds[*atom].1.min(high));
            }
        }
        if bounds == before {
            return bounds;
        }
    }
}

/// What anybody knows of an atom that is published as n.
fn behind(n: i64) -> (i64, i64) {
    match n {
        0 => (0, 4),
        5 => (1, 5),
        n => (n, n),
    }
}

#[test]
fn exact_totals_beside_rounded_groups_would_tell_the_groups() {
    // The attack bites: 3 girls published as 5 and 97 boys, and an exact total of 100.
    let bounds = vec![behind(5), behind(97)];
    assert_eq!(
        propagated(bounds.clone(), &[(vec![0, 1], 100, 100)])[0],
        (3, 3)
    );
    // The published total is 102, and 102 is all that it tells: of 98 to 102.
    assert_eq!(propagated(bounds, &[(vec![0, 1], 98, 102)])[0], (1, 5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    /// For every small atom, every value that its published one allows could have led to exactly the same publication:
    /// the same cells, hence the same sums. So no reasoning from the publication can rule any of them out.
    #[test]
    fn a_publication_says_nothing_of_a_small_group_but_its_own_number(
        truth in prop::array::uniform5(0..10_i64), key in 0..1000_u64,
    ) {
        let seen = published(truth, key);
        let atoms: Vec<i64> = [("1880", GIRLS), ("1880", BOYS), ("1880", REST), ("1881", WHOLE), ("18", REST)]
            .iter()
            .map(|(area, gender)| {
                let cells = seen.iter().filter(|(code, _)| code == area).flat_map(|(_, cells)| cells);
                sum(&cells.filter(|cell| cell.gender == *gender).copied().collect::<Vec<_>>())
            })
            .collect();
        let shown = |seen: &[(String, Vec<Cell>)]| -> Vec<(String, Vec<Cell>)> {
            seen.iter().filter(|(_, cells)| !cells.is_empty()).cloned().collect()
        };
        prop_assert_eq!(atoms.iter().sum::<i64>(), seen.iter().map(|(_, cells)| sum(cells)).sum::<i64>());
        for (place, n) in atoms.iter().enumerate() {
            prop_assert!(!(1..5).contains(n));
            let (low, high) = behind(*n);
            for value in low..=high {
                let mut other = truth;
                other[place] = value;
                // 0 and 5 stay as they are, and others have a chance of at least (1/5)^5 together.
                let found = (0..60_000).any(|key| shown(&published(other, key)) == shown(&seen));
                prop_assert!(found, "{truth:?} {atoms:?}: {place} cannot be {value}");
            }
        }
        // The attacker's own reasoning, with every published sum and what each may hide.
        let bounds: Vec<(i64, i64)> = atoms.iter().map(|n| behind(*n)).collect();
        let sums: Vec<(Vec<usize>, i64, i64)> = [vec![0, 1, 2], vec![0, 1, 2, 3, 4], vec![3, 4], vec![0, 1], vec![2, 3]]
            .into_iter()
            .map(|group| {
                let least = group.iter().map(|atom| bounds[*atom].0).sum();
                let most = group.iter().map(|atom| bounds[*atom].1).sum();
                (group, least, most)
            })
            .collect();
        prop_assert_eq!(propagated(bounds.clone(), &sums), bounds);
    }
}
