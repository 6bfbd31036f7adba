//! `/…/{key}/history` of every resource that clients write.

use actix_web::{HttpRequest, get, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::versions::{self, NoFilter, VersionOut};
use crate::access::permission::{ParticipationRead, RegistryRead};
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::list::{Listing, Page};
use crate::http::params::{ListParams, ListQuery};
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
use crate::values::{AreaCode, MeasureCode};

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_district_history)
        .service(list_culture_school_history)
        .service(list_partner_history)
        .service(list_project_history)
        .service(list_collaboration_history)
        .service(list_partnership_history)
        .service(list_measure_history)
        .service(list_source_history)
        .service(list_report_history)
        .service(list_population_history);
}

/// List the versions of a district
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_district_history", params(("districtCode" = String, Path, description = "Code of the district", example = "SE-vissa-stadsdelar"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/districts/{districtCode}/history")]
async fn list_district_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<String>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    let key: AreaCode = key.parse().map_err(|_| Problem::not_found())?;
    versions::list::<Districts, _>(&req, &db, &grant, &key.to_string(), params).await
}

/// List the versions of a culture school
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_culture_school_history", params(("cultureSchoolId" = Uuid, Path, description = "Id of the culture school", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/culture-schools/{cultureSchoolId}/history")]
async fn list_culture_school_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<CultureSchools, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a partner
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. With `include=contacts` and the permission
/// `contacts:read` in the area, the contacts that the row still has. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_partner_history", params(("partnerId" = Uuid, Path, description = "Id of the partner", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/partners/{partnerId}/history")]
async fn list_partner_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Partners, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a project
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. Partnerships and sub-projects are
/// rows of their own. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_project_history", params(("projectId" = Uuid, Path, description = "Id of the project", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/projects/{projectId}/history")]
async fn list_project_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Projects, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a collaboration
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. With all memberships as they were
/// known then. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_collaboration_history", params(("collaborationId" = Uuid, Path, description = "Id of the collaboration", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/collaborations/{collaborationId}/history")]
async fn list_collaboration_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Collaborations, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a partnership
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "registry", operation_id = "list_partnership_history", params(("partnershipId" = Uuid, Path, description = "Id of the partnership", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/partnerships/{partnershipId}/history")]
async fn list_partnership_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Partnerships, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a measure
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "participation", operation_id = "list_measure_history", params(("measureCode" = String, Path, description = "Code of the measure", example = "pupils_share"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/measures/{measureCode}/history")]
async fn list_measure_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<String>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    let key: MeasureCode = key.parse().map_err(|_| Problem::not_found())?;
    versions::list::<Measures, _>(&req, &db, &grant, &key.to_string(), params).await
}

/// List the versions of a source
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "participation", operation_id = "list_source_history", params(("sourceId" = Uuid, Path, description = "Id of the source", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/sources/{sourceId}/history")]
async fn list_source_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Sources, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a report
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. Each write of its observations is a version; what
/// the observations were before is not kept, since only those of a draft can change. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "participation", operation_id = "list_report_history", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/reports/{reportId}/history")]
async fn list_report_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Reports, _>(&req, &db, &grant, &key, params).await
}

/// List the versions of a population
///
/// Newest first: who wrote it, when, in which request, and the row as it was; also of one that was deleted. A version that
/// was a draft is shown inside its area only. The order is fixed:
/// `sort`, `q` and `updatedSince` do not work here (400).
#[utoipa::path(tag = "participation", operation_id = "list_population_history", params(("populationId" = Uuid, Path, description = "Id of the population", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery),
    security(("bearer" = [Permission::RegistryRead.as_str()])), responses((status = 200, description = "A page of versions", body = Page<VersionOut>)))]
#[get("/populations/{populationId}/history")]
async fn list_population_history(
    req: HttpRequest,
    db: Db,
    grant: Grant<RegistryRead>,
    key: web::Path<Uuid>,
    params: ListParams<NoFilter>,
) -> ApiResult<Listing<VersionOut>> {
    versions::list::<Populations, _>(&req, &db, &grant, &key, params).await
}
