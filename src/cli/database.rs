//! Which database: the one of `DATABASE_URL`, or a private server in the data directory.
//!
//! Several commands may use the private one at the same time. Whoever comes first starts the server; the others join it. A
//! command that started it must not stop it under the others' feet, so everyone who joins holds a shared lock in the
//! database, and the starter takes the same lock exclusively before it stops the server.
//!
//! A service never joins: the server would go when its starter goes. It runs its own, waits for that until short commands
//! are through, and refuses where another service has it.

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::rt::task::spawn_blocking;
use actix_web::rt::time::{sleep, timeout};
use diesel_async::SimpleAsyncConnection;

use super::Failure;
use crate::config::Place;
use crate::db::connect::{self, Work};
use crate::db::private::{Durability, PrivateCluster, PrivateError, running_url};
use crate::db::{Conn, ConnectError, DbError, Target};

/// The database in a private server.
const NAME: &str = "samverkan";
/// Another one, to be connected to while that is made.
const OTHER: &str = "template1";
/// A new server has an empty database that nobody needs under its name. To make one more would be to copy that one.
const TAKE: &str = "ALTER DATABASE postgres RENAME TO samverkan";
/// Where there is no such database, or somebody is connected to it.
const MAKE: &str = "CREATE DATABASE samverkan";
/// Any number, the same for every process: the ASCII of "private ".
const JOIN: &str = "SELECT pg_advisory_lock_shared(8102095857243120928)";
const OUTLAST: &str = "SELECT pg_advisory_lock(8102095857243120928)";
/// How long the server of another process may take until it can be joined or is gone.
const ANOTHER_SETTLES_WITHIN: Duration = Duration::from_mins(1);
/// How often that is looked at.
const PAUSE: Duration = Duration::from_millis(50);
/// How often a running server of ours is looked at.
const LOOKED_AT: Duration = Duration::from_secs(1);
/// How long a service that stops leaves the server to short commands that are using it.
const OTHERS_FINISH_WITHIN: Duration = Duration::from_secs(5);

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
            return Self::foreign(target).await;
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
                started => return Self::own(started?).await,
            }
        }
    }

    /// The database of a service, which runs the private server itself.
    pub(super) async fn open_to_serve(place: &Place) -> Result<Self, Failure> {
        if let Some(target) = &place.database_url {
            return Self::foreign(target).await;
        }
        let began = Instant::now();
        loop {
            match start(place).await {
                Err(PrivateError::Running { serving: false, .. })
                    if began.elapsed() < ANOTHER_SETTLES_WITHIN =>
                {
                    sleep(PAUSE).await;
                }
                started => {
                    let cluster = started?;
                    cluster.announce_service()?;
                    return Self::own(cluster).await;
                }
            }
        }
    }

    /// The one of `DATABASE_URL`; asked at once, so that the failure names the setting.
    async fn foreign(target: &Target) -> Result<Self, Failure> {
        let refused = |error| Failure::setting("database_url", error).for_now();
        connect::open(target, Work::Read).await.map_err(refused)?;
        Ok(Self {
            target: target.clone(),
            server: Server::Foreign,
        })
    }

    /// The one in a server of ours, made when missing.
    async fn own(cluster: PrivateCluster) -> Result<Self, Failure> {
        let target = Target::parse(&cluster.url(NAME))?;
        if connect::open(&target, Work::Read).await.is_err() {
            let other = Target::parse(&cluster.url(OTHER))?;
            let mut conn = connect::open(&other, Work::Migrate).await?;
            if conn.batch_execute(TAKE).await.is_err() {
                conn.batch_execute(MAKE).await.map_err(DbError::from)?;
            }
        }
        Ok(Self {
            target,
            server: Server::Own(cluster),
        })
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

    /// Ends a service: a server of ours is stopped soon, whoever uses it.
    pub(super) async fn leave_soon(self) -> Result<(), Failure> {
        let _alone = match &self.server {
            Server::Own(cluster) if cluster.is_alive() => {
                timeout(OTHERS_FINISH_WITHIN, self.outlast_others())
                    .await
                    .ok()
            }
            _ => None,
        };
        self.stop().await
    }

    /// Stops a server of ours.
    async fn stop(self) -> Result<(), Failure> {
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

/// Starts a server.
async fn start(place: &Place) -> Result<PrivateCluster, PrivateError> {
    let (dir, programs) = (place.data.path(), place.pg_bin_dir.clone());
    let start = move || PrivateCluster::start(&dir, Durability::Durable, programs.as_deref());
    match spawn_blocking(start).await {
        Ok(started) => started,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
