//! What a reader must know about a table, in one language: the first line of NDJSON and the head of the JSON cube.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::table::{Category, Table, Unit};
use crate::http::lang::Lang;

/// What a reader must know about a table.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TableMetadata)]
pub struct Metadata<'a> {
    /// Title.
    #[schema(example = "Andel elever")]
    title: &'a str,
    /// Name of the publication.
    #[schema(example = "2025.1")]
    publication: &'a str,
    /// When it was released (RFC 3339).
    #[schema(format = DateTime, example = "2026-03-01T08:00:00Z")]
    updated: String,
    /// How small numbers are protected: `keyed-rounding-5`, or `none`.
    #[schema(example = "keyed-rounding-5")]
    protection: &'static str,
    /// Whether the numbers are invented.
    synthetic: bool,
    /// Permanent address of this table.
    #[schema(
        example = "https://samverkan.example.org/samverkan/v1/statistics/participation?measure=pupils_share&publication=2025.1"
    )]
    href: &'a str,
    /// How to cite the table.
    #[schema(example = "Samverkan, publicering 2025.1")]
    citation: &'a str,
    /// Where the numbers come from.
    #[schema(example = "Kulturskolerådet")]
    source: &'a str,
    /// Notes; the mandatory ones come first and belong to every use of the numbers.
    notes: Vec<NoteText<'a>>,
    /// What the words mean.
    definitions: Vec<DefinitionText<'a>>,
    /// The dimensions in their order; the last one runs fastest.
    dimensions: Vec<DimensionText<'a>>,
    /// The numbers of each row.
    metrics: Vec<MetricText<'a>>,
    /// What the codes of statuses mean.
    statuses: Vec<CategoryText<'a>>,
    /// What the JSON of the answer says beside its rows, under the same names: `summary`, `trends`.
    #[schema(value_type = Object, example = json!({"summary": {"ranked": 284, "missing": 6, "median": 11.2}}))]
    beside: BTreeMap<&'static str, &'a Value>,
}

/// A note on a table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableNote)]
struct NoteText<'a> {
    /// Whether it must be shown with the numbers.
    mandatory: bool,
    /// The note.
    #[schema(example = "Från 2018 räknas även öppen verksamhet.")]
    text: &'a str,
}

/// What a word of a table means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableDefinition)]
struct DefinitionText<'a> {
    /// The word.
    #[schema(example = "Andel elever")]
    term: &'a str,
    /// Its meaning.
    #[schema(example = "Elever i procent av invånarna i åldern 6–19 år.")]
    text: &'a str,
}

/// A dimension of a table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableDimension)]
struct DimensionText<'a> {
    /// Its name: the member of rows, and the column.
    #[schema(example = "area")]
    code: &'static str,
    /// Its label.
    #[schema(example = "Område")]
    label: &'a str,
    /// Its role in the words of JSON-stat: `time`, `geo`, `metric`, or null.
    #[schema(example = "geo")]
    role: Option<&'static str>,
    /// Its categories in their order.
    categories: Vec<CategoryText<'a>>,
}

/// A category of a dimension.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableCategory)]
struct CategoryText<'a> {
    /// Its code.
    #[schema(example = "1880")]
    code: &'a str,
    /// Its label.
    #[schema(example = "Örebro")]
    label: &'a str,
    /// The unit, if the category is a measure.
    unit: Option<UnitText<'a>>,
}

/// A number of each row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableMetric)]
struct MetricText<'a> {
    /// Its name: the member of rows, and the column.
    #[schema(example = "value")]
    code: &'static str,
    /// Its label.
    #[schema(example = "Värde")]
    label: &'a str,
    /// Its unit; null if it is that of the measure.
    unit: Option<UnitText<'a>>,
}

/// What numbers are counted in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TableUnit)]
struct UnitText<'a> {
    /// Its label.
    #[schema(example = "procent")]
    label: &'a str,
    /// Decimals to show.
    #[schema(example = 1)]
    decimals: u8,
}

impl<'a> Metadata<'a> {
    /// Of a table, in one language.
    #[must_use]
    pub fn new(table: &'a Table, lang: Lang) -> Self {
        let unit = |unit: &'a Unit| UnitText {
            label: unit.label.get(lang),
            decimals: unit.decimals,
        };
        let categories = |categories: &'a [Category]| {
            categories
                .iter()
                .map(|category| CategoryText {
                    code: &category.code,
                    label: category.label.get(lang),
                    unit: category.unit.as_ref().map(unit),
                })
                .collect()
        };
        Self {
            title: table.title.get(lang),
            publication: &table.publication,
            updated: super::moment(table.updated),
            protection: table.protection,
            synthetic: table.synthetic,
            href: &table.href,
            citation: table.citation.get(lang),
            source: table.source.get(lang),
            notes: table
                .notes
                .iter()
                .map(|note| NoteText {
                    mandatory: note.mandatory,
                    text: note.text.get(lang),
                })
                .collect(),
            definitions: table
                .definitions
                .iter()
                .map(|definition| DefinitionText {
                    term: definition.term.get(lang),
                    text: definition.text.get(lang),
                })
                .collect(),
            dimensions: table
                .dimensions
                .iter()
                .map(|dimension| DimensionText {
                    code: dimension.code,
                    label: dimension.label.get(lang),
                    role: dimension.role.as_str(),
                    categories: categories(&dimension.categories),
                })
                .collect(),
            metrics: table
                .metrics
                .iter()
                .map(|metric| MetricText {
                    code: metric.code,
                    label: metric.label.get(lang),
                    unit: metric.unit.as_ref().map(unit),
                })
                .collect(),
            statuses: categories(&table.statuses),
            beside: table
                .beside
                .iter()
                .map(|beside| (beside.code, &beside.value))
                .collect(),
        }
    }
}
