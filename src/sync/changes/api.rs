//! `/changes`

use std::time::Duration;

use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpRequest, HttpResponse, Responder, get, web};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::cursor::Cursor;
use super::follow::{ChangeOut, Follower, Next};
use super::stream::Events;
use super::wake::Wake;
use crate::access::bearer::Revocations;
use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::clock::Clock;
use crate::db::Db;
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Params};
use crate::http::{DEFAULT_LIMIT, MAX_LIMIT, accept};
use crate::problem::{ApiResult, Problem, text};
use crate::sync::types::EntityType;

/// The longest wait for a change, in seconds.
pub const MAX_WAIT: i64 = 25;

/// The header that a client of events comes back with.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// The forms of the answer, the first one unless another is asked for.
const FORMS: [&str; 2] = ["application/json", "text/event-stream"];

/// What to follow.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// Where to go on: `nextCursor` of the answer before. Without it, or empty, from the beginning.
    #[param(example = "")]
    pub cursor: Option<String>,
    /// Changes of an answer at the most, 1–1000; a job asks for many. There may be fewer although there are more to come.
    #[param(default = 20, minimum = 1, maximum = 1000, example = 20)]
    pub limit: Option<i64>,
    /// Kinds of row, comma separated; all that the client may read if left out. A cursor belongs to the types it was
    /// given for.
    #[param(value_type = Option<Vec<EntityType>>, style = Form, explode = false)]
    pub types: Option<AnyOf<EntityType>>,
    /// Seconds to wait for a change while there is none, 0–25. Not with server-sent events, which always wait.
    #[param(default = 0, minimum = 0, maximum = 25, example = 0)]
    pub wait: Option<i64>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// What changed, and where to go on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Changes)]
pub struct ChangesOut {
    /// The changes, in the order in which they became visible.
    pub items: Vec<ChangeOut>,
    /// Where to go on. It advances also when nothing changed that the client asked for or may see.
    #[schema(example = "AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAAAOJ4E2Shmdcb")]
    pub next_cursor: String,
    /// Whether there is more already: ask again at once.
    pub has_more: bool,
}

impl From<Next> for ChangesOut {
    fn from(next: Next) -> Self {
        Self {
            next_cursor: next.cursor.encode(),
            has_more: next.has_more,
            items: next.changes,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_changes);
}

/// Follow changes
///
/// What changed after the cursor, each row once and at its newest, in the order in which the changes became visible. Store
/// the items, then `nextCursor`, and ask again. `wait` holds the answer back until something changes. A row that the client
/// may not see any more comes as `leave`; one that it sees from another place then comes again as `upsert`. Types need the
/// permission to read them besides `sync:read`.
///
/// With `Accept: text/event-stream` the same changes come as server-sent events, for as long as the token is good: event
/// `change`, its data an item of `items`, its id a cursor. `Last-Event-ID` goes before `cursor`.
///
/// 410 says that the cursor cannot be followed any more, and why: `cursor_expired`, `cursor_lost`, `scope_changed`,
/// `filter_changed`. Begin anew then, without a cursor.
#[utoipa::path(tag = "sync", operation_id = "list_changes",
    params(ChangesQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the client has, when it comes back for more")),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "The next changes", content(
        (ChangesOut = "application/json"),
        (String = "text/event-stream", example = json!("id: AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAAAOJ4E2Shmdcb\nevent: change\ndata: {\"seq\":\"1042\",\"type\":\"partners\",\"op\":\"delete\"}\n\n"))))))]
#[get("/changes")]
async fn list_changes(
    req: HttpRequest,
    db: Db,
    grant: Grant<SyncRead>,
    wake: web::Data<Wake>,
    revocations: web::Data<Revocations>,
    clock: web::Data<Clock>,
    query: Params<ChangesQuery>,
) -> ApiResult<impl Responder> {
    let Params(query) = query;
    let limit = within("limit", query.limit, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let wait = within("wait", query.wait, 0, 0..=MAX_WAIT)?;
    let as_events = match accept::choose(&req, &FORMS) {
        Some(form) => form > 0,
        None => return Err(accept::not_acceptable(&FORMS)),
    };
    if as_events && query.wait.is_some() {
        return Err(Problem::parameter(
            "wait",
            "not_supported",
            text(
                "En ström av händelser väntar alltid; ange inte wait.",
                "A stream of events always waits; do not give wait.",
            ),
        ));
    }
    let came_back = req
        .headers()
        .get(LAST_EVENT_ID)
        .filter(|_| as_events)
        .map(|id| id.to_str().unwrap_or("?"));
    let cursor = Cursor::read(came_back.or(query.cursor.as_deref()))?;
    let follower = Follower::new(&db, &grant, query.types.as_ref())?;
    if as_events {
        let first = follower.next(&db, cursor, limit).await?;
        let events = Events {
            follower,
            db,
            wake: Wake::clone(&wake),
            grant,
            revocations: Revocations::clone(&revocations),
            clock: Clock::clone(&clock),
            limit,
        };
        return Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "private, no-store"))
            // A compressor would hold events back until it has enough of them.
            .insert_header(ContentEncoding::Identity)
            .streaming(events.from(first)));
    }
    let deadline = Instant::now() + Duration::from_secs(wait.unsigned_abs());
    let next = follower
        .next_or_wait(&db, &wake, cursor, limit, deadline)
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(ChangesOut::from(next)))
}

/// A number of a parameter that lies in its range.
///
/// # Errors
/// 400 that names the range.
pub(crate) fn within(
    name: &'static str,
    given: Option<i64>,
    otherwise: i64,
    range: std::ops::RangeInclusive<i64>,
) -> ApiResult<i64> {
    let value = given.unwrap_or(otherwise);
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = range.into_inner();
    Err(Problem::parameter(
        name,
        "out_of_range",
        text(
            format!("{name} ska vara {least}–{most}."),
            format!("{name} must be {least}–{most}."),
        ),
    ))
}
