//! From what was asked to a checked question: every code is known, every default is made explicit, and the answer's
//! size is known before anything is read.

pub mod asked;
mod axes;
pub mod groups;
pub mod places;

use std::collections::BTreeSet;

use chrono::Datelike;

pub use asked::{Asked, QueryIn, Selection, Via, member};
pub use groups::{Group, NOT_STATED, Split, Splits, Years};
pub use places::Place;

use self::asked::unknown;
use crate::participation::codes::{Denominator, GeographyBasis, MeasureKind};
use crate::problem::{ApiResult, text};
use crate::statistics::codes::Dimension;
use crate::statistics::frozen::{Catalogue, Frozen, Measure, Period};

/// The most measures of a question.
pub const MAX_MEASURES: usize = 10;
/// The most cells of an answer.
pub const MAX_CELLS: usize = 100_000;
/// The most cells of an answer that is streamed.
pub const MAX_STREAMED: usize = 2_000_000;

/// A question to one publication, checked against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The measures.
    pub measures: Vec<Asking>,
    /// The places.
    pub places: Vec<Place>,
    /// The periods, by their places in the catalogue, in the order of time.
    pub periods: Vec<i16>,
    /// The groups.
    pub splits: Splits,
}

/// A measure that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Its place in the catalogue.
    pub measure: usize,
    /// By which place people are counted.
    pub basis: String,
}

impl Measure {
    /// The ages that a share is of: `6-19`.
    #[must_use]
    pub fn share_ages(&self) -> Option<Years> {
        groups::years(self.denominator_ages.as_deref()?)
    }

    /// The counted measure whose sums its values come from: itself, or the numerator of a share of residents.
    #[must_use]
    pub fn counted<'f>(&'f self, catalogue: &'f Catalogue) -> Option<&'f Measure> {
        if self.counted {
            return Some(self);
        }
        if self.kind != MeasureKind::Share || self.denominator != Some(Denominator::Residents) {
            return None;
        }
        catalogue
            .measure(self.numerator.as_deref()?)
            .filter(|numerator| numerator.counted)
    }

    /// Whether its values are computed from a numerator and residents.
    #[must_use]
    pub fn is_computed_share(&self, catalogue: &Catalogue) -> bool {
        !self.counted && self.counted(catalogue).is_some()
    }

    /// The geography bases that it has numbers by, its own and those of its numerator.
    #[must_use]
    pub fn all_bases<'f>(&'f self, catalogue: &'f Catalogue) -> BTreeSet<&'f str> {
        let own = self.bases.iter();
        let counted = self
            .counted(catalogue)
            .into_iter()
            .flat_map(|counted| &counted.bases);
        own.chain(counted).map(String::as_str).collect()
    }
}

impl Question {
    /// Checks what was asked against a publication. Nothing is read from the database.
    ///
    /// # Errors
    /// 400 (parameters) or 422 (body) for what the publication does not have or what is ambiguous; 422 for a question
    /// with more than `limit` cells.
    pub fn read(asked: &Asked, frozen: &Frozen, limit: usize) -> ApiResult<Self> {
        let measures = measures(asked, frozen)?;
        let periods = periods(asked, frozen, &measures)?;
        let known: Vec<&Period> = periods
            .iter()
            .filter_map(|no| frozen.catalogue.period(*no))
            .collect();
        let places = places::read(asked, frozen, &known)?;
        if places.is_empty() {
            return Err(asked.refused(
                "level",
                None,
                "no_areas",
                text(
                    "Publiceringen har inga sådana områden.",
                    "The publication has no such areas.",
                ),
            ));
        }
        let splits = splits(asked, frozen)?;
        let question = Self {
            measures,
            places,
            periods,
            splits,
        };
        question.refuse_more_than(limit, asked)?;
        Ok(question)
    }

