//! The JSON cube: the dimensions once, then dense arrays. A tenth of the rows' size, and easy to index.

use serde::Serialize;
use utoipa::ToSchema;

use super::metadata::Metadata;
use super::table::{Number, Table};
use crate::http::lang::Lang;

/// A table as dense arrays. The place of a cell is row-major: the last dimension runs fastest.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatisticsCube)]
pub struct Cube<'a> {
    /// What the numbers are.
    metadata: Metadata<'a>,
    /// How many categories each dimension has.
    #[schema(example = json!([1, 290, 5]))]
    size: Vec<usize>,
    /// The numbers, one array for each metric.
    values: Vec<Values<'a>>,
    /// The status of each cell.
    #[schema(example = json!(["reported"]))]
    statuses: Vec<&'static str>,
    /// What is special about single cells.
    remarks: Vec<Remark<'a>>,
}

/// The numbers of one metric.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CubeValues)]
struct Values<'a> {
    /// The metric.
    #[schema(example = "value")]
    metric: &'a str,
    /// One number for each cell; null where there is none.
    #[schema(value_type = Vec<Option<f64>>, example = json!([12.5, null]))]
    values: Vec<Number>,
}

/// What is special about a cell.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CubeRemark)]
struct Remark<'a> {
    /// Its place in the arrays, from 0.
    #[schema(example = 3)]
    cell: usize,
    /// The remark.
    #[schema(example = "Två av tre kommuner har rapporterat.")]
    text: &'a str,
}

/// Writes a table as a JSON cube.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(table: &Table, lang: Lang) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Cube {
        metadata: Metadata::new(table, lang),
        size: table
            .dimensions
            .iter()
            .map(|dimension| dimension.categories.len())
            .collect(),
        values: table
            .metrics
            .iter()
            .enumerate()
            .map(|(place, metric)| Values {
                metric: metric.code,
                values: table
                    .rows
                    .iter()
                    .map(|row| Number(row.values.get(place).copied().flatten()))
                    .collect(),
            })
            .collect(),
        statuses: table.rows.iter().map(|row| row.status).collect(),
        remarks: table
            .rows
            .iter()
            .enumerate()
            .filter_map(|(cell, row)| {
                Some(Remark {
                    cell,
                    text: row.remark.as_ref()?.get(lang),
                })
            })
            .collect(),
    })
}
