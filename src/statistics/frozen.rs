//! What a publication says of the world at its time: measures, periods, areas, sources, who reported, who worked with
//! whom. Frozen with it as documents and read once into memory, so that an answer never mixes two times.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::codes::Level;
use super::cube::{Additive, Dictionary};
use crate::participation::codes::{Denominator, MeasureKind, MeasureUnit, PeriodKind};

/// The shape of what a publication is frozen as: its documents and the packed columns of its blocks. Whoever changes one of
/// them so that older ones can no longer be read raises the number; a publication of another shape answers 410
/// `publication-outdated` and must be made anew.
pub const SHAPE: u16 = 1;

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

/// A publication in memory.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// Its row.
    pub id: Uuid,
    /// Its name, `2025.1`.
    pub name: String,
    /// Its title.
    pub title: Both,
    /// Whether it is made of invented data.
    pub synthetic: bool,
    /// When it was released.
    pub published_at: DateTime<Utc>,
    /// What the numbers mean.
    pub catalogue: Catalogue,
    /// Where.
    pub places: Places,
    /// Who reported.
    pub returns: Returns,
    /// The returns by measure.
    pub told: Told,
    /// Who worked with whom.
    pub network: Network,
}

/// Measures, periods, sources, the codes of the cells, and the protection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// See [`SHAPE`]. The first publications do not say it.
    #[serde(default = "first_shape")]
    pub shape: u16,
    /// The codes that the numbers in cells stand for.
    pub dictionary: Dictionary,
    /// Every measure that has numbers, and every share that can be computed from them.
    pub measures: Vec<Measure>,
    /// The periods in the order of time, the undated last. The place is the `period_no` of the blocks.
    pub periods: Vec<Period>,
    /// The sources in their order of precedence. The place is the `source_no` of the blocks.
    pub sources: Vec<Source>,
    /// Thresholds that the numbers were protected with.
    pub policies: Vec<Policy>,
}

fn first_shape() -> u16 {
    1
}

impl Default for Catalogue {
    fn default() -> Self {
        Self {
            shape: SHAPE,
            dictionary: Dictionary::default(),
            measures: Vec::new(),
            periods: Vec::new(),
            sources: Vec::new(),
            policies: Vec::new(),
        }
    }
}

/// A measure at the time of the publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// Its code.
    pub code: String,
    /// Count, share …
    pub kind: MeasureKind,
    /// What it counts.
    pub unit: MeasureUnit,
    /// Label.
    pub label: Both,
    /// Definition.
    pub definition: Both,
    /// What a share counts.
    pub numerator: Option<String>,
    /// What a share is a share of.
    pub denominator: Option<Denominator>,
    /// Of which ages, `6-19`.
    pub denominator_ages: Option<String>,
    /// Where it is explained.
    pub source_url: Option<String>,
    /// Which dimensions may be summed over.
    pub additive: Additive,
    /// The geography bases that it has numbers by.
    pub bases: Vec<String>,
    /// Whether its numbers are cells (`true`: counts of people, places, occasions, protected) or quoted figures.
    pub counted: bool,
    /// Where its series begin anew.
    pub breaks: Vec<Break>,
    /// What a reader must or should know, mandatory notes first.
    pub notes: Vec<Note>,
}

/// A break of a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The first period of the new series, `2018` or `2018/2019`.
    pub first_period: String,
    /// Why.
    pub reason: Both,
    /// Where it is told.
    pub source_url: Option<String>,
}

/// A note on a measure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Whether every answer must show it.
    pub mandatory: bool,
    /// The area it is about; none for all.
    pub area: Option<String>,
    /// The period it is about; none for all.
    pub period: Option<String>,
    /// The note.
    pub text: Both,
    /// Where it is told.
    pub source_url: Option<String>,
}

/// A period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// Year, school year …
    pub kind: PeriodKind,
    /// As reported: `2024`, `2023/2024`, or the label of an undated one.
    pub code: String,
    /// First day; none if undated.
    pub first_day: Option<NaiveDate>,
    /// Last day.
    pub last_day: Option<NaiveDate>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its row.
    pub id: Uuid,
    /// Title.
    pub title: String,
    /// Publisher.
    pub publisher: String,
    /// Address.
    pub url: Option<String>,
    /// When it was published.
    pub published_on: Option<String>,
    /// Whether it says of itself that it is official statistics.
    pub official: bool,
}

