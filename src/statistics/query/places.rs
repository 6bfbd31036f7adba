//! The places that a question asks for: areas, and groups of municipalities that change over time.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use super::asked::{Asked, unknown};
use crate::formats::table::Label;
use crate::problem::{ApiResult, text};
use crate::registry::codes::PartnerCategory;
use crate::statistics::codes::Level;
use crate::statistics::frozen::{Area, Frozen, Partnership, Period};

/// A place that has numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// An area; its block holds the sum of its parts.
    Area(String),
    /// A regional collaboration: its members on the last day of the period.
    Collaboration(Uuid),
    /// The municipalities that work with a partner of this category in the period.
    Category(String),
    /// Municipalities chosen to compare with, taken together.
    Peers(Vec<String>),
}

impl Place {
    /// The member of a row that names it: `area`, `collaboration`, `partnerCategory`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Area(_) => "area",
            Self::Collaboration(_) => "collaboration",
            Self::Category(_) => "partnerCategory",
            Self::Peers(_) => "peers",
        }
    }

    /// Its code, id or category.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::Area(code) | Self::Category(code) => code.clone(),
            Self::Collaboration(id) => id.to_string(),
            Self::Peers(codes) => codes.join(","),
        }
    }

    /// What people read.
    #[must_use]
    pub fn label(&self, frozen: &Frozen) -> Label {
        match self {
            Self::Area(code) => frozen
                .places
                .area(code)
                .map_or_else(|| Label::same(code), |area| Label::same(&area.name)),
            Self::Collaboration(id) => frozen
                .places
                .collaborations
                .iter()
                .find(|known| known.id == *id)
                .map_or_else(
                    || Label::same(id.to_string()),
                    |known| Label::same(&known.name),
                ),
            Self::Category(code) => PartnerCategory::LIST
                .codes
                .iter()
                .find(|known| known.code == code)
                .map_or_else(
                    || Label::same(code),
                    |known| Label::new(known.label_sv, known.label_en),
                ),
            Self::Peers(codes) => {
                let names: Vec<&str> = codes
                    .iter()
                    .map(|code| {
                        frozen
                            .places
                            .area(code)
                            .map_or(code.as_str(), |area| area.name.as_str())
                    })
                    .collect();
                Label::same(names.join(", "))
            }
        }
    }

    /// The level of the blocks that its numbers are sums of.
    #[must_use]
    pub fn level(&self, frozen: &Frozen) -> Level {
        match self {
            Self::Area(code) => frozen
                .places
                .area(code)
                .map_or_else(|| Level::of(code), |area| area.level),
            Self::Collaboration(_) | Self::Category(_) | Self::Peers(_) => Level::Municipality,
        }
    }

    /// The areas whose blocks are summed: the area itself, or the municipalities of the group in the period.
    #[must_use]
    pub fn members<'f>(&'f self, frozen: &'f Frozen, period: &Period) -> Vec<&'f str> {
        match self {
            Self::Area(code) => vec![code],
            Self::Collaboration(id) => {
                let found = frozen
                    .places
                    .collaborations
                    .iter()
                    .find(|known| known.id == *id);
                let members: BTreeSet<&str> = found
                    .into_iter()
                    .flat_map(|known| known.members_on(period.last_day))
                    .collect();
                members.into_iter().collect()
            }
            Self::Peers(codes) => codes.iter().map(String::as_str).collect(),
            Self::Category(category) => {
                working_with(frozen, category, period).into_iter().collect()
            }
        }
    }
}

/// The municipalities that have a partnership with a partner of the category in the period. A partnership without
/// months of its own has those of its project; one without any is taken to last.
fn working_with<'f>(frozen: &'f Frozen, category: &str, period: &Period) -> BTreeSet<&'f str> {
    let network = &frozen.network;
    let in_period = |partnership: &Partnership| {
        let project = partnership
            .project
            .and_then(|place| network.projects.get(place));
        let from = partnership
            .from
            .as_deref()
            .or_else(|| project.and_then(|project| project.start_month.as_deref()));
        let to = partnership
            .to
            .as_deref()
            .or_else(|| project.and_then(|project| project.end_month.as_deref()));
        // `2017-12` sorts as text.
        let month = |day: NaiveDate| format!("{:04}-{:02}", day.year(), day.month());
        match (period.first_day.map(month), period.last_day.map(month)) {
            (Some(first), Some(last)) => {
                from.is_none_or(|from| from <= last.as_str())
                    && to.is_none_or(|to| first.as_str() <= to)
            }
            _ => to.is_none(),
        }
    };
    network
        .partnerships
        .iter()
        .filter(|partnership| {
            network
                .partners
                .get(partnership.partner)
                .is_some_and(|partner| partner.category == category)
                && in_period(partnership)
        })
        .filter_map(|partnership| municipality_of(&partnership.area))
        .collect()
}

/// The municipality that an area is or lies in; counties and the country lie in none.
fn municipality_of(area: &str) -> Option<&str> {
    let code = area.get(..4)?;
    (Level::of(code) == Level::Municipality).then_some(code)
}

impl Area {
    /// Whether it exists on some day of the period.
    #[must_use]
    pub fn exists_in(&self, period: &Period) -> bool {
        match (period.first_day, period.last_day) {
            (Some(first), Some(last)) => {
                self.valid_from.is_none_or(|from| from <= last)
                    && self.valid_to.is_none_or(|to| first <= to)
            }
            _ => self.valid_to.is_none(),
        }
    }

