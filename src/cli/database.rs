//! Which database: the one of `DATABASE_URL`, or a private server in the data directory.
//!
//! Several commands may use the private one at the same time. Whoever comes first starts the server; the others join it. A
//! short command that started it must not stop it under the others' feet, so everyone who joins holds a shared lock in the
//! database, and the starter takes the same lock exclusively before it stops the server.

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::rt::task::spawn_blocking;
use actix_web::rt::time::sleep;
use diesel_async::SimpleAsyncConnection;

use super::Failure;
use crate::config::Place;
use crate::db::connect::{self, Work};
use crate::db::private::{Durability, PrivateCluster, PrivateError, running_url};
use crate::db::{Conn, ConnectError, Target};

/// The database in a private server.
const NAME: &str = "samverkan";
/// Any number, the same for every process: the ASCII of "private ".
const JOIN: &str = "SELECT pg_advisory_lock_shared(8102095857243120928)";
const OUTLAST: &str = "SELECT pg_advisory_lock(8102095857243120928)";
/// How long the server of another process may take until it can be joined or is gone.
const ANOTHER_SETTLES_WITHIN: Duration = Duration::from_mins(1);
/// How often a running server of ours is looked at.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(50);

/// The database of one command.
pub(super) struct Database {
    /// Where it is.
    pub(super) target: Target,
    server: Server,
}

/// Who runs the server.
enum Server {
    /// Its operator: it is the one of `DATABASE_URL`.
    Foreign,
    /// Another process of ours. The connection holds the shared lock.
    Joined { _presence: Box<Conn> },
    /// This process.
    Own(PrivateCluster),
}

impl Database {
    /// Finds the database, or starts a server for it.
    pub(super) async fn open(place: &Place) -> Result<Self, Failure> {
        if let Some(target) = &place.database_url {
            // Asked at once, so that the failure names the setting.
            let refused = |error| Failure::setting("database_url", error).for_now();
            connect::open(target, Work::Read).await.map_err(refused)?;
            return Ok(Self {
                target: target.clone(),
                server: Server::Foreign,
            });
        }
        let dir = place.data.path();
        let began = Instant::now();
        loop {
            if let Some(joined) = join(&dir).await {
                log::info!(
                    "joined the PostgreSQL that another process of Samverkan runs in {}",
                    dir.display()
                );
                return Ok(joined);
            }
            match start(place).await {
                Err(PrivateError::Running { .. }) if began.elapsed() < ANOTHER_SETTLES_WITHIN => {
                    sleep(PAUSE).await;
                }
                started => {
                    let cluster = started?;
                    return Ok(Self {
                        target: Target::parse(&cluster.url(NAME))?,
                        server: Server::Own(cluster),
                    });
                }
            }
        }
    }

    /// Whether nobody else looks after the database, so that a command may bring it up to date unasked.
    pub(super) fn is_private(&self) -> bool {
        !matches!(self.server, Server::Foreign)
    }

    /// Ends a short command: a server of ours is stopped once nobody uses it any more.
    pub(super) async fn leave(self) -> Result<(), Failure> {
        if let Server::Own(_) = self.server {
            // Held until the server has ended, so that nobody joins in between. A server that is gone already needs no waiting.
            let _alone = self.outlast_others().await;
            return self.stop().await;
        }
        Ok(())
    }

    /// Returns when a server of ours has ended although nobody stopped it. It is not started again from here: a new
    /// process does that with everything that belongs to it.
    pub(super) async fn lost(&self) {
        let Server::Own(cluster) = &self.server else {
            return std::future::pending().await;
        };
        while cluster.is_alive() {
            sleep(LOOKED_AT).await;
        }
    }

    async fn outlast_others(&self) -> Result<Conn, ConnectError> {
        loop {
            let mut conn = connect::open(&self.target, Work::Migrate).await?;
            if conn.batch_execute(OUTLAST).await.is_ok() {
                return Ok(conn);
            }
            log::info!(
                "waiting for other processes of Samverkan, which use the PostgreSQL that this one started"
            );
        }
    }

    /// Stops a server of ours, whoever uses it.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        if let Server::Own(cluster) = self.server {
            spawn_blocking(|| cluster.stop()).await??;
        }
        Ok(())
    }
}

/// Joins a server that is running; none if there is none, or if it is just ending.
async fn join(dir: &Path) -> Option<Database> {
    let target = Target::parse(&running_url(dir, NAME)?).ok()?;
    let mut presence = connect::open(&target, Work::Write).await.ok()?;
    presence.batch_execute(JOIN).await.ok()?;
    Some(Database {
        target,
        server: Server::Joined {
            _presence: Box::new(presence),
        },
    })
}

/// Starts a server with the database in it.
async fn start(place: &Place) -> Result<PrivateCluster, PrivateError> {
    let (dir, programs) = (place.data.path(), place.pg_bin_dir.clone());
    let start = move || {
        let cluster = PrivateCluster::start(&dir, Durability::Durable, programs.as_deref())?;
        cluster.ensure_database(NAME)?;
        Ok(cluster)
    };
    match spawn_blocking(start).await {
        Ok(started) => started,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
