//! The reported numbers themselves.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use samverkan::access::Permission::{ParticipationRead, StatisticsRead};
use samverkan::db::WriteError;
use samverkan::schema::audit_events;
use serde_json::{Value, json};

use super::fixture::{collaboration, published};
use crate::support::TestApp;

const PATH: &str = "/statistics/participation";

type Event = (String, String, Vec<String>, Value);

async fn events(app: &TestApp) -> Vec<Event> {
    app.state
        .db
        .write(async |conn| {
            let mut conn = conn;
            let events = audit_events::table
                .order_by(audit_events::at)
                .select((
                    audit_events::action,
                    audit_events::client_id,
                    audit_events::area_codes,
                    audit_events::detail,
                ))
                .load::<Event>(&mut conn)
                .await?;
            Ok::<_, WriteError>(events)
        })
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_file_of_unprotected_numbers_says_so_in_its_name_and_in_every_row() {
    let app = TestApp::start().await;
    published(&app).await;
    let owner = app.reader(&["18"]);
    let query = format!("{PATH}?measure=pupils&area=1880&period=2024&format=csv");
    let (protected, raw) = (
        owner.get(&query).await,
        owner.get(&format!("{query}&protection=none")).await,
    );
    assert!(!protected.text().contains("unprotected"));
    assert!(
        raw.header("content-disposition")
            .contains("-unprotected.csv")
    );
    let text = raw.text();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with(",unprotected"));
    assert!(text.lines().count() > 1, "{text}");
    assert!(lines.all(|line| line.ends_with(",true")), "{text}");
}

#[actix_web::test]
async fn the_owner_of_an_area_sees_its_reported_numbers_and_that_is_written_down() {
    let app = TestApp::start().await;
    published(&app).await;
    let owner = app.reader(&["18"]);
    let query = format!("{PATH}?measure=pupils&area=1880&period=2024&gender=boys&ageBand=6-9");
    let protected = owner.get(&query).await.expect(200);
    assert_eq!(protected["rows"][0]["value"], 80);
    assert_eq!(events(&app).await, []);
    let reply = owner.get(&format!("{query}&protection=none")).await;
    let raw = reply.expect(200);
    assert_eq!(raw["rows"][0]["value"], 83);
    assert_eq!(raw["publication"]["protection"], "none");
    assert!(
        raw["notes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|note| note["mandatory"] == true
                && note["text"].as_str().unwrap().starts_with("Oskyddade tal"))
    );
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(reply.header("etag"), "");
    let written = events(&app).await;
    assert_eq!(written.len(), 1);
    let (action, client, areas, detail) = &written[0];
    assert_eq!(
        (action.as_str(), client.as_str()),
        ("raw_statistics_read", "client_test")
    );
    assert_eq!(areas, &["1880"]);
    assert_eq!(detail["publication"], "2025.1");
    assert_eq!(detail["question"]["gender"], "boys");
    // The protected answer is what it was.
    assert_eq!(owner.get(&query).await.expect(200), protected);
}

#[actix_web::test]
async fn nobody_else_does() {
    let app = TestApp::start().await;
    published(&app).await;
    let id = collaboration();
    let raw = |rest: &str| format!("{PATH}?measure=pupils&period=2024&protection=none{rest}");
    let neighbour = app.reader(&["1861"]);
    for (rest, parameter) in [
        ("&area=1880", "area"),
        ("&area=1861,18", "area"),
        ("", "area"),
        ("&level=municipality&within=18", "area"),
        ("&partnerCategory=sports_association", "partnerCategory"),
    ] {
        let body = neighbour.get(&raw(rest)).await.expect(403);
        assert_eq!(body["code"], "area-not-permitted", "{rest}");
        assert_eq!(body["errors"][0]["parameter"], parameter, "{rest}");
    }
    let one_of_two = neighbour.get(&raw(&format!("&collaboration={id}"))).await;
    assert_eq!(one_of_two.problem(403).1, "area_not_permitted");
    let posted = neighbour
        .post(
            "/statistics/queries",
            &json!({"measures": ["pupils"], "areas": ["1880"], "protection": "none"}),
        )
        .await
        .expect(403);
    assert_eq!(posted["errors"][0]["pointer"], "/areas");
    let without = app.caller(&[StatisticsRead], &["18"]);
    let reply = without.get(&raw("&area=1880")).await;
    assert_eq!(reply.problem(403).0, "insufficient-permission");
    assert_eq!(events(&app).await, []);
    neighbour.get(&raw("&area=1861")).await.expect(200);
    let both = app.caller(&[StatisticsRead, ParticipationRead], &["18"]);
    let whole = both
        .get(&raw(&format!("&collaboration={id}")))
        .await
        .expect(200);
    assert_eq!(whole["rows"][0]["value"], 783);
    assert_eq!(events(&app).await.len(), 2);
}
