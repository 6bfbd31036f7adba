//! `/partnerships`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{Names, PartnershipChange, PartnershipRow};
use super::store;
use crate::access::permission::{RegistryRead, RegistryWrite};
use crate::access::{Grant, Permission, inside};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, One, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::problem::ApiResult;
use crate::registry::codes::{CooperationForm, PartnerCategory, PartnershipRole, State};
use crate::registry::collaborations::reference::CollaborationRef;
use crate::registry::culture_schools::reference::CultureSchoolRef;
use crate::registry::partners::reference::PartnerRef;
use crate::registry::projects::reference::ProjectRef;
use crate::registry::projects::status::month_of;
use crate::schema::{partners, partnerships, projects};
use crate::values::Day;
use crate::values::{AreaCode, Month, Prose, WebAddress};

/// A partner at work in a project or a collaboration, at a place. A published partnership shows the names of all that
/// it joins.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Partnership)]
pub struct PartnershipOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// The partner.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub partner: Uuid,
    /// The name of the partner.
    #[schema(example = "Region Västmanland")]
    pub partner_name: String,
    /// What kind of organisation the partner is.
    pub partner_category: PartnerCategory,
    /// Whether the partner belongs to civil society.
    pub civil_society: bool,
    /// The project; null in a collaboration.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub project: Option<Uuid>,
    /// The title of the project.
    #[schema(example = "Kulturskola i hela landet")]
    pub project_title: Option<String>,
    /// The collaboration; null in a project.
    pub collaboration: Option<Uuid>,
    /// The name of the collaboration.
    pub collaboration_name: Option<String>,
    /// The culture school that takes part, if it is a certain one.
    pub culture_school: Option<Uuid>,
    /// The name of the culture school.
    pub culture_school_name: Option<String>,
    /// The place: a district, a municipality, a county, or `SE`. The office of this area keeps the row.
    #[schema(example = "19")]
    pub area: String,
    /// The name of the place.
    #[schema(example = "Västmanlands län")]
    pub area_name: String,
    /// What the partner is.
    pub role: PartnershipRole,
    /// How they work together, if the source says.
    pub form: Option<CooperationForm>,
    /// What they do together, in our words.
    #[schema(example = "Avtal med verksamheten.")]
    pub description: Option<String>,
    /// The first month, if it is known.
    #[schema(example = "2017-12")]
    pub valid_from: Option<String>,
    /// The last month; null while it goes on, or if it is not known.
    #[schema(example = "2021-06")]
    pub valid_to: Option<String>,
    /// Whether it goes on after the project; null if the source does not say, and in collaborations.
    pub continues_after_project: Option<bool>,
    /// Where this was read.
    #[schema(example = "https://regionalkulturskola.se/om-oss/")]
    pub source_url: Option<String>,
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

/// A partnership to be written: in a project or in a collaboration, one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"partner": {"name": "Region Västmanland"}, "collaboration": {"name": "Regional Kulturskola i Västmanland"},
    "area": "19", "role": "coordinator", "form": "joint_activity", "validFrom": "2024-01"}))]
