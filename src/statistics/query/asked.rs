//! What a request asks for, as it was written: the parameters of a GET or the body of a POST, before anything is known
//! to exist.

use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::params::AnyOf;
use crate::participation::codes::GeographyBasis;
use crate::problem::{Fault, Problem, ProblemKind, Text, text};
use crate::statistics::codes::{Dimension, Included, Level, Protection};

/// Which numbers: the parameters that every question to the statistics shares.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Selection {
    /// The publication: its name, or `latest`. A name makes the answer permanent.
    #[param(default = "latest", example = "2025.1")]
    pub publication: Option<String>,
    /// Codes of one to ten measures, comma separated: without any there is no question (400).
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["pupils_share"]))]
    pub measure: Option<AnyOf<String>>,
    /// Codes of areas, comma separated: `SE`, counties, municipalities, districts. Without any place it is `SE`.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880", "SE"]))]
    pub area: Option<AnyOf<String>>,
    /// Every area of this level.
    #[param(value_type = Option<Level>)]
    pub level: Option<Level>,
    /// Together with `level`: only the areas inside this one.
    #[param(example = "18")]
    pub within: Option<String>,
    /// Together with `level=district`: the scheme of the districts. Needed if there are several.
    #[param(example = "regso-2025")]
    pub scheme: Option<String>,
    /// Ids of regional collaborations: each is the sum of those who are members on the last day of the period.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub collaboration: Option<AnyOf<String>>,
    /// Categories of partners: each is the sum of the municipalities that have a partnership with a partner of the
    /// category in the period. A municipality can be in several.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub partner_category: Option<AnyOf<String>>,
    /// Periods, comma separated: `2024`, `2023/2024`, or `latest`. Without it every period that the measures have.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["2024"]))]
    pub period: Option<AnyOf<String>>,
    /// Only periods that begin in this year or later.
    #[param(example = 2018)]
    pub period_from: Option<i32>,
    /// Only periods that begin in this year or earlier.
    #[param(example = 2024)]
    pub period_to: Option<i32>,
    /// By which place people are counted. Needed if a measure has numbers by several.
    #[param(value_type = Option<GeographyBasis>)]
    pub basis: Option<String>,
    /// Genders, comma separated; several are summed, unless `groupBy` splits them.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub gender: Option<AnyOf<String>>,
    /// Age bands, comma separated: `6-9,10-12`; several are summed, unless `groupBy` splits them.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub age_band: Option<AnyOf<String>>,
    /// Subjects, comma separated; several are summed where that is possible, unless `groupBy` splits them.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub subject: Option<AnyOf<String>>,
    /// Forms of activity, comma separated; several are summed where that is possible, unless `groupBy` splits them.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false)]
    pub activity_form: Option<AnyOf<String>>,
    /// Dimensions to split by, comma separated. Without codes of its own a dimension is split by the finest codes of
    /// the publication, and what is not broken down so far is `not_stated`.
    #[param(value_type = Option<Vec<Dimension>>, style = Form, explode = false)]
    pub group_by: Option<AnyOf<String>>,
}

