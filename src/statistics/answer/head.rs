//! What every answer of the statistics says of itself: from which publication, what was understood, what the numbers
//! mean, what to know, whom to cite.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::notes;
use crate::formats::table::{Label, Note, Table};
use crate::http::lang::Lang;
use crate::participation::codes::{Denominator, GeographyBasis, MeasureKind, MeasureUnit};
use crate::statistics::blocks::Base;
use crate::statistics::codes::{Dimension, Protection};
use crate::statistics::frozen::{Frozen, Measure, Source};
use crate::statistics::query::{Place, Question};
use crate::statistics::rates::Answer;

/// What an answer says of itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsHead)]
pub struct Head {
    /// The publication that the numbers are of.
    pub publication: PublicationOut,
    /// The question as it was understood: every default is made explicit.
    pub parameters: Understood,
    /// What the numbers mean.
    pub measures: Vec<MeasureOut>,
    /// Whose residents the computed shares are of.
    pub denominators: Vec<DenominatorOut>,
    /// Breaks of a series between the periods of the answer: numbers before and after are not comparable.
    pub breaks: Vec<BreakOut>,
    /// What a reader must or should know, mandatory notes first.
    pub notes: Vec<NoteOut>,
    /// Where the numbers come from.
    pub sources: Vec<SourceOut>,
    /// How to cite the answer.
    pub citation: CitationOut,
    /// The address that gives the same numbers for ever.
    #[schema(
        example = "https://samverkan.example.org/samverkan/v1/statistics/participation?area=1880&measure=pupils_share&publication=2025.1"
    )]
    pub permanent_url: String,
}

/// A publication, as an answer names it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsPublication)]
pub struct PublicationOut {
    /// Its name.
    #[schema(example = "2025.1")]
    pub name: String,
    /// Its title.
    #[schema(example = "Kulturskolan 2025")]
    pub title: String,
    /// When it was released (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub published_at: DateTime<Utc>,
    /// Whether it is made of invented data.
    #[schema(example = false)]
    pub synthetic: bool,
    /// How small groups are protected; `none` in answers for the owners of the areas, and where no children are counted.
    pub protection: Protection,
}

/// A parameter as it was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StatisticsParameter)]
pub struct ParameterOut {
    /// Its name.
    #[schema(example = "publication")]
    pub name: String,
    /// Its value; several with commas.
    #[schema(example = "2025.1")]
    pub value: String,
}

/// The question as it was understood.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsParameters)]
pub struct Understood {
    /// Measures.
    #[schema(example = json!(["pupils_share"]))]
    #[serde(rename = "measures")]
    pub measure: Vec<String>,
    /// For each measure, by which place people are counted.
    #[schema(value_type = Vec<GeographyBasis>, example = json!(["provider"]))]
    #[serde(rename = "bases")]
    pub basis: Vec<String>,
    /// Areas.
    #[schema(example = json!(["1880"]))]
    #[serde(rename = "areas")]
    pub area: Vec<String>,
    /// Collaborations.
    #[schema(example = json!([]))]
    #[serde(rename = "collaborations")]
    pub collaboration: Vec<String>,
    /// Partner categories.
    #[schema(example = json!([]))]
    #[serde(rename = "partnerCategories")]
    pub partner_category: Vec<String>,
    /// Periods, in the order of time.
    #[schema(example = json!(["2023", "2024"]))]
    #[serde(rename = "periods")]
    pub period: Vec<String>,
    /// Groups by gender; several codes of one group are joined with `+`.
    #[schema(example = json!(["total"]))]
    #[serde(rename = "genders")]
    pub gender: Vec<String>,
    /// Groups by age.
    #[schema(example = json!(["all"]))]
    #[serde(rename = "ageBands")]
    pub age_band: Vec<String>,
    /// Groups by subject.
    #[schema(example = json!(["all"]))]
    #[serde(rename = "subjects")]
    pub subject: Vec<String>,
    /// Groups by form of activity.
    #[schema(example = json!(["all"]))]
    #[serde(rename = "activityForms")]
    pub activity_form: Vec<String>,
}

