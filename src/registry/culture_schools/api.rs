//! `/culture-schools`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{CultureSchoolChange, CultureSchoolRow};
use super::store;
use crate::access::permission::{RegistryRead, RegistryWrite};
use crate::access::{Grant, Permission};
use crate::db::fragment::{Bind, Condition};
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
use crate::registry::areas;
use crate::registry::codes::{CultureSchoolKind, State};
use crate::schema::culture_schools;
use crate::search_in;
use crate::values::Day;
use crate::values::{AreaCode, Line, Month, WebAddress};

/// A municipal culture (or music) school.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CultureSchool)]
pub struct CultureSchoolOut {
    /// Id, made by the service (`UUIDv7`).
    pub id: Uuid,
    /// Code of the municipality that runs it. Pupils may live elsewhere.
    #[schema(example = "1880")]
    pub municipality: String,
    /// Name of the municipality.
    #[schema(example = "Örebro")]
    pub municipality_name: Option<String>,
    /// Name of the school, once in its municipality.
    #[schema(example = "Örebro kulturskola")]
    pub name: String,
    /// Whether it offers music only or several forms of art.
    pub kind: CultureSchoolKind,
    /// First month of the school; null if the source does not say.
    #[schema(example = "1990-08")]
    pub opened_month: Option<String>,
    /// Last month of the school; null while it is open.
    #[schema(example = "2026-06")]
    pub closed_month: Option<String>,
    /// Web site.
    #[schema(example = "https://extra.orebro.se/kulturskolan/")]
    pub website: Option<String>,
    /// Where this was read.
    #[schema(example = "https://extra.orebro.se/kulturskolan/")]
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

/// A culture school to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"municipality": "1880", "name": "Örebro kulturskola", "kind": "culture_school"}))]
pub struct CultureSchoolIn {
    /// Code of the municipality that runs it, four digits. Its office keeps the row.
    #[garde(dive)]
    pub municipality: AreaCode,
    /// Name of the school; another live school of the municipality must not have it.
    #[garde(dive)]
    pub name: Line,
    /// Whether it offers music only or several forms of art.
    #[garde(skip)]
    pub kind: CultureSchoolKind,
    /// First month of the school.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "1990-08")]
    pub opened_month: Option<Month>,
    /// Last month of the school; null while it is open.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "2026-06")]
    pub closed_month: Option<Month>,
    /// Web site.
    #[garde(dive)]
    #[serde(default)]
    pub website: Option<WebAddress>,
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

/// Filters of `/culture-schools`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CultureSchoolFilter {
    /// In these counties, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub region: Option<AnyOf<AreaCode>>,
    /// In these municipalities, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub municipality: Option<AnyOf<AreaCode>>,
    /// Of these kinds, comma separated.
    #[param(value_type = Option<Vec<CultureSchoolKind>>, style = Form, explode = false)]
    pub kind: Option<AnyOf<CultureSchoolKind>>,
    /// Schools that are open in the month of this day. A month that is not known does not exclude.
    #[param(value_type = Option<NaiveDate>, example = "2026-01-01")]
    pub valid_on: Option<Day>,
}

/// The resource.
pub struct CultureSchools;

impl Resource for CultureSchools {
    const PATH: &'static str = "/culture-schools";
    const SEARCH: Option<Search> = Some(search_in!("name"));
    type Row = CultureSchoolRow;
    type Out = CultureSchoolOut;
    type Filter = CultureSchoolFilter;

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<CultureSchoolRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &CultureSchoolFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<CultureSchoolRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<CultureSchoolRow>,
    ) -> QueryResult<Vec<CultureSchoolOut>> {
        let municipalities = rows.iter().map(|row| row.area_code.clone()).collect();
        let names = areas::store::names(conn, municipalities).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let municipality_name = names.get(&row.area_code).cloned();
                CultureSchoolOut::from_row(row, municipality_name)
            })
            .collect())
    }
}

impl CultureSchoolFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = culture_schools::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(regions) = &self.region {
            query = query.filter(Condition::with(
                "left(area_code, 2) = ANY(?)",
                [Bind::Texts(regions.texts())],
            ));
        }
        if let Some(municipalities) = &self.municipality {
            let codes = municipalities.texts();
            query = query.filter(culture_schools::area_code.eq_any(codes));
        }
        if let Some(AnyOf(kinds)) = &self.kind {
            query = query.filter(culture_schools::kind.eq_any(kinds.clone()));
        }
        if let Some(month) = self.valid_on.map(Day::month) {
            let (opened, closed) = (culture_schools::opened_month, culture_schools::closed_month);
            query = query
                .filter(opened.is_null().or(opened.le(month.clone())))
                .filter(closed.is_null().or(closed.ge(month)));
        }
        query
    }
}

