//! From what was asked to one question that reads both sides of every comparison at once.

use uuid::Uuid;

use super::Reference;
use crate::participation::codes::MeasureKind;
use crate::problem::{ApiResult, Problem, Text, text};
use crate::statistics::codes::Level;
use crate::statistics::frozen::Frozen;
use crate::statistics::query::asked::unknown;
use crate::statistics::query::{Asked, MAX_CELLS, Place, Question, places};

/// Both sides of the comparisons.
#[derive(Clone, Debug)]
pub struct GapQuestion {
    /// What was asked for.
    pub asked: Question,
    /// That and everything it is compared with. Its first measure is the one asked for.
    pub all: Question,
    /// The place of the reference's measure in `all`.
    pub measure: usize,
    /// For each place of `asked`, the place in `all` that it is compared with.
    pub references: Vec<usize>,
    /// The period in `all` that is compared with; none if each is compared with itself.
    pub period: Option<usize>,
}

impl GapQuestion {
    /// Checks what was asked against a publication.
    ///
    /// # Errors
    /// As [`Question::read`]; 400 for more than one measure, for one that is no share, and for a reference that is
    /// unknown or does not exist for one of the places.
    pub fn read(asked: &Asked, with: &Reference, frozen: &Frozen) -> ApiResult<Self> {
        let question = Question::read(asked, frozen, MAX_CELLS)?;
        one_share(asked, &question, frozen)?;
        let mut all = question.clone();
        let mut measure = 0;
        if let Some(code) = &with.reference_measure {
            if frozen.catalogue.measure(code).is_none() {
                let codes = frozen
                    .catalogue
                    .measures
                    .iter()
                    .map(|known| known.code.as_str());
                return Err(asked.refused(
                    "referenceMeasure",
                    None,
                    "unknown_code",
                    unknown(code, codes),
                ));
            }
            // Whatever periods it has: those of the first measure are read.
            let of_reference = Asked {
                measure: vec![code.clone()],
                period: Vec::new(),
                period_from: None,
                period_to: None,
                ..asked.clone()
            };
            let other = Question::read(&of_reference, frozen, MAX_CELLS)?;
            for asking in other.measures {
                measure = place_of(&mut all.measures, asking);
            }
        }
        let mut period = None;
        if let Some(code) = &with.reference_period {
            let no = frozen.catalogue.period_no(code).ok_or_else(|| {
                let codes = frozen
                    .catalogue
                    .periods
                    .iter()
                    .map(|known| known.code.as_str());
                asked.refused(
                    "referencePeriod",
                    None,
                    "unknown_code",
                    unknown(code, codes),
                )
            })?;
            period = Some(place_of(&mut all.periods, no));
        }
        let given = with.reference.as_deref().unwrap_or("SE");
        let references = question
            .places
            .iter()
            .map(|place| {
                let reference = reference(asked, given, place, frozen)?;
                Ok(place_of(&mut all.places, reference))
            })
            .collect::<ApiResult<Vec<usize>>>()?;
        Ok(Self {
            asked: question,
            all,
            measure,
            references,
            period,
        })
    }
}

/// The place of an entry in a list, to which it is added if it is not there.
fn place_of<T: PartialEq>(list: &mut Vec<T>, entry: T) -> usize {
    list.iter()
        .position(|known| *known == entry)
        .unwrap_or_else(|| {
            list.push(entry);
            list.len() - 1
        })
}

fn one_share(asked: &Asked, question: &Question, frozen: &Frozen) -> ApiResult<()> {
    if question.measures.len() != 1 {
        return Err(asked.refused(
            "measure",
            None,
            "one_measure",
            text("Ange ett mått.", "Give one measure."),
        ));
    }
    let kind = question.measure(frozen, 0).map(|measure| measure.kind);
    if kind == Some(MeasureKind::Share) {
        return Ok(());
    }
    Err(asked.refused(
        "measure",
        None,
        "no_share",
        text(
            "Gap visas för andelar: antal i områden av olika storlek går inte att jämföra.",
            "Gaps are shown for shares: counts in areas of different size cannot be compared.",
        ),
    ))
}

/// What a place is compared with.
fn reference(asked: &Asked, given: &str, place: &Place, frozen: &Frozen) -> ApiResult<Place> {
    if let Some(id) = given.strip_prefix("collaboration:") {
        let id: Option<Uuid> = id.parse().ok();
        let known = frozen
            .places
            .collaborations
            .iter()
            .find(|known| Some(known.id) == id);
        return known
            .map(|known| Place::Collaboration(known.id))
            .ok_or_else(|| {
                refused(
                    asked,
                    text(
                        "Det finns ingen samverkan med det id:t i publiceringen.",
                        "The publication has no collaboration with that id.",
                    ),
                )
            });
    }
    if let Some(codes) = given.strip_prefix("peers:") {
        let mut peers = Vec::new();
        for code in codes.split(',').map(str::trim) {
            let area = places::known(asked, frozen, "reference", None, code)?;
            if area.level != Level::Municipality {
                return Err(refused(
                    asked,
                    text(
                        format!("{code} är ingen kommun."),
                        format!("{code} is no municipality."),
                    ),
                ));
            }
            place_of(&mut peers, area.code.clone());
        }
        return Ok(Place::Peers(peers));
    }
    if given == "region" {
        return match place {
            Place::Area(code) => code
                .get(..2)
                .filter(|region| Level::of(region) == Level::Region)
                .map(|region| Place::Area(region.to_owned())),
            _ => None,
        }
        .ok_or_else(|| {
            refused(
                asked,
                text(
                    format!("{} ligger inte i ett län.", place.code()),
                    format!("{} lies in no county.", place.code()),
                ),
            )
        });
    }
    Ok(Place::Area(
        places::known(asked, frozen, "reference", None, given)?
            .code
            .clone(),
    ))
}

fn refused(asked: &Asked, detail: Text) -> Problem {
    asked.refused("reference", None, "unknown_reference", detail)
}
