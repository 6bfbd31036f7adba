//! What is asked of `/statistics/partnerships`: the parameters, and what they mean in one publication.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::http::lang::Lang;
use crate::http::params::AnyOf;
use crate::problem::{ApiResult, Problem, text};
use crate::registry::codes::{CooperationForm, PartnerCategory, PartnershipRole};
use crate::statistics::codes::{Level, PartnershipGroup};
use crate::statistics::deliver::{Dialect, Format};
use crate::statistics::frozen::Frozen;
use crate::statistics::geography;
use crate::values::AreaCode;

/// The years that can be asked for: those that a month can be of.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// Parameters of `/statistics/partnerships`.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PartnershipQuery {
    /// Name of the publication, or `latest`.
    #[param(default = "latest", example = "2025.1")]
    pub publication: Option<String>,
    /// What to count by, comma separated; without it one row of totals. With several, the last one runs fastest.
    #[param(value_type = Option<Vec<PartnershipGroup>>, style = Form, explode = false, example = json!(["category"]))]
    pub group_by: Option<AnyOf<PartnershipGroup>>,
    /// Only partners of civil society, or only others.
    #[param(example = true)]
    pub civil_society: Option<bool>,
    /// Partners of one of these categories, comma separated.
    #[param(value_type = Option<Vec<PartnerCategory>>, style = Form, explode = false)]
    pub category: Option<AnyOf<PartnerCategory>>,
    /// In one of these municipalities or a district of it, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub municipality: Option<AnyOf<AreaCode>>,
    /// In one of these counties or a part of it, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub region: Option<AnyOf<AreaCode>>,
    /// In one of these projects: ids, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub project: Option<AnyOf<Uuid>>,
    /// In one of these regional collaborations: ids, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub collaboration: Option<AnyOf<Uuid>>,
    /// In one of these forms of cooperation, comma separated.
    #[param(value_type = Option<Vec<CooperationForm>>, style = Form, explode = false)]
    pub form: Option<AnyOf<CooperationForm>>,
    /// With one of these roles, comma separated.
    #[param(value_type = Option<Vec<PartnershipRole>>, style = Form, explode = false)]
    pub role: Option<AnyOf<PartnershipRole>>,
    /// Under way in one of these years, comma separated. Not together with `yearFrom` or `yearTo`.
    #[param(value_type = Option<Vec<i32>>, style = Form, explode = false, example = json!([2024]))]
    pub year: Option<AnyOf<i32>>,
    /// Under way in this year or later.
    #[param(minimum = 1, maximum = 9999, example = 2018)]
    pub year_from: Option<i32>,
    /// Under way in this year or earlier.
    #[param(minimum = 1, maximum = 9999, example = 2025)]
    pub year_to: Option<i32>,
    /// The format, if the `Accept` header cannot be set.
    pub format: Option<Format>,
    /// How CSV is written.
    pub dialect: Option<Dialect>,
    /// The language, if the `Accept-Language` header cannot be set.
    pub lang: Option<Lang>,
}

/// The years that partnerships are wanted of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Years {
    /// All, also where no year is known.
    #[default]
    All,
    /// One of these.
    Some(Vec<i32>),
    /// From and to, both included; an absent bound is open.
    Between(Option<i32>, Option<i32>),
}

impl Years {
    /// Whether a year is one of them.
    #[must_use]
    pub fn holds(&self, year: i32) -> bool {
        match self {
            Self::All => true,
            Self::Some(years) => years.contains(&year),
            Self::Between(from, to) => {
                from.is_none_or(|from| from <= year) && to.is_none_or(|to| year <= to)
            }
        }
    }

    /// Whether what is under way from `first` to `last` touches one of them.
    #[must_use]
    pub fn touch(&self, first: i32, last: i32) -> bool {
        match self {
            Self::All => true,
            Self::Some(years) => years.iter().any(|year| (first..=last).contains(year)),
            Self::Between(from, to) => {
                from.is_none_or(|from| from <= last) && to.is_none_or(|to| first <= to)
            }
        }
    }
}

/// The checked question. An empty list selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each member is the parameter of its name")]
pub struct Selection {
    pub group_by: Vec<PartnershipGroup>,
    pub civil_society: Option<bool>,
    pub categories: Vec<PartnerCategory>,
    pub municipalities: Vec<String>,
    pub regions: Vec<String>,
    pub projects: Vec<Uuid>,
    pub collaborations: Vec<Uuid>,
    pub forms: Vec<CooperationForm>,
    pub roles: Vec<PartnershipRole>,
    pub years: Years,
}

