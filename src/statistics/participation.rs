//! `/statistics/participation` and `/statistics/queries`

use std::sync::Arc;

use actix_web::{HttpRequest, get, post, web};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::{Evaluated, ParticipationOut, table_head, table_rows};
use super::codes::{Included, Protection};
use super::deliver::{self, Delivered, Dialect, Format, Wanted};
use super::frozen::{Frozen, Period};
use super::library::Library;
use super::query::{Asked, MAX_CELLS, MAX_STREAMED, QueryIn, Question, Selection};
use super::rates::{self, Answer, Base};
use super::raw;
use crate::access::permission::StatisticsRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::formats::table::Row;
use crate::http::body::Valid;
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Joined, Params};
use crate::problem::ApiResult;

/// Cells of one batch of a streamed answer, at the least.
const BATCH: usize = 10_000;

/// The path that answers a question by its parameters.
const PATH: &str = "/statistics/participation";

/// What to show of an answer, and how to write it.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Shape {
    /// What to show beside the values, comma separated.
    #[param(value_type = Option<Vec<Included>>, style = Form, explode = false)]
    pub include: Option<AnyOf<Included>>,
    /// `none`: the reported numbers themselves. Needs `participation:read` and every area inside those of the client;
    /// each such request is written down.
    pub protection: Option<Protection>,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// How to write an answer to a question in a body.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Written {
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_participation).service(query_statistics);
}

/// Show participation
///
/// Numbers of a publication: counts, and shares that are computed from sums and never averaged. A cell without a number
/// says why in `status` and `reasons`. Places × periods × groups × measures may make 100 000 cells (NDJSON 2 000 000);
/// more is refused before anything is read (422 `too_many_cells`). With the name of a publication the answer never
/// changes.
#[utoipa::path(tag = "statistics", operation_id = "get_participation", params(Selection, Shape),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The numbers", body = ParticipationOut)))]
#[get("/statistics/participation")]
async fn get_participation(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<StatisticsRead>,
    params: Joined<Selection, Shape>,
) -> ApiResult<Delivered<ParticipationOut>> {
    let Joined(selection, shape) = params;
    let wish = Wish {
        question: deliver::question(&req),
        asked: selection.into(),
        included: shape.include.map_or_else(Vec::new, |AnyOf(all)| all),
        base: base(shape.protection),
        format: shape.format,
        dialect: shape.dialect,
    };
    wish.answer(&req, db, &library, &grant).await
}

/// Query the statistics
///
/// The same as `GET /statistics/participation`, with the question as a JSON body: for selections that are too long for
/// an address. Nothing is kept of it. Format and language are parameters, as there.
#[utoipa::path(tag = "statistics", operation_id = "query_statistics", params(Written), request_body = QueryIn,
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The numbers", body = ParticipationOut)))]
#[post("/statistics/queries")]
async fn query_statistics(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    grant: Grant<StatisticsRead>,
    written: Params<Written>,
    body: Valid<QueryIn>,
) -> ApiResult<Delivered<ParticipationOut>> {
    let Params(written) = written;
    let included = body.0.include.clone();
    let base = base(body.0.protection);
    let asked = Asked::from(body.0);
    let mut question = asked.pairs();
    if !included.is_empty() {
        let parts: Vec<&str> = included.iter().map(|part| part.as_str()).collect();
        question.push(("include".to_owned(), parts.join(",")));
    }
    if base == Base::Raw {
        question.push(("protection".to_owned(), Protection::None.to_string()));
    }
    question.sort();
    let wish = Wish {
        question,
        asked,
        included,
        base,
        format: written.format,
        dialect: written.dialect,
    };
    wish.answer(&req, db, &library, &grant).await
}

fn base(protection: Option<Protection>) -> Base {
    match protection {
        Some(Protection::None) => Base::Raw,
        Some(Protection::KeyedRounding5) | None => Base::Protected,
    }
}

/// What a request wishes, whichever way it came.
struct Wish {
    asked: Asked,
    question: Vec<(String, String)>,
    included: Vec<Included>,
    base: Base,
    format: Option<Format>,
    dialect: Option<Dialect>,
}

