//! The database: two lanes, migrations, the private cluster, and the way from a constraint to a problem.
//!
//! * The **fast lane** carries short parameterised reads. Each worker has a few connections of its own and pipelines
//!   requests on them: half the CPU of a shared pool. Never a transaction, never anything slow.
//! * The **exclusive lane** is a small pool for transactions, writes and everything that may take long.
//!
//! Every call has a bound of our own around it, a little above PostgreSQL's, since a frozen or unreachable server
//! cannot time out by itself. A connection that ran into our bound is thrown away.

pub(crate) mod actor;
pub mod catalogue;
pub mod connect;
pub mod erasure;
pub mod fragment;
pub mod history;
pub mod lane;
pub mod migrate;
pub mod once;
pub mod private;
pub mod savepoint;
pub mod search;
mod snapshot;
pub mod store;
pub mod window;
pub mod written;

use std::ops::AsyncFn;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as QueryError, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, TransactionManager};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

pub use connect::{ConnectError, Target, Work};
use lane::Lane;
use scopeguard::{ScopeGuard, guard};
pub use snapshot::LongSnapshot;

use crate::clock::Clock;
use crate::problem::Problem;

/// What store functions take: a shared reference, so that a fast connection can be pipelined.
pub type Conn = AsyncPgConnection;

/// How long a caller waits for a free connection of the exclusive lane.
const POOL_WAIT: Duration = Duration::from_secs(2);
/// Our bound around a read of the fast lane: its `statement_timeout` and a second.
const READ_BOUND: Duration = Duration::from_secs(6);
/// Our bound around BEGIN, which does no work: who does not answer it is frozen or gone.
const BEGIN_BOUND: Duration = Duration::from_secs(3);
/// Our bound around a whole transaction of the exclusive lane: its `statement_timeout` and a second.
const WRITE_BOUND: Duration = Duration::from_secs(10);
/// Our bound around a transaction that is known to take long: its `statement_timeout`, below, and five seconds.
const LONG_WRITE_BOUND: Duration = Duration::from_secs(65);
/// What such a transaction begins with. It may wait as long for another of ours as for a statement.
const LONG_WRITE: &str = "SELECT set_config('statement_timeout', '60s', true),
    set_config('idle_in_transaction_session_timeout', '60s', true)";
/// How often a transaction that lost against another is tried.
const WRITE_ATTEMPTS: u32 = 3;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The statement failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// No connection could be opened.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No connection became free in time.
    #[error("no database connection became free: {0}")]
    Pool(String),
    /// Our own bound was reached.
    #[error("the database did not answer within {0:?}")]
    Timeout(Duration),
}

impl DbError {
    /// Whether the connection is of no more use.
    #[must_use]
    pub fn is_broken_connection(&self) -> bool {
        match self {
            Self::Query(error) => is_broken_connection(error),
            Self::Connect(_) | Self::Timeout(_) => true,
            Self::Pool(_) => false,
        }
    }
}

