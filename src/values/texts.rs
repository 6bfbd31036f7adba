//! Texts with a form. Reading one never fails: it is normalised (NFC, trimmed), and its rule is checked with all the
//! other rules of the body, so that a client hears of every fault at once.

use std::fmt;
use std::str::FromStr;

use organisationsnummer::Organisationsnummer;
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, schema::Type};
use utoipa::{PartialSchema, ToSchema};

use super::persons::holds_personal_number;
use crate::problem::{Text, text};

/// A text that breaks the rule of its type; holds the code of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faulty(pub &'static str);

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Faulty {}

/// The rule behind a code, for people.
pub type RuleText = (&'static str, &'static str, &'static str);

/// Every rule that a body or parameter can break outside the database.
const RULES: &[RuleText] = &[
    ("text_empty", "Texten är tom.", "The text is empty."),
    (
        "text_too_long",
        "Texten är för lång: högst 2 000 tecken.",
        "The text is too long: 2 000 characters at the most.",
    ),
    (
        "prose_too_long",
        "Texten är för lång: högst 20 000 tecken.",
        "The text is too long: 20 000 characters at the most.",
    ),
    (
        "text_control_character",
        "Texten innehåller styrtecken eller tecken som vänder läsriktningen.",
        "The text holds control characters or characters that turn the reading direction.",
    ),
    (
        "month_format",
        "En månad skrivs ÅÅÅÅ-MM.",
        "A month is written YYYY-MM.",
    ),
    (
        "date_claim_format",
        "Ett datum skrivs ÅÅÅÅ, ÅÅÅÅ-MM eller ÅÅÅÅ-MM-DD, så noga som källan anger det.",
        "A date is written YYYY, YYYY-MM or YYYY-MM-DD, as precise as the source is.",
    ),
    (
        "area_code_format",
        "En områdeskod är SE, två siffror (län), fyra siffror (kommun) eller en kod som börjar med dem.",
        "An area code is SE, two digits (county), four digits (municipality), or a code that begins with one of them.",
    ),
    (
        "org_number_format",
        "Ett organisationsnummer skrivs NNNNNN-NNNN, och kontrollsiffran ska stämma.",
        "An organisation number is written NNNNNN-NNNN, and its check digit must agree.",
    ),
    (
        "org_number_is_personal",
        "Numret är ett personnummer eller samordningsnummer och får inte lagras här.",
        "The number is a personal identity number and must not be stored here.",
    ),
    (
        "link_format",
        "En länk börjar med https:// eller http://, har ett värdnamn och ingen inloggning, högst 2 000 tecken.",
        "A link begins with https:// or http://, has a host and no login, and at most 2 000 characters.",
    ),
    (
        "code_format",
        "En kod skrivs med små bokstäver a–z, siffror och _, och börjar med en bokstav.",
        "A code is written with lower-case a–z, digits and _, and begins with a letter.",
    ),
    (
        "scheme_format",
        "En indelning skrivs som regso-2025 eller city:1480.",
        "A scheme is written like regso-2025 or city:1480.",
    ),
    (
        "age_band_format",
        "Ett åldersspann skrivs 6-19, lägst ålder först, eller all.",
        "An age band is written 6-19, lowest age first, or all.",
    ),
    (
        "too_many",
        "Listan är för lång: högst 1 000 poster.",
        "The list is too long: 1 000 entries at the most.",
    ),
    (
        "feed_cursor_format",
        "Markören är ingen som /changes, /snapshot eller en export har gett.",
        "The cursor is none that /changes, /snapshot or an export gave.",
    ),
    (
        "email_format",
        "Adressen ser inte ut som en e-postadress.",
        "The address does not look like an e-mail address.",
    ),
    (
        "phone_format",
        "Ett telefonnummer har 5–20 tecken: siffror, blanksteg, + och -.",
        "A phone number has 5–20 characters: digits, blanks, + and -.",
    ),
    (
        "personal_identity_number",
        "Texten innehåller något som ser ut som ett personnummer.",
        "The text holds something that looks like a personal identity number.",
    ),
    (
        "out_of_range",
        "Talet ligger utanför det tillåtna.",
        "The number is out of range.",
    ),
    (
        "too_few",
        "Listan får inte vara tom.",
        "The list must not be empty.",
    ),
];

/// The sentence of a rule; an unknown code is its own sentence.
#[must_use]
pub fn rule_text(code: &str) -> Text {
    RULES.iter().find(|(known, ..)| *known == code).map_or_else(
        || text(code.to_owned(), code.to_owned()),
        |(_, sv, en)| text(*sv, *en),
    )
}

macro_rules! string_value {
    ($(#[$doc:meta])* $name:ident, check $check:path, example $example:literal, $(pattern $pattern:literal,)? max $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, given away.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }

            /// Takes a text that already went through the rule: one read back from the database.
            #[must_use]
            pub fn trusted(text: impl Into<String>) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Faulty;
            fn from_str(text: &str) -> Result<Self, Faulty> {
                let value = Self(normal(text));
                $check(&value.0)?;
                Ok(value)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self(normal(&String::deserialize(deserializer)?)))
            }
        }

        impl garde::Validate for $name {
            type Context = ();
            fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
                if let Err(Faulty(code)) = $check(&self.0) {
                    report.append(parent(), garde::Error::new(code));
                }
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($example, " for example.")))
                    $(.pattern(Some($pattern)))?
                    .max_length(Some($max))
                    .examples([serde_json::json!($example)])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

string_value! {
    /// One line of text: 1–2 000 characters.
    Line, check line, example "Kulturskolan i storstan", max 2000
}
string_value! {
    /// Running text with line breaks: 1–20 000 characters.
    Prose, check prose, example "Nya former för samverkan.", max 20000
}
string_value! {
    /// A month: `YYYY-MM`.
    Month, check month, example "2017-12", pattern r"^\d{4}-(0[1-9]|1[0-2])$", max 7
}
string_value! {
    /// A date as precise as its source: `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    PartialDate, check partial_date, example "2018-01-01", pattern r"^\d{4}(-(0[1-9]|1[0-2])(-([0-2]\d|3[01]))?)?$", max 10
}
string_value! {
    /// An area: `SE`, a county (`18`), a municipality (`1880`), or a district whose code begins with one of them.
    AreaCode, check area_code, example "1880", pattern r"^(SE|\d{2})[0-9A-Za-z_:-]*$", max 60
}
string_value! {
    /// A Swedish organisation number, `NNNNNN-NNNN`, with a check digit; never a personal identity number.
    OrgNumber, check org_number, example "802000-0009", pattern r"^\d{6}-?\d{4}$", max 11
}
string_value! {
    /// An `https` or `http` address. It is stored as given and never fetched.
    WebAddress, check link, example "https://www.kulturskoleradet.se/", pattern "^https?://.+$", max 2000
}
string_value! {
    /// The code of a measure.
    MeasureCode, check snake_code, example "pupils_share", pattern "^[a-z][a-z0-9_]{1,59}$", max 60
}
string_value! {
    /// The scheme that a district belongs to.
    Scheme, check scheme, example "regso-2025", pattern "^[a-z0-9-]+(:[a-z0-9-]+)?$", max 60
}
string_value! {
    /// Ages from and to, both included, or `all`.
    AgeBand, check age_band, example "6-19", pattern r"^(all|\d{1,3}-\d{1,3})$", max 7
}

impl OrgNumber {
    /// The form that is stored: with the hyphen.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self.0.split_at_checked(6) {
            Some((head, tail)) if tail.len() == 4 => format!("{head}-{tail}"),
            _ => self.0.clone(),
        }
    }
}

