//! The handler of `/statistics/partnerships`.

use actix_web::{HttpRequest, get, web};

use super::answer::{PartnershipAnswer, PartnershipStatistics};
use super::selection::{PartnershipQuery, Selection};
use crate::access::permission::StatisticsRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::params::Params;
use crate::problem::ApiResult;
use crate::statistics::deliver::{self, Delivered, Form, Wanted};
use crate::statistics::library::Library;

/// Count partnerships
///
/// Partners and partnerships around culture schools as one publication knew them: by category, municipality, county,
/// project, form, role or year, and how many go on after their project. `summary` lists the municipalities without
/// any partner of civil society and says how large a part of the cooperations of ended projects goes on, with
/// numerator, denominator and those that are not known. A partnership of a county or the country counts there and not
/// in each municipality; without a known end it counts as ongoing until the day of the publication. Organisations are
/// counted, not children, so these numbers are exact.
#[utoipa::path(tag = "statistics", operation_id = "count_partnerships", params(PartnershipQuery),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The counts", body = PartnershipStatistics)))]
#[get("/statistics/partnerships")]
pub async fn count_partnerships(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    _: Grant<StatisticsRead>,
    query: Params<PartnershipQuery>,
) -> ApiResult<Delivered<PartnershipStatistics>> {
    let Params(query) = query;
    let name = query.publication.as_deref().unwrap_or("latest");
    let listed = library.find(&db, name).await?;
    let form = (query.format, query.dialect);
    let wanted = Wanted::of_get(&req, &listed, name, "/statistics/partnerships", form);
    deliver::answer(&req, wanted, async |_: &Form| {
        let frozen = library.open(&db, &listed).await?;
        let selection = Selection::new(&query, &frozen)?;
        PartnershipAnswer::new(frozen, selection)
    })
    .await
}
