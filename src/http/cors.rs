//! Calls from browsers of other origins (CORS, fetch.spec.whatwg.org section 3.3): an allow-list.

use actix_cors::{Cors, CorsError};
use actix_web::{HttpResponse, ResponseError};

use crate::problem::{Fault, Problem, ProblemKind, text};

/// Who may call from a browser, with what, and which headers their scripts may read.
pub fn allow(origins: &[String]) -> Cors {
    let mut cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "Authorization",
            "Content-Type",
            "Accept",
            "Accept-Language",
            "If-Match",
            "If-None-Match",
            "Idempotency-Key",
            "traceparent",
        ])
        .expose_headers([
            "ETag",
            "Idempotent-Replayed",
            "Location",
            "Content-Disposition",
            "Content-Location",
            "Link",
            "Retry-After",
            "X-Request-Id",
            "X-Total-Count",
            "traceparent",
        ])
        .max_age(600);
    for origin in origins {
        cors = cors.allowed_origin(origin);
    }
    cors
}

/// The problem in place of the plain sentence that the library refuses a preflight with; none for any other response.
#[must_use]
pub fn refusal<B>(response: &HttpResponse<B>) -> Option<HttpResponse> {
    let error: &CorsError = response.error()?.as_error()?;
    let fault = match error {
        CorsError::MethodNotAllowed
        | CorsError::MissingRequestMethod
        | CorsError::BadRequestMethod => Fault::header(
            "Access-Control-Request-Method",
            "cors_method",
            text(
                "Metoden är inte tillåten från andra ursprung.",
                "The method is not allowed from other origins.",
            ),
        ),
        CorsError::HeadersNotAllowed | CorsError::BadRequestHeaders => Fault::header(
            "Access-Control-Request-Headers",
            "cors_headers",
            text(
                "Någon av rubrikerna är inte tillåten från andra ursprung.",
                "One of the headers is not allowed from other origins.",
            ),
        ),
        _ => Fault::header(
            "Origin",
            "cors_origin",
            text(
                "Ursprunget är inte tillåtet; den som driver tjänsten anger vilka som är det.",
                "The origin is not allowed; the operator of the service says which are.",
            ),
        ),
    };
    let problem = Problem::new(ProblemKind::MalformedRequest).fault(fault);
    Some(problem.because(error).error_response())
}
