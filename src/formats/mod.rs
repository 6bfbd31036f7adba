//! Other formats than JSON: writers (rows in, bytes out), and in [`read`] the way back.

pub mod beside;
pub mod csv;
pub mod csvw;
pub mod cube_json;
pub mod json_stat;
pub mod metadata;
pub mod ndjson;
pub mod read;
pub mod sheet;
pub mod table;
pub mod table_csv;
pub mod xlsx;

#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};

/// The media type of a [`cube_json`].
pub const CUBE: &str = "application/vnd.samverkan.cube+json";
/// The media type of [`json_stat`]. JSON-stat has registered none; this one lets `Accept` tell it from other JSON.
pub const JSON_STAT: &str = "application/vnd.json-stat+json";
/// The media type of [`table_csv`].
pub const CSV: &str = "text/csv";
/// The media type of [`csvw`].
pub const CSVW: &str = "application/csvm+json";
/// The media type of [`xlsx`].
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// The media type of [`ndjson`].
pub const NDJSON: &str = "application/x-ndjson";

/// RFC 3339 in whole seconds, UTC.
fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Secs, true)
}
