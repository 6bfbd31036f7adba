//! Gaps for people and programs: rows, trends, and the table that other formats are written from.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::compare::{Gap, Outcome, Side, compare, trend};
use super::question::GapQuestion;
use super::table;
use super::words::{distance, reservation};
use crate::formats::table::{Label, Table};
use crate::http::lang::Lang;
use crate::participation::codes::Precision;
use crate::statistics::answer::head::{BreakOut, Head};
use crate::statistics::answer::rows::{
    CoverageOut, ReasonOut, RowDenominator, RowOut, labelled, plain, rows,
};
use crate::statistics::codes::{CellStatus, Direction, Included, Origin, Reason, Trend};
use crate::statistics::deliver::{self, Form};
use crate::statistics::frozen::Frozen;
use crate::statistics::query::Place;
use crate::statistics::rates::{Answer, Cell};

/// What `/statistics/gaps` answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GapStatistics)]
pub struct GapsOut {
    /// What the answer says of itself.
    #[serde(flatten)]
    pub head: Head,
    /// One for each combination of place, period and group.
    pub rows: Vec<GapRow>,
    /// For each place and group with at least two periods: whether the gap has changed between the first and the last.
    pub trends: Vec<TrendOut>,
}

/// A gap.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GapRow)]
pub struct GapRow {
    /// The place, the period, the group and its share. Without a gap there is no share either.
    #[serde(flatten)]
    pub row: RowOut,
    /// What it is compared with.
    pub reference: ReferenceOut,
    /// The share minus the reference, in percentage points with two decimals.
    #[serde(serialize_with = "plain")]
    #[schema(example = -12)]
    pub difference: Option<f64>,
    /// The share divided by the reference, with three decimals.
    #[serde(serialize_with = "plain")]
    #[schema(example = 0.143)]
    pub ratio: Option<f64>,
    /// How the share stands to the reference.
    pub direction: Option<Direction>,
    /// The direction, for people.
    #[schema(example = "Under")]
    pub direction_label: Option<&'static str>,
    /// How many persons the difference stands for; null where the residents are not known.
    #[schema(example = 412)]
    pub children: Option<i64>,
    /// The gap in one sentence.
    #[schema(
        example = "12 procentenheter under riket: ytterligare 412 barn och unga skulle behöva delta."
    )]
    pub sentence: Option<String>,
}

/// What a row is compared with.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GapReference)]
pub struct ReferenceOut {
    /// `area`, `collaboration` or `peers`.
    #[schema(example = "area")]
    pub kind: &'static str,
    /// Code or id.
    #[schema(example = "SE")]
    pub code: String,
    /// Its name.
    #[schema(example = "Sverige")]
    pub label: String,
    /// The measure.
    #[schema(example = "pupils_share")]
    pub measure: String,
    /// The period.
    #[schema(example = "2024")]
    pub period: String,
    /// Its share; null if it is missing, or not comparable.
    #[serde(serialize_with = "plain")]
    #[schema(example = 14)]
    pub value: Option<f64>,
    /// How good its share is, `partial` if parts of it are missing, or why there is none; null if it is not comparable.
    #[schema(example = "partial")]
    pub status: Option<CellStatus>,
    /// The status, for people.
    #[schema(example = "Ofullständig")]
    pub status_label: Option<&'static str>,
    /// Where its share comes from; null without one.
    pub origin: Option<Origin>,
    /// How exact the words of the source that published its share are; absent for computed ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// With `include=numerator`: what its share counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 148_000)]
    pub numerator: Option<i64>,
    /// With `include=denominator`: the residents that its share is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denominator: Option<RowDenominator>,
    /// With `include=coverage`, and wherever a part is missing: how many of its parts are in its share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageOut>,
}