/// NFC, without blanks at the ends, its lines ended by `\n`. Both forms of Å would otherwise be two names; and no workbook
/// holds the other ends of lines.
fn normal(text: &str) -> String {
    let text = text.trim();
    // Nearly all codes and most names are in that form already.
    let composed: String = if text.is_ascii() {
        text.to_owned()
    } else {
        text.nfc().collect()
    };
    if composed.contains('\r') {
        composed.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        composed
    }
}

/// Whether there are control characters (but tab and line break, if `breaks` are allowed), or characters that turn the reading direction (Trojan source).
#[must_use]
pub fn has_hidden(text: &str, breaks: bool) -> bool {
    text.chars().any(|c| match c {
        '\t' | '\n' | '\r' => !breaks,
        '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffd}'
        | '\u{feff}' => true,
        _ => c.is_control(),
    })
}

fn line(text: &str) -> Result<(), Faulty> {
    written(text, 2_000, "text_too_long", false)
}

fn prose(text: &str) -> Result<(), Faulty> {
    written(text, 20_000, "prose_too_long", true)
}

fn written(text: &str, max: usize, too_long: &'static str, breaks: bool) -> Result<(), Faulty> {
    if text.is_empty() {
        return Err(Faulty("text_empty"));
    }
    if text.chars().count() > max {
        return Err(Faulty(too_long));
    }
    if has_hidden(text, breaks) {
        return Err(Faulty("text_control_character"));
    }
    if holds_personal_number(text) {
        return Err(Faulty("personal_identity_number"));
    }
    Ok(())
}

fn month(text: &str) -> Result<(), Faulty> {
    match text.split_once('-') {
        Some((year, month)) if is_digits(year, 4) && is_month(month) => Ok(()),
        _ => Err(Faulty("month_format")),
    }
}

