//! Numbers without protection: for the owners of the areas, and written down each time.

use serde_json::json;

use super::frozen::Frozen;
use super::query::{Asked, Place, Question, Via, member};
use crate::access::Grant;
use crate::access::audit::{self, AuditAction};
use crate::access::permission::{Permission, StatisticsRead};
use crate::db::Db;
use crate::problem::{ApiResult, Fault, Problem, ProblemKind, text};

/// Lets the client have the reported numbers of a question, and writes it down before any of them is read.
///
/// # Errors
/// 403 without the permission, and for a place that is not wholly inside the areas of the client; and when the event
/// cannot be kept: what is not written down is not answered.
pub async fn admit(
    db: &Db,
    grant: &Grant<StatisticsRead>,
    asked: &Asked,
    frozen: &Frozen,
    question: &Question,
) -> ApiResult<()> {
    if !grant.also(Permission::ParticipationRead) {
        let needed = Permission::ParticipationRead.as_str();
        return Err(
            Problem::new(ProblemKind::InsufficientPermission).detail(text(
                format!("Oskyddade tal kräver behörigheten {needed}."),
                format!("Unprotected numbers need the permission {needed}."),
            )),
        );
    }
    let areas = areas(frozen, question);
    let outside: Vec<&(&Place, String)> = areas
        .iter()
        .filter(|(_, area)| !grant.reach().covers(area))
        .collect();
    if let Some((place, _)) = outside.as_slice().first() {
        let mut codes: Vec<&str> = outside.iter().map(|(_, area)| area.as_str()).collect();
        codes.dedup();
        codes.truncate(20);
        let (codes, own) = (codes.join(", "), grant.reach().areas().join(", "));
        let detail = text(
            format!("Oskyddade tal finns bara för dina områden ({own}), inte för: {codes}."),
            format!("Unprotected numbers are for your areas ({own}) only, not for: {codes}."),
        );
        let fault = match asked.via {
            Via::Parameters => Fault::parameter(place.kind(), "area_not_permitted", detail),
            Via::Body => Fault::at(
                format!("/{}", member(place.kind())),
                "area_not_permitted",
                detail,
            ),
        };
        return Err(Problem::new(ProblemKind::AreaNotPermitted).fault(fault));
    }
    let mut codes: Vec<String> = areas.into_iter().map(|(_, area)| area).collect();
    codes.sort_unstable();
    codes.dedup();
    record(db, &codes, asked, frozen).await
}

/// The areas whose numbers a question is of.
fn areas<'q>(frozen: &Frozen, question: &'q Question) -> Vec<(&'q Place, String)> {
    let mut areas = Vec::new();
    for place in &question.places {
        match place {
            Place::Area(code) => areas.push((place, code.clone())),
            Place::Collaboration(_) | Place::Category(_) | Place::Peers(_) => {
                for period in question.known_periods(frozen) {
                    let members = place.members(frozen, period);
                    areas.extend(members.into_iter().map(|area| (place, area.to_owned())));
                }
            }
        }
    }
    areas
}

async fn record(db: &Db, areas: &[String], asked: &Asked, frozen: &Frozen) -> ApiResult<()> {
    let question: serde_json::Map<String, serde_json::Value> = asked
        .pairs()
        .into_iter()
        .map(|(name, value)| (name, json!(value)))
        .collect();
    let detail = json!({"publication": frozen.name, "question": question});
    db.write(async |conn| {
        audit::note(conn, AuditAction::RawStatisticsRead, areas, detail.clone()).await?;
        Ok(())
    })
    .await
}