/// How a gap has changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GapTrend)]
pub struct TrendOut {
    /// `area`, `collaboration` or `partnerCategory`.
    #[schema(example = "area")]
    pub kind: &'static str,
    /// Code or id of the place.
    #[schema(example = "1880")]
    pub code: String,
    /// Its name.
    #[schema(example = "Örebro")]
    pub label: String,
    /// The group, its codes in the order gender, age band, subject, form; empty if nothing is split.
    #[schema(example = json!([]))]
    #[serde(rename = "groupCodes")]
    pub group: Vec<String>,
    /// The first period with a gap.
    #[schema(example = "2019")]
    pub first_period: String,
    /// The last one.
    #[schema(example = "2024")]
    pub last_period: String,
    /// How much larger (or smaller, negative) the distance has become, in percentage points; null if the two periods
    /// are not comparable.
    #[serde(serialize_with = "plain")]
    #[schema(example = -1.5)]
    pub change: Option<f64>,
    /// What that means.
    pub trend: Option<Trend>,
    /// The trend, for people.
    #[schema(example = "Gapet minskar")]
    pub trend_label: Option<&'static str>,
    /// Why there is no change; empty if there is one.
    pub reasons: Vec<ReasonOut>,
}

/// Compared numbers with what is needed to write them.
pub struct Compared {
    pub(super) frozen: Arc<Frozen>,
    question: GapQuestion,
    /// The numbers of both sides.
    pub(super) answer: Answer,
    /// One for each row.
    pub(super) outcomes: Vec<Pair>,
    /// What to show beside the shares.
    pub(super) included: Vec<Included>,
}

/// Two numbers that were compared.
pub(super) struct Pair {
    /// Place of the cell in the answer.
    pub(super) own: usize,
    /// Place of the cell that it is compared with.
    pub(super) other: usize,
    /// What it comes to.
    pub(super) outcome: Outcome,
}

impl Compared {
    /// Compares all pairs.
    #[must_use]
    pub fn new(
        frozen: Arc<Frozen>,
        question: GapQuestion,
        answer: Answer,
        included: Vec<Included>,
    ) -> Self {
        let outcomes = outcomes(&frozen, &question, &answer);
        Self {
            frozen,
            question,
            answer,
            outcomes,
            included,
        }
    }

    /// The answer as if only what was asked for had been read: for what it says of itself.
    pub(super) fn own(&self) -> Answer {
        let mut own = Answer::unread(&self.question.asked, self.answer.base);
        own.sources.clone_from(&self.answer.sources);
        own.years.clone_from(&self.answer.years);
        own
    }
}

/// The place of a cell in the answer.
fn index(answer: &Answer, measure: usize, place: usize, period: usize, group: usize) -> usize {
    let question = &answer.question;
    ((measure * question.places.len() + place) * question.periods.len() + period)
        * question.splits.groups()
        + group
}

fn outcomes(frozen: &Frozen, question: &GapQuestion, answer: &Answer) -> Vec<Pair> {
    let all = &answer.question;
    let side = |measure: usize, period: usize, at: usize| -> Option<Side<'_>> {
        Some(Side {
            measure: all.measure(frozen, measure)?,
            basis: &all.measures.get(measure)?.basis,
            period: frozen.catalogue.period(*all.periods.get(period)?)?,
            cell: answer.cells.get(at)?,
        })
    };
    let mut outcomes = Vec::new();
    for (place, reference) in question.references.iter().enumerate() {
        for period in 0..question.asked.periods.len() {
            let compared_with = question.period.unwrap_or(period);
            for group in 0..all.splits.groups() {
                let own = index(answer, 0, place, period, group);
                let other = index(answer, question.measure, *reference, compared_with, group);
                let both = side(0, period, own).zip(side(question.measure, compared_with, other));
                let outcome =
                    both.map_or(Outcome::Missing, |(own, other)| compare(frozen, own, other));
                outcomes.push(Pair {
                    own,
                    other,
                    outcome,
                });
            }
        }
    }
    outcomes
}

impl deliver::Answer for Compared {
    type Body = GapsOut;

