//! The API about itself: version, limits, kinds of error.

use actix_web::{HttpRequest, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::http::list::{Extent, Item, Listing, Page, PublicUrl};
use crate::http::params::{ListParams, ListQuery, NoQuery, Params};
use crate::http::{self, BASE_PATH};
use crate::openapi::{API_RELEASED, API_VERSION};
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::telemetry;

/// What the national profile wants to know of an API (VER.07).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfo {
    /// Name.
    #[schema(example = "samverkan")]
    pub api_name: &'static str,
    /// Version (semantic versioning).
    #[schema(example = "1.0.0")]
    pub api_version: &'static str,
    /// When this version was released.
    #[schema(format = Date, example = "2026-11-22")]
    pub api_released: &'static str,
    /// Address of the documentation.
    #[schema(example = "https://samverkan.example.org/docs/")]
    pub api_documentation: String,
    /// `active`: in use and supported.
    #[schema(example = "active")]
    pub api_status: &'static str,
}

/// The limits that the service holds clients to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Rows of a page at the most.
    #[schema(example = 1000)]
    pub max_page_size: i64,
    /// Rows of a page when none is asked for.
    #[schema(example = 20)]
    pub default_page_size: i64,
    /// Bytes of a request body at the most.
    #[schema(example = 1_048_576)]
    pub max_body_bytes: usize,
    /// Nesting of a JSON body at the most.
    #[schema(example = 32)]
    pub max_json_depth: usize,
    /// Entries of a list in a body at the most.
    #[schema(example = 1000)]
    pub max_array_length: usize,
    /// Characters of a line of text at the most.
    #[schema(example = 2000)]
    pub max_line_length: usize,
    /// Characters of a running text at the most.
    #[schema(example = 20_000)]
    pub max_text_length: usize,
    /// Characters of a query string at the most.
    #[schema(example = 2048)]
    pub max_query_length: usize,
    /// Seconds that a request body may take to arrive.
    #[schema(example = 15)]
    pub body_seconds: u64,
    /// Seconds that an access token is valid.
    #[schema(example = 600)]
    pub token_seconds: u64,
}

/// A kind of error.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProblemType)]
pub struct ProblemTypeOut {
    /// Its stable code.
    #[schema(example = "precondition-failed")]
    pub code: &'static str,
    /// Address: the `type` of a problem.
    #[schema(example = "/samverkan/v1/problems/precondition-failed")]
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP status.
    #[schema(example = 412)]
    pub status: u16,
    /// Title in the language of the request.
    #[schema(example = "Raden har ändrats sedan den lästes")]
    pub title: String,
}

impl From<ProblemKind> for ProblemTypeOut {
    fn from(kind: ProblemKind) -> Self {
        Self {
            code: kind.slug(),
            kind: format!("{BASE_PATH}/problems/{}", kind.slug()),
            status: kind.status().as_u16(),
            title: kind.title().get(telemetry::lang()).to_owned(),
        }
    }
}

/// Filters of `/problems`: none.
#[derive(Clone, Debug, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_api_info)
        .service(get_limits)
        .service(list_problems)
        .service(get_problem);
}

/// Describe the API
///
/// Name, version, release day, documentation and status, as the Swedish national REST API profile wants them. Public.
#[utoipa::path(tag = "about", operation_id = "get_api_info", params(NoQuery), responses((status = 200, description = "About the API", body = ApiInfo)))]
#[get("/api-info")]
async fn get_api_info(req: HttpRequest, _: Params<NoQuery>) -> ApiResult<Item<ApiInfo>> {
    let info = ApiInfo {
        api_name: "samverkan",
        api_version: API_VERSION,
        api_released: API_RELEASED,
        api_documentation: format!("{}/docs/", PublicUrl::origin(&req)),
        api_status: "active",
    };
    Item::new(&req, &info, None, None)
}

/// Show the limits
///
/// Every limit that a client can run into, so that none has to be found by trying. Public.
#[utoipa::path(tag = "about", operation_id = "get_limits", params(NoQuery), responses((status = 200, description = "The limits", body = Limits)))]
#[get("/limits")]
async fn get_limits(req: HttpRequest, _: Params<NoQuery>) -> ApiResult<Item<Limits>> {
    let limits = Limits {
        max_page_size: http::MAX_LIMIT,
        default_page_size: http::DEFAULT_LIMIT,
        max_body_bytes: http::MAX_BODY,
        max_json_depth: http::MAX_DEPTH,
        max_array_length: http::MAX_ARRAY,
        max_line_length: 2_000,
        max_text_length: 20_000,
        max_query_length: http::MAX_URI,
        body_seconds: 15,
        token_seconds: crate::access::token::DEFAULT_LIFETIME.as_secs(),
    };
    Item::new(&req, &limits, None, None)
}

/// List the kinds of error
///
/// Every `code` that a problem can have, with its status and title. Public. The order is fixed: `sort`, `q`, `include`
/// and `updatedSince` do not work here (400).
#[utoipa::path(tag = "about", operation_id = "list_problems", params(ListQuery), responses((status = 200, description = "The kinds of error", body = Page<ProblemTypeOut>)))]
#[get("/problems")]
async fn list_problems(
    req: HttpRequest,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<ProblemTypeOut>> {
    params.list.refuse_order_and_search()?;
    let all: Vec<ProblemTypeOut> = ProblemKind::ALL.iter().copied().map(Into::into).collect();
    let (rows, extent) = Extent::of_all(&params.list, all)?;
    Listing::new(&req, &params.list, rows, &extent)
}

/// Explain a kind of error
///
/// What the `type` of a problem points to. Public.
#[utoipa::path(tag = "about", operation_id = "get_problem", params(("problemCode" = String, Path, description = "Code of the kind of error", example = "precondition-failed"), NoQuery),
    responses((status = 200, description = "The kind of error", body = ProblemTypeOut)))]
#[get("/problems/{problemCode}")]
async fn get_problem(
    req: HttpRequest,
    code: web::Path<String>,
    _: Params<NoQuery>,
) -> ApiResult<Item<ProblemTypeOut>> {
    let kind = ProblemKind::ALL
        .iter()
        .copied()
        .find(|kind| kind.slug() == code.as_str())
        .ok_or_else(Problem::not_found)?;
    Item::new(&req, &kind.into(), None, None)
}
