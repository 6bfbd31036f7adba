//! An answer as a table, which every other format is written from.

use super::head::{empty_table, protection, sources, title};
use super::notes;
use crate::formats::table::{
    Category, Definition, Dimension as Column, Label, Metric, Role, Row, Table, Unit,
};
use crate::participation::codes::{MeasureKind, MeasureUnit};
use crate::statistics::codes::{Included, Reason};
use crate::statistics::deliver;
use crate::statistics::frozen::{Frozen, Measure};
use crate::statistics::query::{Place, Question};
use crate::statistics::rates::{self, Answer, Cell};

/// The unit that a measure is shown in.
#[must_use]
pub fn unit(measure: &Measure) -> Unit {
    Unit {
        label: of_code(
            MeasureUnit::LIST
                .codes
                .iter()
                .find(|code| code.code == measure.unit.as_str()),
        ),
        decimals: match measure.kind {
            MeasureKind::Share | MeasureKind::Change => 2,
            MeasureKind::Count | MeasureKind::Money | MeasureKind::Rank | MeasureKind::Flag => 0,
        },
    }
}

fn of_code(code: Option<&crate::values::Code>) -> Label {
    code.map_or_else(Label::default, |code| {
        Label::new(code.label_sv, code.label_en)
    })
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
        notes: notes::notes(frozen, question, answer.base),
        definitions: notes::measures(frozen, question)
            .into_iter()
            .map(|measure| Definition {
                term: Label::from(&measure.label),
                text: Label::from(&measure.definition),
            })
            .collect(),
        source: Label::same(from.join("; ")),
        protection: protection(answer.base).as_str(),
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

fn metrics(included: &[Included]) -> Vec<Metric> {
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
        rows.extend(
            cells
                .iter()
                .map(|cell| row(measure, is_share, cell, included)),
        );
    }
    rows
}

fn row(measure: &Measure, is_share: bool, cell: &Cell, included: &[Included]) -> Row {
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
        remark: remark(&cell.reasons),
    }
}

/// The reasons in one text; none without any.
#[must_use]
pub fn remark(reasons: &[Reason]) -> Option<Label> {
    if reasons.is_empty() {
        return None;
    }
    let labels: Vec<Label> = reasons
        .iter()
        .map(|reason| {
            of_code(
                Reason::LIST
                    .codes
                    .iter()
                    .find(|code| code.code == reason.as_str()),
            )
        })
        .collect();
    let joined = |pick: fn(&Label) -> &str| labels.iter().map(pick).collect::<Vec<_>>().join("; ");
    Some(Label::new(
        joined(|label| &label.sv),
        joined(|label| &label.en),
    ))
}
