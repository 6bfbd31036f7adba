//! A table of statistics, before it has a format: dimensions, metrics, one row for each combination.
//!
//! JSON-stat, the JSON cube, CSV, xlsx and NDJSON are written from this one shape, so the same cell is the same number
//! in all of them.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use super::beside::Beside;
use crate::http::lang::Lang;

/// The status that needs no mention: the number is there, and it is as it was reported.
pub const REPORTED: &str = "reported";

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

impl Label {
    /// Of both.
    pub fn new(sv: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            sv: sv.into(),
            en: en.into(),
        }
    }

    /// The same in both languages: a name.
    pub fn same(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            sv: name.clone(),
            en: name,
        }
    }

    /// In one language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Sv => &self.sv,
            Lang::En => &self.en,
        }
    }
}

/// What a dimension is of, in the words of JSON-stat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Periods.
    Time,
    /// Places.
    Geo,
    /// Measures: what the numbers are of. Its categories have units.
    Metric,
    /// Anything else.
    #[default]
    None,
}

impl Role {
    /// The word of JSON-stat.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Time => Some("time"),
            Self::Geo => Some("geo"),
            Self::Metric => Some("metric"),
            Self::None => None,
        }
    }
}

/// What numbers are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Percent, persons.
    pub label: Label,
    /// Decimals to show.
    pub decimals: u8,
}

/// A category of a dimension, or a code of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its code, text with its leading zeros.
    pub code: String,
    /// What people read.
    pub label: Label,
    /// The unit, if the category is a measure.
    pub unit: Option<Unit>,
}

impl Category {
    /// A category without a unit.
    pub fn new(code: impl Into<String>, label: Label) -> Self {
        Self {
            code: code.into(),
            label,
            unit: None,
        }
    }

    /// The same, counted in this unit.
    #[must_use]
    pub fn of_unit(self, unit: Unit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }
}

/// A dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its name in the API, camelCase: `area`, `period`, `ageBand`.
    pub code: &'static str,
    /// What people read.
    pub label: Label,
    /// Its role.
    pub role: Role,
    /// The categories in their order.
    pub categories: Vec<Category>,
}

/// A number that every row has: the value, and what was asked for beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in the API: `value`, `numerator`, `denominator`.
    pub code: &'static str,
    /// What people read.
    pub label: Label,
    /// Its unit; none if it is that of the row's measure.
    pub unit: Option<Unit>,
}

impl Metric {
    /// A metric in the unit of the measure.
    #[must_use]
    pub fn new(code: &'static str, label: Label) -> Self {
        Self {
            code,
            label,
            unit: None,
        }
    }

    /// The same, counted in this unit whatever the measure.
    #[must_use]
    pub fn of_unit(self, unit: Unit) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }
}

/// A row: one combination of categories.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// One number for each metric, as it is to be shown.
    pub values: Vec<Option<f64>>,
    /// Code of the status.
    pub status: &'static str,
    /// Why there is no number, or what is special about it.
    pub remark: Option<Label>,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether every reader must see it.
    pub mandatory: bool,
    /// The note.
    pub text: Label,
}

/// What a word of the table means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The word: a measure, an age band.
    pub term: Label,
    /// Its meaning.
    pub text: Label,
}

/// A table. `rows` are dense and in row-major order: the last dimension runs fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// A short name for files: `participation-2025.1`.
    pub name: String,
    /// Title.
    pub title: Label,
    /// The dimensions.
    pub dimensions: Vec<Dimension>,
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// One row for each combination.
    pub rows: Vec<Row>,
    /// The codes that `Row::status` may be.
    pub statuses: Vec<Category>,
    /// Notes, mandatory ones first.
    pub notes: Vec<Note>,
    /// What the words mean.
    pub definitions: Vec<Definition>,
    /// What stands beside the rows.
    pub beside: Vec<Beside>,
    /// How to cite the table.
    pub citation: Label,
    /// Where the numbers come from.
    pub source: Label,
    /// When the publication was released.
    pub updated: DateTime<Utc>,
    /// The permanent address of this table.
    pub href: String,
    /// The name of the publication.
    pub publication: String,
    /// How small numbers are protected: `keyed-rounding-5`, or `none`.
    pub protection: &'static str,
    /// Whether the numbers are invented.
    pub synthetic: bool,
    /// Whether small groups can be seen in it: it is for the owners of the areas only.
    pub unprotected: bool,
}

/// Said on every sheet of invented numbers.
#[must_use]
pub fn synthetic_warning() -> Label {
    Label::new(
        "Påhittade uppgifter: visar hur tjänsten fungerar och säger ingenting om verkligheten.",
        "Invented data: they show how the service works and say nothing of the real world.",
    )
}

