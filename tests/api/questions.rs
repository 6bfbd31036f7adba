//! The questions that a front end asks, each answered by one request.

use serde_json::{Value, json};

use crate::rows::{add, collaboration, district, partner, partnership, project};
use crate::support::{Caller, TestApp};

/// Four organisations, of which two are civil society.
async fn partners(admin: &Caller) {
    for (name, category) in [
        ("Vivalla IF", "sports_association"),
        ("Teaterföreningen", "cultural_association"),
        ("Örebro kommun", "municipality"),
        ("Fonden", "foundation"),
    ] {
        add(
            admin,
            "/partners",
            partner(name, json!({"category": category})),
        )
        .await;
    }
}

fn names(rows: &Value, name: &str) -> Vec<Value> {
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row[name].clone())
        .collect()
}

#[actix_web::test]
async fn which_projects_are_in_a_municipality_with_whom_and_about_what() {
    let app = TestApp::start().await;
    let admin = app.admin();
    partners(&admin).await;
    let themes = json!({"areas": ["1880"], "themes": ["inclusion", "youth_influence"]});
    add(&admin, "/projects", project("Dans för alla", themes)).await;
    add(
        &admin,
        "/projects",
        project(
            "Någon annanstans",
            json!({"areas": ["1480"], "themes": ["inclusion"]}),
        ),
    )
    .await;
    for (name, role) in [("Vivalla IF", "participant"), ("Örebro kommun", "owner")] {
        add(
            &admin,
            "/partnerships",
            partnership(name, "Dans för alla", json!({"role": role})),
        )
        .await;
    }
    let answer = app
        .reader(&["22"])
        .get("/projects?municipality=1880&include=partners")
        .await
        .expect(200);
    assert_eq!(names(&answer["items"], "title"), ["Dans för alla"]);
    let row = &answer["items"][0];
    assert_eq!(row["themes"], json!(["inclusion", "youth_influence"]));
    assert_eq!(
        names(&row["partners"], "name"),
        ["Vivalla IF", "Örebro kommun"]
    );
    assert_eq!(names(&row["partners"], "role"), ["participant", "owner"]);
}

#[actix_web::test]
async fn which_collaborations_did_a_county_have_on_a_day_who_was_in_and_who_was_host() {
    let app = TestApp::start().await;
    let admin = app.admin();
    let members = json!({"members": [
        {"municipality": "1883", "role": "administrative_host", "validTo": "2022-06-30"},
        {"municipality": "1880", "role": "administrative_host", "validFrom": "2022-07-01"},
        {"municipality": "1884", "validFrom": "2019-01-01"},
        {"municipality": "1881", "validTo": "2018-12-31"}
    ]});
    add(&admin, "/collaborations", collaboration("Länet", members)).await;
    let later = json!({"members": [{"municipality": "1880", "validFrom": "2024-01-01"}]});
    add(&admin, "/collaborations", collaboration("Senare", later)).await;
    let elsewhere = json!({"regions": ["17"], "members": [{"municipality": "1780"}]});
    add(
        &admin,
        "/collaborations",
        collaboration("Grannlänet", elsewhere),
    )
    .await;
    let answer = app
        .reader(&["22"])
        .get("/collaborations?region=18&validOn=2021-09-01&include=members")
        .await
        .expect(200);
    assert_eq!(names(&answer["items"], "name"), ["Länet"]);
    let row = &answer["items"][0];
    assert_eq!(
        (&row["memberCount"], &row["administrativeHostName"]),
        (&json!(2), &json!("Karlskoga"))
    );
    assert_eq!(
        names(&row["members"], "municipalityName"),
        ["Karlskoga", "Nora"]
    );
}

