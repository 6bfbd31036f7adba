//! A client that knows one thing about failures: to send the same again.

use std::rc::Rc;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::ledger::Ledger;

/// Where the API begins.
const BASE: &str = "/samverkan/v1";
/// Whoever has no answer by then has been forgotten: far above every bound of the service.
const FORGOTTEN: Duration = Duration::from_mins(1);
/// How long to wait before sending again: shorter than the service asks for, so that it is hit while it recovers too.
const AGAIN: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    origin: String,
    token: String,
    ledger: Rc<Ledger>,
}

/// What is sent, as often as it takes.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The client hangs up after this time, once.
    pub patience: Option<Duration>,
}

impl Request {
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path, &[], Vec::new())
    }

    pub fn new(
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            method,
            path: path.to_owned(),
            headers: headers.collect(),
            body,
            patience: None,
        }
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    pub fn version(&self) -> i64 {
        self.body["version"].as_i64().unwrap()
    }
}

impl Client {
    /// Fetches a token for these credentials.
    pub async fn new(origin: &str, credentials: &(String, String), ledger: Rc<Ledger>) -> Self {
        let http = reqwest::Client::new();
        let (id, secret) = credentials;
        let asked = http
            .post(format!("{origin}/oauth/token"))
            .basic_auth(id, Some(secret))
            .form(&[("grant_type", "client_credentials")]);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        Self {
            http,
            origin: origin.to_owned(),
            token: answer["access_token"].as_str().unwrap().to_owned(),
            ledger,
        }
    }

    /// Sends it until there is an answer that will not change by sending it again.
    pub async fn insist(&self, mut request: Request) -> Reply {
        let writes = request.method != Method::GET;
        let what = format!("{} {}", request.method, request.path);
        loop {
            let began = Instant::now();
            self.ledger.asked();
            let patience = request.patience.take();
            let answered = timeout(patience.unwrap_or(FORGOTTEN), self.once(&request)).await;
            self.ledger.over(began.elapsed(), &what);
            match answered {
                Err(_) if patience.is_some() => {
                    self.ledger.hang_up();
                    continue;
                }
                Err(_) => self.ledger.blame(format!("{what}: no answer")),
                Ok(Err(_)) if writes => self.ledger.strike(),
                Ok(Err(_)) => {}
                Ok(Ok(reply)) => match reply.status {
                    503 => {
                        if reply.header("retry-after").is_empty()
                            || reply.body["code"] != "unavailable"
                        {
                            self.ledger.blame(format!("{what}: {reply:?}"));
                        }
                        if writes {
                            self.ledger.strike();
                        }
                    }
                    409 if reply.body["errors"][0]["code"] == "idempotency_in_progress" => {}
                    500.. => self.ledger.blame(format!("{what}: {reply:?}")),
                    _ => {
                        if !reply.header("idempotent-replayed").is_empty() {
                            self.ledger.replay();
                        }
                        return reply;
                    }
                },
            }
            sleep(AGAIN).await;
        }
    }

    /// As [`insist`](Self::insist), of what can only be answered with success.
    pub async fn get(&self, path: &str) -> Value {
        let reply = self.insist(Request::get(path)).await;
        if reply.status != 200 {
            self.ledger.blame(format!("GET {path}: {reply:?}"));
        }
        reply.body
    }

    /// Asks for a stream of events after this one; none while there is no service.
    pub async fn events(&self, path: &str, last: &str) -> Option<reqwest::Response> {
        let asked = self
            .http
            .get(format!("{}{BASE}{path}", self.origin))
            .bearer_auth(&self.token)
            .header("Accept", "text/event-stream")
            .header("Last-Event-ID", last);
        let answer = timeout(FORGOTTEN, asked.send()).await.ok()?.ok()?;
        match answer.status().as_u16() {
            200 => Some(answer),
            503 => None,
            _ => {
                self.ledger.blame(format!("events of {path}: {answer:?}"));
                None
            }
        }
    }

    /// Sends it once.
    pub async fn once(&self, request: &Request) -> reqwest::Result<Reply> {
        let url = format!("{}{BASE}{}", self.origin, request.path);
        let mut sent = self
            .http
            .request(request.method.clone(), url)
            .bearer_auth(&self.token);
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        let answer = sent.body(request.body.clone()).send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await?;
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|error| {
                self.ledger.blame(format!("{}: {error}", request.path));
                Value::Null
            })
        };
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}
