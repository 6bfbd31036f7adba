//! `/exports/{type}.ndjson`: all rows of a kind in one answer, all of one state of the database.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::exporter::{Export, Exporter, Form};
use super::snapshot::SnapshotRowOut;
use crate::access::bearer::Revocations;
use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::formats::NDJSON;
use crate::http::accept;
use crate::http::params::{AnyOf, NoQuery, Params};
use crate::openapi::API_VERSION;
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::sync::changes::follow::Follower;
use crate::sync::changes::store;
use crate::sync::types::EntityType;

/// The name of an export.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
struct ExportPath {
    /// The kind of row as in `/sync`, and `.ndjson` for one object a line or `.json` for one object.
    #[param(example = "partners.ndjson")]
    export_name: String,
}

/// What an export begins with.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportHead {
    #[serde(rename = "type")]
    of: EntityType,
    schema: &'static str,
    feed_cursor: String,
    exported_at: DateTime<Utc>,
}

/// All rows of a kind. As NDJSON its first line is this object without `items` and `rows`, then each row is a line, and the
/// last line is `{"end":true,"rows":…,"sha256":…}`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Export)]
pub struct ExportOut {
    /// The kind: the path of its resource.
    #[serde(rename = "type")]
    pub of: EntityType,
    /// The version of the API that says what a row of the kind holds. A later one may have more members.
    #[schema(example = "1.0.0")]
    pub schema: String,
    /// The cursor for `/changes` with `types` set to the kind: it tells what changed after the state that is exported.
    #[schema(example = "AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAEEuJ4E2Shmdcb")]
    pub feed_cursor: String,
    /// When the export was begun (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub exported_at: DateTime<Utc>,
    /// The rows as `/snapshot` has them, by key.
    pub items: Vec<SnapshotRowOut>,
    /// How many there are.
    #[schema(example = 1)]
    pub rows: u64,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_export);
}

/// Where the export of a kind is, under the base path.
#[must_use]
pub fn path(of: EntityType) -> String {
    format!("/exports/{of}.ndjson")
}

/// Export all rows of a kind
///
/// All live rows of a kind that the client may see, as they all were at one moment, streamed: `partners.ndjson` has one
/// object a line, `partners.json` is one object. Follow `/changes` from `feedCursor` with `types` set to the kind, and
/// nothing comes twice.
///
/// The last line of NDJSON is `{"end":true,"rows":…,"sha256":…}`, the number of rows and the SHA-256 of all bytes before
/// that line. An answer without it broke off: throw it away. A process makes few exports at a time: 429 when half of the
/// places are the client's own, 503 when all are taken. A client that takes nothing for a minute, or needs more than half
/// an hour, is cut off.
#[utoipa::path(tag = "sync", operation_id = "get_export", params(ExportPath, NoQuery),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "All rows of the kind", content(
        (ExportOut = "application/json"),
        (String = "application/x-ndjson", example = json!("{\"type\":\"partners\",\"schema\":\"1.0.0\",\"feedCursor\":\"AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAEEuJ4E2Shmdcb\",\"exportedAt\":\"2026-01-15T08:00:00Z\"}\n{\"type\":\"partners\",\"key\":\"01903e2a-7b4c-7d5e-8f60-718293a4b5c6\",\"version\":7,\"data\":{\"name\":\"Örebro Idrottsförening\"}}\n{\"end\":true,\"rows\":1,\"sha256\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}\n"))))))]
#[get("/exports/{exportName}")]
async fn get_export(
    req: HttpRequest,
    db: Db,
    exporter: web::Data<Exporter>,
    grant: Grant<SyncRead>,
    revocations: web::Data<Revocations>,
    path: web::Path<ExportPath>,
    _: Params<NoQuery>,
) -> ApiResult<HttpResponse> {
    let (of, form) = named(&path.export_name)?;
    let media = match form {
        Form::Ndjson => NDJSON,
        Form::Json => "application/json",
    };
    if accept::choose(&req, &[media]).is_none() {
        return Err(accept::not_acceptable(&[media]));
    }
    let follower = Follower::new(&db, &grant, Some(&AnyOf(vec![of])))?;
    let place = exporter.place(grant.subject()).await?;
    let snapshot = db.shared().long_snapshot().await?;
    // The first query fixes the state: every change up to the newest number in it is in the rows as well.
    let standing = snapshot.read(store::standing).await?;
    let head = ExportHead {
        of,
        schema: API_VERSION,
        feed_cursor: follower.newest(&standing).encode(),
        exported_at: db.clock().now(),
    };
    let export = Export {
        form,
        of,
        follower,
        snapshot,
        grant,
        revocations: Revocations::clone(&revocations),
        place,
    };
    let first = export.part(None).await?;
    let name = &path.export_name;
    Ok(HttpResponse::Ok()
        .content_type(media)
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(export.stream(&head, first)?))
}

/// The kind and the form that a name stands for.
fn named(name: &str) -> ApiResult<(EntityType, Form)> {
    let (of, ending) = name.rsplit_once('.').unwrap_or_default();
    let form = match ending {
        "ndjson" => Some(Form::Ndjson),
        "json" => Some(Form::Json),
        _ => None,
    };
    of.parse().ok().zip(form).ok_or_else(|| {
        let known = EntityType::ALL.map(|of| format!("{of}.ndjson")).join(", ");
        Problem::new(ProblemKind::NotFound).detail(text(
            format!("Exporterna heter {known}."),
            format!("The exports are called {known}."),
        ))
    })
}
