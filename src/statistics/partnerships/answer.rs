//! The answer of `/statistics/partnerships`, as JSON and as a table.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::choice::Choice;
use super::count::{Counted, Counts};
use super::selection::Selection;
use super::summary::{Part, Summary};
use crate::formats::beside::{Beside, Word};
use crate::formats::table::{Category, Dimension, Label, Metric, Note, Role, Row, Table, Unit};
use crate::http::lang::Lang;
use crate::problem::ApiResult;
use crate::registry::codes::Continuation;
use crate::statistics::answer::head::{
    CitationOut, NoteOut, ParameterOut, PublicationOut, citation, empty_table,
};
use crate::statistics::answer::notes::invented;
use crate::statistics::answer::rows::labelled;
use crate::statistics::codes::{CellStatus, PartnershipGroup, Protection};
use crate::statistics::deliver::{self, Answer, Form};
use crate::statistics::frozen::Frozen;

/// A metric: its code, its label in Swedish and English, and where the number is.
pub type MetricOf = (&'static str, &'static str, &'static str, fn(&Counts) -> u32);

/// The metrics of a row.
pub const METRICS: [MetricOf; 8] = [
    ("partnerships", "Samarbeten", "Partnerships", |c| {
        c.partnerships
    }),
    ("partners", "Samarbetsparter", "Partners", |c| c.partners),
    ("municipalities", "Kommuner", "Municipalities", |c| {
        c.municipalities
    }),
    ("projects", "Projekt", "Projects", |c| c.projects),
    (
        "continuing",
        "Samarbeten som fortsätter efter projektet",
        "Partnerships that go on after the project",
        |c| c.continuing,
    ),
    (
        "ended",
        "Samarbeten som upphör med projektet",
        "Partnerships that end with the project",
        |c| c.ended,
    ),
    (
        "unknown",
        "Samarbeten i projekt där källan inte säger om de fortsätter",
        "Partnerships in projects of which the source does not say",
        |c| c.unknown,
    ),
    (
        "inCollaborations",
        "Samarbeten i regionala samverkansformer",
        "Partnerships in regional collaborations",
        |c| c.in_collaborations,
    ),
];

/// Partnerships counted by groups.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartnershipStatistics {
    /// What the numbers are from.
    pub publication: PublicationOut,
    /// The question as it was understood.
    #[schema(example = json!([{"name": "publication", "value": "2025.1"}, {"name": "groupBy", "value": "category"}]))]
    pub parameters: Vec<ParameterOut>,
    /// What to know before reading the numbers, mandatory notes first.
    #[schema(example = json!([{"mandatory": false,
        "text": "Ett samarbete som gäller ett län eller hela landet räknas för det området, inte för var och en av kommunerna."}]))]
    pub notes: Vec<NoteOut>,
    /// The pages that tell of the partnerships, those that tell of most first; last, without an address, those that
    /// offices have told of themselves.
    pub sources: Vec<PartnershipSource>,
    /// How to cite this answer.
    pub citation: CitationOut,
    /// The lasting address of this answer: it names the publication.
    #[schema(
        example = "https://samverkan.example.org/samverkan/v1/statistics/partnerships?groupBy=category&publication=2025.1"
    )]
    pub permanent_url: String,
    /// One row for each group, in the order of `groupBy`; the last dimension runs fastest. Groups of closed
    /// vocabularies are there with 0 too.
    pub rows: Vec<PartnershipCount>,
    /// Municipalities without civil society, and what goes on after projects.
    pub summary: PartnershipSummary,
}

/// Where partnerships of an answer are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartnershipSource {
    /// The page; null where the registry names none.
    #[schema(example = "https://kulturskoleradet.se/projekt/kulturskolan-i-storstan/")]
    pub url: Option<String>,
    /// How many of the partnerships it tells of.
    #[schema(example = 7)]
    pub partnerships: usize,
}

/// A code with its label in the language of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coded {
    /// The code.
    #[schema(example = "1880")]
    pub code: String,
    /// What people read.
    #[schema(example = "Örebro")]
    pub label: String,
}

impl Coded {
    /// Of both.
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            label: label.into(),
        }
    }
}

/// The numbers of one group. A dimension is there if `groupBy` names it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"category": {"code": "sports_association", "label": "Idrottsförening"}, "partnerships": 7,
    "partners": 5, "municipalities": 3, "projects": 2, "continuing": 2, "ended": 1, "unknown": 3, "inCollaborations": 1}))]
