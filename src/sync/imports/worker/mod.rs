//! One import in the hands of a worker.

mod atomic;
mod partial;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use super::codes::{ImportMode, ImportState};
use super::job::Handed;
use super::model::ImportRow;
use super::outcome::{Counts, FileFault, Said};
use super::parts::Unread;
use super::payload::{self, File, Given};
use super::run::unreadable;
use super::spool::Spool;
use super::store::{self, End, Progress};
use crate::db::Shared;
use crate::http::lang::Lang;
use crate::problem::{Problem, ProblemKind, text};
use crate::telemetry::{self, RequestContext, TraceParent};

/// How often a lease of 60 s is renewed.
const BEAT: Duration = Duration::from_secs(5);
/// How often a part, and a whole import, is tried while the database is away.
pub(super) const ATTEMPTS: u32 = 10;

/// What became of the rows that were told of, once an import has ended.
#[derive(Clone, Copy)]
enum Told {
    /// What was said of them.
    Stays,
    /// Nothing of them was written.
    Unwritten,
    /// Nothing is to be said of them.
    Forgotten,
}

/// Why a worker stopped before the end.
enum Halt {
    /// The import is no longer its own.
    Lost,
    /// The client asked it to.
    Cancelled,
    /// The file cannot be read.
    Unreadable(Vec<FileFault>),
    /// It could not be done.
    Failed(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// One import in the hands of a worker.
pub(super) struct Worker<'a> {
    /// The database.
    pub(super) shared: &'a Shared,
    /// Who holds the lease.
    pub(super) holder: Uuid,
    /// What is to be done.
    pub(super) import: &'a ImportRow,
    /// The file, if it came to this process.
    pub(super) handed: Cell<Option<Handed>>,
    /// Whether it is tried again if the database goes away.
    pub(super) patient: bool,
}

impl Worker<'_> {
    /// Does the import in the name of the request that it came with. Says whether it came to an end: otherwise it is still
    /// this worker's, to be taken up again from what the database then says of it.
    pub(super) async fn run(self) -> bool {
        let request = self.import.request_id.unwrap_or(self.import.id);
        let trace = TraceParent::from_header_or_new(None);
        let context = Rc::new(RequestContext::new(request, Lang::default(), trace));
        telemetry::with_context(context, async {
            telemetry::note_caller(&self.import.client_id);
            let outcome = tokio::select! {
                outcome = Box::pin(self.work()) => outcome,
                halt = self.keep_lease() => Err(halt),
            };
            match outcome {
                Err(Halt::Failed(problem))
                    if self.patient && problem.kind() == ProblemKind::Unavailable =>
                {
                    log::warn!("import {} is interrupted: {problem}", self.import.id);
                    false
                }
                Err(halt) => {
                    self.halted(halt).await;
                    true
                }
                Ok(()) => true,
            }
        })
        .await
    }

