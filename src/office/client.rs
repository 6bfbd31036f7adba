//! A conversation with the service: the token that it wants, the pauses that it asks for, and its absences.
//!
//! What may work later (no connection, 429, 5xx) is tried again, at growing distances and never sooner than
//! `Retry-After` says, for as long as the patience lasts that was asked for. Everything that is sent may be sent twice:
//! reads by nature, imports by their `Idempotency-Key`.

use std::time::Duration;

use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::OfficeError;
use super::answers::{Problem, Token, TokenRefusal};
use crate::access::secret::SecretText;
use crate::clock;
use crate::http::BASE_PATH;
use crate::http::lang::Lang;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the service may be silent while we wait for it. Longer than the longest `wait` for a change.
const SILENCE: Duration = Duration::from_secs(90);
/// The first pause after a failure; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause of our own is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// So long before its end a token is exchanged.
const RENEWED_BEFORE: Duration = Duration::from_mins(1);

/// Where the service is, who asks, and how patient it is.
#[derive(Clone, Debug)]
pub struct Access {
    /// The service, as `https://host`, without a slash at the end.
    pub url: String,
    /// The client.
    pub client_id: String,
    /// Its secret.
    pub secret: SecretText,
    /// For how long to try again when the service is away.
    pub patience: Duration,
    /// The language of what the service says.
    pub lang: Lang,
}

/// The service, as one client sees it.
#[derive(Debug)]
pub struct Service {
    http: Client,
    access: Access,
    token: Option<Held>,
}

/// A token, and when it is exchanged.
#[derive(Debug)]
struct Held {
    text: SecretText,
    until: Instant,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// What was asked.
    pub url: String,
}

/// What became of one try.
enum Tried {
    Answered(Answer),
    /// Another try may help; so long the service asks to be left alone.
    Away(String, Option<Duration>),
}

impl Service {
    /// A conversation that has not begun; `silence` is how long one answer may keep us waiting, if not as long as usual.
    ///
    /// # Errors
    /// When the certificates of this machine cannot be read.
    pub fn new(access: Access, silence: Option<Duration>) -> Result<Self, OfficeError> {
        let http = Client::builder()
            .user_agent(concat!("samverkan/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(silence.unwrap_or(SILENCE))
            .tcp_keepalive(Duration::from_secs(30))
            // A secret must not follow where it is sent.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| OfficeError::Strange {
                url: access.url.clone(),
                why: causes(&error),
            })?;
        Ok(Self {
            http,
            access,
            token: None,
        })
    }

    /// The address of the service.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.access.url
    }

    /// The language of what it says.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.access.lang
    }

    /// Reads a resource of the API: `path` is what comes after its base path.
    ///
    /// # Errors
    /// As [`send`](Self::send), and when the answer is not what it should be.
    pub async fn get<T: DeserializeOwned>(
        &mut self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, OfficeError> {
        let answer = self
            .send(Method::GET, path, async |request: RequestBuilder| {
                Ok(request.query(query))
            })
            .await?;
        answer.json()
    }

    /// Sends a request until it is answered; `finish` adds what it carries, anew for each try.
    ///
    /// # Errors
    /// [`OfficeError::Away`] when patience is at its end, [`OfficeError::Credentials`] when the client is not accepted,
    /// [`OfficeError::Refused`] for any other answer that is no success, and what `finish` says.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        finish: impl AsyncFn(RequestBuilder) -> Result<RequestBuilder, OfficeError>,
    ) -> Result<Answer, OfficeError> {
        let url = format!("{}{BASE_PATH}{path}", self.access.url);
        let mut pauses = Pauses::new(self.access.patience);
        let mut renewed = false;
        loop {
            let token = self.token(&mut pauses).await?;
            let request = self
                .http
                .request(method.clone(), &url)
                .bearer_auth(token.expose())
                .header(ACCEPT_LANGUAGE, self.access.lang.as_str());
            match attempt(finish(request).await?, &url).await {
                Tried::Away(why, asked) => pauses.wait(&url, why, asked).await?,
                Tried::Answered(answer) if answer.is_what_was_asked_for() => return Ok(answer),
                // The token was taken back, or the keys of the service changed: a new one shows whether we still may.
                Tried::Answered(answer) if answer.status == 401 && !renewed => {
                    renewed = true;
                    self.token = None;
                    drop(answer);
                }
                Tried::Answered(answer) => return Err(answer.refusal()),
            }
        }
    }

    /// The token, a new one if the last is about to end.
    async fn token(&mut self, pauses: &mut Pauses) -> Result<SecretText, OfficeError> {
        if let Some(held) = &self.token
            && held.until > Instant::now()
        {
            return Ok(held.text.clone());
        }
        let url = format!("{}/oauth/token", self.access.url);
        loop {
            let request = self
                .http
                .post(&url)
                .basic_auth(&self.access.client_id, Some(self.access.secret.expose()))
                .form(&[("grant_type", "client_credentials")]);
            match attempt(request, &url).await {
                Tried::Away(why, asked) => pauses.wait(&url, why, asked).await?,
                Tried::Answered(answer) if answer.status.is_success() => {
                    let Token {
                        access_token,
                        expires_in,
                    } = answer.json()?;
                    let lasts = Duration::from_secs(expires_in);
                    self.token = Some(Held {
                        text: access_token.clone(),
                        until: Instant::now() + lasts.saturating_sub(RENEWED_BEFORE).max(lasts / 2),
                    });
                    return Ok(access_token);
                }
                Tried::Answered(answer) => return Err(answer.token_refusal()),
            }
        }
    }
}