fn partial_date(text: &str) -> Result<(), Faulty> {
    let mut parts = text.split('-');
    let year = parts.next().is_some_and(|year| is_digits(year, 4));
    let month = parts.next().is_none_or(is_month);
    let day = parts
        .next()
        .is_none_or(|day| is_digits(day, 2) && text.parse::<chrono::NaiveDate>().is_ok());
    if year && month && day && parts.next().is_none() {
        Ok(())
    } else {
        Err(Faulty("date_claim_format"))
    }
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_month(text: &str) -> bool {
    is_digits(text, 2) && ("01"..="12").contains(&text)
}

fn area_code(text: &str) -> Result<(), Faulty> {
    let characters = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-'));
    let head = text.starts_with("SE") || text.get(..2).is_some_and(|head| is_digits(head, 2));
    if characters && head && text.len() <= 60 {
        Ok(())
    } else {
        Err(Faulty("area_code_format"))
    }
}

fn org_number(text: &str) -> Result<(), Faulty> {
    let bare = text.replacen('-', "", 1);
    let hyphen = text.len() == 10 || text.find('-') == Some(6);
    if !is_digits(&bare, 10) || !hyphen {
        return Err(Faulty("org_number_format"));
    }
    // The library accepts personal identity numbers, since sole traders use theirs; a third digit below 2 tells them.
    if bare.as_bytes().get(2).is_some_and(|digit| *digit < b'2') {
        return Err(Faulty("org_number_is_personal"));
    }
    if Organisationsnummer::parse(&bare).is_ok_and(|number| number.valid()) {
        Ok(())
    } else {
        Err(Faulty("org_number_format"))
    }
}

fn link(text: &str) -> Result<(), Faulty> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let good = text.len() <= 2_000
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '\\' | '`'))
        && !has_hidden(text, false)
        && host.is_some_and(|host| !host.is_empty() && !host.contains('@'));
    if good {
        Ok(())
    } else {
        Err(Faulty("link_format"))
    }
}

fn snake_code(text: &str) -> Result<(), Faulty> {
    let good = (2..=60).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if good {
        Ok(())
    } else {
        Err(Faulty("code_format"))
    }
}

fn scheme(text: &str) -> Result<(), Faulty> {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let good = text.len() <= 60
        && match text.split_once(':') {
            Some((head, tail)) => part(head) && part(tail),
            None => part(text),
        };
    if good {
        Ok(())
    } else {
        Err(Faulty("scheme_format"))
    }
}

fn age_band(text: &str) -> Result<(), Faulty> {
    let age = |age: &str| age.parse::<u8>().ok().filter(|years| *years <= 120);
    let band = text
        .split_once('-')
        .and_then(|(from, to)| Some((age(from)?, age(to)?)));
    if text == "all" || band.is_some_and(|(from, to)| from <= to) {
        Ok(())
    } else {
        Err(Faulty("age_band_format"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::legal_person("802000-0009", Ok(()))]
    #[case::without_hyphen("8020000009", Ok(()))]
    #[case::wrong_check_digit("802000-0008", Err(Faulty("org_number_format")))]
    #[case::a_person("811228-9874", Err(Faulty("org_number_is_personal")))]
    #[case::letters("80200A-0007", Err(Faulty("org_number_format")))]
    #[case::hyphen_elsewhere("80-20000009", Err(Faulty("org_number_format")))]
    fn organisation_numbers(#[case] given: &str, #[case] expected: Result<(), Faulty>) {
        assert_eq!(given.parse::<OrgNumber>().map(|_| ()), expected);
    }

    #[rstest]
    #[case("811228-9874", true)]
    #[case("ring 19811228-9874 i kväll", true)]
    #[case("diarienummer 2017-1234", false)]
    #[case("802000-0009", false)]
    fn free_text_refuses_personal_identity_numbers(#[case] given: &str, #[case] refused: bool) {
        assert_eq!(given.parse::<Line>().is_err(), refused);
    }

    #[test]
    fn lines_end_in_one_way() {
        let text: Prose = "a\r\nb\rc\n".parse().unwrap();
        assert_eq!(text.as_str(), "a\nb\nc");
    }

    #[test]
    fn both_ways_to_write_a_ring_are_one_text() {
        assert_eq!("A\u{30a}mål".parse::<Line>(), "Åmål".parse::<Line>());
    }

    #[rstest]
    #[case("2018", true)]
    #[case("2018-02", true)]
    #[case("2018-02-30", false)]
    #[case("2018-13", false)]
    #[case("2018-02-03-04", false)]
    #[case("", false)]
    fn dates_of_any_precision(#[case] given: &str, #[case] good: bool) {
        assert_eq!(given.parse::<PartialDate>().is_ok(), good);
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("https://user@host/")]
    #[case("file:///etc/passwd")]
    #[case("https://")]
    #[case("https://a b")]
    fn hostile_links_are_refused(#[case] given: &str) {
        assert_eq!(given.parse::<WebAddress>(), Err(Faulty("link_format")));
    }

    #[test]
    fn hidden_characters_are_refused() {
        for hostile in ["a\0b", "a\u{202e}b", "a\u{fffd}", "rad\u{7}"] {
            assert_eq!(
                hostile.parse::<Line>(),
                Err(Faulty("text_control_character")),
                "{hostile:?}"
            );
        }
        assert!("två\nrader".parse::<Prose>().is_ok());
        assert!("två\nrader".parse::<Line>().is_err());
    }
}