/// Whether a query failed because its connection is gone.
fn is_broken_connection(error: &QueryError) -> bool {
    match error {
        QueryError::DatabaseError(
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | QueryError::BrokenTransactionManager => true,
        QueryError::DatabaseError(_, info) => {
            let message = info.message();
            message.starts_with("terminating connection")
                || message.starts_with("the database system is")
        }
        _ => false,
    }
}

/// Whether the same transaction may succeed if it is tried again.
fn lost_a_race(error: &QueryError) -> bool {
    match error {
        QueryError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        QueryError::DatabaseError(_, info) => info.message() == "deadlock detected",
        _ => false,
    }
}

/// Why a transaction ended without effect: the database refused, or we did.
#[derive(Debug)]
pub enum WriteError {
    /// The database refused.
    Query(QueryError),
    /// A rule of ours refused.
    Refused(Problem),
}

impl WriteError {
    /// How likely it is, from 0, that the statement was refused only because an earlier one of its transaction had been:
    /// that has no kind of its own, and its text is known only where the server speaks English.
    fn rank(&self) -> u8 {
        match self {
            Self::Query(QueryError::DatabaseError(DatabaseErrorKind::Unknown, info)) => {
                let follows = info.message().starts_with("current transaction is aborted");
                1 + u8::from(follows)
            }
            Self::Query(_) | Self::Refused(_) => 0,
        }
    }
}

impl From<QueryError> for WriteError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<Problem> for WriteError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// The pool, the address and the clock, shared by all workers.
#[derive(Clone)]
pub struct Shared {
    target: Target,
    pool: Pool<AsyncPgConnection>,
    clock: Clock,
}

impl Shared {
    /// Prepares the exclusive lane; opens nothing yet. Its connections live on the runtime this is called on.
    ///
    /// # Errors
    /// When the pool's settings contradict each other.
    pub fn new(target: Target, pool_size: usize, clock: Clock) -> Result<Arc<Self>, DbError> {
        let mut config = ManagerConfig::<AsyncPgConnection>::default();
        config.recycling_method = RecyclingMethod::Fast;
        let own = target.clone();
        // What drives a connection runs where it was opened. Were that a worker, its stop would cut off transactions
        // that other workers still have under way; this runtime ends after all of them.
        let runtime = Handle::current();
        config.custom_setup = Box::new(move |_| {
            let target = own.clone();
            let opening = runtime.spawn(async move { connect::open(&target, Work::Write).await });
            Box::pin(async move {
                opening
                    .await
                    .unwrap_or_else(|error| Err(ConnectError::Refused(error.to_string())))
                    .map_err(ConnectError::into_diesel)
            })
        });
        let manager = AsyncDieselConnectionManager::new_with_config("", config);
        let pool = Pool::builder(manager)
            .max_size(pool_size)
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(connect::CONNECT_TIMEOUT))
            .recycle_timeout(Some(Duration::from_secs(1)))
            .runtime(deadpool_runtime::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Pool(error.to_string()))?;
        Ok(Arc::new(Self {
            target,
            pool,
            clock,
        }))
    }

    /// Where the database is.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The clock that everything is dated by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many connections the exclusive lane may have.
    #[must_use]
    pub fn pool_size(&self) -> usize {
        self.pool.status().max_size
    }

    /// Size, free and waiting of the exclusive lane, for the metrics.
    #[must_use]
    pub fn pool_status(&self) -> (usize, usize, usize) {
        let status = self.pool.status();
        (status.size, status.available, status.waiting)
    }

    async fn lend(&self) -> Result<Lent, DbError> {
        let conn = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => DbError::Pool(error.to_string()),
            other => DbError::Pool(other.to_string()),
        })?;
        Ok(guard(conn, close as fn(_)))
    }

    /// Runs `work` in one transaction; all of it happens, or nothing.
    ///
    /// A transaction that lost a race (deadlock, serialisation) is tried again, so `work` may run up to three times. The
    /// database is told who acts: the settings `samverkan.client` and `samverkan.request` of the transaction.
    ///
    /// # Errors
    /// The problem that `work` refused with, or the one the database's error stands for.
    pub async fn write<T>(
        &self,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> Result<T, Problem> {
        self.within(WRITE_BOUND, work).await
    }

    /// As [`write`](Self::write), for work that no request waits for, or that its caller knows to take long: a statement
    /// may run for 60 s, and so may the whole.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_long<T>(
        &self,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> Result<T, Problem> {
        self.within(LONG_WRITE_BOUND, async |mut conn: &Conn| {
            diesel::sql_query(LONG_WRITE).execute(&mut conn).await?;
            work(conn).await
        })
        .await
    }

    async fn within<T>(
        &self,
        bound: Duration,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> Result<T, Problem> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut conn = self.lend().await?;
            timeout(BEGIN_BOUND, Transaction::begin_transaction(&mut **conn))
                .await
                .map_err(|_| DbError::Timeout(BEGIN_BOUND))?
                .map_err(DbError::Query)?;
            let outcome = timeout(bound, transaction(&mut conn, &work))
                .await
                .map_err(|_| DbError::Timeout(bound))?;
            let broken =
                matches!(&outcome, Err(WriteError::Query(error)) if is_broken_connection(error));
            if !broken {
                give_back(conn);
            }
            match outcome {
                Ok(value) => return Ok(value),
                Err(WriteError::Refused(problem)) => return Err(problem),
                Err(WriteError::Query(error))
                    if lost_a_race(&error) && attempt < WRITE_ATTEMPTS =>
                {
                    log::info!(attempt; "transaction lost a race, trying again: {error}");
                }
                Err(WriteError::Query(error)) => return Err(DbError::Query(error).into()),
            }
        }
    }
}

