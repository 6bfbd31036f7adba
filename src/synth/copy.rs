//! Rows on their way into the database by COPY.

use std::collections::HashSet;
use std::mem::take;

use actix_web::web::Bytes;
use futures_util::{SinkExt as _, pin_mut};
use tokio_postgres::{Client, Transaction};
use uuid::Uuid;

use super::plan::Cell;
use super::{Loaded, SynthError};

/// So many bytes of observations make a transaction. What PostgreSQL keeps in memory to check foreign keys at the end
/// of a COPY grows with its rows.
const ENOUGH: usize = 16 << 20;
/// Bytes in one message.
const MESSAGE: usize = 1 << 18;

/// Lines in PostgreSQL's text format. No value holds a tabulator or a backslash.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    count: u64,
}

impl Lines {
    /// Adds a line.
    pub(super) fn add(&mut self, id: Uuid, fields: &[&str]) {
        let mut text = [0; 36];
        self.text
            .extend_from_slice(id.as_hyphenated().encode_lower(&mut text).as_bytes());
        for field in fields {
            self.text.push(b'\t');
            self.text.extend_from_slice(field.as_bytes());
        }
        self.text.push(b'\n');
        self.count += 1;
    }

    async fn send(self, to: &Transaction<'_>, statement: &str) -> Result<u64, SynthError> {
        let sink = to.copy_in::<_, Bytes>(statement).await?;
        pin_mut!(sink);
        let mut rest = Bytes::from(self.text);
        while !rest.is_empty() {
            sink.feed(rest.split_to(rest.len().min(MESSAGE))).await?;
        }
        sink.finish().await?;
        Ok(self.count)
    }
}

/// Writes a year's populations in one transaction.
pub(super) async fn populations(client: &mut Client, lines: Lines) -> Result<u64, SynthError> {
    let transaction = client.transaction().await?;
    let count = lines
        .send(
            &transaction,
            "COPY populations (id, source_id, year, reference_date, area_code, gender, age_from, age_to, value) FROM STDIN",
        )
        .await?;
    transaction.commit().await?;
    Ok(count)
}

/// The municipalities that have a report of the source for the period.
pub(super) async fn reported(
    client: &Client,
    source: Uuid,
    period: &str,
) -> Result<HashSet<String>, SynthError> {
    let rows = client
        .query(
            "SELECT area_code::text FROM reports WHERE source_id = $1 AND period = $2",
            &[&source, &period],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Reports with their observations, a transaction for each few.
#[derive(Debug)]
pub(super) struct Reports<'a> {
    client: &'a mut Client,
    /// Whether the role owns the table, so that it may switch the table's own row trigger off.
    owner: bool,
    heads: Lines,
    observations: Lines,
    loaded: Loaded,
}

/// A report that observations are added to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report<'a> {
    /// Its row.
    pub(super) id: Uuid,
    /// What is counted.
    pub(super) measure: &'a str,
}

impl<'a> Reports<'a> {
    /// Nothing yet.
    pub(super) async fn new(client: &'a mut Client) -> Result<Self, SynthError> {
        let row = client
            .query_one(
                "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'observations'::regclass",
                &[],
            )
            .await?;
        Ok(Self {
            client,
            owner: row.get(0),
            heads: Lines::default(),
            observations: Lines::default(),
            loaded: Loaded::default(),
        })
    }

    /// For questions in between.
    pub(super) fn client(&self) -> &Client {
        self.client
    }

    /// Adds a report; what was added before is written if it is enough.
    pub(super) async fn report(&mut self, id: Uuid, fields: &[&str]) -> Result<(), SynthError> {
        if self.observations.text.len() >= ENOUGH {
            self.write().await?;
        }
        self.heads.add(id, fields);
        Ok(())
    }

    /// Adds an observation to the report that was added last.
    pub(super) fn observation(&mut self, id: Uuid, report: Report<'_>, cell: Cell<'_>) {
        let (subject, form) = cell.choice.map_or(("all", "all"), |(subject, form)| {
            (subject.as_str(), form.as_str())
        });
        let mut own = [0; 36];
        let fields = [
            &*report.id.as_hyphenated().encode_lower(&mut own),
            report.measure,
            cell.area,
            "residence",
            cell.gender.as_str(),
            &format!("{0}-{0}", cell.age),
            subject,
            form,
            &cell.value.to_string(),
        ];
        self.observations.add(id, &fields);
    }

    /// Writes what is left, and says how much it was in all.
    pub(super) async fn finish(mut self) -> Result<Loaded, SynthError> {
        self.write().await?;
        Ok(self.loaded)
    }

    /// The row trigger looks the measure and the report up for each row, which is most of what a row costs. It is off
    /// inside the transaction only: nobody else sees the table without it, and nobody else writes meanwhile.
    async fn write(&mut self) -> Result<(), SynthError> {
        let transaction = self.client.transaction().await?;
        if self.owner {
            transaction
                .batch_execute("ALTER TABLE observations DISABLE TRIGGER check_observation")
                .await?;
        }
        self.loaded.reports += take(&mut self.heads)
            .send(
                &transaction,
                "COPY reports (id, source_id, area_code, period_kind, period, first_day, last_day, state,
                    submitted_by, submitted_at, approved_by, approved_at) FROM STDIN",
            )
            .await?;
        self.loaded.observations += take(&mut self.observations)
            .send(
                &transaction,
                "COPY observations (id, report_id, measure_code, area_code, basis, gender, age_band, subject,
                    activity_form, value) FROM STDIN",
            )
            .await?;
        if self.owner {
            transaction
                .batch_execute("ALTER TABLE observations ENABLE TRIGGER check_observation")
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
