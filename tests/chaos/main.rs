//! The real program and a real PostgreSQL while both are killed, frozen and cut off, again and again: clients that retry
//! blindly lose nothing, write nothing twice, and end with exact copies.
//!
//! `CHAOS_SEED` chooses the order and the moments of the faults; it is printed.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod client;
mod database;
mod faults;
mod judge;
mod ledger;
mod place;
mod pull;
mod readers;
mod service;
mod stage;
mod wire;
mod writers;

use std::time::Duration;

use client::Request;
use faults::Fault;
use futures_util::future::join_all;
use judge::Wrong;
use reqwest::Method;
use serde_json::json;
use stage::{Copies, Keys, Plan, Stage};
use tokio::sync::Mutex;

/// One at a time: each of these tests needs the machine for itself.
static ALONE: Mutex<()> = Mutex::const_new(());

#[actix_web::test]
async fn whatever_dies_nothing_is_lost_or_doubled_and_every_copy_is_exact() {
    let _alone = ALONE.lock().await;
    let plan = Plan {
        faults: Fault::ALL,
        keys: Keys::Sent,
        synchronous: true,
        imports: true,
        copies: Copies::Readers,
    };
    let stage = Stage::run(&plan).await;
    let wrong = stage.judge().await;
    let ledger = &stage.ledger;
    // A run that hit nothing proves nothing.
    assert!(
        ledger.struck() >= 40,
        "requests under way were hit too seldom: {ledger}"
    );
    assert!(
        ledger.replayed() >= 2,
        "no answer was lost after its commit: {ledger}"
    );
    assert!(ledger.listened() >= 5, "no stream was cut: {ledger}");
    assert_eq!(
        wrong,
        Wrong::default(),
        "{ledger}\nin {}",
        stage.place.keep()
    );
}

#[actix_web::test]
async fn a_pull_that_is_killed_again_and_again_ends_with_the_digest_of_the_server() {
    let _alone = ALONE.lock().await;
    let plan = Plan {
        faults: &[
            Fault::ServiceKilled,
            Fault::DatabaseKilled,
            Fault::WireCut,
            Fault::DatabaseStoppedFast,
            Fault::BothKilled,
            Fault::AnswersLost,
            Fault::ServiceStopped,
            Fault::BackendKilled,
        ],
        keys: Keys::Sent,
        synchronous: true,
        imports: true,
        copies: Copies::Pulled,
    };
    let stage = Stage::run(&plan).await;
    let pulls = stage.pulls.take();
    println!("{pulls:?}");
    assert!(pulls.killed >= 10, "{pulls:?} {}", stage.ledger);
    assert_eq!(pulls.torn, 0, "in {}", stage.place.keep());
    let (succeeded, said) = pull::to_the_end(&stage).await;
    assert!(succeeded && said.contains("the copy agrees"), "{said}");
    let folder = pull::folder(&stage);
    let digest = stage.reader.get(&pull::digest_of(&folder)).await;
    assert_eq!(digest["upToDate"], true);
    assert_eq!(pull::sums(&folder), pull::told(&digest["types"]));
    assert!(
        pull::sums(&folder)
            .values()
            .filter(|(rows, _)| *rows > 0)
            .count()
            >= 6
    );
    let wrong = stage.ledger.wrong.take();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[actix_web::test]
async fn a_frozen_database_is_told_of_while_it_is_frozen_and_does_nothing_twice_afterwards() {
    let _alone = ALONE.lock().await;
    let plan = Plan {
        faults: &[],
        keys: Keys::Sent,
        synchronous: true,
        imports: false,
        copies: Copies::Readers,
    };
    let stage = Stage::run(&plan).await;
    let write = |path: &str, name: &str| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", name),
        ];
        let row = json!({"name": name, "category": "other", "area": "1880"});
        let body = if path == "/partners" {
            row
        } else {
            json!([row])
        };
        Request::new(Method::POST, path, &headers, body.to_string().into_bytes())
    };
    let requests = [
        Request::get("/partners?limit=1"),
        Request::get("/changes?cursor="),
        Request::get("/snapshot"),
        Request::get("/sync/digest"),
        write("/partners", "frozen-row"),
        write("/imports?type=partners", "frozen-file"),
    ];
    let ask = |request| stage.writer.once(request);
    // Some begin before it freezes, and stop wherever they are.
    let early = join_all(requests.iter().map(ask));
    let frozen = async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let frozen = stage.database.stop_short();
        (frozen, join_all(requests.iter().map(ask)).await)
    };
    let (early, (frozen, late)) = tokio::join!(early, frozen);
    assert!(stage.service.is_alive().await);
    for (request, reply) in requests.iter().zip(late) {
        let reply = reply.unwrap();
        assert_eq!(
            (reply.status, reply.header("retry-after").is_empty()),
            (503, false),
            "{}: {reply:?}",
            request.path
        );
    }
    assert!(
        early
            .iter()
            .all(|reply| reply.as_ref().unwrap().status < 504)
    );
    drop(frozen);
    for request in &requests {
        let reply = stage.writer.insist(request.clone()).await;
        assert!(reply.status < 300, "{}: {reply:?}", request.path);
    }
    let rows = "SELECT name FROM partners WHERE name LIKE 'frozen-%' ORDER BY name";
    let rows = stage.database.ask(rows).await;
    let rows: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, ["frozen-file", "frozen-row"]);
}

#[actix_web::test]
async fn without_keys_blind_retries_double_rows_in_the_same_run() {
    let _alone = ALONE.lock().await;
    let plan = Plan {
        faults: &[
            Fault::AnswersLost,
            Fault::ServiceKilled,
            Fault::AnswersLost,
            Fault::AnswersLost,
        ],
        keys: Keys::LeftOut,
        synchronous: true,
        imports: false,
        copies: Copies::Readers,
    };
    let stage = Stage::run(&plan).await;
    let wrong = stage.judge().await;
    println!("{wrong:?}");
    assert!(wrong.doubled > 0, "{}", stage.ledger);
}

#[actix_web::test]
async fn a_database_that_answers_before_it_has_written_loses_in_the_same_run() {
    let _alone = ALONE.lock().await;
    let plan = Plan {
        faults: &[
            Fault::DatabaseKilled,
            Fault::DatabaseKilled,
            Fault::DatabaseKilled,
        ],
        keys: Keys::Sent,
        synchronous: false,
        imports: false,
        copies: Copies::Readers,
    };
    let stage = Stage::run(&plan).await;
    let wrong = stage.judge().await;
    println!("{wrong:?}");
    assert!(wrong.lost > 0, "{}", stage.ledger);
}

/// Waits until it is so.
///
/// # Panics
/// When it was not so for a minute.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within a minute: {what}");
}
