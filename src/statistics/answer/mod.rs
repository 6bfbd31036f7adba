//! An answer for people and programs: what every answer of the statistics says of itself, and its numbers as rows or
//! as a table.

pub mod head;
pub mod notes;
pub mod rows;
pub mod table;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::head::Head;
pub use self::table::{head as table_head, rows as table_rows, table};
use super::codes::Included;
use super::deliver::{self, Form};
use super::frozen::Frozen;
use super::rates::Answer;
use crate::formats::table::Table;

/// What `/statistics/participation` answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ParticipationStatistics)]
pub struct ParticipationOut {
    /// What the answer says of itself.
    #[serde(flatten)]
    pub head: Head,
    /// One for each combination of measure, place, period and group.
    pub rows: Vec<rows::RowOut>,
}

/// An evaluated answer with what is needed to write it.
pub struct Evaluated {
    /// The publication.
    pub frozen: Arc<Frozen>,
    /// The numbers.
    pub answer: Answer,
    /// What to show beside the values.
    pub included: Vec<Included>,
}

impl deliver::Answer for Evaluated {
    type Body = ParticipationOut;

    fn body(&self, form: &Form) -> ParticipationOut {
        ParticipationOut {
            head: Head::of(&self.frozen, &self.answer, &form.permanent_url, form.lang),
            rows: rows::rows(&self.frozen, &self.answer, &self.included, form.lang),
        }
    }

    fn table(&self, form: &Form) -> Table {
        table(
            &self.frozen,
            &self.answer,
            &self.included,
            &form.permanent_url,
        )
    }
}
