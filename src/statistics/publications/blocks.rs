//! Writing the sums of a publication: two tables of blocks and one of figures, with COPY, some thousand rows at a time.

use std::collections::BTreeSet;
use std::pin::pin;

use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::plain::Stopped;
use crate::statistics::cube::{Additive, Cell, Residents, folded, pack};

/// How many bytes of blocks are collected before they are written.
const FULL: usize = 4 << 20;
/// How many figures are.
const MANY: usize = 5_000;

/// What a block is of.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct Place<'a> {
    pub measure: &'a str,
    pub basis: &'a str,
    pub level: i16,
    pub period_no: i16,
    pub area: &'a str,
    pub reported: i32,
    pub expected: i32,
    pub source_nos: &'a BTreeSet<i16>,
    pub residents: &'a [Residents],
    pub additive: Additive,
}

/// A figure that passes as it is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the columns are explained in the migration")]
pub struct Figure {
    pub measure: String,
    pub basis: String,
    pub level: i16,
    pub period_no: i16,
    pub area: String,
    pub gender: String,
    pub age_band: String,
    pub subject: String,
    pub activity_form: String,
    pub value: Option<f64>,
    pub status: String,
    pub precision: String,
    pub source_no: i16,
    pub note: Option<String>,
}

/// A packed block.
struct Packed {
    measure: String,
    basis: String,
    level: i16,
    period_no: i16,
    area: String,
    reported: i32,
    expected: i32,
    source_nos: Vec<i16>,
    residents: Vec<u8>,
    protected: [Vec<u8>; 3],
    raw: [Vec<u8>; 3],
}

/// Collects rows and writes them.
pub struct Writer<'c> {
    /// Without one, everything is counted and nothing written: a dry run.
    client: Option<&'c Client>,
    publication: Uuid,
    blocks: Vec<Packed>,
    bytes: usize,
    figures: Vec<Figure>,
    /// How many blocks there are.
    pub block_count: u64,
    /// How many protected cells they hold in detail.
    pub cell_count: u64,
    /// How many figures there are.
    pub figure_count: u64,
}

impl<'c> Writer<'c> {
    /// For a publication.
    #[must_use]
    pub fn new(client: Option<&'c Client>, publication: Uuid) -> Self {
        Self {
            client,
            publication,
            blocks: Vec::new(),
            bytes: 0,
            figures: Vec::new(),
            block_count: 0,
            cell_count: 0,
            figure_count: 0,
        }
    }

    /// Adds a block; it is written with the next [`Self::flush`].
    ///
    /// # Errors
    /// When packing fails.
    pub fn block(
        &mut self,
        place: &Place<'_>,
        protected: &[Cell],
        raw: &[Cell],
    ) -> Result<(), Stopped> {
        self.block_count += 1;
        self.cell_count += protected.len() as u64;
        if self.client.is_none() {
            return Ok(());
        }
        let three = |cells: &[Cell]| {
            Ok::<_, postcard::Error>([
                pack(&folded(cells, place.additive, false))?,
                pack(&folded(cells, place.additive, true))?,
                pack(cells)?,
            ])
        };
        let packed = Packed {
            measure: place.measure.to_owned(),
            basis: place.basis.to_owned(),
            level: place.level,
            period_no: place.period_no,
            area: place.area.to_owned(),
            reported: place.reported,
            expected: place.expected,
            source_nos: place.source_nos.iter().copied().collect(),
            residents: pack(place.residents)?,
            protected: three(protected)?,
            raw: three(raw)?,
        };
        let columns = packed.protected.iter().chain(&packed.raw);
        self.bytes += columns.map(Vec::len).sum::<usize>() + 2 * packed.residents.len() + 200;
        self.blocks.push(packed);
        Ok(())
    }

    /// Adds a figure.
    pub fn figure(&mut self, figure: Figure) {
        self.figure_count += 1;
        if self.client.is_some() {
            self.figures.push(figure);
        }
    }

    /// Writes what was collected, if it is much.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn relieve(&mut self) -> Result<(), Stopped> {
        if self.bytes >= FULL || self.figures.len() >= MANY {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what was collected.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn flush(&mut self) -> Result<(), Stopped> {
        let Some(client) = self.client else {
            return Ok(());
        };
        let blocks = std::mem::take(&mut self.blocks);
        self.bytes = 0;
        if !blocks.is_empty() {
            for (sql, protected) in [(COPY_BLOCKS, true), (COPY_RAW, false)] {
                copy_blocks(client, sql, self.publication, &blocks, protected).await?;
            }
        }
        let figures = std::mem::take(&mut self.figures);
        if !figures.is_empty() {
            copy_figures(client, self.publication, &figures).await?;
        }
        Ok(())
    }
}

const COPY_BLOCKS: &str = "COPY publication_blocks (publication_id, measure_code, basis, level, period_no, area_code, reported, expected, source_nos, summary, ages, detail, residents) FROM STDIN BINARY";
const COPY_RAW: &str = "COPY publication_raw_blocks (publication_id, measure_code, basis, level, period_no, area_code, reported, expected, source_nos, summary, ages, detail, residents) FROM STDIN BINARY";
const COPY_FIGURES: &str = "COPY publication_figures (publication_id, measure_code, basis, level, period_no, area_code, gender, age_band, subject, activity_form, value, status, precision, source_no, note) FROM STDIN BINARY";

async fn copy_blocks(
    client: &Client,
    sql: &str,
    publication: Uuid,
    blocks: &[Packed],
    protected: bool,
) -> Result<(), Stopped> {
    use Type as T;
    let types = [
        T::UUID,
        T::TEXT,
        T::TEXT,
        T::INT2,
        T::INT2,
        T::TEXT,
        T::INT4,
        T::INT4,
        T::INT2_ARRAY,
        T::BYTEA,
        T::BYTEA,
        T::BYTEA,
        T::BYTEA,
    ];
    let sink = client.copy_in(sql).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for block in blocks {
        let [summary, ages, detail] = if protected {
            &block.protected
        } else {
            &block.raw
        };
        let row: [&(dyn ToSql + Sync); 13] = [
            &publication,
            &block.measure,
            &block.basis,
            &block.level,
            &block.period_no,
            &block.area,
            &block.reported,
            &block.expected,
            &block.source_nos,
            summary,
            ages,
            detail,
            &block.residents,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

async fn copy_figures(
    client: &Client,
    publication: Uuid,
    figures: &[Figure],
) -> Result<(), Stopped> {
    use Type as T;
    let types = [
        T::UUID,
        T::TEXT,
        T::TEXT,
        T::INT2,
        T::INT2,
        T::TEXT,
        T::TEXT,
        T::TEXT,
        T::TEXT,
        T::TEXT,
        T::FLOAT8,
        T::TEXT,
        T::TEXT,
        T::INT2,
        T::TEXT,
    ];
    let sink = client.copy_in(COPY_FIGURES).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for figure in figures {
        let row: [&(dyn ToSql + Sync); 15] = [
            &publication,
            &figure.measure,
            &figure.basis,
            &figure.level,
            &figure.period_no,
            &figure.area,
            &figure.gender,
            &figure.age_band,
            &figure.subject,
            &figure.activity_form,
            &figure.value,
            &figure.status,
            &figure.precision,
            &figure.source_no,
            &figure.note,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}
