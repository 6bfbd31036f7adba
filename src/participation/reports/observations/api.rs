//! `/observations`

use std::borrow::Cow;

use actix_web::{HttpRequest, get, web};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::super::model::ReportRow;
use super::model::{ObservationRow, Observed};
use super::store;
use crate::access::permission::ParticipationRead;
use crate::access::{Grant, Permission, Reach, inside};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db};
use crate::http::list::{Item, Listing, Page};
use crate::http::params::{AnyOf, ItemQuery, ListParams, ListQuery, One, Params};
use crate::http::resource::{self, Resource, View};
use crate::participation::codes::{
    ActivityForm, Gender, GeographyBasis, ObservationStatus, PeriodKind, Precision, ReportState,
    Subject,
};
use crate::participation::sources;
use crate::problem::ApiResult;
use crate::registry::areas;
use crate::schema::{observations, reports};
use crate::values::Day;
use crate::values::{AgeBand, AreaCode, MeasureCode};

/// One number of a report, or the reason why there is none.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Observation)]
pub struct ObservationOut {
    /// Id, made by the service (UUID version 7).
    pub id: Uuid,
    /// Id of the report.
    pub report: Uuid,
    /// Where the report stands.
    pub report_state: ReportState,
    /// Code of the measure: what the number means.
    #[schema(example = "pupils")]
    pub measure: String,
    /// The area that the number is about: the report's, or one inside it.
    #[schema(example = "1880")]
    pub area: String,
    /// Name of the area.
    #[schema(example = "Örebro")]
    pub area_name: Option<String>,
    /// Whether people are counted where they take part or where they live.
    pub basis: GeographyBasis,
    /// Of whom: girls, boys, or all.
    pub gender: Gender,
    /// Ages from and to, both included, or `all`.
    #[schema(example = "6-19")]
    pub age_band: String,
    /// In which art form, or all.
    pub subject: Subject,
    /// In which form of activity, or all.
    pub activity_form: ActivityForm,
    /// The value, in the unit of the measure; null if there is none.
    #[schema(example = 1520)]
    pub value: Option<f64>,
    /// Whether there is a value, and if not, why.
    pub status: ObservationStatus,
    /// How exact the source's own words are.
    pub precision: Precision,
    /// What a reader should know of the number.
    pub note: Option<String>,
    /// The period of the report.
    #[schema(example = "2025")]
    pub period: String,
    /// What kind of time that is.
    pub period_kind: PeriodKind,
    /// Id of the source.
    pub source: Uuid,
    /// Title of the source.
    #[schema(example = "Örebro kulturskola: redovisning till nämnden 2025")]
    pub source_title: Option<String>,
    /// When the number was last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
}

/// Filters of `/observations`.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ObservationFilter {
    /// Ids of reports, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub report: Option<AnyOf<Uuid>>,
    /// Measures, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["pupils"]))]
    pub measure: Option<AnyOf<MeasureCode>>,
    /// Exactly these areas, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub area: Option<AnyOf<AreaCode>>,
    /// This county and everything in it.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// This municipality and everything in it.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// Periods that end on this day or later. Undated reports are left out.
    #[param(value_type = Option<NaiveDate>, example = "2022-01-01")]
    pub period_from: Option<Day>,
    /// Periods that begin on this day or earlier. Undated reports are left out.
    #[param(value_type = Option<NaiveDate>, example = "2022-12-31")]
    pub period_to: Option<Day>,
    /// Genders, comma separated.
    #[param(value_type = Option<Vec<Gender>>, style = Form, explode = false)]
    pub gender: Option<AnyOf<Gender>>,
    /// Age bands, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["6-19"]))]
    pub age_band: Option<AnyOf<AgeBand>>,
    /// Subjects, comma separated.
    #[param(value_type = Option<Vec<Subject>>, style = Form, explode = false)]
    pub subject: Option<AnyOf<Subject>>,
    /// Forms of activity, comma separated.
    #[param(value_type = Option<Vec<ActivityForm>>, style = Form, explode = false)]
    pub activity_form: Option<AnyOf<ActivityForm>>,
    /// Geography bases, comma separated.
    #[param(value_type = Option<Vec<GeographyBasis>>, style = Form, explode = false)]
    pub basis: Option<AnyOf<GeographyBasis>>,
    /// Ids of sources, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub source: Option<AnyOf<Uuid>>,
    /// Statuses, comma separated.
    #[param(value_type = Option<Vec<ObservationStatus>>, style = Form, explode = false)]
    pub status: Option<AnyOf<ObservationStatus>>,
    /// States of the report, comma separated. Withdrawn reports are left out unless they are asked for, here or by id.
    #[param(value_type = Option<Vec<ReportState>>, style = Form, explode = false)]
    pub report_state: Option<AnyOf<ReportState>>,
}

