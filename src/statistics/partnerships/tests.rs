//! Six partnerships, counted by hand.

use chrono::{DateTime, Utc};
use rstest::rstest;
use uuid::Uuid;

use super::choice::Choice;
use super::count::{Counts, count};
use super::selection::{PartnershipQuery, Selection};
use super::summary::{Part, Summary};
use crate::http::params::AnyOf;
use crate::registry::codes::PartnerCategory;
use crate::statistics::codes::PartnershipGroup;
use crate::statistics::frozen::{
    Both, Catalogue, Collaboration, Frozen, Member, Network, Partner, Partnership, Project,
    Returns, Told,
};
use crate::statistics::geography::sample;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn partner(n: u128, name: &str, category: &str, civil_society: bool) -> Partner {
    Partner {
        id: id(n),
        name: name.to_owned(),
        category: category.to_owned(),
        civil_society,
    }
}

fn project(n: u128, title: &str, months: [&str; 2], continuation: &str) -> Project {
    Project {
        id: id(n),
        title: title.to_owned(),
        continuation: text(continuation),
        start_month: text(months[0]),
        end_month: text(months[1]),
    }
}

/// `who` is the partner and the project, by their places.
fn partnership(
    who: (usize, Option<usize>),
    area: &str,
    words: [&str; 2],
    months: [&str; 2],
    continues: Option<bool>,
) -> Partnership {
    Partnership {
        id: Uuid::now_v7(),
        partner: who.0,
        project: who.1,
        collaboration: who.1.is_none().then(|| id(30)),
        area: area.to_owned(),
        role: words[0].to_owned(),
        form: text(words[1]),
        from: text(months[0]),
        to: text(months[1]),
        continues,
        source_url: None,
    }
}

fn frozen() -> Frozen {
    let mut places = sample::places();
    places.collaborations = vec![Collaboration {
        id: id(30),
        name: "Samverkan".to_owned(),
        members: vec![Member {
            municipality: "1881".to_owned(),
            from: None,
            to: None,
        }],
    }];
    Frozen {
        id: id(1),
        name: "2026.1".to_owned(),
        title: Both::default(),
        synthetic: false,
        published_at: "2026-06-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap(),
        catalogue: Catalogue::default(),
        places,
        returns: Returns::default(),
        told: Told::default(),
        network: Network {
            partners: vec![
                partner(10, "IFK", "sports_association", true),
                partner(11, "Scouterna", "child_youth_association", true),
                partner(12, "Regionen", "regional_institution", false),
            ],
            projects: vec![
                project(20, "Storstan", ["2017-12", "2021-02"], "partly"),
                project(21, "Hela landet", ["2019-07", "2022-06"], "ended"),
                project(22, "Nytt", ["2024-01", ""], ""),
            ],
            partnerships: vec![
                partnership(
                    (0, Some(0)),
                    "1880-vivalla",
                    ["partner", "joint_activity"],
                    ["", ""],
                    Some(true),
                ),
                partnership(
                    (0, Some(1)),
                    "1880",
                    ["partner", ""],
                    ["2020-01", ""],
                    Some(false),
                ),
                partnership((1, Some(1)), "1480", ["host", "outreach"], ["", ""], None),
                partnership((2, None), "18", ["funder", ""], ["", ""], None),
                partnership(
                    (1, Some(2)),
                    "SE-vissa-stadsdelar",
                    ["partner", ""],
                    ["", ""],
                    None,
                ),
                partnership(
                    (2, Some(0)),
                    "1881",
                    ["owner", ""],
                    ["", "2018-05"],
                    Some(false),
                ),
            ],
        },
    }
}

/// Code and number of partnerships of each row.
fn by(group: PartnershipGroup, query: PartnershipQuery) -> Vec<(String, u32)> {
    let frozen = frozen();
    let query = PartnershipQuery {
        group_by: Some(AnyOf(vec![group])),
        ..query
    };
    let selection = Selection::new(&query, &frozen).unwrap();
    let counted = count(&frozen, &selection, &Choice::new(&frozen, &selection)).unwrap();
    let codes = counted.dimensions[0].categories.iter();
    codes
        .map(|category| category.code.clone())
        .zip(counted.rows.iter().map(|row| row.partnerships))
        .collect()
}

fn pairs(rows: &[(String, u32)]) -> Vec<(&str, u32)> {
    rows.iter().map(|(code, n)| (code.as_str(), *n)).collect()
}

#[test]
fn the_whole_network_in_one_row() {
    let frozen = frozen();
    let selection = Selection::default();
    let counted = count(&frozen, &selection, &Choice::new(&frozen, &selection)).unwrap();
    let all = Counts {
        partnerships: 6,
        partners: 3,
        municipalities: 3,
        projects: 3,
        continuing: 1,
        ended: 2,
        unknown: 2,
        in_collaborations: 1,
    };
    assert_eq!(counted.rows, [all]);
}

