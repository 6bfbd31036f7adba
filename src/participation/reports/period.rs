//! The days of a period.

use chrono::NaiveDate;

use crate::participation::codes::PeriodKind;
use crate::participation::rules::broken;
use crate::problem::{Fault, text};

/// First and last day.
pub type Days = (NaiveDate, NaiveDate);

/// The days that a year, school year or term has by its name: a school year lasts from 1 July to 30 June, the spring
/// term (VT) to 30 June, the autumn term (HT) from 1 July. None of the other kinds, and none for a name of another form.
#[must_use]
pub fn span(kind: PeriodKind, period: &str) -> Option<Days> {
    let (first, (month, day), last, (last_month, last_day)) = match kind {
        PeriodKind::Year => (year(period)?, (1, 1), year(period)?, (12, 31)),
        PeriodKind::SchoolYear => {
            let (first, last) = period.split_once('/')?;
            let (first, last) = (year(first)?, year(last)?);
            if last != first + 1 {
                return None;
            }
            (first, (7, 1), last, (6, 30))
        }
        PeriodKind::Term => match period.split_at_checked(4)? {
            (name, "VT") => (year(name)?, (1, 1), year(name)?, (6, 30)),
            (name, "HT") => (year(name)?, (7, 1), year(name)?, (12, 31)),
            _ => return None,
        },
        PeriodKind::Range | PeriodKind::Undated => return None,
    };
    NaiveDate::from_ymd_opt(first, month, day)
        .zip(NaiveDate::from_ymd_opt(last, last_month, last_day))
}

fn year(text: &str) -> Option<i32> {
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits
        .then(|| text.parse().ok())?
        .filter(|year| (1..=9999).contains(year))
}

/// The days of a report's period: the given ones, or else those of [`span`]. A given day must lie in the span, where
/// there is one; a school year may well begin in August.
///
/// # Errors
/// The fault: a period of another form than its kind, a day outside it, or days where none or both are wanted.
pub fn days(
    kind: PeriodKind,
    period: &str,
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
) -> Result<Option<Days>, Fault> {
    match (kind, first, last) {
        (PeriodKind::Undated, None, None) => Ok(None),
        (PeriodKind::Range, Some(first), Some(last)) => Ok(Some((first, last))),
        (PeriodKind::Undated | PeriodKind::Range, ..) => Err(broken("report_days_given", "")),
        _ => {
            let span = span(kind, period).ok_or_else(|| broken("report_period_fits_kind", ""))?;
            let inside = |day: NaiveDate| span.0 <= day && day <= span.1;
            let (first, last) = (first.unwrap_or(span.0), last.unwrap_or(span.1));
            match (inside(first), inside(last)) {
                (true, true) => Ok(Some((first, last))),
                (false, _) => Err(outside("/firstDay", span)),
                (true, false) => Err(outside("/lastDay", span)),
            }
        }
    }
}

fn outside(pointer: &str, (first, last): Days) -> Fault {
    Fault::at(
        pointer,
        "report_day_outside_period",
        text(
            format!("Dagen ligger utanför perioden {first}–{last}."),
            format!("The day lies outside the period {first}–{last}."),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case(PeriodKind::Year, "2022", Some(("2022-01-01", "2022-12-31")))]
    #[case(PeriodKind::SchoolYear, "2022/2023", Some(("2022-07-01", "2023-06-30")))]
    #[case(PeriodKind::SchoolYear, "2022/2024", None)]
    #[case(PeriodKind::Term, "2022VT", Some(("2022-01-01", "2022-06-30")))]
    #[case(PeriodKind::Term, "2022HT", Some(("2022-07-01", "2022-12-31")))]
    #[case(PeriodKind::Term, "2022XT", None)]
    #[case(PeriodKind::Term, "åååå", None)]
    #[case(PeriodKind::Year, "0000", None)]
    #[case(PeriodKind::Year, "+202", None)]
    #[case(PeriodKind::Range, "2013-2016", None)]
    fn a_period_has_the_days_of_its_name(
        #[case] kind: PeriodKind,
        #[case] period: &str,
        #[case] expected: Option<(&str, &str)>,
    ) {
        assert_eq!(
            span(kind, period),
            expected.map(|(first, last)| (day(first), day(last)))
        );
    }

    #[rstest]
    #[case::derived(PeriodKind::Year, "2022", None, None, Ok(Some(("2022-01-01", "2022-12-31"))))]
    #[case::august(PeriodKind::SchoolYear, "2022/2023", Some("2022-08-15"), None, Ok(Some(("2022-08-15", "2023-06-30"))))]
    #[case::outside(
        PeriodKind::Year,
        "2022",
        None,
        Some("2023-01-01"),
        Err("report_day_outside_period")
    )]
    #[case::form(PeriodKind::Year, "22", None, None, Err("report_period_fits_kind"))]
    #[case::range_needs_both(
        PeriodKind::Range,
        "2013-2016",
        Some("2013-01-01"),
        None,
        Err("report_days_given")
    )]
    #[case::undated_has_none(
        PeriodKind::Undated,
        "på webben",
        Some("2013-01-01"),
        None,
        Err("report_days_given")
    )]
    #[case::undated(PeriodKind::Undated, "på webben", None, None, Ok(None))]
    fn days_are_given_or_derived(
        #[case] kind: PeriodKind,
        #[case] period: &str,
        #[case] first: Option<&str>,
        #[case] last: Option<&str>,
        #[case] expected: Result<Option<(&str, &str)>, &str>,
    ) {
        match (days(kind, period, first.map(day), last.map(day)), expected) {
            (Ok(days), Ok(expected)) => {
                assert_eq!(days, expected.map(|(first, last)| (day(first), day(last))));
            }
            (Err(fault), Err(code)) => {
                let fault = format!("{fault:?}");
                assert!(fault.contains(code), "{fault}");
            }
            (answer, expected) => panic!("{answer:?} instead of {expected:?}"),
        }
    }
}
