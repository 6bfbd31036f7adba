//! What was noticed while a publication was made: rules with a severity, the place, and a sentence.
//!
//! The sentences hold unprotected numbers, so findings are for those who make publications and for nobody else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::code_list;
use crate::problem::{Fault, text};
use crate::statistics::codes::Severity;
use crate::statistics::frozen::Both;

/// How many findings of one rule are kept. All are counted; a fault in a whole source need not be told a million times.
pub const KEPT: usize = 1_000;

code_list! {
    /// What a finding is about.
    Rule = "finding-rule", "Regel vid granskning", "Rule of validation", check None;
    /// Only the first source in the order of the request counts.
    Duplicate = "duplicate", "Flera källor anger samma sak", "Several sources state the same";
    /// A share below 0 or above 100 whose numerator does not count occasions.
    ImpossibleShare = "impossible_share", "Omöjlig andel", "Impossible share";
    PartsExceedTotal = "parts_exceed_total", "Delarna är fler än summan", "The parts exceed the total";
    /// In the same ages, of the same gender, at the end of the year.
    PersonsAbovePopulation = "persons_above_population", "Fler personer än invånare", "More persons than residents";
    /// By more than half and at least 50 against the year before.
    Jump = "jump", "Stort hopp mot året före", "A jump against the year before";
    /// Some genders and neither the others nor a total: the others would be read as nobody.
    BreakdownIncomplete = "breakdown_incomplete", "Indelningen är inte fullständig", "The breakdown is incomplete";
    /// Of those that existed on the last day of a period that other municipalities reported.
    MissingMunicipality = "missing_municipality", "Kommuner saknas", "Municipalities are missing";
    /// Two crossing breakdowns of one total would let small groups be computed.
    BreakdownDropped = "breakdown_dropped", "Indelning utelämnad", "Breakdown left out";
    /// Its source is not public, so it is computed from its numerator instead.
    ShareNotPublished = "share_not_published", "Andel utelämnad", "Share left out";
    ReportsNotApproved = "reports_not_approved", "Rapporter inte godkända", "Reports not approved";
    /// A measure that is a draft is not in publications.
    MeasureNotPublished = "measure_not_published", "Måttet är ett utkast", "The measure is a draft";
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How much it weighs.
    pub severity: Severity,
    /// The measure that it is about.
    pub measure: Option<String>,
    /// The area.
    pub area: Option<String>,
    /// The period.
    pub period: Option<String>,
    /// The source.
    pub source: Option<Uuid>,
    /// The report.
    pub report: Option<Uuid>,
    /// What was found.
    pub text: Both,
}

impl Finding {
    /// A finding without a place.
    #[must_use]
    pub fn new(rule: Rule, severity: Severity, sv: String, en: String) -> Self {
        Self {
            rule,
            severity,
            measure: None,
            area: None,
            period: None,
            source: None,
            report: None,
            text: Both { sv, en },
        }
    }

    /// What it is about.
    #[must_use]
    pub fn about(mut self, measure: &str, area: &str, period: &str) -> Self {
        self.measure = Some(measure.to_owned());
        self.area = Some(area.to_owned());
        self.period = Some(period.to_owned());
        self
    }

    /// Who says so.
    #[must_use]
    pub fn of(mut self, source: Option<Uuid>, report: Option<Uuid>) -> Self {
        self.source = source;
        self.report = report;
        self
    }
}

/// How many findings of a rule there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FindingCount)]
pub struct Count {
    /// The rule.
    pub rule: Rule,
    /// How much it weighs.
    pub severity: Severity,
    /// How many there are.
    pub count: u64,
    /// Whether exactly as many were acknowledged. Only warnings need it.
    pub acknowledged: bool,
}

/// What the makers say that they have seen.
#[derive(Clone, Debug)]
pub enum Acknowledged {
    /// Every warning, whatever it is: for data that is made by the program itself.
    All,
    /// So many of these rules.
    These(Vec<(Rule, u64)>),
}

