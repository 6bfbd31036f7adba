//! The app: every route and the one place where middleware is ordered. The service and the tests build the same.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::{App, Error, HttpResponse, Responder, get, web};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::access::bearer::{self, Revocations};
use crate::access::token::Issuer;
use crate::access::{clients, oauth};
use crate::clock::Clock;
use crate::db::{Db, Shared};
use crate::http::cors;
use crate::http::fallback::{default_service, path_config};
use crate::http::list::PublicUrl;
use crate::http::params::refuse_unknown_of_writes;
use crate::http::{BASE_PATH, MAX_BODY};
use crate::statistics::cache::AnswerCache;
use crate::statistics::library::Library;
use crate::statistics::publications::thread::Workshop;
use crate::sync::changes::wake::Wake;
use crate::sync::copies::exporter::Exporter;
use crate::sync::imports::job::Importer;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::request_log::request_context;
use crate::{about, code_lists, health, openapi, participation, registry, statistics, sync};

/// What all workers share.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub db: Arc<Shared>,
    /// Makes and checks tokens.
    pub issuer: web::Data<Issuer>,
    /// The time.
    pub clock: Clock,
    /// Clients whose tokens are refused.
    pub revocations: Revocations,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Where the service is reached, if its operator says so.
    pub public_url: Option<String>,
    /// Origins of front ends that browsers may call from.
    pub cors_origins: Vec<String>,
    /// Whether `/docs` is served.
    pub docs: bool,
    /// The publications that can be read.
    pub library: Library,
    /// Answers of statistics, ready to be sent again.
    pub answers: AnswerCache,
    /// Where publications are made.
    pub workshop: Workshop,
    /// Wakes those who wait for changes.
    pub wake: Wake,
    /// The places for exports.
    pub exporter: Exporter,
    /// Where large imports are done.
    pub importer: Importer,
    /// What the health checks know.
    pub health: web::Data<health::Health>,
}

/// Every documented route, without the base path.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    // Routes are tried in this order, one pattern after the other: what is asked most comes first.
    cfg.configure(registry::routes)
        .configure(statistics::routes)
        .configure(participation::routes)
        .configure(sync::routes)
        .configure(code_lists::routes)
        .configure(clients::api::routes)
        .configure(about::routes);
}

/// The app of one worker.
pub fn build_app(
    state: &AppState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let (app, _) = App::new()
        // Before the scope, which would answer for everything below its path.
        .service(openapi_json)
        .into_utoipa_app()
        .service(utoipa_actix_web::scope(BASE_PATH).configure(routes))
        .split_for_parts();
    let state = state.clone();
    app.app_data(Db::new(Arc::clone(&state.db)))
        .app_data(state.issuer)
        .app_data(web::Data::new(state.clock))
        .app_data(web::Data::new(state.revocations))
        .app_data(web::Data::from(state.metrics))
        .app_data(PublicUrl(state.public_url))
        .app_data(web::Data::new(state.library))
        .app_data(web::Data::new(state.answers))
        .app_data(web::Data::new(state.workshop))
        .app_data(web::Data::new(state.wake))
        .app_data(web::Data::new(state.exporter))
        .app_data(web::Data::new(state.importer))
        .app_data(state.health)
        .app_data(web::Data::new(
            openapi::routes()
                .and(health::PATHS)
                .and(oauth::PATHS)
                .and(&[(OPENAPI, &["GET", "HEAD"])]),
        ))
        .app_data(path_config())
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .configure(oauth::routes)
        .configure(health::routes)
        .configure(|cfg| docs(cfg, state.docs))
        .default_service(web::to(default_service))
        .wrap(from_fn(refuse_unknown_of_writes))
        .wrap(from_fn(bearer::identify))
        .wrap(cors::allow(&state.cors_origins))
        .wrap(Compress::default())
        .wrap(from_fn(plain_http))
        .wrap(from_fn(request_context))
}

/// Where the document is.
const OPENAPI: &str = "/samverkan/v1/openapi.json";

/// The document, beside the API and not part of it (DOK.23, DOK.24).
#[get("/samverkan/v1/openapi.json")]
async fn openapi_json() -> impl Responder {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(openapi::json())
}

fn docs(cfg: &mut web::ServiceConfig, on: bool) {
    if on {
        let config = Config::new([format!("{BASE_PATH}/openapi.json")])
            .validator_url("none")
            .try_it_out_enabled(true);
        cfg.service(docs_redirect).service(
            web::scope("/docs")
                .wrap(from_fn(docs_policy))
                .service(SwaggerUi::new("/{_:.*}").config(config)),
        );
    }
}

#[get("/docs")]
async fn docs_redirect() -> impl Responder {
    HttpResponse::PermanentRedirect()
        .insert_header((header::LOCATION, "/docs/"))
        .finish()
}

/// Swagger UI runs scripts and inline styles of its own, and nothing from anywhere else.
async fn docs_policy(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut response = next.call(req).await?;
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
        ),
    );
    Ok(response)
}

/// HEAD is GET without its body (RFC 9110 section 9.3.2), which the server leaves away; and `identity`, by which
/// a handler says "do not compress this", is no content coding to be sent (RFC 9110 section 8.4.1). A refused preflight
/// is told as a problem.
async fn plain_http(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if req.method() == Method::HEAD {
        req.head_mut().method = Method::GET;
    }
    let mut response = next.call(req).await?;
    if response
        .headers()
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| coding == "identity")
    {
        response.headers_mut().remove(header::CONTENT_ENCODING);
    }
    Ok(match cors::refusal(response.response()) {
        Some(refusal) => response.into_response(refusal).map_into_right_body(),
        None => response.map_into_left_body(),
    })
}
