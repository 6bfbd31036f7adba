//! The attack: someone who asks the API for a publication's numbers in every grouping by gender, ages and subject and by
//! every filter of them, and solves for the small groups of children. What all other endpoints and formats say comes to
//! the same numbers: see `agreement.rs`. Then the same with help: what a colleague is told who has raw access next door,
//! and what the next publication says after some reports were corrected.
//!
//! The same attacker with the same questions is set on the release rule that most systems have (exact numbers, 1–4
//! hidden). There it must find children, or it would be no attacker.

use std::collections::BTreeSet;
use std::fmt::Write;

use samverkan::access::Permission;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::statistics::{Fixture, obs};
use super::support::{Caller, TestApp};

const MUNICIPALITIES: [&str; 5] = ["1780", "1781", "1880", "1881", "1882"];
const GENDERS: [&str; 2] = ["girls", "boys"];
const AGES: [&str; 2] = ["6-12", "13-19"];
const SUBJECTS: [&str; 3] = ["dance", "circus", "writing"];
pub const PLACES: &str = "area=SE,17,18,1780,1781,1880,1881,1882";

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
pub struct Told {
    pub groups: Vec<usize>,
    pub least: i64,
    pub most: i64,
}

/// Bounds of every group from everything that was told: each sum bounds each of its parts, again and again until
/// nothing moves.
pub fn solve(groups: usize, told: &[Told]) -> Vec<(i64, i64)> {
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

/// What the API answers to the questions about some places in a publication, row by row.
async fn answers(
    caller: &Caller,
    (publication, places, extra): (&str, &str, &str),
    questions: &[String],
    all: &[(Group, i64)],
) -> Vec<(Vec<usize>, i64)> {
    let mut said = Vec::new();
    for question in questions {
        let path = format!(
            "/statistics/participation?publication={publication}&measure=pupil_places&period=2024&{places}{question}{extra}"
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
    said
}

/// What was reported, where, and by which report.
pub struct Reported<'a> {
    pub fixture: Fixture<'a>,
    source: Uuid,
    /// The paths of the reports, by municipality.
    reports: Vec<(&'static str, String)>,
    all: Vec<(Group, i64)>,
}

impl Reported<'_> {
    /// The report of a municipality: its groups.
    async fn report(&self, municipality: &str) -> String {
        let observations: Vec<Value> = self
            .all
            .iter()
            .filter(|(group, _)| group.municipality == municipality)
            .map(|(group, n)| {
                let words = format!("{} {} {}", group.gender, group.ages, group.subject);
                obs("pupil_places", &words, i32::try_from(*n).unwrap())
            })
            .collect();
        self.fixture
            .report(self.source, municipality, "2024", &observations)
            .await
    }

    /// Reports other numbers of some groups: the old reports are withdrawn, new ones take their place. Says which groups.
    async fn correct(&mut self) -> Vec<usize> {
        let mut changed = Vec::new();
        for (from, to) in [(2, 3), (4, 5), (5, 3), (1, 0), (0, 1), (3, 8), (6, 4)] {
            let known = &changed;
            let other =
                |(place, (_, n)): &(usize, &(Group, i64))| *n == from && !known.contains(place);
            let Some((place, _)) = self.all.iter().enumerate().find(other) else {
                continue;
            };
            self.all[place].1 = to;
            changed.push(place);
        }
        for (municipality, path) in &self.reports {
            if !changed
                .iter()
                .any(|place| self.all[*place].0.municipality == *municipality)
            {
                continue;
            }
            let withdrawn = json!({"state": "withdrawn", "reason": "Fel tal."});
            let state = format!("{path}/state");
            let admin = &self.fixture.admin;
            admin.put(&state, "*", &withdrawn).await.expect(200);
            self.report(municipality).await;
        }
        changed
    }
}

/// Five municipalities of 100 residents each, published as 2025.1.
pub async fn published(app: &TestApp) -> Reported<'_> {
    let fixture = Fixture::new(app).await;
    let source = fixture.source("Kulturskoleenkäten").await;
    let mut reported = Reported {
        fixture,
        source,
        reports: Vec::new(),
        all: truth(),
    };
    for municipality in MUNICIPALITIES {
        let path = reported.report(municipality).await;
        reported.reports.push((municipality, path));
        let residents = [
            ("total", 6, 19, 100),
            ("girls", 6, 19, 49),
            ("boys", 6, 19, 51),
        ];
        reported
            .fixture
            .residents(source, municipality, 2024, &residents)
            .await;
    }
    reported.fixture.publish("2025.1").await;
    reported
}

fn exactly(said: &[(Vec<usize>, i64)]) -> Vec<Told> {
    said.iter()
        .map(|(groups, value)| Told {
            groups: groups.clone(),
            least: *value,
            most: *value,
        })
        .collect()
}

/// The protected base, which is public: what each group is published as. It is what it should be for this truth, and
/// every sum that was said is the sum of it, so nothing that was said says more than the base does.
fn base_of(said: &[(Vec<usize>, i64)], all: &[(Group, i64)]) -> Vec<i64> {
    let solved = solve(all.len(), &exactly(said));
    for ((low, high), (group, n)) in solved.iter().zip(all) {
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
    let base: Vec<i64> = solved.into_iter().map(|(value, _)| value).collect();
    for (groups, value) in said {
        let sum: i64 = groups.iter().map(|g| base[*g]).sum();
        assert_eq!(sum, *value, "{groups:?}");
    }
    base
}

/// What the attacker knows of the method: numbers of 6 or more are right, 0 stands for 0–4, and 5 for 1–5.
fn by_the_method(base: &[i64]) -> Vec<Told> {
    base.iter()
        .enumerate()
        .map(|(place, value)| {
            let (least, most) = match *value {
                0 => (0, 4),
                5 => (1, 5),
                n => (n, n),
            };
            Told {
                groups: vec![place],
                least,
                most,
            }
        })
        .collect()
}

/// The small groups that an attacker has found out: one number left, of 1 to 4, and it is the right one.
pub fn found<G>(bounds: &[(i64, i64)], all: &[(G, i64)]) -> usize {
    bounds
        .iter()
        .zip(all)
        .filter(|((low, high), (_, n))| low == high && (1..=4).contains(low) && low == n)
        .count()
}

#[actix_web::test]
async fn no_small_group_can_be_found_out_and_hiding_below_five_would_give_them_away() {
    let app = TestApp::start().await;
    let mut reported = published(&app).await;
    let all = reported.all.clone();
    let small = all.iter().filter(|(_, n)| (1..=4).contains(n)).count();
    assert!(
        small >= 12,
        "{small} small groups are too few to mean anything"
    );

    let analyst = reported.fixture.analyst();
    let questions = questions();
    let said = answers(&analyst, ("2025.1", PLACES, ""), &questions, &all).await;
    assert!(said.len() > 1_000, "{}", said.len());
    let base = base_of(&said, &all);
    let of_method = by_the_method(&base);
    assert_eq!(found(&solve(all.len(), &of_method), &all), 0);
    // If the sums were taken for exact numbers of children, the attacker would be wrong or learn nothing.
    let sums = exactly(&said);
    let naive: Vec<Told> = of_method
        .iter()
        .cloned()
        .chain(sums.into_iter().filter(|fact| fact.groups.len() > 1))
        .collect();
    let bounds = solve(all.len(), &naive);
    let consistent = bounds.iter().all(|(low, high)| low <= high);
    assert!(!consistent || found(&bounds, &all) < small / 2);

    // The control: exact numbers, 1–4 hidden. The truth comes from the owner's view of the same API.
    let office = app.caller(
        &[Permission::StatisticsRead, Permission::ParticipationRead],
        &["SE"],
    );
    let raw = answers(
        &office,
        ("2025.1", PLACES, "&protection=none"),
        &questions,
        &all,
    )
    .await;
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

    with_a_colleague_next_door(&app, &said, &of_method, &all).await;

    // The next publication, after some groups were corrected; the attacker even knows which.
    let corrected = reported.correct().await;
    assert!(corrected.len() >= 4, "{corrected:?}");
    reported.fixture.publish("2025.2").await;
    let truth = &reported.all;
    let next = base_of(
        &answers(&analyst, ("2025.2", PLACES, ""), &questions, truth).await,
        truth,
    );
    for (place, (group, _)) in truth.iter().enumerate() {
        let same = base[place] == next[place] || corrected.contains(&place);
        assert!(same, "{group:?} is the same as before and was decided anew");
    }
    // What was not corrected is one unknown, told twice; what was is two.
    let both = by_the_method(&next).into_iter().map(|mut fact| {
        for group in &mut fact.groups {
            if let Some(place) = corrected.iter().position(|place| place == group) {
                *group = all.len() + place;
            }
        }
        fact
    });
    let both: Vec<Told> = of_method.into_iter().chain(both).collect();
    let truths: Vec<(Group, i64)> = all
        .iter()
        .copied()
        .chain(corrected.iter().map(|place| truth[*place]))
        .collect();
    assert_eq!(found(&solve(truths.len(), &both), &truths), 0);
}

/// Two clients put together what they are told: the attacker, and one from another place who has raw access in county 17.
async fn with_a_colleague_next_door(
    app: &TestApp,
    said: &[(Vec<usize>, i64)],
    of_method: &[Told],
    all: &[(Group, i64)],
) {
    let colleague = app.caller(
        &[Permission::StatisticsRead, Permission::ParticipationRead],
        &["17"],
    );
    // Of everybody's numbers the colleague is told what everybody is told.
    let question = format!(
        "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&{PLACES}&groupBy=gender,subject"
    );
    let rows = async |caller: Caller| caller.get(&question).await.expect(200)["rows"].clone();
    let stranger = app.caller(&[Permission::StatisticsRead], &["0114"]);
    assert_eq!(rows(colleague.clone()).await, rows(stranger).await);
    for refused in [
        "area=SE",
        "area=18",
        "area=1880",
        "area=1780,1880",
        "level=region",
    ] {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&protection=none&{refused}"
        );
        assert_eq!(colleague.get(&path).await.status, 403, "{refused}");
    }
    // One question is enough where the answer is exact.
    let own = ("2025.1", "area=17,1780,1781", "&protection=none");
    let finest = ["&groupBy=gender,ageBand,subject".to_owned()];
    let raw = answers(&colleague, own, &finest, all).await;
    let together: Vec<Told> = of_method.iter().cloned().chain(exactly(&raw)).collect();
    let (alone, together) = (solve(all.len(), of_method), solve(all.len(), &together));
    for (place, (group, n)) in all.iter().enumerate() {
        if group.municipality.starts_with("17") {
            assert_eq!(
                together[place],
                (*n, *n),
                "raw numbers are the reported ones"
            );
        } else {
            assert_eq!(together[place], alone[place], "{group:?}");
        }
    }
    // The difference between what is published of the country and what the colleague's county has reported is no number
    // of children: it is published of county 18, and the error of county 17 on top.
    let of = |municipality: &str| -> Vec<usize> {
        let groups = all.iter().enumerate();
        groups
            .filter(|(_, (group, _))| group.municipality.starts_with(municipality))
            .map(|(place, _)| place)
            .collect()
    };
    let published = |groups: Vec<usize>| said.iter().find(|(of, _)| *of == groups).unwrap().1;
    let (country, neighbours) = (published(of("1")), published(of("18")));
    assert_eq!(country - published(of("17")), neighbours);
}

#[actix_web::test]
async fn who_has_reported_one_part_of_a_sensitive_group_cannot_tell_the_other() {
    let app = TestApp::start().await;
    let fixture = Fixture::new(&app).await;
    let source = fixture.source("Kulturskoleenkäten").await;
    for (municipality, n) in [("1780", 18), ("1781", 3)] {
        let observations = [obs("pupil_places", "other", n)];
        fixture
            .report(source, municipality, "2024", &observations)
            .await;
    }
    fixture.publish("2025.1").await;
    let office = app.caller(
        &[Permission::StatisticsRead, Permission::ParticipationRead],
        &["1780"],
    );
    let ask = async |question: &str| {
        let path = format!(
            "/statistics/participation?publication=2025.1&measure=pupil_places&period=2024&gender=other&{question}"
        );
        office.get(&path).await.expect(200)["rows"][0]["value"].as_i64()
    };
    assert_eq!(ask("area=1780&protection=none").await, Some(18));
    // 21 are 20 or 40: between 3 and 41 of them may be next door, or none at all.
    for area in ["17", "SE"] {
        let value = ask(&format!("area={area}")).await;
        assert!(matches!(value, Some(20 | 40)), "{area}: {value:?}");
    }
    assert!(matches!(ask("area=1781").await, None | Some(0)));
}
