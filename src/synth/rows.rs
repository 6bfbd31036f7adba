//! The rows themselves, as lines for COPY.

use std::collections::BTreeMap;

use super::copy::Lines;
use super::people::{AGES, GENDERS, YOUNGEST};
use super::plan::{Counted, calendar, each};
use super::{Kind, LOADER, Run, Source, World};
use crate::participation::codes::Gender;

/// The columns of [`populations`] after the id.
pub(super) const POPULATION: &str =
    "id, source_id, year, reference_date, area_code, gender, age_from, age_to, value";
/// The columns of [`reports`].
pub(super) const REPORT: &str = "id, source_id, area_code, period_kind, period, first_day, last_day, state, submitted_by, submitted_at, approved_by, approved_at";
/// The columns of [`observations`].
pub(super) const OBSERVATION: &str = "id, report_id, measure_code, area_code, basis, gender, age_band, subject, activity_form, value";

/// What is counted, by which source, as which measure.
const REPORTED: [(Counted, Source, &str); 2] = [
    (Counted::Pupils, Source::Pupils, "pupils"),
    (Counted::Places, Source::Places, "pupil_places"),
];

/// The residents of each year: by gender and age, and by gender and all 6 to 19 years. Sums are exact.
pub(super) fn populations(run: &Run, world: &World, lines: &mut Lines) {
    let source = run.source(Source::Populations).to_string();
    for year in world.plan.years.clone() {
        let calendar_year = calendar(year).to_string();
        let day = format!("{calendar_year}-12-31");
        let mut number = (year as u64) << 32;
        let mut add = |area: &str, gender: &str, from: usize, to: usize, value: u64| {
            number += 1;
            let (from, to, value) = (from.to_string(), to.to_string(), value.to_string());
            let id = run.id(Kind::Population, number);
            let fields = [
                &*source,
                &calendar_year,
                &day,
                area,
                gender,
                &from,
                &to,
                &value,
            ];
            lines.add(id, &fields);
        };
        for (area, residents) in residents(world, year) {
            let oldest = YOUNGEST + AGES - 1;
            let mut whole = 0;
            for (gender, ages) in GENDERS.into_iter().zip(residents) {
                let sum: u64 = ages.iter().sum();
                whole += sum;
                for (age, value) in (YOUNGEST..).zip(ages) {
                    add(area, gender.as_str(), age, age, value);
                }
                add(area, gender.as_str(), YOUNGEST, oldest, sum);
            }
            add(area, Gender::Total.as_str(), YOUNGEST, oldest, whole);
        }
        if !lines.wanted() {
            return;
        }
    }
}

/// Residents by area, gender and age.
fn residents(world: &World, year: usize) -> BTreeMap<&str, [[u64; AGES]; 2]> {
    let mut areas: BTreeMap<&str, [[u64; AGES]; 2]> = BTreeMap::new();
    for (place, municipality) in world.places.iter().enumerate() {
        let people = world.people.of(place, municipality, year);
        let region = municipality.code.get(..2).unwrap_or_default();
        for (district, groups) in municipality.districts.iter().zip(&people) {
            for area in ["SE", region, &municipality.code, &district.code] {
                let sums = areas.entry(area).or_default();
                for (sum, group) in sums.iter_mut().flatten().zip(groups.iter().flatten()) {
                    *sum += u64::from(group.residents);
                }
            }
        }
    }
    areas
}

fn report(year: usize, source: Source, place: usize) -> u64 {
    ((year * 2 + source as usize) * 1_000 + place) as u64
}

/// A report of pupils and one of places for each municipality and year.
pub(super) fn reports(run: &Run, world: &World, lines: &mut Lines) {
    for year in world.plan.years.clone() {
        let period = calendar(year).to_string();
        let (first, last) = (format!("{period}-01-01"), format!("{period}-12-31"));
        for (_, source, _) in REPORTED {
            let source_id = run.source(source).to_string();
            for (place, municipality) in world.places.iter().enumerate() {
                let id = run.id(Kind::Report, report(year, source, place));
                let area = &municipality.code;
                // PostgreSQL reads `now` as the beginning of the transaction.
                let fields = [
                    &source_id, area, "year", &period, &first, &last, "approved", LOADER, "now",
                    LOADER, "now",
                ];
                lines.add(id, &fields);
            }
        }
    }
}

/// What the reports tell. Rows of a measure and a year lie side by side, in the order of the areas.
pub(super) fn observations(run: &Run, world: &World, lines: &mut Lines) {
    let mut zeros = world.plan.zeros();
    for year in world.plan.years.clone() {
        for (counted, source, measure) in REPORTED {
            for (place, municipality) in world.places.iter().enumerate() {
                let number = report(year, source, place);
                let mut id = [0; 36];
                let report = run.id(Kind::Report, number);
                let report: &str = report.as_hyphenated().encode_lower(&mut id);
                let people = world.people.of(place, municipality, year);
                let by_district = world.plan.by_district.get(place).copied();
                let mut rows = number << 24;
                let by_district = by_district.unwrap_or_default();
                each(municipality, &people, counted, by_district, |cell| {
                    if cell.value == 0 && !zeros.report() {
                        return;
                    }
                    rows += 1;
                    let (subject, form) = cell.choice.map_or(("all", "all"), |(subject, form)| {
                        (subject.as_str(), form.as_str())
                    });
                    let fields = [
                        report,
                        measure,
                        cell.area,
                        "residence",
                        cell.gender.as_str(),
                        &format!("{0}-{0}", cell.age),
                        subject,
                        form,
                        &cell.value.to_string(),
                    ];
                    lines.add(run.id(Kind::Observation, rows), &fields);
                });
                if !lines.wanted() {
                    return;
                }
            }
            log::info!("made the observations of {measure} in {}", calendar(year));
        }
    }
}
