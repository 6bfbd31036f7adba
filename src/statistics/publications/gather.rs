//! Reading the observations of the chosen reports, one by one, in the order of the families.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;

use futures_util::TryStreamExt;
use serde::Deserialize;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::blocks::{Figure, Writer};
use super::checks::{Existing, Series, missing_municipalities};
use super::family::{Around, Coverage, Run, Said, Sink};
use super::findings::{Finding, Findings, Rule};
use super::freeze::Ground;
use super::make::Progress;
use super::plain::{Stopped, rows};
use crate::participation::codes::{MeasureKind, MeasureUnit};
use crate::problem::{Fault, Problem, text};
use crate::statistics::codes::{Level, PublicationPhase, Severity};
use crate::statistics::cube::{Ages, Cell, Dictionary, Quality, WHOLE};
use crate::statistics::frozen::{Measure, Period, Source};
use crate::statistics::protection::{Changed, Protector};
use crate::statistics::quality::Loss;

/// What was gathered besides the blocks and figures.
pub struct Gathered {
    /// How many observations were read.
    pub observations: u64,
    /// What the protection did to the cells.
    pub changed: Changed,
    /// What it costs.
    pub loss: Loss,
    /// How much of the country is in the numbers.
    pub coverage: Vec<Coverage>,
}

/// How many observations a measure has.
#[derive(Deserialize)]
struct Counted {
    measure: String,
    published: bool,
    count: i64,
}

/// Reads everything, and has it written.
///
/// # Errors
/// When a query fails, or there are more age bands than a cell can name.
pub async fn gather(
    reader: &Client,
    ground: &mut Ground,
    writer: &mut Writer<'_>,
    findings: &mut Findings,
    progress: &Progress,
) -> Result<Gathered, Stopped> {
    progress.enter(PublicationPhase::Validating);
    choose(reader, ground).await?;
    progress.expect(count(reader, findings).await?);
    let dictionary = std::mem::take(&mut ground.catalogue.dictionary);
    let existing = Existing::new(&ground.places.areas);
    let protector = Protector::new(&ground.key, ground.catalogue.policies.clone());
    let mut said = Vec::new();
    let (sink, bases, forms) = {
        let around = Around {
            places: &ground.places,
            existing: &existing,
            populations: &ground.populations,
            protector: &protector,
        };
        let sink = Sink {
            dictionary,
            writer,
            findings,
            series: Series::default(),
            loss: Loss::default(),
            changed: Changed::default(),
            reported: std::collections::BTreeMap::default(),
            coverage: Vec::new(),
        };
        let mut reading = Reading::new(&around, ground, sink);
        let parameters: [&(dyn ToSql + Sync); 0] = [];
        let stream = reader
            .query_raw(include_str!("sql/observations.sql"), parameters)
            .await?;
        let mut stream = pin!(stream);
        progress.enter(PublicationPhase::Protecting);
        while let Some(row) = stream.try_next().await? {
            if reading.take(&row)? {
                progress.reach(reading.read);
                reading.sink.writer.relieve().await?;
            }
        }
        progress.enter(PublicationPhase::Writing);
        reading.end()?;
        std::mem::swap(&mut said, &mut reading.said);
        progress.reach(reading.read);
        let forms = std::mem::take(&mut reading.forms);
        (reading.sink, reading.bases, forms)
    };
    let observations = u64::try_from(progress.reached()).unwrap_or_default();
    missing_municipalities(
        &sink.reported,
        &ground.catalogue.periods,
        &existing,
        sink.findings,
    );
    sink.writer.flush().await?;
    let Sink {
        dictionary,
        loss,
        changed,
        coverage,
        ..
    } = sink;
    ground.catalogue.dictionary = dictionary.with_forms_met(&forms);
    for (measure, bases) in ground.catalogue.measures.iter_mut().zip(bases) {
        measure.bases = bases;
    }
    for (report, measure, area) in said {
        if let (Some(report), Some(measure)) = (
            ground.returns.reports.get_mut(report),
            ground.catalogue.measures.get(measure),
        ) {
            let areas = report.numbers.entry(measure.code.clone()).or_default();
            areas.insert(area);
        }
    }
    Ok(Gathered {
        observations,
        changed,
        loss,
        coverage,
    })
}

