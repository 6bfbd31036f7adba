//! The checks of numbers against each other: against the year before, against the residents, against who should have
//! reported.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike, NaiveDate};

use super::findings::{Finding, Findings, Rule};
use crate::participation::codes::{Gender, PeriodKind};
use crate::statistics::codes::{Level, Severity};
use crate::statistics::cube::{
    Additive, Axes, Axis, Cell, Dictionary, Fit, REST, Residents, WHOLE, residents, sums,
};
use crate::statistics::frozen::{Area, Period};

/// A jump is a change by more than half and by at least this many.
const LEAST_JUMP: i64 = 50;

/// The number of everything in the cells: none if some of it is missing or cannot be summed.
#[must_use]
pub fn total(cells: &[Cell], additive: Additive) -> Option<i64> {
    let whole = |may: bool| {
        Axis::new(1, move |code, _| {
            if may || code == WHOLE || code == REST {
                Fit::Inside
            } else {
                Fit::Narrower
            }
        })
    };
    let axes = Axes {
        subject: whole(additive.subjects),
        form: whole(additive.forms),
        ..Axes::total()
    };
    let sum = sums(cells, &axes).into_iter().next()?;
    (!sum.missing && !sum.narrower && sum.cells > 0).then_some(sum.value)
}

/// The totals of one measure and basis, to be compared with those of the year before.
#[derive(Debug, Default)]
pub struct Series {
    totals: HashMap<String, Vec<(PeriodKind, NaiveDate, i64)>>,
}

impl Series {
    /// Compares a total with that of the year before, and keeps it for the next.
    pub fn check(
        &mut self,
        measure: &str,
        area: &str,
        period: &Period,
        value: i64,
        findings: &mut Findings,
    ) {
        let Some(day) = period.first_day else { return };
        let totals = match self.totals.get_mut(area) {
            Some(totals) => totals,
            None => self.totals.entry(area.to_owned()).or_default(),
        };
        let before = totals.iter().find(|(kind, first, _)| {
            *kind == period.kind
                && first.year() + 1 == day.year()
                && (*kind != PeriodKind::Term || (first.month() > 6) == (day.month() > 6))
        });
        if let Some((.., before)) = before {
            let change = (value - before).abs();
            if change >= LEAST_JUMP && change * 2 > *before {
                let finding = Finding::new(
                    Rule::Jump,
                    Severity::Warning,
                    format!(
                        "{measure} i {area}, {}: {value} mot {before} året före.",
                        period.code
                    ),
                    format!(
                        "{measure} in {area}, {}: {value} against {before} the year before.",
                        period.code
                    ),
                );
                findings.add(finding.about(measure, area, &period.code));
            }
        }
        if period.kind != PeriodKind::Range {
            totals.push((period.kind, day, value));
        }
    }
}

/// Compares the persons of an area with its residents: all ages together, each age band, and each gender of it.
pub fn against_residents(
    (measure, area, period): (&str, &str, &Period),
    cells: &[Cell],
    known: &[Residents],
    dictionary: &Dictionary,
    findings: &mut Findings,
) {
    if known.is_empty() {
        return;
    }
    let mut groups: BTreeMap<(u8, u8, u8), i64> = BTreeMap::new();
    let mut span: Option<(u8, u8)> = None;
    let mut whole_span = true;
    for cell in cells {
        let everything = [cell.subject, cell.form]
            .iter()
            .all(|code| [WHOLE, REST].contains(code));
        let (Some(value), true) = (cell.value, everything) else {
            continue;
        };
        let Some(ages) = usize::from(cell.age)
            .checked_sub(1)
            .and_then(|place| dictionary.ages.get(place))
        else {
            // Of all ages: residents of all ages are seldom known, and nobody's band.
            whole_span = false;
            continue;
        };
        let (from, to) = span.unwrap_or((ages.from, ages.to));
        span = Some((from.min(ages.from), to.max(ages.to)));
        let genders: &[u8] = if [WHOLE, REST].contains(&cell.gender) {
            &[WHOLE]
        } else {
            &[WHOLE, cell.gender]
        };
        for gender in genders {
            *groups.entry((*gender, ages.from, ages.to)).or_default() += value;
        }
    }
    if let Some((from, to)) = span.filter(|_| whole_span) {
        for gender in WHOLE..=u8::try_from(dictionary.genders.len()).unwrap_or(u8::MAX) {
            let all = groups
                .iter()
                .filter(|((of, ..), _)| *of == gender)
                .map(|(_, value)| value)
                .sum();
            groups.insert((gender, from, to), all);
        }
    }
    let genders = u8::try_from(dictionary.genders.len()).unwrap_or(u8::MAX);
    let excess = groups.iter().find_map(|((gender, from, to), persons)| {
        let residents = residents(known, *gender, genders, *from, *to)?;
        (*persons > residents).then_some((*gender, *from, *to, *persons, residents))
    });
    if let Some((gender, from, to, persons, residents)) = excess {
        let (sv, en) = gender_names(gender, dictionary);
        let finding = Finding::new(
            Rule::PersonsAbovePopulation,
            Severity::Error,
            format!(
                "{measure} i {area}, {}: {persons} personer ({sv}, {from}–{to} år) men {residents} invånare.",
                period.code
            ),
            format!(
                "{measure} in {area}, {}: {persons} persons ({en}, aged {from}–{to}) but {residents} residents.",
                period.code
            ),
        );
        findings.add(finding.about(measure, area, &period.code));
    }
}