    fn body(&self, form: &Form) -> GapsOut {
        let lang = form.lang;
        let shown = rows(&self.frozen, &self.answer, &self.included, lang);
        let rows: Vec<GapRow> = self
            .outcomes
            .iter()
            .enumerate()
            .filter_map(|(no, pair)| {
                let row = shown.get(pair.own)?.clone();
                let reference = self.reference(no, shown.get(pair.other), pair, lang);
                Some(self.row(no, row, reference, pair, lang))
            })
            .collect();
        GapsOut {
            head: Head {
                // Also those that lie between the periods asked for and the one that they are compared with.
                breaks: BreakOut::all(&self.frozen, &self.answer.question, lang),
                ..Head::of(&self.frozen, &self.own(), &form.permanent_url, lang)
            },
            trends: self.trends(lang),
            rows,
        }
    }

    fn table(&self, form: &Form) -> Table {
        table::of(self, form)
    }
}

impl Compared {
    /// The place, in the list of all places, that a row is compared with.
    fn reference_of(&self, row: usize) -> usize {
        let of_place = self.question.asked.periods.len() * self.answer.question.splits.groups();
        let place = row / of_place.max(1);
        self.question.references.get(place).copied().unwrap_or(0)
    }

    /// The cell that a row is compared with, unless they are not comparable.
    pub(super) fn compared_with(&self, pair: &Pair) -> Option<&Cell> {
        let comparable = !matches!(pair.outcome, Outcome::NotComparable(_));
        self.answer.cells.get(pair.other).filter(|_| comparable)
    }

    /// What a row is compared with; `shown` is its cell, as a row of its own.
    fn reference(
        &self,
        no: usize,
        shown: Option<&RowOut>,
        pair: &Pair,
        lang: Lang,
    ) -> ReferenceOut {
        let all = &self.answer.question;
        let place = all.places.get(self.reference_of(no));
        let groups = all.splits.groups().max(1);
        let own_period = no / groups % self.question.asked.periods.len().max(1);
        let period = all
            .periods
            .get(self.question.period.unwrap_or(own_period))
            .and_then(|no| self.frozen.catalogue.period(*no));
        let shown = shown.filter(|_| self.compared_with(pair).is_some());
        let measure = all.measure(&self.frozen, self.question.measure);
        ReferenceOut {
            kind: place.map_or("area", |place| place.kind()),
            code: place.map_or_else(String::new, Place::code),
            label: self.reference_label(no).get(lang).to_owned(),
            measure: measure.map_or_else(String::new, |measure| measure.code.clone()),
            period: period.map_or_else(String::new, |period| period.code.clone()),
            value: shown.and_then(|row| row.value),
            status: shown.map(|row| row.status),
            status_label: shown.map(|row| row.status_label),
            origin: shown.and_then(|row| row.origin),
            precision: shown.and_then(|row| row.precision),
            numerator: shown.and_then(|row| row.numerator),
            denominator: shown.and_then(|row| row.denominator.clone()),
            coverage: shown.and_then(|row| row.coverage.clone()),
        }
    }

    fn reference_label(&self, no: usize) -> Label {
        let place = self.answer.question.places.get(self.reference_of(no));
        place.map_or_else(Label::default, |place| place.label(&self.frozen))
    }

    fn row(
        &self,
        no: usize,
        row: RowOut,
        reference: ReferenceOut,
        pair: &Pair,
        lang: Lang,
    ) -> GapRow {
        let without = |row: RowOut| GapRow {
            row,
            reference: reference.clone(),
            difference: None,
            ratio: None,
            direction: None,
            direction_label: None,
            children: None,
            sentence: None,
        };
        match &pair.outcome {
            Outcome::Gap(gap) => GapRow {
                difference: Some(gap.difference),
                ratio: gap.ratio,
                direction: Some(gap.direction),
                direction_label: Some(labelled(&Direction::LIST, gap.direction.as_str(), lang)),
                children: gap.children,
                sentence: Some(self.sentence(no, gap, pair).get(lang).to_owned()),
                reference,
                row,
            },
            Outcome::NotComparable(reasons) => {
                let status = CellStatus::NotComparable;
                without(RowOut {
                    value: None,
                    origin: None,
                    precision: None,
                    numerator: None,
                    denominator: None,
                    coverage: None,
                    status,
                    status_label: labelled(&CellStatus::LIST, status.as_str(), lang),
                    reasons: explained(reasons, lang),
                    ..row
                })
            }
            Outcome::Missing => without(row),
            Outcome::NoReference => {
                let mut row = row;
                row.reasons
                    .push(ReasonOut::of(Reason::ReferenceMissing, lang));
                without(row)
            }
        }
    }

