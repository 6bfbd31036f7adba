//! Numbers, as people and spreadsheets write them.

use serde_json::{Number, Value};

use super::cells::{Read, Said};
use crate::formats::read::Cell;
use crate::problem::text;

/// Any number.
pub(super) fn any(cell: &Cell, written: &str) -> Read {
    let number = number(cell, written)?;
    let value = Number::from_f64(number).ok_or_else(no_number)?;
    Ok((Value::Number(value), powered(cell, number)))
}

/// A whole number.
pub(super) fn whole(cell: &Cell, written: &str) -> Read {
    // Beyond it not every whole number has a place in a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = number(cell, written)?;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole, and within what a float holds exactly"
        )]
        let exact = number as i64;
        return Ok((exact.into(), powered(cell, number)));
    }
    Err((
        "whole_number",
        text("Ska vara ett heltal.", "Must be a whole number."),
    ))
}

fn number(cell: &Cell, written: &str) -> Result<f64, Said> {
    match cell {
        Cell::Number { value, .. } => Ok(*value),
        Cell::Text(_) => parsed(written).ok_or_else(no_number),
        _ => Err(no_number()),
    }
}

/// What is said of a text that a spreadsheet has shortened, `1,2E+05`: digits may have been lost before it came here. Small
/// numbers with many decimals are written so by programs.
fn powered(cell: &Cell, number: f64) -> Option<Said> {
    let Cell::Text(written) = cell else {
        return None;
    };
    let (_, exponent) = written.split_once(['e', 'E'])?;
    (!exponent.starts_with('-')).then(|| {
        (
            "number_powered",
            text(
                format!("{written} lästes som {number}."),
                format!("{written} was read as {number}."),
            ),
        )
    })
}

/// A number as people write it: `1 520`, `12,5`, `12.5`, `−3`, `12,5 %`; and as programs do: `1e-7`.
fn parsed(written: &str) -> Option<f64> {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !written.is_empty() && plain(written) {
        return written.parse().ok();
    }
    let bare = written.strip_suffix('%').unwrap_or(written).trim_end();
    let (sign, digits) = match bare.strip_prefix(['-', '−']) {
        Some(rest) => ("-", rest),
        None => ("", bare.strip_prefix('+').unwrap_or(bare)),
    };
    let (whole, rest) = match digits.find([',', '.', 'e', 'E']) {
        Some(end) => digits.split_at_checked(end)?,
        None => (digits, ""),
    };
    let mut groups = whole.split(char::is_whitespace);
    let first = groups.next()?;
    let mut whole = first.to_owned();
    for group in groups {
        // Thousands are set apart; anything else is two numbers in one cell.
        if group.len() != 3 || first.len() > 3 {
            return None;
        }
        whole.push_str(group);
    }
    let rest = rest.replacen(',', ".", 1);
    let (decimals, exponent) = match rest.split_once(['e', 'E']) {
        Some((decimals, exponent)) => (decimals, Some(exponent)),
        None => (rest.as_str(), None),
    };
    let good = !whole.is_empty()
        && plain(&whole)
        && (decimals.is_empty()
            || decimals
                .strip_prefix('.')
                .is_some_and(|decimals| !decimals.is_empty() && plain(decimals)))
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && plain(exponent)
        });
    if !good {
        return None;
    }
    let number: f64 = format!("{sign}{whole}{rest}").parse().ok()?;
    number.is_finite().then_some(number)
}

fn no_number() -> Said {
    (
        "number_format",
        text(
            "Inte ett tal. Skriv siffror, med högst ett decimalkomma eller en decimalpunkt.",
            "Not a number. Write digits, with at most one decimal comma or point.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::lang::Lang;
    use rstest::rstest;

    #[rstest]
    #[case("1520", Some(1520.0))]
    #[case("1 520", Some(1520.0))]
    #[case("1\u{a0}234\u{202f}567", Some(1_234_567.0))]
    #[case("12,5", Some(12.5))]
    #[case("12.5", Some(12.5))]
    #[case("−3", Some(-3.0))]
    #[case("12,5 %", Some(12.5))]
    #[case("1e-7", Some(1e-7))]
    #[case("1.5E+3", Some(1500.0))]
    #[case("1.234,5", None)]
    #[case("1,234.5", None)]
    #[case("12 5", None)]
    #[case("2024 123", None)]
    #[case("12,", None)]
    #[case(",5", None)]
    #[case("inf", None)]
    #[case("NaN", None)]
    #[case("1e999", None)]
    #[case("ca 12", None)]
    #[case("", None)]
    fn numbers_as_people_write_them(#[case] written: &str, #[case] expected: Option<f64>) {
        assert_eq!(parsed(written), expected);
    }

    #[rstest]
    #[case("1,2E+05", Some("1,2E+05 lästes som 120000."))]
    #[case("1e3", Some("1e3 lästes som 1000."))]
    #[case("1e-7", None)]
    #[case("1000", None)]
    fn a_number_that_was_shortened_is_told(#[case] written: &str, #[case] note: Option<&str>) {
        let (_, said) = any(&Cell::Text(written.into()), written).unwrap();
        let said = said.map(|(_, said)| said.get(Lang::Sv).to_owned());
        assert_eq!(said.as_deref(), note);
    }
}
