//! The attack of `attack.rs` where a single grouping does not lead: districts, forms of activity, a collaboration, those
//! who work with sports clubs, peers; through counts, the numerators of shares, ranks and gaps, as rows and as a file.
//! Whatever is asked, the answers must be sums of one protected base.

use std::collections::BTreeMap;

use samverkan::access::Permission;
use serde_json::{Value, json};

use super::attack::{Told, found, solve};
use super::rows::{add, collaboration, id, partner, partnership, project};
use super::support::statistics::{Fixture, obs};
use super::support::{Caller, TestApp};

/// Where the groups live: three districts of one municipality, and another municipality.
const HOMES: [&str; 4] = ["1880-a", "1880-b", "1880-c", "1881"];
const FORMS: [&str; 3] = ["subject_course", "open_activity", "commissioned_activity"];
const GENDERS: [&str; 2] = ["girls", "boys"];

/// A group of children, and how many they are.
struct Group {
    home: &'static str,
    form: &'static str,
    gender: &'static str,
    n: i64,
}

fn truth() -> Vec<Group> {
    // Small numbers mostly, each more than once and in no order that a place or a form would explain.
    let mut numbers = [
        3, 0, 9, 1, 14, 2, 4, 7, 1, 0, 6, 3, 2, 11, 5, 4, 8, 1, 3, 12, 2, 0, 4, 10,
    ]
    .into_iter();
    let mut groups = Vec::new();
    for home in HOMES {
        for form in FORMS {
            for gender in GENDERS {
                let n = numbers.next().unwrap();
                groups.push(Group {
                    home,
                    form,
                    gender,
                    n,
                });
            }
        }
    }
    groups
}

/// Publishes the groups; the id of a collaboration of both municipalities.
async fn published(fixture: &Fixture<'_>, groups: &[Group]) -> String {
    let admin = &fixture.admin;
    for home in &HOMES[..3] {
        fixture.district(home, "city:1880").await;
    }
    let members = json!({"members": [{"municipality": "1880"}, {"municipality": "1881"}]});
    let both = add(admin, "/collaborations", collaboration("Båda", members)).await;
    let club = json!({"category": "sports_association", "state": "published"});
    add(admin, "/partners", partner("Kumla IF", club)).await;
    let of_2024 = json!({"startMonth": "2024-01", "endMonth": "2024-12", "state": "published"});
    add(admin, "/projects", project("Dans", of_2024)).await;
    let in_kumla = json!({"area": "1881", "state": "published"});
    add(
        admin,
        "/partnerships",
        partnership("Kumla IF", "Dans", in_kumla),
    )
    .await;
    let source = fixture.source("Enkäten").await;
    for municipality in ["1880", "1881"] {
        let observations: Vec<Value> = groups
            .iter()
            .filter(|group| group.home.starts_with(municipality))
            .map(|group| {
                let district = group.home.len() > 4;
                let place = if district {
                    format!("@{}", group.home)
                } else {
                    String::new()
                };
                let words = format!("{} {} {place}", group.gender, group.form);
                obs("pupil_places", &words, i32::try_from(group.n).unwrap())
            })
            .collect();
        fixture
            .report(source, municipality, "2024", &observations)
            .await;
        let residents = [
            ("total", 6, 19, 1_000),
            ("girls", 6, 19, 490),
            ("boys", 6, 19, 510),
        ];
        fixture
            .residents(source, municipality, 2024, &residents)
            .await;
    }
    fixture.publish("2025.1").await;
    id(&both).to_owned()
}

/// The groups in a place: an area, or a name of `PLACES`.
fn inside(groups: &[Group], place: &str, row: &Value) -> Vec<usize> {
    let is = |name: &str, code: &str| {
        let given = row[name].as_str();
        given.is_none_or(|given| {
            given == "all" || given == "total" || given.split('+').any(|part| part == code)
        })
    };
    let lives = |home: &str| {
        place
            .split(',')
            .any(|area| area == "SE" || home.starts_with(area))
    };
    let all = groups.iter().enumerate();
    all.filter(|(_, group)| {
        lives(group.home) && is("gender", group.gender) && is("activityForm", group.form)
    })
    .map(|(place, _)| place)
    .collect()
}