impl Table {
    /// A table of a name and a title, and nothing in it.
    #[must_use]
    pub fn empty(name: impl Into<String>, title: Label) -> Self {
        Self {
            name: name.into(),
            title,
            dimensions: Vec::new(),
            metrics: Vec::new(),
            rows: Vec::new(),
            statuses: Vec::new(),
            notes: Vec::new(),
            definitions: Vec::new(),
            beside: Vec::new(),
            citation: Label::default(),
            source: Label::default(),
            updated: DateTime::UNIX_EPOCH,
            href: String::new(),
            publication: String::new(),
            protection: "none",
            synthetic: false,
            unprotected: false,
        }
    }

    /// The categories of a row by its place, one for each dimension.
    pub fn categories(&self, row: usize) -> impl Iterator<Item = &Category> {
        let mut stride = self.combinations();
        self.dimensions.iter().filter_map(move |dimension| {
            stride /= dimension.categories.len().max(1);
            let place = row / stride.max(1) % dimension.categories.len().max(1);
            dimension.categories.get(place)
        })
    }

    /// How many combinations the categories make: the rows of the whole table.
    #[must_use]
    pub fn combinations(&self) -> usize {
        self.dimensions.iter().map(|d| d.categories.len()).product()
    }

    /// The unit of a metric in a row: its own, or that of the row's measure.
    #[must_use]
    pub fn unit<'a>(&'a self, row: usize, metric: &'a Metric) -> Option<&'a Unit> {
        metric.unit.as_ref().or_else(|| {
            self.categories(row)
                .find_map(|category| category.unit.as_ref())
        })
    }

    /// What a code of a status means.
    #[must_use]
    pub fn status_label(&self, code: &str, lang: Lang) -> &str {
        self.statuses
            .iter()
            .find(|status| status.code == code)
            .map_or("", |status| status.label.get(lang))
    }

    /// A name for a file without its ending: what is not a letter, a digit, a point or a hyphen becomes a hyphen.
    /// Invented numbers and unprotected ones say so even in the name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let mut name: String = self
            .name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        if self.synthetic {
            name.push_str("-synthetic");
        }
        if self.unprotected {
            name.push_str("-unprotected");
        }
        name
    }
}

/// A number as every text format writes it: whole ones without a fraction, others with as few digits as tell them
/// apart, and what is no number not at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub Option<f64>);

impl Number {
    /// The number, unless it is missing, endless or undefined.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        self.0.filter(|number| number.is_finite())
    }
}

/// The largest whole number up to which each whole number is a `f64` of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.finite() {
            None => serializer.serialize_none(),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number below 2^53 has nothing to lose"
            )]
            Some(whole) if whole.fract() == 0.0 && whole.abs() <= EXACT => {
                serializer.serialize_i64(whole as i64)
            }
            Some(number) => serializer.serialize_f64(number),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.finite() {
            None => Ok(()),
            // Zero has no sign in statistics.
            Some(number) => write!(f, "{}", if number == 0.0 { 0.0 } else { number }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_dimension_runs_fastest() {
        let dimension = |code, codes: &[&str]| Dimension {
            code,
            label: Label::same(code),
            role: Role::None,
            categories: codes
                .iter()
                .map(|code| Category::new(*code, Label::same(*code)))
                .collect(),
        };
        let table = Table {
            dimensions: vec![
                dimension("a", &["1", "2"]),
                dimension("b", &["x", "y", "z"]),
            ],
            ..Table::empty("", Label::default())
        };
        let codes = |row| {
            table
                .categories(row)
                .map(|c| c.code.as_str())
                .collect::<String>()
        };
        assert_eq!(table.combinations(), 6);
        assert_eq!(
            [codes(0), codes(1), codes(3), codes(5)],
            ["1x", "1y", "2x", "2z"]
        );
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let both = |number| {
            let number = Number(number);
            (number.to_string(), serde_json::to_string(&number).unwrap())
        };
        let pair = |text: &str, json: &str| (text.to_owned(), json.to_owned());
        assert_eq!(both(Some(12.0)), pair("12", "12"));
        assert_eq!(both(Some(-0.0)), pair("0", "0"));
        assert_eq!(both(Some(12.25)), pair("12.25", "12.25"));
        assert_eq!(both(Some(f64::NAN)), pair("", "null"));
        assert_eq!(both(None), pair("", "null"));
    }

    #[test]
    fn a_file_name_is_harmless() {
        let name = |name, synthetic| {
            Table {
                synthetic,
                ..Table::empty(name, Label::default())
            }
            .file_name()
        };
        assert_eq!(name("participation-2025.1", false), "participation-2025.1");
        assert_eq!(name("a\"b/å\r\n", true), "a-b-----synthetic");
    }
}