pub struct PartnershipCount {
    /// Category of the partners.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!({"code": "sports_association", "label": "Idrottsförening"}))]
    pub category: Option<Coded>,
    /// Municipality, or the county or country where the source names no municipality.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub municipality: Option<Coded>,
    /// County, or `SE` where the source names no county.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub region: Option<Coded>,
    /// Project by its id, or `no_project` in a regional collaboration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub project: Option<Coded>,
    /// Form of cooperation, or `not_stated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub form: Option<Coded>,
    /// Role of the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub role: Option<Coded>,
    /// Year, or `not_known`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub year: Option<Coded>,
    /// Partnerships. Those of several years count in each.
    #[schema(example = 7)]
    pub partnerships: u32,
    /// Partners, each one once in a row; one partner can be in several rows.
    #[schema(example = 5)]
    pub partners: u32,
    /// Municipalities that the partnerships are in, each one once. A partnership of a county or the country is in none.
    #[schema(example = 3)]
    pub municipalities: u32,
    /// Projects, each one once.
    #[schema(example = 2)]
    pub projects: u32,
    /// Partnerships in projects that go on after the project.
    #[schema(example = 2)]
    pub continuing: u32,
    /// Partnerships in projects that do not.
    #[schema(example = 1)]
    pub ended: u32,
    /// Partnerships in projects of which the source does not say.
    #[schema(example = 3)]
    pub unknown: u32,
    /// Partnerships in regional collaborations, which have no project to outlive. These four make up `partnerships`.
    #[schema(example = 1)]
    pub in_collaborations: u32,
}

/// What stands beside the counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartnershipSummary {
    /// Municipalities where no partnership has a partner of civil society.
    pub without_civil_society: WithoutCivilSociety,
    /// Partnerships of ended projects that go on after the project.
    pub continuing_partnerships: ShareOf,
    /// Ended projects whose activities go on in full or in part, as the project says.
    pub continuing_projects: ShareOf,
    /// The ended projects with partnerships in the selection, the latest first.
    pub ended_projects: Vec<EndedProject>,
}

/// Municipalities without any partner of civil society.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WithoutCivilSociety {
    /// How many.
    #[schema(example = 1)]
    pub count: usize,
    /// Of how many: the municipalities inside `municipality`, `region` and `collaboration` on the day of the publication.
    #[schema(example = 12)]
    pub of: u32,
    /// Which, by code.
    #[schema(example = json!([{"code": "1881", "label": "Kumla"}]))]
    pub municipalities: Vec<Coded>,
}

/// A share with what it is made of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShareOf {
    /// Percent, two decimals; null where the denominator is 0.
    #[schema(example = 66.67)]
    pub percent: Option<f64>,
    /// Those that go on.
    #[schema(example = 2)]
    pub numerator: u32,
    /// Those of which the source says whether they go on.
    #[schema(example = 3)]
    pub denominator: u32,
    /// Those of which it does not; in neither of the two.
    #[schema(example = 4)]
    pub unknown: u32,
}

impl ShareOf {
    fn of(part: &Part) -> Self {
        Self {
            percent: part.percent(),
            numerator: part.numerator,
            denominator: part.denominator,
            unknown: part.unknown,
        }
    }
}

/// A project that had ended when the publication was made.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndedProject {
    /// Id of the project.
    #[schema(example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")]
    pub id: Uuid,
    /// Its title.
    #[schema(example = "Kulturskola i hela landet")]
    pub title: String,
    /// Its last month.
    #[schema(example = "2022-06")]
    pub end_month: Option<String>,
    /// What goes on of its activities; null where the source does not say.
    #[schema(example = json!({"code": "partly", "label": "En del fortsätter"}))]
    pub continuation: Option<Coded>,
    /// Its partnerships in the selection that go on.
    pub partnerships: ShareOf,
}

