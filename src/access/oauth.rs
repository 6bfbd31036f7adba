//! The token desk: `POST /oauth/token` (client credentials, RFC 6749 section 4.4), the public keys, and the metadata
//! that describe both (RFC 8414).
//!
//! These are standards with forms of their own, so they live at the host's root, outside the API and its document, and
//! their errors are `{"error", "error_description"}` in ASCII (RFC 6749 section 5.2) instead of problem details. Only
//! faults of ours (5xx) are.
//!
//! Whatever is wrong with the credentials (client unknown, secret wrong, either of them revoked) costs the same work
//! and earns the same answer; the difference is in the log.

mod brake;
mod request;

use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, Responder, get, post, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use self::brake::Brake;
use self::request::Asked;
use super::Permission;
use super::clients::model::Credential;
use super::clients::store;
use super::secret::{CLIENT_ID_PREFIX, PresentedSecret};
use super::token::{IssuedToken, Issuer};
use crate::clock::Clock;
use crate::db::{Db, DbError};
use crate::http::list::PublicUrl;
use crate::problem::Problem;
use crate::telemetry;

/// How often the last use of a secret is written at the most: once a minute.
const USE_NOTED: TimeDelta = TimeDelta::minutes(1);
/// Compared with when there is no such secret. No text is known that has this hash.
const NO_HASH: [u8; 32] = [0; 32];
/// One for the process: all workers count together.
static BRAKE: Brake = Brake::new();

/// The root paths of this module, with their methods.
pub const PATHS: &[(&str, &[&str])] = &[
    ("/oauth/token", &["POST"]),
    ("/.well-known/jwks.json", &["GET", "HEAD"]),
    ("/.well-known/oauth-authorization-server", &["GET", "HEAD"]),
];

/// The handlers.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(token).service(jwks).service(metadata);
}

/// Trades a client's id and secret for an access token.
#[post("/oauth/token")]
async fn token(
    req: HttpRequest,
    payload: web::Payload,
    db: Db,
    issuer: web::Data<Issuer>,
    clock: web::Data<Clock>,
) -> Result<HttpResponse, Problem> {
    match earn(&req, payload, &db, &issuer, &clock).await {
        Ok(made) => Ok(answer(StatusCode::OK).json(TokenBody {
            access_token: &made.token,
            token_type: "Bearer",
            expires_in: made.expires_in,
            scope: &made.claims.scope,
        })),
        Err(Failure::Refused(refusal)) => {
            telemetry::note_cause(format!("{}: {}", refusal.code(), refusal.cause()));
            Ok(refusal.response(req.headers().contains_key(AUTHORIZATION)))
        }
        Err(Failure::Ours(problem)) => Err(problem),
    }
}

/// The public keys.
#[get("/.well-known/jwks.json")]
async fn jwks(issuer: web::Data<Issuer>) -> impl Responder {
    public().json(issuer.jwks())
}

/// What a client library needs to find the rest by itself.
#[get("/.well-known/oauth-authorization-server")]
async fn metadata(req: HttpRequest, issuer: web::Data<Issuer>) -> impl Responder {
    let origin = PublicUrl::origin(&req);
    public().json(Metadata {
        token_endpoint: format!("{origin}/oauth/token"),
        jwks_uri: format!("{origin}/.well-known/jwks.json"),
        // That of the tokens, by which others know whose they are (RFC 9068 section 4), even where no address is set.
        issuer: issuer.name().to_owned(),
        scopes_supported: Permission::ALL,
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
    })
}

fn public() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "public, max-age=300"));
    response
}

/// RFC 6749 section 5.1: neither tokens nor refusals are kept by a cache.
fn answer(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"));
    response
}

/// RFC 6749 section 5.1.
#[derive(Serialize)]
struct TokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    scope: &'a str,
}

/// RFC 6749 section 5.2.
#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

/// RFC 8414 section 2. There is no authorization endpoint, hence no response type.
#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    scopes_supported: &'static [Permission],
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
}

/// Why there is no token.
enum Failure {
    /// The client's fault.
    Refused(Refusal),
    /// Ours.
    Ours(Problem),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Ours(error.into())
    }
}

/// What the client did wrong, by the codes of RFC 6749 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The request is not well formed; what is wrong with it, in the characters that the RFC allows.
    InvalidRequest(&'static str),
    /// The credentials are not right; why, for the log only.
    InvalidClient(&'static str),
    /// Too many wrong secrets; how many seconds to wait.
    Braked(i64),
    /// Another grant than client credentials.
    UnsupportedGrantType,
    /// A scope that the client does not have.
    InvalidScope,
}

impl Refusal {
    fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient(_) | Self::Braked(_) => "invalid_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest(what) => what,
            Self::InvalidClient(_) | Self::Braked(_) => "no such client with that secret",
            Self::UnsupportedGrantType => "grant_type must be client_credentials",
            Self::InvalidScope => {
                "scope must name permissions that the client has, separated by blanks"
            }
        }
    }

    /// For the log.
    fn cause(self) -> &'static str {
        match self {
            Self::InvalidClient(cause) => cause,
            Self::Braked(_) => "too many wrong secrets",
            other => other.description(),
        }
    }

    fn response(self, by_header: bool) -> HttpResponse {
        let unknown = matches!(self, Self::InvalidClient(_) | Self::Braked(_));
        let mut response = answer(if unknown {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        });
        if unknown && by_header {
            response.insert_header((
                WWW_AUTHENTICATE,
                "Basic realm=\"samverkan\", charset=\"UTF-8\"",
            ));
        }
        if let Self::Braked(seconds) = self {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        response.json(ErrorBody {
            error: self.code(),
            error_description: self.description(),
        })
    }
}

