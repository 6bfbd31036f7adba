//! A row of a file of observations: what of it is its report's, and what is the observation.

use std::fmt::Write;
use std::sync::Arc;

use garde::Validate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::formats::read::Members;
use crate::http::body::{fitting, valid};
use crate::participation::codes::PeriodKind;
use crate::participation::reports::api::ReportIn;
use crate::participation::reports::model::ReportRow;
use crate::participation::reports::observations::of_report::ObservationIn;
use crate::participation::reports::period::span;
use crate::participation::sources::reference::SourceRef;
use crate::problem::{ApiResult, Fault, Problem, text};
use crate::sync::imports::codes::ImportStrategy;
use crate::sync::imports::columns::REPORT_MEMBERS;
use crate::values::{AreaCode, Day, Line as Text};

/// What a row says of its report.
#[derive(Clone, Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Head {
    /// Its id, if it is known.
    #[garde(skip)]
    #[serde(default)]
    pub(super) report: Option<Uuid>,
    #[garde(dive)]
    #[serde(default)]
    source: Option<SourceRef>,
    #[garde(dive)]
    #[serde(default)]
    report_area: Option<AreaCode>,
    /// The area of the row, if it does not name that of the report.
    #[garde(dive)]
    #[serde(default)]
    area: Option<AreaCode>,
    #[garde(skip)]
    #[serde(default)]
    period_kind: Option<PeriodKind>,
    #[garde(dive)]
    #[serde(default)]
    period: Option<Text>,
    #[garde(skip)]
    #[serde(default)]
    first_day: Option<Day>,
    #[garde(skip)]
    #[serde(default)]
    last_day: Option<Day>,
    /// The version that the report must have. Rows of one report may differ in it.
    #[garde(skip)]
    #[serde(default, skip_serializing)]
    pub(super) if_version: Option<i64>,
}

/// A row of a file, taken apart.
#[derive(Debug)]
pub struct Observed {
    /// What it says of its report.
    pub(super) head: Arc<Head>,
    /// The same as one text: rows of the same one belong to one report.
    pub(super) text: Arc<str>,
    /// The observation, or what speaks against its form.
    pub(super) new: ApiResult<ObservationIn>,
}

impl Observed {
    /// What tells its report from others.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.text
    }
}

/// An observation, and where its row stands among those that are written.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) place: usize,
    /// The version that its report must have.
    pub(super) expects: Option<i64>,
    pub(super) new: &'a ObservationIn,
}

/// Takes rows apart. Those of a report stand together, as a rule, and say the same of it: that is read once.
#[derive(Debug)]
pub struct Reader {
    strategy: ImportStrategy,
    last: Option<Last>,
}

/// What the last row said of its report.
#[derive(Debug)]
struct Last {
    members: Members,
    head: Arc<Head>,
    text: Arc<str>,
}

impl Reader {
    /// For rows that are written by this strategy.
    #[must_use]
    pub const fn new(strategy: ImportStrategy) -> Self {
        let last = None;
        Self { strategy, last }
    }

    /// Takes a row apart.
    ///
    /// # Errors
    /// 422 with every fault of what it says of its report.
    pub fn read(&mut self, members: &Members) -> ApiResult<Observed> {
        let (head, text) = self.head(members)?;
        let new = taken(members, |name, value| {
            let dimension = DIMENSIONS.contains(&name);
            name != "id"
                && !REPORT_MEMBERS.contains(&name)
                && (dimension || self.strategy != ImportStrategy::Delete)
                && !(dimension && value.is_null())
        });
        Ok(Observed { head, text, new })
    }

    fn head(&mut self, members: &Members) -> ApiResult<(Arc<Head>, Arc<str>)> {
        let named = members.get("reportArea");
        let area_named = named.is_some_and(|area| !area.is_null());
        let belongs = |name: &str| REPORT_MEMBERS.contains(&name) || !area_named && name == "area";
        let said = || members.iter().filter(|(name, _)| belongs(name));
        let last = self.last.as_ref();
        if let Some(last) = last.filter(|last| said().eq(last.members.iter())) {
            return Ok((Arc::clone(&last.head), Arc::clone(&last.text)));
        }
        let head: Head = taken(members, |name, _| belongs(name))?;
        let (text, head) = (Arc::from(head.text()), Arc::new(head));
        let said = said().map(|(name, value)| (name.to_owned().into(), value.clone()));
        self.last = Some(Last {
            members: said.collect(),
            head: Arc::clone(&head),
            text: Arc::clone(&text),
        });
        Ok((head, text))
    }
}