/// The resource, as far as it is read.
pub struct Observations;

impl Observations {
    /// All observations of these reports, in the order in which they were first written.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn of_reports(
        conn: &Conn,
        view: &View,
        reports: &[Uuid],
    ) -> QueryResult<Vec<ObservationOut>> {
        let rows = store::of_reports(conn, reports).await?;
        Self::show(conn, view, rows).await
    }
}

impl Resource for Observations {
    const PATH: &'static str = "/observations";
    type Row = Observed;
    type Out = ObservationOut;
    type Filter = ObservationFilter;

    fn visible(reach: &Reach) -> Condition {
        if reach.is_national() {
            return Condition::sql("true");
        }
        // The report decides. That its observations lie inside the same areas follows, and finds them by index.
        Condition::sql("(")
            .then(reach.condition())
            .push(" AND report_id IN (SELECT id FROM reports WHERE ")
            .then(reach.condition())
            .push("))")
    }

    fn live() -> Condition {
        Condition::sql("report_id IN (SELECT id FROM reports WHERE deleted_at IS NULL)")
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<Observed>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &ObservationFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<Observed>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(conn: &Conn, _: &View, rows: Vec<Observed>) -> QueryResult<Vec<ObservationOut>> {
        let codes = rows.iter().map(|seen| seen.row.area_code.clone()).collect();
        let source_ids = rows.iter().map(|seen| seen.report.source_id).collect();
        let (names, titles) = futures_util::try_join!(
            areas::store::names(conn, codes),
            sources::store::titles(conn, source_ids)
        )?;
        let shown = rows.into_iter().map(|Observed { row, report }| {
            let name = names.get(&row.area_code).cloned();
            let title = titles.get(&report.source_id).cloned();
            ObservationOut::from_row(row, &report, name, title)
        });
        Ok(shown.collect())
    }
}

impl ObservationFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = observations::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(ids)) = &self.report {
            query = query.filter(observations::report_id.eq_any(ids.clone()));
        }
        if let Some(AnyOf(codes)) = &self.measure {
            query = query.filter(observations::measure_code.eq_any(texts(codes)));
        }
        if let Some(AnyOf(codes)) = &self.area {
            query = query.filter(observations::area_code.eq_any(texts(codes)));
        }
        for One(area) in self.region.iter().chain(&self.municipality) {
            query = query.filter(inside(area.as_str()));
        }
        if let Some(AnyOf(genders)) = &self.gender {
            query = query.filter(observations::gender.eq_any(genders.clone()));
        }
        if let Some(AnyOf(bands)) = &self.age_band {
            let bands: Vec<String> = bands
                .iter()
                .map(|band| plain_band(band).into_owned())
                .collect();
            query = query.filter(observations::age_band.eq_any(bands));
        }
        if let Some(AnyOf(subjects)) = &self.subject {
            query = query.filter(observations::subject.eq_any(subjects.clone()));
        }
        if let Some(AnyOf(forms)) = &self.activity_form {
            query = query.filter(observations::activity_form.eq_any(forms.clone()));
        }
        if let Some(AnyOf(bases)) = &self.basis {
            query = query.filter(observations::basis.eq_any(bases.clone()));
        }
        if let Some(AnyOf(statuses)) = &self.status {
            query = query.filter(observations::status.eq_any(statuses.clone()));
        }
        query.filter(observations::report_id.eq_any(self.reports()))
    }

    /// The ids of the reports that the filter leaves.
    fn reports(&self) -> ReportIds {
        let mut query = reports::table.select(reports::id).into_boxed();
        match &self.report_state {
            Some(AnyOf(states)) => query = query.filter(reports::state.eq_any(states.clone())),
            None if self.report.is_some() => {}
            None => query = query.filter(reports::state.ne(ReportState::Withdrawn)),
        }
        if let Some(AnyOf(ids)) = &self.source {
            query = query.filter(reports::source_id.eq_any(ids.clone()));
        }
        if let Some(from) = self.period_from {
            query = query.filter(reports::last_day.ge(from.date()));
        }
        if let Some(to) = self.period_to {
            query = query.filter(reports::first_day.le(to.date()));
        }
        query
    }
}

