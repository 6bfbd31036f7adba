//! An answer as a table, which every other format is written from.

use super::head::{empty_table, protection, sources, title};
use super::notes;
use crate::formats::table::{
    Category, Definition, Dimension as Column, Label, Metric, Role, Row, Table, Unit,
};
use crate::participation::codes::{MeasureKind, MeasureUnit, Precision};
use crate::statistics::blocks::Base;
use crate::statistics::codes::{Included, Origin, Reason};
use crate::statistics::deliver;
use crate::statistics::frozen::{Frozen, Measure};
use crate::statistics::query::{Place, Question};
use crate::statistics::rates::{self, Answer, Cell};
use crate::values::CodeList;

/// The unit that a measure is shown in.
#[must_use]
pub fn unit(measure: &Measure) -> Unit {
    Unit {
        label: code_label(&MeasureUnit::LIST, measure.unit.as_str()),
        decimals: match measure.kind {
            MeasureKind::Share | MeasureKind::Change => 2,
            MeasureKind::Count | MeasureKind::Money | MeasureKind::Rank | MeasureKind::Flag => 0,
        },
    }
}

/// A whole answer.
#[must_use]
pub fn table(
    frozen: &Frozen,
    answer: &Answer,
    included: &[Included],
    permanent_url: &str,
) -> Table {
    Table {
        rows: rows(frozen, answer, included),
        ..head(frozen, answer, included, permanent_url)
    }
}

/// An answer without its rows.
#[must_use]
pub fn head(frozen: &Frozen, answer: &Answer, included: &[Included], permanent_url: &str) -> Table {
    let question = &answer.question;
    let from: Vec<String> = sources(frozen, answer)
        .into_iter()
        .map(|source| format!("{}, {}", source.publisher, source.title))
        .collect();
    let title = title(frozen, question);
    Table {
        dimensions: dimensions(frozen, question),
        metrics: metrics(included),
        statuses: deliver::statuses(),
        notes: notes::of_table(frozen, answer, question),
        definitions: notes::measures(frozen, question)
            .into_iter()
            .map(|measure| Definition {
                term: Label::from(&measure.label),
                text: Label::from(&measure.definition),
            })
            .collect(),
        source: Label::same(from.join("; ")),
        protection: protection(answer.base).as_str(),
        unprotected: answer.base == Base::Raw,
        ..empty_table(frozen, "participation", title, permanent_url)
    }
}

fn dimensions(frozen: &Frozen, question: &Question) -> Vec<Column> {
    let measures = (0..question.measures.len())
        .filter_map(|no| question.measure(frozen, no))
        .map(|measure| {
            Category::new(&measure.code, Label::from(&measure.label)).of_unit(unit(measure))
        });
    let only_areas = question
        .places
        .iter()
        .all(|place| matches!(place, Place::Area(_)));
    let mut dimensions = vec![
        Column {
            code: "measure",
            label: Label::new("Mått", "Measure"),
            role: Role::Metric,
            categories: measures.collect(),
        },
        Column {
            code: if only_areas { "area" } else { "place" },
            label: if only_areas {
                Label::new("Område", "Area")
            } else {
                Label::new("Plats", "Place")
            },
            role: Role::Geo,
            categories: question
                .places
                .iter()
                .map(|place| Category::new(place.code(), place.label(frozen)))
                .collect(),
        },
        Column {
            code: "period",
            label: Label::new("Period", "Period"),
            role: Role::Time,
            categories: question
                .known_periods(frozen)
                .map(|period| Category::new(&period.code, Label::same(&period.code)))
                .collect(),
        },
    ];
    for (dimension, split) in question.splits.each() {
        if split.shown {
            dimensions.push(Column {
                code: dimension.as_str(),
                label: dimension.label(),
                role: Role::None,
                categories: split
                    .groups
                    .iter()
                    .map(|group| Category::new(group.code(dimension), group.label(dimension)))
                    .collect(),
            });
        }
    }
    dimensions
}