pub struct PartnershipIn {
    /// The partner.
    #[garde(dive)]
    pub partner: PartnerRef,
    /// The project, unless it is a collaboration.
    #[garde(dive)]
    #[serde(default)]
    pub project: Option<ProjectRef>,
    /// The collaboration, unless it is a project.
    #[garde(dive)]
    #[serde(default)]
    pub collaboration: Option<CollaborationRef>,
    /// The culture school that takes part, if it is a certain one.
    #[garde(dive)]
    #[serde(default)]
    pub culture_school: Option<CultureSchoolRef>,
    /// The place: a district, a municipality, a county, or `SE`.
    #[garde(dive)]
    pub area: AreaCode,
    /// What the partner is.
    #[garde(skip)]
    pub role: PartnershipRole,
    /// How they work together, if the source says.
    #[garde(skip)]
    #[serde(default)]
    pub form: Option<CooperationForm>,
    /// What they do together.
    #[garde(dive)]
    #[serde(default)]
    pub description: Option<Prose>,
    /// The first month, if it is known.
    #[garde(dive)]
    #[serde(default)]
    pub valid_from: Option<Month>,
    /// The last month, if there is one.
    #[garde(dive)]
    #[serde(default)]
    pub valid_to: Option<Month>,
    /// Whether it goes on after the project; of partnerships in projects only.
    #[garde(skip)]
    #[serde(default)]
    pub continues_after_project: Option<bool>,
    /// Where this was read.
    #[garde(dive)]
    #[serde(default)]
    pub source_url: Option<WebAddress>,
    /// Whether the row is public; a new one is, unless it says otherwise.
    #[garde(skip)]
    #[serde(default = "State::published")]
    #[schema(default = "published")]
    pub state: State,
}

/// Filters of `/partnerships`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PartnershipFilter {
    /// Of any of these partners, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub partner: Option<AnyOf<Uuid>>,
    /// In any of these projects.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub project: Option<AnyOf<Uuid>>,
    /// In any of these collaborations.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub collaboration: Option<AnyOf<Uuid>>,
    /// With any of these culture schools.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub culture_school: Option<AnyOf<Uuid>>,
    /// In this county, its municipalities and their districts.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// In this municipality and its districts.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// In this area of any kind, and all areas inside.
    #[param(value_type = Option<String>, example = "SE-vissa-stadsdelar")]
    pub area: Option<One<AreaCode>>,
    /// Roles, comma separated.
    #[param(value_type = Option<Vec<PartnershipRole>>, style = Form, explode = false)]
    pub role: Option<AnyOf<PartnershipRole>>,
    /// Forms of cooperation, comma separated.
    #[param(value_type = Option<Vec<CooperationForm>>, style = Form, explode = false)]
    pub form: Option<AnyOf<CooperationForm>>,
    /// Categories of the partner, comma separated.
    #[param(value_type = Option<Vec<PartnerCategory>>, style = Form, explode = false)]
    pub category: Option<AnyOf<PartnerCategory>>,
    /// Partners of civil society only, or only the others.
    pub civil_society: Option<bool>,
    /// Those that are known to go on after the project, or known not to.
    pub continues_after_project: Option<bool>,
    /// In projects whose last month is past (UTC), or in projects that go on, are to come, or name no last month.
    /// Both leave out collaborations.
    pub project_ended: Option<bool>,
    /// Valid in the month of this day. A missing first or last month is open.
    #[param(value_type = Option<NaiveDate>, example = "2021-09-01")]
    pub valid_on: Option<Day>,
    /// When the request came: what has ended follows from it. No parameter.
    #[serde(skip, default = "crate::clock::now")]
    #[param(ignore)]
    pub now: DateTime<Utc>,
}

/// The resource.
pub struct Partnerships;

impl Resource for Partnerships {
    const PATH: &'static str = "/partnerships";
    type Row = PartnershipRow;
    type Out = PartnershipOut;
    type Filter = PartnershipFilter;

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<PartnershipRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &PartnershipFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<PartnershipRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<PartnershipRow>,
    ) -> QueryResult<Vec<PartnershipOut>> {
        let mut names = store::names(conn, rows.iter().map(|row| row.id).collect()).await?;
        rows.into_iter()
            .map(|row| {
                let names = names.remove(&row.id).ok_or(diesel::NotFound)?;
                Ok(PartnershipOut::from_row(row, names))
            })
            .collect()
    }
}

