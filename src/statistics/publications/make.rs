//! The making of a publication: who may begin, what happens in which order, and how it ends.
//!
//! Two connections of its own: one reads everything from one snapshot (`REPEATABLE READ`), the other holds the lock and
//! writes in one transaction, whose commit is the publication. Progress is told over the pool, so that everyone sees it.
//! If the process dies, both connections end: nothing was written, the lock is free, and the making falls silent.

use std::cell::Cell;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::Client;
use utoipa::ToSchema;
use uuid::Uuid;

use super::admission::{admitted, give_up, name_after};
use super::blocks::Writer;
use super::family::Coverage;
pub use super::findings::Acknowledged;
use super::findings::{Count, Finding, Findings, obstacles};
use super::freeze::{self, Ground};
use super::gather::{Gathered, gather};
use super::model::NewPublication;
use super::plain::Stopped;
use super::store::{self, Fallen};
use crate::db::Shared;
use crate::db::connect::{self, Work};
use crate::db::once::Claim;
use crate::http::lang::Lang;
use crate::http::once;
use crate::participation::sources::SYNTHETIC;
use crate::problem::{Problem, ProblemKind, Text, text};
use crate::statistics::codes::PublicationPhase;
use crate::statistics::frozen::{Both, Source};
use crate::statistics::library::{CATALOGUE, NETWORK, PLACES, QUALITY, RETURNS};
use crate::statistics::protection::Changed;

/// The document that says what a publication holds.
pub const CONTENTS: &str = "contents";

/// How often progress is told.
const BEAT: Duration = Duration::from_secs(1);

/// A publication that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name, `2025.1`.
    pub name: String,
    /// Its title.
    pub title: Both,
    /// What a reader should know of it.
    pub note: Option<String>,
    /// Its sources in the order of precedence; none for all that are published and have approved reports.
    pub sources: Option<Vec<Uuid>>,
    /// The release that it corrects.
    pub corrects: Option<String>,
    /// Whether it is made of invented data.
    pub synthetic: bool,
    /// The warnings that were seen.
    pub acknowledged: Acknowledged,
}

/// Who makes it.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// The client, or the command.
    pub client: &'a str,
    /// The request, for the audit trail.
    pub request: Option<Uuid>,
}

/// What a publication holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PublicationContents)]
pub struct Contents {
    /// Approved reports.
    pub reports: u64,
    /// Observations of them in published measures.
    pub observations: u64,
    /// Blocks: what is said of one measure, basis, area and period.
    pub blocks: u64,
    /// Protected cells in the blocks.
    pub cells: u64,
    /// Quoted figures.
    pub figures: u64,
    /// How much of the country is in the numbers.
    pub coverage: Vec<Coverage>,
}

/// What was made, or would be.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its row; none after a dry run.
    pub id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub contents: Contents,
    /// What the protection did.
    pub protection: Changed,
    /// How many findings of each rule there are.
    pub counts: Vec<Count>,
    /// The findings, as far as they are kept.
    pub findings: Vec<Finding>,
}

/// How far a making is.
#[derive(Debug)]
pub struct Progress {
    phase: Cell<PublicationPhase>,
    done: Cell<i64>,
    total: Cell<i64>,
}

impl Progress {
    fn new() -> Self {
        Self {
            phase: Cell::new(PublicationPhase::Waiting),
            done: Cell::new(0),
            total: Cell::new(0),
        }
    }

    /// A new phase begins.
    pub fn enter(&self, phase: PublicationPhase) {
        self.phase.set(phase);
    }

    /// So many observations are to be read.
    pub fn expect(&self, total: i64) {
        self.total.set(total);
    }

    /// So many were read.
    pub fn reach(&self, done: i64) {
        self.done.set(done);
    }

    /// How many were read.
    #[must_use]
    pub fn reached(&self) -> i64 {
        self.done.get()
    }
}

/// Makes a publication, here and now.
///
/// # Errors
/// 409 while another one is being made or if the name is taken, 422 for what is wrong with the request or the data; nothing
/// is kept then but the reason.
pub async fn publish(shared: &Shared, client: &str, wanted: &Wanted) -> Result<Made, Problem> {
    let maker = Maker {
        client,
        request: None,
    };
    let begun = begin(shared, maker, wanted, None).await.map_err(problem)?;
    go_on(shared, maker, wanted, begun).await
}

/// Says what a publication would hold. Nothing is written.
///
/// # Errors
/// As [`publish`], but findings are no failure.
pub async fn try_out(shared: &Shared, wanted: &Wanted) -> Result<Made, Problem> {
    let (writer, sources) = admitted(shared, wanted).await.map_err(problem)?;
    let progress = Progress::new();
    let work = Making {
        shared,
        wanted,
        writer: &writer,
        id: None,
        progress: &progress,
    };
    let made = work.run(sources).await.map_err(problem);
    give_up(writer).await;
    made
}

/// A making that was admitted: its row is there, and its connection holds the lock.
pub struct Begun {
    /// Its row.
    pub id: Uuid,
    writer: Client,
    sources: Vec<Source>,
}