/// A threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `any`, `gender`, `activity_form`, `subject`, or `scheme` (of districts).
    pub dimension: String,
    /// The code of the dimension that it is about.
    pub code: String,
    /// Groups smaller than this become 0 or this.
    pub threshold: i64,
    /// The finest areas that the code is shown for.
    pub finest_level: Level,
    /// Why.
    pub reason: Both,
}

/// The areas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Every area, sorted by code.
    pub areas: Vec<Area>,
    /// Regional collaborations with their members over time.
    pub collaborations: Vec<Collaboration>,
    /// Denominators: which year's residents are of which day and from where.
    pub populations: Vec<Population>,
}

/// An area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Country, region …
    pub level: Level,
    /// The area it lies in.
    pub parent: Option<String>,
    /// The scheme of a district.
    pub scheme: String,
    /// From when it exists.
    pub valid_from: Option<NaiveDate>,
    /// Until when.
    pub valid_to: Option<NaiveDate>,
}

/// A collaboration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collaboration {
    /// Its row.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<Member>,
}

/// A member of a collaboration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The municipality.
    pub municipality: String,
    /// From when.
    pub from: Option<NaiveDate>,
    /// Until when, that day included.
    pub to: Option<NaiveDate>,
}

/// Where the residents of a year come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// The year.
    pub year: i32,
    /// The day that the residents were counted for.
    pub reference_date: NaiveDate,
    /// Place of the source in [`Catalogue::sources`].
    pub source_no: i16,
}

/// The reports that the publication holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// Every approved report of the chosen sources.
    pub reports: Vec<Report>,
}

/// Which measures are reported for which periods and areas: thousands of reports turned over once, since every question
/// asks for its periods.
#[derive(Clone, Debug, Default)]
pub struct Told(HashMap<String, BTreeMap<i16, HashSet<String>>>);

impl Told {
    /// That of the returns.
    #[must_use]
    pub fn of(returns: &Returns) -> Self {
        let mut told: HashMap<String, BTreeMap<i16, HashSet<String>>> = HashMap::new();
        for report in &returns.reports {
            for (measure, areas) in &report.numbers {
                let periods = told.entry(measure.clone()).or_default();
                let known = periods.entry(report.period_no).or_default();
                known.extend(areas.iter().cloned());
            }
        }
        Self(told)
    }

    /// The periods that a measure is reported for, itself or what it is computed from.
    #[must_use]
    pub fn periods(&self, measure: &Measure, catalogue: &Catalogue) -> BTreeSet<i16> {
        let counted = measure.counted(catalogue).map(|counted| &counted.code);
        [Some(&measure.code), counted]
            .into_iter()
            .flatten()
            .filter_map(|code| self.0.get(code))
            .flat_map(BTreeMap::keys)
            .copied()
            .collect()
    }

    /// The areas that a measure is reported for in a period, itself or what it is computed from.
    pub fn areas<'a>(
        &'a self,
        measure: &'a Measure,
        catalogue: &'a Catalogue,
        period_no: i16,
    ) -> impl Iterator<Item = &'a str> {
        let counted = measure.counted(catalogue).map(|counted| &counted.code);
        [Some(&measure.code), counted]
            .into_iter()
            .flatten()
            .filter_map(|code| self.0.get(code))
            .filter_map(move |periods| periods.get(&period_no))
            .flatten()
            .map(String::as_str)
    }

    /// Whether a report has a number of a measure for a period and an area.
    #[must_use]
    pub fn tells(&self, measure: &str, period_no: i16, area: &str) -> bool {
        let areas = self.0.get(measure).and_then(|of| of.get(&period_no));
        areas.is_some_and(|areas| areas.contains(area))
    }
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Its row.
    pub id: Uuid,
    /// Its version when it was frozen.
    pub version: i64,
    /// Place of its source.
    pub source_no: i16,
    /// Place of its period.
    pub period_no: i16,
    /// Its area.
    pub area: String,
    /// The areas that it has numbers of, by measure. What a municipality or district says of places inside it is said of
    /// itself.
    pub numbers: BTreeMap<String, BTreeSet<String>>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
}