#[test]
fn a_partnership_counts_in_every_year_that_it_touches() {
    let rows = by(PartnershipGroup::Year, PartnershipQuery::default());
    let expected = [
        ("2017", 2),
        ("2018", 2),
        ("2019", 2),
        ("2020", 3),
        ("2021", 3),
        ("2022", 3),
        ("2023", 1),
        ("2024", 2),
        ("2025", 2),
        ("2026", 2),
        ("not_known", 1),
    ];
    assert_eq!(pairs(&rows), expected);
}

#[test]
fn a_wider_place_counts_for_itself_alone() {
    let rows = by(PartnershipGroup::Municipality, PartnershipQuery::default());
    let expected = [("1480", 1), ("18", 1), ("1880", 2), ("1881", 1), ("SE", 1)];
    assert_eq!(pairs(&rows), expected);
    let rows = by(PartnershipGroup::Region, PartnershipQuery::default());
    assert_eq!(pairs(&rows), [("14", 1), ("18", 4), ("SE", 1)]);
}

#[test]
fn closed_vocabularies_are_whole_and_what_is_not_stated_is_a_group() {
    let rows = by(PartnershipGroup::Category, PartnershipQuery::default());
    assert_eq!(rows.len(), PartnerCategory::LIST.codes.len());
    let of = |wanted: &str| rows.iter().find(|(code, _)| code == wanted).unwrap().1;
    assert_eq!((of("sports_association"), of("faith_community")), (2, 0));
    let civil = PartnershipQuery {
        civil_society: Some(true),
        ..PartnershipQuery::default()
    };
    let rows = by(PartnershipGroup::Category, civil);
    assert_eq!(
        pairs(&rows),
        [("sports_association", 2), ("child_youth_association", 2)]
    );
    let forms = by(PartnershipGroup::Form, PartnershipQuery::default());
    assert_eq!(forms.last().unwrap(), &("not_stated".to_owned(), 4));
    assert_eq!(forms.iter().map(|(_, n)| n).sum::<u32>(), 6);
}

#[test]
fn two_groupings_make_every_combination_and_their_order_changes_no_number() {
    let frozen = frozen();
    let rows = |groups: [PartnershipGroup; 2]| {
        let selection = Selection {
            group_by: groups.to_vec(),
            ..Selection::default()
        };
        let counted = count(&frozen, &selection, &Choice::new(&frozen, &selection)).unwrap();
        let inner = counted.dimensions[1].categories.len();
        let mut all: Vec<(Vec<String>, u32)> = counted
            .rows
            .iter()
            .enumerate()
            .map(|(n, row)| {
                let outer = &counted.dimensions[0].categories[n / inner];
                let mut codes = vec![
                    outer.code.clone(),
                    counted.dimensions[1].categories[n % inner].code.clone(),
                ];
                codes.sort();
                (codes, row.partnerships)
            })
            .collect();
        all.sort();
        all
    };
    let one = rows([PartnershipGroup::Role, PartnershipGroup::Region]);
    assert_eq!(
        one,
        rows([PartnershipGroup::Region, PartnershipGroup::Role])
    );
    assert_eq!(one.iter().map(|(_, n)| n).sum::<u32>(), 6);
    assert!(one.contains(&(vec!["18".to_owned(), "partner".to_owned()], 2)));
}

#[rstest]
#[case::of_a_year(PartnershipQuery { year: Some(AnyOf(vec![2023])), ..PartnershipQuery::default() }, 1, 1)]
#[case::of_some_years(PartnershipQuery { year: Some(AnyOf(vec![2016, 2018])), ..PartnershipQuery::default() }, 2, 1)]
#[case::from(PartnershipQuery { year_from: Some(2023), ..PartnershipQuery::default() }, 2, 1)]
#[case::to(PartnershipQuery { year_to: Some(2018), ..PartnershipQuery::default() }, 2, 1)]
#[case::between(PartnershipQuery { year_from: Some(2019), year_to: Some(2019), ..PartnershipQuery::default() }, 2, 1)]
#[case::of_a_region(PartnershipQuery { region: Some(AnyOf(vec!["18".parse().unwrap()])), ..PartnershipQuery::default() }, 4, 0)]
#[case::of_a_municipality(PartnershipQuery { municipality: Some(AnyOf(vec!["1880".parse().unwrap()])), ..PartnershipQuery::default() }, 2, 0)]
#[case::of_a_project(PartnershipQuery { project: Some(AnyOf(vec![id(20)])), ..PartnershipQuery::default() }, 2, 0)]
#[case::of_a_collaboration(PartnershipQuery { collaboration: Some(AnyOf(vec![id(30)])), ..PartnershipQuery::default() }, 1, 0)]
fn filters(#[case] query: PartnershipQuery, #[case] chosen: usize, #[case] undated: usize) {
    let frozen = frozen();
    let selection = Selection::new(&query, &frozen).unwrap();
    let choice = Choice::new(&frozen, &selection);
    assert_eq!((choice.chosen.len(), choice.undated), (chosen, undated));
}

