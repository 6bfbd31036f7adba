//! What the numbers of a publication refer to, read from its snapshot: measures, periods, sources, reports, areas,
//! residents, the network, the protection.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use tokio_postgres::Client;
use uuid::Uuid;

use super::findings::{Finding, Findings, Rule};
use super::plain::{Stopped, rows};
use super::residents::Populations;
use crate::participation::codes::{
    ActivityForm, Denominator, Gender, MeasureKind, PeriodKind, ReportState, Subject,
};
use crate::problem::{Fault, Problem, text};
use crate::statistics::codes::Severity;
use crate::statistics::cube::Dictionary;
use crate::statistics::frozen::{
    Area, Catalogue, Collaboration, Measure, Network, Partner, Partnership, Period, Places, Policy,
    Project, Report, Returns, SHAPE, Source,
};

/// Everything that a publication is made against. Places in the lists are the numbers of the tables.
#[derive(Debug)]
pub struct Ground {
    /// Measures, periods, sources, codes, policies. Bases of the measures and age bands are added as numbers are read.
    pub catalogue: Catalogue,
    /// How many of the sources were chosen; those after them only counted residents.
    pub chosen: usize,
    /// Areas, collaborations, where residents come from.
    pub places: Places,
    /// The approved reports, in the order of precedence. What they have numbers of is added as numbers are read.
    pub returns: Returns,
    /// Who worked with whom.
    pub network: Network,
    /// Residents by area and year.
    pub populations: Populations,
    /// The secret that decides about small cells.
    pub key: [u8; 32],
}

/// A report as read.
#[derive(Deserialize)]
struct ReportRow {
    id: Uuid,
    version: i64,
    source: i16,
    area: String,
    kind: PeriodKind,
    period: String,
    first_day: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    approved_at: Option<DateTime<Utc>>,
}

/// A report that waits.
#[derive(Deserialize)]
struct Waiting {
    id: Uuid,
    source: Uuid,
    area: String,
    period: String,
    state: String,
}

/// A measure as read.
#[derive(Deserialize)]
struct MeasureRow {
    #[serde(flatten)]
    measure: Measure,
    published: bool,
}

/// A partnership as read.
#[derive(Deserialize)]
struct PartnershipRow {
    id: Uuid,
    partner: Uuid,
    project: Option<Uuid>,
    collaboration: Option<Uuid>,
    area: String,
    role: String,
    form: Option<String>,
    from: Option<String>,
    to: Option<String>,
    continues: Option<bool>,
    source: Option<String>,
}

/// The sources of a publication, in the order of precedence: the named ones, or all that are published and have approved
/// reports.
///
/// # Errors
/// 422 for one that does not exist, is named twice, or if there are none.
pub async fn sources(client: &Client, named: Option<&[Uuid]>) -> Result<Vec<Source>, Stopped> {
    let ids = match named {
        Some(named) => named.to_vec(),
        None => rows(client, include_str!("sql/default_sources.sql"), &[]).await?,
    };
    let sources: Vec<Source> = rows(client, include_str!("sql/sources.sql"), &[&ids]).await?;
    let mut seen = BTreeSet::new();
    for (n, id) in ids.iter().enumerate() {
        let exists = sources.iter().any(|source| source.id == *id);
        if !exists || !seen.insert(*id) {
            let fault = Fault::at(
                format!("/sources/{n}"),
                "publication_source_exists",
                text(
                    "Källan finns inte, eller är nämnd två gånger.",
                    "The source does not exist, or is named twice.",
                ),
            );
            return Err(Problem::invalid(fault).into());
        }
    }
    if sources.is_empty() {
        let said = text(
            "Ingen publicerad källa har en godkänd rapport.",
            "No published source has an approved report.",
        );
        return Err(Problem::invalid(Fault::at("/sources", "no_sources", said)).into());
    }
    Ok(sources)
}

impl Ground {
    /// Reads it, and puts the reports into the temporary table of their order.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(
        client: &Client,
        mut sources: Vec<Source>,
        findings: &mut Findings,
    ) -> Result<Self, Stopped> {
        let chosen = sources.len();
        let ids: Vec<Uuid> = sources.iter().map(|source| source.id).collect();
        waiting(client, &ids, findings).await?;
        let reports: Vec<ReportRow> =
            rows(client, include_str!("sql/reports.sql"), &[&ids]).await?;
        let periods = periods(&reports);
        let returns = returns(reports, &periods);
        let populations = Populations::read(client, &ids).await?;
        let others: Vec<Uuid> = populations
            .sources()
            .filter(|id| !ids.contains(id))
            .collect();
        sources.extend(rows::<Source>(client, include_str!("sql/sources.sql"), &[&others]).await?);
        let measures: Vec<MeasureRow> = rows(client, include_str!("sql/measures.sql"), &[]).await?;
        let places = Places {
            areas: rows::<Area>(client, include_str!("sql/areas.sql"), &[]).await?,
            collaborations: rows::<Collaboration>(
                client,
                include_str!("sql/collaborations.sql"),
                &[],
            )
            .await?,
            populations: populations.origins(&sources),
        };
        let row = client
            .query_one("SELECT key FROM protection_keys WHERE grid = 1", &[])
            .await?;
        let key: [u8; 32] = row
            .try_get::<_, &[u8]>(0)?
            .try_into()
            .map_err(Problem::internal)?;
        Ok(Self {
            catalogue: Catalogue {
                shape: SHAPE,
                dictionary: dictionary(),
                measures: measures
                    .into_iter()
                    .filter(|row| row.published)
                    .map(|row| row.measure)
                    .collect(),
                periods,
                sources,
                policies: rows::<Policy>(client, include_str!("sql/policies.sql"), &[]).await?,
            },
            chosen,
            places,
            returns,
            network: network(client).await?,
            populations,
            key,
        })
    }

    /// The code of a measure's place, for rows that come by code.
    #[must_use]
    pub fn measure_numbers(&self) -> HashMap<String, usize> {
        let measures = self.catalogue.measures.iter().enumerate();
        measures
            .map(|(no, measure)| (measure.code.clone(), no))
            .collect()
    }
}