type ReportIds = diesel::helper_types::IntoBoxed<
    'static,
    diesel::helper_types::Select<reports::table, reports::id>,
    diesel::pg::Pg,
>;

fn texts(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

impl ObservationOut {
    fn from_row(
        row: ObservationRow,
        report: &ReportRow,
        area_name: Option<String>,
        source_title: Option<String>,
    ) -> Self {
        let ObservationRow {
            id,
            report_id,
            measure_code,
            area_code,
            basis,
            gender,
            age_band,
            subject,
            activity_form,
            value,
            status,
            precision,
            note,
            updated_at,
        } = row;
        Self {
            id,
            report: report_id,
            report_state: report.state,
            measure: measure_code,
            area: area_code,
            area_name,
            basis,
            gender,
            age_band,
            subject,
            activity_form,
            value,
            status,
            precision,
            note,
            period: report.period.clone(),
            period_kind: report.period_kind,
            source: report.source_id,
            source_title,
            updated_at,
        }
    }
}

/// The one way to write a band: `06-19` is `6-19`, and both would otherwise be dimensions of their own.
#[must_use]
pub fn plain_band(band: &AgeBand) -> Cow<'_, str> {
    let age = |text: &str| text.parse::<u8>().ok();
    let padded = |text: &str| text.len() > 1 && text.starts_with('0');
    if let Some((from, to)) = band.as_str().split_once('-')
        && (padded(from) || padded(to))
        && let (Some(from), Some(to)) = (age(from), age(to))
    {
        return format!("{from}-{to}").into();
    }
    band.as_str().into()
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_observations).service(get_observation);
}

/// List observations
///
/// Raw numbers across the reports of the client's areas, in the order in which they were first written. What everybody
/// may see is in the publications. Two numbers are comparable only if measure, basis and age band agree, and no series
/// break of the measure lies between them.
#[utoipa::path(tag = "participation", operation_id = "list_observations", params(ListQuery, ObservationFilter),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "A page of observations", body = Page<ObservationOut>)))]
#[get("/observations")]
async fn list_observations(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    params: ListParams<ObservationFilter>,
) -> ApiResult<Listing<ObservationOut>> {
    resource::list::<Observations, _>(&req, &db, &grant, &params).await
}

/// Show an observation
///
/// With its report, period and source. Its version is that of its report, which is where observations are written.
#[utoipa::path(tag = "participation", operation_id = "get_observation", params(("observationId" = Uuid, Path, description = "Id of the observation", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ItemQuery),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "The observation", body = ObservationOut)))]
#[get("/observations/{observationId}")]
async fn get_observation(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    id: web::Path<Uuid>,
    query: Params<ItemQuery>,
) -> ApiResult<Item<ObservationOut>> {
    resource::show::<Observations, _>(&req, &db, &grant, &id, &query.0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_band_is_written_in_one_way() {
        let bands = [
            ("06-19", "6-19"),
            ("6-09", "6-9"),
            ("00-00", "0-0"),
            ("0-6", "0-6"),
            ("all", "all"),
            ("6-19", "6-19"),
        ];
        for (given, plain) in bands {
            assert_eq!(plain_band(&given.parse().unwrap()), plain);
        }
    }
}