#[test]
fn what_goes_on_after_projects_that_have_ended() {
    let frozen = frozen();
    let selection = Selection::default();
    let summary = Summary::new(&frozen, &selection, &Choice::new(&frozen, &selection));
    let part = |numerator, denominator, unknown| Part {
        numerator,
        denominator,
        unknown,
    };
    assert_eq!(summary.partnerships, part(1, 3, 1));
    assert_eq!(summary.partnerships.percent(), Some(33.33));
    assert_eq!(summary.projects, part(1, 2, 0));
    let titles: Vec<&str> = summary
        .ended
        .iter()
        .map(|ended| ended.project.title.as_str())
        .collect();
    assert_eq!(
        titles,
        ["Hela landet", "Storstan"],
        "the ongoing one is not there"
    );
    assert_eq!(Part::default().percent(), None);
}

#[test]
fn municipalities_without_civil_society_are_those_where_nobody_of_it_is() {
    let frozen = frozen();
    let without = |query: PartnershipQuery| {
        let selection = Selection::new(&query, &frozen).unwrap();
        let summary = Summary::new(&frozen, &selection, &Choice::new(&frozen, &selection));
        let codes: Vec<String> = summary
            .without_civil_society
            .iter()
            .map(|area| area.code.clone())
            .collect();
        (codes.join(" "), summary.municipalities)
    };
    let query = PartnershipQuery::default;
    assert_eq!(without(query()), ("1881".to_owned(), 3), "1899 has ended");
    let not_civil = PartnershipQuery {
        civil_society: Some(false),
        ..query()
    };
    assert_eq!(without(not_civil), ("1881".to_owned(), 3));
    let early = PartnershipQuery {
        year_to: Some(2018),
        ..query()
    };
    assert_eq!(without(early), ("1480 1881".to_owned(), 3));
    let members = PartnershipQuery {
        collaboration: Some(AnyOf(vec![id(30)])),
        ..query()
    };
    assert_eq!(without(members), ("1881".to_owned(), 1));
}

#[rstest]
#[case(PartnershipQuery { year: Some(AnyOf(vec![2020])), year_from: Some(2020), ..PartnershipQuery::default() }, "years_or_range")]
#[case(PartnershipQuery { year_from: Some(2021), year_to: Some(2020), ..PartnershipQuery::default() }, "year_order")]
#[case(PartnershipQuery { year: Some(AnyOf(vec![0])), ..PartnershipQuery::default() }, "out_of_range")]
#[case(PartnershipQuery { region: Some(AnyOf(vec!["1880".parse().unwrap()])), ..PartnershipQuery::default() }, "wrong_level")]
#[case(PartnershipQuery { municipality: Some(AnyOf(vec!["9999".parse().unwrap()])), ..PartnershipQuery::default() }, "unknown_area")]
#[case(PartnershipQuery { project: Some(AnyOf(vec![id(99)])), ..PartnershipQuery::default() }, "not_in_publication")]
#[case(PartnershipQuery { group_by: Some(AnyOf(vec![PartnershipGroup::Role, PartnershipGroup::Role])), ..PartnershipQuery::default() }, "duplicated")]
fn a_question_that_cannot_be_meant_is_refused(#[case] query: PartnershipQuery, #[case] rule: &str) {
    let refused = format!("{:?}", Selection::new(&query, &frozen()).unwrap_err());
    assert!(refused.contains(rule), "{refused}");
}

#[test]
fn too_many_cells_are_refused_before_they_are_counted() {
    let mut frozen = frozen();
    frozen.network.partnerships[1].to = Some("9999-12".to_owned());
    let selection = Selection {
        group_by: vec![PartnershipGroup::Category, PartnershipGroup::Year],
        ..Selection::default()
    };
    let choice = Choice::new(&frozen, &selection);
    let refused = format!("{:?}", count(&frozen, &selection, &choice).unwrap_err());
    // 13 categories, the years 2017–9999 and the unknown one, 8 metrics.
    assert!(
        refused.contains("too_many_cells") && refused.contains("830336 numbers"),
        "{refused}"
    );
    assert!(
        refused.contains("year has the most categories, 7984"),
        "{refused}"
    );
}
