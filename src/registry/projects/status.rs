//! Where a project stands in time: derived from its months and the day of asking, never stored.
//!
//! A month is `YYYY-MM` and belongs to the project whole, the last one too. The present month is that of UTC.
//! Sources publish a time status of their own now and then; it is kept apart from the one that is computed here.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::db::fragment::{Bind, Condition};
use crate::registry::codes::ProjectStatus;

/// The month of a moment, as projects write theirs.
#[must_use]
pub fn month_of(now: DateTime<Utc>) -> String {
    now.format("%Y-%m").to_string()
}

/// The status in `month`. Undated is what the months do not tell: a project without a start that has not ended.
/// One without an end is ongoing from its start on. The same rule in SQL is [`condition`].
#[must_use]
pub fn status(start: Option<&str>, end: Option<&str>, month: &str) -> ProjectStatus {
    if end.is_some_and(|end| end < month) {
        return ProjectStatus::Ended;
    }
    match start {
        Some(start) if start > month => ProjectStatus::Planned,
        Some(_) => ProjectStatus::Ongoing,
        None => ProjectStatus::Undated,
    }
}

/// The projects whose [`status`] in `month` is one of these.
#[must_use]
pub fn condition(statuses: &[ProjectStatus], month: &str) -> Condition {
    let codes: Vec<String> = statuses.iter().map(ProjectStatus::to_string).collect();
    Condition::with(
        "(CASE WHEN end_month < ? THEN 'ended' WHEN start_month > ? THEN 'planned' \
         WHEN start_month IS NOT NULL THEN 'ongoing' ELSE 'undated' END = ANY (?))",
        [Bind::from(month), Bind::from(month), Bind::from(codes)],
    )
}

/// The share of the project's time that has passed in `month`, in percent, rounded, 0–100.
///
/// Elapsed months / all months, both counted with the first and the last one; a month that has started counts whole.
/// Example: 2019-03 to 2022-03 is 37 months; in April 2020 the 14th of them has started: 14 / 37 = 38 %.
/// In its last month a project thus has reached 100 %. Null if a missing month keeps it from being known; what has
/// ended has 100 % and what is planned 0 % whichever other month is missing. Arvsfonden publishes a time status for its
/// projects without saying how it counts; that it is the share of months is our reading of it.
#[must_use]
pub fn time_status_percent(start: Option<&str>, end: Option<&str>, month: &str) -> Option<i32> {
    match status(start, end, month) {
        ProjectStatus::Ended => Some(100),
        ProjectStatus::Planned => Some(0),
        ProjectStatus::Undated => None,
        ProjectStatus::Ongoing => {
            let start = number(start?)?;
            let all = number(end?)? - start + 1;
            let elapsed = number(month)? - start + 1;
            (all > 0).then(|| (200 * elapsed + all) / (2 * all))
        }
    }
}

/// Brings the status of a kept answer to that of a month.
pub fn recall(row: &mut Value, month: &str) {
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let (start, end) = (text("startMonth"), text("endMonth"));
    let status = status(start.as_deref(), end.as_deref(), month);
    let percent = time_status_percent(start.as_deref(), end.as_deref(), month);
    if let Some(row) = row.as_object_mut() {
        row.insert("status".to_owned(), status.as_str().into());
        row.insert("timeStatusPercent".to_owned(), percent.into());
    }
}

/// Months since the year 0.
fn number(month: &str) -> Option<i32> {
    let (year, month) = month.split_once('-')?;
    Some(12 * year.parse::<i32>().ok()? + month.parse::<i32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProjectStatus::{Ended, Ongoing, Planned, Undated};
    use rstest::rstest;

    #[rstest]
    #[case::the_documented_example(Some("2019-03"), Some("2022-03"), "2020-04", Ongoing, Some(38))]
    #[case::month_before(Some("2017-12"), Some("2021-02"), "2017-11", Planned, Some(0))]
    #[case::first_month(Some("2017-12"), Some("2021-02"), "2017-12", Ongoing, Some(3))]
    #[case::over_new_year(Some("2017-12"), Some("2021-02"), "2018-01", Ongoing, Some(5))]
    #[case::month_before_the_last(Some("2017-12"), Some("2021-02"), "2021-01", Ongoing, Some(97))]
    #[case::last_month(Some("2017-12"), Some("2021-02"), "2021-02", Ongoing, Some(100))]
    #[case::month_after(Some("2017-12"), Some("2021-02"), "2021-03", Ended, Some(100))]
    #[case::half_is_rounded_up(Some("2026-01"), Some("2026-08"), "2026-01", Ongoing, Some(13))]
    #[case::one_month(Some("2026-05"), Some("2026-05"), "2026-05", Ongoing, Some(100))]
    #[case::no_end(Some("2017-12"), None, "2026-11", Ongoing, None)]
    #[case::no_end_planned(Some("2027-01"), None, "2026-11", Planned, Some(0))]
    #[case::no_start_ended(None, Some("2021-02"), "2021-03", Ended, Some(100))]
    #[case::no_start_not_ended(None, Some("2021-02"), "2021-02", Undated, None)]
    #[case::no_months(None, None, "2026-11", Undated, None)]
    fn where_a_project_stands(
        #[case] start: Option<&str>,
        #[case] end: Option<&str>,
        #[case] month: &str,
        #[case] expected: ProjectStatus,
        #[case] percent: Option<i32>,
    ) {
        assert_eq!(
            (
                status(start, end, month),
                time_status_percent(start, end, month)
            ),
            (expected, percent)
        );
    }

    #[test]
    fn the_month_of_a_moment_is_that_of_utc() {
        let last_second = "2026-11-30T23:59:59Z".parse().unwrap();
        assert_eq!(month_of(last_second), "2026-11");
    }
}
