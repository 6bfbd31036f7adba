//! `/collaborations`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{
    CollaborationChange, CollaborationRow, MemberRow, NewGoal, NewMember, NewRegion,
};
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
use crate::http::params::{AnyOf, ItemQuery, ListParams, ListQuery, Params};
use crate::http::resource::{self, Kept, Resource, View, Writable};
use crate::problem::{ApiResult, Problem};
use crate::registry::areas::api::codes;
use crate::registry::areas::day::Day;
use crate::registry::codes::{Audience, MemberRole, State};
use crate::registry::funding::{self, Funded, FundingIn, FundingOut};
use crate::schema::{collaboration_members, collaboration_regions, collaborations};
use crate::search_in;
use crate::values::{AreaCode, Line, PartialDate, Prose, WebAddress};

/// A regional collaboration of municipal culture schools.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Collaboration)]
pub struct CollaborationOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// Name; no other collaboration has it.
    #[schema(example = "Kulturskolesamverkan i Örebro län")]
    pub name: String,
    /// What it is for.
    #[schema(example = "Att barn och unga lättare ska kunna utöva kultur, var i länet de än bor.")]
    pub purpose: Option<String>,
    /// What it does, in our words.
    pub description: Option<String>,
    /// When it was founded, as precise as the source: a year, a month or a day.
    #[schema(example = "2015")]
    pub established: Option<String>,
    /// The office of this area keeps the row.
    #[schema(example = "18")]
    pub area: String,
    /// The counties it works in, by code; every member lies in one of them.
    pub regions: Vec<CollaborationRegion>,
    /// How many municipalities are members on the day asked for with `validOn`, otherwise today (UTC).
    #[schema(example = 11)]
    pub member_count: usize,
    /// The municipality that carries the administration, on the day asked for with `validOn`, otherwise today (UTC).
    #[schema(example = "1883")]
    pub administrative_host: Option<String>,
    /// The name of that municipality.
    #[schema(example = "Karlskoga")]
    pub administrative_host_name: Option<String>,
    /// The memberships: all there ever were, or those of the day asked for with `validOn`. Only with
    /// `include=members`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<MembershipOut>>,
    /// What it wants to reach, and for whom.
    pub goals: Vec<Goal>,
    /// What pays for it.
    pub funding: Vec<FundingOut>,
    /// Where to read more.
    pub links: Vec<WebLink>,
    /// Where this was read.
    #[schema(example = "https://www.kulturskolesamverkan.se/om-oss/")]
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

/// A county of a collaboration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CollaborationRegion {
    /// Two-digit county code.
    #[schema(example = "18")]
    pub code: String,
    /// Name of the county.
    #[schema(example = "Örebro län")]
    pub name: String,
}

/// A municipality's membership for a time.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Membership)]
pub struct MembershipOut {
    /// Four-digit municipality code.
    #[schema(example = "1883")]
    pub municipality: String,
    /// Name of the municipality.
    #[schema(example = "Karlskoga")]
    pub municipality_name: String,
    /// What the municipality is in the collaboration.
    pub role: MemberRole,
    /// The first day; null if it is not known.
    #[schema(example = "2018-07-01")]
    pub valid_from: Option<NaiveDate>,
    /// The last day; null while the membership goes on, or if it is not known.
    #[schema(example = "2022-06-30")]
    pub valid_to: Option<NaiveDate>,
    /// What the membership rests on.
    #[schema(example = "Avtal med de deltagande kommunerna")]
    pub agreement: Option<String>,
}

/// A membership to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"municipality": "1883", "role": "administrative_host", "validFrom": "2018-07-01"}))]
pub struct MembershipIn {
    /// Four-digit municipality code, in one of the counties of the collaboration.
    #[garde(dive)]
    #[schema(example = "1883")]
    pub municipality: AreaCode,
    /// What the municipality is in the collaboration; one host at a time.
    #[garde(skip)]
    #[serde(default = "MemberRole::member")]
    #[schema(default = "member")]
    pub role: MemberRole,
    /// The first day, if it is known. Memberships of one municipality must not overlap.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2018-07-01")]
    pub valid_from: Option<Day>,
    /// The last day, if there is one.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2022-06-30")]
    pub valid_to: Option<Day>,
    /// What the membership rests on.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "Avtal med de deltagande kommunerna")]
    pub agreement: Option<Line>,
}

