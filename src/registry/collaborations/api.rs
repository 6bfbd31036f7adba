//! `/collaborations`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::content::{
    self, CollaborationIn, CollaborationOut, CollaborationRegion, Goal, MembershipIn,
};
use super::model::CollaborationRow;
use super::store;
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
use crate::http::params::{AnyOf, ListParams, ListQuery, Params, RowQuery};
use crate::http::resource::{self, Kept, Resource, View, Writable};
use crate::problem::ApiResult;
use crate::registry::codes::MemberRole;
use crate::registry::funding::{self, Funded};
use crate::schema::{collaboration_members, collaboration_regions, collaborations};
use crate::search_in;
use crate::values::AreaCode;
use crate::values::Day;

/// Filters of `/collaborations`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CollaborationFilter {
    /// At work in any of these counties, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub region: Option<AnyOf<AreaCode>>,
    /// With any of these municipalities as a member on the day of `validOn`; without it, at any time.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub municipality: Option<AnyOf<AreaCode>>,
    /// With any of these municipalities as administrative host on the day of `validOn`; without it, at any time.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1883"]))]
    pub host: Option<AnyOf<AreaCode>>,
    /// As it was on this day: with at least one member then. Host, members and their number are those of the day.
    #[param(value_type = Option<NaiveDate>, example = "2021-09-01")]
    pub valid_on: Option<Day>,
}

/// The resource.
pub struct Collaborations;

impl Resource for Collaborations {
    const PATH: &'static str = "/collaborations";
    const INCLUDES: &'static [&'static str] = &["members"];
    const OWN: &'static [&'static str] = &["members"];
    const SEARCH: Option<Search> = Some(search_in!("name"));
    type Row = CollaborationRow;
    type Out = CollaborationOut;
    type Filter = CollaborationFilter;

    fn valid_on(filter: &CollaborationFilter) -> Option<NaiveDate> {
        filter.valid_on.map(Day::date)
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<CollaborationRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &CollaborationFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<CollaborationRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(
        conn: &Conn,
        view: &View,
        rows: Vec<CollaborationRow>,
    ) -> QueryResult<Vec<CollaborationOut>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let (mut regions, mut members, mut goals, mut funding) = futures_util::try_join!(
            store::regions(conn, &ids),
            store::members(conn, &ids),
            store::goals(conn, &ids),
            funding::of(conn, Funded::Collaboration, &ids),
        )?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let id = row.id;
                let mut out =
                    CollaborationOut::new(row, members.remove(&id).unwrap_or_default(), view);
                out.regions = regions
                    .remove(&id)
                    .into_iter()
                    .flatten()
                    .map(|(code, name)| CollaborationRegion { code, name })
                    .collect();
                out.goals = goals
                    .remove(&id)
                    .into_iter()
                    .flatten()
                    .map(Goal::from_row)
                    .collect();
                out.funding = funding.remove(&id).unwrap_or_default();
                out
            })
            .collect())
    }

    fn recall(row: &mut Value, at: DateTime<Utc>) {
        content::recall(row, at.date_naive());
    }
}

impl CollaborationFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = collaborations::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(regions) = &self.region {
            let at_work = collaboration_regions::table
                .filter(collaboration_regions::region_code.eq_any(regions.texts()))
                .select(collaboration_regions::collaboration_id);
            query = query.filter(collaborations::id.eq_any(at_work));
        }
        let memberships = || {
            let mut members = collaboration_members::table
                .select(collaboration_members::collaboration_id)
                .into_boxed();
            if let Some(day) = self.valid_on.map(Day::date) {
                let begun = collaboration_members::valid_from
                    .is_null()
                    .or(collaboration_members::valid_from.le(day));
                let going_on = collaboration_members::valid_to
                    .is_null()
                    .or(collaboration_members::valid_to.ge(day));
                members = members.filter(begun).filter(going_on);
            }
            members
        };
        if self.valid_on.is_some() {
            query = query.filter(collaborations::id.eq_any(memberships()));
        }
        if let Some(municipalities) = &self.municipality {
            query =
                query.filter(collaborations::id.eq_any(memberships().filter(
                    collaboration_members::municipality_code.eq_any(municipalities.texts()),
                )));
        }
        if let Some(hosts) = &self.host {
            query = query.filter(
                collaborations::id.eq_any(
                    memberships()
                        .filter(collaboration_members::role.eq(MemberRole::AdministrativeHost))
                        .filter(collaboration_members::municipality_code.eq_any(hosts.texts())),
                ),
            );
        }
        query
    }
}

