//! `/reports/{reportId}/state`: submit, return, approve, withdraw.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, put, web};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::api::{ReportOut, Reports};
use super::model::{ReportRow, StateChange};
use super::store;
use crate::access::audit::{self, AuditAction};
use crate::access::permission::{ParticipationApprove, ParticipationWrite};
use crate::access::{Action, Grant, Permission};
use crate::db::Db;
use crate::http::body::Valid;
use crate::http::etag::Expected;
use crate::http::list::Changed;
use crate::http::resource;
use crate::participation::codes::ReportState;
use crate::participation::rules::broken;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};
use crate::values::Prose;

/// The state that a report shall have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"state": "submitted"}))]
pub struct ReportStateIn {
    /// The new state.
    #[garde(skip)]
    pub state: ReportState,
    /// Why the report is withdrawn: then, and only then.
    #[garde(dive)]
    #[serde(default)]
    #[schema(example = "Siffrorna gällde läsåret, inte kalenderåret.")]
    pub reason: Option<Prose>,
}

/// The proof that the caller may write reports, or approve them, or both.
struct Hands {
    write: ApiResult<Grant<ParticipationWrite>>,
    approve: ApiResult<Grant<ParticipationApprove>>,
}

impl FromRequest for Hands {
    type Error = Problem;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let write = Grant::from_request(req, payload).into_inner();
        let approve = Grant::from_request(req, payload).into_inner();
        ready(match (write, approve) {
            (Err(problem), Err(_)) => Err(problem),
            (write, approve) => Ok(Self { write, approve }),
        })
    }
}

/// The handlers.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(update_report_state);
}

/// Change the state of a report
///
/// `draft` → `submitted` needs `participation:write`; `submitted` → `approved` and `approved` → `withdrawn` (with its
/// reason) need `participation:approve`; `submitted` → `draft` needs one of the two. Anything else is 409
/// `state_transition`. Who submitted and approved, and when, is kept with the report.
#[utoipa::path(tag = "participation", operation_id = "update_report_state", params(("reportId" = Uuid, Path, description = "Id of the report", example = "01903e2a-7b4c-7d5e-8f60-718293a4b5c6")), request_body = ReportStateIn,
    security(("bearer" = [Permission::ParticipationWrite.as_str()]), ("bearer" = [Permission::ParticipationApprove.as_str()])), responses((status = 200, description = "The report as it is now", body = ReportOut)))]
#[put("/reports/{reportId}/state")]
async fn update_report_state(
    req: HttpRequest,
    db: Db,
    hands: Hands,
    id: web::Path<Uuid>,
    body: Valid<ReportStateIn>,
) -> ApiResult<Changed<ReportOut>> {
    let expected = Expected::from_request(&req)?;
    let wanted = Wanted {
        id: *id,
        expected,
        new: body.0,
    };
    match (wanted.new.state, hands.write) {
        (ReportState::Submitted, write) => wanted.turn(&db, &write?).await,
        (ReportState::Draft, Ok(write)) => wanted.turn(&db, &write).await,
        _ => wanted.turn(&db, &hands.approve?).await,
    }
}

/// What is asked for.
struct Wanted {
    id: Uuid,
    expected: Expected,
    new: ReportStateIn,
}

impl Wanted {
    async fn turn<A: Action>(&self, db: &Db, grant: &Grant<A>) -> ApiResult<Changed<ReportOut>> {
        if self.new.reason.is_some() != (self.new.state == ReportState::Withdrawn) {
            return Err(Problem::invalid(broken("report_withdrawn_has_reason", "")));
        }
        let view = resource::plain(db, grant);
        let (version, row) = db
            .write(async |conn| {
                let expected = &self.expected;
                let report =
                    resource::held::<Reports, _>(conn, grant, &view, &self.id, expected).await?;
                let change = self.change(&report, grant.client_id(), view.now)?;
                resource::before_change::<Reports>(conn, &view, &report).await?;
                store::turn(conn, self.id, change).await?;
                let detail = json!({"report": self.id, "from": report.state, "to": self.new.state});
                let areas = [&report.area_code];
                audit::note(conn, AuditAction::ReportStateChanged, &areas, detail).await?;
                resource::after_change::<Reports>(conn, &view, &report).await
            })
            .await?;
        Ok(Changed { row, version })
    }

    fn change<'a>(
        &'a self,
        report: &'a ReportRow,
        client: &'a str,
        now: DateTime<Utc>,
    ) -> ApiResult<StateChange<'a>> {
        let (old, new) = (report.state, self.new.state);
        if !old.may_become(new) {
            let (old, new) = (old.code(), new.code());
            return Err(Problem::new(ProblemKind::Conflict).fault(Fault::at(
                "/state",
                "state_transition",
                text(
                    format!(
                        "En rapport kan inte gå från ”{}” till ”{}”.",
                        old.label_sv, new.label_sv
                    ),
                    format!(
                        "A report cannot go from “{}” to “{}”.",
                        old.label_en, new.label_en
                    ),
                ),
            )));
        }
        let now = (Some(client), Some(now));
        let submitted = (report.submitted_by.as_deref(), report.submitted_at);
        let approved = (report.approved_by.as_deref(), report.approved_at);
        let (submitted, approved) = match new {
            ReportState::Draft => ((None, None), (None, None)),
            ReportState::Submitted => (now, (None, None)),
            ReportState::Approved => (submitted, now),
            ReportState::Withdrawn => (submitted, approved),
        };
        Ok(StateChange {
            state: new,
            withdrawn_reason: self.new.reason.as_ref().map(Prose::as_str),
            submitted_by: submitted.0,
            submitted_at: submitted.1,
            approved_by: approved.0,
            approved_at: approved.1,
        })
    }
}
