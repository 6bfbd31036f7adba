//! Invented data of any size, for trying and measuring what the service does with much of it.
//!
//! Labelled as invented wherever it can be seen: sources, districts, notes. It goes around the API, since millions of rows
//! would take hours through it, but not around the rules: the tables' constraints hold, and what their row trigger
//! checks is true by construction.

mod bare;
mod copy;
mod geography;
mod people;
mod plan;
mod rows;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tokio_postgres::{Client, Transaction};
use uuid::{Builder, Uuid};

use crate::db::connect::{ConnectError, Target, Work, open_plain, sentence};
use crate::participation::sources::SYNTHETIC;
use bare::Bare;
use copy::copy;
use geography::Municipality;
use people::People;
use plan::Plan;
pub use plan::ROWS;

/// The scheme of the invented districts.
pub const SCHEME: &str = "synthetic:regso";
/// Who is named as having submitted and approved the reports.
const LOADER: &str = "samverkan synth";

/// Why nothing, or not everything, was loaded.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// Real and invented numbers would lie side by side.
    #[error(
        "the database holds reports or populations that are not synthetic; with --beside-real-data they are joined"
    )]
    RealData,
    /// The reference data is missing.
    #[error(
        "the database lacks Sweden's municipalities or the measures: run samverkan migrate first"
    )]
    NoSweden,
    /// Another process loads at this moment.
    #[error("another samverkan synth is loading into this database")]
    Busy,
    /// A code of an invented district is a real one's, or was deleted.
    #[error("the district {0} exists and is not synthetic, or is deleted")]
    Taken(String),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(String),
}

impl From<tokio_postgres::Error> for SynthError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(sentence(&error))
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows of `observations`.
    pub observations: u64,
    /// Rows of `reports`.
    pub reports: u64,
    /// Rows of `populations`.
    pub populations: u64,
}

/// Loads so many observations of the people of a seed, all of them or nothing; nothing too if they are there already.
///
/// # Errors
/// See [`SynthError`]. Then the database is as it was.
pub async fn load(
    target: &Target,
    rows: u64,
    seed: u64,
    beside_real_data: bool,
) -> Result<Option<Loaded>, SynthError> {
    let mut client = open_plain(target, Work::Migrate).await?;
    // Held until the connection ends. The number is the ASCII of "synthese".
    let alone: bool = client
        .query_one("SELECT pg_try_advisory_lock(8320803232790442853)", &[])
        .await?
        .get(0);
    if !alone {
        return Err(SynthError::Busy);
    }
    let municipalities = municipalities(&client).await?;
    if !beside_real_data && holds_real_data(&client).await? {
        return Err(SynthError::RealData);
    }
    let run = Run::new(rows, seed);
    if run.is_there(&client).await? {
        return Ok(None);
    }
    let places = geography::divide(municipalities);
    let people = People::new(seed);
    let plan = Plan::new(&people, &places, rows);
    log::info!(
        "{} rows: {} years, {} of {} municipalities by district",
        plan.rows,
        plan.years.len(),
        plan.by_district.iter().filter(|by| **by).count(),
        places.len()
    );
    let world = Arc::new(World {
        people,
        places,
        plan,
    });
    let transaction = client.transaction().await?;
    let loaded = write(&transaction, run, &world).await?;
    transaction.commit().await?;
    Ok(Some(loaded))
}

/// Writes everything. The feed comes last, since others wait from then on (`feed_lock`).
async fn write(to: &Transaction<'_>, run: Run, world: &Arc<World>) -> Result<Loaded, SynthError> {
    // Before anything is written: keys cannot be taken from a table whose triggers wait for the commit.
    let populations = Bare::strip(to, "populations").await?;
    let observations = Bare::strip(to, "observations").await?;
    districts(to, &world.places).await?;
    run.sources(to).await?;
    let of = Arc::clone(world);
    let residents = copy(to, &populations.statement(rows::POPULATION), move |lines| {
        rows::populations(&run, &of, lines);
    })
    .await?;
    let untold = populations.unwatched();
    populations.dress(to).await?;
    log::info!("wrote {residents} populations");
    let of = Arc::clone(world);
    let statement = format!("COPY reports ({}) FROM STDIN", rows::REPORT);
    let reports = copy(to, &statement, move |lines| rows::reports(&run, &of, lines)).await?;
    let of = Arc::clone(world);
    let statement = observations.statement(rows::OBSERVATION);
    let count = copy(to, &statement, move |lines| {
        rows::observations(&run, &of, lines);
    })
    .await?;
    log::info!("wrote {count} observations");
    observations.dress(to).await?;
    to.batch_execute("ANALYZE areas, sources, populations, reports, observations")
        .await?;
    if untold {
        to.batch_execute("SELECT feed_begin_epoch()").await?;
        to.execute(
            include_str!("synth/sql/tell_feed.sql"),
            &[&run.source(Source::Populations)],
        )
        .await?;
    }
    Ok(Loaded {
        observations: count,
        reports,
        populations: residents,
    })
}