/// Puts the chosen reports where the query of the observations finds them.
async fn choose(reader: &Client, ground: &Ground) -> Result<(), Stopped> {
    reader
        .batch_execute("CREATE TEMPORARY TABLE chosen_reports (report_id uuid PRIMARY KEY, no integer NOT NULL, period_no smallint NOT NULL) ON COMMIT DROP")
        .await?;
    let reports = &ground.returns.reports;
    let ids: Vec<Uuid> = reports.iter().map(|report| report.id).collect();
    let periods: Vec<i16> = reports.iter().map(|report| report.period_no).collect();
    let numbers: Vec<i32> = (0..).take(reports.len()).collect();
    reader
        .execute(
            include_str!("sql/choose_reports.sql"),
            &[&ids, &numbers, &periods],
        )
        .await?;
    reader.batch_execute("ANALYZE chosen_reports").await?;
    Ok(())
}

/// How many observations there are; those of draft measures are told.
async fn count(reader: &Client, findings: &mut Findings) -> Result<i64, Stopped> {
    let mut all = 0;
    for Counted {
        measure,
        published,
        count,
    } in rows(reader, include_str!("sql/count_observations.sql"), &[]).await?
    {
        if published {
            all += count;
            continue;
        }
        let mut finding = Finding::new(
            Rule::MeasureNotPublished,
            Severity::Information,
            format!("Måttet {measure} är ett utkast; {count} observationer tas inte med."),
            format!("The measure {measure} is a draft; {count} observations are left out."),
        );
        finding.measure = Some(measure);
        findings.add(finding);
    }
    Ok(all)
}

/// An observation.
struct Observation<'r> {
    gender: &'r str,
    age_band: &'r str,
    subject: &'r str,
    form: &'r str,
    value: Option<f64>,
    status: &'r str,
    precision: &'r str,
    note: Option<&'r str>,
}

/// The area that is being read, and the report that counts for it.
struct Speaker {
    area: String,
    report: usize,
    /// Another report that says something of the same: told once.
    other: Option<usize>,
    cells: Vec<Cell>,
}

/// The numbers of codes.
struct Numbers {
    genders: HashMap<String, u8>,
    subjects: HashMap<String, u8>,
    forms: HashMap<String, u8>,
}

/// Where the reader is.
struct Reading<'a, 'w, 'c> {
    around: &'a Around<'a>,
    ground: &'a Ground,
    measures: HashMap<String, usize>,
    numbers: Numbers,
    sink: Sink<'w, 'c>,
    /// Bases by measure.
    bases: Vec<Vec<String>>,
    /// Which report has numbers of which measure for which area.
    said: Vec<(usize, usize, String)>,
    /// Which forms of activity something was counted by, by their numbers.
    forms: BTreeSet<u8>,
    family: Option<Now<'a>>,
    speaker: Option<Speaker>,
    read: i64,
}

/// The family that is being read.
struct Now<'a> {
    measure: &'a Measure,
    measure_no: usize,
    basis: String,
    period: &'a Period,
    period_no: i16,
    /// Of counted measures.
    run: Option<Run<'a>>,
}

impl<'a, 'w, 'c> Reading<'a, 'w, 'c> {
    fn new(around: &'a Around<'a>, ground: &'a Ground, sink: Sink<'w, 'c>) -> Self {
        let numbered = |codes: &[String]| codes.iter().cloned().zip(1..).collect();
        let numbers = Numbers {
            genders: numbered(&sink.dictionary.genders),
            subjects: numbered(&sink.dictionary.subjects),
            forms: numbered(&sink.dictionary.forms),
        };
        Self {
            around,
            ground,
            measures: ground.measure_numbers(),
            numbers,
            sink,
            bases: vec![Vec::new(); ground.catalogue.measures.len()],
            said: Vec::new(),
            forms: BTreeSet::new(),
            family: None,
            speaker: None,
            read: 0,
        }
    }

    /// Takes a row. Says whether an area was closed by it, which is a good moment to write.
    fn take(&mut self, row: &Row) -> Result<bool, Stopped> {
        self.read += 1;
        let (measure, basis, period_no): (&str, &str, i16) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let (area, report): (&str, i32) = (row.try_get(3)?, row.try_get(4)?);
        let report = usize::try_from(report).map_err(Problem::internal)?;
        let same_family = self.family.as_ref().is_some_and(|now| {
            now.period_no == period_no && now.basis == basis && now.measure.code == measure
        });
        let same_area = same_family
            && self
                .speaker
                .as_ref()
                .is_some_and(|speaker| speaker.area == area);
        if !same_area {
            self.close_area()?;
            if !same_family {
                self.open_family(measure, basis, period_no)?;
            }
            self.speaker = Some(Speaker {
                area: area.to_owned(),
                report,
                other: None,
                cells: Vec::new(),
            });
        }
        let observation = Observation {
            gender: row.try_get(5)?,
            age_band: row.try_get(6)?,
            subject: row.try_get(7)?,
            form: row.try_get(8)?,
            value: row.try_get(9)?,
            status: row.try_get(10)?,
            precision: row.try_get(11)?,
            note: row.try_get(12)?,
        };
        self.observe(report, &observation)?;
        Ok(!same_area)
    }

