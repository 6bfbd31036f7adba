//! Age bands as people write them.

use std::borrow::Cow;

/// The words for every age, folded.
const ALL: [&str; 5] = ["all", "alla", "allaåldrar", "allages", "samtliga"];
/// What stands between two ages. A range is written with an en dash; a hyphen is what keyboards have.
const BETWEEN: [&str; 9] = ["-", "–", "—", "−", "‐", "‑", "till", "to", "t.o.m."];
/// What stands after an age.
const YEARS: [&str; 4] = ["års", "år", "years", "year"];
/// The highest age, as the rule of a band has it.
const OLDEST: u8 = 120;

/// A band as it is stored (`6-19`, `all`), of what people write for it: `6–19`, `6 - 19 år`, `6 till 19`, `alla`; one age
/// alone is the band from it to itself. None for anything else, which the rule of the row then refuses as it is written.
pub(super) fn band(written: &str) -> Option<Cow<'_, str>> {
    if is_band(written) {
        return Some(written.into());
    }
    let text = written.trim().to_lowercase();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    if !is_number && ALL.contains(&super::folded(&text).as_str()) {
        return Some("all".into());
    }
    let parts = BETWEEN.iter().find_map(|between| text.split_once(between));
    let (from, to) = match parts {
        Some((from, to)) => (age(from)?, age(to)?),
        None => (age(&text)?, age(&text)?),
    };
    (from <= to).then(|| format!("{from}-{to}").into())
}

/// Whether it is written as it is stored, as most are.
fn is_band(written: &str) -> bool {
    let age = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let plain = digits && (text == "0" || !text.starts_with('0'));
        plain.then(|| text.parse().ok())?
    };
    let ages = written.split_once('-');
    let ages = ages.and_then(|(from, to)| Some((age(from)?, age(to)?)));
    ages.is_some_and(|(from, to): (u8, u8)| from <= to && to <= OLDEST)
}

fn age(written: &str) -> Option<u8> {
    let text = written.trim();
    let bare = YEARS.iter().find_map(|years| text.strip_suffix(years));
    let digits = bare.unwrap_or(text).trim_end();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|age| *age <= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("6-19", Some("6-19"))]
    #[case("6", Some("6-6"))]
    #[case("06-19", Some("6-19"))]
    #[case("6–19", Some("6-19"))]
    #[case("6—19", Some("6-19"))]
    #[case("6−19", Some("6-19"))]
    #[case("6 - 19", Some("6-19"))]
    #[case(" 6 – 19 år ", Some("6-19"))]
    #[case("6 år - 19 år", Some("6-19"))]
    #[case("6-åring", None)]
    #[case("16 år", Some("16-16"))]
    #[case("6 till 19", Some("6-19"))]
    #[case("6 t.o.m. 19 års", Some("6-19"))]
    #[case("6 to 19 years", Some("6-19"))]
    #[case("all", Some("all"))]
    #[case("Alla", Some("all"))]
    #[case("Alla åldrar", Some("all"))]
    #[case("All ages", Some("all"))]
    #[case("19-6", None)]
    #[case("6-121", None)]
    #[case("619", None)]
    #[case("6+", None)]
    #[case("6-12-19", None)]
    #[case("6,5", None)]
    #[case("6.0", None)]
    #[case("-6", None)]
    #[case("6-", None)]
    #[case("0-0", Some("0-0"))]
    #[case("00-6", Some("0-6"))]
    #[case("119-120", Some("119-120"))]
    #[case("256-300", None)]
    #[case("+6", None)]
    #[case("under 6", None)]
    #[case("", None)]
    fn bands_as_people_write_them(#[case] written: &str, #[case] expected: Option<&str>) {
        assert_eq!(band(written).as_deref(), expected);
    }
}