    /// Whether it lies in another area, or is it.
    #[must_use]
    pub fn lies_in(&self, other: &str) -> bool {
        other == "SE" || self.code.starts_with(other)
    }
}

/// The places of a question, from the whole to the parts, collaborations and categories last.
///
/// # Errors
/// 400 or 422 for unknown codes and for selections that contradict each other.
pub fn read(asked: &Asked, frozen: &Frozen, periods: &[&Period]) -> ApiResult<Vec<Place>> {
    let mut areas: BTreeSet<(i16, &str)> = BTreeSet::new();
    for (entry, code) in asked.area.iter().enumerate() {
        let area = known(asked, frozen, "area", Some(entry), code)?;
        areas.insert((area.level.number(), &area.code));
    }
    match asked.level {
        Some(level) => {
            let listed = of_level(asked, frozen, level, periods)?;
            areas.extend(
                listed
                    .into_iter()
                    .map(|area| (level.number(), area.code.as_str())),
            );
        }
        None if asked.within.is_some() => return Err(needs_level(asked, "within")),
        None if asked.scheme.is_some() => return Err(needs_level(asked, "scheme")),
        None => {}
    }
    let mut places: Vec<Place> = areas
        .into_iter()
        .map(|(_, code)| Place::Area(code.to_owned()))
        .collect();
    let collaborations = &frozen.places.collaborations;
    for (entry, given) in asked.collaboration.iter().enumerate() {
        let id: Option<Uuid> = given.parse().ok();
        let found = collaborations.iter().find(|known| Some(known.id) == id);
        let Some(found) = found else {
            let names: Vec<String> = collaborations
                .iter()
                .map(|known| format!("{} ({})", known.id, known.name))
                .collect();
            return Err(asked.refused(
                "collaboration",
                Some(entry),
                "unknown_code",
                unknown(given, names.iter().map(String::as_str)),
            ));
        };
        push(&mut places, Place::Collaboration(found.id));
    }
    for (entry, given) in asked.partner_category.iter().enumerate() {
        let Ok(category) = given.parse::<PartnerCategory>() else {
            let codes = PartnerCategory::LIST.codes.iter().map(|code| code.code);
            return Err(asked.refused(
                "partnerCategory",
                Some(entry),
                "unknown_code",
                unknown(given, codes),
            ));
        };
        push(&mut places, Place::Category(category.to_string()));
    }
    if places.is_empty() && asked.level.is_none() {
        places.push(Place::Area("SE".to_owned()));
    }
    Ok(places)
}

fn push(places: &mut Vec<Place>, place: Place) {
    if !places.contains(&place) {
        places.push(place);
    }
}

fn needs_level(asked: &Asked, name: &str) -> crate::problem::Problem {
    asked.refused(
        name,
        None,
        "needs_level",
        text(
            format!("{name} anges tillsammans med level."),
            format!("{name} is given together with level."),
        ),
    )
}

pub(in crate::statistics) fn known<'f>(
    asked: &Asked,
    frozen: &'f Frozen,
    name: &str,
    entry: Option<usize>,
    code: &str,
) -> ApiResult<&'f Area> {
    if let Some(area) = frozen.places.area(code) {
        return Ok(area);
    }
    let lower = code.to_lowercase();
    let by_name = frozen
        .places
        .areas
        .iter()
        .find(|area| area.name.to_lowercase() == lower);
    let detail = by_name.map_or_else(
        || {
            unknown(
                code,
                frozen.places.areas.iter().map(|area| area.code.as_str()),
            )
        },
        |area| {
            text(
                format!("Skriv koden: {} är {}.", area.name, area.code),
                format!("Write the code: {} is {}.", area.name, area.code),
            )
        },
    );
    Err(asked.refused(name, entry, "unknown_code", detail))
}

fn of_level<'f>(
    asked: &Asked,
    frozen: &'f Frozen,
    level: Level,
    periods: &[&Period],
) -> ApiResult<Vec<&'f Area>> {
    let within = match &asked.within {
        Some(code) => known(asked, frozen, "within", None, code)?.code.as_str(),
        None => "SE",
    };
    let all: Vec<&Area> = frozen
        .places
        .areas
        .iter()
        .filter(|area| area.level == level && area.lies_in(within))
        .filter(|area| periods.iter().any(|period| area.exists_in(period)))
        .collect();
    if level != Level::District {
        return match asked.scheme {
            Some(_) => Err(needs_level(asked, "scheme")),
            None => Ok(all),
        };
    }
    let schemes: BTreeSet<&str> = all.iter().map(|area| area.scheme.as_str()).collect();
    match &asked.scheme {
        Some(scheme) if schemes.contains(scheme.as_str()) => Ok(all
            .into_iter()
            .filter(|area| area.scheme == *scheme)
            .collect()),
        Some(scheme) => Err(asked.refused(
            "scheme",
            None,
            "unknown_code",
            unknown(scheme, schemes.into_iter()),
        )),
        None if schemes.len() <= 1 => Ok(all),
        None => {
            let names = schemes.into_iter().collect::<Vec<_>>().join(", ");
            Err(asked.refused(
                "scheme",
                None,
                "scheme_ambiguous",
                text(
                    format!("Områdena är indelade på flera sätt; ange scheme: {names}."),
                    format!("The areas are divided in several ways; give scheme: {names}."),
                ),
            ))
        }
    }
}
