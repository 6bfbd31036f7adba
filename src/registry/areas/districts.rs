//! `/districts`

use actix_web::{HttpRequest, delete, get, patch, post};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::api::{Areas, CodePath, Kind, area_out, name_of, valid_on};
use super::model::{AreaKind, AreaRow, COUNTRY, DistrictChange};
use super::store;
use crate::access::permission::{RegistryRead, RegistryWrite};
use crate::access::{Grant, Permission};
use crate::db::fragment::{Bind, Condition};
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, Params, RowQuery};
use crate::http::resource::{self, Writable};
use crate::problem::{ApiResult, Fault, Problem, text};
use crate::registry::codes::State;
use crate::schema::areas;
use crate::values::Day;
use crate::values::{AreaCode, Line, Scheme, WebAddress};

area_out! {
    /// A district: a part of a municipality, or a group of places that a source speaks of as one.
    DistrictOut as District, like "1880-varberga" "Varberga" in "1880" of "city:1880" {
        /// Code of its municipality; null if it belongs to the whole country.
        #[schema(example = "1880")]
        municipality: Option<String> = |row, _| row.parent_code.clone().filter(|parent| parent != COUNTRY);
        /// Name of its municipality; null if it belongs to the whole country.
        #[schema(example = "Örebro")]
        municipality_name: Option<String> = |row, names| name_of(row.parent_code.as_ref(), names);
    }
}

/// A district to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"code": "1880-varberga", "name": "Varberga", "parent": "1880", "scheme": "city:1880"}))]
pub struct DistrictIn {
    /// Its code: the code of the parent and more, 5–60 characters. It never changes.
    #[garde(dive)]
    pub code: AreaCode,
    /// Name in Swedish.
    #[garde(dive)]
    pub name: Line,
    /// The municipality that it is a part of, or `SE`.
    #[garde(dive)]
    pub parent: AreaCode,
    /// The scheme that it belongs to: a statistical division, or a city's own.
    #[garde(dive)]
    pub scheme: Scheme,
    /// First day that it exists.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2025-01-01")]
    pub valid_from: Option<Day>,
    /// Last day that it exists; null while it does.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2027-12-31")]
    pub valid_to: Option<Day>,
    /// The area that takes its place afterwards.
    #[garde(dive)]
    #[serde(default)]
    pub successor: Option<AreaCode>,
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

/// Filters of `/districts`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DistrictFilter {
    /// Of these counties, comma separated; `SE` for districts of the whole country.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub region: Option<AnyOf<AreaCode>>,
    /// Of these municipalities, comma separated; `SE` for districts of the whole country.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub municipality: Option<AnyOf<AreaCode>>,
    /// Of these schemes, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["city:1880"]))]
    pub scheme: Option<AnyOf<Scheme>>,
    /// Districts that exist on this day. A day that is not known does not exclude.
    #[param(value_type = Option<NaiveDate>, example = "2026-01-01")]
    pub valid_on: Option<Day>,
}

/// The resource.
pub type Districts = Areas<DistrictOut>;

impl Kind for DistrictOut {
    const KIND: AreaKind = AreaKind::District;
    const PATH: &'static str = "/districts";
    type Filter = DistrictFilter;

    fn narrow(query: store::Query, filter: &DistrictFilter) -> store::Query {
        let mut query = valid_on(query, filter.valid_on);
        if let Some(regions) = &filter.region {
            // The first two characters of every code are its county, or SE.
            query = query.filter(Condition::with(
                "left(code, 2) = ANY(?)",
                [Bind::Texts(regions.texts())],
            ));
        }
        if let Some(municipalities) = &filter.municipality {
            query = query.filter(areas::parent_code.eq_any(municipalities.texts()));
        }
        if let Some(AnyOf(schemes)) = &filter.scheme {
            let schemes: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            query = query.filter(areas::scheme.eq_any(schemes));
        }
        query
    }
}

impl Writable for Districts {
    type In = DistrictIn;

