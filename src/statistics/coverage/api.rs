//! The handler of `/statistics/coverage`.

use actix_web::{HttpRequest, get, web};

use super::answer::{CoverageAnswer, CoverageStatistics};
use super::selection::{CoverageQuery, Selection};
use crate::access::permission::StatisticsRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::params::Params;
use crate::problem::ApiResult;
use crate::statistics::deliver::{self, Delivered, Form, Wanted};
use crate::statistics::library::Library;

/// Show coverage
///
/// Of whom a publication has an approved report and of whom not. For counties and the country: how many of the
/// municipalities that existed on the last day of the period are in one, their own or one of a wider area that has
/// numbers of them, and which are not; an area whose own figure is there although its municipalities' are not is told
/// apart by `reportedBy`. For municipalities: whether there is a report, from which source, and when it was approved.
/// `measure=` counts only numbers of that measure, `source=` only reports of certain sources.
#[utoipa::path(tag = "statistics", operation_id = "show_coverage", params(CoverageQuery),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The coverage", body = CoverageStatistics)))]
#[get("/statistics/coverage")]
pub async fn show_coverage(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    _: Grant<StatisticsRead>,
    query: Params<CoverageQuery>,
) -> ApiResult<Delivered<CoverageStatistics>> {
    let Params(query) = query;
    let name = query.publication.as_deref().unwrap_or("latest");
    let listed = library.find(&db, name).await?;
    let form = (query.format, query.dialect);
    let wanted = Wanted::of_get(&req, &listed, name, "/statistics/coverage", form);
    deliver::answer(&req, wanted, async |_: &Form| {
        let frozen = library.open(&db, &listed).await?;
        let selection = Selection::new(&query, &frozen)?;
        CoverageAnswer::new(frozen, selection)
    })
    .await
}
