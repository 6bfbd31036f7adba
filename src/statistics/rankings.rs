//! `/statistics/rankings`: the places of one level in the order of one measure, in one period.

use std::cmp::Reverse;
use std::sync::Arc;

use actix_web::{HttpRequest, get, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::head::Head;
use super::answer::rows::{RowOut, plain, rows};
use super::answer::{table_head, table_rows};
use super::blocks::Base;
use super::codes::{Included, Level};
use super::deliver::{self, Delivered, Dialect, Form, Format, Wanted};
use super::frozen::{Frozen, Period};
use super::library::Library;
use super::query::{Asked, MAX_CELLS, Question, Selection};
use super::rates::{self, Answer, shown};
use crate::access::permission::StatisticsRead;
use crate::access::{Grant, Permission};
use crate::db::Db;
use crate::formats::beside::{Beside, Word};
use crate::formats::table::{Label, Metric, Row, Table, Unit};
use crate::http::lang::Lang;
use crate::http::params::{AnyOf, Joined};
use crate::problem::{ApiResult, text};

/// The order of a ranking, and how to write it.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Ordering {
    /// Which value is first.
    #[param(default = "highest", value_type = Option<First>)]
    pub first: Option<First>,
    /// What to show beside the values, comma separated.
    #[param(value_type = Option<Vec<Included>>, style = Form, explode = false)]
    pub include: Option<AnyOf<Included>>,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// Which value has rank 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RankingFirst)]
pub enum First {
    /// The highest.
    #[default]
    Highest,
    /// The lowest.
    Lowest,
}

/// What `/statistics/rankings` answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RankingStatistics)]
pub struct RankingsOut {
    /// What the answer says of itself.
    #[serde(flatten)]
    pub head: Head,
    /// The ranked values in five numbers.
    pub summary: Summary,
    /// The places by rank, those without a value last.
    pub rows: Vec<RankRow>,
}

/// A place in a ranking.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RankingRow)]
pub struct RankRow {
    /// From 1. Places with the same value as shown have the same rank, and as many ranks after it are left out. Null
    /// without a value.
    #[schema(example = 1)]
    pub rank: Option<usize>,
    /// The place and its value.
    #[serde(flatten)]
    pub row: RowOut,
}

/// The ranked values in a few numbers. Quartiles are interpolated linearly between the two nearest values (type 7 of
/// Hyndman and Fan, the default of R and of `numpy`).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RankingSummary)]
pub struct Summary {
    /// Places with a rank.
    #[schema(example = 284)]
    pub ranked: usize,
    /// Places without a value.
    #[schema(example = 6)]
    pub missing: usize,
    /// The smallest value.
    #[serde(serialize_with = "plain")]
    #[schema(example = 2.1)]
    pub minimum: Option<f64>,
    /// A quarter of the places have this value or less.
    #[serde(serialize_with = "plain")]
    #[schema(example = 8.4)]
    pub lower_quartile: Option<f64>,
    /// Half of the places have this value or less.
    #[serde(serialize_with = "plain")]
    #[schema(example = 11.2)]
    pub median: Option<f64>,
    /// Three quarters of the places have this value or less.
    #[serde(serialize_with = "plain")]
    #[schema(example = 14.9)]
    pub upper_quartile: Option<f64>,
    /// The largest value.
    #[serde(serialize_with = "plain")]
    #[schema(example = 31.7)]
    pub maximum: Option<f64>,
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(get_rankings);
}

/// Show a ranking
///
/// One measure in one period (if none is given, the latest that one of the places has reported) over the areas of a level (municipalities, if nothing is
/// selected). The order is that of the values as shown, so that it tells no more than they do. Places without a value
/// come last, with the reason.
#[utoipa::path(tag = "statistics", operation_id = "get_rankings", params(Selection, Ordering),
    security(("bearer" = [Permission::StatisticsRead.as_str()])), responses((status = 200, description = "The ranking", body = RankingsOut)))]
#[get("/statistics/rankings")]
async fn get_rankings(
    req: HttpRequest,
    db: Db,
    library: web::Data<Library>,
    _grant: Grant<StatisticsRead>,
    params: Joined<Selection, Ordering>,
) -> ApiResult<Delivered<RankingsOut>> {
    let Joined(selection, ordering) = params;
    let asked = Asked::from(selection);
    let name = asked.publication.as_deref().unwrap_or("latest");
    let listed = library.find(&db, name).await?;
    let form = (ordering.format, ordering.dialect);
    let wanted = Wanted::of_get(&req, &listed, name, "/statistics/rankings", form);
    let first = ordering.first.unwrap_or_default();
    let included = ordering.include.map_or_else(Vec::new, |AnyOf(all)| all);
    deliver::answer(&req, wanted, async |_| {
        let frozen = library.open(&db, &listed).await?;
        let question = of_one_number(asked, &frozen)?;
        let answer = db
            .read(async |conn| rates::evaluate(conn, &frozen, &question, Base::Protected).await)
            .await?;
        Ok(Ranked::new(frozen, answer, included, first))
    })
    .await
}

