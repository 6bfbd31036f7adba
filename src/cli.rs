//! The commands: what `samverkan …` does.
//!
//! Results go to standard output, log lines and the reason of a failure to standard error. The exit code is 0, or 2
//! for a setting that is missing or wrong (starting again will not help), or 1 for everything else.

mod clients;
mod database;
mod demo;
mod failure;
mod publish;
mod pull;
mod push;
mod serve;
mod synth;

use std::ffi::OsString;
use std::io::{self, Write};
use std::ops::AsyncFnOnce;
use std::process::ExitCode;

use actix_web::rt::System;
use actix_web::rt::task::spawn_blocking;

use crate::access::keys::{Key, KeyRing, Start};
use crate::clock::{self, Clock};
use crate::config::{self, Command, Config, DataDir, KeysAction, Place, Refusal};
use crate::db::{Shared, migrate};
use crate::problem::Problem;
use crate::sync::changes::epoch;
use crate::telemetry::logging;
use database::Database;
use failure::Failure;

/// Runs the program with the words of its command line, the first of which is its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match config::read(arguments) {
        Ok(config) => start(config),
        Err(Refusal::Text(text)) => print(&text),
        Err(Refusal::Wrong(line)) => Err(Failure::wrong(line)),
    };
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    // Nothing can be done when even this cannot be written.
    let _ = writeln!(io::stderr(), "samverkan: {failure}");
    failure.exit_code()
}

fn start(config: Config) -> Result<(), Failure> {
    logging::init(config.logging.log_format, &config.logging.log, clock::now)?;
    for line in config::unknown_variables() {
        log::warn!("{line}");
    }
    match config.command {
        Command::Serve(settings) => System::new().block_on(serve::serve(&settings)),
        Command::Migrate(place) => System::new().block_on(bring_up_to_date(&place)),
        Command::Demo(place) => System::new().block_on(with_database(&place, demo::load)),
        Command::Synth(synth) => System::new().block_on(with_database(&synth.place, async |db| {
            synth::load(db, &synth).await
        })),
        Command::Client { place, action } => System::new()
            .block_on(with_database(&place, async |db| {
                clients::run(db, action).await
            })),
        Command::Keys {
            data,
            action: KeysAction::Rotate { now },
        } => rotate_keys(&data, now),
        Command::Publish { place, wanted } => System::new()
            .block_on(with_database(&place, async |db| {
                publish::run(db, wanted).await
            })),
        Command::Pull(asked) => System::new().block_on(pull::run(&asked)),
        Command::Push(asked) => System::new().block_on(push::run(*asked)),
        Command::Openapi => print(&crate::openapi::json()),
        Command::Version => print(concat!(
            env!("CARGO_PKG_NAME"),
            " ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
    }
}

/// Writes a result. A reader that has seen enough (`samverkan openapi | head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// `samverkan migrate`
async fn bring_up_to_date(place: &Place) -> Result<(), Failure> {
    let database = Database::open(place).await?;
    let outcome = async {
        let db = Shared::new(database.target.clone(), 1, Clock::system())?;
        prepare(&db).await
    }
    .await;
    database.leave().await?;
    let Prepared { migrations, rows } = outcome?;
    let mut lines: Vec<String> = migrations
        .iter()
        .map(|migration| format!("ran {migration}\n"))
        .collect();
    if lines.is_empty() {
        lines.push("the schema is up to date\n".to_owned());
    }
    lines.push(format!("wrote {rows} rows of areas and measures\n"));
    print(&lines.concat())
}

/// What [`prepare`] did.
struct Prepared {
    /// The migrations that ran.
    migrations: Vec<String>,
    /// The rows of reference data that were written.
    rows: usize,
}

/// Brings the schema up to date, and the data that the service itself brings along.
async fn prepare(db: &Shared) -> Result<Prepared, Failure> {
    let target = db.target().clone();
    let migrations = spawn_blocking(move || migrate::run(&target)).await??;
    epoch::begin_if_new(db).await?;
    let unwatched = db.snapshot(epoch::unwatched).await.map_err(Problem::from)?;
    if !unwatched.is_empty() {
        return Err(Failure::other(format!(
            "changes of {} would not be synced: its trigger `feed` is missing or switched off; see docs/SYNC.md",
            unwatched.join(", ")
        )));
    }
    let rows = crate::demo::load_reference(db).await?;
    Ok(Prepared { migrations, rows })
}

/// Runs a short command on the database. A private one is brought up to date first; somebody else's is left as it is.
async fn with_database(
    place: &Place,
    work: impl AsyncFnOnce(&Shared) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let database = Database::open(place).await?;
    let outcome = async {
        let db = Shared::new(database.target.clone(), 1, Clock::system())?;
        if database.is_private() {
            prepare(&db).await?;
        }
        work(&db).await
    }
    .await;
    outcome.and(database.leave().await)
}

/// `samverkan keys rotate`
fn rotate_keys(data: &DataDir, at_once: bool) -> Result<(), Failure> {
    let now = Clock::system().now();
    let start = if at_once {
        Start::AtOnce
    } else {
        Start::AfterNotice
    };
    let ring = KeyRing::rotate(&data.keys(), now, start)?;
    let lines: Vec<String> = ring
        .all()
        .iter()
        .map(|key| {
            let current = ring.current(now).map(Key::kid) == Some(key.kid());
            let state = match key.accepted_until() {
                _ if current => "signs".to_owned(),
                Some(until) if key.active_from() <= now => format!("accepted until {until}"),
                _ => format!("signs from {}", key.active_from()),
            };
            format!("{}  {state}\n", key.kid())
        })
        .collect();
    print(&lines.concat())
}