impl Wish {
    async fn answer(
        self,
        req: &HttpRequest,
        db: Db,
        library: &Library,
        grant: &Grant<StatisticsRead>,
    ) -> ApiResult<Delivered<ParticipationOut>> {
        let name = self.asked.publication.as_deref().unwrap_or("latest");
        let listed = library.find(&db, name).await?;
        let wanted = Wanted {
            listed: &listed,
            latest: name == "latest",
            format: self.format,
            dialect: self.dialect,
            path: PATH,
            question: self.question,
            raw: self.base == Base::Raw,
        };
        let streams = deliver::requested(req, self.format, self.dialect)? == Format::Ndjson;
        let limit = if streams { MAX_STREAMED } else { MAX_CELLS };
        let (asked, base, included) = (self.asked, self.base, self.included);
        if base == Base::Raw || streams {
            let frozen = library.open(&db, &listed).await?;
            let question = Question::read(&asked, &frozen, limit)?;
            if base == Base::Raw {
                raw::admit(&db, grant, &asked, &frozen, &question).await?;
            }
            if streams && question.cells() > MAX_CELLS {
                let form = deliver::form(req, &wanted)?;
                let whole = unread(&frozen, &question, base);
                let head = table_head(&frozen, &whole, &included, &form.permanent_url);
                let batches = batches(db, frozen, question, base, included);
                return deliver::stream(&form, head, batches);
            }
        }
        deliver::answer(req, wanted, async |_| {
            let frozen = library.open(&db, &listed).await?;
            let question = Question::read(&asked, &frozen, limit)?;
            let answer = db
                .read(async |conn| rates::evaluate(conn, &frozen, &question, base).await)
                .await?;
            Ok(Evaluated {
                frozen,
                answer,
                included,
            })
        })
        .await
    }
}

/// An answer whose cells are still to come. Its sources are those of every report that can be in it.
fn unread(frozen: &Frozen, question: &Question, base: Base) -> Answer {
    let mut answer = Answer::unread(question, base);
    for no in 0..question.measures.len() {
        let Some(measure) = question.measure(frozen, no) else {
            continue;
        };
        let of = frozen.returns.reports.iter().filter(|report| {
            question.periods.contains(&report.period_no)
                && report
                    .numbers
                    .keys()
                    .any(|code| *code == measure.code || measure.numerator.as_ref() == Some(code))
        });
        answer.sources.extend(of.map(|report| report.source_no));
        if measure.is_computed_share(&frozen.catalogue) {
            answer.years.extend(
                question
                    .known_periods(frozen)
                    .filter_map(Period::population_year),
            );
        }
    }
    answer
}

/// The parts of a question that is too large to be held: some places at a time, in the order of the whole.
fn parts(question: &Question) -> Vec<Question> {
    let of_place = (question.periods.len() * question.splits.groups()).max(1);
    let places = (BATCH / of_place).max(1);
    let mut parts = Vec::new();
    for asking in &question.measures {
        for places in question.places.chunks(places) {
            parts.push(Question {
                measures: vec![asking.clone()],
                places: places.to_vec(),
                periods: question.periods.clone(),
                splits: question.splits.clone(),
            });
        }
    }
    parts
}

fn batches(
    db: Db,
    frozen: Arc<Frozen>,
    question: Question,
    base: Base,
    included: Vec<Included>,
) -> impl Stream<Item = ApiResult<Vec<Row>>> + 'static {
    let parts = parts(&question).into_iter();
    stream::unfold(parts, move |mut parts| {
        let (db, frozen, included) = (db.clone(), Arc::clone(&frozen), included.clone());
        async move {
            let part = parts.next()?;
            let read = db
                .read(async |conn| rates::part(conn, &frozen, &part, base).await)
                .await;
            let rows = read
                .map(|answer| table_rows(&frozen, &answer, &included))
                .map_err(Into::into);
            Some((rows, parts))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::query::{Asking, Place, Splits};

    #[test]
    fn the_parts_of_a_long_answer_follow_each_other_in_the_order_of_the_whole() {
        let question = Question {
            measures: (0..2)
                .map(|measure| Asking {
                    measure,
                    basis: "provider".to_owned(),
                })
                .collect(),
            places: (0..2_500)
                .map(|n| Place::Area(format!("1880R{n:04}")))
                .collect(),
            periods: (0..10).collect(),
            splits: Splits::default(),
        };
        let parts = parts(&question);
        assert_eq!(parts.iter().map(Question::cells).sum::<usize>(), 50_000);
        assert!(parts.iter().all(|part| part.cells() <= BATCH));
        let walked: Vec<(usize, &Place)> = parts
            .iter()
            .flat_map(|part| {
                part.measures
                    .iter()
                    .flat_map(|asking| part.places.iter().map(|place| (asking.measure, place)))
            })
            .collect();
        let whole: Vec<(usize, &Place)> = (0..2)
            .flat_map(|measure| question.places.iter().map(move |place| (measure, place)))
            .collect();
        assert_eq!(walked, whole);
    }
}