/// The codes of the cells: all that the vocabularies have, in their order; age bands come as they are met.
fn dictionary() -> Dictionary {
    let codes = |list: &'static [crate::values::Code], whole: &str| {
        let parts = list.iter().map(|code| code.code);
        parts
            .filter(|code| *code != whole)
            .map(str::to_owned)
            .collect()
    };
    Dictionary {
        genders: codes(Gender::LIST.codes, Gender::Total.as_str()),
        ages: Vec::new(),
        subjects: codes(Subject::LIST.codes, Subject::All.as_str()),
        forms: codes(ActivityForm::LIST.codes, ActivityForm::All.as_str()),
        // As they are met.
        met_forms: Vec::new(),
    }
}

/// The periods of the reports in the order of time, the undated last. Reports of one period may begin and end on
/// different days; the period reaches from the first to the last of them.
fn periods(reports: &[ReportRow]) -> Vec<Period> {
    let mut known: HashMap<(PeriodKind, &str), Period> = HashMap::new();
    for report in reports {
        let period = known
            .entry((report.kind, &report.period))
            .or_insert_with(|| Period {
                kind: report.kind,
                code: report.period.clone(),
                first_day: report.first_day,
                last_day: report.last_day,
            });
        period.first_day = period.first_day.min(report.first_day);
        period.last_day = period.last_day.max(report.last_day);
    }
    let mut periods: Vec<Period> = known.into_values().collect();
    periods.sort_by(|a, b| {
        let key = |p: &Period| (p.first_day.is_none(), p.first_day, p.last_day, p.kind);
        key(a).cmp(&key(b)).then_with(|| a.code.cmp(&b.code))
    });
    periods
}

fn returns(reports: Vec<ReportRow>, periods: &[Period]) -> Returns {
    let numbers: HashMap<(PeriodKind, &str), i16> = periods
        .iter()
        .zip(0..)
        .map(|(period, no)| ((period.kind, period.code.as_str()), no))
        .collect();
    let reports = reports.into_iter().map(|row| Report {
        period_no: numbers
            .get(&(row.kind, row.period.as_str()))
            .copied()
            .unwrap_or_default(),
        id: row.id,
        version: row.version,
        source_no: row.source,
        area: row.area,
        numbers: BTreeMap::new(),
        approved_at: row.approved_at,
    });
    Returns {
        reports: reports.collect(),
    }
}

async fn waiting(client: &Client, ids: &[Uuid], findings: &mut Findings) -> Result<(), Stopped> {
    for row in rows::<Waiting>(client, include_str!("sql/unapproved.sql"), &[&ids]).await? {
        let Waiting {
            id,
            source,
            area,
            period,
            state,
        } = row;
        let state = ReportState::LIST.find(&state);
        let (sv, en) = state.map_or(("", ""), |state| (state.label_sv, state.label_en));
        let mut finding = Finding::new(
            Rule::ReportsNotApproved,
            Severity::Information,
            format!("Rapporten för {area}, {period} är inte godkänd ({sv}) och tas inte med."),
            format!("The report of {area}, {period} is not approved ({en}) and is left out."),
        )
        .of(Some(source), Some(id));
        finding.area = Some(area);
        finding.period = Some(period);
        findings.add(finding);
    }
    Ok(())
}

async fn network(client: &Client) -> Result<Network, Stopped> {
    let partners: Vec<Partner> = rows(client, include_str!("sql/partners.sql"), &[]).await?;
    let projects: Vec<Project> = rows(client, include_str!("sql/projects.sql"), &[]).await?;
    let partner_places: HashMap<Uuid, usize> = partners.iter().map(|row| row.id).zip(0..).collect();
    let project_places: HashMap<Uuid, usize> = projects.iter().map(|row| row.id).zip(0..).collect();
    let all: Vec<PartnershipRow> = rows(client, include_str!("sql/partnerships.sql"), &[]).await?;
    let partnerships = all.into_iter().filter_map(|row| {
        Some(Partnership {
            id: row.id,
            partner: *partner_places.get(&row.partner)?,
            project: row.project.and_then(|id| project_places.get(&id)).copied(),
            collaboration: row.collaboration,
            area: row.area,
            role: row.role,
            form: row.form,
            from: row.from,
            to: row.to,
            continues: row.continues,
            source_url: row.source,
        })
    });
    Ok(Network {
        partnerships: partnerships.collect(),
        partners,
        projects,
    })
}

/// Leaves the measures that have numbers, and the shares of residents that can be computed from them, which have the
/// bases of what they count.
pub fn keep_what_has_numbers(catalogue: &mut Catalogue) {
    let counted: HashMap<String, Vec<String>> = catalogue
        .measures
        .iter()
        .filter(|measure| measure.counted)
        .map(|measure| (measure.code.clone(), measure.bases.clone()))
        .collect();
    for measure in &mut catalogue.measures {
        let of_residents = measure.kind == MeasureKind::Share
            && measure.denominator == Some(Denominator::Residents);
        let numerator = measure.numerator.as_ref().filter(|_| of_residents);
        for basis in numerator
            .and_then(|code| counted.get(code))
            .into_iter()
            .flatten()
        {
            if !measure.bases.contains(basis) {
                measure.bases.push(basis.clone());
            }
        }
        measure.bases.sort_unstable();
    }
    catalogue
        .measures
        .retain(|measure| !measure.bases.is_empty());
}