/// What some of the members say. An object is made of them only if something speaks against it, which is to be told.
fn taken<T: DeserializeOwned + Validate<Context = ()>>(
    members: &Members,
    belongs: impl Fn(&str, &Value) -> bool,
) -> ApiResult<T> {
    let some = || members.iter().filter(|(name, value)| belongs(name, value));
    fitting(some()).map_or_else(
        || {
            let own = some().map(|(name, value)| (name.to_owned(), value.clone()));
            valid(Value::Object(own.collect()))
        },
        Ok,
    )
}

/// What tells the observations of a report apart.
const DIMENSIONS: [&str; 7] = [
    "measure",
    "area",
    "basis",
    "gender",
    "ageBand",
    "subject",
    "activityForm",
];

/// The usual value of each dimension.
const USUAL: [&str; 7] = ["", "", "not_stated", "total", "all", "all", "all"];

/// The name of a row: its report and its dimensions.
#[must_use]
pub fn name_of_observation(row: &Members) -> Option<String> {
    let said = |name: &str| row.get(name).filter(|value| !value.is_null());
    said("measure")?;
    let mut name = String::with_capacity(160);
    if let Some(report) = said("report") {
        put(&mut name, report);
    } else {
        put(&mut name, said("source")?);
        put(&mut name, said("reportArea").or_else(|| said("area"))?);
        put(&mut name, said("period")?);
    }
    for (dimension, usual) in DIMENSIONS.iter().zip(USUAL) {
        match said(dimension) {
            Some(value) => put(&mut name, value),
            None => put_text(&mut name, usual),
        }
    }
    Some(name)
}

fn put(name: &mut String, value: &Value) {
    match value {
        Value::String(text) => put_text(name, text),
        other => {
            // A text takes all that is written to it.
            let _ = write!(name, "{other}{END}");
        }
    }
}

fn put_text(name: &mut String, text: &str) {
    name.push_str(text);
    name.push(END);
}

/// What stands behind each part of a name.
const END: char = '\u{1f}';

impl Head {
    fn text(&self) -> String {
        match self.report {
            Some(id) => format!(
                "{id} {:?} {:?} {:?}",
                self.period, self.period_kind, self.source
            ),
            None => serde_json::to_string(self).unwrap_or_default(),
        }
    }

    /// Where the area of the report is said.
    pub(super) fn area_pointer(&self) -> &'static str {
        if self.report_area.is_some() {
            "/reportArea"
        } else {
            "/area"
        }
    }

    /// The report as it would be made.
    pub(super) fn report_in(&self) -> ApiResult<ReportIn> {
        let missing = |pointer: &'static str| {
            Problem::invalid(Fault::at(
                pointer,
                "missing_member",
                text(
                    "Fältet måste finnas: raden säger inte vilken rapport den hör till.",
                    "The member must be present: the row does not say which report it belongs to.",
                ),
            ))
        };
        let period = self.period.clone().ok_or_else(|| missing("/period"))?;
        let area = self.report_area.as_ref().or(self.area.as_ref());
        Ok(ReportIn {
            source: self.source.clone().ok_or_else(|| missing("/source"))?,
            area: area.cloned().ok_or_else(|| missing("/area"))?,
            period_kind: match self.period_kind {
                Some(kind) => kind,
                None => kind_of(period.as_str()).ok_or_else(|| missing("/periodKind"))?,
            },
            period,
            first_day: self.first_day,
            last_day: self.last_day,
            note: None,
        })
    }

    /// Refuses a row that names a report and says other things of it than are so.
    pub(super) fn agrees(&self, report: &ReportRow) -> ApiResult<()> {
        let differs = |pointer: &'static str| {
            Problem::invalid(Fault::at(
                pointer,
                "report_differs",
                text(
                    "Rapporten som raden anger säger något annat här. Lämna rapportens id tomt för en annan rapport.",
                    "The report that the row names says something else here. Leave the report's id empty for another report.",
                ),
            ))
        };
        if self.report.is_none() {
            return Ok(());
        }
        if self
            .period
            .as_ref()
            .is_some_and(|period| period.as_str() != report.period)
        {
            return Err(differs("/period"));
        }
        if self
            .period_kind
            .is_some_and(|kind| kind != report.period_kind)
        {
            return Err(differs("/periodKind"));
        }
        if self
            .report_area
            .as_ref()
            .is_some_and(|area| area.as_str() != report.area_code)
        {
            return Err(differs("/reportArea"));
        }
        match &self.source {
            Some(SourceRef::Id(id)) if *id != report.source_id => Err(differs("/source")),
            _ => Ok(()),
        }
    }
}

