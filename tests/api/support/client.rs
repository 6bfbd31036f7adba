//! The client: who calls, what comes back, and whether the document said so.

use std::sync::OnceLock;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::conform::Contract;

/// Where the documented API begins.
pub const BASE: &str = "/samverkan/v1";

fn contract() -> &'static Contract {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    CONTRACT.get_or_init(|| Contract::new(samverkan::openapi::document().clone()))
}

/// Someone who calls the service.
#[derive(Clone)]
pub struct Caller {
    origin: String,
    token: Option<String>,
    subject: uuid::Uuid,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The version that a strong ETag stands for.
    #[track_caller]
    pub fn version(&self) -> i64 {
        let tag = self
            .header("etag")
            .strip_prefix('"')
            .expect("a strong ETag");
        tag.split('-').next().unwrap().parse().unwrap()
    }

    /// The body, once the status is what it should be.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The code of the problem, and of its first fault.
    #[track_caller]
    pub fn problem(&self, status: u16) -> (String, String) {
        let body = self.expect(status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&body["code"]), text(&body["errors"][0]["code"]))
    }

    /// The values of one member of every row.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<String> {
        let body = self.expect(200);
        let items = body["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| {
                item[name]
                    .as_str()
                    .map_or_else(|| item[name].to_string(), str::to_owned)
            })
            .collect()
    }
}

impl Caller {
    pub fn new(origin: String, token: Option<String>) -> Self {
        // What came over the wire is what is tested, so nothing is unpacked on the way.
        let http = reqwest::Client::builder()
            .no_gzip()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            origin,
            token,
            subject: uuid::Uuid::nil(),
            http,
        }
    }

    /// The same caller, whose row is this one.
    pub fn known_as(self, subject: uuid::Uuid) -> Self {
        Self { subject, ..self }
    }

    /// The row of its client.
    pub fn subject(&self) -> uuid::Uuid {
        self.subject
    }

    /// The same caller with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], None).await
    }

    /// As [`get`](Self::get), for a task of its own.
    pub fn get_later(&self, path: String) -> impl Future<Output = Reply> + 'static {
        let caller = self.clone();
        async move { caller.get(&path).await }
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(
            Method::POST,
            path,
            &[("Content-Type", "application/json")],
            Some(body.to_string().into_bytes()),
        )
        .await
    }

    pub async fn patch(&self, path: &str, etag: &str, body: &Value) -> Reply {
        let headers = [
            ("Content-Type", "application/merge-patch+json"),
            ("If-Match", etag),
        ];
        self.send(
            Method::PATCH,
            path,
            &headers,
            Some(body.to_string().into_bytes()),
        )
        .await
    }

    pub async fn put(&self, path: &str, etag: &str, body: &Value) -> Reply {
        let headers = [("Content-Type", "application/json"), ("If-Match", etag)];
        self.send(
            Method::PUT,
            path,
            &headers,
            Some(body.to_string().into_bytes()),
        )
        .await
    }

    pub async fn delete(&self, path: &str, etag: &str) -> Reply {
        self.send(Method::DELETE, path, &[("If-Match", etag)], None)
            .await
    }

    /// Sends a request to a documented path and holds the answer against the document.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Reply {
        let reply = self
            .raw(method.clone(), &format!("{BASE}{path}"), headers, body)
            .await;
        let content_type = reply
            .headers
            .get("content-type")
            .map(|value| value.to_str().unwrap());
        let bare = path.split('?').next().unwrap();
        if let Err(fault) = contract().check(
            method.as_str(),
            bare,
            reply.status,
            content_type,
            &reply.body,
            &reply.headers,
        ) {
            panic!(
                "{method} {path} -> {}: {fault}\n{}",
                reply.status,
                reply.text()
            );
        }
        reply
    }

    /// Begins to read an answer that has no end.
    pub async fn stream(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let token = self.token.as_deref().unwrap_or_default();
        let mut request = self
            .http
            .get(format!("{}{BASE}{path}", self.origin))
            .header("Accept", "text/event-stream")
            .bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Sends a request as it is, to any path.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Reply {
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }
}