/// Admits a making and writes its row, and with it the key of the request.
///
/// # Errors
/// As [`publish`], and 409 `idempotency_in_progress` if the same request got there first.
pub async fn begin(
    shared: &Shared,
    maker: Maker<'_>,
    wanted: &Wanted,
    claim: Option<&Claim>,
) -> Result<Begun, Stopped> {
    let (writer, sources) = admitted(shared, wanted).await?;
    let id = Uuid::now_v7();
    let begun = shared
        .write(async |conn| {
            if let Some(claim) = claim {
                if once::taken(claim, conn).await?.is_some() {
                    return Err(once::in_progress().into());
                }
                claim.keep(conn, 202, json!({}), None).await?;
            }
            store::insert(
                conn,
                NewPublication {
                    id,
                    name: &wanted.name,
                    title_sv: &wanted.title.sv,
                    title_en: &wanted.title.en,
                    note: wanted.note.as_deref(),
                    // Invented data stay labelled, whoever publishes them.
                    synthetic: wanted.synthetic
                        || sources.iter().any(|source| source.publisher == SYNTHETIC),
                    corrects: wanted.corrects.as_deref(),
                    created_by: maker.client,
                },
            )
            .await?;
            Ok(())
        })
        .await;
    if let Err(problem) = begun {
        give_up(writer).await;
        return Err(problem.into());
    }
    name_after(&writer, id).await?;
    Ok(Begun {
        id,
        writer,
        sources,
    })
}

/// Makes what was begun. If that fails, the row says why.
///
/// # Errors
/// As [`publish`].
pub async fn go_on(
    shared: &Shared,
    maker: Maker<'_>,
    wanted: &Wanted,
    begun: Begun,
) -> Result<Made, Problem> {
    let Begun {
        id,
        writer,
        sources,
    } = begun;
    let progress = Progress::new();
    let making = Making {
        shared,
        wanted,
        writer: &writer,
        id: Some(id),
        progress: &progress,
    };
    // What stood in the way, if it was that.
    let mut told = None;
    let outcome = {
        let work = async {
            let made = making.run(sources).await?;
            let obstacles = obstacles(&made.counts);
            if !obstacles.is_empty() {
                told = Some(rows_of(id, &made.findings, &made.counts)?);
                return Err(Problem::new(ProblemKind::ValidationFailed)
                    .faults(obstacles)
                    .into());
            }
            making.release(maker, &made).await?;
            Ok::<_, Stopped>(made)
        };
        tokio::select! {
            outcome = work => outcome,
            () = beat(shared, id, &progress) => Err(Stopped::Cancelled),
        }
    };
    match outcome {
        Ok(made) => Ok(made),
        Err(stopped) => {
            give_up(writer).await;
            let said = sentences(&stopped);
            fail(shared, id, &said, told.as_deref()).await;
            Err(problem(stopped))
        }
    }
}

/// Says of a making that it failed, and keeps the findings that it failed by, if it was that. If even that cannot be
/// written, its silence will say it.
pub async fn fail(shared: &Shared, id: Uuid, said: &Text, findings: Option<&str>) {
    let texts = (said.get(Lang::Sv), said.get(Lang::En));
    let written = shared
        .write(async |conn| {
            let failed = store::fail_where(conn, Fallen::This(id), texts).await?;
            if let Some(rows) = findings.filter(|_| failed == 1) {
                store::keep_findings(conn, rows).await?;
            }
            Ok(failed)
        })
        .await;
    match written {
        Ok(_) => log::warn!("a publication failed: {}", texts.1),
        Err(problem) => log::error!("cannot say that a publication failed: {problem}"),
    }
}

/// Tells progress, without end.
async fn beat(shared: &Shared, id: Uuid, progress: &Progress) {
    let mut ticks = interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let now = (
            progress.phase.get(),
            progress.done.get(),
            progress.total.get(),
        );
        let told = shared
            .write(async |conn| Ok(store::beat(conn, id, now).await?))
            .await;
        if let Err(problem) = told {
            log::warn!("cannot tell the progress of a publication: {problem}");
        }
    }
}

/// A making at work.
struct Making<'a> {
    shared: &'a Shared,
    wanted: &'a Wanted,
    writer: &'a Client,
    /// Its row; none in a dry run.
    id: Option<Uuid>,
    progress: &'a Progress,
}

