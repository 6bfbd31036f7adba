//! What is done to the service, its database and the network between them.

use std::time::{Duration, Instant};

use rand::rngs::ChaCha8Rng;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::sleep;

use crate::stage::Stage;
use crate::until;
use crate::wire::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    ServiceKilled,
    ServiceStopped,
    ServiceFrozen,
    DatabaseKilled,
    PostmasterKilled,
    BackendKilled,
    DatabaseStoppedAtOnce,
    DatabaseStoppedFast,
    DatabaseFrozen,
    DatabaseFrozenLong,
    SessionsEnded,
    WireCut,
    WireSilent,
    AnswersLost,
    BothKilled,
}

impl Fault {
    pub const ALL: &[Self] = &[
        Self::ServiceKilled,
        Self::ServiceStopped,
        Self::ServiceFrozen,
        Self::DatabaseKilled,
        Self::PostmasterKilled,
        Self::BackendKilled,
        Self::DatabaseStoppedAtOnce,
        Self::DatabaseStoppedFast,
        Self::DatabaseFrozen,
        Self::DatabaseFrozenLong,
        Self::SessionsEnded,
        Self::WireCut,
        Self::WireSilent,
        Self::AnswersLost,
        Self::BothKilled,
        // The sharpest ones once more.
        Self::ServiceKilled,
        Self::DatabaseKilled,
        Self::AnswersLost,
    ];

    async fn happen(self, stage: &Stage) {
        let (service, database, wire) = (&stage.service, &stage.database, &stage.wire);
        let seconds = Duration::from_secs_f64;
        match self {
            Self::ServiceKilled => service.end("KILL").await,
            Self::ServiceStopped => service.end("TERM").await,
            Self::ServiceFrozen => service.freeze(seconds(1.5)).await,
            Self::DatabaseKilled => database.kill().await,
            Self::PostmasterKilled => database.behead().await,
            Self::BackendKilled => database.kill_one().await,
            Self::DatabaseStoppedAtOnce => database.restart("QUIT").await,
            Self::DatabaseStoppedFast => database.restart("INT").await,
            Self::DatabaseFrozen => database.freeze(seconds(2.5)).await,
            Self::DatabaseFrozenLong => database.freeze(seconds(11.0)).await,
            Self::SessionsEnded => database.end_sessions().await,
            Self::WireCut => {
                wire.set(State::Cut);
                sleep(seconds(0.7)).await;
                wire.set(State::Whole);
            }
            Self::WireSilent => {
                wire.set(State::Silent);
                sleep(seconds(4.0)).await;
                wire.set(State::Whole);
            }
            Self::AnswersLost => {
                wire.set(State::AnswersLost);
                sleep(seconds(0.4)).await;
                wire.set(State::Cut);
                sleep(seconds(0.1)).await;
                wire.set(State::Whole);
            }
            Self::BothKilled => {
                service.end("KILL").await;
                database.kill().await;
            }
        }
    }
}

/// Lets the faults happen, in an order and at moments that the seed decides, and waits after each until all is well again.
pub async fn happen(stage: &Stage, faults: &[Fault], seed: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut faults = faults.to_vec();
    for n in (1..faults.len()).rev() {
        faults.swap(n, random.next_u32() as usize % (n + 1));
    }
    for fault in faults {
        sleep(Duration::from_millis(u64::from(
            500 + random.next_u32() % 1_000,
        )))
        .await;
        until("a request is under way", async || {
            stage.ledger.under_way() > 0
        })
        .await;
        let (hit, struck, began) = (
            stage.ledger.under_way(),
            stage.ledger.struck(),
            Instant::now(),
        );
        fault.happen(stage).await;
        let over = Instant::now();
        until("the service is ready again", async || {
            stage.service.is_ready().await
        })
        .await;
        let struck = stage.ledger.struck() - struck;
        stage.ledger.fault(format!(
            "{fault:?}: {hit} requests were under way, {struck} writes were sent again; it took {:?}, and {:?} until all was well",
            over - began,
            over.elapsed()
        ));
    }
}
