//! The query string as names and values: text and nothing else, and no name twice.

use std::collections::BTreeSet;

use crate::http::MAX_URI;
use crate::problem::{Problem, ProblemKind, text};
use crate::values::has_hidden;

/// Decodes strictly: UTF-8, no control characters, no name twice.
pub(super) fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    if query.len() > MAX_URI {
        return Err(Problem::new(ProblemKind::UriTooLong).detail(text(
            "Frågesträngen får ha högst 2 048 tecken.",
            "The query string may have 2 048 characters at the most.",
        )));
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        for part in [&name, &value] {
            // Decoding is lossy: what was not UTF-8 comes out as U+FFFD, which no honest text holds.
            if has_hidden(part, false) || part.contains('\t') {
                return Err(Problem::parameter(
                    printable(&name),
                    "not_text",
                    text(
                        "Parametern är inte UTF-8-text utan styrtecken och tecken som vänder läsriktningen.",
                        "The parameter is not UTF-8 text without control characters and without characters that turn the reading direction.",
                    ),
                ));
            }
        }
        if !seen.insert(name.to_string()) {
            return Err(Problem::parameter(
                printable(&name),
                "duplicated",
                text(
                    "Parametern förekommer mer än en gång; skriv flera värden med komma.",
                    "The parameter occurs more than once; write several values with commas.",
                ),
            ));
        }
        all.push((name.into_owned(), value.into_owned()));
    }
    Ok(all)
}

/// A name as it may be told: not too long, and with nothing in it that hides.
pub(super) fn printable(name: &str) -> String {
    name.chars()
        .map(|c| {
            if has_hidden(c.encode_utf8(&mut [0; 4]), false) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .take(60)
        .collect()
}