/// A measure, as an answer explains it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsMeasure)]
pub struct MeasureOut {
    /// Its code.
    #[schema(example = "pupils_share")]
    pub code: String,
    /// Its name.
    #[schema(example = "Andel elever av invånare 6–19 år")]
    pub label: String,
    /// What exactly is counted.
    #[schema(example = "Unika personer som deltar, i procent av invånarna 6–19 år.")]
    pub definition: String,
    /// What kind of number it is.
    pub kind: MeasureKind,
    /// What it is counted in.
    pub unit: MeasureUnit,
    /// Of a share: the measure of what is counted.
    #[schema(example = "pupils")]
    pub numerator: Option<String>,
    /// Of a share: what it is a share of.
    pub denominator: Option<Denominator>,
    /// Of a share of persons: their ages.
    #[schema(example = "6-19")]
    pub denominator_age_band: Option<String>,
    /// Where it is explained.
    #[schema(example = "https://www.kulturradet.se/")]
    pub source_url: Option<String>,
}

/// Whose residents the shares of a year are of.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsDenominator)]
pub struct DenominatorOut {
    /// The measure.
    #[schema(example = "pupils_share")]
    pub measure: String,
    /// The year.
    #[schema(example = 2024)]
    pub year: i32,
    /// The ages of the whole; a group by age has its own.
    #[schema(example = "6-19")]
    pub age_band: String,
    /// The day that the residents were counted for.
    #[schema(example = "2024-12-31")]
    pub reference_date: Option<NaiveDate>,
    /// Who counted them.
    #[schema(example = "SCB")]
    pub source: Option<String>,
}

/// A break of a series.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsBreak)]
pub struct BreakOut {
    /// The measure.
    #[schema(example = "pupils")]
    pub measure: String,
    /// The first period of the new series.
    #[schema(example = "2018")]
    pub first_period: String,
    /// Why.
    #[schema(example = "Nytt frågeformulär från dataår 2018.")]
    pub reason: String,
    /// Where it is told.
    #[schema(example = "https://www.kulturradet.se/")]
    pub source_url: Option<String>,
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsNote)]
pub struct NoteOut {
    /// Whether it must be shown wherever the numbers are.
    #[schema(example = true)]
    pub mandatory: bool,
    /// The note.
    #[schema(example = "2020 är pandemiåret: läs året för sig.")]
    pub text: String,
}

/// A source.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsSource)]
pub struct SourceOut {
    /// Its id.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Title.
    #[schema(example = "Kulturskolan 2024")]
    pub title: String,
    /// Publisher.
    #[schema(example = "Kulturrådet")]
    pub publisher: String,
    /// Address.
    #[schema(example = "https://www.kulturradet.se/")]
    pub url: Option<String>,
    /// When it was published.
    #[schema(example = "2025-03")]
    pub published_on: Option<String>,
    /// Whether it is official statistics.
    #[schema(example = true)]
    pub official: bool,
}

/// How to cite an answer, in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StatisticsCitation)]
pub struct CitationOut {
    /// Swedish.
    #[schema(
        example = "Samverkan, publicering 2025.1, Andel elever av invånare 6–19 år, hämtad från https://samverkan.example.org/…"
    )]
    pub sv: String,
    /// English.
    #[schema(
        example = "Samverkan, publication 2025.1, Pupils as a share of residents aged 6–19, retrieved from https://samverkan.example.org/…"
    )]
    pub en: String,
}

impl Head {
    /// Of an answer, in one language.
    #[must_use]
    pub fn of(frozen: &Frozen, answer: &Answer, permanent_url: &str, lang: Lang) -> Self {
        let question = &answer.question;
        let title = title(frozen, question);
        Self {
            publication: PublicationOut::of(frozen, protection(answer.base), lang),
            parameters: Understood::of(frozen, question),
            measures: notes::measures(frozen, question)
                .into_iter()
                .map(|measure| MeasureOut::of(measure, lang))
                .collect(),
            denominators: denominators(frozen, answer),
            breaks: BreakOut::all(frozen, question, lang),
            notes: NoteOut::all(&notes::notes(frozen, question, answer.base), lang),
            sources: sources(frozen, answer)
                .into_iter()
                .map(SourceOut::of)
                .collect(),
            citation: citation(frozen, &title, permanent_url).into(),
            permanent_url: permanent_url.to_owned(),
        }
    }
}