async fn attempt(request: RequestBuilder, url: &str) -> Tried {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Tried::Away(causes(&error), None),
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return Tried::Away(causes(&error), None),
    };
    let answer = Answer {
        status,
        headers,
        body: body.to_vec(),
        url: url.to_owned(),
    };
    let asked = retry_after(&answer.headers);
    // 409 with a time: the same request is being carried out.
    let later = status == StatusCode::TOO_MANY_REQUESTS
        || status.is_server_error()
        || status == StatusCode::CONFLICT && asked.is_some();
    if later {
        return Tried::Away(answer.told(), asked);
    }
    Tried::Answered(answer)
}

/// Seconds, or a date (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    Some((at.to_utc() - clock::now()).to_std().unwrap_or_default())
}

/// An error with everything below it: what reqwest says itself is only where it happened.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

/// The pauses between tries of one request.
struct Pauses {
    patience: Duration,
    began: Option<Instant>,
    next: Duration,
}

impl Pauses {
    fn new(patience: Duration) -> Self {
        Self {
            patience,
            began: None,
            next: FIRST_PAUSE,
        }
    }

    /// Waits before the next try, or gives up.
    async fn wait(
        &mut self,
        url: &str,
        why: String,
        asked: Option<Duration>,
    ) -> Result<(), OfficeError> {
        let began = *self.began.get_or_insert_with(Instant::now);
        // Spread, so that twenty offices do not come back at the same moment.
        let own = self
            .next
            .mul_f64(0.5 + f64::from(clock::now().timestamp_subsec_micros()) / 2e6);
        let pause = asked.map_or(own, |asked| asked.max(own));
        let waited = began.elapsed();
        if waited + pause > self.patience {
            return Err(OfficeError::Away {
                url: url.to_owned(),
                waited,
                why,
            });
        }
        log::warn!("{url}: {why}; trying again in {:.1} s", pause.as_secs_f64());
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        sleep(pause).await;
        Ok(())
    }
}

impl Answer {
    /// The body, read as JSON.
    ///
    /// # Errors
    /// [`OfficeError::Strange`]
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, OfficeError> {
        serde_json::from_slice(&self.body).map_err(|error| self.strange(&error.to_string()))
    }

    /// A success, or a result that is none: an import of which nothing was written is told with 422 as well, but not as
    /// a problem.
    fn is_what_was_asked_for(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        self.status.is_success()
            || self.status == StatusCode::UNPROCESSABLE_ENTITY
                && kind.is_some_and(|kind| kind.starts_with(b"application/json"))
    }

    fn strange(&self, why: &str) -> OfficeError {
        OfficeError::Strange {
            url: self.url.clone(),
            why: why.to_owned(),
        }
    }

    fn problem(&self) -> Option<Problem> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What it says, on one line.
    fn told(&self) -> String {
        let Some(problem) = self.problem() else {
            return self.status.to_string();
        };
        let mut parts = vec![format!("{} {}", self.status.as_u16(), problem.title)];
        parts.extend(problem.faults());
        parts.join(": ")
    }

    fn refusal(&self) -> OfficeError {
        let url = self.url.clone();
        let Some(problem) = self.problem() else {
            return self.strange(&match self.headers.get("Location") {
                Some(place) => format!(
                    "it answers {} and sends us to {}; give that address if it is the right one",
                    self.status,
                    String::from_utf8_lossy(place.as_bytes())
                ),
                None => format!("it answers {} without a reason", self.status),
            });
        };
        let faults = problem.faults();
        let why = if faults.is_empty() {
            problem.detail.unwrap_or(problem.title)
        } else {
            faults.join("; ")
        };
        if self.status == StatusCode::UNAUTHORIZED {
            return OfficeError::Credentials { url, why };
        }
        OfficeError::Refused {
            url,
            status: self.status.as_u16(),
            why,
            code: problem.errors.into_iter().next().map(|fault| fault.code),
        }
    }

