//! Gaps as a table, which every format but JSON rows is written from.

use super::answer::{Compared, Pair};
use super::compare::Outcome;
use crate::formats::beside::{Beside, Word};
use crate::formats::table::{Label, Metric, Row, Table, Unit};
use crate::statistics::answer::table::{joined, labels, metrics, quoted};
use crate::statistics::answer::{notes, table_head, table_rows};
use crate::statistics::codes::{CellStatus, Reason};
use crate::statistics::deliver::Form;

/// The table of compared numbers.
pub(super) fn of(compared: &Compared, form: &Form) -> Table {
    let own = compared.own();
    let head = table_head(&compared.frozen, &own, &[], &form.permanent_url);
    let cells = table_rows(&compared.frozen, &compared.answer, &compared.included);
    let points = || Unit {
        label: Label::new("procentenheter", "percentage points"),
        decimals: 2,
    };
    let percent = || Unit {
        label: Label::new("procent", "percent"),
        decimals: 2,
    };
    Table {
        name: format!("gaps-{}", compared.frozen.name),
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
        .chain(metrics(&compared.included).into_iter().skip(1))
        .chain(metrics(&compared.included).iter().skip(1).map(of_reference))
        .collect(),
        rows: compared
            .outcomes
            .iter()
            .enumerate()
            .map(|(no, pair)| row(compared, no, pair, &cells))
            .collect(),
        // As in the JSON, the breaks between the periods asked for and the one compared with are among them.
        notes: notes::of_table(&compared.frozen, &own, &compared.answer.question),
        beside: vec![Beside::new(
            "trends",
            Label::new("Förändring av gapen", "Change of the gaps"),
            &TREND_WORDS,
            &compared.trends(form.lang),
        )],
        ..head
    }
}

/// A row of the table; `cells` are all cells of both sides as rows.
fn row(compared: &Compared, no: usize, pair: &Pair, cells: &[Row]) -> Row {
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
            let reference = compared.compared_with(pair).map(quoted).and_then(joined);
            let reference = reference.map(|said| {
                Label::new(
                    format!("Jämförelsetalet: {}", said.sv),
                    format!("The reference: {}", said.en),
                )
            });
            let sentence = compared.sentence(no, gap, pair);
            (
                numbers,
                std::iter::once(sentence)
                    .chain(own.remark)
                    .chain(reference)
                    .collect(),
            )
        }
        Outcome::Missing => {
            let reference = cells.get(pair.other).and_then(|row| row.values.first());
            (
                [value, reference.copied().flatten(), None, None, None],
                own.remark.into_iter().collect(),
            )
        }
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
