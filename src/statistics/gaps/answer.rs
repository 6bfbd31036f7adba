//! Gaps for people and programs: rows, trends, and the table that other formats are written from.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

use super::compare::{Gap, Outcome, Side, compare, trend};
use super::question::GapQuestion;
use super::words::{distance, reservation};
use crate::formats::beside::{Beside, Word};
use crate::formats::table::{Label, Metric, Row, Table, Unit};
use crate::http::lang::Lang;
use crate::participation::codes::Precision;
use crate::statistics::answer::head::{BreakOut, Head};
use crate::statistics::answer::rows::{
    CoverageOut, ReasonOut, RowDenominator, RowOut, labelled, plain, rows,
};
use crate::statistics::answer::table::{joined, labels, metrics, quoted};
use crate::statistics::answer::{notes, table_head, table_rows};
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
    frozen: Arc<Frozen>,
    question: GapQuestion,
    /// The numbers of both sides.
    answer: Answer,
    /// One for each row.
    outcomes: Vec<Pair>,
    /// What to show beside the shares.
    included: Vec<Included>,
}

/// Two numbers that were compared.
struct Pair {
    /// Place of the cell in the answer.
    own: usize,
    /// Place of the cell that it is compared with.
    other: usize,
    /// What it comes to.
    outcome: Outcome,
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
    fn own(&self) -> Answer {
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
        let own = self.own();
        let head = table_head(&self.frozen, &own, &[], &form.permanent_url);
        let cells = table_rows(&self.frozen, &self.answer, &self.included);
        let points = || Unit {
            label: Label::new("procentenheter", "percentage points"),
            decimals: 2,
        };
        let percent = || Unit {
            label: Label::new("procent", "percent"),
            decimals: 2,
        };
        Table {
            name: format!("gaps-{}", self.frozen.name),
            title: Label::new(
                format!("Gap: {}", head.title.sv),
                format!("Gaps: {}", head.title.en),
            ),
            metrics: [
                Metric::new("value", Label::new("Värde", "Value")),
                Metric::new("reference", Label::new("Jämförelse", "Reference")).of_unit(percent()),
                Metric::new("difference", Label::new("Skillnad", "Difference")).of_unit(points()),
                Metric::new("ratio", Label::new("Kvot", "Ratio")).of_unit(Unit {
                    label: Label::new("kvot", "ratio"),
                    decimals: 3,
                }),
                Metric::new("children", Label::new("Barn och unga", "Children")).of_unit(Unit {
                    label: Label::new("personer", "persons"),
                    decimals: 0,
                }),
            ]
            .into_iter()
            .chain(metrics(&self.included).into_iter().skip(1))
            .chain(metrics(&self.included).iter().skip(1).map(of_reference))
            .collect(),
            rows: self
                .outcomes
                .iter()
                .enumerate()
                .map(|(no, pair)| self.table_row(no, pair, &cells))
                .collect(),
            // As in the JSON, the breaks between the periods asked for and the one compared with are among them.
            notes: notes::of_table(&self.frozen, &own, &self.answer.question),
            beside: vec![Beside::new(
                "trends",
                Label::new("Förändring av gapen", "Change of the gaps"),
                &TREND_WORDS,
                &self.trends(form.lang),
            )],
            ..head
        }
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
    fn compared_with(&self, pair: &Pair) -> Option<&Cell> {
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
    fn sentence(&self, no: usize, gap: &Gap, pair: &Pair) -> Label {
        let said = distance(&self.reference_label(no), gap);
        match self.compared_with(pair).and_then(reservation) {
            None => said,
            Some(but) => Label::new(
                format!("{} {}", said.sv, but.sv),
                format!("{} {}", said.en, but.en),
            ),
        }
    }

    /// A row of the table; `cells` are all cells of both sides as rows.
    fn table_row(&self, no: usize, pair: &Pair, cells: &[Row]) -> Row {
        let own = cells.get(pair.own).cloned().unwrap_or_default();
        let (value, beside) = match own.values.split_first() {
            Some((value, beside)) => (*value, beside),
            None => (None, Default::default()),
        };
        let other = cells.get(pair.other).map(|row| row.values.iter().skip(1));
        let beside: Vec<Option<f64>> = beside
            .iter()
            .chain(other.into_iter().flatten())
            .copied()
            .collect();
        let (numbers, remarks): ([Option<f64>; 5], Vec<Label>) = match &pair.outcome {
            Outcome::NotComparable(reasons) => {
                return Row {
                    values: vec![None; 5 + beside.len()],
                    status: CellStatus::NotComparable.as_str(),
                    remark: joined(labels(reasons).collect()),
                };
            }
            Outcome::Gap(gap) => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "numbers of people are far below 2^53"
                )]
                let children = gap.children.map(|n| n as f64);
                let numbers = [
                    Some(gap.value),
                    Some(gap.reference),
                    Some(gap.difference),
                    gap.ratio,
                    children,
                ];
                let compared = self.compared_with(pair).map(quoted).unwrap_or_default();
                let compared = compared.into_iter().map(|said| {
                    Label::new(
                        format!("Jämförelsetalet: {}", said.sv),
                        format!("The reference: {}", said.en),
                    )
                });
                let sentence = self.sentence(no, gap, pair);
                (
                    numbers,
                    std::iter::once(sentence)
                        .chain(own.remark)
                        .chain(compared)
                        .collect(),
                )
            }
            Outcome::Missing => (
                [value, None, None, None, None],
                own.remark.into_iter().collect(),
            ),
            Outcome::NoReference => {
                let missing = labels(&[Reason::ReferenceMissing]).collect::<Vec<_>>();
                let remarks = own.remark.into_iter().chain(missing).collect();
                ([value, None, None, None, None], remarks)
            }
        };
        Row {
            values: numbers.into_iter().chain(beside).collect(),
            status: own.status,
            remark: joined(remarks),
        }
    }

    /// The first and the last gap of each place and group, where there are two.
    fn trends(&self, lang: Lang) -> Vec<TrendOut> {
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

/// The same number, of what is compared with.
fn of_reference(metric: &Metric) -> Metric {
    let (code, sv, en) = match metric.code {
        "numerator" => ("referenceNumerator", "täljare", "numerator"),
        "denominator" => ("referenceDenominator", "nämnare", "denominator"),
        "coverageReported" => (
            "referenceCoverageReported",
            "delar som rapporterat",
            "parts that have reported",
        ),
        _ => (
            "referenceCoverageExpected",
            "delar som finns",
            "parts there are",
        ),
    };
    Metric {
        code,
        label: Label::new(format!("Jämförelsens {sv}"), format!("Reference: {en}")),
        unit: metric.unit.clone(),
    }
}

/// What the members of a trend are called.
const TREND_WORDS: [Word; 10] = [
    ("kind", "Slag av plats", "Kind of place"),
    ("code", "Kod", "Code"),
    ("label", "Plats", "Place"),
    ("groupCodes", "Grupp", "Group"),
    ("firstPeriod", "Första period", "First period"),
    ("lastPeriod", "Sista period", "Last period"),
    (
        "change",
        "Förändring i procentenheter",
        "Change in percentage points",
    ),
    ("trend", "Riktning, kod", "Trend, code"),
    ("trendLabel", "Riktning", "Trend"),
    (
        "reasons",
        "Varför ingen förändring visas",
        "Why there is no change",
    ),
];
