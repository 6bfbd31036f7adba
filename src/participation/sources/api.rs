//! `/sources`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{SourceChange, SourceRow};
use super::store;
use crate::access::permission::{ParticipationWrite, RegistryRead};
use crate::access::{Grant, Permission};
use crate::db::fragment::Condition;
use crate::db::search::Search;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::participation::places;
use crate::problem::ApiResult;
use crate::registry::codes::State;
use crate::schema::sources;
use crate::search_in;
use crate::values::{AreaCode, Line, PartialDate, Prose, WebAddress};

/// Where numbers come from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
pub struct SourceOut {
    /// Id, made by the service (UUID version 7).
    pub id: Uuid,
    /// Title as published.
    #[schema(example = "Kulturskolan i storstan – minskat utanförskap genom samverkan")]
    pub title: String,
    /// Who published it.
    #[schema(example = "Allmänna arvsfonden")]
    pub publisher: String,
    /// Address, if it is on the web.
    #[schema(example = "https://www.arvsfonden.se/")]
    pub url: Option<String>,
    /// When it was published or last changed, as precise as it says.
    #[schema(example = "2021-04-09")]
    pub published_on: Option<String>,
    /// Whether it says of itself that it is official statistics of Sweden.
    pub official_statistics: bool,
    /// What else a reader should know of it.
    pub note: Option<String>,
    /// The area whose office keeps the row.
    #[schema(example = "SE")]
    pub area: String,
    /// Whether the row is public.
    pub state: State,
    /// Counts the changes of the row; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the row was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
    /// When the row was deleted (UTC); only seen with `includeDeleted`.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A source to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"title": "Örebro kulturskola: redovisning till nämnden 2025", "publisher": "Örebro kommun", "publishedOn": "2026-02", "area": "1880"}))]
pub struct SourceIn {
    /// Title as published.
    #[garde(dive)]
    pub title: Line,
    /// Who published it.
    #[garde(dive)]
    pub publisher: Line,
    /// Address; no two sources have the same.
    #[garde(dive)]
    #[serde(default)]
    pub url: Option<WebAddress>,
    /// When it was published or last changed, as precise as it says.
    #[garde(dive)]
    #[serde(default)]
    pub published_on: Option<PartialDate>,
    /// Whether it says of itself that it is official statistics of Sweden.
    #[garde(skip)]
    #[serde(default)]
    pub official_statistics: bool,
    /// What else a reader should know of it.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
    /// The area whose office keeps the row.
    #[garde(dive)]
    pub area: AreaCode,
    /// Whether the row is public; a new one is, unless it says otherwise.
    #[garde(skip)]
    #[serde(default = "State::published")]
    #[schema(default = "published")]
    pub state: State,
}

/// Filters of `/sources`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SourceFilter {
    /// The publisher, exactly as stored.
    #[param(example = "Allmänna arvsfonden")]
    pub publisher: Option<String>,
    /// Official statistics only, or only the others.
    pub official_statistics: Option<bool>,
    /// Kept by these areas or areas inside them, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["SE"]))]
    pub area: Option<AnyOf<AreaCode>>,
}

/// The resource.
pub struct Sources;

impl Resource for Sources {
    const PATH: &'static str = "/sources";
    const SEARCH: Option<Search> = Some(search_in!("title"));
    type Row = SourceRow;
    type Out = SourceOut;
    type Filter = SourceFilter;

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<SourceRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &SourceFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<SourceRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(_: &Conn, _: &View, rows: Vec<SourceRow>) -> QueryResult<Vec<SourceOut>> {
        Ok(rows.into_iter().map(SourceOut::from_row).collect())
    }
}

impl SourceFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = sources::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(publisher) = &self.publisher {
            query = query.filter(sources::publisher.eq(publisher.clone()));
        }
        if let Some(official) = self.official_statistics {
            query = query.filter(sources::official_statistics.eq(official));
        }
        if let Some(AnyOf(areas)) = &self.area {
            query = query.filter(places::within(areas));
        }
        query
    }
}