/// The way from a request to a token.
async fn earn(
    req: &HttpRequest,
    payload: web::Payload,
    db: &Db,
    issuer: &Issuer,
    clock: &Clock,
) -> Result<IssuedToken, Failure> {
    if !req.query_string().is_empty() {
        // Addresses end up in logs along the way; a secret in one is better refused than accepted.
        return Err(Refusal::InvalidRequest("parameters belong in the body").into());
    }
    let body = request::read(req.headers().get(header::CONTENT_TYPE), payload).await?;
    let asked = Asked::read(req.headers().get_all(AUTHORIZATION), &body)?;
    let now = clock.now();
    let credential = match authenticate(db, &asked, now).await {
        Ok(credential) => credential,
        Err(Failure::Refused(refusal)) => {
            // One who is told to wait is in the access log only, however fast the attempts come.
            if !matches!(refusal, Refusal::Braked(_)) {
                let client = loggable(&asked.client_id);
                log::warn!(client; "token refused: {}", refusal.cause());
            }
            return Err(refusal.into());
        }
        Err(ours) => return Err(ours),
    };
    telemetry::note_caller(&credential.client_id);
    let scope = narrow(&credential.permissions, asked.scope.as_deref())?;
    let begins = credential.first_second(now);
    let made = issuer
        .issue(
            credential.subject,
            &credential.client_id,
            &scope,
            credential.areas,
            begins,
        )
        .map_err(|error| Failure::Ours(Problem::internal(error)))?;
    log::info!(client = credential.client_id.as_str(), token:% = made.claims.jti, scope = scope.as_str(); "token issued");
    Ok(made)
}

/// The client behind the credentials.
async fn authenticate(db: &Db, asked: &Asked, now: DateTime<Utc>) -> Result<Credential, Failure> {
    let Some(secret) = PresentedSecret::parse(&asked.client_secret) else {
        return Err(Refusal::InvalidClient("the secret has not the form of one").into());
    };
    if let Some(wait) = BRAKE.wait(secret.public_id(), now) {
        return Err(Refusal::Braked(wait).into());
    }
    let found = db
        .read(async |conn| store::credential(conn, secret.public_id()).await)
        .await?;
    let right = match check(found, &asked.client_id, &secret) {
        Ok(right) => right,
        Err(refusal) => {
            BRAKE.failed(secret.public_id(), now);
            return Err(refusal.into());
        }
    };
    if note_use(db, &right, now).await {
        Ok(right)
    } else {
        Err(Refusal::InvalidClient("the secret was revoked this moment").into())
    }
}

/// The credential, if it is the one presented. The comparison comes first and is always made.
fn check(
    found: Option<Credential>,
    client_id: &str,
    secret: &PresentedSecret,
) -> Result<Credential, Refusal> {
    let hash = found
        .as_ref()
        .map_or(NO_HASH.as_slice(), |found| found.secret_hash.as_slice());
    let fits = secret.is_one_of([hash]);
    let Some(found) = found else {
        return Err(Refusal::InvalidClient("no such secret"));
    };
    if !fits {
        return Err(Refusal::InvalidClient("wrong secret"));
    }
    if found.client_id != client_id {
        return Err(Refusal::InvalidClient("the secret of another client"));
    }
    if found.secret_revoked_at.is_some() {
        return Err(Refusal::InvalidClient("the secret is revoked"));
    }
    if found.client_revoked_at.is_some() {
        return Err(Refusal::InvalidClient("the client is revoked"));
    }
    Ok(found)
}

/// Writes down that the secret was used, if that was not done within the last minute; says whether it still is active.
///
/// A database that reads but cannot write at the moment keeps no client out: this is bookkeeping.
async fn note_use(db: &Db, credential: &Credential, now: DateTime<Utc>) -> bool {
    let noted = credential
        .last_used_at
        .is_some_and(|at| (now - at).abs() < USE_NOTED);
    if noted {
        return true;
    }
    let written = db
        .write(async |conn| Ok(store::used(conn, credential.secret_id, now).await?))
        .await;
    written.unwrap_or_else(|problem| {
        log::warn!("the use of a secret is not noted: {problem}");
        true
    })
}

