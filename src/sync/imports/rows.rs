//! Rows that are written one by one, each under a savepoint: a refused one is told and leaves no trace.

use serde_json::{Map, Value};

use super::codes::{ImportStrategy, RowOutcome};
use super::kinds::{Imported, KeyOf, name};
use super::outcome::{Refusal, RowResult};
use super::payload::Given;
use super::work::Work;
use crate::access::Reach;
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, WriteError};
use crate::formats::read::Members;
use crate::http::body::{MergePatch, valid};
use crate::http::resource::{self, Kept};
use crate::problem::{Fault, Problem, ProblemKind, Text, text};

/// Writes a row, or says why not. A new one comes to those `made`, whose versions are kept together.
///
/// # Errors
/// What ends the transaction.
pub async fn write<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    given: &Given,
    made: &mut Vec<R::Row>,
) -> Result<RowResult, WriteError> {
    let members = match work.members(given) {
        Ok(members) => members,
        Err(refused) => return Ok(*refused),
    };
    Savepoint::ROW.set(conn).await?;
    let done = Row::<R>::read(members)
        .write(conn, work, given.position)
        .await;
    settled(conn, work, given, done, made).await
}

/// As [`write()`], of a row that was looked for already: what was found is locked.
///
/// # Errors
/// What ends the transaction.
pub async fn finish<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    given: &Given,
    (row, found): (Row<R>, Option<R::Row>),
    made: &mut Vec<R::Row>,
) -> Result<RowResult, WriteError> {
    Savepoint::ROW.set(conn).await?;
    let done = row.place(conn, work, given.position, found).await;
    settled(conn, work, given, done, made).await
}

/// Tells what became of a row, and takes back what a refused one has left.
async fn settled<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    given: &Given,
    done: Result<Done<R>, WriteError>,
    made: &mut Vec<R::Row>,
) -> Result<RowResult, WriteError> {
    let result = match done {
        Ok(Done::Made(row)) => {
            let (key, version) = (row.key().to_string(), row.version());
            made.push(row);
            work.done(given, RowOutcome::Created, Some(key), Some(version))
        }
        Ok(Done::Other(outcome, key, version)) => {
            work.done(given, outcome, Some(key.to_string()), version)
        }
        Err(error) => {
            let refusal = Refusal::of(error)?;
            Savepoint::ROW.back(conn).await?;
            work.refused(given, refusal)
        }
    };
    Savepoint::ROW.release(conn).await?;
    Ok(result)
}

/// A row of a file, taken apart.
pub struct Row<R: Imported> {
    id: Option<String>,
    version: Option<i64>,
    deleted: bool,
    /// What names it without an id.
    pub name: Option<R::Name>,
    /// Its members, without what tells which row is meant.
    pub content: Value,
}

/// What a row says beside the one that is there.
pub enum Compared<In> {
    /// The same.
    Same,
    /// This.
    Other(In),
}

/// What was done with a row.
enum Done<R: Imported> {
    /// It is new; its version is not kept yet.
    Made(R::Row),
    Other(RowOutcome, KeyOf<R>, Option<i64>),
}

fn refuse(pointer: &'static str, code: &'static str, said: Text) -> WriteError {
    Problem::invalid(Fault::at(pointer, code, said)).into()
}

impl<R: Imported> Row<R> {
    /// Takes the members of a row apart.
    #[must_use]
    pub fn read(members: &Members) -> Self {
        let mut content = Map::from(members.clone());
        let mut take = |name: &str| content.shift_remove(name).filter(|value| !value.is_null());
        let id = take("id").map(|id| match id {
            Value::String(id) => id,
            other => other.to_string(),
        });
        let (version, if_version) = (take("version"), take("ifVersion"));
        Self {
            id,
            version: if_version.or(version).and_then(|version| version.as_i64()),
            deleted: take("deletedAt").is_some(),
            name: name::<R>(members),
            content: Value::Object(content),
        }
    }