/// Something a collaboration wants to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// Whom it is for.
    #[garde(skip)]
    pub audience: Audience,
    /// The goal, in our words.
    #[garde(dive)]
    #[schema(
        example = "Pedagoger och chefer i länet byter erfarenheter och fortbildas tillsammans."
    )]
    pub goal: Prose,
}

/// A page to read more at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WebLink {
    /// What it leads to.
    #[garde(dive)]
    #[schema(example = "Allmänna arvsfonden")]
    pub title: Line,
    /// The address.
    #[garde(dive)]
    #[schema(example = "https://www.arvsfonden.se/")]
    pub url: WebAddress,
}

/// A collaboration to be written: with its members, goals and funding, each list as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Kulturskolor i samverkan", "area": "18", "regions": ["18"],
    "members": [{"municipality": "1880"}, {"municipality": "1883", "role": "administrative_host"}]}))]
pub struct CollaborationIn {
    /// Name; no other collaboration may have it.
    #[garde(dive)]
    pub name: Line,
    /// What it is for.
    #[garde(dive)]
    #[serde(default)]
    pub purpose: Option<Prose>,
    /// What it does.
    #[garde(dive)]
    #[serde(default)]
    pub description: Option<Prose>,
    /// When it was founded, as precise as the source.
    #[garde(dive)]
    #[serde(default)]
    pub established: Option<PartialDate>,
    /// The office of this area keeps the row: a municipality, a county, or `SE`.
    #[garde(dive)]
    pub area: AreaCode,
    /// The counties it works in, two digits each. The writer must hold them all.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = json!(["18"]))]
    pub regions: Vec<AreaCode>,
    /// The memberships, past and present.
    #[garde(dive)]
    #[serde(default)]
    pub members: Vec<MembershipIn>,
    /// What it wants to reach.
    #[garde(dive)]
    #[serde(default)]
    pub goals: Vec<Goal>,
    /// What pays for it.
    #[garde(dive)]
    #[serde(default)]
    pub funding: Vec<FundingIn>,
    /// Where to read more.
    #[garde(dive)]
    #[serde(default)]
    pub links: Vec<WebLink>,
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
}

