//! Swedish or English: which language one answer is written in.
//!
//! `lang=sv` or `lang=en` in the query decides, because a link can carry it; then `Accept-Language`
//! (RFC 9110 §12.5.4) with its weights and regional tags; then Swedish, the language of the schools.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// The languages that every text for people exists in.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    serde::Deserialize,
    serde::Serialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Swedish, the default.
    #[default]
    Sv,
    /// English.
    En,
}

impl Lang {
    /// The language tag (RFC 5646), as it stands in `Content-Language`: `sv` or `en`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sv => "sv",
            Self::En => "en",
        }
    }

    /// The one of two texts that is written in this language.
    pub fn pick<T>(self, swedish: T, english: T) -> T {
        match self {
            Self::Sv => swedish,
            Self::En => english,
        }
    }

    fn from_tag(tag: &str) -> Option<Self> {
        [Self::Sv, Self::En]
            .into_iter()
            .find(|lang| tag.eq_ignore_ascii_case(lang.as_str()))
    }
}

/// Chooses the language for a request: the query's `lang`, then `Accept-Language`, then Swedish.
///
/// A value that names neither language is passed over and never refused: a wish that cannot be met
/// is answered in the default language (RFC 9110 §12.5.4 advises against 406).
#[must_use]
pub fn negotiate(headers: &HeaderMap, query: &str) -> Lang {
    asked_for(query)
        .or_else(|| accepted(headers))
        .unwrap_or_default()
}

fn asked_for(query: &str) -> Option<Lang> {
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "lang").then(|| Lang::from_tag(&value)).flatten())
}

/// The language with the greatest weight; of two equal weights the one that was named first.
fn accepted(headers: &HeaderMap) -> Option<Lang> {
    let (mut swedish, mut english, mut any) = (None, None, None);
    let ranges = headers
        .get_all(ACCEPT_LANGUAGE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(range);
    for (place, (tag, weight)) in ranges.enumerate() {
        let slot = match (tag, Lang::from_tag(primary(tag))) {
            ("*", _) => &mut any,
            (_, Some(Lang::Sv)) => &mut swedish,
            (_, Some(Lang::En)) => &mut english,
            (_, None) => continue,
        };
        // A browser sends `en-GB, en;q=0.8`: the best of a language's tags speaks for it.
        if slot.is_none_or(|(best, _)| weight > best) {
            *slot = Some((weight, place));
        }
    }
    let wanted = |slot: Option<(u16, usize)>| slot.or(any).filter(|(weight, _)| *weight > 0);
    match (wanted(swedish), wanted(english)) {
        (None, None) => None,
        (Some(_), None) => Some(Lang::Sv),
        (None, Some(_)) => Some(Lang::En),
        (Some((sv, sv_place)), Some((en, en_place))) => {
            let english_first = en > sv || (en == sv && en_place < sv_place);
            Some(if english_first { Lang::En } else { Lang::Sv })
        }
    }
}

/// One language range and its weight in thousandths; `None` where the weight cannot be read.
fn range(text: &str) -> Option<(&str, u16)> {
    let (tag, parameter) = match text.split_once(';') {
        Some((tag, parameter)) => (tag.trim(), Some(parameter.trim())),
        None => (text.trim(), None),
    };
    let weight = match parameter {
        None => 1000,
        Some(parameter) => thousandths(
            parameter
                .strip_prefix(['q', 'Q'])?
                .trim_start()
                .strip_prefix('=')?
                .trim(),
        )?,
    };
    (!tag.is_empty()).then_some((tag, weight))
}

/// A `qvalue` of RFC 9110 §12.4.2: 0 to 1 with at most three decimals.
fn thousandths(qvalue: &str) -> Option<u16> {
    let (whole, decimals) = qvalue.split_once('.').unwrap_or((qvalue, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use rstest::rstest;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_LANGUAGE, HeaderValue::from_static(value));
        }
        headers
    }

    #[rstest]
    #[case::nothing_said("", "sv")]
    #[case::plain("en", "en")]
    #[case::regional("en-GB", "en")]
    #[case::swedish_in_finland("sv-FI, en;q=0.9", "sv")]
    #[case::capitals("EN-gb;Q=0.5", "en")]
    #[case::a_browser("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7,sv;q=0.6", "en")]
    #[case::weights_before_order("sv;q=0.3, en;q=0.7", "en")]
    #[case::equal_weights_keep_the_order("en, sv", "en")]
    #[case::the_best_tag_speaks("en-GB;q=0.2, sv;q=0.5, en;q=0.8", "en")]
    #[case::anything("*", "sv")]
    #[case::anything_but_swedish("sv;q=0, *", "en")]
    #[case::rest_before_swedish("sv;q=0.1, *;q=0.5", "en")]
    #[case::neither("de, fr", "sv")]
    #[case::refused("en;q=0", "sv")]
    #[case::unreadable_weight("en;q=2", "sv")]
    #[case::too_many_decimals("en;q=0.1234", "sv")]
    #[case::rubbish(";;q=,,=", "sv")]
    #[case::longer_word("english", "sv")]
    fn accept_language_is_weighed(#[case] header: &'static str, #[case] expected: &str) {
        assert_eq!(negotiate(&headers(&[header]), "").as_str(), expected);
    }

    #[test]
    fn several_header_lines_are_one_list() {
        assert_eq!(negotiate(&headers(&["sv;q=0.2", "en;q=0.4"]), ""), Lang::En);
    }

    #[rstest]
    #[case("lang=en", Lang::En)]
    #[case("q=x&lang=en", Lang::En)]
    #[case("lang=de&lang=en", Lang::En)]
    #[case("lang=%65n", Lang::En)]
    #[case("lang=de", Lang::Sv)]
    #[case("language=en", Lang::Sv)]
    #[case("lang", Lang::Sv)]
    fn the_query_goes_before_the_header(#[case] query: &str, #[case] expected: Lang) {
        assert_eq!(negotiate(&headers(&["sv"]), query), expected);
    }

    #[test]
    fn pick_gives_the_text_of_the_language() {
        assert_eq!((Lang::Sv.pick(1, 2), Lang::En.pick(1, 2)), (1, 2));
    }
}
