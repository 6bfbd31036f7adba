//! JSON-stat 2.0 datasets (<https://json-stat.org/full/>), as strict readers want them: a dense array of values, the
//! categories as an object in the order of their numbers.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::table::{Category, Number, REPORTED, Role, Table, Unit};
use crate::http::lang::Lang;

/// The dimension of the metrics, which JSON-stat has no other place for.
const METRIC: &str = "metric";

/// Writes a table as a JSON-stat 2.0 dataset, its texts in one language.
///
/// A table of one metric whose measures have units is written by its own dimensions; any other gets a dimension
/// `metric` at the end. A status stands where a number is not plainly as reported; `extension` tells what it means.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(table: &Table, lang: Lang) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Dataset { table, lang })
}

/// A JSON object whose members stay in their order: some readers take the place of a category for its number.
struct InOrder<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for InOrder<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

struct Dataset<'a> {
    table: &'a Table,
    lang: Lang,
}

impl Serialize for Dataset<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { table, lang } = *self;
        let mut root = serializer.serialize_map(None)?;
        root.serialize_entry("version", "2.0")?;
        root.serialize_entry("class", "dataset")?;
        root.serialize_entry("href", &table.href)?;
        root.serialize_entry("label", table.title.get(lang))?;
        root.serialize_entry("source", table.source.get(lang))?;
        root.serialize_entry("updated", &super::moment(table.updated))?;
        let notes: Vec<&str> = self.notes();
        if !notes.is_empty() {
            root.serialize_entry("note", &notes)?;
        }
        root.serialize_entry("id", &self.ids())?;
        root.serialize_entry("size", &self.sizes())?;
        root.serialize_entry("role", &self.roles())?;
        root.serialize_entry("dimension", &InOrder(self.dimensions()))?;
        root.serialize_entry("value", &Values(table))?;
        let statuses = self.statuses();
        if !statuses.0.is_empty() {
            root.serialize_entry("status", &statuses)?;
        }
        root.serialize_entry("link", &self.links())?;
        root.serialize_entry("extension", &self.extension())?;
        root.end()
    }
}

