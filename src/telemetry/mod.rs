//! What the service tells about itself: one log format, one line a request, metrics.
//!
//! A request's id, language and trace travel by themselves: [`request_log::request_context`] puts
//! them into a task-local, and whoever needs them asks [`current`]. Handlers never pass them on.
//! What code deep inside learns about a request and no caller may see (why a token was refused,
//! which error hid behind a 500) goes the other way, through [`note_cause`], into the access line.
//!
//! * [`logging`]: how a log record becomes one line, whatever text it carries.
//! * [`outlet`]: where the lines leave the process, and when.
//! * [`request_log`]: the middleware around every request.
//! * [`metrics`]: counters for Prometheus, on a listener of their own.

pub mod logging;
pub mod metrics;
pub mod outlet;
pub mod request_log;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use uuid::Uuid;

use crate::http::lang::Lang;

tokio::task_local! {
    /// `Rc`, because a worker of actix is one thread and a request never leaves it.
    static CONTEXT: Rc<RequestContext>;
}

/// What belongs to one request from its first byte to its access line.
#[derive(Debug)]
pub struct RequestContext {
    /// The request's id (UUID version 7), answered as `X-Request-Id` and named in every problem.
    pub id: Uuid,
    /// The language that texts for people are answered in.
    pub lang: Lang,
    /// The caller's trace, or one that began here, with a span id for this request.
    pub traceparent: TraceParent,
    cause: RefCell<Option<String>>,
    caller: RefCell<Option<Rc<str>>>,
}

impl RequestContext {
    /// A context that nobody has noted anything in yet.
    #[must_use]
    pub const fn new(id: Uuid, lang: Lang, traceparent: TraceParent) -> Self {
        Self {
            id,
            lang,
            traceparent,
            cause: RefCell::new(None),
            caller: RefCell::new(None),
        }
    }

    /// Why the request went wrong, as it was last noted.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        self.cause.borrow().clone()
    }

    /// Who is calling, as it was last noted.
    #[must_use]
    pub fn caller(&self) -> Option<Rc<str>> {
        self.caller.borrow().clone()
    }
}

/// The context of the request that this code runs for; `None` in jobs, commands and tests.
#[must_use]
pub fn current() -> Option<Rc<RequestContext>> {
    CONTEXT.try_with(Rc::clone).ok()
}

/// The id of the request that this code runs for.
#[must_use]
pub fn request_id() -> Option<Uuid> {
    CONTEXT.try_with(|context| context.id).ok()
}

/// The language to write texts in: the request's, or Swedish outside a request.
#[must_use]
pub fn lang() -> Lang {
    CONTEXT.try_with(|context| context.lang).unwrap_or_default()
}

/// Notes for the access line why the request goes wrong. The caller never sees it; the last note
/// stands. Outside a request there is no access line and the note is dropped.
pub fn note_cause(cause: String) {
    if let Some(context) = current() {
        context.cause.replace(Some(cause));
    }
}

/// Notes for the access line who is calling: a client id, never a name, a token or an address.
pub fn note_caller(caller: &str) {
    if let Some(context) = current() {
        context.caller.replace(Some(caller.into()));
    }
}

/// Runs `future` as part of the request that `context` describes.
pub async fn with_context<F: Future>(context: Rc<RequestContext>, future: F) -> F::Output {
    CONTEXT.scope(context, future).await
}

/// A position in a distributed trace, as the header `traceparent` carries it
/// (W3C Trace Context, version 00; the national API profile asks for it in SPA.02 and SPA.04).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

impl TraceParent {
    /// Goes on with the caller's trace in a new span, or begins a trace when the header is missing
    /// or is not a strict version 00 value. The caller's `sampled` flag is kept, other flags are not.
    #[must_use]
    pub fn from_header_or_new(header: Option<&str>) -> Self {
        let span_id = Uuid::now_v7().as_u64_pair().1; // Its random half; the variant bits keep it from being zero.
        match header.and_then(parse_trace_parent) {
            Some((trace_id, sampled)) => Self {
                trace_id,
                span_id,
                sampled,
            },
            None => Self {
                trace_id: Uuid::now_v7().as_u128(),
                span_id,
                sampled: false,
            },
        }
    }
}

