//! Rows of observations are held against what is stored, whether their report is read as a whole or they are looked for one
//! by one: what is told of them and what is written is the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use rstest::rstest;
use serde_json::Value;

use crate::imports::{CSV, SUBJECTS, counting, ended, import, location};
use crate::support::{Caller, TestApp};

/// What a row says of itself.
#[derive(Clone, Copy, PartialEq)]
enum Says {
    TheSame,
    AnotherValue,
    AnotherNote,
    AnotherStatus,
}

impl Says {
    fn of(n: usize) -> Self {
        [
            Self::TheSame,
            Self::AnotherValue,
            Self::TheSame,
            Self::AnotherNote,
            Self::AnotherStatus,
        ][n % 5]
    }

    fn cells(self, n: usize) -> String {
        match self {
            Self::TheSame if n.is_multiple_of(7) => format!("{n};reported;"),
            Self::TheSame => format!("{n};estimated;Anmärkning {n}"),
            Self::AnotherValue => format!("{};reported;", n + 1),
            Self::AnotherNote => format!("{n};reported;En annan"),
            Self::AnotherStatus => ";missing_not_submitted;".to_owned(),
        }
    }
}

/// The row `n` of a report of this year: of twelve subjects, two genders and fourteen ages, some of an area within.
fn row(year: usize, n: usize, says: Says) -> String {
    let (gender, age) = (["girls", "boys"][n % 2], 6 + n / 2 % 14);
    let (subject, area) = (SUBJECTS[n / 28 % 12], ["18", "1880"][n / 336]);
    let said = says.cells(n);
    format!("S;{year};18;{area};pupils;{gender};{age}-{age};{subject};{said}\n")
}

fn file(rows: impl IntoIterator<Item = String>) -> String {
    let headings = "source;period;reportArea;area;measure;gender;ageBand;subject;value;status;note";
    let mut file = format!("{headings}\n");
    for row in rows {
        write!(file, "{row}").unwrap();
    }
    file
}

async fn sent(app: &TestApp, office: &Caller, file: String) -> Value {
    let query = "type=observations&mode=partial";
    let answer = import(office, query, CSV, file).await;
    let told = match answer.status {
        202 => ended(office, &location(app, &answer)).await,
        _ => answer.json(),
    };
    assert_eq!(told["state"], "done");
    told["counts"].clone()
}

/// The observations of the office, each with what it says.
async fn stored(office: &Caller) -> BTreeMap<String, String> {
    let mut stored = BTreeMap::new();
    let mut path = "/observations?limit=1000".to_owned();
    loop {
        let page = office.get(&path).await.expect(200);
        for row in page["items"].as_array().unwrap() {
            let dimensions = ["report", "area", "gender", "ageBand", "subject"];
            let key: Vec<String> = dimensions.map(|name| row[name].to_string()).into();
            let said = ["value", "status", "note"].map(|name| row[name].to_string());
            assert!(stored.insert(key.join(" "), said.join(" ")).is_none());
        }
        match page["_links"]["next"]["href"].as_str() {
            Some(next) => next.split_once("/v1").unwrap().1.clone_into(&mut path),
            None => return stored,
        }
    }
}

/// A report that holds `held` rows, and a file that gives `given` of them and some new ones.
#[rstest]
#[case::few(400, 60)]
#[case::fewer_than_half(600, 250)]
#[case::exactly_half(620, 290)]
#[case::most(400, 380)]
#[case::all(400, 400)]
#[actix_web::test]
async fn a_row_is_created_updated_or_unchanged(#[case] held: usize, #[case] given: usize) {
    let (app, office) = counting().await;
    let new = 20;
    // Another report with the same dimensions, and one of which the file gives a single row.
    let first = (0..held).map(|n| row(2024, n, Says::TheSame));
    let others = (0..1_100).map(|n| match n {
        ..600 => row(2023, n, Says::AnotherValue),
        _ => row(2022, n - 600, Says::TheSame),
    });
    let counts = sent(&app, &office, file(first.chain(others))).await;
    assert_eq!(counts["created"], held + 1_100, "{counts}");
    let before = stored(&office).await;

    let changed = (0..given).map(|n| row(2024, n, Says::of(n)));
    let made = (held..held + new).map(|n| row(2024, n, Says::TheSame));
    let one = [row(2022, 3, Says::AnotherValue)];
    let rest = (0..600).map(|n| row(2021, n, Says::TheSame));
    let second = file(one.into_iter().chain(changed).chain(made).chain(rest));
    let counts = sent(&app, &office, second.clone()).await;
    let same = (0..given).filter(|n| Says::of(*n) == Says::TheSame).count();
    let told = ["created", "unchanged", "updated"].map(|name| counts[name].as_u64().unwrap());
    let expected = [new + 600, same, given - same + 1];
    assert_eq!(
        told,
        expected.map(|n| u64::try_from(n).unwrap()),
        "{counts}"
    );

    let after = stored(&office).await;
    let differ = after
        .iter()
        .filter(|(key, said)| before.get(*key) != Some(said));
    assert_eq!(differ.count(), new + 600 + given - same + 1);
    assert!(before.keys().all(|key| after.contains_key(key)));
    let counts = sent(&app, &office, second).await;
    assert_eq!(counts["unchanged"], given + new + 601, "{counts}");
    assert_eq!(stored(&office).await, after);
}
