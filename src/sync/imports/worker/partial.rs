//! Imports of which the good rows are kept: part by part, each with its progress in one transaction, from where the last
//! worker stopped.
//!
//! Observations are written two parts at a time, since one connection keeps one processor of the database busy. The one
//! behind begins when the one ahead has locked all reports that it needs, and so the one ahead never waits for it; and it
//! ends when the one ahead has ended, so what is done is always the beginning of the file. If the database refuses, they and
//! the rest are done one after the other, as all other rows are.

use std::cell::Cell;

use diesel::result::{DatabaseErrorKind, Error as QueryError};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::{oneshot, watch};

use super::{End, Halt, Worker, forget, readable};
use crate::db::{Conn, WriteError};
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::sync::imports::codes::ImportState;
use crate::sync::imports::observations;
use crate::sync::imports::outcome::RowResult;
use crate::sync::imports::parts::Parts;
use crate::sync::imports::payload::{File, Given, Survey};
use crate::sync::imports::run;
use crate::sync::imports::store::{self, Progress};
use crate::sync::imports::types::ImportType;
use crate::sync::imports::work::Work;

/// What a part waits for.
struct Waits {
    /// The part ahead has locked its reports.
    may_begin: oneshot::Receiver<()>,
    /// The part ahead has ended, and this is how far the import was then.
    may_end: watch::Receiver<Option<Progress>>,
}

/// What the part behind waits for.
struct Tells {
    locked: oneshot::Sender<()>,
    ended: watch::Sender<Option<Progress>>,
}

impl Waits {
    /// For nothing: no part is under way.
    fn none(progress: &Progress) -> Self {
        let (locked, may_begin) = oneshot::channel();
        // The other end is held here.
        let _ = locked.send(());
        let (_, may_end) = watch::channel(Some(progress.clone()));
        Self { may_begin, may_end }
    }

    /// For another part.
    fn another() -> (Tells, Self) {
        let (locked, may_begin) = oneshot::channel();
        let (ended, may_end) = watch::channel(None);
        (Tells { locked, ended }, Self { may_begin, may_end })
    }
}

/// How many parts are being written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// This one.
    Single,
    /// Two.
    Abreast,
}

