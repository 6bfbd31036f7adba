//! Two tasks that keep a running service in step: with the clients that were revoked, and with the signing keys.
//!
//! Both go on with what they know while the database or the directory is away: what is refused stays refused, and
//! tokens go on being issued. An outage is logged when it begins and when it ends, not at every attempt.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::bearer::{REMEMBERED, Revocations};
use super::clients::store;
use super::keys::KeyRing;
use super::token::Issuer;
use crate::clock::Clock;
use crate::db::Shared;
use crate::problem::Problem;

/// How often the revocations are read: so long may a revoked client's token work in another copy of the service.
pub const REVOCATIONS_EVERY: Duration = Duration::from_secs(5);
/// How often the keys are read: so long may a token of a deleted key work.
pub const KEYS_EVERY: Duration = Duration::from_mins(1);

/// Reads the revocations once; a service does so before its port opens.
///
/// # Errors
/// When the database does not answer; what is known stays known.
pub async fn refresh(db: &Shared, revocations: &Revocations, clock: &Clock) -> Result<(), Problem> {
    let now = clock.now();
    let read = db
        .write(async |conn| Ok(store::revocations(conn, now - REMEMBERED).await?))
        .await?;
    revocations.learn(read, now);
    Ok(())
}

/// Reads the revocations every [`REVOCATIONS_EVERY`], without end.
pub async fn keep_in_step(db: Arc<Shared>, revocations: Revocations, clock: Clock) {
    let mut outage = Outage::new("reading the revoked clients");
    let mut ticks = interval(REVOCATIONS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        outage.note(refresh(&db, &revocations, &clock).await);
    }
}

/// Reads the signing keys in `dir` every [`KEYS_EVERY`], without end, and puts a ring that differs into use.
pub async fn keep_keys(issuer: Arc<Issuer>, dir: PathBuf, clock: Clock) {
    let dir: Arc<Path> = dir.into();
    let mut outage = Outage::new("reading the signing keys");
    let mut ticks = interval(KEYS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (dir, now) = (Arc::clone(&dir), clock.now());
        let read = tokio::task::spawn_blocking(move || KeyRing::load(&dir, now)).await;
        outage.note(match read {
            Ok(Ok(ring)) => {
                if issuer.replace_keys(ring) {
                    log::info!("the signing keys have changed");
                }
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(panic) => Err(panic.to_string()),
        });
    }
}

/// Whether something that is done again and again has failed since it last worked.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    lasts: bool,
}

impl Outage {
    /// Of this work, which works so far.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { what, lasts: false }
    }

    /// Logs the first failure and the first success after it.
    pub fn note(&mut self, outcome: Result<(), impl Display>) {
        match &outcome {
            Ok(()) if self.lasts => log::info!("{} works again", self.what),
            Err(error) if !self.lasts => log::warn!("{} fails: {error}", self.what),
            _ => {}
        }
        self.lasts = outcome.is_err();
    }
}