impl CollaborationFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = collaborations::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(regions) = &self.region {
            let at_work = collaboration_regions::table
                .filter(collaboration_regions::region_code.eq_any(codes(regions)))
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
                    collaboration_members::municipality_code.eq_any(codes(municipalities)),
                )));
        }
        if let Some(hosts) = &self.host {
            query = query.filter(
                collaborations::id.eq_any(
                    memberships()
                        .filter(collaboration_members::role.eq(MemberRole::AdministrativeHost))
                        .filter(collaboration_members::municipality_code.eq_any(codes(hosts))),
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

impl CollaborationOut {
    /// The answer without regions, goals and funding, which are added afterwards.
    fn new(row: CollaborationRow, members: Vec<(MemberRow, String)>, view: &View) -> Self {
        let CollaborationRow {
            id,
            area_code,
            name,
            purpose,
            description,
            established,
            links,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        let day = view.valid_on.unwrap_or_else(|| view.now.date_naive());
        let on_the_day = || members.iter().filter(|(member, _)| member.holds_on(day));
        let member_count = on_the_day().count();
        let host = on_the_day().find(|(member, _)| member.role == MemberRole::AdministrativeHost);
        let (administrative_host, administrative_host_name) = host
            .map(|(member, name)| (member.municipality_code.clone(), name.clone()))
            .unzip();
        let members = view.includes("members").then(|| {
            members
                .into_iter()
                .filter(|(member, _)| view.valid_on.is_none_or(|day| member.holds_on(day)))
                .map(MembershipOut::from_row)
                .collect()
        });
        Self {
            id,
            name,
            purpose,
            description,
            established,
            area: area_code,
            regions: Vec::new(),
            member_count,
            administrative_host,
            administrative_host_name,
            members,
            goals: Vec::new(),
            funding: Vec::new(),
            links: serde_json::from_value(links).unwrap_or_default(),
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl MembershipOut {
    fn from_row((row, municipality_name): (MemberRow, String)) -> Self {
        Self {
            municipality: row.municipality_code,
            municipality_name,
            role: row.role,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
            agreement: row.agreement,
        }
    }
}

impl MembershipIn {
    fn from_row(row: MemberRow) -> Self {
        Self {
            municipality: AreaCode::trusted(row.municipality_code),
            role: row.role,
            valid_from: row.valid_from.map(Day::trusted),
            valid_to: row.valid_to.map(Day::trusted),
            agreement: row.agreement.map(Line::trusted),
        }
    }
}

impl Goal {
    fn from_row((audience, goal): (Audience, String)) -> Self {
        Self {
            audience,
            goal: Prose::trusted(goal),
        }
    }
}

impl MemberRole {
    /// What a municipality is, unless it says otherwise.
    fn member() -> Self {
        Self::Member
    }
}

impl CollaborationIn {
    /// The content without regions, members, goals and funding, which are added afterwards.
    fn from_row(row: CollaborationRow) -> Self {
        Self {
            name: Line::trusted(row.name),
            purpose: row.purpose.map(Prose::trusted),
            description: row.description.map(Prose::trusted),
            established: row.established.map(PartialDate::trusted),
            area: AreaCode::trusted(row.area_code),
            regions: Vec::new(),
            members: Vec::new(),
            goals: Vec::new(),
            funding: Vec::new(),
            links: serde_json::from_value(row.links).unwrap_or_default(),
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    fn change(&self) -> Result<CollaborationChange<'_>, Problem> {
        Ok(CollaborationChange {
            area_code: self.area.as_str(),
            name: self.name.as_str(),
            purpose: self.purpose.as_ref().map(Prose::as_str),
            description: self.description.as_ref().map(Prose::as_str),
            established: self.established.as_ref().map(PartialDate::as_str),
            links: serde_json::to_value(&self.links).map_err(Problem::internal)?,
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        })
    }

    /// Writes what belongs to the collaboration.
    async fn fill(&self, conn: &Conn, id: Uuid) -> Result<(), WriteError> {
        let regions = self
            .regions
            .iter()
            .map(|region| NewRegion {
                collaboration_id: id,
                region_code: region.as_str(),
            })
            .collect();
        let members = (0..)
            .zip(&self.members)
            .map(|(position, member)| NewMember {
                collaboration_id: id,
                position,
                municipality_code: member.municipality.as_str(),
                role: member.role,
                valid_from: member.valid_from.map(Day::date),
                valid_to: member.valid_to.map(Day::date),
                agreement: member.agreement.as_ref().map(Line::as_str),
            })
            .collect();
        let goals = (0..)
            .zip(&self.goals)
            .map(|(position, goal)| NewGoal {
                collaboration_id: id,
                position,
                audience: goal.audience,
                goal: goal.goal.as_str(),
            })
            .collect();
        store::fill(conn, regions, members, goals).await?;
        funding::replace(conn, Funded::Collaboration, id, &self.funding).await
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
    body: Valid<CollaborationIn>,
) -> ApiResult<Created<CollaborationOut>> {
    resource::create::<Collaborations, _>(&db, &grant, &body.0).await
}

/// Show a collaboration
///
/// As it is today (UTC); with `include=members` all memberships, past and present. The `ETag` goes back in `If-Match`
/// with a later change.
#[utoipa::path(tag = "registry", operation_id = "get_collaboration", params(("collaborationId" = Uuid, Path, description = "Id of the collaboration", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ItemQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The collaboration", body = CollaborationOut)))]
#[get("/collaborations/{collaborationId}")]
async fn get_collaboration(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<ItemQuery>,
) -> ApiResult<Item<CollaborationOut>> {
    resource::show::<Collaborations, _>(&req, &db, &grant, &id, &query.0).await
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
