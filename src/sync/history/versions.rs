//! The versions of a row as a list: the same for every resource that clients write.

use std::marker::PhantomData;

use actix_web::HttpRequest;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::store;
use crate::access::{Action, Grant, Reach};
use crate::db::fragment::Condition;
use crate::db::history::{EntryRow, VersionOp};
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::list::Listing;
use crate::http::params::ListParams;
use crate::http::resource::{self, Kept, Resource, View};
use crate::problem::{ApiResult, Problem};
use crate::schema::history;

/// One version of a row, and how it came to be.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RowVersion)]
pub struct VersionOut {
    /// The version.
    #[schema(example = 2)]
    pub version: i64,
    /// The version that it changed; null for the first one, and for one that was found.
    #[schema(example = 1)]
    pub version_before: Option<i64>,
    /// What was done.
    pub op: VersionOp,
    /// Since when the row is so (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub at: DateTime<Utc>,
    /// The client that did it; null if the row was loaded with the service.
    #[schema(example = "client_k3v7q2mzt5abcdef")]
    pub client_id: Option<String>,
    /// The request that did it, as in `X-Request-Id`.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub request_id: Option<Uuid>,
    /// The area whose office kept the row then; of a client the first of its areas, all of which stand in the row.
    #[schema(example = "1880")]
    pub area: String,
    /// The row as it was, in the form in which it was shown then. Contacts only with `include=contacts`, and only those that
    /// the row still has.
    #[schema(value_type = Object, example = json!({"name": "Örebro Idrottsförening", "version": 2}))]
    pub row: Value,
}

/// Filters of a history: none.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The versions of rows of one resource.
pub struct HistoryOf<R>(PhantomData<R>);

/// Whose history.
pub struct Of {
    entity: &'static str,
    key: String,
}

impl<R: Resource> Resource for HistoryOf<R> {
    const PATH: &'static str = R::PATH;
    /// All that belongs to the row is in its versions; contacts are shown to those only who ask for them and may.
    const INCLUDES: &'static [&'static str] = contacts_of(R::OWN);
    type Row = EntryRow;
    type Out = VersionOut;
    type Filter = Of;

    fn visible(reach: &Reach) -> Condition {
        R::visible_then(reach)
    }

    fn live() -> Condition {
        Condition::sql("true")
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<EntryRow>> {
        store::version(conn, *id).await
    }

    async fn list(
        conn: &Conn,
        of: &Of,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<EntryRow>, Option<i64>)> {
        store::versions(conn, window, || {
            let mut query = history::table
                .filter(history::entity_type.eq(of.entity))
                .filter(history::entity_key.eq(of.key.clone()))
                .into_boxed();
            for condition in conditions {
                query = query.filter(condition.clone());
            }
            query
        })
        .await
    }

    async fn show(_: &Conn, view: &View, rows: Vec<EntryRow>) -> QueryResult<Vec<VersionOut>> {
        let shown = rows.into_iter().map(|entry| {
            let contacts = view.contacts && view.reach.covers(&entry.area_code);
            VersionOut {
                version: entry.version,
                version_before: entry.version_before,
                op: entry.op,
                at: entry.at,
                client_id: entry.client_id,
                request_id: entry.request_id,
                area: entry.area_code,
                row: resource::recalled::<R>(entry.row, entry.at, contacts),
            }
        });
        Ok(shown.collect())
    }
}

/// The one of these that is not shown unasked.
const fn contacts_of(own: &'static [&'static str]) -> &'static [&'static str] {
    let mut rest = own;
    while let [name, after @ ..] = rest {
        if matches!(name.as_bytes(), b"contacts") {
            return &["contacts"];
        }
        rest = after;
    }
    &[]
}

/// `GET /things/{key}/history`: newest first, also of a row that was deleted.
///
/// # Errors
/// 404 for a row that the caller may not see, 400 for parameters that do not work.
pub async fn list<R: Resource, A: Action>(
    req: &HttpRequest,
    db: &Db,
    grant: &Grant<A>,
    key: &<R::Row as Kept>::Key,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    let mut list = params.list;
    let include = list.include.take();
    list.refuse_order_and_search()?;
    list.include = include;
    list.sort = Some("-version".to_owned());
    let row = db.read(async |conn| R::find(conn, key).await).await?;
    if !row.is_some_and(|row| row.visible(grant.reach())) {
        return Err(Problem::not_found());
    }
    let filter = Of {
        entity: resource::entity::<R>(),
        key: key.to_string(),
    };
    resource::list::<HistoryOf<R>, A>(req, db, grant, &ListParams { list, filter }).await
}
