//! `/projects`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use serde_json::Value;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::around::Around;
use super::content::{self, ProjectIn, ProjectOut};
use super::filter::ProjectFilter;
use super::model::ProjectRow;
use super::{status, store};
use crate::access::permission::{RegistryRead, RegistryWrite};
use crate::access::{Grant, Permission};
use crate::db::fragment::Condition;
use crate::db::search::Search;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{ListParams, ListQuery, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::problem::ApiResult;
use crate::search_in;

/// The resource.
pub struct Projects;

impl Resource for Projects {
    const PATH: &'static str = "/projects";
    const INCLUDES: &'static [&'static str] = &["partners", "subprojects"];
    const SEARCH: Option<Search> = Some(search_in!("title"));
    type Row = ProjectRow;
    type Out = ProjectOut;
    type Filter = ProjectFilter;

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<ProjectRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &ProjectFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<ProjectRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(conn: &Conn, view: &View, rows: Vec<ProjectRow>) -> QueryResult<Vec<ProjectOut>> {
        let mut around = Around::load(conn, view, &rows).await?;
        Ok(rows.into_iter().map(|row| around.show(row)).collect())
    }

    fn recall(row: &mut Value, at: DateTime<Utc>) {
        status::recall(row, &status::month_of(at));
    }
}

impl Writable for Projects {
    type In = ProjectIn;

    fn areas(new: &ProjectIn) -> Vec<(&'static str, String)> {
        let covered = new.areas.iter().map(|area| ("/areas", area.to_string()));
        [("/area", new.area.to_string())]
            .into_iter()
            .chain(covered)
            .collect()
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<ProjectRow>> {
        store::lock(conn, id).await
    }
    async fn draft(conn: &Conn, row: &ProjectRow) -> QueryResult<ProjectIn> {
        content::draft(conn, row.clone()).await
    }
    async fn insert(conn: &Conn, new: &ProjectIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change(conn, id).await?).await?;
        new.write_children(conn, id).await?;
        Ok(id)
    }
    async fn update(conn: &Conn, row: &ProjectRow, new: &ProjectIn) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change(conn, row.id).await?).await?;
        new.write_children(conn, row.id).await
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    async fn in_use(conn: &Conn, row: &ProjectRow) -> QueryResult<bool> {
        store::in_use(conn, row.id).await
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_projects)
        .service(create_project)
        .service(get_project)
        .service(update_project)
        .service(delete_project);
}

/// List projects
///
/// By title in Swedish order. `status` is computed today: a project is `ongoing` from its first month to its last, both
/// included. `region` and `municipality` look at the areas the project works in, not at the one that keeps the row;
/// `partner` finds everything an organisation has to do with. `include=partners,subprojects` adds who works in each
/// project, and its parts.
#[utoipa::path(tag = "registry", operation_id = "list_projects", params(ListQuery, ProjectFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of projects", body = Page<ProjectOut>)))]
#[get("/projects")]
async fn list_projects(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<ProjectFilter>,
) -> ApiResult<Listing<ProjectOut>> {
    let mut params = params;
    params.filter.now = db.clock().now();
    resource::list::<Projects, _>(&req, &db, &grant, &params).await
}

/// Create a project
///
/// With its areas, funding lines and date claims in one body. The keeping `area` and every code of `areas` must lie in
/// the client's areas. Owner, parent and funders are named by id, or by a name that only one live row has. The answer
/// carries the address of the new row and its `ETag`.
#[utoipa::path(tag = "registry", operation_id = "create_project", request_body = ProjectIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new project", body = ProjectOut)))]
#[post("/projects")]
async fn create_project(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<ProjectIn>,
) -> ApiResult<Answer<Created<ProjectOut>>> {
    resource::create::<Projects, _>(&db, &grant, &once, &body.0).await
}

/// Show a project
///
/// With its `ETag`, which a later change sends back in `If-Match`. `status` and `timeStatusPercent` follow from the
/// project's months and today; `timeStatusPercentPublished` is what a source says.
#[utoipa::path(tag = "registry", operation_id = "get_project", params(("projectId" = Uuid, Path, description = "Id of the project", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The project", body = ProjectOut)))]
#[get("/projects/{projectId}")]
async fn get_project(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<ProjectOut>> {
    resource::show_as_of::<Projects, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a project
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. A list (`areas`, `themes`,
/// `funding`, `dateClaims`) is replaced whole. A patch that changes nothing leaves the version as it is.
#[utoipa::path(tag = "registry", operation_id = "update_project", params(("projectId" = Uuid, Path, description = "Id of the project", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ProjectIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The project as it is now", body = ProjectOut)))]
#[patch("/projects/{projectId}")]
async fn update_project(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<ProjectOut>> {
    resource::change::<Projects, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch).await
}

/// Delete a project
///
/// Leaves a tombstone. A project with live parts or partnerships is kept (409).
#[utoipa::path(tag = "registry", operation_id = "delete_project", params(("projectId" = Uuid, Path, description = "Id of the project", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/projects/{projectId}")]
async fn delete_project(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Projects, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
