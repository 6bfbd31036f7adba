//! What a token request says: body, form, and the two ways to send credentials (RFC 6749 sections 2.3.1 and 4.4.2).

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::header::HeaderValue;
use actix_web::web::{BytesMut, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::Refusal;
use crate::access::secret::SecretText;

/// The only media type of a token request.
const FORM: &str = "application/x-www-form-urlencoded";
/// The longest body, bytes. Everything that can be asked for takes less than one of these KiB.
const MAX_BODY: usize = 8 * 1024;
/// How long the body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(5);

/// A request for a token by client credentials.
#[derive(Debug)]
pub(super) struct Asked {
    /// Who says to be asking.
    pub(super) client_id: String,
    /// The proof.
    pub(super) client_secret: SecretText,
    /// The permissions asked for; all if none are named.
    pub(super) scope: Option<String>,
}

impl Asked {
    /// Reads the form and the credentials, which come in the `Authorization` header or in the form, not in both.
    pub(super) fn read<'a>(
        mut headers: impl Iterator<Item = &'a HeaderValue>,
        body: &[u8],
    ) -> Result<Self, Refusal> {
        let header = headers.next();
        if headers.next().is_some() {
            return Err(Refusal::InvalidRequest("two Authorization headers"));
        }
        let form = Form::read(body)?;
        match form.grant_type.as_deref() {
            Some("client_credentials") => {}
            Some(_) => return Err(Refusal::UnsupportedGrantType),
            None => return Err(Refusal::InvalidRequest("grant_type is missing")),
        }
        let (client_id, client_secret) = match (header, form.client_id, form.client_secret) {
            (Some(_), _, Some(_)) => {
                return Err(Refusal::InvalidRequest(
                    "credentials in the header and in the body",
                ));
            }
            (Some(header), named, None) => {
                let basic = basic(header).ok_or(Refusal::InvalidClient(
                    "the Authorization header is not Basic",
                ))?;
                if named.is_some_and(|named| named != basic.0) {
                    return Err(Refusal::InvalidRequest("client_id differs from the header"));
                }
                basic
            }
            (None, Some(id), Some(secret)) => (id, secret),
            (None, _, _) => return Err(Refusal::InvalidClient("no credentials")),
        };
        Ok(Self {
            client_id,
            client_secret,
            scope: form.scope,
        })
    }
}

/// The parameters that mean something here; others are ignored, as RFC 6749 section 3.2 demands.
#[derive(Default)]
struct Form {
    grant_type: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretText>,
}

impl Form {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            if !(is_text(&name) && is_text(&value)) {
                return Err(Refusal::InvalidRequest("a parameter is not text"));
            }
            // RFC 6749 section 3.2: without a value it is as if it were not there.
            if value.is_empty() {
                continue;
            }
            let value = value.into_owned();
            let again = match &*name {
                "grant_type" => form.grant_type.replace(value).is_some(),
                "scope" => form.scope.replace(value).is_some(),
                "client_id" => form.client_id.replace(value).is_some(),
                "client_secret" => form.client_secret.replace(value.into()).is_some(),
                _ => false,
            };
            if again {
                return Err(Refusal::InvalidRequest("a parameter occurs twice"));
            }
        }
        Ok(form)
    }
}

/// Id and secret of an `Authorization: Basic` header: each form-encoded, joined by a colon, in base64.
fn basic(header: &HeaderValue) -> Option<(String, SecretText)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let (id, secret) = (form_decoded(id)?, form_decoded(secret)?);
    Some((id, secret.into()))
}

/// A single form-encoded text. One that was not encoded comes out as it is: our ids and secrets need no encoding.
fn form_decoded(text: &str) -> Option<String> {
    let pair = format!("={}", text.replace('&', "%26"));
    let (_, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
    (!value.is_empty() && is_text(&value)).then(|| Cow::into_owned(value))
}

/// Decoding is lossy: what was not UTF-8 comes out as U+FFFD, which no honest text holds.
fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == '\u{fffd}')
}

/// Reads the whole body, within its size and time.
pub(super) async fn read(
    content_type: Option<&HeaderValue>,
    payload: Payload,
) -> Result<BytesMut, Refusal> {
    if !is_form(content_type) {
        return Err(Refusal::InvalidRequest(
            "Content-Type must be application/x-www-form-urlencoded",
        ));
    }
    timeout(BODY_TIME, collect(payload))
        .await
        .unwrap_or(Err(Refusal::InvalidRequest("the body came too slowly")))
}

