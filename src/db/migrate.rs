//! Bringing the schema up to date, once, however many processes start.

use diesel_async::{AsyncMigrationHarness, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connect::{self, Target, Work};

/// Every migration, in the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Any number, the same for every process: the ASCII of "samverka".
const LOCK: &str = "SELECT pg_advisory_lock(8313471946297040737)";

/// Why the schema could not be brought up to date: one line.
#[derive(Debug, thiserror::Error)]
#[error("migration failed: {0}")]
pub struct MigrateError(String);

/// Runs all pending migrations and says which.
///
/// The session lock is taken on the connection that migrates and held until it closes: a second process waits up to
/// 60 s and then finds nothing to do.
///
/// # Errors
/// One line that says what failed. Each migration is a transaction, so the next attempt continues.
pub fn run(target: &Target) -> Result<Vec<String>, MigrateError> {
    let target = target.clone();
    // The harness blocks inside, which a worker's single-threaded runtime does not allow.
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| MigrateError(error.to_string()))?;
        runtime.block_on(async {
            let mut conn = connect::open(&target, Work::Migrate)
                .await
                .map_err(|error| MigrateError(error.to_string()))?;
            conn.batch_execute(LOCK)
                .await
                .map_err(|error| MigrateError(error.to_string()))?;
            let mut harness = AsyncMigrationHarness::new(conn);
            let done = harness
                .run_pending_migrations(MIGRATIONS)
                .map_err(|error| MigrateError(error.to_string()))?;
            Ok(done.iter().map(ToString::to_string).collect())
        })
    });
    thread
        .join()
        .unwrap_or_else(|_| Err(MigrateError("the migrating thread panicked".to_owned())))
}
