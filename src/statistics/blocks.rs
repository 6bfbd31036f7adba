//! Reading what a question needs: one statement for blocks of cells, one for quoted figures.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::codes::Level;
use crate::db::Conn;
use crate::participation::codes::{ObservationStatus, Precision};
use crate::schema::{publication_blocks, publication_figures, publication_raw_blocks};

/// Which numbers are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// The protected ones, for everybody.
    #[default]
    Protected,
    /// The reported ones, for the owners of the areas.
    Raw,
}

/// How much detail a question needs: the less, the fewer bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// Genders.
    Summary,
    /// Genders and ages.
    Ages,
    /// Everything.
    Detail,
}

/// What a publication says of one measure, basis, period and area; the cells are packed.
#[derive(Clone, Debug, Queryable)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration that makes the table"
)]
pub struct Block {
    pub measure: String,
    pub basis: String,
    pub period_no: i16,
    pub area: String,
    pub reported: i32,
    pub expected: i32,
    pub source_nos: Vec<i16>,
    pub cells: Vec<u8>,
    pub residents: Vec<u8>,
}

/// A figure as a source has published it.
#[derive(Clone, Debug, Queryable)]
#[expect(
    missing_docs,
    reason = "the columns are explained in the migration that makes the table"
)]
pub struct Figure {
    pub measure: String,
    pub basis: String,
    pub period_no: i16,
    pub area: String,
    pub gender: String,
    pub age_band: String,
    pub subject: String,
    pub activity_form: String,
    pub value: Option<f64>,
    pub status: ObservationStatus,
    pub precision: Precision,
    pub source_no: i16,
}

/// Which rows.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The publication.
    pub publication: Uuid,
    /// Measures and the basis of each.
    pub measures: Vec<(&'a str, &'a str)>,
    /// Levels of the areas.
    pub levels: Vec<Level>,
    /// The areas; none for all of the levels.
    pub areas: Option<Vec<&'a str>>,
    /// The periods.
    pub periods: &'a [i16],
}

impl Wanted<'_> {
    fn numbers(&self) -> Vec<i16> {
        self.levels.iter().map(|level| level.number()).collect()
    }

    fn codes(&self) -> Vec<&str> {
        self.measures.iter().map(|(code, _)| *code).collect()
    }

    fn bases(&self) -> Vec<&str> {
        let mut bases: Vec<&str> = self.measures.iter().map(|(_, basis)| *basis).collect();
        bases.sort_unstable();
        bases.dedup();
        bases
    }
}

/// The same statement for each table and column: diesel gives each its own type.
macro_rules! select {
    ($table:ident, $cells:ident, $conn:ident, $wanted:ident) => {{
        let mut query = $table::table
            .filter($table::publication_id.eq($wanted.publication))
            .filter($table::measure_code.eq_any($wanted.codes()))
            .filter($table::basis.eq_any($wanted.bases()))
            .filter($table::level.eq_any($wanted.numbers()))
            .filter($table::period_no.eq_any($wanted.periods))
            .select((
                $table::measure_code,
                $table::basis,
                $table::period_no,
                $table::area_code,
                $table::reported,
                $table::expected,
                $table::source_nos,
                $table::$cells,
                $table::residents,
            ))
            .into_boxed::<Pg>();
        if let Some(areas) = &$wanted.areas {
            query = query.filter($table::area_code.eq_any(areas));
        }
        query.load::<Block>(&mut $conn).await
    }};
}

/// The blocks, in no particular order.
///
/// # Errors
/// When the query fails.
pub async fn read(
    conn: &Conn,
    wanted: &Wanted<'_>,
    grain: Grain,
    base: Base,
) -> QueryResult<Vec<Block>> {
    if wanted.measures.is_empty() || wanted.levels.is_empty() {
        return Ok(Vec::new());
    }
    let mut conn = conn;
    match (base, grain) {
        (Base::Protected, Grain::Summary) => select!(publication_blocks, summary, conn, wanted),
        (Base::Protected, Grain::Ages) => select!(publication_blocks, ages, conn, wanted),
        (Base::Protected, Grain::Detail) => select!(publication_blocks, detail, conn, wanted),
        (Base::Raw, Grain::Summary) => select!(publication_raw_blocks, summary, conn, wanted),
        (Base::Raw, Grain::Ages) => select!(publication_raw_blocks, ages, conn, wanted),
        (Base::Raw, Grain::Detail) => select!(publication_raw_blocks, detail, conn, wanted),
    }
}

/// The codes of quoted figures that matter, for each dimension.
#[derive(Clone, Debug, Default)]
pub struct Codes<'a> {
    /// Genders.
    pub genders: Vec<&'a str>,
    /// Age bands.
    pub ages: Vec<&'a str>,
    /// Subjects.
    pub subjects: Vec<&'a str>,
    /// Forms of activity.
    pub forms: Vec<&'a str>,
}

/// The quoted figures, in no particular order.
///
/// # Errors
/// When the query fails.
pub async fn figures(
    conn: &Conn,
    wanted: &Wanted<'_>,
    codes: &Codes<'_>,
) -> QueryResult<Vec<Figure>> {
    if wanted.measures.is_empty() || wanted.levels.is_empty() {
        return Ok(Vec::new());
    }
    let mut conn = conn;
    let mut query = publication_figures::table
        .filter(publication_figures::publication_id.eq(wanted.publication))
        .filter(publication_figures::measure_code.eq_any(wanted.codes()))
        .filter(publication_figures::basis.eq_any(wanted.bases()))
        .filter(publication_figures::level.eq_any(wanted.numbers()))
        .filter(publication_figures::period_no.eq_any(wanted.periods))
        .filter(publication_figures::gender.eq_any(&codes.genders))
        .filter(publication_figures::age_band.eq_any(&codes.ages))
        .filter(publication_figures::subject.eq_any(&codes.subjects))
        .filter(publication_figures::activity_form.eq_any(&codes.forms))
        .select((
            publication_figures::measure_code,
            publication_figures::basis,
            publication_figures::period_no,
            publication_figures::area_code,
            publication_figures::gender,
            publication_figures::age_band,
            publication_figures::subject,
            publication_figures::activity_form,
            publication_figures::value,
            publication_figures::status,
            publication_figures::precision,
            publication_figures::source_no,
        ))
        .into_boxed::<Pg>();
    if let Some(areas) = &wanted.areas {
        query = query.filter(publication_figures::area_code.eq_any(areas));
    }
    query.load(&mut conn).await
}
