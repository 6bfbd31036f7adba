//! What belongs to a project and is written with it: the areas it works in, and what sources say of its time.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::store::each_row;
use crate::db::{Conn, WriteError};
use crate::schema::{areas, project_areas, project_date_claims};
use crate::values::{AreaCode, PartialDate, WebAddress};

/// An area that a project works in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProjectArea {
    /// Code of the country, a county, a municipality or a district.
    #[schema(example = "1880")]
    pub code: String,
    /// Its name.
    #[schema(example = "Örebro")]
    pub name: String,
}

/// When a project began and ended according to one source. At least one of the two is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"startsOn": "2018-01-01", "endsOn": "2020-12-31", "sourceUrl": "https://www.kulturskoleradet.se/projekt/", "chosen": false}))]
pub struct DateClaim {
    /// The start, as precise as the source.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "2018-01-01")]
    pub starts_on: Option<PartialDate>,
    /// The end, as precise as the source.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "2020-12-31")]
    pub ends_on: Option<PartialDate>,
    /// Where this was read.
    #[garde(dive)]
    #[schema(example = "https://www.kulturskoleradet.se/projekt/")]
    pub source_url: WebAddress,
    /// Whether the months of the project follow this claim; at most one does.
    #[garde(skip)]
    #[serde(default)]
    pub chosen: bool,
}

/// The areas of these projects, by code.
///
/// # Errors
/// When the query fails.
pub async fn areas(conn: &Conn, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<ProjectArea>>> {
    let mut areas_of: HashMap<Uuid, Vec<ProjectArea>> = HashMap::new();
    if ids.is_empty() {
        return Ok(areas_of);
    }
    let mut conn = conn;
    let rows: Vec<(Uuid, String, String)> = project_areas::table
        .inner_join(areas::table.on(areas::code.eq(project_areas::area_code)))
        .filter(project_areas::project_id.eq_any(ids))
        .order_by(areas::code)
        .select((project_areas::project_id, areas::code, areas::name))
        .load(&mut conn)
        .await?;
    for (id, code, name) in rows {
        areas_of
            .entry(id)
            .or_default()
            .push(ProjectArea { code, name });
    }
    Ok(areas_of)
}

/// Writes the areas of a project anew.
///
/// # Errors
/// When the database refuses.
pub async fn replace_areas(conn: &Conn, id: Uuid, codes: &[AreaCode]) -> Result<(), WriteError> {
    let mut deleting = conn;
    diesel::delete(project_areas::table.filter(project_areas::project_id.eq(id)))
        .execute(&mut deleting)
        .await?;
    each_row(conn, codes, async |mut conn, code: &AreaCode| {
        diesel::insert_into(project_areas::table)
            .values((
                project_areas::project_id.eq(id),
                project_areas::area_code.eq(code.as_str()),
            ))
            .execute(&mut conn)
            .await
    })
    .await
}

/// What sources say of the time of these projects, in the order given.
///
/// # Errors
/// When the query fails.
pub async fn date_claims(conn: &Conn, ids: &[Uuid]) -> QueryResult<HashMap<Uuid, Vec<DateClaim>>> {
    let mut claims_of: HashMap<Uuid, Vec<DateClaim>> = HashMap::new();
    if ids.is_empty() {
        return Ok(claims_of);
    }
    let mut conn = conn;
    let rows: Vec<ClaimRow> = project_date_claims::table
        .filter(project_date_claims::project_id.eq_any(ids))
        .order_by(project_date_claims::position)
        .select(ClaimRow::as_select())
        .load(&mut conn)
        .await?;
    for row in rows {
        claims_of
            .entry(row.project_id)
            .or_default()
            .push(DateClaim {
                starts_on: row.starts_on.map(PartialDate::trusted),
                ends_on: row.ends_on.map(PartialDate::trusted),
                source_url: WebAddress::trusted(row.source_url),
                chosen: row.chosen,
            });
    }
    Ok(claims_of)
}

/// Writes what sources say of a project's time anew, in the order given.
///
/// # Errors
/// When the database refuses.
pub async fn replace_date_claims(
    conn: &Conn,
    id: Uuid,
    claims: &[DateClaim],
) -> Result<(), WriteError> {
    let mut deleting = conn;
    diesel::delete(project_date_claims::table.filter(project_date_claims::project_id.eq(id)))
        .execute(&mut deleting)
        .await?;
    let claims = (0_i32..).zip(claims);
    each_row(
        conn,
        claims,
        async |mut conn, (position, claim): (i32, &DateClaim)| {
            diesel::insert_into(project_date_claims::table)
                .values((
                    project_date_claims::project_id.eq(id),
                    project_date_claims::position.eq(position),
                    project_date_claims::starts_on
                        .eq(claim.starts_on.as_ref().map(PartialDate::as_str)),
                    project_date_claims::ends_on
                        .eq(claim.ends_on.as_ref().map(PartialDate::as_str)),
                    project_date_claims::source_url.eq(claim.source_url.as_str()),
                    project_date_claims::chosen.eq(claim.chosen),
                ))
                .execute(&mut conn)
                .await
        },
    )
    .await
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = project_date_claims, check_for_backend(diesel::pg::Pg))]
struct ClaimRow {
    project_id: Uuid,
    starts_on: Option<String>,
    ends_on: Option<String>,
    source_url: String,
    chosen: bool,
}