/// The kind of a period whose name says it: a year, a school year, a term.
fn kind_of(period: &str) -> Option<PeriodKind> {
    [PeriodKind::Year, PeriodKind::SchoolYear, PeriodKind::Term]
        .into_iter()
        .find(|kind| span(*kind, period).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn object(value: Value) -> Members {
        value.as_object().unwrap().clone().into()
    }

    #[test]
    fn a_row_is_taken_apart() {
        let row = object(
            json!({"source": {"title": "A"}, "period": "2025", "area": "1880", "measure": "pupils",
            "gender": null, "value": 3}),
        );
        let mut reader = Reader::new(ImportStrategy::Upsert);
        let row = reader.read(&row).unwrap();
        let report = row.head.report_in().unwrap();
        assert_eq!(
            (report.area.as_str(), report.period_kind),
            ("1880", PeriodKind::Year)
        );
        let new = row.new.unwrap();
        assert_eq!(new.value, Some(3.0));
        assert_eq!(new.gender.as_str(), "total");
        let unknown = object(json!({"measure": "pupils", "sort": "x", "period": "2025"}));
        let unknown = reader.read(&unknown).unwrap();
        assert!(unknown.new.is_err());
        assert!(unknown.head.period.is_some());
        let wrong = object(json!({"measure": "pupils", "area": "1880", "period": 2025}));
        assert!(reader.read(&wrong).is_err());
    }

    #[test]
    fn what_is_said_of_a_report_is_read_once() {
        let row = |more: Value| {
            let mut row = object(
                json!({"source": {"title": "A"}, "period": "2025", "area": "1880", "measure": "pupils"}),
            );
            for (name, value) in object(more) {
                row.insert(name, value);
            }
            row
        };
        let mut reader = Reader::new(ImportStrategy::Upsert);
        let first = reader.read(&row(json!({"gender": "girls"}))).unwrap();
        let second = reader.read(&row(json!({"gender": "boys"}))).unwrap();
        assert!(Arc::ptr_eq(&first.head, &second.head));
        assert_ne!(first.new.unwrap(), second.new.unwrap());
        for other in [
            json!({"area": "1881"}),
            json!({"reportArea": "1881"}),
            json!({"source": {"title": "B"}}),
            json!({"ifVersion": 2}),
            json!({"periodKind": "year"}),
        ] {
            let read = reader.read(&row(other.clone())).unwrap();
            let alone = Reader::new(ImportStrategy::Upsert)
                .read(&row(other.clone()))
                .unwrap();
            assert_eq!(read.text, alone.text, "{other}");
            assert_eq!(read.head.if_version, alone.head.if_version, "{other}");
            assert!(!Arc::ptr_eq(&first.head, &read.head), "{other}");
        }
        // An area that is the row's own and not its report's.
        let own = |area: &str| row(json!({"reportArea": "1880", "area": area}));
        let first = reader.read(&own("1881")).unwrap();
        let second = reader.read(&own("1882")).unwrap();
        assert!(Arc::ptr_eq(&first.head, &second.head));
        assert_eq!(second.new.unwrap().area.unwrap().as_str(), "1882");
        assert!(reader.read(&row(json!({"period": 2025}))).is_err());
        assert!(reader.read(&row(json!({"period": 2025}))).is_err());
    }

    /// The quick way comes to what the other one does, in what it takes and in what it tells.
    #[rstest]
    #[case(json!({}))]
    #[case(json!({"value": 3}))]
    #[case(json!({"value": "3"}))]
    #[case(json!({"value": null, "status": "suppressed"}))]
    #[case(json!({"note": ["a"]}))]
    #[case(json!({"source": ["x"]}))]
    #[case(json!({"source": {"title": ["x"]}}))]
    #[case(json!({"source": null}))]
    #[case(json!({"source": 7}))]
    #[case(json!({"ifVersion": 1.0}))]
    #[case(json!({"ifVersion": 2}))]
    #[case(json!({"gender": {"girls": null}}))]
    #[case(json!({"gender": "flickor"}))]
    #[case(json!({"ageBand": "19-6"}))]
    #[case(json!({"area": null}))]
    #[case(json!({"area": "x"}))]
    #[case(json!({"area": "1881", "reportArea": "1880"}))]
    #[case(json!({"reportArea": null}))]
    #[case(json!({"period": 2025}))]
    #[case(json!({"firstDay": "2025-02-30"}))]
    #[case(json!({"report": "x"}))]
    #[case(json!({"strange": 1, "other": 2}))]
    #[case(json!({"measure": null}))]
    fn a_row_is_read_as_other_bodies_are(#[case] more: Value) {
        let mut row = object(
            json!({"source": {"title": "A"}, "period": "2025", "area": "1880", "measure": "pupils", "value": 3}),
        );
        for (name, value) in object(more) {
            row.insert(name, value);
        }
        let named = row.get("reportArea").is_some_and(|area| !area.is_null());
        let of_report =
            |name: &str, _: &Value| REPORT_MEMBERS.contains(&name) || !named && name == "area";
        let own = |name: &str, value: &Value| {
            !(REPORT_MEMBERS.contains(&name) || value.is_null() && DIMENSIONS.contains(&name))
        };
        let some = |belongs: &dyn Fn(&str, &Value) -> bool| {
            let some = row.iter().filter(|(name, value)| belongs(name, value));
            Value::Object(
                some.map(|(name, value)| (name.to_owned(), value.clone()))
                    .collect(),
            )
        };
        let head = valid::<Head>(some(&of_report));
        let new = valid::<ObservationIn>(some(&own));
        let told = |problem: &Problem| format!("{:?}", problem.told());
        match (Reader::new(ImportStrategy::Upsert).read(&row), head) {
            (Ok(read), Ok(head)) => {
                assert_eq!(*read.text, *head.text());
                assert_eq!(read.head.if_version, head.if_version);
                match (read.new, new) {
                    (Ok(read), Ok(new)) => assert_eq!(read, new),
                    (read, new) => assert_eq!(told(&read.unwrap_err()), told(&new.unwrap_err())),
                }
            }
            (read, head) => assert_eq!(told(&read.unwrap_err()), told(&head.unwrap_err())),
        }
    }

    #[test]
    fn what_is_usual_need_not_be_said() {
        let short =
            object(json!({"source": "a", "period": "2025", "area": "1880", "measure": "pupils"}));
        let long = object(
            json!({"source": "a", "period": "2025", "area": "1880", "reportArea": "1880", "measure": "pupils",
            "gender": "total", "ageBand": "all", "value": 9}),
        );
        assert_eq!(name_of_observation(&short), name_of_observation(&long));
        let other = object(
            json!({"source": "a", "period": "2025", "area": "1880", "measure": "pupils", "gender": "girls"}),
        );
        assert_ne!(name_of_observation(&short), name_of_observation(&other));
    }

    #[test]
    fn a_period_says_its_kind_unless_it_is_a_range() {
        assert_eq!(kind_of("2025/2026"), Some(PeriodKind::SchoolYear));
        assert_eq!(kind_of("2025HT"), Some(PeriodKind::Term));
        assert_eq!(kind_of("2013-2016"), None);
    }
}
