//! Objects of JSON and NDJSON: what we export, as it is written.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

use super::ages::band;
use super::cells::{codes_of, writable};
use super::mapping::Row;
use super::measures::Measures;
use super::{CellFault, Kind, Mapped, Unmapped, Use, columns};
use crate::formats::read::{Cell, Members};
use crate::problem::text;
use crate::sync::imports::types::ImportType;

/// An object in the shape of the resource's `In`: without what is only read, with areas as codes and ages as bands. Members that begin
/// with `_` are passed over; unknown ones are left for the rules of the row, which refuse them by name.
///
/// # Errors
/// When it is no object, or names an area that is unknown.
pub fn of_object(
    resource: ImportType,
    members: Result<Members, Value>,
) -> Result<Mapped, Unmapped> {
    let members = members.map_err(|value| {
        let fault = CellFault {
            pointer: String::new(),
            column: None,
            heading: String::new(),
            code: "not_an_object",
            text: text("En rad är ett JSON-objekt.", "A row is a JSON object."),
            value: value.to_string().chars().take(200).collect(),
        };
        Unmapped {
            faults: vec![fault],
            rest: None,
        }
    })?;
    let mut row = Row::of(members.len(), &NO_MEASURES);
    let mut words = Vec::new();
    let (mut named, mut unknown) = (Vec::with_capacity(members.len()), Vec::new());
    let all = columns(resource);
    let mut next = 0;
    for (name, value) in members {
        // As a rule they stand in the order of the columns.
        let behind = all.iter().enumerate().skip(next);
        let before = all.iter().enumerate().take(next);
        let found = behind
            .chain(before)
            .find(|(_, column)| column.field == name);
        match found {
            Some((place, column)) => {
                next = place + 1;
                named.push((place, column, value));
            }
            None => unknown.push((name, value)),
        }
    }
    named.sort_unstable_by_key(|(place, ..)| *place);
    for (_, column, value) in named {
        match (column.role, column.kind) {
            (Use::ReadOnly, _) => {}
            (Use::Key, _) if value.is_null() => {}
            (Use::InsteadOf(_), _) => words.push((column, value)),
            (_, Kind::Areas) => row.keep(column.field, codes_of(value)),
            (_, Kind::Json(shape)) => row.keep(column.field, writable(shape, value)),
            (_, Kind::Ages) => row.keep(column.field, ages(value)),
            _ => row.keep(column.field, value),
        }
    }
    for (column, value) in words {
        let cell = match value {
            Value::String(text) if !text.trim().is_empty() => Cell::Text(text.trim().into()),
            _ => continue,
        };
        row.take(column, &cell, |(code, text), value| CellFault {
            pointer: column.pointer(),
            column: None,
            heading: column.field.to_owned(),
            code,
            text,
            value,
        });
    }
    unknown.retain(|(name, _)| !name.starts_with('_'));
    row.keep_unknown(unknown);
    row.done(resource)
}

/// Measures are named by their codes here.
static NO_MEASURES: LazyLock<Measures> = LazyLock::new(Measures::default);

/// Ages as they are stored; what is no band is left for the rules of the row.
fn ages(value: Value) -> Value {
    let written = match &value {
        Value::String(text) => Cow::Borrowed(text.as_str()),
        Value::Number(number) => number.to_string().into(),
        _ => return value,
    };
    match band(&written) {
        Some(Cow::Owned(band)) => band.into(),
        // As it is written, or none.
        Some(Cow::Borrowed(_)) | None => value,
    }
}