    fn token_refusal(&self) -> OfficeError {
        match serde_json::from_slice::<TokenRefusal>(&self.body) {
            Ok(told) => OfficeError::Credentials {
                url: self.url.clone(),
                why: told.error_description.unwrap_or(told.error),
            },
            Err(_) => self.refusal(),
        }
    }
}

impl Problem {
    /// Each fault with its place.
    fn faults(&self) -> Vec<String> {
        let of = |fault: &super::answers::Fault| {
            let place = [&fault.parameter, &fault.header, &fault.pointer]
                .into_iter()
                .find_map(Option::as_deref);
            place.filter(|place| !place.is_empty()).map_or_else(
                || fault.detail.clone(),
                |place| format!("{place}: {}", fault.detail),
            )
        };
        self.errors.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use actix_web::dev::ServerHandle;
    use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_service_may_ask_for_seconds_or_name_a_time() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            asked("Wed, 21 Oct 2015 07:28:00 GMT"),
            Some(Duration::ZERO),
            "a time that is over"
        );
        assert!(asked("Mon, 21 Oct 2199 07:28:00 GMT").unwrap() > Duration::from_hours(24));
        assert_eq!(asked("soon"), None);
    }

    /// A service whose tokens are the numbers from 1, of which it takes those from `oldest` on.
    #[derive(Clone, Default)]
    struct Tokens {
        given: Arc<AtomicU64>,
        asked: Arc<AtomicU64>,
        oldest: Arc<AtomicU64>,
    }

    async fn token(tokens: web::Data<Tokens>) -> HttpResponse {
        let number = tokens.given.fetch_add(1, Ordering::SeqCst) + 1;
        HttpResponse::Ok().json(
            json!({"access_token": number.to_string(), "token_type": "Bearer", "expires_in": 6}),
        )
    }

    async fn row(request: HttpRequest, tokens: web::Data<Tokens>) -> HttpResponse {
        tokens.asked.fetch_add(1, Ordering::SeqCst);
        let bearer = request.headers().get("authorization").unwrap();
        let bearer = bearer.to_str().unwrap();
        let number: u64 = bearer.strip_prefix("Bearer ").unwrap().parse().unwrap();
        if number < tokens.oldest.load(Ordering::SeqCst) {
            let problem = json!({"title": "No token", "status": 401, "errors": []});
            return HttpResponse::Unauthorized().json(problem);
        }
        HttpResponse::Ok().json(number)
    }

    fn begin() -> (Service, Tokens, ServerHandle) {
        let tokens = Tokens::default();
        let data = web::Data::new(tokens.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .route("/oauth/token", web::post().to(token))
                .route("/samverkan/v1/row", web::get().to(row))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let access = Access {
            url: format!("http://{}", server.addrs()[0]),
            client_id: "client".to_owned(),
            secret: "secret".to_owned().into(),
            patience: Duration::ZERO,
            lang: Lang::default(),
        };
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        (Service::new(access, None).unwrap(), tokens, handle)
    }

    #[actix_web::test]
    async fn a_token_is_exchanged_before_it_ends_and_when_it_is_taken_back() {
        let (mut service, tokens, server) = begin();
        let given = || tokens.given.load(Ordering::SeqCst);
        for _ in 0..3 {
            let by: u64 = service.get("/row", &[]).await.unwrap();
            assert_eq!((by, given()), (1, 1), "one token serves many requests");
        }
        // It is good for six seconds, and exchanged after three.
        sleep(Duration::from_millis(3_100)).await;
        let by: u64 = service.get("/row", &[]).await.unwrap();
        assert_eq!((by, given()), (2, 2));

        tokens.oldest.store(3, Ordering::SeqCst);
        let by: u64 = service.get("/row", &[]).await.unwrap();
        assert_eq!((by, given()), (3, 3));

        // A new one does not help: that is told, and not tried for ever.
        tokens.oldest.store(u64::MAX, Ordering::SeqCst);
        let asked = tokens.asked.load(Ordering::SeqCst);
        let refused = service.get::<Value>("/row", &[]).await.unwrap_err();
        assert!(
            matches!(refused, OfficeError::Credentials { .. }),
            "{refused:?}"
        );
        assert_eq!(
            (tokens.asked.load(Ordering::SeqCst) - asked, given()),
            (2, 4)
        );
        server.stop(false).await;
    }
}