/// What was said of which groups.
struct Said<'a> {
    groups: &'a [Group],
    both: String,
    facts: Vec<(Vec<usize>, i64)>,
}

impl Said<'_> {
    /// A number that a row says of its groups in a place, if it says one. What no group was reported of is nothing.
    fn take(&mut self, place: &str, row: &Value, number: &Value) {
        let rest = ["gender", "activityForm"]
            .iter()
            .any(|name| row[name] == "not_stated");
        let Some(number) = number.as_i64() else {
            return;
        };
        let of = inside(self.groups, place, row);
        if of.is_empty() || rest {
            assert_eq!(number, 0, "{row}");
        } else {
            self.facts.push((of, number));
        }
    }

    /// The areas that a row is of.
    fn place(&self, row: &Value) -> String {
        match (
            row["area"].as_str(),
            row["collaboration"].as_str(),
            row["partnerCategory"].as_str(),
        ) {
            (Some(area), ..) => if area == "18" { "SE" } else { area }.to_owned(),
            (_, Some(both), _) => {
                assert_eq!(both, self.both);
                "1880,1881".to_owned()
            }
            (.., Some("sports_association")) => "1881".to_owned(),
            _ => panic!("{row} is of no place"),
        }
    }

    /// Asks everything of counts; `extra` is for those who may see the reported numbers.
    async fn counts(&mut self, caller: &Caller, places: &str, extra: &str) {
        for narrowed in narrowed() {
            let path = format!(
                "/statistics/participation?measure=pupil_places&period=2024&publication=2025.1&{places}{narrowed}{extra}"
            );
            let answer = caller.get(&path).await.expect(200);
            for row in answer["rows"].as_array().unwrap() {
                self.take(&self.place(row), row, &row["value"]);
            }
        }
    }

    /// Asks for what shares are made of: as shares, as ranks, and as gaps of either side.
    async fn shares(&mut self, caller: &Caller, places: &str) {
        let share = "measure=pupil_places_share&period=2024&publication=2025.1&include=numerator";
        for narrowed in narrowed() {
            // Of the residents no form of activity is known, but of a share's numerator it is.
            let ask = async |endpoint: &str| {
                let path = format!("/statistics/{endpoint}&{share}{narrowed}");
                caller.get(&path).await.expect(200)["rows"]
                    .as_array()
                    .unwrap()
                    .clone()
            };
            for row in ask(&format!("participation?{places}")).await {
                self.take(&self.place(&row), &row, &row["numerator"]);
            }
            if !narrowed.contains("groupBy") {
                for row in ask("rankings?level=municipality&within=18").await {
                    self.take(&self.place(&row), &row, &row["numerator"]);
                }
            }
            for reference in [
                "1880",
                "region",
                "peers:1880,1881",
                &format!("collaboration:{}", self.both),
            ] {
                if reference == "region" && !places.starts_with("area=1880") {
                    continue;
                }
                for row in ask(&format!("gaps?{places}&reference={reference}")).await {
                    self.take(&self.place(&row), &row, &row["numerator"]);
                    let of = match reference {
                        "1880" => "1880",
                        "region" => "SE",
                        _ => "1880,1881",
                    };
                    self.take(of, &row, &row["reference"]["numerator"]);
                }
                let path = format!(
                    "/statistics/gaps?{places}&reference={reference}&{share}{narrowed}&format=csv"
                );
                let text = caller.get(&path).await.text();
                for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
                    let row: BTreeMap<String, String> = row.unwrap();
                    let number: Value = row["numerator"]
                        .parse::<i64>()
                        .map_or(Value::Null, Value::from);
                    let row = json!(row);
                    if let Some(area) = row["area"].as_str() {
                        let area = if area == "18" { "SE" } else { area };
                        self.take(area, &row, &number);
                    }
                }
            }
        }
    }
}

