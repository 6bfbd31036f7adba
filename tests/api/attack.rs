//! The attack: someone who reads everything that the API says of a publication, in every grouping, by every filter and
//! in several formats, and solves for the small groups of children.
//!
//! The same attacker with the same questions is then set on the release rule that most systems have (exact numbers,
//! 1–4 hidden). There it must find children, or it would be no attacker.

use std::collections::BTreeSet;
use std::fmt::Write;

use samverkan::access::Permission;
use serde_json::Value;

use super::support::statistics::{Fixture, obs};
use super::support::{Caller, TestApp};

const MUNICIPALITIES: [&str; 5] = ["1780", "1781", "1880", "1881", "1882"];
const GENDERS: [&str; 2] = ["girls", "boys"];
const AGES: [&str; 2] = ["6-12", "13-19"];
const SUBJECTS: [&str; 3] = ["dance", "circus", "writing"];
const PLACES: &str = "area=SE,17,18,1780,1781,1880,1881,1882";

/// A group of children that one school has reported.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Group {
    municipality: &'static str,
    gender: &'static str,
    ages: &'static str,
    subject: &'static str,
}

/// All groups with the truth: small numbers mostly, spread by a fixed rule.
fn truth() -> Vec<(Group, i64)> {
    let mut groups = Vec::new();
    let mut state = 11_u64;
    for municipality in MUNICIPALITIES {
        for gender in GENDERS {
            for ages in AGES {
                for subject in SUBJECTS {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    let n = i64::try_from(state >> 60).unwrap();
                    groups.push((
                        Group {
                            municipality,
                            gender,
                            ages,
                            subject,
                        },
                        n,
                    ));
                }
            }
        }
    }
    groups
}

/// What an answer says of some groups together: at least and at most so many.
#[derive(Clone, Debug)]
struct Told {
    groups: Vec<usize>,
    least: i64,
    most: i64,
}

/// Bounds of every group from everything that was told: each sum bounds each of its parts, again and again until
/// nothing moves.
fn solve(groups: usize, told: &[Told]) -> Vec<(i64, i64)> {
    let mut bounds = vec![(0_i64, 100_000_i64); groups];
    loop {
        let mut moved = false;
        for fact in told {
            let least: i64 = fact.groups.iter().map(|g| bounds[*g].0).sum();
            let most: i64 = fact.groups.iter().map(|g| bounds[*g].1).sum();
            for g in &fact.groups {
                let (low, high) = bounds[*g];
                let new = (
                    low.max(fact.least - (most - high)),
                    high.min(fact.most - (least - low)),
                );
                if new != (low, high) {
                    bounds[*g] = new;
                    moved = true;
                }
            }
        }
        if !moved {
            return bounds;
        }
    }
}

/// Every selection of one code or all, and every way to split what is not selected.
fn questions() -> Vec<String> {
    let mut questions = BTreeSet::new();
    let choices = |codes: &[&'static str]| -> Vec<Option<&'static str>> {
        std::iter::once(None)
            .chain(codes.iter().copied().map(Some))
            .collect()
    };
    for gender in choices(&GENDERS) {
        for ages in choices(&AGES) {
            for subject in choices(&SUBJECTS) {
                for split in 0..8 {
                    let mut question = String::new();
                    let mut split_by = Vec::new();
                    for (bit, (name, chosen)) in
                        [("gender", gender), ("ageBand", ages), ("subject", subject)]
                            .into_iter()
                            .enumerate()
                    {
                        match chosen {
                            Some(code) => write!(question, "&{name}={code}").unwrap(),
                            None if split & (1 << bit) != 0 => split_by.push(name),
                            None => {}
                        }
                    }
                    if !split_by.is_empty() {
                        write!(question, "&groupBy={}", split_by.join(",")).unwrap();
                    }
                    questions.insert(question);
                }
            }
        }
    }
    questions.into_iter().collect()
}

/// The groups that a row of an answer is of.
fn of_row(row: &Value, all: &[(Group, i64)]) -> Vec<usize> {
    let is = |name: &str, code: &str| {
        row[name]
            .as_str()
            .is_none_or(|value| value == code || value == "total" || value == "all")
    };
    let area = row["area"].as_str().unwrap();
    all.iter()
        .enumerate()
        .filter(|(_, (group, _))| {
            (area == "SE" || group.municipality.starts_with(area))
                && is("gender", group.gender)
                && is("ageBand", group.ages)
                && is("subject", group.subject)
        })
        .map(|(place, _)| place)
        .collect()
}

/// Everything that the API says, row by row.
async fn everything(caller: &Caller, extra: &str, all: &[(Group, i64)]) -> Vec<(Vec<usize>, i64)> {
    let mut said = Vec::new();
    for question in questions() {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&{PLACES}{question}{extra}"
        );
        let answer = caller.get(&path).await.expect(200);
        for row in answer["rows"].as_array().unwrap() {
            if row["gender"] == "not_stated"
                || row["ageBand"] == "not_stated"
                || row["subject"] == "not_stated"
            {
                continue;
            }
            let groups = of_row(row, all);
            if groups.is_empty() {
                // A code of the vocabulary that no school has reported.
                assert!(row["value"].is_null() || row["value"] == 0, "{row}");
                continue;
            }
            said.push((
                groups,
                row["value"]
                    .as_i64()
                    .unwrap_or_else(|| panic!("{path}: {row}")),
            ));
        }
    }
    assert!(said.len() > 1_000, "{}", said.len());
    said
}

