//! Whether the process lives, whether it should be sent requests, and which build it is.
//!
//! * `GET /health/live`: 200 `{"status":"ok"}` as long as the process answers. It touches nothing, so that a database
//!   that is away or slow never makes an orchestrator kill healthy processes.
//! * `GET /health/ready`: 200 when requests would succeed, else 503 with `Retry-After: 1`. The body has the same shape
//!   both times, plain JSON and not a problem document, since it is read by load balancers and people:
//!
//!   ```json
//!   {"status": "ok", "checks": {"database": "ok", "schema": "ok", "clock": "ok", "pool": "ok", "service": "ok"}}
//!   ```
//!
//!   | check | what is not `ok` | ready? |
//!   | --- | --- | --- |
//!   | `database` | `unreachable`, `timeout` (no answer within a second) | no |
//!   | `schema` | `older` than this build needs, `newer` than it knows, `unknown` (not asked) | no |
//!   | `clock` | `off`: more than two seconds from the database's, so tokens would be refused; `unknown` | no |
//!   | `pool` | `saturated`: transactions wait for a connection | yes: busy is not broken |
//!   | `service` | `draining`: it is about to stop | no |
//!
//!   It has a connection of its own, since a queue for a shared one would take every replica out of service at the
//!   same time, and it remembers its findings for a second.
//! * `GET /version`: name and version of the build.
//!
//! None of them is part of the versioned API or its document.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::result::Error as QueryError;
use diesel::sql_types::{Nullable, Text, Timestamptz};
use diesel::{QueryResult, QueryableByName, sql_query};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::clock::Clock;
use crate::db::connect::{self, ConnectError, Work};
use crate::db::migrate::MIGRATIONS;
use crate::db::{Conn, Shared};

/// How long a finding stands.
const FRESH: Duration = Duration::from_secs(1);
/// How long the database may take to answer, opening a connection included.
const DEADLINE: Duration = Duration::from_secs(1);
/// By how much two clocks may differ: less than the leeway that tokens are given.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What the checks know, shared by all workers.
pub struct Health {
    db: Arc<Shared>,
    clock: Clock,
    /// Versions of the embedded migrations, oldest first.
    known: Vec<String>,
    draining: AtomicBool,
    probe: Mutex<Probe>,
}

/// The connection of its own, and what it last found.
#[derive(Default)]
struct Probe {
    conn: Option<Conn>,
    found: Option<(Instant, Findings)>,
}

/// What was found; each a word from a closed set, so that nothing about the inside leaks out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Findings {
    database: &'static str,
    schema: &'static str,
    clock: &'static str,
}

impl Findings {
    /// When the database could not be asked.
    const fn without(database: &'static str) -> Self {
        Self {
            database,
            schema: "unknown",
            clock: "unknown",
        }
    }
}

#[derive(Serialize)]
struct Checks {
    #[serde(flatten)]
    findings: Findings,
    pool: &'static str,
    service: &'static str,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    checks: Checks,
}