    /// Renews the lease until the import is lost or cancelled.
    async fn keep_lease(&self) -> Halt {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let id = self.import.id;
            let beat = self
                .shared
                .write(async |conn| Ok(store::beat(conn, id, self.holder).await?));
            match beat.await {
                Ok(Some(false)) => {}
                Ok(Some(true)) => return Halt::Cancelled,
                Ok(None) => return Halt::Lost,
                Err(problem) => log::warn!("the lease of an import is not renewed: {problem}"),
            }
        }
    }

    async fn work(&self) -> Result<(), Halt> {
        let import = self.import;
        let since = import.created_at;
        let lost = self
            .shared
            .write(async |conn| Ok(store::lost_rights(conn, &import.client_id, since).await?));
        if lost.await? {
            return Err(Halt::Failed(
                Problem::new(ProblemKind::InsufficientPermission).detail(text(
                    "Klienten har förlorat en behörighet sedan filen skickades.",
                    "The client has lost a right since the file was sent.",
                )),
            ));
        }
        let (file, survey) = if let Some(Handed { file, survey, .. }) = self.handed.take() {
            (file, survey)
        } else {
            let file = self.file().await?;
            let reading = file.clone();
            let survey = spawn_blocking(move || payload::survey(&reading)).await;
            let survey = survey.map_err(Problem::internal)?;
            let survey = survey.map_err(|faults| Halt::Unreadable(unreadable(&faults)))?;
            (file, survey)
        };
        // On the heap: what they wait for is large.
        if file.plan.mode == ImportMode::Partial && !file.plan.dry_run {
            Box::pin(self.partial(&file, &survey)).await
        } else {
            Box::pin(self.atomic(&file, &survey)).await
        }
    }

    /// The file, out of the database.
    async fn file(&self) -> Result<File, Halt> {
        let mut spool = Spool::default();
        let mut position = 0;
        loop {
            let id = self.import.id;
            let piece = self
                .shared
                .write(async |conn| Ok(store::piece(conn, id, position).await?));
            match piece.await? {
                Some(piece) => spool.add(&piece)?,
                None => break,
            }
            position += 1;
        }
        let (spooled, _) = spool.done();
        let plan = self.import.plan();
        let measures = self
            .shared
            .write(async |conn| Ok(plan.measures(conn).await?));
        let measures = measures.await?;
        Ok(File {
            spooled: Arc::new(spooled),
            plan: Arc::new(plan),
            // By who put it into the queue.
            looked_through: true,
            measures: Arc::new(measures),
        })
    }

    /// Ends an import of which nothing, or nothing more, is written, by how far it is. One that is not this worker's any
    /// more, or has ended without its knowledge, stays as it is, with what was said of its rows.
    async fn finish(&self, told: Told, end: impl Fn(&ImportRow) -> End) -> Result<(), Halt> {
        let id = self.import.id;
        let ended = self.patiently(async || {
            let ended = self.shared.write_long(async |conn| {
                // A commit that was not waited for is over when the row can be locked, and seen.
                let Some(row) = store::lock(conn, id).await? else {
                    return Ok(false);
                };
                if !store::end(conn, id, Some(self.holder), &end(&row)).await? {
                    return Ok(false);
                }
                match told {
                    Told::Stays => {}
                    Told::Unwritten => {
                        store::rows::unwrite(conn, id).await?;
                    }
                    Told::Forgotten => {
                        store::rows::forget(conn, id).await?;
                    }
                }
                Ok(true)
            });
            Ok(ended.await?)
        });
        if ended.await? {
            Ok(())
        } else {
            Err(Halt::Lost)
        }
    }

    /// Tries again while the database is away or busy.
    async fn patiently<T>(&self, work: impl AsyncFn() -> Result<T, Halt>) -> Result<T, Halt> {
        let mut attempt = 1;
        loop {
            match work().await {
                Err(Halt::Failed(problem))
                    if problem.kind() == ProblemKind::Unavailable && attempt < ATTEMPTS =>
                {
                    log::info!(attempt; "an import waits for the database: {problem}");
                    sleep(Duration::from_millis(500) * attempt).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    /// Says why an import came to no good end. What a partial one has written stays, and is counted.
    async fn halted(&self, halt: Halt) {
        let (state, faults) = match halt {
            Halt::Lost => {
                log::warn!("import {} is another worker's now", self.import.id);
                return;
            }
            Halt::Cancelled => (ImportState::Cancelled, Vec::new()),
            Halt::Unreadable(faults) => (ImportState::Refused, faults),
            Halt::Failed(problem) => {
                log::error!("import {} failed: {problem}", self.import.id);
                let fault = FileFault {
                    code: problem.kind().slug().to_owned(),
                    line: None,
                    column: None,
                    message: Said::from(&problem.sentences()),
                };
                (ImportState::Failed, vec![fault])
            }
        };
        if let Err(Halt::Failed(problem)) = self.stopped(state, &faults).await {
            log::warn!("an import is taken up again when its lease is over: {problem}");
        }
    }

    async fn stopped(&self, state: ImportState, faults: &[FileFault]) -> Result<(), Halt> {
        let whole = self.import.mode == ImportMode::Atomic || self.import.dry_run;
        let told = if whole { Told::Forgotten } else { Told::Stays };
        let end = |row: &ImportRow| End {
            state,
            progress: Progress {
                total: row.total,
                done: row.done,
                counts: if whole {
                    Counts::default()
                } else {
                    row.counts()
                },
                head: row.head(),
            },
            faults: serde_json::to_value(faults).unwrap_or_default(),
        };
        self.finish(told, end).await
    }
}

/// Lets go of rows that are written. To give so many small pieces of memory back takes a while: not on the thread that the
/// database waits for.
fn forget(rows: Vec<Given>) {
    drop(spawn_blocking(move || drop(rows)));
}

/// The rows of a part, if they could be read.
fn readable(part: Result<Vec<Given>, Unread>) -> Result<Vec<Given>, Halt> {
    part.map_err(|unread| match unread {
        Unread::Faults(faults) => Halt::Unreadable(unreadable(&faults)),
        Unread::Broken(problem) => Halt::Failed(problem),
    })
}
