//! `Accept` (RFC 9110 section 12.5.1): which of the media types that an operation has is answered.

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::problem::{Problem, ProblemKind, text};

/// The offered type that the request wants most: by weight, then by how exactly it is named, then by the order of the
/// offer. Without the header the first one; none if nothing is accepted.
///
/// A range like `application/problem+json` accepts plain JSON as well: who reads one reads the other.
#[must_use]
pub fn choose(req: &HttpRequest, offered: &[&str]) -> Option<usize> {
    let ranges: Vec<Range> = req
        .headers()
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(Range::read)
        .collect();
    if ranges.is_empty() {
        return (!offered.is_empty()).then_some(0);
    }
    let mut best: Option<(f32, u8, usize)> = None;
    for (place, media) in offered.iter().enumerate() {
        let fits = ranges
            .iter()
            .filter_map(|range| Some((range.fit(media)?, range.weight)));
        // The most exact range speaks for the type, even if it refuses what a wider one allows.
        let Some((exact, weight)) =
            fits.reduce(|one, other| if other.0 > one.0 { other } else { one })
        else {
            continue;
        };
        if weight > 0.0 && best.is_none_or(|(w, e, _)| weight > w || (weight >= w && exact > e)) {
            best = Some((weight, exact, place));
        }
    }
    best.map(|(_, _, place)| place)
}

/// 406, naming what there is.
#[must_use]
pub fn not_acceptable(offered: &[&str]) -> Problem {
    let offered = offered.join(", ");
    Problem::new(ProblemKind::NotAcceptable).detail(text(
        format!("Formaten här är {offered}."),
        format!("The formats here are {offered}."),
    ))
}

struct Range {
    kind: String,
    subtype: String,
    weight: f32,
}

impl Range {
    fn read(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (kind, subtype) = media.split_once('/').unwrap_or((&media, ""));
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .and_then(|weight| weight.parse().ok())
            .unwrap_or(1.0);
        Self {
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            weight,
        }
    }

    /// How exactly this range names the media type, if it does.
    fn fit(&self, media: &str) -> Option<u8> {
        let (kind, subtype) = media.split_once('/')?;
        match (self.kind.as_str(), self.subtype.as_str()) {
            (k, s) if k == kind && s == subtype => Some(3),
            (k, s) if k == kind && s.ends_with("+json") && subtype == "json" => Some(2),
            (k, "*") if k == kind => Some(2),
            ("*", "*") => Some(1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    const OFFERED: [&str; 3] = ["application/json", "application/vnd.a+json", "text/csv"];

    #[rstest]
    #[case("text/csv", Some(2))]
    #[case("text/csv, application/json", Some(0))]
    #[case("text/csv, application/json;q=0.5", Some(2))]
    #[case("text/csv, */*", Some(2))]
    #[case("text/*", Some(2))]
    #[case("*/*", Some(0))]
    #[case("application/vnd.a+json", Some(1))]
    #[case("application/vnd.other+json", Some(0))]
    #[case("Text/CSV;Q=1, */*;q=0.1", Some(2))]
    #[case("*/*, application/json;q=0", Some(1))]
    #[case("text/html", None)]
    #[case("application/*;q=0, text/csv;q=0", None)]
    #[case("rubbish", None)]
    fn accept_chooses_the_format(#[case] accept: &'static str, #[case] chosen: Option<usize>) {
        let req = TestRequest::default()
            .insert_header(("Accept", accept))
            .to_http_request();
        assert_eq!(choose(&req, &OFFERED), chosen);
    }

    #[test]
    fn without_the_header_the_first_one_is_answered() {
        let req = TestRequest::default().to_http_request();
        assert_eq!(choose(&req, &OFFERED), Some(0));
    }
}
