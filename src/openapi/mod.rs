//! The OpenAPI document, made from the code.
//!
//! Handlers carry what is special about them; what is the same for all (errors, tracing, conditional requests,
//! other formats, examples) is added here, once, so that no operation can forget it. The committed
//! `openapi/openapi.json` is compared with this byte for byte, and the test client holds every response against it.

mod examples;
mod finish;
mod lists;
mod schemas;
mod statistics;

use std::sync::OnceLock;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;

use crate::app;
use crate::http::fallback::Routes;

/// Version of the API (semantic versioning); the major part is in the path.
pub const API_VERSION: &str = "1.0.0";
/// When this version of the API was released.
pub const API_RELEASED: &str = "2026-11-22";

#[derive(OpenApi)]
// Besides the problems: what only parameters refer to, which the collector does not follow.
#[openapi(components(schemas(
    crate::problem::ProblemBody,
    crate::problem::ProblemError,
    crate::http::params::Format,
    crate::http::lang::Lang,
    crate::statistics::deliver::Format,
    crate::statistics::deliver::Dialect,
    crate::statistics::codes::PartnershipGroup,
    crate::statistics::coverage::selection::CoverageLevel,
    crate::statistics::rankings::First,
    crate::sync::types::EntityType,
    crate::formats::cube_json::Cube<'static>
)))]
struct Base;

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let (_, collected) = actix_web::App::new()
            .into_utoipa_app()
            .openapi(Base::openapi())
            .configure(app::routes)
            .split_for_parts();
        let mut document = serde_json::to_value(collected).unwrap_or(Value::Null);
        head(&mut document);
        lists::complete(&mut document);
        finish::operations(&mut document);
        examples::fill(&mut document);
        document
    })
}

/// The document as it is committed and served: indented, with a line break at the end.
#[must_use]
pub fn json() -> String {
    let mut text = serde_json::to_string_pretty(document()).unwrap_or_default();
    text.push('\n');
    text
}

/// The methods of every path, for answering 405 and `Allow`.
#[must_use]
pub fn routes() -> Routes {
    let paths = document().get("paths").and_then(Value::as_object);
    Routes::new(paths.into_iter().flatten().map(|(path, item)| {
        let operations = || item.as_object().into_iter().flatten();
        let mut methods: Vec<String> = operations()
            .map(|(method, _)| method.to_uppercase())
            .collect();
        let without_query = operations()
            .filter(|(_, operation)| {
                let parameters = operation["parameters"].as_array();
                !parameters
                    .into_iter()
                    .flatten()
                    .any(|parameter| parameter["in"] == "query")
            })
            .map(|(method, _)| method.to_uppercase())
            .collect();
        if methods.iter().any(|method| method == "GET") {
            methods.push("HEAD".to_owned());
        }
        (
            format!("{}{path}", crate::http::BASE_PATH),
            methods,
            without_query,
        )
    }))
}

#[expect(
    clippy::indexing_slicing,
    reason = "assigning to a member of a JSON object makes it"
)]
fn head(document: &mut Value) {
    document["info"] = json!({
        "title": "Samverkan",
        "summary": "Partnerships and participation around Sweden's municipal culture schools",
        "description": include_str!("description.md"),
        "termsOfService": "https://samverkan.example.org/terms",
        "contact": {"name": "Samverkan", "url": "https://samverkan.example.org/", "email": "samverkan@example.org"},
        "license": {"name": "EUPL-1.2", "url": "https://interoperable-europe.ec.europa.eu/collection/eupl/eupl-text-eupl-12"},
        "version": API_VERSION
    });
    document["servers"] = json!([{
        "url": "https://{host}/samverkan/v1",
        "description": "The service where its operator runs it; on your own machine: http://127.0.0.1:8080/samverkan/v1",
        "variables": {"host": {"default": "samverkan.example.org", "description": "Host of the service"}}
    }]);
    document["externalDocs"] = json!({
        "url": "https://samverkan.example.org/docs/",
        "description": "Guide to the API, with its service level (SLA) and known quirks"
    });
    document["components"]["securitySchemes"] = json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "An access token from `/oauth/token` at the host's root (OAuth 2 client credentials, RFC 6749): 10 minutes, EdDSA, keys at `/.well-known/jwks.json`. The scopes named at each operation are the permissions it needs."
        }
    });
    document["tags"] = json!([
        {"name": "registry", "description": "What exists: areas, culture schools, partners, projects, collaborations, partnerships"},
        {"name": "participation", "description": "What was reported: measures, sources, reports, observations, populations"},
        {"name": "statistics", "description": "What can be said of what was reported, each answer from one named publication: publications, participation, gaps, rankings, coverage, partnerships"},
        {"name": "sync", "description": "How an office keeps a complete, exact copy of what it may see: a snapshot, the changes in the order in which they became visible, a digest"},
        {"name": "imports", "description": "Many rows at once, from spreadsheets and from programs"},
        {"name": "administration", "description": "Clients of the API, and the audit trail"},
        {"name": "about", "description": "The API itself: version, limits, errors, vocabularies"}
    ]);
}
