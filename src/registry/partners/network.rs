//! The network of a partner: the projects and collaborations it takes part in, and who else does.

use actix_web::{HttpRequest, get, web};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::PartnerRow;
use super::store;
use crate::access::permission::RegistryRead;
use crate::access::{Grant, Permission, Reach};
use crate::code_list;
use crate::db::{Conn, Db};
use crate::http::list::Item;
use crate::http::params::{NoQuery, Params};
use crate::http::resource::alive;
use crate::problem::{ApiResult, Problem};
use crate::registry::codes::{PartnerCategory, PartnershipRole, ProjectStatus};
use crate::registry::projects::status::{month_of, status};

code_list! {
    /// What ties a partner to a project or a collaboration.
    Relation = "partner-relation", "Koppling till projekt eller samverkan", "Relation to a project or collaboration", check None;
    Owner = "owner", "Äger projektet", "Owns the project";
    Funder = "funder", "Finansierar", "Funds it";
    Partner = "partner", "Samarbetar i det", "Has a partnership in it";
}

/// A partner, what it takes part in, and who else does.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Network)]
pub struct NetworkOut {
    /// The partner in the middle.
    pub partner: NetworkPartner,
    /// The projects it owns, funds or works in, by title; one entry for each relation and role.
    pub projects: Vec<NetworkProject>,
    /// The collaborations it funds or works in, by name; one entry for each relation and role.
    pub collaborations: Vec<NetworkCollaboration>,
    /// The other partners of these projects and collaborations: those who share most first, then by name.
    pub partners: Vec<CoPartner>,
}

/// The partner in the middle of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPartner {
    /// Id of the partner.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Sveriges Kulturskoleråd")]
    pub name: String,
    /// What kind of organisation it is.
    pub category: PartnerCategory,
    /// Whether the category belongs to civil society.
    pub civil_society: bool,
}

/// A project in a partner's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkProject {
    /// Id of the project.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its title.
    #[schema(example = "Kulturskola i hela landet")]
    pub title: String,
    /// The first month, if it is known.
    #[schema(example = "2019-07")]
    pub start_month: Option<String>,
    /// The last month, if it is known.
    #[schema(example = "2022-06")]
    pub end_month: Option<String>,
    /// Where it stands in time today (UTC).
    pub status: ProjectStatus,
    /// What ties the partner to it.
    pub relation: Relation,
    /// The role in the partnership; null for owner and funder.
    pub role: Option<PartnershipRole>,
}

/// A collaboration in a partner's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NetworkCollaboration {
    /// Id of the collaboration.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Regional Kulturskola i Västmanland")]
    pub name: String,
    /// What ties the partner to it.
    pub relation: Relation,
    /// The role in the partnership; null for a funder.
    pub role: Option<PartnershipRole>,
}

/// Another partner of the same projects or collaborations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoPartner {
    /// Id of the partner.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its name.
    #[schema(example = "Allmänna arvsfonden")]
    pub name: String,
    /// What kind of organisation it is.
    pub category: PartnerCategory,
    /// Whether the category belongs to civil society.
    pub civil_society: bool,
    /// How many projects and collaborations both take part in.
    #[schema(example = 2)]
    pub shared_count: usize,
    /// The projects both take part in.
    pub shared_projects: Vec<Uuid>,
    /// The collaborations both take part in.
    pub shared_collaborations: Vec<Uuid>,
}

/// One tie between a partner and a project or a collaboration.
#[derive(Clone, Debug, QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct Tie {
    #[diesel(sql_type = SqlUuid)]
    partner_id: Uuid,
    #[diesel(sql_type = Text)]
    partner_name: String,
    #[diesel(sql_type = Text)]
    category: PartnerCategory,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    civil_society: bool,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlUuid>)]
    project_id: Option<Uuid>,
    #[diesel(sql_type = diesel::sql_types::Nullable<SqlUuid>)]
    collaboration_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    start_month: Option<String>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    end_month: Option<String>,
    #[diesel(sql_type = Text)]
    relation: Relation,
    #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
    role: Option<PartnershipRole>,
}

/// All ties of the projects and collaborations that the partner takes part in, by partner.
async fn ties(conn: &Conn, id: Uuid, reach: &Reach) -> QueryResult<Vec<Tie>> {
    let mut conn = conn;
    diesel::sql_query(include_str!("sql/network.sql"))
        .bind::<SqlUuid, _>(id)
        .bind::<Array<Text>, _>(reach.areas())
        .load(&mut conn)
        .await
}

impl NetworkOut {
    /// Sorts the ties: those of the partner itself tell what it takes part in, the others who else does. Ties of one
    /// partner stand together. Where a project stands is told for `month`.
    fn new(partner: PartnerRow, ties: Vec<Tie>, month: &str) -> Self {
        let mut network = Self {
            partner: NetworkPartner {
                id: partner.id,
                name: partner.name,
                category: partner.category,
                civil_society: partner.civil_society,
            },
            projects: Vec::new(),
            collaborations: Vec::new(),
            partners: Vec::new(),
        };
        for tie in ties {
            if tie.partner_id == network.partner.id {
                network.take_part(tie, month);
            } else {
                network.share(tie);
            }
        }
        // Stable: partners who share the same number stay in the order of their names.
        network
            .partners
            .sort_by_key(|partner| std::cmp::Reverse(partner.shared_count));
        network
    }

