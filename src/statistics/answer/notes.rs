//! What a reader of an answer must or should know.

use super::head::denominators;
use crate::formats::table::{Label, Note, synthetic_warning};
use crate::statistics::blocks::Base;
use crate::statistics::frozen::{Both, Break, Frozen, Measure, Note as Kept, Period};
use crate::statistics::query::{Place, Question};
use crate::statistics::rates::Answer;

impl From<&Both> for Label {
    fn from(both: &Both) -> Self {
        Self::new(&both.sv, &both.en)
    }
}

/// The measures that an answer says something of: those asked for, and the numerators of computed shares.
#[must_use]
pub fn measures<'f>(frozen: &'f Frozen, question: &Question) -> Vec<&'f Measure> {
    let mut measures: Vec<&Measure> = Vec::new();
    for no in 0..question.measures.len() {
        let asked = question.measure(frozen, no);
        let counted = asked.and_then(|measure| measure.counted(&frozen.catalogue));
        for measure in asked.into_iter().chain(counted) {
            if !measures.iter().any(|known| known.code == measure.code) {
                measures.push(measure);
            }
        }
    }
    measures
}

/// What is said first of invented data.
#[must_use]
pub fn invented(frozen: &Frozen) -> Option<Note> {
    frozen.synthetic.then(|| Note {
        mandatory: true,
        text: synthetic_warning(),
    })
}

/// The notes on an answer, the mandatory ones first.
#[must_use]
pub fn notes(frozen: &Frozen, question: &Question, base: Base) -> Vec<Note> {
    let mut notes: Vec<Note> = invented(frozen).into_iter().collect();
    let must = |text| Note {
        mandatory: true,
        text,
    };
    let periods: Vec<&Period> = question.known_periods(frozen).collect();
    let kept: Vec<&Kept> = measures(frozen, question)
        .into_iter()
        .flat_map(|measure| &measure.notes)
        .filter(|note| concerns(note, frozen, question, &periods))
        .collect();
    let (first, second): (Vec<&Kept>, Vec<&Kept>) =
        kept.into_iter().partition(|note| note.mandatory);
    notes.extend(first.iter().map(|note| must(Label::from(&note.text))));
    if question
        .places
        .iter()
        .filter(|place| matches!(place, Place::Category(_)))
        .count()
        > 1
    {
        notes.push(must(Label::new(
            "En kommun kan samverka med aktörer av flera slag: aktörskategorierna överlappar och ska inte summeras.",
            "A municipality can work with partners of several kinds: the partner categories overlap and must not be summed.",
        )));
    }
    notes.push(must(match base {
        Base::Protected => protected(frozen),
        Base::Raw => Label::new(
            "Oskyddade tal för områdets egna handläggare. De får inte spridas eller publiceras.",
            "Unprotected numbers for the offices of the area. They must not be passed on or published.",
        ),
    }));
    notes.extend(second.iter().map(|note| Note {
        mandatory: false,
        text: Label::from(&note.text),
    }));
    let mut seen: Vec<Label> = Vec::new();
    notes.retain(|note| {
        let new = !seen.contains(&note.text);
        if new {
            seen.push(note.text.clone());
        }
        new
    });
    notes
}

/// The notes on an answer that is a table: what its JSON says beside the rows, such as series breaks and what its shares
/// are of, is here as well. The breaks are those between the periods of `compared`, the question that its numbers are
/// compared in.
#[must_use]
pub fn of_table(frozen: &Frozen, answer: &Answer, compared: &Question) -> Vec<Note> {
    let mut all = notes(frozen, &answer.question, answer.base);
    let breaks = breaks(frozen, compared)
        .into_iter()
        .map(|(measure, entry)| {
            let first = &entry.first_period;
            Note {
                mandatory: true,
                text: Label::new(
                    format!(
                        "{}: seriebrott {first}. {}",
                        measure.label.sv, entry.reason.sv
                    ),
                    format!(
                        "{}: break of the series {first}. {}",
                        measure.label.en, entry.reason.en
                    ),
                ),
            }
        });
    let place = all.iter().filter(|note| note.mandatory).count();
    all.splice(place..place, breaks);
    all.extend(denominators(frozen, answer).into_iter().map(|of| {
        let (year, ages) = (of.year, &of.age_band);
        let day = of
            .reference_date
            .map_or_else(|| year.to_string(), |day| day.to_string());
        let source = of.source.unwrap_or_default();
        let measure = frozen.catalogue.measure(&of.measure);
        let name = measure.map_or_else(Label::default, |measure| Label::from(&measure.label));
        Note {
            mandatory: false,
            text: Label::new(
                format!(
                    "{}: nämnaren för {year} är invånare {ages} år {day} ({source}).",
                    name.sv
                ),
                format!(
                    "{}: the denominator of {year} is residents aged {ages} on {day} ({source}).",
                    name.en
                ),
            ),
        }
    }));
    all
}

