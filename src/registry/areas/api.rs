//! `/regions` and `/municipalities`, and what `/districts` shares with them.

use std::collections::HashMap;
use std::marker::PhantomData;

use actix_web::{HttpRequest, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::districts;
use super::model::{AreaKind, AreaRow, COUNTRY};
use super::store;
use crate::access::permission::RegistryRead;
use crate::access::{Grant, Permission, Reach};
use crate::db::fragment::Condition;
use crate::db::search::Search;
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::list::{Item, Listing, Page};
use crate::http::params::{AnyOf, ItemQuery, ListParams, ListQuery, One, Params};
use crate::http::resource::{self, Resource, View};
use crate::problem::ApiResult;
use crate::registry::codes::State;
use crate::schema::areas;
use crate::search_in;
use crate::values::AreaCode;
use crate::values::Day;

/// The code of an area in a path; anything that cannot be one is not found.
pub type CodePath = web::Path<One<AreaCode>>;

/// Names of areas by their codes.
pub type Names = HashMap<String, String>;

/// The answer of one kind of area: the same members for all kinds, and some of its own.
macro_rules! area_out {
    ($(#[$doc:meta])* $out:ident as $name:ident, like $code:tt $label:tt in $parent:tt of $scheme:tt {
        $($(#[$own_doc:meta])* $own:ident: $type:ty = $value:expr;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        #[schema(as = $name)]
        pub struct $out {
            /// Code, with its leading zeros; also the address of the row.
            #[schema(example = $code)]
            pub code: String,
            /// What kind of area it is.
            pub kind: AreaKind,
            /// Name in Swedish.
            #[schema(example = $label)]
            pub name: String,
            $($(#[$own_doc])* pub $own: $type,)*
            /// The area that it is a part of.
            #[schema(example = $parent)]
            pub parent: Option<String>,
            /// The scheme that divides the country so; `scb` for counties and municipalities.
            #[schema(example = $scheme)]
            pub scheme: String,
            /// First day that the area exists; null if the source does not say.
            #[schema(example = "2025-01-01")]
            pub valid_from: Option<NaiveDate>,
            /// Last day that the area exists; null while it does.
            #[schema(example = "2027-12-31")]
            pub valid_to: Option<NaiveDate>,
            /// The area that takes its place afterwards; null while there is none.
            pub successor: Option<String>,
            /// Where this was read.
            #[schema(example = "https://statistikdatabasen.scb.se/api/v2/tables/TAB6471/metadata")]
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

        impl $crate::registry::areas::api::Answer for $out {
            fn of(row: AreaRow, names: &$crate::registry::areas::api::Names) -> Self {
                $(let $own: fn(&AreaRow, &$crate::registry::areas::api::Names) -> $type = $value;
                let $own = $own(&row, names);)*
                let _ = names;
                Self {
                    code: row.code,
                    kind: row.kind,
                    name: row.name,
                    $($own,)*
                    parent: row.parent_code,
                    scheme: row.scheme,
                    valid_from: row.valid_from,
                    valid_to: row.valid_to,
                    successor: row.successor_code,
                    source_url: row.source_url,
                    state: row.state,
                    version: row.version,
                    created_at: row.created_at,
                    updated_at: row.updated_at,
                    deleted_at: row.deleted_at,
                }
            }
        }
    };
}
pub(super) use area_out;

area_out! {
    /// A county (*län*): the statistical area, two digits.
    RegionOut as Region, like "18" "Örebro län" in "SE" of "scb" {}
}

area_out! {
    /// A municipality (*kommun*): four digits, of which the first two are its county.
    MunicipalityOut as Municipality, like "1880" "Örebro" in "18" of "scb" {
        /// Code of its county.
        #[schema(example = "18")]
        region: Option<String> = |row, _| row.parent_code.clone();
        /// Name of its county.
        #[schema(example = "Örebro län")]
        region_name: Option<String> = |row, names| name_of(row.parent_code.as_ref(), names);
    }
}

/// The name of an area that a row refers to.
pub(super) fn name_of(code: Option<&String>, names: &Names) -> Option<String> {
    code.and_then(|code| names.get(code)).cloned()
}

/// Filters of `/regions`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RegionFilter {
    /// Counties that exist on this day. A day that the source does not give does not exclude.
    #[param(value_type = Option<NaiveDate>, example = "2026-01-01")]
    pub valid_on: Option<Day>,
}

/// Filters of `/municipalities`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MunicipalityFilter {
    /// Of these counties, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub region: Option<AnyOf<AreaCode>>,
    /// Municipalities that exist on this day. A day that the source does not give does not exclude.
    #[param(value_type = Option<NaiveDate>, example = "2026-01-01")]
    pub valid_on: Option<Day>,
}

/// An answer that is made from an area's row.
pub trait Answer: Serialize + PartialSchema + 'static {
    /// The answer; `names` holds the name of the row's parent.
    fn of(row: AreaRow, names: &Names) -> Self;
}

/// One kind of area as a resource, told by the type of its answer.
pub trait Kind: Answer {
    /// The kind.
    const KIND: AreaKind;
    /// The path.
    const PATH: &'static str;
    /// The filters of the list.
    type Filter;
    /// The query with the filters.
    fn narrow(query: store::Query, filter: &Self::Filter) -> store::Query;
}

impl Kind for RegionOut {
    const KIND: AreaKind = AreaKind::Region;
    const PATH: &'static str = "/regions";
    type Filter = RegionFilter;

    fn narrow(query: store::Query, filter: &RegionFilter) -> store::Query {
        valid_on(query, filter.valid_on)
    }
}

impl Kind for MunicipalityOut {
    const KIND: AreaKind = AreaKind::Municipality;
    const PATH: &'static str = "/municipalities";
    type Filter = MunicipalityFilter;

    fn narrow(query: store::Query, filter: &MunicipalityFilter) -> store::Query {
        let query = valid_on(query, filter.valid_on);
        match &filter.region {
            Some(regions) => query.filter(areas::parent_code.eq_any(regions.texts())),
            None => query,
        }
    }
}

/// The areas that exist on a day; bounds that are not known do not exclude.
pub(super) fn valid_on(query: store::Query, day: Option<Day>) -> store::Query {
    let Some(day) = day.map(Day::date) else {
        return query;
    };
    query
        .filter(areas::valid_from.is_null().or(areas::valid_from.le(day)))
        .filter(areas::valid_to.is_null().or(areas::valid_to.ge(day)))
}

/// The resource of one kind of area.
pub struct Areas<K>(PhantomData<K>);

impl<K: Kind> Resource for Areas<K> {
    const PATH: &'static str = K::PATH;
    const SEARCH: Option<Search> = Some(search_in!("name"));
    type Row = AreaRow;
    type Out = K;
    type Filter = K::Filter;

    fn visible(reach: &Reach) -> Condition {
        store::visible(reach)
    }

    async fn find(conn: &Conn, code: &String) -> QueryResult<Option<AreaRow>> {
        let row = store::find(conn, code).await?;
        Ok(row.filter(|row| row.kind == K::KIND))
    }

    async fn list(
        conn: &Conn,
        filter: &K::Filter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<AreaRow>, Option<i64>)> {
        store::list(conn, window, || {
            let of_kind = areas::table.into_boxed().filter(areas::kind.eq(K::KIND));
            let query = conditions
                .iter()
                .fold(of_kind, |query, condition| query.filter(condition.clone()));
            K::narrow(query, filter)
        })
        .await
    }

    async fn show(conn: &Conn, _: &View, rows: Vec<AreaRow>) -> QueryResult<Vec<K>> {
        let parents = rows
            .iter()
            .filter_map(|row| row.parent_code.clone())
            .filter(|parent| parent != COUNTRY)
            .collect();
        let names = store::names(conn, parents).await?;
        Ok(rows.into_iter().map(|row| K::of(row, &names)).collect())
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_regions)
        .service(get_region)
        .service(list_municipalities)
        .service(get_municipality)
        .configure(districts::routes);
}

/// List regions
///
/// Sweden's 21 counties by name in Swedish order, with the codes of SCB. `q=` finds a county by name or code.
#[utoipa::path(tag = "registry", operation_id = "list_regions", params(ListQuery, RegionFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of counties", body = Page<RegionOut>)))]
#[get("/regions")]
async fn list_regions(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<RegionFilter>,
) -> ApiResult<Listing<RegionOut>> {
    resource::list::<Areas<RegionOut>, _>(&req, &db, &grant, &params).await
}

/// Show a region
///
/// A county by its two-digit code. Counties come with the service and are not written by clients.
#[utoipa::path(tag = "registry", operation_id = "get_region", params(("regionCode" = String, Path, description = "Code of the county", example = "18"), ItemQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The county", body = RegionOut)))]
#[get("/regions/{regionCode}")]
async fn get_region(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    code: CodePath,
    query: Params<ItemQuery>,
) -> ApiResult<Item<RegionOut>> {
    let code = code.0.to_string();
    resource::show::<Areas<RegionOut>, _>(&req, &db, &grant, &code, &query.0).await
}

/// List municipalities
///
/// Sweden's 290 municipalities by name in Swedish order, each with its county. `region=` takes several counties;
/// `q=` finds a municipality by name, also with slips of the pen, or by code.
#[utoipa::path(tag = "registry", operation_id = "list_municipalities", params(ListQuery, MunicipalityFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of municipalities", body = Page<MunicipalityOut>)))]
#[get("/municipalities")]
async fn list_municipalities(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<MunicipalityFilter>,
) -> ApiResult<Listing<MunicipalityOut>> {
    resource::list::<Areas<MunicipalityOut>, _>(&req, &db, &grant, &params).await
}

/// Show a municipality
///
/// A municipality by its four-digit code. Municipalities come with the service and are not written by clients.
#[utoipa::path(tag = "registry", operation_id = "get_municipality", params(("municipalityCode" = String, Path, description = "Code of the municipality", example = "1880"), ItemQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The municipality", body = MunicipalityOut)))]
#[get("/municipalities/{municipalityCode}")]
async fn get_municipality(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    code: CodePath,
    query: Params<ItemQuery>,
) -> ApiResult<Item<MunicipalityOut>> {
    let code = code.0.to_string();
    resource::show::<Areas<MunicipalityOut>, _>(&req, &db, &grant, &code, &query.0).await
}
