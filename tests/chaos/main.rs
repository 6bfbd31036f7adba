//! The real program and a real PostgreSQL while both are killed, frozen and cut off, again and again: clients that retry
//! blindly lose nothing, write nothing twice, and end with exact copies.
//!
//! `CHAOS_SEED` chooses the order and the moments of the faults; it is printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod database;
mod faults;
mod judge;
mod ledger;
mod place;
mod readers;
mod service;
mod stage;
mod wire;
mod writers;

use std::time::Duration;

use faults::Fault;
use judge::Wrong;
use stage::{Keys, Plan, Stage};
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
        ledger.replayed() >= 3,
        "no answer was lost after its commit: {ledger}"
    );
    assert_eq!(
        wrong,
        Wrong::default(),
        "{ledger}\nin {}",
        stage.place.keep()
    );
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
    };
    let stage = Stage::run(&plan).await;
    let wrong = stage.judge().await;
    println!("{wrong:?}");
    assert!(wrong.lost > 0, "{}", stage.ledger);
}

/// Waits until it is so, or says that it never was.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..3_000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within a minute: {what}");
}
