//! `/sync/checkpoints`: a client's own.

use actix_web::{Either, HttpRequest, delete, get, put, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{Behind, CheckpointChange, CheckpointRow};
use super::store;
use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::Valid;
use crate::http::etag::{Expected, Place};
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::params::{ItemQuery, ListParams, ListQuery, Params};
use crate::http::resource::{self, Resource, View};
use crate::problem::{ApiResult, Problem, ProblemKind, text};
use crate::schema::checkpoints;
use crate::sync::changes::cursor::Cursor;
use crate::values::Line;

/// A place in the feed, kept under a name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Checkpoint)]
pub struct CheckpointOut {
    /// Its name.
    #[schema(example = "nightly-partners")]
    pub name: String,
    /// The cursor to go on with at `/changes`. Whether it can still be followed is told there.
    #[schema(example = "AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAAAOJ4E2Shmdcb")]
    pub cursor: String,
    /// What its job is, in the client's words.
    #[schema(example = "Registry to the regional data warehouse, every night")]
    pub note: Option<String>,
    /// The number that the cursor stands at, as text.
    #[schema(example = "1042")]
    pub position: String,
    /// Changes after it, counted up to 1 000: of every kind, also those that the client does not ask for or may not see.
    #[schema(example = 3, maximum = 1000)]
    pub behind: i64,
    /// Since when the first of them has been there (UTC); null if there is none.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub behind_since: Option<DateTime<Utc>>,
    /// Counts the changes of the row; its `ETag` begins with it.
    #[schema(example = 7)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
}

/// A checkpoint to be stored.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"cursor": "AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAAAOJ4E2Shmdcb", "note": "Registry to the regional data warehouse, every night"}))]
pub struct CheckpointIn {
    /// `nextCursor` of `/changes`, or `feedCursor` of `/snapshot` or an export.
    #[garde(custom(is_cursor))]
    #[schema(max_length = 200)]
    pub cursor: String,
    /// What its job is. No person's name.
    #[garde(dive)]
    pub note: Option<Line>,
}

/// That it is one of ours; whether it can be followed depends on who follows it, and when.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "garde hands over its context by reference"
)]
fn is_cursor(text: &str, (): &()) -> garde::Result {
    match Cursor::decode(text) {
        Some(_) => Ok(()),
        None => Err(garde::Error::new("feed_cursor_format")),
    }
}

/// The name of a checkpoint in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
#[serde(rename_all = "camelCase")]
struct CheckpointPath {
    /// Its name: 1–64 of the letters a–z, digits, `.`, `_` and `-`, beginning with a letter or digit.
    #[param(example = "nightly-partners", pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    checkpoint_name: String,
}

impl CheckpointPath {
    fn name(&self) -> ApiResult<&str> {
        let name = self.checkpoint_name.as_str();
        let mut letters = name.bytes();
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if name.len() <= 64
            && letters.next().is_some_and(plain)
            && letters.all(|b| plain(b) || matches!(b, b'.' | b'_' | b'-'))
        {
            return Ok(name);
        }
        Err(Problem::parameter(
            "checkpointName",
            "checkpoint_name_format",
            text(
                "Namnet har 1–64 tecken av a–z, siffror, punkt, understreck och bindestreck, och börjar med en bokstav eller siffra.",
                "The name has 1–64 of the letters a–z, digits, full stop, underscore and hyphen, and begins with a letter or digit.",
            ),
        ))
    }
}

/// Filters of `/sync/checkpoints`: none.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OwnFilter {
    /// Whose they are. No parameter.
    #[serde(skip)]
    #[param(ignore)]
    pub client: String,
}

/// A client's own.
pub struct Checkpoints;

