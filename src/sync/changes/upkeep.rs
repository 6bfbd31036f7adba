//! Deletions are told for [`RETENTION`], then they are removed.
//!
//! A job that last ran a school year ago still learns what was deleted meanwhile; a cursor that is older than the last
//! deletion that was removed is refused, so nobody keeps a row that is gone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::{MissedTickBehavior, interval};

use super::store;
use crate::access::upkeep::Outage;
use crate::clock::Clock;
use crate::db::Shared;
use crate::problem::Problem;

/// For how long deletions are told.
pub const RETENTION: TimeDelta = TimeDelta::days(400);
/// How often the old ones are removed.
const EVERY: Duration = Duration::from_hours(6);

/// Removes the deletions that are older than [`RETENTION`]; says how many those were.
///
/// # Errors
/// When the database does not answer; what is removed by then stays removed.
pub async fn purge(db: &Shared, now: DateTime<Utc>) -> Result<i64, Problem> {
    let mut removed = 0;
    loop {
        let some = db
            .write(async |conn| Ok(store::purge(conn, now - RETENTION).await?))
            .await?;
        if some == 0 {
            return Ok(removed);
        }
        removed += some;
    }
}

/// Removes old deletions again and again, without end.
pub async fn keep_purged(db: Arc<Shared>, clock: Clock) {
    let mut outage = Outage::new("removing old deletions from the feed");
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let purged = purge(&db, clock.now()).await;
        if let Ok(removed @ 1..) = purged {
            log::info!(removed; "old deletions were removed from the feed");
        }
        outage.note(purged.map(drop));
    }
}
