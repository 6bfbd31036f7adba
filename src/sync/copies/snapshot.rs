//! `/snapshot`: everything that the client may see, with the cursor of the feed to go on with.
//!
//! The first page fixes that cursor before it reads any row. What changes while the pages are read is told by the feed
//! from there on: such a row may come twice, but never not at all.

use actix_web::http::header;
use actix_web::{HttpResponse, Responder, get};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::QueryResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::db::{Conn, Db};
use crate::http::DEFAULT_LIMIT;
use crate::http::MAX_LIMIT;
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Params};
use crate::problem::{ApiResult, Problem};
use crate::sync::changes::api::within;
use crate::sync::changes::cursor::Cursor;
use crate::sync::changes::follow::{Follower, MAX_WEIGHT};
use crate::sync::changes::store;
use crate::sync::rows::{Batch, Copied, Part};
use crate::sync::types::EntityType;

/// What to copy.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SnapshotQuery {
    /// Where to go on: `nextCursor` of the page before. Without it, or empty, from the beginning.
    #[param(example = "")]
    pub cursor: Option<String>,
    /// Rows of a page at the most, 1–1000; a job asks for many. There are fewer where reports bring many observations.
    #[param(default = 20, minimum = 1, maximum = 1000, example = 20)]
    pub limit: Option<i64>,
    /// Kinds of row, comma separated; all that the client may read if left out. Follow the feed with the same.
    #[param(value_type = Option<Vec<EntityType>>, style = Form, explode = false)]
    pub types: Option<AnyOf<EntityType>>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// A page of a copy.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Snapshot)]
pub struct SnapshotOut {
    /// The rows, by kind (in the order of `/sync`) and key.
    pub items: Vec<SnapshotRowOut>,
    /// The cursor for `/changes` once all pages are stored; the same on every page.
    #[schema(example = "AQGTcP4K0nOBqxIjM0RVZneIAAAAAAAABBIAAAAAAAAEEuJ4E2Shmdcb")]
    pub feed_cursor: String,
    /// Where to go on; null on the last page.
    #[schema(example = "QVFHVGNQNEsucGFydG5lcnMuMDE5MDNlMmE")]
    pub next_cursor: Option<String>,
}

/// A row of a copy.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SnapshotRow)]
pub struct SnapshotRowOut {
    /// Kind of row: the path of its resource.
    #[serde(rename = "type")]
    pub of: EntityType,
    /// Id or code of the row.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub key: String,
    /// The version of the row.
    #[schema(example = 7)]
    pub version: i64,
    /// The row, as the feed tells it.
    #[schema(value_type = Object, example = json!({"id": "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "name": "Örebro Idrottsförening", "version": 7}))]
    pub data: Value,
}

impl SnapshotRowOut {
    /// A row of this kind.
    #[must_use]
    pub fn of(of: EntityType, row: Copied) -> Self {
        let Copied { key, version, data } = row;
        Self {
            of,
            key,
            version,
            data,
        }
    }
}

/// A place between two pages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    feed: Cursor,
    of: EntityType,
    /// The last key that was read.
    key: String,
}

impl Place {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.feed.encode(), self.of, self.key))
    }

    fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.splitn(3, '.');
        let place = Self {
            feed: Cursor::decode(parts.next()?)?,
            of: parts.next()?.parse().ok()?,
            key: parts.next()?.to_owned(),
        };
        let is_key = match place.of {
            EntityType::Districts | EntityType::Measures => !place.key.contains('\0'),
            _ => place.key.parse::<Uuid>().is_ok(),
        };
        is_key.then_some(place)
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_snapshot);
}

/// Copy everything
///
/// All live rows that the client may see, page by page. Store them, then follow `/changes` from `feedCursor`: what changed
/// while the pages were read comes again there. 410 as for `/changes`: begin anew, without a cursor.
#[utoipa::path(tag = "sync", operation_id = "get_snapshot", params(SnapshotQuery),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "A page of the copy", body = SnapshotOut)))]
#[get("/snapshot")]
async fn get_snapshot(
    db: Db,
    grant: Grant<SyncRead>,
    query: Params<SnapshotQuery>,
) -> ApiResult<impl Responder> {
    let Params(query) = query;
    let limit = within("limit", query.limit, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let place = match query.cursor.as_deref() {
        None | Some("") => None,
        Some(text) => Some(Place::decode(text).ok_or_else(Problem::invalid_cursor)?),
    };
    let follower = Follower::new(&db, &grant, query.types.as_ref())?;
    let page = db
        .snapshot(async |conn| page(conn, &follower, place.as_ref(), limit).await)
        .await??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(page))
}

async fn page(
    conn: &Conn,
    follower: &Follower,
    place: Option<&Place>,
    limit: usize,
) -> QueryResult<ApiResult<SnapshotOut>> {
    let standing = store::standing(conn).await?;
    let feed = match place {
        None => follower.newest(&standing),
        Some(place) => match follower.check(place.feed, &standing) {
            Ok(()) => place.feed,
            Err(lost) => return Ok(Err(lost.into())),
        },
    };
    let mut after = place.map(|place| place.key.clone());
    let mut items: Vec<SnapshotRowOut> = Vec::new();
    let mut next = None;
    let types = follower.types().iter().copied();
    for of in types.skip_while(|of| place.is_some_and(|place| place.of != *of)) {
        let part = Part::After {
            key: after.as_deref(),
            limit: i64::try_from(limit - items.len()).unwrap_or(i64::MAX),
            weight: MAX_WEIGHT,
        };
        let Batch { rows, more } = follower.rows(conn, of, part).await?;
        items.extend(rows.into_iter().map(|row| SnapshotRowOut::of(of, row)));
        if more || items.len() >= limit {
            next = items.last().map(|last| Place {
                feed,
                of,
                key: last.key.clone(),
            });
            break;
        }
        after = None;
    }
    Ok(Ok(SnapshotOut {
        items,
        feed_cursor: feed.encode(),
        next_cursor: next.map(|place| place.encode()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_travel_and_its_key_is_one_of_its_kind() {
        let feed = Cursor {
            epoch: Uuid::max(),
            seq: 7,
            began: 7,
            filter: 1,
            scope: 2,
        };
        let place = |of, key: &str| Place {
            feed,
            of,
            key: key.to_owned(),
        };
        for good in [
            place(EntityType::Partners, &Uuid::nil().to_string()),
            place(EntityType::Districts, "1880.R:001-x"),
        ] {
            assert_eq!(Place::decode(&good.encode()), Some(good));
        }
        for wrong in [
            place(EntityType::Partners, "1880"),
            place(EntityType::Measures, "\0"),
        ] {
            assert_eq!(Place::decode(&wrong.encode()), None);
        }
        assert_eq!(Place::decode(&feed.encode()), None);
    }
}
