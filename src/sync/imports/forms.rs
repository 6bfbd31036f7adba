//! What is asked and answered at `/imports`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::codes::{ImportFormat, ImportMode, ImportState, ImportStrategy, RowOutcome};
use super::columns::columns;
use super::model::{ImportRow, OutcomeRow};
use super::outcome::{Counts, FileFault, RowError, RowResult, Said};
use super::plan::Plan;
use super::run::Answer;
use super::types::ImportType;
use crate::http::params::AnyOf;
use crate::values::AreaCode;

/// What is to be done with a file.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// What the rows are. It must be said: without it the answer is 400.
    #[serde(rename = "type")]
    #[param(example = "partners")]
    pub resource: Option<ImportType>,
    /// Whether all rows are written or none, or those that are good.
    #[serde(default = "atomic")]
    #[param(default = "atomic", value_type = Option<ImportMode>)]
    pub mode: ImportMode,
    /// What is done with a row that is there already, or is not.
    #[serde(default = "upsert")]
    #[param(default = "upsert", value_type = Option<ImportStrategy>)]
    pub strategy: ImportStrategy,
    /// Says what would happen: the same transaction, taken back.
    #[serde(default)]
    #[param(default = false, value_type = Option<bool>)]
    pub dry_run: bool,
    /// Submits the reports of a file of observations. In a partial import: those of which no row was refused.
    #[serde(default)]
    #[param(default = false, value_type = Option<bool>)]
    pub submit: bool,
    /// With `strategy=replace`: the areas, with all inside them, whose rows the file is all of, comma separated. Without
    /// it: exactly the areas of its rows. Observations are replaced by report.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub scope: Option<AnyOf<AreaCode>>,
    /// With `strategy=replace`: how many rows the file deletes, if that is more than a fifth.
    #[param(minimum = 0, example = 12)]
    pub confirm_delete: Option<i64>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<crate::http::lang::Lang>,
}

fn atomic() -> ImportMode {
    ImportMode::Atomic
}

fn upsert() -> ImportStrategy {
    ImportStrategy::Upsert
}

/// Filters of `/imports`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportFilter {
    /// Kinds of rows, comma separated.
    #[serde(rename = "type")]
    #[param(value_type = Option<Vec<ImportType>>, style = Form, explode = false)]
    pub resource: Option<AnyOf<ImportType>>,
    /// States, comma separated.
    #[param(value_type = Option<Vec<ImportState>>, style = Form, explode = false)]
    pub state: Option<AnyOf<ImportState>>,
    /// Whose they are. No parameter.
    #[serde(skip)]
    #[param(ignore)]
    pub client: String,
}

/// Filters of `/imports/{importId}/rows`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OutcomeFilter {
    /// Outcomes, comma separated.
    #[param(value_type = Option<Vec<RowOutcome>>, style = Form, explode = false)]
    pub outcome: Option<AnyOf<RowOutcome>>,
    /// Of which import; none shows no rows. No parameter.
    #[serde(skip)]
    #[param(ignore)]
    pub import: Option<Uuid>,
}

/// The columns of a kind of rows.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ImportTemplate)]
pub struct TemplateOut {
    /// What the rows are.
    #[serde(rename = "type")]
    pub resource: ImportType,
    /// The columns that are written, in their order.
    pub columns: Vec<TemplateColumn>,
}

/// A column of a file.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportColumn)]
pub struct TemplateColumn {
    /// The member that it holds; a heading by itself.
    #[schema(example = "orgNumber")]
    pub field: &'static str,
    /// The heading in both languages.
    pub heading: Said,
    /// Whether a new row must have a value.
    #[schema(example = false)]
    pub required: bool,
    /// What is to be written in it.
    pub explanation: Said,
}

impl TemplateOut {
    /// Of these rows.
    #[must_use]
    pub fn of(resource: ImportType) -> Self {
        let written = columns(resource)
            .iter()
            .filter(|column| column.is_written());
        let columns = written.map(|column| TemplateColumn {
            field: column.field,
            heading: Said {
                sv: column.sv.to_owned(),
                en: column.en.to_owned(),
            },
            required: column.is_required(),
            explanation: Said::from(&column.explanation()),
        });
        Self {
            resource,
            columns: columns.collect(),
        }
    }
}

