//! `samverkan push` against a real service.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use reqwest::Method;
use serde_json::json;

use super::office::{Client, Held, Office, outcome};

/// A push of this text, as a file of this name.
fn push(office: &Office, client: &Client, name: &str, text: &str, arguments: &[&str]) -> Command {
    let file = office.directory.join(name);
    fs::write(&file, text).unwrap();
    let mut command = client.command(&["push", &file]);
    command.args(arguments);
    command
}

#[actix_web::test]
async fn a_good_file_is_taken_once_however_often_it_is_sent() {
    let office = Office::open();
    let client = office.client("SE");
    let text = "Namn;Kategori;Område\r\nÅsens dansförening;Kulturförening;1880\r\nLaxå kör;Kulturförening;1860\r\n";
    let send = |arguments: &[&str]| {
        let all = [&["--type", "partners"], arguments].concat();
        outcome(&mut push(&office, &client, "parter.csv", text, &all))
    };
    let before = client.digest().await;
    let (code, said, _) = send(&["--dry-run"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("2 rader, på prov: inget skrevs\n        2  skapade\n"),
        "{said}"
    );
    assert_eq!(client.digest().await, before);

    let (code, said, told) = send(&[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.ends_with("2 rader, klart\n        2  skapade\n"),
        "{said}"
    );
    assert!(
        told.contains("sent: "),
        "without a terminal progress is lines: {told}"
    );
    let after = client.digest().await;
    assert_ne!(after, before);

    // Blindly again: nothing is written, and it says so. As an import of its own: the rows are there already.
    let (code, said, _) = send(&["--lang", "en"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("nothing was written now") && said.contains("2  created"),
        "{said}"
    );
    let (code, said, _) = send(&["--lang", "en", "--again"]);
    assert_eq!(code, 0, "{said}");
    assert!(
        !said.contains("nothing was written now") && said.contains("2  unchanged"),
        "{said}"
    );
    assert_eq!(client.digest().await, after);

    // What a copy holds can be sent back.
    let folder = office.directory.0.join("copy");
    client.pulled(&folder);
    let file = folder.join("partners.csv");
    let mut back = client.command(&["push", file.to_str().unwrap(), "--type", "partners"]);
    let (code, said, _) = outcome(&mut back);
    let rows = Held::of(&folder).unwrap().rows["partners"].len();
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("{rows} rader, klart\n{rows:>9}  oförändrade")),
        "{said}"
    );
    assert_eq!(client.digest().await, after);
}

#[actix_web::test]
async fn each_row_that_is_refused_is_told_where_and_why() {
    let office = Office::open();
    let client = office.client("18");
    let text = include_str!("../spreadsheets/observations/codes-misspelt.csv");
    let send = |arguments: &[&str]| {
        let all = [&["--type", "observations"], arguments].concat();
        outcome(push(&office, &client, "siffror.csv", text, &all).current_dir(&office.directory.0))
    };
    let rejected = office.directory.join("avvisade.csv");
    let (code, said, line) = send(&["--rejected", "avvisade.csv"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("2 rader, avvisat: inget skrevs\n        2  ogiltiga\n"),
        "{said}"
    );
    assert!(
        said.contains("rad 2, kolumn F (Kön): »Flikor« Finns inte i listan. Menade du Flickor?\n"),
        "{said}"
    );
    assert!(said.contains("rad 3, kolumn G (Ämne): »xyz« "), "{said}");
    assert!(line.ends_with("siffror.csv: allt kom inte in\n"), "{line}");
    let saved = fs::read_to_string(&rejected).unwrap();
    assert!(
        saved.contains("Menade du Flickor?") && saved.contains("Flikor"),
        "{saved}"
    );

    // Where they cannot be saved, they are told all the same.
    let (code, said, _) = send(&["--rejected", "nowhere/avvisade.csv"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("rad 2, kolumn F (Kön)") && said.contains("kunde inte sparas: nowhere/"),
        "{said}"
    );

    let (code, said, _) = send(&["--lang", "en", "--show", "1"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("line 2, column F (Kön): »Flikor« Not in the list. Did you mean Girls?\n"),
        "{said}"
    );
    assert!(
        !said.contains("line 3") && said.contains("… and 1 more; all of them: /imports/"),
        "{said}"
    );

    // A file that is wrong as a whole.
    let text = include_str!("../spreadsheets/observations/misspelt-column.csv");
    let mut wrong = push(
        &office,
        &client,
        "fel.csv",
        text,
        &["--type", "observations", "--dry-run"],
    );
    let (code, said, _) = outcome(&mut wrong);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Menade du Område?"), "{said}");
}

#[actix_web::test]
async fn a_large_file_is_followed_until_it_is_done() {
    let office = Office::open();
    let client = office.client("SE");
    let mut text = String::new();
    for number in 0..1500 {
        let area = if number == 1200 { "1899" } else { "1880" };
        let row = json!({"name": format!("Förening {number}"), "category": "sports_association", "area": area});
        writeln!(text, "{row}").unwrap();
    }
    let send = || {
        let arguments = ["--type", "partners", "--mode", "partial", "--lang", "en"];
        outcome(&mut push(
            &office,
            &client,
            "parter.ndjson",
            &text,
            &arguments,
        ))
    };
    for again in [false, true] {
        let (code, said, told) = send();
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("1500 rows, done\n"), "{said}");
        assert!(
            said.contains("     1499  created\n        1  invalid\n"),
            "{said}"
        );
        assert!(said.contains("line 1201 (/area): »1899« "), "{said}");
        assert_eq!(said.contains("nothing was written now"), again, "{said}");
        assert!(told.contains("rows done: 1500 of 1500"), "{told}");
    }
    let (_, list) = client
        .send(Method::GET, "/partners?municipality=1880&limit=1", None)
        .await;
    assert!(
        list["_meta"]["totalRecords"].as_u64().unwrap() >= 1499,
        "{list}"
    );
}

#[actix_web::test]
async fn what_cannot_be_sent_is_told_in_one_line() {
    let office = Office::open();
    let client = office.client("18");
    let refusal = |command: &mut Command, code: i32, told: &str| {
        let (got, said, line) = outcome(command.env("SAMVERKAN_LOG", "error"));
        assert_eq!((got, said.as_str()), (code, ""), "{line}");
        assert!(line.lines().count() == 1 && line.contains(told), "{line}");
    };
    let partners = ["--type", "partners"];
    let good = "Namn;Kategori;Område\nKören;other;1880\n";
    refusal(
        &mut push(&office, &client, "parter.xls", good, &partners),
        2,
        "the ending .json, .ndjson, .csv, .xlsx",
    );
    refusal(
        &mut client.command(&["push", "/nowhere.csv", "--type", "partners"]),
        2,
        "there is no such file",
    );
    refusal(&mut client.command(&["push", "/nowhere.csv"]), 2, "--type");
    let wrong = client.with_secret("smv_k3v7q2mzt5ab_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    refusal(
        &mut push(&office, &wrong, "parter.csv", good, &partners),
        2,
        "SAMVERKAN_CLIENT_ID (--client-id)",
    );
    let nowhere = client.at("http://127.0.0.1:9");
    let mut away = push(&office, &nowhere, "parter.csv", good, &partners);
    refusal(away.args(["--patience", "0"]), 1, "has been away for 0 s");
    // What the service refuses of the request itself.
    let mut odd = push(&office, &client, "parter.csv", good, &partners);
    refusal(
        odd.args(["--mode", "partial", "--strategy", "replace", "--lang", "en"]),
        2,
        "mode: Replacing is done as a whole",
    );
    let mut outside = push(&office, &client, "parter.csv", good, &partners);
    refusal(
        outside.args(["--strategy", "replace", "--scope", "01"]),
        2,
        "refused with 403",
    );
}