/// For each period of a question, whether a series of the measure begins anew between it and the one before.
#[must_use]
pub fn broken(frozen: &Frozen, question: &Question, measure: &Measure) -> Vec<Option<Label>> {
    let counted = measure.counted(&frozen.catalogue);
    let series = |period: &Period| {
        let own = measure.segment(period);
        (own, counted.and_then(|counted| counted.segment(period)))
    };
    let mut before = None;
    let broken = question.known_periods(frozen).map(|period| {
        let now = series(period);
        let begins = before.is_some_and(|before| before != now) && now.0.is_some();
        before = Some(now);
        begins.then(|| {
            Label::new(
                "Seriebrott: inte jämförbar med perioderna före",
                "Break of the series: not comparable with the periods before",
            )
        })
    });
    broken.collect()
}

fn protected(frozen: &Frozen) -> Label {
    let threshold = frozen
        .catalogue
        .policies
        .iter()
        .filter(|policy| policy.dimension == "any")
        .map(|policy| policy.threshold)
        .max()
        .unwrap_or(5);
    let below = threshold - 1;
    Label::new(
        format!(
            "Små grupper är skyddade: i varje redovisad cell är antal om 1–{below} ersatta av 0 eller {threshold}, lika i alla svar, och alla summor är summor av sådana celler. Känsliga indelningar har en högre gräns."
        ),
        format!(
            "Small groups are protected: in each reported cell numbers of 1–{below} are replaced by 0 or {threshold}, the same in every answer, and all sums are sums of such cells. Sensitive breakdowns have a higher threshold."
        ),
    )
}

/// Whether a note is about one of the places and one of the periods.
fn concerns(note: &Kept, frozen: &Frozen, question: &Question, periods: &[&Period]) -> bool {
    let in_time = note
        .period
        .as_deref()
        .is_none_or(|code| periods.iter().any(|period| period.code == code));
    let inside = |code: &str, area: &str| area == "SE" || code.starts_with(area);
    let in_space = note.area.as_deref().is_none_or(|area| {
        question.places.iter().any(|place| match place {
            Place::Area(code) => inside(code, area),
            Place::Collaboration(_) | Place::Category(_) | Place::Peers(_) => {
                periods.iter().any(|period| {
                    place
                        .members(frozen, period)
                        .iter()
                        .any(|member| inside(member, area))
                })
            }
        })
    });
    in_time && in_space
}

/// The breaks that lie between the periods of an answer: numbers before and after are not comparable.
#[must_use]
pub fn breaks<'f>(frozen: &'f Frozen, question: &Question) -> Vec<(&'f Measure, &'f Break)> {
    let periods: Vec<&Period> = question.known_periods(frozen).collect();
    let mut crossed = Vec::new();
    for measure in measures(frozen, question) {
        let segments = || periods.iter().filter_map(|period| measure.segment(period));
        let (Some(first), Some(last)) = (segments().min(), segments().max()) else {
            continue;
        };
        let mut ordered: Vec<&Break> = measure.breaks.iter().collect();
        ordered.sort_by(|a, b| a.first_period.cmp(&b.first_period));
        let between = ordered.into_iter().take(last).skip(first);
        crossed.extend(between.map(|entry| (measure, entry)));
    }
    crossed
}