async fn published(app: &TestApp) -> (Fixture<'_>, Vec<(Group, i64)>) {
    let fixture = Fixture::new(app).await;
    let source = fixture.source("Kulturskoleenkäten").await;
    let all = truth();
    for municipality in MUNICIPALITIES {
        let observations: Vec<Value> = all
            .iter()
            .filter(|(group, _)| group.municipality == municipality)
            .map(|(group, n)| {
                let words = format!("{} {} {}", group.gender, group.ages, group.subject);
                obs("pupil_places", &words, i32::try_from(*n).unwrap())
            })
            .collect();
        fixture
            .report(source, municipality, "2024", &observations)
            .await;
        fixture
            .residents(
                source,
                municipality,
                2024,
                &[
                    ("total", 6, 19, 100),
                    ("girls", 6, 19, 49),
                    ("boys", 6, 19, 51),
                ],
            )
            .await;
    }
    fixture.publish("2025.1").await;
    (fixture, all)
}

/// The small groups that an attacker has found out: one number left, of 1 to 4, and it is the right one.
fn found(bounds: &[(i64, i64)], all: &[(Group, i64)]) -> usize {
    bounds
        .iter()
        .zip(all)
        .filter(|((low, high), (_, n))| low == high && (1..=4).contains(low) && low == n)
        .count()
}

#[actix_web::test]
async fn no_small_group_can_be_found_out_and_hiding_below_five_would_give_them_away() {
    let app = TestApp::start().await;
    let (fixture, all) = published(&app).await;
    let small = all.iter().filter(|(_, n)| (1..=4).contains(n)).count();
    assert!(
        small >= 12,
        "{small} small groups are too few to mean anything"
    );

    // The protected release. What the attacker knows of the method: a sum is a sum of numbers that are right if they
    // are 6 or more, 0 stands for 0–4, and 5 for 1–5.
    let said = everything(&fixture.analyst(), "", &all).await;
    let exact: Vec<Told> = said
        .iter()
        .map(|(groups, value)| Told {
            groups: groups.clone(),
            least: *value,
            most: *value,
        })
        .collect();
    let base = solve(all.len(), &exact);
    for ((low, high), (group, n)) in base.iter().zip(&all) {
        assert_eq!(low, high, "the protected base itself is public: {group:?}");
        assert!(*low == 0 || *low >= 5, "{group:?} is published as {low}");
        assert!(
            if (1..=4).contains(n) {
                *low == 0 || *low == 5
            } else {
                low == n
            },
            "{group:?}: {n} as {low}"
        );
    }
    let of_method: Vec<Told> = base
        .iter()
        .enumerate()
        .map(|(place, (value, _))| {
            let (least, most) = match value {
                0 => (0, 4),
                5 => (1, 5),
                n => (*n, *n),
            };
            Told {
                groups: vec![place],
                least,
                most,
            }
        })
        .collect();
    assert_eq!(found(&solve(all.len(), &of_method), &all), 0);

    // Every sum is the sum of that base, so nothing that was said says more than the base does.
    for (groups, value) in &said {
        let sum: i64 = groups.iter().map(|g| base[*g].0).sum();
        assert_eq!(sum, *value, "{groups:?}");
    }
    // And if the sums were taken for exact numbers of children, the attacker would be wrong or learn nothing.
    let naive: Vec<Told> = of_method
        .into_iter()
        .chain(exact.into_iter().filter(|fact| fact.groups.len() > 1))
        .collect();
    let bounds = solve(all.len(), &naive);
    let consistent = bounds.iter().all(|(low, high)| low <= high);
    assert!(!consistent || found(&bounds, &all) < small / 2);

    // The control: exact numbers, 1–4 hidden. The truth comes from the owner's view of the same API.
    let office = app.caller(
        &[Permission::StatisticsRead, Permission::ParticipationRead],
        &["SE"],
    );
    let raw = everything(&office, "&protection=none", &all).await;
    let hidden: Vec<Told> = raw
        .into_iter()
        .map(|(groups, value)| {
            let (least, most) = if (1..=4).contains(&value) {
                (1, 4)
            } else {
                (value, value)
            };
            Told {
                groups,
                least,
                most,
            }
        })
        .collect();
    let given_away = found(&solve(all.len(), &hidden), &all);
    assert!(
        given_away * 2 > small,
        "the attacker found {given_away} of {small}: it is no attacker"
    );
}

