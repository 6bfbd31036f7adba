//! Whether two numbers mean the same, and how far one is from the other.
//!
//! A share is comparable with another only if both count the same, of the same, at the same ages, by the same place and
//! in the same series. Where a source does not say what its share is of, only its own numbers are comparable with each
//! other. Everything else has no gap but a reason.

use crate::participation::codes::Denominator;
use crate::statistics::codes::{Direction, Reason, Trend};
use crate::statistics::frozen::{Frozen, Measure, Period};
use crate::statistics::rates::{Cell, shown};

/// A number with what it means.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The measure.
    pub measure: &'a Measure,
    /// By which place people are counted.
    pub basis: &'a str,
    /// When.
    pub period: &'a Period,
    /// The number.
    pub cell: &'a Cell,
}

/// The distance between two comparable numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The number.
    pub value: f64,
    /// The one it is compared with.
    pub reference: f64,
    /// `value − reference`, in percentage points, of the numbers as they are shown.
    pub difference: f64,
    /// `value ÷ reference`; none if the reference is 0.
    pub ratio: Option<f64>,
    /// Below, above or equal.
    pub direction: Direction,
    /// How many persons the difference stands for: so many more (below) or fewer (above) would have to take part for
    /// the same share. None where the residents are not known.
    pub children: Option<i64>,
}

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A distance.
    Gap(Gap),
    /// The numbers mean different things.
    NotComparable(Vec<Reason>),
    /// The number is missing.
    Missing,
    /// The number is there; the one to compare it with is missing.
    NoReference,
}

/// Compares two numbers.
#[must_use]
pub fn compare(frozen: &Frozen, side: Side<'_>, reference: Side<'_>) -> Outcome {
    let reasons = incomparable(frozen, side, reference);
    if !reasons.is_empty() {
        return Outcome::NotComparable(reasons);
    }
    let Some(value) = shown(side.measure, side.cell) else {
        return Outcome::Missing;
    };
    let Some(compared) = shown(reference.measure, reference.cell) else {
        return Outcome::NoReference;
    };
    let difference = round(value - compared, 2);
    let direction = match difference {
        d if d < 0.0 => Direction::Below,
        d if d > 0.0 => Direction::Above,
        _ => Direction::Equal,
    };
    Outcome::Gap(Gap {
        value,
        reference: compared,
        difference,
        ratio: (compared != 0.0).then(|| round(value / compared, 3)),
        direction,
        // Numbers that are equal as they are shown are equal, whatever lies behind the decimals.
        children: children(side.cell, reference.cell)
            .map(|n| if direction == Direction::Equal { 0 } else { n }),
    })
}

/// Why two numbers are not comparable; empty if they are.
fn incomparable(frozen: &Frozen, side: Side<'_>, reference: Side<'_>) -> Vec<Reason> {
    let (a, b) = (side.measure, reference.measure);
    let mut reasons = Vec::new();
    let mut unless = |same: bool, reason: Reason| {
        if !same {
            reasons.push(reason);
        }
    };
    unless(a.numerator == b.numerator, Reason::DifferentNumerator);
    unless(a.denominator == b.denominator, Reason::DifferentDenominator);
    unless(
        a.denominator_ages == b.denominator_ages,
        Reason::DifferentAges,
    );
    unless(side.basis == reference.basis, Reason::DifferentBasis);
    if a.code != b.code && reasons.is_empty() {
        reasons.push(Reason::DifferentMeasure);
    }
    if side.period != reference.period {
        if side.period.first_day.is_none() || reference.period.first_day.is_none() {
            reasons.push(Reason::DifferentUndatedPeriods);
        } else if segments(frozen, a, side.period) != segments(frozen, b, reference.period) {
            reasons.push(Reason::DifferentSeries);
        }
    }
    let unstated = [a, b]
        .iter()
        .any(|measure| measure.denominator == Some(Denominator::NotStated));
    if unstated
        && let (Some(one), Some(other)) = (side.cell.source, reference.cell.source)
        && one != other
    {
        reasons.push(Reason::DifferentSources);
    }
    reasons
}

/// The series that a number belongs to: of the measure itself and of what it counts.
fn segments(frozen: &Frozen, measure: &Measure, period: &Period) -> (Option<usize>, Option<usize>) {
    let numerator = measure
        .numerator
        .as_deref()
        .and_then(|code| frozen.catalogue.measure(code));
    (
        measure.segment(period),
        numerator.and_then(|numerator| numerator.segment(period)),
    )
}

/// `reference share × residents − numerator`, upwards: half a child does not take part.
fn children(cell: &Cell, reference: &Cell) -> Option<i64> {
    let (numerator, residents) = cell.numerator.zip(cell.denominator)?;
    let share = reference.value?;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "numbers of people are far below 2^53"
    )]
    let lacking = (share / 100.0 * residents as f64 - numerator as f64)
        .abs()
        .ceil() as i64;
    Some(lacking)
}

/// How a gap changed between two periods of one series: by the sizes of the differences as they are shown.
#[must_use]
pub fn trend(first: &Gap, last: &Gap) -> (f64, Trend) {
    let change = round(last.difference.abs() - first.difference.abs(), 2);
    let trend = match change {
        c if c < 0.0 => Trend::Narrowing,
        c if c > 0.0 => Trend::Widening,
        _ => Trend::Unchanged,
    };
    (change, trend)
}

