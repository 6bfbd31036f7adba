//! One family: what is reported of one measure by one basis in one period, area by area, from the districts up to the
//! country. Atoms are made, protected and summed; each area becomes a block.
//!
//! Areas come in the order of their codes, so a county comes before its municipalities (its own figures wait until they
//! are all there) and the country after them. Nothing is kept but one municipality, and the sums of the county and the
//! country: memory does not grow with the number of observations.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::areas::{Behind, Open, has_numbers, left_out};
use super::blocks::{Place, Writer};
use super::checks::{Existing, Series, against_residents, one_gender_only, total};
use super::findings::{Finding, Findings, Rule};
use super::plain::Stopped;
use super::residents::{Populations, Together};
use crate::participation::codes::MeasureUnit;
use crate::statistics::atoms::{Family, Why};
use crate::statistics::codes::{Level, Severity};
use crate::statistics::cube::{Cell, Dictionary, Residents, merged};
use crate::statistics::frozen::{Measure, Period, Places};
use crate::statistics::protection::{Changed, Protector, Shield};
use crate::statistics::quality::Loss;

/// The country.
const COUNTRY: &str = "SE";

/// What all families share.
pub struct Around<'a> {
    /// Areas by code.
    pub places: &'a Places,
    /// Who exists when.
    pub existing: &'a Existing,
    /// Residents.
    pub populations: &'a Populations,
    /// The protection.
    pub protector: &'a Protector,
}

/// What families add to.
pub struct Sink<'w, 'c> {
    /// The codes of the cells.
    pub dictionary: Dictionary,
    /// Where blocks go.
    pub writer: &'w mut Writer<'c>,
    /// What is noticed.
    pub findings: &'w mut Findings,
    /// The totals of the present measure and basis.
    pub series: Series,
    /// What the protection costs.
    pub loss: Loss,
    /// How many cells were small, changed, moved.
    pub changed: Changed,
    /// The municipalities with numbers, by period.
    pub reported: BTreeMap<i16, BTreeSet<String>>,
    /// How much of the country is in the numbers.
    pub coverage: Vec<Coverage>,
}

/// How many municipalities are in the numbers of the country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NationalCoverage)]
pub struct Coverage {
    /// The measure.
    pub measure: String,
    /// The basis.
    pub basis: String,
    /// The period.
    pub period: String,
    /// In the numbers.
    pub reported: i32,
    /// Existing.
    pub expected: i32,
}

/// What an area has to say: its cells, and the report that says it.
pub struct Said {
    /// The area.
    pub area: String,
    /// The cells.
    pub cells: Vec<Cell>,
    /// The report.
    pub report: Uuid,
    /// Its source.
    pub source: Uuid,
    /// Place of the source.
    pub source_no: i16,
}

/// A municipality that is being read.
struct Municipality {
    open: Open,
    districts: Vec<(String, Vec<Cell>)>,
}

/// See the module.
pub struct Run<'a> {
    around: &'a Around<'a>,
    measure: &'a Measure,
    basis: String,
    period: &'a Period,
    period_no: i16,
    family: Family,
    shield: Shield<'a>,
    atoms: u64,
    municipality: Option<Municipality>,
    region: Option<Open>,
    country: Open,
    /// Municipalities in the numbers of the country.
    covered: usize,
}

/// A block to be.
struct Sums<'s> {
    level: Level,
    area: &'s str,
    reported: usize,
    expected: usize,
    sources: &'s BTreeSet<i16>,
    residents: &'s [Residents],
    protected: &'s [Cell],
    raw: &'s [Cell],
}

fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

