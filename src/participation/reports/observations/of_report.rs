//! `/reports/{reportId}/observations`: the observations of one report, which is how they are written.

use actix_web::{HttpRequest, get, patch, put, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::super::api::{ReportOut, Reports, must_be_draft};
use super::super::model::ReportRow;
use super::super::store as reports;
use super::api::{ObservationFilter, ObservationOut, Observations, plain_band};
use super::check::{self, Known};
use super::model::NewObservation;
use super::past::{EarlierObservations, Then};
use super::store;
use crate::access::permission::{ParticipationRead, ParticipationWrite};
use crate::access::{Grant, Permission};
use crate::db::savepoint::Savepoint;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::Valid;
use crate::http::etag::Expected;
use crate::http::list::{Changed, Listing, Page};
use crate::http::params::{AnyOf, ListParams, ListQuery};
use crate::http::resource;
use crate::participation::codes::{
    ActivityForm, Gender, GeographyBasis, ObservationStatus, Precision, Subject,
};
use crate::participation::measures;
use crate::problem::{ApiResult, Problem, ProblemKind};
use crate::registry::areas;
use crate::values::{AgeBand, AreaCode, MeasureCode, Prose};

/// An observation to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"measure": "pupils", "gender": "girls", "ageBand": "6-19", "value": 880}))]
pub struct ObservationIn {
    /// Code of the measure.
    #[garde(dive)]
    pub measure: MeasureCode,
    /// The area: the report's, which it also is if left out, or one inside it.
    #[garde(dive)]
    #[serde(default)]
    pub area: Option<AreaCode>,
    /// Whether people are counted where they take part or where they live.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "not_stated")]
    pub basis: GeographyBasis,
    /// Of whom.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "total")]
    pub gender: Gender,
    /// Ages from and to, both included, or `all`.
    #[garde(dive)]
    #[serde(default = "all_ages")]
    #[schema(default = "all")]
    pub age_band: AgeBand,
    /// In which art form.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "all")]
    pub subject: Subject,
    /// In which form of activity.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "all")]
    pub activity_form: ActivityForm,
    /// The value: counts are whole numbers from 0, shares 0–100 (of occasions from 0), flags 0 or 1, ranks from 1. None where the status says
    /// that it is missing.
    #[garde(skip)]
    #[serde(default)]
    pub value: Option<f64>,
    /// Whether there is a value, and if not, why.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "reported")]
    pub status: ObservationStatus,
    /// How exact the source's own words are.
    #[garde(skip)]
    #[serde(default)]
    #[schema(default = "exact")]
    pub precision: Precision,
    /// What a reader should know of the number.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
}

/// Observations to be written to a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"observations": [
    {"measure": "pupils", "gender": "total", "value": 1520},
    {"measure": "pupils", "gender": "girls", "value": 880},
    {"measure": "pupils", "gender": "boys", "status": "not_collected"}]}))]
pub struct ObservationsIn {
    /// The observations, at most 1 000, no two with the same measure, area, basis, gender, ages, subject and form.
    #[garde(dive)]
    #[schema(max_items = 1000)]
    pub observations: Vec<ObservationIn>,
}

/// Filters of `/reports/{reportId}/observations`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportObservationFilter {
    /// Measures, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["pupils"]))]
    pub measure: Option<AnyOf<MeasureCode>>,
    /// Exactly these areas, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["1880"]))]
    pub area: Option<AnyOf<AreaCode>>,
    /// Statuses, comma separated.
    #[param(value_type = Option<Vec<ObservationStatus>>, style = Form, explode = false)]
    pub status: Option<AnyOf<ObservationStatus>>,
    /// The observations as they were in the version that the report had at this time (RFC 3339): 404 before the report was
    /// made and before its history begins. A time to come gives them as they are.
    #[param(value_type = Option<DateTime<Utc>>, example = "2026-01-15T08:00:00Z")]
    pub as_of: Option<DateTime<Utc>>,
}

fn all_ages() -> AgeBand {
    AgeBand::trusted("all")
}

impl ObservationIn {
    /// The row to be written to a report of `report_area`.
    #[must_use]
    pub fn new_row<'a>(&'a self, report_area: &'a str) -> NewObservation<'a> {
        NewObservation {
            measure_code: self.measure.as_str(),
            area_code: self.area.as_ref().map_or(report_area, AreaCode::as_str),
            basis: self.basis,
            gender: self.gender,
            age_band: plain_band(&self.age_band),
            subject: self.subject,
            activity_form: self.activity_form,
            // A negative zero becomes a plain one.
            value: self.value.map(|value| value + 0.0),
            status: self.status,
            precision: self.precision,
            note: self.note.as_ref().map(Prose::as_str),
        }
    }
}