/// The header's value: `00-<trace id>-<span id>-<flags>`.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace_id,
            span_id,
            sampled,
        } = self;
        write!(
            f,
            "00-{trace_id:032x}-{span_id:016x}-{:02x}",
            u8::from(*sampled)
        )
    }
}

/// The trace id and the `sampled` flag; ids of zeros and capital letters make the value invalid.
fn parse_trace_parent(value: &str) -> Option<(u128, bool)> {
    let mut fields = value.split('-');
    let mut field = |length: usize| {
        fields.next().filter(|field| {
            field.len() == length
                && field
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    if field(2)? != "00" {
        return None;
    }
    let trace_id = u128::from_str_radix(field(32)?, 16).ok()?;
    let parent_id = u64::from_str_radix(field(16)?, 16).ok()?;
    let flags = u8::from_str_radix(field(2)?, 16).ok()?;
    (trace_id != 0 && parent_id != 0 && fields.next().is_none())
        .then_some((trace_id, flags & 1 == 1))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[rstest]
    #[case("01", "01")]
    #[case("00", "00")]
    #[case("03", "01")]
    #[case("fe", "00")]
    fn a_callers_trace_goes_on_in_a_new_span(#[case] flags: &str, #[case] kept: &str) {
        let header = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
        let answer = TraceParent::from_header_or_new(Some(&header)).to_string();
        assert!(answer.starts_with(&format!("00-{TRACE}-")), "{answer}");
        assert!(answer.ends_with(&format!("-{kept}")), "{answer}");
        assert!(!answer.contains("00f067aa0ba902b7"), "{answer}");
        assert!(parse_trace_parent(&answer).is_some(), "{answer}");
    }

    #[rstest]
    #[case::missing(None)]
    #[case::empty(Some(""))]
    #[case::later_version(Some("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))]
    #[case::version_ff(Some("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))]
    #[case::capitals(Some("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"))]
    #[case::zero_trace(Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"))]
    #[case::zero_parent(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"))]
    #[case::short(Some("00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01"))]
    #[case::more_fields(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"))]
    #[case::fewer_fields(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"))]
    #[case::signs(Some("00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))]
    fn anything_else_begins_a_trace(#[case] header: Option<&str>) {
        let answer = TraceParent::from_header_or_new(header);
        let (trace_id, sampled) = parse_trace_parent(&answer.to_string()).unwrap();
        assert_ne!(trace_id, u128::from_str_radix(TRACE, 16).unwrap());
        assert!(!sampled);
        assert_ne!(
            answer,
            TraceParent::from_header_or_new(header),
            "ids are never repeated"
        );
    }

    #[actix_web::test]
    async fn the_context_reaches_whatever_the_request_awaits() {
        let trace = TraceParent::from_header_or_new(None);
        let context = Rc::new(RequestContext::new(Uuid::now_v7(), Lang::En, trace));
        let seen = with_context(Rc::clone(&context), async {
            tokio::task::yield_now().await;
            note_caller("client-1");
            note_cause("first".to_owned());
            note_cause("second".to_owned());
            (request_id(), lang())
        });
        assert_eq!(seen.await, (Some(context.id), Lang::En));
        assert_eq!(context.caller().as_deref(), Some("client-1"));
        assert_eq!(context.cause().as_deref(), Some("second"));
    }

    #[test]
    fn outside_a_request_there_is_no_context_and_notes_are_dropped() {
        note_cause("nobody listens".to_owned());
        note_caller("nobody");
        assert!(current().is_none());
        assert_eq!((request_id(), lang()), (None, Lang::Sv));
    }
}