#[actix_web::test]
async fn the_same_number_is_told_by_every_endpoint_and_format() {
    let app = TestApp::start().await;
    let (fixture, _) = published(&app).await;
    let analyst = fixture.analyst();
    let question = format!("publication=2025.1&measure=pupil_places_share&period=2024&{PLACES}");
    let rows = analyst
        .get(&format!(
            "/statistics/participation?{question}&include=numerator,denominator"
        ))
        .await
        .expect(200);
    let rows = rows["rows"].as_array().unwrap().clone();
    let of_area =
        |rows: &[Value], area: &str| rows.iter().find(|row| row["area"] == area).unwrap().clone();
    let ranking = analyst
        .get("/statistics/rankings?publication=2025.1&measure=pupil_places_share&period=2024&area=1780,1781,1880,1881,1882")
        .await
        .expect(200);
    let gaps = analyst
        .get(&format!("/statistics/gaps?{question}&reference=SE"))
        .await
        .expect(200);
    let csv = analyst
        .get(&format!("/statistics/participation?{question}&format=csv"))
        .await;
    let stat = analyst
        .get(&format!(
            "/statistics/participation?{question}&format=json-stat2"
        ))
        .await
        .expect(200);
    let nation = of_area(&rows, "SE")["value"].as_f64().unwrap();
    for (place, row) in rows.iter().enumerate() {
        let area = row["area"].as_str().unwrap();
        let value = row["value"].as_f64().unwrap();
        // 100 × numerator ÷ residents, two decimals.
        let (numerator, residents) = (
            row["numerator"].as_f64().unwrap(),
            row["denominator"]["value"].as_f64().unwrap(),
        );
        let share = (10_000.0 * numerator / residents).round() / 100.0;
        assert!((value - share).abs() < 1e-9, "{row}");
        let gap = of_area(gaps["rows"].as_array().unwrap(), area);
        assert_eq!(gap["value"].as_f64(), Some(value));
        let difference = ((value - nation) * 100.0).round() / 100.0;
        assert_eq!(gap["difference"].as_f64(), Some(difference), "{gap}");
        assert_eq!(stat["value"][place].as_f64(), Some(value));
        assert!(csv.text().contains(&format!("{value}")), "{area}");
        if area.len() == 4 {
            assert_eq!(
                of_area(ranking["rows"].as_array().unwrap(), area)["value"].as_f64(),
                Some(value)
            );
        }
    }
    // Sums over groups are the totals, whatever the order of grouping.
    let total = |answer: &Value| -> i64 {
        answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["value"].as_i64().unwrap())
            .sum()
    };
    let ask = async |group_by: &str| {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&area=18{group_by}"
        );
        analyst.get(&path).await.expect(200)
    };
    let whole = total(&ask("").await);
    assert_eq!(total(&ask("&groupBy=gender,subject").await), whole);
    let (one, other) = (
        ask("&groupBy=subject,ageBand").await,
        ask("&groupBy=ageBand,subject").await,
    );
    assert_eq!(one["rows"], other["rows"]);
    assert_eq!(total(&one), whole);
}
