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
    let mut members = members.map_err(|value| {
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
    let (all, mut next, mut words) = (columns(resource), 0, Vec::new());
    members.retain(|name, value| {
        // As a rule they stand in the order of the columns.
        let behind = all.iter().enumerate().skip(next);
        let before = all.iter().enumerate().take(next);
        let Some((place, column)) = behind
            .chain(before)
            .find(|(_, column)| column.field == name)
        else {
            return !name.starts_with('_');
        };
        next = place + 1;
        match (column.role, column.kind) {
            (Use::ReadOnly, _) => return false,
            (Use::Key, _) if value.is_null() => return false,
            (Use::InsteadOf(_), _) => {
                words.push((column, value.take()));
                return false;
            }
            (_, Kind::Areas) => *value = codes_of(value.take()),
            (_, Kind::Json(shape)) => *value = writable(shape, value.take()),
            (_, Kind::Ages) => *value = ages(value.take()),
            _ => {}
        }
        true
    });
    let mut row = Row::having(members, &NO_MEASURES);
    for (column, value) in words {
        let cell = match value {
            Value::String(text) if !text.trim().is_empty() => Cell::Text(text.trim().into()),
            _ => continue,
        };
        if matches!(column.role, Use::InsteadOf(field) if row.has(field)) {
            continue;
        }
        row.take(column, &cell, |(code, text), value| CellFault {
            pointer: column.pointer(),
            column: None,
            heading: column.field.to_owned(),
            code,
            text,
            value,
        });
    }
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
