//! `/reports`

use actix_web::{HttpRequest, delete, get, patch, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::model::{ReportChange, ReportRow};
use super::{period, store};
use crate::access::permission::{ParticipationRead, ParticipationWrite};
use crate::access::{Grant, Permission, Reach, inside};
use crate::db::fragment::Condition;
use crate::db::window::Window;
use crate::db::{Conn, Db, WriteError};
use crate::http::body::{MergePatch, Valid};
use crate::http::etag::Expected;
use crate::http::list::{Changed, Created, Deleted, Item, Listing, Page};
use crate::http::once::{Answer, Once};
use crate::http::params::{AnyOf, ListParams, ListQuery, One, Params, RowQuery};
use crate::http::resource::{self, Resource, View, Writable};
use crate::participation::codes::{PeriodKind, ReportState};
use crate::participation::rules::broken;
use crate::participation::sources::reference::SourceRef;
use crate::participation::{places, sources};
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::registry::areas;
use crate::schema::reports;
use crate::values::Day;
use crate::values::{AreaCode, Line, Prose};

/// What one source says of one area for one period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Report)]
pub struct ReportOut {
    /// Id, made by the service (UUID version 7).
    pub id: Uuid,
    /// Id of the source.
    pub source: Uuid,
    /// Title of the source.
    #[schema(example = "Örebro kulturskola: redovisning till nämnden 2025")]
    pub source_title: Option<String>,
    /// The reporting area. Decides who may see and write the report.
    #[schema(example = "1880")]
    pub area: String,
    /// Name of the area.
    #[schema(example = "Örebro")]
    pub area_name: Option<String>,
    /// What kind of time the report is about.
    pub period_kind: PeriodKind,
    /// The period, written as its kind wants it; a label if undated.
    #[schema(example = "2025")]
    pub period: String,
    /// First day of the period; null if undated.
    #[schema(example = "2025-01-01")]
    pub first_day: Option<NaiveDate>,
    /// Last day of the period; null if undated.
    #[schema(example = "2025-12-31")]
    pub last_day: Option<NaiveDate>,
    /// What a reader should know of the report.
    pub note: Option<String>,
    /// Where the report stands. Only a draft can be changed.
    pub state: ReportState,
    /// The client that submitted it.
    #[schema(example = "orebro-kulturskola")]
    pub submitted_by: Option<String>,
    /// When it was submitted (UTC).
    #[schema(example = "2026-02-01T08:00:00Z")]
    pub submitted_at: Option<DateTime<Utc>>,
    /// The client that approved it.
    #[schema(example = "kulturskolecentrum")]
    pub approved_by: Option<String>,
    /// When it was approved (UTC).
    #[schema(example = "2026-02-15T08:00:00Z")]
    pub approved_at: Option<DateTime<Utc>>,
    /// Why it was withdrawn.
    pub withdrawn_reason: Option<String>,
    /// How many observations it has.
    #[schema(example = 12)]
    pub observation_count: i64,
    /// Counts the changes of the report and of its observations; its `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the row was made (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub created_at: DateTime<Utc>,
    /// When the report or its observations were last changed (UTC).
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub updated_at: DateTime<Utc>,
    /// When the row was deleted (UTC); only seen with `includeDeleted`.
    #[schema(example = "2026-01-15T08:00:00Z")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A report to be written. Its observations are written at `/reports/{reportId}/observations`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"source": {"title": "Statistik och forskning"}, "area": "1880", "periodKind": "year", "period": "2025"}))]
pub struct ReportIn {
    /// The source: its id, `{"url": …}` or `{"title": …}`.
    #[garde(dive)]
    pub source: SourceRef,
    /// The reporting area: a municipality, a county, a district, or `SE`.
    #[garde(dive)]
    pub area: AreaCode,
    /// What kind of time the report is about.
    #[garde(skip)]
    pub period_kind: PeriodKind,
    /// `2022`, `2022/2023`, `2022HT`, `2013-2016`, or a label if undated.
    #[garde(dive)]
    pub period: Line,
    /// First day. Only a range needs it: for a year, school year (1 July–30 June) or term it follows from the period,
    /// and may be given if it is a later one inside. None if undated.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2025-01-01")]
    pub first_day: Option<Day>,
    /// Last day; as the first.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<NaiveDate>, example = "2025-12-31")]
    pub last_day: Option<Day>,
    /// What a reader should know of the report.
    #[garde(dive)]
    #[serde(default)]
    pub note: Option<Prose>,
}

/// Filters of `/reports`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReportFilter {
    /// Ids of sources, comma separated.
    #[param(value_type = Option<Vec<Uuid>>, style = Form, explode = false)]
    pub source: Option<AnyOf<Uuid>>,
    /// Of these areas or areas inside them, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["18"]))]
    pub area: Option<AnyOf<AreaCode>>,
    /// Of this county or areas inside it.
    #[param(value_type = Option<String>, example = "18")]
    pub region: Option<One<AreaCode>>,
    /// Of this municipality or areas inside it.
    #[param(value_type = Option<String>, example = "1880")]
    pub municipality: Option<One<AreaCode>>,
    /// Kinds of period, comma separated.
    #[param(value_type = Option<Vec<PeriodKind>>, style = Form, explode = false)]
    pub period_kind: Option<AnyOf<PeriodKind>>,
    /// Periods exactly as written, comma separated.
    #[param(value_type = Option<Vec<String>>, style = Form, explode = false, example = json!(["2022", "2022/2023"]))]
    pub period: Option<AnyOf<Line>>,
    /// Periods that end on this day or later. Undated reports are left out.
    #[param(value_type = Option<NaiveDate>, example = "2022-01-01")]
    pub period_from: Option<Day>,
    /// Periods that begin on this day or earlier. Undated reports are left out.
    #[param(value_type = Option<NaiveDate>, example = "2022-12-31")]
    pub period_to: Option<Day>,
    /// States, comma separated.
    #[param(value_type = Option<Vec<ReportState>>, style = Form, explode = false)]
    pub state: Option<AnyOf<ReportState>>,
}

/// The resource.
pub struct Reports;

impl Resource for Reports {
    const PATH: &'static str = "/reports";
    type Row = ReportRow;
    type Out = ReportOut;
    type Filter = ReportFilter;

    fn visible(reach: &Reach) -> Condition {
        reach.condition()
    }

    async fn find(conn: &Conn, id: &Uuid) -> QueryResult<Option<ReportRow>> {
        store::find(conn, id).await
    }

    async fn list(
        conn: &Conn,
        filter: &ReportFilter,
        conditions: &[Condition],
        window: &Window,
    ) -> QueryResult<(Vec<ReportRow>, Option<i64>)> {
        store::list(conn, window, || filter.apply(conditions)).await
    }

    async fn show(conn: &Conn, _: &View, rows: Vec<ReportRow>) -> QueryResult<Vec<ReportOut>> {
        let ids = rows.iter().map(|row| row.id).collect();
        let codes = rows.iter().map(|row| row.area_code.clone()).collect();
        let source_ids = rows.iter().map(|row| row.source_id).collect();
        let (counts, names, titles) = futures_util::try_join!(
            store::observation_counts(conn, ids),
            areas::store::names(conn, codes),
            sources::store::titles(conn, source_ids)
        )?;
        let shown = rows.into_iter().map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or(0);
            let name = names.get(&row.area_code).cloned();
            let title = titles.get(&row.source_id).cloned();
            ReportOut::from_row(row, count, name, title)
        });
        Ok(shown.collect())
    }
}