impl Worker<'_> {
    /// Does the import.
    pub(super) async fn partial(&self, file: &File, survey: &Survey) -> Result<(), Halt> {
        let plan = &*file.plan;
        let work = Work::new(self.shared.clock(), plan, survey);
        let progress = Progress {
            total: Some(survey.total),
            done: self.import.done,
            counts: self.import.counts(),
            head: survey.head.clone(),
        };
        let observed = plan.resource == ImportType::Observations;
        if progress.done > 0 && !observed {
            let touched = self
                .shared
                .write(async |conn| Ok(store::rows::touched(conn, plan.id).await?))
                .await?;
            let touched = touched.into_iter();
            let touched = touched.filter_map(|(key, position)| Some((key?, position)));
            work.touched.borrow_mut().extend(touched);
        }
        let parts = Parts::of(file, survey, progress.done);
        // Others need a connection, too, and the lease.
        let progress = if observed && self.shared.pool_size() > 2 {
            Box::pin(self.abreast(&work, parts, progress)).await?
        } else {
            self.in_turn(&work, parts, progress).await?
        };
        let end = End {
            state: ImportState::Done,
            progress,
            faults: serde_json::json!([]),
        };
        let submits = plan.submit && observed && self.all_tell(file, survey, &work).await?;
        let ended = self.patiently(async || {
            let ended = self.shared.write_long(async |conn| {
                if submits {
                    let whole = store::rows::whole_reports(conn, plan.id).await?;
                    observations::submit(conn, &work, &whole).await?;
                }
                Ok(store::end(conn, plan.id, Some(self.holder), &end).await?)
            });
            Ok(ended.await?)
        });
        if ended.await? {
            Ok(())
        } else {
            Err(Halt::Lost)
        }
    }

    /// Writes the parts one after the other.
    async fn in_turn(
        &self,
        work: &Work<'_>,
        mut parts: Parts,
        mut progress: Progress,
    ) -> Result<Progress, Halt> {
        while let Some(part) = parts.next().await {
            let given = readable(part)?;
            progress = self.alone(work, &given, &progress).await?;
            forget(given);
        }
        Ok(progress)
    }

    /// Writes two parts at a time; if that fails, those and the rest one after the other.
    async fn abreast(
        &self,
        work: &Work<'_>,
        mut parts: Parts,
        mut progress: Progress,
    ) -> Result<Progress, Halt> {
        let mut under_way = FuturesOrdered::new();
        let mut waits = Waits::none(&progress);
        // What is under way is always waited for: it may have its commit before it.
        let mut end = None;
        loop {
            let (given, written) = tokio::select! {
                part = parts.next(), if end.is_none() && under_way.len() < 2 => {
                    match part.map(readable) {
                        Some(Ok(given)) => {
                            let (tells, next) = Waits::another();
                            let own = std::mem::replace(&mut waits, next);
                            under_way.push_back(self.in_its_turn(work, given, own, tells));
                        }
                        Some(Err(halt)) => end = Some(Err(halt)),
                        None => end = Some(Ok(())),
                    }
                    continue;
                }
                Some(done) = under_way.next(), if !under_way.is_empty() => done,
                else => break,
            };
            match written {
                Ok(further) => {
                    progress = further;
                    forget(given);
                }
                Err(Halt::Failed(problem)) => {
                    log::info!("parts of an import are written one after the other: {problem}");
                    let mut failed = vec![given];
                    // The part behind gives up with it, and must let go of what it has locked.
                    while let Some((given, _)) = under_way.next().await {
                        failed.push(given);
                    }
                    for given in failed {
                        progress = self.alone(work, &given, &progress).await?;
                        forget(given);
                    }
                    return match end {
                        None => self.in_turn(work, parts, progress).await,
                        Some(end) => end.map(|()| progress),
                    };
                }
                Err(halt) => {
                    while under_way.next().await.is_some() {}
                    return Err(halt);
                }
            }
        }
        end.unwrap_or(Ok(())).map(|()| progress)
    }

    /// Writes a part when its turn comes.
    async fn in_its_turn(
        &self,
        work: &Work<'_>,
        given: Vec<Given>,
        waits: Waits,
        tells: Tells,
    ) -> (Vec<Given>, Result<Progress, Halt>) {
        let given_up = || Problem::new(ProblemKind::Unavailable);
        if waits.may_begin.await.is_err() {
            return (given, Err(given_up().into()));
        }
        let own = Work::new(self.shared.clock(), work.plan, work.survey);
        own.locked.set(Some(tells.locked));
        let before = async || {
            let mut may_end = waits.may_end.clone();
            let ahead = may_end.wait_for(Option::is_some).await;
            ahead
                .ok()
                .and_then(|ahead| ahead.clone())
                .ok_or_else(given_up)
        };
        let written = self.write_part(&own, &given, before, Pace::Abreast).await;
        if let Ok(progress) = &written {
            tells.ended.send_replace(Some(progress.clone()));
        }
        (given, written)
    }

    /// Writes a part, and tries again while the database is away. That it is written already, though nobody was told, is
    /// seen by how far the import is.
    async fn alone(
        &self,
        work: &Work<'_>,
        given: &[Given],
        before: &Progress,
    ) -> Result<Progress, Halt> {
        self.patiently(async || {
            let id = work.plan.id;
            let import = self
                .shared
                .write(async |conn| Ok(store::find(conn, &id).await?));
            let import = import.await?.ok_or(Halt::Lost)?;
            if import.done > before.done {
                return Ok(Progress {
                    done: import.done,
                    counts: import.counts(),
                    ..before.clone()
                });
            }
            self.write_part(work, given, async || Ok(before.clone()), Pace::Single)
                .await
        })
        .await
    }

    /// Writes a part with its progress, from what was done `before`, in one transaction. One of two is not tried again when
    /// it loses a race: the other may hold what it needs by then.
    async fn write_part(
        &self,
        work: &Work<'_>,
        given: &[Given],
        before: impl AsyncFn() -> ApiResult<Progress>,
        pace: Pace,
    ) -> Result<Progress, Halt> {
        let plan = work.plan;
        let (lost, cancelled, begun) = (Cell::new(false), Cell::new(false), Cell::new(false));
        let written = self.shared.write_long(async |conn| {
            if begun.replace(true) && pace == Pace::Abreast {
                return Err(Problem::new(ProblemKind::Unavailable).into());
            }
            work.looked.borrow_mut().forget();
            let rows = run::part(conn, work, given).await?;
            if plan.resource == ImportType::Observations {
                observations::touch(conn, work).await?;
            }
            keep(conn, work, &rows).await?;
            let mut next = before().await?;
            next.done += i64::try_from(given.len()).unwrap_or(i64::MAX);
            next.counts.add(&rows);
            let held = store::advance(conn, plan.id, self.holder, &next).await?;
            let Some(asked) = held else {
                lost.set(true);
                return Err(Problem::new(ProblemKind::Conflict).into());
            };
            cancelled.set(asked);
            Ok(next)
        });
        match written.await {
            Err(_) if lost.get() => Err(Halt::Lost),
            Ok(_) if cancelled.get() => Err(Halt::Cancelled),
            written => Ok(written?),
        }
    }

    /// Finds the reports of rows that were refused before these were made. Says whether no invalid row may be of any report.
    async fn all_tell(&self, file: &File, survey: &Survey, work: &Work<'_>) -> Result<bool, Halt> {
        let id = self.import.id;
        let untold = self
            .shared
            .write(async |conn| Ok(store::rows::untold(conn, id).await?))
            .await?;
        let Some(first) = untold.first() else {
            return Ok(true);
        };
        let mut parts = Parts::of(file, survey, *first);
        while let Some(part) = parts.next().await {
            let mut given = readable(part)?;
            given.retain(|given| untold.binary_search(&given.position).is_ok());
            if given.is_empty() {
                continue;
            }
            let told = self.patiently(async || {
                let told = self.shared.write_long(async |conn| {
                    work.looked.borrow_mut().forget();
                    let told = observations::tell(conn, work, &given).await?;
                    if let Some(told) = &told {
                        store::rows::tell_reports(conn, id, told).await?;
                    }
                    Ok(told.is_some())
                });
                Ok(told.await?)
            });
            if !told.await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Keeps what became of the rows of a part. If something is kept already from its first row on, by a transaction whose end
/// was never told, it is seen by who tries again.
async fn keep(conn: &Conn, work: &Work<'_>, rows: &[RowResult]) -> Result<(), WriteError> {
    match store::rows::insert(conn, work.plan.id, rows).await {
        Err(QueryError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
            Err(Problem::new(ProblemKind::Unavailable).into())
        }
        kept => Ok(kept.map(drop)?),
    }
}
