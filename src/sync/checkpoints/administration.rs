//! `/checkpoints`: those of all clients that somebody administers, to see which office lags.

use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::CheckpointRow;
use super::store;
use crate::access::permission::ClientsAdmin;
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::{Bind, Condition};
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::list::{Listing, Page};
use crate::http::params::{AnyOf, ListParams, ListQuery};
use crate::http::resource::{self, Resource, View};
use crate::problem::ApiResult;
use crate::schema::checkpoints;

/// Where a client's job is in the feed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ClientCheckpoint)]
pub struct ClientCheckpointOut {
    /// The public id of the client.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client: String,
    /// What the client is and whose; null if it was not made here.
    #[schema(example = "Örebro läns rapportportal")]
    pub client_name: Option<String>,
    /// The name of the checkpoint.
    #[schema(example = "nightly-partners")]
    pub name: String,
    /// What its job is, in the client's words.
    #[schema(example = "Registry to the regional data warehouse, every night")]
    pub note: Option<String>,
    /// The number that it stands at, as text.
    #[schema(example = "1042")]
    pub position: String,
    /// Changes after it, counted up to 1 000: of every kind, also those that the client does not ask for or may not see.
    #[schema(example = 3, maximum = 1000)]
    pub behind: i64,
    /// Since when the first of them has been there (UTC); null if there is none.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub behind_since: Option<DateTime<Utc>>,
    /// When it was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When it was last moved (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
}

/// Filters of `/checkpoints`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ClientCheckpointFilter {
    /// Public ids of clients, comma separated.
    #[param(value_type = Option<String>, example = "client_k3v7q2mzt5abcdef")]
    pub client: Option<AnyOf<String>>,
    /// Names of checkpoints, comma separated.
    #[param(value_type = Option<String>, example = "nightly-partners")]
    pub name: Option<AnyOf<String>>,
}

/// Those of all clients.
pub struct ClientCheckpoints;

impl Resource for ClientCheckpoints {
    const PATH: &'static str = "/checkpoints";
    type Row = CheckpointRow;
    type Out = ClientCheckpointOut;
    type Filter = ClientCheckpointFilter;

    /// Those of clients whose areas all lie inside, as with the clients themselves.
    fn visible(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        Condition::with(
            "EXISTS (SELECT FROM clients WHERE clients.client_id = checkpoints.client_id \
             AND NOT EXISTS (SELECT FROM unnest(clients.areas) AS held (area) \
             WHERE NOT EXISTS (SELECT FROM unnest(?) AS own (area) WHERE starts_with(held.area, own.area))))",
            [Bind::from(reach.areas().to_vec())],
        )
    }
    fn live() -> Condition {
        Condition::sql("true")
    }
    /// One is shown in the list only.
    async fn find(_: &Conn, _: &Uuid) -> QueryResult<Option<CheckpointRow>> {
        Ok(None)
    }
    async fn list(
        conn: &Conn,
        filter: &ClientCheckpointFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<CheckpointRow>, Option<i64>)> {
        store::list(conn, window, || {
            let mut query = checkpoints::table.into_boxed();
            for condition in conditions {
                query = query.filter(condition.clone());
            }
            if let Some(AnyOf(clients)) = &filter.client {
                query = query.filter(checkpoints::client_id.eq_any(clients.clone()));
            }
            if let Some(AnyOf(names)) = &filter.name {
                query = query.filter(checkpoints::name.eq_any(names.clone()));
            }
            query
        })
        .await
    }
    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<CheckpointRow>,
    ) -> QueryResult<Vec<ClientCheckpointOut>> {
        let positions: Vec<i64> = rows.iter().map(|row| row.seq).collect();
        let behind = store::behind(conn, &positions).await?;
        let ids: Vec<&str> = rows.iter().map(|row| row.client_id.as_str()).collect();
        let names = store::client_names(conn, &ids).await?;
        let shown = rows.into_iter().map(|row| {
            let behind = behind.get(&row.seq).copied().unwrap_or_default();
            let CheckpointRow {
                id: _,
                client_id,
                name,
                cursor: _,
                seq,
                note,
                version: _,
                created_at,
                updated_at,
            } = row;
            ClientCheckpointOut {
                client_name: names.get(&client_id).cloned(),
                client: client_id,
                name,
                note,
                position: seq.to_string(),
                behind: behind.changes,
                behind_since: behind.since,
                created_at,
                updated_at,
            }
        });
        Ok(shown.collect())
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_client_checkpoints);
}

/// List the checkpoints of clients
///
/// Of the clients whose areas all lie in yours. `sort=position` begins with those that are furthest behind, `sort=updatedAt`
/// with those that have not moved for the longest time. A client that keeps its place itself has none.
#[utoipa::path(tag = "administration", operation_id = "list_client_checkpoints", params(ListQuery, ClientCheckpointFilter),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 200, description = "A page of checkpoints", body = Page<ClientCheckpointOut>)))]
#[get("/checkpoints")]
async fn list_client_checkpoints(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    params: ListParams<ClientCheckpointFilter>,
) -> ApiResult<Listing<ClientCheckpointOut>> {
    resource::list::<ClientCheckpoints, _>(&req, &db, &grant, &params).await
}