impl ReportFilter {
    fn apply(&self, conditions: &[Condition]) -> store::Query {
        let mut query = reports::table.into_boxed();
        for condition in conditions {
            query = query.filter(condition.clone());
        }
        if let Some(AnyOf(ids)) = &self.source {
            query = query.filter(reports::source_id.eq_any(ids.clone()));
        }
        if let Some(AnyOf(areas)) = &self.area {
            query = query.filter(places::within(areas));
        }
        for One(area) in self.region.iter().chain(&self.municipality) {
            query = query.filter(inside(area.as_str()));
        }
        if let Some(AnyOf(kinds)) = &self.period_kind {
            query = query.filter(reports::period_kind.eq_any(kinds.clone()));
        }
        if let Some(AnyOf(periods)) = &self.period {
            let periods: Vec<String> = periods.iter().map(ToString::to_string).collect();
            query = query.filter(reports::period.eq_any(periods));
        }
        if let Some(from) = self.period_from {
            query = query.filter(reports::last_day.ge(from.date()));
        }
        if let Some(to) = self.period_to {
            query = query.filter(reports::first_day.le(to.date()));
        }
        if let Some(AnyOf(states)) = &self.state {
            query = query.filter(reports::state.eq_any(states.clone()));
        }
        query
    }
}

impl Writable for Reports {
    type In = ReportIn;