/// What is reported of whom.
struct World {
    people: People,
    places: Vec<Municipality>,
    plan: Plan,
}

async fn holds_real_data(client: &Client) -> Result<bool, SynthError> {
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM sources AS s WHERE s.publisher <> $1
                 AND (EXISTS (SELECT FROM reports WHERE source_id = s.id)
                      OR EXISTS (SELECT FROM populations WHERE source_id = s.id)))",
            &[&SYNTHETIC],
        )
        .await?;
    Ok(row.get(0))
}

/// Codes and names. 290 of them, or the districts would not be as many as promised.
async fn municipalities(client: &Client) -> Result<Vec<(String, String)>, SynthError> {
    let schema = client
        .query_one("SELECT to_regclass('observations') IS NOT NULL", &[])
        .await?;
    if !schema.get::<_, bool>(0) {
        return Err(SynthError::NoSweden);
    }
    let rows = client
        .query(
            "SELECT code::text, name FROM areas WHERE kind = 'municipality' AND deleted_at IS NULL
                 AND (SELECT count(*) FROM measures WHERE code IN ('pupils', 'pupil_places')) = 2",
            &[],
        )
        .await?;
    if rows.len() != 290 {
        return Err(SynthError::NoSweden);
    }
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn districts(to: &Transaction<'_>, places: &[Municipality]) -> Result<(), SynthError> {
    let (mut codes, mut names, mut parents) = (vec![], vec![], vec![]);
    for municipality in places {
        for (number, district) in (1..).zip(&municipality.districts) {
            codes.push(district.code.as_str());
            names.push(format!("Syntetiskt område {number}, {}", municipality.name));
            parents.push(municipality.code.as_str());
        }
    }
    to.execute(
        "INSERT INTO areas (code, kind, name, parent_code, scheme)
         SELECT code, 'district', name, parent, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS d (code, name, parent)
         ON CONFLICT (code) DO NOTHING",
        &[&codes, &names, &parents, &SCHEME],
    )
    .await?;
    // What a trigger would ask for each row, once for all. Nobody deletes one of them before the commit.
    let all = to
        .query(
            "SELECT code::text, scheme = $2 AND deleted_at IS NULL FROM areas WHERE code = ANY ($1::text[]) FOR SHARE",
            &[&codes, &SCHEME],
        )
        .await?;
    match all.iter().find(|row| !row.get::<_, bool>(1)) {
        Some(row) => Err(SynthError::Taken(row.get(0))),
        None => Ok(()),
    }
}

/// One load: its sources, and the ids of its rows, which are the same whenever it is run.
#[derive(Clone, Copy)]
struct Run {
    rows: u64,
    seed: u64,
    /// Of rows and seed: tells the ids of one load from those of another.
    digest: u64,
}

/// What an id is of.
#[derive(Clone, Copy)]
enum Kind {
    Source = 1,
    Population,
    Report,
    Observation,
}

/// The sources of a load.
#[derive(Clone, Copy)]
enum Source {
    Pupils,
    Places,
    Populations,
}

impl Run {
    fn new(rows: u64, seed: u64) -> Self {
        let digest = Sha256::digest(format!("{LOADER} {seed} {rows}"));
        Self {
            rows,
            seed,
            digest: digest.first_chunk().copied().map_or(0, u64::from_be_bytes),
        }
    }

    /// Ids of one kind rise with their number, so that indexes grow at their end.
    fn id(&self, kind: Kind, number: u64) -> Uuid {
        let high = self.digest & !0xFFFF | kind as u64;
        let bytes = (u128::from(high) << 64 | u128::from(number)).to_be_bytes();
        Builder::from_custom_bytes(bytes).into_uuid()
    }

    fn source(&self, source: Source) -> Uuid {
        self.id(Kind::Source, source as u64)
    }

    async fn is_there(&self, client: &Client) -> Result<bool, SynthError> {
        let row = client
            .query_one(
                "SELECT EXISTS (SELECT FROM sources WHERE id = $1)",
                &[&self.source(Source::Populations)],
            )
            .await?;
        Ok(row.get(0))
    }

    async fn sources(&self, to: &Transaction<'_>) -> Result<(), SynthError> {
        for (source, what) in [
            (Source::Pupils, "elever"),
            (Source::Places, "elevplatser"),
            (Source::Populations, "befolkning"),
        ] {
            let Self { rows, seed, .. } = self;
            to.execute(
                "INSERT INTO sources (id, area_code, title, publisher, note)
                 VALUES ($1, 'SE', $2, $3, 'Påhittade tal för prov och mätning. Invented numbers for trying and measuring.')",
                &[
                    &self.source(source),
                    &format!("{SYNTHETIC}: {what} (frö {seed}, {rows} rader)"),
                    &SYNTHETIC,
                ],
            )
            .await?;
        }
        Ok(())
    }
}