impl Selection {
    /// Reads the parameters against a publication.
    ///
    /// # Errors
    /// 400 that names the parameter and the rule: a group twice, a year outside 1–9999 or two ways of giving years,
    /// a place, project or collaboration that the publication does not know.
    pub fn new(query: &PartnershipQuery, frozen: &Frozen) -> ApiResult<Self> {
        let selection = Self {
            group_by: list(query.group_by.as_ref()),
            civil_society: query.civil_society,
            categories: sorted(query.category.as_ref()),
            municipalities: areas(
                "municipality",
                query.municipality.as_ref(),
                Level::Municipality,
                frozen,
            )?,
            regions: areas("region", query.region.as_ref(), Level::Region, frozen)?,
            projects: sorted(query.project.as_ref()),
            collaborations: sorted(query.collaboration.as_ref()),
            forms: sorted(query.form.as_ref()),
            roles: sorted(query.role.as_ref()),
            years: years(query)?,
        };
        for (n, group) in selection.group_by.iter().enumerate() {
            if selection.group_by.iter().skip(n + 1).any(|g| g == group) {
                return Err(Problem::parameter(
                    "groupBy",
                    "duplicated",
                    text(
                        format!("groupBy nämner {group} två gånger."),
                        format!("groupBy names {group} twice."),
                    ),
                ));
            }
        }
        let projects = &frozen.network.projects;
        known("project", &selection.projects, |id| {
            projects.iter().any(|project| project.id == *id)
        })?;
        let collaborations = &frozen.places.collaborations;
        known("collaboration", &selection.collaborations, |id| {
            collaborations.iter().any(|known| known.id == *id)
        })?;
        Ok(selection)
    }

    /// The same question without any wish about the partners themselves.
    #[must_use]
    pub fn of_any_partner(&self) -> Self {
        Self {
            civil_society: None,
            categories: Vec::new(),
            ..self.clone()
        }
    }

    /// The question as the parameters of a permanent address: sorted, without what is not asked.
    #[must_use]
    pub fn canonical(&self) -> Vec<(&'static str, String)> {
        let (year, from, to) = match &self.years {
            Years::All => (String::new(), None, None),
            Years::Some(years) => (joined(years), None, None),
            Years::Between(from, to) => (String::new(), *from, *to),
        };
        let optional = |value: Option<i32>| value.map_or_else(String::new, |v| v.to_string());
        let all = [
            ("groupBy", joined(&self.group_by)),
            (
                "civilSociety",
                self.civil_society
                    .map_or_else(String::new, |civil| civil.to_string()),
            ),
            ("category", joined(&self.categories)),
            ("municipality", joined(&self.municipalities)),
            ("region", joined(&self.regions)),
            ("project", joined(&self.projects)),
            ("collaboration", joined(&self.collaborations)),
            ("form", joined(&self.forms)),
            ("role", joined(&self.roles)),
            ("year", year),
            ("yearFrom", optional(from)),
            ("yearTo", optional(to)),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join(",")
}

fn list<T: Clone>(given: Option<&AnyOf<T>>) -> Vec<T> {
    given.map(|any| any.0.clone()).unwrap_or_default()
}

fn sorted<T: Clone + Ord>(given: Option<&AnyOf<T>>) -> Vec<T> {
    let mut values = list(given);
    values.sort_unstable();
    values.dedup();
    values
}

fn areas(
    parameter: &'static str,
    given: Option<&AnyOf<AreaCode>>,
    level: Level,
    frozen: &Frozen,
) -> ApiResult<Vec<String>> {
    let codes: Vec<String> = sorted(given)
        .into_iter()
        .map(AreaCode::into_string)
        .collect();
    for code in &codes {
        match frozen.places.area(code) {
            Some(area) if area.level == level => {}
            Some(_) => {
                let (sv, en) = match level {
                    Level::Region => ("inget län", "no county"),
                    _ => ("ingen kommun", "no municipality"),
                };
                return Err(Problem::parameter(
                    parameter,
                    "wrong_level",
                    text(format!("{code} är {sv}."), format!("{code} is {en}.")),
                ));
            }
            None => return Err(geography::unknown(parameter, code)),
        }
    }
    Ok(codes)
}

fn known(parameter: &'static str, ids: &[Uuid], is_known: impl Fn(&Uuid) -> bool) -> ApiResult<()> {
    match ids.iter().find(|id| !is_known(id)) {
        None => Ok(()),
        Some(id) => Err(Problem::parameter(
            parameter,
            "not_in_publication",
            text(
                format!("{id} finns inte i publiceringen."),
                format!("{id} is not in the publication."),
            ),
        )),
    }
}

fn years(query: &PartnershipQuery) -> ApiResult<Years> {
    let listed = sorted(query.year.as_ref());
    let given = [
        ("year", listed.as_slice()),
        ("yearFrom", query.year_from.as_slice()),
        ("yearTo", query.year_to.as_slice()),
    ];
    for (name, years) in given {
        if years.iter().any(|year| !YEARS.contains(year)) {
            return Err(Problem::parameter(
                name,
                "out_of_range",
                text("Ett år är 1–9999.", "A year is 1–9999."),
            ));
        }
    }
    match (listed.is_empty(), query.year_from, query.year_to) {
        (true, None, None) => Ok(Years::All),
        (false, None, None) => Ok(Years::Some(listed)),
        (true, Some(from), Some(to)) if from > to => Err(Problem::parameter(
            "yearTo",
            "year_order",
            text(
                "yearTo ligger före yearFrom.",
                "yearTo lies before yearFrom.",
            ),
        )),
        (true, from, to) => Ok(Years::Between(from, to)),
        (false, ..) => Err(Problem::parameter(
            "year",
            "years_or_range",
            text(
                "Ange year eller yearFrom och yearTo, inte båda.",
                "Give year or yearFrom and yearTo, not both.",
            ),
        )),
    }
}