    /// How many cells the answer has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.measures.len() * self.places.len() * self.periods.len() * self.splits.groups()
    }

    /// A measure by its place in the question.
    #[must_use]
    pub fn measure<'f>(&self, frozen: &'f Frozen, no: usize) -> Option<&'f Measure> {
        let asking = self.measures.get(no)?;
        frozen.catalogue.measures.get(asking.measure)
    }

    /// The periods.
    pub fn known_periods<'f>(&self, frozen: &'f Frozen) -> impl Iterator<Item = &'f Period> {
        self.periods
            .iter()
            .filter_map(|no| frozen.catalogue.period(*no))
    }

    fn refuse_more_than(&self, limit: usize, asked: &Asked) -> ApiResult<()> {
        let cells = self.cells();
        if cells <= limit {
            return Ok(());
        }
        let mut sizes = vec![
            ("measure", self.measures.len()),
            (
                if asked.level.is_some() {
                    "within"
                } else {
                    "area"
                },
                self.places.len(),
            ),
            ("period", self.periods.len()),
        ];
        sizes.extend(
            self.splits
                .each()
                .map(|(dimension, split)| (dimension.as_str(), split.groups.len())),
        );
        let product = sizes
            .iter()
            .filter(|(_, size)| *size > 1)
            .map(|(name, size)| format!("{name} {size}"))
            .collect::<Vec<_>>()
            .join(" × ");
        let widest = sizes
            .iter()
            .max_by_key(|(_, size)| *size)
            .map_or("measure", |(name, _)| name);
        Err(asked.too_large(
            widest,
            text(
                format!(
                    "Svaret skulle ha {cells} celler ({product}); högst {limit}. Begränsa {widest} eller dela upp frågan."
                ),
                format!(
                    "The answer would have {cells} cells ({product}); {limit} at the most. Narrow {widest} or split the question."
                ),
            ),
        ))
    }
}

fn measures(asked: &Asked, frozen: &Frozen) -> ApiResult<Vec<Asking>> {
    let catalogue = &frozen.catalogue;
    if asked.measure.is_empty() {
        return Err(asked.refused(
            "measure",
            None,
            "missing",
            text("Ange minst ett mått.", "Give at least one measure."),
        ));
    }
    if asked.measure.len() > MAX_MEASURES {
        return Err(asked.refused(
            "measure",
            None,
            "too_many_measures",
            text(
                format!("Högst {MAX_MEASURES} mått på en gång."),
                format!("{MAX_MEASURES} measures at a time at the most."),
            ),
        ));
    }
    let mut measures: Vec<Asking> = Vec::new();
    for (entry, code) in asked.measure.iter().enumerate() {
        let found = catalogue
            .measures
            .iter()
            .enumerate()
            .find(|(_, measure)| measure.code == *code);
        let Some((place, measure)) = found else {
            let codes = catalogue
                .measures
                .iter()
                .map(|measure| measure.code.as_str());
            return Err(asked.refused(
                "measure",
                Some(entry),
                "unknown_code",
                unknown(code, codes),
            ));
        };
        let asking = Asking {
            measure: place,
            basis: basis(asked, measure, catalogue)?,
        };
        if !measures.contains(&asking) {
            measures.push(asking);
        }
    }
    Ok(measures)
}

/// The basis asked for, or the only one there is. Numbers by two bases are two different counts.
fn basis(asked: &Asked, measure: &Measure, catalogue: &Catalogue) -> ApiResult<String> {
    let bases = measure.all_bases(catalogue);
    let names = bases.iter().copied().collect::<Vec<_>>().join(", ");
    match (&asked.basis, bases.len()) {
        (Some(given), _) if given.parse::<GeographyBasis>().is_err() => {
            let codes = GeographyBasis::LIST.codes.iter().map(|code| code.code);
            Err(asked.refused("basis", None, "unknown_code", unknown(given, codes)))
        }
        (Some(given), 0) => Ok(given.clone()),
        (Some(given), _) if bases.contains(given.as_str()) => Ok(given.clone()),
        (Some(given), _) => Err(asked.refused(
            "basis",
            None,
            "basis_without_numbers",
            text(
                format!("{} har inga tal efter {given}, men efter: {names}.", measure.code),
                format!("{} has no numbers by {given}, but by: {names}.", measure.code),
            ),
        )),
        (None, 0) => Ok(GeographyBasis::NotStated.to_string()),
        (None, 1) => Ok(names),
        (None, _) => Err(asked.refused(
            "basis",
            None,
            "basis_ambiguous",
            text(
                format!(
                    "{} räknas på flera sätt, som inte är samma tal; ange basis: {names}.",
                    measure.code
                ),
                format!(
                    "{} is counted in several ways, which are not the same number; give basis: {names}.",
                    measure.code
                ),
            ),
        )),
    }
}

