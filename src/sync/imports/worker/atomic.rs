//! Imports of which all rows are kept or none, and those that are only tried: in one transaction, on a connection of its
//! own, and from the first row after an interruption.

use std::cell::Cell;

use diesel_async::SimpleAsyncConnection;
use futures_util::try_join;

use super::{End, Halt, Told, Worker, forget, readable};
use crate::db::connect::{self, Work as Lane};
use crate::db::{Conn, DbError, WriteError, actor};
use crate::problem::{Fault, Problem};
use crate::sync::imports::codes::{ImportMode, ImportState};
use crate::sync::imports::outcome::{Counts, FileFault, RowResult};
use crate::sync::imports::parts::Parts;
use crate::sync::imports::payload::{File, Survey};
use crate::sync::imports::run::{self, check_all};
use crate::sync::imports::store::{self, Progress};
use crate::sync::imports::work::Work;

impl Worker<'_> {
    /// All in one transaction; progress is told meanwhile over the pool.
    pub(super) async fn atomic(&self, file: &File, survey: &Survey) -> Result<(), Halt> {
        let plan = &*file.plan;
        let work = Work::new(self.shared.clock(), plan, survey);
        let held = self
            .shared
            .write(async |conn| {
                let held = store::beat(conn, plan.id, self.holder).await?;
                if held.is_some() {
                    store::rows::forget(conn, plan.id).await?;
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
        let doing = async |conn: &Conn| Ok(self.in_one(conn, file, survey, &work, &progress).await);
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
        self.finish(told, |_| end.clone()).await
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
        let mut parts = Parts::of(file, survey, 0);
        while let Some(given) = parts.next().await {
            let given = readable(given)?;
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
                store::rows::insert(conn, id, rows).await?;
                Ok(store::advance(conn, id, self.holder, progress).await?)
            })
            .await?;
        match held {
            Some(false) => Ok(()),
            Some(true) => Err(Halt::Cancelled),
            None => Err(Halt::Lost),
        }
    }
}

fn problem(error: WriteError) -> Halt {
    Halt::Failed(match error {
        WriteError::Refused(problem) => problem,
        WriteError::Query(error) => error.into(),
    })
}