/// A question as a JSON body, for selections that are too long for an address: the members are the parameters of
/// `GET /statistics/participation`, lists as arrays and called in the plural; `groupBy` is `dimensions`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[garde(allow_unvalidated)]
#[schema(as = StatisticsQuestion, example = json!({"publication": "2025.1", "measures": ["pupils_share"], "areas": ["1880", "18", "SE"], "dimensions": ["gender"]}))]
pub struct QueryIn {
    /// The publication: its name, or `latest`.
    #[schema(example = "2025.1")]
    pub publication: Option<String>,
    /// Codes of one to ten measures.
    #[schema(example = json!(["pupils_share"]))]
    #[serde(rename = "measures")]
    pub measure: Vec<String>,
    /// Codes of areas.
    #[schema(example = json!(["1880", "SE"]))]
    #[serde(rename = "areas")]
    pub area: Vec<String>,
    /// Every area of this level.
    pub level: Option<Level>,
    /// Together with `level`: only the areas inside this one.
    #[schema(example = "18")]
    pub within: Option<String>,
    /// Together with `level` `district`: the scheme of the districts.
    #[schema(example = "regso-2025")]
    pub scheme: Option<String>,
    /// Ids of regional collaborations.
    #[serde(rename = "collaborations")]
    pub collaboration: Vec<String>,
    /// Categories of partners.
    #[serde(rename = "partnerCategories")]
    pub partner_category: Vec<String>,
    /// Periods, or `latest`.
    #[schema(example = json!(["2024"]))]
    #[serde(rename = "periods")]
    pub period: Vec<String>,
    /// Only periods that begin in this year or later.
    #[schema(example = 2018)]
    pub period_from: Option<i32>,
    /// Only periods that begin in this year or earlier.
    #[schema(example = 2024)]
    pub period_to: Option<i32>,
    /// By which place people are counted.
    #[schema(value_type = Option<GeographyBasis>)]
    pub basis: Option<String>,
    /// Genders.
    #[serde(rename = "genders")]
    pub gender: Vec<String>,
    /// Age bands.
    #[serde(rename = "ageBands")]
    pub age_band: Vec<String>,
    /// Subjects.
    #[serde(rename = "subjects")]
    pub subject: Vec<String>,
    /// Forms of activity.
    #[serde(rename = "activityForms")]
    pub activity_form: Vec<String>,
    /// Dimensions to split by.
    #[schema(value_type = Vec<Dimension>)]
    #[serde(rename = "dimensions")]
    pub group_by: Vec<String>,
    /// What to show beside the values.
    pub include: Vec<Included>,
    /// `none`: the reported numbers themselves, inside the areas of the client only.
    pub protection: Option<Protection>,
}

/// How a question came, so that a fault can name its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// As parameters: faults are 400 and name the parameter.
    #[default]
    Parameters,
    /// As a body: faults are 422 and have a pointer.
    Body,
}

/// A question in plain texts, whichever way it came. The members are those of [`Selection`].
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is explained in `Selection`")]
pub struct Asked {
    pub via: Via,
    pub publication: Option<String>,
    pub measure: Vec<String>,
    pub area: Vec<String>,
    pub level: Option<Level>,
    pub within: Option<String>,
    pub scheme: Option<String>,
    pub collaboration: Vec<String>,
    pub partner_category: Vec<String>,
    pub period: Vec<String>,
    pub period_from: Option<i32>,
    pub period_to: Option<i32>,
    pub basis: Option<String>,
    pub gender: Vec<String>,
    pub age_band: Vec<String>,
    pub subject: Vec<String>,
    pub activity_form: Vec<String>,
    pub group_by: Vec<String>,
}

impl From<Selection> for Asked {
    fn from(asked: Selection) -> Self {
        let all = |list: Option<AnyOf<String>>| list.map_or_else(Vec::new, |AnyOf(all)| all);
        Self {
            via: Via::Parameters,
            publication: asked.publication,
            measure: all(asked.measure),
            area: all(asked.area),
            level: asked.level,
            within: asked.within,
            scheme: asked.scheme,
            collaboration: all(asked.collaboration),
            partner_category: all(asked.partner_category),
            period: all(asked.period),
            period_from: asked.period_from,
            period_to: asked.period_to,
            basis: asked.basis,
            gender: all(asked.gender),
            age_band: all(asked.age_band),
            subject: all(asked.subject),
            activity_form: all(asked.activity_form),
            group_by: all(asked.group_by),
        }
    }
}