/// The numbers of each row: the value, and what was asked for beside it.
#[must_use]
pub fn metrics(included: &[Included]) -> Vec<Metric> {
    let counted = |sv: &str, en: &str| Unit {
        label: Label::new(sv, en),
        decimals: 0,
    };
    let mut metrics = vec![Metric::new("value", Label::new("Värde", "Value"))];
    if included.contains(&Included::Numerator) {
        metrics.push(
            Metric::new("numerator", Label::new("Täljare", "Numerator"))
                .of_unit(counted("antal", "number")),
        );
    }
    if included.contains(&Included::Denominator) {
        metrics.push(
            Metric::new("denominator", Label::new("Nämnare", "Denominator"))
                .of_unit(counted("invånare", "residents")),
        );
    }
    if included.contains(&Included::Coverage) {
        metrics.push(
            Metric::new(
                "coverageReported",
                Label::new("Delar som rapporterat", "Parts that have reported"),
            )
            .of_unit(counted("antal", "number")),
        );
        metrics.push(
            Metric::new(
                "coverageExpected",
                Label::new("Delar som finns", "Parts there are"),
            )
            .of_unit(counted("antal", "number")),
        );
    }
    metrics
}

/// The rows of an answer, or of a part of one.
#[must_use]
pub fn rows(frozen: &Frozen, answer: &Answer, included: &[Included]) -> Vec<Row> {
    let question = &answer.question;
    let of_one = question.places.len() * question.periods.len() * question.splits.groups();
    let mut rows = Vec::with_capacity(answer.cells.len());
    for (no, cells) in answer.cells.chunks(of_one.max(1)).enumerate() {
        let Some(measure) = question.measure(frozen, no) else {
            break;
        };
        let is_share = measure.is_computed_share(&frozen.catalogue);
        let broken = notes::broken(frozen, question, measure);
        let groups = question.splits.groups().max(1);
        rows.extend(cells.iter().enumerate().map(|(place, cell)| {
            let period = place / groups % question.periods.len().max(1);
            let broken = broken.get(period).and_then(Option::as_ref);
            row(measure, is_share, cell, broken, included)
        }));
    }
    rows
}

fn row(
    measure: &Measure,
    is_share: bool,
    cell: &Cell,
    broken: Option<&Label>,
    included: &[Included],
) -> Row {
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of people are far below 2^53"
    )]
    let number = |value: Option<i64>| value.map(|value| value as f64);
    let part = |part: fn(&rates::Coverage) -> i32| cell.coverage.as_ref().map(part).map(f64::from);
    let mut values = vec![rates::shown(measure, cell)];
    if included.contains(&Included::Numerator) {
        values.push(number(cell.numerator.filter(|_| is_share)));
    }
    if included.contains(&Included::Denominator) {
        values.push(number(cell.denominator));
    }
    if included.contains(&Included::Coverage) {
        values.push(part(|coverage| coverage.reported));
        values.push(part(|coverage| coverage.expected));
    }
    Row {
        values,
        status: cell.status.as_str(),
        remark: joined(
            quoted(cell)
                .into_iter()
                .chain(labels(&cell.reasons))
                .chain(broken.cloned())
                .collect(),
        ),
    }
}

/// What is to be said of a number that a source has published and nobody has computed.
#[must_use]
pub fn quoted(cell: &Cell) -> Vec<Label> {
    if cell.origin != Some(Origin::Published) {
        return Vec::new();
    }
    let origin = code_label(&Origin::LIST, Origin::Published.as_str());
    let precision = cell
        .precision
        .filter(|precision| *precision != Precision::Exact)
        .map(|precision| code_label(&Precision::LIST, precision.as_str()));
    std::iter::once(origin).chain(precision).collect()
}

fn code_label(list: &CodeList, code: &str) -> Label {
    list.find(code).map_or_else(Label::default, |code| {
        Label::new(code.label_sv, code.label_en)
    })
}

/// The reasons for people, one by one.
pub fn labels(reasons: &[Reason]) -> impl Iterator<Item = Label> + '_ {
    let label = |reason: &Reason| code_label(&Reason::LIST, reason.as_str());
    reasons.iter().map(label)
}

/// Remarks in one text; none without any.
#[must_use]
pub fn joined(labels: Vec<Label>) -> Option<Label> {
    if labels.is_empty() {
        return None;
    }
    let joined = |pick: fn(&Label) -> &str| {
        labels.iter().map(pick).fold(String::new(), |before, next| {
            let joint = match before.chars().next_back() {
                None => "",
                Some('.') => " ",
                Some(_) => "; ",
            };
            format!("{before}{joint}{next}")
        })
    };
    Some(Label::new(
        joined(|label| &label.sv),
        joined(|label| &label.en),
    ))
}
