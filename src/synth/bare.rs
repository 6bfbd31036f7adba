//! A table while millions of rows are copied into it, inside one transaction: without the triggers that look at each
//! row, and if it was empty without its keys and indexes too, which are cheaper made once than kept up row by row. All
//! is brought back before the commit, where keys are checked for all rows at once. Nobody else ever sees the table
//! without.

use tokio_postgres::Transaction;

use super::SynthError;

/// A table that is being filled.
#[derive(Debug)]
pub(super) struct Bare {
    table: &'static str,
    /// What brings everything back, in order.
    again: Vec<String>,
    /// Whether the table was empty.
    empty: bool,
    /// Whether the role owns the table. Another one can take nothing away: rows cost what they cost.
    owned: bool,
}

impl Bare {
    /// Takes away what rows need not pay for. An empty table is locked against everyone until the end of the
    /// transaction, and with it the tables that it refers to; one with rows against writers only.
    pub(super) async fn strip(
        to: &Transaction<'_>,
        table: &'static str,
    ) -> Result<Self, SynthError> {
        let owned = to
            .query_one(
                "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = $1::text::regclass",
                &[&table],
            )
            .await?
            .get(0);
        let mut bare = Self {
            table,
            again: Vec::new(),
            empty: false,
            owned,
        };
        if !owned {
            return Ok(bare);
        }
        // Only the lock makes sure, and only an empty table is worth it.
        if bare.holds_nothing(to).await? {
            to.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
                .await?;
            bare.empty = bare.holds_nothing(to).await?;
        }
        let burdens = to
            .query(include_str!("sql/burdens.sql"), &[&table, &bare.empty])
            .await?;
        for burden in burdens.iter().rev() {
            to.batch_execute(burden.get(0)).await?;
        }
        bare.again = burdens.iter().map(|burden| burden.get(1)).collect();
        if bare.empty {
            // What is copied into a table that this transaction has emptied can be written as old from the start, so
            // that no reader has to mark each row as committed; at `wal_level=minimal` it is not logged either.
            to.batch_execute(&format!("TRUNCATE {table}")).await?;
        }
        Ok(bare)
    }

    /// The statement that copies these columns in.
    pub(super) fn statement(&self, columns: &str) -> String {
        let Self { table, empty, .. } = self;
        format!("COPY {table} ({columns}) FROM STDIN (FREEZE {empty})")
    }

    /// Whether no trigger looks at the rows.
    pub(super) fn unwatched(&self) -> bool {
        self.owned
    }

    /// Brings everything back.
    pub(super) async fn dress(self, to: &Transaction<'_>) -> Result<(), SynthError> {
        // Indexes are sorted in this much; the default spills hundreds of small files.
        to.batch_execute("SET LOCAL maintenance_work_mem = '256MB'")
            .await?;
        for statement in &self.again {
            to.batch_execute(statement).await?;
            log::info!("{}: {statement}", self.table);
        }
        Ok(())
    }

    async fn holds_nothing(&self, to: &Transaction<'_>) -> Result<bool, SynthError> {
        let statement = format!("SELECT NOT EXISTS (SELECT FROM {})", self.table);
        Ok(to.query_one(&statement, &[]).await?.get(0))
    }
}
