//! `/audit-events`

use actix_web::{HttpRequest, get};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{TrailRow, audit_trail};
use super::store;
use crate::access::audit::AuditAction;
use crate::access::permission::AuditRead;
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::{Bind, Condition};
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::list::{Listing, Page};
use crate::http::params::{AnyOf, ListParams, ListQuery, One};
use crate::http::resource::{self, Resource, View};
use crate::problem::ApiResult;
use crate::values::{AreaCode, Line};

/// Something that was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEvent)]
pub struct AuditEventOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// When (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: AuditAction,
    /// The client that did it; `samverkan` is the program itself, by its command line.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client_id: Option<String>,
    /// The request that did it, as in `X-Request-Id`.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub request_id: Option<Uuid>,
    /// The areas that it concerns.
    #[schema(example = json!(["1880"]))]
    pub areas: Vec<String>,
    /// What kind of row was written: the path of its list without the slash.
    #[schema(example = "partners")]
    pub entity_type: Option<String>,
    /// The row that was written; its history has the content.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub entity_key: Option<String>,
    /// The version before; null for a new row.
    #[schema(example = 1)]
    pub version_before: Option<i64>,
    /// The version after.
    #[schema(example = 2)]
    pub version: Option<i64>,
    /// What else there is to say of an event that is not the writing of a row.
    #[schema(value_type = Option<Object>, example = json!({"publication": "2025.1"}))]
    pub detail: Option<Value>,
}

/// Filters of `/audit-events`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditFilter {
    /// Actions, comma separated.
    #[param(value_type = Option<Vec<AuditAction>>, style = Form, explode = false)]
    pub action: Option<AnyOf<AuditAction>>,
    /// By this client.
    #[param(value_type = Option<String>, example = "client_k3v7q2mzt5abcdef")]
    pub client: Option<One<Line>>,
    /// That concern this area or one inside it.
    #[param(value_type = Option<String>, example = "1880")]
    pub area: Option<One<AreaCode>>,
    /// At this time or later (RFC 3339).
    #[param(value_type = Option<DateTime<Utc>>, example = "2026-01-01T00:00:00Z")]
    pub since: Option<DateTime<Utc>>,
    /// Before this time (RFC 3339).
    #[param(value_type = Option<DateTime<Utc>>, example = "2027-01-01T00:00:00Z")]
    pub until: Option<DateTime<Utc>>,
}

struct AuditEvents;

impl Resource for AuditEvents {
    const PATH: &'static str = "/audit-events";
    type Row = TrailRow;
    type Out = AuditEventOut;
    type Filter = AuditFilter;

    /// Those that concern nobody outside.
    fn visible(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        Condition::with(
            "NOT EXISTS (SELECT FROM unnest(area_codes) AS held (area) \
             WHERE NOT EXISTS (SELECT FROM unnest(?) AS own (area) WHERE starts_with(held.area, own.area)))",
            [Bind::from(reach.areas().to_vec())],
        )
    }

    fn live() -> Condition {
        Condition::sql("true")
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<TrailRow>> {
        store::event(conn, *id).await
    }

    async fn list(
        conn: &Conn,
        filter: &AuditFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<TrailRow>, Option<i64>)> {
        store::trail(conn, window, || filter.apply(conditions)).await
    }

    async fn show(_: &Conn, _: &View, rows: Vec<TrailRow>) -> QueryResult<Vec<AuditEventOut>> {
        Ok(rows.into_iter().map(AuditEventOut::from_row).collect())
    }
}

impl AuditFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Trail {
        let done = Condition::sql("action IS NOT NULL");
        let mut query = audit_trail::table.filter(done).into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(actions)) = &self.action {
            query = query.filter(audit_trail::action.eq_any(actions.clone()));
        }
        if let Some(One(client)) = &self.client {
            query = query.filter(audit_trail::client_id.eq(client.to_string()));
        }
        if let Some(One(area)) = self.area.as_ref().filter(|One(area)| area.as_str() != "SE") {
            query = query.filter(Condition::with(
                "EXISTS (SELECT FROM unnest(area_codes) AS held (area) WHERE starts_with(held.area, ?))",
                [Bind::from(area.as_str())],
            ));
        }
        if let Some(since) = self.since {
            query = query.filter(audit_trail::at.ge(since));
        }
        if let Some(until) = self.until {
            query = query.filter(audit_trail::at.lt(until));
        }
        query
    }
}

impl AuditEventOut {
    fn from_row(row: TrailRow) -> Self {
        let TrailRow {
            id,
            at,
            action,
            client_id,
            request_id,
            area_codes,
            entity_type,
            entity_key,
            version_before,
            version,
            detail,
        } = row;
        Self {
            id,
            at,
            action,
            client_id,
            request_id,
            areas: area_codes,
            entity_type,
            entity_key,
            version_before,
            version,
            detail,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_audit_events);
}

/// List audit events
///
/// Who did what in your areas, newest first: every row that a client wrote, and what rows do not tell (a state of a report, a
/// publication, unprotected numbers that were read, clients and their secrets, contacts that were erased). An event that
/// also concerns areas outside yours is not shown. Nothing here is ever changed. The order is fixed: `sort`, `q`, `include`
/// and `updatedSince` do not work here (400).
#[utoipa::path(tag = "administration", operation_id = "list_audit_events", params(ListQuery, AuditFilter),
    security(("bearer" = [Permission::AuditRead.as_str()])), responses((status = 200, description = "A page of events", body = Page<AuditEventOut>)))]
#[get("/audit-events")]
async fn list_audit_events(
    req: HttpRequest,
    db: Db,
    grant: Grant<AuditRead>,
    mut params: ListParams<AuditFilter>,
) -> ApiResult<Listing<AuditEventOut>> {
    params.list.refuse_order_and_search()?;
    params.list.sort = Some("-at".to_owned());
    resource::list::<AuditEvents, _>(&req, &db, &grant, &params).await
}
