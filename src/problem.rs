//! The catalogue of errors and its RFC 9457 answer.
//!
//! A handler fails with a [`Problem`]: a kind from the catalogue, perhaps a sentence about this occurrence, and the
//! single faults with the place of each. Everything a person reads exists in Swedish and English; the language is
//! the request's. Faults of ours (5xx) have a fixed text; their source goes to the log once, here.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::lang::Lang;
use crate::telemetry;

/// What a handler answers.
pub type ApiResult<T> = Result<T, Problem>;

/// A sentence in both languages.
#[derive(Clone, Debug)]
pub struct Text {
    sv: Cow<'static, str>,
    en: Cow<'static, str>,
}

/// Makes a [`Text`] of a Swedish and an English sentence.
pub fn text(sv: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Text {
    Text {
        sv: sv.into(),
        en: en.into(),
    }
}

impl Text {
    /// The sentence in one language.
    #[must_use]
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Sv => &self.sv,
            Lang::En => &self.en,
        }
    }
}

macro_rules! problem_kinds {
    ($($kind:ident $status:ident $slug:literal $sv:literal $en:literal;)+) => {
        /// Every kind of problem the service answers with. The slug is the stable `code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProblemKind {
            $(#[doc = $en] $kind,)+
        }

        impl ProblemKind {
            /// Every kind, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// The HTTP status of the kind.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)+ }
            }

            /// The stable code, also the last part of `type`.
            #[must_use]
            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)+ }
            }

            /// The title, the same for every occurrence.
            #[must_use]
            pub fn title(self) -> Text {
                match self { $(Self::$kind => text($sv, $en),)+ }
            }
        }
    };
}

problem_kinds! {
    MalformedRequest BAD_REQUEST "malformed-request" "Anropet går inte att tolka" "The request cannot be understood";
    UnknownParameter BAD_REQUEST "unknown-parameter" "Okänd parameter" "Unknown parameter";
    InvalidParameter BAD_REQUEST "invalid-parameter" "Ogiltigt värde på en parameter" "A parameter has an invalid value";
    Unauthenticated UNAUTHORIZED "unauthenticated" "Giltig åtkomsttoken saknas" "A valid access token is missing";
    InsufficientPermission FORBIDDEN "insufficient-permission" "Behörigheten räcker inte" "The permission does not suffice";
    AreaNotPermitted FORBIDDEN "area-not-permitted" "Området ligger utanför behörigheten" "The area is outside the permission";
    NotFound NOT_FOUND "not-found" "Finns inte" "Not found";
    MethodNotAllowed METHOD_NOT_ALLOWED "method-not-allowed" "Metoden stöds inte här" "The method is not supported here";
    NotAcceptable NOT_ACCEPTABLE "not-acceptable" "Inget av de begärda formaten finns" "None of the requested formats exists";
    RequestTimeout REQUEST_TIMEOUT "request-timeout" "Anropet kom inte fram i tid" "The request did not arrive in time";
    Conflict CONFLICT "conflict" "Krockar med det som redan finns" "Conflicts with what exists";
    Gone GONE "gone" "Borttagen" "Deleted";
    CursorGone GONE "cursor-gone" "Markören går inte att följa längre" "The cursor cannot be followed any more";
    PublicationOutdated GONE "publication-outdated" "Publiceringen måste göras om" "The publication must be made anew";
    PreconditionFailed PRECONDITION_FAILED "precondition-failed" "Raden har ändrats sedan den lästes" "The row has changed since it was read";
    PayloadTooLarge PAYLOAD_TOO_LARGE "payload-too-large" "För stor kropp" "The body is too large";
    UriTooLong URI_TOO_LONG "uri-too-long" "För lång adress" "The address is too long";
    UnsupportedMediaType UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "Innehållstypen stöds inte" "The content type is not supported";
    ValidationFailed UNPROCESSABLE_ENTITY "validation-failed" "Innehållet bryter mot en regel" "The content breaks a rule";
    PreconditionRequired PRECONDITION_REQUIRED "precondition-required" "If-Match krävs" "If-Match is required";
    TooManyRequests TOO_MANY_REQUESTS "too-many-requests" "För många anrop samtidigt" "Too many requests at once";
    Internal INTERNAL_SERVER_ERROR "internal" "Internt fel" "Internal error";
    Unavailable SERVICE_UNAVAILABLE "unavailable" "Tjänsten är tillfälligt otillgänglig" "The service is temporarily unavailable";
}

