//! Invented data of any size, for trying and measuring what the service does with much of it.
//!
//! Labelled as invented wherever it can be seen: sources, districts, notes. It goes around the API, since millions of rows
//! would take hours through it, but not around the rules: the tables' constraints hold, and what their row trigger
//! checks is true by construction.

mod copy;
mod geography;
mod people;
mod plan;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tokio_postgres::Client;
use uuid::{Builder, Uuid};

use crate::db::connect::{ConnectError, Target, Work, open_plain, sentence};
use crate::participation::codes::Gender;
use crate::participation::sources::SYNTHETIC;
use copy::{Lines, Report, Reports};
use geography::Municipality;
use people::{AGES, GENDERS, People, YOUNGEST};
pub use plan::ROWS;
use plan::{Counted, Plan, calendar, each};

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
    /// A code of an invented district is a real one's.
    #[error("the district {0} exists and is not synthetic")]
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

/// Loads so many observations of the people of a seed; none if they are there already. What an interrupted load has
/// written is kept and completed.
///
/// # Errors
/// See [`SynthError`]. What was committed until then stays, in sources that are still drafts.
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
    let places = geography::divide(municipalities);
    let run = Run::new(rows, seed);
    districts(&client, &places).await?;
    if !run.begin(&client).await? {
        return Ok(None);
    }
    let people = People::new(seed);
    let plan = Plan::new(&people, &places, rows);
    log::info!(
        "{} rows: {} years, {} of {} municipalities by district",
        plan.rows,
        plan.years.len(),
        plan.by_district.iter().filter(|by| **by).count(),
        places.len()
    );
    let world = World {
        people,
        places,
        plan,
    };
    let mut residents = 0;
    for year in world.plan.years.clone() {
        residents += populations(&mut client, &run, &world, year).await?;
        log::info!("wrote the populations of {}", calendar(year));
    }
    let loaded = reports(&mut client, &run, &world).await?;
    run.end(&client).await?;
    Ok(Some(Loaded {
        populations: residents,
        ..loaded
    }))
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

async fn districts(client: &Client, places: &[Municipality]) -> Result<(), SynthError> {
    let (mut codes, mut names, mut parents) = (vec![], vec![], vec![]);
    for municipality in places {
        for (number, district) in (1..).zip(&municipality.districts) {
            codes.push(district.code.as_str());
            names.push(format!("Syntetiskt område {number}, {}", municipality.name));
            parents.push(municipality.code.as_str());
        }
    }
    let taken = client
        .query_opt(
            "SELECT code::text FROM areas WHERE code = ANY ($1::text[]) AND scheme <> $2 LIMIT 1",
            &[&codes, &SCHEME],
        )
        .await?;
    if let Some(row) = taken {
        return Err(SynthError::Taken(row.get(0)));
    }
    client
        .execute(
            "INSERT INTO areas (code, kind, name, parent_code, scheme)
             SELECT code, 'district', name, parent, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS d (code, name, parent)
             ON CONFLICT (code) DO NOTHING",
            &[&codes, &names, &parents, &SCHEME],
        )
        .await?;
    Ok(())
}

/// One load: its sources, and the ids of its rows, which are the same whenever it is run.
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

    /// Writes the sources as drafts, which no publication is made of. Says whether there is anything left to load.
    async fn begin(&self, client: &Client) -> Result<bool, SynthError> {
        for (source, what) in [
            (Source::Pupils, "elever"),
            (Source::Places, "elevplatser"),
            (Source::Populations, "befolkning"),
        ] {
            let Self { rows, seed, .. } = self;
            client
                .execute(
                    "INSERT INTO sources (id, area_code, title, publisher, note, state)
                     VALUES ($1, 'SE', $2, $3, 'Påhittade tal för prov och mätning. Invented numbers for trying and measuring.', 'draft')
                     ON CONFLICT (id) DO NOTHING",
                    &[
                        &self.source(source),
                        &format!("{SYNTHETIC}: {what} (frö {seed}, {rows} rader)"),
                        &SYNTHETIC,
                    ],
                )
                .await?;
        }
        let row = client
            .query_one(
                "SELECT state = 'draft' FROM sources WHERE id = $1",
                &[&self.source(Source::Populations)],
            )
            .await?;
        Ok(row.get(0))
    }

    /// Publishes the sources.
    async fn end(&self, client: &Client) -> Result<(), SynthError> {
        let sources = [Source::Pupils, Source::Places, Source::Populations].map(|s| self.source(s));
        client
            .execute(
                "UPDATE sources SET state = 'published' WHERE id = ANY ($1)",
                &[&sources.as_slice()],
            )
            .await?;
        client
            .batch_execute("ANALYZE areas, sources, populations, reports, observations")
            .await?;
        Ok(())
    }
}

