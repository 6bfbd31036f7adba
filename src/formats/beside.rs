//! What an answer says beside its rows: summaries, trends, lists of places. They are no cells of the table, and every
//! format that has room for more than one table tells them all the same.

use serde::Serialize;
use serde_json::{Map, Value};

use super::read::Cell;
use super::sheet;
use super::table::Label;
use crate::http::lang::Lang;

/// A member of the JSON, and what people call it: in Swedish, in English.
pub type Word = (&'static str, &'static str, &'static str);

/// Something that stands beside the rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// Its name in the JSON of the answer: `summary`, `trends`.
    pub code: &'static str,
    /// What people read, also the name of its sheet.
    pub label: Label,
    /// What it says, as the JSON of the answer does: an object, or a list of objects.
    pub value: Value,
    /// What its members are called. A member without a word is called by its name.
    pub words: &'static [Word],
}

/// One table of a workbook, made of what stands beside the rows.
#[derive(Debug)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub headings: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Cell>>,
}

impl Beside {
    /// Of what the JSON of the answer has.
    #[must_use]
    pub fn new(
        code: &'static str,
        label: Label,
        words: &'static [Word],
        said: &impl Serialize,
    ) -> Self {
        Self {
            code,
            label,
            value: serde_json::to_value(said).unwrap_or_default(),
            words,
        }
    }

    /// As sheets: a list as rows with a heading for each member, an object as a row for each member, and each list inside
    /// an object on a sheet of its own.
    #[must_use]
    pub fn sheets(&self, lang: Lang) -> Vec<Sheet> {
        let name = self.label.get(lang).to_owned();
        match &self.value {
            Value::Array(list) => vec![self.list(name, list, lang)],
            Value::Object(object) => {
                let mut figures = Sheet {
                    name,
                    headings: vec![
                        lang.pick("Uppgift", "Figure").to_owned(),
                        lang.pick("Värde", "Value").to_owned(),
                    ],
                    rows: Vec::new(),
                };
                let mut lists = Vec::new();
                for (path, value) in flat(object) {
                    let called = self.called(&path, lang);
                    match value {
                        Value::Array(list) if list.iter().any(Value::is_object) => {
                            lists.push(self.list(called, list, lang));
                        }
                        value => figures
                            .rows
                            .push(vec![Cell::Text(called.into()), cell(value)]),
                    }
                }
                std::iter::once(figures).chain(lists).collect()
            }
            _ => Vec::new(),
        }
    }

    fn list(&self, name: String, list: &[Value], lang: Lang) -> Sheet {
        let rows: Vec<_> = list.iter().filter_map(Value::as_object).map(flat).collect();
        let mut paths: Vec<&str> = Vec::new();
        for (path, _) in rows.iter().flatten() {
            if !paths.contains(&path.as_str()) {
                paths.push(path);
            }
        }
        let of = |row: &[(String, &Value)], path: &str| {
            let found = row.iter().find(|(known, _)| known == path);
            found.map_or(Cell::Empty, |(_, value)| cell(value))
        };
        Sheet {
            name,
            headings: paths.iter().map(|path| self.called(path, lang)).collect(),
            rows: rows
                .iter()
                .map(|row| paths.iter().map(|path| of(row, path)).collect())
                .collect(),
        }
    }

    /// What people call a member, or a member of a member.
    fn called(&self, path: &str, lang: Lang) -> String {
        let word = |part: &str| {
            let known = self.words.iter().find(|(code, ..)| *code == part);
            known.map_or_else(
                || part.to_owned(),
                |(_, sv, en)| lang.pick(*sv, *en).to_owned(),
            )
        };
        let parts: Vec<String> = path.split('.').map(word).collect();
        parts.join(" – ")
    }
}

/// The members of an object and of the objects in it, each by its path: `withoutCivilSociety.count`.
fn flat(object: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut all = Vec::new();
    for (name, value) in object {
        match value {
            Value::Object(inner) => all.extend(
                flat(inner)
                    .into_iter()
                    .map(|(path, value)| (format!("{name}.{path}"), value)),
            ),
            value => all.push((name.clone(), value)),
        }
    }
    all
}

/// A value in one cell. Of coded things people read the labels.
fn cell(value: &Value) -> Cell {
    let labels = || -> Option<Vec<&str>> {
        let list = value.as_array().filter(|list| !list.is_empty())?;
        list.iter()
            .map(|entry| entry.get("label")?.as_str())
            .collect()
    };
    labels().map_or_else(
        || sheet::cell(value),
        |labels| Cell::Text(labels.join("; ").into()),
    )
}