impl BreakOut {
    /// Those that lie between the periods of a question, in one language.
    #[must_use]
    pub fn all(frozen: &Frozen, question: &Question, lang: Lang) -> Vec<Self> {
        let breaks = notes::breaks(frozen, question).into_iter();
        let breaks = breaks.map(|(measure, entry)| Self {
            measure: measure.code.clone(),
            first_period: entry.first_period.clone(),
            reason: lang.pick(&entry.reason.sv, &entry.reason.en).clone(),
            source_url: entry.source_url.clone(),
        });
        breaks.collect()
    }
}

impl PublicationOut {
    /// Of a publication, in one language.
    #[must_use]
    pub fn of(frozen: &Frozen, protection: Protection, lang: Lang) -> Self {
        Self {
            name: frozen.name.clone(),
            title: lang.pick(&frozen.title.sv, &frozen.title.en).clone(),
            published_at: frozen.published_at,
            synthetic: frozen.synthetic,
            protection,
        }
    }
}

impl ParameterOut {
    /// The publication by its name, whatever it was asked for as, and then the rest.
    #[must_use]
    pub fn all(frozen: &Frozen, rest: Vec<(&'static str, String)>) -> Vec<Self> {
        let publication = ("publication", frozen.name.clone());
        std::iter::once(publication)
            .chain(rest)
            .map(|(name, value)| Self {
                name: name.to_owned(),
                value,
            })
            .collect()
    }
}

impl From<Label> for CitationOut {
    fn from(Label { sv, en }: Label) -> Self {
        Self { sv, en }
    }
}

/// The protection of the numbers of a base.
#[must_use]
pub fn protection(base: Base) -> Protection {
    match base {
        Base::Protected => Protection::KeyedRounding5,
        Base::Raw => Protection::None,
    }
}

impl Understood {
    fn of(frozen: &Frozen, question: &Question) -> Self {
        let places = |kind: &str| -> Vec<String> {
            question
                .places
                .iter()
                .filter(|place| place.kind() == kind)
                .map(Place::code)
                .collect()
        };
        let groups = |wanted: Dimension| -> Vec<String> {
            question
                .splits
                .each()
                .into_iter()
                .filter(|(dimension, _)| *dimension == wanted)
                .flat_map(|(dimension, split)| {
                    split.groups.iter().map(move |group| group.code(dimension))
                })
                .collect()
        };
        let measures = 0..question.measures.len();
        Self {
            measure: measures
                .filter_map(|no| question.measure(frozen, no))
                .map(|measure| measure.code.clone())
                .collect(),
            basis: question
                .measures
                .iter()
                .map(|asking| asking.basis.clone())
                .collect(),
            area: places("area"),
            collaboration: places("collaboration"),
            partner_category: places("partnerCategory"),
            period: question
                .known_periods(frozen)
                .map(|period| period.code.clone())
                .collect(),
            gender: groups(Dimension::Gender),
            age_band: groups(Dimension::AgeBand),
            subject: groups(Dimension::Subject),
            activity_form: groups(Dimension::ActivityForm),
        }
    }
}

impl MeasureOut {
    /// In one language.
    #[must_use]
    pub fn of(measure: &Measure, lang: Lang) -> Self {
        Self {
            code: measure.code.clone(),
            label: lang.pick(&measure.label.sv, &measure.label.en).clone(),
            definition: lang
                .pick(&measure.definition.sv, &measure.definition.en)
                .clone(),
            kind: measure.kind,
            unit: measure.unit,
            numerator: measure.numerator.clone(),
            denominator: measure.denominator,
            denominator_age_band: measure.denominator_ages.clone(),
            source_url: measure.source_url.clone(),
        }
    }
}

impl NoteOut {
    /// In one language, in their order.
    #[must_use]
    pub fn all(notes: &[Note], lang: Lang) -> Vec<Self> {
        let of = |note: &Note| Self {
            mandatory: note.mandatory,
            text: note.text.get(lang).to_owned(),
        };
        notes.iter().map(of).collect()
    }
}

impl SourceOut {
    /// As the publication names it.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        Self {
            id: source.id,
            title: source.title.clone(),
            publisher: source.publisher.clone(),
            url: source.url.clone(),
            published_on: source.published_on.clone(),
            official: source.official,
        }
    }
}