/// One thing that is wrong, and where: a JSON pointer into the body, or a parameter.
#[derive(Clone, Debug)]
pub struct Fault {
    place: Place,
    code: Cow<'static, str>,
    detail: Text,
}

/// Where a fault lies.
#[derive(Clone, Debug)]
enum Place {
    Pointer(String),
    Parameter(String),
    Header(&'static str),
}

impl Fault {
    /// A fault at a JSON pointer (RFC 6901) of the body.
    pub fn at(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: Text,
    ) -> Self {
        Self {
            place: Place::Pointer(pointer.into()),
            code: code.into(),
            detail,
        }
    }

    /// A fault of a query or path parameter.
    pub fn parameter(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: Text,
    ) -> Self {
        Self {
            place: Place::Parameter(name.into()),
            code: code.into(),
            detail,
        }
    }

    /// Where in the body it lies, if it lies there.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match &self.place {
            Place::Pointer(pointer) => Some(pointer),
            Place::Parameter(_) | Place::Header(_) => None,
        }
    }

    /// The stable code of the rule.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The rule, for people.
    #[must_use]
    pub fn detail(&self) -> &Text {
        &self.detail
    }

    /// A fault of a header.
    pub fn header(name: &'static str, code: impl Into<Cow<'static, str>>, detail: Text) -> Self {
        Self {
            place: Place::Header(name),
            code: code.into(),
            detail,
        }
    }
}

/// What went wrong in one request.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ProblemKind,
    detail: Option<Text>,
    faults: Vec<Fault>,
    current: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<String>,
}

impl Problem {
    /// A problem of a kind, with nothing more to say.
    #[must_use]
    pub fn new(kind: ProblemKind) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: None,
            faults: Vec::new(),
            current: None,
            headers: Vec::new(),
            source: None,
        }))
    }

    /// Says what is special about this occurrence.
    #[must_use]
    pub fn detail(mut self, detail: Text) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Adds one fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.0.faults.push(fault);
        self
    }

    /// Adds several faults.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults.extend(faults);
        self
    }

    /// Shows the row as it is now, for the client that lost a race (412).
    #[must_use]
    pub fn current(mut self, current: Value) -> Self {
        self.0.current = Some(current);
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// Keeps the cause for the log; the client never sees it.
    #[must_use]
    pub fn because(mut self, source: impl fmt::Display) -> Self {
        self.0.source = Some(source.to_string());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// Every single fault, as far as there are any.
    #[must_use]
    pub fn told(&self) -> &[Fault] {
        &self.0.faults
    }

    /// The row as it is now, for whoever lost a race.
    #[must_use]
    pub fn is_there(&self) -> Option<&Value> {
        self.0.current.as_ref()
    }

    /// All that a person would read of it, as one text: for what is told later than in an answer.
    #[must_use]
    pub fn sentences(&self) -> Text {
        let inner = &self.0;
        let said = |lang| {
            let first = inner.detail.clone().unwrap_or_else(|| inner.kind.title());
            let faults = inner
                .faults
                .iter()
                .map(|fault| fault.detail.get(lang).to_owned());
            let mut all = first.get(lang).to_owned();
            if !inner.faults.is_empty() && !all.ends_with('.') {
                all.push(':');
            }
            faults.for_each(|fault| {
                all.push(' ');
                all.push_str(&fault);
            });
            all
        };
        text(said(Lang::Sv), said(Lang::En))
    }

    /// A fault of ours.
    pub fn internal(source: impl fmt::Display) -> Self {
        Self::new(ProblemKind::Internal).because(source)
    }

    /// The database is away or overloaded: try again in a moment.
    pub fn unavailable(source: impl fmt::Display) -> Self {
        Self::new(ProblemKind::Unavailable)
            .detail(text("Försök igen om en stund.", "Try again in a moment."))
            .because(source)
    }

    /// Nothing there that the caller may see.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ProblemKind::NotFound).detail(text(
            "Ingen rad med det id:t är synlig för dig.",
            "No row with that id is visible to you.",
        ))
    }

    /// One fault of the body.
    #[must_use]
    pub fn invalid(fault: Fault) -> Self {
        Self::new(ProblemKind::ValidationFailed).fault(fault)
    }

    /// One parameter with a value that does not work.
    pub fn parameter(name: impl Into<String>, code: &'static str, detail: Text) -> Self {
        Self::new(ProblemKind::InvalidParameter).fault(Fault::parameter(name, code, detail))
    }

    /// A cursor that is none of this list's.
    #[must_use]
    pub fn invalid_cursor() -> Self {
        Self::parameter(
            "cursor",
            "invalid_cursor",
            text(
                "Markören hör inte till den här listan och sorteringen; börja om med cursor= utan värde.",
                "The cursor does not belong to this list and order; begin again with cursor= and no value.",
            ),
        )
    }

    fn body(&self, lang: Lang) -> ProblemBody {
        let inner = &self.0;
        let title = inner.kind.title().get(lang).to_owned();
        ProblemBody {
            kind: format!("{}/problems/{}", crate::http::BASE_PATH, inner.kind.slug()),
            status: inner.kind.status().as_u16(),
            detail: inner
                .detail
                .as_ref()
                .map_or_else(|| title.clone(), |d| d.get(lang).to_owned()),
            title,
            instance: telemetry::request_id()
                .map_or_else(String::new, |id| format!("urn:uuid:{id}")),
            code: inner.kind.slug().to_owned(),
            errors: inner
                .faults
                .iter()
                .map(|fault| ProblemError::from_fault(fault, lang))
                .collect(),
            current: inner.current.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.kind.slug())?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.kind.status()
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            log::error!("{self}");
        } else if status.is_server_error() {
            log::warn!("{self}");
        }
        let first = self
            .0
            .faults
            .first()
            .map(|fault| format!(" {}", fault.code))
            .unwrap_or_default();
        telemetry::note_cause(format!("{}{first}", self.0.kind.slug()));
        let lang = telemetry::lang();
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // Spread over five seconds, so that twenty-one offices do not come back in the same one.
            let spread = telemetry::request_id()
                .map_or(0, |id| id.as_bytes().last().copied().unwrap_or(0) % 5);
            response.insert_header((header::RETRY_AFTER, (1 + spread).to_string()));
        }
        let body = serde_json::to_vec(&self.body(lang)).unwrap_or_default();
        response
            .insert_header((header::CONTENT_LANGUAGE, lang.as_str()))
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(body)
    }
}