/// What the members of the summary and of the sources are called.
const WORDS: [Word; 19] = [
    (
        "withoutCivilSociety",
        "Utan civilsamhälle",
        "Without civil society",
    ),
    ("count", "antal", "number"),
    ("of", "av", "of"),
    ("municipalities", "vilka", "which"),
    (
        "continuingPartnerships",
        "Samarbeten som fortsätter",
        "Partnerships that go on",
    ),
    (
        "continuingProjects",
        "Projekt som fortsätter",
        "Projects that go on",
    ),
    ("endedProjects", "Avslutade projekt", "Ended projects"),
    ("percent", "procent", "percent"),
    ("numerator", "som fortsätter", "that go on"),
    (
        "denominator",
        "där källan säger det",
        "of which the source says",
    ),
    (
        "unknown",
        "där källan inte säger det",
        "of which the source does not say",
    ),
    ("code", "Kod", "Code"),
    ("label", "Namn", "Name"),
    ("id", "Id", "Id"),
    ("title", "Titel", "Title"),
    ("endMonth", "Sista månad", "Last month"),
    ("continuation", "Fortsättning", "Continuation"),
    ("partnerships", "Samarbeten", "Partnerships"),
    ("url", "Adress", "Address"),
];

/// Everything that the answer is written from.
pub struct PartnershipAnswer {
    frozen: Arc<Frozen>,
    selection: Selection,
    counted: Counted,
    undated: usize,
}

fn title() -> Label {
    Label::new(
        "Samarbeten kring kulturskolan",
        "Partnerships around culture schools",
    )
}

impl PartnershipAnswer {
    /// Counts.
    ///
    /// # Errors
    /// See [`super::count::count`].
    pub fn new(frozen: Arc<Frozen>, selection: Selection) -> ApiResult<Self> {
        let choice = Choice::new(&frozen, &selection);
        let undated = choice.undated;
        let counted = super::count::count(&frozen, &selection, &choice)?;
        Ok(Self {
            frozen,
            selection,
            counted,
            undated,
        })
    }

    /// A table has at least one dimension: without `groupBy` it is the selection as a whole.
    fn dimensions(&self) -> Vec<Dimension> {
        if !self.counted.dimensions.is_empty() {
            return self.counted.dimensions.clone();
        }
        let all = Label::new("Hela urvalet", "The whole selection");
        vec![Dimension {
            code: "selection",
            label: Label::new("Urval", "Selection"),
            role: Role::None,
            categories: vec![Category::new("all", all)],
        }]
    }

    fn notes(&self) -> Vec<Note> {
        let note = |mandatory, sv: &str, en: &str| Note {
            mandatory,
            text: Label::new(sv, en),
        };
        let mut notes: Vec<Note> = invented(&self.frozen).into_iter().collect();
        if self.selection.group_by.contains(&PartnershipGroup::Year) {
            notes.push(note(
                true,
                "Ett samarbete räknas i varje år som det berör; åren ska inte summeras.",
                "A partnership counts in every year that it touches; the years must not be added up.",
            ));
        }
        if self.undated > 0 {
            notes.push(note(
                true,
                &format!("{} samarbeten utan känd månad är inte med: de kan inte placeras i något år.", self.undated),
                &format!("{} partnerships without any known month are left out: they cannot be placed in a year.", self.undated),
            ));
        }
        notes.extend([
            note(
                false,
                "Ett samarbete utan egna månader har projektets. Utan känt slut, och när det fortsätter efter projektet, räknas det som pågående till och med publiceringens dag.",
                "A partnership without months of its own has those of its project. Without a known end, and where it goes on after the project, it counts as ongoing until the day of the publication.",
            ),
            note(
                false,
                "Ett samarbete som gäller ett län eller hela landet räknas för det området, inte för var och en av kommunerna.",
                "A partnership of a county or the whole country counts for that area, not for each of its municipalities.",
            ),
            note(
                false,
                "Registret håller de samarbeten som kontor och källor har uppgett; det som ingen har uppgett saknas. En grupp av föreningar som källan inte namnger räknas som en part.",
                "The registry holds the partnerships that offices and sources have told of; what nobody told is missing. A group of associations that the source does not name counts as one partner.",
            ),
            note(
                false,
                "Organisationer räknas, inte barn; talen är därför inte avrundade.",
                "Organisations are counted, not children; so the numbers are not rounded.",
            ),
        ]);
        notes
    }

    fn sources(&self) -> Vec<PartnershipSource> {
        let mut by_page: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for chosen in Choice::new(&self.frozen, &self.selection).chosen {
            let page = chosen.partnership.source_url.as_deref();
            *by_page.entry(page).or_default() += 1;
        }
        let mut pages: Vec<_> = by_page.into_iter().collect();
        pages.sort_by_key(|(page, count)| (page.is_none(), Reverse(*count)));
        pages
            .into_iter()
            .map(|(page, partnerships)| PartnershipSource {
                url: page.map(str::to_owned),
                partnerships,
            })
            .collect()
    }