impl Dataset<'_> {
    fn has_metric_dimension(&self) -> bool {
        let measured = |role| role == Role::Metric;
        self.table.metrics.len() != 1
            || !self
                .table
                .dimensions
                .iter()
                .any(|dimension| measured(dimension.role))
    }

    fn notes(&self) -> Vec<&str> {
        let of = |mandatory| {
            self.table
                .notes
                .iter()
                .filter(move |note| note.mandatory == mandatory)
        };
        of(true)
            .chain(of(false))
            .map(|note| note.text.get(self.lang))
            .collect()
    }

    fn ids(&self) -> Vec<&str> {
        let own = self.table.dimensions.iter().map(|dimension| dimension.code);
        own.chain(self.has_metric_dimension().then_some(METRIC))
            .collect()
    }

    fn sizes(&self) -> Vec<usize> {
        let own = self
            .table
            .dimensions
            .iter()
            .map(|dimension| dimension.categories.len());
        own.chain(
            self.has_metric_dimension()
                .then_some(self.table.metrics.len()),
        )
        .collect()
    }

    fn roles(&self) -> InOrder<&'static str, Vec<&str>> {
        let of = |role: Role| -> Vec<&str> {
            let own = self.table.dimensions.iter();
            own.filter(|dimension| dimension.role == role)
                .map(|dimension| dimension.code)
                .collect()
        };
        let mut metric = of(Role::Metric);
        metric.extend(self.has_metric_dimension().then_some(METRIC));
        let all = [
            ("time", of(Role::Time)),
            ("geo", of(Role::Geo)),
            ("metric", metric),
        ];
        InOrder(
            all.into_iter()
                .filter(|(_, dimensions)| !dimensions.is_empty())
                .collect(),
        )
    }

    fn dimensions(&self) -> Vec<(&str, Value)> {
        let lang = self.lang;
        let mut all: Vec<(&str, Value)> = self
            .table
            .dimensions
            .iter()
            .map(|dimension| {
                let categories: Vec<(&str, &str, Option<&Unit>)> = dimension
                    .categories
                    .iter()
                    .map(|Category { code, label, unit }| {
                        (code.as_str(), label.get(lang), unit.as_ref())
                    })
                    .collect();
                (
                    dimension.code,
                    self.dimension(dimension.label.get(lang), &categories),
                )
            })
            .collect();
        if self.has_metric_dimension() {
            let metrics: Vec<(&str, &str, Option<&Unit>)> = self
                .table
                .metrics
                .iter()
                .map(|metric| (metric.code, metric.label.get(lang), metric.unit.as_ref()))
                .collect();
            all.push((
                METRIC,
                self.dimension(lang.pick("Uppgift", "Figure"), &metrics),
            ));
        }
        all
    }

    /// A `serde_json` object keeps the order in which it was filled (feature `preserve_order`).
    fn dimension(&self, label: &str, categories: &[(&str, &str, Option<&Unit>)]) -> Value {
        let index: serde_json::Map<String, Value> = categories
            .iter()
            .enumerate()
            .map(|(place, (code, ..))| ((*code).to_owned(), json!(place)))
            .collect();
        let labels: serde_json::Map<String, Value> = categories
            .iter()
            .map(|(code, label, _)| ((*code).to_owned(), json!(label)))
            .collect();
        let units: serde_json::Map<String, Value> = categories
            .iter()
            .filter_map(|(code, _, unit)| {
                let unit = (*unit)?;
                let written = json!({"base": unit.label.get(self.lang), "decimals": unit.decimals});
                Some(((*code).to_owned(), written))
            })
            .collect();
        let mut category = json!({"index": index, "label": labels});
        if let (false, Some(members)) = (units.is_empty(), category.as_object_mut()) {
            members.insert("unit".to_owned(), units.into());
        }
        json!({"label": label, "category": category})
    }

    fn statuses(&self) -> InOrder<usize, &'static str> {
        let width = self.table.metrics.len();
        let rows = self.table.rows.iter().enumerate();
        InOrder(
            rows.filter(|(_, row)| row.status != REPORTED)
                .flat_map(|(place, row)| {
                    (0..width).map(move |metric| (place * width + metric, row.status))
                })
                .collect(),
        )
    }

    /// The same table in other formats.
    fn links(&self) -> Value {
        let href = &self.table.href;
        let joint = if href.contains('?') { '&' } else { '?' };
        let to = |format: &str, media: &str| json!({"type": media, "href": format!("{href}{joint}format={format}")});
        json!({"alternate": [to("csv", super::CSV), to("xlsx", super::XLSX), to("ndjson", super::NDJSON)]})
    }

    fn extension(&self) -> Value {
        let Self { table, lang } = *self;
        let statuses: serde_json::Map<String, Value> = table
            .statuses
            .iter()
            .map(|status| (status.code.clone(), json!(status.label.get(lang))))
            .collect();
        let mandatory: Vec<&str> = table
            .notes
            .iter()
            .filter(|note| note.mandatory)
            .map(|note| note.text.get(lang))
            .collect();
        let width = table.metrics.len();
        let remarks: serde_json::Map<String, Value> = table
            .rows
            .iter()
            .enumerate()
            .filter_map(|(place, row)| {
                let remark = row.remark.as_ref()?.get(lang);
                Some(((place * width).to_string(), json!(remark)))
            })
            .collect();
        let definitions: Vec<Value> = table
            .definitions
            .iter()
            .map(|definition| json!({"term": definition.term.get(lang), "text": definition.text.get(lang)}))
            .collect();
        let beside: serde_json::Map<String, Value> = table
            .beside
            .iter()
            .map(|beside| (beside.code.to_owned(), beside.value.clone()))
            .collect();
        json!({
            "citation": table.citation.get(lang),
            "publication": table.publication,
            "protection": table.protection,
            "synthetic": table.synthetic,
            "statuses": statuses,
            "mandatoryNotes": mandatory,
            "definitions": definitions,
            "remarks": remarks,
            "beside": beside,
        })
    }
}

/// All numbers, the metrics of a row side by side; a million of them are never held twice.
struct Values<'a>(&'a Table);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let width = self.0.metrics.len();
        let numbers = self.0.rows.iter().flat_map(|row| {
            (0..width).map(|metric| Number(row.values.get(metric).copied().flatten()))
        });
        serializer.collect_seq(numbers)
    }
}