#[actix_web::test]
async fn who_of_civil_society_is_at_work_in_a_district_by_category() {
    let app = TestApp::start().await;
    let admin = app.admin();
    partners(&admin).await;
    add(&admin, "/districts", district("1880-vivalla", json!({}))).await;
    let home = json!({"category": "faith_community", "area": "1880-vivalla"});
    add(&admin, "/partners", partner("Moskén", home)).await;
    let away = json!({"category": "sports_association"});
    add(&admin, "/partners", partner("Annan IF", away)).await;
    add(&admin, "/projects", project("P", json!({}))).await;
    for name in ["Vivalla IF", "Teaterföreningen", "Örebro kommun"] {
        add(
            &admin,
            "/partnerships",
            partnership(name, "P", json!({"area": "1880-vivalla"})),
        )
        .await;
    }
    let reader = app.reader(&["22"]);
    let found = async |query: &str| {
        reader
            .get(&format!("/partners?district=1880-vivalla&{query}"))
            .await
            .column("name")
    };
    assert_eq!(
        found("civilSociety=true").await,
        ["Moskén", "Teaterföreningen", "Vivalla IF"]
    );
    assert_eq!(found("category=sports_association").await, ["Vivalla IF"]);
    assert_eq!(found("civilSociety=false").await, ["Örebro kommun"]);
    let at_work = reader
        .get("/partnerships?area=1880-vivalla&category=sports_association,faith_community")
        .await;
    assert_eq!(at_work.column("partnerName"), ["Vivalla IF"]);
}

#[actix_web::test]
async fn what_goes_on_after_a_project_has_ended() {
    let app = TestApp::start().await;
    let admin = app.admin();
    partners(&admin).await;
    for (title, end, continuation) in [
        ("Slut och kvar", "2026-05", "partly"),
        ("Slut", "2026-05", "ended"),
        ("Pågår", "2026-06", "all"),
    ] {
        let more = json!({"endMonth": end, "startMonth": "2024-01", "continuation": continuation});
        add(&admin, "/projects", project(title, more)).await;
    }
    for (name, title, goes_on) in [
        ("Vivalla IF", "Slut och kvar", json!(true)),
        ("Teaterföreningen", "Slut och kvar", json!(false)),
        ("Örebro kommun", "Slut och kvar", json!(true)),
        ("Fonden", "Slut och kvar", json!(null)),
        ("Vivalla IF", "Pågår", json!(true)),
    ] {
        add(
            &admin,
            "/partnerships",
            partnership(name, title, json!({"continuesAfterProject": goes_on})),
        )
        .await;
    }
    let reader = app.reader(&["22"]);
    let projects = reader
        .get("/projects?status=ended&continuation=all,partly")
        .await;
    assert_eq!(projects.column("title"), ["Slut och kvar"]);
    let sorted = async |query: &str| {
        let path = format!("/partnerships?projectEnded=true&continuesAfterProject=true{query}");
        let mut names = reader.get(&path).await.column("partnerName");
        names.sort_unstable();
        names
    };
    assert_eq!(sorted("").await, ["Vivalla IF", "Örebro kommun"]);
    assert_eq!(sorted("&civilSociety=true").await, ["Vivalla IF"]);
}

#[actix_web::test]
async fn whom_does_a_partner_know_through_everything_it_takes_part_in() {
    let app = TestApp::start().await;
    let admin = app.admin();
    partners(&admin).await;
    let owned = json!({"owner": {"name": "Örebro kommun"}});
    add(&admin, "/projects", project("Ett", owned)).await;
    let paid = json!({"funding": [{"funder": {"name": "Fonden"}, "kind": "fund", "periodKind": "project", "period": "2026"}]});
    add(&admin, "/projects", project("Två", paid)).await;
    add(&admin, "/collaborations", collaboration("Länet", json!({}))).await;
    for body in [
        partnership("Vivalla IF", "Ett", json!({})),
        partnership("Vivalla IF", "Två", json!({})),
        json!({"partner": {"name": "Vivalla IF"}, "collaboration": {"name": "Länet"}, "area": "18", "role": "participant"}),
        json!({"partner": {"name": "Örebro kommun"}, "collaboration": {"name": "Länet"}, "area": "18", "role": "principal"}),
    ] {
        add(&admin, "/partnerships", body).await;
    }
    let reader = app.reader(&["22"]);
    let club = reader
        .get("/partners?q=Vivalla%20IF")
        .await
        .column("id")
        .remove(0);
    let network = reader
        .get(&format!("/partners/{club}/network"))
        .await
        .expect(200);
    assert_eq!(names(&network["projects"], "title"), ["Ett", "Två"]);
    assert_eq!(names(&network["collaborations"], "name"), ["Länet"]);
    assert_eq!(
        names(&network["partners"], "name"),
        ["Örebro kommun", "Fonden"],
        "those who share most come first"
    );
    assert_eq!(names(&network["partners"], "sharedCount"), [2, 1]);
}