    /// Whether it says neither which row it is by id, nor that it was deleted.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        self.id.is_none() && !self.deleted
    }

    /// What it makes of the row that was found for it; none if anything may speak against that.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn compare(
        &self,
        conn: &Conn,
        work: &Work<'_>,
        row: &R::Row,
        position: i64,
    ) -> Result<Option<Compared<R::In>>, WriteError> {
        let plain = work.plan.strategy != ImportStrategy::Create
            && self
                .version
                .is_none_or(|expected| expected == row.version())
            && resource::alive(row, &work.reach).is_ok()
            && work.reach.cover(row.area(), "/area").is_ok()
            && Self::once(work, row, position).is_ok();
        if !plain {
            return Ok(None);
        }
        let before = R::draft(conn, row).await?;
        let whole = serde_json::to_value(&before).map_err(Problem::internal)?;
        let patched = MergePatch(self.content.clone()).apply(whole);
        let Ok(after) = valid::<R::In>(patched) else {
            return Ok(None);
        };
        if cover::<R>(work, &after).is_err() {
            return Ok(None);
        }
        let same = after == before;
        Ok(Some(if same {
            Compared::Same
        } else {
            Compared::Other(after)
        }))
    }

    /// The new row that it describes.
    ///
    /// # Errors
    /// What a rule refuses, and 403 outside the areas.
    pub fn fresh(self, work: &Work<'_>) -> Result<R::In, WriteError> {
        let new: R::In = valid(self.content)?;
        cover::<R>(work, &new)?;
        Ok(new)
    }

    async fn write(
        self,
        conn: &Conn,
        work: &Work<'_>,
        position: i64,
    ) -> Result<Done<R>, WriteError> {
        let found = match self.find(conn, work).await {
            // The file says that the row is deleted, and so it is.
            Err(WriteError::Refused(problem))
                if problem.kind() == ProblemKind::Gone
                    && self.deleted
                    && work.plan.strategy != ImportStrategy::Create =>
            {
                let key = self.id.as_deref().and_then(R::key).ok_or(problem)?;
                return Ok(Done::Other(RowOutcome::Unchanged, key, None));
            }
            found => found?,
        };
        self.place(conn, work, position, found).await
    }

    /// Does with the row what the strategy says, whether it was found or not.
    async fn place(
        self,
        conn: &Conn,
        work: &Work<'_>,
        position: i64,
        found: Option<R::Row>,
    ) -> Result<Done<R>, WriteError> {
        let strategy = work.plan.strategy;
        if self.deleted && strategy != ImportStrategy::Delete {
            return Err(refuse(
                "/deletedAt",
                "deleted_by_strategy",
                text(
                    "Raden är inte borttagen. Rader tas bort med strategy=delete.",
                    "The row is not deleted. Rows are deleted with strategy=delete.",
                ),
            ));
        }
        if let Some(row) = &found {
            Self::once(work, row, position)?;
        }
        match (strategy, found) {
            (ImportStrategy::Create, Some(row)) => Err(exists::<R>(conn, work, row).await?),
            (
                ImportStrategy::Upsert | ImportStrategy::Replace | ImportStrategy::Update,
                Some(row),
            ) => self.change(conn, work, row).await,
            (ImportStrategy::Delete, Some(row)) => self.delete(conn, work, row).await,
            (ImportStrategy::Update | ImportStrategy::Delete, None) => Err(refuse(
                "",
                "row_unknown",
                text("Det finns ingen sådan rad.", "There is no such row."),
            )),
            (ImportStrategy::Upsert | ImportStrategy::Replace | ImportStrategy::Create, None) => {
                self.create(conn, work, position).await
            }
        }
    }

    /// The row that is meant, locked; none if there is no row of its name.
    async fn find(&self, conn: &Conn, work: &Work<'_>) -> Result<Option<R::Row>, WriteError> {
        let unknown = || {
            refuse(
                "/id",
                "id_unknown",
                text(
                    "Ingen rad med det id:t är synlig för dig. Lämna id tomt för en ny rad.",
                    "No row with that id is visible to you. Leave the id empty for a new row.",
                ),
            )
        };
        if let Some(id) = &self.id {
            let key = R::key(id).ok_or_else(unknown)?;
            let row = R::lock(conn, &key).await?.ok_or_else(unknown)?;
            return match resource::alive(&row, &work.reach) {
                Ok(()) => Ok(Some(row)),
                Err(problem) if problem.kind() == ProblemKind::NotFound => Err(unknown()),
                Err(gone) => Err(gone.into()),
            };
        }
        let Some(name) = &self.name else {
            return Ok(None);
        };
        let keys = R::named(conn, name).await?;
        let key = match keys.as_slice() {
            [] => return Ok(None),
            [key] => key,
            _ => {
                return Err(refuse(
                    "",
                    "reference_ambiguous",
                    text(
                        "Flera rader heter så; ange id.",
                        "Several rows are called that; give the id.",
                    ),
                ));
            }
        };
        let Some(row) = R::lock(conn, key).await? else {
            return Ok(None);
        };
        match resource::alive(&row, &work.reach) {
            Ok(()) => Ok(Some(row)),
            // A draft of somebody else's: it looks like no row at all.
            Err(problem) if problem.kind() == ProblemKind::NotFound => Ok(None),
            Err(gone) => Err(gone.into()),
        }
    }

    /// Refuses a row that another row of the file has written to already, under another name.
    fn once(work: &Work<'_>, row: &R::Row, position: i64) -> Result<(), WriteError> {
        let mut touched = work.touched.borrow_mut();
        let first = *touched.entry(row.key().to_string()).or_insert(position);
        if first == position {
            return Ok(());
        }
        Err(refuse(
            "",
            "row_doubled",
            text(
                format!(
                    "En tidigare rad i filen (den {}:e) gäller samma rad.",
                    first + 1
                ),
                format!(
                    "An earlier row of the file (number {}) is about the same row.",
                    first + 1
                ),
            ),
        ))
    }

    async fn current(
        &self,
        conn: &Conn,
        work: &Work<'_>,
        row: R::Row,
    ) -> Result<R::Row, WriteError> {
        let version = row.version();
        if self.version.is_none_or(|expected| expected == version) {
            return Ok(row);
        }
        let fault = Fault::at(
            "/version",
            "version_changed",
            text(
                format!("Raden har ändrats sedan den lästes: dess version är nu {version}."),
                format!("The row has changed since it was read: its version now is {version}."),
            ),
        );
        Err(conflict::<R>(conn, work, row, fault).await?)
    }

    async fn change(
        self,
        conn: &Conn,
        work: &Work<'_>,
        row: R::Row,
    ) -> Result<Done<R>, WriteError> {
        let row = self.current(conn, work, row).await?;
        work.reach.cover(row.area(), "/area")?;
        let before = R::draft(conn, &row).await?;
        let whole = serde_json::to_value(&before).map_err(Problem::internal)?;
        let after: R::In = valid(MergePatch(self.content).apply(whole))?;
        self::cover::<R>(work, &after)?;
        let version = resource::rewrite::<R>(conn, &work.view, &row, &before, &after).await?;
        let (outcome, version) = match version {
            Some(version) => (RowOutcome::Updated, version),
            None => (RowOutcome::Unchanged, row.version()),
        };
        Ok(Done::Other(outcome, row.key().clone(), Some(version)))
    }

    async fn create(
        self,
        conn: &Conn,
        work: &Work<'_>,
        position: i64,
    ) -> Result<Done<R>, WriteError> {
        let new = self.fresh(work)?;
        let row = resource::enter::<R>(conn, &new).await?;
        let key = row.key().to_string();
        work.touched.borrow_mut().insert(key, position);
        Ok(Done::Made(row))
    }

    async fn delete(
        self,
        conn: &Conn,
        work: &Work<'_>,
        row: R::Row,
    ) -> Result<Done<R>, WriteError> {
        let row = self.current(conn, work, row).await?;
        work.reach.cover(row.area(), "/area")?;
        let key = row.key().clone();
        resource::bury::<R>(conn, &work.view, row).await?;
        Ok(Done::Other(RowOutcome::Deleted, key, None))
    }
}