    fn areas(new: &ReportIn) -> Vec<(&'static str, String)> {
        vec![("/area", new.area.to_string())]
    }
    async fn lock(conn: &Conn, id: &Uuid) -> QueryResult<Option<ReportRow>> {
        store::lock(conn, id).await
    }
    async fn draft(_: &Conn, row: &ReportRow) -> QueryResult<ReportIn> {
        Ok(ReportIn::from_row(row.clone()))
    }
    async fn insert(conn: &Conn, new: &ReportIn) -> Result<Uuid, WriteError> {
        let id = Uuid::now_v7();
        let source = new.source.resolve(conn, "/source").await?;
        store::insert(conn, id, new.change(source)?).await?;
        Ok(id)
    }
    async fn update(conn: &Conn, row: &ReportRow, new: &ReportIn) -> Result<(), WriteError> {
        must_be_draft(row)?;
        let area = new.area.as_str();
        if area != row.area_code && store::reaches_outside(conn, row.id, area).await? {
            let fault = broken("observation_area_inside_report", "");
            return Err(Problem::invalid(fault).into());
        }
        let source = new.source.resolve(conn, "/source").await?;
        store::update(conn, row.id, new.change(source)?).await?;
        Ok(())
    }
    async fn bury(conn: &Conn, id: &Uuid) -> QueryResult<usize> {
        store::bury(conn, id).await
    }
    /// Nothing refers to a draft, and only drafts can be deleted.
    async fn in_use(_: &Conn, _: &ReportRow) -> QueryResult<bool> {
        Ok(false)
    }
}

/// Refuses changes of a report that others already rely on.
///
/// # Errors
/// 409 `report_not_draft`
pub fn must_be_draft(row: &ReportRow) -> ApiResult<()> {
    if row.state == ReportState::Draft {
        return Ok(());
    }
    let state = row.state.code();
    Err(Problem::new(ProblemKind::Conflict).fault(Fault::at(
        "",
        "report_not_draft",
        text(
            format!(
                "Bara ett utkast kan ändras; rapportens tillstånd är ”{}”.",
                state.label_sv
            ),
            format!(
                "Only a draft can be changed; the report's state is “{}”.",
                state.label_en
            ),
        ),
    )))
}

impl ReportOut {
    fn from_row(
        row: ReportRow,
        observation_count: i64,
        area_name: Option<String>,
        source_title: Option<String>,
    ) -> Self {
        let ReportRow {
            id,
            source_id,
            area_code,
            period_kind,
            period,
            first_day,
            last_day,
            state,
            note,
            withdrawn_reason,
            submitted_by,
            submitted_at,
            approved_by,
            approved_at,
            version,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            source: source_id,
            source_title,
            area: area_code,
            area_name,
            period_kind,
            period,
            first_day,
            last_day,
            note,
            state,
            submitted_by,
            submitted_at,
            approved_by,
            approved_at,
            withdrawn_reason,
            observation_count,
            version,
            created_at,
            updated_at,
            deleted_at,
        }
    }
}

impl ReportIn {
    fn from_row(row: ReportRow) -> Self {
        // Derived days are left out, so that a patch of the period alone moves them along.
        let given = row.first_day.zip(row.last_day);
        let derived = given.is_none() || given == period::span(row.period_kind, &row.period);
        Self {
            source: SourceRef::Id(row.source_id),
            area: AreaCode::trusted(row.area_code),
            period_kind: row.period_kind,
            period: Line::trusted(row.period),
            first_day: row.first_day.filter(|_| !derived).map(Day::trusted),
            last_day: row.last_day.filter(|_| !derived).map(Day::trusted),
            note: row.note.map(Prose::trusted),
        }
    }

