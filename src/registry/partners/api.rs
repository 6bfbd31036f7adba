//! `/partners`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{PartnerChange, PartnerRow};
use super::store;
use crate::access::permission::{RegistryRead, RegistryWrite};
use crate::access::{Grant, Permission, inside};
use crate::db::fragment::Condition;
use crate::db::search::Search;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, One, Params, RowQuery};
use crate::http::resource::{self, Kept, Resource, View, Writable};
use crate::problem::{ApiResult, Problem};
use crate::registry::codes::{PartnerCategory, State};
use crate::schema::{partners, partnerships};
use crate::search_in;
use crate::values::{AreaCode, Line, OrgNumber, Prose, WebAddress, rules};

/// An organisation that culture schools work with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Partner)]
pub struct PartnerOut {
    /// Id, made by the service (UUIDv7).
    pub id: Uuid,
    /// Name as the organisation writes it. Not unique: two associations may share a name.
    #[schema(example = "Sveriges Kulturskoleråd")]
    pub name: String,
    /// Organisation number, if the organisation has one.
    #[schema(example = "802000-0009")]
    pub org_number: Option<String>,
    /// What kind of organisation it is.
    pub category: PartnerCategory,
    /// Whether the category belongs to civil society.
    pub civil_society: bool,
    /// Legal form, SCB's two-digit code (JURFORM), for example 61 for a non-profit association.
    #[schema(example = "61")]
    pub legal_form: Option<String>,
    /// True for a kind of associations that the source names without naming its members.
    pub collective: bool,
    /// Home: a municipality, a county, or `SE`. The office of this area keeps the row.
    #[schema(example = "SE")]
    pub area: String,
    /// What the organisation does, in our words.
    pub description: Option<String>,
    /// Web site.
    #[schema(example = "https://www.kulturskoleradet.se/")]
    pub website: Option<String>,
    /// Contact persons. Only with `include=contacts` and the permission `contacts:read` in the area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<Contact>>,
    /// Where this was read.
    #[schema(example = "https://www.kulturskoleradet.se/")]
    pub source_url: Option<String>,
    /// Whether the row is public.
    pub state: State,
    /// Counts the changes of the row; its ETag begins with it.
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

/// A way to reach an organisation: a role and its mailbox rather than a person where possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// The role in the organisation.
    #[garde(dive)]
    #[schema(example = "Projektledare")]
    pub role: Line,
    /// Mailbox.
    #[garde(inner(custom(rules::email)))]
    #[schema(example = "info@example.se")]
    pub email: Option<String>,
    /// Telephone.
    #[garde(inner(custom(rules::phone)))]
    #[schema(example = "+46 19 21 10 00")]
    pub phone: Option<String>,
}

/// A partner to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "Örebro Idrottsförening", "category": "sports_association", "area": "1880"}))]
pub struct PartnerIn {
    /// Name as the organisation writes it.
    #[garde(dive)]
    pub name: Line,
    /// Organisation number; never a personal identity number.
    #[garde(dive)]
    #[serde(default)]
    pub org_number: Option<OrgNumber>,
    /// What kind of organisation it is.
    #[garde(skip)]
    pub category: PartnerCategory,
    /// Legal form, SCB's two-digit code.
    #[garde(dive)]
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "61")]
    pub legal_form: Option<Line>,
    /// True for a kind of associations that the source names without naming its members.
    #[garde(skip)]
    #[serde(default)]
    pub collective: bool,
    /// Home: a municipality, a county, or `SE`.
    #[garde(dive)]
    pub area: AreaCode,
    /// What the organisation does.
    #[garde(dive)]
    #[serde(default)]
    pub description: Option<Prose>,
    /// Web site.
    #[garde(dive)]
    #[serde(default)]
    pub website: Option<WebAddress>,
    /// Ways to reach it; read only with `contacts:read`.
    #[garde(dive)]
    #[serde(default)]
    pub contacts: Vec<Contact>,
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

/// Filters of `/partners`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PartnerFilter {
    /// Categories, comma separated.
    #[param(value_type = Option<Vec<PartnerCategory>>, style = Form, explode = false)]
    pub category: Option<AnyOf<PartnerCategory>>,
    /// Civil society only, or only the others.
    pub civil_society: Option<bool>,
    /// Home in this county or a municipality of it.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// Home in this municipality.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// Home in this district, or at work there: with a live partnership at this place.
    #[param(value_type = Option<String>, example = "SE-vissa-stadsdelar")]
    pub district: Option<One<AreaCode>>,
    /// The organisation number, with or without its hyphen.
    #[param(value_type = Option<String>, example = "802000-0009")]
    pub org_number: Option<One<OrgNumber>>,
}

/// The resource.
pub struct Partners;

impl Resource for Partners {
    const PATH: &'static str = "/partners";
    const INCLUDES: &'static [&'static str] = &["contacts"];
    const OWN: &'static [&'static str] = &["contacts"];
    const SEARCH: Option<Search> = Some(search_in!("name"));
    type Row = PartnerRow;
    type Out = PartnerOut;
    type Filter = PartnerFilter;

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<PartnerRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &PartnerFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<PartnerRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(_: &Conn, view: &View, rows: Vec<PartnerRow>) -> QueryResult<Vec<PartnerOut>> {
        Ok(rows
            .into_iter()
            .map(|row| PartnerOut::from_row(row, view))
            .collect())
    }
}