impl<'a> Run<'a> {
    /// Begins a family.
    #[must_use]
    pub fn new(
        around: &'a Around<'a>,
        measure: &'a Measure,
        basis: &str,
        period: (&'a Period, i16),
    ) -> Self {
        let (period, period_no) = period;
        Self {
            around,
            measure,
            basis: basis.to_owned(),
            period,
            period_no,
            family: Family::new(measure.additive),
            shield: around.protector.family(
                &measure.code,
                basis,
                period.kind.as_str(),
                &period.code,
            ),
            atoms: 0,
            municipality: None,
            region: None,
            country: Open::new(COUNTRY),
            covered: 0,
        }
    }

    /// Adds what the next area says.
    ///
    /// # Errors
    /// When a block cannot be packed.
    pub fn area(&mut self, mut said: Said, sink: &mut Sink<'_, '_>) -> Result<(), Stopped> {
        let code = said.area.clone();
        match Level::of(&code) {
            Level::Country => self.country.says(&mut said),
            Level::Region => {
                self.close_region(sink)?;
                let mut region = Open::new(&code);
                region.says(&mut said);
                self.region = Some(region);
            }
            Level::Municipality => self.inside(&code, sink)?.open.says(&mut said),
            Level::District => match code
                .get(..4)
                .filter(|head| Level::of(head) == Level::Municipality)
            {
                Some(head) => {
                    let municipality = self.inside(head, sink)?;
                    municipality.open.hears(
                        &[said.source_no].into(),
                        Behind::One(said.source, said.report),
                    );
                    municipality.districts.push((code, said.cells));
                }
                None => self.outside(&said, sink),
            },
        }
        Ok(())
    }

    /// Closes the family.
    ///
    /// # Errors
    /// When a block cannot be packed.
    pub fn finish(mut self, sink: &mut Sink<'_, '_>) -> Result<(), Stopped> {
        self.close_region(sink)?;
        let mut country = std::mem::take(&mut self.country);
        self.close_above(&mut country, Level::Country, sink)?;
        let changed = self.shield.changed();
        sink.loss.cells(self.atoms, changed);
        sink.changed += changed;
        Ok(())
    }

    /// The municipality of this code, after everything before it was closed.
    fn inside(
        &mut self,
        code: &str,
        sink: &mut Sink<'_, '_>,
    ) -> Result<&mut Municipality, Stopped> {
        if self
            .municipality
            .as_ref()
            .is_none_or(|one| one.open.code != code)
        {
            self.close_municipality(sink)?;
            let region = code.get(..2).unwrap_or(code);
            if self.region.as_ref().is_none_or(|one| one.code != region) {
                self.close_region(sink)?;
                self.region = Some(Open::new(region));
            }
        }
        Ok(self.municipality.get_or_insert_with(|| Municipality {
            open: Open::new(code),
            districts: Vec::new(),
        }))
    }

    /// A place like "some districts" lies in no municipality: it cannot be a part of anything.
    fn outside(&self, said: &Said, sink: &mut Sink<'_, '_>) {
        let finding = Finding::new(
            Rule::BreakdownDropped,
            Severity::Information,
            format!(
                "{} ligger inte i en kommun; antal därifrån summeras inte och utelämnas.",
                said.area
            ),
            format!(
                "{} lies in no municipality; counts of it are not summed and left out.",
                said.area
            ),
        );
        let finding = finding.about(&self.measure.code, &said.area, &self.period.code);
        sink.findings
            .add(finding.of(Some(said.source), Some(said.report)));
    }

    fn close_municipality(&mut self, sink: &mut Sink<'_, '_>) -> Result<(), Stopped> {
        let Some(Municipality {
            mut open,
            districts,
        }) = self.municipality.take()
        else {
            return Ok(());
        };
        let places = self.around.places;
        let scheme = |code: &str| {
            places
                .area(code)
                .map_or_else(String::new, |area| area.scheme.clone())
        };
        let own = std::mem::take(&mut open.own);
        let atoms =
            self.family
                .municipality(&mut sink.dictionary, &open.code, own, districts, scheme);
        self.note_dropped(open.behind, sink);
        if atoms.is_empty() {
            return Ok(());
        }
        let (mut base, mut own) = (String::new(), Vec::new());
        for (code, cells) in atoms {
            self.atoms += cells.len() as u64;
            if code == open.code {
                own = cells;
                continue;
            }
            base = scheme(&code);
            let protected = self
                .shield
                .area(&sink.dictionary, &code, Some(&base), &cells);
            let numbers = has_numbers(&cells);
            open.reported += usize::from(numbers);
            let residents = self
                .around
                .populations
                .of(&code, self.period.population_year());
            if numbers {
                open.residents.add(residents);
            }
            let sums = Sums {
                level: Level::District,
                area: &code,
                reported: usize::from(numbers),
                expected: 1,
                sources: &open.sources,
                residents,
                protected: &protected,
                raw: &cells,
            };
            self.block(&sums, true, sink)?;
            open.takes(&protected, &cells);
        }
        let complete = base.is_empty() || self.family.complete(&open.code);
        let expected = match base.as_str() {
            "" => 1,
            scheme => self
                .around
                .existing
                .districts(&open.code, scheme, self.period)
                .max(open.reported),
        };
        if complete && !base.is_empty() {
            open.forget_missing_parts();
        }
        let protected = self.shield.area(&sink.dictionary, &open.code, None, &own);
        open.takes(&protected, &own);
        let numbers = has_numbers(&open.raw);
        if complete {
            open.reported = if numbers { expected } else { 0 };
        }
        self.close(open, Level::Municipality, expected, complete, sink)
    }

    fn close_region(&mut self, sink: &mut Sink<'_, '_>) -> Result<(), Stopped> {
        self.close_municipality(sink)?;
        match self.region.take() {
            Some(mut region) => self.close_above(&mut region, Level::Region, sink),
            None => Ok(()),
        }
    }

    fn close_above(
        &mut self,
        open: &mut Open,
        level: Level,
        sink: &mut Sink<'_, '_>,
    ) -> Result<(), Stopped> {
        let mut open = std::mem::take(open);
        let own = std::mem::take(&mut open.own);
        let own = self.family.above(&mut sink.dictionary, &open.code, own);
        self.note_dropped(open.behind, sink);
        self.atoms += own.len() as u64;
        let complete = self.family.complete(&open.code);
        if complete {
            open.forget_missing_parts();
        }
        let protected = self.shield.area(&sink.dictionary, &open.code, None, &own);
        open.takes(&protected, &own);
        if open.raw.is_empty() && !complete {
            return Ok(());
        }
        let expected = self
            .around
            .existing
            .municipalities(&open.code, self.period)
            .count();
        if level == Level::Country {
            open.reported = self.covered;
        }
        let expected = expected.max(open.reported);
        if complete {
            open.reported = expected;
        }
        if level == Level::Region {
            self.covered += open.reported;
        } else {
            sink.coverage.push(Coverage {
                measure: self.measure.code.clone(),
                basis: self.basis.clone(),
                period: self.period.code.clone(),
                reported: number(open.reported),
                expected: number(expected),
            });
        }
        self.close(open, level, expected, complete, sink)
    }

    /// Writes the block of an area, and adds it to the area around it.
    fn close(
        &mut self,
        mut open: Open,
        level: Level,
        expected: usize,
        complete: bool,
        sink: &mut Sink<'_, '_>,
    ) -> Result<(), Stopped> {
        open.protected = merged(open.protected.drain(..));
        open.raw = merged(open.raw.drain(..));
        let year = self.period.population_year();
        let known = self.around.populations.of(&open.code, year);
        let together = if open.reported < expected {
            open.residents.clone()
        } else if !known.is_empty() || matches!(level, Level::Municipality) && complete {
            let mut together = Together::default();
            together.add(known);
            together
        } else if complete {
            self.residents_of_all(&open.code)
        } else {
            open.residents.clone()
        };
        let residents = together.residents();
        let sums = Sums {
            level,
            area: &open.code,
            reported: open.reported,
            expected,
            sources: &open.sources,
            residents: &residents,
            protected: &open.protected,
            raw: &open.raw,
        };
        self.block(&sums, complete, sink)?;
        let outer = match level {
            Level::Municipality => self.region.as_mut(),
            Level::Region => Some(&mut self.country),
            Level::Country | Level::District => None,
        };
        if let Some(outer) = outer {
            outer.hears(&open.sources, open.behind);
            outer.takes(&open.protected, &open.raw);
            if open.reported > 0 {
                outer.residents.add_all(&together);
            }
            if level == Level::Municipality && open.reported > 0 {
                outer.reported += 1;
                let codes = sink.reported.entry(self.period_no).or_default();
                codes.insert(open.code);
            }
        }
        Ok(())
    }

    /// The residents of all municipalities inside, for a figure of the whole whose own residents are not known.
    fn residents_of_all(&self, code: &str) -> Together {
        let mut all = Together::default();
        for municipality in self.around.existing.municipalities(code, self.period) {
            all.add(
                self.around
                    .populations
                    .of(municipality, self.period.population_year()),
            );
        }
        all
    }

    /// Writes a block and checks its numbers. `told` says that the number is somebody's own and no sum of what happened to be
    /// reported.
    fn block(&self, sums: &Sums<'_>, told: bool, sink: &mut Sink<'_, '_>) -> Result<(), Stopped> {
        let measure = self.measure;
        let place = Place {
            measure: &measure.code,
            basis: &self.basis,
            level: sums.level.number(),
            period_no: self.period_no,
            area: sums.area,
            reported: number(sums.reported),
            expected: number(sums.expected),
            source_nos: sums.sources,
            residents: sums.residents,
            additive: measure.additive,
        };
        sink.writer.block(&place, sums.protected, sums.raw)?;
        let truth = total(sums.raw, measure.additive);
        if let Some(truth) = truth {
            let published = total(sums.protected, measure.additive).unwrap_or(0);
            sink.loss.total(sums.level, truth, published);
        }
        if told || sums.reported == sums.expected {
            if let Some(truth) = truth {
                sink.series
                    .check(&measure.code, sums.area, self.period, truth, sink.findings);
            }
            let what = (measure.code.as_str(), sums.area, self.period);
            one_gender_only(what, sums.raw, &sink.dictionary, sink.findings);
            if measure.unit == MeasureUnit::Persons {
                against_residents(
                    what,
                    sums.raw,
                    sums.residents,
                    &sink.dictionary,
                    sink.findings,
                );
            }
        }
        Ok(())
    }

    /// Says what could not be published. Parts that exceed their total are an error if one report says both.
    fn note_dropped(&mut self, behind: Behind, sink: &mut Sink<'_, '_>) {
        for dropped in self.family.dropped() {
            let (source, report) = match behind {
                Behind::One(source, report) => (Some(source), Some(report)),
                Behind::None | Behind::Several => (None, None),
            };
            let (rule, severity) = match dropped.why {
                Why::PartsExceedTotal { .. } if report.is_some() => {
                    (Rule::PartsExceedTotal, Severity::Error)
                }
                Why::PartsExceedTotal { .. } => (Rule::PartsExceedTotal, Severity::Information),
                _ => (Rule::BreakdownDropped, Severity::Information),
            };
            let (sv, en) = left_out(&dropped);
            let finding = Finding::new(rule, severity, sv, en);
            let finding = finding.about(&self.measure.code, &dropped.area, &self.period.code);
            sink.findings.add(finding.of(source, report));
        }
    }
}