    fn end(&mut self) -> Result<(), Stopped> {
        self.close_area()?;
        self.close_family()
    }

    fn open_family(&mut self, measure: &str, basis: &str, period_no: i16) -> Result<(), Stopped> {
        let before = self
            .family
            .as_ref()
            .map(|now| (now.measure_no, now.basis.clone()));
        self.close_family()?;
        let lost = || Problem::internal(format!("no measure {measure} or period {period_no}"));
        let measure_no = *self.measures.get(measure).ok_or_else(lost)?;
        let ground: &'a Ground = self.ground;
        let measure = ground.catalogue.measures.get(measure_no).ok_or_else(lost)?;
        let period = ground.catalogue.period(period_no).ok_or_else(lost)?;
        if before.is_none_or(|(no, of)| no != measure_no || of != basis) {
            self.sink.series = Series::default();
        }
        self.family = Some(Now {
            measure,
            measure_no,
            basis: basis.to_owned(),
            period,
            period_no,
            run: measure
                .counted
                .then(|| Run::new(self.around, measure, basis, (period, period_no))),
        });
        Ok(())
    }

    fn close_family(&mut self) -> Result<(), Stopped> {
        match self.family.take().and_then(|now| now.run) {
            Some(run) => run.finish(&mut self.sink),
            None => Ok(()),
        }
    }

    fn close_area(&mut self) -> Result<(), Stopped> {
        let (Some(speaker), Some(now)) = (self.speaker.take(), self.family.as_mut()) else {
            return Ok(());
        };
        let Some(run) = now.run.as_mut() else {
            return Ok(());
        };
        let (report, source, source_no) = speaking(self.ground, speaker.report);
        let said = Said {
            area: speaker.area,
            cells: speaker.cells,
            report,
            source: source.id,
            source_no,
        };
        run.area(said, &mut self.sink)
    }

    fn observe(&mut self, report: usize, observation: &Observation<'_>) -> Result<(), Stopped> {
        let (Some(speaker), Some(now)) = (self.speaker.as_mut(), self.family.as_ref()) else {
            return Ok(());
        };
        if observation.value.is_some()
            && let Some(of) = self.ground.returns.reports.get(report)
        {
            let area = of.speaks_of(&speaker.area);
            let told = |(one, measure, of): &(usize, usize, String)| {
                (*one, *measure, of.as_str()) == (report, now.measure_no, area)
            };
            if !self.said.last().is_some_and(told) {
                self.said.push((report, now.measure_no, area.to_owned()));
            }
        }
        if speaker.report != report {
            if speaker.other != Some(report) {
                speaker.other = Some(report);
                let finding = duplicate(self.ground, now, speaker, report);
                self.sink.findings.add(finding);
            }
            return Ok(());
        }
        if let Some(bases) = self.bases.get_mut(now.measure_no)
            && bases.last() != Some(&now.basis)
        {
            bases.push(now.basis.clone());
        }
        let age = age(&mut self.sink.dictionary, observation.age_band)?;
        if now.run.is_some() {
            let cell = self.numbers.cell(age, observation);
            self.forms.insert(cell.form);
            speaker.cells.push(cell);
            return Ok(());
        }
        let (id, source, source_no) = speaking(self.ground, report);
        if let Some(finding) = kept_back(
            now.measure,
            &self.ground.catalogue.measures,
            source,
            observation,
        ) {
            let withheld = finding.rule == Rule::ShareNotPublished;
            let finding = finding.about(&now.measure.code, &speaker.area, &now.period.code);
            self.sink
                .findings
                .add(finding.of(Some(source.id), Some(id)));
            if withheld {
                return Ok(());
            }
        }
        self.sink.writer.figure(Figure {
            measure: now.measure.code.clone(),
            basis: now.basis.clone(),
            level: Level::of(&speaker.area).number(),
            period_no: now.period_no,
            area: speaker.area.clone(),
            gender: observation.gender.to_owned(),
            age_band: observation.age_band.to_owned(),
            subject: observation.subject.to_owned(),
            activity_form: observation.form.to_owned(),
            value: observation.value,
            status: observation.status.to_owned(),
            precision: observation.precision.to_owned(),
            source_no,
            note: observation.note.map(str::to_owned),
        });
        Ok(())
    }
}