/// Selections of one gender or form, and splits by what is not selected.
fn narrowed() -> Vec<String> {
    let mut all = vec![
        String::new(),
        "&groupBy=gender".to_owned(),
        "&groupBy=activityForm".to_owned(),
        "&groupBy=gender,activityForm".to_owned(),
    ];
    for form in FORMS {
        all.push(format!("&activityForm={form}"));
        all.push(format!("&activityForm={form}&groupBy=gender"));
    }
    for gender in GENDERS {
        all.push(format!("&gender={gender}"));
        all.push(format!("&gender={gender}&groupBy=activityForm"));
        all.push(format!(
            "&gender={gender}&activityForm={}",
            FORMS[..2].join(",")
        ));
    }
    all
}

fn told(groups: &[usize], least: i64, most: i64) -> Told {
    Told {
        groups: groups.to_vec(),
        least,
        most,
    }
}

#[actix_web::test]
async fn nor_can_it_by_district_form_collaboration_share_rank_or_gap() {
    let app = TestApp::start().await;
    let fixture = Fixture::new(&app).await;
    let groups = truth();
    let numbers: Vec<((), i64)> = groups.iter().map(|group| ((), group.n)).collect();
    let small = numbers.iter().filter(|((), n)| (1..=4).contains(n)).count();
    let both = published(&fixture, &groups).await;
    let analyst = fixture.analyst();
    let ways = [
        "area=SE,18,1880,1881,1880-a,1880-b,1880-c".to_owned(),
        "level=district&within=1880".to_owned(),
        format!("collaboration={both}"),
        "partnerCategory=sports_association".to_owned(),
    ];
    let mut said = Said {
        groups: &groups,
        both: both.clone(),
        facts: Vec::new(),
    };
    for places in &ways {
        said.counts(&analyst, places, "").await;
    }
    let of_counts = said.facts.len();
    for places in ["area=1880,1881", "area=SE,18", &ways[2], &ways[3]] {
        said.shares(&analyst, places).await;
    }
    let of_shares = said.facts.len() - of_counts;
    // Of how many shares the parts are said depends on the key of the protection, which is new in each run.
    assert!(of_counts > 300 && of_shares > 30, "{of_counts} {of_shares}");

    // All of it is sums of one base, in which every group is 0, or 5 and more.
    let exact: Vec<Told> = said.facts.iter().map(|(of, n)| told(of, *n, *n)).collect();
    let base = solve(groups.len(), &exact);
    for ((low, high), group) in base.iter().zip(&groups) {
        let seen = format!(
            "{} {} {}: {} as {low}–{high}",
            group.home, group.form, group.gender, group.n
        );
        assert_eq!(low, high, "{seen}");
        let right = match group.n {
            1..=4 => [0, 5].contains(low),
            n => *low == n,
        };
        assert!(right, "{seen}");
    }
    for (of, n) in &said.facts {
        assert_eq!(
            of.iter().map(|group| base[*group].0).sum::<i64>(),
            *n,
            "{of:?}"
        );
    }
    let of_method: Vec<Told> = base
        .iter()
        .enumerate()
        .map(|(place, (value, _))| match value {
            0 => told(&[place], 0, 4),
            5 => told(&[place], 1, 5),
            n => told(&[place], *n, *n),
        })
        .collect();
    assert_eq!(found(&solve(groups.len(), &of_method), &numbers), 0);

    // The control: the same questions, exact numbers with 1–4 hidden.
    let rights = [Permission::StatisticsRead, Permission::ParticipationRead];
    let office = app.caller(&rights, &["SE"]);
    let mut raw = Said {
        groups: &groups,
        both,
        facts: Vec::new(),
    };
    for places in &ways[..2] {
        raw.counts(&office, places, "&protection=none").await;
    }
    let hidden: Vec<Told> = raw
        .facts
        .iter()
        .map(|(of, n)| match n {
            1..=4 => told(of, 1, 4),
            n => told(of, *n, *n),
        })
        .collect();
    let given_away = found(&solve(groups.len(), &hidden), &numbers);
    assert!(
        given_away * 2 > small,
        "the attacker found {given_away} of {small}: it is no attacker"
    );
}
