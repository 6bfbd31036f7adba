//! Conditional requests (RFC 9110 section 13).
//!
//! The strong ETag of a row is its version and a hash of the very bytes that are answered: `"7-9f86d081884c7d65"`. The
//! version is what a write is compared with; the hash tells apart what the same version looks like with other fields,
//! or on another day (a project's status follows the calendar). A list has a weak one, a hash of its bytes.

use actix_web::HttpRequest;
use actix_web::http::header;
use sha2::{Digest, Sha256};

use crate::problem::{Fault, Problem, ProblemKind, text};

/// The strong ETag of a row in one form.
#[must_use]
pub fn of_row(version: i64, bytes: &[u8]) -> String {
    format!("\"{version}-{}\"", hash(bytes))
}

/// The weak ETag of some bytes.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    format!("W/\"{}\"", hash(bytes))
}

fn hash(bytes: &[u8]) -> String {
    let head = Sha256::digest(bytes)
        .iter()
        .take(8)
        .fold(0, |head: u64, byte| head << 8 | u64::from(*byte));
    format!("{head:016x}")
}

/// An entity tag of a request header.
struct Tag<'a> {
    weak: bool,
    /// What stands between the quotes.
    opaque: &'a str,
}

/// The entity tags of a list (RFC 9110 sections 5.6.1 and 8.8.3): a comma between the quotes belongs to its tag, empty
/// members count for nothing. None if it is no such list, or an empty one.
fn tags(list: &str) -> Option<Vec<Tag<'_>>> {
    let mut tags = Vec::new();
    let mut rest = list;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(tags);
        }
        let weak = rest.strip_prefix("W/");
        let (opaque, after) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        tags.push(Tag {
            weak: weak.is_some(),
            opaque,
        });
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// Whether `If-None-Match` names this tag (weak comparison): the answer is 304.
#[must_use]
pub fn is_unchanged(req: &HttpRequest, etag: &str) -> bool {
    let own = etag.trim_start_matches("W/").trim_matches('"');
    let names_it = |list: &str| {
        list.trim() == "*"
            || tags(list).is_some_and(|tags| tags.iter().any(|tag| tag.opaque == own))
    };
    req.headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .any(names_it)
}

/// What `If-Match` demands of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any version, as long as the row exists (`*`).
    Any,
    /// One of these versions.
    Versions(Vec<i64>),
}

impl Expected {
    /// Reads `If-Match`: required for every change of a row, so that nobody overwrites what they have not seen.
    ///
    /// # Errors
    /// 428 without the header, 400 if it holds no strong tag of ours.
    pub fn from_request(req: &HttpRequest) -> Result<Self, Problem> {
        let mut versions = Vec::new();
        let mut given = false;
        for value in req.headers().get_all(header::IF_MATCH) {
            given = true;
            let value = value.to_str().unwrap_or_default();
            if value.trim() == "*" {
                return Ok(Self::Any);
            }
            let Some(tags) = tags(value) else {
                return Err(
                    Problem::new(ProblemKind::MalformedRequest).fault(Fault::header(
                        "If-Match",
                        "etag_format",
                        text(
                            "If-Match ska vara radens ETag, till exempel \"7-9f86d081884c7d65\".",
                            "If-Match must be the row's ETag, for example \"7-9f86d081884c7d65\".",
                        ),
                    )),
                );
            };
            // A weak tag never matches in a strong comparison, a foreign one stands for no version of ours; neither is an
            // error of form.
            let strong = tags.iter().filter(|tag| !tag.weak);
            versions
                .extend(strong.filter_map(|tag| tag.opaque.split('-').next()?.parse::<i64>().ok()));
        }
        if given {
            return Ok(Self::Versions(versions));
        }
        Err(
            Problem::new(ProblemKind::PreconditionRequired).fault(Fault::header(
                "If-Match",
                "if_match_required",
                text(
                    "Skicka radens ETag i If-Match, så att ingen annans ändring skrivs över.",
                    "Send the row's ETag in If-Match, so that nobody else's change is overwritten.",
                ),
            )),
        )
    }

    /// Whether a row of this version may be changed.
    #[must_use]
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

/// What a PUT to an address of the client's choice demands: both ways to write it are conditional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing may be there (`If-None-Match: *`).
    Free,
    /// What is there is to be replaced (`If-Match`).
    Held(Expected),
}