async fn collect(mut payload: Payload) -> Result<BytesMut, Refusal> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Refusal::InvalidRequest("the body did not arrive whole"))?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Refusal::InvalidRequest("the body is longer than 8 KiB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Parameters such as `charset` change nothing: the form is UTF-8.
fn is_form(content_type: Option<&HeaderValue>) -> bool {
    content_type
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case(FORM))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GRANT: &str = "grant_type=client_credentials";
    const SECRET: &str = "smv_k3v7q2mzt5ab_-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn ask(headers: &[&str], body: &str) -> Result<Asked, Refusal> {
        let headers: Vec<HeaderValue> = headers
            .iter()
            .map(|text| HeaderValue::from_str(text).unwrap())
            .collect();
        Asked::read(headers.iter(), body.as_bytes())
    }

    fn basic_of(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn code(outcome: &Result<Asked, Refusal>) -> &'static str {
        outcome.as_ref().err().map_or("", |refusal| refusal.code())
    }

    #[test]
    fn credentials_come_in_the_header_or_in_the_form() {
        let header = ask(&[&basic_of(&format!("client_a:{SECRET}"))], GRANT).unwrap();
        let form = ask(
            &[],
            &format!("{GRANT}&client_id=client_a&client_secret={SECRET}"),
        )
        .unwrap();
        for asked in [header, form] {
            assert_eq!(asked.client_id, "client_a");
            assert_eq!(asked.client_secret.expose(), SECRET);
            assert_eq!(asked.scope, None);
        }
    }

    #[rstest]
    #[case::lower_case_scheme("basic Y2xpZW50X2E6c2VjcmV0", "client_a", "secret")]
    #[case::encoded(&basic_of("client%5Fa:a%3Ab%26c+d"), "client_a", "a:b&c d")]
    #[case::a_colon_in_the_secret(&basic_of("client_a:a:b"), "client_a", "a:b")]
    #[case::not_encoded(&basic_of("client_a:a&b=c"), "client_a", "a&b=c")]
    fn basic_is_decoded(#[case] header: &str, #[case] id: &str, #[case] secret: &str) {
        let asked = ask(&[header], GRANT).unwrap();
        assert_eq!(
            (asked.client_id.as_str(), asked.client_secret.expose()),
            (id, secret)
        );
    }

    #[rstest]
    #[case::another_scheme("Bearer abc".to_owned())]
    #[case::no_scheme("abc".to_owned())]
    #[case::not_base64("Basic ***".to_owned())]
    #[case::no_colon(basic_of("client_a"))]
    #[case::no_id(basic_of(":secret"))]
    #[case::no_secret(basic_of("client_a:"))]
    #[case::nul(basic_of("client_a:a%00b"))]
    #[case::not_utf8(format!("Basic {}", STANDARD.encode(b"client_a:\xff")))]
    #[case::not_utf8_when_decoded(basic_of("client_a:%FF"))]
    fn a_header_that_is_no_basic_is_an_invalid_client(#[case] header: String) {
        assert_eq!(code(&ask(&[&header], GRANT)), "invalid_client");
    }

    #[rstest]
    #[case::no_grant_type("client_id=a&client_secret=b", "invalid_request")]
    #[case::empty_grant_type("grant_type=&client_id=a&client_secret=b", "invalid_request")]
    #[case::password("grant_type=password&username=a&password=b", "unsupported_grant_type")]
    #[case::no_credentials("grant_type=client_credentials", "invalid_client")]
    #[case::no_secret("grant_type=client_credentials&client_id=a", "invalid_client")]
    #[case::empty_secret(
        "grant_type=client_credentials&client_id=a&client_secret=",
        "invalid_client"
    )]
    #[case::twice(
        "grant_type=client_credentials&client_id=a&client_id=a&client_secret=b",
        "invalid_request"
    )]
    #[case::scope_twice(
        "grant_type=client_credentials&scope=a&scope=b&client_id=a&client_secret=b",
        "invalid_request"
    )]
    #[case::nul(
        "grant_type=client_credentials&client_id=a%00&client_secret=b",
        "invalid_request"
    )]
    #[case::not_utf8(
        "grant_type=client_credentials&client_id=%FF&client_secret=b",
        "invalid_request"
    )]
    #[case::json(
        r#"{"grant_type":"client_credentials","client_id":"a"}"#,
        "invalid_request"
    )]
    fn a_form_that_does_not_do(#[case] body: &str, #[case] expected: &str) {
        assert_eq!(code(&ask(&[], body)), expected);
    }

    #[test]
    fn credentials_in_both_places_are_refused_but_the_same_id_is_not() {
        let header = basic_of("client_a:secret");
        let with = |more: &str| code(&ask(&[&header], &format!("{GRANT}&{more}")));
        assert_eq!(
            with("client_id=client_a&client_secret=secret"),
            "invalid_request"
        );
        assert_eq!(with("client_secret=secret"), "invalid_request");
        assert_eq!(with("client_id=client_b"), "invalid_request");
        assert_eq!(with("client_id=client_a"), "");
        assert_eq!(code(&ask(&[&header, &header], GRANT)), "invalid_request");
    }

    #[test]
    fn unknown_parameters_are_ignored_and_empty_ones_are_absent() {
        let body = format!("{GRANT}&client_id=a&client_secret=b&audience=x&audience=y&scope=");
        assert_eq!(ask(&[], &body).unwrap().scope, None);
        let body = format!("{GRANT}&client_id=a&client_secret=b&scope=registry%3Aread+publish");
        assert_eq!(
            ask(&[], &body).unwrap().scope.as_deref(),
            Some("registry:read publish")
        );
    }

    #[rstest]
    #[case(Some("application/x-www-form-urlencoded"), true)]
    #[case(Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"), true)]
    #[case(Some("application/json"), false)]
    #[case(Some("multipart/form-data; boundary=x"), false)]
    #[case(None, false)]
    fn the_media_type_is_that_of_a_form(
        #[case] declared: Option<&'static str>,
        #[case] form: bool,
    ) {
        let header = declared.map(HeaderValue::from_static);
        assert_eq!(is_form(header.as_ref()), form);
    }

    #[test]
    fn debug_shows_no_secret() {
        let asked = ask(&[&basic_of(&format!("client_a:{SECRET}"))], GRANT).unwrap();
        assert!(!format!("{asked:?}").contains(SECRET));
    }
}