impl Writable for Sources {
    type In = SourceIn;

    fn areas(new: &SourceIn) -> Vec<(&'static str, String)> {
        vec![("/area", new.area.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<SourceRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &SourceRow) -> QueryResult<SourceIn> {
        Ok(SourceIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &SourceIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change()).await?;
        Ok(id)
    }
    async fn update(conn: &Conn, row: &SourceRow, new: &SourceIn) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change()).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    async fn in_use(conn: &Conn, row: &SourceRow) -> QueryResult<bool> {
        store::in_use(conn, row.id).await
    }
}

impl SourceOut {
    fn from_row(row: SourceRow) -> Self {
        let SourceRow {
            id,
            area_code,
            title,
            publisher,
            url,
            published_on,
            official_statistics,
            note,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            title,
            publisher,
            url,
            published_on,
            official_statistics,
            note,
            area: area_code,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl SourceIn {
    fn from_row(row: SourceRow) -> Self {
        Self {
            title: Line::trusted(row.title),
            publisher: Line::trusted(row.publisher),
            url: row.url.map(WebAddress::trusted),
            published_on: row.published_on.map(PartialDate::trusted),
            official_statistics: row.official_statistics,
            note: row.note.map(Prose::trusted),
            area: AreaCode::trusted(row.area_code),
            state: row.state,
        }
    }

    fn change(&self) -> SourceChange<'_> {
        SourceChange {
            area_code: self.area.as_str(),
            title: self.title.as_str(),
            publisher: self.publisher.as_str(),
            url: self.url.as_ref().map(WebAddress::as_str),
            published_on: self.published_on.as_ref().map(PartialDate::as_str),
            official_statistics: self.official_statistics,
            note: self.note.as_ref().map(Prose::as_str),
            state: self.state,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_sources)
        .service(create_source)
        .service(get_source)
        .service(update_source)
        .service(delete_source);
}

/// List sources
///
/// Where numbers come from, by title in Swedish order. `q=` searches the titles and publishers.
#[utoipa::path(tag = "participation", operation_id = "list_sources", params(ListQuery, SourceFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of sources", body = Page<SourceOut>)))]
#[get("/sources")]
async fn list_sources(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<SourceFilter>,
) -> ApiResult<Listing<SourceOut>> {
    resource::list::<Sources, _>(&req, &db, &grant, &params).await
}

/// Create a source
///
/// The area must be one of the client's: a municipality's own return is kept by the municipality, a national report by
/// `SE`. No two sources have the same address.
#[utoipa::path(tag = "participation", operation_id = "create_source", request_body = SourceIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 201, description = "The new source", body = SourceOut)))]
#[post("/sources")]
async fn create_source(
    db: Db,
    grant: Grant<ParticipationWrite>,
    once: Once,
    body: Valid<SourceIn>,
) -> ApiResult<Answer<Created<SourceOut>>> {
    resource::create::<Sources, _>(&db, &grant, &once, &body.0).await
}

/// Show a source
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "participation", operation_id = "get_source", params(("sourceId" = Uuid, Path, description = "Id of the source", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The source", body = SourceOut)))]
#[get("/sources/{sourceId}")]
async fn get_source(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<SourceOut>> {
    resource::show_as_of::<Sources, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a source
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. A patch that changes nothing
/// leaves the version as it is.
#[utoipa::path(tag = "participation", operation_id = "update_source", params(("sourceId" = Uuid, Path, description = "Id of the source", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = SourceIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The source as it is now", body = SourceOut)))]
#[patch("/sources/{sourceId}")]
async fn update_source(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<SourceOut>> {
    resource::change::<Sources, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch).await
}

/// Delete a source
///
/// Leaves a tombstone. A source that live reports or populations name is kept (409).
#[utoipa::path(tag = "participation", operation_id = "delete_source", params(("sourceId" = Uuid, Path, description = "Id of the source", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/sources/{sourceId}")]
async fn delete_source(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Sources, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
