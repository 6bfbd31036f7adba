//! What parsers say, in words for those who sent what they read.

use crate::http::lang::Lang;
use crate::problem::{Text, text};
use crate::values::rule_text;

/// What a parser says of a value, in words for those who sent it.
pub(super) fn plainly(reason: &str) -> Text {
    // One of several values is named before what is wrong with it.
    let listed = reason
        .strip_prefix('`')
        .and_then(|rest| rest.split_once("`: "));
    if let Some((item, reason)) = listed {
        let told = plainly(reason);
        let (sv, en) = (told.get(Lang::Sv), told.get(Lang::En));
        return text(format!("”{item}”: {sv}"), format!("“{item}”: {en}"));
    }
    let rule = rule_text(reason);
    if rule.get(Lang::Sv) != reason {
        return rule;
    }
    if reason.starts_with("unknown variant") {
        let given = reason.split('`').nth(1).unwrap_or_default();
        let expected = reason
            .split_once("expected ")
            .map_or("", |(_, codes)| codes);
        return no_code(given, expected);
    }
    if let Some(codes) = reason.strip_prefix("expected one of ") {
        return text(
            format!("Ingen kod i listan. Tillåtna: {codes}."),
            format!("No code of the list. Allowed: {codes}."),
        );
    }
    let (sv, en) = match reason {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            ("Här ska stå ett heltal.", "A whole number belongs here.")
        }
        "number too large to fit in target type" => {
            ("Talet är för stort.", "The number is too large.")
        }
        "number too small to fit in target type" => {
            ("Talet är för litet.", "The number is too small.")
        }
        "provided string was not `true` or `false`" => (
            "Här ska stå true eller false.",
            "true or false belongs here.",
        ),
        "expected a day, YYYY-MM-DD" => (
            "En dag skrivs ÅÅÅÅ-MM-DD och ska finnas i kalendern.",
            "A day is written YYYY-MM-DD and must be in the calendar.",
        ),
        "premature end of input"
        | "trailing input"
        | "input contains invalid characters"
        | "input is out of range"
        | "no possible date and time matching input" => (
            "En tidpunkt skrivs med dag, tid och zon, till exempel 2026-01-15T08:00:00Z.",
            "A time is written with day, time and zone, such as 2026-01-15T08:00:00Z.",
        ),
        _ if reason.starts_with("invalid value: integer") => (
            "Talet är för stort eller för litet.",
            "The number is too large or too small.",
        ),
        _ if [
            "invalid character:",
            "invalid length",
            "invalid group",
            "invalid UUID",
        ]
        .iter()
        .any(|words| reason.starts_with(words)) =>
        {
            (
                "Ett id är ett UUID, till exempel 01903e2a-7b4c-7d5e-8f60-718293a4b5c6.",
                "An id is a UUID, such as 01903e2a-7b4c-7d5e-8f60-718293a4b5c6.",
            )
        }
        _ => {
            return text(
                format!("Ogiltigt värde: {reason}."),
                format!("Invalid value: {reason}."),
            );
        }
    };
    text(sv, en)
}

/// Names the codes of a list, which serde puts between backticks.
pub(super) fn no_code(given: &str, expected: &str) -> Text {
    let codes: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let codes = codes.join(", ");
    text(
        format!("{given} är ingen kod i listan. Tillåtna: {codes}."),
        format!("{given} is no code of the list. Allowed: {codes}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_is_told_without_a_parsers_words() {
        let error = serde_json::from_str::<i32>("99999999999").unwrap_err();
        let told = plainly(&error.to_string());
        assert_eq!(told.get(Lang::En), "The number is too large or too small.");
    }
}