impl Resource for Checkpoints {
    const PATH: &'static str = "/sync/checkpoints";
    type Row = CheckpointRow;
    type Out = CheckpointOut;
    type Filter = OwnFilter;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }
    fn live() -> Condition {
        Condition::sql("true")
    }
    /// One is found by its client and name.
    async fn find(_: &Conn, _: &Uuid) -> QueryResult<Option<CheckpointRow>> {
        Ok(None)
    }
    async fn list(
        conn: &Conn,
        filter: &OwnFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<CheckpointRow>, Option<i64>)> {
        store::list(conn, window, || {
            let mut query = checkpoints::table.into_boxed();
            for condition in conditions {
                query = query.filter(condition.clone());
            }
            query.filter(checkpoints::client_id.eq(filter.client.clone()))
        })
        .await
    }
    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<CheckpointRow>,
    ) -> QueryResult<Vec<CheckpointOut>> {
        shown(conn, rows).await
    }
}

async fn shown(conn: &Conn, rows: Vec<CheckpointRow>) -> QueryResult<Vec<CheckpointOut>> {
    let positions: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    let behind = store::behind(conn, &positions).await?;
    let shown = rows.into_iter().map(|row| {
        let behind = behind.get(&row.seq).copied().unwrap_or_default();
        CheckpointOut::from_row(row, behind)
    });
    Ok(shown.collect())
}

async fn one(conn: &Conn, row: CheckpointRow) -> QueryResult<CheckpointOut> {
    let shown = shown(conn, vec![row]).await?;
    shown.into_iter().next().ok_or(diesel::NotFound)
}

