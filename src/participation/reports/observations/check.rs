//! The rules of the database for single observations, checked beforehand: the database stops at the first row that
//! breaks one and does not say which it was; here every fault of a body is named with the row that it lies in.

use std::collections::{HashMap, HashSet};

use super::model::NewObservation;
use crate::participation::measures::store::Possible;
use crate::participation::rules::broken;
use crate::problem::Fault;

/// What the observations refer to.
#[derive(Debug)]
pub struct Known {
    /// The live measures among those named, with the values that they can have.
    pub measures: HashMap<String, Possible>,
    /// The live areas among those named.
    pub areas: HashSet<String>,
    /// The area of the report.
    pub report_area: String,
}

/// The largest amount of a value, as in `observation_value_finite`.
const LARGEST: f64 = 1e15;

/// Every fault of the observations, in their order, with pointers like `/observations/12/value`.
#[must_use]
pub fn faults(given: &[NewObservation<'_>], known: &Known) -> Vec<Fault> {
    let mut seen = HashSet::with_capacity(given.len());
    let mut faults = Vec::new();
    for (n, new) in given.iter().enumerate() {
        let mut check = |good: bool, rule| {
            if !good {
                faults.push(broken(rule, &format!("/observations/{n}")));
            }
        };
        let possible = known.measures.get(new.measure_code);
        check(possible.is_some(), "observation_measure_exists");
        check(
            known.areas.contains(new.area_code),
            "observation_area_exists",
        );
        check(
            known.report_area == "SE" || new.area_code.starts_with(&known.report_area),
            "observation_area_inside_report",
        );
        check(
            new.value.is_some() == new.status.has_value(),
            "observation_value_fits_status",
        );
        if let Some(value) = new.value {
            check(value.abs() <= LARGEST, "observation_value_finite");
            check(
                possible.is_none_or(|possible| possible.allows(value)),
                "observation_value_fits_measure",
            );
        }
        let dimensions = (
            (new.measure_code, new.area_code, new.basis, new.gender),
            (new.age_band.as_ref(), new.subject, new.activity_form),
        );
        check(seen.insert(dimensions), "observation_once");
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::participation::codes::{
        ActivityForm, Gender, GeographyBasis, MeasureKind, ObservationStatus, Precision, Subject,
    };

    fn known(report_area: &str) -> Known {
        let measures = [
            ("pupils", MeasureKind::Count, false),
            ("share", MeasureKind::Share, false),
            ("occasions_share", MeasureKind::Share, true),
        ];
        let measures = measures
            .map(|(code, kind, of_occasions)| (code.to_owned(), Possible { kind, of_occasions }));
        let areas = ["18", "1880", "1780"];
        Known {
            measures: measures.into(),
            areas: areas.map(str::to_owned).into(),
            report_area: report_area.to_owned(),
        }
    }

    fn observation<'a>(measure: &'a str, area: &'a str, value: f64) -> NewObservation<'a> {
        NewObservation {
            measure_code: measure,
            area_code: area,
            basis: GeographyBasis::NotStated,
            gender: Gender::Total,
            age_band: "all".into(),
            subject: Subject::All,
            activity_form: ActivityForm::All,
            value: Some(value),
            status: ObservationStatus::Reported,
            precision: Precision::Exact,
            note: None,
        }
    }

    /// Pointer and code of each fault.
    fn told(given: &[NewObservation<'_>], report_area: &str) -> Vec<String> {
        let quoted = |fault: &Fault| {
            let text = format!("{fault:?}");
            let mut parts = text.split('"').skip(1).step_by(2);
            format!(
                "{} {}",
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default()
            )
        };
        faults(given, &known(report_area))
            .iter()
            .map(quoted)
            .collect()
    }

    #[test]
    fn good_observations_have_no_faults() {
        let mut missing = observation("pupils", "18", 0.0);
        missing.value = None;
        missing.status = ObservationStatus::NotCollected;
        let given = [
            observation("pupils", "1880", 12.0),
            observation("share", "1880", 12.5),
            observation("occasions_share", "1880", 412.5),
            missing,
        ];
        assert_eq!(told(&given, "18"), [""; 0]);
        assert_eq!(told(&given, "SE"), [""; 0]);
    }

    #[test]
    fn every_fault_is_named_with_its_row() {
        let mut missing = observation("pupils", "18", 1.0);
        missing.status = ObservationStatus::NotCollected;
        let given = [
            observation("pupils", "1880", 1.5),
            observation("unheard_of", "1899", -1.0),
            observation("share", "1780", 101.0),
            observation("pupils", "1880", 7.0),
            missing,
            observation("share", "18", 1e16),
            observation("occasions_share", "18", -0.5),
        ];
        assert_eq!(
            told(&given, "18"),
            [
                "/observations/0/value observation_value_fits_measure",
                "/observations/1/measure observation_measure_exists",
                "/observations/1/area observation_area_exists",
                "/observations/2/area observation_area_inside_report",
                "/observations/2/value observation_value_fits_measure",
                "/observations/3 observation_once",
                "/observations/4/value observation_value_fits_status",
                "/observations/5/value observation_value_finite",
                "/observations/5/value observation_value_fits_measure",
                "/observations/6/value observation_value_fits_measure",
            ]
        );
    }
}
