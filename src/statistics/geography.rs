//! Where the areas of a publication lie, and when they exist.

use chrono::NaiveDate;

use super::codes::Level;
use super::frozen::{Area, Places};
use crate::problem::{Problem, text};

/// Areas nest four deep at most: district, municipality, county, country. A few more steps are allowed for districts
/// inside districts, and an endless chain ends.
const DEEPEST: usize = 8;

/// The area itself and those it lies in, from the finest to the country.
pub fn chain<'a>(places: &'a Places, code: &str) -> impl Iterator<Item = &'a Area> {
    std::iter::successors(places.area(code), |area| {
        places.area(area.parent.as_deref()?)
    })
    .take(DEEPEST)
}

/// The area at a level that `code` lies in, or the next wider one: a place that is no part of any municipality has
/// none, and stands for itself as the county or the country that it is of.
#[must_use]
pub fn at_level<'a>(places: &'a Places, code: &str, level: Level) -> Option<&'a Area> {
    chain(places, code).find(|area| area.level <= level)
}

/// The municipality that an area is or lies in; none for counties, the country, and districts of several cities.
#[must_use]
pub fn municipality<'a>(places: &'a Places, code: &str) -> Option<&'a Area> {
    chain(places, code).find(|area| area.level == Level::Municipality)
}

/// Whether an area is `within` or a part of it.
#[must_use]
pub fn inside(places: &Places, code: &str, within: &str) -> bool {
    chain(places, code).any(|area| area.code == within)
}

/// Whether the area exists on a day. A bound that is not known does not exclude.
#[must_use]
pub fn exists_on(area: &Area, day: NaiveDate) -> bool {
    area.valid_from.is_none_or(|from| from <= day) && area.valid_to.is_none_or(|to| day <= to)
}

/// The fault of an area that the publication does not know.
#[must_use]
pub fn unknown(parameter: &'static str, code: &str) -> Problem {
    Problem::parameter(
        parameter,
        "unknown_area",
        text(
            format!("Publiceringen känner inget område {code}."),
            format!("The publication knows no area {code}."),
        ),
    )
}

/// Hand-made areas for tests: two counties, three municipalities of which one ended with 2019, and two districts.
#[cfg(test)]
pub mod sample {
    use super::*;

    /// An area without bounds.
    #[must_use]
    pub fn area(code: &str, name: &str, parent: Option<&str>) -> Area {
        Area {
            code: code.to_owned(),
            name: name.to_owned(),
            level: Level::of(code),
            parent: parent.map(str::to_owned),
            scheme: "scb".to_owned(),
            valid_from: None,
            valid_to: None,
        }
    }

    /// The areas, sorted by code.
    #[must_use]
    pub fn places() -> Places {
        let mut old = area("1899", "Gamla", Some("18"));
        old.valid_to = NaiveDate::from_ymd_opt(2019, 12, 31);
        Places {
            areas: vec![
                area("14", "Västra Götalands län", Some("SE")),
                area("1480", "Göteborg", Some("14")),
                area("18", "Örebro län", Some("SE")),
                area("1880", "Örebro", Some("18")),
                area("1880-vivalla", "Vivalla", Some("1880")),
                area("1881", "Kumla", Some("18")),
                old,
                area("SE", "Sverige", None),
                area("SE-vissa-stadsdelar", "Vissa stadsdelar", Some("SE")),
            ],
            ..Places::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_district_lies_in_its_municipality_its_county_and_the_country() {
        let places = sample::places();
        let codes: Vec<&str> = chain(&places, "1880-vivalla")
            .map(|a| a.code.as_str())
            .collect();
        assert_eq!(codes, ["1880-vivalla", "1880", "18", "SE"]);
        assert!(inside(&places, "1880-vivalla", "18") && !inside(&places, "1480", "18"));
        assert!(chain(&places, "9999").next().is_none());
    }

    #[test]
    fn what_is_no_part_of_a_municipality_stands_for_the_wider_area() {
        let places = sample::places();
        let at = |code, level| at_level(&places, code, level).map(|a| a.code.clone());
        assert_eq!(
            at("1880-vivalla", Level::Municipality).as_deref(),
            Some("1880")
        );
        assert_eq!(at("18", Level::Municipality).as_deref(), Some("18"));
        assert_eq!(
            at("SE-vissa-stadsdelar", Level::Region).as_deref(),
            Some("SE")
        );
        assert!(municipality(&places, "SE-vissa-stadsdelar").is_none());
    }

    #[test]
    fn an_area_exists_on_its_last_day_and_not_on_the_next() {
        let places = sample::places();
        let old = places.area("1899").unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert!(exists_on(old, day("2019-12-31")) && !exists_on(old, day("2020-01-01")));
    }
}