/// A question with one number for each place.
fn of_one_number(mut asked: Asked, frozen: &Frozen) -> ApiResult<Question> {
    let no_place = asked.area.is_empty()
        && asked.collaboration.is_empty()
        && asked.partner_category.is_empty()
        && asked.level.is_none();
    if no_place {
        asked.level = Some(Level::Municipality);
    }
    let no_period =
        asked.period.is_empty() && asked.period_from.is_none() && asked.period_to.is_none();
    if no_period {
        asked.period = vec!["latest".to_owned()];
    }
    let mut question = Question::read(&asked, frozen, MAX_CELLS)?;
    if no_period && let Some(latest) = latest_told(frozen, &question) {
        question.periods = vec![latest];
    }
    let (name, detail) = if question.measures.len() > 1 {
        ("measure", text("Ange ett mått.", "Give one measure."))
    } else if question.periods.len() > 1 {
        ("period", text("Ange en period.", "Give one period."))
    } else if question.splits.groups() > 1 {
        (
            "groupBy",
            text(
                "En rangordning delas inte upp: välj en grupp.",
                "A ranking is not split: select one group.",
            ),
        )
    } else {
        return Ok(question);
    };
    Err(asked.refused(name, None, "one_number_a_place", detail))
}

/// The latest period in which one of the places has reported, rather than the whole country alone; dated ones first.
fn latest_told(frozen: &Frozen, question: &Question) -> Option<i16> {
    let measure = question.measure(frozen, 0)?;
    let (told, catalogue) = (&frozen.told, &frozen.catalogue);
    let mut periods: Vec<_> = told
        .periods(measure, catalogue)
        .into_iter()
        .filter_map(|no| Some((catalogue.period(no)?, no)))
        .collect();
    periods.sort_by_key(|(period, no)| (period.first_day.is_none(), Reverse(*no)));
    let has_one = |(period, no): &(&Period, i16)| {
        let wanted: Vec<&str> = question
            .places
            .iter()
            .flat_map(|place| place.members(frozen, period))
            .collect();
        let inside = |area: &str| wanted.iter().any(|of| *of == "SE" || area.starts_with(of));
        told.areas(measure, catalogue, *no).any(inside)
    };
    periods.into_iter().find(has_one).map(|(_, no)| no)
}

/// An answer in its order.
struct Ranked {
    frozen: Arc<Frozen>,
    answer: Answer,
    /// What to show beside the values.
    included: Vec<Included>,
    /// By place, in the order of the answer; none without a value.
    ranks: Vec<Option<usize>>,
    summary: Summary,
}

impl Ranked {
    fn new(frozen: Arc<Frozen>, mut answer: Answer, included: Vec<Included>, first: First) -> Self {
        let measure = answer.question.measure(&frozen, 0);
        let values: Vec<Option<f64>> = answer
            .cells
            .iter()
            .map(|cell| measure.and_then(|measure| shown(measure, cell)))
            .collect();
        let (order, ranks) = ranked(&values, first);
        answer.cells = order
            .iter()
            .filter_map(|place| answer.cells.get(*place).cloned())
            .collect();
        answer.question.places = order
            .iter()
            .filter_map(|place| answer.question.places.get(*place).cloned())
            .collect();
        Self {
            summary: summary(&values),
            frozen,
            answer,
            included,
            ranks,
        }
    }
}

