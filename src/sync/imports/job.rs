//! Imports that are too large to be answered at once: a thread takes them from the database, one at a time, and goes on
//! where another process stopped.
//!
//! A worker holds an import by a lease that it renews. Whatever it writes it writes together with its progress, and only
//! while the lease is its own: so each row is done once, whatever dies when. A partial import is written in parts of
//! their own; an atomic one in one transaction, on a connection of its own, and from the first row after an interruption.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::payload::{File, Survey};
use super::run;
use super::store::{self, Request};
use super::worker::{ATTEMPTS, Worker};
use crate::background::Background;
use crate::db::Shared;
use crate::problem::ApiResult;

/// How often a worker looks for imports that nobody told it of.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait before an import is taken up again that the database went away from under; longer each time.
const AGAIN: Duration = Duration::from_millis(500);
/// How much of a file is kept in one row.
const PIECE: usize = 512 * 1024;

/// How many files are handed over to the worker as they came. More wait in the database alone.
const HANDED: usize = 8;
/// How long they lie there.
const WAITING: Duration = Duration::from_mins(15);

/// A file on its way from the request to the worker of the same process, with what was seen in it. The database has it too,
/// for every other; but then it must be read back and looked through once more.
pub(super) struct Handed {
    pub(super) file: File,
    pub(super) survey: Survey,
    pub(super) since: Instant,
}

/// The files that wait for the worker of this process, by the id of their import.
#[derive(Clone, Default)]
struct Desk(Arc<Mutex<HashMap<Uuid, Handed>>>);

impl Desk {
    /// Lays a file down.
    fn lay(&self, file: &File, survey: Survey) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < HANDED {
            let handed = Handed {
                file: file.clone(),
                survey,
                since: Instant::now(),
            };
            waiting.insert(file.plan.id, handed);
        }
    }

    fn take(&self, id: Uuid) -> Option<Handed> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&id)
    }

    /// Clears away what another process has taken up, or nobody.
    fn clear(&self) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, handed| handed.since.elapsed() < WAITING);
    }
}

/// The worker of this process; clones share it. It ends with the last of them.
#[derive(Clone)]
pub struct Importer(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    limit: u64,
    wake: Arc<Notify>,
    desk: Desk,
    thread: Background,
}

impl Importer {
    /// Imports into this database of files of at most `limit` bytes. The worker starts when it is first woken.
    #[must_use]
    pub fn new(shared: Arc<Shared>, limit: u64) -> Self {
        Self(Arc::new(Inner {
            shared,
            limit,
            wake: Arc::default(),
            desk: Desk::default(),
            thread: Background::new("importing"),
        }))
    }

    /// The largest file, bytes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Looks for work now.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn wake(&self) -> ApiResult<()> {
        let (shared, wake) = (Arc::clone(&self.0.shared), Arc::clone(&self.0.wake));
        let desk = self.0.desk.clone();
        self.0
            .thread
            .start_if_idle(async move |stopped| look(shared, wake, desk, stopped).await)?;
        self.0.wake.notify_one();
        Ok(())
    }

    /// Puts an import into the queue, with its file, which nothing speaks against as a whole; says whether its key was free.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn queue(&self, file: &File, survey: &Survey, request: &Request) -> ApiResult<bool> {
        let plan = &file.plan;
        self.0.desk.lay(file, survey.clone());
        let queued = self
            .0
            .shared
            .write_long(async |conn| {
                if !run::claim(conn, plan, request, true).await? {
                    return Ok(false);
                }
                let (mut from, mut position) = (0, 0);
                loop {
                    let piece = file.spooled.piece(from, PIECE)?;
                    if piece.is_empty() {
                        return Ok(true);
                    }
                    from += piece.len() as u64;
                    store::keep_piece(conn, plan.id, position, &piece).await?;
                    position += 1;
                }
            })
            .await;
        match queued {
            Ok(true) => self.wake()?,
            Ok(false) | Err(_) => drop(self.0.desk.take(plan.id)),
        }
        queued
    }

    /// Ends the worker. What it was at is taken up by another process, or by this one when it starts again.
    pub async fn stop(&self) {
        self.0.thread.stop().await;
    }
}

async fn look(
    shared: Arc<Shared>,
    wake: Arc<Notify>,
    desk: Desk,
    mut stopped: watch::Receiver<bool>,
) {
    let holder = Uuid::now_v7();
    let mut purged = None::<Instant>;
    // The import that the database went away from under, and how often.
    let mut interrupted = (Uuid::nil(), 0);
    while !*stopped.borrow() {
        desk.clear();
        if purged.is_none_or(|at| at.elapsed() > Duration::from_hours(1)) {
            purged = Some(Instant::now());
            if let Err(problem) = shared
                .write(async |conn| Ok(store::purge(conn).await?))
                .await
            {
                log::warn!("old imports are forgotten later: {problem}");
            }
        }
        let working = async {
            match shared
                .write(async |conn| Ok(store::claim(conn, holder).await?))
                .await
            {
                Ok(Some(import)) => {
                    let before = match interrupted {
                        (id, times) if id == import.id => times,
                        _ => 0,
                    };
                    let worker = Worker {
                        shared: &shared,
                        holder,
                        import: &import,
                        handed: Cell::new(desk.take(import.id)),
                        patient: before < ATTEMPTS,
                    };
                    // On the heap: what it waits for is large.
                    if !Box::pin(worker.run()).await {
                        interrupted = (import.id, before + 1);
                        sleep(AGAIN * interrupted.1).await;
                    }
                }
                Ok(None) => drop(timeout(LOOK, wake.notified()).await),
                Err(problem) => {
                    log::warn!("no import can be taken up: {problem}");
                    sleep(LOOK).await;
                }
            }
        };
        tokio::select! {
            () = working => {}
            _ = stopped.wait_for(|stop| *stop) => {
                let released = shared.write(async |conn| Ok(store::release(conn, holder).await?));
                if let Err(problem) = released.await {
                    log::warn!("an import is taken up again when its lease is over: {problem}");
                }
            }
        }
    }
}
