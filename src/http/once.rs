//! Safe retries: a POST with an `Idempotency-Key` is carried out once, however often it is sent
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! The key is kept with the answer in the transaction of the effect ([`crate::db::once`]): a client that hung up, or lost
//! its answer to a crash, sends the same request again and gets the answer of the first time, marked with
//! [`IDEMPOTENT_REPLAYED`]. Only what was carried out is kept. A refusal, whatever its status, has changed nothing: its
//! key is free, and the same key may be sent with the body that was mended.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, Responder};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::{MissedTickBehavior, interval};

use crate::access::upkeep::Outage;
use crate::access::{Action, Grant};
use crate::clock::Clock;
use crate::db::once::{self, Claim, KeptAnswer};
use crate::db::{Conn, Db, Shared, WriteError};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// The key that makes a POST safe to send again.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says `true` of an answer that was given before.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// As the header is written.
const NAME: &str = "Idempotency-Key";
/// How often keys whose time is over are forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// The SHA-256 of the body of a request, left in it by whoever read the body.
struct BodyDigest([u8; 32]);

/// Leaves the digest of a body in its request, for the fingerprint, if a key came with it.
pub fn note_body(req: &HttpRequest, body: &[u8]) {
    if req.headers().contains_key(&IDEMPOTENCY_KEY) {
        note_digest(req, Sha256::digest(body).into());
    }
}

/// As [`note_body`], for a body that was digested while it arrived.
pub fn note_digest(req: &HttpRequest, digest: [u8; 32]) {
    req.extensions_mut().insert(BodyDigest(digest));
}

/// The request's key, if it has one.
#[derive(Clone, Debug)]
pub struct Once {
    req: HttpRequest,
    key: Option<String>,
}

impl FromRequest for Once {
    type Error = Problem;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(key(req.headers()).map(|key| Self {
            req: req.clone(),
            key,
        }))
    }
}

/// 8–128 letters, digits, `-` and `_`, bare or as a quoted string (RFC 8941 section 3.3.3).
fn key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut given = headers.get_all(&IDEMPOTENCY_KEY);
    let Some(first) = given.next() else {
        return Ok(None);
    };
    let bare = |text: &str| -> Option<String> {
        let text = text.trim();
        let inner = text
            .strip_prefix('"')
            .map_or(Some(text), |rest| rest.strip_suffix('"'))?;
        let fits = (8..=128).contains(&inner.len())
            && inner
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        fits.then(|| inner.to_owned())
    };
    match (first.to_str().ok().and_then(bare), given.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Problem::new(ProblemKind::MalformedRequest).fault(Fault::header(
            NAME,
            "idempotency_key_format",
            text(
                "En nyckel har 8–128 bokstäver (a–z, A–Z), siffror, - och _, till exempel en UUID, och anges en gång.",
                "A key has 8–128 letters (a–z, A–Z), digits, - and _, a UUID for example, and is given once.",
            ),
        ))),
    }
}

/// How much of an answer is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All of it.
    Answer,
    /// That it was given: it holds a secret.
    Fact,
}

impl Once {
    /// The same, where there must be a key.
    ///
    /// # Errors
    /// 400 `idempotency_key_required`
    pub fn required(self) -> ApiResult<Self> {
        if self.key.is_some() {
            return Ok(self);
        }
        Err(Problem::new(ProblemKind::MalformedRequest).fault(Fault::header(
            NAME,
            "idempotency_key_required",
            text(
                "Skicka en Idempotency-Key, så att anropet kan göras om utan att något skrivs två gånger.",
                "Send an Idempotency-Key, so that the request can be sent again without writing anything twice.",
            ),
        )))
    }

    /// The claim that this request makes on its key, if it has one.
    #[must_use]
    pub fn claim<A: Action>(&self, db: &Db, grant: &Grant<A>) -> Option<Claim> {
        Some(Claim {
            client: grant.client_id().to_owned(),
            key: self.key.clone()?,
            fingerprint: fingerprint(&self.req),
            now: db.clock().now(),
        })
    }

