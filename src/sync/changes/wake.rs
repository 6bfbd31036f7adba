//! Waking those who wait: one connection of the process listens for the database's word that something changed.
//!
//! The word carries nothing and may be lost with its connection. So whoever waits looks into the feed itself, when
//! woken and every few seconds in any case.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::epoch;
use crate::access::upkeep::Outage;
use crate::db::{Shared, connect};

/// The channel that the triggers of the feed speak on.
const CHANNEL: &str = "samverkan_changes";
/// How long to wait before listening again after the connection was lost.
const AGAIN: Duration = Duration::from_secs(1);
/// How long somebody waits at the most before looking again, in case a word was lost.
const LOOK_AGAIN: Duration = Duration::from_secs(4);

/// What a process hears; clones share it.
#[derive(Clone, Debug)]
pub struct Wake(Arc<watch::Sender<Heard>>);

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    words: u64,
    closed: bool,
}

impl Default for Wake {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Heard::default())))
    }
}

/// Someone who waits. What is heard after it was made is not missed.
#[derive(Debug)]
pub struct Waiting(watch::Receiver<Heard>);

impl Wake {
    /// Begins to wait. To be made before the feed is read, so that nothing falls between.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        Waiting(self.0.subscribe())
    }

    /// Whether waiting is over because the service is about to stop.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }

    /// Ends all waiting, now and from now on: the service is about to stop.
    pub fn close(&self) {
        self.0.send_modify(|heard| heard.closed = true);
    }

    fn ring(&self) {
        self.0
            .send_modify(|heard| heard.words = heard.words.wrapping_add(1));
    }

    /// Listens without end. After a lost connection it may be another database that answers (see [`epoch`]), and
    /// something may have happened meanwhile: everybody is woken.
    pub async fn listen(self, db: Arc<Shared>) {
        let outage = RefCell::new(Outage::new("listening for changes"));
        loop {
            let ended = match epoch::begin_if_new(&db).await {
                Ok(()) => {
                    let heard = || {
                        outage.borrow_mut().note(Ok::<_, Infallible>(()));
                        self.ring();
                    };
                    let ended = connect::listen(db.target(), CHANNEL, heard).await;
                    ended.map_err(|error| error.to_string())
                }
                Err(problem) => Err(problem.to_string()),
            };
            outage.borrow_mut().note(ended);
            sleep(AGAIN).await;
        }
    }
}

impl Waiting {
    /// Until something was heard, it is time to look again, or the deadline has come.
    pub async fn until(&mut self, deadline: Instant) {
        let look = deadline.min(Instant::now() + LOOK_AGAIN);
        // The sender lives as long as the process: what ends the wait is a word or the time.
        let _ = timeout_at(look, self.0.changed()).await;
    }
}
