//! CSV (RFC 4180): comma, UTF-8 without BOM, decimal point, a header row, codes as text.
//!
//! A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers, negative ones too, stay as
//! they are. Lists of codes are joined with `|`; anything deeper is JSON in its cell.

use serde_json::Value;

/// Writes rows, each a JSON object, under the given columns.
///
/// # Errors
/// When writing fails, which in memory it does not.
pub fn write(columns: &[String], rows: &[Value]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(
            columns
                .iter()
                .map(|column| cell(row.get(column).unwrap_or(&Value::Null))),
        )?;
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => guarded(text),
        Value::Array(items) if items.iter().all(Value::is_string) => guarded(
            &items
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join("|"),
        ),
        Value::Array(items) if items.is_empty() => String::new(),
        other => other.to_string(),
    }
}

/// See <https://owasp.org/www-community/attacks/CSV_Injection>.
pub(super) fn guarded(text: &str) -> String {
    let dangerous = text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if dangerous && text.parse::<f64>().is_err() {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