    /// The row to be written, with the days of its period.
    ///
    /// # Errors
    /// 422 when period and days do not fit.
    pub fn change(&self, source_id: Uuid) -> Result<ReportChange<'_>, Problem> {
        let period = self.period.as_str();
        let (first, last) = (self.first_day.map(Day::date), self.last_day.map(Day::date));
        let days = period::days(self.period_kind, period, first, last).map_err(Problem::invalid)?;
        Ok(ReportChange {
            source_id,
            area_code: self.area.as_str(),
            period_kind: self.period_kind,
            period,
            first_day: days.map(|(first, _)| first),
            last_day: days.map(|(_, last)| last),
            note: self.note.as_ref().map(Prose::as_str),
        })
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_reports)
        .service(create_report)
        .service(get_report)
        .service(update_report)
        .service(delete_report);
}

/// List reports
///
/// The reports of the client's areas, earliest period first, undated ones last. Reports of other areas are private:
/// what may be said of them is in the publications.
#[utoipa::path(tag = "participation", operation_id = "list_reports", params(ListQuery, ReportFilter),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "A page of reports", body = Page<ReportOut>)))]
#[get("/reports")]
async fn list_reports(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    params: ListParams<ReportFilter>,
) -> ApiResult<Listing<ReportOut>> {
    resource::list::<Reports, _>(&req, &db, &grant, &params).await
}

/// Create a report
///
/// A new report is an empty draft: write its observations next, then submit it. One source has one report of an area
/// and period; withdraw a report that turned out to be wrong, and a new one can take its place.
#[utoipa::path(tag = "participation", operation_id = "create_report", request_body = ReportIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 201, description = "The new report", body = ReportOut)))]
#[post("/reports")]
async fn create_report(
    db: Db,
    grant: Grant<ParticipationWrite>,
    once: Once,
    body: Valid<ReportIn>,
) -> ApiResult<Answer<Created<ReportOut>>> {
    resource::create::<Reports, _>(&db, &grant, &once, &body.0).await
}

/// Show a report
///
/// With its `ETag`, which a later change of the report, its observations or its state sends back in `If-Match`.
#[utoipa::path(tag = "participation", operation_id = "get_report", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6"), RowQuery),
    security(("bearer" = [Permission::ParticipationRead.as_str()])), responses((status = 200, description = "The report", body = ReportOut)))]
#[get("/reports/{reportId}")]
async fn get_report(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationRead>,
    id: web::Path<Uuid>,
    query: Params<RowQuery>,
) -> ApiResult<Item<ReportOut>> {
    resource::show_as_of::<Reports, _>(&req, &db, &grant, &id, &query.0).await
}

/// Change a report
///
/// A JSON Merge Patch of a draft: absent members stay, `null` removes, anything else replaces. Days that follow from
/// the period move with it. Any other state is 409 `report_not_draft`.
#[utoipa::path(tag = "participation", operation_id = "update_report", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ReportIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 200, description = "The report as it is now", body = ReportOut)))]
#[patch("/reports/{reportId}")]
async fn update_report(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
    patch: MergePatch,
) -> ApiResult<Changed<ReportOut>> {
    resource::change::<Reports, _>(&db, &grant, &id, &Expected::from_request(&req)?, &patch).await
}

/// Delete a report
///
/// Leaves a tombstone of a draft, with its observations out of sight. Any other state is 409 `report_not_draft`:
/// an approved report is withdrawn instead.
#[utoipa::path(tag = "participation", operation_id = "delete_report", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")),
    security(("bearer" = [Permission::ParticipationWrite.as_str()])), responses((status = 204, description = "Deleted")))]
#[delete("/reports/{reportId}")]
async fn delete_report(
    req: HttpRequest,
    db: Db,
    grant: Grant<ParticipationWrite>,
    id: web::Path<Uuid>,
) -> ApiResult<Deleted> {
    let expected = Expected::from_request(&req)?;
    let view = resource::plain(&db, &grant);
    db.write(async |conn| {
        let report = resource::held::<Reports, _>(conn, &grant, &view, &id, &expected).await?;
        must_be_draft(&report)?;
        resource::bury::<Reports>(conn, &view, report).await?;
        Ok(Deleted)
    })
    .await
}
