//! One import in the hands of a worker.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use diesel_async::SimpleAsyncConnection;
use futures_util::try_join;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, sleep};
use uuid::Uuid;

use super::codes::{ImportMode, ImportState};
use super::job::Handed;
use super::model::ImportRow;
use super::observations;
use super::outcome::{Counts, FileFault, RowResult, Said};
use super::payload::{self, File, Given, Survey};
use super::rows::Work;
use super::run::{self, check_all, unreadable};
use super::spool::Spool;
use super::store::{self, End, Progress};
use super::types::ImportType;
use crate::db::connect::{self, Work as Lane};
use crate::db::{Conn, DbError, Shared, WriteError, actor};
use crate::http::lang::Lang;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
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
        let plan = Arc::clone(&file.plan);
        let work = run::work(self.shared.clock(), &plan, &survey);
        if plan.mode == ImportMode::Partial && !plan.dry_run {
            self.partial(&file, &survey, &work).await
        } else {
            self.atomic(&file, &survey, &work).await
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

    /// Part by part, each with its progress in one transaction, from where the last worker stopped.
    async fn partial(&self, file: &File, survey: &Survey, work: &Work<'_>) -> Result<(), Halt> {
        let plan = work.plan;
        let mut progress = Progress {
            total: Some(survey.total),
            done: self.import.done,
            counts: self.import.counts(),
            head: survey.head.clone(),
        };
        if progress.done > 0 && plan.resource != ImportType::Observations {
            let touched = self
                .shared
                .write(async |conn| Ok(store::touched(conn, plan.id).await?))
                .await?;
            let touched = touched.into_iter();
            let touched = touched.filter_map(|(key, position)| Some((key?, position)));
            work.touched.borrow_mut().extend(touched);
        }
        let mut parts = payload::parts(file, survey, progress.done);
        while let Some(given) = parts.recv().await {
            let given = given.map_err(|faults| Halt::Unreadable(unreadable(&faults)))?;
            let lost = Cell::new(false);
            let cancelled = Cell::new(false);
            let written = self.patiently(async || {
                self.shared
                    .write_long(async |conn| {
                        work.looked.borrow_mut().forget();
                        let rows = run::part(conn, work, &given).await?;
                        if plan.resource == ImportType::Observations {
                            observations::touch(conn, work).await?;
                        }
                        store::insert_rows(conn, plan.id, &rows).await?;
                        let mut next = progress.clone();
                        next.done += i64::try_from(given.len()).unwrap_or(i64::MAX);
                        next.counts.add(&rows);
                        let held = store::advance(conn, plan.id, self.holder, &next).await?;
                        let Some(asked) = held else {
                            lost.set(true);
                            return Err(Problem::new(ProblemKind::Conflict).into());
                        };
                        cancelled.set(asked);
                        Ok(next)
                    })
                    .await
            });
            progress = match written.await {
                Err(_) if lost.get() => return Err(Halt::Lost),
                written => written?,
            };
            forget(given);
            if cancelled.get() {
                return Err(Halt::Cancelled);
            }
        }
        let end = End {
            state: ImportState::Done,
            progress,
            faults: serde_json::json!([]),
        };
        let submits = plan.submit
            && plan.resource == ImportType::Observations
            && self.all_tell(file, survey, work).await?;
        let ended = self.patiently(async || {
            self.shared
                .write_long(async |conn| {
                    if submits {
                        let whole = store::whole_reports(conn, plan.id).await?;
                        observations::submit(conn, work, &whole).await?;
                    }
                    Ok(store::end(conn, plan.id, Some(self.holder), &end).await?)
                })
                .await
        });
        if ended.await? {
            Ok(())
        } else {
            Err(Halt::Lost)
        }
    }

    /// Finds the reports of rows that were refused before these were made. Says whether no invalid row may be of any report.
    async fn all_tell(&self, file: &File, survey: &Survey, work: &Work<'_>) -> Result<bool, Halt> {
        let id = self.import.id;
        let untold = self
            .shared
            .write(async |conn| Ok(store::untold(conn, id).await?))
            .await?;
        let Some(first) = untold.first() else {
            return Ok(true);
        };
        let mut parts = payload::parts(file, survey, *first);
        while let Some(given) = parts.recv().await {
            let mut given = given.map_err(|faults| Halt::Unreadable(unreadable(&faults)))?;
            given.retain(|given| untold.binary_search(&given.position).is_ok());
            if given.is_empty() {
                continue;
            }
            let told = self.patiently(async || {
                self.shared
                    .write_long(async |conn| {
                        work.looked.borrow_mut().forget();
                        let told = observations::tell(conn, work, &given).await?;
                        if let Some(told) = &told {
                            store::tell_reports(conn, id, told).await?;
                        }
                        Ok(told.is_some())
                    })
                    .await
            });
            if !told.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// All in one transaction; progress is told meanwhile over the pool.
    async fn atomic(&self, file: &File, survey: &Survey, work: &Work<'_>) -> Result<(), Halt> {
        let plan = work.plan;
        let held = self
            .shared
            .write(async |conn| {
                let held = store::beat(conn, plan.id, self.holder).await?;
                if held.is_some() {
                    store::forget_rows(conn, plan.id).await?;
                }
                Ok(held)
            })
            .await?;
        if held.is_none() {
            return Err(Halt::Lost);
        }
        let mut conn = connect::open(self.shared.target(), Lane::Publish)
            .await
            .map_err(|error| Problem::from(DbError::from(error)))?;
        conn.batch_execute("BEGIN").await.map_err(Problem::from)?;
        let progress = Cell::new(Counts::default());
        // Dropping the connection takes everything back.
        let doing = async |conn: &Conn| Ok(self.in_one(conn, file, survey, work, &progress).await);
        let (counts, fault) = match actor::act(&conn, &doing).await {
            Ok(done) => done?,
            Err(WriteError::Refused(problem)) => return Err(problem.into()),
            Err(WriteError::Query(error)) => return Err(Problem::from(error).into()),
        };
        let refused = fault.is_some() || (plan.mode == ImportMode::Atomic && counts.refused() > 0);
        let faults: Vec<FileFault> = fault.iter().map(FileFault::from).collect();
        let end = End {
            state: if refused {
                ImportState::Refused
            } else {
                ImportState::Done
            },
            progress: Progress {
                total: Some(survey.total),
                done: survey.total,
                counts: if refused { counts.unwritten() } else { counts },
                head: survey.head.clone(),
            },
            faults: serde_json::to_value(faults).unwrap_or_default(),
        };
        if !refused && !plan.dry_run {
            let ended = store::end(&conn, plan.id, Some(self.holder), &end).await;
            if !ended.map_err(Problem::from)? {
                return Err(Halt::Lost);
            }
            conn.batch_execute("COMMIT").await.map_err(Problem::from)?;
            return Ok(());
        }
        conn.batch_execute("ROLLBACK")
            .await
            .map_err(Problem::from)?;
        let told = if refused {
            Told::Unwritten
        } else {
            Told::Stays
        };
        self.finish(&end, told).await
    }

    async fn in_one(
        &self,
        conn: &Conn,
        file: &File,
        survey: &Survey,
        work: &Work<'_>,
        progress: &Cell<Counts>,
    ) -> Result<(Counts, Option<Fault>), Halt> {
        let plan = work.plan;
        let mut reached = Progress {
            total: Some(survey.total),
            done: 0,
            counts: Counts::default(),
            head: survey.head.clone(),
        };
        let mut untold = Vec::new();
        let mut parts = payload::parts(file, survey, 0);
        while let Some(given) = parts.recv().await {
            let given = given.map_err(|faults| Halt::Unreadable(unreadable(&faults)))?;
            // What became of the part before is kept over another connection while this one writes.
            let writing = async { run::part(conn, work, &given).await.map_err(problem) };
            let (rows, ()) = try_join!(writing, self.tell(&untold, &reached))?;
            untold = rows;
            reached.done += i64::try_from(given.len()).unwrap_or(i64::MAX);
            forget(given);
            let mut counts = progress.get();
            counts.add(&untold);
            progress.set(counts);
        }
        let closed = run::close(conn, work, &progress.get())
            .await
            .map_err(problem)?;
        let mut counts = progress.get();
        counts.add(&closed.rows);
        untold.extend(closed.rows);
        self.tell(&untold, &reached).await?;
        if plan.dry_run && closed.fault.is_none() {
            check_all(conn).await.map_err(problem)?;
        }
        Ok((counts, closed.fault))
    }

    /// Keeps what became of rows, and says how far the import is.
    async fn tell(&self, rows: &[RowResult], progress: &Progress) -> Result<(), Halt> {
        let id = self.import.id;
        let held = self
            .shared
            .write(async |conn| {
                store::insert_rows(conn, id, rows).await?;
                Ok(store::advance(conn, id, self.holder, progress).await?)
            })
            .await?;
        match held {
            Some(false) => Ok(()),
            Some(true) => Err(Halt::Cancelled),
            None => Err(Halt::Lost),
        }
    }

    /// Ends an import of which nothing, or nothing more, is written. One that is not this worker's any more, or has ended
    /// without its knowledge, stays as it is, with what was said of its rows.
    async fn finish(&self, end: &End, told: Told) -> Result<(), Halt> {
        let id = self.import.id;
        let ended = self.patiently(async || {
            self.shared
                .write_long(async |conn| {
                    if !store::end(conn, id, Some(self.holder), end).await? {
                        return Ok(false);
                    }
                    match told {
                        Told::Stays => {}
                        Told::Unwritten => {
                            store::unwrite(conn, id).await?;
                        }
                        Told::Forgotten => {
                            store::forget_rows(conn, id).await?;
                        }
                    }
                    Ok(true)
                })
                .await
        });
        if ended.await? {
            Ok(())
        } else {
            Err(Halt::Lost)
        }
    }

    /// Tries again while the database is away or busy.
    async fn patiently<T>(&self, work: impl AsyncFn() -> ApiResult<T>) -> ApiResult<T> {
        let mut attempt = 1;
        loop {
            match work().await {
                Err(problem)
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
        let id = self.import.id;
        let row = self
            .shared
            .write(async |conn| Ok(store::find(conn, &id).await?))
            .await?;
        let Some(row) = row else {
            return Err(Halt::Lost);
        };
        let whole = row.mode == ImportMode::Atomic || row.dry_run;
        let end = End {
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
        let told = if whole { Told::Forgotten } else { Told::Stays };
        self.finish(&end, told).await
    }
}

fn problem(error: WriteError) -> Halt {
    Halt::Failed(match error {
        WriteError::Refused(problem) => problem,
        WriteError::Query(error) => error.into(),
    })
}

/// Lets go of rows that are written. To give so many small pieces of memory back takes a while: not on the thread that the
/// database waits for.
fn forget(rows: Vec<Given>) {
    drop(spawn_blocking(move || drop(rows)));
}