    fn summary(&self, lang: Lang) -> PartnershipSummary {
        let choice = Choice::new(&self.frozen, &self.selection);
        let summary = Summary::new(&self.frozen, &self.selection, &choice);
        PartnershipSummary {
            without_civil_society: WithoutCivilSociety {
                count: summary.without_civil_society.len(),
                of: summary.municipalities,
                municipalities: summary
                    .without_civil_society
                    .iter()
                    .map(|area| Coded::new(&area.code, &area.name))
                    .collect(),
            },
            continuing_partnerships: ShareOf::of(&summary.partnerships),
            continuing_projects: ShareOf::of(&summary.projects),
            ended_projects: summary
                .ended
                .iter()
                .map(|ended| EndedProject {
                    id: ended.project.id,
                    title: ended.project.title.clone(),
                    end_month: ended.project.end_month.clone(),
                    continuation: ended
                        .project
                        .continuation
                        .as_deref()
                        .map(|code| Coded::new(code, labelled(&Continuation::LIST, code, lang))),
                    partnerships: ShareOf::of(&ended.partnerships),
                })
                .collect(),
        }
    }

    fn row(&self, categories: &[&Category], counts: &Counts, lang: Lang) -> PartnershipCount {
        let mut row = PartnershipCount {
            partnerships: counts.partnerships,
            partners: counts.partners,
            municipalities: counts.municipalities,
            projects: counts.projects,
            continuing: counts.continuing,
            ended: counts.ended,
            unknown: counts.unknown,
            in_collaborations: counts.in_collaborations,
            ..PartnershipCount::default()
        };
        for (group, category) in self.selection.group_by.iter().zip(categories) {
            let member = match group {
                PartnershipGroup::Category => &mut row.category,
                PartnershipGroup::Municipality => &mut row.municipality,
                PartnershipGroup::Region => &mut row.region,
                PartnershipGroup::Project => &mut row.project,
                PartnershipGroup::Form => &mut row.form,
                PartnershipGroup::Role => &mut row.role,
                PartnershipGroup::Year => &mut row.year,
            };
            *member = Some(Coded::new(&category.code, category.label.get(lang)));
        }
        row
    }
}

impl Answer for PartnershipAnswer {
    type Body = PartnershipStatistics;

    fn body(&self, form: &Form) -> PartnershipStatistics {
        // A table knows the categories of each row by its place.
        let table = Table {
            dimensions: self.dimensions(),
            ..Table::empty("", title())
        };
        PartnershipStatistics {
            publication: PublicationOut::of(&self.frozen, Protection::None, form.lang),
            parameters: ParameterOut::all(&self.frozen, self.selection.canonical()),
            notes: NoteOut::all(&self.notes(), form.lang),
            sources: self.sources(),
            citation: citation(&self.frozen, &title(), &form.permanent_url).into(),
            permanent_url: form.permanent_url.clone(),
            rows: self
                .counted
                .rows
                .iter()
                .enumerate()
                .map(|(n, counts)| {
                    let categories: Vec<&Category> = table.categories(n).collect();
                    self.row(&categories, counts, form.lang)
                })
                .collect(),
            summary: self.summary(form.lang),
        }
    }

    fn table(&self, form: &Form) -> Table {
        let unit = Unit {
            label: Label::new("antal", "count"),
            decimals: 0,
        };
        Table {
            dimensions: self.dimensions(),
            metrics: METRICS
                .iter()
                .map(|(code, sv, en, _)| {
                    Metric::new(code, Label::new(*sv, *en)).of_unit(unit.clone())
                })
                .collect(),
            rows: self
                .counted
                .rows
                .iter()
                .map(|counts| Row {
                    values: METRICS
                        .iter()
                        .map(|(.., number)| Some(f64::from(number(counts))))
                        .collect(),
                    status: CellStatus::Reported.as_str(),
                    remark: None,
                })
                .collect(),
            notes: self.notes(),
            beside: vec![
                Beside::new(
                    "summary",
                    Label::new("Sammanfattning", "Summary"),
                    &WORDS,
                    &self.summary(form.lang),
                ),
                Beside::new(
                    "sources",
                    Label::new("Källor", "Sources"),
                    &WORDS,
                    &self.sources(),
                ),
            ],
            source: Label::new("Samverkans register", "The registry of Samverkan"),
            protection: Protection::None.as_str(),
            statuses: deliver::statuses(),
            ..empty_table(&self.frozen, "partnerships", title(), &form.permanent_url)
        }
    }
}