impl Making<'_> {
    /// Reads, protects, sums and writes everything, all but the last word.
    async fn run(&self, sources: Vec<Source>) -> Result<Made, Stopped> {
        let reader = connect::open_plain(self.shared.target(), Work::Publish).await?;
        reader
            .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            .await?;
        let mut findings = Findings::default();
        let mut ground = Ground::read(&reader, sources, &mut findings).await?;
        let mut writer = Writer::new(self.id.map(|_| self.writer), self.id.unwrap_or_default());
        let gathered = gather(
            &reader,
            &mut ground,
            &mut writer,
            &mut findings,
            self.progress,
        )
        .await?;
        let contents = Contents {
            reports: ground.returns.reports.len() as u64,
            observations: gathered.observations,
            blocks: writer.block_count,
            cells: writer.cell_count,
            figures: writer.figure_count,
            coverage: gathered.coverage.clone(),
        };
        drop(writer);
        let counts = findings.counts(&self.wanted.acknowledged);
        let findings: Vec<Finding> = findings.kept().into_iter().cloned().collect();
        if let Some(id) = self.id {
            self.documents(id, ground, &gathered, &contents).await?;
            let rows = rows_of(id, &findings, &counts)?;
            self.writer.execute(store::KEEP_FINDINGS, &[&rows]).await?;
        }
        Ok(Made {
            id: self.id,
            name: self.wanted.name.clone(),
            contents,
            protection: gathered.changed,
            findings,
            counts,
        })
    }

    /// Writes the documents.
    async fn documents(
        &self,
        id: Uuid,
        ground: Ground,
        gathered: &Gathered,
        contents: &Contents,
    ) -> Result<(), Stopped> {
        let Ground {
            mut catalogue,
            chosen,
            places,
            returns,
            network,
            ..
        } = ground;
        let chosen: Vec<Uuid> = catalogue
            .sources
            .iter()
            .take(chosen)
            .map(|source| source.id)
            .collect();
        let positions: Vec<i32> = (0..).take(chosen.len()).collect();
        self.writer
            .execute(
                include_str!("sql/keep_sources.sql"),
                &[&id, &positions, &chosen],
            )
            .await?;
        freeze::keep_what_has_numbers(&mut catalogue);
        let quality = gathered.loss.document(&catalogue.policies);
        let texts = [
            (CATALOGUE, serde_json::to_string(&catalogue)?),
            (PLACES, serde_json::to_string(&places)?),
            (RETURNS, serde_json::to_string(&returns)?),
            (NETWORK, serde_json::to_string(&network)?),
            (QUALITY, serde_json::to_string(&quality)?),
            (CONTENTS, serde_json::to_string(contents)?),
        ];
        for (kind, content) in texts {
            self.writer
                .execute(
                    include_str!("sql/keep_document.sql"),
                    &[&id, &kind, &content],
                )
                .await?;
        }
        Ok(())
    }

    /// The last word: from here on the publication is there.
    async fn release(&self, maker: Maker<'_>, made: &Made) -> Result<(), Stopped> {
        let detail = serde_json::json!({"publication": made.name, "contents": made.contents});
        let (request, detail) = (maker.request, detail.to_string());
        let event = Uuid::now_v7();
        self.writer
            .execute(
                include_str!("sql/keep_event.sql"),
                &[&event, &maker.client, &request, &detail],
            )
            .await?;
        let released = self
            .writer
            .execute(
                include_str!("sql/release.sql"),
                &[&self.id, &self.progress.reached()],
            )
            .await?;
        if released != 1 {
            return Err(Stopped::Database(
                "another making has taken over".to_owned(),
            ));
        }
        self.writer.batch_execute("COMMIT").await?;
        Ok(())
    }
}

/// The findings as rows of their table, written as JSON.
fn rows_of(id: Uuid, findings: &[Finding], counts: &[Count]) -> serde_json::Result<String> {
    let acknowledged = |finding: &Finding| {
        let count = counts
            .iter()
            .find(|count| count.rule == finding.rule && count.severity == finding.severity);
        count.is_some_and(|count| count.acknowledged)
    };
    let rows = findings.iter().zip(1..).map(|(finding, position): (&Finding, i32)| {
        json!({
            "publication_id": id, "position": position, "rule": finding.rule, "severity": finding.severity,
            "acknowledged": acknowledged(finding), "measure_code": finding.measure, "area_code": finding.area,
            "period": finding.period, "source_id": finding.source, "report_id": finding.report,
            "text_sv": finding.text.sv, "text_en": finding.text.en,
        })
    });
    serde_json::to_string(&rows.collect::<Vec<_>>())
}

/// The sentences that a failed publication keeps.
fn sentences(stopped: &Stopped) -> Text {
    match stopped {
        Stopped::Refused(problem) => problem.sentences(),
        Stopped::Database(_) => text(
            "Databasen avbröt arbetet; orsaken står i tjänstens logg. Inget finns kvar.",
            "The database broke the work off; the cause is in the log of the service. Nothing is kept.",
        ),
        Stopped::Cancelled => text(
            "Tjänsten stoppades medan publiceringen gjordes. Inget finns kvar.",
            "The service was stopped while the publication was made. Nothing is kept.",
        ),
    }
}

/// What a client is told.
#[must_use]
pub fn problem(stopped: Stopped) -> Problem {
    match stopped {
        Stopped::Refused(problem) => problem,
        Stopped::Database(cause) => Problem::unavailable(cause),
        Stopped::Cancelled => Problem::unavailable("the service is being stopped"),
    }
}