    fn areas(new: &DistrictIn) -> Vec<(&'static str, String)> {
        vec![("/code", new.code.to_string())]
    }
    async fn lock(conn: &Conn, code: &String) -> QueryResult<Option<AreaRow>> {
        let row = store::lock(conn, code).await?;
        Ok(row.filter(|row| row.kind == AreaKind::District))
    }
    async fn draft(_: &Conn, row: &AreaRow) -> QueryResult<DistrictIn> {
        Ok(DistrictIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &DistrictIn) -> Result<String, WriteError> {
        store::insert(conn, new.change()).await?;
        Ok(new.code.to_string())
    }
    async fn update(conn: &Conn, row: &AreaRow, new: &DistrictIn) -> Result<(), WriteError> {
        if new.code.as_str() != row.code {
            return Err(Problem::invalid(Fault::at(
                "/code",
                "immutable",
                text(
                    "En kod ändras inte: skapa ett nytt distrikt och ange det som efterträdare.",
                    "A code does not change: create a new district and name it as the successor.",
                ),
            ))
            .into());
        }
        store::update(conn, &row.code, new.change()).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, code: &String) -> QueryResult<usize> {
        store::bury(conn, code).await
    }
    async fn in_use(conn: &Conn, row: &AreaRow) -> QueryResult<bool> {
        store::in_use(conn, &row.code).await
    }
}

impl DistrictIn {
    fn from_row(row: AreaRow) -> Self {
        Self {
            code: AreaCode::trusted(row.code),
            name: Line::trusted(row.name),
            // The database has no district without a parent.
            parent: AreaCode::trusted(row.parent_code.unwrap_or_else(|| COUNTRY.to_owned())),
            scheme: Scheme::trusted(row.scheme),
            valid_from: row.valid_from.map(Day::trusted),
            valid_to: row.valid_to.map(Day::trusted),
            successor: row.successor_code.map(AreaCode::trusted),
            source_url: row.source_url.map(WebAddress::trusted),
            state: row.state,
        }
    }

    fn change(&self) -> DistrictChange<'_> {
        DistrictChange {
            code: self.code.as_str(),
            kind: AreaKind::District,
            name: self.name.as_str(),
            parent_code: self.parent.as_str(),
            scheme: self.scheme.as_str(),
            valid_from: self.valid_from.map(Day::date),
            valid_to: self.valid_to.map(Day::date),
            successor_code: self.successor.as_ref().map(AreaCode::as_str),
            source_url: self.source_url.as_ref().map(WebAddress::as_str),
            state: self.state,
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_districts)
        .service(create_district)
        .service(get_district)
        .service(update_district)
        .service(delete_district);
}

/// List districts
///
/// Parts of municipalities in several schemes that exist beside each other (a city's own, or statistical ones), by
/// name in Swedish order. Choose one with `scheme=`, or the same place is counted more than once.
#[utoipa::path(tag = "registry", operation_id = "list_districts", params(ListQuery, DistrictFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of districts", body = Page<DistrictOut>)))]
#[get("/districts")]
async fn list_districts(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<DistrictFilter>,
) -> ApiResult<Listing<DistrictOut>> {
    resource::list::<Districts, _>(&req, &db, &grant, &params).await
}

/// Create a district
///
/// Its code begins with the code of its parent, which must be one of the client's areas. A code is used once: the
/// code of a deleted district stays taken (409 `areas_pkey`), since older figures may speak of it.
#[utoipa::path(tag = "registry", operation_id = "create_district", request_body = DistrictIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 201, description = "The new district", body = DistrictOut)))]
#[post("/districts")]
async fn create_district(
    db: Db,
    grant: Grant<RegistryWrite>,
    once: Once,
    body: Valid<DistrictIn>,
) -> ApiResult<Answer<Created<DistrictOut>>> {
    resource::create::<Districts, _>(&db, &grant, &once, &body.0).await
}

/// Show a district
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "registry", operation_id = "get_district", params(("districtCode" = String, Path, description = "Code of the district", example = "SE-vissa-stadsdelar"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The district", body = DistrictOut)))]
#[get("/districts/{districtCode}")]
async fn get_district(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    code: CodePath,
    query: Params<RowQuery>,
) -> ApiResult<Item<DistrictOut>> {
    let code = code.0.to_string();
    resource::show_as_of::<Districts, _>(&req, &db, &grant, &code, &query.0).await
}

/// Change a district
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. The code cannot be changed (422);
/// a district that is replaced gets a `validTo` and a `successor`.
#[utoipa::path(tag = "registry", operation_id = "update_district", params(("districtCode" = String, Path, description = "Code of the district", example = "SE-vissa-stadsdelar")), request_body = DistrictIn,
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 200, description = "The district as it is now", body = DistrictOut)))]
#[patch("/districts/{districtCode}")]
async fn update_district(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    code: CodePath,
    patch: MergePatch,
) -> ApiResult<Changed<DistrictOut>> {
    let code = code.0.to_string();
    let expected = Expected::from_request(&req)?;
    resource::change::<Districts, _>(&db, &grant, &code, &expected, &patch).await
}

/// Delete a district
///
/// Leaves a tombstone, which keeps the code. A district that live rows refer to is kept (409).
#[utoipa::path(tag = "registry", operation_id = "delete_district", params(("districtCode" = String, Path, description = "Code of the district", example = "SE-vissa-stadsdelar")),
    security(("bearer" = [Permission::RegistryWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/districts/{districtCode}")]
async fn delete_district(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryWrite>,
    code: CodePath,
) -> ApiResult<Deleted> {
    let code = code.0.to_string();
    resource::delete::<Districts, _>(&db, &grant, &code, &Expected::from_request(&req)?).await
}
