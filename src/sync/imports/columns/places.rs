//! Sweden's counties and municipalities as people write them: codes that lost their zero, and names.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::folded;
use crate::registry::areas::model::COUNTRY;
use crate::registry::areas::store;

/// What a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A code as it is, known here or not: districts are in the database only.
    Code(&'a str),
    /// A code whose leading zero a spreadsheet has taken: `114` is `0114`.
    Padded(&'static str),
    /// The code of a county or municipality that was named.
    Named(&'static str),
    /// Neither a code nor a name that is known; the name that is nearest.
    Unknown(Option<&'static str>),
}

struct Sweden {
    /// Name by code.
    names: HashMap<String, String>,
    /// Code by the folded name.
    codes: HashMap<String, String>,
}

static SWEDEN: LazyLock<Sweden> = LazyLock::new(|| {
    // The file is a part of the program, and a test reads it.
    let areas = store::sweden().unwrap_or_default();
    let mut sweden = Sweden {
        names: HashMap::new(),
        codes: HashMap::new(),
    };
    for (_, code, name, _) in areas {
        sweden.codes.insert(folded(&name), code.clone());
        sweden.names.insert(code, name);
    }
    sweden
        .codes
        .insert("sverige".to_owned(), COUNTRY.to_owned());
    sweden
        .names
        .insert(COUNTRY.to_owned(), "Sverige".to_owned());
    sweden
});

/// All of them, `1880 Örebro`, by code: what a list to choose from shows, and [`place`] reads.
pub(super) fn offered() -> Vec<String> {
    let mut all: Vec<String> = SWEDEN
        .names
        .iter()
        .map(|(code, name)| format!("{code} {name}"))
        .collect();
    all.sort();
    all
}

/// Reads a code or a name.
pub(super) fn place(text: &str) -> Place<'_> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if digits && matches!(text.len(), 1 | 3) {
        let padded = SWEDEN.names.get_key_value(&format!("0{text}"));
        if let Some((code, _)) = padded {
            return Place::Padded(code);
        }
    }
    let of_code = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':');
    if text.chars().all(of_code)
        && (text.starts_with(COUNTRY) || text.starts_with(|c: char| c.is_ascii_digit()))
    {
        return Place::Code(text);
    }
    if let Some(code) = named(&folded(text)) {
        return Place::Named(code);
    }
    // "1880 Örebro": the two must agree.
    if let Some((code, name)) = text.split_once(char::is_whitespace) {
        let known = SWEDEN.names.get(code);
        if known.is_some_and(|known| folded(known) == folded(name)) {
            return Place::Code(code);
        }
    }
    Place::Unknown(crate::http::params::nearest(
        text,
        SWEDEN.names.values().map(String::as_str),
    ))
}

/// The code of a folded name; `kommun` and `region` around it do not matter.
fn named(name: &str) -> Option<&'static str> {
    let find = |name: &str| SWEDEN.codes.get(name).map(String::as_str);
    find(name)
        .or_else(|| find(name.strip_prefix("region")?))
        .or_else(|| {
            let bare = name.strip_suffix("kommun")?;
            find(bare).or_else(|| find(bare.strip_suffix('s')?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0114", Place::Code("0114"))]
    #[case("114", Place::Padded("0114"))]
    #[case("3", Place::Padded("03"))]
    #[case("18", Place::Code("18"))]
    // There is no 0999, so nothing is made of it.
    #[case("999", Place::Code("999"))]
    #[case("SE", Place::Code("SE"))]
    #[case("1880-varberga", Place::Code("1880-varberga"))]
    #[case("Örebro", Place::Named("1880"))]
    #[case("ÖREBRO KOMMUN", Place::Named("1880"))]
    #[case("Askersunds kommun", Place::Named("1882"))]
    #[case("Örebro län", Place::Named("18"))]
    #[case("Region Örebro län", Place::Named("18"))]
    #[case("Sverige", Place::Named("SE"))]
    #[case("1880 Örebro", Place::Code("1880"))]
    #[case("Örebru", Place::Unknown(Some("Örebro")))]
    // Code and name of two places.
    #[case("1880 Karlskoga", Place::Unknown(None))]
    fn codes_and_names(#[case] given: &str, #[case] expected: Place<'_>) {
        assert_eq!(place(given), expected);
    }

    #[test]
    fn what_is_offered_is_read() {
        let all = offered();
        assert_eq!(all.len(), 312);
        for text in all {
            let code = text.split(' ').next().unwrap();
            assert_eq!(place(&text), Place::Code(code));
        }
    }
}
