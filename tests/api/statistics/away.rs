//! What is answered while the database is away.

use std::time::Duration;

use reqwest::Method;
use samverkan::db::WriteError;
use serde_json::Value;

use super::fixture::{NAME, published};
use crate::support::TestApp;

/// What the health check says of the database.
async fn database(app: &TestApp) -> (u16, Value) {
    let ready = app.anonymous();
    let reply = ready.raw(Method::GET, "/health/ready", &[], None).await;
    (reply.status, reply.json()["checks"]["database"].clone())
}

#[actix_web::test]
async fn what_is_held_or_kept_is_answered_without_the_database() {
    let app = TestApp::start().await;
    published(&app).await;
    let reader = app.reader(&["18"]);
    let named = format!("publication={NAME}");
    let questions = [
        format!("/statistics/participation?{named}&measure=pupils&area=1880,18&period=2024"),
        "/statistics/participation?measure=pupils&area=18&period=2024&groupBy=gender".to_owned(),
        format!("/statistics/participation?{named}&measure=pupils&area=18&format=csv&lang=en"),
        format!("/statistics/gaps?{named}&measure=pupils_share&area=1880&reference=region"),
        format!("/statistics/rankings?{named}&measure=pupils&period=2024&area=1880,1861"),
        format!("/statistics/coverage?{named}&period=2024&within=18"),
        format!("/statistics/partnerships?{named}&groupBy=category"),
    ];
    let mut kept = Vec::new();
    for path in &questions {
        let reply = reader.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        kept.push((path, reply.header("etag").to_owned(), reply.body));
    }
    assert_eq!(database(&app).await.1, "ok");

    app.lose_database().await;
    // The health check stands by what it found for a second.
    let mut tries = 0;
    while database(&app).await.1 == "ok" {
        tries += 1;
        assert!(tries < 50, "the database is gone and nobody noticed");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let (status, why) = database(&app).await;
    assert_eq!(status, 503);
    assert!(why == "unreachable" || why == "timeout", "{why}");
    // The list of publications is read every few seconds, now in vain.
    let read = app
        .state
        .db
        .write(async |conn| Ok::<_, WriteError>(app.state.library.refresh(conn).await?));
    assert!(read.await.is_err());

    for (path, etag, body) in &kept {
        let held = [("If-None-Match", etag.as_str())];
        let unchanged = reader.send(Method::GET, path, &held, None).await;
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0), "{path}");
        assert_eq!(unchanged.header("etag"), etag);
        let again = reader.get(path).await;
        assert_eq!((again.status, &again.body), (200, body), "{path}");
    }
    // The token of somebody who has not called before is checked without the database, too.
    let stranger = app.reader(&["14"]);
    let held = [("If-None-Match", kept[0].1.as_str())];
    let other = stranger.send(Method::HEAD, kept[0].0, &held, None).await;
    assert_eq!(other.status, 304);
    // What nobody has asked before needs the database, and says so.
    let new = reader
        .get(&format!(
            "/statistics/participation?{named}&measure=pupils&area=1861"
        ))
        .await;
    assert_eq!(new.problem(503).0, "unavailable");
    assert!(!new.header("retry-after").is_empty());
}
