//! What is shown of projects besides their own rows.

use std::collections::HashMap;

use diesel::QueryResult;
use futures_util::try_join;
use uuid::Uuid;

use super::children::{self, DateClaim, ProjectArea};
use super::content::{ProjectOut, TargetGroup};
use super::includes::{self, ProjectPartner, Subproject};
use super::model::ProjectRow;
use super::{status, store};
use crate::db::Conn;
use crate::http::resource::View;
use crate::registry::funding::{self, Funded, FundingOut};
use crate::registry::partners;

/// Each thing loaded once for all rows of a page.
pub(super) struct Around {
    owners: HashMap<Uuid, String>,
    parents: HashMap<Uuid, String>,
    areas: HashMap<Uuid, Vec<ProjectArea>>,
    claims: HashMap<Uuid, Vec<DateClaim>>,
    funding: HashMap<Uuid, Vec<FundingOut>>,
    partners: Option<HashMap<Uuid, Vec<ProjectPartner>>>,
    subprojects: Option<HashMap<Uuid, Vec<Subproject>>>,
    month: String,
}

impl Around {
    /// All of it for these rows; the queries go out together.
    pub(super) async fn load(conn: &Conn, view: &View, rows: &[ProjectRow]) -> QueryResult<Self> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let owners = rows.iter().filter_map(|row| row.owner_id).collect();
        let parents = rows.iter().filter_map(|row| row.parent_id).collect();
        let partners = async {
            if view.includes("partners") {
                includes::partners(conn, &view.reach, &ids).await.map(Some)
            } else {
                Ok(None)
            }
        };
        let subprojects = async {
            if view.includes("subprojects") {
                includes::subprojects(conn, &view.reach, &ids)
                    .await
                    .map(Some)
            } else {
                Ok(None)
            }
        };
        let (owners, parents, areas, claims, funding, partners, subprojects) = try_join!(
            partners::store::names(conn, owners),
            store::titles(conn, parents),
            children::areas(conn, &ids),
            children::date_claims(conn, &ids),
            funding::of(conn, Funded::Project, &ids),
            partners,
            subprojects,
        )?;
        Ok(Self {
            owners,
            parents,
            areas,
            claims,
            funding,
            partners,
            subprojects,
            month: status::month_of(view.now),
        })
    }

    /// The answer for one of the rows.
    pub(super) fn show(&mut self, row: ProjectRow) -> ProjectOut {
        let (id, start, end) = (row.id, row.start_month.as_deref(), row.end_month.as_deref());
        ProjectOut {
            id,
            status: status::status(start, end, &self.month),
            time_status_percent: status::time_status_percent(start, end, &self.month),
            title: row.title,
            owner: row.owner_id,
            owner_name: row.owner_id.and_then(|id| self.owners.get(&id).cloned()),
            parent: row.parent_id,
            parent_title: row.parent_id.and_then(|id| self.parents.get(&id).cloned()),
            purpose: row.purpose,
            goal: row.goal,
            description: row.description,
            target_group: TargetGroup::of(row.target_group, row.target_age_from, row.target_age_to),
            method: row.method,
            dissemination: row.dissemination,
            after_project: row.after_project,
            continuation: row.continuation,
            start_month: row.start_month,
            end_month: row.end_month,
            time_status_percent_published: row.time_status_percent_published,
            contact_town: row.contact_town,
            scope: row.scope,
            area: row.area_code,
            areas: self.areas.remove(&id).unwrap_or_default(),
            themes: row.themes,
            funding: self.funding.remove(&id).unwrap_or_default(),
            date_claims: self.claims.remove(&id).unwrap_or_default(),
            partners: taken(&mut self.partners, id),
            subprojects: taken(&mut self.subprojects, id),
            source_url: row.source_url,
            state: row.state,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
        }
    }
}

/// What was included for this row: an empty list if there is nothing, none if it was not asked for.
fn taken<T>(included: &mut Option<HashMap<Uuid, Vec<T>>>, id: Uuid) -> Option<Vec<T>> {
    included
        .as_mut()
        .map(|of| of.remove(&id).unwrap_or_default())
}