/// The order of the places and the rank of each in that order. Ties keep the order of the question, by code.
fn ranked(values: &[Option<f64>], first: First) -> (Vec<usize>, Vec<Option<usize>>) {
    let mut order: Vec<(usize, Option<f64>)> = values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| match (a, b) {
        (Some(a), Some(b)) if first == First::Highest => b.total_cmp(a),
        (Some(a), Some(b)) => a.total_cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    let mut ranks: Vec<Option<usize>> = Vec::with_capacity(order.len());
    let mut before: Option<(f64, usize)> = None;
    for (place, (_, value)) in order.iter().enumerate() {
        let rank = value.map(|value| match before {
            // Values as shown: equal means written the same.
            Some((earlier, rank)) if earlier.total_cmp(&value).is_eq() => rank,
            _ => place + 1,
        });
        before = value.zip(rank).or(before);
        ranks.push(rank);
    }
    (order.into_iter().map(|(place, _)| place).collect(), ranks)
}

fn summary(values: &[Option<f64>]) -> Summary {
    let mut ranked: Vec<f64> = values.iter().flatten().copied().collect();
    ranked.sort_by(f64::total_cmp);
    Summary {
        ranked: ranked.len(),
        missing: values.len() - ranked.len(),
        minimum: ranked.first().copied(),
        lower_quartile: quantile(&ranked, 1),
        median: quantile(&ranked, 2),
        upper_quartile: quantile(&ranked, 3),
        maximum: ranked.last().copied(),
    }
}

/// The quantile of so many quarters, linearly between the two nearest values.
fn quantile(sorted: &[f64], quarters: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let (whole, rest) = (last * quarters / 4, last * quarters % 4);
    let low = *sorted.get(whole)?;
    let high = sorted.get(whole + 1).copied().unwrap_or(low);
    let part = match rest {
        0 => 0.0,
        1 => 0.25,
        2 => 0.5,
        _ => 0.75,
    };
    Some(((low + (high - low) * part) * 100.0).round() / 100.0)
}

/// What the numbers of a summary are called.
const WORDS: [Word; 7] = [
    ("ranked", "Platser med ett värde", "Places with a value"),
    ("missing", "Platser utan värde", "Places without a value"),
    ("minimum", "Minsta värde", "Smallest value"),
    ("lowerQuartile", "Nedre kvartil", "Lower quartile"),
    ("median", "Median", "Median"),
    ("upperQuartile", "Övre kvartil", "Upper quartile"),
    ("maximum", "Största värde", "Largest value"),
];

impl deliver::Answer for Ranked {
    type Body = RankingsOut;

    fn body(&self, form: &Form) -> RankingsOut {
        RankingsOut {
            head: Head::of(&self.frozen, &self.answer, &form.permanent_url, form.lang),
            summary: self.summary.clone(),
            rows: rows(&self.frozen, &self.answer, &self.included, form.lang)
                .into_iter()
                .zip(&self.ranks)
                .map(|(row, rank)| RankRow { rank: *rank, row })
                .collect(),
        }
    }

    fn table(&self, form: &Form) -> Table {
        let head = table_head(
            &self.frozen,
            &self.answer,
            &self.included,
            &form.permanent_url,
        );
        #[expect(
            clippy::cast_precision_loss,
            reason = "there are far fewer than 2^53 places"
        )]
        let number = |rank: usize| rank as f64;
        let rank = Metric::new("rank", Label::new("Rang", "Rank")).of_unit(Unit {
            label: Label::new("plats", "place"),
            decimals: 0,
        });
        let rows = table_rows(&self.frozen, &self.answer, &self.included)
            .into_iter()
            .zip(&self.ranks)
            .map(|(mut row, rank): (Row, _)| {
                row.values.push(rank.map(number));
                row
            })
            .collect();
        Table {
            name: format!("rankings-{}", self.frozen.name),
            title: Label::new(
                format!("Rangordning: {}", head.title.sv),
                format!("Ranking: {}", head.title.en),
            ),
            metrics: head.metrics.iter().cloned().chain([rank]).collect(),
            rows,
            beside: vec![Beside::new(
                "summary",
                Label::new("Sammanfattning", "Summary"),
                &WORDS,
                &self.summary,
            )],
            ..head
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_a_rank_and_the_missing_come_last() {
        let values = [Some(10.5), None, Some(12.0), Some(10.5), Some(3.0)];
        let (order, ranks) = ranked(&values, First::Highest);
        assert_eq!(order, [2, 0, 3, 4, 1]);
        assert_eq!(ranks, [Some(1), Some(2), Some(2), Some(4), None]);
        let (order, ranks) = ranked(&values, First::Lowest);
        assert_eq!(order, [4, 0, 3, 2, 1]);
        assert_eq!(ranks, [Some(1), Some(2), Some(2), Some(4), None]);
    }

    #[test]
    fn quartiles_are_interpolated() {
        // R: quantile(c(3, 10.5, 10.5, 12)) is 3, 8.625, 10.5, 10.875, 12.
        let values = [Some(10.5), None, Some(12.0), Some(10.5), Some(3.0)];
        let found = summary(&values);
        assert_eq!((found.ranked, found.missing), (4, 1));
        assert_eq!((found.minimum, found.maximum), (Some(3.0), Some(12.0)));
        assert_eq!(found.lower_quartile, Some(8.63));
        assert_eq!(found.median, Some(10.5));
        assert_eq!(found.upper_quartile, Some(10.88));
        assert_eq!(summary(&[None]).median, None);
    }
}