impl PartnerFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = partners::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(categories)) = &self.category {
            query = query.filter(partners::category.eq_any(categories.clone()));
        }
        if let Some(civil) = self.civil_society {
            query = query.filter(partners::civil_society.eq(civil));
        }
        for One(area) in self.region.iter().chain(&self.municipality) {
            query = query.filter(inside(area.as_str()));
        }
        if let Some(One(area)) = &self.district {
            // Only published ones: a draft would otherwise show itself by what the filter lets through.
            let at_work = partnerships::table
                .filter(partnerships::deleted_at.is_null())
                .filter(partnerships::state.eq(State::Published))
                .filter(partnerships::area_code.eq(area.as_str().to_owned()))
                .select(partnerships::partner_id);
            query = query.filter(
                partners::area_code
                    .eq(area.as_str().to_owned())
                    .or(partners::id.eq_any(at_work)),
            );
        }
        if let Some(One(number)) = &self.org_number {
            query = query.filter(partners::org_number.eq(number.canonical()));
        }
        query
    }
}

impl Writable for Partners {
    type In = PartnerIn;

    fn areas(new: &PartnerIn) -> Vec<(&'static str, String)> {
        vec![("/area", new.area.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<PartnerRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &PartnerRow) -> QueryResult<PartnerIn> {
        Ok(PartnerIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &PartnerIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change()?).await?;
        Ok(id)
    }
    async fn update(conn: &Conn, row: &PartnerRow, new: &PartnerIn) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change()?).await?;
        Ok(())
    }
    /// A tombstone needs no contact persons.
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury_without_contacts(conn, *id).await
    }
    async fn in_use(conn: &Conn, row: &PartnerRow) -> QueryResult<bool> {
        store::in_use(conn, *row.key()).await
    }
}

impl PartnerOut {
    fn from_row(row: PartnerRow, view: &View) -> Self {
        let PartnerRow {
            id,
            area_code,
            name,
            org_number,
            category,
            civil_society,
            legal_form,
            collective,
            description,
            website,
            contacts,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        let contacts = (view.contacts && view.reach.covers(&area_code))
            .then(|| serde_json::from_value(contacts).unwrap_or_default());
        Self {
            id,
            name,
            org_number,
            category,
            civil_society,
            legal_form,
            collective,
            area: area_code,
            description,
            website,
            contacts,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl PartnerIn {
    fn from_row(row: PartnerRow) -> Self {
        Self {
            name: Line::trusted(row.name),
            org_number: row.org_number.map(OrgNumber::trusted),
            category: row.category,
            legal_form: row.legal_form.map(Line::trusted),
            collective: row.collective,
            area: AreaCode::trusted(row.area_code),
            description: row.description.map(Prose::trusted),
            website: row.website.map(WebAddress::trusted),
            contacts: serde_json::from_value(row.contacts).unwrap_or_default(),
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    fn change(&self) -> Result<PartnerChange<'_>, Problem> {
        Ok(PartnerChange {
            area_code: self.area.as_str(),
            name: self.name.as_str(),
            org_number: self.org_number.as_ref().map(OrgNumber::canonical),
            category: self.category,
            legal_form: self.legal_form.as_ref().map(Line::as_str),
            collective: self.collective,
            description: self.description.as_ref().map(Prose::as_str),
            website: self.website.as_ref().map(WebAddress::as_str),
            contacts: serde_json::to_value(&self.contacts).map_err(Problem::internal)?,
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        })
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_partner)
        .service(list_partners)
        .service(create_partner)
        .service(update_partner)
        .service(delete_partner)
        .service(super::network::get_partner_network);
}

/// List partners
///
/// The organisations that culture schools work with, by name in Swedish order. `district=` with `civilSociety=true`
/// answers who of civil society is at work in a district.
#[utoipa::path(tag = "registry", operation_id = "list_partners", params(ListQuery, PartnerFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of partners", body = Page<PartnerOut>)))]
#[get("/partners")]
async fn list_partners(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<PartnerFilter>,
) -> ApiResult<Listing<PartnerOut>> {
    resource::list::<Partners, _>(&req, &db, &grant, &params).await
}

/// Create a partner
///
/// The area must be one of the client's. The answer carries the address of the new row and its ETag.
#[utoipa::path(tag = "registry", operation_id = "create_partner", request_body = PartnerIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new partner", body = PartnerOut)))]
#[post("/partners")]
async fn create_partner(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<PartnerIn>,
) -> ApiResult<Answer<Created<PartnerOut>>> {
    resource::create::<Partners, _>(&db, &grant, &once, &body.0).await
}

/// Show a partner
///
/// With its ETag, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "registry", operation_id = "get_partner", params(("partnerId" = Uuid, Path, description = "Id of the partner", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The partner", body = PartnerOut)))]
#[get("/partners/{partnerId}")]
async fn get_partner(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<PartnerOut>> {
    resource::show_as_of::<Partners, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a partner
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. A patch that changes nothing
/// leaves the version as it is.
#[utoipa::path(tag = "registry", operation_id = "update_partner", params(("partnerId" = Uuid, Path, description = "Id of the partner", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = PartnerIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The partner as it is now", body = PartnerOut)))]
#[patch("/partners/{partnerId}")]
async fn update_partner(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<PartnerOut>> {
    resource::change::<Partners, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch).await
}

/// Delete a partner
///
/// Leaves a tombstone. A partner that live rows refer to is kept (409).
#[utoipa::path(tag = "registry", operation_id = "delete_partner", params(("partnerId" = Uuid, Path, description = "Id of the partner", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/partners/{partnerId}")]
async fn delete_partner(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Partners, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