impl Health {
    /// For one process; opens nothing yet.
    #[must_use]
    pub fn new(db: Arc<Shared>, clock: Clock) -> Self {
        let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).unwrap_or_default();
        let mut known: Vec<String> = migrations
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect();
        known.sort();
        Self {
            db,
            clock,
            known,
            draining: AtomicBool::new(false),
            probe: Mutex::default(),
        }
    }

    /// From now on the process says that it is not ready: it is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    async fn report(&self) -> Report {
        let draining = self.draining.load(Ordering::SeqCst);
        // A process that stops has nothing more to ask.
        let findings = if draining {
            Findings::without("unknown")
        } else {
            self.findings().await
        };
        let fine = findings
            == (Findings {
                database: "ok",
                schema: "ok",
                clock: "ok",
            });
        let (_, _, waiting) = self.db.pool_status();
        Report {
            status: if fine { "ok" } else { "unavailable" },
            checks: Checks {
                findings,
                pool: if waiting > 0 { "saturated" } else { "ok" },
                service: if draining { "draining" } else { "ok" },
            },
        }
    }

    /// Asks the database, unless somebody did a moment ago. Whoever comes while it is being asked waits for that answer.
    async fn findings(&self) -> Findings {
        let mut probe = self.probe.lock().await;
        if let Some((at, findings)) = probe.found
            && at.elapsed() < FRESH
        {
            return findings;
        }
        // Taken out: a connection that does not come back in time is not asked again.
        let kept = probe.conn.take();
        let findings = match timeout(DEADLINE, self.ask(kept)).await {
            Ok(Ok((conn, findings))) => {
                probe.conn = Some(conn);
                findings
            }
            Ok(Err(error)) => {
                log::warn!("not ready: {error}");
                Findings::without("unreachable")
            }
            Err(_) => {
                log::warn!("not ready: the database did not answer within {DEADLINE:?}");
                Findings::without("timeout")
            }
        };
        probe.found = Some((Instant::now(), findings));
        findings
    }

    /// On the connection that was kept, or on a new one if that is gone: a restart of the database is no reason to say no.
    async fn ask(&self, kept: Option<Conn>) -> Result<(Conn, Findings), ConnectError> {
        if let Some(mut conn) = kept
            && let Ok(findings) = self.look(&mut conn).await
        {
            return Ok((conn, findings));
        }
        let mut conn = connect::open(self.db.target(), Work::Read).await?;
        let findings = self
            .look(&mut conn)
            .await
            .map_err(|error| ConnectError::Refused(error.to_string()))?;
        Ok((conn, findings))
    }

    async fn look(&self, conn: &mut Conn) -> QueryResult<Findings> {
        use diesel_async::RunQueryDsl;
        let asked = self.clock.now();
        let state: State = match sql_query(STATE).get_result(conn).await {
            // Nobody has migrated this database yet.
            Err(QueryError::DatabaseError(_, told))
                if told.message().contains("__diesel_schema_migrations") =>
            {
                return Ok(Findings {
                    database: "ok",
                    schema: "older",
                    clock: "unknown",
                });
            }
            state => state?,
        };
        let answered = self.clock.now();
        let tolerance = CLOCK_TOLERANCE;
        let in_time = state.time + tolerance >= asked && state.time <= answered + tolerance;
        Ok(Findings {
            database: "ok",
            schema: self.schema(state.newest.as_deref()),
            clock: if in_time { "ok" } else { "off" },
        })
    }

    /// The newest migration of the database against those of this build.
    fn schema(&self, newest: Option<&str>) -> &'static str {
        let needed = self.known.last().map(String::as_str);
        match newest {
            newest if newest == needed => "ok",
            Some(newest) if !self.known.iter().any(|known| known == newest) => "newer",
            _ => "older",
        }
    }
}

/// Diesel's own table of migrations, by its columns' names; it is not part of the schema that the project generates.
const STATE: &str = "SELECT max(version)::text AS newest, clock_timestamp() AS time FROM __diesel_schema_migrations";

#[derive(QueryableByName)]
struct State {
    #[diesel(sql_type = Nullable<Text>)]
    newest: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    time: DateTime<Utc>,
}

/// The root paths of this module, with their methods.
pub const PATHS: &[(&str, &[&str])] = &[
    ("/health/live", &["GET", "HEAD"]),
    ("/health/ready", &["GET", "HEAD"]),
    ("/version", &["GET", "HEAD"]),
];

/// The handlers.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(live).service(ready).service(version);
}

#[get("/health/live")]
async fn live() -> HttpResponse {
    #[derive(Serialize)]
    struct Live {
        status: &'static str,
    }
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Live { status: "ok" })
}

#[get("/health/ready")]
async fn ready(health: web::Data<Health>) -> HttpResponse {
    let report = health.report().await;
    let mut response = if report.status == "ok" {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    if report.status != "ok" {
        response.insert_header((header::RETRY_AFTER, "1"));
    }
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(report)
}

#[get("/version")]
async fn version() -> HttpResponse {
    #[derive(Serialize)]
    struct Version {
        name: &'static str,
        version: &'static str,
    }
    let build = Version {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(build)
}