    /// Carries the request out in one transaction, or answers as it was answered before.
    ///
    /// # Errors
    /// 409 `idempotency_in_progress` while the same request is being carried out, 422 `idempotency_key_reused` for
    /// another one; otherwise as [`Shared::write`].
    pub async fn write<T: Responder<Body = BoxBody>, A: Action>(
        &self,
        db: &Db,
        grant: &Grant<A>,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> ApiResult<Answer<T>> {
        self.run(db, grant, Keep::Answer, work).await
    }

    /// As [`write`](Self::write), for an answer that holds a secret and is not kept.
    ///
    /// # Errors
    /// As [`write`](Self::write), and 409 `secret_shown_once` for a request that was carried out before.
    pub async fn write_secret<T: Responder<Body = BoxBody>, A: Action>(
        &self,
        db: &Db,
        grant: &Grant<A>,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> ApiResult<Answer<T>> {
        self.run(db, grant, Keep::Fact, work).await
    }

    async fn run<T: Responder<Body = BoxBody>, A: Action>(
        &self,
        db: &Db,
        grant: &Grant<A>,
        keep: Keep,
        work: impl AsyncFn(&Conn) -> Result<T, WriteError>,
    ) -> ApiResult<Answer<T>> {
        let Some(claim) = self.claim(db, grant) else {
            return db
                .write(async |conn| work(conn).await.map(Answer::new))
                .await;
        };
        db.write(async |conn| {
            if let Some(kept) = taken(&claim, conn).await? {
                return Ok(Answer::ready(replay(&kept)?));
            }
            let response = work(conn).await?.respond_to(&self.req);
            let (head, body) = response.into_parts();
            let body = to_bytes(body).await.map_err(Problem::internal)?;
            let stored = (keep == Keep::Answer).then_some(&*body);
            let headers = names_and_values(head.headers());
            claim
                .keep(conn, head.status().as_u16(), headers, stored)
                .await?;
            Ok(Answer::ready(head.set_body(BoxBody::new(body))))
        })
        .await
    }
}

/// Claims the key; what it was answered with if the same request was carried out before.
///
/// # Errors
/// 409 `idempotency_in_progress`, 422 `idempotency_key_reused`.
pub async fn taken(claim: &Claim, conn: &Conn) -> Result<Option<KeptAnswer>, WriteError> {
    match claim.take(conn).await {
        Ok(None) => Ok(None),
        Ok(Some(kept)) => Ok(Some(same_request(claim, kept)?)),
        Err(error) if once::is_held_up(&error) => Err(in_progress().into()),
        Err(error) => Err(error.into()),
    }
}

/// What was answered, if it was to the same request.
///
/// # Errors
/// 422 `idempotency_key_reused`
pub fn same_request(claim: &Claim, kept: KeptAnswer) -> ApiResult<KeptAnswer> {
    if kept.fingerprint == claim.fingerprint {
        return Ok(kept);
    }
    Err(
        Problem::new(ProblemKind::ValidationFailed).fault(Fault::header(
            NAME,
            "idempotency_key_reused",
            text(
                "Nyckeln har använts för ett annat anrop; varje anrop har en egen.",
                "The key was used for another request; each request has its own.",
            ),
        )),
    )
}

/// The same request is being carried out.
#[must_use]
pub fn in_progress() -> Problem {
    Problem::new(ProblemKind::Conflict)
        .fault(Fault::header(
            NAME,
            "idempotency_in_progress",
            text(
                "Samma anrop håller på att utföras; fråga igen om en stund.",
                "The same request is being carried out; ask again in a moment.",
            ),
        ))
        .with_header(RETRY_AFTER, "2")
}

fn replay(kept: &KeptAnswer) -> ApiResult<HttpResponse> {
    let Some(body) = &kept.body else {
        let place = kept.headers.get(LOCATION.as_str()).and_then(Value::as_str);
        let place = place.unwrap_or_default();
        return Err(Problem::new(ProblemKind::Conflict).fault(Fault::header(
            NAME,
            "secret_shown_once",
            text(
                format!("Anropet är utfört ({place}), men hemligheten visas bara en gång och sparas inte. Gör en ny hemlighet om den kom bort."),
                format!("The request was carried out ({place}), but the secret is shown once and not kept. Make another secret if it was lost."),
            ),
        )));
    };
    let status = kept
        .status
        .and_then(|status| u16::try_from(status).ok())
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| Problem::internal("an answer was kept without a status"))?;
    let mut response = HttpResponse::build(status).body(body.clone());
    for (name, value) in kept.headers.as_object().into_iter().flatten() {
        if let (Ok(name), Some(Ok(value))) = (
            HeaderName::try_from(name),
            value.as_str().map(HeaderValue::from_str),
        ) {
            response.headers_mut().insert(name, value);
        }
    }
    mark(&mut response);
    Ok(response)
}

fn mark(response: &mut HttpResponse) {
    response
        .headers_mut()
        .insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
}

/// What tells a request from others: method, path, query, body.
fn fingerprint(req: &HttpRequest) -> Vec<u8> {
    let body = req.extensions().get::<BodyDigest>().map(|digest| digest.0);
    let mut hash = Sha256::new();
    for part in [req.method().as_str(), req.path(), req.query_string()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(body.unwrap_or_default());
    hash.finalize().to_vec()
}

fn names_and_values(headers: &HeaderMap) -> Value {
    let told: Map<String, Value> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    Value::Object(told)
}

/// An answer that was given for the first time, or before; `T` is what the document says of it.
pub struct Answer<T>(Given<T>);

enum Given<T> {
    New(T),
    Again(T),
    Ready(HttpResponse),
}

impl<T> Answer<T> {
    /// For the first time.
    pub fn new(row: T) -> Self {
        Self(Given::New(row))
    }

    /// Not for the first time, but made anew.
    pub fn again(row: T) -> Self {
        Self(Given::Again(row))
    }

    fn ready(response: HttpResponse) -> Self {
        Self(Given::Ready(response))
    }
}

impl<T: Responder<Body = BoxBody>> Responder for Answer<T> {
    type Body = BoxBody;
    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        match self.0 {
            Given::New(row) => row.respond_to(req),
            Given::Again(row) => {
                let mut response = row.respond_to(req);
                mark(&mut response);
                response
            }
            Given::Ready(response) => response,
        }
    }
}

/// Forgets the keys whose time is over, once an hour, without end.
pub async fn keep_short(db: Arc<Shared>, clock: Clock) {
    let mut outage = Outage::new("forgetting old idempotency keys");
    let mut ticks = interval(FORGET_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        outage.note(forget(&db, &clock).await.map(|_| ()));
    }
}

/// Forgets the keys whose time is over; says how many that were.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(db: &Shared, clock: &Clock) -> ApiResult<usize> {
    let now = clock.now();
    db.write_long(async |conn| Ok(once::forget(conn, now).await?))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(values: &[&str]) -> ApiResult<Option<String>> {
        let mut req = TestRequest::default();
        for value in values {
            req = req.append_header((IDEMPOTENCY_KEY, *value));
        }
        key(req.to_http_request().headers())
    }

