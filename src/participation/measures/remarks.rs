//! What is remarked on a measure: where its series breaks, and what a reader must know. Written with the measure.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{BreakRow, NoteRow};
use crate::values::{AreaCode, Line, Prose, WebAddress};

/// A place where a series starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"firstPeriod": "2018", "reasonSv": "Nytt frågeformulär från dataår 2018.",
    "reasonEn": "New questionnaire from data year 2018.", "sourceUrl": "https://www.kulturradet.se/"}))]
pub struct SeriesBreak {
    /// The first period of the new series: a year, or a school year like `2018/2019`.
    #[garde(dive)]
    pub first_period: Line,
    /// Why, in Swedish.
    #[garde(dive)]
    pub reason_sv: Prose,
    /// Why, in English.
    #[garde(dive)]
    pub reason_en: Prose,
    /// Where this was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
}

/// Something a reader of the measure must or should know, perhaps only of one area or period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"mandatory": true, "period": "2020", "textSv": "2020 är pandemiåret. Läs året för sig.",
    "textEn": "2020 is the year of the pandemic. Read the year on its own."}))]
pub struct MeasureNote {
    /// Whether every answer with the measure has to carry the note.
    #[garde(skip)]
    pub mandatory: bool,
    /// The area that the note is about; null is all.
    #[garde(dive)]
    #[serde(default)]
    pub area: Option<AreaCode>,
    /// The period that the note is about; null is all.
    #[garde(dive)]
    #[serde(default)]
    pub period: Option<Line>,
    /// The note in Swedish.
    #[garde(dive)]
    pub text_sv: Prose,
    /// The note in English.
    #[garde(dive)]
    pub text_en: Prose,
    /// Where this was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
}

impl SeriesBreak {
    /// As stored.
    #[must_use]
    pub fn from_row(row: BreakRow) -> Self {
        Self {
            first_period: Line::trusted(row.first_period),
            reason_sv: Prose::trusted(row.reason_sv),
            reason_en: Prose::trusted(row.reason_en),
            source_url: row.source_url.map(WebAddress::trusted),
        }
    }

    /// To be stored.
    #[must_use]
    pub fn row(&self, measure: &str) -> BreakRow {
        BreakRow {
            measure_code: measure.to_owned(),
            first_period: self.first_period.to_string(),
            reason_sv: self.reason_sv.to_string(),
            reason_en: self.reason_en.to_string(),
            source_url: self.source_url.as_ref().map(ToString::to_string),
        }
    }
}

impl MeasureNote {
    /// As stored.
    #[must_use]
    pub fn from_row(row: NoteRow) -> Self {
        Self {
            mandatory: row.mandatory,
            area: row.area_code.map(AreaCode::trusted),
            period: row.period.map(Line::trusted),
            text_sv: Prose::trusted(row.text_sv),
            text_en: Prose::trusted(row.text_en),
            source_url: row.source_url.map(WebAddress::trusted),
        }
    }

    /// To be stored at a position, counted from 0.
    #[must_use]
    pub fn row(&self, measure: &str, position: i32) -> NoteRow {
        NoteRow {
            measure_code: measure.to_owned(),
            position,
            mandatory: self.mandatory,
            area_code: self.area.as_ref().map(ToString::to_string),
            period: self.period.as_ref().map(ToString::to_string),
            text_sv: self.text_sv.to_string(),
            text_en: self.text_en.to_string(),
            source_url: self.source_url.as_ref().map(ToString::to_string),
        }
    }
}