impl Writable for Collaborations {
    type In = CollaborationIn;

    fn areas(new: &CollaborationIn) -> Vec<(&'static str, String)> {
        std::iter::once(("/area", new.area.to_string()))
            .chain(
                new.regions
                    .iter()
                    .map(|region| ("/regions", region.to_string())),
            )
            .collect()
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<CollaborationRow>> {
        store::lock(conn, id).await
    }
    async fn draft(conn: &Conn, row: &CollaborationRow) -> QueryResult<CollaborationIn> {
        let ids = [row.id];
        let (regions, members, goals, funding) = futures_util::try_join!(
            store::regions(conn, &ids),
            store::members(conn, &ids),
            store::goals(conn, &ids),
            funding::drafts(conn, Funded::Collaboration, row.id),
        )?;
        let mut draft = CollaborationIn::from_row(row.clone());
        draft.regions = regions
            .into_values()
            .flatten()
            .map(|(code, _)| AreaCode::trusted(code))
            .collect();
        draft.members = members
            .into_values()
            .flatten()
            .map(|(member, _)| MembershipIn::from_row(member))
            .collect();
        draft.goals = goals.into_values().flatten().map(Goal::from_row).collect();
        draft.funding = funding;
        Ok(draft)
    }
    async fn insert(conn: &Conn, new: &CollaborationIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change()?).await?;
        new.fill(conn, id).await?;
        Ok(id)
    }
    async fn update(
        conn: &Conn,
        row: &CollaborationRow,
        new: &CollaborationIn,
    ) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change()?).await?;
        store::clear(conn, row.id).await?;
        new.fill(conn, row.id).await
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    async fn in_use(conn: &Conn, row: &CollaborationRow) -> QueryResult<bool> {
        store::in_use(conn, *row.key()).await
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_collaborations)
        .service(create_collaboration)
        .service(get_collaboration)
        .service(update_collaboration)
        .service(delete_collaboration);
}

/// List collaborations
///
/// The regional collaborations of culture schools, by name in Swedish order. `validOn=` shows them as they were on a
/// day: with the members, their number and the administrative host of that day.
#[utoipa::path(tag = "registry", operation_id = "list_collaborations", params(ListQuery, CollaborationFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of collaborations", body = Page<CollaborationOut>)))]
#[get("/collaborations")]
async fn list_collaborations(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<CollaborationFilter>,
) -> ApiResult<Listing<CollaborationOut>> {
    resource::list::<Collaborations, _>(&req, &db, &grant, &params).await
}

/// Create a collaboration
///
/// With its counties, members, goals and funding in one request: all of it is written, or nothing. The client must
/// hold the area and all counties. The answer carries the address of the new row and its `ETag`.
#[utoipa::path(tag = "registry", operation_id = "create_collaboration", request_body = CollaborationIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new collaboration", body = CollaborationOut)))]
#[post("/collaborations")]
async fn create_collaboration(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<CollaborationIn>,
) -> ApiResult<Answer<Created<CollaborationOut>>> {
    resource::create::<Collaborations, _>(&db, &grant, &once, &body.0).await
}

/// Show a collaboration
///
/// As it is today (UTC); with `include=members` all memberships, past and present. The `ETag` goes back in `If-Match`
/// with a later change.
#[utoipa::path(tag = "registry", operation_id = "get_collaboration", params(("collaborationId" = Uuid, Path, description = "Id of the collaboration", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The collaboration", body = CollaborationOut)))]
#[get("/collaborations/{collaborationId}")]
async fn get_collaboration(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<CollaborationOut>> {
    resource::show_as_of::<Collaborations, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a collaboration
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. A list is replaced as a whole: to
/// end a membership, send all memberships with its `validTo` filled in. A patch that changes nothing leaves the
/// version as it is.
#[utoipa::path(tag = "registry", operation_id = "update_collaboration", params(("collaborationId" = Uuid, Path, description = "Id of the collaboration", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = CollaborationIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The collaboration as it is now", body = CollaborationOut)))]
#[patch("/collaborations/{collaborationId}")]
async fn update_collaboration(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<CollaborationOut>> {
    resource::change::<Collaborations, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch)
        .await
}

/// Delete a collaboration
///
/// Leaves a tombstone. A collaboration that live partnerships refer to is kept (409).
#[utoipa::path(tag = "registry", operation_id = "delete_collaboration", params(("collaborationId" = Uuid, Path, description = "Id of the collaboration", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/collaborations/{collaborationId}")]
async fn delete_collaboration(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Collaborations, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
