//! The audit trail: what was done that the history of rows does not tell by itself.
//!
//! An event is written in the transaction of what it tells of, so there is neither without the other. The table is only
//! added to: a trigger refuses changes.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::code_list;
use crate::db::Conn;
use crate::schema::audit_events;
use crate::telemetry;

code_list! {
    /// What was done.
    AuditAction = "audit-action", "Händelse i granskningsloggen", "Action in the audit trail", check Some("audit_action_known");
    /// A client wrote a new row.
    RowCreated = "row_created", "Rad skapad", "Row created";
    /// A client changed a row, or what belongs to it.
    RowChanged = "row_changed", "Rad ändrad", "Row changed";
    RowDeleted = "row_deleted", "Rad borttagen", "Row deleted";
    /// Numbers were read without protection.
    RawStatisticsRead = "raw_statistics_read", "Oskyddade tal lästa", "Unprotected numbers read";
    PublicationMade = "publication_made", "Publicering gjord", "Publication made";
    PublicationWithdrawn = "publication_withdrawn", "Publicering återkallad", "Publication withdrawn";
    /// A report was submitted, returned, approved or withdrawn.
    ReportStateChanged = "report_state_changed", "Rapportens tillstånd ändrat", "State of a report changed";
    /// A contact was taken out of a row and so out of its history.
    ContactErased = "contact_erased", "Kontakt raderad", "Contact erased";
    ClientCreated = "client_created", "Klient skapad", "Client created";
    ClientChanged = "client_changed", "Klient ändrad", "Client changed";
    ClientRevoked = "client_revoked", "Klient återkallad", "Client revoked";
    ClientSecretCreated = "client_secret_created", "Hemlighet skapad", "Secret created";
    ClientSecretRevoked = "client_secret_revoked", "Hemlighet återkallad", "Secret revoked";
}

/// Who acts when no request does: the program itself, by its command line.
const PROGRAM: &str = "samverkan";

/// Writes down what the request that this is done for did, and whose areas it concerns. `detail` holds no personal data and
/// no secret.
///
/// # Errors
/// When the statement fails.
pub async fn note(
    conn: &Conn,
    action: AuditAction,
    areas: &[impl AsRef<str>],
    detail: Value,
) -> QueryResult<usize> {
    let mut conn = conn;
    let context = telemetry::current();
    let client = context.as_ref().and_then(|context| context.caller());
    let areas: Vec<&str> = areas.iter().map(AsRef::as_ref).collect();
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::id.eq(Uuid::now_v7()),
            audit_events::action.eq(action),
            audit_events::client_id.eq(client.as_deref().unwrap_or(PROGRAM)),
            audit_events::request_id.eq(context.as_ref().map(|context| context.id)),
            audit_events::area_codes.eq(areas),
            audit_events::detail.eq(detail),
        ))
        .execute(&mut conn)
        .await
}