/// What a gender is called, in Swedish and English.
fn gender_names(gender: u8, dictionary: &Dictionary) -> (&'static str, &'static str) {
    let place = usize::from(gender).checked_sub(1);
    let code = match place {
        None => Some(Gender::Total.as_str()),
        Some(place) => dictionary.genders.get(place).map(String::as_str),
    };
    let known = code.and_then(|code| Gender::LIST.find(code));
    known.map_or(("?", "?"), |known| (known.label_sv, known.label_en))
}

/// Looks for numbers of girls alone or boys alone, with no total that would tell of the others: whoever is not told of
/// would be shown as nobody.
pub fn one_gender_only(
    (measure, area, period): (&str, &str, &Period),
    cells: &[Cell],
    dictionary: &Dictionary,
    findings: &mut Findings,
) {
    let told: BTreeSet<u8> = cells.iter().map(|cell| cell.gender).collect();
    let code = |gender: &u8| {
        let place = usize::from(*gender).checked_sub(1)?;
        dictionary.genders.get(place).map(String::as_str)
    };
    let codes: BTreeSet<&str> = told.iter().filter_map(code).collect();
    let both = [Gender::Girls, Gender::Boys].map(|gender| codes.contains(gender.as_str()));
    let total = told.iter().any(|gender| [WHOLE, REST].contains(gender));
    let missing = match both {
        [true, false] => Gender::Boys,
        [false, true] => Gender::Girls,
        _ => return,
    };
    if total {
        return;
    }
    let (sv, en) = (missing.code().label_sv, missing.code().label_en);
    let finding = Finding::new(
        Rule::BreakdownIncomplete,
        Severity::Warning,
        format!(
            "{measure} i {area}, {}: ”{sv}” saknas, och det finns ingen summa. De skulle visas som 0.",
            period.code
        ),
        format!(
            "{measure} in {area}, {}: “{en}” is missing, and there is no total. It would be shown as 0.",
            period.code
        ),
    );
    findings.add(finding.about(measure, area, &period.code));
}

/// Which municipalities exist when, and which districts of a scheme a municipality has.
#[derive(Debug, Default)]
pub struct Existing {
    municipalities: Vec<Lifetime>,
    districts: HashMap<(String, String), Vec<Lifetime>>,
}

#[derive(Debug)]
struct Lifetime {
    code: String,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl Lifetime {
    fn holds(&self, day: Option<NaiveDate>) -> bool {
        match day {
            Some(day) => {
                self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
            }
            None => self.to.is_none(),
        }
    }
}

impl Existing {
    /// Of these areas.
    #[must_use]
    pub fn new(areas: &[Area]) -> Self {
        let mut existing = Self::default();
        for area in areas {
            let lifetime = Lifetime {
                code: area.code.clone(),
                from: area.valid_from,
                to: area.valid_to,
            };
            match (area.level, &area.parent) {
                (Level::Municipality, _) => existing.municipalities.push(lifetime),
                (Level::District, Some(parent)) => {
                    let key = (parent.clone(), area.scheme.clone());
                    existing.districts.entry(key).or_default().push(lifetime);
                }
                _ => {}
            }
        }
        existing
    }

    /// The municipalities in a region, or in the country, on the last day of a period.
    pub fn municipalities(&self, area: &str, period: &Period) -> impl Iterator<Item = &str> {
        let inside = move |code: &str| area == "SE" || code.starts_with(area);
        let day = period.last_day;
        let all = self.municipalities.iter();
        all.filter(move |one| inside(&one.code) && one.holds(day))
            .map(|one| one.code.as_str())
    }

