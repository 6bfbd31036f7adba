//! The middleware around every request: who asked, what was answered, how long it took.
//!
//! It is meant to stand outermost. Inside it the request has an id, a language and a trace
//! ([`super::current`]); outside it every answer has the headers that hold for all answers, one access
//! line and one count in the metrics. A handler that panics is answered with the fixed 500, and the
//! worker lives on.
//!
//! The access line leaves out what can hold personal data or secrets: the query string, all headers,
//! all bodies, the address of the caller.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::Method;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt;
use log::kv::{ToValue, Value};
use log::{Level, Record};
use uuid::Uuid;

use super::metrics::{Metrics, UNKNOWN_ROUTE};
use super::{RequestContext, TraceParent, logging, note_cause, with_context};
use crate::http::lang;
use crate::problem;

/// The request's id in the answer.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The request's place in a distributed trace, asked and answered (W3C Trace Context).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What our answers depend on, for every cache between us and the caller.
const VARIES_BY: [&str; 5] = [
    "Accept-Language",
    "Accept-Encoding",
    "Accept",
    "Authorization",
    "Origin",
];

/// A path can be as long as a request's head; a log line need not be.
const LONGEST_PATH: usize = 1024;

/// The middleware, for `actix_web::middleware::from_fn`. Counts into `Data<Metrics>` if the app has it.
///
/// # Errors
/// An inner middleware's error is passed on as one whose answer already has its headers; so is the
/// answer to a panic. Both are logged and counted here, and need nothing further.
pub async fn request_context<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let context = Rc::new(RequestContext::new(
        Uuid::now_v7(),
        lang::negotiate(req.headers(), req.query_string()),
        TraceParent::from_header_or_new(only_value(req.headers(), &TRACEPARENT)),
    ));
    let access = Access {
        started: Instant::now(),
        method: req.method().clone(),
        path: beginning(req.path()).to_owned(),
        metrics: req.app_data::<Data<Metrics>>().cloned(),
        context: Rc::clone(&context),
    };
    with_context(context, async move {
        // What unwinding leaves behind belongs to this request only; shared state is behind locks and
        // pools that survive a panic.
        match AssertUnwindSafe(async { next.call(req).await })
            .catch_unwind()
            .await
        {
            Ok(Ok(mut res)) => {
                set_headers(res.headers_mut(), &access.context);
                let route = res.request().match_pattern();
                access.finish(
                    route.as_deref(),
                    res.status().as_u16(),
                    res.response().body().size(),
                );
                Ok(res)
            }
            Ok(Err(error)) => {
                let answer = error.error_response();
                Err(access.finish_error(error, answer))
            }
            Err(panic) => {
                let answer = problem::internal_response();
                let text = format!("panic: {}", logging::panic_text(&*panic));
                note_cause(text.clone()); // After the answer was made: the last note stands.
                if let Some(metrics) = &access.metrics {
                    metrics.count_panic();
                }
                Err(access.finish_error(text, answer))
            }
        }
    })
    .await
}

/// What has to be remembered of a request until its answer is known.
struct Access {
    started: Instant,
    method: Method,
    path: String,
    metrics: Option<Data<Metrics>>,
    context: Rc<RequestContext>,
}

impl Access {
    /// Writes the access line and counts the request.
    fn finish(&self, route: Option<&str>, status: u16, size: BodySize) {
        let duration = self.started.elapsed();
        if let Some(metrics) = &self.metrics {
            metrics.observe_request(self.method.as_str(), route, status, duration);
        }
        let bytes = match size {
            BodySize::None => Some(0),
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::Stream => None,
        };
        let (caller, cause) = (self.context.caller(), self.context.cause());
        let caller = caller.as_deref();
        let route = route.unwrap_or(UNKNOWN_ROUTE);
        let members: [(&str, Value<'_>); 8] = [
            ("method", self.method.as_str().to_value()),
            ("route", route.to_value()),
            ("path", self.path.to_value()),
            ("status", status.to_value()),
            ("ms", Value::from(milliseconds(duration))),
            ("bytes", bytes.to_value()),
            ("caller", caller.to_value()),
            ("cause", cause.to_value()),
        ];
        log::logger().log(
            &Record::builder()
                .level(Level::Info)
                .target("access")
                .key_values(&members)
                .args(format_args!("{} {route} {status}", self.method))
                .build(),
        );
    }

    /// Finishes a request that has no [`ServiceResponse`]: which route it took is no longer known.
    fn finish_error<T: std::fmt::Debug + std::fmt::Display + 'static>(
        &self,
        cause: T,
        mut answer: HttpResponse,
    ) -> Error {
        set_headers(answer.headers_mut(), &self.context);
        self.finish(None, answer.status().as_u16(), answer.body().size());
        InternalError::from_response(cause, answer).into()
    }
}

/// As much of a path as a line shows.
fn beginning(path: &str) -> &str {
    path.char_indices()
        .nth(LONGEST_PATH)
        .and_then(|(end, _)| path.get(..end))
        .unwrap_or(path)
}

/// Milliseconds with three decimals.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// The value of a header that was sent exactly once; a doubled one has no meaning.
fn only_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    values
        .next()
        .filter(|_| values.next().is_none())?
        .to_str()
        .ok()
}

/// The headers that every answer has. Those that a handler can have reasons to set are left to it.
fn set_headers(headers: &mut HeaderMap, context: &RequestContext) {
    let defaults = [
        (CONTENT_LANGUAGE, context.lang.as_str()),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for (name, value) in [
        (X_REQUEST_ID, context.id.to_string()),
        (TRACEPARENT, context.traceparent.to_string()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    if let Some(vary) = vary(headers) {
        headers.insert(VARY, vary);
    }
}

/// One `Vary` line: what the handler named, then what it left out; `None` to leave `*` alone.
///
/// A public answer is the same for everyone, so it does not vary by `Authorization`: with it, a shared
/// cache would hold one copy for each token.
fn vary(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_public = headers
        .get_all(CACHE_CONTROL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("public"));
    let mut named = headers.get_all(VARY);
    let first = named.next();
    if named.next().is_some() {
        return merged_vary(headers.get_all(VARY), is_public);
    }
    // Most answers of an app name the same headers, once.
    LAST_VARY.with_borrow_mut(|last| match last {
        Some(known) if known.is_public == is_public && known.named.as_ref() == first => {
            known.merged.clone()
        }
        _ => {
            let merged = merged_vary(first.into_iter(), is_public);
            *last = Some(Vary {
                is_public,
                named: first.cloned(),
                merged: merged.clone(),
            });
            merged
        }
    })
}

thread_local! {
    static LAST_VARY: RefCell<Option<Vary>> = const { RefCell::new(None) };
}

/// What an answer's `Vary` was made of, and the outcome.
struct Vary {
    is_public: bool,
    named: Option<HeaderValue>,
    merged: Option<HeaderValue>,
}

fn merged_vary<'a>(
    named: impl Iterator<Item = &'a HeaderValue>,
    is_public: bool,
) -> Option<HeaderValue> {
    let named = named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let ours = VARIES_BY
        .into_iter()
        .filter(|name| !(is_public && *name == "Authorization"));
    let mut merged: Vec<&str> = Vec::new();
    for name in named.chain(ours) {
        if name == "*" {
            return None;
        }
        if !merged.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            merged.push(name);
        }
    }
    HeaderValue::try_from(merged.join(", ")).ok()
}

#[cfg(test)]
mod tests;