    fn take_part(&mut self, tie: Tie, month: &str) {
        if let Some(id) = tie.project_id {
            let status = status(tie.start_month.as_deref(), tie.end_month.as_deref(), month);
            self.projects.push(NetworkProject {
                id,
                title: tie.name,
                start_month: tie.start_month,
                end_month: tie.end_month,
                status,
                relation: tie.relation,
                role: tie.role,
            });
        } else if let Some(id) = tie.collaboration_id {
            self.collaborations.push(NetworkCollaboration {
                id,
                name: tie.name,
                relation: tie.relation,
                role: tie.role,
            });
        }
    }

    fn share(&mut self, tie: Tie) {
        let mut other = match self.partners.pop_if(|last| last.id == tie.partner_id) {
            Some(known) => known,
            None => CoPartner {
                id: tie.partner_id,
                name: tie.partner_name,
                category: tie.category,
                civil_society: tie.civil_society,
                shared_count: 0,
                shared_projects: Vec::new(),
                shared_collaborations: Vec::new(),
            },
        };
        let shared = [
            (tie.project_id, &mut other.shared_projects),
            (tie.collaboration_id, &mut other.shared_collaborations),
        ];
        for (id, known) in shared {
            known.extend(id.filter(|id| !known.contains(id)));
        }
        other.shared_count = other.shared_projects.len() + other.shared_collaborations.len();
        self.partners.push(other);
    }
}

/// Show the network of a partner
///
/// The projects and collaborations that the partner owns, funds or works in, and all other partners of these, those
/// who share most first: whom to ask for an introduction. Past and present alike; rows that the client may not see
/// leave no trace.
#[utoipa::path(tag = "registry", operation_id = "get_partner_network", params(("partnerId" = Uuid, Path, description = "Id of the partner", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), NoQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "The network", body = NetworkOut)))]
#[get("/partners/{partnerId}/network")]
pub async fn get_partner_network(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    id: web::Path<Uuid>,
    _: Params<NoQuery>,
) -> ApiResult<Item<NetworkOut>> {
    let network = db
        .read(async |conn| {
            let Some(partner) = store::find(conn, &id).await? else {
                return Ok(Err(Problem::not_found()));
            };
            if let Err(problem) = alive(&partner, grant.reach()) {
                return Ok(Err(problem));
            }
            let ties = ties(conn, partner.id, grant.reach()).await?;
            let month = month_of(db.clock().now());
            Ok(Ok(NetworkOut::new(partner, ties, &month)))
        })
        .await??;
    Item::new(&req, &network, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::codes::State;
    use chrono::{DateTime, Utc};

    const ME: Uuid = Uuid::from_u128(1);

    fn partner() -> PartnerRow {
        PartnerRow {
            id: ME,
            area_code: "SE".to_owned(),
            name: "Sveriges Kulturskoleråd".to_owned(),
            org_number: None,
            category: PartnerCategory::Council,
            civil_society: false,
            legal_form: None,
            collective: false,
            description: None,
            website: None,
            contacts: serde_json::json!([]),
            source_url: None,
            state: State::Published,
            version: 1,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
            deleted_at: None,
        }
    }

    fn tie(partner: u128, project: Option<u128>, collaboration: Option<u128>) -> Tie {
        Tie {
            partner_id: Uuid::from_u128(partner),
            partner_name: format!("Partner {partner}"),
            category: PartnerCategory::Foundation,
            civil_society: false,
            project_id: project.map(Uuid::from_u128),
            collaboration_id: collaboration.map(Uuid::from_u128),
            name: "Something".to_owned(),
            start_month: None,
            end_month: None,
            relation: Relation::Partner,
            role: Some(PartnershipRole::Partner),
        }
    }

    #[test]
    fn those_who_share_most_come_first_and_nothing_is_shared_twice() {
        let network = NetworkOut::new(
            partner(),
            vec![
                tie(2, Some(10), None),
                tie(2, Some(10), None),
                tie(1, Some(10), None),
                tie(1, None, Some(20)),
                tie(3, Some(10), None),
                tie(3, None, Some(20)),
                tie(4, None, Some(20)),
            ],
            "2026-11",
        );
        assert_eq!(
            (network.projects.len(), network.collaborations.len()),
            (1, 1)
        );
        let shared: Vec<(u128, usize)> = network
            .partners
            .iter()
            .map(|partner| (partner.id.as_u128(), partner.shared_count))
            .collect();
        assert_eq!(shared, [(3, 2), (2, 1), (4, 1)]);
    }
}
