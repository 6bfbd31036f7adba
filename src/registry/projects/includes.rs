//! What `include=` adds to projects: who works in them, and their parts. One query for all rows of a page.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::children::{self, ProjectArea};
use crate::access::Reach;
use crate::db::Conn;
use crate::db::fragment::Condition;
use crate::registry::codes::{
    Continuation, CooperationForm, PartnerCategory, PartnershipRole, State,
};
use crate::schema::{partners, partnerships, projects};

/// A partner at work in a project, by one of its partnerships.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectPartner {
    /// The partnership.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub partnership_id: Uuid,
    /// The partner.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c7")]
    pub partner: Uuid,
    /// The name of the partner.
    #[schema(example = "Örebro Idrottsförening")]
    pub name: String,
    /// What kind of organisation it is.
    pub category: PartnerCategory,
    /// Whether the category belongs to civil society.
    pub civil_society: bool,
    /// What the partner is in the project.
    pub role: PartnershipRole,
    /// How they work together, if known.
    pub form: Option<CooperationForm>,
    /// Where they work together.
    #[schema(example = "1880")]
    pub area: String,
    /// Whether it goes on after the project; null if not known.
    pub continues_after_project: Option<bool>,
}

/// A part of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subproject {
    /// Its id.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its title.
    #[schema(example = "Kulturskolan i storstan – delprojekt Malmö")]
    pub title: String,
    /// What goes on after it.
    pub continuation: Continuation,
    /// The areas it works in, by code.
    pub areas: Vec<ProjectArea>,
}

/// The live partnerships of these projects that someone of this reach may see, by the partner's name.
///
/// # Errors
/// When the query fails.
pub async fn partners(
    conn: &Conn,
    reach: &Reach,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<ProjectPartner>>> {
    let mut conn = conn;
    let rows: Vec<(PartnershipRow, PartnerRow)> = partnerships::table
        .inner_join(partners::table.on(partners::id.eq(partnerships::partner_id)))
        .filter(partnerships::project_id.eq_any(ids))
        .filter(partnerships::deleted_at.is_null())
        .order_by((
            Condition::sql("partners.name COLLATE \"sv-SE-x-icu\""),
            partnerships::id,
        ))
        .select((PartnershipRow::as_select(), PartnerRow::as_select()))
        .load(&mut conn)
        .await?;
    let mut partners_of: HashMap<Uuid, Vec<ProjectPartner>> = HashMap::new();
    for (partnership, partner) in rows {
        let visible = partnership.state == State::Published || reach.covers(&partnership.area_code);
        if let Some(project) = partnership.project_id.filter(|_| visible) {
            partners_of
                .entry(project)
                .or_default()
                .push(ProjectPartner {
                    partnership_id: partnership.id,
                    partner: partner.id,
                    name: partner.name,
                    category: partner.category,
                    civil_society: partner.civil_society,
                    role: partnership.role,
                    form: partnership.form,
                    area: partnership.area_code,
                    continues_after_project: partnership.continues_after_project,
                });
        }
    }
    Ok(partners_of)
}

/// The live parts of these projects that someone of this reach may see, by title.
///
/// # Errors
/// When a query fails.
pub async fn subprojects(
    conn: &Conn,
    reach: &Reach,
    ids: &[Uuid],
) -> QueryResult<HashMap<Uuid, Vec<Subproject>>> {
    let mut loading = conn;
    let mut rows: Vec<PartRow> = projects::table
        .filter(projects::parent_id.eq_any(ids))
        .filter(projects::deleted_at.is_null())
        .order_by((
            Condition::sql("title COLLATE \"sv-SE-x-icu\""),
            projects::id,
        ))
        .select(PartRow::as_select())
        .load(&mut loading)
        .await?;
    rows.retain(|part| part.state == State::Published || reach.covers(&part.area_code));
    let part_ids: Vec<Uuid> = rows.iter().map(|part| part.id).collect();
    let mut areas = children::areas(conn, &part_ids).await?;
    let mut parts_of: HashMap<Uuid, Vec<Subproject>> = HashMap::new();
    for part in rows {
        if let Some(parent) = part.parent_id {
            parts_of.entry(parent).or_default().push(Subproject {
                areas: areas.remove(&part.id).unwrap_or_default(),
                id: part.id,
                title: part.title,
                continuation: part.continuation,
            });
        }
    }
    Ok(parts_of)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = partnerships, check_for_backend(diesel::pg::Pg))]
struct PartnershipRow {
    id: Uuid,
    project_id: Option<Uuid>,
    area_code: String,
    role: PartnershipRole,
    form: Option<CooperationForm>,
    continues_after_project: Option<bool>,
    state: State,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = partners, check_for_backend(diesel::pg::Pg))]
struct PartnerRow {
    id: Uuid,
    name: String,
    category: PartnerCategory,
    civil_society: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = projects, check_for_backend(diesel::pg::Pg))]
struct PartRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    area_code: String,
    title: String,
    continuation: Continuation,
    state: State,
}
