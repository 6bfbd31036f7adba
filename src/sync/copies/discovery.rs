//! `/sync`: what there is to follow, how far back, and within which limits.

use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::{export, exporter};
use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::list::{Item, PublicUrl};
use crate::http::params::{NoQuery, Params};
use crate::http::{BASE_PATH, DEFAULT_LIMIT, MAX_LIMIT};
use crate::openapi::API_VERSION;
use crate::problem::ApiResult;
use crate::sync::changes::api::MAX_WAIT;
use crate::sync::changes::store;
use crate::sync::changes::upkeep::RETENTION;
use crate::sync::checkpoints::store as checkpoints;
use crate::sync::types::EntityType;

/// How often a client may well ask that does not use `wait`, in seconds.
const POLL_SECONDS: i64 = 10;

/// What there is to follow, how far back, and within which limits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Sync)]
pub struct SyncOut {
    /// The version of the API that says what rows hold. After a step of it, rows may have members that a copy lacks: to have
    /// them, copy anew.
    #[schema(example = "1.0.0")]
    pub schema: &'static str,
    /// The kinds of row, in an order in which a copy can store them: a row refers to rows of earlier kinds or its own.
    pub types: Vec<SyncTypeOut>,
    /// Whose numbers the feed hands out now. Another one after a failover or a restored backup.
    pub epoch: Uuid,
    /// The newest number, as text.
    #[schema(example = "1042")]
    pub newest: String,
    /// The oldest position from which no deletion is missing, as text. Cursors from before it are refused.
    #[schema(example = "0")]
    pub oldest: String,
    /// For how many days deletions are told.
    #[schema(example = 400)]
    pub retention_days: i64,
    /// Changes of an answer at the most.
    #[schema(example = 1000)]
    pub max_limit: i64,
    /// Changes of an answer when no number is asked for.
    #[schema(example = 20)]
    pub default_limit: i64,
    /// The longest `wait`, in seconds.
    #[schema(example = 25)]
    pub max_wait: i64,
    /// How often to ask without `wait`, in seconds.
    #[schema(example = 10)]
    pub poll_seconds: i64,
    /// The longest that an export may take, in seconds.
    #[schema(example = 1800)]
    pub max_export_seconds: u64,
    /// Where the client can keep its places in the feed.
    #[schema(example = "https://samverkan.example.org/samverkan/v1/sync/checkpoints")]
    pub checkpoints: String,
    /// Checkpoints of a client at the most.
    #[schema(example = 50)]
    pub max_checkpoints: i64,
    /// The service's time (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub server_time: DateTime<Utc>,
}

/// A kind of row that can be followed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncType)]
pub struct SyncTypeOut {
    /// The kind: the path of its resource.
    #[serde(rename = "type")]
    pub of: EntityType,
    /// What a client needs besides `sync:read`.
    pub permission: Permission,
    /// Whether this client has it.
    pub readable: bool,
    /// Where all rows of the kind can be had in one answer.
    #[schema(example = "https://samverkan.example.org/samverkan/v1/exports/partners.ndjson")]
    pub export: String,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_sync);
}

/// Describe what can be followed
///
/// The kinds of row, the limits, for how long deletions are told, and where the feed stands.
#[utoipa::path(tag = "sync", operation_id = "get_sync", params(NoQuery),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "What can be followed", body = SyncOut)))]
#[get("/sync")]
async fn get_sync(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    _: Params<NoQuery>,
) -> ApiResult<Item<SyncOut>> {
    let standing = db.snapshot(store::standing).await?;
    let base = format!("{}{BASE_PATH}", PublicUrl::origin(&req));
    let types = EntityType::ALL.into_iter().map(|of| SyncTypeOut {
        of,
        permission: of.permission(),
        readable: grant.also(of.permission()),
        export: format!("{base}{}", export::path(of)),
    });
    let out = SyncOut {
        schema: API_VERSION,
        types: types.collect(),
        epoch: standing.epoch.id,
        newest: standing.newest.to_string(),
        oldest: standing.oldest.to_string(),
        retention_days: RETENTION.num_days(),
        max_limit: MAX_LIMIT,
        default_limit: DEFAULT_LIMIT,
        max_wait: MAX_WAIT,
        poll_seconds: POLL_SECONDS,
        max_export_seconds: exporter::LONGEST.as_secs(),
        checkpoints: format!("{base}/sync/checkpoints"),
        max_checkpoints: checkpoints::MOST,
        server_time: db.clock().now(),
    };
    Item::new(&req, &out, None, None)
}
