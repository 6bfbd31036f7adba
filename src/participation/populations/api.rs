//! `/populations`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{PopulationChange, PopulationRow};
use super::store;
use crate::access::permission::{ParticipationWrite, RegistryRead};
use crate::access::{Grant, Permission, Reach, inside};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, One, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::participation::codes::Gender;
use crate::participation::sources;
use crate::participation::sources::reference::SourceRef;
use crate::problem::ApiResult;
use crate::registry::areas;
use crate::schema::populations;
use crate::values::Day;
use crate::values::{AreaCode, Prose};

/// How many people of some ages live in an area.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Population)]
pub struct PopulationOut {
    /// Id, made by the service (UUID version 7).
    pub id: Uuid,
    /// The area.
    #[schema(example = "18")]
    pub area: String,
    /// Name of the area.
    #[schema(example = "Örebro län")]
    pub area_name: Option<String>,
    /// The year that the number is used for.
    #[schema(example = 2026)]
    pub year: i32,
    /// Girls and women, boys and men, or all.
    pub gender: Gender,
    /// Lowest age, years.
    #[schema(example = 10)]
    pub age_from: i32,
    /// Highest age, years, included.
    #[schema(example = 19)]
    pub age_to: i32,
    /// Persons. Parts need not add up to totals.
    #[schema(example = 36512)]
    pub value: i32,
    /// The day that the number is true of.
    #[schema(example = "2026-04-30")]
    pub reference_date: NaiveDate,
    /// Id of the source.
    pub source: Uuid,
    /// Title of the source.
    #[schema(example = "Folkmängden per månad efter region, ålder, kön och månad (TAB6471)")]
    pub source_title: Option<String>,
    /// What a reader should know of the number.
    pub note: Option<String>,
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

/// A population to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"area": "1880", "year": 2025, "gender": "total", "ageFrom": 6, "ageTo": 19, "value": 26000,
    "referenceDate": "2025-12-31", "source": {"url": "https://statistikdatabasen.scb.se/api/v2/tables/TAB6471/data"}}))]
pub struct PopulationIn {
    /// The area.
    #[garde(dive)]
    pub area: AreaCode,
    /// The year that the number is used for.
    #[garde(skip)]
    #[schema(minimum = 1749, maximum = 2200)]
    pub year: i32,
    /// Girls and women, boys and men, or all.
    #[garde(skip)]
    pub gender: Gender,
    /// Lowest age, years.
    #[garde(skip)]
    #[schema(minimum = 0, maximum = 120)]
    pub age_from: i32,
    /// Highest age, years, included; the same as the lowest for a single year of age.
    #[garde(skip)]
    #[schema(minimum = 0, maximum = 120)]
    pub age_to: i32,
    /// Persons.
    #[garde(skip)]
    #[schema(minimum = 0)]
    pub value: i32,
    /// The day that the number is true of.
    #[garde(skip)]
    #[schema(value_type = NaiveDate, example = "2025-12-31")]
    pub reference_date: Day,
    /// The source: its id, `{"url": …}` or `{"title": …}`.
    #[garde(dive)]
    pub source: SourceRef,
    /// What a reader should know of the number.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
}

/// Filters of `/populations`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PopulationFilter {
    /// Exactly these areas, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18", "1880"]))]
    pub area: Option<AnyOf<AreaCode>>,
    /// This county and everything in it.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// This municipality and everything in it.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// Years, comma separated.
    #[param(value_type = Option<Vec<i32>>, style = Form, explode = false, example = json!([2026]))]
    pub year: Option<AnyOf<i32>>,
    /// Genders, comma separated.
    #[param(value_type = Option<Vec<Gender>>, style = Form, explode = false)]
    pub gender: Option<AnyOf<Gender>>,
    /// With exactly this lowest age.
    #[param(example = 10)]
    pub age_from: Option<i32>,
    /// With exactly this highest age.
    #[param(example = 19)]
    pub age_to: Option<i32>,
    /// Ids of sources, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub source: Option<AnyOf<Uuid>>,
}

/// The resource.
pub struct Populations;

impl Resource for Populations {
    const PATH: &'static str = "/populations";
    type Row = PopulationRow;
    type Out = PopulationOut;
    type Filter = PopulationFilter;