/// The permissions of the token: all that the client has, or those of them that it asked for.
fn narrow(held: &[String], asked: Option<&str>) -> Result<String, Refusal> {
    let Some(asked) = asked else {
        return Ok(held.join(" "));
    };
    let asked: Vec<&str> = asked.split(' ').filter(|part| !part.is_empty()).collect();
    if asked.is_empty() || !asked.iter().all(|part| held.iter().any(|own| own == part)) {
        return Err(Refusal::InvalidScope);
    }
    let kept: Vec<&str> = held
        .iter()
        .map(String::as_str)
        .filter(|own| asked.contains(own))
        .collect();
    Ok(kept.join(" "))
}

/// The client id, if it has the form of one: what people mix up with it is their secret.
fn loggable(client_id: &str) -> &str {
    let random = client_id.strip_prefix(CLIENT_ID_PREFIX).unwrap_or_default();
    let is_id = random.len() == 16
        && random
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if is_id { client_id } else { "malformed" }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;
    use crate::access::secret::NewSecret;

    #[rstest]
    #[case::nothing_asked(None, Some("registry:read registry:write publish"))]
    #[case::one(Some("publish"), Some("publish"))]
    #[case::in_our_order_and_once(
        Some("publish registry:read publish"),
        Some("registry:read publish")
    )]
    #[case::not_held(Some("registry:read clients:admin"), None)]
    #[case::unknown(Some("all"), None)]
    #[case::blanks_only(Some("  "), None)]
    #[case::a_part_of_a_name(Some("registry"), None)]
    #[case::another_separator(Some("registry:read,publish"), None)]
    fn a_scope_narrows_and_never_widens(#[case] asked: Option<&str>, #[case] given: Option<&str>) {
        let held = ["registry:read", "registry:write", "publish"].map(str::to_owned);
        assert_eq!(narrow(&held, asked).ok().as_deref(), given);
    }

    fn credential(secret: &NewSecret) -> Credential {
        Credential {
            secret_id: Uuid::nil(),
            secret_hash: secret.hash.as_bytes().to_vec(),
            secret_revoked_at: None,
            last_used_at: None,
            subject: Uuid::nil(),
            client_id: "client_k3v7q2mzt5abcdef".to_owned(),
            permissions: Vec::new(),
            areas: Vec::new(),
            client_revoked_at: None,
            tokens_valid_after: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_the_right_secret_of_the_right_active_client_passes() {
        let (own, other) = (
            NewSecret::generate().unwrap(),
            NewSecret::generate().unwrap(),
        );
        let right = credential(&own);
        let id = right.client_id.clone();
        let presented = PresentedSecret::parse(&own.text).unwrap();
        let refused = |found, id: &str| check(found, id, &presented).is_err();
        assert!(!refused(Some(right.clone()), &id));
        assert!(refused(None, &id));
        assert!(refused(Some(credential(&other)), &id));
        assert!(refused(Some(right.clone()), "client_aaaaaaaaaaaaaaaa"));
        let revoked = Some(DateTime::UNIX_EPOCH);
        let client_revoked_at = revoked;
        let secret_revoked_at = revoked;
        assert!(refused(
            Some(Credential {
                client_revoked_at,
                ..right.clone()
            }),
            &id
        ));
        assert!(refused(
            Some(Credential {
                secret_revoked_at,
                ..right
            }),
            &id
        ));
    }

    #[test]
    fn nothing_is_the_secret_of_nobody() {
        let presented = PresentedSecret::parse(&NewSecret::generate().unwrap().text).unwrap();
        assert!(!presented.is_one_of([NO_HASH.as_slice()]));
    }

    #[test]
    fn wrong_credentials_look_the_same_whatever_the_cause() {
        let seen = |refusal: Refusal| (refusal.code(), refusal.description());
        let one = seen(Refusal::InvalidClient("no such secret"));
        assert_eq!(seen(Refusal::InvalidClient("the client is revoked")), one);
        assert_eq!(seen(Refusal::Braked(3)), one);
    }

    #[test]
    fn the_challenge_is_for_those_who_used_the_header() {
        let challenged = |refusal: Refusal, by_header| {
            let response = refusal.response(by_header);
            (
                response.status().as_u16(),
                response.headers().contains_key(WWW_AUTHENTICATE),
            )
        };
        assert_eq!(challenged(Refusal::InvalidClient(""), true), (401, true));
        assert_eq!(challenged(Refusal::InvalidClient(""), false), (401, false));
        assert_eq!(challenged(Refusal::InvalidScope, true), (400, false));
    }

    #[test]
    fn only_what_is_a_client_id_reaches_the_log() {
        assert_eq!(
            loggable("client_k3v7q2mzt5abcdef"),
            "client_k3v7q2mzt5abcdef"
        );
        assert_eq!(loggable("client_K3V7Q2MZT5ABCDEF"), "malformed");
        let secret = NewSecret::generate().unwrap();
        assert_eq!(loggable(secret.text.expose()), "malformed");
    }
}