/// A connection of the exclusive lane that is closed unless it is given back. Who is given up in the middle of a transaction
/// leaves nothing locked, and nobody gets what is left of it.
type Lent = ScopeGuard<Object<AsyncPgConnection>, fn(Object<AsyncPgConnection>)>;

fn close(conn: Object<AsyncPgConnection>) {
    drop(Object::take(conn));
}

/// Gives a connection back to the pool: its transaction has ended.
fn give_back(conn: Lent) {
    drop(ScopeGuard::into_inner(conn));
}

type Transaction = <AsyncPgConnection as AsyncConnection>::TransactionManager;

/// Does the work in the transaction that was begun, and ends it.
async fn transaction<T>(
    conn: &mut Conn,
    work: &impl AsyncFn(&Conn) -> Result<T, WriteError>,
) -> Result<T, WriteError> {
    match actor::act(conn, work).await {
        Ok(value) => {
            Transaction::commit_transaction(conn).await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(rollback) = Transaction::rollback_transaction(conn).await {
                log::warn!("rollback failed: {rollback}");
            }
            Err(error)
        }
    }
}

/// The database as a worker sees it: the shared pool and the worker's own fast lane.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
    lane: Rc<Lane>,
}

impl Db {
    /// For one worker; opens nothing yet.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let lane = Rc::new(Lane::new(shared.target.clone()));
        Self { shared, lane }
    }

    /// The clock that rows are read by: what a project's months mean depends on the day.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Runs a short read on the fast lane. While the connections turn out to be dead it is tried again, at the latest
    /// on a new one; the bound is around all of it, the wait for a connection included.
    ///
    /// # Errors
    /// [`DbError`]; a query that found nothing is `Query(NotFound)`.
    pub async fn read<T>(&self, work: impl AsyncFn(&Conn) -> QueryResult<T>) -> Result<T, DbError> {
        let deadline = Instant::now() + READ_BOUND;
        let late = |_| DbError::Timeout(READ_BOUND);
        let mut dead = 0;
        loop {
            let conn = timeout_at(deadline, self.lane.connection())
                .await
                .map_err(late)??;
            let done = timeout_at(deadline, work(&conn)).await.map_err(late);
            let error = match done.and_then(|done| Ok(done?)) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if !error.is_broken_connection() {
                return Err(error);
            }
            self.lane.discard(&conn);
            dead += 1;
            if dead > lane::CONNECTIONS || Instant::now() >= deadline {
                return Err(error);
            }
        }
    }

    /// The pool, the address and the clock, for work that may take long.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Runs a transaction on the exclusive lane; see [`Shared::write`].
    ///
    /// # Errors
    /// As [`Shared::write`].
    pub async fn write<T>(
        &self,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> Result<T, Problem> {
        self.shared.write(work).await
    }
}

impl actix_web::FromRequest for Db {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(
            req.app_data::<Self>()
                .cloned()
                .ok_or_else(|| Problem::internal("the worker has no database")),
        )
    }
}
