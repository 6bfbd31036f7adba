//! A calendar day as clients write it.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize};

/// A day, `YYYY-MM-DD` (RFC 3339 full-date) of the years 0001–9999.
///
/// chrono also reads years far outside of that, and single digits: PostgreSQL's dates do not reach so far back, and
/// the document promises RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Day(NaiveDate);

/// A text that is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDay;

impl fmt::Display for NoDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a day, YYYY-MM-DD")
    }
}

impl std::error::Error for NoDay {}

impl Day {
    /// The date.
    #[must_use]
    pub const fn date(self) -> NaiveDate {
        self.0
    }

    /// Takes a date that was read back from the database.
    #[must_use]
    pub const fn trusted(date: NaiveDate) -> Self {
        Self(date)
    }

    /// The month of the day, `YYYY-MM`.
    #[must_use]
    pub fn month(self) -> String {
        self.0.format("%Y-%m").to_string()
    }
}

impl FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        text.parse::<NaiveDate>()
            .ok()
            .filter(|date| (1..=9999).contains(&date.year()) && date.to_string() == text)
            .map(Self)
            .ok_or(NoDay)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-01-31", true)]
    #[case("0001-01-01", true)]
    #[case("2026-02-29", false)]
    #[case("2026-1-31", false)]
    #[case("2026-1-031", false)]
    #[case("0000-01-01", false)]
    #[case("+12026-01-01", false)]
    #[case("-999-01-01", false)]
    #[case("+9999-1-01", false)]
    #[case("12026-01-01", false)]
    #[case("2026-01", false)]
    fn days_are_written_in_full(#[case] given: &str, #[case] good: bool) {
        assert_eq!(given.parse::<Day>().is_ok(), good, "{given}");
    }

    #[test]
    fn a_day_has_a_month() {
        assert_eq!(
            "2017-02-28".parse::<Day>().map(Day::month).as_deref(),
            Ok("2017-02")
        );
    }
}