/// The answer to a handler that panicked: the request fails, the worker lives.
#[must_use]
pub fn internal_response() -> HttpResponse {
    Problem::internal("a handler panicked").error_response()
}

/// An error, as RFC 9457 problem details.
///
/// `code` is stable and meant for programs; `title` and `detail` are for people and follow the request's language.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "/samverkan/v1/problems/validation-failed",
    "title": "Innehållet bryter mot en regel",
    "status": 422,
    "detail": "Innehållet bryter mot en regel",
    "instance": "urn:uuid:019a1b2c-3d4e-7f50-8a6b-7c8d9e0f1a2b",
    "code": "validation-failed",
    "errors": [{"pointer": "/startMonth", "parameter": null, "header": null, "code": "project_month_order", "detail": "Startmånaden ligger efter slutmånaden."}]
}))]
pub struct ProblemBody {
    /// Address of the page that explains the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The request: `urn:uuid:` and the request id, which is in every log line.
    pub instance: String,
    /// Stable code of the kind.
    pub code: String,
    /// Every single fault, with its place.
    pub errors: Vec<ProblemError>,
    /// With 412: the row as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<Value>,
}

/// One fault: where it lies (one of pointer, parameter, header), a stable code, and a sentence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemError {
    /// JSON pointer (RFC 6901) into the request body.
    #[schema(example = "/startMonth")]
    pub pointer: Option<String>,
    /// Name of the query or path parameter.
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// Name of the header.
    #[schema(example = "If-Match")]
    pub header: Option<String>,
    /// Stable code of the rule.
    #[schema(example = "project_month_order")]
    pub code: String,
    /// The rule, for people.
    pub detail: String,
}

impl ProblemError {
    fn from_fault(fault: &Fault, lang: Lang) -> Self {
        let (pointer, parameter, header) = match &fault.place {
            Place::Pointer(pointer) => (Some(pointer.clone()), None, None),
            Place::Parameter(name) => (None, Some(name.clone()), None),
            Place::Header(name) => (None, None, Some((*name).to_owned())),
        };
        Self {
            pointer,
            parameter,
            header,
            code: fault.code.to_string(),
            detail: fault.detail.get(lang).to_owned(),
        }
    }
}