impl ObservationsIn {
    /// The rows to be written, after every rule that can name its row.
    async fn checked<'a>(
        &'a self,
        conn: &Conn,
        report: &'a ReportRow,
    ) -> Result<Vec<NewObservation<'a>>, WriteError> {
        let rows: Vec<_> = self
            .observations
            .iter()
            .map(|new| new.new_row(&report.area_code))
            .collect();
        let codes = rows.iter().map(|row| row.measure_code.to_owned()).collect();
        let places = rows.iter().map(|row| row.area_code.to_owned()).collect();
        let known = Known {
            measures: measures::store::possible(conn, codes).await?,
            areas: areas::store::live(conn, places).await?,
            report_area: report.area_code.clone(),
        };
        let faults = check::faults(&rows, &known);
        if faults.is_empty() {
            return Ok(rows);
        }
        Err(Problem::new(ProblemKind::ValidationFailed)
            .faults(faults)
            .into())
    }
}

impl ReportObservationFilter {
    fn of(self, report: Uuid) -> ObservationFilter {
        ObservationFilter {
            report: Some(AnyOf(vec![report])),
            measure: self.measure,
            area: self.area,
            status: self.status,
            ..ObservationFilter::default()
        }
    }
}

/// Writes the whole set of a report's observations, for the loader of published data; says how many rows that were.
///
/// # Errors
/// When a rule or the database refuses.
pub async fn write_all(
    conn: &Conn,
    report: &ReportRow,
    new: &ObservationsIn,
) -> Result<i64, WriteError> {
    let rows = new.checked(conn, report).await?;
    Ok(store::write(conn, report.id, &rows, true).await?)
}

/// Writes observations and, if that changed anything, makes a new version of their report.
async fn write(
    req: &HttpRequest,
    db: &Db,
    grant: &Grant<ParticipationWrite>,
    id: Uuid,
    new: &ObservationsIn,
    whole: bool,
) -> ApiResult<Changed<ReportOut>> {
    let expected = Expected::from_request(req)?;
    let view = resource::plain(db, grant);
    let (version, row) = db
        .write(async |conn| {
            let report = resource::held::<Reports, _>(conn, grant, &view, &id, &expected).await?;
            must_be_draft(&report)?;
            let rows = new.checked(conn, &report).await?;
            // The version before is kept first: how many observations it has is a part of it.
            Savepoint::CONTENT.set(conn).await?;
            resource::before_change::<Reports>(conn, &view, &report).await?;
            if store::write(conn, id, &rows, whole).await? == 0 {
                Savepoint::CONTENT.back(conn).await?;
                return resource::reread::<Reports>(conn, &view, &id).await;
            }
            reports::touch(conn, id).await?;
            resource::after_change::<Reports>(conn, &view, &report).await
        })
        .await?;
    Ok(Changed { row, version })
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_report_observations)
        .service(replace_report_observations)
        .service(update_report_observations);
}

/// List the observations of a report
///
/// In the order in which they were first written. To change them, write them back with the `ETag` of the report. With `asOf`
/// they are as they were: the history of the report says who made which version, and when.
#[utoipa::path(tag = "participation", operation_id = "list_report_observations", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), ListQuery, ReportObservationFilter),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "A page of observations", body = Page<ObservationOut>)))]
#[get("/reports/{reportId}/observations")]
async fn list_report_observations(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    id: web::Path<Uuid>,
    params: ListParams<ReportObservationFilter>,
) -> ApiResult<Listing<ObservationOut>> {
    let ListParams { list, filter } = params;
    if let Some(at) = filter.as_of
        && let Some(at) = resource::version_as_of::<Reports, _>(&db, &grant, &id, at).await?
    {
        let filter = Then {
            report: *id,
            at,
            only: filter,
        };
        let params = ListParams { list, filter };
        return resource::list::<EarlierObservations, _>(&req, &db, &grant, &params).await;
    }
    let report = db
        .read(async |conn| reports::find(conn, &id).await)
        .await?
        .ok_or_else(Problem::not_found)?;
    resource::alive(&report, grant.reach())?;
    let filter = filter.of(*id);
    let params = ListParams { list, filter };
    resource::list::<Observations, _>(&req, &db, &grant, &params).await
}

/// Replace the observations of a report
///
/// The report, which must be a draft, afterwards has these observations and no others. `If-Match` carries the `ETag` of
/// the report, whose version counts up if anything changed. All faults are told at once, each with the place of its
/// observation; then nothing is written.
#[utoipa::path(tag = "participation", operation_id = "replace_report_observations", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ObservationsIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The report as it is now", body = ReportOut)))]
#[put("/reports/{reportId}/observations")]
async fn replace_report_observations(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
    body: Valid<ObservationsIn>,
) -> ApiResult<Changed<ReportOut>> {
    write(&req, &db, &grant, *id, &body.0, true).await
}

/// Add and correct observations of a report
///
/// An observation with the same measure, area, basis, gender, ages, subject and form as one of the report takes its
/// place; any other is added; what is not given stays. Otherwise as replacing them all, which is also the way to
/// remove some. A report of more than 1 000 observations is written in several steps like this.
#[utoipa::path(tag = "participation", operation_id = "update_report_observations", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ObservationsIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The report as it is now", body = ReportOut)))]
#[patch("/reports/{reportId}/observations")]
async fn update_report_observations(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
    body: Valid<ObservationsIn>,
) -> ApiResult<Changed<ReportOut>> {
    write(&req, &db, &grant, *id, &body.0, false).await
}