/// Whether the client may write the content; and if the file stands for some areas, whether it lies there.
fn cover<R: Imported>(work: &Work<'_>, new: &R::In) -> Result<(), WriteError> {
    for (pointer, area) in R::areas(new) {
        work.reach.cover(&area, pointer)?;
    }
    if work.plan.strategy != ImportStrategy::Replace {
        return Ok(());
    }
    let home = R::home(new);
    if let Some(scope) = &work.plan.scope
        && !Reach::of(scope.iter().cloned()).covers(&home)
    {
        return Err(outside_scope(&home));
    }
    work.homes.borrow_mut().insert(home);
    Ok(())
}

/// A row outside the areas that its file stands for.
#[must_use]
pub fn outside_scope(area: &str) -> WriteError {
    refuse(
        "/area",
        "outside_scope",
        text(
            format!("Området {area} hör inte till dem som filen ersätter (scope)."),
            format!("Area {area} is none of those that the file replaces (scope)."),
        ),
    )
}

async fn exists<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    row: R::Row,
) -> Result<WriteError, WriteError> {
    let fault = Fault::at(
        "",
        "exists_already",
        text("Raden finns redan.", "The row exists already."),
    );
    conflict::<R>(conn, work, row, fault).await
}

/// A conflict that shows what is there.
async fn conflict<R: Imported>(
    conn: &Conn,
    work: &Work<'_>,
    row: R::Row,
    fault: Fault,
) -> Result<WriteError, WriteError> {
    let shown = R::show(conn, &work.view, vec![row]).await?;
    let shown = serde_json::to_value(shown.first()).map_err(Problem::internal)?;
    let problem = Problem::new(ProblemKind::Conflict).fault(fault);
    Ok(problem.current(shown).into())
}
