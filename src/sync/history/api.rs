//! `/…/{key}/history` of every resource that clients write.

use actix_web::{HttpRequest, get, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::publications;
use super::versions::{self, NoFilter, VersionOut};
use crate::access::clients::api::Clients;
use crate::access::permission::{ClientsAdmin, ParticipationRead, RegistryRead, StatisticsRead};
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::list::{Extent, Listing, Page};
use crate::http::params::{ListParams, ListQuery, One};
use crate::participation::measures::api::Measures;
use crate::participation::populations::api::Populations;
use crate::participation::reports::api::Reports;
use crate::participation::sources::api::Sources;
use crate::problem::{ApiResult, Problem};
use crate::registry::areas::districts::Districts;
use crate::registry::collaborations::api::Collaborations;
use crate::registry::culture_schools::api::CultureSchools;
use crate::registry::partners::api::Partners;
use crate::registry::partnerships::api::Partnerships;
use crate::registry::projects::api::Projects;
use crate::statistics::library::Library;
use crate::values::{AreaCode, MeasureCode};

/// Generates a handler for each resource: they differ in the type, in who may ask, and in what there is to say of it.
macro_rules! histories {
    ($($resource:ty: $handler:ident $id:tt $path:tt, $key:tt of a $thing:tt = $described:ident $checked:ident like $example:tt, $tag:tt $permission:ident, $more:tt;)+) => {
        /// The handlers.
        pub fn routes(cfg: &mut ServiceConfig<'_>) {
            $(cfg.service($handler);)+
            cfg.service(list_client_history)
                .service(list_publication_history);
        }

        $(
            #[utoipa::path(
                tag = $tag,
                operation_id = $id,
                summary = concat!("List the versions of a ", $thing),
                description = concat!(
                    "Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. ",
                    "A version that was a draft is shown inside its area only. ", $more,
                    "The order is fixed: `sort`, `q` and `updatedSince` do not work here (400)."
                ),
                params(($key = $described, Path, description = "What the row is found by", example = $example), ListQuery),
                security(("bearer" = [Permission::$permission.as_str()])),
                responses((status = 200, description = "A page of versions", body = Page<VersionOut>))
            )]
            #[get($path)]
            async fn $handler(
                req: HttpRequest,
                db: Db,
                grant: Grant<$permission>,
                key: web::Path<One<$checked>>,
                params: ListParams<NoFilter>,
            ) -> ApiResult<Listing<VersionOut>> {
                let key = key.0.to_string().parse().map_err(|_| Problem::not_found())?;
                versions::list::<$resource, _>(&req, &db, &grant, &key, params).await
            }
        )+
    };
}

histories! {
    Districts: list_district_history "list_district_history" "/districts/{districtCode}/history",
        "districtCode" of a "district" = String AreaCode like "SE-vissa-stadsdelar", "registry" RegistryRead, "";
    CultureSchools: list_culture_school_history "list_culture_school_history" "/culture-schools/{cultureSchoolId}/history",
        "cultureSchoolId" of a "culture school" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "registry" RegistryRead, "";
    Partners: list_partner_history "list_partner_history" "/partners/{partnerId}/history",
        "partnerId" of a "partner" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "registry" RegistryRead,
        "With `include=contacts` and the permission `contacts:read` in the area, the contacts that the row still has. ";
    Projects: list_project_history "list_project_history" "/projects/{projectId}/history",
        "projectId" of a "project" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "registry" RegistryRead,
        "Partnerships and sub-projects are rows of their own. ";
    Collaborations: list_collaboration_history "list_collaboration_history" "/collaborations/{collaborationId}/history",
        "collaborationId" of a "collaboration" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "registry" RegistryRead,
        "With all memberships as they were known then. ";
    Partnerships: list_partnership_history "list_partnership_history" "/partnerships/{partnershipId}/history",
        "partnershipId" of a "partnership" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "registry" RegistryRead, "";
    Measures: list_measure_history "list_measure_history" "/measures/{measureCode}/history",
        "measureCode" of a "measure" = String MeasureCode like "pupils_share", "participation" RegistryRead, "";
    Sources: list_source_history "list_source_history" "/sources/{sourceId}/history",
        "sourceId" of a "source" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "participation" RegistryRead, "";
    Reports: list_report_history "list_report_history" "/reports/{reportId}/history",
        "reportId" of a "report" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "participation" ParticipationRead,
        "Each write of its observations is a version, whose numbers `/reports/{reportId}/observations?asOf=` gives. ";
    Populations: list_population_history "list_population_history" "/populations/{populationId}/history",
        "populationId" of a "population" = Uuid Uuid like "01903e2a-7b4c-7d5e-8f60-718293a4b5c6", "participation" RegistryRead, "";
}

/// List the versions of a client
///
/// Newest first: who wrote it, when, in which request, and name, permissions and areas as they were; also of one that was
/// revoked. Secrets are not in it, nor anything made of them: that one was made or revoked is told by `/audit-events`. A
/// version is shown if all areas that the client had then lie in yours. Clients that are older than this history begin with
/// the version that their first change found. The order is fixed: `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "administration", operation_id = "list_client_history", params(("clientId" = Uuid, Path, description = "Id of the client's row", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::ClientsAdmin.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/clients/{clientId}/history")]
async fn list_client_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<ClientsAdmin>,
    id: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Clients, _>(&req, &db, &grant, &id, params).await
}

/// List the versions of a publication
///
/// Newest first. What is published never changes but in one way: it can be withdrawn. So a publication has the version in
/// which it was released and, if it was withdrawn, that one, with who did it, when and in which request. One that is being
/// made, or failed, is seen with the permission `publish` only, and has the version that it now has. The order is fixed:
/// `sort`, `q`, `include` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "statistics", operation_id = "list_publication_history", params(("publicationName" = String, Path, description = "Name of the publication, or `latest`", example = "2025.1"), ListQuery),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/publications/{publicationName}/history")]
async fn list_publication_history(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<StatisticsRead>,
    name: web::Path<String>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    params.list.refuse_order_and_search()?;
    let versions = publications::versions(&db, &library, &grant, &name).await?;
    let (rows, extent) = Extent::of_all(&params.list, versions)?;
    Listing::new(&req, &params.list, rows, &extent)
}
