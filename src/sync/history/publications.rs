//! The versions of a publication. None are kept: what is published stays as it is until it is withdrawn, so its row and the
//! audit trail tell all of them.

use super::versions::VersionOut;
use crate::access::audit::AuditAction;
use crate::access::{Action, Grant};
use crate::db::Db;
use crate::db::history::VersionOp;
use crate::http::resource::{self, Resource};
use crate::problem::{ApiResult, Problem};
use crate::statistics::codes::PublicationState;
use crate::statistics::library::Library;
use crate::statistics::publications::api::{Publications, seen};
use crate::statistics::publications::store::{self, Event};

/// The versions of the publication of a name, newest first.
///
/// # Errors
/// 404 for one that is not there or that the caller may not see.
pub(super) async fn versions<A: Action>(
    db: &Db,
    library: &Library,
    grant: &Grant<A>,
    name: &str,
) -> ApiResult<Vec<VersionOut>> {
    let row = seen(db, library, grant, name).await?;
    let view = resource::plain(db, grant);
    let (events, shown) = db
        .read(async |conn| {
            let events = store::events(conn, &row.name).await?;
            let mut rows = vec![row.clone()];
            rows.extend(row.released());
            // One at a time: both are the same publication, and what belongs to it is shown once for each that is asked for.
            let mut shown = Vec::new();
            for row in rows {
                let out = Publications::show(conn, &view, vec![row.clone()]).await?;
                shown.extend(out.into_iter().map(|out| (row.clone(), out)));
            }
            Ok((events, shown))
        })
        .await?;
    let mut versions = Vec::new();
    for (row, shown) in shown {
        let (op, action, at) = match row.state {
            PublicationState::Withdrawn => (
                VersionOp::Update,
                AuditAction::PublicationWithdrawn,
                row.withdrawn_at,
            ),
            _ => (
                VersionOp::Create,
                AuditAction::PublicationMade,
                row.published_at,
            ),
        };
        // A making that goes on or failed made no publication, so no event tells of it.
        let event = at.and_then(|_| events.iter().find(|event| event.action == action));
        let client = event.map(|event| event.client_id.clone());
        versions.push(VersionOut {
            version: row.version,
            version_before: (op == VersionOp::Update).then(|| row.version - 1),
            op,
            at: at.unwrap_or(row.created_at),
            client_id: client.or_else(|| (op == VersionOp::Create).then(|| row.created_by.clone())),
            request_id: event.and_then(|event: &Event| event.request_id),
            area: "SE".to_owned(),
            row: serde_json::to_value(shown).map_err(Problem::internal)?,
        });
    }
    Ok(versions)
}