/// Writes the residents of a year: by gender and age, and by gender and all 6 to 19 years. Sums are exact.
async fn populations(
    client: &mut Client,
    run: &Run,
    world: &World,
    year: usize,
) -> Result<u64, SynthError> {
    let source = run.source(Source::Populations);
    let calendar_year = calendar(year).to_string();
    let day = format!("{calendar_year}-12-31");
    let there = client
        .query_one(
            "SELECT EXISTS (SELECT FROM populations WHERE source_id = $1 AND year::text = $2)",
            &[&source, &calendar_year],
        )
        .await?;
    if there.get(0) {
        return Ok(0);
    }
    let mut areas: BTreeMap<&str, [[u64; AGES]; 2]> = BTreeMap::new();
    for (place, municipality) in world.places.iter().enumerate() {
        let people = world.people.of(place, municipality, year);
        let region = municipality.code.get(..2).unwrap_or_default();
        for (district, groups) in municipality.districts.iter().zip(&people) {
            for area in ["SE", region, &municipality.code, &district.code] {
                let sums = areas.entry(area).or_default();
                for (sum, group) in sums.iter_mut().flatten().zip(groups.iter().flatten()) {
                    *sum += u64::from(group.residents);
                }
            }
        }
    }
    let source = source.to_string();
    let mut lines = Lines::default();
    let mut number = (year as u64) << 32;
    let mut add = |area: &str, gender: &str, from: usize, to: usize, value: u64| {
        number += 1;
        let (from, to, value) = (from.to_string(), to.to_string(), value.to_string());
        lines.add(
            run.id(Kind::Population, number),
            &[
                &source,
                &calendar_year,
                &day,
                area,
                gender,
                &from,
                &to,
                &value,
            ],
        );
    };
    for (area, residents) in areas {
        let oldest = YOUNGEST + AGES - 1;
        let mut whole = 0;
        for (gender, ages) in GENDERS.into_iter().zip(residents) {
            let sum: u64 = ages.iter().sum();
            whole += sum;
            for (age, value) in (YOUNGEST..).zip(ages) {
                add(area, gender.as_str(), age, age, value);
            }
            add(area, gender.as_str(), YOUNGEST, oldest, sum);
        }
        add(area, Gender::Total.as_str(), YOUNGEST, oldest, whole);
    }
    copy::populations(client, lines).await
}

/// Writes a report of pupils and one of places for each municipality and year. Rows of a measure and a year lie side
/// by side.
async fn reports(client: &mut Client, run: &Run, world: &World) -> Result<Loaded, SynthError> {
    let mut zeros = world.plan.zeros();
    let mut reports = Reports::new(client).await?;
    for year in world.plan.years.clone() {
        let period = calendar(year).to_string();
        let (first, last) = (format!("{period}-01-01"), format!("{period}-12-31"));
        for (counted, source, measure) in [
            (Counted::Pupils, Source::Pupils, "pupils"),
            (Counted::Places, Source::Places, "pupil_places"),
        ] {
            let id = run.source(source);
            let there = copy::reported(reports.client(), id, &period).await?;
            let source_id = id.to_string();
            for (place, municipality) in world.places.iter().enumerate() {
                let number = ((year * 2 + source as usize) * 1_000 + place) as u64;
                let id = run.id(Kind::Report, number);
                let area = &municipality.code;
                let new = !there.contains(area);
                if new {
                    // PostgreSQL reads `now` as the beginning of the transaction.
                    let fields = [
                        &source_id, area, "year", &period, &first, &last, "approved", LOADER,
                        "now", LOADER, "now",
                    ];
                    reports.report(id, &fields).await?;
                }
                let people = world.people.of(place, municipality, year);
                let by_district = world.plan.by_district.get(place).copied();
                let report = Report { id, measure };
                let mut rows = number << 24;
                let by_district = by_district.unwrap_or_default();
                each(municipality, &people, counted, by_district, |cell| {
                    // Asked even for what is there, so that an interrupted load leaves out the same cells.
                    if (cell.value > 0 || zeros.report()) && new {
                        rows += 1;
                        reports.observation(run.id(Kind::Observation, rows), report, cell);
                    }
                });
            }
            log::info!("prepared the reports of {measure} in {period}");
        }
    }
    reports.finish().await
}