fn periods(asked: &Asked, frozen: &Frozen, measures: &[Asking]) -> ApiResult<Vec<i16>> {
    let catalogue = &frozen.catalogue;
    let of_measures = || -> BTreeSet<i16> {
        measures
            .iter()
            .filter_map(|asking| catalogue.measures.get(asking.measure))
            .flat_map(|measure| frozen.told.periods(measure, catalogue))
            .collect()
    };
    let year = |no: i16| {
        catalogue
            .period(no)
            .and_then(|period| period.first_day)
            .map(|day| day.year())
    };
    let bounded = asked.period_from.is_some() || asked.period_to.is_some();
    if bounded && !asked.period.is_empty() {
        return Err(asked.refused(
            "period",
            None,
            "period_or_years",
            text(
                "Ange period eller periodFrom och periodTo, inte båda.",
                "Give period or periodFrom and periodTo, not both.",
            ),
        ));
    }
    let mut periods: BTreeSet<i16> = BTreeSet::new();
    for (entry, code) in asked.period.iter().enumerate() {
        if code == "latest" {
            let all = of_measures();
            let dated = all.iter().rev().find(|no| year(**no).is_some());
            periods.extend(dated.or_else(|| all.last()));
            continue;
        }
        let Some(no) = catalogue.period_no(code) else {
            let codes = catalogue.periods.iter().map(|period| period.code.as_str());
            return Err(asked.refused("period", Some(entry), "unknown_code", unknown(code, codes)));
        };
        periods.insert(no);
    }
    if asked.period.is_empty() {
        periods = of_measures();
    }
    if bounded {
        periods.retain(|no| {
            year(*no).is_some_and(|year| {
                asked.period_from.is_none_or(|from| from <= year)
                    && asked.period_to.is_none_or(|to| year <= to)
            })
        });
    }
    if periods.is_empty() {
        let name = match (asked.period_from, asked.period_to) {
            (Some(_), _) => "periodFrom",
            (None, Some(_)) => "periodTo",
            (None, None) => "period",
        };
        let all = of_measures();
        let known = all
            .iter()
            .filter_map(|no| catalogue.period(*no))
            .map(|period| period.code.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        return Err(asked.refused(
            name,
            None,
            "no_periods",
            text(
                format!("Måtten har inga tal för de perioderna. De har: {known}."),
                format!("The measures have no numbers of those periods. They have: {known}."),
            ),
        ));
    }
    Ok(periods.into_iter().collect())
}

fn splits(asked: &Asked, frozen: &Frozen) -> ApiResult<Splits> {
    let mut grouped: BTreeSet<Dimension> = BTreeSet::new();
    for (entry, code) in asked.group_by.iter().enumerate() {
        let Ok(dimension) = code.parse::<Dimension>() else {
            let codes = Dimension::LIST.codes.iter().map(|code| code.code);
            return Err(asked.refused(
                "groupBy",
                Some(entry),
                "unknown_code",
                unknown(code, codes),
            ));
        };
        grouped.insert(dimension);
    }
    let split = |dimension: Dimension, given: &[String]| {
        Split::read(
            asked,
            dimension,
            given,
            grouped.contains(&dimension),
            &frozen.catalogue.dictionary,
        )
    };
    Ok(Splits {
        gender: split(Dimension::Gender, &asked.gender)?,
        age: split(Dimension::AgeBand, &asked.age_band)?,
        subject: split(Dimension::Subject, &asked.subject)?,
        form: split(Dimension::ActivityForm, &asked.activity_form)?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::statistics::frozen::{Both, Network, Places, Returns, Told};
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    /// A publication with nothing in it.
    pub(crate) fn empty() -> Frozen {
        Frozen {
            id: Uuid::nil(),
            name: "2025.1".to_owned(),
            title: Both::default(),
            synthetic: false,
            published_at: DateTime::<Utc>::default(),
            catalogue: Catalogue::default(),
            places: Places::default(),
            returns: Returns::default(),
            told: Told::default(),
            network: Network::default(),
        }
    }

    #[test]
    fn an_empty_publication_knows_no_measure() {
        let asked = Asked {
            measure: vec!["pupils".to_owned()],
            ..Asked::default()
        };
        let refused = Question::read(&asked, &empty(), MAX_CELLS).unwrap_err();
        assert!(format!("{refused:?}").contains("unknown_code"));
    }
}