impl CheckpointOut {
    fn from_row(row: CheckpointRow, behind: Behind) -> Self {
        let CheckpointRow {
            id: _,
            client_id: _,
            name,
            cursor,
            seq,
            note,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            name,
            cursor,
            note,
            position: seq.to_string(),
            behind: behind.changes,
            behind_since: behind.since,
            version,
            created_at,
            updated_at,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_checkpoints)
        .service(get_checkpoint)
        .service(put_checkpoint)
        .service(delete_checkpoint);
}

/// List your checkpoints
///
/// The client's own, by name, fifty at the most.
#[utoipa::path(tag = "sync", operation_id = "list_checkpoints", params(ListQuery, OwnFilter),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "A page of checkpoints", body = Page<CheckpointOut>)))]
#[get("/sync/checkpoints")]
async fn list_checkpoints(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    mut params: ListParams<OwnFilter>,
) -> ApiResult<Listing<CheckpointOut>> {
    grant.client_id().clone_into(&mut params.filter.client);
    resource::list::<Checkpoints, _>(&req, &db, &grant, &params).await
}

/// Show a checkpoint
///
/// With its `ETag`, which the next change sends back in `If-Match`.
#[utoipa::path(tag = "sync", operation_id = "get_checkpoint", params(CheckpointPath, ItemQuery),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "The checkpoint", body = CheckpointOut)))]
#[get("/sync/checkpoints/{checkpointName}")]
async fn get_checkpoint(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    path: web::Path<CheckpointPath>,
    query: Params<ItemQuery>,
) -> ApiResult<Item<CheckpointOut>> {
    let Params(query) = query;
    if query.include.is_some() {
        return Err(Problem::parameter(
            "include",
            "unknown_include",
            text(
                "Här finns inget att lägga till med include.",
                "There is nothing here that include can add.",
            ),
        ));
    }
    let name = path.name()?;
    let row = db
        .read(async |conn| {
            let row = store::named(conn, grant.client_id(), name).await?;
            match row {
                Some(row) => one(conn, row).await.map(Some),
                None => Ok(None),
            }
        })
        .await?
        .ok_or_else(Problem::not_found)?;
    Item::new(&req, &row, query.fields.as_deref(), Some(row.version))
}

/// Store a checkpoint
///
/// The whole of it. `If-None-Match: *` makes a new one, `If-Match` with its `ETag` replaces it: 412 with the present one in
/// `current` says that another job of the client has moved it. One that comes to what is there already changes nothing and
/// is answered as if it had, so a request whose answer was lost can be sent again. The cursor is looked at here as far as
/// its form goes; whether it can be followed is told by `/changes`.
#[utoipa::path(tag = "sync", operation_id = "put_checkpoint",
    params(CheckpointPath,
        ("If-Match" = Option<String>, Header, description = "The ETag of the checkpoint as the client has seen it, or *, to replace it", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*`, to make a new one", example = "*")),
    request_body = CheckpointIn,
    security(("bearer" = [Permission::SyncRead.as_str()])), responses(
        (status = 200, description = "The checkpoint as it is now", body = CheckpointOut),
        (status = 201, description = "The new checkpoint", body = CheckpointOut)))]
#[put("/sync/checkpoints/{checkpointName}")]
async fn put_checkpoint(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    path: web::Path<CheckpointPath>,
    body: Valid<CheckpointIn>,
) -> ApiResult<Either<Created<CheckpointOut>, Changed<CheckpointOut>>> {
    let place = Place::from_request(&req)?;
    let Valid(new) = body;
    let cursor = Cursor::decode(&new.cursor).ok_or_else(Problem::invalid_cursor)?;
    let change = CheckpointChange {
        cursor: &new.cursor,
        seq: cursor.seq,
        note: new.note.as_ref().map(Line::as_str),
    };
    let (client, name) = (grant.client_id(), path.name()?);
    let (made, row) = db
        .write(async |conn| {
            let mut there = store::lock(conn, client, name).await?;
            if there.is_none() && place == Place::Free {
                if let Some(row) = store::insert(conn, client, name, change).await? {
                    return Ok((true, one(conn, row).await?));
                }
                // Somebody else was faster.
                there = store::lock(conn, client, name).await?;
            }
            let row = moved(conn, there, &place, change).await?;
            Ok((false, one(conn, row).await?))
        })
        .await?;
    let version = row.version;
    Ok(if made {
        let path = format!("{}/{name}", Checkpoints::PATH);
        Either::Left(Created { row, path, version })
    } else {
        Either::Right(Changed { row, version })
    })
}

/// Moves a checkpoint that should be there.
async fn moved(
    conn: &Conn,
    there: Option<CheckpointRow>,
    place: &Place,
    change: CheckpointChange<'_>,
) -> Result<CheckpointRow, WriteError> {
    let Some(row) = there else {
        return Err(Problem::new(ProblemKind::PreconditionFailed)
            .detail(text(
                "Kontrollpunkten finns inte; skapa den med If-None-Match: *.",
                "There is no such checkpoint; make it with If-None-Match: *.",
            ))
            .into());
    };
    if change.is(&row) {
        return Ok(row);
    }
    match place {
        Place::Held(expected) if expected.allows(row.version) => {
            Ok(store::update(conn, row.id, change).await?)
        }
        _ => Err(stale(conn, row).await?.into()),
    }
}

/// 412, with the checkpoint as it is now.
async fn stale(conn: &Conn, row: CheckpointRow) -> Result<Problem, WriteError> {
    let version = row.version;
    let current = serde_json::to_value(one(conn, row).await?).map_err(Problem::internal)?;
    Ok(Problem::new(ProblemKind::PreconditionFailed)
        .detail(text(
            format!("Radens version är nu {version}."),
            format!("The row's version now is {version}."),
        ))
        .current(current))
}

/// Delete a checkpoint
///
/// It is gone for good: the name is free, and no tombstone is kept.
#[utoipa::path(tag = "sync", operation_id = "delete_checkpoint", params(CheckpointPath),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/sync/checkpoints/{checkpointName}")]
async fn delete_checkpoint(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    path: web::Path<CheckpointPath>,
) -> ApiResult<Deleted> {
    let name = path.name()?;
    let expected = Expected::from_request(&req)?;
    db.write(async |conn| {
        let row = store::lock(conn, grant.client_id(), name).await?;
        let row = row.ok_or_else(Problem::not_found)?;
        if !expected.allows(row.version) {
            return Err(stale(conn, row).await?.into());
        }
        store::delete(conn, row.id).await?;
        Ok(Deleted)
    })
    .await
}