/// The day and the source of the residents of a year.
#[must_use]
pub fn population(frozen: &Frozen, year: i32) -> (Option<NaiveDate>, Option<&Source>) {
    let population = frozen
        .places
        .populations
        .iter()
        .find(|population| population.year == year);
    let source = population.and_then(|population| {
        let place = usize::try_from(population.source_no).ok()?;
        frozen.catalogue.sources.get(place)
    });
    (
        population.map(|population| population.reference_date),
        source,
    )
}

/// What the computed shares of an answer are of.
#[must_use]
pub fn denominators(frozen: &Frozen, answer: &Answer) -> Vec<DenominatorOut> {
    let question = &answer.question;
    (0..question.measures.len())
        .filter_map(|no| question.measure(frozen, no))
        .filter(|measure| measure.is_computed_share(&frozen.catalogue))
        .flat_map(|measure| {
            answer.years.iter().map(move |year| {
                let (reference_date, source) = population(frozen, *year);
                DenominatorOut {
                    measure: measure.code.clone(),
                    year: *year,
                    age_band: measure.denominator_ages.clone().unwrap_or_default(),
                    reference_date,
                    source: source.map(|source| source.title.clone()),
                }
            })
        })
        .collect()
}

/// The sources of the numbers, those of the residents included.
#[must_use]
pub fn sources<'f>(frozen: &'f Frozen, answer: &Answer) -> Vec<&'f Source> {
    let mut numbers = answer.sources.clone();
    numbers.extend(
        frozen
            .places
            .populations
            .iter()
            .filter(|population| answer.years.contains(&population.year))
            .map(|population| population.source_no),
    );
    numbers
        .into_iter()
        .filter_map(|no| frozen.catalogue.sources.get(usize::try_from(no).ok()?))
        .collect()
}

/// The names of the measures asked for, joined.
#[must_use]
pub fn title(frozen: &Frozen, question: &Question) -> Label {
    let measures: Vec<&Measure> = (0..question.measures.len())
        .filter_map(|no| question.measure(frozen, no))
        .collect();
    let joined = |pick: fn(&Measure) -> &str| {
        measures
            .iter()
            .map(|measure| pick(measure))
            .collect::<Vec<_>>()
            .join("; ")
    };
    Label::new(
        joined(|measure| &measure.label.sv),
        joined(|measure| &measure.label.en),
    )
}

/// A table that says where it is from and has no dimensions, metrics and rows yet; its file is called
/// `{name}-{publication}`.
#[must_use]
pub fn empty_table(frozen: &Frozen, name: &str, title: Label, permanent_url: &str) -> Table {
    Table {
        publication: frozen.name.clone(),
        citation: citation(frozen, &title, permanent_url),
        updated: frozen.published_at,
        href: permanent_url.to_owned(),
        synthetic: frozen.synthetic,
        ..Table::empty(format!("{name}-{}", frozen.name), title)
    }
}

/// How to cite an answer. The address holds the publication, which never changes, so no day of retrieval is needed.
#[must_use]
pub fn citation(frozen: &Frozen, title: &Label, permanent_url: &str) -> Label {
    let name = &frozen.name;
    let Label { sv, en } = title;
    let cited = Label::new(
        format!("Samverkan, publicering {name}, {sv}, hämtad från {permanent_url}"),
        format!("Samverkan, publication {name}, {en}, retrieved from {permanent_url}"),
    );
    if frozen.synthetic {
        Label::new(
            format!("{} (påhittade uppgifter)", cited.sv),
            format!("{} (invented data)", cited.en),
        )
    } else {
        cited
    }
}