    #[test]
    fn a_key_is_bare_or_quoted() {
        assert_eq!(read(&[]).unwrap(), None);
        let key = Some("01903e2a-7b4c".to_owned());
        assert_eq!(read(&["01903e2a-7b4c"]).unwrap(), key);
        assert_eq!(read(&[" \"01903e2a-7b4c\" "]).unwrap(), key);
        let longest = "a".repeat(128);
        assert_eq!(read(&[&longest]).unwrap(), Some(longest.clone()));
        for wrong in [
            "",
            "short_7",
            "\"half-quoted",
            "with blank",
            "åäöåäöåä",
            "semi;colon",
            &(longest + "a"),
        ] {
            assert!(read(&[wrong]).is_err(), "{wrong}");
        }
        assert!(read(&["01903e2a-7b4c", "01903e2a-7b4d"]).is_err());
    }

    #[test]
    fn a_request_is_told_by_method_path_query_and_body() {
        let of = |uri: &str, body: &[u8]| {
            let req = TestRequest::post()
                .uri(uri)
                .insert_header((IDEMPOTENCY_KEY, "01903e2a-7b4c"))
                .to_http_request();
            note_body(&req, body);
            fingerprint(&req)
        };
        let one = of("/partners?a=1", b"{}");
        assert_eq!(one, of("/partners?a=1", b"{}"));
        for other in [
            of("/partners?a=2", b"{}"),
            of("/projects?a=1", b"{}"),
            of("/partners?a=1", b"{ }"),
        ] {
            assert_ne!(one, other);
        }
    }
}
