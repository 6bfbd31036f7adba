//! A table of statistics, before it has a format: dimensions, metrics, one row for each combination.
//!
//! JSON-stat, CSV, xlsx and NDJSON are written from this one shape, so the same cell is the same number in all of them.

use chrono::{DateTime, Utc};

use crate::http::lang::Lang;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Periods.
    Time,
    /// Places.
    Geo,
    /// Anything else.
    None,
}

/// A category of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its code, text with its leading zeros.
    pub code: String,
    /// What people read.
    pub label: Label,
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
    /// Its unit: percent, persons.
    pub unit: Label,
    /// Decimals to show.
    pub decimals: u8,
}

/// A row: one combination of categories.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// One number for each metric.
    pub values: Vec<Option<f64>>,
    /// Code of the status.
    pub status: &'static str,
    /// The status, for people.
    pub status_label: Label,
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
    /// Notes, mandatory ones first.
    pub notes: Vec<Note>,
    /// How to cite the table.
    pub citation: Label,
    /// Where the numbers come from.
    pub source: Label,
    /// When the publication was released.
    pub updated: DateTime<Utc>,
    /// The permanent address of this table.
    pub href: String,
    /// Whether the numbers are invented.
    pub synthetic: bool,
}

impl Table {
    /// The categories of a row by its place, one for each dimension.
    pub fn categories(&self, row: usize) -> impl Iterator<Item = &Category> {
        let mut stride: usize = self.dimensions.iter().map(|d| d.categories.len()).product();
        self.dimensions.iter().filter_map(move |dimension| {
            stride /= dimension.categories.len().max(1);
            let place = row / stride.max(1) % dimension.categories.len().max(1);
            dimension.categories.get(place)
        })
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
                .map(|code| Category {
                    code: (*code).to_owned(),
                    label: Label::same(*code),
                })
                .collect(),
        };
        let table = Table {
            name: String::new(),
            title: Label::default(),
            dimensions: vec![
                dimension("a", &["1", "2"]),
                dimension("b", &["x", "y", "z"]),
            ],
            metrics: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
            citation: Label::default(),
            source: Label::default(),
            updated: DateTime::default(),
            href: String::new(),
            synthetic: false,
        };
        let codes = |row| {
            table
                .categories(row)
                .map(|c| c.code.as_str())
                .collect::<String>()
        };
        assert_eq!(
            [codes(0), codes(1), codes(3), codes(5)],
            ["1x", "1y", "2x", "2z"]
        );
    }
}