    /// The gap in words, and what is to be said of the number that it is a distance from.
    pub(super) fn sentence(&self, no: usize, gap: &Gap, pair: &Pair) -> Label {
        let said = distance(&self.reference_label(no), gap);
        match self.compared_with(pair).and_then(reservation) {
            None => said,
            Some(but) => Label::new(
                format!("{} {}", said.sv, but.sv),
                format!("{} {}", said.en, but.en),
            ),
        }
    }

    /// The first and the last gap of each place and group, where there are two.
    pub(super) fn trends(&self, lang: Lang) -> Vec<TrendOut> {
        let asked = &self.question.asked;
        let (periods, groups) = (asked.periods.len(), asked.splits.groups());
        let mut trends = Vec::new();
        for (place_no, place) in asked.places.iter().enumerate() {
            for group in 0..groups {
                let gaps: Vec<(usize, &Gap)> = (0..periods)
                    .filter_map(|period| {
                        let row = (place_no * periods + period) * groups + group;
                        match self.outcomes.get(row) {
                            Some(Pair {
                                outcome: Outcome::Gap(gap),
                                ..
                            }) => Some((period, gap)),
                            _ => None,
                        }
                    })
                    .collect();
                let (Some((first, one)), Some((last, other))) = (gaps.first(), gaps.last()) else {
                    continue;
                };
                if first == last {
                    continue;
                }
                let reasons = self.broken(*first, *last);
                let found = reasons.is_empty().then(|| trend(one, other));
                let code = |period: usize| {
                    asked
                        .periods
                        .get(period)
                        .and_then(|no| self.frozen.catalogue.period(*no))
                        .map_or_else(String::new, |period| period.code.clone())
                };
                trends.push(TrendOut {
                    kind: place.kind(),
                    code: place.code(),
                    label: place.label(&self.frozen).get(lang).to_owned(),
                    group: self.group_codes(group),
                    first_period: code(*first),
                    last_period: code(*last),
                    change: found.map(|(change, _)| change),
                    trend: found.map(|(_, trend)| trend),
                    trend_label: found
                        .map(|(_, trend)| labelled(&Trend::LIST, trend.as_str(), lang)),
                    reasons: explained(&reasons, lang),
                });
            }
        }
        trends
    }

    /// Why the gaps of two periods are not comparable with each other.
    fn broken(&self, first: usize, last: usize) -> Vec<Reason> {
        let asked = &self.question.asked;
        let period = |place: usize| {
            asked
                .periods
                .get(place)
                .and_then(|no| self.frozen.catalogue.period(*no))
        };
        let measure = asked.measure(&self.frozen, 0);
        let counted = measure.and_then(|measure| measure.counted(&self.frozen.catalogue));
        let Some((first, last)) = period(first).zip(period(last)) else {
            return Vec::new();
        };
        if first.first_day.is_none() || last.first_day.is_none() {
            return vec![Reason::DifferentUndatedPeriods];
        }
        let same = measure
            .into_iter()
            .chain(counted)
            .all(|measure| measure.segment(first) == measure.segment(last));
        if same {
            Vec::new()
        } else {
            vec![Reason::DifferentSeries]
        }
    }

    fn group_codes(&self, group: usize) -> Vec<String> {
        let splits = &self.question.asked.splits;
        let mut inner = splits.groups();
        let mut codes = Vec::new();
        for (dimension, split) in splits.each() {
            let size = split.groups.len().max(1);
            inner /= size;
            let place = group / inner.max(1) % size;
            if let Some(entry) = split.groups.get(place).filter(|_| split.shown) {
                codes.push(entry.code(dimension));
            }
        }
        codes
    }
}

fn explained(reasons: &[Reason], lang: Lang) -> Vec<ReasonOut> {
    reasons
        .iter()
        .map(|reason| ReasonOut::of(*reason, lang))
        .collect()
}
