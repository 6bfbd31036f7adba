//! `/statistics/gaps`: how far the share of a place is from that of another, and whether that changes.

pub mod answer;
pub mod compare;
pub mod question;
mod table;
pub mod words;

use actix_web::{HttpRequest, get, web};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use self::answer::{Compared, GapsOut};
use self::question::GapQuestion;
use super::blocks::Base;
use super::codes::Included;
use super::deliver::{self, Delivered, Dialect, Format, Wanted};
use super::library::Library;
use super::query::{Asked, Selection};
use super::rates;
use crate::access::permission::StatisticsRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Joined};
use crate::problem::ApiResult;

/// What to compare with, and how to write the answer.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Reference {
    /// What each place is compared with: the code of an area, `region` (the county that each place lies in),
    /// `collaboration:` and its id, or `peers:` and the codes of municipalities that are taken together.
    #[param(default = "SE", example = "SE")]
    pub reference: Option<String>,
    /// The measure that is compared with, if it is another one.
    #[param(example = "pupils_share")]
    pub reference_measure: Option<String>,
    /// The period that is compared with, if it is the same for all.
    #[param(example = "2018")]
    pub reference_period: Option<String>,
    /// What to show beside the shares and those that they are compared with, comma separated.
    #[param(value_type = Option<Vec<Included>>, style = Form, explode = false)]
    pub include: Option<AnyOf<Included>>,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_gaps);
}

/// Show gaps
///
/// The distance of the share of each place to a reference, in percentage points and as a ratio, and the number of
/// children that it stands for; and for each place whether the distance has changed from its first to its last period.
/// Numbers are compared only if they mean the same: measure, numerator, denominator, ages, geography basis and series,
/// and the source where it does not say what its share is of. Otherwise the status is `not_comparable`, the reasons
/// are named, and there is no number.
#[utoipa::path(tag = "statistics", operation_id = "get_gaps", params(Selection, Reference),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The gaps", body = GapsOut)))]
#[get("/statistics/gaps")]
async fn get_gaps(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    _grant: Grant<StatisticsRead>,
    params: Joined<Selection, Reference>,
) -> ApiResult<Delivered<GapsOut>> {
    let Joined(selection, reference) = params;
    let asked = Asked::from(selection);
    let name = asked.publication.as_deref().unwrap_or("latest");
    let listed = library.find(&db, name).await?;
    let form = (reference.format, reference.dialect);
    let wanted = Wanted::of_get(&req, &listed, name, "/statistics/gaps", form);
    deliver::answer(&req, wanted, async |_| {
        let frozen = library.open(&db, &listed).await?;
        let question = GapQuestion::read(&asked, &reference, &frozen)?;
        let answer = db
            .read(async |conn| rates::part(conn, &frozen, &question.all, Base::Protected).await)
            .await?;
        let included = reference.include.map_or_else(Vec::new, |AnyOf(all)| all);
        Ok(Compared::new(frozen, question, answer, included))
    })
    .await
}