    fn visible(_: &Reach) -> Condition {
        Condition::sql("true")
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<PopulationRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &PopulationFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<PopulationRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(
        conn: &Conn,
        _: &View,
        rows: Vec<PopulationRow>,
    ) -> QueryResult<Vec<PopulationOut>> {
        let codes = rows.iter().map(|row| row.area_code.clone()).collect();
        let source_ids = rows.iter().map(|row| row.source_id).collect();
        let (names, titles) = futures_util::try_join!(
            areas::store::names(conn, codes),
            sources::store::titles(conn, source_ids)
        )?;
        let shown = rows.into_iter().map(|row| {
            let name = names.get(&row.area_code).cloned();
            let title = titles.get(&row.source_id).cloned();
            PopulationOut::from_row(row, name, title)
        });
        Ok(shown.collect())
    }
}

impl PopulationFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = populations::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(areas)) = &self.area {
            let codes: Vec<String> = areas.iter().map(ToString::to_string).collect();
            query = query.filter(populations::area_code.eq_any(codes));
        }
        for One(area) in self.region.iter().chain(&self.municipality) {
            query = query.filter(inside(area.as_str()));
        }
        if let Some(AnyOf(years)) = &self.year {
            query = query.filter(populations::year.eq_any(years.clone()));
        }
        if let Some(AnyOf(genders)) = &self.gender {
            query = query.filter(populations::gender.eq_any(genders.clone()));
        }
        if let Some(age) = self.age_from {
            query = query.filter(populations::age_from.eq(age));
        }
        if let Some(age) = self.age_to {
            query = query.filter(populations::age_to.eq(age));
        }
        if let Some(AnyOf(ids)) = &self.source {
            query = query.filter(populations::source_id.eq_any(ids.clone()));
        }
        query
    }
}

impl Writable for Populations {
    type In = PopulationIn;