impl PartnershipFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = partnerships::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(ids)) = &self.partner {
            query = query.filter(partnerships::partner_id.eq_any(ids.clone()));
        }
        if let Some(AnyOf(ids)) = &self.project {
            query = query.filter(partnerships::project_id.eq_any(ids.clone()));
        }
        if let Some(AnyOf(ids)) = &self.collaboration {
            query = query.filter(partnerships::collaboration_id.eq_any(ids.clone()));
        }
        if let Some(AnyOf(ids)) = &self.culture_school {
            query = query.filter(partnerships::culture_school_id.eq_any(ids.clone()));
        }
        for One(area) in self
            .region
            .iter()
            .chain(&self.municipality)
            .chain(&self.area)
        {
            query = query.filter(inside(area.as_str()));
        }
        if let Some(AnyOf(roles)) = &self.role {
            query = query.filter(partnerships::role.eq_any(roles.clone()));
        }
        if let Some(AnyOf(forms)) = &self.form {
            query = query.filter(partnerships::form.eq_any(forms.clone()));
        }
        if let Some(AnyOf(categories)) = &self.category {
            let of_category = partners::table
                .filter(partners::category.eq_any(categories.clone()))
                .select(partners::id);
            query = query.filter(partnerships::partner_id.eq_any(of_category));
        }
        if let Some(civil) = self.civil_society {
            let of_kind = partners::table
                .filter(partners::civil_society.eq(civil))
                .select(partners::id);
            query = query.filter(partnerships::partner_id.eq_any(of_kind));
        }
        if let Some(continues) = self.continues_after_project {
            query = query.filter(partnerships::continues_after_project.eq(continues));
        }
        if let Some(ended) = self.project_ended {
            let this_month = month_of(self.now);
            let ids = projects::table.select(projects::id.nullable()).into_boxed();
            let ids = if ended {
                ids.filter(projects::end_month.lt(this_month))
            } else {
                let unknown = projects::end_month.is_null();
                ids.filter(unknown.or(projects::end_month.ge(this_month)))
            };
            query = query.filter(partnerships::project_id.eq_any(ids));
        }
        if let Some(month) = self.valid_on.map(Day::month) {
            let begun = partnerships::valid_from
                .is_null()
                .or(partnerships::valid_from.le(month.clone()));
            let going_on = partnerships::valid_to
                .is_null()
                .or(partnerships::valid_to.ge(month));
            query = query.filter(begun).filter(going_on);
        }
        query
    }
}

impl Writable for Partnerships {
    type In = PartnershipIn;

