//! `/sync/digest`: by which a copy checks itself for pennies.

use std::collections::HashMap;

use actix_web::http::header;
use actix_web::{HttpResponse, Responder, get};
use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::permission::SyncRead;
use crate::access::{Grant, Permission};
use crate::db::{Conn, Db};
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Params};
use crate::problem::ApiResult;
use crate::sync::changes::cursor::Cursor;
use crate::sync::changes::follow::Follower;
use crate::sync::changes::store;
use crate::sync::types::EntityType;

/// What to compare.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DigestQuery {
    /// The cursor of `/changes` up to which the copy goes.
    #[param(example = "")]
    pub cursor: Option<String>,
    /// Kinds of row, comma separated; all that the client may read if left out. The ones that the copy holds.
    #[param(value_type = Option<Vec<EntityType>>, style = Form, explode = false)]
    pub types: Option<AnyOf<EntityType>>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// What a complete copy adds up to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Digest)]
pub struct DigestOut {
    /// Whether there is nothing after the cursor: only then must the copy agree. Null without a cursor.
    #[schema(example = true)]
    pub up_to_date: Option<bool>,
    /// By kind, in the order of `/sync`.
    pub types: Vec<TypeDigestOut>,
}

/// What the rows of a kind add up to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TypeDigest)]
pub struct TypeDigestOut {
    /// The kind: the path of its resource.
    #[serde(rename = "type")]
    pub of: EntityType,
    /// Rows that the client may see.
    #[schema(example = 42)]
    pub rows: i64,
    /// For each row the first eight bytes of SHA-256 of `key:version`, all of them joined by exclusive or; 16 hexadecimal digits.
    #[schema(example = "9f86d081884c7d65")]
    pub digest: String,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_digest);
}

/// Check a copy
///
/// How many rows of each kind the client may see, and a digest of their keys and versions. A copy that is up to date comes
/// to the same; one that does not has a fault, and begins anew with `/snapshot`.
#[utoipa::path(tag = "sync", operation_id = "get_sync_digest", params(DigestQuery),
    security(("bearer" = [Permission::SyncRead.as_str()])), responses((status = 200, description = "What a complete copy adds up to", body = DigestOut)))]
#[get("/sync/digest")]
async fn get_digest(
    db: Db,
    grant: Grant<SyncRead>,
    query: Params<DigestQuery>,
) -> ApiResult<impl Responder> {
    let Params(query) = query;
    let cursor = Cursor::read(query.cursor.as_deref())?;
    let follower = Follower::new(&db, &grant, query.types.as_ref())?;
    let digest = db
        .snapshot(async |conn| digest(conn, &follower, cursor).await)
        .await??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .json(digest))
}

#[derive(QueryableByName)]
struct Sum {
    #[diesel(sql_type = Text)]
    entity_type: EntityType,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = Text)]
    digest: String,
}

async fn digest(
    conn: &Conn,
    follower: &Follower,
    cursor: Option<Cursor>,
) -> QueryResult<ApiResult<DigestOut>> {
    let areas = follower.areas();
    let mut up_to_date = None;
    if let Some(cursor) = cursor {
        let standing = store::standing(conn).await?;
        if let Err(lost) = follower.check(cursor, &standing) {
            return Ok(Err(lost.into()));
        }
        let types = follower.types();
        let rest = store::after(conn, cursor.seq, types, areas.as_deref(), 1).await?;
        let more = store::horizon(conn, cursor.seq).await?;
        up_to_date = Some(rest.is_empty() && more.is_none_or(|far| far >= standing.newest));
    }
    let names: Vec<&str> = follower.types().iter().map(|of| of.as_str()).collect();
    let mut reading = conn;
    let sums: Vec<Sum> = diesel::sql_query(include_str!("sql/digest.sql"))
        .bind::<Array<Text>, _>(names)
        .bind::<Nullable<Array<Text>>, _>(areas)
        .load(&mut reading)
        .await?;
    let mut sums: HashMap<EntityType, Sum> =
        sums.into_iter().map(|sum| (sum.entity_type, sum)).collect();
    let types = follower.types().iter().map(|of| match sums.remove(of) {
        Some(sum) => TypeDigestOut {
            of: *of,
            rows: sum.rows,
            digest: sum.digest,
        },
        None => TypeDigestOut {
            of: *of,
            rows: 0,
            digest: format!("{:016x}", 0),
        },
    });
    Ok(Ok(DigestOut {
        up_to_date,
        types: types.collect(),
    }))
}