/// An import: a file, what was to be done with it, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Import)]
pub struct ImportOut {
    /// Id, made by the service (UUID version 7). Null after a small dry run, of which nothing is kept.
    pub id: Option<Uuid>,
    /// What the rows are.
    #[serde(rename = "type")]
    pub resource: ImportType,
    /// What the file is.
    pub format: ImportFormat,
    /// All rows or none, or those that are good.
    pub mode: ImportMode,
    /// What is done with rows that are there.
    pub strategy: ImportStrategy,
    /// Whether it was only tried; then nothing of what the counts say is written.
    pub dry_run: bool,
    /// Whether reports are submitted.
    pub submit: bool,
    /// The areas that a replacing file stands for, if they were named.
    #[serde(rename = "scopeAreas")]
    pub scope: Option<Vec<String>>,
    /// How many rows a replacing file may delete, if that was said.
    #[schema(example = 12)]
    pub confirm_delete: Option<i64>,
    /// Where it stands.
    pub state: ImportState,
    /// How many rows the file has; null before it was looked through.
    #[schema(example = 300)]
    pub total: Option<i64>,
    /// How many of them are done.
    #[schema(example = 300)]
    pub done: i64,
    /// How many rows have which outcome. Of an atomic import: none before it is done.
    pub counts: Counts,
    /// Why all of it was refused, or failed.
    pub faults: Vec<FileFault>,
    /// Whether it is asked to stop.
    pub cancel_asked: bool,
    /// What became of each row, in the order of the file. Only in the answer to an import that is done at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<OutcomeOut>>,
    /// Counts the changes of the import; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was asked for (UTC). Null after a small dry run.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last went on (UTC). Null after a small dry run.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: Option<DateTime<Utc>>,
    /// When it ended (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub finished_at: Option<DateTime<Utc>>,
}

/// What became of a row.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportRow)]
pub struct OutcomeOut {
    /// Where it stands in the file, from 0. Rows that `replace` deletes come after them all.
    #[schema(example = 15)]
    pub position: i64,
    /// The line of the spreadsheet, of which 1 is the headings', or the number of the JSON row from 1; null for a row that
    /// is not in the file.
    #[schema(example = 17)]
    pub line: Option<i64>,
    /// What became of it.
    pub outcome: RowOutcome,
    /// The key of the row that was written; of an observation, the id of its report.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Option<String>,
    /// Its version as the import left it; none of observations, whose report has one.
    #[schema(example = 2)]
    pub version: Option<i64>,
    /// What is wrong with it.
    pub errors: Vec<RowError>,
    /// What was read otherwise than it was written: a code whose leading zero was missing, for instance. Nothing is wrong
    /// with it, but somebody should look.
    pub notes: Vec<RowError>,
    /// On conflict: what is there now.
    #[schema(value_type = Option<Object>)]
    pub existing: Option<Value>,
}

impl ImportOut {
    /// An import as stored.
    #[must_use]
    pub fn from_row(row: ImportRow, rows: Option<Vec<OutcomeRow>>) -> Self {
        let counts = row.counts();
        Self {
            id: Some(row.id),
            resource: row.resource,
            format: row.format,
            mode: row.mode,
            strategy: row.strategy,
            dry_run: row.dry_run,
            submit: row.submit,
            scope: row.scope,
            confirm_delete: row.confirm_delete,
            state: row.state,
            total: row.total,
            done: row.done,
            counts,
            faults: serde_json::from_value(row.faults).unwrap_or_default(),
            cancel_asked: row.cancel_asked,
            rows: rows.map(|rows| rows.into_iter().map(OutcomeOut::from_row).collect()),
            version: row.version,
            created_at: Some(row.created_at),
            updated_at: Some(row.updated_at),
            finished_at: row.finished_at,
        }
    }

    /// A dry run, of which nothing is kept.
    #[must_use]
    pub fn tried(plan: &Plan, answer: Answer) -> Self {
        let Answer { end, rows } = answer;
        Self {
            id: None,
            resource: plan.resource,
            format: plan.format,
            mode: plan.mode,
            strategy: plan.strategy,
            dry_run: plan.dry_run,
            submit: plan.submit,
            scope: plan.scope.clone(),
            confirm_delete: plan.confirm_delete,
            state: end.state,
            total: end.progress.total,
            done: end.progress.done,
            counts: end.progress.counts,
            faults: serde_json::from_value(end.faults).unwrap_or_default(),
            cancel_asked: false,
            rows: Some(rows.into_iter().map(OutcomeOut::from_result).collect()),
            version: 1,
            created_at: None,
            updated_at: None,
            finished_at: None,
        }
    }
}

impl OutcomeOut {
    /// As stored.
    #[must_use]
    pub fn from_row(row: OutcomeRow) -> Self {
        let told = |told: Option<Value>| -> Vec<RowError> {
            let told = told.map(serde_json::from_value);
            told.and_then(Result::ok).unwrap_or_default()
        };
        Self {
            position: row.position,
            line: row.line,
            outcome: row.outcome,
            id: row.entity,
            version: row.version,
            errors: told(row.errors),
            notes: told(row.notes),
            existing: row.existing,
        }
    }

    fn from_result(row: RowResult) -> Self {
        Self {
            position: row.position,
            line: row.line,
            outcome: row.outcome,
            id: row.entity,
            version: row.version,
            errors: row.errors,
            notes: row.notes,
            existing: row.existing,
        }
    }
}