    fn areas(new: &PartnershipIn) -> Vec<(&'static str, String)> {
        vec![("/area", new.area.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<PartnershipRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &PartnershipRow) -> QueryResult<PartnershipIn> {
        Ok(PartnershipIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &PartnershipIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change(conn).await?).await?;
        Ok(id)
    }
    async fn update(
        conn: &Conn,
        row: &PartnershipRow,
        new: &PartnershipIn,
    ) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change(conn).await?).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    /// Nothing refers to a partnership.
    async fn in_use(_: &Conn, _: &PartnershipRow) -> QueryResult<bool> {
        Ok(false)
    }
}

impl PartnershipOut {
    fn from_row(row: PartnershipRow, names: Names) -> Self {
        Self {
            id: row.id,
            partner: row.partner_id,
            partner_name: names.partner,
            partner_category: names.category,
            civil_society: names.civil_society,
            project: row.project_id,
            project_title: names.project,
            collaboration: row.collaboration_id,
            collaboration_name: names.collaboration,
            culture_school: row.culture_school_id,
            culture_school_name: names.culture_school,
            area: row.area_code,
            area_name: names.area,
            role: row.role,
            form: row.form,
            description: row.description,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            continues_after_project: row.continues_after_project,
            source_url: row.source_url,
            state: row.state,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

impl PartnershipIn {
    fn from_row(row: PartnershipRow) -> Self {
        Self {
            partner: PartnerRef::Id(row.partner_id),
            project: row.project_id.map(ProjectRef::Id),
            collaboration: row.collaboration_id.map(CollaborationRef::Id),
            culture_school: row.culture_school_id.map(CultureSchoolRef::Id),
            area: AreaCode::trusted(row.area_code),
            role: row.role,
            form: row.form,
            description: row.description.map(Prose::trusted),
            valid_from: row.valid_from.map(Month::trusted),
            valid_to: row.valid_to.map(Month::trusted),
            continues_after_project: row.continues_after_project,
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    async fn change(&self, conn: &Conn) -> Result<PartnershipChange<'_>, WriteError> {
        let project_id = match &self.project {
            Some(project) => Some(project.resolve(conn, "/project").await?),
            None => None,
        };
        let collaboration_id = match &self.collaboration {
            Some(collaboration) => Some(collaboration.resolve(conn, "/collaboration").await?),
            None => None,
        };
        let culture_school_id = match &self.culture_school {
            Some(school) => Some(school.resolve(conn, "/cultureSchool").await?),
            None => None,
        };
        Ok(PartnershipChange {
            area_code: self.area.as_str(),
            partner_id: self.partner.resolve(conn, "/partner").await?,
            project_id,
            collaboration_id,
            culture_school_id,
            role: self.role,
            form: self.form,
            description: self.description.as_ref().map(Prose::as_str),
            valid_from: self.valid_from.as_ref().map(Month::as_str),
            valid_to: self.valid_to.as_ref().map(Month::as_str),
            continues_after_project: self.continues_after_project,
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        })
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_partnerships)
        .service(create_partnership)
        .service(get_partnership)
        .service(update_partnership)
        .service(delete_partnership);
}

/// List partnerships
///
/// Who works with whom, by place. `projectEnded=true` with `continuesAfterProject=true` answers what goes on after its
/// project; with `civilSociety=true`, what goes on with civil society.
#[utoipa::path(tag = "registry", operation_id = "list_partnerships", params(ListQuery, PartnershipFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of partnerships", body = Page<PartnershipOut>)))]
#[get("/partnerships")]
async fn list_partnerships(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    mut params: ListParams<PartnershipFilter>,
) -> ApiResult<Listing<PartnershipOut>> {
    params.filter.now = db.clock().now();
    resource::list::<Partnerships, _>(&req, &db, &grant, &params).await
}

/// Create a partnership
///
/// Partner, project, collaboration and culture school are named by id, or by a name that only one live row has. The
/// area must be one of the client's. The answer carries the address of the new row and its `ETag`.
#[utoipa::path(tag = "registry", operation_id = "create_partnership", request_body = PartnershipIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new partnership", body = PartnershipOut)))]
#[post("/partnerships")]
async fn create_partnership(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<PartnershipIn>,
) -> ApiResult<Answer<Created<PartnershipOut>>> {
    resource::create::<Partnerships, _>(&db, &grant, &once, &body.0).await
}

/// Show a partnership
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "registry", operation_id = "get_partnership", params(("partnershipId" = Uuid, Path, description = "Id of the partnership", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The partnership", body = PartnershipOut)))]
#[get("/partnerships/{partnershipId}")]
async fn get_partnership(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<PartnershipOut>> {
    resource::show_as_of::<Partnerships, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a partnership
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. A patch that changes nothing
/// leaves the version as it is.
#[utoipa::path(tag = "registry", operation_id = "update_partnership", params(("partnershipId" = Uuid, Path, description = "Id of the partnership", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = PartnershipIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The partnership as it is now", body = PartnershipOut)))]
#[patch("/partnerships/{partnershipId}")]
async fn update_partnership(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<PartnershipOut>> {
    resource::change::<Partnerships, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch)
        .await
}

/// Delete a partnership
///
/// Leaves a tombstone. To say that it ended, fill in `validTo` instead.
#[utoipa::path(tag = "registry", operation_id = "delete_partnership", params(("partnershipId" = Uuid, Path, description = "Id of the partnership", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/partnerships/{partnershipId}")]
async fn delete_partnership(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Partnerships, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
