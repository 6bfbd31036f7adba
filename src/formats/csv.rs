//! CSV (RFC 4180): comma, UTF-8 without BOM, decimal point, a header row, codes as text.
//!
//! What a spreadsheet would run as a formula gets an apostrophe in front; numbers, negative ones too, stay as they are.
//! A Swedish spreadsheet takes a semicolon for the end of a cell, also in a file with commas, so what follows one is
//! guarded too. So is a text that reads like a formula that failed (`#N/A`), since files are refused for those.
//! [`disarmed`] takes away exactly what [`armed`] has put there. Lists of codes are joined with `|`;
//! anything deeper is JSON in its cell. See <https://owasp.org/www-community/attacks/CSV_Injection>.

use std::borrow::Cow;
use std::fmt::Write;
use std::io;

use serde_json::Value;

/// Where a spreadsheet of other settings could begin a new cell.
const ENDS: [char; 4] = [';', '\t', '\n', '\r'];

/// Writes rows, each a JSON object, under the given columns.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(columns: &[String], rows: &[Value]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(record(columns, row))?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// What writes records, for tables that are too long for memory.
pub fn writer<W: io::Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out)
}

/// The cells of a row, a JSON object, under the given columns.
pub fn record<'a>(columns: &'a [String], row: &'a Value) -> impl Iterator<Item = String> + 'a {
    columns
        .iter()
        .map(|column| cell(row.get(column).unwrap_or(&Value::Null)))
}

fn cell(value: &Value) -> String {
    match flat(value) {
        Flat::Nothing => String::new(),
        Flat::Text(text) => armed(&text),
        Flat::Plain(text) => text,
    }
}

/// A value as a table holds it.
pub(super) enum Flat {
    /// Null, or an empty list.
    Nothing,
    /// A text, or a list of codes.
    Text(String),
    /// A number, a truth value, or JSON that is harmless in a cell.
    Plain(String),
}

/// Makes one text of a value.
pub(super) fn flat(value: &Value) -> Flat {
    match value {
        Value::Null => Flat::Nothing,
        Value::String(text) => Flat::Text(text.clone()),
        Value::Array(items) if items.is_empty() => Flat::Nothing,
        Value::Array(items) if items.iter().all(Value::is_string) => Flat::Text(
            items
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join("|"),
        ),
        Value::Array(_) | Value::Object(_) => Flat::Plain(harmless(&value.to_string())),
        other => Flat::Plain(other.to_string()),
    }
}

/// JSON whose texts hold no formula after a semicolon: the character that would begin one is written as its number.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut after = false;
    for c in json.chars() {
        if after && (begins_formula(c) || c == '\'') {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
        after = c == ';';
    }
    out
}

fn begins_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// A text with an apostrophe before each part that would run.
#[must_use]
pub fn armed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for (place, part) in text.split_inclusive(ENDS).enumerate() {
        if would_run(part, place == 0) {
            out.push('\'');
        }
        out.push_str(part);
    }
    out
}

/// The text that [`armed`] was given.
#[must_use]
pub fn disarmed(text: &str) -> Cow<'_, str> {
    if !text.contains('\'') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for (place, part) in text.split_inclusive(ENDS).enumerate() {
        out.push_str(match part.strip_prefix('\'') {
            Some(rest) if would_run(rest, place == 0) => rest,
            _ => part,
        });
    }
    out.into()
}

/// Whether a spreadsheet would run what stands at the beginning of a cell (`first`) or where another one would see
/// one, or a reader would take it for a formula that failed. What looks guarded already counts too, so that taking the
/// guard away gives back the same.
fn would_run(part: &str, first: bool) -> bool {
    let bare = part.trim_start_matches('\'');
    let mut characters = bare.chars();
    match characters.next() {
        // Lists in running text have their marks.
        Some('-' | '+') if !first && characters.next() == Some(' ') => false,
        Some(c) if begins_formula(c) => !is_number(part.trim_end_matches(ENDS)),
        Some('\t' | '\r') => first,
        Some('#') => first && is_failed_formula(bare.trim_end()),
        _ => false,
    }
}

/// What spreadsheets write for formulas that could not be computed, in English and Swedish.
const ERRORS: [&str; 15] = [
    "#DIV/0!",
    "#N/A",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#REF!",
    "#VALUE!",
    "#SPILL!",
    "#CALC!",
    "#DIVISION/0!",
    "#SAKNAS!",
    "#NAMN?",
    "#OGILTIGT!",
    "#REFERENS!",
    "#VÄRDEFEL!",
];

/// Whether a text is what a spreadsheet shows for a formula that could not be computed.
#[must_use]
pub fn is_failed_formula(text: &str) -> bool {
    text.starts_with('#') && ERRORS.contains(&text.to_uppercase().as_str())
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
        && !text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn codes_keep_their_zeros_and_formulas_their_teeth() {
        let columns = ["code", "name", "change", "themes", "links"].map(String::from);
        let rows = [
            json!({"code": "0114", "name": "=cmd()", "change": -1.5, "themes": ["a", "b"], "links": [{"x": 1}]}),
            json!({"code": "-5", "name": "Åmål, \"stad\"", "change": null, "themes": [], "links": []}),
        ];
        let text = String::from_utf8(write(&columns, &rows).unwrap()).unwrap();
        assert_eq!(
            text,
            "code,name,change,themes,links\r\n0114,'=cmd(),-1.5,a|b,\"[{\"\"x\"\":1}]\"\r\n-5,\"Åmål, \"\"stad\"\"\",,,\r\n"
        );
    }

    #[rstest]
    #[case("=1+1", "'=1+1")]
    #[case("+46 19 21 10 00", "'+46 19 21 10 00")]
    #[case("-inf", "'-inf")]
    #[case("-1.5e3", "-1.5e3")]
    #[case("＝cmd", "'＝cmd")]
    // A text that looks guarded: one more, or reading would take away what belongs to it.
    #[case("'=1+1", "''=1+1")]
    #[case("'tis", "'tis")]
    #[case("#N/A", "'#N/A")]
    #[case("'#n/a", "''#n/a")]
    #[case("#1", "#1")]
    // In a file with commas a Swedish spreadsheet ends the cell at the semicolon.
    #[case("dans;=cmd()", "dans;'=cmd()")]
    #[case("a;-5;b", "a;-5;b")]
    #[case("Mål:\n- dans\n@chef", "Mål:\n- dans\n'@chef")]
    fn what_would_run_is_guarded(#[case] text: &str, #[case] written: &str) {
        assert_eq!(armed(text), written);
    }

    #[test]
    fn json_in_a_cell_stays_json_and_runs_nothing() {
        let value = json!([{"text": "a;=b;'=c; d"}]);
        let written = cell(&value);
        assert!(
            !written.contains(";=") && !written.contains(";'"),
            "{written}"
        );
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        assert_eq!(disarmed(&written), written);
    }

    proptest! {
        #[test]
        fn the_guard_comes_off_again(text in r"['=+\-@;0-9a \n\t＝]{0,12}|'{0,2}#(N/A|ref!|VÄRDEFEL!|1)(;=| )?") {
            let written = armed(&text);
            prop_assert_eq!(disarmed(&written), text);
            for (place, part) in written.split_inclusive(ENDS).enumerate() {
                let runs = part.starts_with(['=', '@', '＝'])
                    || place == 0 && part.starts_with(['+', '-']) && !is_number(part.trim_end_matches(ENDS));
                prop_assert!(!runs, "{part}");
            }
        }
    }
}
