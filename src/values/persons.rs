//! Swedish personal identity numbers and coordination numbers: what this register must not hold.

use std::borrow::Cow;
use std::ops::Range;

/// Whether a text holds a personal identity number (with its separator, and a check digit that agrees). Free text is
/// the likeliest leak of a register that wants no persons in it.
pub(super) fn holds_personal_number(text: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_digit() || c == '-' || c == '+'))
        .any(|word| is_personal_number(word) && word.contains(['-', '+']))
}

/// The text with a word in the place of each personal identity number, for what is kept of rows that were refused.
#[must_use]
pub fn without_personal_numbers(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let part = |c: char| c.is_ascii_digit() || c == '-' || c == '+';
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !part(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(if is_personal_number(word) && word.contains(['-', '+']) {
            "[personnummer]"
        } else {
            word
        });
        rest = after;
    }
    if out.len() + rest.len() == text.len() && text.starts_with(&out) {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Whether a text is a personal identity number or a coordination number (a day of birth plus 60): `YYMMDD-NNNN` or
/// `YYYYMMDD-NNNN`, with `-`, `+` or nothing between, a month and day that can be, and a check digit that agrees. An
/// organisation number is none: its third digit is 2 or more, which no month begins with.
#[must_use]
pub fn is_personal_number(text: &str) -> bool {
    let (date, last) = match text.split_once(['-', '+']) {
        Some(parts) => parts,
        None => match text
            .len()
            .checked_sub(4)
            .and_then(|end| text.split_at_checked(end))
        {
            Some(parts) => parts,
            None => return false,
        },
    };
    let short = match (date.len(), date.get(..2)) {
        (6, _) => date,
        (8, Some("18" | "19" | "20")) => date.split_at(2).1,
        _ => return false,
    };
    last.len() == 4
        && digits(short).chain(digits(last)).count() == 10
        && luhn(digits(short).chain(digits(last)))
        && number(short, 2..4).is_some_and(|month| (1..=12).contains(&month))
        && number(short, 4..6)
            .is_some_and(|day| (1..=31).contains(&day) || (61..=91).contains(&day))
}

fn number(text: &str, range: Range<usize>) -> Option<u32> {
    text.get(range)?.parse().ok()
}

fn digits(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.chars().filter_map(|c| c.to_digit(10))
}

fn luhn(digits: impl Iterator<Item = u32>) -> bool {
    let sum: u32 = digits
        .enumerate()
        .map(|(n, d)| {
            if n % 2 == 0 {
                d * 2 / 10 + d * 2 % 10
            } else {
                d
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("811228-9874", true)]
    #[case("811228+9874", true)]
    #[case("8112289874", true)]
    #[case("19811228-9874", true)]
    #[case("198112289874", true)]
    // A coordination number: born on the 3rd.
    #[case("701063-2391", true)]
    #[case::wrong_check_digit("811228-9875", false)]
    #[case::month_13("811328-9873", false)]
    #[case::organisation("802000-0009", false)]
    #[case::century("17811228-9874", false)]
    #[case::short("1228-9874", false)]
    #[case::letters("81122å-9874", false)]
    #[case::twice("811228-9874-1", false)]
    fn persons_are_told_from_organisations(#[case] text: &str, #[case] person: bool) {
        assert_eq!(is_personal_number(text), person, "{text}");
    }

    #[rstest]
    #[case(
        "Ring 811228-9874 eller 8112289874.",
        "Ring [personnummer] eller 8112289874."
    )]
    #[case("diarienummer 2017-1234", "diarienummer 2017-1234")]
    #[case("utan siffror", "utan siffror")]
    #[case("", "")]
    fn personal_numbers_are_taken_out(#[case] text: &str, #[case] without: &str) {
        assert_eq!(without_personal_numbers(text), without);
    }
}