/// The report and source behind a number.
fn speaking(ground: &Ground, report: usize) -> (Uuid, &Source, i16) {
    static NOBODY: Source = Source {
        id: Uuid::nil(),
        title: String::new(),
        publisher: String::new(),
        url: None,
        published_on: None,
        official: false,
    };
    let Some(report) = ground.returns.reports.get(report) else {
        return (Uuid::nil(), &NOBODY, -1);
    };
    let place = usize::try_from(report.source_no).unwrap_or(usize::MAX);
    let source = ground.catalogue.sources.get(place).unwrap_or(&NOBODY);
    (report.id, source, report.source_no)
}

fn duplicate(ground: &Ground, now: &Now<'_>, speaker: &Speaker, other: usize) -> Finding {
    let (_, first, _) = speaking(ground, speaker.report);
    let (report, second, _) = speaking(ground, other);
    let finding = Finding::new(
        Rule::Duplicate,
        Severity::Warning,
        format!(
            "”{}” gäller; det som ”{}” säger om samma sak utelämnas.",
            first.title, second.title
        ),
        format!(
            "“{}” counts; what “{}” says of the same is left out.",
            first.title, second.title
        ),
    );
    let finding = finding.about(&now.measure.code, &speaker.area, &now.period.code);
    finding.of(Some(second.id), Some(report))
}

/// Why a quoted figure is not published, or must not be.
fn kept_back(
    measure: &Measure,
    measures: &[Measure],
    source: &Source,
    observation: &Observation<'_>,
) -> Option<Finding> {
    if !matches!(measure.kind, MeasureKind::Share | MeasureKind::Change) {
        return None;
    }
    let of_occasions = measures.iter().any(|one| {
        Some(&one.code) == measure.numerator.as_ref() && one.unit == MeasureUnit::Occasions
    });
    let value = observation.value.unwrap_or_default();
    if measure.kind == MeasureKind::Share && (value < 0.0 || value > 100.0 && !of_occasions) {
        return Some(Finding::new(
            Rule::ImpossibleShare,
            Severity::Error,
            format!("{value} % är ingen möjlig andel."),
            format!("{value} % is no possible share."),
        ));
    }
    source.url.is_none().then(|| {
        Finding::new(
            Rule::ShareNotPublished,
            Severity::Information,
            format!(
                "Andelen tas inte med: ”{}” har ingen adress där den är publicerad.",
                source.title
            ),
            format!(
                "The share is left out: “{}” has no address where it is published.",
                source.title
            ),
        )
    })
}

impl Numbers {
    fn cell(&self, age: u8, observation: &Observation<'_>) -> Cell {
        let number =
            |codes: &HashMap<String, u8>, code: &str| codes.get(code).copied().unwrap_or(WHOLE);
        Cell {
            gender: number(&self.genders, observation.gender),
            age,
            subject: number(&self.subjects, observation.subject),
            form: number(&self.forms, observation.form),
            quality: match (observation.status, observation.precision) {
                ("provisional", "exact") => Quality::Provisional,
                (_, "exact") if observation.status != "estimated" => Quality::Reported,
                _ => Quality::Estimated,
            },
            value: observation.value.map(whole),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the database keeps counts whole and at most 1e15"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

/// The number of an age band, which is added to the dictionary if it is new.
fn age(dictionary: &mut Dictionary, band: &str) -> Result<u8, Stopped> {
    let Some((from, to)) = band.split_once('-') else {
        return Ok(WHOLE);
    };
    let years = |text: &str| text.parse::<u8>().map_err(Problem::internal);
    let ages = Ages {
        from: years(from)?,
        to: years(to)?,
        rest: false,
    };
    let place = dictionary.ages.iter().position(|known| *known == ages);
    let place = place.unwrap_or_else(|| {
        dictionary.ages.push(ages);
        dictionary.ages.len() - 1
    });
    u8::try_from(place + 1)
        .ok()
        .filter(|number| *number < u8::MAX)
        .ok_or_else(|| {
            let said = text(
                "Källorna har tillsammans fler än 250 åldersspann.",
                "The sources have more than 250 age bands together.",
            );
            Problem::invalid(Fault::at("/sources", "too_many_age_bands", said)).into()
        })
}