impl Acknowledged {
    fn holds(&self, rule: Rule, count: u64) -> bool {
        match self {
            Self::All => true,
            Self::These(these) => these.contains(&(rule, count)),
        }
    }
}

/// All findings of one making.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    counts: BTreeMap<(Severity, Rule), u64>,
    kept: Vec<Finding>,
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, finding: Finding) {
        let count = self
            .counts
            .entry((finding.severity, finding.rule))
            .or_default();
        *count += 1;
        if usize::try_from(*count).is_ok_and(|count| count <= KEPT) {
            self.kept.push(finding);
        }
    }

    /// The findings that were kept: errors first, then by rule, each in the order of the data.
    #[must_use]
    pub fn kept(&self) -> Vec<&Finding> {
        let mut kept: Vec<&Finding> = self.kept.iter().collect();
        kept.sort_by_key(|finding| (finding.severity, finding.rule));
        kept
    }

    /// How many there are of each rule, errors first.
    #[must_use]
    pub fn counts(&self, acknowledged: &Acknowledged) -> Vec<Count> {
        let counts = self.counts.iter().map(|((severity, rule), count)| Count {
            rule: *rule,
            severity: *severity,
            count: *count,
            acknowledged: *severity == Severity::Warning && acknowledged.holds(*rule, *count),
        });
        counts.collect()
    }
}

/// What stands in the way of publishing: every error, and every warning that was not acknowledged with its number.
#[must_use]
pub fn obstacles(counts: &[Count]) -> Vec<Fault> {
    let stands = |count: &&Count| match count.severity {
        Severity::Error => true,
        Severity::Warning => !count.acknowledged,
        Severity::Information => false,
    };
    counts.iter().filter(stands).map(obstacle).collect()
}

fn obstacle(count: &Count) -> Fault {
    let Count { rule, count: n, .. } = count;
    if count.severity == Severity::Error {
        let said = text(
            format!("{rule}: {n} fel hindrar publiceringen."),
            format!("{rule}: {n} errors block the publication."),
        );
        return Fault::at("", "finding_error", said);
    }
    let said = text(
        format!("{rule}: {n} varningar; godkänn precis så många."),
        format!("{rule}: {n} warnings; acknowledge exactly as many."),
    );
    Fault::at("/acknowledged", "finding_not_acknowledged", said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rule: Rule, severity: Severity) -> Finding {
        Finding::new(rule, severity, String::new(), String::new())
    }

    #[test]
    fn errors_block_and_warnings_need_their_number() {
        let mut findings = Findings::default();
        for _ in 0..3 {
            findings.add(found(Rule::Jump, Severity::Warning));
        }
        findings.add(found(Rule::BreakdownDropped, Severity::Information));
        let stands = |acknowledged: &Acknowledged| obstacles(&findings.counts(acknowledged)).len();
        assert_eq!(stands(&Acknowledged::These(vec![(Rule::Jump, 3)])), 0);
        assert_eq!(stands(&Acknowledged::These(vec![(Rule::Jump, 2)])), 1);
        assert_eq!(stands(&Acknowledged::These(vec![(Rule::Duplicate, 3)])), 1);
        let mut worse = findings.clone();
        worse.add(found(Rule::PartsExceedTotal, Severity::Error));
        assert_eq!(obstacles(&worse.counts(&Acknowledged::All)).len(), 1);
        assert_eq!(worse.kept()[0].rule, Rule::PartsExceedTotal);
    }

    #[test]
    fn all_are_counted_and_the_first_are_kept() {
        let mut findings = Findings::default();
        for _ in 0..KEPT + 5 {
            findings.add(found(Rule::Duplicate, Severity::Warning));
        }
        assert_eq!(findings.kept().len(), KEPT);
        let counts = findings.counts(&Acknowledged::All);
        assert_eq!(counts[0].count, KEPT as u64 + 5);
    }
}