    fn areas(new: &PopulationIn) -> Vec<(&'static str, String)> {
        vec![("/area", new.area.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<PopulationRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &PopulationRow) -> QueryResult<PopulationIn> {
        Ok(PopulationIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &PopulationIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        let source = new.source.resolve(conn, "/source").await?;
        store::insert(conn, id, new.change(source)).await?;
        Ok(id)
    }
    async fn update(
        conn: &Conn,
        row: &PopulationRow,
        new: &PopulationIn,
    ) -> Result<(), WriteError> {
        let source = new.source.resolve(conn, "/source").await?;
        store::update(conn, row.id, new.change(source)).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    /// Nothing refers to a population: shares find theirs by area, year, gender and age.
    async fn in_use(_: &Conn, _: &PopulationRow) -> QueryResult<bool> {
        Ok(false)
    }
}

impl Populations {
    /// Writes new populations with a few statements, and gives them in the order in which they were given.
    ///
    /// # Errors
    /// What the database refuses, which then holds for all of them.
    pub async fn insert_together<'a>(
        conn: &Conn,
        new: impl Iterator<Item = &'a PopulationIn>,
    ) -> Result<Vec<PopulationRow>, WriteError> {
        let rows = changes(conn, new.map(|new| (Uuid::now_v7(), new))).await?;
        let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
        store::insert_all(conn, rows).await?;
        in_order(conn, ids).await
    }

    /// The same, of populations that are there and locked, whose content is written anew.
    ///
    /// # Errors
    /// What the database refuses, which then holds for all of them.
    pub async fn update_together<'a>(
        conn: &Conn,
        new: impl Iterator<Item = (Uuid, &'a PopulationIn)>,
    ) -> Result<Vec<PopulationRow>, WriteError> {
        let rows = changes(conn, new).await?;
        store::update_all(conn, &rows).await?;
        in_order(conn, rows.iter().map(|(id, _)| *id).collect()).await
    }
}

async fn changes<'a>(
    conn: &Conn,
    all: impl Iterator<Item = (Uuid, &'a PopulationIn)>,
) -> Result<Vec<(Uuid, PopulationChange<'a>)>, WriteError> {
    let mut changes = Vec::new();
    for (id, new) in all {
        let source = match new.source {
            // Whoever writes many has looked it up, once for all of them.
            SourceRef::Id(id) => id,
            _ => new.source.resolve(conn, "/source").await?,
        };
        changes.push((id, new.change(source)));
    }
    Ok(changes)
}

async fn in_order(conn: &Conn, ids: Vec<Uuid>) -> Result<Vec<PopulationRow>, WriteError> {
    let mut rows = store::lock_all(conn, ids.clone()).await?;
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

impl PopulationOut {
    fn from_row(
        row: PopulationRow,
        area_name: Option<String>,
        source_title: Option<String>,
    ) -> Self {
        let PopulationRow {
            id,
            area_code,
            year,
            gender,
            age_from,
            age_to,
            value,
            reference_date,
            source_id,
            note,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            area: area_code,
            area_name,
            year,
            gender,
            age_from,
            age_to,
            value,
            reference_date,
            source: source_id,
            source_title,
            note,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl PopulationIn {
    fn from_row(row: PopulationRow) -> Self {
        Self {
            area: AreaCode::trusted(row.area_code),
            year: row.year,
            gender: row.gender,
            age_from: row.age_from,
            age_to: row.age_to,
            value: row.value,
            reference_date: Day::trusted(row.reference_date),
            source: SourceRef::Id(row.source_id),
            note: row.note.map(Prose::trusted),
        }
    }

    fn change(&self, source_id: Uuid) -> PopulationChange<'_> {
        PopulationChange {
            area_code: self.area.as_str(),
            year: self.year,
            gender: self.gender,
            age_from: self.age_from,
            age_to: self.age_to,
            value: self.value,
            reference_date: self.reference_date.date(),
            source_id,
            note: self.note.as_ref().map(Prose::as_str),
        }
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_populations)
        .service(create_population)
        .service(get_population)
        .service(update_population)
        .service(delete_population);
}

/// List populations
///
/// The denominators of shares, by area. Two sources may count the same people differently, so a row is told by its
/// source and reference date. Do not expect girls and boys to add up to the total: SCB adds a small random number to
/// every value.
#[utoipa::path(tag = "participation", operation_id = "list_populations", params(ListQuery, PopulationFilter),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of populations", body = Page<PopulationOut>)))]
#[get("/populations")]
async fn list_populations(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    params: ListParams<PopulationFilter>,
) -> ApiResult<Listing<PopulationOut>> {
    resource::list::<Populations, _>(&req, &db, &grant, &params).await
}

/// Create a population
///
/// The area must be one of the client's. One source has one number for an area, day, gender and age band.
#[utoipa::path(tag = "participation", operation_id = "create_population", request_body = PopulationIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 201, description = "The new population", body = PopulationOut)))]
#[post("/populations")]
async fn create_population(
    db: Db,
    grant: Grant<ParticipationWrite>,
    once: Once,
    body: Valid<PopulationIn>,
) -> ApiResult<Answer<Created<PopulationOut>>> {
    resource::create::<Populations, _>(&db, &grant, &once, &body.0).await
}

/// Show a population
///
/// With its `ETag`, which a later change sends back in `If-Match`.
#[utoipa::path(tag = "participation", operation_id = "get_population", params(("populationId" = Uuid, Path, description = "Id of the population", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The population", body = PopulationOut)))]
#[get("/populations/{populationId}")]
async fn get_population(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<PopulationOut>> {
    resource::show_as_of::<Populations, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a population
///
/// A JSON Merge Patch: absent members stay, `null` removes, anything else replaces. Moving the row to another area
/// needs both areas.
#[utoipa::path(tag = "participation", operation_id = "update_population", params(("populationId" = Uuid, Path, description = "Id of the population", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = PopulationIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The population as it is now", body = PopulationOut)))]
#[patch("/populations/{populationId}")]
async fn update_population(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<PopulationOut>> {
    let expected = Expected::from_request(&req)?;
    resource::change::<Populations, _>(&db, &grant, &id, &expected, &patch).await
}

/// Delete a population
///
/// Leaves a tombstone. Publications keep the populations that they were made with.
#[utoipa::path(tag = "participation", operation_id = "delete_population", params(("populationId" = Uuid, Path, description = "Id of the population", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/populations/{populationId}")]
async fn delete_population(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    resource::delete::<Populations, _>(&db, &grant, &id, &Expected::from_request(&req)?).await
}