/// Rounds half away from zero; a negative zero becomes a plain one.
fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::participation::codes::{MeasureKind, MeasureUnit, PeriodKind};
    use crate::statistics::codes::CellStatus;
    use crate::statistics::cube::Additive;
    use crate::statistics::frozen::{Both, Break};
    use crate::statistics::query::tests::empty;

    fn share(code: &str, numerator: &str, denominator: Denominator, ages: Option<&str>) -> Measure {
        Measure {
            code: code.to_owned(),
            kind: MeasureKind::Share,
            unit: MeasureUnit::Percent,
            label: Both::default(),
            definition: Both::default(),
            numerator: Some(numerator.to_owned()),
            denominator: Some(denominator),
            denominator_ages: ages.map(str::to_owned),
            source_url: None,
            additive: Additive {
                subjects: false,
                forms: false,
            },
            bases: Vec::new(),
            counted: false,
            breaks: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn pupils_share() -> Measure {
        let residents = Denominator::Residents;
        share("pupils_share", "pupils", residents, Some("6-19"))
    }

    fn year(year: i32) -> Period {
        Period {
            kind: PeriodKind::Year,
            code: year.to_string(),
            first_day: NaiveDate::from_ymd_opt(year, 1, 1),
            last_day: NaiveDate::from_ymd_opt(year, 12, 31),
        }
    }

    fn cell(value: f64, source: Option<i16>) -> Cell {
        Cell {
            value: Some(value),
            status: CellStatus::Reported,
            source,
            ..Cell::default()
        }
    }

    fn side<'a>(measure: &'a Measure, period: &'a Period, cell: &'a Cell) -> Side<'a> {
        Side {
            measure,
            basis: "not_stated",
            period,
            cell,
        }
    }

    #[test]
    fn two_percent_compares_with_fourteen_of_the_same_page_and_neither_with_ten_and_a_half() {
        let frozen = empty();
        let unstated = share("published", "unstated", Denominator::NotStated, None);
        let pupils = pupils_share();
        let when = year(2018);
        let (two, fourteen, other) = (cell(2.0, Some(0)), cell(14.0, Some(0)), cell(14.0, Some(1)));
        let Outcome::Gap(gap) = compare(
            &frozen,
            side(&unstated, &when, &two),
            side(&unstated, &when, &fourteen),
        ) else {
            panic!("not comparable");
        };
        assert!((gap.difference - -12.0).abs() < 1e-9);
        assert_eq!(gap.ratio, Some(0.143));
        assert_eq!((gap.direction, gap.children), (Direction::Below, None));
        assert_eq!(
            compare(
                &frozen,
                side(&unstated, &when, &two),
                side(&unstated, &when, &other)
            ),
            Outcome::NotComparable(vec![Reason::DifferentSources])
        );
        let half = cell(10.5, Some(2));
        let Outcome::NotComparable(reasons) = compare(
            &frozen,
            side(&unstated, &when, &fourteen),
            side(&pupils, &when, &half),
        ) else {
            panic!("compared");
        };
        assert!(reasons.starts_with(&[
            Reason::DifferentNumerator,
            Reason::DifferentDenominator,
            Reason::DifferentAges
        ]));
    }

    #[test]
    fn a_break_between_two_periods_makes_them_incomparable() {
        let frozen = empty();
        let mut pupils = pupils_share();
        pupils.breaks.push(Break {
            first_period: "2018".to_owned(),
            reason: Both::default(),
            source_url: None,
        });
        let (before, after, later) = (year(2017), year(2018), year(2020));
        let number = cell(10.0, None);
        let compared = |a: &Period, b: &Period| {
            compare(
                &frozen,
                side(&pupils, a, &number),
                side(&pupils, b, &number),
            )
        };
        assert_eq!(
            compared(&before, &after),
            Outcome::NotComparable(vec![Reason::DifferentSeries])
        );
        assert!(matches!(compared(&after, &later), Outcome::Gap(_)));
    }

    #[test]
    fn a_number_that_has_nothing_to_be_compared_with_is_not_the_one_that_is_missing() {
        let frozen = empty();
        let pupils = pupils_share();
        let when = year(2024);
        let (there, gone) = (cell(10.0, None), Cell::of(CellStatus::NoDenominator));
        let compared = |own: &Cell, other: &Cell| {
            compare(
                &frozen,
                side(&pupils, &when, own),
                side(&pupils, &when, other),
            )
        };
        assert_eq!(compared(&there, &gone), Outcome::NoReference);
        assert_eq!(compared(&gone, &there), Outcome::Missing);
        assert_eq!(compared(&gone, &gone), Outcome::Missing);
    }

    #[test]
    fn numbers_that_are_shown_as_equal_lack_nobody() {
        let frozen = empty();
        let pupils = pupils_share();
        let when = year(2024);
        let own = Cell {
            numerator: Some(1_000),
            denominator: Some(10_001),
            ..cell(9.999, None)
        };
        let other = cell(9.998, None);
        let Outcome::Gap(gap) = compare(
            &frozen,
            side(&pupils, &when, &own),
            side(&pupils, &when, &other),
        ) else {
            panic!("no gap");
        };
        assert_eq!((gap.direction, gap.children), (Direction::Equal, Some(0)));
    }

    #[test]
    fn the_children_behind_a_gap_are_counted_upwards() {
        // 120 of 3 000 are 4 %; 17.75 % of 3 000 are 532.5, so 412.5 are lacking: 413.
        let own = Cell {
            numerator: Some(120),
            denominator: Some(3_000),
            ..cell(4.0, None)
        };
        assert_eq!(children(&own, &cell(17.75, None)), Some(413));
        assert_eq!(children(&own, &cell(4.0, None)), Some(0));
        assert_eq!(children(&cell(2.0, Some(0)), &cell(14.0, Some(0))), None);
    }
}