impl Writable for CultureSchools {
    type In = CultureSchoolIn;

    fn areas(new: &CultureSchoolIn) -> Vec<(&'static str, String)> {
        vec![("/municipality", new.municipality.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<CultureSchoolRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &CultureSchoolRow) -> QueryResult<CultureSchoolIn> {
        Ok(CultureSchoolIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &CultureSchoolIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        store::insert(conn, id, new.change()).await?;
        Ok(id)
    }
    async fn update(
        conn: &Conn,
        row: &CultureSchoolRow,
        new: &CultureSchoolIn,
    ) -> Result<(), WriteError> {
        store::update(conn, row.id, new.change()).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    async fn in_use(conn: &Conn, row: &CultureSchoolRow) -> QueryResult<bool> {
        store::in_use(conn, *row.key()).await
    }
}

impl CultureSchoolOut {
    fn from_row(row: CultureSchoolRow, municipality_name: Option<String>) -> Self {
        let CultureSchoolRow {
            id,
            area_code,
            name,
            kind,
            opened_month,
            closed_month,
            website,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            municipality: area_code,
            municipality_name,
            name,
            kind,
            opened_month,
            closed_month,
            website,
            source_url,
            state,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl CultureSchoolIn {
    fn from_row(row: CultureSchoolRow) -> Self {
        Self {
            municipality: AreaCode::trusted(row.area_code),
            name: Line::trusted(row.name),
            kind: row.kind,
            opened_month: row.opened_month.map(Month::trusted),
            closed_month: row.closed_month.map(Month::trusted),
            website: row.website.map(WebAddress::trusted),
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    fn change(&self) -> CultureSchoolChange<'_> {
        CultureSchoolChange {
            area_code: self.municipality.as_str(),
            name: self.name.as_str(),
            kind: self.kind,
            opened_month: self.opened_month.as_ref().map(Month::as_str),
            closed_month: self.closed_month.as_ref().map(Month::as_str),
            website: self.website.as_ref().map(WebAddress::as_str),
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_culture_schools)
        .service(create_culture_school)
        .service(get_culture_school)
        .service(update_culture_school)
        .service(delete_culture_school);
}

/// List culture schools
///
/// The municipal culture (or music) schools by name in Swedish order. `validOn=` leaves out those that had closed or
/// had not opened; a school without months counts as open, since most sources do not tell them.
#[utoipa::path(tag = "registry", operation_id = "list_culture_schools", params(ListQuery, CultureSchoolFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of culture schools", body = Page<CultureSchoolOut>)))]
#[get("/culture-schools")]
async fn list_culture_schools(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<CultureSchoolFilter>,
) -> ApiResult<Listing<CultureSchoolOut>> {
    resource::list::<CultureSchools, _>(&req, &db, &grant, &params).await
}

/// Create a culture school
///
/// The municipality must be one of the client's areas. A school that becomes a culture school after having been a
/// music school is the same school with another kind, unless it was closed and another one opened.
#[utoipa::path(tag = "registry", operation_id = "create_culture_school", request_body = CultureSchoolIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new culture school", body = CultureSchoolOut)))]
#[post("/culture-schools")]
async fn create_culture_school(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<CultureSchoolIn>,
) -> ApiResult<Answer<Created<CultureSchoolOut>>> {
    resource::create::<CultureSchools, _>(&db, &grant, &once, &body.0).await
}

/// Show a culture school
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "registry", operation_id = "get_culture_school", params(("cultureSchoolId" = Uuid, Path, description = "Id of the culture school", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The culture school", body = CultureSchoolOut)))]
#[get("/culture-schools/{cultureSchoolId}")]
async fn get_culture_school(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<CultureSchoolOut>> {
    resource::show_as_of::<CultureSchools, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a culture school
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. Moving a school to another
/// municipality needs both to be areas of the client.
#[utoipa::path(tag = "registry", operation_id = "update_culture_school", params(("cultureSchoolId" = Uuid, Path, description = "Id of the culture school", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = CultureSchoolIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The culture school as it is now", body = CultureSchoolOut)))]
#[patch("/culture-schools/{cultureSchoolId}")]
async fn update_culture_school(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<CultureSchoolOut>> {
    let expected = Expected::from_request(&req)?;
    resource::change::<CultureSchools, _>(&db, &grant, &id, &expected, &patch).await
}

/// Delete a culture school
///
/// Leaves a tombstone; for rows entered by mistake. A school that has closed gets a `closedMonth` instead. A school
/// that live partnerships refer to is kept (409).
#[utoipa::path(tag = "registry", operation_id = "delete_culture_school", params(("cultureSchoolId" = Uuid, Path, description = "Id of the culture school", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/culture-schools/{cultureSchoolId}")]
async fn delete_culture_school(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<CultureSchools, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