/// Who worked with whom. Published rows only, no contact persons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Partners that have partnerships.
    pub partners: Vec<Partner>,
    /// Projects that have partnerships.
    pub projects: Vec<Project>,
    /// Partnerships.
    pub partnerships: Vec<Partnership>,
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Its row.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its category.
    pub category: String,
    /// Whether the category is one of civil society.
    pub civil_society: bool,
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its row.
    pub id: Uuid,
    /// Its title.
    pub title: String,
    /// What went on after it.
    pub continuation: Option<String>,
    /// First month, `2017-12`.
    pub start_month: Option<String>,
    /// Last month.
    pub end_month: Option<String>,
}

/// A partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partnership {
    /// Its row.
    pub id: Uuid,
    /// Place in [`Network::partners`].
    pub partner: usize,
    /// Place in [`Network::projects`].
    pub project: Option<usize>,
    /// The collaboration's row.
    pub collaboration: Option<Uuid>,
    /// Where.
    pub area: String,
    /// Role of the partner.
    pub role: String,
    /// Form of cooperation.
    pub form: Option<String>,
    /// First month.
    pub from: Option<String>,
    /// Last month.
    pub to: Option<String>,
    /// Whether it goes on after its project.
    pub continues: Option<bool>,
    /// The page that tells of it, or of its project or collaboration. Publications of before this was kept have none.
    #[serde(default)]
    pub source_url: Option<String>,
}

impl Catalogue {
    /// A measure by its code.
    #[must_use]
    pub fn measure(&self, code: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.code == code)
    }

    /// The place of a period by its code.
    #[must_use]
    pub fn period_no(&self, code: &str) -> Option<i16> {
        let place = self.periods.iter().position(|period| period.code == code)?;
        i16::try_from(place).ok()
    }

    /// A period by its place.
    #[must_use]
    pub fn period(&self, no: i16) -> Option<&Period> {
        self.periods.get(usize::try_from(no).ok()?)
    }
}

impl Places {
    /// An area by its code.
    #[must_use]
    pub fn area(&self, code: &str) -> Option<&Area> {
        let place = self
            .areas
            .binary_search_by(|area| area.code.as_str().cmp(code))
            .ok()?;
        self.areas.get(place)
    }
}

impl Report {
    /// The area that what it says of `area` is said of; see [`Report::numbers`].
    #[must_use]
    pub fn speaks_of<'a>(&'a self, area: &'a str) -> &'a str {
        match Level::of(&self.area) {
            Level::Country | Level::Region => area,
            Level::Municipality | Level::District => &self.area,
        }
    }
}

impl Collaboration {
    /// The members on a day; without a day those that have no last day.
    pub fn members_on(&self, day: Option<NaiveDate>) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter(move |member| match day {
                Some(day) => {
                    member.from.is_none_or(|from| from <= day)
                        && member.to.is_none_or(|to| day <= to)
                }
                None => member.to.is_none(),
            })
            .map(|member| member.municipality.as_str())
    }
}

impl Period {
    /// The year whose residents a share of this period is of: the year of a calendar year or term, the first year of a
    /// school year (31 December lies in it). Ranges and undated periods have none.
    #[must_use]
    pub fn population_year(&self) -> Option<i32> {
        match self.kind {
            PeriodKind::Year | PeriodKind::SchoolYear | PeriodKind::Term => {
                self.first_day.map(|day| day.year())
            }
            PeriodKind::Range | PeriodKind::Undated => None,
        }
    }
}

impl Measure {
    /// The series that a period belongs to: how many breaks lie at or before its beginning. Numbers of different
    /// series are not comparable. An undated period belongs to none.
    #[must_use]
    pub fn segment(&self, period: &Period) -> Option<usize> {
        let year = period.first_day?.year();
        let begun = |b: &&Break| {
            b.first_period
                .get(..4)
                .and_then(|first| first.parse::<i32>().ok())
                .is_some_and(|first| first <= year)
        };
        Some(self.breaks.iter().filter(begun).count())
    }
}