impl From<QueryIn> for Asked {
    fn from(asked: QueryIn) -> Self {
        Self {
            via: Via::Body,
            publication: asked.publication,
            measure: asked.measure,
            area: asked.area,
            level: asked.level,
            within: asked.within,
            scheme: asked.scheme,
            collaboration: asked.collaboration,
            partner_category: asked.partner_category,
            period: asked.period,
            period_from: asked.period_from,
            period_to: asked.period_to,
            basis: asked.basis,
            gender: asked.gender,
            age_band: asked.age_band,
            subject: asked.subject,
            activity_form: asked.activity_form,
            group_by: asked.group_by,
        }
    }
}

impl Asked {
    /// A refusal that names the member `name`, and for a body its entry.
    #[must_use]
    pub fn refused(
        &self,
        name: &str,
        entry: Option<usize>,
        code: &'static str,
        detail: Text,
    ) -> Problem {
        let member = member(name);
        match (self.via, entry) {
            (Via::Parameters, _) => Problem::parameter(name, code, detail),
            (Via::Body, None) => Problem::invalid(Fault::at(format!("/{member}"), code, detail)),
            (Via::Body, Some(entry)) => {
                Problem::invalid(Fault::at(format!("/{member}/{entry}"), code, detail))
            }
        }
    }

    /// The question is understood, and too large: always 422.
    #[must_use]
    pub fn too_large(&self, name: &str, detail: Text) -> Problem {
        let fault = match self.via {
            Via::Parameters => Fault::parameter(name, "too_many_cells", detail),
            Via::Body => Fault::at(format!("/{}", member(name)), "too_many_cells", detail),
        };
        Problem::new(ProblemKind::ValidationFailed).fault(fault)
    }

    /// The pairs that `GET` has for the same selection, sorted by name; without the publication.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let list = |values: &[String]| (!values.is_empty()).then(|| values.join(","));
        let year = |year: Option<i32>| year.map(|year| year.to_string());
        let pairs = [
            ("activityForm", list(&self.activity_form)),
            ("ageBand", list(&self.age_band)),
            ("area", list(&self.area)),
            ("basis", self.basis.clone()),
            ("collaboration", list(&self.collaboration)),
            ("gender", list(&self.gender)),
            ("groupBy", list(&self.group_by)),
            ("level", self.level.map(|level| level.to_string())),
            ("measure", list(&self.measure)),
            ("partnerCategory", list(&self.partner_category)),
            ("period", list(&self.period)),
            ("periodFrom", year(self.period_from)),
            ("periodTo", year(self.period_to)),
            ("scheme", self.scheme.clone()),
            ("subject", list(&self.subject)),
            ("within", self.within.clone()),
        ];
        let given = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?));
        pairs.into_iter().filter_map(given).collect()
    }
}

/// The member of a body that holds what the parameter of this name does: the national profile (AME.06) wants lists in the
/// plural.
#[must_use]
pub fn member(parameter: &str) -> &str {
    match parameter {
        "measure" => "measures",
        "area" => "areas",
        "collaboration" => "collaborations",
        "partnerCategory" => "partnerCategories",
        "period" => "periods",
        "gender" => "genders",
        "ageBand" => "ageBands",
        "subject" => "subjects",
        "activityForm" => "activityForms",
        "groupBy" => "dimensions",
        other => other,
    }
}

/// Says that a code is unknown, and names the nearest known one, or a few.
#[must_use]
pub fn unknown<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Text {
    let known: Vec<&str> = known.collect();
    let lower = given.to_lowercase();
    let near = known
        .iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&lower, &name.to_lowercase()),
                *name,
            )
        })
        .filter(|(distance, name)| *distance <= 3 && *distance < name.chars().count())
        .min();
    if let Some((_, name)) = near {
        return text(
            format!("Okänd kod: {given}. Menade du {name}?"),
            format!("Unknown code: {given}. Did you mean {name}?"),
        );
    }
    let few = known.iter().take(20).copied().collect::<Vec<_>>();
    let more = if known.len() > few.len() { " …" } else { "" };
    let few = few.join(", ");
    text(
        format!("Okänd kod: {given}. Kända: {few}{more}."),
        format!("Unknown code: {given}. Known: {few}{more}."),
    )
}