    /// How many districts of a scheme a municipality has on the last day of a period.
    #[must_use]
    pub fn districts(&self, municipality: &str, scheme: &str, period: &Period) -> usize {
        let key = (municipality.to_owned(), scheme.to_owned());
        let all = self.districts.get(&key).into_iter().flatten();
        all.filter(|one| one.holds(period.last_day)).count()
    }
}

/// Notes, for each period that municipalities reported, which of them did not.
pub fn missing_municipalities(
    reported: &BTreeMap<i16, BTreeSet<String>>,
    periods: &[Period],
    existing: &Existing,
    findings: &mut Findings,
) {
    for (no, reported) in reported {
        let Some(period) = usize::try_from(*no).ok().and_then(|no| periods.get(no)) else {
            continue;
        };
        let missing: Vec<&str> = existing
            .municipalities("SE", period)
            .filter(|code| !reported.contains(*code))
            .collect();
        if missing.is_empty() {
            continue;
        }
        let (n, all) = (missing.len(), missing.len() + reported.len());
        let codes = missing.join(", ");
        let mut finding = Finding::new(
            Rule::MissingMunicipality,
            Severity::Warning,
            format!("{}: {n} av {all} kommuner saknas: {codes}.", period.code),
            format!(
                "{}: {n} of {all} municipalities are missing: {codes}.",
                period.code
            ),
        );
        finding.period = Some(period.code.clone());
        findings.add(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::cube::{Ages, Quality};

    fn cell(gender: u8, age: u8, value: i64) -> Cell {
        Cell {
            gender,
            age,
            subject: WHOLE,
            form: WHOLE,
            quality: Quality::Reported,
            value: Some(value),
        }
    }

    fn year(code: &str) -> Period {
        let day = |text: String| text.parse().ok();
        Period {
            kind: PeriodKind::Year,
            code: code.to_owned(),
            first_day: day(format!("{code}-01-01")),
            last_day: day(format!("{code}-12-31")),
        }
    }

    #[test]
    fn a_jump_is_more_than_half_and_at_least_fifty() {
        let told = |before: i64, after: i64| {
            let (mut series, mut findings) = (Series::default(), Findings::default());
            series.check("pupils", "1880", &year("2023"), before, &mut findings);
            series.check("pupils", "1880", &year("2024"), after, &mut findings);
            findings.kept().len()
        };
        assert_eq!((told(100, 150), told(100, 151)), (0, 1));
        assert_eq!((told(60, 109), told(0, 50)), (0, 1));
        assert_eq!((told(100, 50), told(100, 49)), (0, 1));
    }

    #[test]
    fn persons_are_compared_band_by_band_and_together() {
        let ages = [(6, 9), (10, 15)].map(|(from, to)| Ages {
            from,
            to,
            rest: false,
        });
        let dictionary = Dictionary {
            genders: vec!["girls".to_owned(), "boys".to_owned()],
            ages: ages.to_vec(),
            ..Dictionary::default()
        };
        let known =
            [(WHOLE, 6, 15, 100), (1, 6, 9, 30)].map(|(gender, from, to, value)| Residents {
                gender,
                from,
                to,
                value,
            });
        let told = |cells: &[Cell]| {
            let mut findings = Findings::default();
            against_residents(
                ("pupils", "1880", &year("2024")),
                cells,
                &known,
                &dictionary,
                &mut findings,
            );
            findings.kept().len()
        };
        assert_eq!(told(&[cell(1, 1, 30), cell(2, 2, 70)]), 0);
        assert_eq!(told(&[cell(1, 1, 31)]), 1, "girls of 6–9");
        assert_eq!(told(&[cell(1, 1, 30), cell(2, 2, 71)]), 1, "all of 6–15");
        assert_eq!(
            told(&[cell(WHOLE, WHOLE, 500)]),
            0,
            "residents of all ages are not known"
        );
    }

    #[test]
    fn one_gender_alone_is_noticed() {
        let dictionary = Dictionary {
            genders: vec!["girls".to_owned(), "boys".to_owned()],
            ..Dictionary::default()
        };
        let told = |genders: &[u8]| {
            let mut findings = Findings::default();
            let cells: Vec<Cell> = genders.iter().map(|gender| cell(*gender, 1, 12)).collect();
            let what = ("pupils", "1880", &year("2024"));
            one_gender_only(what, &cells, &dictionary, &mut findings);
            findings
                .kept()
                .iter()
                .map(|found| found.text.sv.clone())
                .collect::<Vec<_>>()
        };
        let said = |missing: &str| {
            vec![format!(
                "pupils i 1880, 2024: ”{missing}” saknas, och det finns ingen summa. De skulle visas som 0."
            )]
        };
        assert_eq!(told(&[1]), said("Pojkar"));
        assert_eq!(told(&[2]), said("Flickor"));
        for complete in [&[1, 2][..], &[WHOLE], &[1, WHOLE], &[1, REST], &[]] {
            assert!(told(complete).is_empty(), "{complete:?}");
        }
    }

    #[test]
    fn persons_by_subject_have_no_total() {
        let persons = Additive {
            subjects: false,
            forms: false,
        };
        let danced = Cell {
            subject: 3,
            ..cell(1, 1, 12)
        };
        assert_eq!(total(&[danced], persons), None);
        assert_eq!(
            total(
                &[danced],
                Additive {
                    subjects: true,
                    forms: true
                }
            ),
            Some(12)
        );
        assert_eq!(total(&[cell(1, 1, 12), cell(2, 1, 8)], persons), Some(20));
    }
}