impl Place {
    /// Reads `If-None-Match` and `If-Match`, one of which is required.
    ///
    /// # Errors
    /// 428 without either, 400 with both, and if one does not say what it can say here.
    pub fn from_request(req: &HttpRequest) -> Result<Self, Problem> {
        let headers = req.headers();
        let (free, held) = (
            headers.get(header::IF_NONE_MATCH),
            headers.contains_key(header::IF_MATCH),
        );
        let refuse = |kind, name, code, sv: &'static str, en: &'static str| {
            Err(Problem::new(kind).fault(Fault::header(name, code, text(sv, en))))
        };
        match free {
            None if held => Expected::from_request(req).map(Self::Held),
            None => refuse(
                ProblemKind::PreconditionRequired,
                "If-Match",
                "if_match_required",
                "Skicka If-None-Match: * för en ny rad, eller radens ETag i If-Match för att ersätta den.",
                "Send If-None-Match: * for a new row, or the row's ETag in If-Match to replace it.",
            ),
            Some(_) if held => refuse(
                ProblemKind::MalformedRequest,
                "If-None-Match",
                "if_match_or_if_none_match",
                "Skicka If-Match eller If-None-Match, inte båda.",
                "Send If-Match or If-None-Match, not both.",
            ),
            Some(value) if value.as_bytes().trim_ascii() == b"*" => Ok(Self::Free),
            Some(_) => refuse(
                ProblemKind::MalformedRequest,
                "If-None-Match",
                "if_none_match_format",
                "If-None-Match ska här vara *.",
                "If-None-Match must be * here.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_hash_is_the_head_of_sha_256() {
        // `printf test | sha256sum`, and one whose first digit is a zero: `printf 39 | sha256sum`
        assert_eq!(of_row(7, b"test"), "\"7-9f86d081884c7d65\"");
        assert_eq!(of_bytes(b"39"), "W/\"0b918943df0962bc\"");
    }

    #[test]
    fn if_match_is_a_strong_comparison() {
        let expected = |value: &str| {
            Expected::from_request(
                &TestRequest::default()
                    .insert_header(("If-Match", value))
                    .to_http_request(),
            )
        };
        assert!(expected("\"7-9f86d081884c7d65\"").is_ok_and(|e| e.allows(7) && !e.allows(8)));
        assert!(expected("W/\"7\"").is_ok_and(|e| !e.allows(7)));
        assert!(expected("\"1\", \"2\"").is_ok_and(|e| e.allows(2)));
        assert!(expected("*").is_ok_and(|e| e.allows(99)));
        assert!(expected("\"a,2-b\", \"3-c\"").is_ok_and(|e| e.allows(3) && !e.allows(2)));
        assert!(expected(" , W/\"4\" ,\t\"5-x\",").is_ok_and(|e| e.allows(5) && !e.allows(4)));
        for wrong in ["7", "", ",", "\"7", "\"7\" \"8\"", "\"7\", 8", "w/\"7\""] {
            assert!(expected(wrong).is_err(), "{wrong}");
        }
        assert!(Expected::from_request(&TestRequest::default().to_http_request()).is_err());
    }

    #[test]
    fn a_place_is_free_or_held() {
        let place = |headers: &[(&'static str, &'static str)]| {
            let mut req = TestRequest::default();
            for header in headers {
                req = req.insert_header(*header);
            }
            Place::from_request(&req.to_http_request()).ok()
        };
        let held = Place::Held(Expected::Versions(vec![7]));
        assert_eq!(place(&[("If-Match", "\"7-a\"")]), Some(held));
        assert_eq!(place(&[("If-None-Match", " *")]), Some(Place::Free));
        for wrong in [
            &[][..],
            &[("If-None-Match", "\"7\"")],
            &[("If-None-Match", "*"), ("If-Match", "*")],
        ] {
            assert_eq!(place(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn if_none_match_is_a_weak_comparison() {
        let req = TestRequest::default()
            .insert_header(("If-None-Match", "\"1\", W/\"abc\""))
            .to_http_request();
        assert!(is_unchanged(&req, "\"abc\""));
        assert!(!is_unchanged(&req, "\"2\""));
    }

    #[test]
    fn a_comma_inside_the_quotes_belongs_to_the_tag() {
        let req = TestRequest::default()
            .insert_header(("If-None-Match", "\"1,abc\", \"x\""))
            .to_http_request();
        assert!(is_unchanged(&req, "W/\"x\"") && is_unchanged(&req, "\"1,abc\""));
        assert!(!is_unchanged(&req, "\"abc\"") && !is_unchanged(&req, "\"1\""));
    }
}
